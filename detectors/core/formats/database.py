"""Logs of database servers: PostgreSQL (stderr and jsonlog), MySQL, Dameng DM8.

PostgreSQL: recorded from 15.18 with ``log_line_prefix`` ``'%m [%p] '`` and Debian's
``'%m [%p] %q%u@%d '``. MySQL: reference manual 8.4 §7.4.2.9 (error log) and §7.4.3 (general
log). Dameng: the vendor's description of its SQL log; not seen from a server of ours.
Kingbase is taken to write PostgreSQL's form; no line of it was seen either.
A statement of several lines is several lines here, and only the first has a time: jsonlog
has each event on one line, so take that where statements are watched.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any, Final

import orjson

from detectors.core.events.text import canonical_address
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.times import iso_time
from secops.kernel.logs import Value

_POSTGRESQL: Final = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) (\S+) \[(\d+)\]:? "
    r"(?:\[\d+(?:-\d+)?\] )?(?:([^\s@]*)@(\S*) )?(?:([0-9A-Fa-f.:]+|\[local\])(?:\(\d+\))? )?"
    r"(LOG|FATAL|ERROR|PANIC|WARNING|NOTICE|INFO|DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION"
    r"|DEBUG[1-5]):\s+(.*)",
    re.DOTALL,
)
_STATEMENT: Final = re.compile(
    r"(?:duration: [\d.]+ ms  )?(?:statement|(?:execute|parse|bind) [^:]*): (.*)", re.DOTALL
)
_REFUSED: Final = re.compile(r'.*authentication failed for user "(.*)"')
_NO_ENTRY: Final = re.compile(
    r'no pg_hba\.conf entry for (?:replication connection from )?host "([^"]*)", user "(.*?)"'
)
_RECEIVED: Final = re.compile(r"connection received: host=(\S+)")
_AUTHORIZED: Final = re.compile(r"connection authorized: user=(\S+)(?: database=(\S+))?")
_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)?")
_JSON_NAMES: Final = {
    "user": "user.name",
    "dbname": "db.name",
    "pid": "process.pid",
    "application_name": "process.name",
    "state_code": "error.code",
    "statement": "db.statement",
}
_MYSQL_ERROR: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\S+) (\d+) \[(\w+)\](?: \[(MY-\d+)\])?(?: \[(\w+)\])? (.*)", re.DOTALL
)
_MYSQL_GENERAL: Final = re.compile(r"(\d{4}-\d\d-\d\dT\S+)\t *(\d+) (\w[\w ]*)\t(.*)", re.DOTALL)
_DENIED: Final = re.compile(r"Access denied for user '(.*)'@'([^']*)'.*", re.DOTALL)
_CONNECTED: Final = re.compile(r"(.*)@(\S*) on (\S*)(?: using .*)?")
_DAMENG: Final = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) \(EP\[\d+\] sess:(\S+) thrd:(\S+) user:(\S*) "
    r"trxid:\S* stmt:\S* appname:(.*?)(?: ip:(\S+))?\) (?:\[(\w{3})\] ?)?(.*)",
    re.DOTALL,
)
SQL: Final = "sql_statement"
_DAY_MINUTES: Final = 24 * 60


def parse_postgresql(raw: bytes, context: Context) -> Parsed:
    """Read a line of PostgreSQL's stderr log or of its jsonlog."""
    text = decode_line(raw, context.encoding)
    if text.startswith("{"):
        return _postgresql_json(text, context)
    found = _POSTGRESQL.fullmatch(text)
    if found is None:
        reason = "not_postgresql"
        raise BadLine(reason)
    stamp, zone, process, user, database, client, level, message = found.groups()
    fields = _event("postgresql", message)
    fields["log.level"] = level.lower()
    fields["process.pid"] = process
    for name, value in (("user.name", user), ("db.name", database)):
        if value and value != "[unknown]":
            fields[name] = value
    _origin(client, fields)
    if level == "STATEMENT":
        fields["db.statement"] = message
        _act(fields, SQL, "failure")
    else:
        _postgresql_message(message, fields)
    return Parsed(iso_time(stamp, _zone(zone, context.zone)), fields)


def is_postgresql_json(document: dict[str, Any]) -> bool:
    """Tell whether ``document`` is an event of PostgreSQL's jsonlog (PostgreSQL 15 and later)."""
    return "error_severity" in document and "backend_type" in document


