"""Which files of a foreign rule folder are taken, and how deep and large they may be."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

MAX_FILE: Final = 1 << 20
MAX_DEPTH: Final = 12
_RULES: Final = (".yml", ".yaml")
_NOTICE: Final = re.compile(r"(LICEN[CS]E|NOTICE|COPYING)[\w.-]*", re.IGNORECASE)


def is_rule(place: str) -> bool:
    """Whether a file is read as rules, by its name."""
    return place.endswith(_RULES)


def is_notice(place: str) -> bool:
    """Whether a file is a licence text that is kept beside the rules, by its name."""
    return _NOTICE.fullmatch(PurePosixPath(place).name) is not None
