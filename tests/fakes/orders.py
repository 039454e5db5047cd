"""Orders as a runner gives them."""

from __future__ import annotations

from playbooks.models import Run
from playbooks.ports import Order


def order_of(run: Run, key: str) -> Order:
    """Return an order of ``run`` under the idempotency key ``key``."""
    return Order(
        org_id=run.org_id,
        run_id=run.id,
        incident_id=run.incident_id,
        key=key,
        requester_id=run.requester_id,
        approver_id=run.approver_id or "",
        reason="test",
        timeout_ms=1_000,
    )
