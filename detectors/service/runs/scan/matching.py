"""One block of records against a program of rules: what a process of its own can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from typing import Final

import numpy as np
import orjson

from detectors.core.engine.asking import PATIENCE, Patience
from detectors.core.engine.evaluation import ask
from detectors.core.engine.program import Program
from detectors.core.engine.rows import RowTable
from detectors.core.engine.tables import is_line, keyword_text
from detectors.core.formats.detect import LINE_PARSERS
from detectors.core.formats.evtx import raw_records
from detectors.core.formats.record import BadLine, Context, Parser
from detectors.core.formats.windows import TooDeep, flatten_event
from detectors.service.runs.scan.blocks import Block
from detectors.service.runs.scan.found import Found
from secops.kernel.clock import DAY
from secops.kernel.logs import Value

_MAX_BATCH: Final = 32 << 20
_MAX_ROWS: Final = 50_000
_WINDOWS: Final = b'{"Event":{'


class Matcher:
    """Asks a program about blocks. ``now`` (UTC microseconds) bounds years of syslog."""

    def __init__(self, program: Program, now: int, clock: Callable[[], float]) -> None:
        self._program = program
        self._names = program.names
        self._context = Context(zone=UTC, latest=now + DAY)
        self._clock = clock

    def match(self, block: Block) -> Found:
        """Return what the rules find in ``block``."""
        found = Found()
        batch = _Batch(self._names)
        records = self._records(block, found)
        for place, raw in records:
            if not raw.strip():
                continue
            try:
                batch.add(place, raw, self._parser(block), self._context)
            except (BadLine, TooDeep) as bad:
                found.bad.append((place, str(bad)))
            if batch.size >= _MAX_BATCH or len(batch.raws) >= _MAX_ROWS:
                self._finish(batch, found)
                batch = _Batch(self._names)
        self._finish(batch, found)
        return found

    def _parser(self, block: Block) -> Parser | None:
        return LINE_PARSERS.get(block.format)

    def _records(self, block: Block, found: Found) -> Iterator[tuple[int, bytes]]:
        if block.kind == "lines":
            for raw in block.content.split(b"\n"):
                found.records += 1
                yield found.records - 1, raw
            return
        for raw, fault in raw_records(block.content):
            if fault is None:
                found.records += 1
                yield found.records - 1, raw
            else:
                found.bad.append((found.records, str(fault)))

    def _finish(self, batch: _Batch, found: Found) -> None:
        raws = batch.raws
        if not raws:
            return
        patience = Patience(self._clock, PATIENCE)
        table = batch.rows.table(batch.keyword_texts)
        for position, rows in ask(self._program, table, patience).items():
            for row in rows.tolist():
                found.hits.append((batch.places[row], position))
                found.raws[batch.places[row]] = raws[row]
        found.failed.update(patience.failed)
        hashes = np.fromiter(map(hash, raws), np.int64, len(raws))
        found.batches.append((np.array(batch.places, dtype=np.int64), hashes))


class _Batch:
    def __init__(self, names: frozenset[str]) -> None:
        self.rows = RowTable(names)
        self.raws: list[bytes] = []
        self.places: list[int] = []
        self.size = 0
        self._parsed: dict[int, dict[str, Value]] = {}

    def add(self, place: int, raw: bytes, parser: Parser | None, context: Context) -> None:
        """Add a record; raise ``BadLine`` or ``TooDeep``."""
        if raw.startswith(_WINDOWS):
            try:
                self.rows.add_event(orjson.loads(raw)["Event"])
            except orjson.JSONDecodeError as error:
                reason = "not_json"
                raise BadLine(reason) from error
        elif parser is None:
            reason = "unknown_format"
            raise BadLine(reason)
        else:
            fields = parser(raw, context).fields
            self._parsed[len(self.raws)] = fields
            self.rows.add_fields(fields, is_line=is_line(fields, raw))
        self.raws.append(raw)
        self.places.append(place)
        self.size += len(raw)

    def keyword_texts(self, rows: Sequence[int]) -> list[Value]:
        return [keyword_text(self._fields(row), self.raws[row]) for row in rows]

    def _fields(self, row: int) -> dict[str, Value]:
        known = self._parsed.get(row)
        return flatten_event(orjson.loads(self.raws[row])["Event"]) if known is None else known
