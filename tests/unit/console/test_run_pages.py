"""The pages of a run: its drawing, what waits for a person, and its replay."""

from __future__ import annotations

import re
from html import unescape

import pytest

from playbooks.service import NewIncident
from tests.fakes.console_site import ConsoleSite, Page, Reader


def first(pattern: str, page: Page) -> str:
    found = re.search(pattern, page.text)
    assert found is not None, page.text
    return unescape(found[1])


def follow(reader: Reader, answer: Page) -> Page:
    assert answer.status == 303, answer.text
    return reader.get(answer.headers["location"])


@pytest.fixture(scope="module")
def incident(console: ConsoleSite) -> str:
    house = console.site.house
    new = NewIncident(title="有人报告钓鱼邮件", severity="high")
    opened = house.playbooks.incidents.open_incident(house.act_as("analyst"), new)
    return f"/incidents/{opened.id}"


def ask(console: ConsoleSite, incident: str, playbook: str, **values: str) -> str:
    """Ask for a run as the analyst; return its address."""
    form = {"playbook": playbook, "do": "request"}
    form |= {f"var:__{name}__": value for name, value in values.items()}
    answer = console.reader("analyst").post(f"{incident}/plan", form)
    assert answer.status == 303, answer.text
    return answer.headers["location"]


def go_on(console: ConsoleSite, run: str) -> Page:
    """Let the runner work, as the service does once a second; return the analyst's page."""
    console.site.house.playbooks.runner.advance(run.rpartition("/")[2])
    return console.reader("analyst").get(run)


def answer(console: ConsoleSite, page: Page, run: str, **values: str) -> Page:
    """Answer the first step that waits, as its form asks."""
    form = {"step": first(r'/answers"><input type="hidden" name="step" value="([^"]+)"', page)}
    form |= {"outcome": "done", "note": "办结"}
    form |= {f"value:__{name}__": value for name, value in values.items()}
    sent = console.reader("analyst").post(f"{run}/answers", form)
    assert sent.status == 303, sent.text
    return go_on(console, run)


def test_a_run_is_answered_step_by_step_and_replayed_without_a_script(
    console: ConsoleSite, incident: str
) -> None:
    analyst = console.reader("analyst")
    run = ask(console, incident, "personal_data_leak_report", data="不动产登记库")
    page = go_on(console, run)
    assert page.text.count('<h2 id="waiting-') == 2  # both branches wait
    assert "关闭泄露所用的接口" in page.text
    assert analyst.get(f"{run}/replay").status == 409
    assert '<g class="step intent"><title>2. 切断泄露途径: 进行中</title>' in page.text
    page = answer(console, answer(console, page, run), run)
    assert 'inputmode="numeric"' in page.text
    assert '<select name="value:__mitigated__">' in page.text
    wrong = {"people": "约三千", "sensitive": "false", "mitigated": "true"}
    step = first(r'name="step" value="([^"]+)"', page)
    form = {"step": step, "outcome": "done"} | {f"value:__{k}__": v for k, v in wrong.items()}
    assert analyst.post(f"{run}/answers", form).status == 422
    assert analyst.post(f"{run}/answers", {**form, "outcome": "perhaps"}).status == 400
    page = answer(console, page, run, **{**wrong, "people": "3000017"})
    while 'name="outcome"' in page.text:
        page = answer(console, page, run)
    assert 'class="badge good">完成<' in page.text
    assert "__people__ ••••" in page.text  # the journal's values are nobody's business
    assert "3000017" not in page.text
    replay = analyst.get(f"{run}/replay")
    assert 'class="badge good">一致<' in replay.text
    assert first(r"<dt>重放的记录行数</dt><dd>(\d+)</dd>", replay) == first(
        r"<tr><td>(\d+)</td><td>[^<]+</td><td>通知值班人员</td><td>结果</td>", page
    )


def test_containment_is_approved_bound_late_prolonged_and_taken_back(
    console: ConsoleSite, incident: str
) -> None:
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    run = ask(console, incident, "phishing_report_handle", account="integrator")
    card = security.get(run)
    digest = first(r'name="plan" value="([0-9a-f]{64})"', card)
    assert "批准的只是这份计划" in card.text
    assert "须由申请人以外的安全管理员审批" in analyst.get(run).text
    assert analyst.post(f"{run}/approve", {"decision": "grant", "plan": digest}).status == 403
    granted = {"decision": "grant", "plan": digest, "reason": "同意"}
    assert follow(security, security.post(f"{run}/approve", granted)).status == 200
    page = go_on(console, run)
    assert "到期自动撤销" in page.text
    lasting = first(r'/prolongations"><input type="hidden" name="step" value="([^"]+)"', page)
    for hours, status in (("1", 409), ("0", 400), ("x", 400), ("9999", 400), ("240", 303)):
        form = {"step": lasting, "hours": hours}
        assert (hours, analyst.post(f"{run}/prolongations", form).status) == (hours, status)
    page = answer(console, answer(console, analyst.get(run), run), run)
    page = answer(console, page, run, more="true", victim="staff")
    assert "步骤待审批: 终止受害账户会话" in page.text
    assert "/step-decisions" not in page.text
    late = security.get(run)
    form = {
        "step": first(r'/step-decisions"><input type="hidden" name="step" value="([^"]+)"', late),
        "loop": first(r'name="loop" value="([^"]*)"', late),
        "sha256": first(r'name="sha256" value="([0-9a-f]{64})"', late),
        "decision": "grant",
    }
    assert security.post(f"{run}/step-decisions", {**form, "sha256": "0" * 64}).status == 409
    assert security.post(f"{run}/step-decisions", form).status == 303
    page = go_on(console, run)
    assert '<option value="none"></option>' in page.text or "victim" in page.text
    gone = follow(analyst, analyst.post(f"{run}/cancel", {"reason": "演练结束"}))
    assert "正在撤销处置" in gone.text
    assert "已撤销处置" in go_on(console, run).text
    assert 'class="badge good">一致<' in analyst.get(f"{run}/replay").text
