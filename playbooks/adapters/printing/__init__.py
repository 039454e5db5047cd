"""Reports as files that an office works with: DOCX to go on writing in, PDF to send."""

from __future__ import annotations

from playbooks.adapters.printing.docx_reports import DocxReports
from playbooks.adapters.printing.typst_notices import TypstNotices
from playbooks.adapters.printing.typst_reports import TypstReports

__all__ = ["DocxReports", "TypstNotices", "TypstReports"]
