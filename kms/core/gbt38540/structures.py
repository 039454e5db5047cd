"""What a seal and a signature with a seal hold, each with its stored bytes.

Names follow GB/T 38540-2020 §6 and §7. Instants are UTC microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

V1: Final = 1
V4: Final = 4
V5: Final = 5

SM2_WITH_SM3: Final = "1.2.156.10197.1.501"
SM3_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Extension:
    """An ExtData entry."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """SES_ESPictrueInfo (the standard's spelling): ``width`` and ``height`` in mm."""

    kind: str
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SealProperty:
    """SES_ESPropertyInfo: whose seal it is, who may sign with it, and when.

    Exactly one of ``certificates`` (DER) and ``certificate_digests`` is filled.
    """

    kind: int
    name: str
    certificates: tuple[bytes, ...]
    certificate_digests: tuple[bytes, ...]
    created_at: int
    valid_from: int
    valid_until: int


@dataclass(frozen=True, slots=True)
class Seal:
    """SESeal. ``signed`` are the very bytes that the maker's signature covers."""

    version: int
    raw: bytes
    vendor: str
    es_id: str
    property: SealProperty
    picture: Picture
    extensions: tuple[Extension, ...]
    maker_certificate: bytes
    algorithm: str
    signed: bytes
    signature: bytes
    timestamp: bytes | None


@dataclass(frozen=True, slots=True)
class SealSignature:
    """SES_Signature. ``signed`` is the stored TBS_Sign, which holds the ``seal``."""

    version: int
    tbs_version: int
    seal: Seal
    signed_at: int
    data_hash: bytes
    property_info: str
    extensions: tuple[Extension, ...]
    signer_certificate: bytes
    algorithm: str
    signed: bytes
    signature: bytes
    timestamp: bytes | None
