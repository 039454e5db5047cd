"""What a window of matches measures, kept up to date as matches come and go.

Every measure is a fraction of integers, so that nothing depends on the order of additions:
decimal numbers are scaled to whole ones before. ``add`` and ``remove`` cost O(1), for
percentiles O(log n) of the group's distinct values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from detectors.core.correlation.model import COUNTED, Bound, Correlation
from detectors.core.events.numbers import decimal
from detectors.models.correlation import Match

Ratio = tuple[int, int]
"""Numerator and denominator (above 0)."""


class Measure(Protocol):
    """One number about the matches that are in it now."""

    def add(self, match: Match) -> None:
        """Let ``match`` count."""
        ...

    def remove(self, match: Match) -> None:
        """Let a match that was added count no longer."""
        ...

    def ratio(self) -> Ratio | None:
        """Return what is measured, None where there is nothing to be measured."""
        ...


@dataclass(slots=True)
class _Matches:
    count: int = 0

    def add(self, match: Match) -> None:  # noqa: ARG002 - they all count the same
        self.count += 1

    def remove(self, match: Match) -> None:  # noqa: ARG002
        self.count -= 1

    def ratio(self) -> Ratio | None:
        return (self.count, 1) if self.count else None


@dataclass(slots=True)
class _Distinct:
    counts: Counter[tuple[str, ...] | None] = field(default_factory=Counter)

    def add(self, match: Match) -> None:
        self.counts[match.value] += 1

    def remove(self, match: Match) -> None:
        self.counts[match.value] -= 1
        if not self.counts[match.value]:
            del self.counts[match.value]

    def ratio(self) -> Ratio | None:
        return (len(self.counts), 1) if self.counts else None


@dataclass(slots=True)
class Rules:
    """Which of the rules were seen: O(rules of the match) a step."""

    counts: dict[int, int] = field(default_factory=dict)
    seen: int = 0

    def add(self, match: Match) -> None:
        """Count each rule of ``match``."""
        for place in _places(match.rules):
            self.counts[place] = self.counts.get(place, 0) + 1
        self.seen |= match.rules

    def remove(self, match: Match) -> None:
        """Take them back."""
        for place in _places(match.rules):
            self.counts[place] -= 1
            if not self.counts[place]:
                self.seen &= ~(1 << place)

    def ratio(self) -> Ratio | None:
        """Return how many there are."""
        return (self.seen.bit_count(), 1) if self.seen else None


class _Numbers:
    """The numbers of matches times ten to the power of ``scale``: whole ones."""

    def __init__(self, scale: int) -> None:
        self._scale = scale
        self._known: dict[str, int] = {}

    def of(self, match: Match) -> list[int]:
        return [self._whole(text) for text in match.value or ()]

    def _whole(self, text: str) -> int:
        number = self._known.get(text)
        if number is None:
            number = self._known[text] = _whole(Decimal(text), self._scale)
        return number


@dataclass(slots=True)
class _Sum:
    """The sum of the scaled numbers, or with ``mean`` their average."""

    numbers: _Numbers
    mean: bool
    total: int = 0
    count: int = 0

    def add(self, match: Match) -> None:
        numbers = self.numbers.of(match)
        self.total += sum(numbers)
        self.count += len(numbers)

    def remove(self, match: Match) -> None:
        numbers = self.numbers.of(match)
        self.total -= sum(numbers)
        self.count -= len(numbers)

    def ratio(self) -> Ratio | None:
        if not self.count:
            return None
        return self.total, self.count if self.mean else 1


class _Quantile:
    """A percentile by linear interpolation between order statistics (a Fenwick tree)."""

    def __init__(self, matches: Iterable[Match], numbers: _Numbers, share: Fraction) -> None:
        """Know every number that will ever be added: ``matches`` are all of the group."""
        self._numbers, self._share = numbers, share
        self._values = sorted({n for match in matches for n in numbers.of(match)})
        self._places = {value: place for place, value in enumerate(self._values, 1)}
        self._tree = [0] * (len(self._values) + 1)
        self._count = 0

    def add(self, match: Match) -> None:
        self._change(match, 1)

    def remove(self, match: Match) -> None:
        self._change(match, -1)

    def ratio(self) -> Ratio | None:
        if not self._count:
            return None
        rank = self._share * (self._count - 1)
        whole, rest = divmod(rank.numerator, rank.denominator)
        low = self._nth(whole)
        high = self._nth(whole + 1) if rest else low
        return low * rank.denominator + (high - low) * rest, rank.denominator

    def _change(self, match: Match, step: int) -> None:
        for number in self._numbers.of(match):
            self._count += step
            place = self._places[number]
            while place < len(self._tree):
                self._tree[place] += step
                place += place & -place

    def _nth(self, rank: int) -> int:
        """Return the number of 0-based ``rank``."""
        place, left = 0, rank
        step = 1 << (len(self._tree).bit_length() - 1)
        while step:
            further = place + step
            if further < len(self._tree) and self._tree[further] <= left:
                place = further
                left -= self._tree[further]
            step >>= 1
        return self._values[place]


@dataclass(frozen=True, slots=True)
class Gauge:
    """A correlation's measure over one group, and the thresholds scaled as its numbers are."""

    measure: Measure
    bounds: tuple[tuple[Bound, int], ...]
    scale: int

    def holds(self) -> bool:
        """Tell whether what is measured now fires; nothing measured never does."""
        ratio = self.measure.ratio()
        return ratio is not None and all(bound.holds(*ratio, n) for bound, n in self.bounds)

    def text(self) -> str:
        """Return what is measured now in decimal, rounded to 6 digits after the point."""
        top, bottom = self.measure.ratio() or (0, 1)
        found = Decimal(top) / Decimal(bottom * 10**self.scale)
        rounded = found.quantize(Decimal("0.000001")) if abs(found) < 10**20 else found
        return f"{rounded:f}".rstrip("0").rstrip(".") if "." in f"{rounded:f}" else f"{rounded:f}"


def gauge(correlation: Correlation, matches: Sequence[Match]) -> Gauge:
    """Return the gauge of a group's ``matches``, with none of them in it yet."""
    kind = correlation.type
    if kind in COUNTED:
        whole = tuple((bound, int(bound.number)) for bound in correlation.bounds)
        counters: Mapping[str, type[Measure]] = {
            "event_count": _Matches,
            "value_count": _Distinct,
            "temporal": Rules,
        }
        return Gauge(counters[kind](), whole, 0)
    digits = [_digits(Decimal(text)) for match in matches for text in match.value or ()]
    scale = max((*digits, *(_digits(bound.number) for bound in correlation.bounds)), default=0)
    bounds = tuple((bound, _whole(bound.number, scale)) for bound in correlation.bounds)
    numbers = _Numbers(scale)
    if kind in {"value_sum", "value_avg"}:
        return Gauge(_Sum(numbers, kind == "value_avg"), bounds, scale)
    share = Fraction(correlation.percentile) / 100
    return Gauge(_Quantile(matches, numbers, share), bounds, scale)


def numbers_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``texts`` that are decimal numbers."""
    return tuple(text for text in texts if decimal(text) is not None)


def _places(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _digits(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _whole(number: Decimal, scale: int) -> int:
    sign, digits, exponent = number.as_tuple()
    size: int = int("".join(map(str, digits))) * 10 ** (scale + int(exponent))
    return -size if sign else size
