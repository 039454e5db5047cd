"""Access and error logs of nginx and Apache httpd."""

from __future__ import annotations

import re
from typing import Final

from detectors.core.events.text import canonical_address
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.times import apache_error_time, clf_time, nginx_error_time
from secops.kernel.logs import Value

_QUOTED: Final = r'"((?:[^"\\]|\\.)*)"'
_ACCESS: Final = re.compile(
    rf"(\S+) \S+ (.*?) \[(\d\d/[A-Z][a-z]{{2}}/\d{{4}}:\d\d:\d\d:\d\d [+-]\d{{4}})\] {_QUOTED} "
    rf"(\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED})?(.*)"
)
_REQUEST: Final = re.compile(r"(\S+) (.*?)(?: HTTP/([\d.]+))?")
_NGINX_ERROR: Final = re.compile(
    r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(\w+)\] (\d+)#\d+: (?:\*\d+ )?(.*)", re.DOTALL
)
_CLIENT: Final = re.compile(r", client: ([^\s,]+)")
_ASKED: Final = re.compile(r', request: "(\S+) (\S+)')
_APACHE_ERROR: Final = re.compile(
    r"\[([A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4})\] "
    r"\[(?:\w+:)?(\w+)\] (?:\[pid (\d+)[^\]]*\] )?(?:\[client ([^\]\s]+)\] )?(.*)",
    re.DOTALL,
)
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")


def parse_nginx(raw: bytes, context: Context) -> Parsed:
    """Read a line of nginx's access log (``combined``) or error log."""
    text = decode_line(raw, context.encoding)
    found = _NGINX_ERROR.fullmatch(text)
    return _nginx_error(found, context) if found is not None else _access(text, "nginx")


def parse_apache(raw: bytes, context: Context) -> Parsed:
    """Read a line of httpd's access log (``common``, ``combined``) or error log."""
    text = decode_line(raw, context.encoding)
    found = _APACHE_ERROR.fullmatch(text)
    return _apache_error(found, context) if found is not None else _access(text, "apache")


def _access(text: str, module: str) -> Parsed:
    found = _ACCESS.fullmatch(text)
    if found is None:
        reason = f"not_{module}"
        raise BadLine(reason)
    client, user, stamp, request, status, size, referrer, agent, _ = found.groups()
    fields: dict[str, Value] = {
        "event.module": module,
        "event.category": "web",
        "event.action": "http_request",
        "http.response.status_code": status,
        "event.outcome": "failure" if status >= "400" else "success",
    }
    _client(client, fields)
    optional = {
        "user.name": user,
        "http.response.body.bytes": size,
        "http.request.referrer": referrer,
        "user_agent.original": agent,
    }
    fields.update((name, value) for name, value in optional.items() if value and value != "-")
    _request(request, fields)
    return Parsed(clf_time(stamp), fields)


def _client(address: str, fields: dict[str, Value]) -> None:
    fields["source.address"] = address
    canonical = canonical_address(address)
    if canonical is not None:
        fields["source.ip"] = canonical


def _request(request: str, fields: dict[str, Value]) -> None:
    fields["http.request.line"] = request
    found = _REQUEST.fullmatch(request)
    if found is None:
        return
    method, url, version = found.groups()
    fields["http.request.method"] = method
    fields["url.original"] = url
    path, mark, query = url.partition("?")
    fields["url.path"] = path
    if mark:
        fields["url.query"] = query
    if version:
        fields["http.version"] = version
    decoded = _percent_decoded(url)
    if decoded != url:
        fields["url.decoded"] = decoded


def _percent_decoded(url: str) -> str:
    """Return ``url`` with %XX read once as UTF-8; attackers write %2e%2e for dots."""
    if "%" not in url:
        return url
    octets = _ENCODED.sub(lambda found: chr(int(found[1], 16)), url)
    try:
        return octets.encode("latin-1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return octets


def _nginx_error(found: re.Match[str], context: Context) -> Parsed:
    stamp, level, process, message = found.groups()
    fields: dict[str, Value] = {
        "event.module": "nginx",
        "event.category": "web",
        "event.action": "error_message",
        "log.level": level,
        "process.pid": process,
        "message": message,
    }
    client = _CLIENT.search(message)
    if client is not None:
        _client(client[1], fields)
    asked = _ASKED.search(message)
    if asked is not None:
        fields["http.request.method"], fields["url.original"] = asked[1], asked[2]
    return Parsed(nginx_error_time(stamp, context.zone), fields)


def _apache_error(found: re.Match[str], context: Context) -> Parsed:
    stamp, level, process, client, message = found.groups()
    fields: dict[str, Value] = {
        "event.module": "apache",
        "event.category": "web",
        "event.action": "error_message",
        "log.level": level,
        "message": message,
    }
    if process:
        fields["process.pid"] = process
    if client:
        host, colon, port = client.rpartition(":")
        is_address = canonical_address(client) is not None or not colon or not port.isdigit()
        _client(client if is_address else host, fields)
    return Parsed(apache_error_time(stamp, context.zone), fields)
