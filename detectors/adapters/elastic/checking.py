"""Are the documents what was stored? Digests are computed anew from what the cluster returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from detectors.adapters.elastic.connection import Connection
from detectors.adapters.elastic.documents import SHOWN, digests_of, stored_event
from detectors.adapters.elastic.mapping import state_of
from detectors.adapters.elastic.state import State, StateDocument
from detectors.models.logs import SegmentCheck
from secops.kernel.logs import StoredEvent

_PAGE: Final = 1_000
_ABSENT: Final = 404
Batch = Mapping[str, Any]


def joint_digests(days: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Return SHA-256 and SM3 over the digests of a batch's days."""
    from secops.crypto.hashes import sha256, sm3  # noqa: PLC0415 - crypto loads engines

    listing = orjson.dumps(
        [[day, each["events"], each["sha256"], each["sm3"]] for day, each in sorted(days.items())]
    )
    return sha256(listing).hex(), sm3(listing).hex()


class ElasticFiles:
    """Implements ``ports.SegmentFiles`` over the batches of a cluster."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._state = StateDocument(connection)

    def check_segments(self) -> Iterator[SegmentCheck]:
        """Yield each batch with the digests that its events have now.

        A day that the retention dropped counts with the digest it had.
        """
        state = self._state.read()
        for name, batch in batches_of(self._connection):
            if not state.is_broken(batch["first_seq"]):
                yield self._check(name, batch, state)

    def _check(self, name: str, batch: Batch, state: State) -> SegmentCheck:
        problem = None
        now: dict[str, Mapping[str, Any]] = {}
        for day, written in batch["days"].items():
            if state.was_dropped(day, batch["last_seq"]):
                now[day] = written
                continue
            events = self._events(day, batch)
            sha256, sm3 = digests_of(events)
            now[day] = {"events": len(events), "sha256": sha256, "sm3": sm3}
            if now[day] != written and problem is None:
                problem = f"{day}: {written['events']} events were stored, {len(events)} are there"
                if len(events) == written["events"]:
                    problem = f"events of {day} were changed"
        sha256, sm3 = joint_digests(now)
        count = sum(each["events"] for each in now.values())
        return SegmentCheck(name, count, sha256, sm3, problem)

    def _events(self, day: str, batch: Batch) -> list[StoredEvent]:
        events: list[StoredEvent] = []
        following = batch["first_seq"]
        while True:
            body = {
                "query": {"range": {"seq": {"gte": following, "lte": batch["last_seq"]}}},
                "sort": [{"seq": "asc"}],
                "size": _PAGE,
                "_source": list(SHOWN),
                "track_total_hits": False,
            }
            answer = self._connection.ask("POST", f"/{day}/_search", body, none_if=(_ABSENT,))
            hits = answer["hits"]["hits"] if answer else []
            events += [stored_event(hit["_id"], hit["_source"]) for hit in hits]
            if len(hits) < _PAGE:
                return events
            following = events[-1].seq + 1


def batches_of(connection: Connection) -> Iterator[tuple[str, Batch]]:
    """Yield what the writers wrote down, by number."""
    path = f"/{state_of(connection.address.prefix)}/_search"
    after: list[int] | None = None
    while True:
        body: dict[str, Any] = {
            "query": {"term": {"kind": "batch"}},
            "sort": [{"first_seq": "asc"}],
            "size": _PAGE,
            "track_total_hits": False,
        }
        if after is not None:
            body["search_after"] = after
        answer = connection.ask("POST", path, body, none_if=(_ABSENT,))
        hits = answer["hits"]["hits"] if answer else []
        for hit in hits:
            yield hit["_id"], hit["_source"]
        if len(hits) < _PAGE:
            return
        after = hits[-1]["sort"]
