"""What a unit of work sees, and what its batch writes for it at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, Table

from secops.adapters.database.tables import ledger_door, outbox_events
from secops.kernel.clock import Clock
from secops.kernel.errors import TooLarge
from secops.kernel.events import Announcement, to_record
from secops.kernel.trail import MAX_RECORD, Act, encode_act, needs_second_device
from secops.kernel.transactions import Transaction


class DatabaseTransaction:
    """A kernel ``Transaction`` over one connection."""

    def __init__(self, connection: Connection, now: int) -> None:
        self.connection = connection
        self._now = now
        self.leaves: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.after_commit: list[Callable[[], None]] = []
        self.needs_second_device = False

    @property
    def now(self) -> int:
        """The instant of the unit of work, UTC microseconds."""
        return self._now

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Run one SQLAlchemy Core statement."""
        return self.connection.execute(statement, parameters)

    def record(self, act: Act) -> None:
        """Add a leaf to the ledger; raise ``TooLarge`` if it does not fit an entry."""
        self.needs_second_device = self.needs_second_device or needs_second_device(act)
        self.record_encoded(encode_act(act, self._now), self._now)

    def record_encoded(self, record: bytes, at: int) -> None:
        """Add a leaf that was encoded before, at the instant ``at``."""
        if len(record) > MAX_RECORD:
            msg = f"a record is at most {MAX_RECORD} bytes; put large things in by digest"
            raise TooLarge(msg)
        self.leaves.append({"at": at, "record": record})

    def announce(self, announcement: Announcement) -> None:
        """Tell the other planes; it commits with the changes."""
        record = to_record(announcement)
        self.events.append(
            {
                "at": self._now,
                "org_id": announcement.org_id,
                "name": record.pop("name"),
                "payload": orjson.dumps(record).decode(),
            }
        )


class ReadTransaction(DatabaseTransaction):
    """Looks at one snapshot; changing it is a fault of the program."""

    def record_encoded(self, record: bytes, at: int) -> None:
        """Raise, for a read leaves nothing in the ledger this way."""
        del record, at
        msg = "a read can't record; use run"
        raise RuntimeError(msg)

    def announce(self, announcement: Announcement) -> None:
        """Raise, for a read tells nobody."""
        del announcement
        msg = "a read can't announce; use run"
        raise RuntimeError(msg)


class UnitBatch:
    """The units of one database transaction; keeps leaves and events of those that held."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.connection = connection
        self._clock = clock
        self._leaves: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._after_commit: list[Callable[[], None]] = []
        self.needs_second_device = False

    @contextlib.contextmanager
    def open(self) -> Iterator[DatabaseTransaction]:
        """Give a transaction; what it recorded stays only if the block does not raise."""
        transaction = DatabaseTransaction(self.connection, self._clock.now())
        yield transaction
        self.needs_second_device |= transaction.needs_second_device
        self._leaves += transaction.leaves
        self._events += transaction.events
        self._after_commit += transaction.after_commit

    @property
    def records(self) -> list[bytes]:
        """The leaves of the units that held, in the order in which they ran."""
        return [leaf["record"] for leaf in self._leaves]

    def flush(self) -> None:
        """Write leaves and events in the order in which the units ran."""
        if self._leaves:
            self.connection.execute(ledger_door.insert(), self._leaves)
        if self._events:
            self.connection.execute(outbox_events.insert(), self._events)

    def tell_committed(self) -> None:
        """Run what waited for the commit (memory of this process follows the database)."""
        for callback in self._after_commit:
            # it is committed: a failing callback must not turn it into a refusal
            with contextlib.suppress(Exception):
                callback()


def upsert(
    transaction: Transaction, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Change the row with ``key``, or insert it: safe, for writers follow one another."""
    same = [table.c[name] == value for name, value in key.items()]
    if transaction.execute(table.update().where(*same).values(**values)).rowcount == 0:
        transaction.execute(table.insert().values(**key, **values))
