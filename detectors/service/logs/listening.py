"""What the syslog listeners hear becomes events: read, given to its source, durable."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from detectors.core.events.identity import ArrivalCounter
from detectors.core.formats.audit_live import WAIT, Gatherer, Waiting, read_live_audit
from detectors.core.formats.line import Record
from detectors.core.formats.live import header_host, read_live
from detectors.core.formats.record import Context
from detectors.core.peers import Candidates, PeerTable, choose
from detectors.errors import ListenerFailed
from detectors.models.listening import QUARANTINE, Endpoint, Heard, ListenerCounts
from detectors.models.logs import LogSource
from detectors.ports import ListenerNotes, Listeners, LogIntake, LogSources, SourceHealths
from detectors.service.logs.log_settings import check_encoding, zone_of
from detectors.service.logs.logs import event_of
from detectors.service.logs.privacy import Originals, PrivacyService
from secops.kernel.actors import ROOT_ORG, system_actor
from secops.kernel.clock import DAY
from secops.kernel.logs import LogEvent
from secops.kernel.parts import Parts
from secops.kernel.trail import Act

_ACTOR: Final = system_actor("listeners")
_LISTENERS: Final = "listeners:syslog"
_AUDIT: Final = "auditd"
_FOREVER: Final = 1 << 62
_REFRESH_SECONDS: Final = 2.0
MAX_STRANGERS: Final = 1_000
"""Unknown peers that are counted one by one."""


@dataclass(slots=True)
class _State:
    """What one process knows: who may speak, the number of the next line, unknown peers."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    stream: str = ""
    numbers: ArrivalCounter = field(default_factory=ArrivalCounter)
    read_at: float | None = None
    table: PeerTable = field(default_factory=lambda: PeerTable(()))
    strangers: Counter[str] = field(default_factory=Counter)
    waiting: Waiting = field(default_factory=Waiting)


