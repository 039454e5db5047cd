"""What takes two persons: asked for, looked at, decided once; and roles that were lent."""

from __future__ import annotations

import pytest

from iam.core.differences import base_digest, change_digest, differences
from iam.core.privileges import check_other_kind, check_privilege
from iam.errors import (
    InvalidRequest,
    OwnChange,
    OwnRole,
    PrivilegeRefused,
    RoleConflict,
    StaleChange,
    TwoPersonsNeeded,
)
from iam.models.accounts import NewAccount
from iam.models.changes import ChangeRequest, FieldDifference, NewChange
from secops.kernel.approvals import NotPending
from secops.kernel.errors import Forbidden, NotFound, SecopsError
from secops.kernel.pages import PageRequest
from tests.fakes.iam_home import IamHome
from tests.fakes.second_account import second_account
from tests.unit.iam.test_identity_api import token_for
from tests.unit.iam.test_organisations import administrator, citizen, organisation

FIRST = PageRequest(50)
DAY_SECONDS = 86_400


def target(home: IamHome, name: str) -> str:
    found = home.services.accounts.get_account(home.actor("auditor"), name)
    return f"account:{found.id}"


def ask(home: IamHome, name: str, *roles: str, by: str = "system-admin") -> ChangeRequest:
    new = NewChange("roles.change", target(home, name), {"roles": sorted(roles)}, "needed")
    return home.services.power.changes.request_change(home.actor(by), new)


def lend(home: IamHome, who: str, role: str, minutes: int, kind: str = "roles.lend") -> str:
    after = {"role": role, "minutes": minutes}
    new = NewChange(kind, target(home, who), after, "the system is down")
    return home.services.power.changes.request_change(home.actor(who), new).id


def test_one_person_alone_makes_nobody_an_administrator(home: IamHome) -> None:
    new = NewAccount("second", document=citizen(1))
    home.services.accounts.create_account(home.actor("system-admin"), new)
    with pytest.raises(TwoPersonsNeeded):
        home.services.roles.assign_role(home.actor("security-admin"), "second", "security-admin")
    change = ask(home, "second", "security-admin")
    with pytest.raises(Forbidden):
        home.services.power.changes.approve_change(home.actor("system-admin"), change.id)
    done = home.services.power.changes.approve_change(home.actor("security-admin"), change.id)
    assert (done.state, done.decided_by) == ("applied", home.actor("security-admin").id)
    held = home.services.roles.list_roles(home.actor("auditor"))
    assert held[change.target.removeprefix("account:")] == {"security-admin"}


def test_a_request_shows_each_field_before_and_after(home: IamHome) -> None:
    change = ask(home, "staff", "analyst")
    view = home.services.power.changes.view_change(home.actor("security-admin"), change.id)
    assert view.differences == (FieldDifference("roles", ["staff"], ["analyst"]),)
    assert (view.stale, view.may_decide, view.may_withdraw) == (False, True, False)
    own = home.services.power.changes.view_change(home.actor("system-admin"), change.id)
    assert (own.may_decide, own.may_withdraw, own.requester) == (False, True, "system-admin")


def test_who_is_concerned_is_named_by_id_so_that_nobody_decides_on_themselves(
    home: IamHome,
) -> None:
    new = NewChange("roles.change", "account:staff", {"roles": ["analyst"]}, "needed")
    with pytest.raises(InvalidRequest):
        home.services.power.changes.request_change(home.actor("system-admin"), new)


def test_a_second_account_of_the_requester_is_no_second_person(home: IamHome) -> None:
    """The security administrator asks, and a second account of the same person approves."""
    change = ask(home, "staff", "analyst", by="security-admin")
    with pytest.raises((OwnChange, Forbidden)):
        home.services.power.changes.approve_change(home.actor("security-admin"), change.id)
    disguised = second_account(home, "security-admin", "security-admin")
    with pytest.raises(OwnChange):
        home.services.power.changes.approve_change(disguised, change.id)
    with pytest.raises(OwnChange):
        home.services.power.changes.reject_change(disguised, change.id, "no")


def test_what_is_decided_is_decided_once(home: IamHome) -> None:
    changes, security = home.services.power.changes, home.actor("security-admin")
    approved, rejected, withdrawn = (
        ask(home, "staff", "analyst"),
        ask(home, "analyst", "staff"),
        ask(home, "integrator", "staff"),
    )
    changes.approve_change(security, approved.id)
    changes.reject_change(security, rejected.id, "why?")
    changes.withdraw_change(home.actor("system-admin"), withdrawn.id)
    for change in (approved, rejected, withdrawn):
        with pytest.raises(NotPending):
            changes.approve_change(security, change.id)
        with pytest.raises(NotPending):
            changes.reject_change(security, change.id, "again")
        with pytest.raises(NotPending):
            changes.withdraw_change(home.actor("system-admin"), change.id)
    assert list(changes.list_changes(security, FIRST).items) == []
    states = {c.id: c.state for c in changes.list_changes(security, FIRST, pending=False).items}
    assert states == {
        approved.id: "applied",
        rejected.id: "rejected",
        withdrawn.id: "withdrawn",
    }


