"""Templates that an office made: tried before they are kept, versioned, chosen for an export."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from audits.core.texts import bounded
from audits.errors import TemplateNotFound, TemplateRejected, TooManyKept
from audits.models.forms import FORMS, Form
from audits.models.templates import ReportTemplate
from audits.ports.templates import ReportTemplates, TemplateTrier
from audits.service.refusals import refusals_recorded
from secops.kernel.actors import Actor
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.errors import Invalid, TooLarge
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import (
    EXPORT_REPORT,
    MANAGE_REPORT_TEMPLATES,
    READ_REPORT_TEMPLATES,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_TEMPLATE: Final = 4 << 20
BUILT_IN: Final = "built-in"
"""What is named to have a report in our own form, whatever the office has."""

_MAX_NAME: Final = 80
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class ReportTemplateService:
    """Keeps an organisation's templates; ``sample`` is the document they are tried with."""

    parts: Parts
    store: ReportTemplates
    trier: TemplateTrier
    sample: Callable[[], Mapping[str, Any]]

    def add_report_template(
        self, actor: Actor, form: Form, name: str, content: bytes
    ) -> ReportTemplate:
        """Keep the next version of the template ``name``, which comes into use by that.

        Raises ``TemplateRejected`` with every fault and its place; the ledger says who brought it.
        """
        parts = self.parts
        parts.access.require(actor, MANAGE_REPORT_TEMPLATES, "template:*")
        name, digest = bounded(name, _MAX_NAME, "name"), hashlib.sha256(content).hexdigest()
        if len(content) > MAX_TEMPLATE:
            raise TooLarge(f"a template has at most {MAX_TEMPLATE} bytes")
        self._try(actor, form, content, digest)
        parts.blobs.put(content)

        def work(tx: Transaction) -> ReportTemplate:
            if self.store.count(tx, actor.org_id) >= _MOST:
                raise TooManyKept(f"an organisation keeps at most {_MOST} versions of templates")
            template = ReportTemplate(
                id=parts.ids.new("rtp"),
                org_id=actor.org_id,
                form=form,
                name=name,
                version=self.store.last_version(tx, actor.org_id, form, name) + 1,
                digest=digest,
                size=len(content),
                account_id=actor.id,
                added_by=actor.name,
                added_at=tx.now,
            )
            self.store.add(tx, template)
            tx.record(_act("add_report_template", actor, template))
            return template

        with refusals_recorded(parts, "audits.add_report_template", actor, f"template:{digest}"):
            return parts.transactions.run(work)

    def _try(self, actor: Actor, form: Form, content: bytes, digest: str) -> None:
        try:
            self.trier.try_template(form, content, self.sample())
        except TemplateRejected as refused:
            details = {"code": refused.code, "form": form, "faults": len(refused.faults)}
            act = Act("audits.add_report_template", actor, f"template:{digest}", "refused", details)
            self.parts.trail.append([act])
            raise

    def list_report_templates(self, actor: Actor, page: PageRequest) -> Page[ReportTemplate]:
        """Return all versions, newest first."""
        self.parts.access.require(actor, READ_REPORT_TEMPLATES, "template:*")
        return self.parts.transactions.read(lambda tx: self.store.page(tx, actor.org_id, page))

    def read_report_template(
        self, actor: Actor, template_id: str, form: Form = "docx"
    ) -> tuple[ReportTemplate, bytes]:
        """Return a version with its bytes, ``BUILT_IN`` is ours for ``form``.

        Raises ``TemplateNotFound``.
        """
        self.parts.access.require(actor, READ_REPORT_TEMPLATES, f"template:{template_id[:80]}")
        if template_id == BUILT_IN:
            return _ours(actor, form, content := self.trier.built_in(form)), content
        template = self._get(actor, template_id)
        return template, self.parts.blobs.get(template.digest)

    def retire_report_template(self, actor: Actor, template_id: str) -> ReportTemplate:
        """End the use of a version; the one before it, if there is any, is in use again."""
        parts, target = self.parts, f"template:{template_id[:80]}"
        parts.access.require(actor, MANAGE_REPORT_TEMPLATES, target)

        def work(tx: Transaction) -> ReportTemplate:
            template = self.store.get(tx, actor.org_id, template_id)
            self.store.retire(tx, template, tx.now)
            tx.record(_act("retire_report_template", actor, template))
            return self.store.get(tx, actor.org_id, template_id)

        with refusals_recorded(parts, "audits.retire_report_template", actor, target):
            return parts.transactions.run(work)

    def template_for(self, actor: Actor, form: Form, chosen: str = "") -> bytes | None:
        """Return what a report is written with: the office's own first, None for ours.

        ``chosen`` is a version's id, or ``BUILT_IN``. Which one is used is recorded.
        """
        self.parts.access.require(actor, EXPORT_REPORT, "template:*")
        if chosen == BUILT_IN or not (chosen or FORMS[form].template):
            return None
        template = self._get(actor, chosen) if chosen else self._in_use(actor, form)
        if template is None:
            return None
        if template.form != form:
            raise Invalid(f"the template is for {template.form}")
        if template.retired_at:
            raise TemplateNotFound("the template is retired")
        self.parts.trail.append([_act("use_report_template", actor, template)])
        return self.parts.blobs.get(template.digest)

    def _get(self, actor: Actor, template_id: str) -> ReportTemplate:
        return self.parts.transactions.read(
            lambda tx: self.store.get(tx, actor.org_id, template_id)
        )

    def _in_use(self, actor: Actor, form: Form) -> ReportTemplate | None:
        return self.parts.transactions.read(lambda tx: self.store.in_use(tx, actor.org_id, form))


def _ours(actor: Actor, form: Form, content: bytes) -> ReportTemplate:
    return ReportTemplate(
        id=BUILT_IN,
        org_id=actor.org_id,
        form=form,
        name=BUILT_IN,
        version=0,
        digest=hashlib.sha256(content).hexdigest(),
        size=len(content),
        account_id="",
        added_by="",
        added_at=0,
    )


def _act(name: str, actor: Actor, template: ReportTemplate) -> Act:
    details = {
        "form": template.form,
        "name": template.name,
        "version": template.version,
        "digest": template.digest,
    }
    return Act(f"audits.{name}", actor, f"template:{template.id}", details=details)


def template_view(template: ReportTemplate) -> dict[str, Any]:
    """Return a version as JSON."""
    return {
        "id": template.id,
        "form": template.form,
        "name": template.name,
        "version": template.version,
        "sha256": template.digest,
        "size": template.size,
        "added_by": template.added_by,
        "added_at": to_rfc3339(template.added_at),
        "retired_at": rfc3339_or_none(template.retired_at or None),
    }
