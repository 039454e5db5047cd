"""What an operator may choose about identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from iam.models.factors import AttestationPolicy, RevocationPolicy
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND

PasswordProfile = Literal["mlps", "nist"]
CryptoProfile = Literal["intl", "gm"]

API_AUDIENCE: Final = "secops-api"
CONSOLE_CLIENT: Final = "secops-console"
CLI_CLIENT: Final = "secops-cli"
ISSUER_NAME: Final = "govsecops"
"""What one-time password apps show beside a code."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things live, in microseconds (RFC 9068, RFC 9700 within their limits)."""

    access_token: int = 300 * SECOND
    code: int = 60 * SECOND
    pushed_request: int = 60 * SECOND
    device_grant: int = 10 * MINUTE
    device_pause: int = 5 * SECOND
    transaction: int = 10 * MINUTE
    second_factor: int = 5 * MINUTE
    session_idle: int = 30 * MINUTE
    session_absolute: int = 12 * HOUR
    administrator_idle: int = 15 * MINUTE
    administrator_absolute: int = 8 * HOUR
    refresh_idle: int = 8 * HOUR
    refresh_absolute: int = 12 * HOUR
    enrolment: int = DAY
    reset_request: int = DAY
    reset_delay: int = DAY
    password_age: int = 90 * DAY
    device: int = 90 * DAY
    consent: int = 180 * DAY


@dataclass(frozen=True, slots=True)
class IamOptions:
    """``issuer`` is PUBLIC_URL without a slash at its end; ``demo`` allows ``--as``.

    ``hash_threads`` is how many passwords are hashed at a time (0: one per core);
    ``hash_queue`` is how many callers may wait before the rest get 429. ``attestation`` says
    which makers' passkeys are admitted, ``revocation`` where certificates are asked about,
    ``terminator_key`` is shared with a TLS or TLCP terminator that signs what it says of client
    certificates. ``fold_seconds`` is how often counted decisions are written, 0 for only when
    they are flushed.
    """

    issuer: str = "http://localhost:8080"
    console_callback: str = "/login/callback"
    password_profile: PasswordProfile = "mlps"  # noqa: S105 - the name of a profile
    password_history: int = 5
    password_words: frozenset[str] = frozenset()
    breached_passwords: Path | None = None
    real_name_schemes: Path | None = None
    crypto_profile: CryptoProfile = "intl"
    demo: bool = False
    hash_threads: int = 0
    hash_queue: int = 8
    risk_limit: int = 80
    dpop_nonces: bool = False
    message_prefixes: tuple[str, ...] = ("+86",)
    fold_seconds: float = 0.0
    client_rate: int = 0
    address_rate: int = 0
    terminator_key: bytes = field(default=b"", repr=False)
    attestation: AttestationPolicy = field(default_factory=AttestationPolicy)
    revocation: RevocationPolicy = field(default_factory=RevocationPolicy)
    lifetimes: Lifetimes = Lifetimes()

    @property
    def passwords_age(self) -> bool:
        """Whether passwords expire (等保 practice; NIST advises against)."""
        return self.password_profile == "mlps"  # noqa: S105 - the name of a profile

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by TLS: then cookies are ``__Host-`` and Secure."""
        return self.issuer.startswith("https://")
