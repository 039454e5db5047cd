from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from typing import Any

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.adapters import cedar
from iam.adapters.cedar import CedarEngine
from iam.adapters.shipped import access_policies
from iam.errors import PolicyUnusable
from iam.ports import PolicyQuestion
from secops.kernel.access import Question
from secops.kernel.actors import Actor, os_actor, system_actor
from secops.kernel.errors import Unavailable
from secops.kernel.events import Delivery, SubjectRiskChanged
from secops.kernel.permissions import GRANTS, ROLES, Permission
from secops.kernel.permissions.iam import ACCOUNT_CREATE, ACCOUNT_LOCK, ROLE_ASSIGN
from tests.fakes.iam_home import IamHome

ENGINE = access_policies()
ASKED = PolicyQuestion(
    kind="account",
    id="acc_1",
    roles=frozenset({"system-admin"}),
    permission=ACCOUNT_CREATE,
    resource_kind="account",
    level=2,
    risk=0,
    revoked=False,
    in_scope=True,
)


def allowed(question: PolicyQuestion) -> bool:
    return ENGINE.evaluate(question).allowed


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_may_exactly_what_its_permissions_say(role: str) -> None:
    for grant in GRANTS:
        question = replace(ASKED, roles=frozenset({role}), permission=grant.permission)
        assert allowed(question) == (role in grant.roles), grant.permission


@pytest.mark.parametrize(
    "change", [{"level": 1}, {"risk": 80}, {"risk": 100}, {"revoked": True}, {"in_scope": False}]
)
def test_one_bad_circumstance_refuses(change: dict[str, Any]) -> None:
    assert allowed(ASKED)
    assert not allowed(replace(ASKED, **change))


