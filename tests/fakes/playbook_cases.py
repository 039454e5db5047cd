"""Plays the cases that stand beside each packaged playbook, on one open house."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final, Literal

from playbooks.core.stepping import step_states
from playbooks.models import JournalEntry, Run
from playbooks.models.views import RunView
from playbooks.ports import RestrainedKind
from playbooks.service import NewIncident, RunRequest, StepAnswer, StepDecision
from secops.kernel.clock import SECOND
from secops.kernel.pages import MAX_LIMIT, PageRequest
from tests.fakes.alert_summaries import alert
from tests.fakes.playbooks_house import ANALYST, APPROVER, House

_SUBJECTS: Final[tuple[RestrainedKind, ...]] = ("client", "address", "key", "seal")


def adopt_all(home: House) -> None:
    """Adopt the playbooks of the release by two people: that signs them."""
    register = home.services.playbooks
    for name in register.packaged():
        entry = register.adopt_playbook(ANALYST, name)
        register.approve_playbook(APPROVER, entry.content_hash)


def sample(name: str) -> dict[str, Any]:
    """Return what stands beside playbook ``name``."""
    value: dict[str, Any] = json.loads(
        files("rules.playbooks").joinpath(f"{name}.sample.json").read_bytes()
    )
    return value


@dataclass(frozen=True, slots=True)
class Played:
    """How one case came out. ``steps`` are "name: outcome" in the order of the journal."""

    incident_id: str
    run: Run
    view: RunView
    steps: list[str]
    calls: list[str]
    texts: list[str]
    sent: int

    @property
    def acted(self) -> set[str]:
        """Return the paths of the steps that have an outcome."""
        return {entry.path for entry in self.view.journal if entry.kind == "outcome"}


def play(home: House, name: str, told: Mapping[str, Any], case: Mapping[str, Any]) -> Played:
    """Run playbook ``name`` on the incident ``told``, answered as ``case`` says."""
    return _Player(home, name, told, case).play()


class _Player:
    def __init__(
        self, home: House, name: str, told: Mapping[str, Any], case: Mapping[str, Any]
    ) -> None:
        self._home = home
        self._name = name
        self._told = {**told, **case}
        self._answers: dict[str, list[dict[str, Any]]] = {
            step: list(value) if isinstance(value, list) else [value]
            for step, value in case.get("answers", {}).items()
        }

    def play(self) -> Played:
        home, services = self._home, self._home.services
        self._furnish()
        incident = services.incidents.open_incident(ANALYST, NewIncident(alert_id=self._alert()))
        request = RunRequest(
            incident.id,
            services.playbooks.find(ANALYST, self._name),
            {f"__{key}__": value for key, value in self._told.get("variables", {}).items()},
        )
        run = services.runs.request_run(ANALYST, request)
        assert run.plan.needs_approval == self._told["needs_approval"]
        assert (run.state == "awaiting_approval") == self._told["needs_approval"]
        assert home.containment.calls == []  # a request changes nothing
        if run.state == "awaiting_approval":
            services.runs.approve_run(APPROVER, run.id, grant=True, plan_sha256=run.plan.sha256)
        home.containment.inert = bool(self._told.get("inert"))
        run = services.runner.advance(run.id)
        while run.state == "waiting":
            run = self._answered(run)
        if self._told.get("expire"):
            home.clock.advance(max(step.ttl_s for step in run.plan.steps) + 1)
            run = services.runner.advance(run.id)
        return self._played(run)

    def _furnish(self) -> None:
        world, containment = self._told.get("world", {}), self._home.containment
        containment.forget()
        containment.inert = False
        for account, sessions in world.get("accounts", {}).items():
            containment.add(account, account, sessions)
        for kind in _SUBJECTS:
            for name in world.get(kind, ()):
                containment.subject(kind, name, name)

    def _alert(self) -> str:
        told, alerts = self._told["incident"], self._home.alerts.kept
        name = f"alr_case_{len(alerts)}"
        summary = alert(name, title=told["title"], severity=told["severity"])
        alerts[name] = replace(summary, subjects=told["subjects"])
        return name

    def _answered(self, run: Run) -> Run:
        services = self._home.services
        journal = self._journal(run)
        asked = list(_open(run, journal))
        if not asked:
            return self._waited(run, journal[-1])
        path, title = asked[0]
        told = (self._answers.get(title) or [{}]).pop(0)
        if told.get("cancel"):
            services.runs.cancel_run(ANALYST, run.id, reason="演示取消")
            return services.runner.advance(run.id)
        if told.get("late_s"):
            self._home.clock.advance(told["late_s"])
            return services.runner.advance(run.id)
        outcome: Literal["done", "failed"] = told.get("outcome", "done")
        values = {f"__{key}__": value for key, value in told.get("values", {}).items()}
        services.runs.resolve_step(ANALYST, run.id, StepAnswer(path, outcome, "", values))
        return services.runner.advance(run.id)

    def _journal(self, run: Run) -> Sequence[JournalEntry]:
        inside = self._home.surroundings
        return inside.parts.transactions.read(lambda tx: inside.stores.runs.journal(tx, run.id))

    def _waited(self, run: Run, last: JournalEntry) -> Run:
        """Approve what a late step waits for, else let the clock run to the next move."""
        services = self._home.services
        if run.error == "approve":
            allowed = StepDecision(last.path, last.details["sha256"], grant=True, loop=last.loop)
            services.steps.approve_step(APPROVER, run.id, allowed)
        else:
            assert run.due_at is not None
            self._home.clock.advance((run.due_at - self._home.clock.now()) / SECOND + 1)
        return services.runner.advance(run.id)

    def _played(self, run: Run) -> Played:
        services = self._home.services
        view = services.runs.show_run(ANALYST, run.id)
        names = {step.path: step.name for step in run.plan.steps}
        shown = services.incidents.show_incident(ANALYST, run.incident_id)
        newest = services.inbox.list_notifications(ANALYST, PageRequest(MAX_LIMIT)).items
        return Played(
            incident_id=run.incident_id,
            run=run,
            view=view,
            steps=[
                f"{names[entry.path]}: {entry.state}"
                for entry in view.journal
                if entry.kind == "outcome"
            ],
            calls=self._home.containment.calls,
            texts=[line.text for line in shown.timeline],
            sent=sum(1 for one in newest if one.incident_id == run.incident_id),
        )


def _open(run: Run, journal: Sequence[JournalEntry]) -> Iterator[tuple[str, str]]:
    """Yield path and name of the steps done by hand that wait for an answer."""
    states = step_states(run.plan, journal)
    for step in run.plan.steps:
        if step.kind == "manual" and states[step.path] == "intent":
            yield step.path, step.name
