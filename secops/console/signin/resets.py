"""Resets of one's own account: what waits, and the button that cancels it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.errors import ResetOver
from secops.console.parts import Desk, get_page, post_page
from secops.kernel.errors import SecopsError
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("resets of the caller's own account")


@dataclass(frozen=True, slots=True)
class _Resets:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Show what waits."""
        return self._show(request)

    def _show(self, request: Request, error: SecopsError | None = None) -> Response:
        return self.desk.page(
            request,
            "signin/resets.html",
            error.status if error else 200,
            waiting=self.desk.parts.iam.recoveries.own_resets(request.caller),
            error=error,
        )

    def cancel(self, request: Request) -> Response:
        """Cancel it; a session of any age will do."""
        try:
            self.desk.parts.iam.recoveries.cancel_reset(request.caller, request.args["reset"])
        except ResetOver as error:
            return self._show(request, error)
        return redirect("/me/resets")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of one's own resets."""
    here = _Resets(desk)
    cancel = "/me/resets/<reset>/cancel"
    return (
        get_page("/me/resets", "show_own_resets", _OWN, here.show),
        post_page(cancel, "cancel_reset_form", _OWN, here.cancel),
    )
