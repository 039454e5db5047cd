"""The queue's page: what stands in its address, what is done with rows, and what it weighs."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from detectors.models.rules import SEVERITIES
from tests.fakes.console_site import ConsoleSite, Page, Reader

LIMIT = 60_000
"""Bytes of JavaScript, packed, that the page may load."""


def boxes(page: Page) -> dict[str, str]:
    """Return the boxes of the page's rows: name and value."""
    return dict(re.findall(r'name="(alert\.[^"]+)" value="(\d+)"', page.text))


def test_the_scripts_of_the_queue_stay_small_and_carry_the_nonce(console: ConsoleSite) -> None:
    page = console.reader("analyst").get("/alerts")
    nonce = re.search(r"script-src 'nonce-([^']+)'", page.headers["content-security-policy"])
    assert nonce is not None
    scripts = re.findall(r'<script nonce="([^"]+)" src="([^"]+)"', page.text)
    assert {each for each, _ in scripts} == {nonce[1]}
    assert page.text.count("<script") == len(scripts)
    loaded = [console.reader("analyst").get(path).body for _, path in scripts]
    assert "queue.js" in " ".join(path for _, path in scripts)
    assert sum(len(gzip.compress(body, 9)) for body in loaded) <= LIMIT


def test_chosen_alerts_are_taken_and_who_was_slower_is_told(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    rows = boxes(analyst.get("/alerts?severity=medium"))
    name, version = next(iter(rows.items()))
    form = {name: version, "verb": "take", "severity": "medium", "status": "open"}
    done = analyst.post("/alerts/chosen", form)
    assert done.status == 303
    assert done.headers["location"] == "/alerts?severity=medium&done=1&moved=0"
    mine = analyst.get("/alerts?assignee=me")
    assert "已受理" in mine.text
    assert len(boxes(mine)) == 1
    again = analyst.post("/alerts/chosen", {**form, "verb": "acknowledge"})
    assert again.headers["location"].endswith("done=0&moved=1")
    assert "已被他人处理" in analyst.get(again.headers["location"]).text
    assert analyst.post("/alerts/chosen", {"verb": "take"}).status == 400
    assert analyst.post("/alerts/chosen", {**form, "verb": "dance"}).status == 400
    assert analyst.post("/alerts/chosen", {**form, "verb": "assign", "to": "auditor"}).status == 400
    unseen = {**form, name: "", "verb": "assign", "to": ""}
    assert analyst.post("/alerts/chosen", unseen).status == 400, "nothing is given away unseen"
    given_back = {**form, name: str(int(version) + 2), "verb": "assign", "to": ""}
    assert analyst.post("/alerts/chosen", given_back).headers["location"].endswith("moved=0")
    closing = {**form, "verb": "close", "reason": "seen"}
    for told in ("done=1&moved=0", "done=0&moved=1"):
        assert analyst.post("/alerts/chosen", closing).headers["location"].endswith(told)


@pytest.mark.parametrize("order", ["newest", "oldest", "severity", "due"])
def test_a_rows_box_is_that_of_the_alert_it_shows_in_every_order(
    console: ConsoleSite, order: str
) -> None:
    page = console.reader("analyst").get(f"/alerts?sort={order}&limit=200").text
    rows = re.findall(r'name="alert\.([^"]+)".*?href="/alerts/([^"?]+)', page, re.DOTALL)
    assert len(rows) > 1
    assert [chosen for chosen, _ in rows] == [shown for _, shown in rows]


def test_the_worst_alerts_stand_first_where_severity_sorts(console: ConsoleSite) -> None:
    page = console.reader("analyst").get("/alerts?sort=severity&limit=200").text
    ranks = [SEVERITIES.index(each) for each in re.findall(r'"badge severity-(\w+)"', page)]
    assert len(set(ranks)) > 1
    assert ranks == sorted(ranks, reverse=True)


def test_the_status_has_a_column_only_where_the_view_has_several(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    assert '<td class="status">' not in analyst.get("/alerts").text
    everything = analyst.get("/alerts?status=").text
    assert '<td class="status">' in everything
    assert re.search(r'href="/alerts/alr_[^"?]+\?status="', everything), "next is next in this view"
    shown = re.search(
        r'<td class="last"><time datetime="([^"]+)" title="([^"]+)">([^<]+)<', everything
    )
    assert shown is not None
    assert shown[3] in shown[2]
    assert len(shown[2]) == len("2026-11-23 14:30:00")


def test_the_view_stands_in_the_address_and_is_saved_under_a_name(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    saved = analyst.post("/alert-views", {"severity": "high", "sort": "due", "name": "<b>高危"})
    assert saved.headers["location"] == "/alerts?severity=high&sort=due"
    page = analyst.get("/alerts")
    assert '<a href="/alerts?severity=high&amp;sort=due">&lt;b&gt;高危</a>' in page.text
    found = re.search(r'action="(/alert-views/[^"]+/forget)"', page.text)
    assert found is not None
    assert analyst.post(found[1]).status == 303
    assert "&lt;b&gt;高危" not in analyst.get("/alerts").text
    assert analyst.get("/alerts?sort=sideways").status == 400


def test_news_are_numbers_for_who_may_read_alerts(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    found = re.search(r'data-href="([^"]+)"', analyst.get("/alerts").text)
    assert found is not None
    news = json.loads(analyst.get(found[1].replace("&amp;", "&")).body)
    assert news["changed"] == 0
    assert news["total"] > 0
    assert analyst.get("/alerts/news?revision=x").status == 400
    assert Reader(console.site).get("/alerts/news?revision=1").status == 303


def test_verbs_over_the_whole_view_are_previewed_first(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    form = {"severity": "high", "verb": "assign", "to": "me"}
    place = analyst.post("/alerts/bulk", form).headers["location"]
    page = analyst.get(place).text
    assert "批量指派" in page
    assert "确认执行" in page
    assert analyst.post("/alerts/bulk", {**form, "verb": "acknowledge"}).status == 303
    assert analyst.post("/alerts/bulk", {**form, "verb": "dance"}).status == 400
    assert analyst.post("/alerts/bulk", {**form, "to": "auditor"}).status == 400


def test_deadlines_are_shown_to_readers_and_set_by_the_security_administrator(
    console: ConsoleSite,
) -> None:
    analyst, security = console.reader("analyst"), console.reader("security-admin")
    assert "默认值" in analyst.get("/alert-deadlines").text
    form = {"severity": "low", "acknowledge": "600", "resolve": "6000", "reason": "服务承诺"}
    assert analyst.post("/alert-deadlines", form).status == 403
    assert security.post("/alert-deadlines", {**form, "resolve": "many"}).status == 400
    assert security.post("/alert-deadlines", form).status == 303
    assert "6,000" in analyst.get("/alert-deadlines").text
