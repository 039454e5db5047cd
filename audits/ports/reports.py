"""What reports need from outside: a signer, renderers, a verifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from audits.models.forms import Form
from audits.models.reports import ExportedReport, ReportSignature
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class ReportSigner(Protocol):
    """Signs reports with keys of the pool."""

    def sign_report(self, message: bytes) -> Sequence[ReportSignature]:
        """Return signatures over ``message``; raise ``Unavailable`` when the pool is locked."""
        ...


class ReportRenderer(Protocol):
    """Renders an assessment's document."""

    def render(
        self,
        document: Mapping[str, Any],
        form: Form,
        language: Language,
        template: bytes | None = None,
    ) -> bytes:
        """Return ``document`` in ``form``; ``template`` is an office's own, for its form.

        Raises ``FontUnavailable``, and ``TemplateRejected`` for a template that does not do.
        """
        ...


class ReportVerifier(Protocol):
    """Verifies a report's signatures."""

    def verify_report_signature(self, signature: ReportSignature, message: bytes) -> None:
        """Return if it verifies; raise ``ReportRejected`` otherwise."""
        ...


class ExportProtection(Protocol):
    """Encrypts what leaves to partners whose keys two persons have compared."""

    def demand(self, actor: Actor, partners: tuple[str, ...]) -> None:
        """Return if ``protect`` would find its keys now; raise what it would raise.

        What is exported is recorded before it is encrypted: asked first, nothing is recorded in
        vain.
        """
        ...

    def protect(self, actor: Actor, content: bytes, partners: tuple[str, ...]) -> bytes:
        """Return ``content`` as a signed and encrypted OpenPGP message.

        Raises a ``SecopsError`` for an unknown partner, an expired key, or too much content.
        """
        ...


class ExportedReports(Protocol):
    """Keeps which reports and archives were exported."""

    def add(self, tx: Transaction, exported: ExportedReport) -> None:
        """Store one export."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[ExportedReport]:
        """Return a page of the organisation's exports, newest first."""
        ...


class ArchiveSink(Protocol):
    """Where the files of an archive go."""

    def put(self, path: str, content: bytes) -> None:
        """Store ``content`` under the relative ``path``."""
        ...

    def close(self) -> None:
        """Finish: all files are there."""
        ...


class ArchivePages(Protocol):
    """Writes the pages that an archive is read by, without a program and offline."""

    def pages(
        self,
        document: Mapping[str, Any],
        reports: Sequence[str],
        evidence: Mapping[str, bytes],
        language: Language,
    ) -> Mapping[str, bytes]:
        """Return pages by path: an index, and one page for each item with its evidence beside.

        ``reports`` are paths of the reports inside; ``evidence`` is content by SHA-256 (hex).
        """
        ...

    def verifier(self) -> bytes:
        """Return the verifier: one file that runs with nothing but Python."""
        ...
