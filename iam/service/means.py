"""What every use case of the plane works with."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from iam.core.passwords import PasswordRules
from iam.models.options import IamOptions
from iam.models.real_name import RealNameSchemes
from iam.ports import (
    BreachedPasswords,
    CertificateTrust,
    IamStores,
    KeyedHash,
    LoginRisk,
    MessageCarrier,
    NoBreachedPasswords,
    NoOutbound,
    NoPersonalCopies,
    NoTrust,
    Outbound,
    PasswordHasher,
    PersonalCopies,
    SecretBox,
)
from iam.service.rates import Rates
from secops.crypto.hashes import keyed
from secops.kernel.clock import SECOND
from secops.kernel.parts import Parts

_PREFIX: Final = b"secops/iam/v1/"


@dataclass(frozen=True, slots=True)
class Keys:
    """One key a purpose, derived from the pool when first needed and kept in memory.

    A locked pool therefore refuses the first use; what was derived before stays usable, as
    do tokens that were issued before.
    """

    keyed_hash: KeyedHash
    _derived: dict[str, bytes] = field(default_factory=dict)

    def key(self, purpose: str) -> bytes:
        """Return the 32-byte key of ``purpose``."""
        key = self._derived.get(purpose)
        if key is None:
            key = self._derived[purpose] = self.keyed_hash(_PREFIX + purpose.encode())
        return key

    def mac(self, purpose: str, content: bytes) -> bytes:
        """Return HMAC-SHA-256 of ``content`` under the key of ``purpose``."""
        return hmac.digest(self.key(purpose), content, "sha256")

    def mac_sm3(self, purpose: str, content: bytes) -> bytes:
        """Return HMAC-SM3 of ``content`` under the key of ``purpose``."""
        return keyed("sm3", self.key(purpose), content)


@dataclass(frozen=True, slots=True)
class Means:
    """The spine, the stores and the plane's own instruments."""

    parts: Parts
    rates: Rates
    stores: IamStores
    options: IamOptions
    keys: Keys
    box: SecretBox
    hasher: PasswordHasher
    rules: PasswordRules
    login_risk: LoginRisk
    outbound: Outbound = field(default_factory=NoOutbound)
    trust: CertificateTrust = field(default_factory=NoTrust)
    schemes: RealNameSchemes = field(default_factory=RealNameSchemes)
    breached: BreachedPasswords = field(default_factory=NoBreachedPasswords)
    carriers: tuple[MessageCarrier, ...] = ()
    copies: PersonalCopies = field(default_factory=NoPersonalCopies)

    @property
    def now(self) -> int:
        """The time, UTC microseconds."""
        return self.parts.clock.now()

    @property
    def today(self) -> date:
        """The day, UTC."""
        return datetime.fromtimestamp(self.now // SECOND, UTC).date()

    def random(self, count: int) -> bytes:
        """Return ``count`` unpredictable bytes."""
        return self.parts.randomness.bytes(count)
