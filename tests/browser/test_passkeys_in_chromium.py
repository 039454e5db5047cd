"""Passkeys in a real browser, with the authenticator that its debugging protocol offers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.visitors import Visitor, Visitors

pytestmark = [pytest.mark.browser, pytest.mark.service]


def with_authenticator(visitors: Visitors) -> Visitor:
    visitor = visitors.stranger()
    devtools = visitor.context.new_cdp_session(visitor.page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return visitor


def test_a_passkey_is_made_and_signs_in_without_a_name(visitors: Visitors) -> None:
    person = with_authenticator(visitors)
    person.sign_in(visitors.service.accounts["integrator"])
    assert person.go("/me/passkeys/new") == 200
    person.picture("passkey-new")
    person.page.fill("input[name=name]", "办公电脑")
    person.page.click("form[data-passkey] button")
    person.page.wait_for_url("**/me/factors")
    assert "办公电脑" in person.page.locator("main").inner_text()
    person.picture("passkey-factors")
    person.press("button:text-is('退出')")
    person.go("/")
    person.picture("passkey-sign-in")
    person.page.click("button:text-is('使用通行密钥登录')")
    expect(person.page.locator("h1")).to_have_text("我的工作台")
    assert person.page.locator(".who span").first.inner_text() == "integrator"
    # the browser's passkey is asked for after a password too
    person.press("button:text-is('退出')")
    account = visitors.service.accounts["integrator"]
    person.try_sign_in(account.name, account.password)
    person.picture("passkey-second")
    person.page.click("button:text-is('使用通行密钥')")
    expect(person.page.locator("h1")).to_have_text("我的工作台")
    assert person.complaints == []


def test_who_has_no_passkey_is_told_of_the_other_ways(visitors: Visitors) -> None:
    person = with_authenticator(visitors)
    person.go("/")
    status = person.page.locator("form[data-passkey] [role=status]")
    expect(status).to_be_hidden()
    person.page.click("button:text-is('使用通行密钥登录')")
    expect(status).to_be_visible()
    person.sign_in(visitors.service.accounts["seal-applicant"])
    assert person.heading() == "我的工作台"


def test_without_scripts_the_page_does_not_speak_of_passkeys(visitors: Visitors) -> None:
    plain = visitors.stranger(scripts=False)
    plain.go("/")
    expect(plain.page.locator("form[data-passkey]")).to_be_hidden()
    plain.press("a:text-is('使用 UKey 证书登录')")
    assert plain.heading() == "使用 UKey 证书登录"
