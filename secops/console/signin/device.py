"""Pages that ask: whether a device or an application may, whether to sign out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.errors import DeviceCodeRefused
from secops.console.parts import Desk, get_page, post_page
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.permissions.iam import OWN_USE
from secops.web.messages import Request, Response
from secops.web.routes import Public, Route

_ASKS: Final = Public("whoever has a session is asked whether to end it; others see nothing of it")

_CONSENTS: Final = Public("the question is bound to the session that its browser has with us")


@dataclass(frozen=True, slots=True)
class _Device:
    desk: Desk

    def show_device(self, request: Request) -> Response:
        """Ask for the code, or show what waits under the one in the address."""
        typed = request.query.get("user_code", "")
        return self._ask(request) if not typed else self._show(request, typed)

    def look_at_device(self, request: Request) -> Response:
        """Show which device waits under the code that was typed."""
        return self._show(request, request.form.get("user_code", ""))

    def _ask(self, request: Request, error: SecopsError | None = None) -> Response:
        status = error.status if error else 200
        return self.desk.page(request, "signin/device.html", status, error=error)

    def _show(self, request: Request, typed: str) -> Response:
        try:
            waiting = self.desk.parts.iam.device_grants.look(request.caller, typed)
        except DeviceCodeRefused as error:
            return self._ask(request, error)
        return self.desk.page(
            request, "signin/device_decide.html", waiting=waiting, user_code=typed
        )

    def decide_device(self, request: Request) -> Response:
        """Approve or deny, once."""
        form = request.form
        if form.get("do") not in ("approve", "deny"):
            raise Invalid("a device is approved or denied")
        granted = form["do"] == "approve"
        try:
            name = self.desk.parts.iam.device_grants.decide(
                request.caller, form.get("user_code", ""), grant=granted
            )
        except DeviceCodeRefused as error:
            return self._ask(request, error)
        return self.desk.page(
            request, "signin/device_decided.html", application=name, granted=granted
        )

    def ask_consent(self, request: Request) -> Response:
        """Ask whether an application may: which, whose, what, for how long."""
        iam, transaction = self.desk.parts.iam, request.query.get("transaction", "")
        cookie = request.cookies.get(iam.console.cookie_name("op_session"), "")
        question = iam.authorize.ask_consent(transaction, cookie)
        return self.desk.page(
            request, "signin/consent.html", question=question, transaction=transaction
        )

    def ask_logout(self, request: Request) -> Response:
        """Ask whether to sign out: an application wants it and can't prove that it may."""
        service = self.desk.parts.iam.log_out
        given = request.query
        known = {name: given[name] for name in service.parameters if name in given}
        return self.desk.page(
            request,
            "signin/logout.html",
            parameters=known,
            application=service.application(known),
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the device page and of the question before signing out."""
    here = _Device(desk)
    return (
        get_page("/device", "show_device", OWN_USE, here.show_device),
        post_page("/device", "look_at_device", OWN_USE, here.look_at_device),
        post_page("/device/decision", "decide_device", OWN_USE, here.decide_device),
        get_page("/consent", "ask_consent", _CONSENTS, here.ask_consent),
        get_page("/logout", "ask_logout", _ASKS, here.ask_logout),
    )
