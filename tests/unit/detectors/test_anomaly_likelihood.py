"""Likelihood ratios with back-off: the formula worked out by hand, and what follows from it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.anomaly import learning
from detectors.core.anomaly.counts import Counts, Tally, key_of
from detectors.core.anomaly.learning import DELAY, Learner, Login, Verdicts, learnable
from detectors.core.anomaly.likelihood import COLUMNS, KERNEL, learn, weigh
from detectors.models.anomalies import LoginFeatures
from secops.kernel.clock import DAY

PAGE = Path(__file__).resolve().parents[3] / "docs" / "manual" / "anomalies.md"
HOME = LoginFeatures(
    account="ann",
    peers="staff",
    hour=9,
    paths={
        "source": ("cn", "as1", "net", "addr"),
        "agent": ("desktop", "windows-edge", "ua"),
        "device": ("known",),
        "pace": ("same",),
        "failures": ("0",),
        "idle": ("under_1d",),
        "factor": ("otp",),
    },
)


def shown(account: str, **paths: tuple[str, ...]) -> LoginFeatures:
    return replace(HOME, account=account, paths={**HOME.paths, **paths})


def counts_of(*logins: LoginFeatures) -> Counts:
    tally = Tally()
    for login in logins:
        learn(tally, login)
    return tally.frozen()


def ratio(counts: Counts, features: LoginFeatures, name: str) -> float:
    return next(w.log_ratio for w in weigh(counts, features).weights if w.feature == name)


def test_the_manuals_worked_example_is_what_the_code_computes() -> None:
    """Ann signed in 9 times without failure, her peer Bob once after one failure."""
    counts = counts_of(*[shown("ann")] * 9, shown("bob", failures=("1",)))
    computed = ratio(counts, shown("ann", failures=("1",)), "failures")
    p_all = (1 + 1) / (10 + 2 + 1)
    p_peer = (1 + 2 * p_all) / (10 + 2)
    p_user = (0 + 1 * p_peer) / (9 + 1)
    assert computed == pytest.approx(math.log(1 / 3) - math.log(p_user))
    text = PAGE.read_text()
    written = re.search(r"log ratio of \*\*([0-9.]+)\*\*", text)
    assert written is not None
    assert float(written.group(1)) == pytest.approx(computed, abs=0.005)
    for name, value in (("p_all", p_all), ("p_peer", p_peer), ("p_user", p_user)):
        figure = re.search(rf"{name} = .*= ([0-9.]+)", text)
        assert figure is not None
        assert float(figure.group(1)) == pytest.approx(value, abs=0.00005)


def test_what_an_account_shows_each_day_speaks_for_it() -> None:
    counts = counts_of(*[shown("ann")] * 30, *[shown("bob", device=("new",))] * 30)
    assert ratio(counts, shown("ann"), "device") < 0 < ratio(counts, shown("bob"), "device")


def test_who_often_has_a_new_address_is_expected_to_have_another() -> None:
    phone = [shown("pho", source=("cn", "as2", "net2", f"addr{n}")) for n in range(30)]
    counts = counts_of(*[shown("ann")] * 30, *phone)
    desk = ratio(counts, shown("ann", source=("cn", "as1", "net", "new")), "source")
    moving = ratio(counts, shown("pho", source=("cn", "as2", "net2", "new")), "source")
    assert moving < 1 < desk


def test_the_weight_names_the_level_it_comes_from() -> None:
    counts = counts_of(*[shown("ann")] * 30, shown("bob", source=("us", "as9", "n", "a")))
    far = shown("ann", source=("us", "as9", "n", "a"))
    named = {w.feature: w.level for w in weigh(counts, far).weights}
    assert ratio(counts, far, "source") > 3
    assert named["source"] == "country"


def test_a_new_account_is_judged_by_its_peers_and_then_by_everybody() -> None:
    logins = [shown("ann")] * 30 + [
        replace(shown("eve", factor=("recovery",)), peers="elsewhere")
    ] * 30
    counts = counts_of(*logins)
    newcomer = shown("new")
    stranger = replace(newcomer, peers="nobody's")
    among_peers = ratio(counts, newcomer, "factor")
    among_all = ratio(counts, stranger, "factor")
    assert among_peers < among_all
    assert among_all == pytest.approx(math.log(1 / 3) - math.log(31 / 63), abs=1e-9)


def test_hours_are_smoothed_over_the_end_of_the_week() -> None:
    counts = counts_of(*[replace(shown("ann"), hour=0)] * 20, *[replace(shown("bob"), hour=80)] * 9)
    sunday_night = replace(shown("ann"), hour=167)
    noon = replace(shown("ann"), hour=84)
    assert ratio(counts, sunday_night, "hour") < 0 < ratio(counts, noon, "hour")
    assert sum(KERNEL) == pytest.approx(1)


def test_who_signs_in_often_is_rarely_an_attackers_choice() -> None:
    counts = counts_of(*[shown("ann")] * 50, shown("bob"))
    assert ratio(counts, shown("ann"), "account") < ratio(counts, shown("bob"), "account")


def test_nothing_known_says_nothing() -> None:
    weighed = weigh(Tally().frozen(), shown("ann"))
    assert weighed.score == pytest.approx(0)
    assert len(weighed.row) == len(COLUMNS)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_likelihoods_of_an_account_leave_room_for_one_value_never_seen(
    seen: list[tuple[int, int]],
) -> None:
    counts = counts_of(*[shown(f"acc{who}", factor=(f"f{what}",)) for who, what in seen])
    place = COLUMNS.index("factor.factor")
    values = {f"f{what}" for _, what in seen} | {"never"}
    logs = [weigh(counts, shown("acc0", factor=(each,))).row[place] for each in values]
    assert sum(math.exp(log) for log in logs) == pytest.approx(1)


def test_the_greatest_weight_stands_first() -> None:
    counts = counts_of(*[shown("ann")] * 30, shown("bob", source=("us", "as9", "n", "a")))
    weights = weigh(counts, shown("ann", source=("us", "as9", "n", "b"))).weights
    assert weights[0].feature == "source"
    assert [w.log_ratio for w in weights] == sorted((w.log_ratio for w in weights), reverse=True)


@given(st.dictionaries(st.integers(0, 2**64 - 1), st.floats(0, 1e6), max_size=50))
def test_counts_are_found_and_others_are_zero(found: dict[int, float]) -> None:
    counts = Tally(dict(found)).frozen()
    absent = next(number for number in range(100) if number not in found)
    assert counts.of([*found, absent]) == [*found.values(), 0.0]


def test_the_key_of_a_count_tells_scopes_and_levels_apart() -> None:
    keys = {key_of("a", "b", ("c",)), key_of("a", "b", ("c", "")), key_of("a", "bc", ())}
    assert len(keys) == 3


def login(at: int, session: str, *, alerted: bool = False) -> Login:
    return Login(at, session, shown("ann"), alerted)


def test_learning_waits_and_leaves_out_what_was_judged_bad() -> None:
    logins = [login(day * DAY, f"s{day}", alerted=day == 1) for day in range(8)]
    verdicts = Verdicts(good=frozenset({"s4"}), bad=frozenset({"s3"}), alerted=frozenset({"s4"}))
    found = learnable(logins, verdicts, 8 * DAY)
    assert [each.session for each in found] == ["s0", "s2", "s4", "s5"]
    assert DELAY == 3 * DAY


def test_an_alert_that_names_the_session_keeps_it_out() -> None:
    verdicts = Verdicts(alerted=frozenset({"s0"}))
    assert not verdicts.allow(login(0, "s0"))
    assert replace(verdicts, good=frozenset({"s0"})).allow(login(0, "s0"))
    assert not replace(verdicts, good=frozenset({"s0"}), bad=frozenset({"s0"})).allow(
        login(0, "s0", alerted=True)
    )


def test_a_learner_judges_when_a_sign_in_is_ripe() -> None:
    judged: list[str] = []

    def judge(each: Login) -> bool:
        judged.append(each.session)
        return each.session != "s1"

    learner = Learner(judge, delay=DAY)
    for number in range(3):
        learner.offer(login(number * DAY, f"s{number}"))
    own = key_of("u:ann", "hour", ())
    assert learner.counts_at(DAY - 1).of([own]) == [0.0]
    assert learner.counts_at(2 * DAY).of([own]) == [1.0]
    assert judged == ["s0", "s1"]
    assert learner.counts_at(9 * DAY).of([own]) == [2.0]
    assert learning.Learner(judge).delay == DELAY


def test_rows_are_log_probabilities() -> None:
    counts = counts_of(*[shown("ann")] * 5)
    row = np.array(weigh(counts, shown("ann", device=("new",))).row)
    assert (row <= 0).all()
