"""Group commit without a thread a request.

What gathers while one batch is synced is the next batch, and each answer leaves when its acts
are on the disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from secops.kernel.errors import AuditUnavailable, SecopsError
from secops.kernel.trail import PATIENCE, Act, QueuedTrail, Receipt, fold

Conclude = Callable[[SecopsError | None], None]
"""Called on the loop, once: None when the acts are durable."""


@dataclass(slots=True)
class _Batch:
    waiting: list[Conclude]
    until: float
    answered: bool = field(default=False)


class GroupCommit:
    """Collects decided acts; one batch is on its way to the disk, the next one gathers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, trail: QueuedTrail) -> None:
        self._loop = loop
        self._trail = trail
        self._acts: list[Sequence[Act]] = []
        self._waiting: list[Conclude] = []
        self._since = 0.0
        self._on_way: list[_Batch] = []

    def add(self, acts: Sequence[Act], conclude: Conclude) -> None:
        """Call ``conclude`` when ``acts`` are durable, or with why they are not."""
        if not self._acts:
            self._since = self._loop.time()
            if not self._on_way:
                self._loop.call_soon(self._flush)
        self._acts.append(acts)
        self._waiting.append(conclude)

    def refuse_overdue(self, now: float) -> None:
        """Refuse whoever has waited too long for the disk; what it says later is too late."""
        refusal = AuditUnavailable("the journal's disk does not answer")
        for batch in self._on_way:
            if batch.until < now:
                _tell(batch, refusal)
        if self._waiting and self._since + PATIENCE < now:
            self._acts, waiting = [], self._waiting
            self._waiting = []
            for conclude in waiting:
                conclude(refusal)

    def _flush(self) -> None:
        if self._on_way or not self._acts:
            return  # what is on its way calls again
        acts, self._acts = self._acts, []
        waiting, self._waiting = self._waiting, []
        try:
            self._submit(fold([act for each in acts for act in each]), waiting)
        except SecopsError as error:
            if len(waiting) == 1:
                waiting[0](error)
                return
            # one of them may be too large: each stands for itself
            for own, conclude in zip(acts, waiting, strict=True):
                self._submit_alone(own, conclude)

    def _submit_alone(self, acts: Sequence[Act], conclude: Conclude) -> None:
        try:
            self._submit(acts, [conclude])
        except SecopsError as error:
            conclude(error)

    def _submit(self, acts: Sequence[Act], waiting: list[Conclude]) -> None:
        batch = _Batch(waiting, self._loop.time() + PATIENCE)

        def on_durable(_: Sequence[Receipt], error: SecopsError | None) -> None:
            self._loop.call_soon_threadsafe(self._durable, batch, error)

        self._trail.submit(acts, on_durable)
        self._on_way.append(batch)

    def _durable(self, batch: _Batch, error: SecopsError | None) -> None:
        self._on_way.remove(batch)
        _tell(batch, error)
        self._flush()


def _tell(batch: _Batch, error: SecopsError | None) -> None:
    if batch.answered:
        return
    batch.answered = True
    for conclude in batch.waiting:
        conclude(error)
