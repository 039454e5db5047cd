"""The crash matrix of whole workflows: killed at every boundary, again in recovery, restarted.

A boundary is the moment before or after a commit or a call. The kill is simulated in this
process: from there on nothing that the killed runner holds works any more, not even its way
to give its lease back. Real kills of a process are in ``test_playbook_crashes.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.core.cacao20.vocabulary import EXTENSION
from playbooks.models import Channel, PlaybooksOptions, Run
from playbooks.service import (
    NewIncident,
    PlaybooksServices,
    RunRequest,
    StepAnswer,
    make_services,
    require_playbook,
)
from secops.kernel.pages import PageRequest
from tests.fakes.cacao import END, LOCK, REVOKE, START, action, playbook
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house

FORK = "parallel--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
LOOP = "while-condition--bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
TURN = "action--cccccccc-cccc-4ccc-8ccc-cccccccccccc"
UNDO = "action--dddddddd-dddd-4ddd-8ddd-dddddddddddd"
SIDE = "action--eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
ENDS = [f"end--0000000{number}-0000-4000-8000-000000000000" for number in range(4)]
DUTY = PlaybooksOptions(channels={"duty": Channel("generic", "https://hook.example/x")})
TURNS = 2


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Life:
    """One process: dies at boundary number ``fatal`` (0: never), and stays dead."""

    fatal: int = 0
    passed: int = 0
    dead: bool = False

    def reach(self) -> None:
        self.passed += 1
        if self.dead or self.passed == self.fatal:
            self.dead = True
            raise Killed

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self.reach()
            value = call(*args, **kwargs)
            self.reach()
            return value

        return guarded


class Dying:
    """Whatever ``inner`` does, with a boundary before and after each of ``names``."""

    def __init__(self, inner: Any, life: Life, *names: str) -> None:
        self._inner, self._life, self._names = inner, life, names

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if name in self._names:
            return self._life.around(value)
        if name == "release":
            return lambda lease: None if self._life.dead else value(lease)
        return value


def born(home: House, life: Life) -> PlaybooksServices:
    """Return the services of a process that lives as ``life`` says."""
    surroundings, parts = home.surroundings, home.spine.parts
    parts = replace(
        parts,
        transactions=Dying(parts.transactions, life, "run"),
        leases=Dying(parts.leases, life),
    )
    ports = replace(
        surroundings.ports,
        containment=Dying(home.containment, life, "restrain", "revoke_sessions"),
        outbound=Dying(home.outbound, life, "post"),
    )
    return make_services(replace(surroundings, parts=parts, ports=ports), "runner-1")


def workflow(channel: str, *, fails: bool) -> dict[str, Any]:
    """Two branches at once, a loop of two turns, then an end; or a failure that is taken back."""
    document = playbook()
    del document["workflow_exception"]
    words = {"channel": channel, "title": "x", "text": "x"}
    lock = action("account.lock", {"account": "__account__:value"}, ENDS[0], compensate=UNDO)
    if not fails:
        lock["step_extensions"][EXTENSION]["ttl_s"] = 60
    last = action("session.revoke", {"account": "__account__:value"}, END)
    document["playbook_variables"]["__more__"] = {"type": "string", "value": "yes"}
    document["workflow"] = {
        START: {"type": "start", "on_completion": FORK},
        FORK: {"type": "parallel", "next_steps": [LOCK, SIDE], "on_completion": LOOP},
        LOCK: lock,
        SIDE: action("notify.send", words, ENDS[1]),
        LOOP: {
            "type": "while-condition",
            "condition": "__more__:value = 'yes'",
            "on_true": TURN,
            "on_completion": REVOKE,
        },
        TURN: {
            "type": "action",
            "commands": [{"type": "manual", "command": "more?"}],
            "agent": lock["agent"],
            "out_args": ["__more__"],
            "on_completion": ENDS[2],
        },
        REVOKE: last,
        UNDO: action("notify.send", words, ENDS[3]),
        END: {"type": "end"},
        **{name: {"type": "end"} for name in ENDS},
    }
    if fails:
        last["step_extensions"][EXTENSION]["verify"] = True
    return document


@dataclass
class Case:
    """One kind of adapter and one way to end, over a home of its own."""

    home: House
    channel: str
    fails: bool
    number: int = 0

    def prepared(self) -> str:
        """Return the id of a fresh approved run with an account of its own."""
        self.number += 1
        name = f"user{self.number}"
        self.home.containment.add(f"acc_{name}", name, sessions=1)
        services = self.home.services
        incident = services.incidents.open_incident(ANALYST, NewIncident(title=name))
        document = workflow(self.channel, fails=self.fails)
        checked = require_playbook(json.dumps(document).encode())
        run = services.runs.request_run(
            ANALYST, RunRequest(incident.id, checked, {"__account__": name})
        )
        services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
        return run.id

    def live(self, run_id: str, life: Life) -> None:
        """Let one process work on the run until it ends or dies; a person answers it."""
        services = born(self.home, life)
        try:
            while True:
                run = services.runner.advance(run_id)
                if run.state != "waiting" or not self._answer(run):
                    return
        except Killed:
            return

    def _answer(self, run: Run) -> bool:
        services = self.home.services
        view = services.runs.show_run(AUDITOR, run.id)
        for path, state in view.states.items():
            if path == TURN and state == "intent":
                turns = sum(1 for e in view.journal if e.path == TURN and e.kind == "intent")
                more = {"__more__": "yes" if turns < TURNS else "no"}
                services.runs.resolve_step(ANALYST, run.id, StepAnswer(TURN, "done", "", more))
                return True
            if state == "unknown":
                services.runs.resolve_step(ANALYST, run.id, StepAnswer(path, "done"))
                self.unknown += 1
                return True
        return False

    unknown: int = 0

    def course(self, run_id: str, life: Life) -> None:
        """Let one process live through the run and through what expires after it."""
        self.live(run_id, life)
        if not life.dead:
            self.home.clock.advance(61)
            self.live(run_id, life)

    def finished(self, run_id: str) -> Run:
        """Let the run end without a further kill, containment that expires included."""
        self.live(run_id, Life())
        self.home.clock.advance(61)
        self.live(run_id, Life())
        return self.home.services.runs.show_run(AUDITOR, run_id).run

    def check(self, run_id: str) -> None:
        run = self.finished(run_id)
        view = self.home.services.runs.show_run(AUDITOR, run_id)
        assert run.state == ("compensated" if self.fails else "done")
        assert run.due_at is None
        calls = {e.key: e.path for e in view.journal if e.kind == "intent" and e.path != TURN}
        expected = {LOCK, SIDE, REVOKE, f"{LOCK}~"}
        assert set(calls.values()) == expected
        effects = self.home.containment.effects
        assert {effects.get(k, 0) for k, path in calls.items() if path == LOCK} == {1}
        posted = [
            dict(headers).get("idempotency-key") for _, _, headers in self.home.outbound.posted
        ]
        kept = self.home.services.inbox.list_notifications(ANALYST, PageRequest(200)).items
        for key, path in calls.items():
            if path in (SIDE, f"{LOCK}~"):
                assert posted.count(key) <= 1
                assert [one.key for one in kept].count(key) <= 1
        turns = [(e.loop, e.kind) for e in view.journal if e.path == TURN]
        assert turns == [(str(n), kind) for n in (1, 2) for kind in ("intent", "outcome")]
        if self.fails:
            assert view.states[LOCK] == "compensated"
        assert self.home.services.steps.replay_run(AUDITOR, run_id).differences == ()


@pytest.fixture
def open_case(tmp_path: Path) -> Iterator[Callable[[str, bool], Case]]:
    with house(tmp_path, options=DUTY) as home:

        def make(channel: str, fails: bool) -> Case:  # noqa: FBT001 - parametrised
            home.containment.inert = False
            if fails:
                home.containment.revoke_sessions = lambda account_id, order: 1  # type: ignore[method-assign]
            return Case(home, channel, fails)

        yield make


def matrix(case: Case, stride: int) -> None:
    """Kill at every ``stride``-th boundary, then once more in recovery; check each end."""
    whole = Life()
    run_id = case.prepared()
    case.course(run_id, whole)
    case.check(run_id)
    assert case.unknown == 0
    for fatal in range(1, whole.passed + 1, stride):
        run_id = case.prepared()
        case.course(run_id, Life(fatal))
        case.live(run_id, Life(1 + fatal % 5))
        case.check(run_id)
    kind = "idempotent" if case.channel == "inbox" else "neither"
    print(
        f"{kind}, {'compensated' if case.fails else 'done'}: every {stride} of"
        f" {whole.passed} boundaries, {case.unknown} unknown by name"
    )
    assert case.unknown == 0 or case.channel == "duty"


CASES = [("inbox", False), ("inbox", True), ("duty", False), ("duty", True)]


@pytest.mark.parametrize(("channel", "fails"), CASES)
def test_a_workflow_killed_at_a_boundary_ends_as_if_it_had_not_been(
    open_case: Callable[[str, bool], Case],
    channel: str,
    fails: bool,  # noqa: FBT001 - parametrised
) -> None:
    matrix(open_case(channel, fails), 17)


@pytest.mark.deep
@pytest.mark.parametrize(("channel", "fails"), CASES)
def test_a_workflow_killed_at_every_boundary_ends_as_if_it_had_not_been(
    open_case: Callable[[str, bool], Case],
    channel: str,
    fails: bool,  # noqa: FBT001 - parametrised
) -> None:
    matrix(open_case(channel, fails), 1)
