"""The store of emergency plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playbooks.models.emergency_plans import EmergencyPlan
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class EmergencyPlanStore(Protocol):
    """Keeps every version of every plan."""

    def add(self, transaction: Transaction, plan: EmergencyPlan) -> None:
        """Store a new version; raise ``ChangedMeanwhile`` if there is one of that number."""
        ...

    def get(
        self, transaction: Transaction, org_id: str, plan_id: str, version: int | None
    ) -> EmergencyPlan:
        """Return a version, None for the newest; raise ``PlanNotFound``."""
        ...

    def change(self, transaction: Transaction, plan: EmergencyPlan) -> None:
        """Store it if revision - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def list(self, transaction: Transaction, org_id: str, page: PageRequest) -> Page[EmergencyPlan]:
        """Return all versions, the last written first."""
        ...

    def count(self, transaction: Transaction, org_id: str) -> int:
        """Return how many plans an organisation has, each with all its versions as one."""
        ...

    def in_force(self, transaction: Transaction, org_id: str) -> Sequence[EmergencyPlan]:
        """Return the plans in force."""
        ...
