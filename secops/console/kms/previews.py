"""Where a seal will stand: a picture of the page, before anything is sealed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

from kms.models.seals import MAX_FILE
from secops.console.kms.seals import stamping_of_form
from secops.console.parts import Desk, post_page
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import SEAL_READ
from secops.web.messages import Request, Response
from secops.web.routes import Route

_FRAMING: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class _Previews:
    desk: Desk

    def preview_stamp(self, request: Request) -> Response:
        """Show the page of the uploaded OFD or PDF with the seal on it; nothing is sealed."""
        upload, seal_id = request.files.get("document"), request.args["seal_id"]
        if upload is None or not upload.content:
            raise Invalid("choose the OFD or PDF to be sealed")
        seen = self.desk.parts.kms.seal_previews.preview_stamp(
            request.caller, seal_id, upload.content, stamping_of_form(request.form)
        )
        return self.desk.page(
            request,
            "kms/preview.html",
            seal_id=seal_id,
            seen=seen,
            picture="data:image/png;base64," + base64.b64encode(seen.picture).decode(),
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
            max_body=MAX_FILE + _FRAMING,
        ),
    )
