"""Messages to group robots: signatures, limits in bytes, and the answer in the body.

DingTalk signs in the query (milliseconds), Feishu in the body (seconds), WeCom not at all:
there the address is the secret. All three answer 200 even when they refuse.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from playbooks.models import Channel
from secops.crypto.signed_posts import signed_post
from secops.kernel.clock import SECOND

_MILLISECOND: Final = 1_000
_LIMITS: Final = {"generic": 16_384, "dingtalk": 16_384, "feishu": 16_384, "wecom": 2_048}
"""Bytes of text. Feishu takes 20 KB of body, WeCom 2,048 bytes of text."""
_TITLE: Final = 200
_OK: Final = range(200, 300)
_ACCEPTED: Final = {"dingtalk": "errcode", "wecom": "errcode", "feishu": "code"}


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """What to post. ``url`` and ``headers`` may hold secrets and are never shown."""

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes


def dingtalk_sign(secret: str, timestamp_ms: int) -> str:
    """Return DingTalk's signature: base64(HMAC-SHA256(secret, ts, LF, secret))."""
    text = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()


def feishu_sign(secret: str, timestamp_s: int) -> str:
    """Return Feishu's signature: base64(HMAC-SHA256(key = ts, LF, secret; no message))."""
    key = f"{timestamp_s}\n{secret}".encode()
    return base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()


def cut(text: str, limit: int) -> str:
    """Return ``text`` in at most ``limit`` bytes of UTF-8, cut between characters."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    mark = "…"
    return raw[: limit - len(mark.encode())].decode(errors="ignore") + mark


def build_message(
    channel: Channel, *, title: str, text: str, key: str, now: int
) -> OutboundMessage:
    """Return the message for ``channel``; ``key`` lets a generic receiver see repeats.

    Plain text only: a subject's name from a log must not become markup.
    """
    limit = _LIMITS[channel.kind]
    short = cut(title, _TITLE)
    whole = cut(f"{short}\n{text}", limit)
    url = channel.url
    headers = [("content-type", "application/json")]
    if channel.kind == "generic":
        body: dict[str, object] = {"title": short, "text": cut(text, limit), "key": key}
        headers.append(("idempotency-key", key))
        if channel.secret:
            headers.append(signed_post(channel.secret, _encode(body), now))
    elif channel.kind == "feishu":
        body = {"msg_type": "text", "content": {"text": whole}}
        if channel.secret:
            seconds = now // SECOND
            body |= {"timestamp": str(seconds), "sign": feishu_sign(channel.secret, seconds)}
    else:
        body = {"msgtype": "text", "text": {"content": whole}}
        if channel.kind == "dingtalk" and channel.secret:
            stamp = now // _MILLISECOND
            sign = {"timestamp": stamp, "sign": dingtalk_sign(channel.secret, stamp)}
            url += ("&" if "?" in url else "?") + urlencode(sign)
    return OutboundMessage(url, tuple(headers), _encode(body))


def _encode(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def refusal(channel: Channel, status: int, body: bytes) -> str:
    """Return why the receiver refused, or "" if it accepted: for robots the body tells."""
    if status not in _OK:
        return f"HTTP {status}"
    field_name = _ACCEPTED.get(channel.kind)
    if field_name is None:
        return ""
    try:
        answer = json.loads(body)
        code = answer[field_name]
    except (ValueError, TypeError, KeyError, RecursionError):
        return f"no {field_name} in the answer"
    return "" if code == 0 and code is not False else f"{field_name} {str(code)[:20]}"
