from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iam.adapters import cedar
from iam.adapters.shipped import policy_compiler
from iam.errors.zero_trust import PolicyInvalid, PolicyLocksOut, PolicyState
from iam.models.zero_trust import PolicyData
from iam.ports import PolicyQuestion
from iam.ports.policies import CIRCUMSTANCES
from iam.service.zero_trust.book import InForce
from iam.service.zero_trust.explaining import explain
from iam.service.zero_trust.policies import NewPolicies, PolicyService
from secops.kernel.access import Decision, Question
from secops.kernel.actors import Actor
from secops.kernel.approvals import SelfApproval
from secops.kernel.errors import Forbidden, Invalid, NotFound, StepUpRequired
from secops.kernel.pages import PageRequest
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import ACCOUNT_CREATE, ACCOUNT_READ, ROLE_ASSIGN
from tests.fakes.iam_home import IamHome, open_iam_home

NOTES = (
    '@title_zh("仅限办公网") @title_en("the office network only") '
    '@advice_zh("回办公室") @advice_en("go to the office")'
)
OFFICE = '[zones]\noffice = ["10.0.0.0/8"]\n'
ANALYSTS = f"""@id("own.office") {NOTES}
forbid (principal in Role::"analyst", action == Action::"iam.account.read", resource)
unless {{ context.zones.contains("office") }};
"""
EVERYBODY = f"""@id("own.office") {NOTES}
forbid (principal is Account, action, resource) unless {{ context.zones.contains("office") }};
"""


def service(home: IamHome) -> PolicyService:
    return home.services.protection.policies


def decide(
    home: IamHome, actor: Actor, permission: Permission = ACCOUNT_READ, resource: str = "account:*"
) -> Decision:
    return home.services.decisions.decide(Question(actor, permission, resource))


def activate(home: IamHome, policies: str = ANALYSTS, data: str = OFFICE) -> str:
    draft = service(home).draft_policies(
        home.actor("security-admin"), NewPolicies("t", policies, data)
    )
    service(home).propose_policies(home.actor("security-admin"), draft.id, "audit finding 7")
    service(home).decide_policies(home.actor("system-admin"), draft.id, grant=True)
    return draft.id


def test_a_version_decides_from_its_activation_on(home: IamHome) -> None:
    analyst = home.actor("analyst")
    assert decide(home, analyst).allowed
    version = activate(home)
    assert not decide(home, analyst).allowed
    assert decide(home, replace(analyst, address="10.3.2.1")).allowed
    assert decide(home, home.actor("system-admin")).allowed
    kept = service(home).get_policies(home.actor("auditor"), version)
    assert (kept.state, kept.number, kept.activated_by) == (
        "active",
        1,
        home.actor("system-admin").id,
    )
    current, titles = service(home).in_force(home.actor("auditor"))
    assert (current.number, current.version_id) == (1, version)
    assert titles[-1].title.en == "the office network only"


def test_a_refusal_names_policy_title_advice_and_what_helps(home: IamHome) -> None:
    activate(home)
    refused = decide(home, home.actor("analyst"))
    assert refused.because is not None
    assert refused.reason == (
        "refused by own.office because the office network only. Advice: go to the office"
    )
    assert refused.because.zh == "被策略 own.office 拒绝,原因:仅限办公网。建议:回办公室"
    assert [text.en for text in refused.helps] == ["come from the network zone office"]
    assert refused.policies == ("own.office",)
    with pytest.raises(Forbidden) as raised:
        home.services.accounts.list_accounts(home.actor("analyst"), PageRequest())
    assert raised.value.facts["policies"] == "own.office"
    assert raised.value.facts["helps_zh"] == "从网络区域 office 访问"


CONDITIONS = {
    "!context.working_time": ("do it in working time",),
    "!context.device_compliant": ("use a registered device that is as demanded",),
    "context.real_name_level < 4": ("raise the real-name level to 4",),
    'context.factors.contains("sm2") == false': ("sign in with an SM2 certificate",),
    "context.signed_in_minutes > 60": ("sign in once more",),
    "context.level < 3": ("sign in at authentication level 3",),
    "context.risk > 20": ("have the alerts behind the risk worked on",),
}


