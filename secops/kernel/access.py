"""Who may do what, decided anew at each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.errors import Forbidden, StepUpRequired
from secops.kernel.permissions import Permission


@dataclass(frozen=True, slots=True)
class Possession:
    """A DPoP proof and the request it came with (RFC 9449): the token's key is at hand.

    ``path`` is without query, percent-decoded, as the request reached us.
    """

    proof: str = field(repr=False)
    method: str
    path: str


class TokenVerifier(Protocol):
    """Checks an access token or a console session; iam fills it."""

    def verify_token(self, token: str) -> Actor:
        """Return who presents the access ``token``; raise ``Unauthenticated`` otherwise.

        A token bound to a key is refused here: its text alone proves nothing.
        """
        ...

    def verify_session(self, cookie: str) -> Actor:
        """Return who holds the console session ``cookie``; raise ``Unauthenticated``."""
        ...


class BoundTokenVerifier(Protocol):
    """Checks an access token bound to a key; iam fills it."""

    def verify_bound_token(self, token: str, possession: Possession) -> Actor:
        """Return who presents it and holds its key; raise ``Unauthenticated`` otherwise."""
        ...


class ClientVerifier(Protocol):
    """Checks an application's own id and secret; iam fills it."""

    def verify_client(self, client_id: str, secret: str) -> Actor:
        """Return the application; raise ``Unauthenticated`` otherwise."""
        ...


FRESH_SECONDS: Final = 300
"""How old a sign-in may be for a signature, a seal, an export or a change of one's factors."""


@dataclass(frozen=True, slots=True)
class StepUp:
    """The proof that would turn a refusal around (RFC 9470 §3): a level, or a fresh sign-in."""

    acr_values: str | None = None
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of the policy decision point, and why.

    A refusal says ``because`` of what, which ``helps`` would turn it around, each by itself,
    and the ``step_up`` among them, if there is one.
    """

    allowed: bool
    reason: str
    policies: tuple[str, ...] = ()
    because: Text | None = None
    helps: tuple[Text, ...] = ()
    step_up: StepUp | None = None


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
        if decision.allowed:
            return
        facts = _explanation(decision)
        if decision.step_up is not None:
            wanted = decision.step_up
            raise StepUpRequired(
                decision.reason, acr_values=wanted.acr_values, max_age=wanted.max_age, **facts
            )
        raise Forbidden(decision.reason, permission=permission, **facts)


def _explanation(decision: Decision) -> dict[str, str | int | None]:
    """Return what a refusal tells in both languages, as facts of its error."""
    facts: dict[str, str | int | None] = {}
    if decision.policies:
        facts["policies"] = " ".join(decision.policies)
    if decision.because is not None:
        facts |= {"because_zh": decision.because.zh, "because_en": decision.because.en}
    if decision.helps:
        facts["helps_zh"] = ";".join(text.zh for text in decision.helps)
        facts["helps_en"] = "; ".join(text.en for text in decision.helps)
    return facts
