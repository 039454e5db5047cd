"""How a ticket's bytes lie: pieces in order, each of a length, one of them the rest."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from iam.core.base64url import decode as decode_base64url
from iam.errors import UpstreamInvalid, UpstreamRefused
from iam.models.upstream import TicketSettings

MAX_TICKET: Final = 8_192
REST: Final = "*"
CIPHERS: Final = {"sm4-gcm": ("iv", "body", "tag"), "sm4-cbc": ("iv", "body")}
_PIECE: Final = re.compile(r"([a-z]{1,16}):([1-9][0-9]{0,3}|\*)", re.ASCII)
_POINT: Final = re.compile(r"04[0-9a-f]{128}", re.ASCII)
_IV: Final = {"sm4-gcm": "12", "sm4-cbc": "16"}


def _hex(text: str) -> bytes:
    if text.lower() != text:
        raise ValueError(text[:16])
    return bytes.fromhex(text)


def _base64(text: str) -> bytes:
    content = base64.b64decode(text, validate=True)
    if base64.b64encode(content).decode() != text:
        raise ValueError(text[:16])
    return content


_ENCODINGS: Final[dict[str, Callable[[str], bytes]]] = {
    "base64url": decode_base64url,
    "base64": _base64,
    "hex": _hex,
}


def check_ticket_settings(settings: TicketSettings) -> None:
    """Return if the layout can be read and the signature covers what must not be changed.

    Raises ``UpstreamInvalid``.
    """
    pieces = dict(_pieces(settings.layout))
    needed = {*CIPHERS.get(settings.cipher, ()), "signature"}
    if settings.cipher not in CIPHERS or not needed <= set(pieces):
        msg = "settings.cipher is sm4-gcm or sm4-cbc, and the layout holds its pieces"
        raise UpstreamInvalid(msg)
    if pieces["iv"] != _IV[settings.cipher] or pieces.get("tag", "16") != "16":
        msg = "an iv has 12 bytes (sm4-gcm) or 16 (sm4-cbc), a tag has 16"
        raise UpstreamInvalid(msg)
    if settings.encoding not in _ENCODINGS or settings.signature_form not in ("raw", "der"):
        msg = "settings.encoding is base64url, base64 or hex; signature_form is raw or der"
        raise UpstreamInvalid(msg)
    covered = settings.signed.split("+")
    sealed = {"iv", "body"} <= set(covered)
    if not set(covered) <= {*pieces, "plaintext"} - {"signature"}:
        msg = "settings.signed names pieces of the layout, or plaintext"
        raise UpstreamInvalid(msg)
    if not sealed and "plaintext" not in covered:
        msg = "settings.signed covers iv and body, or plaintext: else contents could be exchanged"
        raise UpstreamInvalid(msg)
    if _POINT.fullmatch(settings.public_key) is None:
        msg = "settings.public_key is an SM2 point, 04 and 128 hex digits in lower case"
        raise UpstreamInvalid(msg)


def split_ticket(settings: TicketSettings, ticket: str) -> Mapping[str, bytes]:
    """Return the pieces of ``ticket``; raise ``UpstreamRefused`` for another form."""
    if not 0 < len(ticket) <= MAX_TICKET:
        msg = "a ticket has at most 8 KiB"
        raise UpstreamRefused(msg)
    try:
        content = _ENCODINGS[settings.encoding](ticket)
    except (ValueError, binascii.Error) as error:
        msg = "the ticket is not encoded as agreed"
        raise UpstreamRefused(msg) from error
    return _cut(content, _pieces(settings.layout))


def _pieces(layout: Sequence[str]) -> list[tuple[str, str]]:
    pieces = []
    for entry in layout:
        found = _PIECE.fullmatch(entry)
        if found is None:
            msg = f"{entry[:32]!r} is no piece: name:bytes, or name:* for the rest"
            raise UpstreamInvalid(msg)
        pieces.append((found[1], found[2]))
    names = [name for name, _ in pieces]
    if len(set(names)) != len(names) or [length for _, length in pieces].count(REST) != 1:
        msg = "each piece is named once, and exactly one is the rest"
        raise UpstreamInvalid(msg)
    return pieces


def _cut(content: bytes, pieces: Sequence[tuple[str, str]]) -> dict[str, bytes]:
    fixed = sum(int(length) for _, length in pieces if length != REST)
    rest = len(content) - fixed
    if rest < 1:
        msg = "the ticket is too short"
        raise UpstreamRefused(msg)
    cut, place = {}, 0
    for name, length in pieces:
        end = place + (rest if length == REST else int(length))
        cut[name] = content[place:end]
        place = end
    return cut
