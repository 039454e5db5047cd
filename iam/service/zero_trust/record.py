"""Every decision is kept: refusals by whoever answers, all of them folded here.

Decisions that were asked alike are counted in a book that outlives the process (``TallyBook``)
before anything is answered, and written once a second: one leaf with the count and a digest over
the questions, and rows to try drafts of policies against. A killed process loses none: whoever
comes after it writes what it counted. A power cut takes at most the last second of *allowed*
reads; what changes something or hands something out has a leaf of its own before the answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from iam.models.zero_trust import RecordedDecision
from iam.ports import DecisionStore, PolicyQuestion, TallyBook, TallyLine, TallyShelf
from iam.ports.policies import CIRCUMSTANCES
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.canonical import canonical_record
from secops.kernel.clock import DAY
from secops.kernel.errors import AuditUnavailable, SecopsError
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction
from secops.kernel.waiting import about_to_wait

_LOG: Final = logging.getLogger("iam.decisions")
MOST_WAITING: Final = 4_096
ALERT_SECONDS: Final = 60.0
MOST_FACT: Final = 64
_ACTOR: Final = system_actor("decision-point")


@dataclass(slots=True)
class _Tally:
    """One line of the open page."""

    place: int
    page: int
    count: int


class DecisionRecord:
    """Counts decisions; ``fold_seconds`` 0 writes only when ``flush`` is called."""

    def __init__(
        self,
        parts: Parts,
        store: DecisionStore,
        shelf: TallyShelf,
        fold_seconds: float = 0.0,
    ) -> None:
        self._parts = parts
        self._store = store
        self._shelf = shelf
        self._fold_seconds = fold_seconds
        self._alerted: dict[str, float] = {}
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._folding = threading.Lock()
        self._book: TallyBook | None = None
        self._page = 0
        self._waiting: dict[tuple[PolicyQuestion, bool], _Tally] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def note(
        self, question: PolicyQuestion, *, allowed: bool, count: int = 1
    ) -> Callable[[], object]:
        """Count ``count`` decisions of this outcome; return what counts one more like it.

        What was counted outlives this process. Raises ``AuditUnavailable``.
        """
        if self._pid != os.getpid():
            self._reset()
        tally = self._count((question, allowed), count)
        if tally is None:
            self.flush()
            tally = self._count((question, allowed), count)
        if tally is None:
            msg = "decisions can't be recorded now"
            raise AuditUnavailable(msg)
        return partial(self._again, tally, question, allowed)

    def _count(self, key: tuple[PolicyQuestion, bool], count: int) -> _Tally | None:
        """Count under ``key``; return its line, None if the page is full."""
        now = self._parts.clock.now()
        with self._lock:
            if self._book is None:
                self._book = self._shelf.open()
                self._page = self._book.page
            tally = self._waiting.get(key)
            if tally is not None:
                tally.count += count
                self._book.count(tally.place, tally.count, now)
                return tally
            question, allowed = key
            text = _text(question, allowed=allowed)
            place = self._book.begin(text, count, now)
            if place is None and self._turn(self._book):
                # nobody waits for the database, where this may be asked inside a unit of work
                place = self._book.begin(text, count, now)
            if place is None:
                return None
            tally = self._waiting[key] = _Tally(place, self._page, count)
            if self._fold_seconds and self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._fold, name="decisions", daemon=True)
                self._thread.start()
            return tally

    def _turn(self, book: TallyBook) -> bool:
        """Go on with the other page, while that is blank."""
        if not book.turn():
            return False
        self._page, self._waiting = book.page, {}
        return True

    def _again(self, tally: _Tally, question: PolicyQuestion, allowed: bool) -> None:  # noqa: FBT001 - a key's part
        """Count one more, on the line where it stands if its page is still open."""
        with self._lock:
            if tally.page == self._page and self._book is not None:
                tally.count += 1
                self._book.count(tally.place, tally.count, self._parts.clock.now())
                return
        self.note(question, allowed=allowed)

    def _fold(self) -> None:
        """Write once a second while there is something; then end."""
        while not self._stopping.wait(self._fold_seconds):
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
            self.flush()

    def flush(self) -> None:
        """Write what is counted. What can't be written stays on its page until it can."""
        about_to_wait()  # for the database, or for whoever writes now
        with self._folding:
            book = self._book
            if book is None:
                return
            try:
                self._write_closed(book)
                with self._lock:
                    if not self._waiting:
                        return
                    self._turn(book)
                self._write_closed(book)
            except SecopsError as error:
                _LOG.warning("decisions can't be recorded now: %s", error.code)

    def recover(self) -> int:
        """Write what killed processes counted; return how many books that were."""
        written = 0
        for book in self._shelf.left_behind():
            done = False
            try:
                for page, lines in book.filled():
                    self._write(book, page, lines)
                done = True
                written += 1
            finally:
                book.close(remove=done)
            self._forget(book)
        return written

    def close(self) -> None:
        """Write what waits and stop."""
        self._stopping.set()
        thread = self._thread
        if thread is not None and self._pid == os.getpid():
            thread.join()
        self.flush()
        book, self._book = self._book, None
        if book is not None and self._pid == os.getpid():
            empty = not book.filled()
            book.close(remove=empty)
            if empty:
                with contextlib.suppress(SecopsError):
                    self._forget(book)

    def _write_closed(self, book: TallyBook) -> None:
        with self._lock:
            still_open = self._page
        for page, lines in book.filled():
            # a later one may have been opened since, and is not whole yet
            if page < still_open:
                self._write(book, page, lines)

    def _write(self, book: TallyBook, page: int, lines: Sequence[TallyLine]) -> None:
        """Write one page, whole and once, whoever tries how often; then it is blank."""
        rows = [_row(line) for line in lines]

        def work(tx: Transaction) -> None:
            if self._store.begin_fold(tx, book.name, page):
                self._store.add(tx, rows)
                tx.record(_leaf(rows))

        self._parts.transactions.run(work)
        with self._lock:
            book.blank(page)

    def _forget(self, book: TallyBook) -> None:
        self._parts.transactions.run(lambda tx: self._store.end_book(tx, book.name))

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


def _text(question: PolicyQuestion, *, allowed: bool) -> bytes:
    """Return what is counted: the outcome and the question."""
    return (b"1" if allowed else b"0") + canonical_record(question_record(question))


def _row(line: TallyLine) -> RecordedDecision:
    text = line.text[1:].decode()
    return RecordedDecision(
        day=line.last_at // DAY,
        digest=hashlib.sha256(line.text).digest(),
        org_id=orjson.loads(text)["org"] or ROOT_ORG,
        question=text,
        allowed=line.text[:1] == b"1",
        count=line.count,
        first_at=line.first_at,
        last_at=line.last_at,
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
