"""Rule folders of others: data in the home, with their licence, never part of the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detectors.models.rules import RuleFile, RuleProblem

PREFIX = "folder:"
"""A rule file's path begins so where it came from a folder: ``folder:NAME/where/it/lay.yml``."""


@dataclass(frozen=True, slots=True)
class FolderOrder:
    """What somebody wants imported: under which ``name``, with which ``licence``, from where."""

    name: str
    licence: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class FolderPolicy:
    """Which rules of a folder run: those with one of the ``statuses`` and of the ``levels``.

    Empty means none, which is how a folder begins.
    """

    statuses: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleFolder:
    """An imported folder. ``digest`` is the hex SHA-256 of its manifest; ``size`` is in bytes."""

    name: str
    licence: str
    origin: str
    digest: str
    files: int
    size: int
    imported_by: str
    imported_at: int
    policy: FolderPolicy = field(default_factory=FolderPolicy)


@dataclass(frozen=True, slots=True)
class Collected:
    """What lay in a folder: rule files, and licence texts by their place in it."""

    files: tuple[RuleFile, ...]
    notices: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class FolderReport:
    """What an import brought: how many rules by (status, level), and what was refused."""

    folder: RuleFolder
    rules: int
    counts: Mapping[tuple[str, str], int]
    problems: tuple[RuleProblem, ...]

    def chosen(self, policy: FolderPolicy) -> int:
        """Return how many rules would run under ``policy``."""
        return sum(
            count
            for (status, level), count in self.counts.items()
            if status in policy.statuses and level in policy.levels
        )


def folder_of(path: str) -> str | None:
    """Return the folder that a rule file came from; None for the product's and one's own."""
    return path.removeprefix(PREFIX).partition("/")[0] if path.startswith(PREFIX) else None