def _postgresql_json(text: str, context: Context) -> Parsed:
    try:
        document = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        reason = "not_json"
        raise BadLine(reason) from error
    if not is_postgresql_json(document):
        reason = "not_postgresql"
        raise BadLine(reason)
    stamp, _, zone = str(document.get("timestamp", "")).rpartition(" ")
    message = str(document.get("message", ""))
    fields = _event("postgresql", message)
    fields["log.level"] = str(document["error_severity"]).lower()
    for name, own in _JSON_NAMES.items():
        value = document.get(name)
        if isinstance(value, str | int) and value != "":
            fields[own] = str(value)
    _origin(str(document.get("remote_host", "")), fields)
    if "db.statement" in fields:
        _act(fields, SQL, "failure")
    _postgresql_message(message, fields)
    return Parsed(iso_time(stamp, _zone(zone, context.zone)), fields)


def _postgresql_message(message: str, fields: dict[str, Value]) -> None:
    if (found := _STATEMENT.fullmatch(message)) is not None:
        fields["db.statement"] = found[1]
        _act(fields, SQL, "success")
    elif (found := _REFUSED.match(message)) is not None:
        fields["user.name"] = found[1]
        _act(fields, "sign_in", "failure")
    elif (found := _NO_ENTRY.match(message)) is not None:
        _origin(found[1], fields)
        fields["user.name"] = found[2]
        _act(fields, "sign_in", "failure")
    elif (found := _RECEIVED.match(message)) is not None:
        _origin(found[1], fields)
        _act(fields, "connection", "unknown")
    elif (found := _AUTHORIZED.match(message)) is not None:
        fields["user.name"] = found[1]
        _act(fields, "sign_in", "success")


def parse_mysql(raw: bytes, context: Context) -> Parsed:
    """Read a line of MySQL's error log or general log."""
    text = decode_line(raw, context.encoding)
    found = _MYSQL_GENERAL.fullmatch(text)
    if found is not None:
        return _mysql_general(found, context)
    found = _MYSQL_ERROR.fullmatch(text)
    if found is None:
        reason = "not_mysql"
        raise BadLine(reason)
    stamp, thread, level, code, _, message = found.groups()
    fields = _event("mysql", message)
    fields["log.level"] = level.lower()
    fields["process.thread.id"] = thread
    if code:
        fields["error.code"] = code
    _mysql_denied(message, fields)
    return Parsed(iso_time(stamp, context.zone), fields)


def _mysql_general(found: re.Match[str], context: Context) -> Parsed:
    stamp, thread, command, argument = found.groups()
    fields = _event("mysql", argument)
    fields["process.thread.id"] = thread
    if command in ("Query", "Execute", "Prepare"):
        fields["db.statement"] = argument
        _act(fields, SQL, "success")
    elif command == "Connect" and not _mysql_denied(argument, fields):
        connected = _CONNECTED.fullmatch(argument)
        if connected is not None:
            fields["user.name"] = connected[1]
            _origin(connected[2], fields)
            _act(fields, "sign_in", "success")
    return Parsed(iso_time(stamp, context.zone), fields)


def _mysql_denied(message: str, fields: dict[str, Value]) -> bool:
    # the longest name: a quote in it can't put the blame on another address
    found = _DENIED.fullmatch(message)
    if found is None:
        return False
    fields["user.name"] = found[1]
    _origin(found[2], fields)
    _act(fields, "sign_in", "failure")
    return True


def parse_dameng(raw: bytes, context: Context) -> Parsed:
    """Read a line of Dameng's SQL log (``SVR_LOG`` = 1, ``dmsql_*.log``)."""
    found = _DAMENG.fullmatch(decode_line(raw, context.encoding))
    if found is None:
        reason = "not_dameng"
        raise BadLine(reason)
    stamp, session, _, user, program, address, kind, text = found.groups()
    fields = _event("dameng", text)
    fields["session.id"] = session
    for name, value in (("user.name", user), ("process.name", program)):
        if value:
            fields[name] = value
    _origin(address, fields)
    if kind:
        fields["db.statement"] = text
        _act(fields, SQL, "success")
    return Parsed(iso_time(stamp, context.zone), fields)


def _event(module: str, message: str) -> dict[str, Value]:
    return {"event.module": module, "event.category": "database", "message": message}


def _act(fields: dict[str, Value], action: str, outcome: str) -> None:
    fields["event.action"], fields["event.outcome"] = action, outcome


def _origin(address: str | None, fields: dict[str, Value]) -> None:
    if not address:
        return
    fields["source.address"] = address
    canonical = canonical_address(address)
    if canonical is not None:
        fields["source.ip"] = canonical


def _zone(written: str, of_source: tzinfo) -> tzinfo:
    """Return the zone a server wrote; abbreviations such as CST mean many, so they mean none."""
    if written in ("UTC", "GMT", "Z"):
        return UTC
    found = _OFFSET.fullmatch(written)
    if found is None:
        return of_source
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes >= _DAY_MINUTES:
        return of_source
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
