"""Which format a file is of, judged by its first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from detectors.core.formats import auditd, cef, database, ecs, evtx, keyvalue, syslog, web
from detectors.core.formats.record import BadLine, Context, Parser

LINE_PARSERS: Final[Mapping[str, Parser]] = {
    "ecs": ecs.parse_ecs,
    "jsonl": ecs.parse_jsonl,
    "syslog": syslog.parse_syslog,
    "sshd": syslog.parse_sshd,
    "auditd": auditd.parse_auditd,
    "nginx": web.parse_nginx,
    "apache": web.parse_apache,
    "cef": cef.parse_cef,
    "keyvalue": keyvalue.parse_keyvalue,
    "postgresql": database.parse_postgresql,
    "mysql": database.parse_mysql,
    "dameng": database.parse_dameng,
}
EVTX: Final = "evtx"
AUTO: Final = "auto"
FORMATS: Final = (AUTO, EVTX, *LINE_PARSERS)
# syslog and pairs are last: a line of a database begins like one of syslog, and may hold pairs
_TRIED: Final = (
    "auditd", "nginx", "apache", "cef", "postgresql", "mysql", "dameng", "syslog", "keyvalue",
)  # fmt: skip
_SAMPLE: Final = 20
HEAD: Final = 65_536


def detect(head: bytes, lines: list[bytes], context: Context) -> str | None:
    """Return the format of a file that begins with ``head`` and ``lines``; None if unknown.

    The format that reads most of the first 20 lines wins; one good line is enough.
    """
    if head.startswith(evtx.MAGIC):
        return EVTX
    sample = [line for line in lines if line.strip()][:_SAMPLE]
    if any(line.lstrip().startswith(b"{") for line in sample):
        return _json_kind(sample)
    best: tuple[int, str | None] = (0, None)
    for name in _TRIED:
        good = sum(_reads(LINE_PARSERS[name], line, context) for line in sample)
        if good > best[0]:
            best = (good, name)
    return best[1]


def _reads(parser: Parser, line: bytes, context: Context) -> bool:
    try:
        parser(line, context)
    except BadLine:
        return False
    return True


def _json_kind(sample: list[bytes]) -> str:
    for line in sample:
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(document, dict):
            if database.is_postgresql_json(document):
                return "postgresql"
            return "ecs" if "@timestamp" in document and "Event" not in document else "jsonl"
    return "jsonl"