@pytest.mark.parametrize("condition", sorted(CONDITIONS))
def test_what_helps_is_found_by_asking_the_policies(condition: str) -> None:
    text = ANALYSTS.replace(
        'unless { context.zones.contains("office") }', f"when {{ {condition} }}"
    )
    engine = policy_compiler().compile(text)
    asked = ask(hour=22, working_time=False, signed_in_minutes=120, risk=30, factors=("pwd",))
    answer = engine.evaluate(asked)
    assert not answer.allowed
    found = explain(asked, answer, InForce(engine, PolicyData()), 31)
    helps = [text.en for text in found.helps]
    for expected in CONDITIONS[condition]:
        assert any(text.startswith(expected) for text in helps), helps


def test_a_proof_that_helps_is_demanded_instead_of_a_refusal(home: IamHome) -> None:
    text = ANALYSTS.replace(
        'unless { context.zones.contains("office") }', "when { context.level < 3 }"
    )
    activate(home, text, "")
    with pytest.raises(StepUpRequired) as raised:
        home.services.accounts.list_accounts(home.actor("analyst"), PageRequest())
    assert raised.value.facts["acr_values"] == "urn:secops:aal:3"
    assert raised.value.facts["because_en"]


def ask(**changes: Any) -> PolicyQuestion:
    asked = PolicyQuestion(
        kind="account",
        id="a",
        roles=frozenset({"analyst"}),
        permission=ACCOUNT_READ,
        resource_kind="x",
        level=2,
        risk=0,
        revoked=False,
        in_scope=True,
    )
    return replace(asked, **changes)


FACTORS = policy_compiler().compile(ANALYSTS.replace("context.zones", "context.factors"))


