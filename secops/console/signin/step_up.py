"""Step-up in place: one more factor, then back to the page that asked for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from iam.errors import CertificateRefused, CertificateUnchecked, PasskeyRefused, SignInRefused
from iam.models.sessions import StepUpAttempt
from iam.service.provider.console import local_path
from secops.console.parts import Desk, get_page, post_page
from secops.console.signin.certificates import (
    MAX_FORM,
    answered_attempt,
    challenge_text,
    presented_attempt,
)
from secops.console.signin.shared import device_cookie, same_origin
from secops.kernel.errors import SecopsError
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("the caller's own factors")


@dataclass(frozen=True, slots=True)
class _StepUp:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Ask for the missing factor."""
        return self._ask(request, local_path(request.query.get("next", "/")))

    def _ask(self, request: Request, onward: str, error: SecopsError | None = None) -> Response:
        view = self.desk.parts.iam.step_up.look(request.caller)
        return self.desk.page(
            request,
            "signin/step_up.html",
            error.status if error else 200,
            view=view,
            text=None if view.challenge is None else challenge_text(view.challenge),
            presented=presented_attempt(self.desk, request) is not None,
            next=onward,
            error=error,
        )

    def step_up(self, request: Request) -> Response:
        """Check the factor, put the session under new cookies, go back."""
        same_origin(request)
        form = request.form
        attempt = replace(
            self._begun(request),
            code=form.get("code", "").strip(),
            reference=form.get("challenge", ""),
            answer=form.get("answer", ""),
        )
        return self._finish(request, attempt)

    def step_up_with_certificate(self, request: Request) -> Response:
        """Check a signed challenge, or the certificate of the connection, and go back."""
        same_origin(request)
        presented = presented_attempt(self.desk, request) if "presented" in request.form else None
        certificate = presented or answered_attempt(self.desk, request)
        return self._finish(request, replace(self._begun(request), certificate=certificate))

    def _begun(self, request: Request) -> StepUpAttempt:
        cookies, console = request.cookies, self.desk.parts.iam.console
        return StepUpAttempt(
            cookie=cookies.get(console.cookie_name("rp_session"), ""),
            address=request.remote,
            device=device_cookie(self.desk, request),
        )

    def _finish(self, request: Request, attempt: StepUpAttempt) -> Response:
        iam, onward = self.desk.parts.iam, local_path(request.form.get("next", "/"))
        try:
            done = iam.step_up.step_up(request.caller, attempt)
        except (SignInRefused, PasskeyRefused, CertificateRefused, CertificateUnchecked) as error:
            return self._ask(request, onward, error)
        cookies = (
            ("set-cookie", iam.console.cookie_header("op_session", done.op_cookie)),
            ("set-cookie", iam.console.cookie_header("rp_session", done.rp_cookie)),
        )
        return redirect(onward, headers=cookies)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of step-up."""
    here = _StepUp(desk)
    return (
        get_page("/step-up", "show_step_up", _OWN, here.show),
        post_page("/step-up", "step_up", _OWN, here.step_up),
        post_page(
            "/step-up/certificate",
            "step_up_with_certificate",
            _OWN,
            here.step_up_with_certificate,
            max_body=MAX_FORM,
        ),
    )
