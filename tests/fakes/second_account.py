"""A second account of one person: what must not count as a second person."""

from __future__ import annotations

from iam.models.accounts import NewAccount
from iam.service import IamServices
from secops.kernel.actors import Actor, os_actor
from secops.kernel.transactions import Transaction
from tests.fakes.iam_home import IamHome


def second_account(home: IamHome, of: str, role: str) -> Actor:
    """Return an actor of ``role`` whose account belongs to the person of the account ``of``."""
    twin, _ = home.services.accounts.make(os_actor("root"), NewAccount("twin"), "org_root")

    join_person(home.services, twin.id, home.actor(of).id)
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


def join_person(iam: IamServices, twin_id: str, of_id: str) -> None:
    """Let the account ``twin_id`` be another one of the person behind ``of_id``."""
    means = iam.accounts.means

    def join(tx: Transaction) -> None:
        person_id = means.stores.accounts.get(tx, of_id).person_id or ""
        means.stores.persons.prove_person(
            tx, twin_id, means.stores.persons.get_person(tx, person_id)
        )
        means.stores.accounts.set_state(tx, twin_id, "active")

    means.parts.transactions.run(join)
