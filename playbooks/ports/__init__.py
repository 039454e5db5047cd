"""What the plane needs from outside: other planes, the network, its data, its stores."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.ports.incidents import (
    FilingStore,
    IncidentFilter,
    IncidentStore,
)
from playbooks.ports.outside import (
    AccountState,
    Alerts,
    Containment,
    Order,
    Outbound,
    PlaybooksPorts,
)
from playbooks.ports.release import (
    Library,
    ReportPrinter,
)
from playbooks.ports.runs import (
    PlaybookStore,
    RunStore,
)

__all__ = [
    "AccountState",
    "Alerts",
    "Containment",
    "FilingStore",
    "IncidentFilter",
    "IncidentStore",
    "Library",
    "Order",
    "Outbound",
    "PlaybookStore",
    "PlaybookStores",
    "PlaybooksPorts",
    "ReportPrinter",
    "RunStore",
]


@dataclass(frozen=True, slots=True)
class PlaybookStores:
    """The plane's stores."""

    incidents: IncidentStore
    playbooks: PlaybookStore
    runs: RunStore
    filings: FilingStore
