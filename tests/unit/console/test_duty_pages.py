"""Pages of channels, messages, subscriptions and duty."""

from __future__ import annotations

import re

import pytest

from playbooks.models.duty import Shift
from secops.console.playbooks.duty_week import ROW, WIDTH, monday_of, week_picture
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import BEIJING, DAY, HOUR
from secops.kernel.events import AlertRaised, Delivery
from tests.fakes.console_site import ConsoleSite

CANARY = "canary-41c9"


def created(console: ConsoleSite, path: str) -> str:
    return re.findall(
        rf'action="{path}/([a-z]+_[0-9a-z]+)', console.reader("system-admin").get(path).text
    )[-1]


def test_an_administrator_keeps_channels_and_nobody_reads_their_secrets(
    console: ConsoleSite,
) -> None:
    admin, path = console.reader("system-admin"), "/notifications/channels"
    form = {
        "name": "soc-pages",
        "kind": "wecom",
        "url": f"https://qyapi.example.cn/send?key={CANARY}",
        "language": "zh",
    }
    assert admin.post(path, form).status == 303
    assert admin.post(path, {**form, "url": f"http://x/{CANARY}"}).status == 422
    channel_id = created(console, path)
    for name in ("system-admin", "analyst", "security-admin"):
        page = console.reader(name).get(path).text
        assert "soc-pages" in page
        assert "qyapi.example.cn" in page
        assert CANARY not in page
    assert console.reader("analyst").post(path, form).status == 403
    assert admin.post(f"{path}/{channel_id}/test").status == 303
    messages = admin.get("/notifications/messages?state=queued").text
    assert "通知渠道测试" in messages
    switched = {"state": "off", "version": "1"}
    assert admin.post(f"{path}/{channel_id}/switch", switched).status == 303
    assert admin.post(f"{path}/{channel_id}/switch", switched).status == 409
    assert admin.post(f"{path}/{channel_id}/switch", {"state": "off"}).status == 400
    assert admin.post(f"{path}/{channel_id}/switch", {"state": "x", "version": "2"}).status == 400
    changed = {**form, "name": "soc-pages-2", "version": "2"}
    assert admin.post(f"{path}/{channel_id}", changed).status == 303
    home = console.site.house.parts.home
    kept = b"".join(each.read_bytes() for each in home.rglob("*") if each.is_file())
    assert b"qyapi.example.cn" in kept
    assert CANARY.encode() not in kept


def test_a_dead_letter_is_sent_again_or_dropped_with_a_reason(console: ConsoleSite) -> None:
    delivery = console.site.house.playbooks.notifications.delivery
    delivery.deliver()  # the channel of the test above is switched off
    admin = console.reader("system-admin")
    page = admin.get("/notifications/messages?state=stuck").text
    assert "playbooks.channel_disabled" in page
    [action] = re.findall(r'action="(/notifications/messages/[^"]+/resolve)"', page)
    assert admin.post(action, {"reason": "x", "decision": "?"}).status == 400
    assert admin.post(action, {"reason": "", "decision": "drop"}).status == 400
    assert admin.post(action, {"reason": "已电话告知", "decision": "drop"}).status == 303
    assert admin.post(action, {"reason": "x", "decision": "resend"}).status == 409


def test_an_inner_address_is_refused_at_the_post_whatever_its_name(console: ConsoleSite) -> None:
    admin, path = console.reader("system-admin"), "/notifications/channels"
    form = {"name": "inner", "kind": "generic", "url": f"https://127.0.0.1/{CANARY}"}
    assert admin.post(path, {**form, "language": "zh"}).status == 303
    page = admin.get(path).text
    [test] = re.findall(r"action=\"(/notifications/channels/[^\"]+/test)\"", page)[:1]
    assert admin.post(test).status == 303
    console.site.house.playbooks.notifications.delivery.deliver()
    page = admin.get("/notifications/messages?state=dead").text
    assert "outbound.refused" in page
    assert CANARY not in page


