"""Web, audit, CEF, JSON Lines and raw EVTX; files told apart; lines cut and numbered."""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.formats.auditd import parse_auditd
from detectors.core.formats.cef import parse_cef
from detectors.core.formats.detect import FORMATS, detect
from detectors.core.formats.ecs import parse_ecs, parse_jsonl
from detectors.core.formats.evtx import parse_record
from detectors.core.formats.line import Line, Record, Reject
from detectors.core.formats.reader import (
    KEPT_OF_LONG,
    MAX_LINE,
    read_lines,
    read_piece,
    read_records,
)
from detectors.core.formats.record import BadLine, Context, Parser
from detectors.core.formats.times import epoch_time, iso_time
from detectors.core.formats.web import parse_apache, parse_nginx
from detectors.models.privacy import Prepared
from secops.kernel.clock import DAY, from_rfc3339

ZONE = ZoneInfo("Asia/Shanghai")
CONTEXT = Context(ZONE, from_rfc3339("2026-11-24T00:00:00Z"))
EPOCH_1 = "1970-01-01T00:00:01Z"
SAMPLES = Path(__file__).parents[3] / "samples"


def fields_of(parser: Parser, line: str) -> dict[str, object]:
    parsed = parser(line.encode(), CONTEXT)
    return {**parsed.fields, "at": parsed.at}


def reason_of(parser: Parser, line: str | bytes) -> str:
    with pytest.raises(BadLine) as caught:
        parser(line if isinstance(line, bytes) else line.encode(), CONTEXT)
    return caught.value.reason


def chunks(content: bytes, size: int = 1 << 18) -> Iterator[bytes]:
    return iter([content[n : n + size] for n in range(0, len(content), size)])


def everything(
    content: bytes, format_name: str = "auto", context: Context = CONTEXT
) -> tuple[list[Record], list[Reject]]:
    items = list(read_records(chunks(content), format_name, context))
    return (
        [item for item in items if isinstance(item, Record)],
        [item for item in items if isinstance(item, Reject)],
    )


def test_an_access_line_of_nginx() -> None:
    line = (
        '::ffff:10.1.2.3 - ann b [22/Nov/2026:17:31:23 +0800] "GET /a%20b?x=%2e%2e HTTP/1.1" '
        '404 153 "https://x/" "Mozilla/5.0 \\"q\\"" "extra"'
    )

    assert fields_of(parse_nginx, line) == {
        "at": from_rfc3339("2026-11-22T09:31:23Z"),
        "event.module": "nginx",
        "event.category": "web",
        "event.action": "http_request",
        "event.outcome": "failure",
        "source.address": "::ffff:10.1.2.3",
        "source.ip": "10.1.2.3",
        "user.name": "ann b",
        "http.request.line": "GET /a%20b?x=%2e%2e HTTP/1.1",
        "http.request.method": "GET",
        "http.version": "1.1",
        "url.original": "/a%20b?x=%2e%2e",
        "url.path": "/a%20b",
        "url.query": "x=%2e%2e",
        "url.decoded": "/a b?x=..",
        "http.response.status_code": "404",
        "http.response.body.bytes": "153",
        "http.request.referrer": "https://x/",
        "user_agent.original": 'Mozilla/5.0 \\"q\\"',
    }


def test_odd_requests_are_kept_whole() -> None:
    head = '10.1.2.3 - - [22/Nov/2026:17:31:23 +0800] "'
    junk = fields_of(parse_apache, head + '\\x16\\x03\\x01" 400 -')
    old = fields_of(parse_apache, head + 'GET /%ff%D6%D0" 200 5 "-" "-"')

    assert junk["http.request.line"] == "\\x16\\x03\\x01"
    assert "url.original" not in junk
    assert "http.response.body.bytes" not in junk
    assert old["url.decoded"] == "/\xff\xd6\xd0"
    assert "http.version" not in old
    assert old["event.outcome"] == "success"


def test_error_logs_of_both_servers() -> None:
    nginx = fields_of(
        parse_nginx,
        "2026/11/22 17:31:23 [error] 77#77: *1 open() failed, client: 10.1.2.3, server: , "
        'request: "GET /x HTTP/1.1", host: "h"',
    )
    notice = fields_of(parse_nginx, "2026/11/22 17:31:23 [notice] 77#0: started")
    apache = fields_of(
        parse_apache,
        "[Sun Nov 22 17:31:23.123456 2026] [core:error] [pid 7:tid 1] [client 10.1.2.3:5] denied",
    )
    old = fields_of(parse_apache, "[Sun Dec 04 04:47:44 2005] [error] [client fe80::1] x")

    assert (nginx["source.ip"], nginx["url.original"], nginx["log.level"]) == (
        "10.1.2.3",
        "/x",
        "error",
    )
    assert "source.ip" not in notice
    assert (apache["source.ip"], apache["process.pid"]) == ("10.1.2.3", "7")
    assert apache["at"] == from_rfc3339("2026-11-22T09:31:23.123456Z")
    assert old["source.ip"] == "fe80::1"


