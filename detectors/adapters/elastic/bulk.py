"""Bulk requests: what fails alone is tried alone, and nothing is taken for stored that is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from detectors.adapters.elastic.connection import AGAIN, Connection, said_by
from detectors.errors import ElasticsearchUnavailable, LogStoreRefused

_BYTES: Final = 4 << 20
_ITEMS: Final = 1_000
_CREATED: Final = frozenset({200, 201})
_CONFLICT: Final = 409
_BAD: Final = 400
_SHOWN: Final = {"filter_path": "items.*.status,items.*.error"}
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Item:
    """A document to be created; ``bare`` is what is stored if the cluster won't index it."""

    index: str
    identifier: str
    content: bytes
    bare: bytes


@dataclass(slots=True)
class Outcome:
    """What became of items, by id: those that were there, and those stored without index."""

    conflicts: list[Item] = field(default_factory=list)
    bare: dict[str, str] = field(default_factory=dict)
    repeated: int = 0


class Bulk:
    """Sends items; ``create`` never overwrites, ``index`` does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pause = threading.Event()

    def send(self, items: Sequence[Item], action: str = "create") -> Outcome:
        """Store ``items`` or raise: ``ElasticsearchUnavailable``, ``LogStoreRefused``."""
        outcome = Outcome()
        for chunk in _chunks(items):
            for item, answer in self._request(chunk, action):
                if not self._settled(item, answer, outcome):
                    self._send_alone(item, action, answer, outcome)
        return outcome

    def _request(self, chunk: Sequence[Item], action: str) -> Iterator[tuple[Item, dict[str, Any]]]:
        rows = []
        for item in chunk:
            rows.append(orjson.dumps({action: {"_index": item.index, "_id": item.identifier}}))
            rows.append(item.content)
        body = b"\n".join(rows) + b"\n"
        answer = self._connection.ask("POST", "/_bulk", body, query=_SHOWN)
        found = [next(iter(each.values())) for each in answer["items"]]
        return zip(chunk, found, strict=True)

    def _settled(self, item: Item, answer: dict[str, Any], outcome: Outcome) -> bool:
        if answer["status"] in _CREATED:
            return True
        if answer["status"] == _CONFLICT:
            outcome.conflicts.append(item)
            return True
        return False

    def _send_alone(
        self, item: Item, action: str, answer: dict[str, Any], outcome: Outcome
    ) -> None:
        """Repeat one item with back-off; one that can't be indexed is stored bare."""
        deadline = time.monotonic() + self._connection.patience
        pause = _FIRST_PAUSE
        while True:
            status, said = answer["status"], said_by(answer)
            if status == _BAD and item.content != item.bare:
                outcome.bare[item.identifier] = said
                item = Item(item.index, item.identifier, item.bare, item.bare)
            elif status not in AGAIN:
                raise LogStoreRefused(f"event {item.identifier}: {status} {said}")
            elif time.monotonic() + pause > deadline:
                raise ElasticsearchUnavailable(f"it answers {status} for single events: {said}")
            else:
                self._pause.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            outcome.repeated += 1
            ((_, answer),) = self._request([item], action)
            if self._settled(item, answer, outcome):
                return


def _chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    for item in items:
        if chunk and (size + len(item.content) > _BYTES or len(chunk) >= _ITEMS):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += len(item.content)
    if chunk:
        yield chunk
