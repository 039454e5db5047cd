"""Lists of accounts by organisation: the same accounts as by the definition, found by index."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from iam.models.accounts import AccountQuery
from iam.store import accounts as listing
from iam.store.accounts import Accounts
from iam.store.organisations import within
from iam.store.tables import accounts
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction
from tests.fakes.parts import database_spine

CHANCE = random.Random(7)  # noqa: S311 - the same tree each time
PARENTS = {"o0": "", **{f"o{n}": f"o{CHANCE.randrange(n)}" for n in range(1, 30)}}


@pytest.fixture(scope="module")
def spine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    opened = database_spine(tmp_path_factory.mktemp("lists"))
    opened.parts.transactions.run(fill)
    yield opened
    opened.close()


def fill(tx: Transaction) -> None:
    insert = "INSERT INTO iam_organisation_paths VALUES (:up, :down, :depth)"
    for name in PARENTS:
        up, depth = name, 0
        while up:
            tx.execute(sa.text(insert), {"up": up, "down": name, "depth": depth})
            up, depth = PARENTS[up], depth + 1
    for number in range(120):
        fields = {
            "id": f"acc_{number:03d}",
            "org_id": f"o{CHANCE.randrange(30)}",
            "name": f"person{number}",
            "name_key": f"person{number}",
            "kind": "person",
            "state": CHANCE.choice(["active", "locked"]),
            "created_at": number,
        }
        tx.execute(accounts.insert().values(**fields))


def defined(tx: Transaction, org: str, query: AccountQuery) -> list[str]:
    """The accounts of the definition: below both organisations, the text in the name."""
    found = sa.select(accounts.c.id).where(within(accounts.c.org_id, org))
    if query.organisation_id:
        found = found.where(within(accounts.c.org_id, query.organisation_id))
    if query.text:
        found = found.where(accounts.c.name_key.contains(query.text, autoescape=True))
    return list(tx.execute(found.order_by(accounts.c.id)).scalars())


@pytest.mark.parametrize("few", [0, 3, 200])
def test_lists_hold_the_accounts_of_both_organisations(
    spine: Spine, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_FEW", few)
    read = spine.parts.transactions.read
    for org in (*list(PARENTS)[:8], "o29", "nowhere"):
        for narrower in ("", *list(PARENTS)[::3], org, "nowhere"):
            for text in ("", "1", "%"):
                query = AccountQuery(organisation_id=narrower, text=text)
                page = read(lambda tx, q=query, o=org: Accounts().page(tx, o, PageRequest(200), q))
                expected = read(lambda tx, q=query, o=org: defined(tx, o, q))
                assert expected == [account.id for account in page.items]
                facets = read(lambda tx, q=query, o=org: Accounts().facets(tx, o, q))
                assert sum(facets["state"].values()) == len(expected)


def test_the_accounts_of_few_organisations_are_found_by_index(spine: Spine) -> None:
    seen: list[str] = []

    def explained(tx: Transaction) -> None:
        query = sa.select(accounts.c.id).where(
            *listing._narrowed(tx, "o0", AccountQuery(organisation_id="o29"))
        )
        text = str(query.compile(spine.read_engine, compile_kwargs={"literal_binds": True}))
        seen.extend(row[3] for row in tx.execute(sa.text(f"EXPLAIN QUERY PLAN {text}")))

    spine.parts.transactions.read(explained)
    assert "iam_accounts_of_organisation" in " ".join(seen)
