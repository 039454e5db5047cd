"""The risk of entities: computed from their open alerts, published when it changes."""

from __future__ import annotations

from collections.abc import Mapping

from detectors.core.risk import entity_risk
from detectors.ports import AlertStore
from secops.kernel.events import SubjectRiskChanged
from secops.kernel.transactions import Transaction


def publish_risk(
    tx: Transaction, store: AlertStore, org_id: str, subject: str, reason: str
) -> bool:
    """Tell the other planes the risk of ``subject`` if it is another than was told last."""
    return bool(publish_risks(tx, store, org_id, {subject: reason}))


def publish_risks(
    tx: Transaction, store: AlertStore, org_id: str, reasons: Mapping[str, str]
) -> frozenset[str]:
    """As ``publish_risk`` for many subjects, each with its reason; return those that changed."""
    told = {
        subject: (entity_risk(hints, tx.now, criticality), reasons[subject])
        for subject, (hints, criticality) in store.hints_of(tx, list(reasons)).items()
    }
    changed = store.note_risks(tx, org_id, told)
    for subject, (risk, reason) in told.items():
        if subject in changed:
            tx.announce(SubjectRiskChanged(org_id, subject, risk, reason))
    return changed
