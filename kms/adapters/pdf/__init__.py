"""PDF by pyHanko and typst, in children of a process of their own: memory and time are limited.

A PDF unpacks itself while it is read, so nothing a stranger sends is parsed in the gateway.
"""

from kms.adapters.pdf.client import PyHankoFiles
from kms.adapters.pdf.drawing_pages import TypstDrawings
from kms.adapters.pdf.previews import TypstPreviews
from kms.adapters.pdf.processes import PdfProcesses
from kms.adapters.pdf.verdict_pages import TypstVerdicts

__all__ = ["PdfProcesses", "PyHankoFiles", "TypstDrawings", "TypstPreviews", "TypstVerdicts"]
