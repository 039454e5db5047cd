"""What is wrong with a draft of own policies, found by reading it and by trying it.

Trying: each number, text and flag that a policy compares with is set just below, at and just
above what it names. A condition that no such setting fulfils is unreachable, one that all of
them fulfil forbids everything in its scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any, Final

from iam.models.zero_trust import Finding, PolicyData
from iam.ports.policies import CIRCUMSTANCES, ParsedPolicy, PolicyQuestion
from secops.kernel.catalogue import Text
from secops.kernel.permissions.roles import ROLES

MOST_POLICIES: Final = 200
MOST_PROBES: Final = 600
PREFIX: Final = "own."
_ID: Final = re.compile(r"own\.[a-z0-9][a-z0-9_.-]{0,79}", re.ASCII)
_KINDS: Final = {"Account": "account", "Client": "client", "System": "system", "Os": "os"}
_LARGE: Final = 10_000
_SAMPLE: Final = PolicyQuestion(
    kind="account",
    id="probe",
    roles=frozenset(),
    permission="iam.session.open",
    resource_kind="thing",
    level=2,
    risk=0,
    revoked=False,
    in_scope=True,
)


def lint(policies: Sequence[ParsedPolicy], data: PolicyData) -> Iterator[Finding]:
    """Yield what reading alone tells."""
    if len(policies) > MOST_POLICIES:
        yield _error("too_many", "", "策略超过 200 条", "there are more than 200 policies")
    seen = set[str]()
    for policy in policies:
        name = id_of(policy)
        if policy.effect != "forbid":
            yield _error(
                "not_forbid",
                name,
                "自有策略只能禁止(forbid),不能授予权限",
                "own policies only forbid; what may be done at all is the protected core's",
            )
        if _ID.fullmatch(name) is None:
            yield _error("no_id", name, '缺少以 own. 开头的 @id("own.…")', "no @id like own.…")
        elif name in seen:
            yield _error("duplicate_id", name, "@id 重复", "another policy has this @id")
        seen.add(name)
        yield from _missing_words(policy, name)
        yield from _unknown_names(policy, name, data)


def id_of(policy: ParsedPolicy) -> str:
    """Return what a policy calls itself, or its place in the text."""
    return policy.annotations.get("id") or policy.name


def _missing_words(policy: ParsedPolicy, name: str) -> Iterator[Finding]:
    notes = policy.annotations
    if not (notes.get("title_zh") and notes.get("title_en")):
        yield _error(
            "no_title",
            name,
            "缺少 @title_zh 与 @title_en:被拒绝的人须知道原因",
            "no @title_zh and @title_en: who is refused must learn why",
        )
    if not (notes.get("advice") or (notes.get("advice_zh") and notes.get("advice_en"))):
        yield _error(
            "no_advice",
            name,
            "缺少 @advice(或 @advice_zh 与 @advice_en)",
            "no @advice (or @advice_zh and @advice_en)",
        )


def _unknown_names(policy: ParsedPolicy, name: str, data: PolicyData) -> Iterator[Finding]:
    zones = {zone for zone, _ in data.zones}
    for zone in sorted(_compared(policy, "zones", str) - zones):
        yield _warning(
            "unknown_zone", name, f"数据中没有网络区域 {zone}", f"the data has no zone {zone}"
        )
    for role in sorted(_roles(policy) - ROLES.keys()):
        yield _warning("unknown_role", name, f"没有角色 {role}", f"there is no role {role}")


def probes(policy: ParsedPolicy) -> tuple[Sequence[PolicyQuestion], bool]:
    """Return questions that try a policy's bounds, and whether they are all there are."""
    names = [name for name in CIRCUMSTANCES if _mentions(policy, name)]
    choices = [_values(policy, name) for name in names]
    settings = product(_callers(policy), _actions(policy), _things(policy), *choices)
    found = []
    for caller, permission, thing, *values in islice(settings, MOST_PROBES + 1):
        kind, subject, roles = caller
        found.append(
            replace(
                _SAMPLE,
                kind=kind,
                id=subject,
                roles=roles,
                permission=permission,
                resource_kind=thing,
                **dict(zip(names, values, strict=True)),
            )
        )
    return found[:MOST_PROBES], len(found) <= MOST_PROBES


