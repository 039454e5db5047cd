"""Where the evidence of self-tests is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kms.models.self_tests import SelfTestRecord
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class SelfTestStore(Protocol):
    """Keeps runs; the ledger keeps them for good."""

    def insert(self, transaction: Transaction, record: SelfTestRecord) -> None:
        """Store a run, and forget those older than the store keeps."""
        ...

    def page(self, transaction: Transaction, request: PageRequest) -> Sequence[SelfTestRecord]:
        """Return runs, newest first, one more than asked for."""
        ...
