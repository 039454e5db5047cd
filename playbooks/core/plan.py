"""What an approval is bound to: a plan's hash, a late step's hash, a call's key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from playbooks.models import Plan, TargetState
from secops.crypto.hashes import sm3
from secops.kernel.canonical import canonical

DONE: Final = "end:done"
FAILED: Final = "end:failed"
POLICY: Final = "approval-2"
"""Version of the rules that decide who approves what; part of every plan's hash."""


def hashed(plan: Plan) -> Plan:
    """Return ``plan`` with its SHA-256 and SM3 over the RFC 8785 form of all it binds.

    Not in it: the run's id, the clock, and the titles people read (a target's label).
    """
    bound = asdict(plan)
    del bound["sha256"], bound["sm3"]
    for step in bound["steps"]:
        for target in step["targets"]:
            del target["label"]
    form = canonical({"policy": POLICY, **_plain(bound)})
    return replace(plan, sha256=hashlib.sha256(form).hexdigest(), sm3=sm3(form).hex())


def step_hash(
    plan_sha256: str, place: tuple[str, str], args: Mapping[str, str], targets: Sequence[Any]
) -> str:
    """Return SHA-256 (hex) over all that a late step would do at ``place`` = (path, loop)."""
    bound = [_unlabelled(target) for target in targets]
    form = canonical([POLICY, plan_sha256, *place, dict(args), bound])
    return hashlib.sha256(form).hexdigest()


def _unlabelled(target: TargetState) -> dict[str, Any]:
    return {key: value for key, value in asdict(target).items() if key != "label"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value


def idempotency_key(run_id: str, path: str, loop: str, target: str) -> str:
    """Return SHA-256 (hex) over run, step, loop index and target: the same at every retry."""
    return hashlib.sha256(canonical([run_id, path, loop, target])).hexdigest()
