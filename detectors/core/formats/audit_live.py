"""Audit records that arrive one by one, gathered into events.

A record waits for the others of its event (``AuditJoiner`` says what ends one), but not longer
than ``WAIT``: a stream has no end that would say that nothing more comes. What waits is a value,
so that whoever fails to store a batch has it as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.core.formats.audit_events import (
    ALONE,
    MAX_BYTES,
    MAX_RECORDS,
    joined_records,
)
from detectors.core.formats.auditd import parse_auditd
from detectors.core.formats.live import inner_of, settled_time
from detectors.core.formats.record import BadLine, Context, Parsed
from detectors.core.formats.syslog import parse_syslog
from detectors.models.listening import Heard
from secops.kernel.clock import SECOND

WAIT: Final = 2 * SECOND
"""How long a record waits for the others of its event."""
MAX_WAITING: Final = 2_000
"""Events that may wait at a time; the oldest is over then."""
_SERIAL: Final = re.compile(rb"type=([A-Z0-9_\[\]]+) msg=(audit\(\d+\.\d+:\d+\)):")

Key = tuple[str, str, bytes]
"""Source, peer, and what the kernel calls the event."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records of events that are not over, in the order of the events' first records."""

    groups: Mapping[Key, tuple[Heard, ...]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many records wait."""
        return sum(map(len, self.groups.values()))


@dataclass(slots=True)
class Gatherer:
    """Takes records on top of what waits; ``left`` is what waits then."""

    groups: dict[Key, tuple[Heard, ...]]

    @classmethod
    def on(cls, waiting: Waiting) -> Gatherer:
        """Return one that begins with what waits."""
        return cls(dict(waiting.groups))

    def feed(self, source: str, message: Heard) -> list[tuple[Heard, ...]]:
        """Return the events that are over with ``message``, each as its messages."""
        found = _SERIAL.search(message.raw)
        if found is None or ALONE.fullmatch(found[1]):
            return [(message,)]
        key = (source, message.peer, found[2])
        if found[1] == b"EOE":  # it carries nothing and is no part of the event it ends
            ended = self.groups.pop(key, None)
            return [] if ended is None else [ended]
        group = (*self.groups.pop(key, ()), message)
        size = sum(len(each.raw) for each in group)
        is_full = len(group) >= MAX_RECORDS or size >= MAX_BYTES
        if found[1] == b"PROCTITLE" or is_full:
            return [group]
        over = []
        if len(self.groups) >= MAX_WAITING:
            over.append(self.groups.pop(next(iter(self.groups))))
        self.groups[key] = group
        return over

    def overdue(self, before: int) -> list[tuple[Heard, ...]]:
        """Return the events whose first record came before ``before``, which wait no more."""
        late = [key for key, group in self.groups.items() if group[0].at < before]
        return [self.groups.pop(key) for key in late]

    @property
    def left(self) -> Waiting:
        """What waits."""
        return Waiting(self.groups)


def read_live_audit(raws: Sequence[bytes], context: Context) -> Parsed | None:
    """Return the event that several received records are; None where one of them is none."""
    try:
        outers = [parse_syslog(raw, context) for raw in raws]
        texts = [str(outer.fields.get("message", "")) for outer in outers]
        joined = joined_records([parse_auditd(text.encode(), context) for text in texts])
    except BadLine:
        return None
    parsed = inner_of(outers[0], joined)
    parsed.fields["message"] = "\n".join(texts)
    return settled_time(parsed, context.arrival or 0)
