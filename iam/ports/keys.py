"""Key material that another plane provides, and slow hashing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from iam.errors import MandateRefused
from iam.ports.erasure import NoPersonalCopies, PersonalCopies
from iam.ports.factors import CertificateTrust, NoTrust
from iam.ports.login_risk import LoginRisk, NoLoginRisk
from iam.ports.messages import MessageCarrier
from iam.ports.upstream import NoOutbound, Outbound
from secops.kernel.errors import Unavailable

KeyedHash = Callable[[bytes], bytes]
"""HMAC under a key of the pool; the same input always gives the same 32 bytes."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 or SM2 key of the pool: what ``TokenSigner.sign`` calls it, and its SPKI in DER."""

    name: str
    public_der: bytes


class TokenSigner(Protocol):
    """Signs tokens with one algorithm: ES256, or SM2 with SM3."""

    def keys(self) -> Sequence[SigningKey]:
        """Return the published keys, the one that signs first; old ones stay for a day."""
        ...

    def sign(self, name: str, message: bytes) -> bytes:
        """Return the DER signature of ``message`` by the key ``name``.

        ECDSA over its SHA-256, or SM2 with SM3 and the user id 1234567812345678.
        """
        ...

    def renew(self, before: int) -> bool:
        """Make a new key if the newest is from before (UTC microseconds); True if made.

        It is published at once and signs a day later.
        """
        ...


class SecretBox(Protocol):
    """Seals small secrets under the key pool."""

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return ``plaintext`` encrypted and bound to ``aad``."""
        ...

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return what was sealed with the same ``aad``; raise a ``SecopsError`` otherwise."""
        ...


class MandateSigner(Protocol):
    """Signs mandates under a key of the pool of their own."""

    def sign_mandate(self, message: bytes) -> bytes:
        """Return the signature; raise a ``SecopsError`` while the pool is locked."""
        ...

    def verify_mandate(self, message: bytes, signature: bytes) -> None:
        """Raise ``MandateRefused`` unless it fits, by a version of the key that still counts."""
        ...


class NoMandateSigner:
    """Where nobody signs mandates, none can be granted or used."""

    def sign_mandate(self, message: bytes) -> bytes:  # noqa: ARG002 - the port's
        """Refuse."""
        msg = "no key signs mandates here"
        raise Unavailable(msg)

    def verify_mandate(self, message: bytes, signature: bytes) -> None:  # noqa: ARG002 - the port's
        """Refuse."""
        msg = "no key signs mandates here"
        raise MandateRefused(msg)


@dataclass(frozen=True, slots=True)
class IamPorts:
    """What other planes provide; the bridges fill it."""

    token_signer: TokenSigner
    secret_box: SecretBox
    keyed_hash: KeyedHash
    login_risk: LoginRisk = field(default_factory=NoLoginRisk)
    outbound: Outbound = field(default_factory=NoOutbound)
    trust: CertificateTrust = field(default_factory=NoTrust)
    mandate_signer: MandateSigner = field(default_factory=NoMandateSigner)
    sm2_token_signer: TokenSigner | None = None
    carriers: tuple[MessageCarrier, ...] = ()
    copies: PersonalCopies = field(default_factory=NoPersonalCopies)


class BreachedPasswords(Protocol):
    """A list of passwords that attackers know, kept by the operator."""

    def holds(self, digest: str) -> bool:
        """Tell whether the SHA-1 ``digest`` (upper-case hex) or a prefix of it is listed."""
        ...


class NoBreachedPasswords:
    """Where the operator keeps no list."""

    def holds(self, digest: str) -> bool:
        """Say no."""
        del digest
        return False


class PasswordHasher(Protocol):
    """A slow hash behind a limit on how many run at a time."""

    def hash(self, password: bytes) -> str:
        """Return the hash; raise ``TooMany`` (``retry_after``) when the queue is full."""
        ...

    def verify(self, encoded: str, password: bytes) -> bool:
        """Tell whether it fits, at the same cost either way; raise ``TooMany``."""
        ...

    def outdated(self, encoded: str) -> bool:
        """Tell whether the hash was made with weaker parameters than today's."""
        ...

    @property
    def decoy(self) -> str:
        """A hash of nothing anybody knows: verifying it costs what a real one costs."""
        ...
