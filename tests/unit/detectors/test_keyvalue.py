"""Pairs of firewalls of several makers; no bytes bring a parser down."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.formats.detect import LINE_PARSERS, detect
from detectors.core.formats.keyvalue import MAX_PAIRS, parse_keyvalue, read_pairs
from detectors.core.formats.live import header_host, read_live
from detectors.core.formats.reader import read_records
from detectors.core.formats.record import BadLine, Context
from detectors.core.formats.syslog import parse_syslog
from secops.kernel.clock import from_rfc3339
from secops.kernel.logs import Value

NOW = from_rfc3339("2026-11-23T04:00:00Z")
LIVE = Context(ZoneInfo("Asia/Shanghai"), NOW, arrival=NOW)
H3C = (
    "<190>May 5 02:59:34 2018 H3C %%10FILTER/6/FILTER_ZONE_IPV4_EXECUTION: SrcZoneName(1025)=Trust;"
    "DstZoneName(1035)=Untrust;Type(1067)=ACL;ObjectPolicy(1072)=Trust-Untrust;RuleID(1078)=0;"
    "Protocol(1001)=TCP;Application(1002)=http;SrcIPAddr(1003)=172.16.100.151;SrcPort(1004)=60417;"
    "DstIPAddr(1007)=10.181.72.79;DstPort(1008)=80;MatchCount(1069)=1;Event(1048)=Permit;"
)
HUAWEI = (
    "%%01SECLOG/6/SESSION_BUILT(l):IPVer=4,Protocol=udp,SourceIP=10.1.1.1, DestinationIP=10.1.1.2,"
    "SourcePort=1,DestinationPort=2,BeginTime=1452219708,SourceVpnID=0,DestinationVpnID=0."
)
TOPSEC = (
    'id=tos time="2021-11-25 10:52:06" fw=TopsecOS  pri=6 type=ac recorder=tos_fw_nat '
    "src=10.12.7.101 dst=10.0.98.143 sport=4048 dport=446 smac=00:e0:fc:86:54:0e proto=tcp "
    "indev=eth5 outdev=eth4 user= rule=accept connid=682102025"
)
FORTINET = (
    'date=2023-01-04 time=00:31:55 devname="fw01" devid="FG6H0" eventtime=1672788710057556994 '
    'tz="+0100" logid="0000000007" type="traffic" srcip=192.168.0.32 srcport=57451 dstip=10.1.1.1 '
    'action="deny" msg="said \\"src=1.1.1.1\\" twice"'
)
IPTABLES = (
    "Nov 22 17:31:23 gw kernel: [UFW BLOCK] IN=eth0 OUT= MAC=00:11:22 SRC=10.2.3.4 DST=10.2.3.5 "
    "LEN=40 PROTO=TCP SPT=4444 DPT=22 SYN"
)


def syslog(line: str) -> dict[str, Value]:
    return parse_syslog(line.encode(), LIVE).fields


def wanted(fields: dict[str, Value], *names: str) -> list[Value | None]:
    return [fields.get(name) for name in names]


ENDS = ("source.ip", "source.port", "destination.ip", "destination.port", "network.transport")


def test_h3c_names_carry_numbers_and_the_year_stands_behind() -> None:
    parsed = parse_syslog(H3C.encode(), LIVE)
    assert parsed.at == from_rfc3339("2018-05-04T18:59:34Z")
    assert wanted(parsed.fields, *ENDS) == ["172.16.100.151", "60417", "10.181.72.79", "80", "tcp"]
    assert wanted(parsed.fields, "host.name", "event.provider", "event.code") == [
        "H3C",
        "filter",
        "FILTER_ZONE_IPV4_EXECUTION",
    ]
    assert wanted(parsed.fields, "event.action", "event.outcome", "rule.name") == [
        "permit",
        "success",
        "Trust-Untrust",
    ]


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("<190>2016-01-08 10:21:48 USG6000E ", "USG6000E"),
        ("<190> 2016-01-08 10:21:48 USG6000E ", "USG6000E"),
        ("<190>Jan  8 2016 10:21:48 USG6000E ", "USG6000E"),
        ("<190>USG6000E ", "USG6000E"),
        ("<190>", None),
    ],
)
def test_huawei_with_any_of_its_headers(header: str, host: str | None) -> None:
    fields = syslog(header + HUAWEI)
    assert wanted(fields, *ENDS) == ["10.1.1.1", "1", "10.1.1.2", "2", "udp"]
    assert fields.get("host.name") == host
    assert fields["kv.DestinationVpnID"] == "0"


def test_topsec_bare_and_behind_a_header() -> None:
    parsed = parse_keyvalue(TOPSEC.encode(), LIVE)
    assert parsed.at == from_rfc3339("2021-11-25T02:52:06Z")
    ends = ["10.12.7.101", "4048", "10.0.98.143", "446", "tcp"]
    assert wanted(parsed.fields, *ENDS) == ends
    assert wanted(syslog(f"Nov 22 17:31:23 fw {TOPSEC}"), *ENDS) == ends
    assert parsed.fields["event.outcome"] == "success"


def test_a_quoted_value_is_one_value_whatever_it_looks_like() -> None:
    parsed = parse_keyvalue(FORTINET.encode(), LIVE)
    assert parsed.at == from_rfc3339("2023-01-03T23:31:55Z")
    assert parsed.fields["source.ip"] == "192.168.0.32"
    assert parsed.fields["message"] == 'said "src=1.1.1.1" twice'
    assert wanted(parsed.fields, "event.action", "event.outcome") == ["deny", "failure"]


def test_iptables_lines_of_the_kernel() -> None:
    fields = syslog(IPTABLES)
    assert wanted(fields, *ENDS) == ["10.2.3.4", "4444", "10.2.3.5", "22", "tcp"]
    assert fields["process.name"] == "kernel"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.2.3.4:55:X1", ("1.2.3.4", "55")),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("not an address", (None, None)),
    ],
)
def test_addresses_with_port_and_interface(
    value: str, expected: tuple[str | None, str | None]
) -> None:
    fields: dict[str, Value] = {}
    read_pairs(f'src="{value}" a=1 b=2', fields)
    assert (fields.get("source.ip"), fields.get("source.port")) == expected


@pytest.mark.parametrize(
    "line", [b"a=1 b=2", b"no pairs here", b'time="never" a=1 b=2', b"a=1 b=2 c=3"]
)
def test_a_line_without_three_pairs_and_a_time_is_refused(line: bytes) -> None:
    with pytest.raises(BadLine):
        parse_keyvalue(line, Context(ZoneInfo("UTC"), NOW))


def test_what_is_no_port_is_none() -> None:
    fields: dict[str, Value] = {}
    assert read_pairs("sport=http dport=99999999 a=1", fields) == 3
    assert wanted(fields, "source.port", "destination.port") == [None, None]


def test_a_line_without_a_header_names_no_host() -> None:
    assert header_host(b"<999>Nov 22 17:31:23 gw p: x", LIVE) == ""
    assert header_host(b"<38>Nov 22 17:31:23 gw p: x", LIVE) == "gw"
    assert wanted(syslog("<38>app[7]: no header"), "process.name", "process.pid") == ["app", "7"]


def test_epoch_times_are_read() -> None:
    context = Context(ZoneInfo("UTC"), NOW)
    parsed = parse_keyvalue(b"eventtime=1672788710057556994 a=1 b=2", context)
    assert parsed.at == 1_672_788_710_057_556
    assert parse_keyvalue(b"BeginTime=1452219708 a=1 b=2", context).at == 1_452_219_708_000_000


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 100_000,
        'a="\\' * 50_000,
        "a=" * 100_000,
        "a=b," * 100_000,
        "a=b c " * 50_000,
        " a" * 100_000,
        "=" * 200_000,
        "x=(" + "1" * 200_000,
    ],
)
def test_hostile_lines_take_linear_time(text: str) -> None:
    begin = time.process_time()
    assert read_pairs(text, {}) <= MAX_PAIRS
    assert time.process_time() - begin < 2.0  # a promised limit: quadratic ones take minutes


def test_the_look_of_a_file_tells_pairs() -> None:
    lines = [TOPSEC.encode(), FORTINET.encode()]
    assert detect(b"", lines, Context(ZoneInfo("UTC"), NOW)) == "keyvalue"


@given(st.binary(max_size=400))
def test_no_parser_raises_anything_but_bad_line(raw: bytes) -> None:
    for parser in LINE_PARSERS.values():
        for context in (LIVE, Context(ZoneInfo("UTC"), NOW)):
            try:
                parser(raw, context)
            except BadLine:
                continue


PIECES = st.lists(
    st.sampled_from(
        [
            "<190>", "<38>1 ", "Nov 22 17:31:23 ", "2026-11-22T17:31:23Z ", "host ", "%%01A/6/B:",
            "app[1]: ", "CEF:0|a|b|c|d|e|5|", "src=1.2.3.4 ", 'msg="x', '" ', "a=1;", '[x@1 a="',
            "]",
            "type=EXECVE msg=audit(1.5:7): ", "a0=41 ", "-", " ", "\x1d", "{", "}", "\\", "time=",
            "10.0.0.1 - - [22/Nov/2026:17:31:23 +0800] ", '"GET / HTTP/1.1" 200 5', "\ud7ff",
            "date=",
        ]
    ),
    max_size=14,
)  # fmt: skip


@given(PIECES)
def test_no_crossing_of_formats_raises_anything_but_bad_line(pieces: list[str]) -> None:
    raw = "".join(pieces).encode()
    for name, parser in LINE_PARSERS.items():
        with contextlib.suppress(BadLine):
            parser(raw, LIVE)
        assert read_live(raw, name, LIVE).at <= NOW + 86_400_000_000
    assert isinstance(header_host(raw, LIVE), str)


def test_a_wrapped_line_is_read_by_its_sources_format() -> None:
    access = b'10.0.0.9 - - [22/Nov/2026:17:31:23 +0800] "GET /a HTTP/1.1" 404 5 "-" "x"'
    line = b"<134>Nov 22 17:31:23 web nginx: " + access
    parsed = read_live(line, "nginx", LIVE)
    assert wanted(parsed.fields, "url.path", "host.name", "event.module") == ["/a", "web", "nginx"]
    kept = read_live(b"<134>Nov 22 17:31:23 web nginx: rubbish", "nginx", LIVE)
    assert wanted(kept.fields, "message", "log.parse_error") == ["rubbish", "not_nginx"]


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "chosen"),
    [("Apache_2k.log", "apache"), ("Linux_2k.log", "syslog"), ("OpenSSH_2k.log", "sshd")],
)
def test_real_files_are_read_whole_and_a_second_time_alike(
    corpus: Path, name: str, chosen: str
) -> None:
    content = (corpus / "detection" / "loghub" / name).read_bytes()
    context = Context(ZoneInfo("UTC"), NOW)
    first = [(r.index, r.raw) for r in read_records(iter((content,)), chosen, context)]
    again = [(r.index, r.raw) for r in read_records(iter((content,)), "auto", context)]
    assert len(first) == 2_000
    assert first == again
