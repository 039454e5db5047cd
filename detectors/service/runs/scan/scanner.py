"""Scanning files: blocks go to matchers, here or in processes of their own, hits come back.

Hits come by file, record and rule whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import IO, TYPE_CHECKING, Protocol

import numpy as np
import orjson

from detectors.core.engine.program import Program
from detectors.core.events.identity import event_id
from detectors.service.runs.scan.blocks import Block, Unreadable, read_blocks
from detectors.service.runs.scan.equal_lines import EqualLines
from detectors.service.runs.scan.found import Found
from detectors.service.runs.scan.matching import Matcher
from detectors.service.runs.scan.rules import Brief, ScanRules
from secops.kernel.clock import SystemClock

if TYPE_CHECKING:
    from detectors.core.sigma.rule import RuleSet

Work = tuple[bytes, bytes]
"""What a process is sent: a block's head as JSON, and its content."""


class Workers(Protocol):
    """Runs a function over inputs, perhaps in several processes; answers keep the order."""

    def map(self, function: Callable[[Work], bytes], inputs: Iterable[Work]) -> Iterator[bytes]:
        """Yield the answer to each input, in their order."""
        ...


class Here:
    """Implements ``Workers`` in this process: a small input must not pay for others."""

    def map(self, function: Callable[[Work], bytes], inputs: Iterable[Work]) -> Iterator[bytes]:
        """Yield the answer to each input."""
        return map(function, inputs)


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that holds for a record; ``index`` is the record's 0-based place in ``file``."""

    rule: Brief
    file: str
    index: int
    event_id: str


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record, or the rest of a file, that could not be read."""

    file: str
    index: int
    why: str


@dataclass(slots=True)
class ScanCounts:
    """What a scan went through; ``failed`` says why a rule was given up, by its position."""

    events: int = 0
    hits: int = 0
    bad: int = 0
    failed: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A file: its path, the name under which ids are made, and what opens it (seekable)."""

    path: str
    name: str
    open: Callable[[], IO[bytes]]


@dataclass(slots=True)
class _Place:
    """How far a file is: records counted, and the lines they were equal to."""

    file: str
    source: str
    records: int = 0
    lines: EqualLines = field(default_factory=EqualLines)


def _nothing(_: int) -> None:
    """Take no note of progress."""


@dataclass(slots=True)
class Scanner:
    """Asks a set of rules about files. ``now`` (UTC microseconds) bounds years of syslog.

    ``progress`` is told how many bytes of the files were used.
    """

    rules: RuleSet | ScanRules
    now: int
    on_bad: Callable[[BadRecord], None] = lambda _: None
    counts: ScanCounts = field(default_factory=ScanCounts)
    progress: Callable[[int], None] = _nothing
    _matcher: Matcher | None = None
    _briefs: tuple[Brief, ...] = ()

    def prepare(self) -> Matcher:
        """Build the program of the rules, if that is still to do."""
        if self._matcher is None:
            rules = self.rules if isinstance(self.rules, ScanRules) else ScanRules.of(self.rules)
            self._briefs = rules.briefs
            self._matcher = Matcher(Program(rules.image), self.now, SystemClock().monotonic)
        return self._matcher

    def scan(self, file: str, source: str, stream: IO[bytes]) -> Iterator[Hit]:
        """Yield the hits of one file, by record and then by rule id.

        ``stream`` is seekable; .gz, .xz and .zip are unpacked as they are read. ``source``
        is the name under which event ids are made.
        """
        return self.scan_all([Source(file, source, lambda: stream)], Here())

    def scan_all(self, sources: Iterable[Source], workers: Workers) -> Iterator[Hit]:
        """Yield the hits of all files, in their order."""
        match = partial(_match, self.prepare())
        heads: list[Mapping[str, str | bool] | BadRecord] = []
        place = _Place("", "")
        for answer in workers.map(match, self._works(sources, heads)):
            while isinstance(bad := heads.pop(0), BadRecord):
                self._bad(bad)
            name, source = str(bad["name"]), str(bad["source"])
            if bad["first"] or name != place.file:
                place = _Place(name, source)
            yield from self._hits(place, Found.decoded(answer))
        for rest in heads:
            if isinstance(rest, BadRecord):
                self._bad(rest)

    def _works(
        self, sources: Iterable[Source], heads: list[Mapping[str, str | bool] | BadRecord]
    ) -> Iterator[Work]:
        for source in sources:
            with source.open() as stream:
                for block in read_blocks(source.path, stream, self.now, self.progress):
                    if isinstance(block, Unreadable):
                        heads.append(BadRecord(block.name, 0, block.why))
                        continue
                    head: dict[str, str | bool] = {
                        "name": block.name,
                        "first": block.first,
                        "kind": block.kind,
                        "format": block.format,
                    }
                    heads.append({**head, "source": source.name})
                    yield orjson.dumps(head), block.content

    def _hits(self, place: _Place, found: Found) -> Iterator[Hit]:
        for position, why in found.failed.items():
            self.counts.failed.setdefault(position, why)
        for index, why in found.bad:
            self._bad(BadRecord(place.file, place.records + index, why))
        hits = sorted(found.hits, key=lambda each: (each[0], self._briefs[each[1]].id))
        raws = found.raws
        ids: dict[int, str] = {}
        for places, hashes in found.batches:
            self.counts.events += len(places)
            mine = [index for index in raws if places[0] <= index <= places[-1]]
            rows = np.searchsorted(places, mine).tolist()
            for index, number in zip(mine, place.lines.numbers(hashes, rows), strict=True):
                ids[index] = event_id(place.source, raws[index], number)
        self.counts.hits += len(hits)
        for index, position in hits:
            yield Hit(self._briefs[position], place.file, place.records + index, ids[index])
        place.records += found.records

    def _bad(self, record: BadRecord) -> None:
        self.counts.bad += 1
        self.on_bad(record)


def _match(matcher: Matcher, work: Work) -> bytes:
    head, content = work
    return matcher.match(Block(content=content, **orjson.loads(head))).encoded()
