"""PAM stacks: what happens after failed sign-ins, and what a new password must be.

Source: pam.conf(5), pam_faillock(8), pam_tally2(8), pam_pwquality(8), pam_cracklib(8). Arguments
of a module beat its configuration file. Debian includes by ``@include``, others by ``include`` and
``substack``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.collectors.reading import Budget, Looker, number

KIND: Final = "host.pam"
_FOLDER: Final = "/etc/pam.d/"
_ENTRIES: Final = ("sshd", "login")
_STACKS: Final = ("common-auth", "system-auth", "password-auth")
_PASSWORDS: Final = ("passwd", "common-password", "system-auth", "password-auth")
_LINE: Final = re.compile(r"-?(auth|account|password|session)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)")
_DEPTH: Final = 16
_MOST: Final = 20_000
_LOCKS: Final = ("pam_faillock", "pam_tally2", "pam_tally")
_QUALITY: Final = ("pam_pwquality", "pam_cracklib", "pam_passwdqc")
_CREDITS: Final = ("dcredit", "ucredit", "lcredit", "ocredit")
_FAILLOCK_DENY: Final = 3
_FAILLOCK_UNLOCK: Final = 600
"""pam_faillock(8): the defaults of ``deny`` and ``unlock_time``."""

Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of /etc/pam.d by name, and how many of their lines may still be looked at."""

    lines: Mapping[str, Sequence[str]]
    budget: Budget


@dataclass(frozen=True, slots=True)
class Module:
    """One line of a stack: the module's name without ``.so``, its control and its arguments."""

    name: str
    control: str
    settings: Settings


def look_at_pam(look: Looker) -> None:
    """Note lock-out, rules for passwords, who may become root."""
    lines = {
        path.removeprefix(_FOLDER): lines
        for path, lines in look.files("pam").items()
        if path.startswith(_FOLDER)
    }
    files = Files(lines, Budget(_MOST))
    if not lines:
        look.lack("pam: no stack was read")
        return
    _look_at_lock_out(look, files)
    _look_at_quality(look, files)
    if "su" in lines:
        wheel = [m for m in stack(files, "su", "auth") if m.name == "pam_wheel"]
        look.note("su_restricted", any(m.control in ("required", "requisite") for m in wheel))
    check = look.lines("authselect", needed=False)
    if check is not None:
        look.note("authselect_intact", any("is valid" in line for line in check))
    if files.budget.left < 0:
        look.facts.clear()
        look.lack("pam: includes of more lines than are looked at")


def stack(files: Files, name: str, kind: str) -> list[Module]:
    """Return the modules of a service for ``kind`` in order, includes resolved."""
    return _stack(files, name, kind, _DEPTH)


def _stack(files: Files, name: str, kind: str, depth: int) -> list[Module]:
    found: list[Module] = []
    for line in files.lines.get(name, ()):
        if not files.budget.spend():
            break
        words = line.split()
        if len(words) == 2 and words[0] == "@include":  # noqa: PLR2004 - a word and a name
            found += _stack(files, words[1], kind, depth - 1) if depth else []
        elif (parts := _LINE.fullmatch(line.strip())) is not None and parts[1] == kind:
            if parts[2] in ("include", "substack"):
                found += _stack(files, parts[3], kind, depth - 1) if depth else []
            else:
                module = parts[3].rpartition("/")[2].removesuffix(".so")
                found.append(Module(module, parts[2], _settings(parts[4].split())))
    return found


def _settings(words: Sequence[str]) -> dict[str, str]:
    pairs = (word.partition("=") for word in words if not word.startswith("#"))
    return {name: value for name, _, value in pairs}


