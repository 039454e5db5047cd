"""Checking playbook files: needs nobody and no home."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from playbooks.core.cacao20 import check_text
from playbooks.errors import PlaybookInvalid
from playbooks.models import CheckedPlaybook, Problem


def check_playbook(text: bytes) -> tuple[CheckedPlaybook | None, tuple[Problem, ...]]:
    """Return the playbook in ``text`` (None if it has an error) and every problem found."""
    return check_text(text)


def require_playbook(text: bytes) -> CheckedPlaybook:
    """Return the playbook in ``text``; raise ``PlaybookInvalid`` naming the first error."""
    checked, problems = check_text(text)
    if checked is None:
        refuse(problems)
    return checked


def refuse(problems: Sequence[Problem], *, also: str = "") -> NoReturn:
    """Raise ``PlaybookInvalid`` naming the first error, or warning called ``also``."""
    errors = [one for one in problems if one.level == "error" or one.code == also]
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    msg = f"{first.place or '/'}: {first.text.en} {first.detail}{more}".strip()
    raise PlaybookInvalid(msg, place=first.place, problem=first.code, errors=len(errors))
