"""One's own number and mail address: asked for, confirmed by a code, taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.errors import (
    AddressInvalid,
    ChannelOff,
    MessageNotSent,
    SignInRefused,
    TooManyMessages,
)
from iam.models.messages import NewAddress
from secops.console.parts import Desk, get_page, post_page
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.errors import SecopsError
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("the caller's own addresses")


@dataclass(frozen=True, slots=True)
class _Messages:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Ask for a number or mail address."""
        return self._ask(request)

    def _ask(self, request: Request, error: SecopsError | None = None) -> Response:
        iam = self.desk.parts.iam
        return self.desk.page(
            request,
            "signin/messages.html",
            error.status if error else 200,
            channels=iam.message_addresses.channels,
            fresh=iam.factors.is_fresh(request.caller),
            error=error,
        )

    def ask_address(self, request: Request) -> Response:
        """Send a code to it and ask for the code."""
        form = request.form
        wish = NewAddress(
            form.get("channel", ""), form.get("address", ""), request.remote, request.language
        )
        try:
            asked = self.desk.parts.iam.message_addresses.ask_address(request.caller, wish)
        except (AddressInvalid, ChannelOff, MessageNotSent, TooManyMessages) as error:
            return self._ask(request, error)
        return self._ask_code(request, asked.reference, asked.masked)

    def _ask_code(
        self, request: Request, reference: str, masked: str, error: SecopsError | None = None
    ) -> Response:
        return self.desk.page(
            request,
            "signin/message_code.html",
            error.status if error else 200,
            reference=reference,
            masked=masked,
            error=error,
        )

    def confirm_address(self, request: Request) -> Response:
        """Put it into force once its code came back."""
        form = request.form
        reference, masked = form.get("reference", ""), form.get("masked", "")[:80]
        code = form.get("code", "").strip()
        try:
            self.desk.parts.iam.message_addresses.confirm_address(
                request.caller, reference, code, request.remote
            )
        except SignInRefused as error:
            return self._ask_code(request, reference, masked, error)
        return redirect("/me/factors")

    def remove_address(self, request: Request) -> Response:
        """Take it away."""
        addresses = self.desk.parts.iam.message_addresses
        addresses.remove_address(request.caller, request.args["channel"])
        return redirect("/me/factors")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of one's own addresses."""
    here = _Messages(desk)
    fresh = {"fresh_seconds": FRESH_SECONDS}
    remove = "/me/messages/<channel>/remove"
    return (
        get_page("/me/messages", "show_messages", _OWN, here.show),
        post_page("/me/messages", "ask_address_form", _OWN, here.ask_address, **fresh),
        post_page("/me/messages/code", "confirm_address_form", _OWN, here.confirm_address, **fresh),
        post_page(remove, "remove_address_form", _OWN, here.remove_address, **fresh),
    )
