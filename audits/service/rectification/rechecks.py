"""The end of a task: the same check over fresh evidence, or a named person where there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from audits.core import rectification as core
from audits.core.documents import snapshot_content
from audits.core.gbt22239.judging import Checks, judge_item, see
from audits.errors import ChangedMeanwhile
from audits.errors.rectification import MachineDecides
from audits.models.evidence import Snapshot
from audits.models.rectification import RecheckOutcome, RectificationTask
from audits.models.risks import FindingKey
from audits.service.rectification_desk import (
    RectificationDesk,
    reason_of,
    require_person,
    require_version,
)
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.permissions.audits import CLOSE_RECTIFICATION, RECHECK_RECTIFICATION
from secops.kernel.transactions import Transaction

_UNKNOWN: Final = Text("目录中已没有该条目", "the catalogue has no such item any more")
_NO_CHECK: Final = Text("没有自动核查,由具名人员判定", "no check: a named person decides")
_NO_SCAN: Final = Text("提交证明后尚无该范围的新扫描", "no scan of the scope since the proof")
_STILL: Final = Text("后续扫描中仍存在", "a later scan still finds it")
_NO_CHECKS: Final = Checks({}, {})
_RETIRED: Final = Text(
    "扫描范围已停用,不再复扫,由具名人员判定", "its scope is retired: a named person decides"
)
_GONE: Final = Text("后续扫描中已消失", "it is gone in a later scan")


@dataclass(frozen=True, slots=True)
class Recheck:
    """What a re-check came to. ``evidence`` are digests by kind, of what was looked at."""

    task: RectificationTask
    outcome: RecheckOutcome
    reason: Text
    evidence: dict[str, str]


@dataclass(frozen=True, slots=True)
class RecheckService:
    """Re-checks, closes and reopens tasks."""

    desk: RectificationDesk

    def recheck_task(self, actor: Actor, task_id: str) -> Recheck:
        """Run the finding's own check anew: a pass closes the task, a failure reopens it.

        Evidence from before the proof does not count: with it alone nothing is decided.
        """
        target = f"task:{task_id[:60]}"
        self.desk.parts.access.require(actor, RECHECK_RECTIFICATION, target)
        before = self._get(actor, task_id)
        seen = self._look(actor, before)

        def work(tx: Transaction) -> Recheck:
            self._require_unchanged(tx, before)
            after = core.after_recheck(before, seen.outcome, tx.now, "machine")
            self.desk.stores.tasks.change(tx, after)
            self._tell(tx, actor, after, "recheck_task", seen)
            return replace(seen, task=after)

        return self.desk.run(actor, RECHECK_RECTIFICATION, "recheck_task", target, work)

    def close_task(
        self, actor: Actor, task_id: str, version: int, reason: str
    ) -> RectificationTask:
        """Close, as a named person, what no check decides.

        Raises ``MachineDecides`` where a check does, ``SelfApproval`` for the owner and whoever
        gave the proof, by whichever account of theirs.
        """
        target = f"task:{task_id[:60]}"
        self.desk.parts.access.require(actor, CLOSE_RECTIFICATION, target)
        why = reason_of(reason)
        before = self._get(actor, task_id)
        seen = self._look(actor, before)

        def work(tx: Transaction) -> RectificationTask:
            require_person(actor)
            require_version(before, version)
            self._require_unchanged(tx, before)
            hands = [account for account in (before.owner_id, before.proof_by) if account]
            self.desk.parts.approvals.require_another(tx, actor, hands)
            if seen.outcome != "person":
                raise MachineDecides(seen.reason.en)
            after = core.close_by_person(before, actor.id, tx.now)
            self.desk.stores.tasks.change(tx, after)
            self._tell(tx, actor, after, "close_task", seen, note=why)
            return after

        return self.desk.run(actor, CLOSE_RECTIFICATION, "close_task", target, work)

    def reopen_task(
        self, actor: Actor, task_id: str, version: int, reason: str
    ) -> RectificationTask:
        """Open a closed task again, or send a proof back, with a reason."""
        why, target = reason_of(reason), f"task:{task_id[:60]}"

        def work(tx: Transaction) -> RectificationTask:
            before = self.desk.stores.tasks.get(tx, actor.org_id, task_id)
            require_version(before, version)
            after = core.reopen_by_person(before)
            self.desk.stores.tasks.change(tx, after)
            about = f"task:{after.id}"
            self.desk.tell(tx, actor, about, "reopen_task", after.state, note=why)
            return after

        return self.desk.run(actor, RECHECK_RECTIFICATION, "reopen_task", target, work)

    def _get(self, actor: Actor, task_id: str) -> RectificationTask:
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.tasks.get(tx, actor.org_id, task_id)
        )

    def _require_unchanged(self, tx: Transaction, before: RectificationTask) -> None:
        """Raise where the task is another than the one that was looked at."""
        now = self.desk.stores.tasks.get(tx, before.org_id, before.id)
        if now.version != before.version:
            raise ChangedMeanwhile(f"{before.id} changed while it was re-checked")

    def _look(self, actor: Actor, task: RectificationTask) -> Recheck:
        return self._scan(actor, task) if task.source == "scan" else self._item(actor, task)

    def _scan(self, actor: Actor, task: RectificationTask) -> Recheck:
        """Say what the last scan of the same scope, made and read after the proof, found."""
        key = FindingKey(task.system_id, task.object_id, task.subject)

        def read(tx: Transaction) -> tuple[RecheckOutcome, Text, dict[str, str]]:
            stores = self.desk.stores
            finding = stores.findings.find(tx, actor.org_id, key)
            last = stores.scans.last(tx, actor.org_id, task.system_id, task.object_id)
            evidence = {} if last is None else {"vuln.scan": last.sha256}
            if finding.state == "retired":
                return "person", _RETIRED, evidence
            if last is None or min(last.scanned_at, last.imported_at) <= task.proof_at:
                return "undecided", _NO_SCAN, evidence
            if finding.state == "gone":
                return "passed", _GONE, evidence
            return "failed", _STILL, evidence

        return Recheck(task, *self.desk.parts.transactions.read(read))

    def _item(self, actor: Actor, task: RectificationTask) -> Recheck:
        """Judge the item by its check alone: what persons entered before does not count."""
        items = self.desk.catalogues.read(task.standard).items
        item = next((one for one in items if one.id == task.subject), None)
        if item is None:
            return Recheck(task, "undecided", _UNKNOWN, {})
        checks = self.desk.checks.get(task.standard, _NO_CHECKS)
        if task.level in item.differs_at or item.id not in {*checks.whole, *checks.assets}:
            return Recheck(task, "person", _NO_CHECK, {})
        scope = self.desk.scopes.scope(actor, task.system_id)
        now = self.desk.parts.clock.now()
        looked = [one for look in self.desk.sources for one in look(actor, scope, now)]
        fresh = [one for one in looked if one.taken_at >= task.proof_at]
        every = judge_item(item, task.level, see(scope, checks, looked, (), now))
        verdict = judge_item(item, task.level, see(scope, checks, fresh, (), now))
        outcome, reason = core.outcome_of(task, verdict, checked=core.is_checked(task, every))
        shown = [one for one in verdict.objects if one.object_id == task.object_id]
        used = [snapshot for one in shown for snapshot in one.evidence] or verdict.evidence
        return Recheck(task, outcome, reason, {one.kind: self._keep(one) for one in used})

    def _keep(self, snapshot: Snapshot) -> str:
        return self.desk.parts.blobs.put(snapshot_content(snapshot))

    def _tell(
        self,
        tx: Transaction,
        actor: Actor,
        task: RectificationTask,
        deed: str,
        seen: Recheck,
        **more: Any,
    ) -> None:
        details = {
            "outcome": seen.outcome,
            "reason_zh": seen.reason.zh[:500],
            "reason_en": seen.reason.en[:500],
            "evidence": seen.evidence,
        }
        self.desk.tell(tx, actor, f"task:{task.id}", deed, task.state, details=details, **more)
