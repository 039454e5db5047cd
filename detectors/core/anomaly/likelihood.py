"""How likely is a sign-in for this account, and for everybody: per feature, with back-off.

After Freeman, Jain, Dürmuth, Biggio, Giacinto, *Who Are You? A Statistical Approach to
Measuring User Authenticity* (NDSS 2016): the score is the sum over features of
``log p(x | attack) - log p(x | account)`` plus ``log p(account | attack) - log p(account)``.
A value is a path from coarse to fine; at each level, given the coarser ones,

    p_all  = (c + 1) / (n + V + 1)                          V: different values seen there
    p_peer = (c_peer + V_peer p_all)  / (n_peer + V_peer)
    p_user = (c_user + V_user p_peer) / (n_user + V_user)   V at least 1

(Witten-Bell: who often shows new values is expected to show another). p_attack is 1 / (V + 1)
at the coarse levels (``EVEN_UNDER_ATTACK``), p_all at the others. So a new account is first its
peers, then everybody, and a new address in a known network costs little. Hours are smoothed by
a circular Gaussian kernel of 1.5 hours over the week; there the back-off weighs 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.anomaly.counts import Counts, Tally, key_of, prefixes
from detectors.core.anomaly.features import EVEN_UNDER_ATTACK, HOURS, LEVELS
from detectors.models.anomalies import LoginFeatures, Weight

ALPHA: Final = 1.0
SIGMA_HOURS: Final = 1.5
ALL: Final = "*"
_REACH: Final = 6
_RAW: Final = [math.exp(-0.5 * (step / SIGMA_HOURS) ** 2) for step in range(-_REACH, _REACH + 1)]
KERNEL: Final = [weight / sum(_RAW) for weight in _RAW]
COLUMNS: Final = (*(f"{name}.{level}" for name in LEVELS for level in LEVELS[name]), "hour", "who")
"""What the forest's columns are: log p of each level for this account, hour, frequency."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """``score`` is the sum of the weights; ``row`` are the log-probabilities, see COLUMNS."""

    score: float
    row: tuple[float, ...]
    weights: tuple[Weight, ...]


def scopes_of(features: LoginFeatures) -> tuple[str, str, str]:
    """Return under what a sign-in is counted: everybody, peers, the account."""
    return (ALL, f"p:{features.peers}", f"u:{features.account}")


def learn(tally: Tally, features: LoginFeatures) -> None:
    """Count one sign-in."""
    for scope in scopes_of(features):
        for name, path in features.paths.items():
            for prefix in prefixes(path):
                fresh = tally.add(key_of(scope, name, prefix)) == 0
                if fresh and prefix:
                    tally.add(key_of(f"kids {scope}", name, prefix[:-1]))
        fresh = tally.add(key_of(scope, "hour", ())) == 0
        if fresh and scope.startswith("u:"):
            tally.add(key_of("users", "", ()))
        tally.add(key_of(scope, "hour", (str(features.hour),)))


def weigh(counts: Counts, features: LoginFeatures) -> Weighed:
    """Return how much each feature speaks against this account."""
    found = iter(counts.of(_keys(features)))
    weights, row = [], []
    for name, path in features.paths.items():
        weight, logs = _weigh_path(name, path, found)
        weights.append(weight)
        row.extend(logs)
    weight, log = _weigh_hour(found)
    weights.append(weight)
    row.append(log)
    weight, log = _weigh_account(found)
    weights.append(weight)
    row.append(log)
    ordered = tuple(sorted(weights, key=lambda each: -each.log_ratio))
    return Weighed(sum(each.log_ratio for each in weights), tuple(row), ordered)


def _keys(features: LoginFeatures) -> list[int]:
    """Return all keys that ``weigh`` asks for, in the order it reads them."""
    scopes = scopes_of(features)
    keys: list[int] = []
    for name, path in features.paths.items():
        for scope in scopes:
            keys.extend(key_of(scope, name, prefix) for prefix in prefixes(path))
            keys.extend(key_of(f"kids {scope}", name, path[:level]) for level in range(len(path)))
    for scope in scopes:
        keys.append(key_of(scope, "hour", ()))
        keys.extend(
            key_of(scope, "hour", (str((features.hour + step) % HOURS),))
            for step in range(-_REACH, _REACH + 1)
        )
    keys.append(key_of("users", "", ()))
    keys.extend(key_of(scope, "hour", ()) for scope in (ALL, scopes[2]))
    return keys


def _take(found: Iterator[float], count: int) -> list[float]:
    return [next(found) for _ in range(count)]


def _weigh_path(
    name: str, path: Sequence[str], found: Iterator[float]
) -> tuple[Weight, list[float]]:
    levels = len(path)
    (everybody, kids), (peers, peer_kids), (own, own_kids) = (
        (_take(found, levels + 1), _take(found, levels)) for _ in range(3)
    )
    logs, ratios = [], []
    for level in range(levels):
        p_all = (everybody[level + 1] + 1) / (everybody[level] + kids[level] + 1)
        alpha = max(ALPHA, peer_kids[level])
        p_peer = (peers[level + 1] + alpha * p_all) / (peers[level] + alpha)
        alpha = max(ALPHA, own_kids[level])
        p_user = (own[level + 1] + alpha * p_peer) / (own[level] + alpha)
        even = (name, LEVELS[name][level]) in EVEN_UNDER_ATTACK
        p_attack = 1 / (kids[level] + 1) if even else p_all
        logs.append(math.log(p_user))
        ratios.append(math.log(p_attack) - math.log(p_user))
    strongest = max(range(levels), key=ratios.__getitem__)
    return Weight(name, LEVELS[name][strongest], sum(ratios), own[-1]), logs


def _weigh_hour(found: Iterator[float]) -> tuple[Weight, float]:
    even = 1 / HOURS
    before = even
    densities = []
    near = 0.0
    for _ in range(3):
        total, *bins = _take(found, 2 * _REACH + 2)
        near = sum(count * weight for count, weight in zip(bins, KERNEL, strict=True))
        before = (near + ALPHA * before) / (total + ALPHA)
        densities.append(before)
    log = math.log(densities[2])
    return Weight("hour", "hour", math.log(densities[0]) - log, near), log


def _weigh_account(found: Iterator[float]) -> tuple[Weight, float]:
    """Weigh that attackers pick any account: one that signs in often is rarely theirs."""
    users, total, own = _take(found, 3)
    p_legitimate = (own + 1) / (total + users + 1)
    p_attack = 1 / (users + 1)
    log = math.log(p_legitimate)
    return Weight("account", "frequency", math.log(p_attack) - log, own), log
