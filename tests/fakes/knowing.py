"""People who are known better than they declared: what a counter would write."""

from __future__ import annotations

from iam.store.tables import persons
from secops.kernel.transactions import Transaction
from tests.fakes.iam_home import IamHome


def know_well(home: IamHome, name: str, level: int = 4) -> None:
    """Let the person behind an account be known at ``level``."""
    account = home.services.accounts.get_account(home.actor("auditor"), name)

    def work(tx: Transaction) -> None:
        known = persons.update().where(persons.c.id == account.person_id)
        tx.execute(known.values(real_name_level=level))

    home.spine.transactions.run(work)
