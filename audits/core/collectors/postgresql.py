"""PostgreSQL, from its views in COPY's text form.

Source: PostgreSQL's manual: pg_settings, pg_hba_file_rules, pg_roles, COPY. ``pg_settings``
tells what is in force, ``pending_restart`` what is not yet; ``pg_hba_file_rules`` shows the
file, which counts after a reload; the first rule that fits decides. ``rolvaliduntil`` is no age.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from audits.core.collectors.reading import Looker, listed, number

SETTINGS: Final = "pg.settings"
ACCESS: Final = "pg.access"
ROLES: Final = "pg.roles"
_ESCAPE: Final = re.compile(r"\\(.)")
_PLAIN: Final = {"t": "\t", "n": "\n", "r": "\r"}
_SUPPORTED: Final = {
    9: date(2021, 11, 11),
    10: date(2022, 11, 10),
    11: date(2023, 11, 9),
    12: date(2024, 11, 21),
    13: date(2025, 11, 13),
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
"""The last release of each major version, as postgresql.org announces it."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_PREFIX: Final = {"time": "tmns", "user": "u", "client": "hr"}
_LOCK_OUT: Final = ("auth_delay", "credcheck", "login_hook", "pg_fail2ban")
_QUALITY: Final = ("passwordcheck", "credcheck", "passwordcheck_extra", "passwordpolicy")
_WEAK_METHODS: Final = frozenset(("password", "md5", "ident"))
_LOCAL_HOSTS: Final = frozenset(("samehost", "localhost"))


