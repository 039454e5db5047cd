"""Drills: planned, approved by another, run with marked alerts, reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from playbooks.core.drill import MAX_ACCOUNTS, MAX_SCENARIO, check_plan, drill_report, plan_hash
from playbooks.core.texts import bounded
from playbooks.errors.drills import DrillInvalid, DrillStateRefused
from playbooks.errors.notifications import TooManyKept
from playbooks.models.drills import Drill, DrillNote, DrillPlan, DrillState, DrillView, NoteKind
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import DAY
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import DRILL_APPROVE, DRILL_PLAN, DRILL_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_NOTES: Final = 500
APPROVAL_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class DrillService:
    """Keeps drills. What they raise is marked from its beginning and counts nowhere."""

    surroundings: Surroundings

    def list_drills(self, actor: Actor, page: PageRequest) -> Page[Drill]:
        """Return the organisation's drills, newest first."""
        s = self.surroundings
        s.parts.access.require(actor, DRILL_READ, "drill:*")
        return s.parts.transactions.read(lambda tx: s.stores.drills.list(tx, actor.org_id, page))

    def show_drill(self, actor: Actor, drill_id: str) -> DrillView:
        """Return a drill with its record, its alerts and their incidents."""
        s = self.surroundings
        s.parts.access.require(actor, DRILL_READ, f"drill:{drill_id}")

        def look(tx: Transaction) -> tuple[Drill, Sequence[DrillNote]]:
            drill = s.stores.drills.get(tx, actor.org_id, drill_id)
            return drill, s.stores.drills.notes(tx, drill_id)

        drill, notes = s.parts.transactions.read(look)
        alerts = tuple(s.ports.drills.alerts_of(actor.org_id, drill_id))

        def incidents(tx: Transaction) -> tuple[str, ...]:
            known = (s.stores.incidents.incident_of(tx, actor.org_id, one.id) for one in alerts)
            return tuple(dict.fromkeys(one for one in known if one is not None))

        found = s.parts.transactions.read(incidents)
        return DrillView(drill, tuple(notes), alerts, found)

    def report_drill(self, actor: Actor, drill_id: str) -> dict[str, Any]:
        """Return the report of a drill, marked as one."""
        return drill_report(self.show_drill(actor, drill_id))

    def plan_drill(self, actor: Actor, plan: DrillPlan) -> Drill:
        """Store a plan and ask for its approval; accounts are given by name or id."""
        s = self.surroundings
        s.parts.access.require(actor, DRILL_PLAN, "drill:*")
        wanted = self._resolved(actor, plan)
        drill_id, approval_id = s.parts.ids.new("drl"), s.parts.ids.new("apr")

        def work(tx: Transaction) -> Drill:
            digest = plan_hash(wanted)
            drill = Drill(
                id=drill_id,
                org_id=actor.org_id,
                plan=wanted,
                plan_sha256=digest,
                state="planned",
                planned_by=actor.id,
                planned_at=tx.now,
                approval_id=approval_id,
            )
            s.stores.drills.add(tx, drill)
            approval = Approval(
                id=approval_id,
                org_id=actor.org_id,
                kind="playbooks.drill",
                subject=f"drill:{drill_id}",
                subject_hash=digest,
                permission=DRILL_APPROVE,
                requester_id=actor.id,
                requested_at=tx.now,
                expires_at=tx.now + APPROVAL_DAYS * DAY,
            )
            s.parts.approvals.request(tx, approval)
            self._record(tx, actor, drill, "plan_drill", "演练方案提交审批")
            return drill

        return s.parts.transactions.run(work)

    def approve_drill(
        self, actor: Actor, drill_id: str, *, grant: bool, plan_sha256: str, reason: str
    ) -> Drill:
        """Approve or reject exactly the plan with this hash; nobody approves their own."""
        s = self.surroundings
        s.parts.access.require(actor, DRILL_APPROVE, f"drill:{drill_id}")

        def work(tx: Transaction) -> Drill:
            drill = self._in(tx, actor, drill_id, "planned")
            if drill.plan_sha256 != plan_sha256 or drill.approval_id is None:
                raise DrillStateRefused("the plan is another than the one that was seen")
            s.parts.approvals.decide(tx, drill.approval_id, actor, grant=grant, reason=reason)
            state: DrillState = "approved" if grant else "rejected"
            decided = replace(drill, state=state, approved_by=actor.id if grant else None)
            text = "演练方案已批准" if grant else "演练方案被驳回"
            return self._moved(tx, actor, decided, "approve_drill", text)

        with refusals_recorded(s.parts, "playbooks.approve_drill", actor, f"drill:{drill_id}"):
            return s.parts.transactions.run(work)

    def start_drill(self, actor: Actor, drill_id: str) -> Drill:
        """Begin an approved drill: its alerts come in by the detectors' door.

        Asked again while it runs, it injects what is missing: each alert comes in once.
        """
        s = self.surroundings
        s.parts.access.require(actor, DRILL_PLAN, f"drill:{drill_id}")

        def work(tx: Transaction) -> Drill:
            known = s.stores.drills.get(tx, actor.org_id, drill_id)
            if known.state == "running":
                return known
            drill = self._in(tx, actor, drill_id, "approved")
            s.parts.approvals.use(tx, drill.approval_id or "", plan_hash(drill.plan))
            running = replace(drill, state="running", started_at=tx.now)
            return self._moved(tx, actor, running, "start_drill", "演练开始")

        with refusals_recorded(s.parts, "playbooks.start_drill", actor, f"drill:{drill_id}"):
            drill = s.parts.transactions.run(work)
        self._inject(actor, drill)
        return drill

    def end_drill(self, actor: Actor, drill_id: str) -> Drill:
        """End a drill: its open alerts are closed.

        Asked again, it closes what is still open: a crash may lie between the two.
        """
        s = self.surroundings
        s.parts.access.require(actor, DRILL_PLAN, f"drill:{drill_id}")

        def work(tx: Transaction) -> Drill:
            known = s.stores.drills.get(tx, actor.org_id, drill_id)
            if known.state == "ended":
                return known
            ended = replace(self._in(tx, actor, drill_id, "running"), state="ended")
            return self._moved(tx, actor, replace(ended, ended_at=tx.now), "end_drill", "演练结束")

        with refusals_recorded(s.parts, "playbooks.end_drill", actor, f"drill:{drill_id}"):
            drill = s.parts.transactions.run(work)
        s.ports.drills.end(actor.org_id, drill_id)
        return drill

    def note_drill(self, actor: Actor, drill_id: str, text: str, *, finding: bool) -> None:
        """Add an observation, or a finding, to the record."""
        s = self.surroundings
        s.parts.access.require(actor, DRILL_PLAN, f"drill:{drill_id}")
        said = bounded(text, MAX_SCENARIO, "text")
        kind: NoteKind = "finding" if finding else "note"

        def work(tx: Transaction) -> None:
            drill = self._in(tx, actor, drill_id, "running", "ended")
            if len(s.stores.drills.notes(tx, drill_id)) >= MAX_NOTES:
                raise TooManyKept
            self._note(tx, (actor, drill), kind, said)
            details = {"kind": kind}
            tx.record(Act("playbooks.note_drill", actor, f"drill:{drill_id}", details=details))

        with refusals_recorded(s.parts, "playbooks.note_drill", actor, f"drill:{drill_id}"):
            s.parts.transactions.run(work)

    def _inject(self, actor: Actor, drill: Drill) -> None:
        s = self.surroundings

        def noted(tx: Transaction) -> set[str]:
            return {one.subject for one in s.stores.drills.notes(tx, drill.id)}

        for number, alert in enumerate(drill.plan.alerts):
            alert_id = s.ports.drills.inject(drill.org_id, drill.id, number, alert)

            def work(tx: Transaction, subject: str = f"alert:{alert_id}") -> bool:
                if subject not in noted(tx):
                    self._note(tx, (actor, drill), "injected", "注入演练告警", subject)
                return s.stores.drills.get(tx, drill.org_id, drill.id).state == "running"

            if not s.parts.transactions.run(work):
                s.ports.drills.end(drill.org_id, drill.id)  # it was ended meanwhile
                return

    def _resolved(self, actor: Actor, plan: DrillPlan) -> DrillPlan:
        look = self.surroundings.ports.containment.look
        if len(plan.accounts) > MAX_ACCOUNTS:
            raise DrillInvalid("too many accounts")
        ids = []
        for name in plan.accounts:
            state = look("account", actor.org_id, name[:128])
            if state is None:
                raise DrillInvalid(f"no account {name[:60]} here")
            if state.protected:
                raise DrillInvalid(f"{name[:60]} is protected and never exercised upon")
            ids.append(state.id)
        resolved = DrillPlan(
            title=plan.title.strip(),
            scenario=plan.scenario.strip(),
            alerts=plan.alerts,
            accounts=tuple(dict.fromkeys(ids)),
        )
        problem = check_plan(resolved)
        if problem:
            raise DrillInvalid(problem)
        return resolved

    def _in(self, tx: Transaction, actor: Actor, drill_id: str, *states: DrillState) -> Drill:
        drill = self.surroundings.stores.drills.get(tx, actor.org_id, drill_id)
        if drill.state not in states:
            raise DrillStateRefused
        return drill

    def _moved(self, tx: Transaction, actor: Actor, drill: Drill, verb: str, text: str) -> Drill:
        moved = replace(drill, version=drill.version + 1)
        self.surroundings.stores.drills.change(tx, moved)
        self._record(tx, actor, moved, verb, text)
        return moved

    def _record(self, tx: Transaction, actor: Actor, drill: Drill, verb: str, text: str) -> None:
        self._note(tx, (actor, drill), "state", text)
        details = {"state": drill.state, "plan": drill.plan_sha256}
        tx.record(Act(f"playbooks.{verb}", actor, f"drill:{drill.id}", details=details))

    def _note(
        self, tx: Transaction, by: tuple[Actor, Drill], kind: NoteKind, text: str, subject: str = ""
    ) -> None:
        actor, drill = by
        note = DrillNote(drill.id, 0, drill.org_id, tx.now, actor.id, kind, text, subject)
        self.surroundings.stores.drills.note(tx, note)
