"""Catching up with much that is stored: read by several processes, written by this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final

import orjson

from detectors.core.detection import Detector
from detectors.models.logs import StoredPiece
from detectors.models.schedule import Span, Step
from detectors.ports import StoredPieces
from detectors.service.runs.scan import Work, Workers
from detectors.service.runs.steps import Outcome, Stepper
from detectors.service.runs.sweep.folding import PortionFolder
from detectors.service.runs.sweep.found import PieceFound
from detectors.service.runs.sweep.gathering import Gathered
from detectors.service.runs.sweep.matching import PieceMatcher
from detectors.service.triage.effects import Effects
from secops.kernel.leases import Lease

LEAST: Final = 5_000
"""Events below which a sweep does not pay for its processes."""
AT_ONCE: Final = 400_000
"""Events after which what was found is written: one transaction holds their effects."""
READ_AT_ONCE: Final = 40_000
"""Events that a process reads and asks about at once: what is fixed is paid once for them."""


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Does what many steps would do, with the same effects."""

    stepper: Stepper
    pieces: StoredPieces

    def sweep(
        self,
        detectors: Sequence[Detector],
        workers: Workers,
        held: Callable[[], Lease],
    ) -> int | None:
        """Do the next step whole; return how many alerts it raised, None if it is a small one.

        ``held`` renews the lease, again and again, and returns it. A sweep whose cursors
        another process moved ends there.
        """
        due = self.stepper.whole_step(detectors, held())
        if due is None or due[0].span.last - due[0].span.first < LEAST:
            return None
        step, standing = due
        by_key = {detector.key: detector for detector in detectors}
        keys = [key for key in step.keys if key[0] not in standing.resting]
        matcher = self._matcher([by_key[key] for key in keys])
        if matcher is None:
            return None
        skipped = frozenset(step.keys) - frozenset(keys)
        raised = 0
        for gathered, seen in self._stretches(step, matcher, workers, held):
            outcome = replace(self._outcome(step, seen, gathered), skipped=skipped)
            new = self.stepper.write(outcome, standing.failing, held())
            if new is None:
                break
            raised += new
        return raised

    def _matcher(self, group: Sequence[Detector]) -> PieceMatcher | None:
        """Return what asks ``group``; None where a rule can't even be compiled."""
        stepper = self.stepper
        plan, watch = stepper.plan(group)
        try:
            plan.compile()
        except Exception:  # noqa: BLE001 - a step by step run names the rule that is broken
            return None
        read = stepper.parts.transactions.read
        seen = read(stepper.stores.health.seen_fields)
        active = read(stepper.stores.exceptions.active)
        return PieceMatcher(plan, watch, seen, active, stepper.excepter)

    def _stretches(
        self,
        step: Step,
        matcher: PieceMatcher,
        workers: Workers,
        held: Callable[[], Lease],
    ) -> Iterator[tuple[Gathered, Span]]:
        """Yield what whole segments came to, some 200,000 events at a time."""
        together = list(_together(self.pieces.pieces(step.span.first, step.span.last)))
        works = ((orjson.dumps([asdict(piece) for piece in group]), b"") for group in together)
        answers = workers.map(partial(_match, self.pieces, matcher), works)
        gathered, first = Gathered(matcher.plan), step.span.first
        for group, answer in zip(together, answers, strict=True):
            held()
            gathered.add(PieceFound.decoded(answer))
            last = group[-1].last
            if last is not None and gathered.events >= AT_ONCE:
                yield gathered, Span(first, last)
                gathered, first = Gathered(matcher.plan), last + 1
        if first <= step.span.last:
            yield gathered, Span(first, step.span.last)

    def _outcome(self, step: Step, seen: Span, gathered: Gathered) -> Outcome:
        stepper, stores = self.stepper, self.stepper.stores
        now = stepper.parts.clock.now()
        effects = Effects(hits=gathered.hits)
        for detector, hits in gathered.correlated():
            stepper.assessor.judge(effects, detector, hits, None, now)
        transactions = stepper.parts.transactions
        folder = PortionFolder(transactions, stepper.logs, stores.alerts, stores.hits)
        return Outcome(
            replace(step, span=Span(seen.first, step.span.last)),
            seen,
            gathered.events,
            folder.fold(effects, gathered.portions(), gathered.plan.asked, now),
            gathered.failures,
            gathered.newest,
            gathered.sight,
            None,
            gathered.spared,
        )


def _together(pieces: Iterable[StoredPiece]) -> Iterator[list[StoredPiece]]:
    """Put neighbours together to what is read at once; where a segment ends, sooner."""
    group: list[StoredPiece] = []
    rows = 0
    for piece in pieces:
        group.append(piece)
        rows += piece.rows
        if rows >= READ_AT_ONCE or (piece.last is not None and rows >= READ_AT_ONCE // 2):
            yield group
            group, rows = [], 0
    if group:
        yield group


def _match(pieces: StoredPieces, matcher: PieceMatcher, work: Work) -> bytes:
    records = orjson.loads(work[0])
    group = [StoredPiece(**{**record, "groups": tuple(record["groups"])}) for record in records]
    return matcher.match(pieces.read_pieces(group)).encoded()
