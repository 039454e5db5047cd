from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iam.errors.zero_trust import DeviceKnown, DeviceRefused
from iam.models.clients import NewClient
from iam.models.zero_trust import Device
from iam.service.protection.devices import DeviceService
from iam.service.protection.locks import NewLock
from iam.service.zero_trust.policies import NewPolicies
from secops.kernel.access import Decision, Question
from secops.kernel.actors import Actor
from secops.kernel.errors import Conflict, Invalid, NotFound
from secops.kernel.pages import PageRequest
from secops.kernel.permissions.iam import ACCOUNT_READ
from tests.fakes.device_agent import POSTURE, DeviceAgent
from tests.fakes.iam_home import IamHome, open_iam_home

COMPLIANT_ONLY = """@id("own.device")
@title_zh("仅限合规设备") @title_en("registered devices only") @advice("register it")
forbid (principal in Role::"analyst", action == Action::"iam.account.read", resource)
unless { context.device_registered && context.device_fresh && context.device_compliant };
"""


def devices(home: IamHome) -> DeviceService:
    return home.services.protection.devices


def signed_in(home: IamHome, role: str = "analyst") -> Actor:
    opened = home.sign_in(role)
    actor = home.actor(role)
    return replace(actor, session_id=opened.session.id, auth_time=opened.session.auth_time)


def answer(home: IamHome, actor: Actor, agent: DeviceAgent, purpose: str, **changes: Any) -> str:
    challenge = devices(home).challenge(actor)
    return agent.say(purpose, now=home.clock.now(), **{"challenge": challenge, **changes})


def register(home: IamHome, actor: Actor, agent: DeviceAgent, **changes: Any) -> Device:
    statement = answer(home, actor, agent, "register", **changes)
    return devices(home).register_device(actor, "laptop", statement)


def decide(home: IamHome, actor: Actor) -> Decision:
    home.clock.elapsed += 1  # what surrounds a caller is known for half a second at most
    return home.services.decisions.decide(Question(actor, ACCOUNT_READ, "account:*"))


def demand_devices(home: IamHome) -> None:
    policies = home.services.protection.policies
    draft = policies.draft_policies(
        home.actor("security-admin"), NewPolicies("t", COMPLIANT_ONLY, "")
    )
    policies.propose_policies(home.actor("security-admin"), draft.id, "")
    policies.decide_policies(home.actor("system-admin"), draft.id, grant=True)


@pytest.mark.parametrize("algorithm", ["ES256", "SM2"])
def test_a_registered_device_opens_what_demands_one(home: IamHome, algorithm: str) -> None:
    agent = DeviceAgent(algorithm)
    demand_devices(home)
    actor = signed_in(home)
    refused = decide(home, actor)
    assert [text.en for text in refused.helps] == ["use a registered device that is as demanded"]
    device = register(home, actor, agent)
    assert decide(home, actor).allowed
    assert not decide(home, replace(actor, session_id=None)).allowed
    devices(home).revoke_own(actor, device.id)
    assert not decide(home, actor).allowed
    assert [one.state for one in devices(home).own_devices(actor)] == ["revoked"]
    with pytest.raises(NotFound):
        devices(home).revoke_own(actor, device.id)


def test_reports_go_stale_and_tell_what_is_wrong(home: IamHome) -> None:
    agent = DeviceAgent()
    demand_devices(home)
    actor = signed_in(home)
    register(home, actor, agent)
    home.clock.advance(24 * 3_600 + 1)
    actor = replace(actor, auth_time=home.clock.now())
    stale = decide(home, actor)
    assert [text.en for text in stale.helps] == [
        "let the device's agent report anew",
        "mend the device and let it report anew",
    ]
    devices(home).report_posture(agent.say("report", now=home.clock.now()))
    assert decide(home, actor).allowed
    home.clock.advance(1)
    open_disk = {**POSTURE, "disk_encrypted": False}
    devices(home).report_posture(agent.say("report", now=home.clock.now(), posture=open_disk))
    refused = decide(home, actor)
    assert (refused.allowed, [text.en[:18] for text in refused.helps]) == (
        False,
        ["turn on disk encry"],
    )


def test_a_report_counts_once_and_never_backwards(home: IamHome) -> None:
    agent, actor = DeviceAgent(), signed_in(home)
    register(home, actor, agent)
    home.clock.advance(10)
    report = agent.say("report", now=home.clock.now())
    older = agent.say("report", now=home.clock.now() - 5_000_000)
    devices(home).report_posture(report)
    for used in (report, older):
        with pytest.raises(DeviceRefused):
            devices(home).report_posture(used)
    for stranger in (
        DeviceAgent(seed="stranger").say("report", now=home.clock.now()),
        answer(home, actor, agent, "prove"),
    ):
        with pytest.raises(DeviceRefused):
            devices(home).report_posture(stranger)


def test_a_challenge_works_once_in_its_own_session_and_in_time(home: IamHome) -> None:
    agent, actor = DeviceAgent(), signed_in(home)
    other = signed_in(home, "staff")
    statement = answer(home, actor, agent, "register")
    with pytest.raises(DeviceRefused):
        devices(home).register_device(other, "stolen", statement)
    with pytest.raises(DeviceRefused):
        devices(home).prove_device(actor, statement)
    device = devices(home).register_device(actor, "laptop", statement)
    with pytest.raises(DeviceRefused):
        devices(home).register_device(actor, "again", statement)
    for text in ("", "made up"):
        with pytest.raises(DeviceRefused):
            register(home, actor, agent, challenge=text)
    late = answer(home, actor, agent, "prove")
    home.clock.advance(601)
    with pytest.raises(DeviceRefused):
        devices(home).prove_device(actor, late)
    assert devices(home).prove_device(actor, answer(home, actor, agent, "prove")).id == device.id


