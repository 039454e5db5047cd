"""Identity providers upstream: proposed by one, approved by another, offered at sign-in."""

from __future__ import annotations

import re

import orjson

from tests.fakes.console_site import ConsoleSite, Reader

SETTINGS = {"server_url": "http://localhost:9/cas"}
FORM = {
    "id": "test-cas",
    "title": "测试身份源",
    "kind": "cas",
    "settings": orjson.dumps(SETTINGS).decode(),
    "trust": '{"link_by": ["cn-id"]}',
    "secret": "a shared secret",
}


def test_a_provider_is_proposed_approved_tested_offered_and_disabled(console: ConsoleSite) -> None:
    admin, security = console.reader("system-admin"), console.reader("security-admin")
    assert admin.post("/upstreams", FORM).status == 303
    asked = re.search(r"/approvals/apr_[A-Za-z0-9]+", security.get("/upstreams").text)
    assert asked is not None
    decide = asked[0]
    waiting = security.get(decide).text
    assert "<ins>http://localhost:9/cas</ins>" in waiting
    assert "a shared secret" not in waiting
    assert admin.post(decide, {"do": "approve"}).status == 403
    assert security.post(decide, {"do": "approve", "reason": "ok"}).status == 303
    assert "测试身份源" in admin.get("/upstreams").text
    assert admin.post("/upstreams/test-cas/test").status == 200

    stranger = Reader(console.site)
    transaction = stranger._begin()
    page = stranger.get(f"/login?transaction={transaction}").text
    assert f"/login/upstream/test-cas?transaction={transaction}" in page
    there = stranger.get(f"/login/upstream/test-cas?transaction={transaction}")
    assert (there.status, there.headers["location"].split("?")[0]) == (
        303,
        "http://localhost:9/cas/login",
    )
    refused = stranger.get("/login/upstream/test-cas/callback?state=x&ticket=ST-1")
    assert refused.status == 401
    assert "统一身份认证未通过" in refused.text

    assert admin.post("/upstreams/test-cas/disable", {"reason": "over"}).status == 303
    assert "test-cas?transaction" not in stranger.get(f"/login?transaction={transaction}").text
