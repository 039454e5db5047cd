"""People from a table: preview, then import; the enrolments come back as a file, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.models.imports import ImportReport
from secops.console.parts import Desk, chosen_file, get_page, post_page
from secops.console.render import beijing_time
from secops.console.tables import csv_file
from secops.console.texts import N_, translate
from secops.kernel.catalogue import Language
from secops.kernel.permissions.iam import ACCOUNT_CREATE
from secops.web.messages import Request, Response
from secops.web.routes import Route

MAX_TABLE: Final = 8 << 20
SHOWN: Final = 200
_HEADINGS: Final = (N_("账户"), N_("登记凭据"), N_("有效至(北京时间)"))


@dataclass(frozen=True, slots=True)
class _Imports:
    desk: Desk

    def show_form(self, request: Request) -> Response:
        """Show where to choose the file."""
        return self.desk.page(request, "iam/import.html", report=None, shown=())

    def import_people(self, request: Request) -> Response:
        """Preview the file, or import it and hand out the enrolments as CSV."""
        upload = chosen_file(request, "table", "a file is needed")
        form = request.form
        imports = self.desk.parts.iam.power.imports
        if form.get("do") == "import":
            wanted = "good" if form.get("rows") == "good" else "all"
            report = imports.import_people(request.caller, upload.content, wanted)  # type: ignore[arg-type] # one of the two
            return _enrolments(report, request.language)
        report = imports.preview_people(request.caller, upload.content)
        return self.desk.page(
            request, "iam/import.html", report=report, shown=report.faults[:SHOWN]
        )


def _enrolments(report: ImportReport, language: Language) -> Response:
    headings = [translate(title, language) for title in _HEADINGS]
    handed = [
        # as they are: a quote before a token that begins with "-" would make it another one
        (issued.account_name, issued.token, beijing_time(issued.expires_at))
        for issued in report.enrolments
    ]
    return csv_file("enrolments", [headings, *handed])


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the import page."""
    here = _Imports(desk)
    return (
        get_page("/people/import", "show_import", ACCOUNT_CREATE, here.show_form),
        post_page(
            "/people/import",
            "import_people_form",
            ACCOUNT_CREATE,
            here.import_people,
            max_body=MAX_TABLE,
        ),
    )
