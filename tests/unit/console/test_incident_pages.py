"""An incident's people, tasks, evidence and levels in the console; plans and response times."""

from __future__ import annotations

import json
import re

from tests.fakes.console_site import ConsoleSite, Page, Reader

XSS = "<script>alert(1)</script>"


def first(pattern: str, page: Page) -> str:
    found = re.search(pattern, page.text)
    assert found is not None, page.text
    return found[1]


def follow(reader: Reader, answer: Page) -> Page:
    assert answer.status == 303, answer.text
    return reader.get(answer.headers["location"])


PLAN = {
    "title": f"勒索预案 {XSS}",
    "classes": "MP NACRED",
    "review": "2027-06-01",
    "content": f"# 一\n\n- {XSS}\n\n先**隔离**",
    "tasks": "contained 30 隔离主机",
}


def approved_plan(console: ConsoleSite) -> str:
    security, analyst = console.reader("security-admin"), console.reader("analyst")
    form = PLAN
    plan = analyst.post("/emergency-plans", form).headers["location"]
    waiting = security.get(plan)
    assert XSS not in waiting.text
    assert "<h2>一</h2>" in waiting.text
    seen = {"version": "1", "sha256": first(r'name="sha256" value="([0-9a-f]{64})"', waiting)}
    address = plan.partition("?")[0]
    approved = security.post(f"{address}/approve", {**seen, "decision": "grant"})
    assert "生效" in follow(security, approved).text
    assert "勒索预案" in analyst.get("/emergency-plans").text
    return address


def new_incident(analyst: Reader) -> str:
    page = analyst.get("/alerts?severity=high")
    alerts = re.findall(r'href="(/alerts/alr_[^"?]+)', page.text)
    opened = [analyst.post(f"{alert}/incident") for alert in dict.fromkeys(alerts)]
    return next(one for one in opened if one.status == 303).headers["location"]


def level(analyst: Reader, incident: str) -> None:
    asked = analyst.get(f"{incident}/levels?target=important&loss=serious&figure:views=10000")
    assert "正式文本逐字核对" in asked.text
    version = first(r'name="version" value="(\d+)"', asked)
    levels = {"version": version, "level": "considerable", "reporting_level": "ordinary"}
    assert (
        "考量"
        in follow(analyst, analyst.post(f"{incident}/levels", {**levels, "basis": "考量"})).text
    )
    assert analyst.post(f"{incident}/levels", {**levels, "basis": "x"}).status == 409
    assert analyst.post(f"{incident}/levels", {**levels, "version": "x"}).status == 400
    owed = follow(analyst, analyst.post(f"{incident}/judge", {"category": "NACRED"}))
    assert "关闭前必须填写" in owed.text


def work_on(analyst: Reader, incident: str, address: str) -> None:
    work = f"{incident}/work"
    adopted = {"plan_id": address.rpartition("/")[2]}
    assert "隔离主机" in follow(analyst, analyst.post(f"{incident}/emergency-plans", adopted)).text
    new = {"title": "换口令", "phase": "eradicated", "hours": "2", "assignee": "analyst"}
    shown = follow(analyst, analyst.post(f"{incident}/tasks", new))
    task = first(
        r'换口令.*?name="task_id" value="([^"]+)"', Page(200, {}, shown.text.replace("\n", ""), b"")
    )
    done = {"task_id": task, "version": "1", "state": "done", "result": "已换"}
    assert "已换" in follow(analyst, analyst.post(f"{incident}/task-changes", done)).text
    assert analyst.post(f"{incident}/task-changes", done).status == 409
    member = {"account": "security-admin", "role": "observer"}
    assert "观察员" in follow(analyst, analyst.post(f"{incident}/members", member)).text
    removed = follow(analyst, analyst.post(f"{incident}/members", {**member, "role": "remove"}))
    assert "观察员" not in first(r"<tbody>(.*?)</tbody>", removed)
    spotted = {"kind": "domain", "value": "evil[.]example"}
    assert "evil.example" in follow(analyst, analyst.post(f"{incident}/observables", spotted)).text
    assert analyst.get(work).status == 200


def hand_over(security: Reader, analyst: Reader, incident: str) -> None:
    kept = analyst.upload(f"{incident}/evidence", {"name": "auth.log"}, {"content": b"log"})
    evidence = follow(analyst, kept)
    item = {"evidence_id": first(r'name="evidence_id" value="([^"]+)"', evidence)}
    offer = {**item, "do": "offer", "receiver": "security-admin", "reason": "送检"}
    assert "待接收" in follow(analyst, analyst.post(f"{incident}/custody", offer)).text
    assert analyst.post(f"{incident}/custody", {**item, "do": "accept"}).status == 409
    ended = follow(security, security.post(f"{incident}/custody", {**item, "do": "withdraw"}))
    assert "待接收" not in ended.text
    analyst.post(f"{incident}/custody", offer)
    taken = follow(security, security.post(f"{incident}/custody", {**item, "do": "accept"}))
    assert "保管链已验证" in taken.text
    assert analyst.post(f"{incident}/evidence/content", item).body == b"log"
    export = json.loads(analyst.post(f"{incident}/custody-export", {"what": "chains"}).body)
    assert [len(chain) for chain in export["chains"]] == [2]
    keys = analyst.post(f"{incident}/custody-export", {"what": "keys"})
    assert keys.body.startswith(b"-----BEGIN PUBLIC KEY-----")


def test_an_incident_is_worked_on_by_a_plan_levelled_and_its_evidence_handed_over(
    console: ConsoleSite,
) -> None:
    security, analyst = console.reader("security-admin"), console.reader("analyst")
    address, incident, form = approved_plan(console), new_incident(analyst), PLAN
    level(analyst, incident)
    work_on(analyst, incident, address)
    hand_over(security, analyst, incident)
    closed = {"state": "closed", "reason": "演习用", "ending": "false_alarm", "version": "99"}
    assert analyst.post(f"{incident}/state", closed).status == 409
    now = first(r'/state"><input type="hidden" name="version" value="(\d+)"', analyst.get(incident))
    assert (
        follow(analyst, analyst.post(f"{incident}/state", {**closed, "version": now})).status == 200
    )
    times = analyst.get("/response-times?days=7")
    assert incident in times.text
    assert "<rect" in times.text
    assert analyst.get("/response-times?days=8").status == 400
    assert analyst.get("/response-times?format=csv").headers["content-type"].startswith("text/csv")
    withdrawn = follow(security, security.post(f"{address}/withdraw", {"version": "1"}))
    assert "已废止" in withdrawn.text
    assert security.post(f"{address}/withdraw", {"version": "x"}).status == 400
    assert analyst.post("/emergency-plans", {**form, "tasks": "contained x y"}).status == 400
