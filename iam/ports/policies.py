"""The engine that evaluates access policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from iam.models.zero_trust import PolicyTitle


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """What the policy engine is asked, and the whole of what its answer depends on.

    Everything is of small range (hours, bands, names), so that answers can be kept; which of
    it takes part in the key depends on what the policies mention (``PolicyEngine.key``).
    ``application`` is the client a token was issued to or, for ``iam.application.open``, the
    one that is to be opened. ``grade`` is the data grade of ``resource_kind``, 0 for unknown.
    ``real_name_demanded``: what the application that is opened wants, 0 for nothing.
    ``proof_due``: the risk rose since the sign-in, so that a newer one is demanded.
    """

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
    org: str = ""
    account_kind: str = ""
    real_name_level: int = 0
    factors: tuple[str, ...] = ()
    signed_in_minutes: int = 0
    zones: tuple[str, ...] = ()
    device_registered: bool = False
    device_fresh: bool = False
    device_compliant: bool = False
    hour: int = 12
    weekday: int = 1
    working_time: bool = True
    holiday: bool = False
    application: str = ""
    grade: int = 0
    proof_due: bool = False
    risk_limit: int = 80
    real_name_demanded: int = 0


CIRCUMSTANCES: Final[Mapping[str, type]] = {
    "level": int,
    "risk": int,
    "risk_limit": int,
    "proof_due": bool,
    "revoked": bool,
    "in_scope": bool,
    "org": str,
    "account_kind": str,
    "real_name_level": int,
    "real_name_demanded": int,
    "factors": tuple,
    "signed_in_minutes": int,
    "zones": tuple,
    "device_registered": bool,
    "device_fresh": bool,
    "device_compliant": bool,
    "hour": int,
    "weekday": int,
    "working_time": bool,
    "holiday": bool,
    "application": str,
    "grade": int,
}
"""The names policies use after ``context.``, each a field of ``PolicyQuestion``; also ``facts``."""


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """The engine's answer; ``errors`` non-empty means nothing was decided."""

    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParsedPolicy:
    """A policy as Cedar's JSON describes it."""

    name: str
    effect: str
    annotations: Mapping[str, str]
    principal: Mapping[str, Any]
    action: Mapping[str, Any]
    resource: Mapping[str, Any]
    conditions: Sequence[Mapping[str, Any]]


class PolicyEngine(Protocol):
    """Evaluates one set of access policies."""

    @property
    def version(self) -> str:
        """A digest of the policies and schema in force."""
        ...

    @property
    def policy_count(self) -> int:
        """How many policies are in force."""
        ...

    @property
    def titles(self) -> Mapping[str, PolicyTitle]:
        """How the policies call themselves, by id."""
        ...

    def key(self, question: PolicyQuestion) -> tuple[Any, ...]:
        """Return what of ``question`` these policies look at: equal keys, equal answers."""
        ...

    def evaluate(self, question: PolicyQuestion) -> PolicyAnswer:
        """Return the answer; never raises."""
        ...

    def evaluate_all(self, questions: Sequence[PolicyQuestion]) -> Sequence[PolicyAnswer]:
        """Return the answers to many questions at once."""
        ...


class PolicyCompiler(Protocol):
    """Makes engines of the shipped policies and an organisation's own."""

    def compile(self, own: str = "") -> PolicyEngine:
        """Return the engine; raise ``PolicyInvalid`` where own policies don't fit."""
        ...

    def parse(self, own: str) -> Sequence[ParsedPolicy]:
        """Return own policies one by one; raise ``PolicyInvalid`` with place and reason."""
        ...

    def misfits(self, own: str) -> Sequence[tuple[str, str]]:
        """Return what doesn't fit the schema: a policy's name and the reason."""
        ...

    def fires(self, policy: ParsedPolicy, questions: Sequence[PolicyQuestion]) -> Sequence[bool]:
        """Tell for each question whether this one policy alone forbids it."""
        ...

    def shipped_data(self) -> str:
        """Return the shipped tables that policies speak of, as TOML."""
        ...
