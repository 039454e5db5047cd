"""Carry out bulk actions: a chunk and its progress in one transaction, whoever is killed when."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from detectors.core.bulk_roots import extended_root
from detectors.errors.bulk_actions import BulkActionConflict
from detectors.models.bulk_actions import BulkAction
from detectors.ports import AlertStore, BulkActionStore, RolesNow
from detectors.service.triage.risks import publish_risks
from secops.kernel.actors import system_actor
from secops.kernel.errors import Forbidden, StepUpRequired, Unauthenticated
from secops.kernel.jobs import TaskState
from secops.kernel.orders import actor_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_CLOSE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

CHUNK: Final = 1_000
"""Alerts written in one transaction; people's own writes go in between."""
TOLD: Final = 1_000
"""Subjects whose risks are told in one transaction."""
TRIED: Final = 10
"""Bulk actions that a tick goes on to where those before them fail."""
_RUNNER: Final = system_actor("detectors")
_TASK_STATES: Final[dict[str, TaskState]] = {
    "done": "done",
    "cancelled": "cancelled",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class BulkRunner:
    """Works through what was ordered, with the rights that whoever ordered it has by now.

    First all alerts are written, then the risks follow: each subject is told once, and what a
    risk is made of is read when it is small.
    """

    _parts: Parts
    _store: BulkActionStore
    _alerts: AlertStore
    _roles: RolesNow

    def tick(self) -> bool:
        """Do a part of the bulk action that waits longest; tell whether more waits.

        Where it fails, the next one has its part done before the error is raised.
        """
        failures: list[Exception] = []
        waiting = self._parts.transactions.read(lambda tx: self._store.running(tx, TRIED))
        for action in waiting:
            try:
                self._go_on(action)
            except Exception as error:  # noqa: BLE001 - raised when another one went on
                failures.append(error)
            else:
                break
        if failures:
            raise failures[0]
        return bool(waiting)

    def _go_on(self, action: BulkAction) -> None:
        # cancelled, or another process was faster: nothing of this part is stored
        with suppress(BulkActionConflict):
            if action.state == "acting":
                self._act(action)
            else:
                self._tell(action)

    def _act(self, action: BulkAction) -> None:
        refusal = self._refusal(action)

        def work(tx: Transaction) -> None:
            if refusal:
                stopped = replace(action, state="telling", ending="failed", failure=refusal)
                self._save(tx, action, stopped)
                return
            self._save(tx, action, self._chunk(tx, action))

        self._parts.transactions.run(work)

    def _chunk(self, tx: Transaction, action: BulkAction) -> BulkAction:
        """Write the next alerts; never more of them than were shown when it was confirmed."""
        limit = min(CHUNK, action.count - action.place)
        chosen = self._store.selected(tx, action, limit) if limit else ()
        if not chosen:
            return replace(action, state="telling")
        write = self._store.write_alerts if action.undoes is None else self._store.restore_alerts
        items = write(tx, action, chosen)
        done = [(item.alert_id, item.version) for item in items if item.result == "done"]
        return replace(
            action,
            place=action.place + len(items),
            written=action.written + len(done),
            last_at=chosen[-1].last_at,
            last_id=chosen[-1].id,
            root=extended_root(action.root, done),
        )

    def _tell(self, action: BulkAction) -> None:
        def work(tx: Transaction) -> None:
            subjects = self._store.take_subjects(tx, action, TOLD)
            if not subjects:
                self._finish(tx, action)
                return
            reasons = dict.fromkeys(subjects, f"bulk action {action.id}: {action.verb}")
            publish_risks(tx, self._alerts, action.org_id, reasons)
            self._save(tx, action, replace(action, told=action.told + len(subjects)))

        self._parts.transactions.run(work)

    def _finish(self, tx: Transaction, action: BulkAction) -> None:
        """End it with one leaf for all that was written."""
        self._save(tx, action, replace(action, state=action.ending, ended_at=tx.now))
        details = {
            "verb": action.verb,
            "state": action.ending,
            "ordered_by": action.ordered_by,
            "count": action.written,
            "left": action.place - action.written,
            "root": action.root,
        }
        target = f"bulk_action:{action.id}"
        tx.record(Act("detectors.finish_bulk_action", _RUNNER, target, details=details))

    def _save(self, tx: Transaction, before: BulkAction, after: BulkAction) -> None:
        if not self._store.save(tx, after, (before.state, before.place, before.told)):
            raise BulkActionConflict
        task = self._parts.tasks.get(tx, after.id)
        state = _TASK_STATES.get(after.state, "running")
        self._parts.tasks.progress(
            tx, replace(task, state=state, done=after.place, result=after.failure)
        )

    def _refusal(self, action: BulkAction) -> str:
        """Return why whoever ordered it may not go on; empty where they may."""
        roles = self._roles.roles_now(action.ordered_by)
        if roles is None:
            return "the account that ordered it may not act any more"
        actor = actor_of(action.ordered, roles)
        try:
            self._parts.access.require(actor, ALERT_CLOSE, f"bulk_action:{action.id}")
        except (Forbidden, StepUpRequired, Unauthenticated) as error:
            return str(error)
        return ""
