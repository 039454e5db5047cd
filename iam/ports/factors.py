"""Stores of passkeys and certificates, and of what sessions prove later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.factors import Passkey
from iam.models.sessions import OpSession
from secops.kernel.transactions import Transaction


class PasskeyStore(Protocol):
    """Passkeys; a credential's id is unique over all accounts."""

    def add(self, tx: Transaction, passkey: Passkey) -> None:
        """Store it; raise ``PasskeyKnown`` if its id is somebody's already."""
        ...

    def get(self, tx: Transaction, credential_id: bytes) -> Passkey | None:
        """Return it."""
        ...

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[Passkey]:
        """Return the account's passkeys, oldest first."""
        ...

    def use(self, tx: Transaction, credential_id: bytes, sign_count: int) -> bool:
        """Note a use; False if it is suspended or its counter did not go on."""
        ...

    def suspend(self, tx: Transaction, credential_id: bytes) -> bool:
        """Let it prove nothing any more; False if it did not already."""
        ...

    def rename(self, tx: Transaction, account_id: str, credential_id: bytes, name: str) -> bool:
        """Rename the account's passkey; False if it has none such."""
        ...

    def remove(self, tx: Transaction, account_id: str, credential_id: bytes) -> bool:
        """Remove the account's passkey; False if it has none such."""
        ...


class SessionLevelStore(Protocol):
    """Sessions that prove more while they live."""

    def strengthen(self, tx: Transaction, session: OpSession) -> bool:
        """Store cookie, time, level and words of a living session; False if it ended."""
        ...

    def move_rp(self, tx: Transaction, session_id: str, old: bytes, new: bytes) -> bool:
        """Put a relying party's session under another cookie; False if it was not there."""
        ...


class FactorsHeldStore(Protocol):
    """Which factors an account holds, beside its passkeys and certificates."""

    def recovery_codes_left(self, tx: Transaction, account_id: str) -> int:
        """Return how many recovery codes are unused."""
        ...

    def remove_totp(self, tx: Transaction, account_id: str) -> bool:
        """Remove the TOTP secret; False if there was none."""
        ...
