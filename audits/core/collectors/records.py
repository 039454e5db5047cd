"""What a host records and when its clock says so: auditd, syslog, time.

Source: auditctl(8), auditd.conf(5), rsyslog.conf(5), chronyc(1), timedatectl(1), ntpq(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from audits.core.collectors.reading import Looker, number

AUDIT: Final = "host.audit"
LOGGING: Final = "host.logging"
TIME: Final = "host.time"
_STATUS: Final = re.compile(r"\b([a-z_]{2,30})[ =]([0-9]{1,9})\b")
_RULE: Final = re.compile(r"\s*(-w|-a|-A|LIST_RULES:)\s")
_FORWARD: Final = re.compile(r"^[^#\s]\S*\s+@{1,2}[^\s@]")
_DAEMONS: Final = re.compile(r"\b(rsyslogd?|syslog-ng|syslogd|systemd-journal-upload)\b")
_SECONDS: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,12})?) seconds")
_PEER: Final = 9
_OFFSET: Final = 8
_MOST: Final = Decimal(10) ** 12


def look_at_audit(look: Looker) -> None:
    """Note whether the kernel audits, which rules are loaded, what happens when disks fill."""
    status = dict(_STATUS.findall("\n".join(look.lines("audit.status") or [])))
    look.note("enabled", number(status.get("enabled", "")))
    if "pid" in status:
        look.note("running", status["pid"] != "0")
    look.note("lost", number(status.get("lost", "")))
    rules = look.lines("audit.rules")
    if rules is not None:
        _note_rules(look, rules)
    stored = [line for lines in look.files("audit.file").values() for line in lines]
    if stored:
        look.note("rules_in_files", len(_rules(stored)))
    conf = look.files("audit.conf")
    settings = {
        name.strip(): value.strip().lower()
        for lines in conf.values()
        for name, _, value in (line.partition("=") for line in lines)
    }
    if not conf:
        look.lack("audit.conf: auditd.conf was not read")
    for name in ("log_format", "disk_full_action", "max_log_file_action"):
        look.note(name, settings.get(name))
    if "log_format" in settings:
        look.note("names_written", settings["log_format"] == "enriched")
    if "disk_full_action" in settings:
        look.note("stops_when_full", settings["disk_full_action"] in ("suspend", "ignore"))


def _rules(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if _RULE.match(line)]


def _note_rules(look: Looker, lines: Sequence[str]) -> None:
    rules = _rules(lines)
    never = [line for line in rules if "never" in line and "task" in line]
    look.note("rules", len(rules) - len(never))
    # `-a never,task` stands first on some systems: then no process is audited at all
    look.note("switched_off", bool(never))
    text = "\n".join(rules)
    look.note("identity_watched", "/etc/passwd" in text and "/etc/shadow" in text)
    look.note("commands_recorded", "execve" in text)


def look_at_logging(look: Looker) -> None:
    """Note whether a log daemon runs and carries records off the host."""
    files = look.files("syslog")
    if files:
        targets = sum(_targets(lines) for lines in files.values())
        look.note("remote_targets", targets)
    else:
        look.lack("syslog: no configuration of a log daemon was read")
    running = look.lines("processes", needed=False) or look.lines("services", needed=False)
    if running is None:
        look.lack("services: what runs was not read")
        return
    look.note("running", any(_DAEMONS.search(line) for line in running))


def _targets(lines: Sequence[str]) -> int:
    """Count where records go over the network, in the forms of rsyslog and syslog-ng."""
    plain = sum(bool(_FORWARD.match(line.strip())) for line in lines)
    text = " ".join(lines)
    modern = len(re.findall(r"type=\"om(?:fwd|relp|elasticsearch|kafka)\"", text))
    ng = len(re.findall(r"\b(?:network|tcp6?|udp6?|syslog)\s?\(\s?\"[^\"\s]{1,255}\"", text))
    return plain + modern + ng


def look_at_time(look: Looker) -> None:
    """Note whether the clock is synchronised: a service that is active need not be."""
    chrony = look.lines("time.chrony", needed=False)
    peers = look.lines("time.ntpq", needed=False)
    system = look.lines("time.timedatectl", needed=False)
    if chrony is not None:
        _note_chrony(look, chrony)
    elif peers is not None:
        _note_peers(look, peers)
    elif system is None:
        look.lack("time: neither chronyc, ntpq nor timedatectl answered")
    if system is not None:
        said = [line.replace(": ", "=").strip().lower() for line in system]
        look.note("zone", _value(said, "timezone=", "time zone="))
        synced = _value(said, "ntpsynchronized=", "ntp synchronized=", "system clock synchronized=")
        if "synchronised" not in look.facts and synced in ("yes", "no"):
            look.note("source", "timedatectl")
            look.note("synchronised", synced == "yes")


def _value(lines: Sequence[str], *starts: str) -> str | None:
    for line in lines:
        for start in starts:
            if line.startswith(start):
                return line.removeprefix(start).split(" ")[0]
    return None


def _note_chrony(look: Looker, lines: Sequence[str]) -> None:
    said = {name.strip(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    leap, stratum = said.get("Leap status", ""), number(said.get("Stratum", ""))
    if not leap:
        look.lack("time.chrony: this is not what `chronyc tracking` prints")
        return
    look.note("source", "chrony")
    look.note("synchronised", leap != "Not synchronised" and bool(stratum))
    look.note("stratum", stratum)
    found = _SECONDS.match(said.get("System time", ""))
    if found is not None:
        look.note("offset_ms", _rounded(found[1], 1_000))


def _note_peers(look: Looker, lines: Sequence[str]) -> None:
    look.note("source", "ntp")
    chosen = [line[1:].split() for line in lines if line.startswith("*")]
    look.note("synchronised", bool(chosen))
    if chosen and len(chosen[0]) > _PEER:
        look.note("stratum", number(chosen[0][2]))
        look.note("offset_ms", _rounded(chosen[0][_OFFSET], 1))


def _rounded(text: str, times: int) -> int | None:
    """Return the absolute value times ``times`` as a whole number, None for no number."""
    try:
        value = abs(Decimal(text)) * times
    except InvalidOperation:
        return None
    return int(value.to_integral_value()) if value.is_finite() and value < _MOST else None
