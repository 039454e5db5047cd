"""Playbooks as they are checked and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from secops.kernel.catalogue import Text

ProblemKind = Literal["schema", "semantic", "vocabulary", "profile"]
ProblemLevel = Literal["error", "warning"]
PlaybookState = Literal["draft", "approved", "retired"]
SignatureState = Literal["unsigned", "own", "foreign"]
"""Who signed when it came into the register; whether that counts now is verified each time."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect. ``place`` is an RFC 6901 JSON pointer, ``detail`` the offending value."""

    code: str
    kind: ProblemKind
    level: ProblemLevel
    place: str
    text: Text
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CheckedPlaybook:
    """A playbook in which no check found an error: holding one is the proof.

    ``content_hash`` is the SHA-256 (hex) of the RFC 8785 form of ``document`` without its
    ``signatures``.
    """

    document: Mapping[str, Any]
    content_hash: str
    warnings: tuple[Problem, ...] = ()

    @property
    def id(self) -> str:
        """``playbook--UUID``; with ``modified`` it names one version."""
        return str(self.document["id"])

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.document["name"])

    @property
    def modified(self) -> str:
        """The version (RFC 3339)."""
        return str(self.document["modified"])


@dataclass(frozen=True, slots=True)
class DraftChange:
    """What import changed in somebody else's playbook. ``place`` is a JSON pointer."""

    place: str
    code: Literal["command_by_hand", "signatures_dropped"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StoredPlaybook:
    """A playbook in the register of an organisation.

    ``content`` is its RFC 8785 form without signatures, ``signatures`` are those beside it;
    ``approval_id`` is what a draft waits for.
    """

    content_hash: str
    org_id: str
    playbook_id: str
    modified: str
    name: str
    content: str
    state: PlaybookState
    signature: SignatureState
    imported_by: str
    imported_at: int
    approved_by: str | None = None
    approved_at: int | None = None
    signatures: tuple[Mapping[str, Any], ...] = ()
    approval_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImportedPlaybook:
    """An entry of the register as it came in, and what had to be changed for it."""

    entry: StoredPlaybook
    changes: tuple[DraftChange, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaybookView:
    """An entry with what was verified of its signature just now.

    ``signed_by`` and ``signed_at`` are of the signature that counts; ``refused`` says why none
    does (an error's code; ``reason`` in words), ``packaged`` the name it has in the release.
    """

    entry: StoredPlaybook
    signed_by: str = ""
    signed_at: str = ""
    origin: SignatureState = "unsigned"
    refused: str = ""
    reason: Text | None = None
    packaged: str = ""


@dataclass(frozen=True, slots=True)
class PlaybookComparison:
    """How an entry differs from the version approved last; ``against`` is "" for none.

    Each of ``lines`` is (same, added, removed or place; text); ``cut``: not all are there.
    """

    against: str
    lines: tuple[tuple[str, str], ...]
    cut: bool
