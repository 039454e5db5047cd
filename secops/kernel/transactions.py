"""The unit of work: changes, ledger leaves and announcements commit together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from secops.kernel.events import Announcement
from secops.kernel.trail import Act

T = TypeVar("T")


class Transaction(Protocol):
    """What a store works in. Short: nothing slow happens between begin and commit."""

    @property
    def now(self) -> int:
        """The instant of the unit of work, UTC microseconds."""
        ...

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Run one SQLAlchemy Core statement; only stores can build one."""
        ...

    def record(self, act: Act) -> None:
        """Add a leaf to the ledger; it commits with the changes."""
        ...

    def announce(self, announcement: Announcement) -> None:
        """Tell the other planes; it commits with the changes."""
        ...


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a restricting act takes away, in the words of ``kernel.revocations``.

    It takes effect even where the unit of work can't commit (disk full, database away).
    """

    kind: str
    id: str
    act: Act


class Transactions(Protocol):
    """Runs units of work; many callers share one commit (group commit)."""

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` and return its value after COMMIT is durable.

        What ``work`` raises comes out here and nothing of it is kept; raises
        ``AuditUnavailable`` when the store can't commit.
        """
        ...

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` on a read-only snapshot; it may not change, record or announce."""
        ...

    def restrict(self, work: Callable[[Transaction], T], *restrictions: Restriction) -> T | None:
        """Run ``work`` like ``run``, and revoke every restriction in the same transaction.

        Each restriction's own ``act`` is recorded too: ``work`` does not record it again.
        Never refused: if the commit is impossible the restrictions take effect through the
        emergency journal, enter the ledger before the next granting act, and None returns.
        """
        ...
