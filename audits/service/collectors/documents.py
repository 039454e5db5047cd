"""Bundles and collections as JSON."""

from __future__ import annotations

from typing import Any

from audits.models.collectors import AssetCollection, ImportedBundle, Reading, Section
from audits.service.collectors.collectors import ShownBundle
from secops.kernel.clock import to_rfc3339


def bundle_document(bundle: ImportedBundle) -> dict[str, Any]:
    """Return a bundle as imported."""
    return {
        "id": bundle.id,
        "system": bundle.system_id,
        "asset": bundle.asset_id,
        "asset_name": bundle.asset_name,
        "host": bundle.host,
        "sha256": bundle.digest,
        "size": bundle.size,
        "collector": bundle.collector,
        "collected_at": to_rfc3339(bundle.collected_at),
        "imported_at": to_rfc3339(bundle.imported_at),
        "imported_by": bundle.imported_by,
        "as_root": bundle.as_root,
        "sections": bundle.sections,
        "kinds": list(bundle.kinds),
        "unread": list(bundle.unread),
    }


def shown_document(shown: ShownBundle) -> dict[str, Any]:
    """Return a bundle with its sections and the facts read in them."""
    return {
        **bundle_document(shown.bundle),
        "contents": [_section(section) for section in shown.sections],
        "readings": [_reading(reading) for reading in shown.readings],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "state": section.state,
        "exit_code": section.exit_code,
        "text": section.text,
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "kind": reading.kind,
        "facts": dict(reading.facts),
        "unread": list(reading.unread),
        "sections": list(reading.sections),
    }


def collection_document(collection: AssetCollection) -> dict[str, Any]:
    """Return how an asset stands; ``newest`` is null where it has no bundle."""
    return {
        "asset": collection.asset_id,
        "name": collection.name,
        "kind": collection.kind,
        "address": collection.address,
        "age_days": collection.age_days,
        "newest": bundle_document(collection.newest) if collection.newest else None,
    }
