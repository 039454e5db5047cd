"""Read a TimeStampReq strictly (RFC 3161 §2.4.1): what is asked for, or why it is refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NoReturn

from kms.core.rfc5652.schemes import HASH_OIDS, HASHES
from kms.core.x690 import DerError, Element, read_der, values
from kms.core.x690.elements import BOOLEAN, CONTEXT_0, INTEGER, NULL, OBJECT_IDENTIFIER, take
from kms.models.time_stamps import MAX_QUERY
from secops.crypto import hashes
from secops.kernel.errors import Invalid

_VERSION: Final = 1
_MAX_NONCE: Final = 64


class FailureInfo(IntEnum):
    """PKIFailureInfo: the bits that RFC 3161 §2.4.2 allows."""

    BAD_ALGORITHM = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    ADDITIONAL_INFO_NOT_AVAILABLE = 17
    SYSTEM_FAILURE = 25


class RequestRejected(ValueError):
    """The request gets no token, for the reason ``failure``."""

    def __init__(self, failure: FailureInfo, why: str) -> None:
        super().__init__(why)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class TimeStampRequest:
    """What is to be stamped: a ``digest`` by ``hash_name``.

    ``nonce`` is the stored INTEGER, which the token repeats; ``certificates`` asks for the
    authority's certificate inside the token.
    """

    hash_name: str
    digest: bytes
    nonce: bytes | None = None
    certificates: bool = True


def imprint_request(hash_name: str, digest: bytes, nonce: bytes | None = None) -> TimeStampRequest:
    """Return the request for a token over ``digest``; raise ``Invalid`` for no such digest."""
    if hash_name not in HASH_OIDS:
        msg = f"imprints are by {', '.join(sorted(HASH_OIDS))}, not {hash_name[:32]!r}"
        raise Invalid(msg)
    hashes.check_digest(hash_name, digest)
    return TimeStampRequest(hash_name, digest, nonce)


def read_request(content: bytes, policies: Collection[str]) -> TimeStampRequest:
    """Return the request in ``content``, for one of ``policies``; raise ``RequestRejected``."""
    if len(content) > MAX_QUERY:
        _refuse(FailureInfo.BAD_DATA_FORMAT, f"a request has at most {MAX_QUERY} bytes")
    try:
        return _read(read_der(content), policies)
    except DerError as error:
        raise RequestRejected(FailureInfo.BAD_DATA_FORMAT, str(error)) from error


def _read(root: Element, policies: Collection[str]) -> TimeStampRequest:
    fields = list(root.sequence("TimeStampReq", 2, 3, 4, 5, 6))
    if values.integer(fields[0], "version") != _VERSION:
        _refuse(FailureInfo.BAD_REQUEST, "only version 1 is known")
    hash_name, digest = _imprint(fields[1])
    rest = fields[2:]
    policy = take(rest, OBJECT_IDENTIFIER)
    nonce = take(rest, INTEGER)
    certificates = take(rest, BOOLEAN)
    extensions = take(rest, CONTEXT_0)
    if rest:
        rest[0].refuse("a field that is unknown, there twice, or out of order")
    if policy is not None and values.oid(policy, "reqPolicy") not in policies:
        _refuse(FailureInfo.UNACCEPTED_POLICY, "tokens are not made under this policy")
    if certificates is not None and not values.boolean(certificates, "certReq"):
        certificates.refuse("certReq writes out its default")
    if extensions is not None:
        # critical or not: RFC 3161 §2.4.1 wants no token for what isn't understood
        _refuse(FailureInfo.UNACCEPTED_EXTENSION, "no extension is understood")
    return TimeStampRequest(hash_name, digest, _nonce(nonce), certificates is not None)


def _imprint(element: Element) -> tuple[str, bytes]:
    algorithm, hashed = element.sequence("messageImprint", 2)
    parts = algorithm.sequence("hashAlgorithm", 1, 2)
    name = HASHES.get(values.oid(parts[0], "hashAlgorithm"))
    if name is None or any(part.tag != NULL or part.content for part in parts[1:]):
        _refuse(FailureInfo.BAD_ALGORITHM, "imprints are SHA-256, SHA-384, SHA-512 or SM3")
    digest = values.octets(hashed, "hashedMessage")
    if len(digest) != hashes.algorithm(name).digest_size:
        _refuse(FailureInfo.BAD_DATA_FORMAT, f"{len(digest)} bytes are no digest of {name}")
    return name, digest


def _nonce(element: Element | None) -> bytes | None:
    if element is None:
        return None
    values.integer(element, "nonce")
    if len(element.content) > _MAX_NONCE:
        element.refuse(f"a nonce has at most {_MAX_NONCE} bytes")
    return element.raw


def _refuse(failure: FailureInfo, why: str) -> NoReturn:
    raise RequestRejected(failure, why)
