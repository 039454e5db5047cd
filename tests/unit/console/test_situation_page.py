"""The situation page: seven numbers that lead to their lists, the days to come, and old data."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from detectors.models.situation import ExpectedDay
from detectors.service.situation.situations import STALE
from detectors.store.situation import DatabaseSituations
from secops.console.situation.pictures import HEIGHT, SPARK_HEIGHT, spark, volume_picture
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY, day_start
from tests.fakes.console_site import ConsoleSite


@pytest.fixture(scope="module")
def seen(console: ConsoleSite) -> ConsoleSite:
    """The console of a home with a month of alerts behind it."""
    house = console.site.house
    today = day_start(house.parts.clock.now())
    store = DatabaseSituations()
    for back in range(1, 31):
        values = {"raised": 5 + back % 7, "open": back}
        house.parts.transactions.run(
            lambda tx, day=today - back * DAY, values=values: store.note(tx, ROOT_ORG, day, values)
        )
    house.detectors.situations.look()
    return console


def test_each_number_leads_to_a_list_that_opens(seen: ConsoleSite) -> None:
    analyst = seen.reader("analyst")
    page = analyst.get("/situation")
    numbers = re.findall(r'class="number"><a href="([^"]+)">(\d+)</a>', page.text)
    assert (page.status, len(numbers)) == (200, 7)
    for href, _ in numbers:
        assert (href, analyst.get(href.replace("&amp;", "&")).status) == (href, 200)
    assert "<polyline points=" in page.text
    assert 'class="band"' in page.text
    assert analyst.get("/situation?format=csv").headers["content-type"].startswith("text/csv")
    assert seen.reader("seal-holder").get("/situation").status == 403


def test_a_reader_without_a_list_sees_no_link_to_it(seen: ConsoleSite) -> None:
    page = seen.reader("auditor").get("/situation").text
    assert page.count('class="number"') == 7


def test_what_is_old_says_so(seen: ConsoleSite) -> None:
    house = seen.site.house
    store, read, run = DatabaseSituations(), house.parts.transactions.read, house.parts.transactions
    last = read(lambda tx: store.last(tx, ROOT_ORG))
    assert last is not None
    run.run(lambda tx: store.keep(tx, replace(last, at=last.at - STALE - DAY)))
    assert "数据已过时" in seen.reader("analyst").get("/situation").text
    run.run(lambda tx: store.keep(tx, replace(last, at=house.parts.clock.now())))
    assert "数据已过时" not in seen.reader("analyst").get("/situation").text


def test_the_pictures_keep_to_their_frames() -> None:
    assert (spark([]), spark([3])) == ("", "")
    assert spark([0, 0]).split() == [f"0.0,{SPARK_HEIGHT - 2:.1f}", f"160.0,{SPARK_HEIGHT - 2:.1f}"]
    empty = volume_picture([], [])
    assert (empty.bars, empty.line, empty.band) == ((), "", "")
    drawn = volume_picture([1, 4], [ExpectedDay(2, 1, 8)])
    assert [height for *_, height in drawn.bars] == [HEIGHT / 8, HEIGHT / 2]
    assert drawn.line == f"{drawn.seam + 160},{HEIGHT - HEIGHT / 4}"
    assert len(drawn.band.split()) == 2
