"""The tree of organisations, and how far its administrators reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iam.core.gb11643.id_number import check_character
from iam.errors import IdentityInvalid, InvalidRequest, LastHolder, NameTaken, OrganisationInUse
from iam.models.accounts import AccountQuery, IdentityDocument, NewAccount, Organisation
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Conflict, Forbidden, NotFound
from secops.kernel.pages import PageRequest, decode_cursor
from secops.kernel.transactions import Transaction
from tests.fakes.iam_home import OWNER, IamHome

FIRST = PageRequest(50)


def citizen(number: int) -> IdentityDocument:
    first = f"88888819800101{number:03d}"
    return IdentityDocument("cn-id", first + check_character(first))


def organisation(home: IamHome, name: str, parent: str | None = None) -> Organisation:
    system = home.actor("system-admin")
    return home.services.power.organisations.create_organisation(system, name, parent)


def administrator(home: IamHome, name: str, role: str, org_id: str, number: int) -> Actor:
    """An active account with ``role`` in an organisation, as its actor."""
    new = NewAccount(name, document=citizen(number))
    account, _ = home.services.accounts.make(OWNER, new, org_id)
    stores = home.services.accounts.means.stores

    def work(tx: Transaction) -> None:
        stores.accounts.set_state(tx, account.id, "active")
        home.services.roles.grant(tx, OWNER, account, role)

    home.spine.transactions.run(work)
    return home.actor(name)


@pytest.fixture
def county(home: IamHome) -> dict[str, Organisation]:
    tree = {"county": organisation(home, "临江县")}
    tree["bureau"] = organisation(home, "临江县数据局", tree["county"].id)
    tree["office"] = organisation(home, "临江县数据局办公室", tree["bureau"].id)
    tree["other"] = organisation(home, "邻县")
    return tree


def test_an_organisation_stands_under_another_and_shows_the_way_down(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    view = home.services.power.organisations.get_organisation(
        home.actor("auditor"), county["office"].id
    )
    assert [each.name for each in view.path] == ["临江县", "临江县数据局", "临江县数据局办公室"]
    assert county["county"].parent_id == ROOT_ORG


def test_names_are_unique_and_have_a_length(home: IamHome, county: dict[str, Organisation]) -> None:
    with pytest.raises(NameTaken):
        organisation(home, "临江县", county["other"].id)
    for bad in ("", "  ", "x" * 201, "a\nb"):
        with pytest.raises(IdentityInvalid):
            organisation(home, bad)


def test_moving_takes_everything_below_along(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    service, system = home.services.power.organisations, home.actor("system-admin")
    service.move_organisation(system, county["bureau"].id, county["other"].id)
    path = service.get_organisation(system, county["office"].id).path
    assert [each.name for each in path] == ["邻县", "临江县数据局", "临江县数据局办公室"]
    below = service.list_organisations(system, FIRST, parent_id=county["county"].id)
    assert list(below.items) == []


def test_an_organisation_never_moves_below_itself(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    service, system = home.services.power.organisations, home.actor("system-admin")
    for below in ("county", "bureau", "office"):
        with pytest.raises(OrganisationInUse):
            service.move_organisation(system, county["county"].id, county[below].id)


def test_an_administrator_acts_in_the_subtree_and_nowhere_else(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    local = administrator(home, "local", "system-admin", county["bureau"].id, 1)
    administrator(home, "inside", "staff", county["office"].id, 2)
    administrator(home, "above", "staff", county["county"].id, 3)
    administrator(home, "beside", "staff", county["other"].id, 4)
    accounts = home.services.accounts
    assert accounts.get_account(local, "inside").name == "inside"
    for name in ("above", "beside", "staff", "security-admin"):
        with pytest.raises(NotFound):
            accounts.get_account(local, name)
        with pytest.raises(NotFound):
            accounts.lock_account(local, name, "no")
        with pytest.raises(NotFound):
            home.services.sessions.revoke_sessions(local, name, "no")
        with pytest.raises(NotFound):
            home.services.power.departures.order_departure(local, name, "no")
    listed, _ = accounts.list_accounts(local, FIRST)
    assert {account.name for account in listed.items} == {"local", "inside"}
    for org_id in (ROOT_ORG, county["county"].id, county["other"].id):
        with pytest.raises(NotFound):
            home.services.power.organisations.create_organisation(local, "x", org_id)
        with pytest.raises(NotFound):
            accounts.create_account(local, NewAccount("y", organisation_id=org_id))
        with pytest.raises(NotFound):
            home.services.power.organisations.move_account(local, "inside", org_id)


def test_a_local_security_administrator_gives_roles_in_the_subtree_alone(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    local = administrator(home, "warden", "security-admin", county["bureau"].id, 1)
    administrator(home, "inside", "staff", county["office"].id, 2)
    home.services.roles.assign_role(local, "inside", "analyst")
    assert home.actor("inside").roles == {"staff", "analyst"}
    with pytest.raises(NotFound):
        home.services.roles.assign_role(local, "staff", "analyst")
    with pytest.raises(NotFound):
        home.services.roles.revoke_role(local, "analyst", "analyst")
    assert set(home.services.roles.list_roles(local)) == {local.id, home.actor("inside").id}


def test_ones_own_organisation_is_changed_from_above(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    local = administrator(home, "local", "system-admin", county["bureau"].id, 1)
    service = home.services.power.organisations
    with pytest.raises(Forbidden):
        service.rename_organisation(local, county["bureau"].id, "独立王国")
    with pytest.raises(NotFound):
        service.rename_organisation(local, county["county"].id, "x")
    service.rename_organisation(local, county["office"].id, "综合科")


def test_closing_needs_an_empty_organisation_and_ends_its_use(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    service, system = home.services.power.organisations, home.actor("system-admin")
    with pytest.raises(OrganisationInUse):
        service.close_organisation(system, county["bureau"].id)
    administrator(home, "inside", "staff", county["office"].id, 2)
    with pytest.raises(OrganisationInUse):
        service.close_organisation(system, county["office"].id)
    home.services.power.departures.order_departure(system, "inside", "left")
    service.close_organisation(system, county["office"].id)
    with pytest.raises(OrganisationInUse):
        organisation(home, "x", county["office"].id)
    service.close_organisation(system, county["bureau"].id)


def test_an_account_that_moves_leaves_its_roles_behind(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    administrator(home, "mover", "analyst", county["office"].id, 2)
    home.services.power.organisations.move_account(
        home.actor("system-admin"), "mover", county["other"].id
    )
    moved = home.actor("mover")
    assert (moved.org_id, moved.roles) == (county["other"].id, frozenset())


def test_accounts_are_searched_narrowed_counted_and_sorted(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    auditor, service = home.actor("auditor"), home.services.accounts
    administrator(home, "zhang.san", "staff", county["office"].id, 2)
    administrator(home, "zhang.si", "analyst", county["other"].id, 3)

    def names(query: AccountQuery) -> list[str]:
        page, _ = service.list_accounts(auditor, FIRST, query)
        return [account.name for account in page.items]

    assert names(AccountQuery(text="ZHANG.S", order="name")) == ["zhang.san", "zhang.si"]
    assert names(AccountQuery(organisation_id=county["county"].id)) == ["zhang.san"]
    assert names(AccountQuery(role="analyst", order="name")) == ["analyst", "zhang.si"]
    assert names(AccountQuery(text="%")) == []
    assert service.count_accounts(auditor, AccountQuery(text="zhang.")) == {
        "state": {"active": 2},
        "kind": {"natural": 2},
    }
    seen, cursor = [], PageRequest(4)
    while True:
        page, _ = service.list_accounts(auditor, cursor, AccountQuery(order="name"))
        seen += [account.name for account in page.items]
        if page.next is None:
            break
        cursor = PageRequest(4, decode_cursor(page.next))
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 12
    home.sign_in("staff")
    home.clock.advance(60)
    home.sign_in("analyst")
    assert names(AccountQuery(order="sign_in")) == ["analyst", "staff"]


# people who leave


def test_a_leaver_loses_everything_in_one_act(
    home: IamHome, county: dict[str, Organisation]
) -> None:
    del county
    system, departures = home.actor("system-admin"), home.services.power.departures
    opened = home.sign_in("analyst")
    leaver = home.actor("analyst")
    now = home.clock.now()
    robot = NewAccount(
        "robot", "service", owner_id="analyst", review_at=now + DAY, expires_at=now + 2 * DAY
    )
    home.services.accounts.create_account(system, robot)
    done = departures.order_departure(system, "analyst", "retired", successor="staff")
    assert (done.state, home.services.sessions.by_cookie(opened.cookie)) == ("done", None)
    gone = home.services.accounts.get_account(system, "analyst")
    assert gone.state == "closed"
    assert home.services.roles.list_roles(system).get(leaver.id) is None
    assert home.services.accounts.get_account(system, "robot").owner_id == home.actor("staff").id
    leaf = [leaf for leaf in home.leaves() if leaf["action"] == "iam.leave"][-1]
    assert leaf["details"]["roles_ended"] == 1
    assert leaf["details"]["service_accounts_handed_over"] == 1
    with pytest.raises(Conflict):
        home.services.accounts.unlock_account(system, "analyst", "back again")


def test_a_departure_happens_on_its_day_and_can_be_cancelled_before(home: IamHome) -> None:
    system, departures = home.actor("system-admin"), home.services.power.departures
    due = home.clock.now() + 3 * DAY
    first = departures.order_departure(system, "analyst", "transfer", due_at=due)
    departures.cancel_departure(system, first.id)
    departures.order_departure(system, "analyst", "transfer", due_at=due)
    with pytest.raises(Conflict):
        departures.order_departure(system, "analyst", "twice", due_at=due)
    assert departures.carry_out_due() == 0
    home.clock.advance(3 * 86_400)
    assert departures.carry_out_due() == 1
    assert departures.carry_out_due() == 0
    assert home.services.accounts.get_account(system, "analyst").state == "closed"
    with pytest.raises(Conflict):
        departures.cancel_departure(system, first.id)


def test_the_last_administrator_of_a_kind_does_not_leave(home: IamHome) -> None:
    system = home.actor("system-admin")
    with pytest.raises(LastHolder):
        home.services.power.departures.order_departure(system, "security-admin", "off")
    with pytest.raises(InvalidRequest):
        home.services.power.departures.order_departure(system, "system-admin", "off")


def test_a_service_account_has_an_owner_a_review_and_an_end(home: IamHome) -> None:
    system, now = home.actor("system-admin"), home.clock.now()
    for wrong in (
        NewAccount("robot", "service"),
        NewAccount("robot", "service", owner_id="staff", review_at=now + DAY),
        NewAccount("robot", "service", owner_id="staff", review_at=now, expires_at=now + DAY),
        NewAccount("robot", "natural", owner_id="staff"),
    ):
        with pytest.raises(InvalidRequest):
            home.services.accounts.create_account(system, wrong)
    good = NewAccount(
        "robot", "service", owner_id="staff", review_at=now + DAY, expires_at=now + 2 * DAY
    )
    account, _ = home.services.accounts.create_account(system, good)
    departures = home.services.power.departures
    departures.set_service_account(
        system, "robot", "analyst", review_at=now + DAY, expires_at=now + DAY
    )
    assert departures.lock_expired() == 0
    home.clock.advance(86_400)
    sessions = home.services.accounts.means.stores.sessions
    like = home.sign_in("staff").session
    held = replace(like, id="ses_robot", digest=b"r" * 32, account_id=account.id)
    home.spine.transactions.run(lambda tx: sessions.add(tx, held))
    assert (departures.lock_expired(), departures.lock_expired()) == (1, 0)
    assert not home.spine.transactions.read(lambda tx: sessions.alive_of(tx, account.id))
    assert home.services.accounts.get_account(system, account.id).state == "locked"
