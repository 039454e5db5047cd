"""``/verify``: anybody may verify a seal; files stay in memory and are never stored.

``/verify/report`` gives whoever is signed in the verdict as a PDF signed by the instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from secops.console.parts import Desk, get_page, post_page
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.permissions.kms import SEAL_REPORT
from secops.web.forms import Upload
from secops.web.messages import Request, Response, file_response
from secops.web.routes import Public, Route

_PUBLIC: Final = Public("verification of seals is for everybody; nothing is stored")
_MAX_BODY: Final = 41 << 20


@dataclass(frozen=True, slots=True)
class _Verify:
    desk: Desk

    def ask(self, request: Request) -> Response:
        """Ask for the file."""
        return self.desk.page(request, "kms/verify.html", report=None, error=None, name="")

    def verify_seal(self, request: Request) -> Response:
        """Verify the uploaded file and show each step."""
        report, error = None, None
        files = request.files
        name = files["sealed"].filename if "sealed" in files else ""
        try:
            report = self.desk.parts.kms.seal_verification.verify_seal(
                *_judged(files), caller=request.remote
            )
        except SecopsError as refused:
            error = refused
        status = error.status if error else 200
        return self.desk.page(
            request, "kms/verify.html", status, report=report, error=error, name=name
        )

    def ask_report(self, request: Request) -> Response:
        """Ask for the file whose verdict shall be signed."""
        return self.desk.page(request, "kms/verify_report.html", error=None)

    def report_verdict(self, request: Request) -> Response:
        """Give the verdict on the uploaded file as a PDF that the instance signed."""
        try:
            made = self.desk.parts.kms.seal_verdicts.report_verdict(
                request.caller, *_judged(request.files)
            )
        except SecopsError as refused:
            return self.desk.page(request, "kms/verify_report.html", refused.status, error=refused)
        return file_response(made.document, "application/pdf", "verdict.pdf")


def _judged(files: Mapping[str, Upload]) -> tuple[bytes, bytes | None]:
    """Return the file to be judged, and what it was put on; raise ``Invalid``."""
    sealed, document = files.get("sealed"), files.get("document")
    if sealed is None or not sealed.content:
        raise Invalid("choose a seal, a signature value or a sealed document")
    return sealed.content, document.content if document and document.content else None


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the public page."""
    here = _Verify(desk)
    return (
        get_page("/verify", "show_verification", _PUBLIC, here.ask),
        post_page("/verify", "verify_seal_form", _PUBLIC, here.verify_seal, max_body=_MAX_BODY),
        get_page("/verify/report", "show_verdict_report", SEAL_REPORT, here.ask_report),
        post_page(
            "/verify/report",
            "report_verdict_form",
            SEAL_REPORT,
            here.report_verdict,
            max_body=_MAX_BODY,
        ),
    )
