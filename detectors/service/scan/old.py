"""Rules over files, without storing anything."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from itertools import chain, islice
from typing import IO, Final, cast

import orjson

from detectors.core.engine.evaluation import evaluate
from detectors.core.engine.program import Program
from detectors.core.engine.tables import TableBuilder
from detectors.core.events.identity import LineCounter, event_id
from detectors.core.formats.detect import EVTX, HEAD, LINE_PARSERS, detect
from detectors.core.formats.evtx import read_evtx
from detectors.core.formats.record import BadLine, Context, Parser
from detectors.core.formats.windows import TooDeep, flatten_event
from detectors.core.sigma.rule import RuleSet
from detectors.models.rules import RuleHeader
from secops.kernel.clock import DAY
from secops.kernel.logs import Value

MAX_LINE: Final = 10 << 20
MAX_EVTX: Final = 1 << 30
MAX_MEMBERS: Final = 10_000
_DAMAGED: Final = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
_BATCH: Final = 5_000
_PEEK: Final = 20
_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that holds for a record; ``index`` is the record's 0-based place in ``file``."""

    rule: RuleHeader
    file: str
    index: int
    event_id: str


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that could not be read."""

    file: str
    index: int
    why: str


@dataclass(slots=True)
class ScanCounts:
    """What a scan went through."""

    events: int = 0
    hits: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class _Record:
    index: int
    raw: bytes
    fields: Mapping[str, Value]


@dataclass(slots=True)
class Scanner:
    """Asks a set of rules about records. ``now`` (UTC microseconds) bounds years of syslog."""

    rules: RuleSet
    now: int
    on_bad: Callable[[BadRecord], None] = lambda _: None
    counts: ScanCounts = field(default_factory=ScanCounts)
    _program: Program | None = None

    def prepare(self) -> Program:
        """Build the program of the rules, if that is still to do."""
        if self._program is None:
            self._program = Program([rule.tree for rule in self.rules.rules])
        return self._program

    def scan(self, file: str, source: str, stream: IO[bytes]) -> Iterator[Hit]:
        """Yield the hits of one file, by record and then by rule id.

        ``stream`` is seekable; .gz, .xz and .zip are unpacked as they are read. ``source``
        is the name under which event ids are made.
        """
        try:
            for name, inner in _unpacked(file, stream):
                counter = LineCounter()
                records = self._records(name, inner)
                while batch := list(islice(records, _BATCH)):
                    self.counts.events += len(batch)
                    numbers = [counter.number(record.raw) for record in batch]
                    yield from self._hits(name, source, batch, numbers)
        except _DAMAGED as error:
            self._bad(file, 0, f"damaged archive: {error}")

    def _hits(
        self, file: str, source: str, batch: list[_Record], numbers: list[int]
    ) -> Iterator[Hit]:
        program = self.prepare()
        builder = TableBuilder(program.names)
        table = builder.build([each.fields for each in batch], [each.raw for each in batch])
        found = [
            (row, self.rules.rules[position].header)
            for position, rows in evaluate(program, table).items()
            for row in rows.tolist()
        ]
        self.counts.hits += len(found)
        for row, header in sorted(found, key=lambda each: (each[0], each[1].id)):
            record = batch[row]
            identity = event_id(source, record.raw, numbers[row])
            yield Hit(header, file, record.index, identity)

    def _records(self, file: str, stream: IO[bytes]) -> Iterator[_Record]:
        context = Context(zone=UTC, latest=self.now + DAY)
        head = stream.read(HEAD)
        if detect(head, [], context) == EVTX:
            content = head + stream.read(MAX_EVTX - len(head))
            for index, (raw, parsed, _) in enumerate(read_evtx(content, context)):
                if isinstance(parsed, BadLine):
                    self._bad(file, index, str(parsed))
                else:
                    yield _Record(index, raw, parsed.fields)
            return
        yield from self._lines(file, _lines(head, stream), context)

    def _lines(self, file: str, lines: Iterator[bytes], context: Context) -> Iterator[_Record]:
        first = list(islice(lines, _PEEK))
        kind = detect(b"", first, context)
        parser = LINE_PARSERS[kind] if kind else None
        for index, raw in enumerate(chain(first, lines)):
            if not raw.strip():
                continue
            try:
                yield _Record(index, raw, _fields(raw, parser, context))
            except (BadLine, TooDeep) as bad:
                self._bad(file, index, str(bad))

    def _bad(self, file: str, index: int, why: str) -> None:
        self.counts.bad += 1
        self.on_bad(BadRecord(file, index, why))


def _fields(raw: bytes, parser: Parser | None, context: Context) -> Mapping[str, Value]:
    if raw[:10] == b'{"Event":{':
        try:
            return flatten_event(orjson.loads(raw)["Event"])
        except orjson.JSONDecodeError as error:
            reason = "not_json"
            raise BadLine(reason) from error
    if parser is None:
        reason = "unknown_format"
        raise BadLine(reason)
    return parser(raw, context).fields


def _lines(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends; a line above 10 MiB is cut into several."""
    rest = head
    while rest:
        *whole, rest = rest.split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
        block = stream.read(HEAD * 16)
        if not block:
            break
        if len(rest) > MAX_LINE:
            yield rest
            rest = b""
        rest += block
    if rest:
        yield rest.removesuffix(b"\r")


def _unpacked(file: str, stream: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    magic = stream.read(len(_XZ))
    stream.seek(0)
    if magic.startswith(_GZIP):
        with gzip.open(stream) as plain:
            yield file, cast("IO[bytes]", plain)
    elif magic == _XZ:
        with lzma.open(stream) as inner:
            yield file, inner
    elif magic.startswith(_ZIP):
        with zipfile.ZipFile(stream) as archive:
            for member in sorted(archive.infolist(), key=lambda each: each.filename)[:MAX_MEMBERS]:
                if not member.is_dir():
                    with archive.open(member) as part:
                        yield f"{file}!{member.filename}", part
    else:
        yield file, stream
