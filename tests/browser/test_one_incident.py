"""One incident in a real browser, from the first alert to the closing report.

The pictures of docs/manual/one_incident.md are taken here: with MANUAL_PICTURES=1 they are written
beside it, otherwise they go where all screenshots go.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.visitors import SCREENSHOTS, Visitor, Visitors

pytestmark = [pytest.mark.browser, pytest.mark.service]

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "manual"
PICTURES = MANUAL / "pictures"
PLAYBOOK = "ssh_brute_force_contain"
NAMES = (
    "one-incident-1-queue",
    "one-incident-2-alert",
    "one-incident-3-incident",
    "one-incident-4-levels",
    "one-incident-5-plan",
    "one-incident-6-run",
    "one-incident-7-clocks",
    "one-incident-8-closed",
)


@dataclass
class Walk:
    """Where the incident stands, between one test and the next."""

    analyst: Visitor
    suspect: Visitor
    incident: str = ""
    run: str = ""
    digest: str = ""


@pytest.fixture(scope="module")
def walk(visitors: Visitors) -> Walk:
    suspect = visitors.stranger()
    suspect.sign_in(visitors.service.accounts["zhangwei"])
    return Walk(visitors.signed_in("analyst"), suspect)


def picture(visitor: Visitor, name: str, at: str = "h1") -> None:
    """Take the picture ``name`` of the manual: the window where ``at`` is seen."""
    assert name in NAMES
    wanted = os.environ.get("MANUAL_PICTURES")  # noqa: TID251 - where pictures go
    folder = PICTURES if wanted else SCREENSHOTS
    folder.mkdir(exist_ok=True)
    visitor.page.set_viewport_size({"width": 1366, "height": 900})
    visitor.page.locator(at).first.scroll_into_view_if_needed()
    visitor.page.screenshot(path=str(folder / f"{name}.png"))


def state(visitor: Visitor) -> str:
    return visitor.page.locator("dl dd strong").first.inner_text()


def badge(visitor: Visitor) -> list[str]:
    return visitor.page.locator("h1 .badge").all_inner_texts()


def move_on(walk: Walk, to: str, reason: str) -> None:
    form = f"form[action='{walk.incident}/state']"
    walk.analyst.go(walk.incident)
    walk.analyst.page.select_option(f"{form} select[name=state]", label=to)
    walk.analyst.page.fill(f"{form} input[name=reason]", reason)
    walk.analyst.press(f"{form} button")
    assert state(walk.analyst) == to


def test_the_alert_says_who_did_what_and_why_it_was_raised(walk: Walk) -> None:
    analyst = walk.analyst
    assert walk.suspect.heading() == "我的工作台"
    analyst.go("/alerts")
    picture(analyst, NAMES[0])
    analyst.press("main tbody a:text('SSH 口令猜测') >> nth=0")
    text = analyst.page.locator("main").inner_text()
    assert re.search(r"有人从 127\.0\.0\.66 在主机 gov-gateway 上.*21 次", text)
    assert "Failed password for" in text
    assert re.search("[0-9a-f]{64}", analyst.page.locator("main").text_content() or "")
    picture(analyst, NAMES[1])
    analyst.press("button:text-is('由此开立事件')")
    walk.incident = re.sub(r"^https?://[^/]+", "", analyst.page.url)
    assert walk.incident.startswith("/incidents/")
    assert state(analyst) == "待研判"


def test_a_person_confirms_it_and_sets_its_levels(walk: Walk) -> None:
    move_on(walk, "已确认", "值班员核实:确有外部地址猜中口令")
    picture(walk.analyst, NAMES[2])
    page = walk.analyst.page
    walk.analyst.go(f"{walk.incident}/levels")
    page.select_option("select[name=target]", index=1)
    page.select_option("select[name=loss]", index=1)
    walk.analyst.press("form[method=get] button.primary")
    picture(walk.analyst, NAMES[3], "form[method=post].actions input[name=basis]")
    form = f"form[method=post][action='{walk.incident}/levels']"
    for name in ("level", "reporting_level"):
        page.select_option(f"{form} select[name={name}]", label="较大")
    page.fill(f"{form} input[name=basis]", "市级门户受影响,公安要求按较大报告")
    walk.analyst.press(f"{form} button")
    walk.analyst.go(walk.incident)
    assert "报告级别 较大" in page.locator("main").inner_text()
    picture(walk.analyst, NAMES[6])


def test_the_plan_is_shown_whole_and_another_person_approves_it(
    walk: Walk, visitors: Visitors
) -> None:
    analyst = walk.analyst
    form = f"form:has(input[value={PLAYBOOK}])"
    analyst.page.fill(f"{form} input[name='var:__account__']", "zhangwei")
    analyst.press(f"{form} button")
    plan = analyst.page.locator("main").inner_text()
    assert {word for word in ("account.lock", "session.revoke", "zhangwei") if word in plan} == {
        "account.lock",
        "session.revoke",
        "zhangwei",
    }
    digest = re.search(r"SHA-256 ([0-9a-f]{64})", plan)
    assert digest is not None
    picture(analyst, NAMES[4])
    analyst.press("button:text-is('申请运行')")
    walk.run = analyst.page.url
    assert badge(analyst) == ["待审批"]
    assert analyst.page.locator("button:text-is('批准')").count() == 0
    assert walk.suspect.go("/") == 200

    admin = visitors.signed_in("security-admin")
    admin.go("/runs")
    admin.press("main tbody a >> nth=0")
    assert admin.page.url == walk.run
    assert digest[1] in admin.page.locator("main").inner_text()
    admin.page.fill("input[name=reason]", "同意处置")
    admin.press("button:text-is('批准')")


def test_what_people_do_by_hand_is_answered_and_the_attackers_session_ends(walk: Walk) -> None:
    analyst = walk.analyst
    analyst.page.goto(walk.run)
    for _ in range(80):
        analyst.page.reload()
        if badge(analyst) == ["完成"]:
            break
        if analyst.page.locator("button:text-is('完成')").count():
            for field in analyst.page.locator("form[action$='/answers'] select").all():
                field.select_option(value="true")
            for field in analyst.page.locator(
                "form[action$='/answers'] input[name^='value:']"
            ).all():
                field.fill("1")
            analyst.press("button:text-is('完成') >> nth=0")
        analyst.page.wait_for_timeout(250)
    picture(analyst, NAMES[5])
    assert badge(analyst) == ["完成"]
    walk.suspect.go("/")
    assert walk.suspect.heading() == "登录"
    analyst.go(walk.incident)
    assert "终止全部会话:done" in analyst.page.locator("main").inner_text()


def test_it_is_not_closed_before_its_lessons_are_written(walk: Walk) -> None:
    for to in ("遏制", "根除", "恢复", "总结"):
        move_on(walk, to, f"进入{to}阶段")
    form = f"form[action='{walk.incident}/state']"
    page = walk.analyst.page
    page.select_option(f"{form} select[name=state]", label="关闭")
    page.fill(f"{form} input[name=reason]", "处置完毕")
    walk.analyst.press(f"{form} button")
    assert "经验教训" in page.locator("main").inner_text()
    walk.analyst.go(walk.incident)
    assert state(walk.analyst) == "总结"
    judged = f"form[action='{walk.incident}/judge']"
    page.fill(f"{judged} [name=cause]", "外网主机允许口令登录")
    walk.analyst.press(f"{judged}:has([name=cause]) button")
    page.fill("textarea[name=lessons]", "外网口令登录改为证书登录;门户主机纳入堡垒机。")
    walk.analyst.press("button:text-is('保存经验教训')")
    page.fill("form[action$='/notes'] input[name=text]", "已告知业务单位")
    walk.analyst.press("button:text-is('写入时间线')")
    move_on(walk, "关闭", "处置完毕,经验已记录")
    picture(walk.analyst, NAMES[7])


@pytest.mark.parametrize(("form", "magic"), [("pdf", b"%PDF-"), ("docx", b"PK\x03\x04")])
def test_the_closing_report_is_a_file_of_an_office(
    walk: Walk, tmp_path: Path, form: str, magic: bytes
) -> None:
    walk.analyst.go(walk.incident)
    walk.analyst.page.select_option("select[name=format]", value=form)
    with walk.analyst.page.expect_download() as waiting:
        walk.analyst.page.click("button:text-is('下载事件报告')")
    report = tmp_path / f"report.{form}"
    waiting.value.save_as(report)
    assert report.read_bytes().startswith(magic)


def test_the_manual_shows_the_pictures_that_are_taken_here() -> None:
    shown = re.findall(r"\(pictures/([\w-]+)\.png\)", (MANUAL / "one_incident.md").read_text())
    assert sorted(shown) == sorted(NAMES)
    assert {path.stem for path in PICTURES.glob("one-incident-*.png")} == set(NAMES)
