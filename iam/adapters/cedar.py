"""Access policies in Cedar, read once, answers cached.

Cedar fails open: a policy whose condition can't be evaluated is skipped, and only the
diagnostics tell. So the schema always goes along, every circumstance is always given, and any
error is a refusal. The shipped policies only permit (a skipped permit refuses); an organisation's
own policies only forbid, so that none of them can give what the core does not.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import cedarpy
import orjson

from iam.errors import PolicyUnusable
from iam.errors.zero_trust import PolicyInvalid
from iam.models.zero_trust import PolicyTitle
from iam.ports import PolicyAnswer, PolicyQuestion
from iam.ports.policies import CIRCUMSTANCES, ParsedPolicy
from secops.kernel.catalogue import Text
from secops.kernel.permissions import GRANTS, ROLES

MAX_CACHED: Final = 20_000
MOST_TEXT: Final = 65_536
_PRINCIPALS: Final = {"account": "Account", "client": "Client", "system": "System", "os": "Os"}
_KINDS: Final = frozenset(_PRINCIPALS.values())
_BUILT_IN: Final = frozenset({"iam.token.issue", "iam.session.open", "iam.application.open"})
_PROBE: Final = "permit (principal, action, resource);"


def schema_text(shipped: str) -> str:
    """Return the shipped schema with an action for every role and permission."""
    groups = [f'action "role:{role}";' for role in sorted(ROLES)]
    actions = []
    for permission, roles in _holders().items():
        inside = ", ".join(f'Action::"role:{role}"' for role in sorted(roles))
        actions.append(
            f'action "{permission}" in [{inside}] appliesTo {{'
            " principal: [Account, Client, System, Os], resource: [Thing],"
            " context: Circumstances };"
        )
    return "\n".join([shipped, *groups, *actions])


def _holders() -> Mapping[str, frozenset[str]]:
    held: dict[str, frozenset[str]] = {}
    for grant in GRANTS:
        if grant.permission not in _BUILT_IN:
            held[grant.permission] = held.get(grant.permission, frozenset()) | grant.roles
    return held


@dataclass(frozen=True, slots=True)
class _Compiled:
    """Policies that were read and fit their schema; ``names`` and ``titles`` by policy and id."""

    schema: cedarpy.Schema
    policies: cedarpy.PolicySet
    version: str
    names: Mapping[str, str]
    titles: Mapping[str, PolicyTitle]
    mentioned: Sequence[str]
    by_id: bool


@functools.lru_cache(maxsize=4)
def _compiled(policies: str, schema: str, own: str) -> _Compiled:
    core = _parse(policies, "permit", PolicyUnusable)
    added = _parse(own, "forbid", PolicyInvalid)
    together = f"{policies}\n{own}"
    try:
        parsed_schema = cedarpy.Schema.from_str(schema)
        parsed = cedarpy.PolicySet.from_str(together)
    except ValueError as error:
        msg = "the access policies can't be read"
        raise PolicyUnusable(msg) from error
    outcome = cedarpy.validate_policies(together, parsed_schema)
    if not outcome.validation_passed:
        msg = f"the access policies don't fit their schema: {outcome.errors[0]}"
        raise (PolicyInvalid(msg) if own else PolicyUnusable(msg))
    every = [*core, *added]
    return _Compiled(
        parsed_schema,
        parsed,
        version=hashlib.sha256(f"{together}\0{schema}".encode()).hexdigest()[:16],
        names={f"policy{n}": _id_of(policy) for n, policy in enumerate(every)},
        titles={_id_of(policy): _title_of(policy) for policy in every},
        mentioned=_mentioned_fields(every),
        by_id=_mentions_subjects(added),
    )


class CedarEngine:
    """Evaluates the shipped policies and own ones; one instance serves all threads."""

    def __init__(self, policies: str, schema: str, own: str = "") -> None:
        self._compiled = _compiled(policies, schema_text(schema), own)
        self._known = frozenset(_holders()) | _BUILT_IN
        self._key = attrgetter(*self._compiled.mentioned)
        self._answers: dict[tuple[Any, ...], PolicyAnswer] = {}

    @property
    def version(self) -> str:
        """A digest of the policies and schema in force."""
        return self._compiled.version

    @property
    def policy_count(self) -> int:
        """How many policies are in force."""
        return len(self._compiled.names)

    @property
    def titles(self) -> Mapping[str, PolicyTitle]:
        """How the policies call themselves, by id."""
        return self._compiled.titles

    def key(self, question: PolicyQuestion) -> tuple[Any, ...]:
        """Return what of ``question`` these policies look at: equal keys, equal answers."""
        named = self._compiled.by_id or question.kind == "system"
        return (question.id if named else "", *self._key(question))

    def evaluate(self, question: PolicyQuestion) -> PolicyAnswer:
        """Return the answer; never raises."""
        key = self.key(question)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._evaluate([question])[0]
            if answer.errors:
                return answer  # nothing was decided, so there is nothing to keep
            if len(self._answers) >= MAX_CACHED:
                self._answers.clear()
            self._answers[key] = answer
        return answer

    def evaluate_all(self, questions: Sequence[PolicyQuestion]) -> Sequence[PolicyAnswer]:
        """Return the answers to many questions, each kind of question asked once."""
        keys = [self.key(question) for question in questions]
        first = dict(zip(keys, questions, strict=True))
        answers = dict(zip(first, self._evaluate(list(first.values())), strict=True))
        return [answers[key] for key in keys]

    def _evaluate(self, questions: Sequence[PolicyQuestion]) -> list[PolicyAnswer]:
        answers = []
        for question in questions:
            if question.permission not in self._known:
                unknown = f"no role holds {question.permission}"
                answers.append(PolicyAnswer(allowed=False, policies=(), errors=(unknown,)))
                continue
            answers.append(self._ask(question))
        return answers

    def _ask(self, question: PolicyQuestion) -> PolicyAnswer:
        try:
            result = cedarpy.is_authorized(
                _request(question),
                self._compiled.policies,
                [_entity(question)],
                self._compiled.schema,
            )
        except (ValueError, TypeError) as error:
            return PolicyAnswer(allowed=False, policies=(), errors=(str(error)[:200],))
        errors = tuple(str(error)[:200] for error in result.diagnostics.errors)
        known = self._compiled.names
        names = tuple(sorted(known.get(name, name) for name in result.diagnostics.reasons))
        return PolicyAnswer(allowed=result.allowed and not errors, policies=names, errors=errors)


class CedarCompiler:
    """Makes engines of the shipped core and own policies; fills ``PolicyCompiler``."""

    def __init__(self, policies: str, schema: str, data: str) -> None:
        self._core = policies
        self._schema = schema
        self._data = data

    def compile(self, own: str = "") -> CedarEngine:
        """Return the engine; raise ``PolicyInvalid`` where own policies don't fit."""
        return CedarEngine(self._core, self._schema, own)

    def parse(self, own: str) -> Sequence[ParsedPolicy]:
        """Return own policies one by one; raise ``PolicyInvalid`` with place and reason."""
        return _parse(own, "", PolicyInvalid)

    def misfits(self, own: str) -> Sequence[tuple[str, str]]:
        """Return what doesn't fit the schema: a policy's name and the reason."""
        outcome = cedarpy.validate_policies(own, self._parsed_schema)
        return [(error.policy_id, error.error[:300]) for error in outcome.errors]

    def fires(self, policy: ParsedPolicy, questions: Sequence[PolicyQuestion]) -> Sequence[bool]:
        """Tell for each question whether this one policy alone forbids it."""
        described = {
            "effect": policy.effect,
            "principal": policy.principal,
            "action": policy.action,
            "resource": policy.resource,
            "conditions": policy.conditions,
        }
        whole = {"staticPolicies": {"probed": described}, "templates": {}, "templateLinks": []}
        text = cedarpy.policies_from_json_str(orjson.dumps(whole).decode())
        policies = cedarpy.PolicySet.from_str(f"{_PROBE}\n{text}")
        answers = []
        for question in questions:
            result = cedarpy.is_authorized(
                _request(question), policies, [_entity(question)], self._parsed_schema
            )
            answers.append(result.decision is cedarpy.Decision.Deny)
        return answers

    @functools.cached_property
    def _parsed_schema(self) -> cedarpy.Schema:
        return cedarpy.Schema.from_str(schema_text(self._schema))

    def shipped_data(self) -> str:
        """Return the shipped tables that policies speak of, as TOML."""
        return self._data


