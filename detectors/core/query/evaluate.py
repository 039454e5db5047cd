"""Queries answered on a batch: every text is judged once per unique value, not per row.

The pseudo-fields ``@timestamp``, ``log.source`` and ``event.id`` are every event's own; any
other name reads the field, then System's of a Windows event (as rules do). A list matches
when any element does; an absent field matches nothing, so NOT holds for it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.core.events.text import canonical_address, fold
from detectors.core.formats.windows import SYSTEM
from detectors.core.query.pattern import Test, holders, needles, one_of, part_of_line, whole_value
from secops.kernel.clock import from_rfc3339
from secops.kernel.logs import And, Batch, Column, Exists, Not, Or, Query, Range, Term

TIME: Final = "@timestamp"
SOURCE: Final = "log.source"
ID: Final = "event.id"
Mask = NDArray[np.bool_]
_FEW: Final = 16


def matching_rows(query: Query, batch: Batch) -> Mask:
    """Return for each row of ``batch`` whether ``query`` holds."""
    return _holding(query, batch, np.ones(len(batch), dtype=np.bool_))


def _holding(query: Query, batch: Batch, within: Mask) -> Mask:
    """Return the rows of ``within`` for which ``query`` holds; the others are not looked at."""
    if isinstance(query, And):
        answer = within
        for part in sorted(query.queries, key=_cost):
            if not answer.any():
                break
            answer = _holding(part, batch, answer)
        return answer
    if isinstance(query, Or):
        return _any_holding(query, batch, within)
    if isinstance(query, Not):
        return within & ~_holding(query.query, batch, within)
    if isinstance(query, Exists):
        return within & _present(batch, query.name)
    if isinstance(query, Range):
        return within & _in_range(query, batch, within)
    return within & _term(query, batch, within)


def _any_holding(query: Or, batch: Batch, within: Mask) -> Mask:
    """Return the rows for which one part holds; quoted texts of one field are asked together."""
    answer = np.zeros(len(batch), dtype=np.bool_)
    texts: dict[str, list[str]] = {}
    for part in query.queries:
        if isinstance(part, Term) and part.quoted and part.name is not None:
            texts.setdefault(part.name, []).append(part.text)
        else:
            answer |= _holding(part, batch, within & ~answer)
    for name, quoted in texts.items():
        left = within & ~answer
        answer |= left & _rows_where(one_of(quoted), batch, name, left)
    return answer


def _cost(query: Query) -> int:
    """Return how dear a part of an AND is: raw lines come last, when few rows are left."""
    if isinstance(query, (And, Or)):
        return max(map(_cost, query.queries), default=0)
    if isinstance(query, Not):
        return _cost(query.query)
    return 2 if query.name is None else int(not isinstance(query, Term))


def field_values(batch: Batch, name: str) -> Column | None:
    """Return what ``name`` reads on each row, as one column; None if no row has it."""
    if name == SOURCE:
        return batch.source
    own = batch.columns.get(name)
    system = None if name.startswith(SYSTEM) else batch.columns.get(SYSTEM + name)
    if own is None or system is None:
        return own or system
    codes = np.array(own.codes, dtype=np.int32)
    second = np.frombuffer(system.codes, dtype=np.int32)
    missing = (codes < 0) & (second >= 0)
    codes[missing] = second[missing] + len(own.values)
    joined = system.codes[:0]
    joined.frombytes(codes.tobytes())
    return Column((*own.values, *system.values), joined)


def range_test(query: Range) -> Test:
    """Return the test of a range: numbers as numbers, addresses as such, else folded text."""
    bounds = [bound for bound in (query.low, query.high) if bound is not None]
    if not bounds:
        return lambda _value: True
    if all(_number(bound) is not None for bound in bounds):
        return _between(query, _number)
    if all(canonical_address(bound) is not None for bound in bounds):
        return _between(query, _address)
    return _between(query, fold)


def _term(query: Term, batch: Batch, within: Mask) -> Mask:
    if query.name is None:
        test = part_of_line(query.text, quoted=query.quoted)
        lines = batch.raws[:]
        answer = np.zeros(len(batch), dtype=np.bool_)
        rows = np.flatnonzero(within)
        hits = (test(lines[row]) for row in rows.tolist())
        answer[rows] = np.fromiter(hits, dtype=np.bool_, count=len(rows))
        return answer
    test_value = whole_value(query.text, quoted=query.quoted)
    clue = needles(query.text, quoted=query.quoted)
    return _rows_where(test_value, batch, query.name, within, clue)


def _present(batch: Batch, name: str) -> Mask:
    if name in (TIME, ID):
        return np.ones(len(batch), dtype=np.bool_)
    column = field_values(batch, name)
    if column is None:
        return np.zeros(len(batch), dtype=np.bool_)
    return np.frombuffer(column.codes, dtype=np.int32) >= 0


def _in_range(query: Range, batch: Batch, within: Mask) -> Mask:
    if query.name != TIME:
        return _rows_where(range_test(query), batch, query.name, within)
    times = np.frombuffer(batch.times, dtype=np.int64)
    answer = np.ones(len(batch), dtype=np.bool_)
    if query.low is not None:
        low = from_rfc3339(query.low)
        answer &= times >= low if query.low_inclusive else times > low
    if query.high is not None:
        high = from_rfc3339(query.high)
        answer &= times <= high if query.high_inclusive else times < high
    return answer


def _rows_where(
    test: Test, batch: Batch, name: str, within: Mask, clue: Sequence[str] = ()
) -> Mask:
    """Return the rows of ``within`` whose value passes; of many values those that have a ``clue``.

    Searching all values as one text costs a hundredth of asking each.
    """
    if name == ID:
        return np.fromiter(map(test, batch.ids), dtype=np.bool_, count=len(batch))
    column = field_values(batch, name)
    if column is None or not len(column.values):
        return np.zeros(len(batch), dtype=np.bool_)
    codes = np.frombuffer(column.codes, dtype=np.int32)
    lookup = np.zeros(len(column.values) + 1, dtype=np.bool_)  # the last one is code -1
    asked = np.zeros(len(lookup), dtype=np.bool_)
    asked[codes[within]] = True
    asked[-1] = False
    values = column.values
    if clue and np.count_nonzero(asked) * _FEW > len(values):
        having = holders(values, clue)
        if having is not None:
            picked = np.zeros(len(lookup), dtype=np.bool_)
            picked[having] = True
            asked &= picked
    for code in np.flatnonzero(asked).tolist():
        value = values[code]
        lookup[code] = test(value) if isinstance(value, str) else any(map(test, value))
    answer: Mask = lookup[codes]
    return answer


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _address(text: str) -> tuple[int, int] | None:
    canonical = canonical_address(text)
    if canonical is None:
        return None
    address = ipaddress.ip_address(canonical)
    return address.version, int(address)


def _between(query: Range, key: object) -> Test:
    read = key if callable(key) else fold
    low = None if query.low is None else read(query.low)
    high = None if query.high is None else read(query.high)

    def test(value: str) -> bool:
        number = read(value)
        if number is None:
            return False
        if low is not None and (number < low or (number == low and not query.low_inclusive)):
            return False
        return not (
            high is not None and (number > high or (number == high and not query.high_inclusive))
        )

    return test
