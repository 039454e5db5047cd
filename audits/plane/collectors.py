"""Wires collectors."""

from __future__ import annotations

from audits.service.collectors.collectors import CollectorService
from audits.service.systems.scopes import Scopes
from audits.store.collectors import DatabaseCollections
from secops.kernel.parts import Parts


def build_collectors(parts: Parts, scopes: Scopes) -> CollectorService:
    """Return the import of bundles over the register's scopes."""
    return CollectorService(parts, DatabaseCollections(), scopes.scope)