def test_a_request_whose_target_moved_on_is_stale(home: IamHome) -> None:
    change = ask(home, "staff", "analyst")
    home.services.roles.assign_role(home.actor("security-admin"), "staff", "integrator")
    view = home.services.power.changes.view_change(home.actor("security-admin"), change.id)
    assert view.stale is True
    with pytest.raises(StaleChange):
        home.services.power.changes.approve_change(home.actor("security-admin"), change.id)
    assert home.actor("staff").roles == {"staff", "integrator"}


def test_a_request_expires_after_a_week(home: IamHome) -> None:
    change = ask(home, "staff", "analyst")
    home.clock.advance(7 * DAY_SECONDS)
    with pytest.raises(NotPending):
        home.services.power.changes.approve_change(home.actor("security-admin"), change.id)
    view = home.services.power.changes.view_change(home.actor("auditor"), change.id)
    assert view.request.state == "expired"


def test_what_excludes_one_another_is_not_approved_and_nothing_of_it_stays(home: IamHome) -> None:
    change = ask(home, "analyst", "audit-admin", "system-admin")
    with pytest.raises(Forbidden):
        home.services.power.changes.approve_change(home.actor("audit-admin"), change.id)
    with pytest.raises(RoleConflict):
        home.services.power.changes.approve_change(home.actor("security-admin"), change.id)
    assert home.actor("analyst").roles == {"analyst"}
    view = home.services.power.changes.view_change(home.actor("auditor"), change.id)
    assert view.request.state == "pending"


@pytest.mark.parametrize(
    "after",
    [
        {},
        {"roles": "analyst"},
        {"roles": ["staff", "analyst"]},
        {"roles": ["analyst", "analyst"]},
        {"roles": [1]},
        {"roles": ["root"]},
        {"roles": ["staff"]},
        {"roles": ["analyst"], "more": 1},
    ],
)
def test_a_malformed_change_is_not_taken(home: IamHome, after: dict[str, object]) -> None:
    new = NewChange("roles.change", target(home, "staff"), after, "needed")
    with pytest.raises(InvalidRequest):
        home.services.power.changes.request_change(home.actor("system-admin"), new)


def test_nobody_asks_to_change_their_own_roles_or_without_a_reason(home: IamHome) -> None:
    with pytest.raises(OwnRole):
        ask(home, "system-admin", "analyst", "system-admin")
    changes, system = home.services.power.changes, home.actor("system-admin")
    for new in (
        NewChange("roles.change", target(home, "staff"), {"roles": []}, "  "),
        NewChange("no.such.kind", target(home, "staff"), {"roles": []}, "x"),
        NewChange("roles.change", "client:demo", {"roles": []}, "x"),
    ):
        with pytest.raises(InvalidRequest):
            changes.request_change(system, new)
    with pytest.raises(Forbidden):
        ask(home, "staff", "analyst", by="analyst")


def test_requests_are_seen_and_decided_within_reach_alone(home: IamHome) -> None:
    county = organisation(home, "临江县")
    local = administrator(home, "warden", "security-admin", county.id, 1)
    change = ask(home, "staff", "analyst")
    assert list(home.services.power.changes.list_changes(local, FIRST).items) == []
    for act in (
        lambda: home.services.power.changes.view_change(local, change.id),
        lambda: home.services.power.changes.approve_change(local, change.id),
        lambda: home.services.power.changes.reject_change(local, change.id, "no"),
        lambda: home.services.power.changes.withdraw_change(local, change.id),
    ):
        with pytest.raises(NotFound):
            act()


# roles that are lent


def test_a_lent_role_counts_until_its_end_and_no_second_longer(home: IamHome) -> None:
    change = lend(home, "staff", "analyst", 60)
    home.services.power.changes.approve_change(home.actor("security-admin"), change)
    assert home.actor("staff").roles == {"staff", "analyst"}
    assert set(home.services.power.own.look(home.actor("staff")).lent) == {"analyst"}
    home.clock.advance(3_599)
    assert "analyst" in home.actor("staff").roles
    home.clock.advance(1)
    assert home.actor("staff").roles == {"staff"}


def test_the_job_removes_what_is_over_and_says_so(home: IamHome) -> None:
    change = lend(home, "staff", "analyst", 60)
    home.services.power.changes.approve_change(home.actor("security-admin"), change)
    lending = home.services.power.lending
    assert lending.end_lapsed() == 0
    home.clock.advance(3_600)
    assert (lending.end_lapsed(), lending.end_lapsed()) == (1, 0)
    assert [leaf["action"] for leaf in home.leaves()][-1] == "iam.end_lent_role"
    home.services.roles.assign_role(home.actor("security-admin"), "staff", "analyst")


