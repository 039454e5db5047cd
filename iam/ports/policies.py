"""The engine that evaluates access policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """What the policy engine is asked; everything in it takes part in the cache key."""

    kind: str
    id: str
    roles: frozenset[str]
    permission: str
    resource_kind: str
    level: int
    risk: int
    revoked: bool
    in_scope: bool
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """The engine's answer; ``errors`` non-empty means nothing was decided."""

    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...]


class PolicyEngine(Protocol):
    """Evaluates access policies."""

    @property
    def version(self) -> str:
        """A digest of the policies and schema in force."""
        ...

    @property
    def policy_count(self) -> int:
        """How many policies are in force."""
        ...

    def evaluate(self, question: PolicyQuestion) -> PolicyAnswer:
        """Return the answer; never raises."""
        ...
