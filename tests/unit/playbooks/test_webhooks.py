"""Group robots: published signature vectors, limits in bytes, answers in the body."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.webhooks import (
    MAX_BODY,
    build_message,
    cut,
    dingtalk_sign,
    feishu_sign,
    read_answer,
)
from playbooks.models import Channel

NOW = 1_700_000_000_000_000
SECRET = "this is secret"
DINGTALK = "sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0="
FEISHU = "OfGzRzoUICBOoc8wVra1e4A1hPfbZ9zqXozA8CWVUuY="


def message(kind: str, secret: str = SECRET, text: str = "text") -> tuple[str, dict, dict]:
    channel = Channel(kind, "https://robot.example/send?key=k", secret)  # type: ignore[arg-type]
    built = build_message(channel, title="title", text=text, key="k1", now=NOW)
    return built.url, json.loads(built.body), dict(built.headers)


def test_signatures_are_those_of_the_two_platforms() -> None:
    assert dingtalk_sign(SECRET, 1_700_000_000_000) == DINGTALK
    assert feishu_sign(SECRET, 1_700_000_000) == FEISHU


def test_dingtalk_signs_in_the_query_and_feishu_in_the_body() -> None:
    url, body, _ = message("dingtalk")
    query = parse_qs(urlsplit(url).query)
    assert query == {"key": ["k"], "timestamp": ["1700000000000"], "sign": [DINGTALK]}
    assert body == {"msgtype": "text", "text": {"content": "title\ntext"}}
    url, body, _ = message("feishu")
    assert url == "https://robot.example/send?key=k"
    assert body == {
        "msg_type": "text",
        "content": {"text": "title\ntext"},
        "timestamp": "1700000000",
        "sign": FEISHU,
    }


def test_without_a_secret_nothing_is_signed_and_wecom_never_is() -> None:
    assert message("dingtalk", "")[0] == "https://robot.example/send?key=k"
    assert "sign" not in message("feishu", "")[1]
    assert message("wecom")[:2] == (
        "https://robot.example/send?key=k",
        {"msgtype": "text", "text": {"content": "title\ntext"}},
    )


def test_a_generic_receiver_can_check_who_sent_and_see_repeats() -> None:
    channel = Channel("generic", "https://hook.example", "s")
    built = build_message(channel, title="t", text="x", key="k1", now=NOW)
    headers = dict(built.headers)
    expected = hmac.digest(b"s", b"1700000000." + built.body, hashlib.sha256).hex()
    assert headers["x-secops-signature"] == f"t=1700000000,v1={expected}"
    assert headers["idempotency-key"] == "k1"
    assert "x-secops-signature" not in message("generic", "")[2]


def test_a_url_without_a_query_gets_one() -> None:
    channel = Channel("dingtalk", "https://robot.example/send", SECRET)
    assert "/send?timestamp=" in build_message(channel, title="", text="", key="", now=NOW).url


def test_secrets_do_not_show_in_representations() -> None:
    channel = Channel("dingtalk", "https://robot.example/?access_token=t0k", "s3cret")
    built = build_message(channel, title="t", text="x", key="k", now=NOW)
    assert "t0k" not in repr(channel) + repr(built)
    assert "s3cret" not in repr(channel) + repr(built)


@given(st.text(max_size=60), st.integers(4, 100))
def test_text_is_cut_between_characters(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short.encode()) <= max(limit, len(text.encode()) if short == text else 0)
    assert short == text or text.startswith(short.removesuffix("…"))


def test_wecom_takes_2048_bytes() -> None:
    content = message("wecom", text="安" * 2_000)[1]["text"]["content"]
    assert len(content.encode()) <= 2_048
    assert content.endswith("…")


def test_feishu_takes_20_kilobytes_of_body_however_the_text_is_escaped() -> None:
    channel = Channel("feishu", "https://robot.example/send", SECRET)
    built = build_message(channel, title="t", text='"\\' * 10_000, key="k", now=NOW)
    assert 10_000 < len(built.body) <= MAX_BODY
    assert json.loads(built.body)["content"]["text"].endswith("…")


@pytest.mark.parametrize("kind", ["feishu", "wecom", "dingtalk"])
def test_a_name_from_a_log_becomes_no_mention_and_no_link(kind: str) -> None:
    hostile = '<at user_id="all">所有人</at> [点此](https://evil.example) @all'
    body = json.dumps(message(kind, text=hostile)[1], ensure_ascii=False)
    assert "<at" not in body
    assert "](" not in body
    assert "@" not in body


@pytest.mark.parametrize(
    ("kind", "status", "body", "came", "why"),
    [
        ("dingtalk", 200, b'{"errcode":0}', "accepted", ""),
        ("dingtalk", 200, b'{"errcode":310000}', "refused", "errcode 310000"),
        ("dingtalk", 200, b'{"errcode":130101}', "busy", "errcode 130101"),
        ("feishu", 200, b'{"code":0}', "accepted", ""),
        ("feishu", 200, b'{"code":11232}', "busy", "code 11232"),
        ("wecom", 200, b'{"errcode":45009}', "busy", "errcode 45009"),
        ("wecom", 200, b'{"errcode":false}', "unclear", "errcode is no number"),
        ("wecom", 200, b"[]", "unclear", "no errcode in the answer"),
        ("wecom", 200, b"<html>", "unclear", "no errcode in the answer"),
        ("feishu", 200, b"{}", "unclear", "no code in the answer"),
        ("generic", 204, b"", "accepted", ""),
        ("generic", 500, b"", "unclear", "HTTP 500"),
        ("generic", 429, b"", "busy", "HTTP 429"),
        ("generic", 404, b"", "refused", "HTTP 404"),
        ("dingtalk", 302, b'{"errcode":0}', "refused", "HTTP 302"),
    ],
)
def test_success_is_in_the_body(kind: str, status: int, body: bytes, came: str, why: str) -> None:
    answer = read_answer(kind, status, body)  # type: ignore[arg-type]
    assert (answer.came, answer.why) == (came, why)
