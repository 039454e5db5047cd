"""How much and what: volume, rarity and first uses of keys, seals and exports.

Volume per account and action: uses in an hour against the median of its hours of that kind.
The baseline is the account's own at that hour of the week where it has at least ``LEAST_WEEKS``
of them, else the account's working or quiet hours, else its peers'. With ``m`` the median and
MAD the median absolute deviation,

    z = (x - m) / max(1.4826 MAD, sqrt(m + 1))

so a quiet hour with MAD 0 does not make two uses an outlier (the square root is what a Poisson
count varies by). Rarity: an object (key, seal) that the account never used, weighed by whether
its peers did.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from detectors.core.anomaly.features import HOURS
from secops.kernel.clock import DAY, HOUR

ACTIONS: Final[Mapping[str, str]] = {
    "kms.sign": "key_use",
    "kms.decrypt": "key_use",
    "kms.encrypt": "key_use",
    "kms.rewrap": "key_use",
    "kms.make_data_key": "key_use",
    "kms.hmac": "key_use",
    "kms.use_seal": "seal_use",
    "kms.export_key": "export",
    "audits.export_report": "export",
    "audits.export_tiles": "export",
    "detectors.export_logs": "export",
}
"""Which acts of the ledger count as what."""
LEAST_WEEKS: Final = 4
LEAST_DAYS: Final = 14
Z_ALERT: Final = 6.0
LEAST_VOLUME: Final = 20.0
"""Fewer uses in an hour are never an outlier of volume: small numbers jump."""
LEAST_USES: Final = 30
"""A first use counts only for an account that has used things at least so often."""
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Use:
    """``count`` uses of ``target`` (``key:…``, ``seal:…``) by ``account`` around ``at``.

    ``hour`` is the local hour of the week.
    """

    at: int
    account: str
    peers: str
    action: str
    target: str
    hour: int
    event_id: str
    count: float = 1.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """Median and median absolute deviation of uses in an hour, over ``weeks`` such hours."""

    middle: float
    deviation: float
    weeks: int

    def outlier(self, count: float) -> float:
        """Return how many robust deviations ``count`` lies above."""
        scale = max(1.4826 * self.deviation, math.sqrt(self.middle + 1))
        return (count - self.middle) / scale


@dataclass(frozen=True, slots=True)
class Volume:
    """An hour with more uses than usual."""

    account: str
    action: str
    uses: tuple[Use, ...]
    count: float
    baseline: Baseline
    basis: str
    z: float


@dataclass(frozen=True, slots=True)
class FirstUse:
    """An account used something it never used; ``peers_before`` of its peers had."""

    use: Use
    own_before: int
    peers_before: int


@dataclass(frozen=True, slots=True)
class UsageProfile:
    """What is usual: baselines by (scope, action, hour kind), and who used what.

    ``first_at`` is when each account was first seen: a new one has no habits yet.
    """

    baselines: Mapping[str, Baseline]
    used: Mapping[str, int]
    targets: Mapping[str, frozenset[str]]
    first_at: Mapping[str, int]

    def baseline_of(self, use: Use) -> tuple[Baseline, str]:
        """Return the nearest baseline with enough history, and whose it is."""
        hour, kind, peers = _names(use)
        for name, basis in (hour, kind):
            found = self.baselines.get(name)
            if found is not None and found.weeks >= LEAST_WEEKS:
                return found, basis
        never = _kind(use.hour)
        stem, elsewhere = kind[0].removesuffix(never), "work" if never == "quiet" else "quiet"
        other = self.baselines.get(stem + elsewhere)
        if other is not None and other.weeks >= LEAST_WEEKS:
            return Baseline(0.0, 0.0, other.weeks), f"never in own {never} hours"
        found = self.baselines.get(peers[0])
        if found is not None and found.weeks >= LEAST_WEEKS:
            return found, peers[1]
        return Baseline(0.0, 0.0, 0), "nothing"


def _kind(hour: int) -> str:
    day, clock = divmod(hour, 24)
    return "work" if day < 5 and 8 <= clock < 19 else "quiet"  # noqa: PLR2004 - Monday to Friday, 8 to 19


def _names(use: Use) -> tuple[tuple[str, str], ...]:
    own = f"u:{use.account}|{use.action}"
    kind = _kind(use.hour)
    return (
        (f"{own}|{use.hour}", "own hour of the week"),
        (f"{own}|{kind}", f"own {kind} hours"),
        (f"p:{use.peers}|{use.action}|{kind}", f"peers' {kind} hours"),
    )


def by_hour(uses: Iterable[Use]) -> dict[tuple[str, str, int], list[Use]]:
    """Return uses by (account, action, hour since 1970)."""
    found: dict[tuple[str, str, int], list[Use]] = defaultdict(list)
    for use in uses:
        found[(use.account, use.action, use.at // HOUR)].append(use)
    return found


def learn_usage(uses: Sequence[Use]) -> UsageProfile:
    """Return the profile of ``uses``. Hours without any use count as zero."""
    hours = by_hour(uses)
    counts: dict[str, list[float]] = defaultdict(list)
    slots: dict[str, int] = {}
    for (_, _, hour), group in hours.items():
        total = sum(use.count for use in group)
        for name, _ in _names(group[0]):
            counts[name].append(total)
            slots[name] = min(hour, slots.get(name, hour))
    last = max((hour for _, _, hour in hours), default=0)
    people = _people(uses)
    baselines = {
        name: _baseline(values, name, last - slots[name], people) for name, values in counts.items()
    }
    used: dict[str, int] = defaultdict(int)
    targets: dict[str, set[str]] = defaultdict(set)
    first_at: dict[str, int] = {}
    for use in uses:
        used[use.account] += 1
        targets[f"u:{use.account}"].add(use.target)
        targets[f"p:{use.peers}"].add(use.target)
        first_at[use.account] = min(use.at, first_at.get(use.account, use.at))
    frozen = {name: frozenset(found) for name, found in targets.items()}
    return UsageProfile(baselines, dict(used), frozen, first_at)


def _people(uses: Iterable[Use]) -> dict[str, int]:
    members: dict[str, set[str]] = defaultdict(set)
    for use in uses:
        members[f"p:{use.peers}|{use.action}"].add(use.account)
    return {name: len(found) for name, found in members.items()}


def _baseline(values: list[float], name: str, span: int, people: Mapping[str, int]) -> Baseline:
    """Fill up with zeros for the hours of that kind in which nothing happened."""
    scope, action, kind = name.split("|")
    weeks = span // HOURS + 1
    per_week = {"work": 55, "quiet": 113}.get(kind, 1)
    expected = weeks * per_week * people.get(f"{scope}|{action}", 1)
    zeros = max(0, expected - len(values))
    middle = median_among(values, 0.0, zeros)
    deviation = median_among([abs(value - middle) for value in values], middle, zeros)
    return Baseline(middle, deviation, weeks)


def median_among(values: Sequence[float], repeated: float, times: int) -> float:
    """Return the median of ``values`` and ``times`` times ``repeated``, without writing them."""
    ordered = sorted(values)
    place, count = bisect_left(ordered, repeated), len(ordered) + times

    def item(index: int) -> float:
        if index < place:
            return ordered[index]
        return repeated if index < place + times else ordered[index - times]

    return (item((count - 1) // 2) + item(count // 2)) / 2


def unusual_volumes(profile: UsageProfile, uses: Iterable[Use]) -> list[Volume]:
    """Return the hours of ``uses`` that hold far more than usual."""
    found = []
    for (account, action, _), group in by_hour(uses).items():
        total = sum(use.count for use in group)
        baseline, basis = profile.baseline_of(group[0])
        z = baseline.outlier(total)
        if total >= LEAST_VOLUME and z >= Z_ALERT and baseline.weeks >= LEAST_WEEKS:
            found.append(Volume(account, action, tuple(group), total, baseline, basis, z))
    return found


def first_uses(profile: UsageProfile, uses: Iterable[Use]) -> list[FirstUse]:
    """Return uses of what an account with habits never used, nor any of its peers."""
    found: dict[tuple[str, str], FirstUse] = {}
    for use in uses:
        settled = (
            profile.used.get(use.account, 0) >= LEAST_USES
            and use.at - profile.first_at[use.account] >= LEAST_DAYS * DAY
        )
        own = profile.targets.get(f"u:{use.account}", frozenset())
        peers = profile.targets.get(f"p:{use.peers}", frozenset())
        key = (use.account, use.target)
        if settled and use.target not in own and use.target not in peers and key not in found:
            found[key] = FirstUse(use, len(own), len(peers))
    return list(found.values())


def usage_to_record(profile: UsageProfile) -> dict[str, Any]:
    """Return the profile as plain JSON values."""
    return {
        "baselines": {
            name: [each.middle, each.deviation, each.weeks]
            for name, each in sorted(profile.baselines.items())
        },
        "used": dict(sorted(profile.used.items())),
        "targets": {name: sorted(each) for name, each in sorted(profile.targets.items())},
        "first_at": dict(sorted(profile.first_at.items())),
    }


def usage_from_record(record: Mapping[str, Any]) -> UsageProfile:
    """Return what ``usage_to_record`` wrote; raise KeyError, TypeError or ValueError."""
    return UsageProfile(
        {
            str(name): Baseline(float(middle), float(deviation), int(weeks))
            for name, (middle, deviation, weeks) in record["baselines"].items()
        },
        {str(name): int(count) for name, count in record["used"].items()},
        {str(name): frozenset(map(str, each)) for name, each in record["targets"].items()},
        {str(name): int(at) for name, at in record["first_at"].items()},
    )
