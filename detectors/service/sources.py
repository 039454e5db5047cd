"""Log sources: registered by the system administrator; followed ones are read as they grow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from detectors.core.events.identity import LineCounter, line_key
from detectors.core.formats.detect import EVTX, FORMATS
from detectors.core.formats.reader import Reject, read_lines, read_piece
from detectors.core.formats.record import Context
from detectors.errors import SourceExists, SourceNotFound, UnknownFormat
from detectors.models.logs import LogSource
from detectors.ports import LogSources, Rejects, Tails
from detectors.service.log_settings import check_encoding, check_source_name, zone_of
from detectors.service.logs import event_of, place_of
from detectors.service.privacy import PrivacyService
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_INGEST, LOG_SOURCE_CHANGE, LOG_SOURCE_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_MAX_PATH: Final = 4_096


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
    own: Callable[[], Sequence[LogSource]] = tuple
    """The platform's own logs: it watches itself."""

    def follow_all(self) -> bool:
        """Read what is new in every followed source; True when more waits."""
        stored = self.parts.transactions.read(lambda tx: self.sources.list(tx, None))
        registered = [*self.own(), *stored]
        waiting = 0
        for source in registered:
            if source.follow and self.tail_file(source):
                waiting += 1
        return waiting > 0

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
        prepare = self.privacy.preparer(source.org_id, source.name)
        originals = self.privacy.originals(source.org_id)
        encoding = check_encoding(source.encoding)
        latest = piece.modified + DAY
        context = Context(zone_of(source.timezone), latest, None, encoding, prepare)
        counter = LineCounter()
        counter.restore(self.tails.line_keys(_stream(source)))
        sink = self.rejects.begin(self.parts.ids.new("rejects"))
        events, keys, now = [], [], self.parts.clock.now()
        lines = list(read_lines((piece.content,), piece.first_index, piece.first_offset))
        for item in read_piece(lines, source.format, context):
            if isinstance(item, Reject):
                sink.write(place_of(source.path or source.name, item), item.raw)
            else:
                keys.append(line_key(item.raw))
                events.append(event_of(item, source.name, source.name, counter, now))
                originals.add(events[-1], item.prepared)
        sink.close()
        if events:
            originals.flush()
            self.store.append(events)
        self.tails.advance(_stream(source), piece.position, keys)
        return piece.more


def _stream(source: LogSource) -> str:
    """Return the name of what is followed: a source may lie in several files."""
    return f"{source.name}\n{source.path}"


def _check(source: LogSource) -> None:
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
