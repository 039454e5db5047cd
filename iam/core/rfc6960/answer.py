"""A responder's answer taken apart (RFC 6960 §4.2): strict DER, nothing in it verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from iam.core.rfc6960.question import NONCE, CertificateId
from secops.crypto.der import (
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    children,
    read_bits,
    read_oid,
    read_whole,
)
from secops.crypto.errors import MalformedEncoding
from secops.crypto.names import read_time

MAX_ANSWER: Final = 65_535
MAX_CERTIFICATES: Final = 4
_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
_ENUMERATED: Final = 0x0A
_TROUBLES: Final = {
    1: "malformedRequest",
    2: "internalError",
    3: "tryLater",
    5: "sigRequired",
    6: "unauthorized",
}
_BY_NAME: Final = 0xA1
_BY_KEY: Final = 0xA2
_FIRST: Final = 0xA0
_SECOND: Final = 0xA1
_STATES: Final[dict[int, Literal["good", "revoked", "unknown"]]] = {
    0x80: "good",
    0xA1: "revoked",
    0x82: "unknown",
}


class AnswerRefused(ValueError):
    """The answer can't be believed; what it says of the certificate is not looked at."""


@dataclass(frozen=True, slots=True)
class SingleStatus:
    """What is said of one certificate; instants in UTC microseconds."""

    subject: CertificateId
    state: Literal["good", "revoked", "unknown"]
    this_update: int
    next_update: int | None


@dataclass(frozen=True, slots=True)
class OcspAnswer:
    """A BasicOCSPResponse. The responder is named by ``name`` (DER) or by ``key_hash``."""

    signed: bytes
    algorithm: str
    signature: bytes
    name: bytes
    key_hash: bytes
    produced_at: int
    statuses: tuple[SingleStatus, ...]
    nonce: bytes | None
    certificates: tuple[bytes, ...]


def read_answer(encoded: bytes) -> OcspAnswer:
    """Return the answer; raise ``AnswerRefused`` where it is none, or only names a trouble."""
    if len(encoded) > MAX_ANSWER:
        msg = "the answer is too long"
        raise AnswerRefused(msg)
    try:
        return _basic(_success(encoded))
    except AnswerRefused:
        raise
    except (MalformedEncoding, ValueError, IndexError) as error:  # too few or too many parts
        msg = "the answer is no OCSP response"
        raise AnswerRefused(msg) from error


def _success(encoded: bytes) -> bytes:
    parts = list(children(read_whole(encoded, SEQUENCE).content))
    if parts[0].tag != _ENUMERATED or len(parts[0].content) != 1:
        raise MalformedEncoding
    state = parts[0].content[0]
    if state != 0:
        msg = f"the responder answers {_TROUBLES.get(state, state)}"
        raise AnswerRefused(msg)
    kind, content = children(_inner(parts[1], _FIRST).content)
    if read_oid(kind) != _BASIC or content.tag != OCTET_STRING:
        raise MalformedEncoding
    return content.content


def _basic(encoded: bytes) -> OcspAnswer:
    signed, algorithm, signature, *rest = children(read_whole(encoded, SEQUENCE).content)
    certificates: tuple[bytes, ...] = ()
    if rest:
        certificates = tuple(each.raw for each in children(_inner(rest[0], _FIRST).content))
    if len(certificates) > MAX_CERTIFICATES:
        raise MalformedEncoding
    fields = list(children(read_whole(signed.raw, SEQUENCE).content))
    if fields[0].tag == _FIRST and _inner(fields[0], _FIRST, INTEGER).content == b"\x00":
        fields = fields[1:]
    name, key_hash = _responder(fields[0])
    if fields[1].tag != GENERALIZED_TIME or fields[2].tag != SEQUENCE:
        raise MalformedEncoding
    return OcspAnswer(
        signed=signed.raw,
        algorithm=_algorithm(algorithm),
        signature=read_bits(signature),
        name=name,
        key_hash=key_hash,
        produced_at=read_time(fields[1]),
        statuses=tuple(_single(each) for each in children(fields[2].content)),
        nonce=_nonce(fields[3:]),
        certificates=certificates,
    )


def _responder(chosen: Element) -> tuple[bytes, bytes]:
    if chosen.tag == _BY_NAME:
        return _inner(chosen, _BY_NAME).raw, b""
    return b"", _inner(chosen, _BY_KEY, OCTET_STRING).content


def _single(element: Element) -> SingleStatus:
    subject, state, since, *rest = children(element.content)
    if state.tag not in _STATES or since.tag != GENERALIZED_TIME:
        raise MalformedEncoding
    until = None
    if rest and rest[0].tag == _FIRST:
        until = read_time(_inner(rest[0], _FIRST, GENERALIZED_TIME))
        rest = rest[1:]
    _extensions(rest)
    return SingleStatus(_subject(subject), _STATES[state.tag], read_time(since), until)


def _subject(element: Element) -> CertificateId:
    algorithm, name, key, serial = children(element.content)
    if (name.tag, key.tag, serial.tag) != (OCTET_STRING, OCTET_STRING, INTEGER):
        raise MalformedEncoding
    return CertificateId(
        _algorithm(algorithm),
        name.content,
        key.content,
        int.from_bytes(serial.content, "big", signed=True),
    )


def _algorithm(element: Element) -> str:
    oid, *_ = children(element.content)
    return read_oid(oid)


def _nonce(rest: Sequence[Element]) -> bytes | None:
    value = _extensions(rest).get(NONCE)
    return None if value is None else read_whole(value, OCTET_STRING).content


def _extensions(rest: Sequence[Element]) -> dict[str, bytes]:
    """Return the extensions under [1]; one that is critical and unknown spoils the answer."""
    found: dict[str, bytes] = {}
    for extension in children(_inner(rest[0], _SECOND).content) if rest else ():
        oid, *flags, value = children(extension.content)
        name = read_oid(oid)
        critical = any(flag.tag != BOOLEAN or flag.content != b"\x00" for flag in flags)
        if name in found or value.tag != OCTET_STRING or (critical and name != NONCE):
            raise MalformedEncoding
        found[name] = value.content
    return found


def _inner(outer: Element, outer_tag: int, tag: int = SEQUENCE) -> Element:
    if outer.tag != outer_tag:
        raise MalformedEncoding
    return read_whole(outer.content, tag)
