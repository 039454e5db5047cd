"""Partners are told that a session ended, again and again, until they hear or time is up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal, TypeVar

from iam.core.openid_logout.patience import next_pause
from iam.service.means import Means
from secops.kernel.actors import Actor
from secops.kernel.clock import MINUTE
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

T = TypeVar("T")
Telling = Literal["waiting", "delivered", "silent"]
TIMEOUT_SECONDS: Final = 5.0
BATCH: Final = 16
AT_ONCE: Final = 8
CLAIM: Final = MINUTE
"""What a process took and died with is taken up again after so long."""


def tell_due(
    means: Means,
    claim: Callable[[Transaction, int, int], Sequence[T]],
    tell: Callable[[T], T],
    keep: Callable[[Transaction, T], None],
) -> bool:
    """Take what is due, tell each at once, keep how it went; True when more may wait.

    ``tell`` returns a notice as it stands after one more try and raises no ``SecopsError``.
    """
    run, until = means.parts.transactions.run, means.now + CLAIM
    due = run(lambda tx: claim(tx, BATCH, until))
    if not due:
        return False
    with ThreadPoolExecutor(min(AT_ONCE, len(due))) as pool:
        tried = list(pool.map(tell, due))

    def work(tx: Transaction) -> None:
        for notice in tried:
            keep(tx, notice)

    run(work)
    return len(due) == BATCH


def after_try(tries: int, now: int, *, heard: bool) -> tuple[Telling, int]:
    """Return how a notice stands after ``tries`` tries, and when it is told again."""
    if heard:
        return "delivered", now
    pause = next_pause(tries)
    return ("silent", now) if pause is None else ("waiting", now + pause)


def note_end(
    tx: Transaction, actor: Actor, session_id: str, state: str, details: dict[str, object]
) -> None:
    """Record that a partner heard, or was given up; nothing while it is told again."""
    if state == "waiting":
        return
    outcome: Outcome = "done" if state == "delivered" else "failed"
    tx.record(Act("iam.notify_logout", actor, f"session:{session_id}", outcome, details))
