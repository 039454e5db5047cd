"""What an assessment is of: the platform itself, or a registered system with its assets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.errors import SystemNotFound
from audits.models.systems import THIS_INSTANCE, Scope, System
from audits.ports.systems import Assets, Systems
from secops.kernel.actors import Actor
from secops.kernel.transactions import Transaction, Transactions

_NAME: Final = "本平台"
_LEVEL: Final = 3


def platform(org_id: str) -> System:
    """Return this platform as it stands before anybody registered it: version 0."""
    return System(
        id=THIS_INSTANCE,
        org_id=org_id,
        name=_NAME,
        level=_LEVEL,
        s_level=_LEVEL,
        a_level=_LEVEL,
        uses=("iam", "kms", "logs"),
        version=0,
    )


def stored_system(systems: Systems, tx: Transaction, org_id: str, system_id: str) -> System:
    """Return a system, or this platform even where nobody registered it; ``SystemNotFound``."""
    try:
        return systems.get(tx, org_id, system_id)
    except SystemNotFound:
        if system_id == THIS_INSTANCE:
            return platform(org_id)
        raise


def system_in_use(systems: Systems, tx: Transaction, org_id: str, system_id: str) -> System:
    """Return a system as ``stored_system`` does; raise ``SystemNotFound`` for a retired one."""
    system = stored_system(systems, tx, org_id, system_id)
    if system.retired_at:
        raise SystemNotFound(f"the system {system_id[:80]!r} is retired")
    return system


@dataclass(frozen=True, slots=True)
class Scopes:
    """Looks up scopes."""

    transactions: Transactions
    systems: Systems
    assets: Assets

    def scope(self, actor: Actor, system_id: str) -> Scope:
        """Return the scope of a system of the actor's organisation; raise ``SystemNotFound``."""

        def read(tx: Transaction) -> Scope:
            system = system_in_use(self.systems, tx, actor.org_id, system_id)
            return Scope(system, tuple(self.assets.live(tx, actor.org_id, system_id)))

        return self.transactions.read(read)
