"""The alert's page: what it tells, what is done with it, and an exception with its preview."""

from __future__ import annotations

import re
from html import unescape

from tests.fakes.console_site import ConsoleSite, Page, Reader


def first_alert(reader: Reader, view: str) -> str:
    found = re.search(r'href="(/alerts/alr_[^"]+)"', reader.get(f"/alerts?{view}").text)
    assert found is not None
    return unescape(found[1])


def read(page: Page) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page.text))


def test_an_alert_is_told_in_both_languages_with_all_that_stands_beside_it(
    console: ConsoleSite,
) -> None:
    analyst = console.reader("analyst")
    alert = first_alert(analyst, "status=open&severity=high")
    told = analyst.get(f"{alert}&replay=yes")
    assert told.status == 200
    text = read(told)
    for heading in ("为什么告警", "涉及的对象", "原始日志", "同类告警如何关闭", "规则与测试"):
        assert heading in text
    assert "全部通过" in text
    assert "仍会告警" in text
    assert len(re.findall(r"<dt>SM3</dt><dd><code>[0-9a-f]{64}</code>", told.text)) > 0
    assert 'href="/logs?q=event.id%3A' in told.text
    analyst.language = "en"
    try:
        english = read(analyst.get(alert))
    finally:
        analyst.language = "zh"
    assert "(Beijing time)" in english
    assert "How like alerts were closed" in english


def test_next_and_previous_stay_in_the_view(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    here = analyst.get(first_alert(analyst, "severity=medium"))
    found = re.search(r'rel="next" href="([^"]+)"', here.text)
    assert found is not None
    there = analyst.get(unescape(found[1]))
    back = re.search(r'rel="prev" href="([^"]+)"', there.text)
    assert back is not None
    assert "severity=medium" in back[1]
    assert analyst.get(unescape(back[1])).text.count('rel="next"') == 1
    assert analyst.get("/alerts/alr_none?status=open").status == 404
    assert analyst.get(first_alert(analyst, "sort=oldest") + "&severity=strange").status == 400


def test_an_alert_is_acknowledged_taken_and_given_to_nobody(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    alert = first_alert(analyst, "status=open")
    path, _, view = alert.partition("?")
    assert 'value="acknowledge"' in analyst.get(alert).text
    answer = analyst.post(f"{path}/handle?{view}", {"verb": "acknowledge"})
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, path)
    assert 'value="acknowledge"' not in analyst.get(alert).text
    assert analyst.post(f"{path}/handle?{view}", {"verb": "take"}).status == 303
    taken = analyst.get(alert)
    assert 'value="take"' not in taken.text
    unseen = {"verb": "assign", "to": ""}
    assert analyst.post(f"{path}/handle?{view}", unseen).status == 400
    shown = re.search(r'name="version" value="(\d+)"', taken.text)
    assert shown is not None
    given_back = {**unseen, "version": shown[1]}
    assert analyst.post(f"{path}/handle?{view}", given_back).status == 303
    assert 'value="take"' in analyst.get(alert).text
    assert analyst.post(f"{path}/handle?{view}", {"verb": "burn"}).status == 400
    auditor = console.reader("auditor")
    assert auditor.post(f"{path}/handle?{view}", {"verb": "take"}).status == 403


def test_a_version_that_has_passed_assigns_nothing(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    path = first_alert(analyst, "status=open").partition("?")[0]
    form = {"verb": "assign", "to": "me", "version": "999"}
    assert analyst.post(f"{path}/handle", form).status == 409


def test_the_incident_that_was_opened_is_linked(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    alert = first_alert(analyst, "status=open&severity=medium")
    path = alert.partition("?")[0]
    opened = analyst.post(f"{path}/incident").headers["location"]
    page = analyst.get(alert)
    assert f'href="{opened}"' in page.text
    assert f'action="{path}/incident"' not in page.text


def test_an_exception_is_asked_for_only_as_it_was_previewed(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    path = first_alert(analyst, "status=open&severity=high").partition("?")[0] + "/exception"
    fresh = analyst.get(path)
    names = re.findall(r'name="(use_[^"]+)"', fresh.text)
    assert names
    assert 'value="ask"' not in fresh.text
    form = {names[0]: "yes", "owner": "ops", "reason": "our scanner", "days": "30"}
    previewed = analyst.post(path, {**form, "do": "preview"})
    assert "不会再有的告警" in previewed.text
    found = re.search(r'name="previewed" value="([^"]+)"', previewed.text)
    assert found is not None
    seen = unescape(found[1])
    other = {**form, "condition": '{"user.name": "x"}', "previewed": seen, "do": "ask"}
    assert "不会再有的告警" in analyst.post(path, other).text, "another condition is previewed"
    endless = analyst.post(path, {**form, "days": "0", "previewed": seen, "do": "ask"})
    assert endless.status == 400
    assert 'role="alert"' in endless.text
    asked = analyst.post(path, {**form, "previewed": seen, "do": "ask"})
    assert (asked.status, asked.headers["location"]) == (303, "/exceptions")
    assert "our scanner" in analyst.get("/exceptions").text
    assert analyst.post(path, {"condition": "[", "do": "preview"}).status == 400
    assert analyst.post(path, {"do": "preview"}).status == 400, "nothing is ticked"
    assert console.reader("security-admin").get(path).status == 403
