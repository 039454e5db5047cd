"""Where a seal will stand: a picture of the page, before anything is sealed."""

from __future__ import annotations

from dataclasses import dataclass

from kms.models.seals import MAX_FILE
from secops.console.kms.seals import stamping_of_form
from secops.console.parts import Desk, chosen_file, png_picture, post_page
from secops.kernel.permissions.kms import SEAL_READ
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response
from secops.web.routes import Route


@dataclass(frozen=True, slots=True)
class _Previews:
    desk: Desk

    def preview_stamp(self, request: Request) -> Response:
        """Show the page of the uploaded OFD or PDF with the seal on it; nothing is sealed."""
        seal_id = request.args["seal_id"]
        upload = chosen_file(request, "document", "choose the OFD or PDF to be sealed")
        seen = self.desk.parts.kms.seal_previews.preview_stamp(
            request.caller, seal_id, upload.content, stamping_of_form(request.form)
        )
        return self.desk.page(
            request,
            "kms/preview.html",
            seal_id=seal_id,
            seen=seen,
            picture=png_picture(seen.picture),
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the route of the preview."""
    here = _Previews(desk)
    return (
        post_page(
            "/seals/<seal_id>/preview",
            "preview_stamp_form",
            SEAL_READ,
            here.preview_stamp,
            max_body=MAX_FILE + FRAMING,
        ),
    )
