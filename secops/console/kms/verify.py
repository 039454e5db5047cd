"""``/verify``: anybody may verify a seal; files stay in memory and are never stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secops.console.parts import Desk, get_page, post_page
from secops.kernel.errors import Invalid, SecopsError
from secops.web.messages import Request, Response
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
        files = request.files
        sealed, document = files.get("sealed"), files.get("document")
        report, error = None, None
        name = sealed.filename if sealed else ""
        try:
            if sealed is None or not sealed.content:
                raise Invalid("choose a seal, a signature value or a sealed document")
            whole = document.content if document is not None and document.content else None
            report = self.desk.parts.kms.seal_verification.verify_seal(
                sealed.content, whole, caller=request.remote
            )
        except SecopsError as refused:
            error = refused
        status = error.status if error else 200
        return self.desk.page(
            request, "kms/verify.html", status, report=report, error=error, name=name
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the public page."""
    here = _Verify(desk)
    return (
        get_page("/verify", "show_verification", _PUBLIC, here.ask),
        post_page("/verify", "verify_seal_form", _PUBLIC, here.verify_seal, max_body=_MAX_BODY),
    )
