"""What a person proves themselves with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PasswordCredential:
    """An argon2id hash of the peppered password, and when it was set."""

    account_id: str
    hash: str
    set_at: int


@dataclass(frozen=True, slots=True)
class TotpCredential:
    """A TOTP secret sealed by the key pool; ``last_step`` was the last one used.

    ``algorithm`` is sha1 (RFC 6238) or sm3 (GM/T 0021).
    """

    account_id: str
    sealed_secret: bytes
    last_step: int
    algorithm: str = "sha1"


@dataclass(frozen=True, slots=True)
class Attempts:
    """A lockout counter: failures since ``since``, refused until ``until``."""

    failures: int
    since: int
    until: int
