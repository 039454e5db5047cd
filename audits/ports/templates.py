"""What templates of reports need from outside: storage, and somebody to try them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from audits.models.forms import Form
from audits.models.templates import ReportTemplate
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class TemplateTrier(Protocol):
    """Tries templates with a made-up assessment."""

    def try_template(self, form: Form, template: bytes, sample: Mapping[str, Any]) -> None:
        """Return if it writes ``sample`` as it should; raise ``TemplateRejected``."""
        ...

    def built_in(self, form: Form) -> bytes:
        """Return our own template, which an office may begin from; raise ``TemplateNotFound``."""
        ...


class ReportTemplates(Protocol):
    """Keeps templates of reports."""

    def add(self, tx: Transaction, template: ReportTemplate) -> None:
        """Store a version; raise ``ChangedMeanwhile`` if somebody stored that number before."""
        ...

    def get(self, tx: Transaction, org_id: str, template_id: str) -> ReportTemplate:
        """Return a version, retired ones too; raise ``TemplateNotFound``."""
        ...

    def last_version(self, tx: Transaction, org_id: str, form: Form, name: str) -> int:
        """Return the number of the last version of ``name``; 0 where there is none."""
        ...

    def in_use(self, tx: Transaction, org_id: str, form: Form) -> ReportTemplate | None:
        """Return the template of ``form`` that was added last and is not retired."""
        ...

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many versions the organisation keeps, retired ones too."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[ReportTemplate]:
        """Return a page of versions, newest first."""
        ...

    def retire(self, tx: Transaction, template: ReportTemplate, at: int) -> None:
        """End its use; raise ``ChangedMeanwhile`` where it ended before."""
        ...
