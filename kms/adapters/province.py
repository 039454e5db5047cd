"""The province's e-seal system over HTTPS, in the wire form of docs/manual/province_seals.md.

No national standard of such an interface is public, so the form is ours. Requests carry an
idempotency key, so that a repeated one has one effect; redirects are never followed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson

from kms.errors.remote_seals import RemoteSealerAbsent, RemoteSealerFailed, RemoteSealerRefused
from kms.models.remote_seals import (
    REMOTE_STATES,
    ProvinceOptions,
    RemoteSeal,
    RemoteSealOrder,
    RemoteUse,
    RemoteVerdict,
)
from kms.ports.remote_seals import Outbound
from secops.kernel.errors import SecopsError

_ATTEMPTS: Final = 3
_PAUSE: Final = 0.3
_OK: Final = (200, 201, 202)
_SERVER_ERROR: Final = 500
_BUSY: Final = 429
_REFUSALS: Final = (403, 404, 409, 422)
_MAX_REFERENCE: Final = 200
_MAX_REASON: Final = 300
_MAX_REASONS: Final = 50


class ProvinceSealer:
    """Implements ``kms.ports.remote_seals.RemoteSealer``."""

    def __init__(
        self, outbound: Outbound, options: ProvinceOptions, pause: Callable[[float], None]
    ) -> None:
        self._outbound = outbound
        self._base = options.url.rstrip("/")
        self._token = options.token
        self._seconds = options.seconds
        self._pause = pause

    @property
    def is_there(self) -> bool:
        """Tell whether an address is configured."""
        return bool(self._base)

    def request_seal(self, order: RemoteSealOrder) -> str:
        """Ask for a seal and return the province's reference of it."""
        asked = {
            "id": order.id,
            "name": order.name,
            "shape": order.shape,
            "organization": order.organization,
            "code": order.code,
            "holders": list(order.holders),
            "format_version": order.format_version,
        }
        reference = _text(self._ask("/seals", asked, order.id), "reference", _MAX_REFERENCE)
        if not reference:
            raise _malformed("reference")
        return reference

    def seal_state(self, reference: str) -> RemoteSeal:
        """Return what has become of it."""
        found = self._ask(f"/seals/{quote(reference, safe='')}", None, "")
        state = next((each for each in REMOTE_STATES if each == found.get("state")), None)
        if state is None or found.get("reference") != reference:
            raise _malformed("state")
        content = None if found.get("seal") is None else _bytes(found, "seal")
        reason = _text(found, "reason", _MAX_REASON) if "reason" in found else ""
        return RemoteSeal(state, content, reason)

    def use_seal(self, reference: str, use: RemoteUse) -> bytes:
        """Return a SES_Signature in DER, unverified."""
        asked = {
            "id": use.id,
            "data_hash": use.data_hash.hex(),
            "property_info": use.property_info,
            "document_sm3": use.document_sm3.hex(),
            "purpose": use.purpose,
            "account": use.account,
        }
        answer = self._ask(f"/seals/{quote(reference, safe='')}/uses", asked, use.id)
        if answer.get("id") != use.id:
            raise _malformed("id")
        return _bytes(answer, "value")

    def verify_seal(self, content: bytes, document: bytes | None) -> RemoteVerdict:
        """Return what the province's verifier says of a file."""
        asked = {"file": base64.b64encode(content).decode()}
        if document is not None:
            asked["document"] = base64.b64encode(document).decode()
        answer = self._ask("/verifications", asked, "")
        valid, reasons = answer.get("valid"), answer.get("reasons", [])
        texts = isinstance(reasons, list) and all(isinstance(each, str) for each in reasons)
        if not isinstance(valid, bool) or not texts:
            raise _malformed("valid")
        return RemoteVerdict(valid, tuple(_said(each) for each in reasons[:_MAX_REASONS]))

    def _ask(self, path: str, body: Mapping[str, Any] | None, key: str) -> Mapping[str, Any]:
        """Return the JSON object of the answer; repeat what may have had its effect."""
        if not self.is_there:
            raise RemoteSealerAbsent
        failure = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._pause(_PAUSE * attempt)
            try:
                status, answer = self._send(path, body, key)
            except SecopsError as error:
                if error.status not in (502, 503):
                    raise
                failure = error.code
                continue
            if status in _OK:
                return _object(answer)
            if status in _REFUSALS:
                raise RemoteSealerRefused(_reason_of(answer))
            failure = f"HTTP {status}"
            if status < _SERVER_ERROR and status != _BUSY:
                break
        msg = f"the province's system: {failure}"
        raise RemoteSealerFailed(msg)

    def _send(self, path: str, body: Mapping[str, Any] | None, key: str) -> tuple[int, bytes]:
        headers = {"accept": "application/json", "authorization": f"Bearer {self._token}"}
        url = f"{self._base}{path}"
        if body is None:
            return self._outbound.get(url, headers, timeout=self._seconds)
        headers["content-type"] = "application/json"
        if key:
            headers["idempotency-key"] = key
        return self._outbound.post(url, orjson.dumps(body), headers, timeout=self._seconds)


def _object(answer: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        raise _malformed("JSON") from error
    if not isinstance(found, dict):
        raise _malformed("object")
    return found


def _text(found: Mapping[str, Any], name: str, limit: int) -> str:
    value = found.get(name)
    if not isinstance(value, str) or len(value) > limit or not value.isprintable():
        raise _malformed(name)
    return value


def _bytes(found: Mapping[str, Any], name: str) -> bytes:
    value = found.get(name)
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed(name) from error
    raise _malformed(name)


def _reason_of(answer: bytes) -> str:
    """Return why it said no; its words go to people, so they are cut and made printable."""
    try:
        found = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return "no reason was given"
    reason = found.get("reason") if isinstance(found, dict) else None
    return _said(reason) if isinstance(reason, str) else "no reason was given"


def _said(text: str) -> str:
    shown = "".join(each if each.isprintable() else "?" for each in text)
    return shown[:_MAX_REASON]


def _malformed(what: str) -> RemoteSealerFailed:
    msg = f"the province's answer is malformed: {what}"
    return RemoteSealerFailed(msg)
