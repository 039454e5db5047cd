"""Lucene's query syntax as the kernel's query tree (luqum reads it).

``field:value``, wildcards ``*`` ``?``, ``"phrases"``, ranges ``[a TO b}``, ``>=5``, CIDR
(``source.ip:10.0.0.0/8``), ``field:*`` and ``_exists_:field``, AND OR NOT + -, groups.
A bare word searches the raw line. Not there, and said so: regexes, fuzziness, boosts.
Every refusal names its place (a caret under the query) and what to write instead.
"""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Any, Final

from luqum import tree
from luqum.exceptions import ParseError
from luqum.thread import parse as parse_lucene

from detectors.core.query.shielding import has_reserved, shielded, unshielded
from detectors.core.query.times import is_day, parse_instant
from detectors.errors import (
    BadQuery,
    QueryNeedsField,
    QueryNotClosed,
    QueryNotOffered,
    QueryTooLarge,
)
from secops.kernel.clock import to_rfc3339
from secops.kernel.logs import And, Exists, Not, Or, Query, Range, Term

TIME: Final = "@timestamp"
MAX_LENGTH: Final = 4_000
MAX_DEPTH: Final = 32
MAX_CLAUSES: Final = 512
_EVERYTHING: Final = And(())
_OPERATORS: Final = ("&&", "||")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_PLACE: Final = re.compile(r"at position (\d+)")
_PAIRS: Final = {"(": ")", "[": "]}", "{": "]}"}


def parse_query(text: str, zone: tzinfo, now: int) -> Query:
    """Return the tree of ``text``; empty and ``*`` are everything.

    Times without a zone are in ``zone``; ``now-15m`` is relative to ``now`` (UTC
    microseconds). Raises ``BadQuery`` with the place.
    """
    if len(text) > MAX_LENGTH:
        msg = f"a query has at most {MAX_LENGTH} characters"
        raise QueryTooLarge(msg)
    if has_reserved(text):
        msg = "the query holds a character that is none in Unicode"
        raise BadQuery(msg)
    if not text.strip():
        return _EVERYTHING
    if text.count("(") > MAX_DEPTH * 4:
        msg = "the query nests too deeply"
        raise QueryTooLarge(msg)
    try:
        root = parse_lucene(shielded(text))
    except (ParseError, ValueError, RecursionError) as error:
        raise _parse_refusal(text, str(error)) from error
    return _Reader(text, zone, now).query(root, None, 0)


def _parse_refusal(text: str, message: str) -> BadQuery:
    """Return luqum's refusal with its place: it names none where something is not closed."""
    opened = _unclosed(text)
    if opened is not None:
        return QueryNotClosed(f"{text[opened]} is not closed", query=text, at=opened)
    place = _PLACE.search(message)
    if place is None:
        return BadQuery("something is missing at the end", query=text, at=len(text.rstrip()))
    at = int(place[1])
    return BadQuery(f"{text[at : at + 1]!r} does not fit here", query=text, at=at)


def _unclosed(text: str) -> int | None:
    """Return where the innermost quote or bracket begins that nothing closes."""
    waiting: list[int] = []
    position = 0
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == '"':
            end = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL).match(text, position + 1)
            if end is None:
                return position
            position = end.end() - 1
        elif char in _PAIRS:
            waiting.append(position)
        elif waiting and char in _PAIRS[text[waiting[-1]]]:
            waiting.pop()
        position += 1
    return waiting[-1] if waiting else None


