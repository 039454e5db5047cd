"""What shippers send in Elasticsearch's bulk form: durable when it is acknowledged."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from detectors.core.bulk.actions import BadBulk, BulkItem, read_bulk
from detectors.core.bulk.documents import read_document
from detectors.core.events.identity import LineCounter, NamedOnce
from detectors.core.formats.line import Record
from detectors.core.formats.record import BadLine, Context
from detectors.errors import BulkRejected, BulkTooLarge
from detectors.models.logs import LogSource
from detectors.models.privacy import Prepared
from detectors.ports import LogIntake, LogSources, Rejects, RejectSink, SourceHealths
from detectors.service.logs.log_settings import check_encoding, check_source_name, zone_of
from detectors.service.logs.logs import event_of
from detectors.service.logs.privacy import Originals, PrivacyService
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.logs import LogEvent
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_INGEST
from secops.kernel.trail import Act

MAX_UNPACKED: Final = 32 << 20
"""Bytes of a body after unpacking: a small one may hold gigabytes."""
_GZIP: Final = 31
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """The answer: ``items`` as Elasticsearch words them, in the order they came."""

    took: int
    errors: bool
    items: list[dict[str, Any]]


@dataclass(slots=True)
class _Taking:
    """One request: events gather, items are answered when all of them are durable."""

    actor: Actor
    now: int
    sink: RejectSink
    originals: Originals
    counter: LineCounter = field(default_factory=LineCounter)
    contexts: dict[str, tuple[str, Context]] = field(default_factory=dict)
    events: list[LogEvent] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    errors: bool = False
    seen: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ShippingService:
    """Takes bulk requests of integrators' clients. ``timezone`` is for unregistered sources."""

    parts: Parts
    intake: LogIntake
    sources: LogSources
    healths: SourceHealths
    rejects: Rejects
    privacy: PrivacyService
    timezone: str

    def require_room(self) -> None:
        """Raise ``SpoolFull`` where a shipper would have to wait now."""
        self.intake.require_room()

    def ship_logs(
        self,
        actor: Actor,
        body: bytes,
        *,
        index: str | None = None,
        pipeline: str | None = None,
        encoding: str = "",
    ) -> BulkAnswer:
        """Make the documents of ``body`` durable; an item's index is its source.

        Nothing is acknowledged before the spool is synced. Raises ``BulkRejected`` where the
        body is not of this form, ``BulkTooLarge``, ``SpoolFull`` (come back later).
        """
        self.parts.access.require(actor, LOG_INGEST, f"source:{index or '*'}")
        begin = self.parts.clock.monotonic()
        self.intake.require_room()
        plain = unpacked(body, encoding)
        sink = self.rejects.begin(self.parts.ids.new("rejects"))
        originals = self.privacy.originals(actor.org_id)
        taking = _Taking(actor, self.parts.clock.now(), sink, originals)
        try:
            for item in read_bulk(plain, index, pipeline):
                self._take(taking, item)
        except BadBulk as bad:
            raise BulkRejected(str(bad)) from bad
        finally:
            sink.close()
        if taking.events:
            originals.flush()
            self.intake.offer(taking.events)
        self._record(taking, plain)
        took = int((self.parts.clock.monotonic() - begin) * 1_000)
        return BulkAnswer(took, taking.errors, taking.items)

    def _take(self, taking: _Taking, item: BulkItem) -> None:
        if item.problem is not None:
            self._refuse(taking, item, *item.problem)
            return
        try:
            format_name, context = self._reading(taking, item.index)
        except Invalid as error:
            self._refuse(taking, item, "invalid_index_name_exception", error.detail)
            return
        prepared = None if context.prepare is None else context.prepare(item.document)
        raw = item.document if prepared is None else prepared.raw
        try:
            parsed = read_document(raw, format_name, context)
        except BadLine as bad:
            self._refuse(taking, item, "document_parsing_exception", str(bad))
            return
        record = Record(len(taking.items), raw, parsed.at, parsed, prepared)
        event = _event(taking, item, record)
        if event.id in taking.seen:
            self._conflict(taking, item, event.id)
            return
        taking.originals.add(event, prepared)
        taking.seen.add(event.id)
        taking.events.append(event)
        about = {"_index": item.index, "_id": item.identifier or event.id, "_version": 1}
        taking.items.append({item.action: {**about, "result": "created", "status": 201}})

    def _reading(self, taking: _Taking, index: str) -> tuple[str, Context]:
        """Return how documents of a source are read, looked up once a request."""
        known = taking.contexts.get(index)
        if known is None:
            check_source_name(index)
            self.parts.access.require(taking.actor, LOG_INGEST, f"source:{index}")
            org = taking.actor.org_id
            source = self.parts.transactions.read(lambda tx: self.sources.find(tx, org, index))
            known = self._context(source, taking.now, self.privacy.preparer(org, index))
            taking.contexts[index] = known
        return known

    def _context(
        self, source: LogSource | None, now: int, prepare: Callable[[bytes], Prepared]
    ) -> tuple[str, Context]:
        context = Context(
            zone=zone_of(source.timezone if source else self.timezone),
            latest=now + DAY,
            encoding=check_encoding(source.encoding if source else None),
            prepare=prepare,
        )
        return (source.format if source else "auto"), context

    def _conflict(self, taking: _Taking, item: BulkItem, identifier: str) -> None:
        """Answer a second document of one id: what was stored first stays."""
        shown = item.identifier or identifier
        kind = "version_conflict_engine_exception"
        reason = f"[{shown}]: version conflict, document already exists"
        error = {"type": kind, "reason": reason}
        about = {"_index": item.index, "_id": shown, "status": 409, "error": error}
        taking.items.append({item.action: about})
        taking.errors = True

    def _refuse(self, taking: _Taking, item: BulkItem, kind: str, reason: str) -> None:
        about = {"_index": item.index, "_id": item.identifier, "status": 400}
        taking.items.append({item.action: {**about, "error": {"type": kind, "reason": reason}}})
        taking.rejected[item.index] = taking.rejected.get(item.index, 0) + 1
        taking.errors = True
        place = {"path": item.index, "line": len(taking.items), "reason": kind, "detail": reason}
        taking.sink.write(place, item.document)

    def _record(self, taking: _Taking, plain: bytes) -> None:
        """Note the batch in the ledger, and what was refused with its source."""
        if taking.rejected:
            org = taking.actor.org_id
            counts = {name: (count, 0) for name, count in taking.rejected.items() if name}
            self.parts.transactions.run(lambda tx: self.healths.add(tx, org, counts))
        details = {
            "accepted": len(taking.events),
            "rejected": sum(taking.rejected.values()),
            "sources": len(taking.contexts),
            "sha256": sha256(plain).hex(),
        }
        names = sorted(taking.contexts)
        target = f"source:{names[0]}" if len(names) == 1 else "source:*"
        act = Act("detectors.ship_logs", taking.actor, target, details=details)
        self.parts.trail.append([act])


