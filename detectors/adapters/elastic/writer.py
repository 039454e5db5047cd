"""The writer: one at a time over all machines, under a lease of the database.

The lease only keeps writers out of one another's way; that no number is used twice, and that
nothing is acknowledged which a reader may have passed, rests on the state document's
conditional updates (``state``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from detectors.adapters.elastic.bulk import Bulk, Item
from detectors.adapters.elastic.connection import Connection
from detectors.adapters.elastic.documents import bare_document, digests_of, document_of
from detectors.adapters.elastic.mapping import day_of, days_of, index_of, state_of
from detectors.adapters.elastic.state import Overtaken, State, StateDocument
from detectors.adapters.segments.spool import Spool
from detectors.errors import LogStoreUnavailable
from detectors.ports import ClosedSegments, Indexing
from secops.kernel.errors import AuditUnavailable
from secops.kernel.leases import Lease, Leases
from secops.kernel.logs import AppendResult, LogEvent, StoredEvent, is_held

LEASE: Final = "detectors.log_writer"
_SECONDS: Final = 120.0
_PATIENCE: Final = 60.0
_PAUSE: Final = 0.02
_AT_ONCE: Final = 10_000
_KNOWN_AT_ONCE: Final = 2_000
_BATCHES_A_DRAIN: Final = 64
_ABSENT: Final = 404
_TRIES: Final = 3
_NOW: Final = {"refresh": True}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the writer is told: who it is, leases, the ledger, and whom to tell of damage."""

    owner: Callable[[], str]
    leases: Leases
    closed: ClosedSegments
    damaged: Callable[[str], None]


