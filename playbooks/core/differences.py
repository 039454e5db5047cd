"""What differs between two versions of a playbook, line by line, for the eye of an approver."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Any, Final, Literal

MAX_LINES: Final = 3_000
"""Lines of a playbook that are compared; comparing takes time by their square."""
CONTEXT: Final = 2
Mark = Literal["same", "added", "removed", "place"]
Line = tuple[Mark, str]
_MARKS: Final[Mapping[str, Mark]] = {
    " ": "same",
    "+": "added",
    "-": "removed",
    "@": "place",
}


def compare(
    before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> tuple[tuple[Line, ...], bool]:
    """Return the lines that differ, with two around them, and whether some are left out."""
    old, new = [] if before is None else _lines(before), _lines(after)
    cut = max(len(old), len(new)) > MAX_LINES
    found = list(difflib.unified_diff(old[:MAX_LINES], new[:MAX_LINES], n=CONTEXT, lineterm=""))
    return tuple((_MARKS[line[:1]], line[1:]) for line in found[2:]), cut


def _lines(document: Mapping[str, Any]) -> list[str]:
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    return text.split("\n")