def test_lines_of_another_format_are_refused() -> None:
    assert reason_of(parse_nginx, "hello") == "not_nginx"
    for stamp in ("32/Nov/2026:00:00:00 +0800", "01/Foo/2026:00:00:00 +0800"):
        assert reason_of(parse_nginx, f'1.2.3.4 - - [{stamp}] "GET /" 200 1') == "bad_time"
    assert reason_of(parse_apache, "[Foo Dec 04 04:47:44 2005] [error] x") == "bad_time"
    assert reason_of(parse_auditd, "hello") == "not_auditd"
    assert reason_of(parse_cef, "hello") == "not_cef"
    assert reason_of(parse_cef, "CEF:0|too|short") == "not_cef"
    assert reason_of(parse_cef, "CEF:0|v|p|1|100|n|5|src=1.2.3.4") == "no_time"


def test_an_audit_record_with_hex_and_inner_message() -> None:
    execve = fields_of(
        parse_auditd,
        'node=gw type=EXECVE msg=audit(1364481363.243:24287): argc=2 a0="cat" a1=2F6574632F70 '
        "exe=/bin/cat success=no",
    )
    login = fields_of(
        parse_auditd,
        'type=USER_LOGIN msg=audit(1364481363.243:9): pid=7 uid=0 msg=\'op=login acct="root" '
        'addr=10.1.2.3 terminal=ssh res=failed\'\x1dUID="root"',
    )

    assert execve["at"] == 1_364_481_363_243_000
    assert (execve["a1"], execve["host.name"], execve["event.outcome"]) == (
        "/etc/p",
        "gw",
        "failure",
    )
    assert execve["audit.serial"] == "24287"
    assert (login["user.name"], login["source.ip"], login["event.action"]) == (
        "root",
        "10.1.2.3",
        "login",
    )
    assert login["event.outcome"] == "failure"


def test_cef_header_and_extension() -> None:
    fields = fields_of(
        parse_cef,
        r"CEF:0|Ven\|dor|Prod\\|1.0|100|na\\me|9|src=10.1.2.3 dst=nowhere msg=a \= b c request="
        r"http://x/?a\=1 rt=1364481363243",
    )

    assert fields["cef.vendor"] == "Ven|dor"
    assert fields["cef.product"] == "Prod\\"
    assert fields["source.ip"] == "10.1.2.3"
    assert "destination.ip" not in fields
    assert fields["message"] == "a = b c"
    assert fields["url.original"] == "http://x/?a=1"
    assert fields["at"] == 1_364_481_363_243_000
    later = fields_of(parse_cef, "x CEF:1|v|p|1|1|n|1|end=2026-11-22T00:00:00Z")
    assert later["at"] == from_rfc3339("2026-11-22T00:00:00Z")


def test_ecs_documents_become_dotted_names() -> None:
    line = (
        '{"@timestamp":"2026-11-22T00:00:00","user":{"name":"ann","id":5.0},"tags":["a",null,"b"],'
        '"one":["x"],"none":null,"empty":[],"text":"","flag":true,"rate":0.5,'
        '"list":[{"k":1},{"k":2}],"deep":[[1],[2]]}'
    )

    assert fields_of(parse_ecs, line) == {
        "at": from_rfc3339("2026-11-21T16:00:00Z"),
        "user.name": "ann",
        "user.id": "5",
        "tags": ("a", "b"),
        "one": "x",
        "text": "",
        "flag": "true",
        "rate": "0.5",
        "list.k": ("1", "2"),
        "deep": ("1", "2"),
    }


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ('{"ts": 1364481363.25}', 1_364_481_363_250_000),
        ('{"timestamp": 1364481363243}', 1_364_481_363_243_000),
        ('{"time": "2026-11-22T00:00:00Z"}', from_rfc3339("2026-11-22T00:00:00Z")),
        (
            orjson.dumps(
                {"Event": {"System": {"TimeCreated": {"#attributes": {"SystemTime": EPOCH_1}}}}}
            ).decode(),
            1_000_000,
        ),
    ],
)
def test_json_lines_find_their_time(line: str, at: int) -> None:
    assert parse_jsonl(line.encode(), CONTEXT).at == at


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not_json"),
        ("[1]", "not_json"),
        ("{}", "no_time"),
        ('{"time": true}', "bad_time"),
        ('{"time": "yesterday"}', "bad_time"),
        ('{"time": -5}', "bad_time"),
        ('{"time": 1e300}', "bad_time"),
        ('{"Event": {}}', "no_time"),
        ('{"time": 1, "a": ' + '[{"b":' * 40 + "1" + "}]" * 40 + "}", "too_deep"),
        ('{"time": 1, "a": ' + "[" * 40 + "1" + "]" * 40 + "}", "too_deep"),
        ('{"time": 1, "a": ' + '{"b":' * 40 + "1" + "}" * 41, "too_deep"),
        (
            '{"Event":{"System":{"TimeCreated":{"#attributes":{"SystemTime":"1970-01-01T00:00:01Z"'
            '}}},"EventData":' + '{"b":' * 40 + "1" + "}" * 42,
            "too_deep",
        ),
        (orjson.dumps({"time": 1, **{f"f{n}": n for n in range(1_100)}}), "too_many_fields"),
        (b"\xff\xff\xff", "not_json"),
    ],
)
def test_bad_json_lines_are_refused_with_the_reason(line: str | bytes, reason: str) -> None:
    assert reason_of(parse_jsonl, line) == reason


