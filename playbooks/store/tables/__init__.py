"""The plane's tables, a file per family."""

from __future__ import annotations

from playbooks.store.tables.incidents import filings, incident_alerts, incident_timeline, incidents
from playbooks.store.tables.notifications import notifications
from playbooks.store.tables.runs import playbooks, run_steps, runs
from playbooks.store.tables.schema import metadata

__all__ = [
    "filings",
    "incident_alerts",
    "incident_timeline",
    "incidents",
    "metadata",
    "notifications",
    "playbooks",
    "run_steps",
    "runs",
]
