"""Rules of packet filters in one form, whichever program they came from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeVar

from audits.core.collectors.reading import Budget

Key = TypeVar("Key", bound=Hashable)

Verdict = Literal["accept", "drop", "reject", "other"]
MOST_STEPS: Final = 50_000
"""Rules looked at in all: chains that jump to each other could ask for any number."""
_MOST_JUMPS: Final = 16
_PING: Final = frozenset(("icmp", "icmpv6", "ipv6-icmp"))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``ports`` are ranges of destination ports, empty for every port.

    ``source`` and ``target`` tell whether addresses are named; ``other`` that something else
    narrows it, ``states`` which states of a connection it asks for. ``packets`` is its
    counter, None where there is none. ``text`` is the rule as it stands, to compare.
    """

    verdict: Verdict
    protocol: str = ""
    source: bool = False
    target: bool = False
    ports: tuple[tuple[int, int], ...] = ()
    states: frozenset[str] = frozenset()
    loopback: bool = False
    other: bool = False
    packets: int | None = None
    text: str = ""

    @property
    def is_any(self) -> bool:
        """Whether it fits every packet."""
        narrow = self.source or self.target or self.protocol or self.ports or self.states
        return not (narrow or self.loopback or self.other)

    @property
    def is_harmless(self) -> bool:
        """Whether it lets in only answers, pings or the host's own packets."""
        answers = bool(self.states) and "new" not in self.states and "untracked" not in self.states
        return answers or self.loopback or self.protocol in _PING

    @property
    def is_complete(self) -> bool:
        """Whether source, destination, protocol and port are all named."""
        return self.source and self.target and bool(self.protocol) and bool(self.ports)

    def reaches(self, protocol: str, port: int) -> bool:
        """Tell whether it lets any source reach a port."""
        if self.source or (self.protocol and protocol not in self.protocol.split(",")):
            return False
        return not self.ports or any(low <= port <= high for low, high in self.ports)


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain with what it jumps to written out. ``hook`` is empty for one nothing enters.

    ``families`` are of 4 and 6. ``published`` counts translations of destinations.
    """

    hook: str
    policy: Verdict
    families: frozenset[str]
    rules: tuple[Rule, ...] = field(default=())
    published: int = 0

    @property
    def live(self) -> tuple[Rule, ...]:
        """The rules up to the first that decides about every packet."""
        for index, rule in enumerate(self.rules):
            if rule.is_any and rule.verdict != "other":
                return self.rules[: index + 1]
        return self.rules

    @property
    def denies(self) -> bool:
        """Whether what no rule lets through is refused."""
        live = self.live
        if live and live[-1].is_any and live[-1].verdict != "other":
            return live[-1].verdict in ("drop", "reject")
        return self.policy in ("drop", "reject")

    def lets_in(self, port: int) -> bool:
        """Tell whether it lets every source reach a TCP port."""
        return not self.denies or any(
            rule.verdict == "accept" and not rule.is_harmless and rule.reaches("tcp", port)
            for rule in self.live
        )


def written_out(
    rules: Mapping[Key, Sequence[tuple[Rule, Key | None]]], start: Key, budget: Budget
) -> list[Rule]:
    """Return the rules of a chain in order, those of the chains it jumps to in their place.

    ``rules`` gives each rule with the chain it jumps to, None for none.
    """
    return _written_out(rules, start, budget, _MOST_JUMPS)


def _written_out(
    rules: Mapping[Key, Sequence[tuple[Rule, Key | None]]], key: Key, budget: Budget, jumps: int
) -> list[Rule]:
    found: list[Rule] = []
    for rule, aim in rules.get(key, ()):
        if not budget.spend():
            break
        if aim is None:
            found.append(rule)
        elif jumps:
            inner = _written_out(rules, aim, budget, jumps - 1)
            found += [_narrowed(each, rule) for each in inner]
    return found


def _narrowed(inner: Rule, outer: Rule) -> Rule:
    """Return a rule that is reached by a jump under conditions."""
    if outer.is_any:
        return inner
    return replace(
        inner,
        protocol=inner.protocol or outer.protocol,
        source=inner.source or outer.source,
        target=inner.target or outer.target,
        ports=inner.ports or outer.ports,
        states=inner.states or outer.states,
        loopback=inner.loopback or outer.loopback,
        other=inner.other or outer.other,
        text=f"{outer.text} {inner.text}",
    )
