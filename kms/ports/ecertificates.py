"""What e-certificates need from outside: stores, and what sets a page as PDF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from kms.models.ecertificates import (
    Batch,
    BatchRow,
    DocumentFacts,
    Drawing,
    ECertificate,
    ECertificateState,
    ECertificateTemplate,
    RowState,
    TemplateState,
)
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class PageRenderer(Protocol):
    """Sets a drawn page as PDF."""

    def render(self, drawing: Drawing, facts: DocumentFacts) -> bytes:
        """Return the PDF, its font within; raise ``FontMissing``, ``ECertificateRejected``."""
        ...


class TemplateStore(Protocol):
    """Keeps templates, a row for each version, and the serial numbers given out."""

    def insert_template(self, transaction: Transaction, template: ECertificateTemplate) -> None:
        """Store it."""
        ...

    def template(
        self, transaction: Transaction, org_id: str, template_id: str
    ) -> ECertificateTemplate | None:
        """Return it if it belongs to ``org_id``."""
        ...

    def templates(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[ECertificateTemplate]:
        """Return a page, newest first, one more than asked for."""
        ...

    def last_version(self, transaction: Transaction, org_id: str, type_code: str) -> int:
        """Return the highest version of the type's templates, 0 for none."""
        ...

    def active(
        self, transaction: Transaction, org_id: str, type_code: str
    ) -> ECertificateTemplate | None:
        """Return the type's template that issues."""
        ...

    def change_template(
        self,
        transaction: Transaction,
        template_id: str,
        *,
        before: TemplateState,
        after: TemplateState,
        reason: str,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        ...

    def take_serials(
        self, transaction: Transaction, org_id: str, codes: tuple[str, str], count: int
    ) -> int:
        """Return the first of ``count`` serial numbers of (type, authority) never given out."""
        ...


class ECertificateStore(Protocol):
    """Keeps what was issued."""

    def insert_ecertificate(self, transaction: Transaction, issued: ECertificate) -> bool:
        """Store it; False if the number, with this version, is taken."""
        ...

    def ecertificate(
        self, transaction: Transaction, org_id: str, ecertificate_id: str
    ) -> ECertificate | None:
        """Return it if it belongs to ``org_id``."""
        ...

    def ecertificates(
        self,
        transaction: Transaction,
        org_id: str,
        request: PageRequest,
        filters: Mapping[str, str],
    ) -> Sequence[ECertificate]:
        """Return a page, newest first; ``filters`` are columns and what they must be."""
        ...

    def by_token(self, transaction: Transaction, token_hash: str) -> ECertificate | None:
        """Return the one whose link has the token with this SHA-256."""
        ...

    def by_digest(self, transaction: Transaction, digest: str) -> ECertificate | None:
        """Return the one whose file has this SM3."""
        ...

    def replacement(self, transaction: Transaction, ecertificate_id: str) -> str | None:
        """Return the id of what took its place."""
        ...

    def taken_numbers(
        self, transaction: Transaction, codes: tuple[str, str], numbers: Sequence[str]
    ) -> frozenset[str]:
        """Return those of ``numbers`` that (type, authority) have an e-certificate of."""
        ...

    def change_ecertificate(
        self,
        transaction: Transaction,
        ecertificate_id: str,
        *,
        before: Sequence[ECertificateState],
        after: ECertificateState,
        reason: str,
    ) -> bool:
        """Change the state in one conditional statement; False if it was not ``before``."""
        ...


class BatchStore(Protocol):
    """Keeps batches and their rows."""

    def insert_batch(
        self, transaction: Transaction, batch: Batch, rows: Sequence[BatchRow]
    ) -> None:
        """Store both."""
        ...

    def batch(self, transaction: Transaction, org_id: str, batch_id: str) -> Batch | None:
        """Return it if it belongs to ``org_id``."""
        ...

    def batches(
        self, transaction: Transaction, org_id: str, request: PageRequest
    ) -> Sequence[Batch]:
        """Return a page, newest first, one more than asked for."""
        ...

    def open_batches(self, transaction: Transaction) -> Sequence[Batch]:
        """Return what is worked on, of any organisation, oldest first, a limited number."""
        ...

    def set_open(self, transaction: Transaction, batch_id: str, *, before: bool) -> bool:
        """Open a closed batch or close an open one; False if it was not ``before``."""
        ...

    def rows(
        self,
        transaction: Transaction,
        batch_id: str,
        state: RowState | None,
        *,
        limit: int,
        after: int = 0,
    ) -> Sequence[BatchRow]:
        """Return the first ``limit`` rows behind row ``after``, of one state or all."""
        ...

    def finish_row(
        self,
        transaction: Transaction,
        row: BatchRow,
        *,
        certificate_id: str | None,
        error: str = "",
    ) -> bool:
        """Mark a waiting row issued or failed in one statement; False if it did not wait."""
        ...

    def counts(self, transaction: Transaction, batch_id: str) -> Mapping[RowState, int]:
        """Return how many rows are in each state."""
        ...
