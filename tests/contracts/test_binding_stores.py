"""Bindings, answers, budgets and switches: the same over SQLite and PostgreSQL, also in a race."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from playbooks.errors import ChangedMeanwhile
from playbooks.errors.bindings import BindingNotFound
from playbooks.models.bindings import (
    Answer,
    AutomaticRun,
    Binding,
    BindingChange,
    BindingTerms,
    Pause,
)
from playbooks.store import make_stores
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest, decode_cursor

STORES = make_stores().autonomy
TERMS = BindingTerms(
    "n", "p", "v", "h", rules=("r",), entities={"account": "a*"}, valid_until=1 << 50
)
BINDING = Binding("bnd_1", "org_a", "proposed", 0, TERMS, "acc_1", 5)
CHANGE = BindingChange(replace(TERMS, per_hour=9), "00", "acc_1", 6, "apr_1")
ANSWER = Answer("bnd_1", "alr_1", "org_a", 10, "suggested")


def run(spine: Spine, work: Callable[[Any], Any]) -> Any:
    return spine.parts.transactions.run(work)


def test_bindings_come_back_as_they_were_and_change_once(spine: Spine) -> None:
    store = STORES.bindings
    run(spine, lambda tx: store.add(tx, BINDING))
    asked = replace(BINDING, change=CHANGE)
    run(spine, lambda tx: store.change(tx, asked, was=BINDING))
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.change(tx, asked, was=BINDING))
    assert run(spine, lambda tx: store.get(tx, "org_a", "bnd_1")) == asked
    with pytest.raises(BindingNotFound):
        run(spine, lambda tx: store.get(tx, "org_b", "bnd_1"))
    leaving = replace(asked, change=replace(CHANGE, terms=None, sha256="11"), state="active")
    run(spine, lambda tx: store.change(tx, leaving, was=asked))
    assert run(spine, lambda tx: store.active(tx, "org_a")) == [leaving]
    assert run(spine, lambda tx: store.count(tx, "org_a")) == 1
    run(spine, lambda tx: store.add(tx, replace(BINDING, id="bnd_2")))
    page = run(spine, lambda tx: store.list(tx, "org_a", PageRequest(1)))
    rest = PageRequest(1, decode_cursor(page.next))
    left = run(spine, lambda tx: store.list(tx, "org_a", rest))
    assert [one.id for one in (*page.items, *left.items)] == ["bnd_2", "bnd_1"]


def test_an_answer_is_taken_once_whoever_comes_first(spine: Spine) -> None:
    store = STORES.answers

    def attempt(number: int) -> bool:
        mine = replace(ANSWER, reason=str(number))
        try:
            return bool(run(spine, lambda tx: store.take(tx, mine)))
        except ChangedMeanwhile:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    settled = replace(ANSWER, outcome="acted", run_id="run_1")
    run(spine, lambda tx: store.settle(tx, settled))
    assert run(spine, lambda tx: store.of_alert(tx, "org_a", "alr_1")) == [settled]
    assert run(spine, lambda tx: store.is_taken(tx, "bnd_1", "alr_1"))
    run(spine, lambda tx: store.take(tx, replace(ANSWER, alert_id="alr_2")))
    page = run(spine, lambda tx: store.list(tx, "org_a", PageRequest(1)))
    rest = PageRequest(1, decode_cursor(page.next))
    left = run(spine, lambda tx: store.list(tx, "org_a", rest))
    assert [one.alert_id for one in (*page.items, *left.items)] == ["alr_2", "alr_1"]


def test_no_race_spends_more_than_a_budget_holds(spine: Spine) -> None:
    store, wanted = STORES.answers, (("act", 5), ("act:bnd_1", 3))

    def attempt(number: int) -> bool:
        del number
        while True:
            try:
                return bool(run(spine, lambda tx: store.spend(tx, "org_a", wanted)))
            except ChangedMeanwhile:
                continue

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(16))) == 3
    other = (("act", 5), ("act:bnd_2", 9))
    spent = [run(spine, lambda tx: store.spend(tx, "org_a", other)) for _ in range(4)]
    assert spent == [True, True, False, False], "what the first refused was given back"
    assert not run(spine, lambda tx: store.has_left(tx, "org_a", other))
    assert run(spine, lambda tx: store.has_left(tx, "org_b", other))
    run(spine, lambda tx: store.forget(tx, tx.now + 1))
    assert run(spine, lambda tx: store.spend(tx, "org_a", wanted))


def test_the_same_entities_rest_until_their_time_is_over(spine: Spine) -> None:
    store = STORES.answers
    assert run(spine, lambda tx: store.rest(tx, ANSWER, "e", until=20))
    assert not run(spine, lambda tx: store.rest(tx, replace(ANSWER, at=19), "e", until=30))
    assert run(spine, lambda tx: store.rest(tx, replace(ANSWER, at=20), "e", until=30))
    assert run(spine, lambda tx: store.rest(tx, ANSWER, "other", until=20))


def test_the_switch_and_unapproved_runs_are_settled_once(spine: Spine) -> None:
    store = STORES.pauses
    off = run(spine, lambda tx: store.pause(tx, "org_a"))
    on = Pause("org_a", paused=True, changed_by="acc_1", changed_at=3, reason="r")
    run(spine, lambda tx: store.switch(tx, on, was=off))
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.switch(tx, on, was=off))
    assert run(spine, lambda tx: store.pause(tx, "org_a")) == on
    run(spine, lambda tx: store.switch(tx, replace(on, approval_id="apr_1"), was=on))
    one = AutomaticRun("run_1", "org_a", "bnd_1", 1, "apr_2", 50)
    run(spine, lambda tx: store.add(tx, one))
    assert run(spine, lambda tx: store.get(tx, "org_b", "run_1")) is None
    assert run(spine, lambda tx: store.waiting(tx, None, before=49, limit=9)) == []
    assert run(spine, lambda tx: store.waiting(tx, "org_a", before=None, limit=9)) == [one]
    confirmed = replace(one, state="confirmed", decided_by="acc_2")
    assert run(spine, lambda tx: store.decide(tx, confirmed))
    assert not run(spine, lambda tx: store.decide(tx, replace(one, state="taken_back")))
    assert run(spine, lambda tx: store.get(tx, "org_a", "run_1")) == confirmed
