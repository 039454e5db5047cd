"""The page that asks, and the pages where a yes is taken back."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import orjson
import pytest

from iam.core.rfc7636.pkce import challenge_of
from iam.models.clients import NewClient
from secops.kernel.actors import ROOT_ORG, os_actor
from tests.fakes.console_site import ConsoleSite, Page, Reader

CALLBACK = "https://shop.example/cb"


@pytest.fixture
def shop(console: ConsoleSite) -> str:
    """The address where an application that asks sends browsers."""
    clients = console.site.house.iam.clients
    known = clients.directory.find("consent-shop")
    if known is None:
        new = NewClient(
            "consent-shop",
            "商店 <i>",
            (CALLBACK,),
            frozenset({"authorization_code", "refresh_token"}),
            frozenset({"openid", "profile"}),
            consent="ask",
        )
        clients.make(os_actor("root"), new, ROOT_ORG)
    asked = {
        "response_type": "code",
        "client_id": "consent-shop",
        "redirect_uri": CALLBACK,
        "state": "s",
        "prompt": "consent",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
    }
    return f"/oauth2/authorize?{urlencode(asked)}"


def question(reader: Reader, shop: str) -> tuple[Page, str]:
    sent = reader.get(shop)
    assert sent.headers["location"].startswith("/consent?")
    page = reader.get(sent.headers["location"])
    found = re.search(r'name="transaction" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return page, found[1]


def test_the_question_says_who_asks_for_what_and_how_long(console: ConsoleSite, shop: str) -> None:
    reader = console.reader("staff")
    page, transaction = question(reader, shop)
    told = ("商店 &lt;i&gt;", "consent-shop", "shop.example", "角色", "读取基本资料", "保留至")
    assert [text for text in told if text not in page.text] == []
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    refused = reader.post("/oauth2/consent", {"transaction": transaction, "do": "deny"})
    assert f"{CALLBACK}?error=access_denied" in refused.text
    english = Reader(console.site, language="en", jar=dict(reader.jar))
    page, _ = question(english, shop)
    for shown in ("Allow this application?", "Read your profile", "login name"):
        assert shown in page.text


def test_a_yes_goes_on_by_a_page_of_ours_and_is_taken_back(console: ConsoleSite, shop: str) -> None:
    reader = console.reader("staff")
    _, transaction = question(reader, shop)
    form = {"transaction": transaction, "do": "allow"}
    assert reader.post("/oauth2/consent", form, origin="https://evil.example").status == 403
    # a browser holds our form-action 'self' against a redirect that follows a form of ours
    onward = reader.post("/oauth2/consent", form)
    assert (onward.status, f'href="{CALLBACK}?code=' in onward.text) == (200, True)
    assert reader.post("/oauth2/consent", form).status == 400
    own = reader.get("/me/consents")
    assert "商店 &lt;i&gt;" in own.text
    listed = orjson.loads(reader.get("/api/v1/iam/me/consents").body)["items"]
    assert [one["client"] for one in listed] == ["consent-shop"]
    exported = orjson.loads(reader.get("/me/export").body)["consents"]
    assert [(one["application"], one["scopes"]) for one in exported] == [
        ("consent-shop", ["openid", "profile"])
    ]
    everybody = console.reader("security-admin").get("/consents?account=staff")
    assert ("consent-shop" in everybody.text, listed[0]["id"] in everybody.text) == (True, True)
    place = f"/me/consents/{listed[0]['id']}/revoke"
    assert console.reader("analyst").post(place).status == 404
    assert reader.post(place).headers["location"] == "/me/consents"
    assert "您没有给予任何应用授权" in reader.get("/me/consents").text


def test_an_administrator_takes_back_a_consent(console: ConsoleSite, shop: str) -> None:
    reader, admin = console.reader("staff"), console.reader("security-admin")
    _, transaction = question(reader, shop)
    reader.post("/oauth2/consent", {"transaction": transaction, "do": "allow"})
    (listed,) = orjson.loads(admin.get("/api/v1/iam/consents?account=staff").body)["items"]
    assert (listed["account_name"], [one["scope"] for one in listed["scopes"]]) == (
        "staff",
        ["openid", "profile"],
    )
    assert console.reader("audit-admin").post(f"/consents/{listed['id']}/revoke").status == 403
    sent = admin.post(f"/consents/{listed['id']}/revoke", {"reason": "over"})
    assert sent.headers["location"] == "/consents"
    assert orjson.loads(admin.get("/api/v1/iam/consents?account=staff").body)["items"] == []
    assert "format" not in admin.get("/consents?format=csv").text


def test_a_question_without_its_session_is_refused(console: ConsoleSite, shop: str) -> None:
    reader = console.reader("staff")
    sent = reader.get(shop)
    stranger = Reader(console.site).get(sent.headers["location"])
    assert (stranger.status, "登录请求已失效" in stranger.text) == (400, True)
    assert reader.get("/consent").status == 400
