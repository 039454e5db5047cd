"""DOCX from the template beside this module, which the office goes on writing in."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from playbooks.adapters.printing.lines import printable
from playbooks.models.reports import PrintedReport

TEMPLATE: Final = Path(__file__).with_name("incident_report.docx")


class DocxReports:
    """Implements ``playbooks.ports.ReportPrinter``."""

    def print_report(self, report: PrintedReport) -> bytes:
        """Return ``report`` as DOCX; texts are escaped, the template runs in a sandbox."""
        from docxtpl import DocxTemplate  # noqa: PLC0415 - heavy
        from jinja2 import StrictUndefined  # noqa: PLC0415 - only here
        from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415 - only here

        environment = SandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
        template = DocxTemplate(str(TEMPLATE))
        template.render(printable(report), jinja_env=environment, autoescape=True)
        content = io.BytesIO()
        template.save(content)
        return content.getvalue()
