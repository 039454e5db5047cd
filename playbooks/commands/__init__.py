"""``secops playbooks``: incidents and playbooks on the command line."""

from __future__ import annotations

from playbooks.commands import (
    bindings,
    deliveries,
    drills,
    duty,
    emergency_plans,
    evidence,
    files,
    filings,
    incident_work,
    incidents,
    notices,
    notifications,
    runs,
    steps,
)
from playbooks.commands.group import group

__all__ = [
    "bindings",
    "deliveries",
    "drills",
    "duty",
    "emergency_plans",
    "evidence",
    "files",
    "filings",
    "group",
    "incident_work",
    "incidents",
    "notices",
    "notifications",
    "runs",
    "steps",
]
