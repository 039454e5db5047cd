"""Records of one audit event joined by their serial (audit.rules(7), auparse_feed(3)).

The kernel writes SYSCALL, EXECVE, CWD, PATH … and at last PROCTITLE or EOE, all under one
``msg=audit(TIME:SERIAL)``; records of two events may interleave. What belongs together depends on
the lines alone, never on where a piece of the file ends, so that reading again finds the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.core.events.text import add_value, texts_of
from detectors.core.formats.auditd import parse_auditd, socket_address
from detectors.core.formats.line import Line, Record, Reject
from detectors.core.formats.record import BadLine, Context, Parsed
from secops.kernel.logs import Value

WINDOW: Final = 64
"""Lines after which an event that has had no more records is over."""
MAX_RECORDS: Final = 256
MAX_BYTES: Final = 1 << 20
_SERIAL: Final = re.compile(rb"(?:node=\S+ )?type=([A-Z0-9_\[\]]+) msg=(audit\(\d+\.\d+:\d+\)):")
ALONE: Final = re.compile(
    rb"(?:USER|CRED|DAEMON|SERVICE|CRYPTO|SYSTEM|ADD|DEL|GRP|CHUSER|CHGRP|ACCT|ROLE|VIRT|USYS|TRUSTED"
    rb"|MAC_CHECK|LABEL|SOFTWARE|TEST|TTY)(?:_[A-Z0-9_]+)?"
)
"""Types that user programs write, each an event of its own."""
_ARGUMENT: Final = re.compile(r"a(\d+)(?:\[(\d+)\])?")
_KEPT_ONCE: Final = frozenset({"event.module", "audit.serial", "host.name", "event.code"})
_OF_SYSCALL: Final = ("exe", "comm", "pid", "ppid", "uid", "auid", "success")
_SKIPPED: Final = 10_000


@dataclass(slots=True)
class _Group:
    lines: list[Line]
    seen: int
    size: int = 0

    def add(self, line: Line, number: int) -> None:
        self.lines.append(line)
        self.size += len(line.raw)
        self.seen = number


@dataclass(slots=True)
class AuditJoiner:
    """Gathers lines into events."""

    open: dict[bytes, _Group] = field(default_factory=dict)
    _number: int = 0

    def feed(self, line: Line) -> Iterator[list[Line]]:
        """Yield the events that are whole now."""
        self._number += 1
        found = _SERIAL.match(line.raw)
        if found is None:
            yield [line]
            return
        kind, serial = found.groups()
        if ALONE.fullmatch(kind):
            yield [line]
        elif kind == b"EOE":
            if (over := self.open.pop(serial, None)) is not None:
                yield over.lines
        else:
            group = self.open.get(serial)
            if group is None:
                group = self.open[serial] = _Group([], self._number)
            group.add(line, self._number)
            if kind == b"PROCTITLE" or len(group.lines) >= MAX_RECORDS or group.size >= MAX_BYTES:
                yield self.open.pop(serial).lines
        yield from self._overdue()

    def rest(self) -> Iterator[list[Line]]:
        """Yield what is open, at the end of the file."""
        for group in self.open.values():
            yield group.lines
        self.open.clear()

    def _overdue(self) -> Iterator[list[Line]]:
        late = [s for s, group in self.open.items() if self._number - group.seen >= WINDOW]
        for serial in late:
            yield self.open.pop(serial).lines


def read_audit(lines: Iterable[Line], context: Context) -> Iterator[Record | Reject]:
    """Read a whole file's lines as events."""
    joiner = AuditJoiner()
    for line in lines:
        if line.raw.strip():
            for event in joiner.feed(line):
                yield from _read(event, context)
    for event in joiner.rest():
        yield from _read(event, context)


def read_audit_piece(lines: list[Line], context: Context) -> tuple[list[Record | Reject], int]:
    """Read the events that are whole, and say how many of ``lines`` they take up.

    The rest begins an event that isn't over, or lies among one: it is read with what follows.
    """
    joiner = AuditJoiner()
    events = [e for line in lines if line.raw.strip() for e in joiner.feed(line)]
    first = lines[0].index if lines else 0
    end = first + len(lines)
    cut = min((group.lines[0].index for group in joiner.open.values()), default=end)
    spanning = True
    while spanning:
        across = [e for e in events if e[0].index < cut <= e[-1].index]
        spanning = bool(across)
        cut = min((e[0].index for e in across), default=cut)
    items = [item for event in events if event[0].index < cut for item in _read(event, context)]
    return items, cut - first


