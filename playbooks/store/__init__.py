"""The plane's stores on SQLAlchemy Core, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from playbooks.ports import PlaybookStores
from playbooks.store.filings import Filings
from playbooks.store.incidents import Incidents
from playbooks.store.playbooks import Playbooks
from playbooks.store.runs import Runs

__all__ = ["make_stores"]


def make_stores() -> PlaybookStores:
    """Return all stores; they keep nothing and open nothing themselves."""
    return PlaybookStores(
        incidents=Incidents(), playbooks=Playbooks(), runs=Runs(), filings=Filings()
    )
