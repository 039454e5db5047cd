"""What correlations refer to: rules, other correlations, and mistakes that are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.core.correlation.model import Correlation
from detectors.models.rules import RuleHeader, RuleProblem

MAX_CHAIN: Final = 20
"""Correlations that one correlation may rest on."""


class Unresolved(ValueError):
    """A correlation that refers to nothing, or to itself."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a correlation rests on: ``chain`` ends with itself, inner ones before outer ones.

    ``rules`` are the ids of all rules that are asked.
    """

    chain: tuple[Correlation, ...]
    rules: tuple[str, ...]


@dataclass(slots=True)
class References:
    """Names of rules and correlations; of equal names the first counts, ids before names."""

    headers: dict[str, RuleHeader] = field(default_factory=dict)
    correlations: dict[str, Correlation] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sequence[RuleHeader], correlations: Sequence[Correlation]) -> References:
        """Return the names of ``rules`` and ``correlations``."""
        found = cls()
        for header in (*rules, *(each.header for each in correlations)):
            found.headers.setdefault(header.id, header)
        for header in (*rules, *(each.header for each in correlations)):
            if header.name:
                found.headers.setdefault(header.name, header)
        found.correlations = {each.header.id: each for each in correlations}
        return found

    def resolve(self, correlation: Correlation) -> Resolved:
        """Return what ``correlation`` rests on; raise ``Unresolved``."""
        chain: dict[str, Correlation] = {}
        rules: dict[str, None] = {}
        self._visit(correlation, (), chain, rules)
        return Resolved(tuple(chain.values()), tuple(rules))

    def _visit(
        self,
        correlation: Correlation,
        above: tuple[str, ...],
        chain: dict[str, Correlation],
        rules: dict[str, None],
    ) -> None:
        mine = correlation.header.id
        if mine in above:
            msg = f"refers to itself by way of {correlation.header.title!r}"
            raise Unresolved(msg)
        if mine in chain:
            return
        missing = [name for name in correlation.rules if name not in self.headers]
        if missing:
            msg = f"refers to {', '.join(missing)}, which is not a rule here"
            raise Unresolved(msg)
        for name in correlation.rules:
            target = self.headers[name].id
            inner = self.correlations.get(target)
            if inner is None:
                rules[target] = None
                continue
            if correlation.type == "first_seen":
                msg = f"counts {inner.header.title!r}, but first_seen counts rules only"
                raise Unresolved(msg)
            if len(above) >= MAX_CHAIN:
                msg = f"rests on more than {MAX_CHAIN} correlations"
                raise Unresolved(msg)
            _refuse_lost_fields(correlation, inner)
            self._visit(inner, (*above, mine), chain, rules)
        chain[mine] = correlation


def _refuse_lost_fields(outer: Correlation, inner: Correlation) -> None:
    keys = frozenset({inner.header.id, inner.header.name})
    wanted = (*outer.group_fields(keys), *outer.fields_for(outer.fields, keys))
    lost = sorted(set(wanted) - set(inner.group_by))
    if lost:
        msg = f"needs {', '.join(lost)} of {inner.header.title!r}, which only keeps its group-by"
        raise Unresolved(msg)


def lint_correlation(
    correlation: Correlation, headers: Mapping[str, RuleHeader]
) -> Iterator[RuleProblem]:
    """Yield what is odd: an alias that leaves a rule out, or that nobody uses.

    ``headers`` are what the correlation's rules may be called.
    """
    header = correlation.header
    used = {*correlation.group_by, *correlation.fields}
    for alias in correlation.aliases:
        if alias.name not in used:
            what = f"the alias {alias.name} is not used in group-by"
            yield RuleProblem(header.path, header.line, what, header.id, fatal=False)
        for name in dict.fromkeys(correlation.rules):
            known = headers.get(name)
            names = {name} if known is None else {name, known.id, known.name}
            if not names & alias.fields.keys():
                what = f"the alias {alias.name} does not say what the field is in {name}"
                yield RuleProblem(header.path, header.line, what, header.id, fatal=False)
