"""Exports of incidents: what was known, done and owed, with digests of the content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, get_args

from playbooks.core.report import ReportInput, report_value, to_html, to_markdown, to_print
from playbooks.models.reports import ReportFormat, ReportKind
from playbooks.service.incidents.incidents import IncidentService
from playbooks.service.surroundings import Surroundings
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Language
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import INCIDENT_REPORT
from secops.kernel.trail import Act


class ReportService:
    """Makes incident reports; each export is a leaf of the ledger with the digest."""

    def __init__(self, surroundings: Surroundings, incidents: IncidentService) -> None:
        self._s = surroundings
        self._incidents = incidents

    def report_incident(
        self,
        actor: Actor,
        incident_id: str,
        *,
        output: ReportFormat = "md",
        kind: ReportKind = "full",
        language: Language = "zh",
    ) -> bytes:
        """Return the report; digests are over the RFC 8785 form of its content.

        A first report says what is known so far and names the items that aren't.
        """
        self._s.parts.access.require(actor, INCIDENT_REPORT, f"incident:{incident_id}")
        if output not in get_args(ReportFormat) or kind not in get_args(ReportKind):
            msg = "a report is json, md, html, docx or pdf, and full or first"
            raise Invalid(msg)
        value = report_value(
            ReportInput(
                view=self._incidents.view(actor.org_id, incident_id),
                unit=self._s.unit_names(actor.org_id)[actor.org_id],
                classification=self._incidents.classification,
                rule=self._s.library.reporting_rule(),
                made_at=self._s.parts.clock.now(),
                made_by=actor.id,
                kind=kind,
            )
        )
        form = canonical(value)
        digests = {"SHA-256": hashlib.sha256(form).hexdigest(), "SM3": sm3(form).hex()}
        content = self._written(value, digests, output, language)
        act = Act(
            "playbooks.report_incident",
            actor,
            f"incident:{incident_id}",
            details={"format": output, "kind": kind, "sha256": digests["SHA-256"]},
        )
        self._s.parts.transactions.run(lambda tx: tx.record(act))
        return content

    def _written(
        self,
        value: Mapping[str, Any],
        digests: Mapping[str, str],
        output: ReportFormat,
        language: Language,
    ) -> bytes:
        if output == "json":
            whole = {**value, "digests": digests}
            return (json.dumps(whole, ensure_ascii=False, indent=2) + "\n").encode()
        if output in ("docx", "pdf"):
            return self._s.printers[output].print_report(to_print(value, digests, language))
        render = to_markdown if output == "md" else to_html
        return render(value, digests, language).encode()
