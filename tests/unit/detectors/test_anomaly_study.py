"""The synthetic organisation is what it says, and the study measures what it says."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from detectors.adapters.forest_trainer import SklearnForests
from detectors.core.anomaly.agents import agent_family
from detectors.core.anomaly.features import hour_of_week
from detectors.core.anomaly.forest import Forest, assemble_forest
from detectors.core.anomaly.learning import Login
from detectors.core.anomaly.login_model import fit_login_model
from detectors.core.anomaly.study import BEIJING, METHODS, Seen, look, table_rows
from detectors.core.anomaly.synthetic.attackers import ATTACKERS, HELD_OUT
from detectors.core.anomaly.synthetic.people import START, make_people, sign_ins
from detectors.core.anomaly.synthetic.scenario import HONEST, Attempt, Plan, make_attempts
from detectors.core.anomaly.synthetic.world import HOSTING, SYSTEMS, table
from detectors.errors import HistoryTooShort
from secops.kernel.clock import DAY, MINUTE

SMALL = Plan(people=60, days=30, test_days=8, attacks=6, poison=2)


def grow(rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Forest:
    return assemble_forest(SklearnForests().grow(rows, 7))


@cache
def attempts() -> tuple[Attempt, ...]:
    return tuple(make_attempts(SMALL, 3))


@cache
def seen() -> Seen:
    return look(SMALL, 3, grow)


def of_kind(kind: str) -> list[Attempt]:
    return [each for each in attempts() if each.attacker == kind]


def test_the_same_seed_gives_the_same_organisation_and_another_another() -> None:
    assert tuple(make_attempts(SMALL, 3)) == attempts()
    assert tuple(make_attempts(SMALL, 4)) != attempts()


def test_kinds_that_are_held_out_never_occur_before_the_test_days() -> None:
    for kind in ATTACKERS:
        early = sum(each.facts.at < SMALL.split_at for each in of_kind(kind))
        assert early == (0 if kind in HELD_OUT else SMALL.poison)
        assert len(of_kind(kind)) == early + SMALL.attacks


def test_attempts_come_in_the_order_of_time_and_know_the_last_one() -> None:
    times = [each.facts.at for each in attempts()]
    assert times == sorted(times)
    honest = [each.facts for each in of_kind(HONEST)]
    last: dict[str, int] = {}
    for facts in honest:
        assert facts.last_at == last.get(facts.account)
        last[facts.account] = facts.at


def test_a_relay_follows_a_real_sign_in_with_its_browser_from_hosting() -> None:
    systems = {each.octet for each in HOSTING}
    for each in of_kind("relay"):
        assert each.facts.last_at is not None
        assert 0 <= each.facts.at - each.facts.last_at <= 10 * MINUTE
        assert int(each.facts.address.split(".")[0]) in systems
        real = next(a.facts for a in attempts() if a.facts.at == each.facts.last_at)
        assert each.facts.user_agent == real.user_agent


def test_an_insider_comes_by_night_from_the_office() -> None:
    for each in of_kind("insider"):
        clock = hour_of_week(each.facts.at, BEIJING) % 24
        assert clock >= 20 or clock < 5
        assert table().origin(each.facts.address)[1] in {
            s.name for s in SYSTEMS if s.kind == "office"
        }


def test_a_residential_proxy_stays_in_the_victims_country() -> None:
    origins = {table().origin(each.facts.address)[0] for each in of_kind("residential_proxy")}
    assert origins == {"cn"}


def test_a_targeted_attack_brings_the_exact_browser_family() -> None:
    families = {agent_family(each.facts.user_agent)[0] for each in of_kind("targeted")}
    assert families == {"desktop"}


def test_people_have_habits() -> None:
    draw = np.random.default_rng(1)
    people = make_people(draw, 40, 60)
    logins = {p.account: list(sign_ins(draw, p, 60)) for p in people}
    everything = [facts for found in logins.values() for facts in found]
    places = Counter(facts.address.split(".")[0][0] for facts in everything)
    assert places["2"] > places["3"] > places["5"]
    assert any(p.joined for p in people)
    assert {len(str(facts.failures)) for facts in everything} == {1}
    assert all(START <= facts.at < START + 61 * DAY for facts in everything)
    assert any(p.shifts for p in people)


def test_travellers_come_from_abroad_for_a_week() -> None:
    draw = np.random.default_rng(5)
    person = next(p for p in make_people(draw, 200, 60) if 0 <= p.travels < 40 and not p.joined)
    abroad = {
        (facts.at - START) // DAY - person.travels
        for facts in sign_ins(draw, person, 60)
        if facts.address.startswith("11")
    }
    assert abroad <= set(range(-1, 8))


def test_the_model_tells_attackers_apart_better_than_raw_fields() -> None:
    best, control = seen().precision("mean rank"), seen().precision("raw fields")
    assert best > control
    assert seen().caught("mean rank", 0.01, "stuffing") > 0.5


def test_the_study_learns_late_and_never_what_was_stopped() -> None:
    found = seen()
    assert len(found.kinds) == len(found.step_ups) == len(found.alerts)
    assert (found.step_ups | ~found.alerts).all()
    assert found.user_days == SMALL.people * SMALL.test_days


def test_the_table_names_every_method_and_kind() -> None:
    rows = table_rows([seen(), seen()])
    names = " ".join(row[0] for row in rows)
    assert all(method in names for method in METHODS)
    assert all(kind in names for kind in ATTACKERS)
    assert all(spread == 0 for _, _, spread, _ in rows)
    daily = {name: unit for name, _, _, unit in rows}
    assert daily["alerts of owners"] == "1/(1,000 users·day)"


def test_too_little_history_is_said() -> None:
    with pytest.raises(HistoryTooShort, match="0 sign-ins"):
        fit_login_model([], grow)
    one = Login(1, "s", None)  # type: ignore[arg-type]
    with pytest.raises(HistoryTooShort, match="in 0 days"):
        fit_login_model([one] * 400, grow)


@pytest.mark.deep
def test_over_ten_seeds_the_mean_rank_beats_the_raw_fields_each_time() -> None:
    found = [look(Plan(), number, grow) for number in range(10)]
    assert all(each.precision("mean rank") > each.precision("raw fields") for each in found)
