"""What a step of a playbook's run costs, and how a thousand runs at once go on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import orjson

from secops.bridges.house import House
from secops.cli.bench.figures import Bar, figure
from secops.kernel.actors import Actor

if TYPE_CHECKING:
    from playbooks.models import CheckedPlaybook

RUNS: Final = 1_000
_BAR: Final = Bar("<=", 5)
_SHORT, _LONG, _EACH = 2, 22, 40
_DELAY_MS: Final = 30_000
_PAUSE_S: Final = 0.5
_MILLI: Final = 1_000
_TEMPLATE: Final = "notify_duty.json"


def executor_figures(house: House) -> list[dict[str, Any]]:
    """Return the cost of a step, and of the steps of ``RUNS`` runs that are under way at once."""
    return [_step_cost(house), _at_once(house)]


def _step_cost(house: House) -> dict[str, Any]:
    short, long = (_cost_of_runs(house, steps) for steps in (_SHORT, _LONG))
    step = (long - short) / (_LONG - _SHORT)
    fixed = short - _SHORT * step
    said = (
        f"CPU time of a notify.send step into the inbox: intent, act, outcome, each durable; from"
        f" {_EACH} runs of {_SHORT} and of {_LONG} steps; a run's beginning and end: {fixed:.1f} ms"
    )
    return figure("playbook step", step, "ms", said, bar=_BAR)


def _cost_of_runs(house: House, steps: int) -> float:
    asked = _asked(house, _chain(steps), _EACH)
    begun = time.process_time()
    for run in asked:
        house.playbooks.runner.advance(run)
    took = time.process_time() - begun
    _require_done(house, asked)
    return took / _EACH * _MILLI


def _at_once(house: House) -> dict[str, Any]:
    asked = _asked(house, _chain(3, delay_ms=_DELAY_MS), RUNS)
    begun, cpu = time.monotonic(), 0.0
    left, waiting = asked, 0
    while left:
        before = time.process_time()
        while house.playbooks.runner.advance_all():
            pass
        cpu += time.process_time() - before
        left = _unfinished(house, left)
        waiting = max(waiting, len(left))
        time.sleep(_PAUSE_S)
    wall = time.monotonic() - begun
    said = (
        f"{RUNS} runs of 3 notify.send steps with a pause of {_DELAY_MS // _MILLI} s before the"
        f" second, {waiting} of them waiting together; {wall:.0f} s wall, all done; CPU time of"
        " the runner over 3 steps each, a run's beginning and end in it"
    )
    return figure("playbook step, 1,000 runs at once", cpu / RUNS / 3 * _MILLI, "ms", said)


def _asked(house: House, playbook: CheckedPlaybook, count: int) -> list[str]:
    from playbooks.service import NewIncident, RunRequest  # noqa: PLC0415 - heavy

    analyst = house.act_as("analyst")
    incident = house.playbooks.incidents.open_incident(analyst, NewIncident(title="bench"))
    _approved(house, analyst, playbook)
    request = RunRequest(incident.id, playbook)
    return [house.playbooks.runs.request_run(analyst, request).id for _ in range(count)]


def _approved(house: House, analyst: Actor, playbook: CheckedPlaybook) -> None:
    entry = house.playbooks.playbooks.register(analyst, playbook)
    house.playbooks.playbooks.approve_playbook(house.act_as("security-admin"), entry.content_hash)


def _unfinished(house: House, asked: list[str]) -> list[str]:
    auditor = house.act_as("auditor")
    seen = (house.playbooks.runs.show_run(auditor, run).run for run in asked)
    return [run.id for run in seen if run.finished_at is None]


def _require_done(house: House, asked: list[str]) -> None:
    left = _unfinished(house, asked)
    if left:
        msg = f"{len(left)} of {len(asked)} runs did not end"
        raise RuntimeError(msg)


def _chain(count: int, *, delay_ms: int = 0) -> CheckedPlaybook:
    """Return a playbook of ``count`` steps like the packaged one's, one after the other."""
    from playbooks.service import require_playbook  # noqa: PLC0415 - heavy

    document = orjson.loads(files("rules.playbooks").joinpath(_TEMPLATE).read_bytes())
    steps: Mapping[str, Any] = document["workflow"]
    end, model = (
        next(name for name in steps if name.startswith(kind)) for kind in ("end--", "action--")
    )
    names = [f"action--{number:08x}-0000-4000-8000-{count:012x}" for number in range(count)]
    chained = {
        name: {**steps[model], "on_completion": after}
        for name, after in zip(names, [*names[1:], end], strict=True)
    }
    if delay_ms:
        chained[names[1]]["delay"] = delay_ms
    start = document["workflow_start"]
    workflow = {start: {**steps[start], "on_completion": names[0]}, **chained, end: steps[end]}
    identifier = f"playbook--{count:08x}-0000-4000-8000-{delay_ms:012x}"
    return require_playbook(orjson.dumps({**document, "id": identifier, "workflow": workflow}))
