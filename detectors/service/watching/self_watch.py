"""The platform watches itself: what the ledger gained becomes events of the log store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.core.events.identity import event_id
from detectors.core.formats.ledger import ENTRY, SOURCE, parse_act
from detectors.core.formats.record import BadLine
from detectors.models.logs import TailPosition
from detectors.ports import OwnActs, Tails
from secops.kernel.logs import LogEvent, LogStore
from secops.kernel.parts import Parts

_AT_ONCE: Final = 1_000
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
        first = self.tails.position(_STREAM).index
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
        self.tails.advance(_STREAM, TailPosition(index=first + len(records)), ())
        return len(records) == _AT_ONCE
