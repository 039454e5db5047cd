"""Syslog lines: RFC 3164, RFC 5424 and RFC 3339-stamped files, with or without priority.

The header names host, program and process; the program decides who reads the message. A
message that its program's reader does not know is kept as it is: only a line without a
header is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from detectors.core.formats import cef, keyvalue, sangfor, sshd, sudo
from detectors.core.formats.pam import read_pam
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.times import bsd_time, iso_time
from secops.kernel.logs import Value

_PRIORITY: Final = re.compile(r"<(\d{1,3})>")
_BSD: Final = re.compile(
    r"([A-Z][a-z]{2}) +(\d{1,2}) (?:((?:19|20)\d\d) )?(\d\d:\d\d:\d\d)(?:\.\d+)?"
    r"(?: ((?:19|20)\d\d))? ([^\s:]\S*) "
)
"""RFC 3164; devices put the year before the time (Huawei) or after it (H3C)."""
_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?) (\S+) "
)
_TAG: Final = re.compile(r"([^\s:\[]{1,128})(?:\[(\d+)\])?: ?")
_MODERN: Final = re.compile(r"1 (\S+) (\S+) (\S+) (\S+) (\S+) ")
_PARAMETER: Final = re.compile(r'([^\s=\]"]+)="((?:[^"\\\]]|\\.)*)"')
_ELEMENT: Final = re.compile(r'\[([^\s=\]"]+)((?: [^\s=\]"]+="(?:[^"\\\]]|\\.)*")*)\]')
_REPEATED: Final = re.compile(r"message repeated (\d{1,6}) times: \[ ?(.*?)\]$")
_MAX_PRIORITY: Final = 191
_FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", *(f"local{n}" for n in range(8)),
)  # fmt: skip
_SEVERITIES: Final = (
    "emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug",
)  # fmt: skip

Reader = Callable[[str, dict[str, Value]], None]
_READERS: Final[dict[str, Reader]] = {
    "sshd": sshd.read_message,
    "sshd-session": sshd.read_message,
    "sshd-auth": sshd.read_message,
    "sudo": sudo.read_sudo,
    "su": sudo.read_su,
    "cron": sudo.read_cron,
    "crond": sudo.read_cron,
    "useradd": sudo.read_accounts,
    "userdel": sudo.read_accounts,
    "usermod": sudo.read_accounts,
    "groupadd": sudo.read_accounts,
}
_OLD_PAM: Final = re.compile(r"(\S+)\(pam_unix\)")


def parse_syslog(raw: bytes, context: Context) -> Parsed:
    """Read one line of a syslog file or datagram (RFC 3164 §4, RFC 5424 §6)."""
    text = decode_line(raw, context.encoding)
    fields: dict[str, Value] = {}
    rest = _priority(text, fields)
    modern = _MODERN.match(rest)
    if modern is not None:
        at, message = _modern(modern, rest, fields, context)
    else:
        at, message = _classic(rest, fields, context)
    fields["message"] = message
    _dispatch(message, fields)
    return Parsed(at, fields)


def parse_sshd(raw: bytes, context: Context) -> Parsed:
    """Read a line of an sshd log; its other programs' lines (PAM, sudo) are read as well."""
    return parse_syslog(raw, context)


def _priority(text: str, fields: dict[str, Value]) -> str:
    found = _PRIORITY.match(text)
    if found is None:
        return text
    priority = int(found[1])
    if priority > _MAX_PRIORITY:
        reason = "not_syslog"
        raise BadLine(reason, f"priority {priority}")
    fields["log.syslog.priority"] = str(priority)
    fields["log.syslog.facility.name"] = _FACILITIES[priority >> 3]
    fields["log.syslog.severity.name"] = _SEVERITIES[priority & 7]
    return text[found.end() :]


def _classic(text: str, fields: dict[str, Value], context: Context) -> tuple[int, str]:
    text = text.removeprefix(" ")
    header = _BSD.match(text)
    if header is not None:
        month, day, before, clock, after, host = header.groups()
        year = before or after
        dated = context if year is None else replace(context, year=int(year))
        at = bsd_time(f"{month} {day:>2} {clock}", dated)
        fields["host.name"] = host
    else:
        header = _ISO.match(text)
        if header is None:
            return _headless(text, fields, context)
        at = iso_time(header[1], context.zone)
        fields["host.name"] = header[2]
    rest = text[header.end() :]
    if rest.startswith("%%"):
        return at, rest
    tag = _TAG.match(rest)
    if tag is None:
        return at, rest
    fields["process.name"] = tag[1]
    if tag[2]:
        fields["process.pid"] = tag[2]
    return at, rest[tag.end() :]


def _headless(text: str, fields: dict[str, Value], context: Context) -> tuple[int, str]:
    """Read what came in without a header (RFC 3164 §4.3.3): the message is all of it.

    A device's own mark (``HOST %%01MODULE/…``) still names its host.
    """
    if context.arrival is None:
        reason = "not_syslog"
        raise BadLine(reason, "no time and host at its start")
    host, mark, rest = text.partition(" %%")
    if mark and host and " " not in host:
        fields["host.name"] = host
        return context.arrival, f"%%{rest}"
    tag = _TAG.match(text)
    if tag is None or not tag[2]:
        return context.arrival, text
    fields["process.name"], fields["process.pid"] = tag[1], tag[2]
    return context.arrival, text[tag.end() :]


def _modern(
    header: re.Match[str], text: str, fields: dict[str, Value], context: Context
) -> tuple[int, str]:
    stamp, host, program, process, identifier = header.groups()
    if stamp == "-" and context.arrival is None:
        reason = "no_time"
        raise BadLine(reason)
    names = ("host.name", "process.name", "process.pid", "log.syslog.msgid")
    pairs = zip(names, (host, program, process, identifier), strict=True)
    fields.update((name, value) for name, value in pairs if value != "-")
    rest = text[header.end() :]
    at = iso_time(stamp, context.zone) if stamp != "-" else context.arrival or 0
    # rsyslog's own RFC 5424 template leaves the blank that stood behind the tag
    return at, _structured(rest, fields).removeprefix("\ufeff").lstrip(" ")


def _structured(text: str, fields: dict[str, Value]) -> str:
    if text.startswith("-"):
        return text[1:].removeprefix(" ")
    position = 0
    while (element := _ELEMENT.match(text, position)) is not None:
        for name, value in _PARAMETER.findall(element[2]):
            plain = re.sub(r'\\(["\\\]])', r"\1", value)
            fields[f"log.syslog.structured_data.{element[1]}.{name}"] = plain
        position = element.end()
    return text[position:].removeprefix(" ")


def _dispatch(message: str, fields: dict[str, Value]) -> None:
    program = str(fields.get("process.name", ""))
    old = _OLD_PAM.fullmatch(program)
    if old is not None:
        program, message = old[1], f"pam_unix({old[1]}:auth): {message}"
        fields["process.name"] = program
    program = program.rpartition("/")[2].lower()
    fields["event.module"] = "sshd" if program.startswith("sshd") else program or "syslog"
    repeated = _REPEATED.fullmatch(message)
    if repeated is not None:
        fields["event.repeated"] = repeated[1]
        message = repeated[2]
    if message.startswith("pam_"):
        read_pam(message, fields)
    elif message.startswith("CEF:"):
        cef.read_cef(message, fields)
    elif keyvalue.is_device(message):
        keyvalue.read_pairs(message, fields)
    elif sangfor.is_sangfor(message):
        sangfor.read_sangfor(message, fields)
    elif program in _READERS:
        _READERS[program](message, fields)
