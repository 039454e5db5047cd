"""Reading: the cluster is asked for a superset, the engine's evaluation decides.

A scan goes by numbers, which never change, so that it needs no snapshot and goes on where a
node failed. A search goes through a point in time, so that pages neither repeat nor miss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from detectors.adapters.elastic.batches import batch_of
from detectors.adapters.elastic.connection import Connection
from detectors.adapters.elastic.documents import SHOWN, stored_event
from detectors.adapters.elastic.dsl import Dsl, requests_of
from detectors.adapters.elastic.mapping import days_of
from detectors.adapters.elastic.state import StateDocument
from detectors.ports import Indexing, QueryEvaluator
from secops.kernel.anchors import Anchor
from secops.kernel.clock import SECOND, to_rfc3339
from secops.kernel.logs import (
    Aggregation,
    And,
    Batch,
    Bucket,
    Query,
    SourceSummary,
    StoredEvent,
    Window,
)

PAGE: Final = 1_000
SPAN: Final = 20_000
"""Numbers that a scan with an anchor covers at a time."""
_GROUPS: Final = 1_000
_MOST_BUCKETS: Final = 10_000
_ABSENT: Final = 404
_ALIVE: Final = "2m"


class Reader:
    """Reads what ``last_seq`` numbers tell of; ``scan`` trusts its caller's bounds."""

    def __init__(
        self, connection: Connection, indexing: Indexing, evaluator: QueryEvaluator
    ) -> None:
        self._connection = connection
        self._indexing = indexing
        self._evaluator = evaluator
        self._state = StateDocument(connection)
        self._path = f"/{days_of(connection.address.prefix)}"

    def last_seq(self) -> int:
        """Return the greatest number that readers may see."""
        return self._state.read().last_seq

    def scan(self, first: int, last: int, anchor: Anchor) -> Iterator[Batch]:
        """Yield the rows with first <= seq <= last, without some that ``anchor`` excludes."""
        requests = requests_of(anchor)
        if requests == [None]:
            yield from self._pages(first, last, None)
            return
        while first <= last:
            until = min(last, first + SPAN - 1)
            found: dict[int, StoredEvent] = {}
            for request in requests:
                for batch_events in self._events(first, until, request):
                    found |= {stored.seq: stored for stored in batch_events}
            looked = self._count(first, until)
            yield batch_of([found[seq] for seq in sorted(found)], scanned=looked, until=until)
            first = until + 1

    def search(
        self, query: Query, window: Window, limit: int, before: tuple[int, int] | None
    ) -> list[StoredEvent]:
        """Return matches, newest first."""
        found: list[StoredEvent] = []
        if limit < 1:
            return found
        for events in self._newest_first(query, window, before, limit):
            batch = batch_of(events)
            mask = self._evaluator.matching_rows(query, batch)
            found += [events[row] for row in np.flatnonzero(mask).tolist()]
            if len(found) >= limit:
                break
        return found[:limit]

    def get(self, ids: Sequence[str]) -> list[StoredEvent]:
        """Return the events with these ids, in the order asked."""
        found: dict[str, StoredEvent] = {}
        for begin in range(0, len(ids), _GROUPS):
            wanted = list(ids[begin : begin + _GROUPS])
            body = {
                "query": {"ids": {"values": wanted}},
                "size": _MOST_BUCKETS,
                "_source": list(SHOWN),
            }
            for stored in self._hits(body):
                found.setdefault(stored.event.id, stored)
        return [found[each] for each in ids if each in found]

    def aggregate(self, query: Query, window: Window, by: Aggregation) -> list[Bucket]:
        """Return counts; of everything the cluster counts, else the engine's evaluation."""
        if query == And(()) and not by.fields:
            return self._counted(window, by)
        counts: Counter[tuple[Any, ...]] = Counter()
        for events in self._newest_first(query, window, None, PAGE):
            batch = batch_of(events)
            mask = self._evaluator.matching_rows(query, batch)
            counts += self._evaluator.count_rows(batch, mask, by)
        return self._evaluator.buckets_of(counts, by)

    def sources(self) -> list[SourceSummary]:
        """Return what is stored of each source, by name."""
        found: list[SourceSummary] = []
        after: dict[str, Any] | None = None
        while True:
            composite: dict[str, Any] = {
                "size": _GROUPS,
                "sources": [{"source": {"terms": {"field": "source"}}}],
            }
            if after is not None:
                composite["after"] = after
            kinds = {"first": ("min", "at"), "last": ("max", "at"), "newest": ("max", "ingested")}
            inner = {name: {kind: {"field": field}} for name, (kind, field) in kinds.items()}
            groups = {"composite": composite, "aggs": inner}
            body = {"size": 0, "aggs": {"groups": groups}, "track_total_hits": False}
            answer = self._ask(body)
            page = answer.get("aggregations", {}).get("groups", {}) if answer else {}
            found += map(_summary, page.get("buckets", ()))
            after = page.get("after_key")
            if after is None:
                return sorted(found, key=lambda each: each.source)

    def _pages(self, first: int, last: int, request: Dsl | None) -> Iterator[Batch]:
        for events in self._events(first, last, request):
            yield batch_of(events)

    def _events(self, first: int, last: int, request: Dsl | None) -> Iterator[list[StoredEvent]]:
        while first <= last:
            clauses: list[Dsl] = [{"range": {"seq": {"gte": first, "lte": last}}}]
            if request is not None:
                clauses.append(request)
            body = {
                "query": {"bool": {"filter": clauses}},
                "sort": [{"seq": "asc"}],
                "size": PAGE,
                "_source": list(SHOWN),
                "track_total_hits": False,
            }
            events = self._hits(body)
            if events:
                yield events
            if len(events) < PAGE:
                return
            first = events[-1].seq + 1

    def _count(self, first: int, last: int) -> int:
        body = {"query": {"range": {"seq": {"gte": first, "lte": last}}}}
        answer = self._connection.ask("POST", f"{self._path}/_count", body, none_if=(_ABSENT,))
        return int(answer["count"]) if answer else 0

    def _newest_first(
        self, query: Query, window: Window, before: tuple[int, int] | None, hint: int
    ) -> Iterator[list[StoredEvent]]:
        """Yield pages of what may match, the newest first, as of one moment."""
        size = max(100, min(PAGE, 2 * hint))
        with self._moment() as opened:
            moment = opened
            requests = requests_of(self._indexing.query_anchor(query)) if moment else []
            request = requests[0] if len(requests) == 1 else None
            clauses: list[Dsl] = [] if request is None else [request]
            clauses += _within(window)
            after = list(before) if before is not None else None
            while moment:
                body: dict[str, Any] = {
                    "query": {"bool": {"filter": clauses}},
                    "sort": [{"at": "desc"}, {"seq": "desc"}],
                    "size": size,
                    "_source": list(SHOWN),
                    "track_total_hits": False,
                    "pit": {"id": moment, "keep_alive": _ALIVE},
                }
                if after is not None:
                    body["search_after"] = after
                answer = self._connection.ask("POST", "/_search", body)
                moment = answer.get("pit_id", moment)
                hits = answer["hits"]["hits"]
                if hits:
                    yield [stored_event(hit["_id"], hit["_source"]) for hit in hits]
                if len(hits) < size:
                    return
                after = hits[-1]["sort"][:2]
                size = min(PAGE, 2 * size)

    @contextmanager
    def _moment(self) -> Iterator[str]:
        """Hold a point in time; "" where there is no day yet."""
        path = f"{self._path}/_pit"
        opened = self._connection.ask(
            "POST", path, none_if=(_ABSENT,), query={"keep_alive": _ALIVE}
        )
        moment = opened["id"] if opened else ""
        try:
            yield moment
        finally:
            if moment:
                self._connection.mention("DELETE", "/_pit", {"id": moment})

    def _counted(self, window: Window, by: Aggregation) -> list[Bucket]:
        query = {"bool": {"filter": _within(window)}}
        if by.interval is None:
            answer = self._connection.ask(
                "POST", f"{self._path}/_count", {"query": query}, none_if=(_ABSENT,)
            )
            count = int(answer["count"]) if answer else 0
            return [Bucket((), count)] if count and by.limit else []
        buckets: list[Bucket] = []
        after: dict[str, Any] | None = None
        while len(buckets) < by.limit:
            step = {"field": "at", "interval": by.interval * SECOND}
            composite: dict[str, Any] = {
                "size": _GROUPS,
                "sources": [{"at": {"histogram": step}}],
            }
            if after is not None:
                composite["after"] = after
            body = {"size": 0, "query": query, "aggs": {"times": {"composite": composite}}}
            answer = self._ask(body)
            page = answer.get("aggregations", {}).get("times", {}) if answer else {}
            for each in page.get("buckets", ()):
                start = to_rfc3339(int(each["key"]["at"]))
                buckets.append(Bucket((start,), each["doc_count"]))
            after = page.get("after_key")
            if after is None:
                break
        return buckets[: by.limit]

    def _hits(self, body: dict[str, Any]) -> list[StoredEvent]:
        answer = self._ask(body)
        hits = answer["hits"]["hits"] if answer else []
        return [stored_event(hit["_id"], hit["_source"]) for hit in hits]

    def _ask(self, body: dict[str, Any]) -> Any:
        return self._connection.ask("POST", f"{self._path}/_search", body, none_if=(_ABSENT,))


def _within(window: Window) -> list[Dsl]:
    bounds = {"gte": window.since, "lt": window.until}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return [{"range": {"at": given}}] if given else []


def _summary(bucket: dict[str, Any]) -> SourceSummary:
    first, last, newest = (int(bucket[name]["value"]) for name in ("first", "last", "newest"))
    return SourceSummary(bucket["key"]["source"], bucket["doc_count"], first, last, newest)
