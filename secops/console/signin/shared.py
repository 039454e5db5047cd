"""What the pages of sign-in and of one's own factors share."""

from __future__ import annotations

import base64
import io

import segno

from secops.kernel.errors import Forbidden
from secops.web.messages import Request


def same_origin(request: Request) -> None:
    """Refuse forms of other sites: nobody is signed in here, so no cookie's guard stands."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin != request.origin and site != "same-origin":
        raise Forbidden("the request comes from another site's page")


def qr_picture(text: str) -> str:
    """Return ``text`` as a QR code, a data URI (an image needs no inline style)."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="png", scale=5)
    return "data:image/png;base64," + base64.b64encode(drawn.getvalue()).decode()


def local_path(path: str) -> str:
    """Return ``path`` if it leads nowhere but to us, else ``/`` (open redirects)."""
    plain = all(" " < char <= "~" for char in path) and "\\" not in path
    if plain and path.startswith("/") and not path.startswith("//") and len(path) <= 1_000:  # noqa: PLR2004 - a path of ours
        return path
    return "/"
