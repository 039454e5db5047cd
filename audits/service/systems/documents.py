"""The register as JSON, for every face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audits.core.register.dates import Due
from audits.core.register.fields import asset_texts, system_texts
from audits.core.register.suppliers import ACCESS_FIELDS, access_texts
from audits.models.calculations import Grading
from audits.models.systems import Asset, RegisterVersion, SourceCoverage, System
from audits.service.systems.assets import AssetView
from audits.service.systems.suppliers import SupplierAccessView
from audits.service.systems.systems import SystemView
from audits.service.systems.tables import RegisterImport
from secops.kernel.catalogue import in_both
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def system_document(system: System) -> dict[str, Any]:
    """Return a system with every field as the text that it is written with."""
    return {
        "id": system.id,
        "version": system.version,
        "sag": system.sag,
        **system_texts(system),
        "retired_at": rfc3339_or_none(system.retired_at or None),
        "retired_reason": system.retired_reason,
    }


def system_view_document(view: SystemView) -> dict[str, Any]:
    """Return a system with what is due and its versions."""
    return {
        **system_document(view.system),
        "filing": _due(view.filing),
        "test": _due(view.test),
        "assets": view.assets,
        "versions": [version_document(version) for version in view.versions],
    }


def asset_document(asset: Asset) -> dict[str, Any]:
    """Return an asset with every field as the text that it is written with."""
    return {
        "id": asset.id,
        "version": asset.version,
        "system": asset.system_id,
        **asset_texts(asset),
        "retired_at": rfc3339_or_none(asset.retired_at or None),
        "retired_reason": asset.retired_reason,
    }


def asset_view_document(view: AssetView) -> dict[str, Any]:
    """Return an asset with its versions."""
    versions = [version_document(version) for version in view.versions]
    return {**asset_document(view.asset), "versions": versions}


def access_document(view: SupplierAccessView) -> dict[str, Any]:
    """Return a supplier's access and how it stands."""
    texts = access_texts(view.access)
    return {
        "id": view.access.id,
        "version": view.access.version,
        "system": view.access.system_id,
        **{name: texts[name] for name in ACCESS_FIELDS},
        "ended_at": rfc3339_or_none(view.access.ended_at or None),
        "state": view.state,
        "account_active": view.account_active,
        "late": view.is_late,
    }


def version_document(version: RegisterVersion) -> dict[str, Any]:
    """Return a version as it stood."""
    return {
        "version": version.version,
        "at": to_rfc3339(version.at),
        "by": version.by,
        "action": version.action,
        "content": dict(version.content),
    }


def coverage_document(coverage: SourceCoverage) -> dict[str, Any]:
    """Return log sources and assets, both ways."""
    return {
        "readable": coverage.readable,
        "sources": [
            {
                "name": source.name,
                "known": source.known is not None,
                "registered": source.known.registered if source.known else False,
                "silent": source.known.silent if source.known else None,
                "grade": source.known.grade if source.known else "",
                "assets": [_named(asset) for asset in source.assets],
            }
            for source in coverage.sources
        ],
        "assets_without_log": [_named(asset) for asset in coverage.silent_assets],
    }


def _named(asset: Asset) -> dict[str, str]:
    return {"id": asset.id, "name": asset.name, "system": asset.system_id}


def grading_document(grading: Grading) -> dict[str, Any]:
    """Return a proposed grading with its doubts."""
    return {
        "edition": in_both(grading.edition),
        "s_level": grading.s_level,
        "a_level": grading.a_level,
        "level": grading.level,
        "sag": grading.sag,
        "retest_months": grading.retest_months,
        "doubts": [in_both(doubt) for doubt in grading.doubts],
    }


def import_document(report: RegisterImport) -> dict[str, Any]:
    """Return what an import does or did, row by row."""
    return {
        "sha256": report.sha256,
        "added": report.count("add"),
        "changed": report.count("change"),
        "same": report.count("same"),
        "faulty": len(report.faulty),
        "ignored": list(report.ignored),
        "rows": [
            {
                "kind": row.kind,
                "row": row.number,
                "name": row.name,
                "action": row.action,
                "fields": list(row.fields),
                "faults": [
                    {"column": in_both(f.column), "what": in_both(f.what)} for f in row.faults
                ],
            }
            for row in report.rows
        ],
    }


def _due(due: Due) -> Mapping[str, Any]:
    return {"at": rfc3339_or_none(due.at or None), "standing": due.standing}
