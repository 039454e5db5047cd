"""What every service of the plane works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from playbooks.core.gbt20986 import Classification, read_classification
from playbooks.core.reporting import clocks_of
from playbooks.models import Clock, Incident, PlaybooksOptions, TimelineEntry
from playbooks.models.notifications import Happening
from playbooks.models.reports import PrintFormat
from playbooks.ports import Library, PlaybooksPorts, PlaybookStores, ReportPrinter
from playbooks.ports.notices import NoticeTools
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction

_TOLD: Final = ("opened", "judged")
"""Lines of a timeline that people outside may want to be told of."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The spine, other planes, stores, packaged data and settings."""

    parts: Parts
    ports: PlaybooksPorts
    stores: PlaybookStores
    library: Library
    options: PlaybooksOptions
    printers: Mapping[PrintFormat, ReportPrinter]
    notices: NoticeTools

    @property
    def classification(self) -> Classification:
        """GB/T 20986-2023 as data."""
        return read_classification(self.library.classification())

    def clocks_of(self, tx: Transaction, incident: Incident, now: int) -> tuple[Clock, ...]:
        """Return the statutory deadlines of ``incident``, as its filings stand."""
        return clocks_of(
            self.library.reporting_rule(),
            self.options.operator_kind,
            incident,
            now,
            filings=self.stores.filings.of(tx, incident.org_id, incident.id),
        )

    def unit_names(self, *ids: str) -> Mapping[str, str]:
        """Return what organisations are called: the whole house as the settings say."""
        known = self.ports.notices.units.names(ids)
        house = self.options.unit_name
        return {each: known.get(each, house if each == ROOT_ORG else each) for each in ids}

    def tell(
        self,
        tx: Transaction,
        actor: Actor,
        incident: tuple[str, str],
        kind: str,
        text: str,
        **details: str | int | None,
    ) -> None:
        """Add a line to the timeline of ``incident`` = (organisation, id)."""
        org_id, incident_id = incident
        if actor.kind == "account":
            self.stores.timelines.acknowledge(tx, incident, actor.id)
        self.stores.timelines.append(
            tx,
            TimelineEntry(
                incident_id=incident_id,
                seq=0,
                org_id=org_id,
                at=tx.now,
                actor_id=actor.id,
                kind=kind,
                text=text,
                details=details,
            ),
        )
        if kind in _TOLD:
            happening = Happening(self.parts.ids.new("hap"), org_id, kind, incident_id, tx.now)
            self.stores.notifications.happenings.add(tx, happening)