def _event(taking: _Taking, item: BulkItem, record: Record) -> LogEvent:
    """Return the event of an item; who sends decides within his own stream only.

    A document that comes again (a retry, under its own id or with the same content) is the
    same event; equal documents within one request stay apart.
    """
    stream = f"{item.index}\n_bulk\n{taking.actor.id}"
    if item.identifier is None:
        return event_of(record, item.index, stream, taking.counter, taking.now)
    named = f"{stream}\n{item.identifier}"
    return event_of(record, item.index, named, NamedOnce(), taking.now)


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return ``body`` without its Content-Encoding; raise ``BulkTooLarge``, ``BulkRejected``."""
    if encoding in ("", "identity"):
        return _bounded(iter((body,)))
    if encoding != "gzip":
        msg = f"Content-Encoding {encoding[:40]!r} is not gzip"
        raise BulkRejected(msg)
    return _bounded(_inflated(body))


def _bounded(chunks: Iterator[bytes]) -> bytes:
    pieces, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_UNPACKED:
            msg = f"the body holds more than {MAX_UNPACKED} bytes"
            raise BulkTooLarge(msg)
        pieces.append(chunk)
    return b"".join(pieces)


def _inflated(body: bytes) -> Iterator[bytes]:
    """Yield what a gzip body (RFC 1952, several members too) holds, a megabyte at a time."""
    rest = body
    while rest:
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            try:
                chunk = member.decompress(rest, _CHUNK)
            except zlib.error as error:
                msg = "the gzip body is damaged"
                raise BulkRejected(msg) from error
            rest = member.unconsumed_tail
            if not chunk and not rest and not member.eof:
                msg = "the gzip body is cut off"
                raise BulkRejected(msg)
            yield chunk
        rest = member.unused_data
