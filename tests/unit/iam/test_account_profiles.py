"""One account with everything that hangs on it: to each role what it may see, and no secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iam.models.profiles import AccountRisk
from iam.models.zero_trust import RiskLimits
from iam.service.people.mandates import NewMandate
from iam.service.protection.locks import NewLock
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.events import Delivery, SubjectRiskChanged
from tests.fakes.iam_home import IamHome
from tests.fakes.knowing import know_well
from tests.unit.iam.test_change_requests import lend
from tests.unit.iam.test_identity_api import Browser, body, token_for
from tests.unit.iam.test_identity_commands import printed, run


def announce(home: IamHome, account: str, risk: int) -> None:
    (receive,) = (one for one in home.plane.subscriptions if one.name == "iam.risk")
    changed = SubjectRiskChanged("org_root", f"account:{account}", risk, "reason")
    receive.handle(Delivery(1_000 + risk, home.clock.now(), changed))


@pytest.mark.parametrize(
    ("risk", "expected"),
    [
        (0, "none"),
        (49, "none"),
        (50, "step_up"),
        (80, "refuse"),
        (94, "refuse"),
        (95, "end_session"),
    ],
)
def test_a_risk_says_what_it_does(risk: int, expected: str) -> None:
    assert AccountRisk(risk, 0, RiskLimits()).consequence == expected


def test_a_profile_shows_all_that_hangs_on_an_account(home: IamHome) -> None:
    home.sign_in("staff")
    staff, security = home.actor("staff"), home.actor("security-admin")
    home.services.power.changes.approve_change(security, lend(home, "staff", "analyst", 60))
    locks = home.services.protection.locks
    lock = locks.lock_subject(security, NewLock("person", "staff", "strange"))
    announce(home, staff.id, 61)
    found = home.services.power.profiles.get_profile(security, "staff")
    assert (found.account.id, found.risk.risk, found.risk.consequence) == (staff.id, 61, "step_up")
    assert found.roles == {"staff", "analyst"}
    assert set(found.lent) == {"analyst"}
    assert [one.id for one in found.locks or ()] == [lock.id]
    assert {factor.kind for factor in found.factors} >= {"password", "totp"}
    assert found.sessions == ()
    assert found.devices == ()
    assert found.mandates == ()
    secret = home.demo["staff"].otp_secret
    assert secret not in repr(found)


def test_sessions_and_mandates_are_there(home: IamHome) -> None:
    system, power = home.actor("system-admin"), home.services.power
    session = home.sign_in("staff").session
    legal = power.mandates.create_legal_person(system, "91350100M000100Y43", "公司", "seal-holder")
    know_well(home, "seal-holder")
    now = home.clock.now()
    new = NewMandate(legal.id, "staff", "year", now, now + DAY, ("oa",))
    granted = power.mandates.grant_own_mandate(home.actor("seal-holder"), new)
    found = power.profiles.get_profile(system, "staff")
    assert [one.id for one in found.sessions or ()] == [session.id]
    assert [(m.id, named.name) for m, named in found.mandates or ()] == [(granted.id, "公司")]


def test_what_a_role_may_not_see_is_left_out_not_empty(home: IamHome) -> None:
    found = home.services.power.profiles.get_profile(home.actor("analyst"), "staff")
    assert found.roles is None
    assert found.mandates is None
    assert found.sessions is not None
    for role in ("staff", "integrator", "seal-holder"):
        with pytest.raises(Forbidden):
            home.services.power.profiles.get_profile(home.actor(role), "staff")
    stranger = replace(home.actor("security-admin"), id="acc_x", org_id="org_elsewhere")
    with pytest.raises(NotFound):
        home.services.power.profiles.get_profile(stranger, "staff")


def test_over_http_and_on_the_command_line(home: IamHome) -> None:
    token = token_for(home, "security-admin")
    answer = body(Browser(home).send("GET /api/v1/iam/accounts/staff/profile", token=token))
    assert (answer["name"], answer["roles"], answer["locks"]) == ("staff", ["staff"], [])
    assert answer["risk"]["consequence"] == "none"
    assert answer["factors"][0]["kind"] == "password"
    shown = printed(run(home, "security-admin", "show-account", "staff", "--json"))
    assert (shown["roles"], shown["consequence"]) == (["staff"], "none")
    text = run(home, "analyst", "show-account", "staff").stdout
    assert "risk" in text
    assert "mandates" not in text
    assert isinstance(run(home, "staff", "show-account", "staff").exception, Forbidden)


def test_a_mandate_that_has_not_begun_ends_with_its_granter_too(home: IamHome) -> None:
    """An attack: a dismissed representative leaves a mandate behind that begins tomorrow."""
    system, mandates = home.actor("system-admin"), home.services.power.mandates
    legal = mandates.create_legal_person(system, "91350100M000100Y43", "公司", "seal-holder")
    know_well(home, "seal-holder")
    now = home.clock.now()
    new = NewMandate(legal.id, "staff", "later", now + DAY, now + 2 * DAY, ("oa",))
    made = mandates.grant_own_mandate(home.actor("seal-holder"), new)
    assert [one.id for one in mandates.list_mandates(system, legal.id)] == [made.id]
    mandates.set_representative(system, legal.id, "analyst")
    assert list(mandates.list_mandates(system, legal.id)) == []
    home.clock.advance(86_400 + 60)
    assert list(home.services.power.acting.choices(home.actor("staff"))) == []


def test_a_representative_sees_whom_they_represent_alone(home: IamHome) -> None:
    system, mandates = home.actor("system-admin"), home.services.power.mandates
    legal = mandates.create_legal_person(system, "91350100M000100Y43", "公司", "seal-holder")
    [(found, granted)] = mandates.represented(home.actor("seal-holder"))
    assert (found.id, list(granted)) == (legal.id, [])
    assert list(mandates.represented(home.actor("staff"))) == []
    assert mandates.get_legal_person(home.actor("auditor"), legal.id).name == "公司"
    with pytest.raises(Forbidden):
        mandates.get_legal_person(home.actor("staff"), legal.id)
