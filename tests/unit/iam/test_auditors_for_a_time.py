"""An auditor is named by the audit administrator for some days, and is nothing afterwards."""

from __future__ import annotations

import pytest

from iam.errors import InvalidRequest
from iam.models.accounts import NewAccount
from iam.models.changes import NewChange
from iam.service.people.roles import AUDITOR_DAYS, MAX_AUDITOR_DAYS
from secops.kernel.errors import Forbidden, Invalid
from tests.fakes.iam_home import IamHome

DAY_SECONDS = 86_400


@pytest.fixture
def judge(home: IamHome) -> str:
    new = NewAccount("judge", full_name="审计甲")
    account, _ = home.services.accounts.create_account(home.actor("system-admin"), new)
    return account.id


def roles(home: IamHome, account: str) -> frozenset[str]:
    return home.services.roles.roles_of(home.actor("security-admin"), account)


def test_the_role_ends_by_itself_and_the_end_is_recorded(home: IamHome, judge: str) -> None:
    home.services.roles.assign_role(home.actor("audit-admin"), judge, "auditor", days=7)
    (leaf,) = [leaf for leaf in home.leaves() if leaf["action"] == "iam.assign_role"][-1:]
    assert leaf["details"]["until"] == home.clock.now() + 7 * DAY_SECONDS * 1_000_000
    assert roles(home, judge) == {"auditor"}
    home.clock.advance(7 * DAY_SECONDS - 1)
    assert roles(home, judge) == {"auditor"}
    home.clock.advance(1)
    assert roles(home, judge) == frozenset()
    assert home.services.power.lending.end_lapsed() == 1
    ended = home.leaves()[-1]
    assert (ended["action"], ended["details"]["role"]) == ("iam.end_lent_role", "auditor")


def test_without_a_word_an_auditor_is_named_for_ninety_days(home: IamHome, judge: str) -> None:
    home.services.roles.assign_role(home.actor("audit-admin"), judge, "auditor")
    home.clock.advance(AUDITOR_DAYS * DAY_SECONDS - 1)
    assert roles(home, judge) == {"auditor"}
    home.clock.advance(1)
    assert roles(home, judge) == frozenset()


@pytest.mark.parametrize("days", [0, -1, MAX_AUDITOR_DAYS + 1])
def test_no_auditor_is_named_for_ever(home: IamHome, judge: str, days: int) -> None:
    with pytest.raises(Invalid):
        home.services.roles.assign_role(home.actor("audit-admin"), judge, "auditor", days=days)


def test_other_roles_have_no_days(home: IamHome, judge: str) -> None:
    with pytest.raises(Invalid):
        home.services.roles.assign_role(home.actor("security-admin"), judge, "staff", days=3)


def test_a_request_for_roles_names_no_auditor(home: IamHome, judge: str) -> None:
    new = NewChange("roles.change", f"account:{judge}", {"roles": ["auditor"]}, "one more")
    with pytest.raises(InvalidRequest):
        home.services.power.changes.request_change(home.actor("system-admin"), new)


def test_nobody_but_the_audit_administrator_names_one(home: IamHome, judge: str) -> None:
    for role in ("system-admin", "security-admin", "analyst", "auditor"):
        with pytest.raises(Forbidden):
            home.services.roles.assign_role(home.actor(role), judge, "auditor", days=3)
