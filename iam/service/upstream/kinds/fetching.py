"""Asking a provider over the guarded way out: one time limit, one refusal of everything odd."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode

import orjson

from iam.errors import UpstreamDown, UpstreamRefused
from iam.models.upstream import Standing
from iam.ports import Outbound
from secops.kernel.errors import SecopsError

TIMEOUT: Final = 5.0
"""Seconds for one question."""
MAX_ANSWER: Final = 65_535
_OK: Final = 200
_FORM: Final = "application/x-www-form-urlencoded"


def get(outbound: Outbound, url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return the body of a 200; raise ``UpstreamDown`` for everything else."""
    try:
        status, body = outbound.get(url, headers or {}, TIMEOUT)
    except SecopsError as error:
        raise UpstreamDown(error.detail) from error
    return _checked(status, body)


def post_form(
    outbound: Outbound, url: str, form: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[int, bytes]:
    """Return status and body; raise ``UpstreamDown`` where there is no proper answer."""
    body = urlencode(form).encode()
    sent = {"content-type": _FORM, "accept": "application/json", **headers}
    try:
        status, answer = outbound.post(url, body, sent, TIMEOUT)
    except SecopsError as error:
        raise UpstreamDown(error.detail) from error
    if len(answer) > MAX_ANSWER:
        msg = "the provider's answer is too long"
        raise UpstreamDown(msg)
    return status, answer


def _checked(status: int, body: bytes) -> bytes:
    if status != _OK or len(body) > MAX_ANSWER:
        msg = f"the provider answered {status}"
        raise UpstreamDown(msg)
    return body


def json_object(body: bytes) -> Mapping[str, Any]:
    """Return a JSON object; raise ``UpstreamRefused`` for anything else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        msg = "the provider's answer is not JSON"
        raise UpstreamRefused(msg) from error
    if not isinstance(value, dict):
        msg = "the provider's answer is no object"
        raise UpstreamRefused(msg)
    return value


def basic(identifier: str, secret: str) -> dict[str, str]:
    """Return the header of ``client_secret_basic``: both halves form-encoded (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(identifier)}:{quote_plus(secret)}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def text_of(members: Mapping[str, Any], name: str) -> str:
    """Return a text or whole number of a provider's answer as text, "" if it has none."""
    value = members.get(name) if name else None
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def ask_standing(
    outbound: Outbound, url: str, credentials: tuple[str, str], subject: str
) -> Standing:
    """Ask ``url`` whether ``subject`` has left: {"active": false} says so, nothing else does.

    An error, an unknown subject or another answer is no proof that somebody left.
    """
    if not url:
        return "unknown"
    try:
        body = get(outbound, f"{url}?subject={quote(subject, safe='')}", basic(*credentials))
        active = json_object(body).get("active")
    except (UpstreamDown, UpstreamRefused):
        return "unknown"
    return "left" if active is False else "active" if active is True else "unknown"
