"""The study on the synthetic organisation, as figures: how well, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from detectors.core.anomaly.codec import pack_login, unpack_login
from detectors.core.anomaly.features import login_features
from detectors.core.anomaly.forest import Forest, assemble_forest
from detectors.core.anomaly.learning import Login
from detectors.core.anomaly.login_model import LoginModel, fit_login_model
from detectors.core.anomaly.study import BEIJING, Floats, look, table_rows
from detectors.core.anomaly.synthetic.scenario import HONEST, Plan, make_attempts
from detectors.core.anomaly.synthetic.world import table
from detectors.ports import ForestTrainer

SEED: Final = 7
_TIMED: Final = 2_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the study."""

    name: str
    value: float
    unit: str
    circumstances: str


def study(trainer: ForestTrainer, seeds: int, plan: Plan | None = None) -> Iterable[Figure]:
    """Yield the figures over ``seeds`` organisations; everything in them is synthetic."""
    plan = plan or Plan()

    def grow(rows: Floats) -> Forest:
        return assemble_forest(trainer.grow(rows, SEED))

    seen = [look(plan, seed, grow) for seed in range(seeds)]
    attacks = sum(int(each.bad.sum()) for each in seen)
    rows = sum(len(each.kinds) for each in seen)
    where = (
        f"synthetic: {seeds} seeds, {plan.people} people, {plan.days} days, last {plan.test_days} "
        f"judged; {attacks} attacks of 6 kinds in {rows} sign-ins, relay and insider never trained"
    )
    for name, value, spread, unit in table_rows(seen):
        yield Figure(name, value, unit or "share", f"± {spread:.3f} over seeds; {where}")
    yield from speed(trainer, plan)


def speed(trainer: ForestTrainer, plan: Plan) -> Iterable[Figure]:
    """Yield what training, loading and judging one sign-in cost in CPU time."""
    networks = table()
    attempts = [each.facts for each in make_attempts(plan, 0) if each.attacker == HONEST]
    logins = [
        Login(facts.at, str(place), login_features(facts, networks, str, BEIJING))
        for place, facts in enumerate(attempts)
    ]
    begun = time.process_time()
    fitted = fit_login_model(logins, lambda rows: assemble_forest(trainer.grow(rows, SEED)))
    trained = time.process_time() - begun
    content = pack_login(fitted.model, {})
    begun = time.process_time()
    model, _ = unpack_login(content)
    loaded = time.process_time() - begun
    each = sorted(_timed(model, login) for login in logins[-_TIMED:])
    what = f"{len(logins)} sign-ins of {plan.people} people, {len(model.counts.keys)} counts"
    yield Figure("training", trained, "CPU-s", what)
    yield Figure("model file", len(content) / 1e6, "MB", what)
    yield Figure("model loaded and checked", loaded * 1_000, "CPU-ms", "once a process and model")
    yield Figure("sign-in judged, p50", each[len(each) // 2] * 1_000, "CPU-ms", what)
    late = each[int(len(each) * 0.99)]
    yield Figure("sign-in judged, p99", late * 1_000, "CPU-ms", what)


def _timed(model: LoginModel, login: Login) -> float:
    begun = time.process_time()
    model.assess(login.features)
    return time.process_time() - begun
