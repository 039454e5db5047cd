"""Erasing a person: the plane's own rows, and what other planes know of the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from iam.models.accounts import Account
from secops.kernel.transactions import Transaction


class PersonalCopies(Protocol):
    """What other planes keep of an account, and what of theirs forbids erasing it."""

    def bars(self, tx: Transaction, account: Account) -> Sequence[str]:
        """Return ``kind:id`` of what names the account and must be able to go on doing so."""
        ...

    def erase(self, tx: Transaction, account: Account, pseudonym: str) -> Mapping[str, int]:
        """Put ``pseudonym`` where the account's name stands; return the rows by table."""
        ...


class NoPersonalCopies:
    """Where the plane stands alone, nobody else keeps anything."""

    def bars(self, tx: Transaction, account: Account) -> Sequence[str]:  # noqa: ARG002 - the port's
        """Return nothing."""
        return ()

    def erase(
        self,
        tx: Transaction,  # noqa: ARG002 - the port's
        account: Account,  # noqa: ARG002 - the port's
        pseudonym: str,  # noqa: ARG002 - the port's
    ) -> Mapping[str, int]:
        """Return nothing."""
        return {}


class ErasureStore(Protocol):
    """Removes a person from the plane's tables; ids stay. Each returns the rows by table."""

    def erase_account(self, tx: Transaction, account_id: str, pseudonym: str) -> Mapping[str, int]:
        """Remove what belongs to the account alone, and call it ``pseudonym``."""
        ...

    def erase_person(self, tx: Transaction, person_id: str, key: bytes) -> Mapping[str, int]:
        """Remove name, posts and proofs of a person, now known by the random ``key``."""
        ...

    def other_accounts(self, tx: Transaction, account: Account) -> Sequence[Account]:
        """Return the person's other accounts that are not erased."""
        ...
