"""An incident about an alert, and the tie between the two."""

from __future__ import annotations

import hashlib
from typing import Final

from playbooks.models import AlertLink, AlertSummary, Incident
from playbooks.models.incidents import SEVERITIES
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.transactions import Transaction

MAX_TITLE: Final = 200


def new_incident(incident_id: str, actor: Actor, alert: AlertSummary, now: int) -> Incident:
    """Return an incident in triage about ``alert``; its clocks start when it was raised."""
    return Incident(
        id=incident_id,
        org_id=alert.org_id,
        title=alert.title[:MAX_TITLE] or alert.rule_id,
        state="triage",
        severity=alert.severity if alert.severity in SEVERITIES else SEVERITIES[0],
        opened_by=actor.id,
        opened_at=now,
        discovered_at=min(alert.created_at, now),
        subjects=dict(alert.subjects),
        category=alert.incident_class,
        drill=alert.kind == "drill",
    )


def linked_incident(
    surroundings: Surroundings, tx: Transaction, org_id: str, alert_id: str
) -> Incident | None:
    """Return the incident of the organisation that an alert is tied to, if any."""
    found = surroundings.stores.incidents.incident_of(tx, org_id, alert_id)
    return None if found is None else surroundings.stores.incidents.get(tx, org_id, found)


def link_of(incident_id: str, alert: AlertSummary, now: int) -> AlertLink:
    """Return the tie between incident and alert, with the digest of the alert's evidence."""
    digest = hashlib.sha256(canonical(dict(alert.evidence))).hexdigest()
    return AlertLink(
        incident_id=incident_id,
        alert_id=alert.id,
        org_id=alert.org_id,
        title=alert.title,
        rule_id=alert.rule_id,
        severity=alert.severity,
        created_at=alert.created_at,
        linked_at=now,
        evidence_count=len(alert.evidence),
        evidence_sha256=digest,
        first_event_at=alert.first_event_at,
        acknowledged_at=alert.acknowledged_at,
    )
