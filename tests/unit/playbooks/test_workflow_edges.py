"""The rarer turns of a workflow: delays, results of nested playbooks, what can't be compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from playbooks.core.cacao20 import check_document
from playbooks.core.cacao20.vocabulary import EXTENSION
from playbooks.core.choices import choose
from playbooks.core.compiled_actions import _still
from playbooks.core.compiling import compile_steps
from playbooks.core.execution import next_moves
from playbooks.core.moves import Move, best, due
from playbooks.core.stepping import step_states
from playbooks.errors import NotYetRunnable
from playbooks.models import CheckedPlaybook, PlannedStep
from playbooks.service import require_playbook
from tests.fakes.cacao import END, LOCK, START
from tests.fakes.playbooks_house import AUDITOR, House, house
from tests.fakes.workflow_reference import Document, Node, World
from tests.unit.playbooks.test_workflow_replay import Driver, plan_of
from tests.unit.playbooks.test_workflow_runs import (
    LOOK,
    SECOND_UNDO,
    answer,
    begin,
    by_hand,
    judged,
    late,
    sent,
    undone,
)

INNER = "playbook--12121212-1212-4212-8212-121212121212"
NESTED = "playbook-action--34343434-3434-4434-8434-343434343434"
ACT = Node("act")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as opened:
        opened.containment.add("acc_zhang", "zhang.san", sessions=2)
        yield opened


def compiled(document: dict[str, Any], *others: dict[str, Any]) -> Any:
    read = [require_playbook(orjson.dumps(one)) for one in (document, *others)]
    given = {"__account__": "zhang.san"}
    return compile_steps(read[0], given, {one.id: one for one in read[1:]})


def nesting(**values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    inner = late()
    inner["id"] = INNER
    inner["workflow"] = {
        START: {"type": "start", "on_completion": LOOK},
        LOOK: by_hand(END, out_args=["__found__"]),
        END: {"type": "end"},
    }
    outer = late()
    outer["workflow"] = {
        START: {"type": "start", "on_completion": NESTED},
        NESTED: {"type": "playbook-action", "playbook_id": INNER, "on_completion": END, **values},
        LOOK: by_hand(END),
        END: {"type": "end"},
    }
    del outer["workflow"][LOOK], outer["workflow_exception"]
    outer["workflow"][NESTED] |= {"out_args": ["__found__"]} | values
    return outer, inner


def test_results_of_a_nested_playbook_come_out_or_it_has_failed() -> None:
    steps = compiled(*nesting()).steps
    nested: PlannedStep = steps[NESTED]
    known = {"": {"__found__": None}, f"{NESTED}/": {"__found__": "li.si"}}
    left = choose(nested, ("", 1), (known, known), since=0, now=0)
    assert (left.branch, left.frame, left.values) == ("left", "", {"__found__": "li.si"})
    empty = {"": {"__found__": None}, f"{NESTED}/": {"__found__": None}}
    assert choose(nested, ("", 1), (empty, empty), since=0, now=0).error == "output_missing"


def test_a_switch_without_a_value_fails() -> None:
    (step,) = [
        s for s in plan_of(Document((Node("switch", ((ACT,), (ACT,))),))).steps if s.condition
    ]
    none = {"": {"__x__": None}}
    assert choose(step, ("", 0), (none, none), since=0, now=0).error == "variable_missing"
    lost = replace(step, branches={})
    some = {"": {"__x__": "7"}}
    assert choose(lost, ("", 0), (some, some), since=0, now=0).error == "no_case"


def test_a_nested_run_gives_its_results_to_the_journal() -> None:
    outer, inner = nesting()
    made = compiled(outer, inner)
    plan = replace(
        plan_of(Document((ACT,))),
        first=made.first,
        scopes=made.scopes,
        steps=tuple(
            replace(
                s, targets=plan_of(Document((ACT,))).steps[0].targets if s.kind == "manual" else ()
            )
            for s in made.steps.values()
        ),
    )
    driver = Driver(plan, World(1))
    while (move := driver.moves()[0]).kind != "finish":
        driver.make(move)
        if driver.entries[-1].kind == "outcome":
            told = {"frame": f"{NESTED}/", "set": {"__found__": "li.si"}}
            driver.entries[-1] = replace(driver.entries[-1], state="done", details=told)
    assert move.state == "done"
    assert driver.entries[-1].details["set"] == {"__found__": "li.si"}


def test_delays_are_waited_for_once() -> None:
    for kind in ("parallel", "if"):
        plan = plan_of(Document((Node(kind, ((ACT,), (ACT,)), limit=3),)))
        slow = replace(plan, steps=tuple(replace(s, delay_ms=5) for s in plan.steps))
        (wait,) = next_moves(slow, [], started_at=0, now=1)
        assert (wait.kind, wait.until, due([wait], 1)) == ("wait", 5_000, 5_000)
        assert best(next_moves(slow, [], started_at=0, now=5_000)).until != 5_000


def test_what_can_be_done_is_due_now() -> None:
    assert due([Move("perform")], 7) == 7
    assert due([Move("ask")], 7) is None


def test_a_parallel_step_shows_how_its_branches_stand() -> None:
    driver = Driver(plan_of(Document((Node("parallel", ((ACT,), (ACT,))),))), World(0))
    fork = next(step.path for step in driver.plan.steps if step.kind == "parallel")
    seen = [step_states(driver.plan, driver.entries)[fork]]
    while (move := driver.moves()[0]).kind != "finish":
        driver.make(move)
        if driver.entries[-1].kind == "outcome":
            driver.entries[-1] = replace(driver.entries[-1], state="done")
        seen.append(step_states(driver.plan, driver.entries)[fork])
    assert seen == ["ready", "intent", "intent", "intent", "done"]
    failed = [replace(e, state="failed") for e in driver.entries]
    assert step_states(driver.plan, failed)[fork] == "failed"


def test_what_can_not_be_compiled_is_refused_by_name() -> None:
    outer, inner = nesting()
    del inner["playbook_variables"]["__found__"]
    inner["workflow"][LOOK].pop("out_args")
    with pytest.raises(NotYetRunnable, match="no variable"):
        compiled(outer, inner)
    document = late()
    document["workflow"][LOCK]["name"] = "lock __found__:value"
    assert compiled(document).steps[LOCK].name == "lock __found__"
    taking = undone()
    taking["playbook_variables"]["__x__"] = {"type": "string"}
    taking["workflow"][LOOK]["out_args"] = ["__x__"]
    taking["workflow"][SECOND_UNDO]["step_extensions"][EXTENSION]["args"]["text"] = "__x__:value"
    with pytest.raises(NotYetRunnable, match="known from the start"):
        compiled(taking)
    loop = "while-condition--dddddddd-dddd-4ddd-8ddd-dddddddddddd"
    back = judged()
    back["workflow"] = {
        START: {"type": "start", "on_completion": loop},
        loop: {
            "type": "while-condition",
            "condition": "__risk__:value = 1",
            "on_true": LOOK,
            "on_completion": LOCK,
        },
        LOOK: by_hand(loop),
        LOCK: by_hand(loop),
        END: {"type": "end"},
    }
    assert "cycle" not in {problem.code for problem in check_document(back)}
    read = CheckedPlaybook(back, "0" * 64)
    with pytest.raises(NotYetRunnable, match="outside of a loop"):
        compile_steps(read, {"__account__": "x"}, {})


def test_conditions_and_lives_without_end_are_found_by_the_check() -> None:
    document = judged()
    fork = next(name for name in document["workflow"] if name.startswith("if-"))
    document["workflow"][fork]["condition"] = "__risk__:value MATCHES 'x'"
    document["workflow"][LOCK]["step_extensions"][EXTENSION]["ttl_s"] = 5
    codes = {problem.code for problem in check_document(document)}
    assert {"bad_condition", "ttl_without_compensate"} <= codes


def test_an_expiry_that_fails_is_an_alarm(home: House) -> None:
    document = undone()
    lock = document["workflow"][LOCK]["step_extensions"][EXTENSION]
    lock["ttl_s"] = 60
    document["workflow"][SECOND_UNDO]["commands"] = [{"type": "secops", "command": "account.lock"}]
    document["workflow"][SECOND_UNDO]["step_extensions"][EXTENSION] = {
        "args": {"account": "zhang.san"}
    }
    run = answer(home, begin(home, document), LOOK)
    home.containment.down = True
    home.clock.advance(61)
    home.services.runner.advance_all()
    ended = home.services.runs.show_run(AUDITOR, run.id).run
    assert (ended.state, ended.error) == ("failed", "compensation_failed")
    assert sent(home) == ["处置补偿失败,需人工处理"]


def test_a_title_names_what_is_known_late_and_leaves_the_rest_to_be_filled_in() -> None:
    title = "lock __account__:value from __address__:value"
    late = frozenset({"__address__"})
    assert _still(title, late) == "lock __account__:value from __address__"
