"""Pages of policies, locks, devices and applications, without a browser."""

from __future__ import annotations

import html
import re

from secops.kernel.clock import SystemClock
from tests.fakes.console_site import ConsoleSite, Page
from tests.fakes.device_agent import DeviceAgent

POLICY = """@id("own.seals") @title_zh("<b>演练</b>") @title_en("drill") @advice("a")
forbid (principal in Role::"seal-holder", action == Action::"iam.own.use", resource)
when { context.hour > 23 };
"""
WARNED = "条件永远不会成立"


def location(page: Page) -> str:
    assert page.status == 303, page.text
    return page.headers["location"]


def decision_of(page: Page) -> str:
    found = re.search(r"/approvals/apr_[a-z0-9]+", page.text)
    assert found is not None, page.text
    return found[0]


def test_a_draft_is_checked_tried_kept_proposed_and_approved(console: ConsoleSite) -> None:
    security, system = console.reader("security-admin"), console.reader("system-admin")
    assert "audits.ledger.read" in security.get("/policies/new").text
    form = {"title": "夜间", "policies": "not cedar", "data": ""}
    assert "错误" in security.post("/policies/new", {**form, "do": "check"}).text
    form["policies"] = POLICY
    tried = security.post("/policies/new", {**form, "do": "try"})
    assert tried.status == 200
    assert "&lt;b&gt;演练" in tried.text
    assert re.search(r"将改变 0 / [1-9]\d*", tried.text)
    one = location(security.post("/policies/new", {**form, "do": "keep"}))
    assert security.post("/policies/new", {**form, "do": "guess"}).status == 400
    assert "own.seals" in security.get(f"{one}/edit").text
    assert location(security.post(f"{one}/move", {"do": "propose", "reason": "r"})) == one
    decide = decision_of(system.get(one))
    assert "<ins>&lt;b&gt;演练" not in system.get(decide).text
    assert "own.seals" in system.get(decide).text
    assert security.post(decide, {"do": "approve"}).status == 403
    assert system.post(decide, {"do": "perhaps"}).status == 400
    assert location(system.post(decide, {"do": "approve", "reason": "ok"})) == decide
    assert "生效中" in system.get(one).text
    listed = console.reader("auditor").get("/policies").text
    assert "夜间" in listed
    assert "own.seals" in listed
    assert security.post(f"{one}/move", {"do": "restore", "reason": "r"}).status == 409
    assert security.post(f"{one}/move", {"do": "dance", "reason": "r"}).status == 400
    assert console.reader("analyst").get("/policies").status == 403


def test_a_condition_that_never_holds_is_named(console: ConsoleSite) -> None:
    never = POLICY.replace("> 23", "> 23 && context.hour < 24")
    form = {"title": "x", "policies": never, "data": "", "do": "check"}
    assert WARNED in console.reader("security-admin").post("/policies/new", form).text


def test_a_subject_is_locked_and_freed_by_two_persons(console: ConsoleSite) -> None:
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    form = {"kind": "account", "subject": "zhangwei", "reason": "<i>丢失</i>", "hours": "2"}
    one = location(analyst.post("/locks", form))
    assert "&lt;i&gt;丢失" in analyst.get(one).text
    assert one in analyst.get("/locks").text
    assert location(analyst.post(f"{one}/lift", {"reason": "找到了"})) == one
    decide = decision_of(security.get(one))
    assert "&lt;i&gt;丢失" in security.get(decide).text
    assert "<ins>已解除</ins>" in security.get(decide).text
    assert security.post(decide, {"do": "shrug"}).status == 400
    assert location(security.post(decide, {"do": "approve"})) == decide
    assert "已解除" in security.get(one).text
    assert one not in security.get("/locks").text
    assert one in security.get("/locks?all=yes").text
    for bad in ({"kind": "planet"}, {"hours": "9999"}, {"hours": "x"}, {"reason": " "}):
        assert analyst.post("/locks", {**form, **bad}).status == 400
    assert analyst.post("/locks", {**form, "subject": "security-admin"}).status == 409


def test_a_device_is_registered_by_what_its_agent_signed(console: ConsoleSite) -> None:
    reader, agent = console.reader("seal-applicant"), DeviceAgent("SM2", seed="console")
    page = reader.get("/me/devices").text
    challenge = html.unescape(page.partition("readonly")[2].partition(">")[2].partition("<")[0])
    statement = agent.say("register", now=SystemClock().now(), challenge=challenge)
    form = {"do": "register", "name": "办公电脑", "statement": statement}
    assert location(reader.post("/me/devices", form)) == "/me/devices"
    assert reader.post("/me/devices", form).status == 401
    assert reader.post("/me/devices", {**form, "do": "x"}).status == 400
    assert "办公电脑" in reader.get("/me/devices").text
    listed = console.reader("security-admin").get("/devices").text
    device = re.search(r"/devices/(dev_\w+)/revoke", listed)
    assert device is not None
    assert "/revoke" not in console.reader("auditor").get("/devices").text
    assert location(reader.post(f"/me/devices/{device[1]}/revoke")) == "/me/devices"
    where = f"/devices/{device[1]}/revoke"
    assert location(console.reader("security-admin").post(where, {"reason": "x"})) == "/devices"


def test_my_applications_are_shown_with_the_reason(console: ConsoleSite) -> None:
    page = console.reader("auditor").get("/apps")
    assert page.status == 200
    assert "我的应用" in page.text
