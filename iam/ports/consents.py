"""The store of what people allow applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.consents import Consent
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class ConsentStore(Protocol):
    """Consents; of one person and application at most one stands."""

    def put(self, tx: Transaction, consent: Consent) -> Consent:
        """Store it, or widen and prolong the one that stands; return what stands now."""
        ...

    def standing(self, tx: Transaction, account_id: str, client_id: str) -> Consent | None:
        """Return the one that stands and has not expired."""
        ...

    def get(self, tx: Transaction, consent_id: str) -> Consent | None:
        """Return it, standing or over."""
        ...

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[Consent]:
        """Return the account's standing ones, newest first."""
        ...

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, account_id: str = ""
    ) -> Page[Consent]:
        """Return standing ones of the organisation and those below it, or of one account, by id."""
        ...

    def end(self, tx: Transaction, consent: Consent) -> bool:
        """End it with the refresh families that hang on it; False if it had ended."""
        ...

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that were over before; return how many."""
        ...