class _Reader:
    def __init__(self, text: str, zone: tzinfo, now: int) -> None:
        self._text = text
        self._zone = zone
        self._now = now
        self._clauses = 0

    def query(self, node: Any, field: str | None, depth: int) -> Query:
        if depth > MAX_DEPTH:
            raise self._refusal(QueryTooLarge, "the query nests too deeply", node)
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
        self._clauses += 1
        if self._clauses > MAX_CLAUSES:
            raise self._refusal(QueryTooLarge, f"a query has at most {MAX_CLAUSES} terms", node)
        return self._leaf(node, field)

    def _field(self, node: Any, field: str | None, depth: int) -> Query:
        written = unshielded(node.name)
        name = _ESCAPED.sub(r"\1", written)
        value = node.children[0]
        if field is not None:
            raise self._refusal(BadQuery, f"a field inside the field {field}", node)
        if name == "_exists_":
            return Exists(self._plain(value))
        if isinstance(value, tree.Word) and value.value == "*":
            return _EVERYTHING if written == "*" else Exists(self._known(name, written, node))
        return self.query(value, self._known(name, written, node), depth + 1)

    def _known(self, name: str, written: str, node: Any) -> str:
        if "*" in _ESCAPED.sub("", written) or "?" in _ESCAPED.sub("", written):
            raise self._refusal(QueryNotOffered, "a field's name has no wildcards", node)
        return name

    def _leaf(self, node: Any, field: str | None) -> Query:
        if isinstance(node, tree.Word):
            return self._word(node, field)
        if isinstance(node, tree.Phrase):
            text = self._plain(node)
            return self._instant(text, node) if field == TIME else Term(field, text, quoted=True)
        if isinstance(node, (tree.Range, tree.From, tree.To)):
            return self._range(node, field)
        kind = {"Regex": "a regular expression", "Boost": "a boost"}.get(
            type(node).__name__, "fuzziness"
        )
        raise self._refusal(QueryNotOffered, f"{kind} is not offered", node)

    def _word(self, node: Any, field: str | None) -> Query:
        written = unshielded(node.value)
        if written in _OPERATORS or (field is None and written.startswith("!")):
            raise self._refusal(QueryNotOffered, f"{written[:2]} is no operator here", node)
        if field is None and written == "*":
            return _EVERYTHING
        text = _keep_wildcards(written)
        return self._instant(text, node) if field == TIME else Term(field, text)

    def _instant(self, text: str, node: Any) -> Query:
        """Return a time as the range it covers: a date is its whole day."""
        low, high = (self._moment(text, node, end=end) for end in (False, True))
        return Range(TIME, to_rfc3339(low), to_rfc3339(high), high_inclusive=low == high)

    def _range(self, node: Any, field: str | None) -> Range:
        if field is None:
            raise self._refusal(QueryNeedsField, "a range without a field", node)
        low, high, with_low, with_high = self._bounds(node)
        if field == TIME:
            if low is not None:  # after a day is from its end on
                with_low, day = with_low or is_day(low), not with_low
                low = to_rfc3339(self._moment(low, node, end=day))
            if high is not None:  # up to and with a day is before its end
                with_high, day = with_high and not is_day(high), with_high
                high = to_rfc3339(self._moment(high, node, end=day))
        return Range(field, low, high, low_inclusive=with_low, high_inclusive=with_high)

    def _bounds(self, node: Any) -> tuple[str | None, str | None, bool, bool]:
        if isinstance(node, tree.From):
            return self._plain(node.children[0]), None, bool(node.include), True
        if isinstance(node, tree.To):
            return None, self._plain(node.children[0]), True, bool(node.include)
        low, high = (self._bound(child) for child in node.children)
        return low, high, bool(node.include_low), bool(node.include_high)

    def _bound(self, node: Any) -> str | None:
        """Return a range's bound; an unquoted ``*`` leaves it open."""
        is_open = isinstance(node, tree.Word) and node.value == "*"
        return None if is_open else self._plain(node)

    def _moment(self, text: str, node: Any, *, end: bool) -> int:
        try:
            return parse_instant(text, self._zone, self._now, end=end)
        except BadQuery as refused:
            raise self._refusal(type(refused), refused.detail, node) from refused

    def _plain(self, node: Any) -> str:
        """Return the plain text of a word or phrase."""
        if isinstance(node, (tree.Phrase, tree.Word)):
            written = node.value[1:-1] if isinstance(node, tree.Phrase) else node.value
            return _ESCAPED.sub(r"\1", unshielded(written))
        raise self._refusal(BadQuery, "a plain value is needed here", node)

    def _refusal(self, kind: type[BadQuery], problem: str, node: Any) -> BadQuery:
        return kind(problem, query=self._text, at=node.pos or 0)


def _keep_wildcards(written: str) -> str:
    r"""Resolve Lucene's escapes but those of ``*``, ``?`` and ``\``, which a term keeps."""
    return _ESCAPED.sub(lambda found: found[0] if found[1] in "*?\\" else found[1], written)
