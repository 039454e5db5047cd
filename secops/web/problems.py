"""Errors as answers: RFC 9457 problem+json, RFC 6749 §5.2, Vault's, Elasticsearch's or SCIM's."""

from __future__ import annotations

from typing import Final

import orjson

from secops.kernel.errors import SecopsError, StepUpRequired, TooMany, Unauthenticated
from secops.web.messages import JSON, NO_STORE, Request, Response
from secops.web.routes import Form

SCIM: Final = "application/scim+json"
_SCIM_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
PROBLEM: Final = "application/problem+json"
ELASTIC: Final = ("x-elastic-product", "Elasticsearch")
"""Without this header Elasticsearch's clients refuse to talk."""
DPOP_ALGORITHMS: Final = "ES256 PS256 EdDSA Ed25519"
_OAUTH_ERRORS: Final = {
    400: "invalid_request",
    401: "invalid_client",
    403: "access_denied",
    429: "temporarily_unavailable",
    503: "temporarily_unavailable",
}


def problem_response(error: SecopsError, request: Request, form: Form = "problem") -> Response:
    """Return ``error`` in the ``form`` its surface speaks."""
    headers = [NO_STORE, *_challenge(error)]
    if form == "vault":
        body = orjson.dumps({"errors": [f"{error.code}: {error.detail}"]})
        return Response(error.status, (("content-type", JSON), *headers), body)
    if form == "elastic":
        cause = {"type": error.code, "reason": error.detail}
        body = orjson.dumps({"error": {"root_cause": [cause], **cause}, "status": error.status})
        return Response(error.status, (("content-type", JSON), ELASTIC, *headers), body)
    if form == "scim":
        told = {"schemas": [_SCIM_ERROR], "status": str(error.status), "detail": error.detail}
        return Response(error.status, (("content-type", SCIM), *headers), orjson.dumps(told))
    if form == "oauth":
        name = str(
            error.facts.get("oauth_error") or _OAUTH_ERRORS.get(error.status, "server_error")
        )
        body = orjson.dumps({"error": name, "error_description": _ascii(error.detail)})
        return Response(error.status, (("content-type", JSON), *headers), body)
    body = orjson.dumps(
        {
            "type": "about:blank",
            "title": error.title.into(request.language),
            "status": error.status,
            "code": error.code,
            "detail": error.detail,
            "remedy": error.remedy.into(request.language),
            "request_id": request.request_id,
            **{name: value for name, value in error.facts.items() if value is not None},
        }
    )
    return Response(error.status, (("content-type", PROBLEM), *headers), body)


def _challenge(error: SecopsError) -> list[tuple[str, str]]:
    if isinstance(error, StepUpRequired):
        wanted = "".join(
            f', {name}="{error.facts[name]}"'
            for name in ("acr_values", "max_age")
            if error.facts.get(name) is not None
        )
        value = f'Bearer error="insufficient_user_authentication"{wanted}'
        return [("www-authenticate", value)]
    if isinstance(error, Unauthenticated):
        nonce = error.facts.get("dpop_nonce")
        more = [] if nonce is None else [("dpop-nonce", str(nonce))]
        return [("www-authenticate", token_challenge(error, plain="Bearer")), *more]
    if isinstance(error, TooMany):
        return [("retry-after", str(error.facts.get("retry_after") or 1))]
    return []


def token_challenge(error: SecopsError, plain: str = 'Bearer error="invalid_token"') -> str:
    """Return a refused token's WWW-Authenticate: ``plain``, or DPoP's own (RFC 9449 §7.1)."""
    name = error.facts.get("oauth_error")
    if name not in ("invalid_dpop_proof", "use_dpop_nonce"):
        return plain
    return f'DPoP error="{name}", algs="{DPOP_ALGORITHMS}"'


def _ascii(text: str) -> str:
    # RFC 6749 §5.2 allows %x20-21 / %x23-5B / %x5D-7E in error_description
    allowed = (c if " " <= c <= "~" and c not in '"\\' else "'" for c in text)
    return "".join(allowed)
