"""The tree, change requests, lent roles and mandates on every real database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from iam.errors import NameTaken, OrganisationInUse, RoleConflict
from iam.models.accounts import (
    Account,
    AccountQuery,
    Departure,
    LegalPerson,
    Mandate,
    Organisation,
    Person,
    RoleGrant,
)
from iam.models.changes import ChangeRequest
from iam.ports import IamStores
from iam.store import make_stores
from secops.adapters.spine import Spine
from secops.kernel.clock import HOUR
from secops.kernel.errors import Conflict
from secops.kernel.pages import PageRequest, decode_cursor
from secops.kernel.transactions import Transaction
from tests.fakes.clock import START

STORES: IamStores = make_stores()
ROOT = "org_root"


def run(spine: Spine, work: Callable[[Transaction], Any]) -> Any:
    return spine.transactions.run(work)


def organisation(name: str, parent: str) -> Organisation:
    return Organisation(f"org_{name}", f"机构{name}", parent, START)


@pytest.fixture
def tree(spine: Spine) -> Spine:
    """root > a > b > c, and root > d."""

    def work(tx: Transaction) -> None:
        for name, parent in (("a", ROOT), ("b", "org_a"), ("c", "org_b"), ("d", ROOT)):
            STORES.organisations.add(tx, organisation(name, parent))

    run(spine, work)
    return spine


def reach(spine: Spine, above: str) -> set[str]:
    return {
        name
        for name in "abcd"
        if run(spine, lambda tx, n=name: STORES.organisations.reaches(tx, above, f"org_{n}"))
    }


def test_everything_below_is_reached_and_nothing_else(tree: Spine) -> None:
    assert reach(tree, ROOT) == set("abcd")
    assert reach(tree, "org_a") == set("abc")
    assert reach(tree, "org_c") == set("c")
    assert reach(tree, "org_d") == set("d")


def test_a_subtree_moves_whole_and_back(tree: Spine) -> None:
    run(tree, lambda tx: STORES.organisations.move(tx, "org_b", "org_d"))
    assert reach(tree, "org_d") == set("bcd")
    assert reach(tree, "org_a") == set("a")
    assert reach(tree, ROOT) == set("abcd")
    run(tree, lambda tx: STORES.organisations.move(tx, "org_b", "org_a"))
    assert reach(tree, "org_a") == set("abc")


def test_no_move_makes_a_circle(tree: Spine) -> None:
    for below in "abc":
        with pytest.raises(OrganisationInUse):
            run(tree, lambda tx, n=below: STORES.organisations.move(tx, "org_a", f"org_{n}"))
    assert reach(tree, "org_a") == set("abc")


def test_names_are_unique_and_what_is_in_use_stays_open(tree: Spine) -> None:
    organisations = STORES.organisations
    with pytest.raises((NameTaken, Conflict)):
        run(tree, lambda tx: organisations.add(tx, replace(organisation("a", ROOT), id="x")))
    with pytest.raises(NameTaken):
        run(tree, lambda tx: organisations.rename(tx, "org_a", "机构b"))
    with pytest.raises(OrganisationInUse):
        run(tree, lambda tx: organisations.close(tx, "org_b"))
    run(tree, lambda tx: organisations.close(tx, "org_c"))
    run(tree, lambda tx: organisations.close(tx, "org_b"))


def test_organisations_are_paged_by_name(tree: Spine) -> None:
    seen: list[str] = []
    request = PageRequest(2)
    while True:
        page = run(tree, lambda tx, r=request: STORES.organisations.page(tx, ROOT, r, ("", "机构")))
        seen += [each.id for each in page.items]
        if page.next is None:
            break
        request = PageRequest(2, decode_cursor(page.next))
    assert seen == ["org_a", "org_b", "org_c", "org_d"]


@pytest.fixture
def people(tree: Spine) -> Spine:
    """Accounts p0…p3 in root, a, c and d; each signed in, the last one latest."""

    def work(tx: Transaction) -> None:
        for number, org_id in enumerate((ROOT, "org_a", "org_c", "org_d")):
            key = f"person-{number}".encode()
            person = Person(
                f"per_{number}",
                org_id,
                key,
                proved=True,
                sealed_name=b"",
                real_name_level=2,
                created_at=START,
            )
            STORES.persons.add_person(tx, person)
            account = Account(
                f"acc_{number}", org_id, f"p{number}", "civil", person.id, "active", START
            )
            STORES.accounts.add(tx, account, f"p{number}")
            STORES.accounts.signed_in(tx, account.id, START + number)

    run(tree, work)
    return tree


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (AccountQuery(order="created"), ["p0", "p1", "p2", "p3"]),
        (AccountQuery(order="name"), ["p0", "p1", "p2", "p3"]),
        (AccountQuery(order="sign_in"), ["p3", "p2", "p1", "p0"]),
        (AccountQuery(organisation_id="org_a"), ["p1", "p2"]),
        (AccountQuery(text="p3"), ["p3"]),
        (AccountQuery(text="p_"), []),
    ],
)
def test_accounts_are_narrowed_and_paged_in_each_order(
    people: Spine, query: AccountQuery, expected: list[str]
) -> None:
    seen: list[str] = []
    request = PageRequest(1)
    while True:
        page = run(people, lambda tx, r=request: STORES.accounts.page(tx, ROOT, r, query))
        seen += [each.name for each in page.items]
        if page.next is None:
            break
        request = PageRequest(1, decode_cursor(page.next))
    assert seen == expected


def lent(role: str, number: int = 0) -> RoleGrant:
    key = f"person-{number}".encode()
    return RoleGrant(
        ROOT, "account", f"acc_{number}", role, "operating", key, "test", START, START + HOUR
    )


def test_a_lent_role_counts_until_its_end(people: Spine) -> None:
    run(people, lambda tx: STORES.roles.add(tx, lent("analyst")))
    roles = STORES.roles
    assert run(people, lambda tx: roles.of_subject(tx, "acc_0")) == {"analyst"}
    assert run(people, lambda tx: roles.lent(tx, "acc_0")) == {"analyst": START + HOUR}
    assert run(people, lambda tx: roles.lapsed(tx, 5)) == []
    over = replace(lent("integrator"), expires_at=START)
    run(people, lambda tx: roles.add(tx, over))
    assert run(people, lambda tx: roles.of_subject(tx, "acc_0")) == {"analyst"}
    assert [grant.role for grant in run(people, lambda tx: roles.lapsed(tx, 5))] == ["integrator"]
    found = run(people, lambda tx: roles.of_subjects(tx, ["acc_0", "acc_1"]))
    assert found == {"acc_0": {"analyst"}, "acc_1": frozenset()}


def test_a_lent_role_excludes_like_one_given_for_good(people: Spine) -> None:
    run(people, lambda tx: STORES.roles.add(tx, lent("system-admin")))
    with pytest.raises((RoleConflict, Conflict)):
        run(people, lambda tx: STORES.roles.add(tx, lent("security-admin")))
    assert run(people, lambda tx: STORES.roles.holders(tx, "system-admin")) == 0


def change(number: int = 1) -> ChangeRequest:
    return ChangeRequest(
        id=f"chg_{number}",
        org_id="org_a",
        kind="roles.change",
        target="account:acc_1",
        before={"roles": []},
        after={"roles": ["staff", "安全"]},
        base="00",
        reason="理由",
        requester_id="acc_0",
        requested_at=START,
        expires_at=START + HOUR,
    )


def test_a_change_is_kept_as_it_is_and_decided_once(people: Spine) -> None:
    changes = STORES.changes
    run(people, lambda tx: changes.add(tx, change()))
    assert run(people, lambda tx: changes.get(tx, "chg_1")) == change()
    decided = [
        run(people, lambda tx: changes.decide(tx, "chg_1", "applied", ("acc_3", "ok")))
        for _ in range(2)
    ]
    assert decided == [True, False]
    late = replace(change(2), expires_at=START)
    run(people, lambda tx: changes.add(tx, late))
    assert not run(people, lambda tx: changes.decide(tx, "chg_2", "applied", ("acc_3", "")))
    assert run(people, lambda tx: changes.get(tx, "chg_2")).state == "expired"
    for reach_of, expected in ((ROOT, 2), ("org_a", 2), ("org_c", 0), ("org_d", 0)):
        page = run(
            people,
            lambda tx, o=reach_of: changes.page(tx, o, PageRequest(5), pending=False),
        )
        assert len(page.items) == expected


def test_a_departure_is_due_once(people: Spine) -> None:
    departures = STORES.departures
    first = Departure("dep_1", ROOT, "acc_1", None, "left", START, "acc_0", START)
    run(people, lambda tx: departures.add(tx, first))
    with pytest.raises(Conflict):
        run(people, lambda tx: departures.add(tx, replace(first, id="dep_2")))
    assert [each.id for each in run(people, lambda tx: departures.due(tx, 5))] == ["dep_1"]
    finished = [run(people, lambda tx: departures.finish(tx, "dep_1", "done")) for _ in range(2)]
    assert finished == [True, False]
    run(people, lambda tx: departures.add(tx, replace(first, id="dep_2")))


def test_a_mandate_is_kept_as_it_was_signed(people: Spine) -> None:
    mandates = STORES.mandates
    legal = LegalPerson("leg_1", ROOT, "91350100M000100Y43", "示例", START, "acc_0")
    mandate = Mandate(
        "man_1", ROOT, "leg_1", "acc_1", "申报", START, START + HOUR, "acc_0",
        services=("oa",), seals=("seal_1",), granter_id="acc_0", granted_at=START,
        signature=b"\x00\xff",
    )  # fmt: skip
    run(people, lambda tx: STORES.legal_persons.add(tx, legal))
    run(people, lambda tx: mandates.add(tx, mandate))
    assert run(people, lambda tx: mandates.get(tx, "man_1")) == mandate
    assert run(people, lambda tx: mandates.alive(tx, agent_id="acc_1")) == [mandate]
    later = replace(mandate, id="man_2", starts_at=START + HOUR, ends_at=START + 2 * HOUR)
    run(people, lambda tx: mandates.add(tx, later))
    assert run(people, lambda tx: mandates.alive(tx, agent_id="acc_1")) == [mandate]
    assert run(people, lambda tx: mandates.unended(tx, "leg_1")) == [mandate, later]
    assert run(people, lambda tx: STORES.legal_persons.represented_by(tx, "acc_0")) == [legal]
    assert run(people, lambda tx: STORES.legal_persons.represented_by(tx, "acc_1")) == []
    run(people, lambda tx: mandates.revoke(tx, "man_2"))
    assert [run(people, lambda tx: mandates.revoke(tx, "man_1")) for _ in range(2)] == [True, False]
    assert run(people, lambda tx: mandates.alive(tx, legal_person_id="leg_1")) == []
    with pytest.raises((NameTaken, Conflict)):
        run(people, lambda tx: STORES.legal_persons.add(tx, replace(legal, id="leg_2")))
