"""The pages about playbooks, bindings and the switch, by hand and without JavaScript."""

from __future__ import annotations

import json
import re

from secops.kernel.events import AlertRaised, Delivery
from tests.fakes.cacao import REVOKE, playbook
from tests.fakes.console_site import ConsoleSite

FILE = json.dumps({**playbook(), "name": "<b>外来剧本</b>"}).encode()


def where(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]


def test_a_file_comes_in_with_its_problems_and_is_signed_by_another_persons_approval(
    console: ConsoleSite,
) -> None:
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    listed = analyst.get("/playbooks").text
    assert "本单位签名" in listed
    assert "尚未引入" not in listed, "a demo home adopts at init"
    broken = analyst.upload("/playbooks/import", {}, {"file": b'{"colour": 1}'})
    assert broken.status == 422
    assert "未导入" in broken.text
    assert "<code>/colour</code>" in broken.text
    foreign = playbook()
    foreign["workflow"][REVOKE]["commands"] = [{"type": "bash", "command": "id"}]
    foreign["workflow"][REVOKE].pop("step_extensions")
    changed = analyst.upload("/playbooks/import", {}, {"file": json.dumps(foreign).encode()})
    assert "改为人工步骤" in changed.text
    taken = analyst.upload("/playbooks/import", {}, {"file": FILE})
    assert "<b>外来剧本" not in taken.text
    one = where(taken.text, r'href="(/playbooks/[0-9a-f]{64})"')
    shown = analyst.get(one).text
    assert "现在不会运行" in shown
    assert "<ins>+" in shown
    assert 'action="' + one + '/approve"' not in shown
    assert analyst.post(f"{one}/approve", {"decision": "grant", "reason": "x"}).status == 403
    approving = security.get(one).text
    assert f'action="{one}/approve"' in approving
    assert security.post(f"{one}/approve", {"decision": "grant", "reason": "可"}).status == 303
    assert "SM2 / SM3 / RFC 8785" in analyst.get(one).text
    file = analyst.get(f"{one}/file")
    assert json.loads(file.body)["signatures"][0]["algorithm"] == "SM2-SM3"
    assert security.post(f"{one}/retire").status == 303
    assert "已停用" in analyst.get(one).text


def suggested_on_the_alerts_page(console: ConsoleSite) -> None:
    """Deliver an alert to its binding, and ask on the alert's page for the run."""
    house, analyst = console.site.house, console.reader("analyst")
    found = where(analyst.get("/alerts?severity=high").text, r'href="/alerts/(alr_[^"?]+)')
    alert = house.detectors.alerts.find_alert("org_root", found)
    assert alert is not None
    told = alert.alert
    raised = AlertRaised("org_root", found, told.rule_id, told.severity, dict(told.subjects))
    delivery = Delivery(1, house.parts.clock.now(), raised)
    house.playbooks.autonomy.answerer.alert_raised(delivery)
    page = f"/alerts/{found}"
    assert "页面绑定" in analyst.get(page).text
    if "/plan" not in analyst.get(page).text:
        assert "开立事件后可预演" in analyst.get(page).text
        assert analyst.post(f"{page}/incident").status == 303
    form = where(
        analyst.get(page).text,
        r'(?s)(<form method="post" action="/incidents/[^"]+/plan">.*?</form>)',
    )
    hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    asked = {name: value or "zhang.san" for name, value in hidden.items() if name != "do"}
    shown = analyst.post(where(form, r'action="([^"]+)"'), asked)
    assert "预演" in shown.text
    assert f'value="{hidden["playbook"]}"' in shown.text


def test_a_binding_is_tried_proposed_and_approved_with_its_difference(
    console: ConsoleSite,
) -> None:
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    asked = analyst.get("/bindings/new").text
    wanted = where(asked, r'<option value="([0-9a-f]{64})">[^<]*值班')
    form = {
        "name": "页面绑定",
        "playbook": wanted,
        "autonomy": "suggest",
        "severities": "high critical",
        "cooldown_s": "60",
        "per_hour": "3",
        "valid_until": "2027-01-01",
    }
    tried = analyst.post("/bindings/new", {**form, "do": "try"}).text
    assert "试算结果" in tried
    assert 'value="页面绑定"' in tried
    proposed = analyst.post("/bindings/new", {**form, "do": "propose"})
    one = where(proposed.headers["location"], r"(/bindings/bnd_\w+)")
    waiting = security.get(one).text
    assert "2026-12-31T16:00:00" in waiting, "midnight in Beijing"
    change = {"sha256": where(waiting, r'name="sha256" value="([0-9a-f]{64})"')}
    change |= {"decision": "grant", "reason": "可"}
    assert analyst.post(f"{one}/approve", change).status == 403
    assert security.post(f"{one}/approve", change).status == 303
    assert security.post(f"{one}/approve", change).status == 409
    suggested_on_the_alerts_page(console)
    again = analyst.get(f"{one}/change").text
    assert 'value="2027-01-01"' in again
    changed = analyst.post(f"{one}/change", {**form, "per_hour": "4", "do": "propose"})
    assert changed.status == 303
    assert "<del>3</del>" in security.get(one).text
    for wrong in ({"cooldown_s": "x"}, {"entities": "account"}, {"valid_until": "soon"}):
        assert analyst.post("/bindings/new", {**form, **wrong, "do": "try"}).status in (400, 422)
    assert analyst.post(f"{one}/withdraw").status == 303
    assert "申请撤销该绑定" in security.get(one).text


def test_the_switch_stands_on_every_page_about_runs_and_going_on_takes_two(
    console: ConsoleSite,
) -> None:
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    assert "立即暂停全部自动响应" in analyst.get("/runs").text
    assert analyst.post("/bindings/switch", {"do": "pause", "reason": "误报"}).status == 303
    assert analyst.post("/bindings/switch", {"do": "both", "reason": "x"}).status == 400
    for page in ("/runs", "/bindings"):
        assert "自动响应已暂停" in security.get(page).text
    assert analyst.post("/bindings/switch", {"do": "resume", "reason": "好"}).status == 303
    assert 'action="/bindings/resume"' not in analyst.get("/bindings").text
    decided = security.post("/bindings/resume", {"decision": "grant", "reason": "可"})
    assert decided.status == 303
    assert "自动响应已开启" in analyst.get("/bindings").text
    assert security.post("/runs/run_none/confirm", {"decision": "grant"}).status == 404
