"""Wires the catalogues of standards."""

from __future__ import annotations

from audits.adapters.controls import PackagedCatalogues
from audits.core.standards import READERS
from audits.service.catalogues.catalogues import CatalogueService
from secops.kernel.parts import Parts


def build_catalogues(parts: Parts) -> CatalogueService:
    """Return what lists and shows items."""
    return CatalogueService(parts.access, PackagedCatalogues(READERS))
