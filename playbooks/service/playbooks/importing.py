"""Reading somebody's file as a draft: checked, commands by hand, no password in clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playbooks.core.cacao20 import Findings, check_value
from playbooks.core.cacao20.foreign import as_draft
from playbooks.core.cacao20.json_text import read_json
from playbooks.core.cacao20.signing import MAX_SIGNATURES
from playbooks.errors import PlaybookInvalid
from playbooks.models import CheckedPlaybook, Problem
from playbooks.models.playbooks import DraftChange
from playbooks.service.playbooks.checking import refuse


@dataclass(frozen=True, slots=True)
class Draft:
    """A playbook that may come into the register, and what had to be changed for it."""

    playbook: CheckedPlaybook
    changes: tuple[DraftChange, ...] = ()

    @property
    def signatures(self) -> tuple[Mapping[str, Any], ...]:
        """Return the signatures that stand in it."""
        return tuple(self.playbook.document.get("signatures", ()))


def preview_import(text: bytes) -> tuple[Draft | None, tuple[Problem, ...]]:
    """Return the draft that ``text`` would become (None if it can't), and all problems.

    A password in clear is looked for before anything is changed.
    """
    findings = Findings()
    document = read_json(text, findings)
    if findings.failed:
        return None, findings.problems
    _, original = check_value(document)
    secrets = tuple(problem for problem in original if problem.code == "clear_password")
    changed, changes = as_draft(document)
    playbook, problems = check_value(changed)
    known = set(problems)
    every = (*problems, *(secret for secret in secrets if secret not in known))
    if playbook is None or secrets:
        return None, every
    return Draft(playbook, changes), every


def read_draft(text: bytes) -> Draft:
    """Return the draft in ``text``; raise ``PlaybookInvalid`` naming the first problem."""
    draft, problems = preview_import(text)
    if draft is None:
        refuse(problems, also="clear_password")
    if len(draft.signatures) > MAX_SIGNATURES:
        msg = f"/signatures: more than {MAX_SIGNATURES}"
        raise PlaybookInvalid(msg, place="/signatures")
    return draft