@pytest.mark.parametrize("missing", [*CIRCUMSTANCES, "facts"])
def test_without_any_one_circumstance_nothing_is_granted(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FACTORS
    assert engine.evaluate(ask(factors=("office",))).allowed
    engine._answers.clear()
    whole = cedar._context
    monkeypatch.setattr(
        cedar, "_context", lambda asked: {k: v for k, v in whole(asked).items() if k != missing}
    )
    answer = engine.evaluate(ask(factors=("office",)))
    assert (answer.allowed, bool(answer.errors)) == (False, True)


def test_an_error_in_the_decision_point_refuses_and_is_an_alert(
    home: IamHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[Any] = []
    trail = home.services.decisions.record._parts.trail
    monkeypatch.setattr(type(trail), "append", lambda _self, acts: noted.extend(acts))
    monkeypatch.setattr(cedar, "_context", lambda _: {})
    for _ in range(3):
        assert not decide(home, home.actor("analyst")).allowed
    assert [(act.action, act.outcome) for act in noted] == [("iam.decision_trouble", "failed")]


def test_what_policies_do_not_look_at_is_not_in_the_key() -> None:
    engine = policy_compiler().compile()
    assert engine.key(ask()) == engine.key(ask(hour=3, zones=("x",), id="b", device_fresh=True))
    assert engine.key(ask()) != engine.key(ask(risk=1))
    own = policy_compiler().compile(ANALYSTS)
    assert own.key(ask()) != own.key(ask(zones=("x",)))
    assert own.key(ask()) == own.key(ask(id="b"))
    named = policy_compiler().compile(
        f'@id("own.x") {NOTES} forbid (principal == Account::"b", action, resource);'
    )
    assert named.key(ask()) != named.key(ask(id="b"))
    assert (named.evaluate(ask()).allowed, named.evaluate(ask(id="b")).allowed) == (True, False)
    whole = policy_compiler().compile(
        f'@id("own.x") {NOTES} forbid (principal, action, resource) '
        "when { context has hour && context.hour == 3 };"
    )
    assert whole.key(ask()) != whole.key(ask(holiday=True))


# from draft to force


def test_who_wrote_or_proposed_a_version_does_not_approve_it(home: IamHome) -> None:
    security = home.actor("security-admin")
    draft = service(home).draft_policies(security, NewPolicies("t", ANALYSTS, OFFICE))
    service(home).propose_policies(security, draft.id, "")
    with pytest.raises(SelfApproval):
        service(home).decide_policies(security, draft.id, grant=True)
    assert decide(home, home.actor("analyst")).allowed
    rejected = service(home).decide_policies(
        home.actor("system-admin"), draft.id, grant=False, reason="no"
    )
    assert rejected.state == "rejected"
    with pytest.raises(PolicyState):
        service(home).decide_policies(home.actor("system-admin"), draft.id, grant=True)


def test_a_text_that_was_proposed_never_changes(home: IamHome) -> None:
    security = home.actor("security-admin")
    draft = service(home).draft_policies(security, NewPolicies("t", ANALYSTS, OFFICE))
    edited = service(home).draft_policies(security, NewPolicies("u", ANALYSTS, OFFICE), draft.id)
    assert (edited.id, edited.title) == (draft.id, "u")
    service(home).propose_policies(security, draft.id, "")
    with pytest.raises(PolicyState):
        service(home).draft_policies(security, NewPolicies("v", "", ""), draft.id)
    with pytest.raises(PolicyState):
        service(home).propose_policies(security, draft.id, "")


def test_a_draft_with_errors_is_kept_but_not_proposed(home: IamHome) -> None:
    security = home.actor("security-admin")
    draft = service(home).draft_policies(security, NewPolicies("t", "not cedar"))
    with pytest.raises(PolicyInvalid):
        service(home).propose_policies(security, draft.id, "")
    permit = ANALYSTS.replace("forbid", "permit").replace("unless", "when")
    with pytest.raises(PolicyInvalid, match="only forbid"):
        service(home).simulate_policies(security, NewPolicies("t", permit, OFFICE))
    for new in (NewPolicies("", "x"), NewPolicies("t" * 201, "x"), NewPolicies("t", "x" * 65_537)):
        with pytest.raises(Invalid):
            service(home).draft_policies(security, new)
    with pytest.raises(NotFound):
        service(home).get_policies(security, "pol_none")


LOCKING_OUT = (
    'unless { context.zones.contains("office") }',
    "when { context.hour == 3 }",
    "when { context.holiday }",
    "when { !context.device_registered }",
    "when { true }",
)


def test_no_version_locks_the_last_security_administrator_out(home: IamHome) -> None:
    home.sign_in("security-admin")
    for condition in LOCKING_OUT:
        refuse_to_propose(home, condition)


def refuse_to_propose(home: IamHome, condition: str) -> None:
    security = home.actor("security-admin")
    text = (
        f'@id("own.x") {NOTES} forbid (principal in Role::"security-admin", '
        f'action in [Action::"iam.role.assign"], resource) {condition};'
    )
    draft = service(home).draft_policies(security, NewPolicies("t", text, OFFICE))
    with pytest.raises(PolicyLocksOut):
        service(home).propose_policies(security, draft.id, "")


def test_an_administrator_who_is_in_the_zone_is_not_locked_out(home: IamHome) -> None:
    home.sign_in("security-admin")
    activate(home, EVERYBODY, '[zones]\noffice = ["192.0.2.0/24"]\n')
    assert not decide(home, home.actor("security-admin"), ROLE_ASSIGN, "role:x").allowed
    inside = replace(home.actor("security-admin"), address="192.0.2.200")
    assert decide(home, inside, ROLE_ASSIGN, "role:x").allowed


def test_what_was_in_force_can_come_back_and_nothing_else(home: IamHome) -> None:
    first = activate(home)
    second = activate(home, EVERYBODY.replace("is Account", 'in Role::"staff"'))
    assert decide(home, home.actor("analyst")).allowed
    security = home.actor("security-admin")
    restored = service(home).restore_policies(security, first, "too wide")
    assert (restored.state, decide(home, home.actor("analyst")).allowed) == ("active", False)
    states = {v.id: v.state for v in service(home).list_policies(security, PageRequest()).items}
    assert states == {first: "active", second: "retired"}
    draft = service(home).draft_policies(security, NewPolicies("t", ANALYSTS, OFFICE))
    with pytest.raises(PolicyState):
        service(home).restore_policies(security, draft.id, "")


def test_every_step_is_a_leaf(home: IamHome) -> None:
    version = activate(home)
    actions = [leaf["action"] for leaf in home.leaves() if leaf["target"] == f"policy:{version}"]
    assert actions == ["iam.draft_policies", "iam.propose_policies", "iam.activate_policies"]


def test_another_process_decides_by_the_new_version(home: IamHome) -> None:
    other = open_iam_home(home.spine.parts.home, demo=False)
    other.demo = home.demo
    try:
        analyst = home.actor("analyst")
        assert decide(other, analyst).allowed
        activate(home)
        other.spine.revocations.refresh()  # what its poll does ten times a second
        assert not decide(other, analyst).allowed
    finally:
        other.close()


def test_a_version_that_no_longer_fits_refuses_everything(
    home: IamHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    activate(home)
    monkeypatch.setattr(home.services.decisions.book, "_compiler", _Broken(), raising=True)
    home.services.decisions.book._seen = None
    refused = decide(home, home.actor("system-admin"), ACCOUNT_CREATE)
    assert (refused.allowed, refused.reason) == (False, "nothing is granted now: no")


class _Broken:
    def compile(self, own: str = "") -> Any:
        raise PolicyInvalid("no", own=len(own))


# simulation


def test_a_draft_is_tried_on_what_was_decided(home: IamHome) -> None:
    analyst, staff = home.actor("analyst"), home.actor("staff")
    for _ in range(37):
        decide(home, analyst)
    for _ in range(100):
        decide(home, replace(analyst, address="10.1.2.3"), ROLE_ASSIGN)
    decide(home, staff)
    security = home.actor("security-admin")
    tried = service(home).simulate_policies(security, NewPolicies("t", ANALYSTS, OFFICE))
    assert (tried.changes, tried.refusals_more, tried.refusals_fewer) == (37, 37, 0)
    assert tried.decisions >= 138
    (changed,) = tried.changed
    assert (changed.subject, changed.permission, changed.count, changed.policies) == (
        f"account:{analyst.id}",
        ACCOUNT_READ,
        37,
        ("own.office",),
    )
    activate(home)
    home.services.decisions.record.flush()
    for _ in range(5):
        decide(home, analyst)
    back = service(home).simulate_policies(security, NewPolicies("t", "", ""))
    assert (back.refusals_more, back.refusals_fewer) == (0, 5)


def test_what_can_not_be_read_back_is_counted_apart(home: IamHome) -> None:
    decide(home, home.actor("analyst"))
    home.services.decisions.record.flush()
    import sqlalchemy as sa  # noqa: PLC0415 - damages a row

    with home.spine.engine.begin() as connection:
        connection.execute(sa.text("UPDATE iam_decisions SET question = '{}'"))
    security = home.actor("security-admin")
    tried = service(home).simulate_policies(security, NewPolicies("t", "", ""))
    assert (tried.unreadable, tried.changes) == (1, 0)


def test_decisions_are_folded_into_one_leaf_without_addresses(home: IamHome) -> None:
    record = home.services.decisions.record
    for _ in range(3):
        decide(home, replace(home.actor("analyst"), address="203.0.113.77"))
    record.note(ask(), allowed=True, count=10)
    record.flush()
    record.flush()
    questions, decisions, refusals = service(home).recorded(home.actor("auditor"))
    assert (questions, decisions, refusals) == (3, 14, 0)
    with home.spine.read_engine.begin() as connection:
        import sqlalchemy as sa  # noqa: PLC0415

        texts = connection.execute(sa.text("SELECT question FROM iam_decisions")).scalars().all()
    assert not any("203.0.113.77" in text for text in texts)


def test_old_decisions_are_forgotten(home: IamHome) -> None:
    decide(home, home.actor("analyst"))
    home.services.decisions.record.flush()
    stores, run = home.services.decisions.record._store, home.spine.transactions.run
    today = home.clock.now() // 86_400_000_000
    assert run(lambda tx: stores.purge(tx, today, 10)) == 0
    assert run(lambda tx: stores.purge(tx, today + 1, 10)) == 1
    decide(home, home.actor("analyst"))
    home.services.decisions.record.flush()
    assert run(lambda tx: stores.purge(tx, 0, 0)) == 1


def test_other_organisations_do_not_touch_the_homes_policies(home: IamHome) -> None:
    foreign = replace(home.actor("security-admin"), org_id="org_other")
    with pytest.raises(NotFound):
        service(home).draft_policies(foreign, NewPolicies("t", ANALYSTS))


def test_roles_without_the_permission_get_nowhere(home: IamHome) -> None:
    for role in ("system-admin", "analyst", "auditor", "staff", "audit-admin"):
        with pytest.raises(Forbidden):
            service(home).draft_policies(home.actor(role), NewPolicies("t", ANALYSTS))
