"""How items stand is noted after each look: states, history, and what other planes are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audits.core.drift import state_after
from audits.models.assessments import ControlChange, ControlState, Verdict
from audits.ports.assessments import Controls
from secops.kernel.events import ControlStatusChanged
from secops.kernel.ids import Ids
from secops.kernel.transactions import Transaction

Key = tuple[str, str, str, int]
"""Organisation, system, standard, level."""


@dataclass(frozen=True, slots=True)
class Noting:
    """Notes verdicts in a unit of work; announces what moved, where it is watched."""

    controls: Controls
    ids: Ids

    def note(
        self, tx: Transaction, key: Key, verdicts: Sequence[Verdict], *, cause: str, watched: bool
    ) -> Sequence[ControlState]:
        """Store what moved and return it; ``watched`` is the level the system is graded at."""
        known = {state.item_id: state for state in self.controls.states(tx, key[0], key[1:])}
        pairs = [
            (
                known.get(verdict.item.id),
                state_after(verdict, known.get(verdict.item.id), key, tx.now, watched=watched),
            )
            for verdict in verdicts
        ]
        self.controls.put(tx, [new for old, new in pairs if new != old])
        moved = [(old, new) for old, new in pairs if old is None or old.status != new.status]
        self.controls.add_changes(tx, [self._change(old, new, cause, tx.now) for old, new in moved])
        for old, new in moved:
            if old is not None and watched:
                tx.announce(ControlStatusChanged(new.org_id, new.item_id, old.status, new.status))
        return [new for _, new in moved]

    def _change(
        self, old: ControlState | None, new: ControlState, cause: str, now: int
    ) -> ControlChange:
        return ControlChange(
            id=self.ids.new("chg"),
            org_id=new.org_id,
            system_id=new.system_id,
            standard=new.standard,
            level=new.level,
            item_id=new.item_id,
            before=old.status if old else "",
            after=new.status,
            judge=new.judge,
            at=now,
            cause=cause,
            reason=new.reason,
        )
