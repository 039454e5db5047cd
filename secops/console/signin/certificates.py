"""Signing in with a UKey's certificate: works without scripts, by paste or upload."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from iam.errors import CertificateRefused, CertificateUnchecked, SignInRefused
from iam.models.factors import CertificateAttempt
from secops.console.parts import Desk, get_page, post_page
from secops.console.signin.shared import PAGES, go_on, same_origin
from secops.kernel.errors import SecopsError
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_HEADER: Final = "x-secops-client-certificate"


@dataclass(frozen=True, slots=True)
class _Certificates:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Show a challenge; where a terminator vouches for a certificate, go on at once."""
        transaction, second = request.query.get("transaction", ""), request.query.get("second", "")
        if not transaction:
            return redirect("/signin")
        said = request.headers.get(_HEADER, "")
        if said:
            return self._check(request, transaction, self._attempt(request, second, said=said))
        return self._ask(request, transaction, second)

    def _ask(
        self, request: Request, transaction: str, second: str, error: SecopsError | None = None
    ) -> Response:
        certificates = self.desk.parts.iam.certificates
        challenge = certificates.ask()
        text = {
            "purpose": challenge.purpose,
            "origin": challenge.origin,
            "nonce": challenge.nonce,
        }
        return self.desk.page(
            request,
            "signin/certificate.html",
            error.status if error else 200,
            transaction=transaction,
            second=second,
            usable=certificates.usable,
            challenge=challenge,
            text=json.dumps(text, indent=1),
            error=error,
        )

    def sign_in(self, request: Request) -> Response:
        """Check a signed challenge and go on."""
        same_origin(request)
        form, files = request.form, request.files
        given = form.get("answer", "").strip()
        if not given and "file" in files:
            given = files["file"].content.decode("utf-8", "replace").strip()
        attempt = self._attempt(
            request, form.get("second", ""), reference=form.get("reference", ""), answer=given
        )
        return self._check(request, form.get("transaction", ""), attempt)

    def _attempt(
        self,
        request: Request,
        second: str,
        *,
        said: str = "",
        reference: str = "",
        answer: str = "",
    ) -> CertificateAttempt:
        console = self.desk.parts.iam.console
        return CertificateAttempt(
            request.remote,
            reference,
            answer,
            said,
            second,
            user_agent=request.headers.get("user-agent", ""),
            device=request.cookies.get(console.cookie_name("device"), ""),
        )

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
        post_page(path, "sign_in_with_certificate", PAGES, here.sign_in, max_body=262_144),
    )
