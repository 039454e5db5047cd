"""PDF by pyHanko, in a process of its own for each file: its memory and time are limited.

A PDF unpacks itself while it is read, so nothing a stranger sends is parsed in the gateway.
"""

from kms.adapters.pdf.client import PyHankoFiles

__all__ = ["PyHankoFiles"]
