"""Random workflows: the replay does what the reference interpreter does, from any prefix."""

from __future__ import annotations

from dataclasses import replace

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.core.compiling import MAX_STEPS, compile_steps
from playbooks.core.execution import next_moves
from playbooks.core.moves import Move, best
from playbooks.models import JournalEntry, Plan, TargetState
from playbooks.service.playbooks.checking import require_playbook
from tests.fakes.workflow_reference import Document, Node, Reference, Seq, World, sequences

HAND = TargetState("manual:x", "x", "", "", "done by hand")


def plan_of(document: Document) -> Plan:
    checked = require_playbook(orjson.dumps(document.document))
    compiled = compile_steps(checked, {}, {})
    steps = [
        replace(s, targets=(HAND,) if s.kind == "manual" else ()) for s in compiled.steps.values()
    ]
    return Plan(
        playbook_id=checked.id,
        playbook_modified=checked.modified,
        content_hash=checked.content_hash,
        incident_id="inc_1",
        requester_id="acc_1",
        given={},
        variables={},
        first=compiled.first,
        steps=tuple(steps),
        needs_approval=False,
        expires_s=60,
        scopes=compiled.scopes,
    )


class Driver:
    """Makes moves as a runner would, in the order that ``pick`` says."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan, self.world = plan, world
        self.entries: list[JournalEntry] = []
        self.log: list[tuple[str, str]] = []

    def moves(self) -> list[Move]:
        return next_moves(self.plan, self.entries, started_at=0, now=1)

    def make(self, move: Move) -> None:
        assert move.step is not None
        entry = JournalEntry(
            run_id="r",
            seq=len(self.entries) + 1,
            org_id="o",
            at=1,
            path=move.step.path,
            index=move.index,
            target="t",
            key="k",
            attempt=move.attempt,
            kind="intent",
            loop=move.loop,
        )
        if move.kind == "decide":
            state = "failed" if move.choice.error else "done"
            entry = replace(entry, kind="decision", state=state, details=move.choice.details)
        elif move.kind == "ask":
            outcome, value = self.world.act(move.step.path)
            self.log.append((move.step.path, outcome))
            told = {"frame": "", "set": {"__x__": value}} if outcome == "done" else {}
            entry = replace(entry, kind="outcome", state=outcome, details=told)
        self.entries.append(entry)


@settings(max_examples=60)
@given(sequences(), st.integers(0, 1_000))
def test_a_random_workflow_does_what_the_reference_does(tree: Seq, seed: int) -> None:
    document = Document(tree)
    if len(document.steps) > MAX_STEPS:
        return
    reference = Reference(document, World(seed))
    verdict = reference.run(tree)
    driver = Driver(plan_of(document), World(seed))
    while (move := driver.moves()[0]).kind != "finish":
        driver.make(move)
    assert (move.state, driver.log) == (verdict, reference.log)
    for length in range(0, len(driver.entries), 7):
        again = Driver(driver.plan, World(seed))
        again.entries = driver.entries[:length]
        assert again.moves() == again.moves()
        following = driver.entries[length]
        chosen = again.moves()[0]
        assert chosen.step is not None
        assert (chosen.step.path, chosen.loop, chosen.index) == (
            following.path,
            following.loop,
            following.index,
        )


@settings(max_examples=40)
@given(sequences(1), st.integers(0, 1_000), st.data())
def test_in_any_order_of_branches_a_run_ends_and_no_step_is_done_twice(
    tree: Seq, seed: int, data: st.DataObject
) -> None:
    driver = Driver(plan_of(Document(tree)), World(seed))
    while (moves := driver.moves())[0].kind != "finish":
        driver.make(moves[data.draw(st.integers(0, len(moves) - 1))])
    places = [(e.kind, e.path, e.loop, e.index) for e in driver.entries]
    assert len(places) == len(set(places))
    assert len(moves) == 1


def test_a_sibling_of_a_failed_branch_finishes_what_it_began_and_begins_nothing() -> None:
    act = Node("act")
    driver = Driver(plan_of(Document((Node("parallel", ((act,), (act, act))),))), World(0))
    first, second = driver.moves()
    driver.make(first)
    driver.make(second)
    one, other = driver.moves()
    assert (one.kind, other.kind) == ("ask", "ask")
    driver.make(one)
    driver.entries[-1] = replace(driver.entries[-1], state="failed", details={})
    (left,) = driver.moves()
    assert left.step is not None
    assert left.step.path == other.step.path  # type: ignore[union-attr]
    driver.make(left)
    driver.entries[-1] = replace(driver.entries[-1], state="done", details={})
    assert [(m.kind, m.state) for m in driver.moves()] == [("finish", "failed")]


def test_a_loop_that_never_ends_is_stopped_after_a_hundred_turns() -> None:
    document = Document((Node("while", ((Node("act"),),), limit=9),))
    driver = Driver(plan_of(document), World(3))
    while (move := best(driver.moves())).kind != "finish":
        driver.make(move)
        if driver.entries[-1].state == "failed" and driver.entries[-1].kind == "outcome":
            driver.entries[-1] = replace(driver.entries[-1], state="done")
    assert move.state == "failed"
    assert driver.entries[-1].details == {"error": "too_many_turns"}
    assert len(driver.log) == 100


def test_a_loop_has_a_time_too() -> None:
    document = Document((Node("while", ((Node("act"),),), limit=9),))
    plan = plan_of(document)
    plan = replace(plan, steps=tuple(replace(s, timeout_ms=50) for s in plan.steps))
    driver = Driver(plan, World(3))
    while not any(e.state == "done" and e.kind == "outcome" for e in driver.entries):
        driver.make(best(driver.moves()))
        driver.entries[-1] = replace(driver.entries[-1], state=driver.entries[-1].state and "done")
    move = best(next_moves(plan, driver.entries, started_at=0, now=50_002))
    assert (move.kind, move.choice.error) == ("decide", "timeout")
