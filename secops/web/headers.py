"""Security headers on every answer, and a strict Content-Security-Policy on every page."""

from __future__ import annotations

from typing import Final

from secops.web.messages import Request, Response

_EVERYWHERE: Final = (
    ("x-content-type-options", "nosniff"),
    # under no-referrer browsers send "Origin: null" with our own forms, and the guard refuses them
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
)
_STRICT_TRANSPORT: Final = ("strict-transport-security", "max-age=31536000; includeSubDomains")


def content_security_policy(nonce: str) -> str:
    """Return the page policy: own things only, scripts by ``nonce``, Trusted Types."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types htmx secops"
    )


def secure(response: Response, request: Request) -> Response:
    """Return ``response`` with the headers that protect whoever reads it."""
    present = {name.lower() for name, _ in response.headers}
    added = [pair for pair in _EVERYWHERE if pair[0] not in present]
    added.append(("x-request-id", request.request_id))
    if request.origin.startswith("https:"):
        added.append(_STRICT_TRANSPORT)
    kind = response.header("content-type") or ""
    if "content-security-policy" not in present:
        policy = content_security_policy(request.nonce) if kind.startswith("text/html") else _NONE
        added.append(("content-security-policy", policy))
    return Response(response.status, (*response.headers, *added), response.body, response.acts)


_NONE: Final = "default-src 'none'; frame-ancestors 'none'"