@pytest.mark.parametrize("missing", ["level", "risk", "revoked", "in_scope", "facts"])
def test_a_missing_circumstance_refuses(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = cedar._context
    monkeypatch.setattr(
        cedar,
        "_context",
        lambda question: {k: v for k, v in whole(question).items() if k != missing},
    )
    answer = access_policies().evaluate(ASKED)
    assert not answer.allowed
    assert answer.errors


@given(
    st.dictionaries(
        st.sampled_from(["level", "risk", "revoked", "in_scope", "facts", "more"]),
        st.one_of(st.none(), st.text(max_size=3), st.booleans(), st.integers(), st.floats()),
        max_size=6,
    )
)
def test_no_context_of_another_shape_is_allowed(context: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cedar, "_context", lambda _: context)
        assert not access_policies_once().evaluate(ASKED).allowed


def access_policies_once() -> CedarEngine:
    ENGINE._answers.clear()
    return ENGINE


@pytest.mark.parametrize("permission", ["", "iam", "iam.account", "no.such.permission", '"', "x y"])
def test_an_unknown_permission_is_refused(permission: str) -> None:
    answer = ENGINE.evaluate(replace(ASKED, permission=permission))
    assert not answer.allowed
    assert answer.errors


def test_no_role_holds_nothing() -> None:
    for grant in GRANTS:
        for kind in ("account", "client", "os", "system"):
            question = replace(ASKED, kind=kind, roles=frozenset(), permission=grant.permission)
            assert not allowed(question)


def test_no_role_holds_everything() -> None:
    for role in ROLES:
        held = {grant.permission for grant in GRANTS if role in grant.roles}
        assert held < {grant.permission for grant in GRANTS}


def test_an_approved_playbook_contains_and_nothing_else() -> None:
    playbook = replace(ASKED, kind="system", id="playbooks", roles=frozenset())
    for grant in GRANTS:
        question = replace(playbook, permission=grant.permission)
        contains = grant.permission in ("iam.session.revoke", "iam.account.lock")
        assert allowed(question) == contains
    assert not allowed(replace(playbook, id="scheduler", permission=ACCOUNT_LOCK))


@pytest.mark.parametrize(
    "policy",
    [
        'forbid (principal in Role::"staff", action, resource);',
        "permit (principal, action, resource);",
        'permit (principal in Role::"staff", action, resource) when { context.nothing };',
        'permit (principal in Nobody::"staff", action, resource);',
        "not cedar",
        "permit (principal == ?principal, action, resource);",
    ],
)
def test_policies_that_could_fail_open_are_not_loaded(policy: str) -> None:
    folder = files("rules.policies")
    schema = (folder / "access.cedarschema").read_text(encoding="utf-8")
    with pytest.raises(PolicyUnusable):
        CedarEngine(policy, schema)
    with pytest.raises(PolicyUnusable):
        CedarEngine((folder / "access.cedar").read_text(encoding="utf-8") + policy, schema)


def test_cedar_itself_fails_open_which_is_why() -> None:
    policies = (
        "permit (principal, action, resource); forbid (principal, action, resource) "
        'when { context.risk == "high" };'
    )
    request = {"principal": 'A::"a"', "action": 'Action::"x"', "resource": 'R::"r"', "context": {}}
    result = cedarpy.is_authorized(request, policies, [])
    assert result.allowed
    assert result.diagnostics.errors


def decide(home: IamHome, actor: Actor, permission: Permission, **context: str) -> tuple[bool, str]:
    decision = home.services.decisions.decide(Question(actor, permission, "thing:1", context))
    return decision.allowed, decision.reason


def test_decisions_explain_themselves(home: IamHome) -> None:
    system, staff = home.actor("system-admin"), home.actor("staff")
    assert decide(home, system, ACCOUNT_CREATE) == (True, "permitted by role.system-admin")
    assert decide(home, staff, ROLE_ASSIGN) == (
        False,
        "iam.role.assign needs one of the roles security-admin; held: staff",
    )
    narrow = replace(system, scopes=frozenset({"kms"}))
    assert decide(home, narrow, ACCOUNT_CREATE)[1] == (
        "the token's scopes do not cover iam.account.create"
    )
    for scopes in ({"iam"}, {"iam.account.create"}, {"api"}):
        assert decide(home, replace(system, scopes=frozenset(scopes)), ACCOUNT_CREATE)[0]
    assert decide(home, replace(system, level=1), ACCOUNT_CREATE)[1] == (
        "no policy permits iam.account.create at authentication level 1 and risk 0"
    )
    assert decide(home, system, Permission("no.such"))[1].startswith("the policies gave no answer")
    assert decide(home, system, ACCOUNT_CREATE, purpose="test")[0]
    for nobody in (os_actor("root"), system_actor("scheduler")):
        assert not decide(home, nobody, ACCOUNT_CREATE)[0]


def test_risk_decides_on_the_next_request(home: IamHome) -> None:
    system = home.actor("system-admin")
    handle = home.plane.subscriptions[0].handle
    now = home.clock.now()

    def announce(number: int, risk: int) -> None:
        change = SubjectRiskChanged("org_root", f"account:{system.id}", risk, "test")
        handle(Delivery(number, now, change))

    announce(5, 90)
    assert decide(home, system, ACCOUNT_CREATE)[1].endswith("level 2 and risk 90")
    announce(5, 0)
    announce(4, 0)
    assert not decide(home, system, ACCOUNT_CREATE)[0]
    announce(6, 0)
    assert decide(home, system, ACCOUNT_CREATE)[0]


def test_what_was_revoked_decides_on_the_next_request(home: IamHome) -> None:
    system = home.actor("system-admin")
    home.services.accounts.lock_account(home.actor("analyst"), "system-admin", "test")
    assert decide(home, system, ACCOUNT_CREATE)[1] == (
        "the account, session or application was revoked"
    )


def test_not_knowing_what_was_revoked_refuses(home: IamHome) -> None:
    system = home.actor("system-admin")

    class Gone:
        epoch = 0

        def is_revoked(self, kind: str, identifier: str) -> bool:
            raise Unavailable

        def ended_of(self, kind: str) -> dict[str, int]:
            raise Unavailable

    blind: Any = replace(home.services.decisions, revocations=Gone())
    decision = blind.decide(Question(system, ACCOUNT_CREATE, "thing:1"))
    assert not decision.allowed
    assert decision.reason.startswith("nothing is granted now")