def _read(lines: list[Line], context: Context) -> Iterator[Record | Reject]:
    """Read one event; a record of it that is none is refused alone."""
    good: list[tuple[Line, Parsed]] = []
    raw = b"\n".join(line.raw for line in lines)
    prepared = None if context.prepare is None else context.prepare(raw)
    masked = raw if prepared is None else prepared.raw
    parts = [masked] if len(lines) == 1 else masked.split(b"\n")
    if len(parts) != len(lines):  # something was masked across two records: read them alone
        for line in lines:
            yield from _read([line], context)
        return
    for line, part in zip(lines, parts, strict=True):
        if line.length > MAX_BYTES:
            detail = f"{line.length} bytes, {MAX_BYTES} are read"
            yield Reject(line.index, line.offset, line.length, "line_too_long", detail, part)
            continue
        try:
            good.append((line, parse_auditd(part, context)))
        except BadLine as bad:
            yield Reject(line.index, line.offset, line.length, bad.reason, bad.detail, part)
    if not good:
        return
    kept = {line.index for line, _ in good}
    joined = b"\n".join(p for line, p in zip(lines, parts, strict=True) if line.index in kept)
    parsed = good[0][1] if len(good) == 1 else joined_records([each for _, each in good])
    yield Record(good[0][0].index, joined, parsed.at, parsed, prepared)


def joined_records(records: list[Parsed]) -> Parsed:
    """Return several records as one event: fields that repeat become lists."""
    fields = _united(records)
    by_type = {str(record.fields["type"]): record.fields for record in records}
    if (syscall := by_type.get("SYSCALL")) is not None:
        fields.update((name, syscall[name]) for name in _OF_SYSCALL if name in syscall)
        _process(syscall, fields)
    if (execve := by_type.get("EXECVE")) is not None:
        _execution(execve, by_type.get("SYSCALL", {}), fields)
    if (sockaddr := by_type.get("SOCKADDR")) is not None:
        fields.update(socket_address(str(sockaddr.get("saddr", ""))))
    names = [str(r.fields["name"]) for r in records if r.fields.get("name") not in (None, "(null)")]
    if names:
        fields["file.path"] = names[-1] if len(names) == 1 else tuple(dict.fromkeys(names))
    return Parsed(records[0].at, fields)


def _united(records: list[Parsed]) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for record in records:
        for name, value in record.fields.items():
            before = fields.get(name)
            is_known = before is not None and (name in _KEPT_ONCE or value in texts_of(before))
            if not is_known:
                add_value(fields, name, value)
    return fields


def _process(syscall: Mapping[str, Value], fields: dict[str, Value]) -> None:
    wanted = {
        "process.executable": "exe",
        "process.name": "comm",
        "process.pid": "pid",
        "process.parent.pid": "ppid",
        "user.id": "uid",
        "user.audit.id": "auid",
        "event.action": "SYSCALL",
        "process.tty": "tty",
    }
    for ecs, name in wanted.items():
        if name in syscall:
            fields[ecs] = texts_of(syscall[name])[-1]
    enriched = syscall.get("UID")
    if enriched is not None:
        fields["user.name"] = enriched
    fields["event.category"] = "process"


def _execution(
    execve: Mapping[str, Value], syscall: Mapping[str, Value], fields: dict[str, Value]
) -> None:
    """Add what was run: the arguments in order, long ones put together from their parts."""
    arguments = arguments_of(execve)
    fields["event.category"] = "process"
    fields["event.type"] = "start"
    fields["event.action"] = "executed"
    fields["process.args"] = tuple(arguments) if len(arguments) != 1 else arguments[0]
    fields["process.command_line"] = " ".join(arguments)
    for number, argument in enumerate(arguments):
        # SYSCALL's a0 … a3 are registers; what a rule means by a0 are the arguments
        register = syscall.get(f"a{number}")
        fields[f"a{number}"] = argument if register is None else (argument, *texts_of(register))
    if not arguments:
        for name in ("process.args", "process.command_line"):
            del fields[name]


def arguments_of(execve: Mapping[str, Value]) -> list[str]:
    """Return a0 … aN of an EXECVE record; ``a1[0] a1[1]`` are parts of one."""
    parts: dict[int, list[tuple[int, str]]] = {}
    for name, value in execve.items():
        found = _ARGUMENT.fullmatch(name)
        if found is not None and int(found[1]) < _SKIPPED:
            part = int(found[2]) if found[2] else 0
            parts.setdefault(int(found[1]), []).append((part, texts_of(value)[0]))
    return ["".join(text for _, text in sorted(parts[number])) for number in sorted(parts)]