def test_ecs_needs_its_timestamp_and_gb18030_json_is_read() -> None:
    assert reason_of(parse_ecs, '{"time": 1}') == "no_time"
    line = '{"@timestamp":"2026-11-22T00:00:00Z","user.name":"张伟"}'.encode("gb18030")
    assert parse_ecs(line, CONTEXT).fields == {"user.name": "张伟"}


def test_times_that_are_none_are_refused() -> None:
    for text in ("x.5", "-1", "9" * 15, ""):
        with pytest.raises(BadLine):
            epoch_time(text)
    assert epoch_time("5.x") == 5_000_000
    with pytest.raises(BadLine):
        iso_time("99999-01-01", ZONE)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"ElfFile\x00rest", "evtx"),
        (b'\n{"@timestamp":"2026-11-22T00:00:00Z"}\n', "ecs"),
        (b'{"@timestamp":"x","Event":{}}', "jsonl"),
        (b'{broken\n{"a":1}', "jsonl"),
        (b"{broken", "jsonl"),
        (b"type=X msg=audit(1.2:3): a=b", "auditd"),
        (b'1.2.3.4 - - [22/Nov/2026:17:31:23 +0800] "GET / HTTP/1.1" 200 1 "-" "-"', "nginx"),
        (b"[Sun Dec 04 04:47:44 2005] [error] x", "apache"),
        (b"CEF:0|v|p|1|1|n|1|rt=1364481363243", "cef"),
        (b"rubbish\nNov 22 17:31:23 gw x: y", "syslog"),
        (b"\x00\x01\x02", None),
        (b"", None),
    ],
)
def test_files_are_told_apart(content: bytes, expected: str | None) -> None:
    assert detect(content, content.split(b"\n"), CONTEXT) == expected


@given(
    content=st.binary(max_size=80).map(lambda b: b.replace(b"z", b"\n")),
    size=st.integers(min_value=1, max_value=9),
)
def test_cutting_does_not_depend_on_the_chunks(content: bytes, size: int) -> None:
    whole = list(read_lines([content]))

    assert list(read_lines(chunks(content, size))) == whole
    assert [line.raw for line in whole] == [
        line.removesuffix(b"\r") for line in content.split(b"\n")[: len(whole)]
    ]
    for line in whole:
        assert content[line.offset : line.offset + line.length].removesuffix(b"\r") == line.raw


def test_a_ten_megabyte_line_is_one_reject_and_the_rest_is_stored() -> None:
    good = b"Nov 22 17:31:23 gw sshd: ok\n"
    records, rejects = everything(good + b"x" * (10 << 20) + b"\n" + good)

    assert [record.index for record in records] == [0, 2]
    assert [(r.index, r.reason, r.length) for r in rejects] == [(1, "line_too_long", 10 << 20)]


def test_an_endless_line_keeps_memory_bounded() -> None:
    pieces = (b"x" * (1 << 20) for _ in range(40))
    (line,) = list(read_lines(pieces))

    assert line.length == 40 << 20
    assert len(line.raw) == KEPT_OF_LONG