def look_at_settings(look: Looker) -> None:
    """Note what the server does by its settings in force."""
    rows = _rows(look, "pg.settings", 3)
    if not rows:
        return
    said = {str(row[0]): row[1] or "" for row in rows}
    look.note("version", said.get("server_version"))
    _look_at_support(look, number(said.get("server_version_num", "")))
    for name, setting in (
        ("tls", "ssl"),
        ("connections_logged", "log_connections"),
        ("disconnections_logged", "log_disconnections"),
        ("collector", "logging_collector"),
    ):
        if setting in said:
            # log_connections lists what is logged since version 18
            look.note(name, said[setting] not in ("off", ""))
    look.note("least_tls", said.get("ssl_min_protocol_version"))
    look.note("hashing", said.get("password_encryption"))
    look.note("statements_logged", said.get("log_statement"))
    listening = [place.strip() for place in said.get("listen_addresses", "").split(",")]
    if "listen_addresses" in said:
        look.note("remote", any(place and not _is_local(place) for place in listening))
    if "log_line_prefix" in said:
        letters = re.findall(r"%-?[0-9]{0,4}([a-zA-Z])", said["log_line_prefix"])
        looks = [any(letter in letters for letter in several) for several in _PREFIX.values()]
        look.note("prefix_complete", all(looks))
    libraries = ",".join(v for k, v in said.items() if k.endswith("_preload_libraries"))
    names = {word.strip().rpartition("/")[2] for word in libraries.split(",")}
    look.note("audited", "pgaudit" in names)
    look.note("locks_out", bool(names & set(_LOCK_OUT)))
    look.note("checks_passwords", bool(names & set(_QUALITY)))
    idle = number(said.get("idle_session_timeout", ""))
    look.note("idle_seconds", None if idle is None else idle // 1_000)
    look.note("pending_restart", sum(row[3:4] == ["t"] for row in rows))


def _look_at_support(look: Looker, version: int | None) -> None:
    if version is None:
        return
    ends = _SUPPORTED.get(version // 10_000)
    if ends is None:
        look.lack("pg.settings: when support of this version ends is not known here")
        return
    look.note("supported_until", ends.isoformat())
    look.note("supported", look.day + _EPOCH <= ends.toordinal())


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of pg_hba.conf; ``address`` None is a local socket."""

    kind: str
    database: str
    user: str
    address: str | None
    method: str

    @property
    def is_remote(self) -> bool:
        """Whether it is for connections from other machines."""
        return self.address is not None and not _is_local(self.address)


def look_at_access(look: Looker) -> None:
    """Note who may connect from where, and how they prove who they are."""
    rows = _rows(look, "pg.hba", 8)
    if not rows:
        return
    look.note("errors", sum(row[7] == "t" for row in rows))
    rules = [
        Rule(row[1] or "", row[2] or "", row[3] or "", _place(row[4], row[5]), row[6] or "")
        for row in rows
        if row[7] != "t"
    ]
    admitting = [rule for rule in rules if rule.method != "reject"]
    remote = [rule for rule in admitting if rule.is_remote]
    look.note("rules", len(rules))
    look.note("trusted", sum(rule.method == "trust" for rule in admitting))
    look.note("trusted_remote", sum(rule.method == "trust" for rule in remote))
    look.note("weak_methods", sum(rule.method in _WEAK_METHODS for rule in remote))
    # `host` fits connections with and without TLS: only hostssl and hostgssenc insist
    look.note("plain_remote", sum(rule.kind in ("host", "hostnossl") for rule in remote))
    anywhere = [rule for rule in remote if _is_anywhere(rule.address or "")]
    look.note("from_anywhere", len(anywhere))
    mighty = [r for r in remote if {"all", "postgres"} & set(r.user.split(","))]
    look.note("superuser_remote", len(mighty))


def _place(address: str | None, mask: str | None) -> str | None:
    """Return an address with its mask; None for a local socket."""
    if not address or not mask:
        return address
    try:
        # the view writes masks of IPv6 as addresses, too
        return f"{address}/{int(ipaddress.ip_address(mask)).bit_count()}"
    except ValueError:
        return address


def look_at_roles(look: Looker) -> None:
    """Note which roles may sign in, and with what."""
    rows = _rows(look, "pg.roles", 9)
    if not rows:
        return
    login = [row for row in rows if row[1] == "t"]
    mighty = [str(row[0]) for row in login if row[2] == "t"]
    look.note("login", len(login))
    look.note("superusers", len(mighty))
    look.note("superuser_names", listed(mighty))
    look.note("bypass_row_security", sum(row[6] == "t" and row[2] != "t" for row in login))
    look.note("without_expiry", sum(row[7] in (None, "infinity") for row in login))
    ways = [row[8] for row in login]
    if "unknown" in ways:
        look.lack("pg.roles: how passwords are kept is told to a superuser alone")
    else:
        look.note("without_password", ways.count("none"))
        look.note("weakly_kept", sum(way in ("md5", "other") for way in ways))
    grants = _rows(look, "pg.grants", 2, needed=False)
    if grants is not None:
        look.note("public_may_create", any(row[0] == "public" for row in grants))


def _rows(
    look: Looker, name: str, fields: int, *, needed: bool = True
) -> list[list[str | None]] | None:
    """Return the rows of a COPY, NULL as None; None where it was not read."""
    lines = look.lines(name, needed=needed)
    if lines is None:
        return None
    split = [line.split("\t") for line in lines if line]
    rows = [[_value(word) for word in words] for words in split if len(words) >= fields]
    if len(rows) != len(split) or (needed and not rows):
        look.lack(f"{name}: this is not what COPY prints")
        look.in_part = True
    return rows


def _value(word: str) -> str | None:
    if word == "\\N":
        return None
    return _ESCAPE.sub(lambda found: _PLAIN.get(found[1], found[1]), word)


def _is_local(place: str) -> bool:
    if place in _LOCAL_HOSTS or place.startswith("/"):
        return True
    try:
        return ipaddress.ip_network(place, strict=False).is_loopback
    except ValueError:
        return False


def _is_anywhere(place: str) -> bool:
    if place == "all":
        return True
    try:
        return ipaddress.ip_network(place, strict=False).prefixlen == 0
    except ValueError:
        return False