def test_a_week_of_duty_with_its_holes_and_swaps(console: ConsoleSite) -> None:
    boss, analyst = console.reader("security-admin"), console.reader("analyst")
    form = {"name": "soc", "members": "analyst=soc-pages-2\nsecurity-admin=soc-pages-2"}
    form |= {"leads": "security-admin", "policy": "primary+0\nall+5"}
    answer = boss.post("/duty/rosters", form)
    assert answer.status == 303
    here = answer.headers["location"]
    assert "当前无人值班" in boss.get("/duty").text
    now = console.site.house.parts.clock.now()
    begins, ends = (_local(monday_of(now) + hours * HOUR) for hours in (0, 24 * 7))
    shift = {"starts_at": begins, "ends_at": ends, "primary": "analyst", "deputy": ""}
    assert boss.post(f"{here}/shifts", {**shift, "starts_at": "tomorrow"}).status == 400
    assert boss.post(f"{here}/shifts", shift).status == 303
    page = analyst.get(here).text
    assert page.count("<rect ") == 7
    assert "<title>analyst</title>" in page
    [ask] = re.findall(rf'action="({here}/shifts/[^"]+/swap)"', page)
    other = re.findall(r'<option value="(acc_[^"]+)">security-admin', page)[0]
    assert analyst.post(ask, {"place": "primary", "other": other}).status == 303
    [swap] = re.findall(rf'action="({here}/swaps/[^"]+)"', boss.get(here).text)
    assert boss.post(swap, {"decision": "?"}).status == 400
    assert boss.post(swap, {"decision": "agree"}).status == 303
    assert "<title>security-admin</title>" in analyst.get(here).text
    [remove] = re.findall(rf'action="({here}/shifts/[^"]+/remove)"', boss.get(here).text)
    assert boss.post(remove).status == 303
    assert "空班" in analyst.get(f"{here}?week=-1").text
    again = {**form, "version": "1", "policy": "lead+0"}
    assert boss.post(here, again).status == 303
    assert boss.post(here, again).status == 409


def test_who_is_called_sees_it_signed_in_and_takes_it(console: ConsoleSite) -> None:
    boss, house = console.reader("security-admin"), console.site.house
    page = boss.get("/notifications/subscriptions").text
    [roster] = re.findall(r'value="(roster:[^"]+)"', page)
    form = {"event": "alert", "severity": "low", "target": roster, "quiet": "25:00-07:00"}
    assert boss.post("/notifications/subscriptions", form).status == 422
    form["quiet"] = ""
    assert boss.post("/notifications/subscriptions", form).status == 303
    analyst = console.reader("analyst")
    alert_id = re.findall(r"/alerts/(alr_[0-9a-f]+)", analyst.get("/alerts").text)[0]
    announcement = AlertRaised(ROOT_ORG, alert_id, "rule", "high", {})
    delivery = Delivery(1, house.parts.clock.now(), announcement)
    house.playbooks.notifications.herald.alert_raised(delivery)
    house.playbooks.duty.escalations.escalate()
    [call] = re.findall(r'href="(/duty/calls/[^"]+)"', analyst.get("/duty/calls").text)
    assert console.reader("auditor").get(call).text.count("/acknowledge") == 0
    assert "呼叫中" in analyst.get(call).text or "无人响应" in analyst.get(call).text
    assert analyst.post(f"{call}/acknowledge").status == 303
    assert analyst.post(f"{call}/acknowledge").status == 409
    assert "已确认" in boss.get(call).text
    end = re.findall(
        r'action="(/notifications/subscriptions/[^"]+/end)"',
        boss.get("/notifications/subscriptions").text,
    )[-1]
    assert boss.post(end).status == 303
    assert boss.post(end).status == 404


def _local(instant: int) -> str:
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - only here

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant + BEIJING)
    return moment.strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize("day", range(7))
def test_a_week_begins_on_monday_in_beijing(day: int) -> None:
    monday = 1_763_913_600_000_000  # 2025-11-24T00:00+08:00, a Monday
    assert monday_of(monday + day * DAY + 23 * HOUR) == monday


def test_a_shift_over_midnight_has_a_bar_on_both_days() -> None:
    monday = monday_of(1_763_913_600_000_000)
    night = Shift(
        "s", "o", "r", monday + 20 * HOUR, monday + 32 * HOUR, "a", "", made_by="a", made_at=0
    )
    bars = week_picture(monday, [night]).bars
    assert [(bar.x, bar.y, bar.width) for bar in bars] == [
        (WIDTH * 20 / 24, 3, WIDTH * 4 / 24),
        (0, ROW + 3, WIDTH * 8 / 24),
    ]
