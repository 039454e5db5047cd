"""``/verify/ecertificates/…``: where the QR code of an e-certificate leads; for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.models.ecertificates import PublicView
from kms.models.seals import MAX_FILE
from kms.service.ecertificates.public import FileVerdict
from secops.console.kms.ecertificates import STATES
from secops.console.parts import Desk, chosen_file, get_page, post_page
from secops.kernel.errors import SecopsError
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response
from secops.web.routes import Public, Route

_PUBLIC: Final = Public("whoever is shown an e-certificate may verify it; nothing is stored")


@dataclass(frozen=True, slots=True)
class _Verify:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Show what the template makes public, and ask for the file in hand."""
        return self._page(request, self._view(request), None, None)

    def verify(self, request: Request) -> Response:
        """Judge the uploaded file by its own seal and compare it with the registered one."""
        view = self._view(request)
        verdict, error = None, None
        try:
            upload = chosen_file(request, "file", "choose the e-certificate's file")
            verdict = self.desk.parts.kms.ecertificates.verification.verify_ecertificate(
                upload.content, caller=request.remote, token=request.args["token"]
            )
        except SecopsError as refused:
            error = refused
        return self._page(request, view, verdict, error)

    def _view(self, request: Request) -> PublicView:
        return self.desk.parts.kms.ecertificates.verification.show_public_ecertificate(
            request.args["token"], caller=request.remote
        )

    def _page(
        self,
        request: Request,
        view: PublicView,
        verdict: FileVerdict | None,
        error: SecopsError | None,
    ) -> Response:
        return self.desk.page(
            request,
            "kms/verify_ecertificate.html",
            error.status if error else 200,
            view=view,
            verdict=verdict,
            error=error,
            states=STATES,
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the public page."""
    here = _Verify(desk)
    path = "/verify/ecertificates/<token>"
    return (
        get_page(path, "show_ecertificate_verification", _PUBLIC, here.show),
        post_page(
            path,
            "verify_ecertificate_form",
            _PUBLIC,
            here.verify,
            max_body=MAX_FILE + FRAMING,
        ),
    )
