"""Accounts and the states of their passwords; the bundle holds no hash.

Source: passwd(5), shadow(5), login.defs(5), sudoers(5). What counts for an account is its own
line in shadow: login.defs acts on new accounts alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.collectors.reading import Looker, day_of, listed, number

ACCOUNTS: Final = "host.accounts"
PASSWORDS: Final = "host.passwords"
MOST_DAYS: Final = 90
"""Policy: a password is renewed, an account used, within so many days (facts of L3-CES1-01, 07)."""
_WEAK: Final = ("set-1", "set-des", "set-2", "set-3", "set-md5")
_NO_SHELL: Final = re.compile(r".*/(nologin|false|sync|shutdown|halt|null)")
_DEFAULTS: Final = frozenset(
    ("guest", "test", "demo", "user", "ftp", "anonymous", "games", "lp", "news", "uucp", "operator")
)
_FIRST_PERSON: Final = 1_000
_FIELDS: Final = 8


@dataclass(frozen=True, slots=True)
class Password:
    """A line of shadow: days since 1970 and numbers of days, None where they are empty."""

    name: str
    state: str
    changed: int | None
    most: int | None
    expires: int | None

    @property
    def works(self) -> bool:
        """Whether somebody can sign in with it."""
        return self.state.startswith("set-") or self.state == "empty"


@dataclass(frozen=True, slots=True)
class Account:
    """A line of passwd."""

    name: str
    field: str
    uid: int
    shell: str

    @property
    def has_shell(self) -> bool:
        """Whether a person gets a shell; an empty field means /bin/sh."""
        return not _NO_SHELL.fullmatch(self.shell)


def look_at_passwords(look: Looker) -> None:
    """Note what the passwords in use are."""
    _look_at_defaults(look)
    passwords = _passwords(look)
    if passwords is None:
        return
    set_ones = [each for each in passwords if each.state.startswith("set-")]
    accounts = _accounts(look) or []
    empty = {each.name for each in passwords if each.state == "empty"}
    empty |= {each.name for each in accounts if each.field == "empty"}
    look.note("set", len(set_ones))
    look.note("empty", len(empty))
    look.note("weak_scheme", sum(each.state in _WEAK for each in set_ones))
    look.note("unlimited", sum(each.most is None or each.most > MOST_DAYS for each in set_ones))
    # day 0 means that it must be changed at the next sign-in
    old = [p for p in set_ones if p.changed and look.day - p.changed > MOST_DAYS]
    look.note("older", len(old))


def _look_at_defaults(look: Looker) -> None:
    lines = look.lines("login.defs:/etc/login.defs", needed=False) or []
    said = {words[0]: words[1] for line in lines if len(words := line.split()) > 1}
    look.note("new_most_days", number(said.get("PASS_MAX_DAYS", "")))
    look.note("new_scheme", said.get("ENCRYPT_METHOD"))


def look_at_accounts(look: Looker) -> None:
    """Note which accounts there are, spare ones and mighty ones among them."""
    accounts = _accounts(look)
    if accounts is None:
        return
    uids = [each.uid for each in accounts]
    look.note("accounts", len(accounts))
    look.note("other_roots", sum(each.uid == 0 and each.name != "root" for each in accounts))
    look.note("duplicate_uids", len(uids) - len(set(uids)))
    look.note("duplicate_names", len(accounts) - len({each.name for each in accounts}))
    _look_at_sudo(look)
    passwords = _passwords(look)
    if passwords is None:
        return
    working = {each.name: each for each in passwords if each.works}
    usable = [each for each in accounts if each.name in working and each.has_shell]
    defaults = [each.name for each in usable if _is_default(each)]
    look.note("usable", len(usable))
    look.note("defaults", len(defaults))
    look.note("default_names", listed(defaults))
    look.note("expired", sum(_is_past(working[each.name].expires, look.day) for each in usable))
    used = _last_days(look.lines("accounts.lastlog"))
    if used is None:
        look.lack("accounts.lastlog: when accounts were used can't be read")
        return
    idle = [each.name for each in usable if _is_idle(working[each.name], used, look.day)]
    look.note("idle", len(idle))
    look.note("idle_names", listed(idle))


def _is_default(account: Account) -> bool:
    """Tell whether an account came with the system: by its name, or a system's number."""
    return account.name in _DEFAULTS or 0 < account.uid < _FIRST_PERSON


def _is_past(day: int | None, today: int) -> bool:
    return day is not None and 0 < day <= today


def _is_idle(password: Password, used: dict[str, int], today: int) -> bool:
    """Tell whether neither a sign-in nor a new password is recent; root is for emergencies."""
    if password.name == "root":
        return False
    newest = max(used.get(password.name, 0), password.changed or 0)
    return today - newest > MOST_DAYS


def _look_at_sudo(look: Looker) -> None:
    files = look.files("accounts.sudo")
    if not files:
        look.lack("accounts.sudo: no file of sudo was read")
        return
    rules = [line for lines in files.values() for line in lines if "=" in line]
    grants = [line for line in rules if not line.lstrip().startswith(("Defaults", "@"))]
    look.note("sudo_without_password", sum("NOPASSWD" in line for line in grants))
    look.note("sudo_for_all", sum(line.split()[0] == "ALL" for line in grants if line.split()))


def _accounts(look: Looker) -> list[Account] | None:
    lines = look.lines("accounts.passwd")
    if lines is None:
        return None
    found = []
    for line in lines:
        words = line.split(":")
        uid = number(words[2]) if len(words) == 5 else None  # noqa: PLR2004 - the script's fields
        if uid is not None:
            found.append(Account(words[0], words[1], uid, words[4]))
    if not found:
        look.lack("accounts.passwd: no line of it can be read")
        return None
    return found


def _passwords(look: Looker) -> list[Password] | None:
    lines = look.lines("accounts.shadow")
    if lines is None:
        return None
    written = [line.split(":") for line in lines if line]
    rows = [words for words in written if len(words) == _FIELDS]
    if len(rows) < len(written) or not rows:
        look.lack(f"accounts.shadow: {len(rows)} of {len(written)} lines can be read")
        look.in_part = True
    if not rows:
        return None
    return [
        Password(row[0], row[1], number(row[2]), number(row[4]), number(row[7])) for row in rows
    ]


def _last_days(lines: Sequence[str] | None) -> dict[str, int] | None:
    """Return the day of each account's last sign-in, 0 for never; None for another form."""
    if not lines or not lines[0].startswith("Username"):
        return None
    found = {}
    for line in lines[1:]:
        words = line.split()
        if not words:
            continue
        if "Never logged in" in line:
            found[words[0]] = 0
        elif (day := _day(words[-6:])) is not None:
            found[words[0]] = day
        else:
            return None
    return found


def _day(words: Sequence[str]) -> int | None:
    """Return the day of ``Mon Nov 23 10:00:00 +0800 2026`` in days since 1970."""
    return day_of(words[5], words[1], words[2]) if len(words) == 6 else None  # noqa: PLR2004 - its words
