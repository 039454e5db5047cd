"""Rules from ``iptables-save`` and ``ip6tables-save``. Source: iptables-extensions(8)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from audits.core.collectors.firewall.rules import MOST_STEPS, Chain, Rule, Verdict, written_out
from audits.core.collectors.reading import Budget, number

_COUNTER: Final = re.compile(r"\[([0-9]{1,18}):[0-9]{1,18}\]\s+")
_POLICY: Final = re.compile(r":(\S{1,60}) (\S{1,20}) \[")
_VERDICTS: Final[Mapping[str, Verdict]] = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "reject"}
_HOOKS: Final = {"INPUT": "input", "FORWARD": "forward"}
_PLAIN: Final = frozenset(("-m", "--match", "--reject-with", "--comment", "-A", "--log-prefix"))
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
_FLAGS: Final = {
    "-s": "source",
    "--source": "source",
    "-d": "target",
    "--destination": "target",
    "-p": "protocol",
    "--protocol": "protocol",
    "--dport": "ports",
    "--dports": "ports",
    "--destination-port": "ports",
    "--state": "states",
    "--ctstate": "states",
    "-i": "interface",
    "-j": "aim",
    "-g": "aim",
}


def read_iptables(lines: Sequence[str], family: str) -> list[Chain] | None:
    """Return the chains for input and forwarding, and one that counts what is published.

    None where there are more steps than are looked at.
    """
    table, policies = "", dict[str, Verdict]()
    rules: dict[str, list[tuple[Rule, str | None]]] = {}
    published = 0
    for line in lines:
        text = line.strip()
        if text.startswith("*"):
            table = text[1:]
        elif table == "nat" and "-j DNAT" in text:
            published += 1
        elif table == "filter" and (policy := _POLICY.match(text)):
            policies[policy[1]] = _VERDICTS.get(policy[2], "other")
        elif table == "filter" and " " in text:
            found = _line(text)
            if found is not None:
                rules.setdefault(found[0], []).append(found[1:])
    # a target such as LOG is no chain: the rule stands, and decides nothing
    known = {
        name: [(rule, aim if aim in rules else None) for rule, aim in several]
        for name, several in rules.items()
    }
    families, budget = frozenset(family), Budget(MOST_STEPS)
    hooked = [
        Chain(hook, policies[name], families, tuple(written_out(known, name, budget)))
        for name, hook in _HOOKS.items()
        if name in policies
    ]
    if budget.left < 0:
        return None
    return [*hooked, Chain("", "accept", families, published=published)]


def _line(line: str) -> tuple[str, Rule, str | None] | None:
    """Return chain, rule and aim of a line ``-A CHAIN …``; None for another line."""
    counter = _COUNTER.match(line)
    text = line[counter.end() :] if counter else line
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    if len(words) < 2 or words[0] != "-A":  # noqa: PLR2004 - the flag and the chain
        return None
    rule, aim = _rule(words[2:], text)
    packets = number(counter[1]) if counter else None
    return words[1], replace(rule, packets=packets), aim


def _rule(words: Sequence[str], text: str) -> tuple[Rule, str | None]:
    said: dict[str, Any] = {}
    aim, position = "", 0
    while position < len(words):
        word = words[position]
        value = words[position + 1] if position + 1 < len(words) else ""
        name = _FLAGS.get(word)
        if word == "!":
            # whatever is not that: it narrows the rule, and names nothing
            said["other"] = True
            position += 3
            continue
        if name is None:
            # an unknown test narrows the rule; its value is passed over as the next word
            said["other"] = said.get("other", False) or (word[:1] == "-" and word not in _PLAIN)
            position += 2 if word in _PLAIN else 1
            continue
        if name == "aim":
            aim = value
        else:
            _note(said, name, value)
        position += 2
    verdict = _VERDICTS.get(aim, "other")
    return Rule(verdict=verdict, text=text, **said), None if aim in _VERDICTS else aim


def _note(said: dict[str, Any], name: str, value: str) -> None:
    if name in ("source", "target"):
        said[name] = value not in _EVERYWHERE
    elif name == "protocol":
        said[name] = "" if value == "all" else value
    elif name == "ports":
        said[name] = _ports(value)
    elif name == "states":
        said[name] = frozenset(value.lower().split(","))
    elif value == "lo":
        said["loopback"] = True
    else:
        said["other"] = True


def _ports(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for part in text.split(",")[:200]:
        low, _, high = part.partition(":")
        first = number(low) if low else 0
        last = number(high) if high else first if ":" not in part else 65_535
        found.append((-1 if first is None else first, -1 if last is None else last))
    return tuple(found)
