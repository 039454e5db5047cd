"""What the register says of a system, as facts for its items."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from audits.core.register.dates import access_state, filing_due, retest_due
from audits.models.evidence import Fact
from audits.models.systems import Asset, Scope, SupplierAccess, System
from secops.kernel.clock import DAY

INVENTORY: Final = "asset.inventory"
FILING: Final = "system.filing"
SUPPLIERS: Final = "supplier.access"


def inventory_facts(assets: Sequence[Asset], unlisted: Collection[str] | None) -> dict[str, Fact]:
    """Return the facts ``asset.inventory`` of a system's ``assets``.

    ``graded`` counts those with importance and a data grade, ``looked_after`` those with
    measures for their importance; ``unlisted_log_sources`` are those that no asset of the
    organisation claims (``unlisted``), left out where the sources could not be read.
    """
    facts: dict[str, Fact] = {
        "assets": len(assets),
        "with_department": sum(bool(asset.department) for asset in assets),
        "with_importance": sum(bool(asset.importance) for asset in assets),
        "with_place": sum(bool(asset.place) for asset in assets),
        "with_owner": sum(bool(asset.owner) for asset in assets),
        "graded": sum(bool(asset.importance and asset.data_grade) for asset in assets),
        "looked_after": sum(bool(asset.importance and asset.measures) for asset in assets),
        "with_log_source": sum(bool(asset.log_sources) for asset in assets),
    }
    if unlisted is not None:
        facts["unlisted_log_sources"] = len(unlisted)
    return facts


def filing_facts(system: System, now: int) -> dict[str, Fact]:
    """Return the facts ``system.filing``; a date nobody entered, or one ahead, is not there."""
    filing, test = filing_due(system, now), retest_due(system, now)
    facts: dict[str, Fact] = {
        "level": system.level,
        "sag": system.sag,
        "filed": bool(system.filing_number and 0 < system.filed_at <= now),
        "data_graded": bool(system.data_grade),
        "owner_named": bool(system.owner),
    }
    if filing.at:
        facts["filing_valid"] = filing.standing != "late"
        facts["filing_ends_days"] = (filing.at - now) // DAY
    if 0 < system.tested_at <= now:
        facts["test_age_days"] = (now - system.tested_at) // DAY
        facts["test_in_time"] = test.standing != "late"
    return facts


def supplier_facts(
    accesses: Sequence[SupplierAccess], active: Mapping[str, bool], now: int
) -> dict[str, Fact]:
    """Return the facts ``supplier.access``; ``active`` tells of accounts whether they may act.

    ``late_accounts`` are accounts that may still act though the access is over and no other
    access with it is in force; ``unapproved`` are accesses that name nobody who allowed them.
    """
    states = [(access, access_state(access, now)) for access in accesses]
    held = {access.account for access, state in states if state == "current"}
    over = {access.account for access, state in states if state in ("expired", "ended")}
    late = {name for name in over - held if active.get(name)}
    return {
        "accesses": len(accesses),
        "current": sum(state == "current" for _, state in states),
        "expired": sum(state == "expired" for _, state in states),
        "unapproved": sum(not access.approved_by for access in accesses),
        "without_account": sum(not access.account for access in accesses),
        "unknown_accounts": len({a.account for a in accesses if a.account} - set(active)),
        "late_accounts": len(late),
    }


def claimed(assets: Sequence[Asset]) -> dict[str, list[Asset]]:
    """Return which assets claim a log source, by its name."""
    found: dict[str, list[Asset]] = {}
    for asset in assets:
        for name in asset.log_sources:
            found.setdefault(name, []).append(asset)
    return found


def asset_query(scope: Scope) -> str:
    """Return in words what was asked of the register for ``scope``."""
    return f"system {scope.system.id} version {scope.system.version}, {len(scope.assets)} assets"
