"""Binds a late step: its values, targets and hash at the moment when it is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from playbooks.core.choices import run_values, seen_by
from playbooks.core.compiled_actions import filled
from playbooks.core.moves import Move, new_entry
from playbooks.core.plan import step_hash
from playbooks.errors import BlastExceeded, TargetProtected
from playbooks.models import JournalEntry, PlannedStep, Run, TargetState
from playbooks.models.runs import WAIT
from playbooks.service.actions import Action
from playbooks.service.surroundings import Surroundings
from secops.kernel.approvals import Approval
from secops.kernel.clock import SECOND
from secops.kernel.errors import SecopsError
from secops.kernel.permissions import Permission
from secops.kernel.permissions.playbooks import RUN_APPROVE

STEP_APPROVAL: Final = "playbooks.step"


def wanted_of(step: PlannedStep) -> Permission:
    """Return the permission that allows a late step: a waiting one names its own."""
    return Permission(step.args["permission"]) if step.action == WAIT else RUN_APPROVE


@dataclass(frozen=True, slots=True)
class Bound:
    """The line for the journal, and the approval that the step waits for, if any."""

    entry: JournalEntry
    approval: Approval | None = None


class Binder:
    """Looks targets up and refuses what may not be touched; changes nothing."""

    def __init__(self, surroundings: Surroundings, actions: Mapping[str, Action]) -> None:
        self._s = surroundings
        self._actions = actions

    def resolve(self, org_id: str, step: PlannedStep) -> PlannedStep:
        """Return ``step`` with its targets as they are now.

        Raises ``TargetProtected``, ``BlastExceeded``, or what the look-up raises.
        """
        if step.kind == "manual":
            person = TargetState(f"manual:{step.path}"[:200], step.name, "", "", "done by hand")
            return replace(step, targets=(person,))
        targets = self._actions[step.action].inspect(org_id, step.args)
        for target in targets:
            if target.protected:
                msg = f"{target.target}: {target.protected}"
                raise TargetProtected(msg)
        if step.blast and len(targets) > step.blast:
            msg = f"{step.name}: {len(targets)} targets, at most {step.blast}"
            raise BlastExceeded(msg)
        return replace(step, targets=targets)

    def bind(
        self, run: Run, step: PlannedStep, move: Move, entries: Sequence[JournalEntry]
    ) -> Bound:
        """Return what the late ``step`` would do with the values known after ``entries``.

        A value is put into its place once and never read again: no log line makes a
        reference of its own. What stands in the way is the step's failure.
        """
        now = self._s.parts.clock.now()
        entry = new_entry(run, step, move, seq=0, now=now)
        values = seen_by(step, run_values(run.plan, entries))
        try:
            args = filled(step.args, values, {})
            bound = self.resolve(run.org_id, replace(step, args=args))
        except SecopsError as error:
            return Bound(replace(entry, state="failed", details={"error": error.code}))
        digest = step_hash(run.plan.sha256, (step.path, move.loop), args, bound.targets)
        details: dict[str, Any] = {
            "args": args,
            "targets": [asdict(target) for target in bound.targets],
            "sha256": digest,
        }
        if not step.approval and step.action != WAIT:
            return Bound(replace(entry, state="done", details=details))
        expires = now + run.plan.expires_s * SECOND
        approval = Approval(
            id=self._s.parts.ids.new("apr"),
            org_id=run.org_id,
            kind=STEP_APPROVAL,
            subject=f"run:{run.id}",
            subject_hash=digest,
            permission=wanted_of(bound),
            requester_id=run.requester_id,
            requested_at=now,
            expires_at=expires,
        )
        details["approval_id"] = approval.id
        return Bound(replace(entry, deadline=expires, details=details), approval)
