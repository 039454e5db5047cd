"""Rules from ``nft -j list ruleset``. Source: libnftables-json(5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

import orjson

from audits.core.collectors.firewall.rules import MOST_STEPS, Chain, Rule, Verdict, written_out
from audits.core.collectors.reading import Budget

_FAMILIES: Final = {
    "ip": frozenset("4"),
    "ip6": frozenset("6"),
    "inet": frozenset("46"),
}
_MOST_PORTS: Final = 200
_MOST_DEPTH: Final = 60
_VERDICTS: Final[Mapping[str, Verdict]] = {
    "accept": "accept",
    "drop": "drop",
    "reject": "reject",
}

Key = tuple[str, str, str]
Rules = Mapping[Key, Sequence[tuple[Rule, Key | None]]]


def read_nft(text: str) -> list[Chain] | None:
    """Return the base chains with their jumps written out; None for what can't be judged.

    That is no rule set, or one of more steps than are looked at.

    The last chain has no hook: it counts what is published.
    """
    if _depth(text) > _MOST_DEPTH:
        return None
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    entries = said.get("nftables") if isinstance(said, dict) else None
    if not isinstance(entries, list):
        return None
    objects = [entry for entry in entries if isinstance(entry, dict)]
    chains = {_key(c, "name"): c for o in objects if _is_map(c := o.get("chain"))}
    rules: dict[Key, list[tuple[Rule, Key | None]]] = {}
    published = 0
    for rule in [r for o in objects if _is_map(r := o.get("rule"))]:
        key, statements = _key(rule, "chain"), rule.get("expr")
        parts = [p for p in statements if _is_map(p)] if isinstance(statements, list) else []
        published += sum("dnat" in part or "redirect" in part for part in parts)
        read, aim = _rule(parts)
        to = None if aim is None else (key[0], key[1], aim)
        rules.setdefault(key, []).append((read, to))
    budget = Budget(MOST_STEPS)
    hooked = [(key, chain) for key, chain in chains.items() if chain.get("hook")]
    found = [_chain(key, chain, rules, budget) for key, chain in hooked]
    if budget.left < 0:
        return None
    return [*found, Chain("", "accept", frozenset(), published=published)]


def _depth(text: str) -> int:
    """Return a bound of how deep brackets nest: those in strings count as well."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _is_map(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _key(entry: Mapping[str, Any], name: str) -> Key:
    return str(entry.get("family")), str(entry.get("table")), str(entry.get(name))


def _chain(key: Key, chain: Mapping[str, Any], rules: Rules, budget: Budget) -> Chain:
    return Chain(
        hook="" if chain.get("type") == "nat" else str(chain.get("hook")),
        policy=_VERDICTS.get(str(chain.get("policy", "accept")), "other"),
        families=_FAMILIES.get(key[0], frozenset()),
        rules=tuple(written_out(rules, key, budget)),
    )


def _rule(parts: Sequence[Mapping[str, Any]]) -> tuple[Rule, str | None]:
    """Return a rule, and the chain it jumps to."""
    said: dict[str, Any] = {}
    verdict: Verdict = "other"
    aim = None
    for part in parts:
        for name, value in part.items():
            if name in _VERDICTS:
                verdict = _VERDICTS[name]
            elif name in ("jump", "goto") and _is_map(value):
                aim = str(value.get("target"))
            elif name == "counter" and _is_map(value):
                said["packets"] = _whole(value.get("packets"))
            elif name == "match" and _is_map(value):
                _match(said, value)
            elif name in ("vmap", "set"):
                said["other"] = True
    kept = [{k: v for k, v in part.items() if k != "counter"} for part in parts]
    text = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()
    return Rule(verdict=verdict, text=text, **said), aim


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _match(said: dict[str, Any], match: Mapping[str, Any]) -> None:
    left, right, operator = match.get("left"), match.get("right"), match.get("op")
    payload = left.get("payload") if _is_map(left) else None
    place, protocol = _place(payload) if _is_map(payload) else (None, "")
    meta = left.get("meta") if _is_map(left) else None
    meta = meta.get("key") if _is_map(meta) else meta
    tracked = left.get("ct") if _is_map(left) else None
    tracked = tracked.get("key") if _is_map(tracked) else tracked
    if operator == "!=":
        said["other"] = True
    elif place in ("saddr", "daddr"):
        said["source" if place == "saddr" else "target"] = not _is_everywhere(right)
    elif place == "dport":
        said["ports"] = _ports(right)
        if protocol != "th":  # th is whatever transport a rule names elsewhere
            said.setdefault("protocol", protocol)
    elif meta == "l4proto" or place in ("protocol", "nexthdr"):
        said["protocol"] = _protocol(right)
    elif meta in ("iif", "iifname") and right == "lo":
        said["loopback"] = True
    elif tracked == "state":
        said["states"] = frozenset(_texts(right))
    elif protocol in ("icmp", "icmpv6"):
        said["protocol"] = protocol
    else:
        said["other"] = True


def _place(payload: Mapping[str, Any]) -> tuple[Any, str]:
    return payload.get("field"), str(payload.get("protocol"))


def _is_everywhere(value: Any) -> bool:
    prefix = value.get("prefix") if _is_map(value) else None
    return bool(_is_map(prefix) and prefix.get("len") == 0)


def _texts(value: Any) -> list[str]:
    if _is_map(value) and isinstance(value.get("set"), list):
        value = value["set"]
    several = value if isinstance(value, list) else [value]
    return [each for each in several if isinstance(each, str)]


def _protocol(value: Any) -> str:
    names = _texts(value)
    return ",".join(names) or str(_whole(value) or "")


def _ports(value: Any) -> tuple[tuple[int, int], ...]:
    """Return ranges; a named set or a service's name can't be read and counts as one port."""
    if _is_map(value) and isinstance(value.get("set"), list):
        value = value["set"]
    several = value if isinstance(value, list) else [value]
    found = []
    for each in several[:_MOST_PORTS]:
        pair = each.get("range") if _is_map(each) else [each, each]
        if isinstance(pair, list) and len(pair) == 2 and {type(p) for p in pair} == {int}:  # noqa: PLR2004
            found.append((pair[0], pair[1]))
        else:
            found.append((-1, -1))
    return tuple(found)