@dataclass(slots=True)
class _Batch:
    """What one batch has in common: how each source is read, originals that are kept."""

    contexts: dict[str, Context] = field(default_factory=dict)
    arrivals: dict[tuple[str, int], Context] = field(default_factory=dict)
    candidates: dict[tuple[str, str], Candidates] = field(default_factory=dict)
    originals: dict[str, Originals] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SyslogIntake:
    """Implements ``ports.SyslogSink``. ``timezone`` is for what unknown peers send."""

    parts: Parts
    intake: LogIntake
    sources: LogSources
    healths: SourceHealths
    privacy: PrivacyService
    timezone: str
    _state: _State = field(default_factory=_State)

    def take(self, heard: Sequence[Heard]) -> int:
        """Make messages durable and return how many; raises ``SpoolFull`` and its kin.

        Each message is an event of its own, equal or not: a stream that nobody can read again
        has no repeats. A batch that is stored twice after a crash carries the same ids. Records of
        an audit event wait up to ``WAIT`` in memory for the others; who is killed then loses them.
        """
        return self._keep(heard, self.parts.clock.now() - WAIT)

    def overdue(self, *, everything: bool = False) -> int:
        """Make durable what waited too long for more of its event, or ``everything``."""
        if not self._state.waiting.groups:
            return 0
        return self._keep((), _FOREVER if everything else self.parts.clock.now() - WAIT)

    def waiting(self) -> int:
        """Return how many messages wait for others of their event: they are not durable yet."""
        return self._state.waiting.count

    def _keep(self, heard: Sequence[Heard], before: int) -> int:
        """Make durable what is whole with ``heard`` or waits since ``before``; return how much.

        Where that fails everything waits as before, and ``heard`` comes again.
        """
        self.intake.require_room()
        with self._state.lock:
            self._refresh()
            batch = _Batch()
            gatherer = Gatherer.on(self._state.waiting)
            over: list[tuple[LogSource | None, tuple[Heard, ...]]] = []
            for message in heard:
                source = self._source(message, batch)
                if source is None or source.format != _AUDIT:
                    over.append((source, (message,)))
                    continue
                over += [
                    (source if group[-1] is message else self._source(group[0], batch), group)
                    for group in gatherer.feed(source.name, message)
                ]
            over += [(self._source(g[0], batch), g) for g in gatherer.overdue(before)]
            loud = self.privacy.recognition.scanner.suspects([group[0].raw for _, group in over])
            events: list[LogEvent] = []
            for number, (source, group) in enumerate(over):
                if len(group) == 1 and number not in loud:
                    events.append(self._event(source, group[0], batch, quiet=True))
                else:
                    events += self._events(source, group, batch)
            for originals in batch.originals.values():
                originals.flush()
            if events:
                self.intake.offer(events)
            waited, self._state.waiting = self._state.waiting.count, gatherer.left
            return waited + len(heard) - self._state.waiting.count

    def drop(self, peer: str, count: int) -> None:
        """Count messages of ``peer`` that could not be taken ("": the kernel knows not whose)."""
        with self._state.lock:
            self._refresh()
            source = choose(self._state.table.candidates(peer), "")
        name = source.name if source else QUARANTINE
        org = source.org_id if source else ROOT_ORG
        self.parts.transactions.run(lambda tx: self.healths.add(tx, org, {name: (0, count)}))

    def strangers(self) -> dict[str, int]:
        """Return how many messages each unknown peer has sent, the loudest first."""
        return dict(self._state.strangers.most_common(MAX_STRANGERS))

    def _refresh(self) -> None:
        state, now = self._state, self.parts.clock.monotonic()
        if not state.stream:
            state.stream = f"listen\n{self.parts.randomness.bytes(16).hex()}"
        if state.read_at is None or now - state.read_at >= _REFRESH_SECONDS:
            known = self.parts.transactions.read(lambda tx: self.sources.list(tx, None))
            state.table, state.read_at = PeerTable(known), now

    def _events(
        self, source: LogSource | None, group: tuple[Heard, ...], batch: _Batch
    ) -> list[LogEvent]:
        """Return the messages of one event as that event; each alone where they don't fit."""
        if len(group) > 1:
            context = self._context(source, batch, group[0].at)
            written = b"\n".join(message.raw for message in group)
            prepared = None if context.prepare is None else context.prepare(written)
            parts = (written if prepared is None else prepared.raw).split(b"\n")
            joined = read_live_audit(parts, context) if len(parts) == len(group) else None
            if joined is not None:
                raw = b"\n".join(parts)
                return [
                    self._named(source, group, Record(0, raw, joined.at, joined, prepared), batch)
                ]
        return [self._event(source, message, batch) for message in group]

    def _event(
        self, source: LogSource | None, message: Heard, batch: _Batch, *, quiet: bool = False
    ) -> LogEvent:
        """Return one message as an event; a ``quiet`` one is known to hold nothing to prepare."""
        context = self._context(source, batch, message.at)
        asked = None if quiet else context.prepare
        prepared = None if asked is None else asked(message.raw)
        raw = message.raw if prepared is None else prepared.raw
        parsed = read_live(raw, source.format if source else "auto", context)
        record = Record(0, raw, parsed.at, parsed, prepared)
        return self._named(source, (message,), record, batch)

    def _named(
        self, source: LogSource | None, group: tuple[Heard, ...], record: Record, batch: _Batch
    ) -> LogEvent:
        """Return a record as an event, with where its messages came from."""
        name, (message, *_) = source.name if source else QUARANTINE, group
        fields = record.parsed.fields
        fields["log.source.address"] = message.peer
        fields["log.source.transport"] = message.transport
        if message.name:
            fields["tls.client.x509.subject.common_name"] = message.name
        if any(each.cut for each in group):
            fields["log.flags"] = "truncated"
        stream = f"{name}\n{self._state.stream}"
        event = event_of(record, name, stream, self._state.numbers, message.at)
        if record.prepared is not None and record.prepared.original is not None:
            org = source.org_id if source else ROOT_ORG
            kept = batch.originals.setdefault(org, self.privacy.originals(org))
            kept.add(event, record.prepared)
        return event

    def _source(self, message: Heard, batch: _Batch) -> LogSource | None:
        key = (message.peer, message.name)
        candidates = batch.candidates.get(key)
        if candidates is None:
            candidates = batch.candidates[key] = self._state.table.candidates(*key)
        if not candidates:
            strangers = self._state.strangers
            if message.peer in strangers or len(strangers) < MAX_STRANGERS:
                strangers[message.peer] += 1
            return None
        host = ""
        if any(hosts for hosts, _ in candidates):
            host = header_host(message.raw, self._context(None, batch, message.at))
        return choose(candidates, host)

    def _context(self, source: LogSource | None, batch: _Batch, at: int) -> Context:
        """Return how a source's lines that came in at ``at`` are read."""
        org, name = (source.org_id, source.name) if source else (ROOT_ORG, QUARANTINE)
        key = f"{org}\n{name}"
        timed = batch.arrivals.get((key, at))
        if timed is not None:
            return timed
        context = batch.contexts.get(key)
        if context is None:
            context = batch.contexts[key] = Context(
                zone=zone_of(source.timezone if source else self.timezone),
                latest=0,
                encoding=check_encoding(source.encoding if source else None),
                prepare=self.privacy.preparer(org, name),
            )
        timed = replace(context, arrival=at, latest=at + DAY)
        batch.arrivals[key, at] = timed
        return timed


@dataclass(frozen=True, slots=True)
class ListeningService:
    """Opens and closes the listeners of this process; only the scheduler's does."""

    parts: Parts
    listeners: Listeners
    intake: SyslogIntake
    notes: ListenerNotes

    def start_listeners(self) -> Sequence[Endpoint]:
        """Open them and return where they listen; raises ``ListenerFailed``. It is recorded."""
        try:
            opened = self.listeners.start()
        except ListenerFailed as failed:
            self.notes.note((), failed.detail)
            act = Act("detectors.start_listeners", _ACTOR, _LISTENERS, "failed")
            self.parts.trail.append([act])
            raise
        self.notes.note(opened)
        if opened:
            places = [f"{each.transport} {each.host} {each.port}" for each in opened]
            self._record("detectors.start_listeners", {"endpoints": "; ".join(places)})
        return opened

    def stop_listeners(self) -> None:
        """Close them; what was heard is stored first. What they did is recorded."""
        self.listeners.stop()
        self.notes.forget()
        counts = self.listeners.counts()
        if counts.heard or counts.dropped or counts.refused:
            self._record("detectors.stop_listeners", asdict(counts))

    def listener_counts(self) -> ListenerCounts:
        """Return what the listeners of this process have done."""
        return self.listeners.counts()

    def _record(self, action: str, details: Mapping[str, str | int]) -> None:
        act = Act(action, _ACTOR, _LISTENERS, details=details)
        self.parts.trail.append([act])
