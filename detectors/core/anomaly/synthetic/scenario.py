"""One invented organisation over weeks: everybody's sign-ins and the attacks among them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from detectors.core.anomaly.synthetic.attackers import ATTACKERS, HELD_OUT, Scene
from detectors.core.anomaly.synthetic.people import START, Person, make_people, sign_ins
from detectors.models.anomalies import LoginFacts
from secops.kernel.clock import DAY

HONEST: Final = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large: ``days`` in all, the last ``test_days`` are for measuring.

    ``attacks`` of each kind happen in the test days, ``poison`` of each kind that is not held
    out before, unnoticed: what models learn from is not clean.
    """

    people: int = 300
    days: int = 60
    test_days: int = 20
    attacks: int = 50
    poison: int = 10

    @property
    def split_at(self) -> int:
        """When measuring begins."""
        return START + (self.days - self.test_days) * DAY


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in with right password and factor; ``attacker`` is empty for the owner."""

    facts: LoginFacts
    attacker: str


def make_attempts(plan: Plan, seed: int) -> list[Attempt]:
    """Return all sign-ins of the scenario, in the order of time."""
    draw = np.random.default_rng(seed)
    people = make_people(draw, plan.people, plan.days - plan.test_days)
    honest = {person.account: list(sign_ins(draw, person, plan.days)) for person in people}
    attempts = [Attempt(facts, HONEST) for facts in _all(honest)]
    split = plan.days - plan.test_days
    for name in ATTACKERS:
        attempts.extend(_attacks(draw, name, (people, honest), (split, plan.days, plan.attacks)))
        if name not in HELD_OUT:
            attempts.extend(_attacks(draw, name, (people, honest), (1, split, plan.poison)))
    return sorted(attempts, key=lambda each: (each.facts.at, each.facts.account))


def _all(honest: Mapping[str, Sequence[LoginFacts]]) -> Iterator[LoginFacts]:
    for facts in honest.values():
        yield from facts


def _attacks(
    draw: Generator,
    name: str,
    town: tuple[Sequence[Person], Mapping[str, Sequence[LoginFacts]]],
    when: tuple[int, int, int],
) -> Iterator[Attempt]:
    """Yield ``when[2]`` attacks on random people between two days."""
    people, honest = town
    first, last, count = when
    while count:
        person = people[int(draw.integers(len(people)))]
        day = int(draw.integers(first, last))
        logins = honest[person.account]
        known = bisect_left(logins, START + day * DAY, key=lambda each: each.at)
        if known == 0:
            continue  # nobody has seen this account yet, so nobody can attack it
        facts = ATTACKERS[name](draw, Scene(person, logins[:known], day))
        if facts.at < START + first * DAY:
            continue  # a relay follows a sign-in, which may lie before the time asked for
        count -= 1
        yield Attempt(facts, name)
