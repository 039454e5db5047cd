"""Every decision is kept: refusals by whoever answers, all of them folded here.

Decisions that were asked alike are counted in memory and written once a second: one leaf with
the count and a digest over the questions, and rows to try drafts of policies against. The
caller never waits for it. A process that is killed loses at most its last second of *allowed*
reads; what changes something or hands something out has a leaf of its own before the answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from iam.models.zero_trust import RecordedDecision
from iam.ports import DecisionStore, PolicyQuestion
from iam.ports.policies import CIRCUMSTANCES
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.canonical import canonical_record
from secops.kernel.clock import DAY
from secops.kernel.errors import SecopsError
from secops.kernel.parts import Parts
from secops.kernel.trail import Act

_LOG: Final = logging.getLogger("iam.decisions")
MOST_WAITING: Final = 4_096
ALERT_SECONDS: Final = 60.0
MOST_FACT: Final = 64
_ACTOR: Final = system_actor("decision-point")


@dataclass(slots=True)
class _Tally:
    count: int
    first_at: int
    last_at: int


class DecisionRecord:
    """Counts decisions; ``fold_seconds`` 0 writes only when ``flush`` is called."""

    def __init__(self, parts: Parts, store: DecisionStore, fold_seconds: float = 0.0) -> None:
        self._parts = parts
        self._store = store
        self._fold_seconds = fold_seconds
        self._alerted: dict[str, float] = {}
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._waiting: dict[tuple[PolicyQuestion, bool], _Tally] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def note(
        self, question: PolicyQuestion, *, allowed: bool, count: int = 1
    ) -> Callable[[], object]:
        """Count ``count`` decisions of this outcome; return what counts one more like it."""
        if self._pid != os.getpid():
            self._reset()
        now = self._parts.clock.now()
        with self._lock:
            tally = self._waiting.get((question, allowed))
            if tally is None:
                self._waiting[(question, allowed)] = _Tally(count, now, now)
            else:
                tally.count += count
                tally.last_at = now
            full = len(self._waiting) >= MOST_WAITING
            if self._fold_seconds and self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._fold, name="decisions", daemon=True)
                self._thread.start()
        if full:
            self.flush()
        return partial(self.note, question, allowed=allowed)

    def _fold(self) -> None:
        """Write once a second while there is something; then end."""
        while not self._stopping.wait(self._fold_seconds):
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
            self.flush()

    def flush(self) -> None:
        """Write what waits. What can't be written is kept until it can, within bounds."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        try:
            self._write(waiting)
        except SecopsError as error:
            _LOG.warning("decisions can't be recorded now: %s", error.code)
            with self._lock:
                if len(waiting) < MOST_WAITING:
                    self._waiting = {**waiting, **self._waiting}

    def close(self) -> None:
        """Write what waits and stop."""
        self._stopping.set()
        thread = self._thread
        if thread is not None and self._pid == os.getpid():
            thread.join()
        self.flush()

    def _write(self, waiting: Mapping[tuple[PolicyQuestion, bool], _Tally]) -> None:
        rows = [_row(*key, tally) for key, tally in waiting.items()]
        self._parts.transactions.run(lambda tx: self._store.add(tx, rows))
        self._parts.trail.append([_leaf(rows)])

    def refuse(self, actor: Actor, question: PolicyQuestion, reason: str) -> None:
        """Record one refusal by itself: for questions that no guarded route asks."""
        act = Act(
            "iam.decide",
            actor,
            f"permission:{question.permission}",
            "refused",
            details={"reason": reason[:300], "resource": question.resource_kind},
        )
        # a refusal stands even where it can't be written down
        with contextlib.suppress(SecopsError):
            self._parts.trail.append([act])

    def alert(self, question: PolicyQuestion, errors: Sequence[str]) -> None:
        """Record that the policies could not be evaluated, once a minute and error."""
        now = self._parts.clock.monotonic()
        if now - self._alerted.get(errors[0], float("-inf")) < ALERT_SECONDS:
            return
        if len(self._alerted) >= MOST_WAITING:
            self._alerted.clear()
        self._alerted[errors[0]] = now
        _LOG.error("the decision point refuses %s: %s", question.permission, errors[0])
        details = {"errors": [error[:200] for error in errors[:5]]}
        target = f"permission:{question.permission}"
        with contextlib.suppress(SecopsError):
            self._parts.trail.append(
                [Act("iam.decision_trouble", _ACTOR, target, "failed", details)]
            )


def question_record(question: PolicyQuestion) -> dict[str, Any]:
    """Return a question as JSON: identifiers and circumstances, no personal data.

    The address is not in it, only the names of its zones.
    """
    record: dict[str, Any] = {
        "kind": question.kind,
        "id": question.id,
        "roles": sorted(question.roles),
        "permission": question.permission,
        "resource_kind": question.resource_kind,
        "facts": [[name[:MOST_FACT], value[:MOST_FACT]] for name, value in question.facts],
    }
    for name, kind in CIRCUMSTANCES.items():
        value = getattr(question, name)
        record[name] = list(value) if kind is tuple else value
    return record


def question_of(text: str) -> PolicyQuestion:
    """Return the question that ``question_record`` wrote; raise ValueError or TypeError."""
    fields = orjson.loads(text)
    fields["roles"] = frozenset(fields["roles"])
    fields["facts"] = tuple((name, value) for name, value in fields["facts"])
    for name, kind in CIRCUMSTANCES.items():
        if kind is tuple:
            fields[name] = tuple(fields[name])
    return PolicyQuestion(**fields)


def _row(question: PolicyQuestion, allowed: bool, tally: _Tally) -> RecordedDecision:  # noqa: FBT001 - a key's part
    text = canonical_record(question_record(question))
    return RecordedDecision(
        day=tally.last_at // DAY,
        digest=hashlib.sha256((b"1" if allowed else b"0") + text).digest(),
        org_id=question.org or ROOT_ORG,
        question=text.decode(),
        allowed=allowed,
        count=tally.count,
        first_at=tally.first_at,
        last_at=tally.last_at,
    )


def _leaf(rows: Sequence[RecordedDecision]) -> Act:
    """Return the one leaf for many decisions: how many, and a digest over all of them."""
    whole = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row.digest):
        whole.update(row.digest + row.count.to_bytes(8, "big"))
    return Act(
        "iam.decide",
        _ACTOR,
        "decisions:folded",
        details={
            "questions": len(rows),
            "allowed": sum(row.count for row in rows if row.allowed),
            "refused": sum(row.count for row in rows if not row.allowed),
            "sha256": whole.hexdigest(),
        },
    )
