"""Erasing a person takes two others, happens once, and reaches nobody who is still needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from iam.errors import (
    BreakGlassKept,
    ErasureBarred,
    ErasureRefused,
    InvalidRequest,
    OwnChange,
    StaleChange,
)
from iam.models.accounts import Account, AccountQuery, NewAccount
from iam.models.changes import ChangeRequest, NewChange
from iam.models.recovery import BreakGlass
from iam.service.people.change_requests import ChangeRequestService
from iam.service.people.erasure import ErasureService, PersonErasure
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, NotFound, SecopsError
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction
from tests.fakes.iam_home import OWNER, IamHome
from tests.fakes.plane_wire import PlaneWire
from tests.fakes.second_account import join_person, second_account
from tests.fakes.trail import FakeTrail
from tests.unit.iam.test_identity_api import token_for
from tests.unit.iam.test_organisations import administrator, citizen, organisation

NAME = "chen.jinsi"
FULL_NAME = "陈金丝雀"


@pytest.fixture
def leaver(home: IamHome) -> Account:
    """Somebody with a name and a document who has left."""
    new = NewAccount(NAME, full_name=FULL_NAME, document=citizen(7), organisation="局", post="科员")
    account, _ = home.services.accounts.make(OWNER, new, "org_root")
    system = home.actor("system-admin")
    home.services.power.departures.order_departure(system, NAME, "病退")
    return home.services.accounts.get_account(system, account.id)


def ask(home: IamHome, account: str, by: Actor | None = None) -> ChangeRequest:
    actor = by or home.actor("system-admin")
    return home.services.power.erasures.erase_person(actor, account, "本人申请")


def approve(home: IamHome, change: ChangeRequest, by: Actor | None = None) -> ChangeRequest:
    actor = by or home.actor("security-admin")
    return home.services.power.changes.approve_change(actor, change.id)


def now(home: IamHome, account: Account) -> Account:
    return home.services.accounts.get_account(home.actor("auditor"), account.id)


def test_two_persons_erase_a_third_and_the_id_goes_on(home: IamHome, leaver: Account) -> None:
    change = ask(home, NAME)
    view = home.services.power.changes.view_change(home.actor("security-admin"), change.id)
    assert {each.field: (each.before, each.after) for each in view.differences} == {
        "erased": (False, True),
        "state": ("closed", "closed"),
    }
    assert approve(home, change).state == "applied"
    erased = now(home, leaver)
    assert (erased.id, erased.person_id, erased.state) == (leaver.id, leaver.person_id, "closed")
    assert erased.name.startswith("erased-")
    assert erased.erased_at == home.clock.now()
    stores = home.services.accounts.means.stores
    person = home.spine.transactions.read(
        lambda tx: stores.persons.get_person(tx, leaver.person_id or "")
    )
    assert (person.sealed_name, person.proved, person.real_name_level) == (b"", False, 0)
    with pytest.raises(NotFound):
        home.services.accounts.get_account(home.actor("auditor"), NAME)
    act = [leaf for leaf in home.leaves() if leaf["action"] == "iam.erase_person"][-1]
    assert act["target"] == f"account:{leaver.id}"
    assert act["details"]["person_erased"]
    assert act["details"]["rows"] == {
        "iam_accounts": 1,
        "iam_civil_services": 1,
        "iam_departures": 1,
        "iam_enrolments": 1,
        "iam_persons": 1,
    }
    assert FULL_NAME not in str(home.leaves())
    assert NAME not in str(home.leaves())


def test_the_name_is_free_again_and_the_document_meets_a_stranger(
    home: IamHome, leaver: Account
) -> None:
    approve(home, ask(home, NAME))
    new = NewAccount(NAME, full_name=FULL_NAME, document=citizen(7))
    again, _ = home.services.accounts.make(OWNER, new, "org_root")
    assert again.id != leaver.id
    assert again.person_id != leaver.person_id


def test_a_locked_account_is_closed_with_all_that_hangs_on_it(home: IamHome) -> None:
    opened = home.sign_in("analyst")
    analyst, system = home.actor("analyst"), home.actor("system-admin")
    home.services.accounts.lock_account(system, "analyst", "left without notice")
    approve(home, ask(home, "analyst"))
    erased = home.services.accounts.get_account(system, analyst.id)
    assert (erased.state, erased.last_sign_in) == ("closed", None)
    assert home.services.sessions.by_cookie(opened.cookie) is None
    assert analyst.id not in home.services.roles.list_roles(home.actor("auditor"))
    rows = home.leaves()[-2:]
    counted = next(leaf for leaf in rows if leaf["action"] == "iam.erase_person")["details"]
    assert counted["roles_ended"] == 1
    assert {"iam_passwords", "iam_totp", "iam_sessions"} <= set(counted["rows"])
    with pytest.raises(SecopsError):
        home.services.accounts.unlock_account(system, analyst.id, "back again")
    with pytest.raises(SecopsError):
        home.begin("analyst")


# attacks


def test_nobody_erases_alone_nor_by_a_second_account(home: IamHome, leaver: Account) -> None:
    del leaver
    change = ask(home, NAME)
    system = home.actor("system-admin")
    both = replace(system, roles=frozenset({"system-admin", "security-admin"}))
    with pytest.raises((OwnChange, Forbidden)):
        approve(home, change, both)
    with pytest.raises(OwnChange):
        approve(home, change, second_account(home, "system-admin", "security-admin"))
    for role in ("system-admin", "audit-admin", "auditor", "analyst", "staff"):
        with pytest.raises((OwnChange, Forbidden)):
            approve(home, change, home.actor(role))
    for role in ("security-admin", "audit-admin", "auditor", "analyst", "staff"):
        with pytest.raises(Forbidden):
            ask(home, NAME, home.actor(role))


def test_whoever_is_open_is_not_erased_nor_oneself(home: IamHome) -> None:
    with pytest.raises(ErasureRefused):
        ask(home, "analyst")
    with pytest.raises(Forbidden):
        ask(home, "system-admin")
    assert home.services.accounts.get_account(home.actor("auditor"), "analyst").state == "active"


def test_an_account_that_opens_again_while_the_request_waits_is_spared(home: IamHome) -> None:
    system = home.actor("system-admin")
    home.services.accounts.lock_account(system, "analyst", "unclear")
    change = ask(home, "analyst")
    home.services.accounts.unlock_account(system, "analyst", "cleared")
    with pytest.raises(StaleChange):
        approve(home, change)
    assert home.services.accounts.get_account(system, "analyst").erased_at is None


def test_erased_once_is_erased_for_good(home: IamHome, leaver: Account) -> None:
    first, second = ask(home, NAME), ask(home, NAME)
    approve(home, first)
    pseudonym = now(home, leaver).name
    with pytest.raises(StaleChange):
        approve(home, second)
    with pytest.raises(NotPending):
        approve(home, first)
    with pytest.raises(ErasureRefused):
        ask(home, leaver.id)
    assert now(home, leaver).name == pseudonym


def test_only_the_whole_erasure_can_be_asked_for(home: IamHome, leaver: Account) -> None:
    changes = home.services.power.changes
    for after in ({"state": "closed", "erased": False}, {"erased": True}, {}):
        new = NewChange("account.erase", f"account:{leaver.id}", after, "x")
        with pytest.raises(InvalidRequest):
            changes.request_change(home.actor("system-admin"), new)


def test_a_service_account_is_nobody_and_an_emergency_account_stays(home: IamHome) -> None:
    system, at = home.actor("system-admin"), home.clock.now()
    robot = NewAccount(
        "robot", "service", owner_id="staff", review_at=at + DAY, expires_at=at + 2 * DAY
    )
    home.services.accounts.create_account(system, robot)
    home.services.accounts.lock_account(system, "robot", "over")
    with pytest.raises(ErasureRefused):
        ask(home, "robot")
    sealed, _ = home.services.accounts.make(OWNER, NewAccount("glass"), "org_root")
    stores = home.services.accounts.means.stores

    def seal(tx: Transaction) -> None:
        stores.accounts.set_state(tx, sealed.id, "locked")
        stores.break_glass.seal(tx, BreakGlass(sealed.id, "org_root", at, OWNER.id))

    home.spine.transactions.run(seal)
    with pytest.raises(BreakGlassKept):
        ask(home, "glass")


def test_an_administrator_below_neither_reaches_above_nor_takes_a_name_from_there(
    home: IamHome,
) -> None:
    below = organisation(home, "临江县")
    local = administrator(home, "local-system", "system-admin", below.id, 21)
    judge = administrator(home, "local-security", "security-admin", below.id, 22)
    above, _ = home.services.accounts.make(
        OWNER, NewAccount("above", full_name=FULL_NAME, document=citizen(9)), "org_root"
    )
    twin, _ = home.services.accounts.make(
        OWNER, NewAccount("below", full_name=FULL_NAME, document=citizen(9)), below.id
    )
    assert above.person_id == twin.person_id
    system = home.actor("system-admin")
    for name in ("above", "below"):
        home.services.power.departures.order_departure(system, name, "left")
    with pytest.raises(NotFound):
        ask(home, "above", local)
    with pytest.raises(NotFound):
        approve(home, ask(home, "above"), judge)
    approve(home, ask(home, "below", local), judge)
    stores, read = home.services.accounts.means.stores, home.spine.transactions.read
    assert now(home, twin).erased_at is not None
    person = read(lambda tx: stores.persons.get_person(tx, above.person_id or ""))
    assert person.proved
    assert person.sealed_name


def test_a_name_stays_while_another_account_of_the_person_is_open(
    home: IamHome, leaver: Account
) -> None:
    other, _ = home.services.accounts.make(OWNER, NewAccount("other"), "org_root")
    join_person(home.services, other.id, leaver.id)
    approve(home, ask(home, NAME))
    stores, read = home.services.accounts.means.stores, home.spine.transactions.read
    person = read(lambda tx: stores.persons.get_person(tx, leaver.person_id or ""))
    assert (person.proved, now(home, leaver).name[:7]) == (True, "erased-")
    home.services.power.departures.order_departure(home.actor("system-admin"), "other", "left")
    approve(home, ask(home, "other"))
    person = read(lambda tx: stores.persons.get_person(tx, leaver.person_id or ""))
    assert (person.proved, person.sealed_name) == (False, b"")


class Copies:
    """Other planes that may name the account."""

    def __init__(self) -> None:
        self.named: list[str] = []
        self.renamed: list[tuple[str, str]] = []

    def bars(self, tx: Transaction, account: Account) -> Sequence[str]:
        del tx, account
        return self.named

    def erase(self, tx: Transaction, account: Account, pseudonym: str) -> Mapping[str, int]:
        del tx
        self.renamed.append((account.name, pseudonym))
        return {"other_table": 3}


def test_what_names_the_account_bars_asking_and_approving(home: IamHome, leaver: Account) -> None:
    """An incident that is opened between the two decisions counts, too."""
    copies, trail = Copies(), FakeTrail(home.clock)
    means = home.services.accounts.means
    means = replace(means, copies=copies, parts=replace(means.parts, trail=trail))
    kind = PersonErasure(means)
    changes = ChangeRequestService(means, {kind.name: kind})
    erasures = ErasureService(means, changes)
    system, security = home.actor("system-admin"), home.actor("security-admin")
    copies.named = ["incident:inc_1", "hold:hold_1"]
    with pytest.raises(ErasureBarred, match="incident:inc_1, hold:hold_1"):
        erasures.erase_person(system, leaver.id, "x")
    refused = trail.acts[-1]
    assert (refused.action, refused.outcome) == ("iam.erase_person", "refused")
    assert refused.details == {"code": "iam.erasure_barred"}
    copies.named = []
    change = erasures.erase_person(system, leaver.id, "x")
    copies.named = ["hold:hold_2"]
    with pytest.raises(ErasureBarred):
        changes.approve_change(security, change.id)
    assert now(home, leaver).name == NAME
    copies.named = []
    changes.approve_change(security, change.id)
    assert copies.renamed == [(NAME, now(home, leaver).name)]
    act = [leaf for leaf in home.leaves() if leaf["action"] == "iam.erase_person"][-1]
    assert act["details"]["rows"]["other_table"] == 3


# faces


def test_it_is_asked_for_over_http_and_lists_say_when_it_was_done(
    home: IamHome, leaver: Account
) -> None:
    wire, token = PlaneWire(home), token_for(home, "system-admin")
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    url = f"http://localhost:8080/api/v1/iam/accounts/{leaver.id}/erasure"
    answer = wire.ask("POST", url, headers, '{"reason": "本人申请"}'.encode(), 5.0)
    assert answer.status == 201
    approve(home, home.services.power.changes.own_changes(home.actor("system-admin"))[0])
    page, _ = home.services.accounts.list_accounts(
        home.actor("auditor"), PageRequest(50), AccountQuery(text="erased-")
    )
    assert [each.id for each in page.items] == [leaver.id]
