"""What self-assessment needs from outside: state to look at, a signer, storage, rendering."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from audits.models.compliance import (
    AssessmentSummary,
    Catalogue,
    PersonEntry,
    ReportSignature,
    Snapshot,
)
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

EvidenceSource = Callable[[Actor, int], Sequence[Snapshot]]
"""Looks at the real state of the actor's organisation at an instant (UTC microseconds).

What can't be read is left out of the facts, never guessed.
"""


class Assessments(Protocol):
    """Keeps assessments and entries."""

    def add_entry(self, tx: Transaction, entry: PersonEntry) -> None:
        """Store what a person entered."""
        ...

    def entries(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[PersonEntry]:
        """Return all entries for a system, oldest first."""
        ...

    def add(self, tx: Transaction, summary: AssessmentSummary, document: bytes) -> None:
        """Store an assessment as made."""
        ...

    def document(self, tx: Transaction, org_id: str, assessment_id: str) -> bytes:
        """Return the document of an assessment; raise ``NotFound``."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[AssessmentSummary]:
        """Return assessments, newest first."""
        ...


ReadCatalogue = Callable[[Mapping[str, Any], Sequence[Any], Sequence[Any]], Catalogue]
"""Makes a catalogue of its data (meta, items, high-risk cases) and checks its totals."""


class Catalogues(Protocol):
    """Reads the catalogues that ship with the product."""

    def read(self, standard: str) -> Catalogue:
        """Return the catalogue; raise ``UnknownStandard``."""
        ...


class ReportSigner(Protocol):
    """Signs reports with keys of the pool."""

    def sign_report(self, message: bytes) -> Sequence[ReportSignature]:
        """Return signatures over ``message``; raise ``Unavailable`` when the pool is locked."""
        ...


class ReportRenderer(Protocol):
    """Renders an assessment's document."""

    def render_html(self, document: Mapping[str, Any], language: Language) -> bytes:
        """Return a self-contained page."""
        ...


class ReportVerifier(Protocol):
    """Verifies a report's signatures."""

    def verify_report_signature(self, signature: ReportSignature, message: bytes) -> None:
        """Return if it verifies; raise ``ReportRejected`` otherwise."""
        ...
