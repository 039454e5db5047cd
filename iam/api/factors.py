"""One's own factors as JSON, and the challenge for a UKey's middleware."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from iam.api.shapes import schema, text
from iam.models.factors import Factor
from iam.service import IamServices
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.clock import rfc3339_or_none
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Access, Public, Route, Schema, SignedIn

_OWN: Final = SignedIn("the caller's own factors")
_ANYBODY: Final = Public("a challenge is for somebody who is not signed in yet")
_MAX_ANSWER: Final = 65_536
_NAME: Final = schema("FactorName", ("name",), name={})
_PASSKEY: Final = schema(
    "NewPasskey",
    ("name", "reference", "answer"),
    name={},
    reference={},
    answer={"type": "string", "maxLength": 32_768},
)
_CHALLENGE: Final = schema(
    "CertificateChallenge",
    ("purpose", "origin", "nonce", "expires_in", "reference"),
    purpose={},
    origin={},
    nonce={},
    expires_in={"type": "integer"},
    reference={},
)


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of ``/api/v1/iam/me/factors`` and of certificate challenges."""
    calls = _Calls(services)

    def route(
        verb: str,
        operation: str,
        handler: Callable[[Request], Response],
        *,
        access: Access = _OWN,
        request: Schema | None = None,
    ) -> Route:
        method, _, path = verb.partition(" ")
        return Route(
            method=method,
            path=f"/api/v1/iam{path}",
            operation=operation,
            access=access,
            handler=handler,
            request=request,
            response=_CHALLENGE if access is _ANYBODY else None,
            credential="either",
            fresh_seconds=None if method == "GET" or access is _ANYBODY else FRESH_SECONDS,
            max_body=_MAX_ANSWER,
            listing=operation.startswith("list_"),
        )

    one = "/me/passkeys/<passkey>"
    return (
        route("GET /me/factors", "list_own_factors", calls.factors),
        route("POST /me/passkeys/question", "ask_passkey", calls.ask_passkey),
        route("POST /me/passkeys", "register_passkey", calls.register, request=_PASSKEY),
        route(f"POST {one}/name", "rename_passkey", calls.rename, request=_NAME),
        route(f"DELETE {one}", "remove_passkey", calls.remove),
        route("DELETE /me/certificates/<certificate>", "unbind_certificate", calls.unbind),
        route("POST /me/recovery-codes", "renew_recovery_codes", calls.renew_codes),
        route("POST /certificate-challenges", "ask_certificate", calls.challenge, access=_ANYBODY),
    )


def factor_shape(factor: Factor) -> dict[str, object]:
    """Return a factor as JSON."""
    return {
        "kind": factor.kind,
        "id": factor.id,
        "name": factor.name,
        "since": rfc3339_or_none(factor.since or None),
        "last_used_at": rfc3339_or_none(factor.last_used_at),
        "note": factor.note,
        "usable": factor.usable,
    }


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def factors(self, request: Request) -> Response:
        held = self.services.factors.list_factors(request.caller)
        return json_response({"items": [factor_shape(each) for each in held], "next": None})

    def ask_passkey(self, request: Request) -> Response:
        question = self.services.passkeys.ask_registration(request.caller)
        return json_response({"options": question.options, "reference": question.reference})

    def register(self, request: Request) -> Response:
        body = request.json_object()
        answer = body.get("answer")
        made = self.services.passkeys.register_passkey(
            request.caller,
            text(body, "name"),
            text(body, "reference"),
            answer if isinstance(answer, str) else "",
        )
        return json_response({"name": made.name, "hardware": made.hardware}, 201)

    def rename(self, request: Request) -> Response:
        name = text(request.json_object(), "name")
        self.services.passkeys.rename_passkey(request.caller, request.args["passkey"], name)
        return Response(204)

    def remove(self, request: Request) -> Response:
        self.services.passkeys.remove_passkey(request.caller, request.args["passkey"])
        return Response(204)

    def unbind(self, request: Request) -> Response:
        self.services.certificates.unbind_own(request.caller, request.args["certificate"])
        return Response(204)

    def renew_codes(self, request: Request) -> Response:
        codes = self.services.factors.renew_recovery_codes(request.caller)
        return json_response({"recovery_codes": list(codes)})

    def challenge(self, request: Request) -> Response:
        del request
        asked = self.services.certificates.ask()
        return json_response(
            {
                "purpose": asked.purpose,
                "origin": asked.origin,
                "nonce": asked.nonce,
                "expires_in": asked.expires_in,
                "reference": asked.reference,
            }
        )
