"""The replay: whatever the journal holds, the next move is defined and the run ends."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.execution import next_move
from playbooks.core.plan import hashed, idempotency_key
from playbooks.core.stepping import step_states
from playbooks.models import JournalEntry, Plan, PlannedStep, TargetState

TARGET = TargetState("account:a", "a", "active", "active", "locked")


def step(path: str, after: str, failed: str = "end:failed", **values: object) -> PlannedStep:
    planned = PlannedStep(
        path=path,
        name=path,
        kind="action",
        action="account.lock",
        args={},
        targets=(TARGET, replace(TARGET, target="account:b")),
        timeout_ms=1_000,
        on_success=after,
        on_failure=failed,
        retry_max=1,
        backoff_ms=10,
        delay_ms=5,
    )
    return replace(planned, **values)  # type: ignore[arg-type]


PLAN = Plan(
    playbook_id="playbook--x",
    playbook_modified="2026-01-01T00:00:00Z",
    content_hash="00",
    incident_id="inc_1",
    requester_id="acc_1",
    given={},
    variables={},
    first="one",
    steps=(
        step("one", "two", "three"),
        step("two", "end:done"),
        step("three", "end:done", kind="manual", retry_max=0),
    ),
    needs_approval=True,
    expires_s=60,
)


@given(st.data())
def test_every_journal_leads_to_an_end_and_replays_alike(data: st.DataObject) -> None:
    entries: list[JournalEntry] = []
    now = 0
    for _ in range(60):
        move = next_move(PLAN, entries, started_at=0, now=now)
        assert next_move(PLAN, tuple(entries), started_at=0, now=now) == move
        if move.kind == "finish":
            assert move.state in ("done", "failed")
            break
        assert move.step is not None
        if move.kind == "wait":
            assert move.until > now
            now = move.until
            continue
        now += 1
        intent = JournalEntry(
            run_id="run_1",
            seq=len(entries) + 1,
            org_id="org_root",
            at=now,
            path=move.step.path,
            index=move.index,
            target=move.step.targets[move.index].target,
            key="k",
            attempt=move.attempt,
            kind="intent",
            deadline=now + 10,
        )
        if move.kind == "perform":
            entries.append(intent)
            continue
        states = ["failed"] if move.kind == "expire" else ["done", "failed", "unknown"]
        if entries[-1].state == "unknown":
            states = ["done", "failed"]
        state = data.draw(st.sampled_from(states))
        entries.append(replace(intent, kind="outcome", state=state))
        now += data.draw(st.integers(0, 20))
        assert set(step_states(PLAN, entries)) == {"one", "two", "three"}
    else:
        raise AssertionError(entries)


def test_states_for_people_name_what_is_open() -> None:
    assert step_states(PLAN, []) == {"one": "ready", "two": "ready", "three": "ready"}
    intent = JournalEntry("r", 1, "o", 0, "one", 0, "t", "k", 1, "intent")
    assert step_states(PLAN, [intent])["one"] == "intent"
    done = replace(intent, seq=2, kind="outcome", state="done")
    assert step_states(PLAN, [intent, done])["one"] == "ready"
    assert step_states(PLAN, [intent, replace(done, state="failed")])["one"] == "failed"


def test_a_person_who_does_not_answer_in_time_is_late_only_after_the_deadline() -> None:
    manual = replace(PLAN, first="three")
    intent = JournalEntry("r", 1, "o", 0, "three", 0, "t", "k", 1, "intent", deadline=9)
    assert next_move(manual, [intent], started_at=0, now=9).kind == "ask"
    assert next_move(manual, [intent], started_at=0, now=10).kind == "expire"
    endless = replace(intent, deadline=0)
    assert next_move(manual, [endless], started_at=0, now=10**15).kind == "ask"


CHANGES = st.sampled_from(
    [
        {"incident_id": "inc_2"},
        {"requester_id": "acc_2"},
        {"content_hash": "01"},
        {"playbook_modified": "2026-01-02T00:00:00Z"},
        {"variables": {"__a__": "b"}},
        {"given": {"__a__": "b"}},
        {"first": "two"},
        {"steps": PLAN.steps[:2]},
        {"steps": (step("one", "two", args={"account": "b"}), *PLAN.steps[1:])},
        {"steps": (step("one", "two", targets=(TARGET,)), *PLAN.steps[1:])},
        {
            "steps": (
                step("one", "two", "three", targets=(replace(TARGET, version="locked"), TARGET)),
                *PLAN.steps[1:],
            )
        },
        {"needs_approval": False},
        {"expires_s": 61},
    ]
)


@given(CHANGES)
def test_whatever_is_bound_changes_both_hashes(change: dict[str, object]) -> None:
    before = hashed(PLAN)
    after = hashed(replace(PLAN, **change))  # type: ignore[arg-type]
    assert before.sha256 != after.sha256
    assert before.sm3 != after.sm3


def test_a_label_is_for_people_and_binds_nothing() -> None:
    renamed = step(
        "one", "two", "three", targets=(replace(TARGET, label="b"), PLAN.steps[0].targets[1])
    )
    assert hashed(replace(PLAN, steps=(renamed, *PLAN.steps[1:]))).sha256 == hashed(PLAN).sha256


def test_the_idempotency_key_depends_on_run_step_index_and_target_alone() -> None:
    keys = {
        idempotency_key(*parts)
        for parts in (
            ("r", "s", "", "t"),
            ("q", "s", "", "t"),
            ("r", "p", "", "t"),
            ("r", "s", "1", "t"),
            ("r", "s", "", "u"),
        )
    }
    assert len(keys) == 5
    assert idempotency_key("r", "s", "", "t") in keys
