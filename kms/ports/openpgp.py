"""What exports to partners need from outside: OpenPGP (RFC 4880, RFC 9580) and two tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kms.models.openpgp import (
    OpenPgpAlgorithm,
    OpenPgpIdentity,
    OpenPgpKey,
    OpenPgpSecret,
    Partner,
    PartnerState,
)
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class OpenPgp(Protocol):
    """Works on keys that it is handed and keeps none. Raises ``OpenPgpUnavailable``."""

    def make_key(
        self, name: str, email: str, algorithm: OpenPgpAlgorithm, passphrase: str
    ) -> tuple[OpenPgpIdentity, str, OpenPgpSecret]:
        """Return a new signing key: what it is, its public key in armour, its secret."""
        ...

    def read_public_key(self, armored: bytes) -> OpenPgpIdentity:
        """Return what a partner's key says; raise ``PartnerKeyRejected`` unless it can be used."""
        ...

    def protect(self, content: bytes, secret: OpenPgpSecret, partners: Sequence[str]) -> bytes:
        """Return ``content`` signed by ``secret`` and encrypted to ``partners``' public keys."""
        ...

    def sign(self, content: bytes, secret: OpenPgpSecret) -> bytes:
        """Return a detached signature in armour."""
        ...


class OpenPgpStore(Protocol):
    """Keeps own keys and partners."""

    def insert_key(self, transaction: Transaction, key: OpenPgpKey) -> None:
        """Store a new ``key``; the one before it is retired."""
        ...

    def active_key(self, transaction: Transaction, org_id: str) -> OpenPgpKey | None:
        """Return the key that signs now."""
        ...

    def key(self, transaction: Transaction, org_id: str, key_id: str) -> OpenPgpKey | None:
        """Return it, active or not."""
        ...

    def keys(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[OpenPgpKey]:
        """Return a page, newest first, one more than asked for."""
        ...

    def retire_key(self, transaction: Transaction, key_id: str) -> bool:
        """Take the key out of use; False if it was before."""
        ...

    def insert_partner(self, transaction: Transaction, partner: Partner) -> None:
        """Store a requested ``partner``."""
        ...

    def partner(self, transaction: Transaction, org_id: str, partner_id: str) -> Partner | None:
        """Return it in any state."""
        ...

    def named(self, transaction: Transaction, org_id: str, name: str) -> Partner | None:
        """Return the active partner of that name."""
        ...

    def partners(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[Partner]:
        """Return a page, newest first, one more than asked for."""
        ...

    def change_state(
        self,
        transaction: Transaction,
        partner_id: str,
        *,
        before: PartnerState,
        after: PartnerState,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        ...
