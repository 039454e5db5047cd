"""What the register gives as evidence: the inventory, the filing, suppliers' accesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.register.facts import (
    FILING,
    INVENTORY,
    SUPPLIERS,
    asset_query,
    claimed,
    filing_facts,
    inventory_facts,
    supplier_facts,
)
from audits.models.evidence import Fact, Origin, Snapshot
from audits.models.systems import Asset, Scope, SupplierAccess
from audits.service.systems.keeping import RegisterParts, active_accounts
from audits.service.systems.systems import live_assets, live_systems
from secops.kernel.actors import Actor
from secops.kernel.transactions import Transaction

_SOURCE: Final = "audits.register"


@dataclass(frozen=True, slots=True)
class RegisterEvidence:
    """An ``EvidenceSource`` over the register; what nobody registered is left out."""

    register: RegisterParts

    def __call__(self, actor: Actor, scope: Scope, at: int) -> Sequence[Snapshot]:
        """Return what the register says now about the system in ``scope``."""
        stores = self.register.stores

        def read(tx: Transaction) -> tuple[list[Asset], Sequence[SupplierAccess]]:
            systems = live_systems(self.register, tx, actor.org_id)
            return (
                live_assets(self.register, tx, actor.org_id, systems),
                stores.accesses.of_system(tx, actor.org_id, scope.system.id),
            )

        everywhere, accesses = self.register.parts.transactions.read(read)
        link = f"/systems/{scope.system.id}"
        found: list[tuple[str, dict[str, Fact], Origin]] = []
        if scope.assets:
            unlisted = self._unlisted(actor, everywhere)
            origin = Origin(source=f"{_SOURCE}:{INVENTORY}", query=asset_query(scope), link=link)
            found.append((INVENTORY, inventory_facts(scope.assets, unlisted), origin))
        if scope.system.version:
            origin = Origin(source=f"{_SOURCE}:{FILING}", query=asset_query(scope), link=link)
            found.append((FILING, filing_facts(scope.system, at), origin))
        if accesses:
            active = active_accounts(self.register, actor, accesses)
            query = f"accesses of suppliers to {scope.system.id}"
            origin = Origin(source=f"{_SOURCE}:{SUPPLIERS}", query=query, link=link)
            found.append((SUPPLIERS, supplier_facts(accesses, active, at), origin))
        return [Snapshot(kind, facts, origin, at) for kind, facts, origin in found]

    def _unlisted(self, actor: Actor, everywhere: Sequence[Asset]) -> set[str] | None:
        """Return the log sources that no asset claims; None where they can't be read."""
        known = self.register.log_sources(actor)
        if known is None:
            return None
        return {source.name for source in known} - set(claimed(everywhere))
