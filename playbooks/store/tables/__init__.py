"""The plane's tables, a file per family."""

from __future__ import annotations

from playbooks.store.tables.bindings import (
    answers,
    automatic_runs,
    bindings,
    budgets,
    cooldowns,
    pauses,
)
from playbooks.store.tables.duty import (
    drill_notes,
    drills,
    escalations,
    rosters,
    shifts,
    swaps,
)
from playbooks.store.tables.incident_work import (
    custody_links,
    custody_offers,
    emergency_plans,
    evidence,
    incident_members,
    incident_tasks,
    observables,
)
from playbooks.store.tables.incidents import filings, incident_alerts, incident_timeline, incidents
from playbooks.store.tables.notices import (
    deliveries,
    early_warnings,
    notice_numbers,
    notice_petitions,
    notice_proofs,
    notice_remarks,
    notices,
)
from playbooks.store.tables.notifications import (
    channel_rates,
    channels,
    happenings,
    notifications,
    outgoing,
    subscriptions,
)
from playbooks.store.tables.runs import playbooks, run_steps, runs
from playbooks.store.tables.schema import metadata

__all__ = [
    "answers",
    "automatic_runs",
    "bindings",
    "budgets",
    "channel_rates",
    "channels",
    "cooldowns",
    "custody_links",
    "custody_offers",
    "deliveries",
    "drill_notes",
    "drills",
    "early_warnings",
    "emergency_plans",
    "escalations",
    "evidence",
    "filings",
    "happenings",
    "incident_alerts",
    "incident_members",
    "incident_tasks",
    "incident_timeline",
    "incidents",
    "metadata",
    "notice_numbers",
    "notice_petitions",
    "notice_proofs",
    "notice_remarks",
    "notices",
    "notifications",
    "observables",
    "outgoing",
    "pauses",
    "playbooks",
    "rosters",
    "run_steps",
    "runs",
    "shifts",
    "subscriptions",
    "swaps",
]
