"""Checks of one asset, by item and kind of asset, over that asset's own snapshots.

Facts come from bundles of ``tools/collect_host.sh``; all checks are rules as data. What a host
can't tell of itself (vulnerabilities found by scanners, shared accounts) is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.findings import Check
from audits.core.gbt22239.host_checks import databases, hosts, middleware
from audits.models.systems import AssetKind

__all__ = ["HOST_CHECKS"]

_ON_HOSTS: Final[tuple[AssetKind, ...]] = ("host", "network", "security", "key")
_ON_BORDERS: Final[tuple[AssetKind, ...]] = ("network", "security")


def _by_item() -> dict[str, dict[AssetKind, Check]]:
    """Return the checks of all kinds, joined by item."""
    found: dict[str, dict[AssetKind, Check]] = {}
    for kinds, checks in (
        (_ON_HOSTS, hosts.CHECKS),
        (_ON_BORDERS, hosts.BORDER_CHECKS),
        (("database",), databases.CHECKS),
        (("middleware",), middleware.CHECKS),
    ):
        for item, check in checks.items():
            found.setdefault(item, {}).update(dict.fromkeys(kinds, check))
    return found


HOST_CHECKS: Final[Mapping[str, Mapping[AssetKind, Check]]] = _by_item()
