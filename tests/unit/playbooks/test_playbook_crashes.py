"""The crash matrix: a runner killed at every boundary, again in recovery, and restarted.

A boundary is the moment before or after a commit or a call. Each child is a fork that
kills itself with SIGKILL at one of them. At the end each effect happened exactly once, or
the step is ``unknown`` by name and a person answers; journal and ledger agree.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.models import PlannedStep, TargetState
from playbooks.models.views import RunView
from playbooks.service import NewIncident, RunRequest, StepAnswer, make_services, require_playbook
from playbooks.service.actions import Call, Performed, Recovery
from tests.fakes.cacao import NOTIFY, playbook
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house

pytestmark = pytest.mark.service


@dataclass
class Boundaries:
    """Counts boundaries and dies at number ``fatal`` (0: never)."""

    fatal: int
    passed: int = 0

    def reach(self) -> None:
        self.passed += 1
        if self.passed == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self.reach()
            value = call(*args, **kwargs)
            self.reach()
            return value

        return guarded


class GuardedTransactions:
    def __init__(self, inner: Any, boundaries: Boundaries) -> None:
        self._inner = inner
        self.run = boundaries.around(inner.run)

    def read(self, work: Callable[[Any], Any]) -> Any:
        return self._inner.read(work)

    def restrict(self, work: Callable[[Any], Any], *restrictions: Any) -> Any:
        return self._inner.restrict(work, *restrictions)


class ReadableLock:
    """Locks once more at every call, but can be read back."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        return (TargetState(f"account:{args['account']}", "x", "active", "active", "locked"),)

    def recovery(self, step: PlannedStep) -> Recovery:
        return "readable"

    def perform(self, call: Call) -> Performed:
        with self._file.open("a") as effects:
            effects.write(f"{call.order.key}\n")
        return Performed(verified=True)

    def holds(self, call: Call) -> bool:
        return self._file.exists() and call.order.key in self._file.read_text()


class BlindPost:
    """Posts at every call, and nobody can be asked what arrived."""

    def __init__(self, home: House) -> None:
        self._home = home

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        return (TargetState("http:robot", "robot", "1", "", args["title"]),)

    def recovery(self, step: PlannedStep) -> Recovery:
        return "neither"

    def perform(self, call: Call) -> Performed:
        headers = {"idempotency-key": call.order.key}
        self._home.outbound.post("https://robot.example/", b"{}", headers, timeout=1)
        return Performed(verified=True)

    def holds(self, call: Call) -> bool:
        return False


def rig(home: House, folder: Path, boundaries: Boundaries, kind: str) -> House:
    """Return ``home`` with boundaries around every commit and every call."""
    containment = home.containment
    for name in ("revoke_sessions", "restrain"):
        setattr(containment, name, boundaries.around(getattr(containment, name)))
    home.outbound.post = boundaries.around(home.outbound.post)  # type: ignore[method-assign]
    parts = replace(
        home.spine.parts,
        transactions=GuardedTransactions(home.spine.parts.transactions, boundaries),
    )
    surroundings = replace(home.surroundings, parts=parts)
    services = make_services(surroundings, "runner-1")
    if kind == "neither":
        changed = {**services.runner._performer._actions, "notify.send": BlindPost(home)}
        services.runner._performer._actions = changed
        services.runner._planner._binder._actions = changed
    if kind == "readable":
        action = ReadableLock(folder / "effects")
        action.perform = boundaries.around(action.perform)  # type: ignore[method-assign]
        changed = {**services.runner._performer._actions, "account.lock": action}
        services.runner._performer._actions = changed
        services.runner._planner._binder._actions = changed
    return replace(home, services=services, surroundings=surroundings)


def prepare(folder: Path, kind: str) -> str:
    """Make a home with an approved run and return the run's id."""
    with house(folder, file=folder / "accounts.json") as plain:
        plain.containment.add("acc_zhang", "zhang.san", sessions=2)
        home = rig(plain, folder, Boundaries(0), kind)
        incident = home.services.incidents.open_incident(ANALYST, NewIncident(alert_id="alr_1"))
        checked = require_playbook(json.dumps(playbook()).encode())
        run = home.services.runs.request_run(ANALYST, RunRequest(incident.id, checked))
        home.services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
        return run.id


