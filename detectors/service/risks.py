"""The risk of entities: computed from their open alerts, published when it changes."""

from __future__ import annotations

from detectors.core.risk import entity_risk
from detectors.ports import AlertStore
from secops.kernel.events import SubjectRiskChanged
from secops.kernel.transactions import Transaction


def publish_risk(
    tx: Transaction, store: AlertStore, org_id: str, subject: str, reason: str
) -> bool:
    """Tell the other planes the risk of ``subject`` if it is another than was told last."""
    hints, criticality = store.hints_of(tx, subject)
    risk = entity_risk(hints, tx.now, criticality)
    changed = store.note_risk(tx, org_id, (subject, risk), reason)
    if changed:
        tx.announce(SubjectRiskChanged(org_id, subject, risk, reason))
    return changed
