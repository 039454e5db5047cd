"""Log sources: registered by the system administrator; followed ones are read as they grow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from detectors.core.events.identity import LineCounter, line_key
from detectors.core.formats.detect import EVTX, FORMATS
from detectors.core.formats.line import Line, Record, Reject
from detectors.core.formats.reader import read_lines, read_piece
from detectors.core.formats.record import Context
from detectors.core.peers import BadPeer, check_peers
from detectors.errors import SourceExists, SourceNotFound, UnknownFormat
from detectors.models.logs import LogSource, SourceChanges, TailPosition
from detectors.ports import LogSources, Rejects, SourceHealths, Tails
from detectors.service.logs.log_settings import check_encoding, check_source_name, zone_of
from detectors.service.logs.logs import event_of, place_of
from detectors.service.logs.privacy import PrivacyService
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_INGEST, LOG_SOURCE_CHANGE, LOG_SOURCE_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_LOG: Final = logging.getLogger("detectors.sources")
_MAX_PATH: Final = 4_096
_MAX_HOSTS: Final = 4_096
_MAX_OWNER: Final = 200
_LEAST_SILENCE: Final = 10
_MOST_SILENCE: Final = 90 * 86_400
QUIET: Final = 2 * SECOND
"""After this silence a file's last event is taken as it is: nothing more of it will come."""
MAX_KEPT: Final = 200_000
"""Lines of a stream whose numbers stay in memory between two looks."""
MAX_STREAMS: Final = 8


@dataclass(frozen=True, slots=True)
class SourceService:
    """Use cases on log sources."""

    parts: Parts
    sources: LogSources

    def add_source(self, actor: Actor, source: LogSource) -> LogSource:
        """Register ``source`` in the actor's organisation; raise ``SourceExists``."""
        self.parts.access.require(actor, LOG_SOURCE_CHANGE, f"source:{source.name}")
        _check(source)
        kept = replace(
            source, org_id=actor.org_id, created_at=self.parts.clock.now(), created_by=actor.id
        )
        details = {
            name: value for name, value in asdict(kept).items() if name not in ("org_id", "name")
        }

        def work(tx: Transaction) -> None:
            if not self.sources.add(tx, kept):
                msg = f"{source.name!r} is registered already"
                raise SourceExists(msg)
            tx.record(Act("detectors.add_source", actor, f"source:{kept.name}", details=details))

        self.parts.transactions.run(work)
        return kept

    def change_source(self, actor: Actor, name: str, changes: SourceChanges) -> LogSource:
        """Change what ``changes`` names of a source; raise ``SourceNotFound``, ``Invalid``."""
        self.parts.access.require(actor, LOG_SOURCE_CHANGE, f"source:{name}")

        def work(tx: Transaction) -> LogSource:
            known = self.sources.find(tx, actor.org_id, name)
            if known is None:
                msg = f"no source {name[:100]!r}"
                raise SourceNotFound(msg)
            changed = changes.of(known)
            _check(changed)
            self.sources.change(tx, changed)
            details = dict(changes.values)
            tx.record(Act("detectors.change_source", actor, f"source:{name}", details=details))
            return changed

        return self.parts.transactions.run(work)

    def remove_source(self, actor: Actor, name: str) -> None:
        """Forget a source; what it sent stays. Raise ``SourceNotFound``."""
        self.parts.access.require(actor, LOG_SOURCE_CHANGE, f"source:{name}")

        def work(tx: Transaction) -> None:
            if not self.sources.remove(tx, actor.org_id, name):
                msg = f"no source {name[:100]!r}"
                raise SourceNotFound(msg)
            tx.record(Act("detectors.remove_source", actor, f"source:{name}"))

        self.parts.transactions.run(work)

    def list_sources(self, actor: Actor) -> Sequence[LogSource]:
        """Return the organisation's registered sources, by name."""
        self.parts.access.require(actor, LOG_SOURCE_READ, "source:*")
        return self.parts.transactions.read(lambda tx: self.sources.list(tx, actor.org_id))


