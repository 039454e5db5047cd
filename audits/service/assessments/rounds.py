"""Continuous checks: what was once assessed is looked at again and again, and drift is told.

A round looks at one system at the level it is graded at, judges it, and stores only what moved,
with the evidence of that. It costs little at rest: the next round of a system waits at least
fifty times as long as the last one took.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from audits.core.evidence_lists import EvidenceList, evidence_list
from audits.errors import SystemNotFound
from audits.models.assessments import ControlState
from audits.models.evidence import Snapshot
from audits.ports.assessments import Controls
from audits.service.assessments.inquiry import Inquiry, Looked
from audits.service.assessments.noting import Key, Noting
from audits.service.systems.scopes import Scopes
from secops.kernel.actors import Actor, system_actor
from secops.kernel.errors import SecopsError
from secops.kernel.events import ControlStatusChanged
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

ROUND_SECONDS: Final = 3_600.0
"""How long after a round the next one of the same system is due."""
REST: Final = 50
"""A round is followed by at least so many times the time it took: at most 2 % of one core."""
WATCHER: Final = "audits-controls"
"""Its name in ``rules/policies/access.cedar``."""
_LOG: Final = logging.getLogger("secops.audits")


@dataclass(slots=True)
class ControlRounds:
    """Looks again at what was assessed; one system at a time, those longest waiting first.

    When each is due is kept in memory: after a restart all are, which costs one round each.
    """

    parts: Parts
    controls: Controls
    scopes: Scopes
    inquiry: Inquiry
    noting: Noting
    due: dict[Key, float] = field(default_factory=dict)

    def tick(self) -> bool:
        """Make the round of one system that is due; True when more are."""
        now = self.parts.clock.monotonic()
        watched = self.parts.transactions.read(self.controls.watched)
        waiting = sorted(
            (key for key in watched if self.due.get(key, 0.0) <= now),
            key=lambda key: self.due.get(key, 0.0),
        )
        if not waiting:
            return False
        key = waiting[0]
        try:
            self.go_round(key)
        except SecopsError as error:
            _LOG.warning("controls of %s can't be checked: %s", key[1], error.detail)
        finally:  # one that fails in an unknown way waits its turn too, and keeps nobody
            took = self.parts.clock.monotonic() - now
            self.due[key] = now + took + max(ROUND_SECONDS, REST * took)
        return len(waiting) > 1

    def go_round(self, key: Key) -> int:
        """Look at one system and return how many items moved.

        One that is gone, or graded at another level by now, has no gaps at this level any more.
        """
        org_id, system_id, standard, level = key
        actor = watcher(org_id)
        try:
            scope = self.scopes.scope(actor, system_id)
        except SystemNotFound:
            return self._let_go(key)
        if scope.system.level != level:
            return self._let_go(key)
        looked = self.inquiry.look(actor, scope, standard, level)
        snapshots = _evidence_of(looked, self._moving(key, looked))
        self.inquiry.keep(snapshots)
        listed = _listed(snapshots)
        if listed.content:
            self.parts.blobs.put(listed.content)
        moved = self.parts.transactions.run(lambda tx: self._note(tx, key, looked))
        return len(moved)

    def _moving(self, key: Key, looked: Looked) -> set[str]:
        """Return the items that stand otherwise than noted: evidence is kept before it is named."""
        known = self.parts.transactions.read(lambda tx: self.controls.states(tx, key[0], key[1:]))
        before = {state.item_id: state.status for state in known}
        return {
            verdict.item.id
            for verdict in looked.judged.verdicts
            if before.get(verdict.item.id) != verdict.status
        }

    def _let_go(self, key: Key) -> int:
        """End the gaps of what is not watched any more."""

        def work(tx: Transaction) -> None:
            states = self.controls.states(tx, key[0], key[1:])
            fallen = [state for state in states if state.drifted_from is not None]
            self.controls.put(tx, [replace(state, drifted_from=None) for state in fallen])
            for state in fallen:
                told = ControlStatusChanged(key[0], state.item_id, state.status, state.status)
                tx.announce(told)
            if fallen:
                details = {"standard": key[2], "level": key[3], "gaps": len(fallen)}
                act = Act("audits.end_watch", watcher(key[0]), f"system:{key[1]}", details=details)
                tx.record(act)

        self.parts.transactions.run(work)
        return 0

    def _note(self, tx: Transaction, key: Key, looked: Looked) -> list[ControlState]:
        verdicts = looked.judged.verdicts
        moved = list(self.noting.note(tx, key, verdicts, cause="round", watched=True))
        ids = {state.item_id for state in moved}
        if moved:
            details = {
                "standard": key[2],
                "level": key[3],
                "moved": {state.item_id: state.status for state in moved},
                "evidence": _listed(_evidence_of(looked, ids)).said,
            }
            act = Act("audits.note_drift", watcher(key[0]), f"system:{key[1]}", details=details)
            tx.record(act)
        return moved


def _evidence_of(looked: Looked, ids: set[str]) -> list[Snapshot]:
    """Return the snapshots that the items of ``ids`` rest on, each once."""
    wanted: dict[str, Snapshot] = {}
    own = {snapshot.digest for snapshot in looked.snapshots}
    for verdict in looked.judged.verdicts:
        if verdict.item.id in ids:
            wanted.update({one.digest: one for one in verdict.evidence if one.digest in own})
    return list(wanted.values())


def _listed(snapshots: Sequence[Snapshot]) -> EvidenceList:
    return evidence_list(sorted(one.digest for one in snapshots))


def watcher(org_id: str) -> Actor:
    """Return the product looking at an organisation: policies let it read, and no more."""
    return system_actor(WATCHER, org_id)