def _request(question: PolicyQuestion) -> dict[str, Any]:
    return {
        "principal": {"type": _PRINCIPALS[question.kind], "id": question.id},
        "action": {"type": "Action", "id": question.permission},
        "resource": {"type": "Thing", "id": question.resource_kind},
        "context": _context(question),
    }


def _entity(question: PolicyQuestion) -> dict[str, Any]:
    return {
        "uid": {"type": _PRINCIPALS[question.kind], "id": question.id},
        "attrs": {},
        "parents": [{"type": "Role", "id": role} for role in sorted(question.roles)],
    }


def _context(question: PolicyQuestion) -> dict[str, Any]:
    """Return every circumstance, always: what is missing would make Cedar skip a policy."""
    context: dict[str, Any] = {name: getattr(question, name) for name in CIRCUMSTANCES}
    context["facts"] = [{"name": name, "value": value} for name, value in question.facts]
    return context


def _parse(
    text: str, effect: str, error: type[PolicyUnusable | PolicyInvalid]
) -> list[ParsedPolicy]:
    """Return the policies of ``text``; raise ``error`` unless all have ``effect`` and a scope."""
    if len(text) > MOST_TEXT:
        msg = f"the policies have more than {MOST_TEXT} characters"
        raise error(msg)
    try:
        whole = orjson.loads(cedarpy.policies_to_json_str(text))
    except ValueError as failure:
        msg = f"the policies can't be read: {str(failure)[:300]}"
        raise error(msg) from failure
    if whole["templates"]:
        msg = "templates are not used"
        raise error(msg)
    parsed = [_parsed(f"policy{n}", whole["staticPolicies"][f"policy{n}"]) for n in _count(whole)]
    for policy in parsed:
        if effect and policy.effect != effect:
            msg = f"{_id_of(policy)} must {effect}: the core only permits, own policies only forbid"
            raise error(msg)
        if policy.effect == "permit" and policy.principal["op"] == "All":
            msg = f"{_id_of(policy)} permits without saying whom"
            raise error(msg)
    return parsed


