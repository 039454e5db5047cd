"""What is known of a rule before it is asked anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Severity = Literal["low", "medium", "high", "critical"]
RuleStatus = Literal["stable", "test", "experimental", "deprecated", "unsupported"]

SEVERITIES: Final[tuple[Severity, ...]] = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Logsource:
    """Which logs a rule is about (Sigma taxonomy)."""

    product: str | None = None
    category: str | None = None
    service: str | None = None

    def __str__(self) -> str:
        """Return ``product/category/service`` with ``*`` for what is open."""
        return "/".join(part or "*" for part in (self.product, self.category, self.service))


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule file as it lies somewhere; with a ``problem`` it is named and not read."""

    path: str
    content: bytes
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RuleHeader:
    """A rule without its questions.

    ``version`` is the hex SHA-256 of its file (and the document's number in it), so another
    text is another version. ``custom`` holds our own fields as text.
    """

    id: str
    title: str
    severity: Severity
    status: RuleStatus
    version: str
    path: str
    line: int = 1
    name: str = ""
    description: str = ""
    author: str = ""
    logsource: Logsource = field(default_factory=Logsource)
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    custom: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Why a rule is refused, or (``fatal`` False) what is odd about it."""

    path: str
    line: int
    what: str
    rule_id: str = ""
    fatal: bool = True

    def __str__(self) -> str:
        """Return ``path:line: what``."""
        return f"{self.path}:{self.line}: {self.what}"