def test_a_token_that_was_seen_before_loses_a_lent_role_at_its_end(home: IamHome) -> None:
    change = lend(home, "staff", "analyst", 5)
    home.services.power.changes.approve_change(home.actor("security-admin"), change)
    home.clock.advance(30)
    token = token_for(home, "staff")
    home.clock.advance(269)
    assert "analyst" in home.services.verification.verify_token(token).roles
    home.clock.advance(1)
    assert home.services.verification.verify_token(token).roles == {"staff"}


def test_a_lent_role_is_not_counted_as_a_holder(home: IamHome) -> None:
    change = lend(home, "staff", "system-admin", 60)
    home.services.power.changes.approve_change(home.actor("security-admin"), change)
    with pytest.raises(SecopsError) as refused:
        home.services.power.departures.order_departure(
            home.actor("staff"), "system-admin", "not needed any more"
        )
    assert refused.value.code == "iam.last_holder"


@pytest.mark.parametrize("minutes", [0, 4, 24 * 60 + 1, -5, True, "60"])
def test_a_privilege_lasts_five_minutes_to_a_day(minutes: object) -> None:
    with pytest.raises(InvalidRequest):
        check_privilege({"role": "analyst", "minutes": minutes}, emergency=False)


@pytest.mark.parametrize("after", [{"role": "auditor", "minutes": 9}, {"role": "x"}, {}])
def test_a_privilege_has_a_role_that_can_be_lent(after: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        check_privilege(after, emergency=False)


@pytest.mark.parametrize(
    "after", [{"role": "analyst", "minutes": 60}, {"role": "system-admin", "minutes": 241}]
)
def test_an_emergency_is_short_and_about_an_administrators_role(after: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        check_privilege(after, emergency=True)


def test_a_privilege_is_asked_for_by_who_needs_it(home: IamHome) -> None:
    changes = home.services.power.changes
    after = {"role": "analyst", "minutes": 60}
    with pytest.raises(PrivilegeRefused):
        changes.request_change(
            home.actor("system-admin"), NewChange("roles.lend", target(home, "staff"), after, "x")
        )
    with pytest.raises(InvalidRequest):
        lend(home, "analyst", "analyst", 60)


def test_an_emergency_needs_an_administrator_of_another_kind_and_alerts(home: IamHome) -> None:
    change = lend(home, "analyst", "security-admin", 240, "roles.emergency")
    changes = home.services.power.changes
    with pytest.raises(PrivilegeRefused):
        changes.approve_change(home.actor("security-admin"), change)
    with pytest.raises(Forbidden):
        changes.approve_change(home.actor("staff"), change)
    changes.approve_change(home.actor("audit-admin"), change, "the administrator is away")
    assert "security-admin" in home.actor("analyst").roles
    leaf = next(leaf for leaf in home.leaves() if leaf["action"] == "iam.emergency_override")
    assert (leaf["details"]["alert"], leaf["details"]["minutes"]) == (True, 240)
    assert leaf["details"]["reason"] == "the system is down"
    home.clock.advance(240 * 60)
    assert home.actor("analyst").roles == {"analyst"}


def test_not_even_an_emergency_joins_what_excludes_one_another(home: IamHome) -> None:
    change = lend(home, "system-admin", "security-admin", 60, "roles.emergency")
    with pytest.raises(RoleConflict):
        home.services.power.changes.approve_change(home.actor("audit-admin"), change)
    assert home.actor("system-admin").roles == {"system-admin"}


@pytest.mark.parametrize(
    ("requester", "approver", "fits"),
    [
        ({"analyst"}, {"audit-admin"}, True),
        ({"analyst"}, {"security-admin"}, False),
        ({"analyst"}, {"analyst"}, False),
        ({"system-admin"}, {"system-admin"}, False),
        ({"system-admin"}, {"audit-admin"}, True),
    ],
)
def test_who_approves_an_emergency_is_of_another_kind(
    requester: set[str], approver: set[str], *, fits: bool
) -> None:
    if fits:
        check_other_kind("security-admin", requester, approver)
        return
    with pytest.raises(PrivilegeRefused):
        check_other_kind("security-admin", requester, approver)


# digests


def test_differences_name_every_field_of_either_side() -> None:
    found = differences({"a": 1, "b": 2}, {"b": 2, "c": [3]})
    assert found == (
        FieldDifference("a", 1, None),
        FieldDifference("b", 2, 2),
        FieldDifference("c", None, [3]),
    )
    assert [each.changed for each in found] == [True, False, True]


def test_a_digest_is_of_exactly_one_change() -> None:
    whole = ("k", "t", {"a": 1}, {"a": 2})
    others = [
        ("x", "t", {"a": 1}, {"a": 2}),
        ("k", "x", {"a": 1}, {"a": 2}),
        ("k", "t", {"a": 0}, {"a": 2}),
        ("k", "t", {"a": 1}, {"a": 3}),
    ]
    assert change_digest(*whole) == change_digest(*whole)
    assert change_digest(*whole) not in {change_digest(*other) for other in others}
    assert base_digest({"a": 1, "b": 2}) == base_digest({"b": 2, "a": 1})
