"""Logs of database servers: recorded lines of PostgreSQL, documented ones of the others."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.formats.database import parse_dameng, parse_mysql, parse_postgresql
from detectors.core.formats.detect import LINE_PARSERS, detect
from detectors.core.formats.record import BadLine, Context, Parsed

SHANGHAI = timezone(timedelta(hours=8))
CONTEXT = Context(zone=SHANGHAI, latest=1 << 60)
AT = 1_795_380_614_528_000
"""2026-11-22 20:50:14.528 UTC."""


def postgresql(
    message: str, head: str = "2026-11-22 20:50:14.528 UTC [12462] eve@gov LOG:"
) -> Parsed:
    return parse_postgresql(f"{head}  {message}".encode(), CONTEXT)


def test_a_refused_password_names_the_account_that_was_asked_for() -> None:
    line = (
        b"2026-11-22 20:50:14.528 UTC [12462] [unknown]@[unknown] FATAL:  "
        b'password authentication failed for user "a" b"'
    )
    parsed = parse_postgresql(line, CONTEXT)
    assert parsed.at == AT
    assert parsed.fields == {
        "event.module": "postgresql",
        "event.category": "database",
        "event.action": "sign_in",
        "event.outcome": "failure",
        "message": 'password authentication failed for user "a" b"',
        "log.level": "fatal",
        "process.pid": "12462",
        "user.name": 'a" b',
    }


@pytest.mark.parametrize(
    ("message", "action", "outcome", "extra"),
    [
        ("statement: select 1", "sql_statement", "success", {"db.statement": "select 1"}),
        (
            "duration: 0.1 ms  execute a1: select 2",
            "sql_statement",
            "success",
            {"db.statement": "select 2"},
        ),
        (
            'no pg_hba.conf entry for host "203.0.113.9", user "bob", database "gov"',
            "sign_in",
            "failure",
            {"user.name": "bob", "source.ip": "203.0.113.9"},
        ),
        (
            "connection received: host=203.0.113.9 port=38020",
            "connection",
            "unknown",
            {"source.ip": "203.0.113.9"},
        ),
        (
            "connection authorized: user=ann database=gov application_name=psql",
            "sign_in",
            "success",
            {"user.name": "ann"},
        ),
    ],
)
def test_what_postgresql_says_becomes_an_action(
    message: str, action: str, outcome: str, extra: dict[str, str]
) -> None:
    fields = postgresql(message).fields
    assert (fields["event.action"], fields["event.outcome"]) == (action, outcome)
    assert {name: fields[name] for name in extra} == extra


def test_a_statement_that_failed_is_one_that_failed() -> None:
    fields = postgresql("drop role eve;", "2026-11-22 20:50:14 UTC [1] eve@gov STATEMENT:").fields
    assert (fields["db.statement"], fields["event.outcome"]) == ("drop role eve;", "failure")
    assert "event.action" not in postgresql("checkpoint starting: time").fields


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("GMT", AT),
        ("CST", AT - 8 * 3_600_000_000),
        ("+08", AT - 8 * 3_600_000_000),
        ("-03:30", AT + 3_600_000_000 * 7 // 2),
        ("+99", AT - 8 * 3_600_000_000),
    ],
)
def test_a_zone_that_means_many_means_the_source_s_own(zone: str, at: int) -> None:
    head = f"2026-11-22 20:50:14.528 {zone} [12462] LOG:"
    assert postgresql("ready", head).at == at


def test_an_address_in_the_prefix_is_where_it_came_from() -> None:
    head = "2026-11-22 20:50:14.528 UTC [7] eve@gov 203.0.113.7(4711) LOG:"
    assert postgresql("ready", head).fields["source.ip"] == "203.0.113.7"
    local = postgresql("ready", "2026-11-22 20:50:14.528 UTC [7] eve@gov [local] LOG:").fields
    assert local["source.address"] == "[local]"
    assert "source.ip" not in local


def test_jsonlog_is_known_by_its_names_and_keeps_statements_whole() -> None:
    line = orjson.dumps(
        {
            "timestamp": "2026-11-22 20:50:14.528 UTC",
            "user": "eve",
            "dbname": "gov",
            "pid": 12,
            "remote_host": "203.0.113.8",
            "error_severity": "ERROR",
            "state_code": "42601",
            "message": 'syntax error at or near "x"',
            "statement": "copy (select 1)\nto program 'id'",
            "application_name": "",
            "backend_type": "client backend",
        }
    )
    assert detect(line, [line], CONTEXT) == "postgresql"
    parsed = parse_postgresql(line, CONTEXT)
    assert parsed.at == AT
    assert parsed.fields["db.statement"] == "copy (select 1)\nto program 'id'"
    assert parsed.fields["event.outcome"] == "failure"
    assert "process.name" not in parsed.fields
    logged = {
        "timestamp": "2026-11-22 20:50:14.528 UTC",
        "error_severity": "LOG",
        "backend_type": "x",
    }
    assert "db.statement" not in parse_postgresql(orjson.dumps(logged), CONTEXT).fields
    for bad in (b'{"a":1}', b"{"):
        with pytest.raises(BadLine):
            parse_postgresql(bad, CONTEXT)


def test_mysql_s_error_log_names_who_was_refused_and_from_where() -> None:
    line = (
        b"2026-11-22T20:50:14.528000Z 8 [Note] [MY-010926] [Server] Access denied for user "
        b"'x'@'10.0.0.1' (using password: NO)'@'203.0.113.9' (using password: YES)"
    )
    parsed = parse_mysql(line, CONTEXT)
    assert parsed.at == AT
    # the name is what the client sent: the address is the last one, which the server wrote
    assert parsed.fields["source.ip"] == "203.0.113.9"
    assert parsed.fields["event.outcome"] == "failure"
    older = parse_mysql(b"2026-11-22T20:50:14.528000Z 0 [Warning] IPv6 is available.", CONTEXT)
    assert older.fields["message"] == "IPv6 is available."
    assert "event.action" not in older.fields


@pytest.mark.parametrize(
    ("command", "argument", "action", "extra"),
    [
        ("Query", "select 1", "sql_statement", {"db.statement": "select 1"}),
        ("Execute", "select 2", "sql_statement", {"db.statement": "select 2"}),
        ("Connect", "eve@203.0.113.9 on gov using TCP/IP", "sign_in", {"user.name": "eve"}),
        (
            "Connect",
            "Access denied for user 'eve'@'203.0.113.9' (using password: YES)",
            "sign_in",
            {"event.outcome": "failure"},
        ),
        ("Connect", "something else", None, {}),
        ("Quit", "", None, {}),
    ],
)
def test_mysql_s_general_log_is_read(
    command: str, argument: str, action: str | None, extra: dict[str, str]
) -> None:
    line = f"2026-11-22T20:50:14.528000Z\t    8 {command}\t{argument}"
    fields = parse_mysql(line.encode(), CONTEXT).fields
    assert fields.get("event.action") == action
    assert {name: fields[name] for name in extra} == extra


def test_dameng_s_sql_log_is_read_as_its_maker_describes_it() -> None:
    head = "2026-11-22 20:50:14.528 (EP[0] sess:0x7f thrd:31 user:SYSDBA trxid:4 stmt:NULL "
    started = parse_dameng(f"{head}appname:manager.exe) TRX: START".encode(), CONTEXT)
    assert started.at == AT - 8 * 3_600_000_000
    assert "db.statement" not in started.fields
    asked = parse_dameng(f"{head}appname: ip:::ffff:10.0.0.9) [SEL] select 1".encode(), CONTEXT)
    assert asked.fields["source.ip"] == "10.0.0.9"
    assert asked.fields["db.statement"] == "select 1"
    assert "process.name" not in asked.fields


@pytest.mark.parametrize("name", ["postgresql", "mysql", "dameng"])
def test_lines_of_others_are_refused_by_name(name: str) -> None:
    with pytest.raises(BadLine) as refused:
        LINE_PARSERS[name](b"Nov 22 10:00:00 host sshd[1]: x", CONTEXT)
    assert refused.value.reason == f"not_{name}"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"2026-11-22 20:50:14.528 UTC [1] LOG:  ready", "postgresql"),
        (b"2026-11-22T20:50:14.528000Z 0 [Note] [MY-1] [Server] ready", "mysql"),
        (
            b"2026-11-22 20:50:14.528 (EP[0] sess:0x7f thrd:3 user:A trxid:4 stmt:0 appname:a) x",
            "dameng",
        ),
    ],
)
def test_a_database_s_line_is_not_taken_for_syslog(line: bytes, name: str) -> None:
    assert detect(line, [line], CONTEXT) == name


@given(st.sampled_from(["postgresql", "mysql", "dameng"]), st.text(max_size=200))
def test_rubbish_is_a_bad_line_and_nothing_else(name: str, text: str) -> None:
    heads = ("", "2026-11-22 20:50:14 UTC [1] LOG:  ", "2026-11-22T20:50:14Z 0 [N] ", "{")
    for head in heads:
        try:
            parsed = LINE_PARSERS[name](f"{head}{text}".encode("utf-8", "replace"), CONTEXT)
        except BadLine:
            continue
        assert parsed.fields["event.category"] == "database"


def test_utc_is_what_the_server_wrote() -> None:
    assert (
        postgresql("x").at
        == parse_postgresql(
            b"2026-11-22 20:50:14.528 Z [1] LOG:  x", Context(zone=UTC, latest=1 << 60)
        ).at
    )
