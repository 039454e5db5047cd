"""Stores of passkeys and certificates, what sessions prove later, and whom to trust."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.factors import CertificateBinding, Passkey
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

    def account_or_other(self, tx: Transaction, name_key: str) -> tuple[str, bool]:
        """Return the id of the account of this name and True, else another's and False.

        The same work either way; "" where there is no account at all.
        """
        ...

    def recovery_codes_left(self, tx: Transaction, account_id: str) -> int:
        """Return how many recovery codes are unused."""
        ...

    def remove_totp(self, tx: Transaction, account_id: str) -> bool:
        """Remove the TOTP secret; False if there was none."""
        ...


class CertificateStore(Protocol):
    """Bound certificates; a key is unique over all accounts."""

    def add(self, tx: Transaction, binding: CertificateBinding) -> None:
        """Store it; raise ``CertificateKnown`` if its key is bound already."""
        ...

    def by_key(self, tx: Transaction, key_digest: bytes) -> CertificateBinding | None:
        """Return the binding of a key."""
        ...

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[CertificateBinding]:
        """Return the account's bindings, oldest first."""
        ...

    def use(self, tx: Transaction, key_digest: bytes) -> bool:
        """Note a use; False if it is bound no more."""
        ...

    def remove(self, tx: Transaction, account_id: str, binding_id: str) -> bool:
        """Remove the account's binding; False if it has none such."""
        ...


class CertificateTrust(Protocol):
    """Whose certificates sign people in; what the operator configured, read anew."""

    def roots(self) -> Sequence[bytes]:
        """Return the trust anchors in DER."""
        ...

    def intermediates(self) -> Sequence[bytes]:
        """Return further CAs in DER, trusted only through a root."""
        ...

    def revocation_lists(self) -> Sequence[bytes]:
        """Return the revocation lists in DER."""
        ...


class NoTrust:
    """Where nobody's certificates sign people in."""

    def roots(self) -> Sequence[bytes]:
        """Return none."""
        return ()

    def intermediates(self) -> Sequence[bytes]:
        """Return none."""
        return ()

    def revocation_lists(self) -> Sequence[bytes]:
        """Return none."""
        return ()