def _configuration(files: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return settings of files such as pwquality.conf; in order of their names the last counts."""
    found = {}
    for path in sorted(files, key=lambda p: (p.count("/"), p)):
        for line in files[path]:
            name, _, value = line.partition("#")[0].partition("=")
            if name.strip():
                found[name.strip()] = value.strip()
    return found


def _look_at_lock_out(look: Looker, files: Files) -> None:
    services = [name for name in _ENTRIES if name in files.lines]
    services = services or [name for name in _STACKS if name in files.lines]
    stored = _configuration(look.files("faillock"))
    locks = [_lock_of(files, service) for service in services]
    in_force = [lock for lock in locks if lock is not None]
    if not services:
        look.lack("pam: neither sshd, login nor a common stack was read")
        return
    look.note("lockout_everywhere", len(in_force) == len(locks))
    if not in_force:
        look.note("lockout", "none")
        look.note("failures", 0)
        return
    look.note("lockout", in_force[0].name)
    faillock = all(lock.name == "pam_faillock" for lock in in_force)
    settings = [(stored if faillock else {}) | dict(lock.settings) for lock in in_force]
    default = _FAILLOCK_DENY if faillock else 0
    # of the ways in, the one that forgives most counts; deny 0 never locks
    denied = [number(each.get("deny", "")) if "deny" in each else default for each in settings]
    if None not in denied:
        numbers = [n for n in denied if n is not None]
        look.note("failures", 0 if 0 in numbers else max(numbers))
    unlocks = [
        number(each.get("unlock_time", str(_FAILLOCK_UNLOCK if faillock else 0)))
        for each in settings
    ]
    if None not in unlocks:
        look.note("unlock_seconds", min(n for n in unlocks if n is not None))
    look.note("root_locked", all("even_deny_root" in each for each in settings))


def _lock_of(files: Files, service: str) -> Module | None:
    """Return the module that locks accounts in a service; faillock only where it also counts."""
    auth = stack(files, service, "auth")
    for name in _LOCKS:
        lines = [module for module in auth if module.name == name]
        if not lines:
            continue
        if name == "pam_faillock":
            said = {word for module in lines for word in module.settings}
            if not {"preauth", "authfail"} <= said:
                return None
        merged = {k: v for module in lines for k, v in module.settings.items()}
        return Module(name, lines[0].control, merged)
    return None


def _look_at_quality(look: Looker, files: Files) -> None:
    names = [name for name in _PASSWORDS if name in files.lines]
    modules = [module for name in names for module in stack(files, name, "password")]
    if not modules:
        look.lack("pam: no stack for passwords was read")
        return
    quality = next((m for m in modules if m.name in _QUALITY), None)
    unix = [m for m in modules if m.name == "pam_unix"]
    look.note("quality", quality.name if quality else "none")
    auth = [m for name in files.lines for m in stack(files, name, "auth") if m.name == "pam_unix"]
    look.note("empty_accepted", any("nullok" in m.settings for m in auth))
    remembered = [number(m.settings.get("remember", "")) or 0 for m in modules]
    look.note("remembered", max(remembered))
    if quality is None:
        look.note(
            "min_length", max([number(m.settings.get("minlen", "")) or 0 for m in unix] + [0])
        )
        look.note("classes", 0)
    elif quality.name == "pam_passwdqc":
        look.lack("pam_passwdqc: its rule is none of length and classes")
    else:
        stored = _configuration(look.files("pwquality")) if quality.name == "pam_pwquality" else {}
        _note_rules(look, stored | dict(quality.settings))


def _note_rules(look: Looker, settings: Settings) -> None:
    """Note length and classes; credits above 0 shorten what is asked, below 0 they ask a class.

    What is only warned of is not asked (``enforcing``, pwquality.conf(5)).
    """
    if settings.get("enforcing") == "0":
        look.note("quality", "none")
        look.note("min_length", 0)
        look.note("classes", 0)
        return
    given = [number(settings.get(name, "0")) or 0 for name in _CREDITS]
    length = number(settings.get("minlen", ""))
    if length is None:
        look.lack("pam: minlen is not set, its default depends on the version")
    else:
        look.note("min_length", max(0, length - sum(max(0, each) for each in given)))
    classes = number(settings.get("minclass", "0")) or 0
    look.note("classes", max(classes, sum(each < 0 for each in given)))
    look.note("root_too", "enforce_for_root" in settings)
