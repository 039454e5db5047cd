"""The SSH server: what ``sshd -T`` says it would do, else what its files say.

Source: sshd_config(5). Of a keyword the first value counts; ``Match`` reaches to the next one;
``Include`` stands for the files it names, relative to /etc/ssh.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from audits.core.collectors.reading import Budget, Looker, listed, number
from audits.models.evidence import Fact

KIND: Final = "host.ssh"
_MAIN: Final = "/etc/ssh/sshd_config"
_LINE: Final = re.compile(r"\s*([A-Za-z0-9]{1,60})(?:\s+|\s*=\s*)(\S.*)")
_TIME: Final = re.compile(r"([0-9]{1,9})([smhdw]?)", re.IGNORECASE)
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DEPTH: Final = 16
_MOST_LINES: Final = 20_000
_WEAK: Final = {
    "ciphers": re.compile(r"cbc|arcfour|3des|blowfish|cast128|^none$"),
    "macs": re.compile(r"md5|-96|ripemd|^none$"),
    "kexalgorithms": re.compile(r"group1-sha1|group14-sha1|group-exchange-sha1"),
}
_LAX: Final = {
    "permitrootlogin": ("yes",),
    "passwordauthentication": ("yes",),
    "permitemptypasswords": ("yes",),
}

Options = Mapping[str, Sequence[str]]


def look_at_ssh(look: Looker) -> None:
    """Note how people sign in by SSH; of two connections tried, the laxer counts."""
    found = [
        _facts(options)
        for name in ("ssh.effective:root", "ssh.effective:user")
        if (options := _effective(look.lines(name))) is not None
    ]
    files = look.files("ssh.file")
    lines = _lines(look, files)
    if found:
        look.note("source", "sshd -T")
    elif lines:
        look.note("source", "files")
        look.lack("sshd -T: what the files leave open depends on the version of the server")
        found = [_facts(_first_values(lines))]
    for name, value in _laxer(found).items():
        look.note(name, value)
    if lines:
        weakened = _weakened_by_match(lines)
        look.note("match_weakens", len(weakened))
        look.note("match_weakened", listed(weakened))
    _look_at_process(look)


def _lines(look: Looker, files: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return what the files say in order; nothing where it never ends."""
    budget = Budget(_MOST_LINES)
    lines = list(_flattened(files, _MAIN, _DEPTH, budget)) if _MAIN in files else []
    if budget.left >= 0:
        return lines
    look.lack("ssh.file: includes of more lines than are looked at")
    return []


def _look_at_process(look: Looker) -> None:
    lines = look.lines("ssh.process")
    if lines is None:
        return
    running = [line.split() for line in lines if line.strip()]
    look.note("running", bool(running))
    options = [word for words in running for word in words if word[:2] in ("-o", "-f")]
    look.note("running_differs", bool(options))


def _effective(lines: list[str] | None) -> dict[str, list[str]] | None:
    """Return what ``sshd -T`` prints, a list for each keyword; None where it prints nothing."""
    if lines is None:
        return None
    options: dict[str, list[str]] = {}
    for line in lines:
        keyword, _, value = line.strip().partition(" ")
        if value:
            options.setdefault(keyword.lower(), []).append(value.strip())
    return options or None


def _flattened(
    files: Mapping[str, Sequence[str]], path: str, depth: int, budget: Budget
) -> Iterable[tuple[str, str]]:
    """Yield (keyword, value) of a file in order, with what it includes; nothing past limits."""
    for line in files[path]:
        if not budget.spend():
            return
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            continue
        keyword, value = found[1].lower(), found[2].strip().strip('"')
        if keyword != "include":
            yield keyword, value
            continue
        for included in _included(files, value) if depth else ():
            yield from _flattened(files, included, depth - 1, budget)


def _included(files: Mapping[str, Sequence[str]], patterns: str) -> list[str]:
    """Return the files among ``files`` that an Include names, by name, as glob(7) orders them."""
    whole = [word if word.startswith("/") else f"/etc/ssh/{word}" for word in patterns.split()]
    return [
        path
        for pattern in whole[:20]
        for path in sorted(files)
        if path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
    ]


def _first_values(lines: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return what counts outside ``Match``: of most keywords the first value."""
    options: dict[str, list[str]] = {}
    for keyword, value in lines:
        if keyword == "match":
            break
        if keyword in ("allowusers", "allowgroups", "port", "listenaddress"):
            options.setdefault(keyword, []).append(value)
        else:
            options.setdefault(keyword, [value])
    return options


def _weakened_by_match(lines: Iterable[tuple[str, str]]) -> list[str]:
    """Return the keywords that a ``Match`` sets to a lax value."""
    inside, found = False, dict[str, None]()
    for keyword, value in lines:
        if keyword == "match":
            inside = value.strip().lower() != "all"
        elif inside and value.lower() in _LAX.get(keyword, ()):
            found[keyword] = None
    return list(found)


def _facts(options: Options) -> dict[str, Fact]:
    """Return the facts that options state; what they leave out is not guessed."""
    facts: dict[str, Fact] = {}
    root = _one(options, "permitrootlogin")
    if root:
        facts["root_login"] = "prohibit-password" if root == "without-password" else root
        facts["root_refused"] = root == "no"
    for name, keyword in (
        ("passwords", "passwordauthentication"),
        ("empty_passwords", "permitemptypasswords"),
    ):
        if (value := _one(options, keyword)) in ("yes", "no"):
            facts[name] = value == "yes"
    tries = number(_one(options, "maxauthtries"))
    grace = _seconds(_one(options, "logingracetime"))
    interval = _seconds(_one(options, "clientaliveinterval"))
    most = number(_one(options, "clientalivecountmax"))
    facts |= {k: v for k, v in (("max_tries", tries), ("grace_seconds", grace)) if v is not None}
    if interval is not None and most is not None:
        facts["alive_seconds"] = interval * most
    ports = [port for port in options.get("port", ()) if number(port) is not None]
    facts["ports"] = listed(ports or ["22"])
    facts["protocol_1"] = "1" in _one(options, "protocol").split(",")
    allowed = [word for line in options.get("allowusers", ()) for word in line.split()]
    facts["users_restricted"] = bool(allowed or options.get("allowgroups"))
    facts["addresses_restricted"] = bool(allowed) and all("@" in word for word in allowed)
    return facts | _weak_algorithms(options)


def _weak_algorithms(options: Options) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for keyword, weak in _WEAK.items():
        value = _one(options, keyword)
        # a list that only adds to or takes from the defaults does not say what is offered
        if value and value[0] not in "+-^":
            facts[f"weak_{keyword}"] = sum(bool(weak.search(name)) for name in value.split(","))
    return facts


def _one(options: Options, keyword: str) -> str:
    values = options.get(keyword)
    return values[0].strip().lower() if values else ""


def _seconds(text: str) -> int | None:
    """Return a time such as ``2m`` or ``1h30m`` in seconds (sshd_config(5), TIME FORMATS)."""
    parts = _TIME.findall(text)
    if not parts or "".join(f"{n}{unit}" for n, unit in parts) != text:
        return None
    return sum(int(n) * _SECONDS[unit.lower()] for n, unit in parts)


def _laxer(found: Sequence[Mapping[str, Fact]]) -> dict[str, Fact]:
    """Return of each fact the laxer value: the first connection is root's own."""
    merged: dict[str, Fact] = {}
    for facts in found:
        for name, value in facts.items():
            before = merged.setdefault(name, value)
            if isinstance(value, str):
                continue
            tight = name.endswith(("_restricted", "_refused"))
            merged[name] = min(before, value) if tight else max(before, value)
    return merged