def test_a_key_is_one_device_of_one_account(home: IamHome) -> None:
    agent, actor, other = DeviceAgent(), signed_in(home), signed_in(home, "staff")
    register(home, actor, agent)
    with pytest.raises(DeviceKnown):
        register(home, other, agent)
    with pytest.raises(DeviceRefused):
        devices(home).prove_device(other, answer(home, other, agent, "prove"))
    with pytest.raises(DeviceRefused):
        devices(home).prove_device(actor, answer(home, actor, DeviceAgent(seed="new"), "prove"))


def test_an_account_has_ten_devices_at_most(home: IamHome) -> None:
    actor = signed_in(home)
    for number in range(10):
        register(home, actor, DeviceAgent(seed=f"d{number}"))
    with pytest.raises(Conflict):
        register(home, actor, DeviceAgent(seed="d10"))


def test_names_are_given_and_devices_are_of_accounts(home: IamHome) -> None:
    actor = signed_in(home)
    for name in ("", " ", "n" * 81):
        with pytest.raises(Invalid):
            devices(home).register_device(actor, name, "x")
    client = Actor(kind="client", id="c", org_id="org_root", name="c")
    with pytest.raises(Invalid):
        devices(home).register_device(client, "x", "x")


def test_a_revoked_device_ends_its_sessions(home: IamHome) -> None:
    actor = signed_in(home)
    device = register(home, actor, DeviceAgent())
    page = devices(home).list_devices(home.actor("auditor"), PageRequest())
    assert [one.id for one in page.items] == [device.id]
    devices(home).revoke_device(home.actor("security-admin"), device.id, "lost")
    revocations = home.services.decisions.revocations
    assert revocations.is_revoked("session", str(actor.session_id))
    assert revocations.is_revoked("device", device.id)
    with pytest.raises(DeviceRefused):
        devices(home).report_posture(DeviceAgent().say("report", now=home.clock.now() + 1_000_000))
    with pytest.raises(NotFound):
        devices(home).revoke_device(home.actor("security-admin"), "dev_none", "x")
    foreign = replace(home.actor("security-admin"), org_id="org_other")
    with pytest.raises(NotFound):
        devices(home).revoke_device(foreign, device.id, "x")


@pytest.mark.parametrize("kind", ["device", "account"])
def test_a_lock_ends_device_bindings_and_sessions(home: IamHome, kind: Any) -> None:
    actor = signed_in(home)
    device = register(home, actor, DeviceAgent())
    subject = device.id if kind == "device" else "analyst"
    made = home.services.protection.locks.lock_subject(
        home.actor("security-admin"), NewLock(kind, subject, "lost")
    )
    assert made.ended == {"sessions": 1, "devices": 1}
    assert [one.state for one in devices(home).own_devices(actor)] == ["revoked"]


def test_other_processes_know_a_devices_state_within_a_second(home: IamHome) -> None:
    demand_devices(home)
    actor = signed_in(home)
    device = register(home, actor, DeviceAgent())
    other = open_iam_home(home.spine.parts.home, demo=False)
    other.clock.instant = home.clock.now()
    try:
        assert decide(other, actor).allowed
        devices(home).revoke_device(home.actor("security-admin"), device.id, "lost")
        other.spine.revocations.refresh()  # what its poll does ten times a second
        assert not decide(other, actor).allowed
    finally:
        other.close()


# my applications


def test_my_applications_say_whether_they_open_and_why(home: IamHome) -> None:
    system = home.actor("system-admin")
    for name, uri in (("oa", "https://oa.example/cb"), ("tool", "com.example.tool:/cb")):
        new = NewClient(
            name,
            name.upper(),
            redirect_uris=(uri,) if name == "oa" else ("http://127.0.0.1/cb",),
            grants=frozenset({"authorization_code"}),
            scopes=frozenset({"openid"}),
            public=True,
        )
        home.services.clients.create_client(system, new)
    home.services.clients.create_client(system, NewClient("job", "Job"))
    staff = home.actor("staff")
    found = home.services.protection.applications.my_applications(staff)
    assert {one.id: (one.allowed, one.address) for one in found} == {
        "oa": (True, "https://oa.example/"),
        "tool": (True, "http://127.0.0.1/"),
    }
    policies = home.services.protection.policies
    text = """@id("own.oa") @title_zh("办公") @title_en("OA is for the day") @advice("wait")
    forbid (principal, action == Action::"iam.application.open", resource)
    when { context.application == "oa" && !context.working_time };"""
    draft = policies.draft_policies(home.actor("security-admin"), NewPolicies("t", text))
    policies.propose_policies(home.actor("security-admin"), draft.id, "")
    policies.decide_policies(system, draft.id, grant=True)
    home.clock.advance(14 * 3_600)
    before = policies.recorded(home.actor("auditor"))
    found = home.services.protection.applications.my_applications(staff)
    oa = next(one for one in found if one.id == "oa")
    assert (oa.allowed, [text.en for text in oa.helps]) == (False, ["do it in working time"])
    assert oa.because is not None
    assert "OA is for the day" in oa.because.en
    assert policies.recorded(home.actor("auditor"))[0] <= before[0] + 1  # looking is no try
