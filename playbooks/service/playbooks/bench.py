"""What is measured: checking playbooks, and deciding a run's next move from its journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from playbooks.core.cacao20 import check_text
from playbooks.core.compiling import compile_steps
from playbooks.core.execution import next_move
from playbooks.core.plan import hashed
from playbooks.models import JournalEntry, Plan, TargetState
from playbooks.service.playbooks.checking import require_playbook

_SECONDS: Final = 0.5
_TARGETS: Final = 100
_MEASURED: Final = "ssh_brute_force_contain.json"
"""The same one always, so that figures of releases can be compared."""


def measure(playbooks: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return rates per CPU-second of this process; needs no home."""
    name, text = _MEASURED, playbooks[_MEASURED]
    checked = require_playbook(text)
    given = {"__account__": "a", "__incident__": "i", "__title__": "t"}
    others = {p.id: p for p in map(require_playbook, playbooks.values())}
    plan = _plan(checked.id, compile_steps(checked, given, others).steps)
    entries = [
        JournalEntry("r", n, "o", n, plan.first, n, "t", "k", 1, "outcome", "done")
        for n in range(_TARGETS)
    ]
    size = f"{name}, {len(text)} bytes"
    return [
        _figure("playbook check", "playbooks", lambda: check_text(text), size),
        _figure("plan hash", "plans", lambda: hashed(plan), f"{_TARGETS} targets, SHA-256 and SM3"),
        _figure(
            "next move",
            "decisions",
            lambda: next_move(plan, entries, started_at=0, now=0),
            f"replay of {_TARGETS} journal entries",
        ),
    ]


def _plan(playbook_id: str, steps: Mapping[str, Any]) -> Plan:
    target = TargetState("account:a", "a", "active", "active", "locked")
    first, *rest = steps.values()
    many = replace(first, targets=(target,) * _TARGETS)
    return Plan(
        playbook_id=playbook_id,
        playbook_modified="",
        content_hash="",
        incident_id="i",
        requester_id="r",
        given={},
        variables={},
        first=first.path,
        steps=(many, *rest),
        needs_approval=True,
        expires_s=60,
    )


def _figure(name: str, unit: str, work: Callable[[], object], circumstances: str) -> dict[str, Any]:
    count, begun = 0, time.process_time()
    while time.process_time() - begun < _SECONDS:
        work()
        count += 1
    return {
        "name": f"playbooks {name}",
        "value": round(count / (time.process_time() - begun)),
        "unit": unit,
        "per_cpu_second": True,
        "circumstances": circumstances,
    }
