"""How messages leave: limits of robots, back-off, quiet hours, words, addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.notifications.addresses import mail_address, masked_mail, webhook_host
from playbooks.core.notifications.rates import LIMITS, MAX_TRIES, pause, remembered, room
from playbooks.core.notifications.wanted import send_at, wants
from playbooks.core.notifications.wording import body, digest, headline, spoken, titled
from playbooks.models.notifications import HouseEvent, Subscription
from secops.kernel.clock import BEIJING, HOUR, MINUTE, SECOND

NOW = 1_700_000_000 * SECOND
SIX = -NOW % (24 * HOUR) + NOW - 2 * HOUR  # 06:00 in Beijing


def test_dingtalk_takes_twenty_in_any_minute_and_never_the_twenty_first() -> None:
    sent = [NOW - MINUTE + 1] + [NOW] * 18
    assert room("dingtalk", sent, NOW).free == 1
    full = [NOW - MINUTE + 1] + [NOW] * 19
    assert room("dingtalk", full, NOW).free == 0
    assert room("dingtalk", full, NOW).again_at == NOW + 1
    assert room("dingtalk", full, NOW + 1).free == 1


def test_feishu_takes_five_a_second_and_a_hundred_a_minute() -> None:
    assert room("feishu", [NOW] * 5, NOW).free == 0
    assert room("feishu", [NOW] * 5, NOW).again_at == NOW + SECOND
    spread = [NOW - (i + 1) * SECOND // 2 for i in range(100)]
    assert room("feishu", spread, NOW).free == 0
    assert room("feishu", [], NOW).free == 5


@given(st.sampled_from(list(LIMITS)), st.lists(st.integers(0, 300), max_size=80))
def test_whatever_arrives_no_window_ever_holds_more_than_its_limit(
    kind: str, gaps: list[int]
) -> None:
    now, sent, all_sent = NOW, [], []
    for gap in gaps:
        now += gap * SECOND // 20
        sent = remembered(kind, sent, now)  # type: ignore[arg-type]
        if room(kind, sent, now).free:  # type: ignore[arg-type]
            sent.append(now)
            all_sent.append(now)
    for limit in LIMITS[kind]:  # type: ignore[index]
        for at in all_sent:
            assert sum(at <= other < at + limit.span for other in all_sent) <= limit.count


def test_a_clock_set_back_forgets_nothing() -> None:
    assert remembered("wecom", [NOW + HOUR, NOW - HOUR, NOW], NOW) == [NOW, NOW]


def test_tries_come_ever_later_with_a_jitter_and_end() -> None:
    assert pause(1, 0) == 30 * SECOND
    assert pause(1, 255) == 30 * SECOND + 30 * SECOND * 255 // 512
    assert pause(MAX_TRIES - 1, 0) == 32 * MINUTE
    assert pause(MAX_TRIES, 0) is None


def event(**given: object) -> HouseEvent:
    values = {
        "org_id": "org_a",
        "kind": "alert",
        "key": "k",
        "subject": "alert:1",
        "severity": "high",
        "name": "SSH 爆破",
        "path": "/alerts/1",
        "at": NOW,
    }
    return HouseEvent(**{**values, **given})  # type: ignore[arg-type]


def subscription(**given: object) -> Subscription:
    values = {
        "id": "sub_1",
        "org_id": "org_a",
        "event": "alert",
        "min_severity": "high",
        "target": "channel:chn_1",
        "quiet_from": 22 * 60,
        "quiet_until": 7 * 60,
        "changed_by": "acc_1",
        "changed_at": 0,
    }
    return Subscription(**{**values, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, True),
        ({"severity": "critical"}, True),
        ({"severity": "medium"}, False),
        ({"kind": "incident"}, False),
        ({"org_id": "org_b"}, False),
    ],
)
def test_an_event_is_wanted_by_its_organisation_kind_and_severity(
    given: dict[str, str],
    expected: bool,  # noqa: FBT001 - parametrised
) -> None:
    assert wants(subscription(), event(**given)) is expected


def test_quiet_hours_hold_messages_until_they_end_except_what_is_critical() -> None:
    over_night = subscription()
    assert send_at(over_night, "high", SIX, BEIJING) == SIX + HOUR
    assert send_at(over_night, "critical", SIX, BEIJING) == SIX
    assert send_at(over_night, "high", SIX + HOUR, BEIJING) == SIX + HOUR
    assert send_at(over_night, "high", SIX + 17 * HOUR, BEIJING) == SIX + 25 * HOUR
    at_noon = subscription(quiet_from=12 * 60, quiet_until=14 * 60)
    assert send_at(at_noon, "high", SIX + 7 * HOUR, BEIJING) == SIX + 8 * HOUR
    assert send_at(at_noon, "high", SIX, BEIJING) == SIX
    none = subscription(quiet_from=0, quiet_until=0)
    assert send_at(none, "high", SIX, BEIJING) == SIX


@pytest.mark.parametrize(
    "personal",
    ["13812345678", "+86 138-1234-5678", "11010519491231002X", "zhang.wei@example.gov.cn"],
)
def test_numbers_and_addresses_of_people_do_not_leave(personal: str) -> None:
    assert spoken(f"联系 {personal} 处理") == "联系 *** 处理"


def test_a_message_keeps_its_lines_and_loses_what_turns_text_around() -> None:
    assert spoken("a\r\nb\x1b[31m\u202ec") == "a\nb [31m c"
    assert titled("a\nb", "zh", drill=False) == "a b"
    assert titled("a", "zh", drill=True) == "【演练】a"
    assert titled("a", "en", drill=True) == "[DRILL] a"
    assert body(" x ", "https://s/i") == "x\nhttps://s/i"
    assert body("", "") == ""


def test_a_headline_says_what_how_bad_and_its_name_in_the_readers_language() -> None:
    assert headline(event(), "zh") == "告警(高):SSH 爆破"
    assert headline(event(severity="critical"), "en") == "An alert (critical): SSH 爆破"


def test_a_digest_counts_what_it_does_not_show() -> None:
    assert digest(["a", "b"], "en") == ("2 notices in one", "· a\n· b")
    title, text = digest([str(i) for i in range(12)], "zh")
    assert (title, text.splitlines()[-1]) == ("12 条通知合并发送", "……另有 2 条")


def test_a_mail_address_has_one_spelling_and_its_domain_may_be_chinese() -> None:
    assert mail_address(" Zhang.Wei@Example.GOV.cn ") == "Zhang.Wei@example.gov.cn"
    assert mail_address("a@市政府.cn") == "a@xn--7st6m03o.cn"
    assert masked_mail("zhang@example.cn") == "z***@example.cn"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a",
        "a@b",
        "@b.cn",
        "a@-b.cn",
        "a b@c.cn",
        "a@b.cn\r\nBcc: x@y.cn",
        "a,b@c.cn",
        "x" * 65 + "@b.cn",
        "a@" + "b" * 300 + ".cn",
        "a@b..cn",
        "张@b.cn",
    ],
)
def test_what_is_no_mail_address_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="mail address"):
        mail_address(bad)


def test_only_the_host_of_a_webhook_is_shown() -> None:
    assert webhook_host("https://oapi.dingtalk.com/robot/send?access_token=t") == (
        "oapi.dingtalk.com"
    )


@pytest.mark.parametrize(
    "bad",
    [
        "http://robot.example/",
        "https:///x",
        "https://a:b@robot.example/",
        "https://robot.example:0/",
        "https://robot.example/ x",
        "https://机器人.cn/",
        "https://r.cn/" + "x" * 2_048,
        "https://[::1/",
    ],
)
def test_an_address_that_is_no_plain_https_url_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"URL|Invalid IPv6"):
        webhook_host(bad)
