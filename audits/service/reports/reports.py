"""Reports: rendered from a stored assessment, and sealed so that they prove themselves."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.core.report_parts import parts_of
from audits.core.reports import build_proof, claims_of, item_ids
from audits.errors import ProtectionUnavailable
from audits.models.forms import FORMS, Form
from audits.models.reports import ExportedReport, Report, VerifiedReport
from audits.ports.reports import ExportedReports, ExportProtection, ReportRenderer
from audits.service.assessments.assessments import AssessmentService
from audits.service.reports.files import ReportFiles
from audits.service.reports.sealing import Sealing
from audits.service.reports.templates import ReportTemplateService
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.errors import SecopsError
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import EXPORT_REPORT, READ_ASSESSMENTS
from secops.kernel.trail import Act

ZIP_INSTANT: Final = (1980, 1, 1, 0, 0, 0)
"""What members of our zip files are dated: when they left is the proof's to say."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What may be wanted of an export: an office's template (its id), partners to encrypt for."""

    template_id: str = ""
    partners: tuple[str, ...] = ()


NO_WISHES: Final = Wishes()


@dataclass(frozen=True, slots=True)
class Written:
    """A report's file, and the SHA-256 (hex) of the office's template it was written with."""

    content: bytes
    template: str = ""


@dataclass(frozen=True, slots=True)
class ReportParts:
    """What reports need beside the assessment: a renderer, SM3, and what seals them."""

    renderer: ReportRenderer
    sm3: Callable[[bytes], bytes]
    sealing: Sealing
    store: ExportedReports
    files: ReportFiles
    templates: ReportTemplateService
    protection: ExportProtection | None = None


@dataclass(frozen=True, slots=True)
class ReportService:
    """Exports reports that prove themselves."""

    parts: Parts
    assessments: AssessmentService
    tools: ReportParts

    def export_report(
        self,
        actor: Actor,
        assessment_id: str,
        form: Form,
        language: Language = "zh",
        *,
        wishes: Wishes = NO_WISHES,
    ) -> Report:
        """Return the report with its proof; its export is an entry of the ledger.

        It is written with the office's own template where there is one and none is named. For
        partners it is meant to be protected: see ``protect_report``.
        """
        self.parts.access.require(actor, EXPORT_REPORT, f"assessment:{assessment_id}")
        document = self.assessments.show_assessment(actor, assessment_id)
        return self.sealed_reports(actor, document, [form], language, wishes=wishes)[0]

    def sealed_reports(
        self,
        actor: Actor,
        document: Mapping[str, Any],
        forms: Sequence[Form],
        language: Language,
        *,
        wishes: Wishes = NO_WISHES,
    ) -> list[Report]:
        """Return sealed reports of a document that ``actor`` may export (as checked before)."""
        written = {}
        for form in forms:
            template = self.tools.templates.template_for(actor, form, wishes.template_id)
            content = self.tools.renderer.render(document, form, language, template)
            digest = "" if template is None else hashlib.sha256(template).hexdigest()
            written[form] = Written(content, digest)
        return self._sealed(actor, document, written, language, wishes.partners)

    def _sealed(
        self,
        actor: Actor,
        document: Mapping[str, Any],
        written: Mapping[Form, Written],
        language: Language,
        partners: tuple[str, ...],
    ) -> list[Report]:
        parts = [parts_of(form, one.content, item_ids(document)) for form, one in written.items()]
        claims = [
            claims_of(
                "report",
                one.content,
                sm3=self.tools.sm3(one.content).hex(),
                document=document,
                form=form,
                language=language,
                parts=of_form,
                issued_at=self.parts.clock.now(),
                template=one.template,
            )
            for (form, one), of_form in zip(written.items(), parts, strict=True)
        ]
        sealed = self.tools.sealing.seal(actor, claims, partners)
        return [
            Report(
                f"{file_stem(document)}.{FORMS[form].suffix}",
                FORMS[form].media_type,
                one.content,
                build_proof(claimed, document, of_form, seal),
            )
            for (form, one), of_form, claimed, seal in zip(
                written.items(), parts, claims, sealed, strict=True
            )
        ]

    def protect_report(
        self,
        actor: Actor,
        assessment_id: str,
        form: Form,
        language: Language = "zh",
        *,
        wishes: Wishes,
    ) -> Report:
        """Return report and proof as one OpenPGP message to partners; no proof beside it.

        The proof carries the document, so it leaves under the same encryption. Nothing is
        recorded as exported for partners who have no key now.
        """
        self.parts.access.require(actor, EXPORT_REPORT, f"assessment:{assessment_id}")
        self.demand_protection(actor, wishes.partners)
        made = self.export_report(actor, assessment_id, form, language, wishes=wishes)
        return self.protected(actor, (f"{made.name}.zip", zipped(made)), wishes.partners)

    def demand_protection(self, actor: Actor, partners: tuple[str, ...]) -> None:
        """Raise ``ProtectionUnavailable`` or what encryption would, before anything is recorded."""
        if self.tools.protection is None:
            raise ProtectionUnavailable
        self.tools.protection.demand(actor, partners)

    def protected(self, actor: Actor, file: tuple[str, bytes], partners: tuple[str, ...]) -> Report:
        """Return a file (name, content), recorded as exported before, as a message to partners.

        Where encryption fails all the same, the ledger says that it did not leave.
        """
        if self.tools.protection is None:
            raise ProtectionUnavailable
        name, content = file
        try:
            message = self.tools.protection.protect(actor, content, partners)
        except SecopsError as error:
            details = {"code": error.code, "sha256": hashlib.sha256(content).hexdigest()}
            act = Act("audits.protect_export", actor, f"file:{name}", "failed", details)
            self.parts.trail.append([act])
            raise
        return Report(f"{name}.pgp", "application/pgp-encrypted", message, b"")

    def list_exports(self, actor: Actor, page: PageRequest) -> Page[ExportedReport]:
        """Return what the organisation exported, newest first."""
        self.parts.access.require(actor, READ_ASSESSMENTS, "report:*")
        return self.parts.transactions.read(
            lambda tx: self.tools.store.page(tx, actor.org_id, page)
        )

    def verify_report(self, actor: Actor, content: bytes, proof: bytes) -> VerifiedReport:
        """Verify a report of this very instance; raise ``ReportRejected``, ``ReportChanged``."""
        self.parts.access.require(actor, READ_ASSESSMENTS, "report:given")
        return self.tools.files.verify_report(content, proof, self._vkeys())

    def prove_finding(self, actor: Actor, content: bytes, proof: bytes, item_id: str) -> bytes:
        """Return the file that proves one item of a report of this instance, verified before."""
        self.parts.access.require(actor, READ_ASSESSMENTS, f"item:{item_id[:80]}")
        return self.tools.files.prove_finding(content, proof, item_id, self._vkeys())

    def _vkeys(self) -> tuple[str, ...]:
        return tuple(self.tools.sealing.ledger.vkeys())


def file_stem(document: Mapping[str, Any]) -> str:
    """Return how files of an assessment are called, without their suffix."""
    return f"{document['standard']}-level{document['level']}-{document['id']}"


def zipped(report: Report) -> bytes:
    """Return a report and its proof in one zip file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            (report.name, report.content),
            (f"{report.name}.proof", report.proof),
        ):
            member = zipfile.ZipInfo(name, ZIP_INSTANT)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return packed.getvalue()