def test_binary_rubbish_is_refused_line_by_line() -> None:
    rubbish = bytes(range(256)) * 40
    records, rejects = everything(rubbish)

    assert records == []
    assert {reject.reason for reject in rejects} == {"unknown_format"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030", "utf-16-le"])
def test_encodings_are_read(encoding: str) -> None:
    text = "Nov 22 17:31:23 gw sshd: Invalid user 张伟 from 1.2.3.4\r\n" * 2
    named = Context(ZONE, CONTEXT.latest, encoding="utf-16-le" if encoding == "utf-16-le" else None)
    records, rejects = everything(text.encode(encoding), context=named)

    assert rejects == []
    assert [record.parsed.fields["user.name"] for record in records] == ["张伟"] * 2


def test_a_named_encoding_wins_over_a_foreign_mark() -> None:
    context = Context(ZONE, CONTEXT.latest, encoding="utf-16-be")
    text = "Nov 22 17:31:23 gw x: y\n"

    assert len(everything(text.encode("utf-16-be"), context=context)[0]) == 1
    assert len(everything(b"\xef\xbb\xbf" + text.encode(), "syslog", CONTEXT)[0]) == 1


def test_lines_are_prepared_before_anything_reads_them() -> None:
    context = Context(
        ZONE, CONTEXT.latest, prepare=lambda raw: Prepared(raw.replace(b"secret", b"***"))
    )
    (record,), _ = everything(b"Nov 22 17:31:23 gw app: secret\n", context=context)

    assert record.raw == b"Nov 22 17:31:23 gw app: ***"
    assert record.parsed.fields["message"] == "***"


def test_pieces_of_a_stream_are_read_by_name_or_by_look() -> None:
    lines = [Line(5, 0, 27, b"Nov 22 17:31:23 gw sshd: ok"), Line(6, 28, 0, b"")]

    for name in ("auto", "syslog"):
        (item,), _ = read_piece(lines, name, CONTEXT)
        assert isinstance(item, Record)
        assert item.index == 5
    (item,), _ = read_piece([Line(0, 0, 3, b"???")], "auto", CONTEXT)
    assert isinstance(item, Reject)


def test_formats_are_those_of_the_interface() -> None:
    assert set(FORMATS) == set(
        "auto ecs evtx jsonl syslog sshd auditd nginx apache cef"  # noqa: SIM905
        " postgresql mysql dameng keyvalue".split()
    )
    assert MAX_LINE == 1 << 20


@pytest.mark.parametrize("name", ["sshd.log", "sudo.log", "nginx_access.log"])
def test_every_recorded_line_is_read(name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    records, rejects = everything(content)

    assert rejects == []
    assert len(records) == content.count(b"\n")


def test_records_without_an_event_are_named() -> None:
    def reason(raw: bytes) -> str:
        bad = parse_record(raw, CONTEXT)
        assert isinstance(bad, BadLine)
        return str(bad)

    assert reason(b"{") == "damaged_record: its JSON can't be read"
    assert reason(b"{}") == "damaged_record: no Event in it"
    assert reason(b'{"Event":{}}') == "no_time: System.TimeCreated"


def test_a_file_that_ends_inside_a_chunk_says_so() -> None:
    _, rejects = everything(b"ElfFile\x00" + bytes(4_088) + b"ElfChnk\x00" + bytes(100), "evtx")
    assert (rejects[0].reason, rejects[0].detail) == (
        "truncated",
        "the file ends inside a chunk, at byte 4204",
    )


def test_what_the_library_refuses_is_a_reject(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stream: object, *, number_of_threads: int) -> None:
        msg = f"refused by {number_of_threads} thread"
        raise OSError(msg)

    monkeypatch.setattr("detectors.core.formats.evtx.PyEvtxParser", refuse)
    _, rejects = everything(b"ElfFile\x00" + bytes(4_088), "evtx")

    assert [(r.reason, r.detail) for r in rejects] == [("not_evtx", "refused by 1 thread")]


def test_a_damaged_record_is_named_and_the_next_one_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system = {"TimeCreated": {"#attributes": {"SystemTime": EPOCH_1}}, "Channel": "Security"}
    good = orjson.dumps({"Event": {"System": system}}).decode()

    class Records:
        def __init__(self) -> None:
            self.left = [good, "", good]

        def __iter__(self) -> Records:
            return self

        def __next__(self) -> dict[str, object]:
            if not self.left:
                raise StopIteration
            if not (text := self.left.pop(0)):
                raise RuntimeError("a record of wrong size")
            return {"data": text}

    class Library:
        def __init__(self, _stream: object, *, number_of_threads: int) -> None: ...

        def records_json(self) -> Records:
            return Records()

    monkeypatch.setattr("detectors.core.formats.evtx.PyEvtxParser", Library)
    header = b"ElfFile\x00" + bytes(34) + (2).to_bytes(2, "little") + bytes(4_096 - 44)
    prepared = replace(CONTEXT, prepare=lambda raw: Prepared(raw.replace(b"Security", b"System")))
    records, rejects = everything(header + bytes(65_536), "evtx", prepared)
    assert [reject.reason for reject in rejects] == ["truncated", "damaged_record"]
    assert rejects[0].detail == "1 of 2 chunks are there"
    assert [(record.index, record.at) for record in records] == [(0, 1_000_000), (1, 1_000_000)]
    assert {record.parsed.fields["System.Channel"] for record in records} == {"System"}
    untouched, _ = everything(header + bytes(65_536), "evtx")
    assert {record.parsed.fields["System.Channel"] for record in untouched} == {"Security"}


def test_a_file_of_nothing_but_damage_ends() -> None:
    header = b"ElfFile\x00" + bytes(34) + (1_100).to_bytes(2, "little") + bytes(4_096 - 44)
    _, rejects = everything(header + b"\xff" * 65_536 * 1_100, "evtx")

    assert len(rejects) <= 1_001
    assert rejects[-1].reason in ("too_many_faults", "not_evtx", "damaged_record")


def test_tiny_first_chunks_and_foreign_clients_are_read() -> None:
    text = b"\xef\xbb\xbfNov 22 17:31:23 gw x: y\n"
    items = list(read_records(chunks(text, 1), "syslog", CONTEXT))
    named = fields_of(parse_apache, '- - - [22/Nov/2026:17:31:23 +0800] "GET / HTTP/1.1" 200 1')

    assert [type(item) for item in items] == [Record]
    assert named["source.address"] == "-"
    assert "source.ip" not in named
    assert detect(b"", [b"5", b'{"a":1}', b"{"], CONTEXT) == "jsonl"


@pytest.mark.corpus
class TestRealEvtx:
    def files(self, corpus: Path) -> list[Path]:
        return sorted((corpus / "detection/evtx_raw").glob("*.evtx"))

    def test_all_records_of_all_files_are_read(self, corpus: Path) -> None:
        read = [everything(path.read_bytes()) for path in self.files(corpus)]

        assert sum(len(records) for records, _ in read) == 331
        assert [rejects for _, rejects in read if rejects] == []

    def test_raw_and_json_lines_give_the_same_events(self, corpus: Path) -> None:
        records, _ = everything(self.files(corpus)[3].read_bytes())
        again, _ = everything(b"\n".join(record.raw for record in records))

        assert [(r.raw, r.at, r.parsed) for r in again] == [
            (r.raw, r.at, r.parsed) for r in records
        ]

    @pytest.mark.parametrize("cut", [0, 7, 4_000, 4_096, 5_000, 34_816, 69_000])
    def test_a_cut_off_file_says_so(self, corpus: Path, cut: int) -> None:
        content = self.files(corpus)[3].read_bytes()[:cut]
        _, rejects = everything(content, "evtx")

        assert rejects[0].reason in ("truncated", "not_evtx")

    def test_a_missing_chunk_says_so_and_a_cut_one_keeps_its_records(self, corpus: Path) -> None:
        content = self.files(corpus)[3].read_bytes()
        records, rejects = everything(content[:69_000], "evtx")

        assert rejects[0].reason == "truncated"
        assert len(records) == 3
        assert everything(content[:4_096], "evtx")[1][0].reason == "truncated"

    def test_damage_is_named_and_the_rest_is_read(self, corpus: Path) -> None:
        good = self.files(corpus)[3].read_bytes()
        damaged = good[:6_000] + b"\xff" * 400 + good[6_400:]
        both = damaged[:42] + (2).to_bytes(2, "little") + damaged[44:] + good[4_096:]
        records, rejects = everything(both, "evtx")

        assert {reject.reason for reject in rejects} == {"damaged_record"}
        assert len(records) == 3

    def test_rubbish_with_the_right_beginning_is_refused(self) -> None:
        for size in (200, 70_000, 200_000):
            noise = io.BytesIO(lzma.compress(b"x" * size)).getvalue() * (size // 50)
            records, rejects = everything(b"ElfFile\x00" + noise)
            assert records == []
            assert rejects

    def test_personal_data_is_masked_in_records_too(self, corpus: Path) -> None:
        content = self.files(corpus)[3].read_bytes()
        context = Context(
            ZONE, DAY, prepare=lambda raw: Prepared(raw.replace(b"Sysmon", b"******"))
        )
        records, _ = everything(content, "evtx", context)

        assert records
        assert all(b"Sysmon" not in record.raw for record in records)
