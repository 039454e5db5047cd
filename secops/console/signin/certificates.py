"""Signing in with a UKey's certificate: works without scripts, by paste or upload."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Final

from iam.errors import CertificateRefused, CertificateUnchecked, SignInRefused
from iam.models.factors import TERMINATOR_HEADER, CertificateAttempt, CertificateChallenge
from secops.console.parts import Desk, get_page, post_page
from secops.console.signin.shared import PAGES, device_cookie, go_on, same_origin
from secops.kernel.errors import SecopsError
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

MAX_FORM: Final = 262_144
"""Bytes of a form with a signed challenge."""


def challenge_text(challenge: CertificateChallenge) -> str:
    """Return what the middleware is to sign over, as people copy it."""
    fields = {
        "purpose": challenge.purpose,
        "origin": challenge.origin,
        "nonce": challenge.nonce,
    }
    return json.dumps(fields, indent=1)


def presented_attempt(desk: Desk, request: Request, second: str = "") -> CertificateAttempt | None:
    """Return what a terminator says of the connection's certificate, None if nothing."""
    said = request.headers.get(TERMINATOR_HEADER, "")
    return replace(_begun(desk, request), terminator=said, second=second) if said else None


def answered_attempt(desk: Desk, request: Request) -> CertificateAttempt:
    """Return the signed challenge of a form, pasted or uploaded."""
    form = request.form
    given = form.get("answer", "").strip()
    if not given and request.headers.get("content-type", "").startswith("multipart/"):
        upload = request.files.get("file")
        given = "" if upload is None else upload.content.decode("utf-8", "replace").strip()
    return replace(
        _begun(desk, request),
        reference=form.get("reference", ""),
        answer=given,
        second=form.get("second", ""),
    )


def _begun(desk: Desk, request: Request) -> CertificateAttempt:
    return CertificateAttempt(
        request.remote,
        user_agent=request.headers.get("user-agent", ""),
        device=device_cookie(desk, request),
    )


@dataclass(frozen=True, slots=True)
class _Certificates:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Show a challenge; where a terminator vouches for a certificate, go on at once."""
        transaction, second = request.query.get("transaction", ""), request.query.get("second", "")
        if not transaction:
            return redirect("/signin")
        presented = presented_attempt(self.desk, request, second)
        if presented is not None:
            return self._check(request, transaction, presented)
        return self._ask(request, transaction, second)

    def _ask(
        self, request: Request, transaction: str, second: str, error: SecopsError | None = None
    ) -> Response:
        certificates = self.desk.parts.iam.certificates
        challenge = certificates.ask()
        return self.desk.page(
            request,
            "signin/certificate.html",
            error.status if error else 200,
            transaction=transaction,
            second=second,
            usable=certificates.usable,
            challenge=challenge,
            text=challenge_text(challenge),
            error=error,
        )

    def sign_in(self, request: Request) -> Response:
        """Check a signed challenge and go on."""
        same_origin(request)
        attempt = answered_attempt(self.desk, request)
        return self._check(request, request.form.get("transaction", ""), attempt)

    def _check(self, request: Request, transaction: str, attempt: CertificateAttempt) -> Response:
        iam = self.desk.parts.iam
        try:
            opened = iam.certificates.sign_in(attempt)
        except (CertificateRefused, CertificateUnchecked, SignInRefused) as error:
            return self._ask(request, transaction, attempt.second, error)
        return go_on(iam.console, transaction, opened)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of signing in with a certificate."""
    here = _Certificates(desk)
    path = "/login/certificate"
    return (
        get_page(path, "show_certificate_sign_in", PAGES, here.show),
        post_page(path, "sign_in_with_certificate", PAGES, here.sign_in, max_body=MAX_FORM),
    )
