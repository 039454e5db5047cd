"""What the pages of sign-in and of one's own factors share."""

from __future__ import annotations

import io
from typing import Final
from urllib.parse import urlencode

import segno

from iam.errors import SignInRefused
from iam.models.factors import PasskeyQuestion
from iam.models.sessions import Opened
from iam.service.provider.console import ConsoleService
from secops.console.parts import Desk, png_picture
from secops.kernel.errors import Forbidden, SecopsError
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Public

PAGES: Final = Public("the pages with which people prove who they are")
_DEVICE_SECONDS: Final = 90 * 86_400


def device_cookie(desk: Desk, request: Request) -> str:
    """Return the cookie of the browser's device, empty if there is none."""
    return request.cookies.get(desk.parts.iam.console.cookie_name("device"), "")


def go_on(console: ConsoleService, transaction: str, opened: Opened) -> Response:
    """Keep the session's cookies and go on with the application that waits."""
    device = console.cookie_header("device", opened.device, max_age=_DEVICE_SECONDS)
    cookies = (
        ("set-cookie", console.cookie_header("op_session", opened.cookie)),
        ("set-cookie", device),  # whoever guesses elsewhere can't lock this browser out
    )
    onward = f"/oauth2/authorize?{urlencode({'transaction': transaction})}"
    return redirect(onward, headers=cookies)


def ask_factor(
    desk: Desk,
    request: Request,
    attempt: tuple[str, str],
    error: SecopsError | None = None,
    *,
    sent: str = "",
) -> Response:
    """Ask for the second factor of ``attempt``: the application's transaction, the reference."""
    transaction, reference = attempt
    iam = desk.parts.iam
    device = device_cookie(desk, request)
    return desk.page(
        request,
        "signin/factor.html",
        error.status if error else 200,
        transaction=transaction,
        reference=reference,
        question=_passkey_question(desk, reference),
        # where a code could be sent, masked: only whoever came this far asks
        messages=iam.message_codes.offered(reference, request.remote, device),
        sent=sent,
        error=error,
        renew=error is not None and error.code in ("iam.password_expired", "iam.password_weak"),
    )


def _passkey_question(desk: Desk, reference: str) -> PasskeyQuestion | None:
    try:
        return desk.parts.iam.passkeys.ask(reference)
    except SignInRefused:
        return None


def same_origin(request: Request) -> None:
    """Refuse forms of other sites: nobody is signed in here, so no cookie's guard stands."""
    if not request.from_our_page:
        raise Forbidden("the request comes from another site's page")


def qr_picture(text: str) -> str:
    """Return ``text`` as a QR code, a data URI (an image needs no inline style)."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="png", scale=5)
    return png_picture(drawn.getvalue())
