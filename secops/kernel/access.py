"""Who may do what, decided anew at each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden
from secops.kernel.permissions import Permission


class TokenVerifier(Protocol):
    """Checks an access token or a console session; iam fills it."""

    def verify_token(self, token: str) -> Actor:
        """Return who presents the access ``token``; raise ``Unauthenticated`` otherwise."""
        ...

    def verify_session(self, cookie: str) -> Actor:
        """Return who holds the console session ``cookie``; raise ``Unauthenticated``."""
        ...


class ClientVerifier(Protocol):
    """Checks an application's own id and secret; iam fills it."""

    def verify_client(self, client_id: str, secret: str) -> Actor:
        """Return the application; raise ``Unauthenticated`` otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of the policy decision point, and why."""

    allowed: bool
    reason: str
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Asks whether ``actor`` may use ``permission`` on ``resource`` (``kind:id``)."""

    actor: Actor
    permission: Permission
    resource: str
    context: Mapping[str, str | int | bool] = field(default_factory=dict)


class PolicyDecisionPoint(Protocol):
    """Decides by policy; anything unclear is a refusal."""

    def decide(self, question: Question) -> Decision:
        """Return the decision; never raises for a refusal."""
        ...


class AccessControl(Protocol):
    """The one door to the policy decision point; guard, console and command line pass it."""

    def require(
        self,
        actor: Actor,
        permission: Permission,
        resource: str = "*",
        context: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        """Return if ``actor`` may; raise ``Forbidden`` with the reason otherwise."""
        ...


class LateAccessControl:
    """Refuses everything until iam is installed and binds the decision point."""

    def __init__(self) -> None:
        self._decision_point: PolicyDecisionPoint | None = None

    def bind(self, decision_point: PolicyDecisionPoint) -> None:
        """Let ``decision_point`` decide from now on."""
        self._decision_point = decision_point

    def require(
        self,
        actor: Actor,
        permission: Permission,
        resource: str = "*",
        context: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        """Return if ``actor`` may; raise ``Forbidden`` with the reason otherwise."""
        if self._decision_point is None:
            msg = "no decision point is bound yet"
            raise Forbidden(msg)
        decision = self._decision_point.decide(Question(actor, permission, resource, context or {}))
        if not decision.allowed:
            raise Forbidden(decision.reason, permission=permission)
