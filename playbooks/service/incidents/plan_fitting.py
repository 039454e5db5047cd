"""Which emergency plans are offered on an incident, and how their texts are shown."""

from __future__ import annotations

from collections.abc import Sequence

from playbooks.core.plain_markdown import Block, blocks_of
from playbooks.models import Incident
from playbooks.models.emergency_plans import EmergencyPlan
from playbooks.service.surroundings import Surroundings
from secops.kernel.transactions import Transaction


def plans_for(
    surroundings: Surroundings, tx: Transaction, incident: Incident
) -> Sequence[EmergencyPlan]:
    """Return the plans in force that name the incident's subclass, or the class it is of."""
    if not incident.category:
        return ()
    named = surroundings.classification.classes.get(incident.category)
    codes = {incident.category, named.parent if named else ""}
    found = surroundings.stores.plans.in_force(tx, incident.org_id)
    return [plan for plan in found if codes & set(plan.classes)]


def plan_blocks(plan: EmergencyPlan) -> tuple[Block, ...] | None:
    """Return the blocks of a plan in Markdown; None for plain text."""
    return blocks_of(plan.content) if plan.format == "markdown" else None
