"""The platform watches itself: what the ledger gained becomes events of the log store."""

from __future__ import annotations

import hashlib
import logging
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from detectors.core.events.identity import event_id
from detectors.core.formats.ledger import ENTRY, SOURCE, parse_act
from detectors.core.formats.record import BadLine
from detectors.models.logs import TailPosition
from detectors.ports import OwnActs, Tails
from secops.kernel.logs import LogEvent, LogStore
from secops.kernel.parts import Parts

_LOG: Final = logging.getLogger("detectors.self_watch")
_AT_ONCE: Final = 1_000
_BACK: Final = 10_000
"""Entries looked at again where a ledger was put back: more than it gains unseen."""
_STREAM: Final = "ledger"


@dataclass(frozen=True, slots=True)
class SelfWatch:
    """Follows the ledger by index; a crash in between repeats, and repeats add nothing."""

    parts: Parts
    acts: OwnActs
    store: LogStore
    tails: Tails

    def watch(self) -> bool:
        """Store what the ledger gained since the last time; True when more waits."""
        first = self._next()
        records = self.acts.records_from(first, _AT_ONCE)
        if not records:
            return False
        now = self.parts.clock.now()
        events = []
        for index, record in enumerate(records, first):
            try:
                parsed = parse_act(record)
            except BadLine:
                continue  # the ledger keeps it; it can't be searched here
            if parsed is not None:
                identifier = event_id(SOURCE, record, index)
                fields = {**parsed.fields, ENTRY: str(index)}
                events.append(LogEvent(identifier, SOURCE, parsed.at, now, fields, record))
        if events:
            self.store.append(events)
        following = TailPosition(index=first + len(records), head=_head(records[-1]))
        self.tails.advance(_STREAM, following, ())
        return len(records) == _AT_ONCE

    def _next(self) -> int:
        """Return the index to go on from: further back if what was watched last is gone.

        A ledger that was put back would else be unwatched until it is as long again. Of what
        is read twice, nothing is stored twice.
        """
        position = self.tails.position(_STREAM)
        if position.index == 0:
            return 0
        last = self.acts.records_from(position.index - 1, 1)
        if last and position.head in ("", _head(last[0])):
            return position.index
        size = bisect_left(range(position.index), True, key=self._is_beyond)  # noqa: FBT003
        first = max(0, size - _BACK)
        _LOG.warning("entry %d is not what it was: watching from %d", position.index - 1, first)
        self.tails.advance(_STREAM, TailPosition(index=first), ())
        return first

    def _is_beyond(self, index: int) -> bool:
        return not self.acts.records_from(index, 1)


def _head(record: bytes) -> str:
    return hashlib.sha256(record).hexdigest()
