"""Sangfor's firewall logs, in both languages, with what its pairs can hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.formats.keyvalue import MAX_PAIRS
from detectors.core.formats.sangfor import is_sangfor, read_sangfor
from detectors.core.formats.syslog import parse_syslog
from secops.kernel.logs import Value
from tests.unit.detectors.test_keyvalue import LIVE, wanted

HEAD = "<134>Nov 22 11:05:16 localhost fwlog: "
ENDS = ("source.ip", "source.port", "destination.ip", "destination.port")
DONE = ("event.action", "event.outcome", "event.category", "event.module")
NETWORK = ["network", "sangfor"]


def read(message: str, head: str = HEAD) -> dict[str, Value]:
    return parse_syslog((head + message).encode(), LIVE).fields


def test_an_application_that_was_allowed() -> None:
    fields = read(
        "日志类型:服务控制或应用控制, 策略名称:-, 用户:(null), 源IP:10.1.2.3, 源端口:58006, "
        "目的IP:10.1.0.11, 目的端口:80, 应用类型:访问网站, 应用名称:HTTP_GET, 系统动作:允许"
    )
    assert wanted(fields, *ENDS) == ["10.1.2.3", "58006", "10.1.0.11", "80"]
    assert wanted(fields, *DONE) == ["allow", "success", *NETWORK]
    assert fields["event.provider"] == "服务控制或应用控制"
    assert fields["network.application"] == "HTTP_GET", "of two names the nearer one"
    assert fields["kv.应用类型"] == "访问网站"
    assert {"user.name", "rule.name", "kv.用户", "kv.策略名称"}.isdisjoint(fields)


def test_an_attack_that_was_refused_with_an_address_at_its_end() -> None:
    fields = read(
        "日志类型:WAF应用防护日志, 源IP:10.1.2.3, 源端口:1084, 目的IP:10.1.0.11, 目的端口:80, "
        "攻击类型:信息泄漏攻击, 严重级别:高, 系统动作:拒绝, URL:10.1.0.11/a?x=1,2, y=http://b"
    )
    assert wanted(fields, *DONE) == ["deny", "failure", *NETWORK]
    assert wanted(fields, "rule.category", "log.level") == ["信息泄漏攻击", "high"]
    assert fields["url.original"] == "10.1.0.11/a?x=1,2, y=http://b"


def test_what_was_only_recorded_is_no_outcome() -> None:
    fields = read("日志类型:网站访问, 用户:ann, 源IP:10.1.2.3, 应用名称:IT相关, 系统动作:被记录")
    assert wanted(fields, *DONE) == ["record", None, *NETWORK]
    assert fields["user.name"] == "ann"
    signed_out = read("日志类型:用户认证, 用户:ann, IP地址:10.1.2.3, 操作对象:注销, 登录时长:1569")
    assert wanted(signed_out, "event.action", "source.ip") == ["注销", "10.1.2.3"]


@pytest.mark.parametrize(("kind", "side"), [("snat", "source"), ("dnat", "destination")])
def test_a_translation_names_its_side(kind: str, side: str) -> None:
    fields = read(
        f"日志类型:NAT日志, NAT类型:{kind}, 源IP:10.1.2.3, 源端口:1799, 目的IP:203.0.113.9, "
        "目的端口:443, 协议:6, 转换后的IP:198.51.100.7, 转换后的端口:2001",
        "<23>Nov 22 14:51:25 localhost nat: ",
    )
    assert wanted(fields, *ENDS) == ["10.1.2.3", "1799", "203.0.113.9", "443"]
    assert wanted(fields, f"{side}.nat.ip", f"{side}.nat.port") == ["198.51.100.7", "2001"]
    assert fields["network.transport"] == "tcp"
    assert fields["event.module"] == "sangfor"


def test_a_translation_of_unknown_kind_is_kept_as_it_is_written() -> None:
    fields = read("日志类型:NAT日志, NAT类型:other, 源IP:10.1.2.3, 转换后的IP:198.51.100.7")
    assert fields["kv.转换后的IP"] == "198.51.100.7"
    assert not [name for name in fields if ".nat." in name]
    half = read("日志类型:NAT日志, NAT类型:snat, 源IP:10.1.2.3, 转换后的IP:198.51.100.7")
    assert wanted(half, "source.nat.ip", "source.nat.port") == ["198.51.100.7", None]


def test_the_same_in_english() -> None:
    fields = read(
        "Log type: APT detection, policy name:inside, rule ID:7, src IP: 10.8.2.201, "
        "src port:50815, dst IP: 0.0.0.0, dst port: 53, attack type: Botnet, "
        "threat level:Information, "
        "action:Denied, URL:pool.example.org"
    )
    assert wanted(fields, *ENDS) == ["10.8.2.201", "50815", "0.0.0.0", "53"]  # noqa: S104 - as sent
    assert wanted(fields, *DONE) == ["deny", "failure", *NETWORK]
    names = ("rule.name", "rule.id", "rule.category", "log.level", "url.original")
    assert wanted(fields, *names) == ["inside", "7", "Botnet", "information", "pool.example.org"]


def test_addresses_and_ports_that_are_none_stay_pairs() -> None:
    fields = read("日志类型:流量审计, 用户名/主机:张伟, 源端口:many, 上行流量(KB):14450, 协议:UDP")
    assert {"source.ip", "source.port"}.isdisjoint(fields)
    assert wanted(fields, "kv.用户名/主机", "kv.源端口") == ["张伟", "many"]
    assert wanted(fields, "kv.上行流量(KB)", "network.transport") == ["14450", "udp"]


def test_wide_colons_are_colons_and_pairs_are_bounded() -> None:
    assert read("日志类型\uff1a系统操作, 用户\uff1aann")["user.name"] == "ann"
    fields: dict[str, Value] = {}
    read_sangfor("日志类型:x" + ", a:b" * 10_000, fields)
    assert len(fields["kv.a"]) == MAX_PAIRS - 1
    assert not is_sangfor("kernel: 日志类型:x")


PIECES = st.sampled_from(
    [*"日:, aI源-()\n\x00", "源IP:10.0.0.1", "日志类型:", ", ", "NAT类型:snat"]
)


@given(st.lists(PIECES))
def test_no_text_brings_it_down(pieces: list[str]) -> None:
    fields: dict[str, Value] = {}
    read_sangfor("".join(pieces), fields)
    assert fields["event.module"] == "sangfor"
