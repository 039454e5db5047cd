"""An alert told in words: one sentence, why, and whom it is about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.core.entities import (
    Entity,
    acts_query,
    common_fields,
    entities_of,
    risk_subject,
)
from detectors.core.formats.ledger import SOURCE as OWN_SOURCE
from detectors.core.telling.demands import demand_of, duration
from detectors.core.telling.reasons import asked, feature_name, likelier, why_of
from detectors.core.telling.sentences import sentence_of, title_of
from detectors.models.alert_page import MAX_CARDS
from detectors.models.alerts import Alert, AlertKind, Reason
from secops.kernel.catalogue import Text
from secops.kernel.clock import from_rfc3339
from secops.kernel.logs import And, LogEvent, Or, Term

AT = from_rfc3339("2026-11-22T18:00:00Z")
PLAIN = Alert(
    id="alr_1",
    org_id="org_root",
    kind="rule",
    rule_id="r1",
    rule_version="v1",
    title="Root signed in",
    severity="high",
    raised_at=AT,
    first_at=AT,
    last_at=AT,
    group=("user.name=root",),
    subjects={"user.name": "root", "source.ip": "198.51.100.9", "host.name": "web"},
    reasons=(
        Reason("event.action", "= ssh_login", "ssh_login"),
        Reason("user.name", "= root", "root"),
        Reason("ssh.method", "= publickey", "publickey"),
    ),
    event_ids=("e1",),
    event_count=1,
    custom={"title_zh": "root 直接登录"},
)
COUNTED = replace(
    PLAIN,
    kind="correlation",
    title="Guessing",
    custom={},
    last_at=AT + 57_000_000,
    subjects={"source.ip": "198.51.100.9"},
    reasons=(
        Reason("event_count", "≥ 5 / 300 s", "21 / 57 s"),
        Reason("source.ip", "group-by", "198.51.100.9"),
        Reason("rule", "SSH sign-in failed", "id"),
    ),
    event_count=21,
)


def counted(kind: str, expected: str, seen: str) -> Alert:
    return replace(COUNTED, reasons=(Reason(kind, expected, seen), *COUNTED.reasons[2:]))


def judged(rule: str, *reasons: Reason, kind: AlertKind = "anomaly") -> Alert:
    return replace(
        PLAIN,
        kind=kind,
        rule_id=rule,
        title="异常 / unusual",
        custom={},
        subjects={"user.id": "acc_1"},
        reasons=reasons,
    )


# the sentence


def test_a_rules_sentence_says_who_from_where_how_often_when_and_what_was_seen() -> None:
    assert sentence_of(PLAIN) == Text(
        "账户 root 从 198.51.100.9 在主机 web 上于 2026-11-23 02:00:00 1 次触发"
        "「root 直接登录」:ssh.method = publickey。",
        "Account root from 198.51.100.9 on host web set off “Root signed in” once "
        "at 2026-11-23 02:00:00 (Beijing time): ssh.method = publickey.",
    )


def test_what_kind_of_event_it_was_is_said_only_where_nothing_tells_more() -> None:
    vague = replace(PLAIN, reasons=PLAIN.reasons[:1], event_count=3, last_at=AT + 86_400_000_000)
    assert sentence_of(vague).en == (
        "Account root from 198.51.100.9 on host web set off “Root signed in” 3 times between "
        "2026-11-23 02:00:00 and 2026-11-24 02:00:00 (Beijing time): event.action = ssh_login."
    )
    assert sentence_of(replace(PLAIN, reasons=(), subjects={})).zh == (
        "有人于 2026-11-23 02:00:00 1 次触发「root 直接登录」。"
    )


def test_strangers_words_are_shortened() -> None:
    long = replace(PLAIN, subjects={"user.name": "x" * 5_000}, reasons=())
    assert len(sentence_of(long).zh) < 200


@pytest.mark.parametrize(
    ("kind", "expected", "seen", "zh", "en"),
    [
        (
            "event_count",
            "≥ 5 / 300 s",
            "21 / 57 s",
            "57 秒内 21 次「SSH sign-in failed」(规则要求 5 分钟内 ≥ 5)",
            "“SSH sign-in failed” 21 times within 57 s (asked: ≥ 5 in 5 min)",
        ),
        (
            "value_count",
            "value_count(user.name) ≥ 5 / 7200 s",
            "7 / 0 s",
            "1 秒内「SSH sign-in failed」涉及 7 个不同的 user.name(规则要求 2 小时内 ≥ 5)",
            "within 1 s “SSH sign-in failed” had 7 different user.name (asked: ≥ 5 in 2 h)",
        ),
        (
            "temporal_ordered",
            "temporal_ordered a ∧ b / 60 s",
            "2 / 9 s",
            "9 秒内「SSH sign-in failed」依次出现",
            "within 9 s “SSH sign-in failed” were seen one behind the other",
        ),
        (
            "value_sum",
            "value_sum(size) > 10 / 86400 s",
            "11 / 5 s",
            "5 秒内「SSH sign-in failed」的 size 之和为 11(规则要求 1 天内 > 10)",
            "within 5 s the sum of size in “SSH sign-in failed” was 11 (asked: > 10 in 1 d)",
        ),
        (
            "absence",
            "≥ 1 / 3600 s",
            "0 / 3600 s",
            "1 小时内没有出现「SSH sign-in failed」",
            "“SSH sign-in failed” was not seen for 1 h",
        ),
        (
            "first_seen",
            "source.ip: 86400 s",
            "198.51.100.9",
            "「SSH sign-in failed」的 source.ip 首次出现 198.51.100.9(1 天内未见过)",
            "source.ip of “SSH sign-in failed” was 198.51.100.9, not seen within 1 d before",
        ),
    ],
)
def test_a_correlations_sentence_says_what_was_measured_and_asked(
    kind: str, expected: str, seen: str, zh: str, en: str
) -> None:
    told = sentence_of(counted(kind, expected, seen))
    assert told.zh == f"有人从 198.51.100.9 于 2026-11-23 02:00:00 至 02:00:57,{zh}:「Guessing」。"
    assert told.en == (
        "Somebody from 198.51.100.9, between 2026-11-23 02:00:00 and 02:00:57 (Beijing time): "
        f"{en}, hence “Guessing”."
    )


@pytest.mark.parametrize(
    ("kind", "expected", "seen"),
    [
        ("event_count", "no window", "21 / 57 s"),
        ("event_count", "≥ 5 / 300 s", "no span"),
        ("value_count", "value_sum(x) ≥ 5 / 300 s", "7 / 1 s"),
        ("value_count", "value_count", "7 / 1 s"),
        ("first_seen", "no window", "x"),
    ],
)
def test_what_is_not_understood_is_told_as_a_rules_alert(
    kind: str, expected: str, seen: str
) -> None:
    alert = counted(kind, expected, seen)
    assert demand_of(alert) is None
    assert "21 times" in sentence_of(alert).en
    assert why_of(alert)[0].expected.en == expected


def test_a_correlation_without_named_rules_is_told_by_its_title() -> None:
    bare = replace(COUNTED, reasons=COUNTED.reasons[:1])
    assert "「Guessing」" in sentence_of(bare).zh
    assert demand_of(replace(COUNTED, reasons=())) is None
    assert demand_of(PLAIN) is None


def test_an_anomalous_sign_in_is_told_with_its_rank_and_what_weighed_most() -> None:
    alert = judged(
        "anomaly.login",
        Reason("risk", "< 99.75%", "99.90%"),
        Reason("source.country", "seen 0 times", "e^3.2 times likelier"),
        Reason("device", "seen 4 times", "e^-0.5 times likelier"),
        Reason("hour", "seen 1 times", "e^x times likelier"),
    )
    assert sentence_of(alert) == Text(
        "账户 acc_1 于 2026-11-23 02:00:00登录,比过往 99.90% 的登录更反常(告警线 99.75%)"
        ",主要因为来源(国家或地区)。",
        "Account acc_1 signed in at 2026-11-23 02:00:00 (Beijing time), less usual than 99.90% "
        "of earlier sign-ins (alerts begin at 99.75%), chiefly for source (country).",
    )
    why = why_of(alert)
    assert [each.condition.zh for each in why] == ["风险排位", "来源(国家或地区)", "设备", "hour"]
    assert why[1].expected == Text("此前见过 0 次", "seen 0 times before")
    assert why[1].seen.en == "+3.2 (nats: e^3.2 times likelier among others)"
    assert why[2].seen.zh.startswith("−0.5")


def test_unusual_volumes_and_first_uses_are_told_with_what_is_usual() -> None:
    volume = judged(
        "anomaly.volume",
        Reason("key_use", "12 an hour (own work hours)", "420"),
        Reason("z", "< 6", "9.1 (MAD 2, 6 weeks)"),
    )
    assert sentence_of(volume).zh == (
        "账户 acc_1 于 2026-11-23 02:00:00一小时内使用密钥 420 次,平常约 12 次。"
    )
    assert "420 uses of keys within an hour" in sentence_of(volume).en
    usual, deviation = why_of(volume)
    assert usual.expected.zh == "每小时 12 次(本人工作时段)"
    assert deviation.seen.zh == "9.1(绝对中位差 2,6 周历史)"
    first = judged(
        "anomaly.first_use",
        Reason("seal_use", "one of 3 used before", "seal:s1"),
        Reason("peers", "one of 5 used by peers", "never"),
    )
    assert sentence_of(first).zh == "账户 acc_1 于 2026-11-23 02:00:00首次用印:seal:s1。"
    assert [each.expected.zh for each in why_of(first)] == [
        "本人用过的 3 个之一",
        "同岗人员用过的 5 个之一",
    ]


def test_anomalies_of_another_make_are_told_as_they_are_written() -> None:
    strange = judged(
        "anomaly.other",
        Reason("x", "y", "z"),
        Reason("z", "< 6", "strange"),
        Reason("key_use", "4 an hour (new basis)", "9"),
        Reason("peers", "none", "never"),
    )
    assert "set off “unusual” once" in sentence_of(strange).en
    assert [each.seen.en for each in why_of(strange)] == ["z", "strange", "9", "never"]
    assert why_of(strange)[2].expected.zh == "每小时 4 次(new basis)"
    assert "触发" in sentence_of(judged("anomaly.login")).zh


def test_a_health_alert_is_told_by_its_title_and_what_was_found() -> None:
    ill = judged("r1", Reason("evaluation", "an answer", "ValueError"), kind="health")
    assert sentence_of(ill) == Text(
        "异常(2026-11-23 02:00:00起):evaluation ValueError。",
        "Unusual, at 2026-11-23 02:00:00 (Beijing time): evaluation ValueError.",
    )
    assert title_of(replace(PLAIN, title="a / b")) == Text("root 直接登录", "a / b")


# why


@pytest.mark.parametrize(
    ("expected", "zh"),
    [
        ("= root", "等于 root"),
        ("= field user.name", "等于字段 user.name"),
        ("starts with /a", "开头是 /a"),
        ("ends with b", "结尾是 b"),
        ("contains c", "包含 c"),
        ("like a*b", "形如 a*b"),
        ("matches ^a", "符合正则 ^a"),
        ("in 10.0.0.0/8", "属于网段 10.0.0.0/8"),
        ("present", "有该字段"),
        ("absent", "无该字段"),
        ("≥ 5", "≥ 5"),
    ],
)
def test_what_a_rule_asks_is_said_in_both_languages(expected: str, zh: str) -> None:
    assert asked(expected) == Text(zh, expected)


def test_the_why_table_of_a_rule_has_a_row_for_each_question() -> None:
    assert [each.seen.zh for each in why_of(PLAIN)] == ["ssh_login", "root", "publickey"]


def test_the_why_table_of_a_correlation_names_measure_group_and_rules() -> None:
    measured, group, rule = why_of(COUNTED)
    assert (measured.condition.en, measured.expected.en, measured.seen.en) == (
        "number of events",
        "≥ 5 within 5 min",
        "21 within 57 s",
    )
    assert (group.condition.zh, group.expected.zh) == ("source.ip", "分组依据")
    assert rule.expected == Text("SSH sign-in failed", "SSH sign-in failed")
    fields = why_of(counted("value_count", "value_count(user.name) ≥ 5 / 300 s", "7 / 1 s"))[0]
    assert fields.condition.en == "number of different values: user.name"
    first = why_of(counted("first_seen", "source.ip: 86400 s", "x"))[0]
    assert (first.expected.en, first.seen.en) == ("seen within 1 d", "x")
    odd = replace(COUNTED, reasons=(*COUNTED.reasons[:1], Reason("a", "= b", "b")))
    assert why_of(odd)[1].expected.zh == "等于 b"
    assert why_of(counted("new_kind", "x", "y"))[0].condition.en == "new_kind"


def test_durations_and_features_are_said_as_people_say_them() -> None:
    assert [duration(text).en for text in ("59 s", "90 s", "120 s", "1 w", "x s")] == [
        "59 s",
        "90 s",
        "2 min",
        "1 w",
        "x s",
    ]
    assert feature_name("agent.user_agent").en == "browser (whole name)"
    assert feature_name("strange.level").en == "strange"
    assert (likelier("e^1.5 times likelier"), likelier("x"), likelier("e^x times likelier")) == (
        1.5,
        None,
        None,
    )


# entities


def said_by(source: str, **fields: str) -> LogEvent:
    named = {name.replace("_", "."): value for name, value in fields.items()}
    return LogEvent(id="e", source=source, at=AT, ingested=AT, fields=named, raw=b"")


def test_entities_come_from_subjects_and_from_what_the_ledger_says_was_done_to_what() -> None:
    events = [
        said_by(OWN_SOURCE, target="key:k1", user_id="acc_1"),
        *(said_by(OWN_SOURCE, target=each) for each in ("seal:s1", "key:*", "report:r")),
    ]
    subjects = {"user.id": "acc_1", "source.ip": "10.1.1.1", "host.name": "web"}
    assert entities_of(subjects, events) == (
        Entity("account", "acc_1"),
        Entity("address", "10.1.1.1"),
        Entity("key", "k1"),
        Entity("seal", "s1"),
    )
    many = [said_by(OWN_SOURCE, target=f"key:k{number}") for number in range(99)]
    assert len(entities_of({}, many)) == MAX_CARDS


def test_what_a_foreign_log_says_is_none_of_ours_even_where_it_poses_as_the_ledger() -> None:
    line = said_by("web", user_name="ann", event_dataset="govsecops.ledger", target="key:k1")
    assert entities_of({"user.name": "ann", "source.ip": "10.1.1.1"}, [line]) == (
        Entity("account", "ann", own=False),
        Entity("address", "10.1.1.1"),
    )
    locked = said_by(OWN_SOURCE, user_id="acc_9", target="account:ann")
    assert entities_of({"user.name": "ann"}, [line, locked]) == (Entity("account", "ann"),)


def test_acts_are_searched_by_who_acted_or_by_what_it_was_done_to() -> None:
    assert acts_query(Entity("account", "ann")) == Or(
        (Term("user.id", "ann", quoted=True), Term("user.name", "ann", quoted=True))
    )
    assert acts_query(Entity("key", "k*")) == And(
        (Term("log.source", OWN_SOURCE, quoted=True), Term("target", "key:k*", quoted=True))
    )
    named = [Entity("address", "a"), Entity("seal", "s")]
    assert [risk_subject(each) for each in named] == ["address:a", ""]


def test_an_exception_is_offered_what_all_events_agree_on() -> None:
    events = [
        {"user.name": "root", "source.ip": "10.1.1.1", "event.action": "x"},
        {"user.name": "root", "source.ip": "10.1.1.2", "event.action": "x"},
    ]
    assert common_fields(events) == {"user.name": "root"}
    assert common_fields([]) == {}
    assert common_fields([{"user.name": ("a", "b")}]) == {}