def work(folder: Path, run_id: str, kind: str, fatal: int) -> int:
    """Advance the run in a child that dies at boundary ``fatal``; return boundaries or -9."""
    child = os.fork()
    if child == 0:
        code = 250
        try:
            boundaries = Boundaries(fatal)
            file = folder / "accounts.json"
            with house(folder, file=file) as plain:
                rig(plain, folder, boundaries, kind).services.runner.advance(run_id)
            code = boundaries.passed
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def posts(folder: Path) -> list[str]:
    file = folder / "accounts.posts"
    return json.loads(file.read_text()) if file.exists() else []


def check(folder: Path, run_id: str, kind: str) -> str:
    """Check what happened and return done, or unknown where a person had to answer."""
    with house(folder, file=folder / "accounts.json") as plain:
        home = rig(plain, folder, Boundaries(0), kind)
        view = home.services.runs.show_run(AUDITOR, run_id)
        verdict = "done"
        if view.run.state == "waiting":
            assert kind == "neither"
            assert view.states[NOTIFY] == "unknown"
            assert view.journal[-1].details["error"] == "outcome_lost"
            home.services.runs.resolve_step(ANALYST, run_id, StepAnswer(NOTIFY, "done"))
            home.services.runner.advance(run_id)
            view = home.services.runs.show_run(AUDITOR, run_id)
            verdict = "unknown"
        _check_effects(folder, home, view, kind)
        leaves = [leaf for leaf in home.leaves() if leaf["action"] == "playbooks.perform_step"]
        mine = [entry for entry in view.journal if "answered_by" not in entry.details]
        assert [leaf["details"]["key"] for leaf in leaves] == [entry.key for entry in mine]
        return verdict


def _check_effects(folder: Path, home: House, view: RunView, kind: str) -> None:
    assert view.run.state == "done"
    assert set(view.states.values()) == {"done"}
    assert set(home.containment.effects.values()) == {1}
    assert home.containment.sessions_of("acc_zhang") == ()
    if kind == "readable":
        assert len((folder / "effects").read_text().split()) == 1
        assert len(home.containment.effects) == 1
    else:
        account = home.containment.look("account", "org_root", "acc_zhang")
        assert account is not None
        assert account.held
        assert len(home.containment.effects) == 2
    if kind == "neither":
        assert len(posts(folder)) <= 1
        assert len(posts(folder)) == len(set(posts(folder)))


@pytest.mark.parametrize(("kind", "stride"), [("idempotent", 5), ("readable", 4), ("neither", 3)])
def test_a_runner_killed_at_a_boundary_loses_and_doubles_no_effect(
    tmp_path: Path, kind: str, stride: int
) -> None:
    matrix(tmp_path, kind, stride)


@pytest.mark.deep
@pytest.mark.parametrize("kind", ["idempotent", "readable", "neither"])
def test_a_runner_killed_at_every_boundary_loses_and_doubles_no_effect(
    tmp_path: Path, kind: str
) -> None:
    matrix(tmp_path, kind, 1)


def matrix(tmp_path: Path, kind: str, stride: int) -> None:
    """Kill at every ``stride``-th boundary, and check each end."""
    master = tmp_path / "master"
    master.mkdir()
    run_id = prepare(master, kind)
    whole = tmp_path / "whole"
    shutil.copytree(master, whole)
    total = work(whole, run_id, kind, 0)
    assert total > 15
    assert check(whole, run_id, kind) == "done"
    verdicts = {"done": 0, "unknown": 0}
    for fatal in range(1, total + 1, stride):
        folder = tmp_path / f"{kind}-{fatal}"
        shutil.copytree(master, folder)
        assert work(folder, run_id, kind, fatal) == -signal.SIGKILL
        again = work(folder, run_id, kind, 1 + fatal % 3)
        assert again == -signal.SIGKILL or again < total
        assert 0 <= work(folder, run_id, kind, 0) <= total
        verdicts[check(folder, run_id, kind)] += 1
        shutil.rmtree(folder)
    print(f"{kind}: every {stride} of {total} boundaries, {verdicts}")
    assert verdicts["unknown"] == 0 or kind == "neither"
    assert verdicts["unknown"] < total // 2
