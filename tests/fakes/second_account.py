"""A second account of one person: what must not count as a second person."""

from __future__ import annotations

from iam.models.accounts import NewAccount
from secops.kernel.actors import Actor, os_actor
from secops.kernel.transactions import Transaction
from tests.fakes.iam_home import IamHome


def second_account(home: IamHome, of: str, role: str) -> Actor:
    """Return an actor of ``role`` whose account belongs to the person of the account ``of``."""
    stores = home.services.accounts.means.stores
    twin, _ = home.services.accounts.make(os_actor("root"), NewAccount("twin"), "org_root")

    def join(tx: Transaction) -> None:
        person_id = stores.accounts.get(tx, home.actor(of).id).person_id or ""
        stores.persons.prove_person(tx, twin.id, stores.persons.get_person(tx, person_id))
        stores.accounts.set_state(tx, twin.id, "active")

    home.spine.transactions.run(join)
    plain = home.actor("twin")
    return Actor(
        kind=plain.kind,
        id=plain.id,
        org_id=plain.org_id,
        name=plain.name,
        roles=frozenset({role}),
        level=plain.level,
        auth_time=plain.auth_time,
    )
