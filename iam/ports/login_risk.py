"""How risky is a sign-in? Asked after the factors were right, before a session is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """A sign-in with right factors. Times are UTC microseconds.

    ``device`` is a keyed hash where this browser has signed this account in before, else empty;
    ``last_at`` and ``last_address`` are of the account's last sign-in.
    """

    account_id: str
    org_id: str
    roles: frozenset[str]
    at: int
    address: str
    user_agent: str
    device: str
    failures: int
    last_at: int | None
    last_address: str
    factor: Literal["otp", "recovery", "message"]


@dataclass(frozen=True, slots=True)
class RiskAdvice:
    """``details`` explain it, in the form of a ledger's details and without personal data.

    ``unjudged`` is the answer where nobody can tell: the sign-in goes on as usual.
    """

    answer: Literal["allow", "step_up", "unjudged"]
    details: Mapping[str, Any] = field(default_factory=dict)


class LoginRisk(Protocol):
    """Judges sign-ins in a few milliseconds; detectors fill it."""

    def assess(self, facts: SignInFacts) -> RiskAdvice:
        """Return the advice; never raises."""
        ...


class NoLoginRisk:
    """Where nobody judges."""

    def assess(self, facts: SignInFacts) -> RiskAdvice:  # noqa: ARG002 - the port's
        """Return that nobody can tell."""
        return RiskAdvice("unjudged", {"note": "nobody judges sign-ins here"})
