"""What rectification and scans tell an assessment, and the rows that stand in its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.core.gbt20984.table import EDITION, GRADES, THREATS, VERSION
from audits.models.evidence import Fact, Origin, Snapshot
from audits.models.rectification import TASK_SOURCES, TASK_STATES, WAIVER_STATES, Waiver
from audits.models.risks import RISK_SOURCES, RISK_STATES, SCOPE_STATES, TREATMENTS, ScanScope
from audits.models.systems import Scope
from audits.service.rectification_desk import RectificationStores
from secops.kernel.actors import Actor
from secops.kernel.catalogue import in_both
from secops.kernel.clock import DAY, rfc3339_or_none, to_rfc3339
from secops.kernel.transactions import Transaction, Transactions

_SOURCE: Final = "audits.service.rectification"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RectificationEvidence:
    """Implements ``EvidenceSource``, and gives the rows of a report's annexes."""

    transactions: Transactions
    stores: RectificationStores

    def __call__(self, actor: Actor, scope: Scope, at: int) -> Sequence[Snapshot]:
        """Return what is open and overdue; nothing on scans where none was ever read."""
        system_id = scope.system.id

        def read(tx: Transaction) -> dict[str, dict[str, Fact]]:
            found = {"poam.tasks": self._tasks(tx, actor.org_id, system_id, at)}
            scans = self._scans(tx, actor.org_id, system_id, at)
            return found | ({"vuln.scan": scans} if scans else {})

        links = {
            "poam.tasks": f"/rectification?system={system_id}",
            "vuln.scan": f"/risks/findings?system={system_id}",
        }
        return [
            Snapshot(
                kind,
                facts,
                Origin(source=f"{_SOURCE}:{kind}", query=system_id, link=links[kind]),
                at,
            )
            for kind, facts in self.transactions.read(read).items()
        ]

    def _tasks(self, tx: Transaction, org_id: str, system_id: str, at: int) -> dict[str, Fact]:
        states, overdue = self.stores.tasks.counts(tx, org_id, system_id, at)
        closed = states.get("closed", 0)
        total = sum(states.values())
        return {
            "total": total,
            "open": total - closed,
            "closed": closed,
            "overdue": overdue,
            "reopened": states.get("reopened", 0),
            "proof_given": states.get("proof_given", 0),
        }

    def _scans(self, tx: Transaction, org_id: str, system_id: str, at: int) -> dict[str, Fact]:
        """Return facts on scans; the scope that waits longest for its next scan tells the age.

        A scope that was given up waits for none: without any other nothing tells an age.
        """
        lasts = self.stores.scans.lasts(tx, org_id, system_id)
        if not lasts:
            return {}
        used = [scan.scanned_at for scan in lasts if not scan.retired_at]
        age = {"age_days": max(0, at - min(used)) // DAY} if used else {}
        return {
            "scopes": len(used),
            "retired_scopes": len(lasts) - len(used),
            **age,
            **self.stores.findings.counts(tx, org_id, system_id, at),
        }

    def scan_rows(self, actor: Actor, scope: Scope, at: int) -> Sequence[Row]:
        """Return the system's scopes of scans, those given up with their reason."""
        del at
        scopes = self.transactions.read(
            lambda tx: self.stores.scan_scopes(tx, actor.org_id, scope.system.id)
        )
        return [_scan_row(one) for one in scopes]

    def task_rows(self, actor: Actor, scope: Scope, at: int) -> Sequence[Row]:
        """Return the system's tasks, newest first."""
        tasks = self.transactions.read(
            lambda tx: self.stores.tasks.of_system(tx, actor.org_id, scope.system.id)
        )
        return [
            {
                "id": task.id,
                "source": in_both(TASK_SOURCES[task.source]),
                "item": task.subject if task.source == "item" else "",
                "object": task.object_id,
                "object_name": task.object_name,
                "title": {"zh": task.title_zh, "en": task.title_en},
                "finding": {"zh": task.finding_zh, "en": task.finding_en},
                "owner": task.owner_name,
                "made_at": to_rfc3339(task.made_at),
                "due_at": to_rfc3339(task.due_at),
                "state": task.state,
                "state_text": in_both(TASK_STATES[task.state]),
                "overdue": task.overdue(at),
                "high_risk": task.high_risk,
                "rounds": task.rounds,
                "rechecked_at": rfc3339_or_none(task.rechecked_at or None),
                "closed_at": rfc3339_or_none(task.closed_at or None),
            }
            for task in tasks
        ]

    def waiver_rows(self, actor: Actor, scope: Scope, at: int) -> Sequence[Row]:
        """Return the system's waivers: those in force first, the newest first; none is left out."""
        found = self.transactions.read(
            lambda tx: self.stores.waivers.of_system(tx, actor.org_id, scope.system.id)
        )
        ordered = sorted(
            found, key=lambda one: (one.state_at(at) != "approved", -one.requested_at, one.id)
        )
        return [_waiver_row(waiver, at) for waiver in ordered]

    def risk_rows(self, actor: Actor, scope: Scope, at: int) -> Sequence[Row]:
        """Return the system's risks, the gravest first."""
        found = self.transactions.read(
            lambda tx: self.stores.risks.of_system(tx, actor.org_id, scope.system.id)
        )
        return [
            {
                "id": risk.id,
                "source": in_both(RISK_SOURCES[risk.source]),
                "title": risk.title,
                "asset": risk.asset_name,
                "threat": in_both(THREATS[risk.threat]),
                "weakness": risk.weakness,
                "measures": risk.measures,
                "likelihood": risk.likelihood,
                "impact": risk.impact,
                "level": risk.level,
                "level_text": in_both(GRADES[risk.level]),
                "proposed": not risk.rated_by,
                "treatment": in_both(TREATMENTS[risk.treatment]),
                "plan": risk.plan,
                "owner": risk.owner_name,
                "due_at": rfc3339_or_none(risk.due_at or None),
                "residual_level": risk.residual_level or None,
                "state": risk.state,
                "state_text": in_both(RISK_STATES[risk.state]),
                "accepted_by": risk.accepted_name,
                "accepted_until": rfc3339_or_none(risk.accepted_until or None),
                "overdue": risk.overdue(at),
                "method": f"{EDITION} {VERSION}",
            }
            for risk in found
        ]


def _scan_row(scope: ScanScope) -> Row:
    last = scope.last
    return {
        "kind": "vuln.scan",
        "title": last.scope,
        "scanner": last.scanner,
        "scanned_at": to_rfc3339(last.scanned_at),
        "standing": scope.standing,
        "state": in_both(SCOPE_STATES[scope.state]),
        "retired_at": rfc3339_or_none(last.retired_at or None),
        "reason": last.retired_reason,
        "id": last.id,
        "sha256": last.sha256,
    }


def _waiver_row(waiver: Waiver, at: int) -> Row:
    state = waiver.state_at(at)
    return {
        "id": waiver.id,
        "standard": waiver.standard,
        "item": waiver.item_id,
        "object": waiver.object_id,
        "object_name": waiver.object_name,
        "reason": waiver.reason,
        "requested_by": waiver.requested_name,
        "requested_at": to_rfc3339(waiver.requested_at),
        "decided_by": waiver.decided_name,
        "decided_at": rfc3339_or_none(waiver.decided_at or None),
        "expires_at": to_rfc3339(waiver.expires_at),
        "state": state,
        "state_text": in_both(WAIVER_STATES[state]),
    }
