"""How well sign-ins are told apart, measured on the synthetic organisation day by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.core.anomaly.features import login_features
from detectors.core.anomaly.forest import Forest
from detectors.core.anomaly.learning import Learner, Login
from detectors.core.anomaly.likelihood import weigh
from detectors.core.anomaly.login_model import ALERT_RANK, STEP_UP_RANK, Scorer, fit_login_model
from detectors.core.anomaly.metrics import average_precision, caught_at
from detectors.core.anomaly.synthetic.attackers import ATTACKERS
from detectors.core.anomaly.synthetic.scenario import HONEST, Attempt, Plan, make_attempts
from detectors.core.anomaly.synthetic.world import table
from detectors.models.anomalies import LoginFeatures
from secops.kernel.clock import DAY

Floats = NDArray[np.float64]
Grow = Callable[[Floats], Forest]
BEIJING: Final = timezone(timedelta(hours=8))
METHODS: Final = ("mean rank", "likelihood ratio", "forest on log-probabilities", "raw fields")
_PASSES: Final = frozenset({"relay"})
"""A relay passes the second factor on, so a step-up does not stop it from being learned."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one seed showed. ``scores`` is by method, ``kinds`` the attacker of each row."""

    kinds: Sequence[str]
    scores: Mapping[str, Floats]
    step_ups: NDArray[np.bool_]
    alerts: NDArray[np.bool_]
    user_days: int

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Which rows are attacks."""
        return np.array([kind != HONEST for kind in self.kinds])

    def precision(self, method: str) -> float:
        """Return the average precision of a method."""
        return average_precision(self.bad, self.scores[method])

    def caught(self, method: str, false_rate: float, kind: str | None = None) -> float:
        """Return which share of attacks (of one kind) a method catches at a false-alarm rate."""
        rows = np.array([kind is None or each in (kind, HONEST) for each in self.kinds])
        return caught_at(self.bad[rows], self.scores[method][rows], false_rate)

    def stepped_up(self, kind: str) -> float:
        """Return which share of a kind gets a step-up by the threshold of training."""
        rows = np.array([each == kind for each in self.kinds])
        return float(self.step_ups[rows].mean())

    def per_thousand_users_and_day(self, flags: NDArray[np.bool_]) -> float:
        """Return how many flagged sign-ins 1,000 users make a day."""
        return float(flags.sum()) * 1_000 / self.user_days


def look(plan: Plan, seed: int, grow: Grow) -> Seen:
    """Train on the first days of a seed's organisation, then judge the others day by day."""
    networks = table()
    attempts = make_attempts(plan, seed)
    logins = [
        Login(each.facts.at, str(place), login_features(each.facts, networks, str, BEIJING))
        for place, each in enumerate(attempts)
    ]
    cut = sum(each.facts.at < plan.split_at for each in attempts)
    fitted = fit_login_model(logins[:cut], grow)
    learner = Learner(judge=lambda _: True)
    for login in logins[:cut]:
        learner.offer(login)
    scores, rows, ranks = _days(learner, fitted.model.scorer, attempts[cut:], logins[cut:])
    raw = _raw_fields([each.features for each in logins], cut, grow)
    scorer = fitted.model.scorer
    return Seen(
        kinds=[each.attacker for each in attempts[cut:]],
        scores=dict(zip(METHODS, (ranks, scores, scorer.forest.score(rows), raw), strict=True)),
        step_ups=ranks >= STEP_UP_RANK,
        alerts=ranks >= ALERT_RANK,
        user_days=plan.people * plan.test_days,
    )


def _days(
    learner: Learner, scorer: Scorer, attempts: Sequence[Attempt], logins: Sequence[Login]
) -> tuple[Floats, Floats, Floats]:
    """Judge day by day; learn late, and nothing that was alerted or failed its step-up."""
    scores: list[float] = []
    rows: list[tuple[float, ...]] = []
    ranks: list[float] = []
    pairs = zip(attempts, logins, strict=True)
    for day, todays in groupby(pairs, key=lambda pair: pair[1].at // DAY):
        counts = learner.counts_at(day * DAY)
        today = list(todays)
        weighed = [weigh(counts, login.features) for _, login in today]
        scores.extend(each.score for each in weighed)
        rows.extend(each.row for each in weighed)
        new, _ = scorer.ranks(
            np.array([each.score for each in weighed]), np.array([each.row for each in weighed])
        )
        ranks.extend(new.tolist())
        for (attempt, login), rank in zip(today, new.tolist(), strict=True):
            stopped = rank >= STEP_UP_RANK and attempt.attacker not in (HONEST, *_PASSES)
            if rank < ALERT_RANK and not stopped:
                learner.offer(login)
    return np.array(scores), np.array(rows), np.array(ranks)


def _raw_fields(features: Sequence[LoginFeatures], cut: int, grow: Grow) -> Floats:
    """Score the control: the same forest on the fields themselves, coded as they appear."""
    codes: dict[tuple[str, str], int] = {}
    rows = []
    for place, each in enumerate(features):
        row = [float(each.hour)]
        for name, path in sorted(each.paths.items()):
            for level in range(len(path)):
                key = (f"{name}{level}", path[level])
                if place < cut:
                    codes.setdefault(key, len(codes))
                row.append(float(codes.get(key, -1)))
        rows.append(row)
    table_of_codes = np.array(rows)
    return grow(table_of_codes[:cut]).score(table_of_codes[cut:])


def table_rows(seen: Sequence[Seen]) -> list[tuple[str, float, float, str]]:
    """Return (what, mean, spread over seeds, unit) of everything that is reported."""
    found: list[tuple[str, list[float], str]] = []
    for method in METHODS:
        found.append((f"average precision, {method}", [s.precision(method) for s in seen], ""))
        for rate in (0.001, 0.01):
            caught = [s.caught(method, rate) for s in seen]
            found.append((f"TPR at {rate:.1%} FPR, {method}", caught, ""))
    for kind in ATTACKERS:
        best = METHODS[0]
        found.append((f"TPR at 1.0% FPR, {kind}", [s.caught(best, 0.01, kind) for s in seen], ""))
        found.append((f"stepped up, {kind}", [s.stepped_up(kind) for s in seen], ""))
    usual = [float(s.step_ups[~s.bad].mean()) for s in seen]
    found.append(("owners' sign-ins stepped up", usual, ""))
    daily = "1/(1,000 users·day)"
    for name in ("step_ups", "alerts"):
        word = name.replace("_", "-")
        flags = [s.per_thousand_users_and_day(getattr(s, name)) for s in seen]
        found.append((f"{word}, attacks among them", flags, daily))
        owners = [s.per_thousand_users_and_day(getattr(s, name) & ~s.bad) for s in seen]
        found.append((f"{word} of owners", owners, daily))
    return [(what, float(np.mean(each)), float(np.std(each)), unit) for what, each, unit in found]