def judge(policy: ParsedPolicy, fired: Sequence[bool], *, complete: bool) -> Iterator[Finding]:
    """Yield what trying a policy told; ``fired`` are the answers to its probes."""
    name = id_of(policy)
    if not any(fired) and complete:
        yield _warning(
            "unreachable",
            name,
            "条件永远不会成立,该策略不起作用",
            "its condition can never hold: the policy does nothing",
        )
    if not all(fired):
        return
    if policy.principal["op"] == "All" and policy.action["op"] == "All":
        yield _error(
            "over_wide",
            name,
            "对所有主体的所有操作一律禁止",
            "it forbids everything to everybody, whatever the circumstances",
        )
    else:
        yield _warning(
            "unconditional",
            name,
            "在其范围内一律禁止,与环境无关",
            "it forbids everything in its scope, whatever the circumstances",
        )


def _error(code: str, policy: str, zh: str, en: str) -> Finding:
    return Finding("error", code, policy, Text(zh, en))


def _warning(code: str, policy: str, zh: str, en: str) -> Finding:
    return Finding("warning", code, policy, Text(zh, en))


# reading Cedar's JSON


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)


def _mentions(policy: ParsedPolicy, name: str) -> bool:
    reference = {"left": {"Var": "context"}, "attr": name}
    return any(node.get(".") == reference for node in _nodes(policy.conditions))


def _literals(policy: ParsedPolicy, kind: type) -> set[Any]:
    values = [node["Value"] for node in _nodes(policy.conditions) if "Value" in node]
    return {value for value in values if type(value) is kind}


def _compared(policy: ParsedPolicy, name: str, kind: type) -> set[Any]:
    """Return the literals that stand in one comparison with ``context.name``."""
    reference = {".": {"left": {"Var": "context"}, "attr": name}}
    found = set[Any]()
    for node in _nodes(policy.conditions):
        for parts in node.values():
            if isinstance(parts, dict) and reference in parts.values():
                values = [part["Value"] for part in _nodes(list(parts.values())) if "Value" in part]
                found |= {value for value in values if type(value) is kind}
    return found


def _roles(policy: ParsedPolicy) -> set[str]:
    nodes = _nodes([policy.principal, *policy.conditions])
    return {node["id"] for node in nodes if node.get("type") == "Role"}


def _values(policy: ParsedPolicy, name: str) -> Sequence[Any]:
    kind = CIRCUMSTANCES[name]
    if kind is bool:
        return (False, True)
    if kind is int:
        numbers = {bound + step for bound in _literals(policy, int) for step in (-1, 0, 1)}
        return sorted(numbers | {0, _LARGE})
    texts = sorted(_literals(policy, str))
    if kind is str:
        return ["", *texts]
    sets: list[tuple[str, ...]] = [(), *((text,) for text in texts)]
    return [*sets, tuple(texts)] if len(texts) > 1 else sets


def _callers(policy: ParsedPolicy) -> Iterable[tuple[str, str, frozenset[str]]]:
    scope = policy.principal
    roles = frozenset(_roles(policy))
    named = scope.get("entity", {})
    if named.get("type") in _KINDS:
        return [(_KINDS[named["type"]], named["id"], roles)]
    kinds = [_KINDS[scope["entity_type"]]] if scope.get("entity_type") in _KINDS else ["account"]
    sets = {roles} if scope["op"] in ("in", "is") and roles else {roles, frozenset()}
    return [(kind, "probe", held) for kind in kinds for held in sorted(sets, key=len)]


def _actions(policy: ParsedPolicy) -> Sequence[str]:
    scope = policy.action
    entities = scope.get("entities", [scope["entity"]] if "entity" in scope else [])
    plain = [entity["id"] for entity in entities if not entity["id"].startswith("role:")]
    if plain:
        return plain
    return ["iam.own.use"] if entities else ["iam.own.use", "iam.session.open"]


def _things(policy: ParsedPolicy) -> Sequence[str]:
    entity = policy.resource.get("entity", {})
    return [entity.get("id", _SAMPLE.resource_kind)]
