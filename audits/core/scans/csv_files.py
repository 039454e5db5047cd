"""A scanner's CSV file with headings; the caller says which column means what."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from audits.core.scans.limits import (
    MAX_FILE,
    MAX_FINDINGS,
    MAX_NAME,
    clean,
    keep_gravest,
    severity_of,
    source_mark,
)
from audits.core.texts import decoded
from audits.errors.rectification import ScanRejected
from audits.models.risks import ParsedFinding, ParsedScan
from secops.kernel.catalogue import Text

FIELDS: Final = ("rule", "title", "severity", "asset", "place", "description")
NEEDED: Final = ("title", "severity", "asset")
_MAX_COLUMNS: Final = 100
_KNOWN: Final[Mapping[str, Sequence[str]]] = {
    "rule": ("rule", "rule_id", "plugin id", "cve", "cve id", "漏洞编号", "cve编号", "编号", "id"),
    "title": ("title", "name", "vulnerability", "漏洞名称", "名称", "风险名称"),
    "severity": ("severity", "risk", "level", "风险等级", "危险等级", "等级", "漏洞等级", "cvss"),
    "asset": ("asset", "host", "ip", "ip address", "target", "主机", "ip地址", "资产", "目标"),
    "place": ("place", "port", "url", "location", "端口", "位置"),
    "description": ("description", "synopsis", "描述", "漏洞描述", "说明"),
}
"""Headings that scanners usually write, in lower case, for a caller who maps nothing."""


def read_csv(content: bytes, mapping: Mapping[str, str] | None = None) -> ParsedScan:
    """Return the findings; ``mapping`` names the heading for each of ``FIELDS``.

    UTF-8 (with or without BOM) or GB 18030. Raises ``ScanRejected``. A finding is known again
    by rule (else title), asset and place: severity and wording may change between scans. Of
    lines that repeat one the gravest counts.
    """
    if len(content) > MAX_FILE:
        raise ScanRejected(f"a scanner's file has at most {MAX_FILE} bytes")
    rows = _rows(_decoded(content))
    headings = next(rows, None)
    if not headings or len(headings) > _MAX_COLUMNS:
        raise ScanRejected(f"the first line holds 1 to {_MAX_COLUMNS} headings")
    places = _places([heading.strip() for heading in headings], mapping or {})
    findings: dict[str, ParsedFinding] = {}
    lines = list(islice((row for row in rows if any(row)), MAX_FINDINGS + 1))
    if len(lines) > MAX_FINDINGS:
        raise ScanRejected(f"a scan has at most {MAX_FINDINGS} findings")
    for number, row in enumerate(lines, 2):
        keep_gravest(findings, _finding(row, places, number))
    return ParsedScan("csv", tuple(findings.values()), _doubts(len(lines) - len(findings)))


def _decoded(content: bytes) -> str:
    if b"\0" in content:
        raise ScanRejected("the file is not text")
    text = decoded(content)
    if text is None:
        raise ScanRejected("the file is neither UTF-8 nor GB 18030")
    return text


def _rows(text: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), strict=True)
    except csv.Error as error:  # a cell beyond 128 KiB, an unclosed quote
        raise ScanRejected("the lines are not CSV") from error


def _places(headings: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Return the column of each field."""
    strange = sorted(set(mapping) - set(FIELDS))
    if strange:
        raise ScanRejected(f"columns are mapped for {', '.join(FIELDS)}, not {strange[0][:40]}")
    places: dict[str, int] = {}
    for field, heading in mapping.items():
        if heading not in headings:
            raise ScanRejected(f"there is no column {heading[:60]!r}")
        places[field] = headings.index(heading)
    lowered = [heading.lower() for heading in headings]
    for field in FIELDS:
        usual = next((name for name in _KNOWN[field] if name in lowered), None)
        if field not in places and usual is not None:
            places[field] = lowered.index(usual)
    missing = [field for field in NEEDED if field not in places]
    if missing:
        raise ScanRejected(f"no column is known for {', '.join(missing)}: map them")
    return places


def _finding(row: Sequence[str], places: Mapping[str, int], number: int) -> ParsedFinding:
    def cell(field: str, limit: int = MAX_NAME) -> str:
        place = places.get(field, -1)
        return clean(row[place], limit) if 0 <= place < len(row) else ""

    title, asset = cell("title"), cell("asset")
    if not title or not asset:
        raise ScanRejected(f"line {number} names no title or no asset")
    try:
        severity = severity_of(cell("severity"))
    except ScanRejected as error:
        raise ScanRejected(f"line {number}: {error.detail}") from error
    rule = cell("rule") or title
    mark = source_mark("csv", rule, asset, cell("place"))
    return ParsedFinding(
        rule, title, severity, asset, cell("place"), cell("description", 2_000), mark
    )


def _doubts(repeated: int) -> tuple[Text, ...]:
    if not repeated:
        return ()
    zh = f"{repeated} 行与其他行为同一发现,已合并"
    return (Text(zh, f"{repeated} lines repeat a finding and were merged"),)
