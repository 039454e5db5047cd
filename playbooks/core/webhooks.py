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
from typing import Final, Literal
from urllib.parse import urlencode

from playbooks.models import Channel, ChannelKind
from secops.crypto.signed_posts import signed_post
from secops.kernel.clock import MILLISECOND, SECOND

_LIMITS: Final = {"generic": 16_384, "dingtalk": 16_384, "feishu": 16_384, "wecom": 2_048}
"""Bytes of text. WeCom takes 2,048 bytes of it."""
MAX_BODY: Final = 20_000
"""Bytes of a body: Feishu takes 20 KB, and quotation marks take two bytes there."""
_TITLE: Final = 200
_OK: Final = range(200, 300)
_ACCEPTED: Final = {"dingtalk": "errcode", "wecom": "errcode", "feishu": "code"}
_PLAIN: Final = str.maketrans("<>[]@", "\uff1c\uff1e\uff3b\uff3d\uff20")
"""Feishu reads ``<at>`` and ``[words](address)`` in plain text, too: wide signs are no markup."""
_BUSY: Final = frozenset((-1, 130101, 410100, 45009, 9499, 11232))
"""Codes that say: too often, or later (DingTalk 130101 and 410100, WeCom 45009, Feishu)."""
_LATER: Final = frozenset((408, 425, 429, 503))
"""A server that answers so has not worked on what it was sent (RFC 9110 §15.5, §15.6)."""
_FAULT: Final = 500


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
    whole = _fitting(f"{short}\n{text}".translate(_PLAIN), limit)
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
            stamp = now // MILLISECOND
            sign = {"timestamp": stamp, "sign": dingtalk_sign(channel.secret, stamp)}
            url += ("&" if "?" in url else "?") + urlencode(sign)
    return OutboundMessage(url, tuple(headers), _encode(body))


def _fitting(text: str, limit: int) -> str:
    """Return ``text`` cut to ``limit`` bytes, and further until its JSON fits into a body."""
    room = MAX_BODY - 1_000
    while len(_encode(text := cut(text, limit))) > room:
        limit = limit * 3 // 4
    return text


def _encode(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


Came = Literal["accepted", "busy", "refused", "unclear"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a post. ``why`` names the code, never what else the receiver said.

    ``busy`` may be tried again, ``refused`` comes out the same every time, and after ``unclear``
    nobody knows whether the message stands in the group.
    """

    came: Came
    why: str = ""


def read_answer(kind: ChannelKind, status: int, body: bytes) -> Answer:
    """Return what the receiver made of the message: robots say it in the body."""
    if status not in _OK:
        why = f"HTTP {status}"
        if status in _LATER:
            return Answer("busy", why)
        return Answer("unclear" if status >= _FAULT else "refused", why)
    field_name = _ACCEPTED.get(kind)
    return Answer("accepted") if field_name is None else _said(field_name, body)


def _said(field_name: str, body: bytes) -> Answer:
    try:
        code = json.loads(body)[field_name]
    except (ValueError, TypeError, KeyError, RecursionError):
        return Answer("unclear", f"no {field_name} in the answer")
    if not isinstance(code, int) or isinstance(code, bool):
        return Answer("unclear", f"{field_name} is no number")
    if code == 0:
        return Answer("accepted")
    return Answer("busy" if code in _BUSY else "refused", f"{field_name} {str(code)[:20]}")
