"""From an alert, or from an approval, to the refusal of the next signature.

A gateway that signs and a scheduler over one database, as two processes of a home see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import orjson

from secops.bridges.house import House
from secops.cli.bench.closed_loop import (
    BENCH_RULE,
    is_refused,
    jobs_running,
    percentiles,
    raise_alert,
    two_processes,
    wait_until,
)
from secops.cli.bench.figures import Bar, figure
from secops.kernel.clock import DAY

if TYPE_CHECKING:
    from playbooks.models import CheckedPlaybook

APPROVED: Final = 200
ACTED: Final = 20
"""Rounds in which nobody is asked: no more than the budget of an hour lets begin."""
_BAR: Final = Bar("<=", 1_000)
_MILLI: Final = 1_000
_KEY: Final = "demo-p256"
_USER: Final = "integrator"
_SUBJECT: Final = "staff"
_TEMPLATE: Final = "key_abuse_contain.json"
_HOUR_S: Final = 3_600


def containment_figures() -> list[dict[str, Any]]:
    """Return how long a key goes on signing after the approval, and after the alert."""
    with two_processes() as (gateway, watcher), jobs_running(watcher, "playbooks.runs"):
        rig = _Rig(gateway, watcher)
        approved, acted = rig.approved(APPROVED), rig.acted(ACTED)
    return [
        _figure("run approved to signing refused", approved),
        _figure("alert committed to token and signing refused", acted),
    ]


def _figure(name: str, delays: list[float]) -> dict[str, Any]:
    p50, p99 = percentiles(delays)
    said = (
        f"{len(delays)} rounds, p50; p99 {p99 * _MILLI:.0f} ms, most {max(delays) * _MILLI:.0f} ms;"
        " wall time; gateway and scheduler over one database"
    )
    return figure(name, p50 * _MILLI, "ms", said, bar=_BAR, judged=p99 * _MILLI)


class _Rig:
    """Suspends one key again and again, by a playbook that two persons signed."""

    def __init__(self, gateway: House, watcher: House) -> None:
        self._gateway, self._watcher = gateway, watcher
        self._analyst, self._security = map(watcher.act_as, ("analyst", "security-admin"))
        self._user, self._subject = map(gateway.act_as, (_USER, _SUBJECT))
        self._playbook = _suspending()
        entry = watcher.playbooks.playbooks.register(self._analyst, self._playbook)
        watcher.playbooks.playbooks.approve_playbook(self._security, entry.content_hash)

    def approved(self, rounds: int) -> list[float]:
        """Return the seconds from the commit of an approval to the first refused signature."""
        from playbooks.service import NewIncident, RunRequest  # noqa: PLC0415 - heavy

        services = self._watcher.playbooks
        incident = services.incidents.open_incident(self._analyst, NewIncident(title="bench"))

        def begin() -> None:
            run = services.runs.request_run(self._analyst, RunRequest(incident.id, self._playbook))
            plan = run.plan.sha256
            services.runs.approve_run(self._security, run.id, grant=True, plan_sha256=plan)

        return self._rounds(rounds, begin, self._signing_refused)

    def acted(self, rounds: int) -> list[float]:
        """Return the seconds from an alert's commit until token and signature are refused."""
        self._bind()
        alerts: list[str] = []

        def begin() -> None:
            for alert in alerts:
                self._watcher.detectors.alerts.close_alert(self._analyst, alert, "over")
            alerts[:] = []
            wait_until(self._watcher, lambda: not self._token_refused())
            alerts.append(raise_alert(self._watcher, self._subject.id, "high"))

        def refused() -> bool:
            return self._token_refused() and self._signing_refused()

        return self._rounds(rounds, begin, refused)

    def _rounds(
        self, rounds: int, begin: Callable[[], None], refused: Callable[[], bool]
    ) -> list[float]:
        clock, delays = self._watcher.parts.clock, []
        for _ in range(rounds):
            wait_until(self._watcher, lambda: not self._signing_refused())
            begin()
            started = clock.monotonic()
            wait_until(self._watcher, refused)
            delays.append(clock.monotonic() - started)
            self._watcher.kms.key_control.resume_key(self._security, _KEY)
        return delays

    def _signing_refused(self) -> bool:
        from secops.kernel.errors import Forbidden  # noqa: PLC0415 - quick --help

        try:
            self._gateway.kms.transit.sign(self._user, _KEY, {"input": "bGV0dGVy"})
        except Forbidden:
            return True
        return False

    def _token_refused(self) -> bool:
        return is_refused(self._gateway, self._subject)

    def _bind(self) -> None:
        """Let the playbook answer the bench's alerts at once, as two persons agree."""
        from playbooks.models.bindings import BindingTerms  # noqa: PLC0415 - heavy
        from playbooks.service.bindings.bindings import ChangeDecision  # noqa: PLC0415

        bindings = self._watcher.playbooks.autonomy.bindings
        wish = BindingTerms(
            name="bench",
            playbook_id="",
            playbook_version="",
            content_hash="",
            autonomy="act",
            rules=(BENCH_RULE,),
            cooldown_s=0,
            per_hour=ACTED,
            valid_until=self._watcher.parts.clock.now() + DAY,
        )
        terms = bindings.terms_for(self._analyst, self._playbook.content_hash, wish)
        asked = bindings.propose_binding(self._analyst, terms)
        change = asked.change
        if change is None:
            msg = "the binding waits for nobody"
            raise RuntimeError(msg)
        decision = ChangeDecision(change.sha256, grant=True, reason="bench")
        bindings.decide_binding(self._security, asked.id, decision)


def _suspending() -> CheckedPlaybook:
    """Return the packaged playbook's suspension of a key, alone, with what takes it back."""
    from playbooks.service import require_playbook  # noqa: PLC0415 - heavy

    document = orjson.loads(files("rules.playbooks").joinpath(_TEMPLATE).read_bytes())
    steps: Mapping[str, Any] = document["workflow"]
    start = document["workflow_start"]
    model = steps[steps[start]["on_completion"]]
    (profile,) = model["step_extensions"]
    end, undo_end, undo = (
        f"{kind}--{number:08x}-0000-4000-8000-00000000be9c"
        for number, kind in enumerate(("end", "end", "action"))
    )
    take = f"action--{9:08x}-0000-4000-8000-00000000be9c"

    def step(command: str, following: str, **extension: Any) -> dict[str, Any]:
        one = {key: model[key] for key in ("type", "agent", "timeout")}
        given = {profile: {"args": {"key": _KEY}, **extension}}
        commands = [{"type": "secops", "command": command}]
        return one | {"on_completion": following, "commands": commands, "step_extensions": given}

    document["workflow"] = {
        start: {"type": "start", "on_completion": take},
        take: step("key.suspend", end, compensate=undo, ttl_s=_HOUR_S, blast={"max": 1}),
        undo: step("key.resume", undo_end),
        end: {"type": "end"},
        undo_end: {"type": "end"},
    }
    document["id"] = "playbook--0000be9c-0000-4000-8000-000000000001"
    document.pop("workflow_exception", None)
    document["playbook_variables"] = {}
    return require_playbook(orjson.dumps(document))
