"""Items over time: the history of one, and which stand worse than they did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audits.models.assessments import ControlChange, ControlState
from audits.models.catalogue import Item
from audits.models.systems import THIS_INSTANCE
from audits.ports.assessments import Controls
from audits.ports.catalogues import Catalogues
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import READ_ASSESSMENTS


@dataclass(frozen=True, slots=True)
class Gap:
    """An item that stands worse than it did."""

    state: ControlState
    item: Item | None


@dataclass(frozen=True, slots=True)
class ControlService:
    """Tells how items stood over time."""

    parts: Parts
    controls: Controls
    catalogues: Catalogues

    def list_history(
        self,
        actor: Actor,
        standard: str,
        item_id: str,
        page: PageRequest,
        system_id: str = THIS_INSTANCE,
    ) -> Page[ControlChange]:
        """Return the changes of an item's status, newest first."""
        self.parts.access.require(actor, READ_ASSESSMENTS, "assessment:*")
        of = (system_id, standard, item_id)
        return self.parts.transactions.read(
            lambda tx: self.controls.history(tx, actor.org_id, of, page)
        )

    def list_gaps(self, actor: Actor) -> Sequence[Gap]:
        """Return the organisation's items that stand worse than they did."""
        self.parts.access.require(actor, READ_ASSESSMENTS, "assessment:*")
        return self.gaps_of(actor.org_id)

    def gaps_of(self, org_id: str) -> Sequence[Gap]:
        """Return an organisation's gaps, for the detectors: the product asks itself."""
        states = self.parts.transactions.read(lambda tx: self.controls.gaps(tx, org_id))
        return [Gap(state, self._item(state)) for state in states]

    def _item(self, state: ControlState) -> Item | None:
        catalogue = self.catalogues.read(state.standard)
        return next((item for item in catalogue.every if item.id == state.item_id), None)
