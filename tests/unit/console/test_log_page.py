"""The search page: what it shows, what its links ask for, and what it lets out."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

from detectors.models.search import Histogram, TimeBar
from secops.console.detectors.log_picture import HEIGHT, WIDTH, picture_of
from tests.fakes.console_site import ConsoleSite


def test_a_search_shows_when_what_and_the_events_themselves(console: ConsoleSite) -> None:
    text = console.reader("analyst").get("/logs?q=event.outcome:failure").text

    assert "<svg" in text
    assert text.count("<rect") >= 1
    assert 'class="event"' in text
    assert re.search(r"<dt>事件编号</dt><dd><code>[0-9a-f]{64}</code>", text)
    assert "event.outcome</code></h3>" in text


def test_a_facets_link_narrows_the_search_to_its_count(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    page = analyst.get("/logs?q=failed").text
    found = re.search(
        r'<h3>来源地址.*?<a href="([^"]+)">([^<]+)</a> <span class="muted">(\d+)</span>'
        r' <a class="without" href="([^"]+)"',
        page,
        re.DOTALL,
    )
    assert found is not None
    href, value, count, without = (html.unescape(text) for text in found.groups())
    total = re.search(r'<span class="muted">(\d+) 条 · 每柱', page)
    assert total is not None

    narrowed, rest = analyst.get(href).text, analyst.get(without).text
    assert parse_qs(urlsplit(href).query)["q"] == [f'failed AND source.ip:"{value}"']
    assert f'<span class="muted">{count} 条 · 每柱' in narrowed
    left = re.search(r'<span class="muted">(\d+) 条 · 每柱', rest)
    assert int(count) + (int(left[1]) if left else 0) == int(total[1])


def test_a_bar_of_the_table_narrows_to_its_time(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    page = analyst.get("/logs?q=failed").text
    row = re.search(r'<tr><td><a href="(/logs\?[^"]+)"><time.*?</a></td><td>(\d+)</td>', page)
    assert row is not None

    assert f'<span class="muted">{row[2]} 条 · 每柱' in analyst.get(html.unescape(row[1])).text


def test_pages_follow_each_other_without_a_repeat(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    seen: list[str] = []
    address = "/logs?q=*"
    for _ in range(2):
        page = analyst.get(address).text
        seen += re.findall(r"<dt>事件编号</dt><dd><code>([0-9a-f]{64})</code>", page)
        following = re.search(r'<a rel="next" class="button" href="([^"]+)"', page)
        assert following is not None
        address = html.unescape(following[1])

    assert len(seen) == len(set(seen)) == 100


def test_a_query_that_cannot_be_read_is_shown_with_its_place(console: ConsoleSite) -> None:
    page = console.reader("analyst").get("/logs?q=user%3A%28a").text

    assert "引号或括号没有闭合" in page
    assert "  user:(a\n       ^" in html.unescape(page)
    assert 'aria-invalid="true"' in page
    assert "时间无法理解" in console.reader("analyst").get("/logs?q=a&since=soon").text


def test_exports_are_files_and_recorded(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    table = analyst.get("/logs/export?q=failed&format=csv")
    lines = analyst.get("/logs/export?q=failed&format=jsonl")

    assert table.headers["content-disposition"] == 'attachment; filename="logs.csv"'
    assert table.body.startswith("\ufeff'@timestamp,".encode())
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert int(lines.headers["x-exported-events"]) == len(lines.body.splitlines()) > 0
    assert analyst.get("/logs/export?format=xml").status == 400
    assert console.reader("staff").get("/logs/export").status == 403


def test_an_event_links_to_the_alert_that_names_it(console: ConsoleSite) -> None:
    analyst = console.reader("analyst")
    page = analyst.get("/logs?q=%22Failed+password%22").text
    row = re.search(
        r'<summary><code>([^<]+)</code>(?:(?!</tr>).)*class="found-in">告警 <a href="([^"]+)"',
        page,
        re.DOTALL,
    )
    assert row is not None

    assert row[1] in analyst.get(row[2]).text


def test_bars_fill_the_picture_and_one_event_is_seen_among_thousands() -> None:
    bars = (TimeBar(0, 5_000), TimeBar(60_000_000, 0), TimeBar(120_000_000, 1))
    picture = picture_of(Histogram(60, bars, 5_001), lambda since, until: f"{since}-{until}")

    assert [(bar.y, bar.height, bar.href) for bar in picture.bars] == [
        (0.0, float(HEIGHT), "0-60000000"),
        (float(HEIGHT), 0.0, "60000000-120000000"),
        (HEIGHT - 2.0, 2.0, "120000000-180000000"),
    ]
    assert picture.bars[2].x + picture.bars[2].width < WIDTH
    assert picture_of(Histogram(1, (), 0), lambda _s, _u: "").bars == ()
