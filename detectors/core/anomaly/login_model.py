"""The model of sign-ins: likelihood ratios and an isolation forest, joined by mean rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.core.anomaly.counts import Counts
from detectors.core.anomaly.forest import Forest
from detectors.core.anomaly.learning import DELAY, Learner, Login
from detectors.core.anomaly.likelihood import COLUMNS, Weighed, weigh
from detectors.core.anomaly.ranks import Ranks, ranks_of
from detectors.errors import HistoryTooShort
from detectors.models.anomalies import LoginFeatures, Weight
from secops.kernel.clock import DAY

Floats = NDArray[np.float64]
Grow = Callable[[Floats], Forest]
"""Grows an isolation forest on rows of log-probabilities."""

STEP_UP_RANK: Final = 0.98
ALERT_RANK: Final = 0.9975
LEAST_LOGINS: Final = 300
LEAST_DAYS: Final = 7
_PROFILE_SHARE: Final = 0.5
_FOREST_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Risk:
    """``rank`` is that of the mean rank among earlier sign-ins, 0 to 1."""

    rank: float
    score: float
    isolation: float
    weights: tuple[Weight, ...]

    @property
    def step_up(self) -> bool:
        """Whether a further proof is advised: the rank of one in fifty of the reference."""
        return self.rank >= STEP_UP_RANK

    @property
    def alert(self) -> bool:
        """Whether an analyst should see it: the rank of one in four hundred of the reference."""
        return self.rank >= ALERT_RANK


@dataclass(frozen=True, slots=True)
class Scorer:
    """What stays fixed between two trainings of the forest."""

    forest: Forest
    scores: Ranks
    isolations: Ranks
    means: Ranks

    def ranks(self, scores: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Return the rank of each sign-in, and its isolation."""
        isolations = self.forest.score(rows)
        mean = (self.scores.of(scores) + self.isolations.of(isolations)) / 2
        return self.means.of(mean), isolations


@dataclass(frozen=True, slots=True)
class LoginModel:
    """Profiles (counts) and a scorer."""

    counts: Counts
    scorer: Scorer

    def assess(self, features: LoginFeatures) -> Risk:
        """Return the risk of one sign-in; about 0.3 ms."""
        weighed = weigh(self.counts, features)
        ranks, isolations = self.scorer.ranks(
            np.array([weighed.score]), np.array([weighed.row], np.float64)
        )
        return Risk(float(ranks[0]), weighed.score, float(isolations[0]), weighed.weights)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model with what its card tells: the reference's rows, by column, and its span."""

    model: LoginModel
    reference: Floats
    flagged: int
    days: int


def fit_login_model(history: Sequence[Login], grow: Grow) -> Fitted:
    """Return a model of ``history`` (oldest first); raise ``HistoryTooShort``.

    The first half makes profiles; the forest grows on the third quarter, each sign-in seen as
    it would have been on its day; the ranks come from the last quarter, which the forest has
    not seen. In the end the profiles know all of it.
    """
    span = history[-1].at - history[0].at if history else 0
    if len(history) < LEAST_LOGINS or span < LEAST_DAYS * DAY:
        raise HistoryTooShort(
            f"{len(history)} sign-ins in {span // DAY} days; "
            f"{LEAST_LOGINS} in {LEAST_DAYS} days are needed"
        )
    first = int(len(history) * _PROFILE_SHARE)
    learner = Learner(judge=lambda _: True, delay=min(DELAY, span // 10))
    for login in history[:first]:
        learner.offer(login)
    weighed = weigh_days(learner, history[first:])
    cut = int(len(weighed) * _FOREST_SHARE)
    rows = np.array([each.row for each in weighed], np.float64)
    scores = np.array([each.score for each in weighed])
    scorer = fit_scorer(rows[:cut], (scores[cut:], rows[cut:]), grow)
    learner.delay = 0
    model = LoginModel(learner.counts_at(history[-1].at), scorer)
    ranks, _ = scorer.ranks(scores[cut:], rows[cut:])
    days = max(1, (history[-1].at - history[first + cut].at) // DAY)
    return Fitted(model, rows[cut:], int((ranks >= STEP_UP_RANK).sum()), days)


def fit_scorer(rows: Floats, reference: tuple[Floats, Floats], grow: Grow) -> Scorer:
    """Return a scorer whose forest grows on ``rows``, its ranks from ``reference``."""
    forest = grow(rows)
    scores, isolations = ranks_of(reference[0]), ranks_of(forest.score(reference[1]))
    mean = (scores.of(reference[0]) + isolations.of(forest.score(reference[1]))) / 2
    return Scorer(forest, scores, isolations, ranks_of(mean))


def weigh_days(learner: Learner, logins: Sequence[Login]) -> list[Weighed]:
    """Weigh each sign-in by the profiles of its day, then let it wait to be learned."""
    found: list[Weighed] = []
    counts, day = None, -1
    for login in logins:
        if counts is None or login.at // DAY != day:
            day = login.at // DAY
            counts = learner.counts_at(login.at)
        found.append(weigh(counts, login.features))
        learner.offer(login)
    return found


def columns_as_weights(rows: Floats) -> dict[str, Floats]:
    """Return each column of log-probabilities by its name."""
    return {name: rows[:, place] for place, name in enumerate(COLUMNS)}
