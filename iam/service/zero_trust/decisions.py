"""The policy decision point: asked on every request, explains itself, refuses when unsure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.ports import PolicyAnswer, PolicyEngine, PolicyQuestion
from iam.service.zero_trust.risks import RiskProjection
from secops.kernel.access import Decision, Question
from secops.kernel.actors import Actor
from secops.kernel.errors import SecopsError
from secops.kernel.permissions import ROLES, Permission, roles_with
from secops.kernel.revocations import Revocations

TOKEN_ISSUE: Final = Permission("iam.token.issue")
SESSION_OPEN: Final = Permission("iam.session.open")
ALL_SCOPE: Final = "api"


def in_scope(actor: Actor, permission: Permission) -> bool:
    """Tell whether a token's scopes cover ``permission``: itself, its plane, or all of it."""
    scopes = actor.scopes
    if scopes is None:
        return True
    return permission in scopes or permission.partition(".")[0] in scopes or ALL_SCOPE in scopes


@dataclass(frozen=True, slots=True)
class DecisionService:
    """Fills ``kernel.access.PolicyDecisionPoint``."""

    engine: PolicyEngine
    revocations: Revocations
    risks: RiskProjection

    def decide(self, question: Question) -> Decision:
        """Return the decision; never raises for a refusal."""
        try:
            asked = self._ask(question)
        except SecopsError as error:
            # not knowing what was revoked or how risky somebody is can't mean yes
            return Decision(allowed=False, reason=f"nothing is granted now: {error.detail}")
        answer = self.engine.evaluate(asked)
        if answer.allowed:
            return Decision(
                allowed=True,
                reason=f"permitted by {', '.join(answer.policies)}",
                policies=answer.policies,
            )
        return Decision(allowed=False, reason=_why_not(asked, answer))

    def _ask(self, question: Question) -> PolicyQuestion:
        actor = question.actor
        facts = tuple(sorted((name, str(value)) for name, value in question.context.items()))
        return PolicyQuestion(
            kind=actor.kind,
            id=actor.id,
            roles=actor.roles,
            permission=question.permission,
            resource_kind=question.resource.partition(":")[0],
            level=actor.level,
            risk=self.risk_of(actor),
            revoked=self.revoked(actor),
            in_scope=in_scope(actor, question.permission),
            facts=facts,
        )

    def risk_of(self, actor: Actor) -> int:
        """Return the highest risk of account, session and client."""
        return self.risks.highest(
            f"{actor.kind}:{actor.id}",
            f"session:{actor.session_id}",
            f"client:{actor.client_id}",
        )

    def revoked(self, actor: Actor) -> bool:
        """Tell whether account, session or client was ended; raise ``Unavailable``."""
        ended = self.revocations.is_revoked
        return (
            (actor.kind == "account" and ended("account", actor.id))
            or (actor.session_id is not None and ended("session", actor.session_id))
            or (actor.client_id is not None and ended("client", actor.client_id))
        )


def _why_not(asked: PolicyQuestion, answer: PolicyAnswer) -> str:
    if answer.errors:
        return f"the policies gave no answer: {answer.errors[0]}"
    if asked.revoked:
        return "the account, session or application was revoked"
    if not asked.in_scope:
        return f"the token's scopes do not cover {asked.permission}"
    holders = [role for role in roles_with(Permission(asked.permission)) if role in ROLES]
    if holders and asked.roles.isdisjoint(holders):
        held = ", ".join(sorted(asked.roles)) or "none"
        return f"{asked.permission} needs one of the roles {', '.join(holders)}; held: {held}"
    return (
        f"no policy permits {asked.permission} at authentication level {asked.level}"
        f" and risk {asked.risk}"
    )
