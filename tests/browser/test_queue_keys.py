"""The queue worked with the keyboard alone, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.visitors import Visitors

pytestmark = [pytest.mark.browser, pytest.mark.service]


def test_alerts_are_chosen_taken_and_closed_by_single_keys(visitors: Visitors) -> None:
    analyst = visitors.signed_in("analyst")
    page = analyst.page
    analyst.go("/alerts?severity=medium&sort=oldest")
    rows = page.locator("main tbody tr")
    before = rows.count()
    for key in ("j", "j", "x"):
        page.keyboard.press(key)
    expect(rows.nth(1).locator("input")).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("tbody input:checked")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("tbody input:checked")).to_have_count(0)
    with page.expect_navigation():
        page.keyboard.press("a")
    expect(page.locator(".notice")).to_contain_text("1")
    expect(rows.nth(2)).to_contain_text("analyst")
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("#chosen input[name=reason]")).to_be_focused()
    page.keyboard.type("jxa 测试")  # letters are text inside a field
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(rows).to_have_count(before - 1)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    expect(page.locator("tr[data-current]")).to_have_count(0)
    page.locator("#keys-open").click()
    page.locator("#keys-on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    with page.expect_navigation():
        page.keyboard.press("i")
    assert page.url.endswith("/incidents")
