"""OpenPGP keys: an organisation's own, which sign, and those of partners, who read exports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

OpenPgpAlgorithm = Literal["ed25519", "rsa-3072"]
OpenPgpState = Literal["active", "retired"]
PartnerState = Literal["requested", "active", "rejected", "retired"]

OPENPGP_ALGORITHMS: Final[tuple[OpenPgpAlgorithm, ...]] = ("ed25519", "rsa-3072")
MAX_PARTNER_KEY: Final = 64 << 10
"""Bytes of a partner's armoured public key."""
MAX_EXPORT: Final = 32 << 20
"""Bytes of an export that is protected in one piece."""
MAX_PARTNERS_OF_EXPORT: Final = 20


@dataclass(frozen=True, slots=True)
class OpenPgpSecret:
    """A secret key in gpg's armour, locked by a passphrase; both lie in one sealed box."""

    armored: str = field(repr=False)
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenPgpIdentity:
    """What a public key says of itself. ``fingerprint`` is hex, times UTC microseconds."""

    fingerprint: str
    user_id: str
    algorithm: str
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class OpenPgpKey:
    """An organisation's own signing key. ``sealed`` is its ``OpenPgpSecret`` under a pool key."""

    id: str
    org_id: str
    fingerprint: str
    user_id: str
    algorithm: str
    public_key: str
    sealed: bytes = field(repr=False)
    created_at: int
    expires_at: int | None
    state: OpenPgpState = "active"


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody outside to whom exports go. Nothing is encrypted to it before its approval."""

    id: str
    org_id: str
    name: str
    fingerprint: str
    user_id: str
    algorithm: str
    public_key: str
    expires_at: int | None
    reason: str
    approval_id: str
    requested_at: int
    state: PartnerState = "requested"


@dataclass(frozen=True, slots=True)
class ProtectedExport:
    """A message signed by ``fingerprint`` that ``partners`` alone can read.

    ``receipt`` is the export's digest in SM3 and SHA-256, as the ledger has it.
    """

    message: bytes
    fingerprint: str
    partners: tuple[str, ...]
    sm3: str
    sha256: str
