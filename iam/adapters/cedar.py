"""Access policies in Cedar, read once, answers cached.

Cedar fails open: a policy whose condition can't be evaluated is skipped, and only the
diagnostics tell. So the schema always goes along, any error is a refusal, and all policies
permit (a skipped permit refuses); a ``forbid`` is not accepted when policies are loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import cedarpy
import orjson

from iam.errors import PolicyUnusable
from iam.ports import PolicyAnswer, PolicyQuestion
from secops.kernel.permissions import GRANTS, ROLES

MAX_CACHED: Final = 20_000
_PRINCIPALS: Final = {"account": "Account", "client": "Client", "system": "System", "os": "Os"}
_BUILT_IN: Final = frozenset({"iam.token.issue", "iam.session.open"})


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


class CedarEngine:
    """Evaluates the shipped policies; one instance serves all threads."""

    def __init__(self, policies: str, schema: str) -> None:
        whole = schema_text(schema)
        try:
            self._schema = cedarpy.Schema.from_str(whole)
            self._policies = cedarpy.PolicySet.from_str(policies)
        except ValueError as error:
            msg = "the access policies can't be read"
            raise PolicyUnusable(msg) from error
        outcome = cedarpy.validate_policies(policies, self._schema)
        if not outcome.validation_passed:
            msg = f"the access policies don't fit their schema: {outcome.errors[0]}"
            raise PolicyUnusable(msg)
        self._names = _names_of(policies)
        self._known = frozenset(_holders()) | _BUILT_IN
        self._version = hashlib.sha256(f"{policies}\0{whole}".encode()).hexdigest()[:16]
        self._answers: dict[tuple[Any, ...], PolicyAnswer] = {}

    @property
    def version(self) -> str:
        """A digest of the policies and schema in force."""
        return self._version

    @property
    def policy_count(self) -> int:
        """How many policies are in force."""
        return len(self._names)

    def evaluate(self, question: PolicyQuestion) -> PolicyAnswer:
        """Return the answer; never raises."""
        # no policy names an account or application, so their ids don't take part in the key
        key = (
            question.kind,
            question.id if question.kind == "system" else "",
            question.roles,
            question.permission,
            question.resource_kind,
            question.level,
            question.risk,
            question.revoked,
            question.in_scope,
            question.facts,
        )
        answer = self._answers.get(key)
        if answer is None:
            answer = self._evaluate(question)
            if len(self._answers) >= MAX_CACHED:
                self._answers.clear()
            self._answers[key] = answer
        return answer

    def _evaluate(self, question: PolicyQuestion) -> PolicyAnswer:
        if question.permission not in self._known:
            return PolicyAnswer(
                allowed=False, policies=(), errors=(f"no role holds {question.permission}",)
            )
        principal = {"type": _PRINCIPALS[question.kind], "id": question.id}
        entity = {
            "uid": principal,
            "attrs": {},
            "parents": [{"type": "Role", "id": role} for role in sorted(question.roles)],
        }
        request = {
            "principal": principal,
            "action": {"type": "Action", "id": question.permission},
            "resource": {"type": "Thing", "id": question.resource_kind},
            "context": _context(question),
        }
        try:
            result = cedarpy.is_authorized(request, self._policies, [entity], self._schema)
        except (ValueError, TypeError) as error:
            return PolicyAnswer(allowed=False, policies=(), errors=(str(error)[:200],))
        errors = tuple(str(error)[:200] for error in result.diagnostics.errors)
        names = tuple(sorted(self._names.get(name, name) for name in result.diagnostics.reasons))
        return PolicyAnswer(allowed=result.allowed and not errors, policies=names, errors=errors)


def _context(question: PolicyQuestion) -> dict[str, Any]:
    return {
        "level": question.level,
        "risk": question.risk,
        "revoked": question.revoked,
        "in_scope": question.in_scope,
        "facts": [{"name": name, "value": value} for name, value in question.facts],
    }


def _names_of(text: str) -> dict[str, str]:
    names = {}
    for policy_id, policy in _static_policies(text):
        if policy["effect"] != "permit":
            msg = f"{policy_id} forbids; policies only permit"
            raise PolicyUnusable(msg)
        if policy["principal"]["op"] == "All":
            msg = f"{policy_id} permits without saying whom"
            raise PolicyUnusable(msg)
        names[policy_id] = policy.get("annotations", {}).get("id", policy_id)
    return names


def _static_policies(text: str) -> Iterable[tuple[str, dict[str, Any]]]:
    whole = orjson.loads(cedarpy.policies_to_json_str(text))
    if whole["templates"]:
        msg = "templates are not used"
        raise PolicyUnusable(msg)
    yield from whole["staticPolicies"].items()
