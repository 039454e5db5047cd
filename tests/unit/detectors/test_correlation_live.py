"""Fed in portions, in any order, live correlations come to what one look at everything finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from secops.kernel.logs import LogEvent
from tests.fakes.correlation_site import CorrelationSite, correlation_site, event

PLAIN = """
---
title: rule a
name: a
level: low
status: stable
logsource: {product: test}
detection:
  selection: {kind: [a, ab]}
  condition: selection
---
title: rule b
name: b
level: low
status: stable
logsource: {product: test}
detection:
  selection: {kind: [b, ab]}
  condition: selection
"""
COUNT = """
title: many
name: many
correlation:
  {type: event_count, rules: [a], timespan: 10s, group-by: [u], condition: {gte: 3}}
"""
RULES = {
    "event_count": COUNT,
    "value_count": """
title: different
correlation:
  {type: value_count, rules: [a], timespan: 10s, group-by: [u], condition: {gte: 2, field: v}}
""",
    "temporal": """
title: both
correlation: {type: temporal, rules: [a, b], timespan: 5s, group-by: [u]}
""",
    "temporal_ordered": """
title: in order
correlation: {type: temporal_ordered, rules: [a, b, a], timespan: 15s, group-by: [u]}
""",
    "not": """
title: a without b
correlation:
  {type: temporal, rules: [a, b], timespan: 6s, group-by: [u], condition: a and not b}
""",
    "eq": """
title: exactly two
correlation:
  {type: event_count, rules: [a], timespan: 8s, group-by: [u], condition: {eq: 2}}
""",
    "value_sum": """
title: much
correlation:
  {type: value_sum, rules: [a], timespan: 10s, group-by: [u], condition: {gt: 6, field: n}}
""",
    "value_avg": """
title: high on average
correlation:
  {type: value_avg, rules: [a], timespan: 10s, group-by: [u], condition: {gte: 3, field: n}}
""",
    "value_median": """
title: low in the middle
correlation:
  {type: value_median, rules: [a], timespan: 10s, group-by: [u], condition: {lte: 2, field: n}}
""",
    "value_percentile": """
title: high at the top
correlation:
  type: value_percentile
  rules: [a]
  timespan: 10s
  group-by: [u]
  condition: {gte: 4.5, field: n, percentile: 90}
""",
    "absence": """
title: silent
correlation: {type: absence, rules: [a], timespan: 9s, group-by: [u]}
""",
    "first_seen": """
title: new
correlation:
  type: first_seen
  rules: [a]
  timespan: 20s
  learning: 15s
  group-by: [u]
  condition: {field: v}
""",
    "chain": """
title: many, then b
correlation: {type: temporal_ordered, rules: [many, b], timespan: 20s, group-by: [u]}
---
"""
    + COUNT.strip(),
    "chain of absences": """
title: silent twice
correlation: {type: event_count, rules: [quiet], timespan: 40s, condition: {gte: 2}}
---
title: quiet
name: quiet
correlation: {type: absence, rules: [a], timespan: 9s, group-by: [u]}
""",
}


def stream(seed: random.Random) -> list[LogEvent]:
    return [
        event(
            seed.randrange(100),
            f"e{number:02d}",
            kind=seed.choice(["a", "a", "b", "ab"]),
            u=seed.choice("xy"),
            v=seed.choice("pqrs"),
            n=seed.choice(["1", "2", "5", "2.5"]),
        )
        for number in range(seed.choice([40, 40, 99]))
    ]


def portions(events: list[LogEvent], seed: random.Random) -> Iterator[list[LogEvent]]:
    rest = list(events)
    while rest:
        size = seed.randrange(1, 9)
        yield rest[:size]
        rest = rest[size:]


def follow(site: CorrelationSite, events: list[LogEvent], seed: random.Random) -> None:
    """Feed ``events``; time runs ahead of what is still to come, so that judgements are undone."""
    watermark = 0
    for portion in portions(events, seed):
        site.feed(portion)
        if seed.random() < 0.6:
            watermark = max(watermark, seed.randrange(101))
            site.settle(watermark)
    site.settle(101)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sites")


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("runs", [3, pytest.param(200, marks=pytest.mark.deep)])
def test_any_order_of_arrival_comes_to_the_same(homes: Path, kind: str, runs: int) -> None:
    with correlation_site(homes / kind, RULES[kind] + PLAIN) as site:
        for number in range(runs):
            seed = random.Random(number)  # noqa: S311 - reproducible streams
            events = stream(seed)
            if number % 3:
                events.sort(key=lambda each: each.at + seed.randrange(1 + number % 3 * 30) * 10**6)
            site.empty()
            follow(site, events, seed)
            assert site.live() == site.expected(events, 101), f"stream {number}"
