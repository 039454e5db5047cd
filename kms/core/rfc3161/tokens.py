"""Read the TSTInfo inside a time-stamp token (RFC 3161 §2.4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.rfc3161.writing import TST_INFO
from kms.core.rfc5652.reading import SignedData, signed_data_at
from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import BOOLEAN, CONTEXT_0, INTEGER, SEQUENCE, take
from secops.kernel.clock import SECOND

_VERSION: Final = 1
_EXTENSIONS: Final = 0xA1
_DIRECTORY_NAME: Final = 0xA4
_PARTS: Final = {INTEGER: SECOND, 0x80: 1_000, 0x81: 1}
"""Of an accuracy, by tag: seconds, millis and micros in microseconds."""

_MAX_PART: Final = 4


@dataclass(frozen=True, slots=True)
class TimestampToken:
    """What a token says, unproved: ``made_at`` and ``accuracy`` in (UTC) microseconds.

    ``digest_algorithm`` and ``policy`` are OIDs; ``authority`` is a name in DER, empty where
    the token gives none or another kind of name.
    """

    made_at: int
    digest_algorithm: str
    digest: bytes
    policy: str
    serial: int
    accuracy: int = 0
    nonce: int | None = None
    authority: bytes = b""


def read_token(content: bytes) -> TimestampToken:
    """Return what the token in ``content`` says; raise ``DerError`` if it is none."""
    root = read_der(content)
    return token_of(signed_data_at(root), root)


def token_of(data: SignedData, root: Element) -> TimestampToken:
    """Return what the token at ``root`` says whose SignedData was read; raise ``DerError``."""
    if data.content_type != TST_INFO or data.content is None:
        root.refuse("the token holds no TSTInfo")
    info = read_der(data.content)
    fields = list(info.sequence("TSTInfo"))
    if len(fields) < 5:  # noqa: PLR2004 - version to genTime
        info.refuse("TSTInfo is too short")
    if values.integer(fields[0], "version") != _VERSION:
        fields[0].refuse("only version 1 of TSTInfo is known")
    algorithm, digest = fields[2].sequence("messageImprint", 2)
    identifier = algorithm.sequence("hashAlgorithm", 1, 2)[0]
    rest = fields[5:]
    accuracy, ordering = take(rest, SEQUENCE), take(rest, BOOLEAN)
    nonce, name = take(rest, INTEGER), take(rest, CONTEXT_0)
    _skip_extensions(rest)
    if ordering is not None:
        values.boolean(ordering, "ordering")
    return TimestampToken(
        made_at=values.generalized_time(fields[4], "genTime"),
        digest_algorithm=values.oid(identifier, "hashAlgorithm"),
        digest=values.octets(digest, "hashedMessage"),
        policy=values.oid(fields[1], "policy"),
        serial=values.integer(fields[3], "serialNumber"),
        accuracy=0 if accuracy is None else _accuracy(accuracy),
        nonce=None if nonce is None else values.integer(nonce, "nonce"),
        authority=b"" if name is None else _authority(name),
    )


def _skip_extensions(rest: list[Element]) -> None:
    """Refuse what follows but extensions that one need not understand."""
    extensions = take(rest, _EXTENSIONS)
    if rest:
        rest[0].refuse("a field that is unknown, there twice, or out of order")
    for extension in () if extensions is None else extensions.children:
        parts = extension.sequence("extension", 2, 3)
        if len(parts) == 3 and values.boolean(parts[1], "critical"):  # noqa: PLR2004
            extension.refuse("a critical extension that is unknown")


def _accuracy(element: Element) -> int:
    total, last = 0, -1
    order = list(_PARTS)
    for part in element.children:
        if part.tag not in _PARTS or order.index(part.tag) <= last:
            part.refuse("accuracy is not seconds, millis and micros")
        if not 0 < len(part.content) <= _MAX_PART or part.content[0] & 0x80:
            part.refuse("accuracy is no number of that unit")
        last = order.index(part.tag)
        total += int.from_bytes(part.content, "big") * _PARTS[part.tag]
    return total


def _authority(element: Element) -> bytes:
    name = element.only("tsa is not one name")
    if name.tag != _DIRECTORY_NAME or len(name.children) != 1:
        return b""
    return name.children[0].raw