class Writer:
    """Stores, and drops days."""

    def __init__(
        self, connection: Connection, indexing: Indexing, spool: Spool, around: Surroundings
    ) -> None:
        self.state = StateDocument(connection)
        self.bare: dict[str, str] = {}
        """Events (at most 100) that the cluster would not index, and why."""
        self._connection = connection
        self._indexing = indexing
        self._spool = spool
        self._around = around
        self._bulk = Bulk(connection)
        self._thread = threading.RLock()
        self._held: Lease | None = None
        self._pause = threading.Event()

    @contextmanager
    def lease(self, *, wait: bool) -> Iterator[bool]:
        """Hold the lease; yields False at once if it is taken and ``wait`` is not.

        Raises ``LogStoreUnavailable`` after 60 s of waiting.
        """
        if not self._thread.acquire(blocking=wait):
            yield False
            return
        try:
            deadline = time.monotonic() + _PATIENCE
            owner = self._around.owner()
            while (held := self._around.leases.acquire(LEASE, owner, _SECONDS)) is None:
                if not wait:
                    break
                if time.monotonic() > deadline:
                    raise LogStoreUnavailable("another process holds the lease on the log writer")
                self._pause.wait(_PAUSE)
            self._held = held
            try:
                yield held is not None
            finally:
                if self._held is not None:
                    self._around.leases.release(self._held)
                self._held = None
        finally:
            self._thread.release()

    def store(self, batches: Sequence[Sequence[LogEvent]]) -> list[AppendResult]:
        """Store what is new in ``batches``; they are durable and searchable on return."""
        if not any(batches):
            last = self.state.read().last_seq
            return [AppendResult(0, 0, last) for _ in batches]
        self.state.declare()
        for _ in range(_TRIES):
            try:
                return self._store(batches)
            except Overtaken:
                continue
        raise Overtaken("other processes keep writing to this log store")

    def drain(self) -> bool:
        """Store what was offered; True when more waits."""
        if self._spool.is_empty():
            return False
        with self.lease(wait=False) as held:
            if not held:
                return False
            self.store_waiting()
            self.close_pending()
        return not self._spool.is_empty()

    def store_waiting(self) -> None:
        """Store up to 64 spooled batches; damaged ones are set aside."""
        waiting = list(self._spool.waiting(_BATCHES_A_DRAIN))
        for batch in waiting:
            if batch.events is None:
                self._around.damaged(self._spool.set_aside(batch.path).name)
        whole = [(batch.path, batch.events) for batch in waiting if batch.events is not None]
        results = self.store([events for _, events in whole])
        for (path, _), result in zip(whole, results, strict=True):
            self._spool.answer(path, result)

    def close_pending(self) -> None:
        """Tell the ledger of batches it does not have yet; what fails is tried again."""
        state = self.state.read()
        done = []
        try:
            for name in state.pending:
                found = self._batch(name)
                if found is not None:
                    self._around.closed(name, _for_ledger(found))
                done.append(name)
        except AuditUnavailable:
            pass  # logs are kept even while the ledger can't be written
        if done:
            left = tuple(name for name in state.pending if name not in set(done))
            self.state.write(replace(state, pending=left))

    def drop_before(self, instant: int, held: Sequence[tuple[int, int]] = ()) -> int:
        """Drop the days all of whose events came before ``instant``; return how many.

        Days that overlap a window of ``held`` stay.
        """
        state = self.state.read()
        if state.version is None:
            return 0
        newest = self._newest_by_day()
        old = sorted(
            name
            for name, last in newest.items()
            if last < instant and not is_held(day_of(name), held)
        )
        if not old:
            return 0
        dropped = (*state.dropped, *((day, state.last_seq) for day in old))
        self.state.write(replace(state, dropped=dropped))
        for name in old:
            self._connection.ask("DELETE", f"/{name}", none_if=(_ABSENT,))
        return len(old)

    def _store(self, batches: Sequence[Sequence[LogEvent]]) -> list[AppendResult]:
        state = self.state.begin(self.state.read(), 0)
        known, orphans = self._known(state, [e.id for batch in batches for e in batch])
        seq = state.last_seq
        fresh: list[StoredEvent] = []
        results = []
        for batch in batches:
            before = len(fresh)
            for event in batch:
                if event.id not in known:
                    known.add(event.id)
                    seq += 1
                    fresh.append(StoredEvent(seq, event))
            stored = len(fresh) - before
            results.append(AppendResult(stored, len(batch) - stored, seq))
        if fresh:
            self._commit(self.state.begin(state, len(fresh)), fresh, orphans)
        return results

    def _commit(
        self, state: State, fresh: Sequence[StoredEvent], orphans: Sequence[tuple[str, str]]
    ) -> None:
        prefix = self._connection.address.prefix
        for begin in range(0, len(orphans), _AT_ONCE):
            self._delete(orphans[begin : begin + _AT_ONCE])
        for begin in range(0, len(fresh), _AT_ONCE):
            self._renew()
            self._create(state, fresh[begin : begin + _AT_ONCE])
        days = sorted({index_of(prefix, stored.event.at) for stored in fresh})
        for begin in range(0, len(days), 50):
            path = ",".join(days[begin : begin + 50])
            self._connection.ask("POST", f"/{path}/_refresh")
        name = self._describe(fresh)
        last = fresh[-1].seq
        pending = (*state.pending, name)
        self.state.write(replace(state, last_seq=last, open=None, pending=pending))

    def _renew(self) -> None:
        """Prolong the lease; if it was lost the state's condition decides."""
        if self._held is not None:
            renewed = self._around.leases.renew(self._held, _SECONDS)
            self._held = renewed or self._held

    def _create(self, state: State, events: Sequence[StoredEvent]) -> None:
        prefix = self._connection.address.prefix
        items = []
        for stored in events:
            content = orjson.dumps(document_of(stored, self._indexing.shadow_of(stored.event)))
            bare = orjson.dumps(bare_document(stored))
            index = index_of(prefix, stored.event.at)
            items.append(Item(index, stored.event.id, content, bare))
        outcome = self._bulk.send(items)
        self._note_bare(outcome.bare)
        if outcome.conflicts:
            self._settle(state, outcome.conflicts)

    def _settle(self, state: State, conflicts: Sequence[Item]) -> None:
        """Look at documents that were there: our own by a lost answer, or a dead writer's."""
        docs = [{"_index": i.index, "_id": i.identifier, "_source": ["seq"]} for i in conflicts]
        found = self._connection.ask("POST", "/_mget", {"docs": docs})["docs"]
        foreign = []
        for item, doc in zip(conflicts, found, strict=True):
            theirs = doc.get("_source", {}).get("seq")
            ours = orjson.loads(item.content)["seq"]
            if theirs != ours and (theirs is None or state.is_broken(theirs)):
                foreign.append(item)
        if foreign:
            self._note_bare(self._bulk.send(foreign, "index").bare)

    def _delete(self, orphans: Sequence[tuple[str, str]]) -> None:
        rows = (
            orjson.dumps({"delete": {"_index": index, "_id": identifier}}) + b"\n"
            for index, identifier in orphans
        )
        self._connection.ask("POST", "/_bulk", b"".join(rows), query={"filter_path": "errors"})

    def _known(self, state: State, ids: Sequence[str]) -> tuple[set[str], list[tuple[str, str]]]:
        """Return which ids are stored, and (index, id) of those that a dead writer left."""
        known: set[str] = set()
        orphans: list[tuple[str, str]] = []
        different = list(dict.fromkeys(ids))
        path = f"/{days_of(self._connection.address.prefix)}/_search"
        for begin in range(0, len(different), _KNOWN_AT_ONCE):
            body = {
                "query": {"ids": {"values": different[begin : begin + _KNOWN_AT_ONCE]}},
                "_source": ["seq"] if state.broken else False,
                "size": _AT_ONCE,
                "track_total_hits": False,
                "sort": ["_doc"],
            }
            answer = self._connection.ask("POST", path, body, none_if=(_ABSENT,))
            for hit in answer["hits"]["hits"] if answer else ():
                if state.broken and state.is_broken(hit["_source"]["seq"]):
                    orphans.append((hit["_index"], hit["_id"]))
                else:
                    known.add(hit["_id"])
        return known, orphans

    def _describe(self, fresh: Sequence[StoredEvent]) -> str:
        """Write down what was stored, by days, before it counts."""
        prefix = self._connection.address.prefix
        by_day: dict[str, list[StoredEvent]] = {}
        for stored in fresh:
            by_day.setdefault(index_of(prefix, stored.event.at), []).append(stored)
        first, last = fresh[0].seq, fresh[-1].seq
        days = {}
        for day, events in sorted(by_day.items()):
            sha256, sm3 = digests_of(events)
            days[day] = {"events": len(events), "sha256": sha256, "sm3": sm3}
        name = f"{first:016d}-{last:016d}"
        record = {"kind": "batch", "first_seq": first, "last_seq": last, "days": days}
        self._connection.ask("PUT", f"/{state_of(prefix)}/_doc/{name}", record, query=_NOW)
        return name

    def _batch(self, name: str) -> Mapping[str, Any] | None:
        path = f"/{state_of(self._connection.address.prefix)}/_doc/{name}"
        found = self._connection.ask("GET", path, none_if=(_ABSENT,))
        return None if found is None else found["_source"]

    def _newest_by_day(self) -> dict[str, int]:
        path = f"/{days_of(self._connection.address.prefix)}/_search"
        body = {
            "size": 0,
            "aggs": {
                "days": {
                    "terms": {"field": "_index", "size": _AT_ONCE},
                    "aggs": {"newest": {"max": {"field": "ingested"}}},
                }
            },
        }
        answer = self._connection.ask("POST", path, body)
        buckets = answer.get("aggregations", {}).get("days", {}).get("buckets", ())
        return {each["key"]: int(each["newest"]["value"]) for each in buckets}

    def _note_bare(self, found: Mapping[str, str]) -> None:
        for identifier, why in found.items():
            if len(self.bare) < 100:  # noqa: PLR2004 - enough to see what is wrong
                self.bare[identifier] = why


def _for_ledger(batch: Mapping[str, Any]) -> dict[str, str | int]:
    from detectors.adapters.elastic.checking import joint_digests  # noqa: PLC0415 - crypto

    sha256, sm3 = joint_digests(batch["days"])
    return {
        "sha256": sha256,
        "sm3": sm3,
        "first_seq": batch["first_seq"],
        "last_seq": batch["last_seq"],
        "events": sum(day["events"] for day in batch["days"].values()),
        "files": len(batch["days"]),
    }
