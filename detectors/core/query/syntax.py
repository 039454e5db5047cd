"""Lucene's query syntax as the kernel's query tree (luqum reads it).

``field:value``, wildcards ``*`` ``?``, ``"phrases"``, ranges ``[a TO b}``, ``>=5``, CIDR
(``source.ip:10.0.0.0/8``), ``field:*`` and ``_exists_:field``, AND OR NOT + -, groups.
A bare word searches the raw line. Not there, and said so: regexes, fuzziness, boosts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from luqum import tree
from luqum.exceptions import ParseError
from luqum.thread import parse as parse_lucene

from detectors.errors import BadQuery
from secops.kernel.clock import from_datetime, to_rfc3339
from secops.kernel.logs import And, Exists, Not, Or, Query, Range, Term

TIME: Final = "@timestamp"
_MAX_LENGTH: Final = 4_000
_MAX_DEPTH: Final = 32
_EVERYTHING: Final = And(())
_OPERATORS: Final = ("&&", "||")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_RELATIVE: Final = re.compile(r"now(?:-(\d{1,6})([smhdw]))?")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def parse_query(text: str, zone: tzinfo, now: int) -> Query:
    """Return the tree of ``text``; empty and ``*`` are everything.

    Times without a zone are in ``zone``; ``now-15m`` is relative to ``now`` (UTC
    microseconds). Raises ``BadQuery``.
    """
    if len(text) > _MAX_LENGTH:
        msg = f"a query has at most {_MAX_LENGTH} characters"
        raise BadQuery(msg)
    if not text.strip():
        return _EVERYTHING
    if text.count("(") > _MAX_DEPTH * 4:
        msg = "the query nests too deeply"
        raise BadQuery(msg)
    try:
        root = parse_lucene(text)
    except (ParseError, ValueError, RecursionError) as error:
        raise BadQuery(str(error)[:200]) from error
    return _Reader(zone, now).query(root, None, 0)


def parse_instant(text: str, zone: tzinfo, now: int, *, end: bool = False) -> int:
    """Return UTC microseconds of a date, a time, or ``now-2h``; raise ``BadQuery``.

    A date alone is its first instant, with ``end`` the first instant after it.
    """
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        seconds = int(relative[1]) * _UNITS[relative[2]] if relative[1] else 0
        return now - seconds * 1_000_000
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        if end and _is_day(text):
            moment += timedelta(days=1)
        return from_datetime(moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        msg = f"{text[:40]!r} is no time: write 2026-11-22, 2026-11-22T08:00:00+08:00 or now-2h"
        raise BadQuery(msg) from error


class _Reader:
    def __init__(self, zone: tzinfo, now: int) -> None:
        self._zone = zone
        self._now = now

    def query(self, node: Any, field: str | None, depth: int) -> Query:
        if depth > _MAX_DEPTH:
            msg = "the query nests too deeply"
            raise BadQuery(msg)
        if isinstance(node, tree.SearchField):
            return self._field(node, field, depth)
        if isinstance(node, (tree.Group, tree.FieldGroup, tree.Plus)):
            return self.query(node.children[0], field, depth + 1)
        if isinstance(node, (tree.Not, tree.Prohibit)):
            return Not(self.query(node.children[0], field, depth + 1))
        if isinstance(node, tree.OrOperation):
            return Or(tuple(self.query(child, field, depth + 1) for child in node.children))
        if isinstance(node, (tree.AndOperation, tree.UnknownOperation, tree.BoolOperation)):
            return And(tuple(self.query(child, field, depth + 1) for child in node.children))
        return self._leaf(node, field)

    def _field(self, node: Any, field: str | None, depth: int) -> Query:
        name = _ESCAPED.sub(r"\1", node.name)
        if field is not None:
            msg = f"a field inside a field: {field}:({name}:…)"
            raise BadQuery(msg)
        value = node.children[0]
        if name == "_exists_":
            return Exists(_word(value))
        if isinstance(value, tree.Word) and value.value == "*":
            return _EVERYTHING if name == "*" else Exists(name)
        return self.query(value, name, depth + 1)

    def _leaf(self, node: Any, field: str | None) -> Query:
        if isinstance(node, tree.Word):
            return self._word(node.value, field)
        if isinstance(node, tree.Phrase):
            text = _ESCAPED.sub(r"\1", node.value[1:-1])
            return self._instant(text) if field == TIME else Term(field, text, quoted=True)
        if isinstance(node, (tree.Range, tree.From, tree.To)):
            return self._range(node, field)
        msg = f"{type(node).__name__.lower()} is not offered: {str(node).strip()[:60]} (quote it)"
        raise BadQuery(msg)

    def _word(self, written: str, field: str | None) -> Query:
        if written in _OPERATORS or (field is None and written.startswith("!")):
            msg = "write AND, OR and NOT"
            raise BadQuery(msg)
        if field is None and written == "*":
            return _EVERYTHING
        text = _keep_wildcards(written)
        return self._instant(text) if field == TIME else Term(field, text)

    def _instant(self, text: str) -> Query:
        """Return a time as the range it covers: a date is its whole day."""
        low = parse_instant(text, self._zone, self._now)
        high = parse_instant(text, self._zone, self._now, end=True)
        return Range(TIME, to_rfc3339(low), to_rfc3339(high), high_inclusive=low == high)

    def _range(self, node: Any, field: str | None) -> Range:
        if field is None:
            msg = "a range needs a field: field:[1 TO 5]"
            raise BadQuery(msg)
        low, high, with_low, with_high = _bounds(node)
        if field == TIME:
            if low is not None:  # after a day is from its end on
                with_low, day = with_low or _is_day(low), not with_low
                low = self._bound(low, end=day)
            if high is not None:  # up to and with a day is before its end
                with_high, day = with_high and not _is_day(high), with_high
                high = self._bound(high, end=day)
        return Range(field, low, high, low_inclusive=with_low, high_inclusive=with_high)

    def _bound(self, text: str, *, end: bool) -> str:
        return to_rfc3339(parse_instant(text, self._zone, self._now, end=end))


def _is_day(text: str) -> bool:
    return len(text) == len("2026-01-01")


def _bounds(node: Any) -> tuple[str | None, str | None, bool, bool]:
    if isinstance(node, tree.From):
        return _word(node.children[0]), None, bool(node.include), True
    if isinstance(node, tree.To):
        return None, _word(node.children[0]), True, bool(node.include)
    low, high = (_word(child) for child in node.children)
    return (
        None if low == "*" else low,
        None if high == "*" else high,
        bool(node.include_low),
        bool(node.include_high),
    )


def _word(node: Any) -> str:
    """Return the plain text of a word or phrase."""
    if isinstance(node, tree.Phrase):
        return _ESCAPED.sub(r"\1", node.value[1:-1])
    if isinstance(node, tree.Word):
        return _ESCAPED.sub(r"\1", node.value)
    msg = f"a plain value is needed, not {str(node).strip()[:60]}"
    raise BadQuery(msg)


def _keep_wildcards(written: str) -> str:
    r"""Resolve Lucene's escapes but those of ``*``, ``?`` and ``\``, which a term keeps."""
    return _ESCAPED.sub(lambda found: found[0] if found[1] in "*?\\" else found[1], written)
