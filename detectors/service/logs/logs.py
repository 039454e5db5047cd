"""Log use cases: ingest files and batches, search, look at one event, retention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Final

from detectors.core.events.identity import LineCounter, Numbering, StreamIds, event_id
from detectors.core.formats.detect import AUTO, FORMATS
from detectors.core.formats.line import Record, Reject
from detectors.core.formats.reader import read_records
from detectors.core.formats.record import Context
from detectors.errors import EventNotFound, NothingReadable, UnknownFormat
from detectors.models.logs import Accepted, FileView, IngestOptions, IngestResult
from detectors.models.privacy import Prepared
from detectors.ports import LogFiles, LogIntake, LogSources, Rejects, RejectSink
from detectors.service.logs.log_search import read_search, record_search
from detectors.service.logs.log_settings import check_encoding, check_source_name, zone_of
from detectors.service.logs.privacy import Originals, PrivacyService
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.logs import (
    Aggregation,
    Bucket,
    LogEvent,
    LogStore,
    SourceSummary,
    StoredEvent,
    Value,
)
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_INGEST, LOG_SEARCH, LOG_SOURCE_READ
from secops.kernel.trail import Act

MAX_FOUND: Final = 10_000
_BATCH: Final = 50_000
_BATCH_BYTES: Final = 32 << 20
_RETENTION: Final = system_actor("retention")

Progress = Callable[[int], None]
"""Told how many more bytes were read."""


@dataclass(slots=True)
class _Tally:
    read: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0


class _Run:
    """One ingest: events gather over files and are stored by the batch."""

    def __init__(self, store: LogStore, sink: RejectSink, originals: Originals) -> None:
        self.tally = _Tally()
        self.originals = originals
        self.sink = sink
        self._store = store
        self._pending: list[LogEvent] = []
        self._size = 0

    def take(self, event: LogEvent, prepared: Prepared | None) -> None:
        self.tally.read += 1
        self.originals.add(event, prepared)
        self._pending.append(event)
        self._size += len(event.raw)
        if len(self._pending) >= _BATCH or self._size >= _BATCH_BYTES:
            self.flush()

    def refuse(self, place: dict[str, Any], raw: bytes) -> None:
        self.tally.read += 1
        self.tally.rejected += 1
        self.sink.write(place, raw)

    def flush(self) -> None:
        if self._pending:
            self.originals.flush()  # first: no masked event is ever without its original
            result = self._store.append(self._pending)
            self.tally.stored += result.stored
            self.tally.duplicates += result.duplicates
            self._pending, self._size = [], 0


@dataclass(frozen=True, slots=True)
class LogService:
    """Use cases on logs. ``timezone`` is for sources that say nothing of their own."""

    parts: Parts
    store: LogStore
    intake: LogIntake
    files: LogFiles
    rejects: Rejects
    sources: LogSources
    privacy: PrivacyService
    timezone: str

    def ingest_files(
        self,
        actor: Actor,
        paths: Sequence[str],
        options: IngestOptions,
        *,
        progress: Progress | None = None,
    ) -> IngestResult:
        """Store what ``paths`` hold; a bad line goes to the rejects file, never fatal.

        Raises ``NothingReadable`` when every line was refused.
        """
        self.parts.access.require(actor, LOG_INGEST, f"source:{options.source or '*'}")
        self._check(options)
        begin = self.parts.clock.monotonic()
        rejects = self.rejects.begin(self.parts.ids.new("rejects"))
        run = _Run(self.store, rejects, self.privacy.originals(actor.org_id))
        tally, sink = run.tally, run.sink
        files = self.files.find(paths)
        with closing(sink):
            for path in files:
                try:
                    with self.files.open(path) as view:
                        self._ingest_file(actor, _watched(view, progress), options, run)
                except OSError as error:
                    why = {"path": path, "reason": "unreadable", "detail": str(error)[:200]}
                    run.refuse(why, b"")
            run.flush()
        details = {"files": len(files), **asdict(tally)}
        target = f"source:{options.source or '*'}"
        self.parts.trail.append([Act("detectors.ingest_files", actor, target, details=details)])
        seconds = round(self.parts.clock.monotonic() - begin, 3)
        if tally.rejected and tally.rejected == tally.read:
            msg = f"all {tally.read} lines were refused: see {sink.path}"
            raise NothingReadable(msg, rejects_file=sink.path)
        return IngestResult(
            tally.read, tally.stored, tally.duplicates, tally.rejected, seconds, sink.path
        )

    def ingest_lines(
        self, actor: Actor, source: str, body: bytes, options: IngestOptions, *, batch: str = ""
    ) -> Accepted:
        """Take a batch of lines that an integrator sends; they are durable on return.

        A repeat of the same batch adds nothing. Lines that are equal to those of another
        batch count as new only under another ``batch`` name.
        """
        self.parts.access.require(actor, LOG_INGEST, f"source:{source}")
        self._check(options)
        self.intake.require_room()
        now = self.parts.clock.now()
        chosen, context = self._reading(actor, source, options, now)
        sink = self.rejects.begin(self.parts.ids.new("rejects"))
        originals = self.privacy.originals(actor.org_id)
        counter, events, rejected = LineCounter(), [], 0
        for item in read_records(iter((body,)), chosen, context):
            if isinstance(item, Reject):
                rejected += 1
                sink.write(place_of(source, item), item.raw)
            else:
                stream = f"{source}#{batch}" if batch else source
                events.append(event_of(item, source, stream, counter, now))
                originals.add(events[-1], item.prepared)
        sink.close()
        if events:
            originals.flush()
            self.intake.offer(events)
        details = {"accepted": len(events), "rejected": rejected, "sha256": sha256(body).hex()}
        self.parts.trail.append(
            [Act("detectors.ingest_lines", actor, f"source:{source}", details=details)]
        )
        return Accepted(len(events), rejected, sink.path)

    def search_logs(
        self,
        actor: Actor,
        query: str,
        *,
        window: tuple[str | None, str | None] = (None, None),
        limit: int = 100,
        before: tuple[int, int] | None = None,
    ) -> Sequence[StoredEvent]:
        """Return matches of the Lucene-style ``query``, newest first; the search is recorded.

        ``window`` is (since, until) as a person writes them; raises ``BadQuery``.
        """
        self.parts.access.require(actor, LOG_SEARCH, "logs:*")
        if not 1 <= limit <= MAX_FOUND:
            msg = f"limit is from 1 to {MAX_FOUND}"
            raise Invalid(msg)
        tree, span = read_search(query, window, self.timezone, self.parts.clock.now())
        record_search(self.parts, self.privacy.keys, actor, ("detectors.search_logs", query))
        return self.store.search(tree, span, limit, before)

    def count_logs(
        self,
        actor: Actor,
        query: str,
        by: Aggregation,
        *,
        window: tuple[str | None, str | None] = (None, None),
    ) -> Sequence[Bucket]:
        """Return counts of matches by field and time; the search is recorded."""
        self.parts.access.require(actor, LOG_SEARCH, "logs:*")
        tree, span = read_search(query, window, self.timezone, self.parts.clock.now())
        record_search(self.parts, self.privacy.keys, actor, ("detectors.count_logs", query))
        return self.store.aggregate(tree, span, by)

    def show_event(self, actor: Actor, event_id: str) -> StoredEvent:
        """Return one event; raise ``EventNotFound``."""
        self.parts.access.require(actor, LOG_SEARCH, f"event:{event_id[:64]}")
        found = self.store.get([event_id])
        if not found:
            msg = f"no event {event_id[:64]}"
            raise EventNotFound(msg)
        return found[0]

    def summarise_sources(self, actor: Actor) -> Sequence[SourceSummary]:
        """Return what is stored of each source."""
        self.parts.access.require(actor, LOG_SOURCE_READ, "source:*")
        return self.store.sources()

    def apply_retention(self, days: int, held: Sequence[tuple[int, int]] = ()) -> int:
        """Drop the days whose newest event arrived more than ``days`` ago; return how many.

        Days that overlap a window of ``held`` stay.
        """
        dropped = self.store.drop_before(self.parts.clock.now() - days * DAY, held)
        if dropped:
            details = {"days_dropped": dropped, "retention_days": days}
            act = Act("detectors.apply_retention", _RETENTION, "logs:*", details=details)
            self.parts.trail.append([act])
        return dropped

    def close(self) -> None:
        """Let go of the spool; what waits there is stored by whoever writes next."""
        self.intake.close()

    def _ingest_file(self, actor: Actor, view: FileView, options: IngestOptions, run: _Run) -> None:
        source = options.source or view.name
        chosen, context = self._reading(actor, source, options, view.modified)
        ids, now = StreamIds(source), self.parts.clock.now()
        for item in read_records(view.chunks, chosen, context):
            if isinstance(item, Reject):
                run.refuse(place_of(view.path, item), item.raw)
            else:
                run.take(named_event(item, ids.take(item.raw), source, now), item.prepared)

    def _check(self, options: IngestOptions) -> None:
        if options.format not in FORMATS:
            msg = f"{options.format[:40]!r}: offered are {', '.join(FORMATS)}"
            raise UnknownFormat(msg)
        zone_of(options.timezone or self.timezone)
        check_encoding(options.encoding)

    def _reading(
        self, actor: Actor, source: str, options: IngestOptions, modified: int
    ) -> tuple[str, Context]:
        """Return how a source is read: as asked, else as registered, else by default."""
        check_source_name(source)
        known = self.parts.transactions.read(lambda tx: self.sources.find(tx, actor.org_id, source))
        zone = options.timezone or (known.timezone if known else self.timezone)
        masker = self.privacy.preparer(actor.org_id, source)
        context = Context(
            zone=zone_of(zone),
            latest=modified + DAY,
            year=options.year,
            encoding=check_encoding(options.encoding or (known.encoding if known else None)),
            prepare=masker,
            sift=masker.sift,
        )
        chosen = known.format if known and options.format == AUTO else options.format
        return chosen, context


def event_of(record: Record, source: str, stream: str, counter: Numbering, now: int) -> LogEvent:
    """Return the event of a record; ``stream`` is the name under which equal lines count."""
    identifier = event_id(stream, record.raw, counter.number(record.raw))
    return named_event(record, identifier, source, now)


def named_event(record: Record, identifier: str, source: str, now: int) -> LogEvent:
    """Return the event of a record whose id is known."""
    fields: Mapping[str, Value] = record.parsed.fields
    if record.prepared is not None and record.prepared.fields:
        fields = {**fields, **record.prepared.fields}
    return LogEvent(identifier, source, record.at, now, fields, record.raw)


def place_of(path: str, reject: Reject) -> dict[str, Any]:
    """Return where and why a line was refused, for the rejects file."""
    return {
        "path": path,
        "line": reject.index + 1,
        "offset": reject.offset,
        "length": reject.length,
        "reason": reject.reason,
        "detail": reject.detail,
    }


def _watched(view: FileView, progress: Progress | None) -> FileView:
    if progress is None:
        return view

    def chunks() -> Iterator[bytes]:
        for chunk in view.chunks:
            yield chunk
            progress(len(chunk))

    return FileView(view.name, view.path, view.size, view.modified, chunks())