def _count(whole: Mapping[str, Any]) -> Iterable[int]:
    return range(len(whole["staticPolicies"]))


def _parsed(name: str, fields: Mapping[str, Any]) -> ParsedPolicy:
    annotations = {key: value or "" for key, value in fields.get("annotations", {}).items()}
    return ParsedPolicy(
        name=name,
        effect=fields["effect"],
        annotations=annotations,
        principal=fields["principal"],
        action=fields["action"],
        resource=fields["resource"],
        conditions=tuple(fields["conditions"]),
    )


def _id_of(policy: ParsedPolicy) -> str:
    return policy.annotations.get("id") or policy.name


def _title_of(policy: ParsedPolicy) -> PolicyTitle:
    notes, name = policy.annotations, _id_of(policy)
    title = Text(notes.get("title_zh") or name, notes.get("title_en") or name)
    advice = Text(
        notes.get("advice_zh") or notes.get("advice", ""),
        notes.get("advice_en") or notes.get("advice", ""),
    )
    return PolicyTitle(name, policy.effect, title, advice)


def _mentioned_fields(policies: Sequence[ParsedPolicy]) -> list[str]:
    """Return the fields that any policy looks at, all of them where that can't be told."""
    fields = ["kind", "roles", "permission", "resource_kind"]
    conditions = [policy.conditions for policy in policies]
    attributes, bare = set[str](), False
    for node in _nodes(conditions):
        access = node.get(".")
        if isinstance(access, dict) and access.get("left") == {"Var": "context"}:
            attributes.add(access["attr"])
        elif any(_is_context(part) for part in node.values()):
            bare = True
    names = [*CIRCUMSTANCES, "facts"]
    return fields + (names if bare else [name for name in names if name in attributes])


def _is_context(part: Any) -> bool:
    """Tell whether ``context`` itself is an operand here, as in ``context has x``."""
    operands = part.values() if isinstance(part, dict) else ()
    return any(operand == {"Var": "context"} for operand in operands)


def _nodes(value: Any) -> Iterable[dict[str, Any]]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)


def _mentions_subjects(policies: Sequence[ParsedPolicy]) -> bool:
    """Tell whether a policy names an account or application, or compares principals."""
    for policy in policies:
        for node in _nodes([policy.principal, *policy.conditions]):
            kind = node.get("type")
            if (isinstance(kind, str) and kind in _KINDS) or node.get("Var") == "principal":
                return True
    return False