@dataclass(frozen=True, slots=True)
class Follower:
    """Reads followed files as they grow.

    Stored first, then the position is made durable: a crash in between reads the same lines
    again under the same ids, and the store knows them.
    """

    parts: Parts
    sources: LogSources
    store: LogStore
    tails: Tails
    rejects: Rejects
    privacy: PrivacyService
    healths: SourceHealths
    own: Callable[[], Sequence[LogSource]] = tuple
    """The platform's own logs: it watches itself."""
    _counters: dict[str, tuple[TailPosition, LineCounter]] = field(default_factory=dict)

    def follow_all(self) -> bool:
        """Read what is new in every followed source; True when more waits.

        A source that can't be read now is named in the log and tried again; the others go on.
        """
        stored = self.parts.transactions.read(lambda tx: self.sources.list(tx, None))
        waiting = False
        for source in [*self.own(), *stored]:
            if not source.follow:
                continue
            try:
                waiting = self.tail_file(source) or waiting
            except (OSError, SecopsError) as error:
                _LOG.warning("source %s can't be followed now: %s", source.name, error)
        return waiting

    def follow_file(self, actor: Actor, source: LogSource) -> bool:
        """Read a piece of what is new in a file that somebody follows by hand."""
        self.parts.access.require(actor, LOG_INGEST, f"source:{source.name}")
        _check(source)
        return self.tail_file(source)

    def tail_file(self, source: LogSource) -> bool:
        """Read a piece of what is new in ``source``; True when more waits."""
        piece = None if source.path is None else self.tails.read(_stream(source), source.path)
        if piece is None:
            return False
        stream = _stream(source)
        lines = list(read_lines((piece.content,), piece.first_index, piece.first_offset))
        masker = self.privacy.preparer(source.org_id, source.name)
        now = self.parts.clock.now()
        context = Context(
            zone=zone_of(source.timezone),
            latest=piece.modified + DAY,
            encoding=check_encoding(source.encoding),
            prepare=masker,
            sift=masker.sift,
        )
        final = not piece.grows or now - piece.modified > QUIET
        items, taken = read_piece(lines, source.format, context, final=final)
        if not taken and lines:
            return False  # it begins what isn't whole yet
        position = piece.position if taken == len(lines) else _before(lines[taken], piece.position)
        before = self.tails.position(stream)
        counter = self._counter(stream, before)
        keys = self._store(source, items, counter, now)
        self.tails.advance(stream, position, keys)
        if position.generation == before.generation:  # else the oldest file is forgotten now
            self._keep(stream, position, counter)
        return piece.more

    def _store(
        self, source: LogSource, items: Sequence[Record | Reject], counter: LineCounter, now: int
    ) -> list[bytes]:
        """Store the events of ``items`` and return the keys of their lines."""
        originals = self.privacy.originals(source.org_id)
        sink = self.rejects.begin(self.parts.ids.new("rejects"))
        events, keys, rejected = [], [], 0
        for item in items:
            if isinstance(item, Reject):
                rejected += 1
                sink.write(place_of(source.path or source.name, item), item.raw)
            else:
                keys.append(line_key(item.raw))
                events.append(event_of(item, source.name, source.name, counter, now))
                originals.add(events[-1], item.prepared)
        sink.close()
        if events:
            originals.flush()
            self.store.append(events)
        if rejected:
            counts = {source.name: (rejected, 0)}
            self.parts.transactions.run(lambda tx: self.healths.add(tx, source.org_id, counts))
        return keys

    def _counter(self, stream: str, position: TailPosition) -> LineCounter:
        """Return the numbers of the stream's lines so far; kept while nobody else moves it."""
        known = self._counters.pop(stream, None)
        if known is not None and known[0] == position:
            return known[1]
        counter = LineCounter()
        counter.restore(self.tails.line_keys(stream))
        return counter

    def _keep(self, stream: str, position: TailPosition, counter: LineCounter) -> None:
        """Keep the numbers for the next piece, unless they are many."""
        if len(counter) <= MAX_KEPT:
            while len(self._counters) >= MAX_STREAMS:
                del self._counters[next(iter(self._counters))]
            self._counters[stream] = (position, counter)


def _before(line: Line, position: TailPosition) -> TailPosition:
    """Return the position at the beginning of ``line``."""
    return replace(position, offset=line.offset, index=line.index, skipping=False)


def _stream(source: LogSource) -> str:
    """Return the name of what is followed: a source may lie in several files."""
    return f"{source.name}\n{source.path}"


def _check(source: LogSource) -> None:
    _check_reading(source)
    try:
        check_peers(source.peers)
    except BadPeer as bad:
        raise Invalid(str(bad)) from bad
    if len(source.hosts) > _MAX_HOSTS or not source.hosts.isprintable():
        msg = f"hosts are names separated by commas, at most {_MAX_HOSTS} characters"
        raise Invalid(msg)
    if len(source.owner) > _MAX_OWNER or not (source.owner.isprintable() or not source.owner):
        msg = f"the owner has at most {_MAX_OWNER} printable characters"
        raise Invalid(msg)
    silence = source.expected_silence
    if silence is not None and not _LEAST_SILENCE <= silence <= _MOST_SILENCE:
        msg = f"the expected silence is {_LEAST_SILENCE} to {_MOST_SILENCE} seconds"
        raise Invalid(msg)


def _check_reading(source: LogSource) -> None:
    check_source_name(source.name)
    zone_of(source.timezone)
    check_encoding(source.encoding)
    if source.format not in FORMATS or (source.follow and source.format == EVTX):
        msg = f"{source.format[:40]!r} is not a format that can be followed or read"
        raise UnknownFormat(msg)
    if source.follow and not source.path:
        msg = "a followed source needs a path"
        raise Invalid(msg)
    if source.path is not None and (len(source.path) > _MAX_PATH or "\0" in source.path):
        msg = "the path is not one"
        raise Invalid(msg)
    if source.follow and (source.encoding or "").lower().replace("_", "-").startswith("utf-16"):
        msg = "a UTF-16 file can be ingested, not followed"
        raise Invalid(msg)
