"""Correlations the slow and obvious way: try every window, join those that share a match.

Nothing here is shared with the product: plain definitions over (at, event id, rules, value)
with sets, permutations and fractions. It is exponential where that is the obvious way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import permutations, product
from typing import Any


@dataclass(frozen=True, order=True)
class Seen:
    """A match of one group."""

    at: int
    event: str
    rules: frozenset[str] = frozenset({"a"})
    value: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A correlation, as written: ``condition`` as in YAML."""

    type: str
    rules: tuple[str, ...]
    timespan: int
    condition: Any = None
    learning: int = 0


Found = tuple[tuple[int, int], frozenset[Seen]]
"""When it began and ended, and all its matches."""


def reference(asked: Asked, seen: Iterable[Seen], watermark: int) -> set[Found]:
    """Return the episodes of one group."""
    events = sorted(set(seen), key=lambda each: (each.at, each.event))
    if asked.type == "absence":
        return absences(asked, events, watermark)
    if asked.type == "first_seen":
        return news(asked, events)
    if rising(asked):
        windows = [frozenset(w) for last in events if (w := window_of(asked, events, last.at))]
    else:
        windows = list(tiles(asked, events, watermark))
    return {((min(w).at, max(w).at), w) for w in joined(windows)}


def rising(asked: Asked) -> bool:
    """More can't make it false."""
    if isinstance(asked.condition, str):
        plain = asked.condition.replace("not not ", "").replace("(", " ")
        return "not" not in plain.split()
    return all(name in {"gt", "gte", "field", "percentile"} for name in asked.condition or {})


def window_of(asked: Asked, events: Sequence[Seen], at: int) -> list[Seen]:
    """Return what fires at ``at``: the window's matches, or none."""
    window = [each for each in events if at - asked.timespan <= each.at <= at]
    if asked.type != "temporal_ordered":
        return window if holds(asked, window) else []
    starts = [
        start
        for start in sorted({each.at for each in window})
        if any_chain(asked, [each for each in window if each.at >= start], at)
    ]
    return [each for each in window if each.at >= max(starts)] if starts else []


def tiles(asked: Asked, events: Sequence[Seen], watermark: int) -> Iterable[frozenset[Seen]]:
    left = list(events)
    while left:
        closes = left[0].at + asked.timespan
        window = [each for each in left if each.at <= closes]
        left = [each for each in left if each.at > closes]
        if closes < watermark and holds(asked, window):
            yield frozenset(window)


def joined(windows: Iterable[frozenset[Seen]]) -> list[frozenset[Seen]]:
    groups: list[frozenset[Seen]] = []
    for window in windows:
        touching = [group for group in groups if group & window]
        groups = [group for group in groups if not group & window]
        groups.append(window.union(*touching))
    return groups


def holds(asked: Asked, window: Sequence[Seen]) -> bool:
    if not window:
        return False
    if isinstance(asked.condition, str):
        if asked.type == "temporal":
            return truth(asked.condition, {rule for each in window for rule in each.rules})
        return any_chain(asked, window, None)
    number = measured(asked, window)
    condition = asked.condition or {"gte": len(set(asked.rules))}
    return number is not None and all(
        compare(number, name, Fraction(Decimal(str(bound))))
        for name, bound in condition.items()
        if name not in {"field", "percentile"}
    )


def compare(left: Fraction, name: str, right: Fraction) -> bool:
    return {
        "gt": left > right,
        "gte": left >= right,
        "lt": left < right,
        "lte": left <= right,
        "eq": left == right,
        "neq": left != right,
    }[name]


def measured(asked: Asked, window: Sequence[Seen]) -> Fraction | None:
    if asked.type == "event_count":
        return Fraction(len(window))
    if asked.type == "temporal":
        return Fraction(len({rule for each in window for rule in each.rules}))
    if asked.type == "value_count":
        return Fraction(len({each.value for each in window}))
    numbers = sorted(Fraction(Decimal(text)) for each in window for text in each.value)
    return statistic(asked, numbers) if numbers else None


def statistic(asked: Asked, numbers: Sequence[Fraction]) -> Fraction:
    if asked.type == "value_sum":
        return sum(numbers, Fraction(0))
    if asked.type == "value_avg":
        return sum(numbers, Fraction(0)) / len(numbers)
    share = Fraction(Decimal(str(asked.condition.get("percentile", 50)))) / 100
    rank = share * (len(numbers) - 1)
    below = numbers[int(rank)]
    above = numbers[min(int(rank) + 1, len(numbers) - 1)]
    return below + (above - below) * (rank - int(rank))


def truth(condition: str, names: set[str]) -> bool:
    """Let Python read the condition: its not, and, or bind as ours do."""
    words = condition.replace("(", " ( ").replace(")", " ) ").split()
    kept = {"(", ")", "and", "or", "not"}
    text = " ".join(word if word in kept else str(word in names) for word in words)
    return bool(eval(text, {"__builtins__": {}}))  # noqa: S307 - words of this test's own making


def any_chain(asked: Asked, window: Sequence[Seen], ends: int | None) -> bool:
    """Tell whether a chain lies in ``window``; ``ends`` is when its last event must be."""
    for wanted, barred in ways(asked):
        if any(rule in each.rules for each in window for rule in barred):
            continue
        if not wanted and ends is None:
            return True
        for chosen in permutations(window, len(wanted)):
            times = [each.at for each in chosen]
            fits = all(rule in each.rules for rule, each in zip(wanted, chosen, strict=True))
            if wanted and fits and times == sorted(times) and ends in {None, times[-1]}:
                return True
    return False


def ways(asked: Asked) -> list[tuple[list[str], list[str]]]:
    """Return the least ways in which the condition holds: rules in order, and those barred."""
    if not isinstance(asked.condition, str):
        return [(list(asked.rules), [])]
    named = list(dict.fromkeys(asked.rules))
    found = []
    for bits in product((True, False, None), repeat=len(named)):
        wanted = [name for name, bit in zip(named, bits, strict=True) if bit is True]
        barred = [name for name, bit in zip(named, bits, strict=True) if bit is False]
        open_ = [name for name, bit in zip(named, bits, strict=True) if bit is None]
        tries = product((True, False), repeat=len(open_))
        if all(
            truth(asked.condition, {*wanted, *(n for n, on in zip(open_, each, strict=True) if on)})
            for each in tries
        ):
            found.append((wanted, barred))
    return [way for way in found if not any(_covers(other, way) for other in found)]


def _covers(one: tuple[list[str], list[str]], other: tuple[list[str], list[str]]) -> bool:
    return one != other and set(one[0]) <= set(other[0]) and set(one[1]) <= set(other[1])


def absences(asked: Asked, events: Sequence[Seen], watermark: int) -> set[Found]:
    found = set()
    for each in events:
        over = each.at + asked.timespan
        followed = any(
            each.at < other.at <= over or (other.at == each.at and other.event > each.event)
            for other in events
        )
        if not followed and over < watermark:
            found.add(((each.at, over), frozenset({each})))
    return found


def news(asked: Asked, events: Sequence[Seen]) -> set[Found]:
    found = set()
    for each in events:
        before = [o for o in events if (o.at, o.event) < (each.at, each.event)]
        known = any(o.value == each.value and each.at - o.at <= asked.timespan for o in before)
        begun = min(o.at for o in events)
        if not known and each.at - begun >= asked.learning:
            found.add(((each.at, each.at), frozenset({each})))
    return found
