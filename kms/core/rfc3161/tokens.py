"""Read the TSTInfo inside a time-stamp token (RFC 3161 §2.4.2, RFC 5652 §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.core.x690 import Element, read_der, values
from kms.core.x690.elements import CONTEXT_0

_SIGNED_DATA: Final = ("1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2")
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"


@dataclass(frozen=True, slots=True)
class TimestampToken:
    """What a token says, unproved: ``made_at`` in UTC microseconds."""

    made_at: int
    digest_algorithm: str
    digest: bytes


def read_token(content: bytes) -> TimestampToken:
    """Return what the token in ``content`` says; raise ``DerError`` if it is none."""
    content_info = read_der(content)
    kind, holder = content_info.sequence("ContentInfo", 2)
    if values.oid(kind, "contentType") not in _SIGNED_DATA:
        kind.refuse("the token is no SignedData")
    signed_data = _explicit(holder).sequence("SignedData", 4, 5, 6)
    encapsulated = signed_data[2].sequence("encapContentInfo", 2)
    if values.oid(encapsulated[0], "eContentType") != _TST_INFO:
        encapsulated[0].refuse("the token holds no TSTInfo")
    info = read_der(values.octets(_explicit(encapsulated[1]), "eContent"))
    fields = info.sequence("TSTInfo")
    if len(fields) < 5:  # noqa: PLR2004 - version to genTime
        info.refuse("TSTInfo is too short")
    algorithm, digest = fields[2].sequence("messageImprint", 2)
    identifier = algorithm.sequence("hashAlgorithm", 1, 2)[0]
    return TimestampToken(
        made_at=values.generalized_time(fields[4], "genTime"),
        digest_algorithm=values.oid(identifier, "hashAlgorithm"),
        digest=values.octets(digest, "hashedMessage"),
    )


def _explicit(element: Element) -> Element:
    children = element.expect(CONTEXT_0, "content").children
    if len(children) != 1:
        element.refuse("content is not one element")
    return children[0]
