"""How long a shell may idle: TMOUT of the login profiles. Source: bash(1)."""

from __future__ import annotations

import re
from typing import Final

from audits.core.collectors.reading import Looker

KIND: Final = "host.sessions"
_SET: Final = re.compile(
    r"^\s*(?:export|readonly|declare -x|typeset -x)?\s*TMOUT=\"?([0-9]{1,6})\b"
)
_FIXED: Final = re.compile(r"^\s*(?:readonly|declare -r|typeset -r)\s[^#]*TMOUT")


def look_at_sessions(look: Looker) -> None:
    """Note after how many idle seconds a shell ends, 0 for never; of several the longest."""
    lines = look.lines("session.timeout")
    if lines is None:
        return
    values = [int(found[1]) for line in lines if (found := _SET.match(line))]
    look.note("idle_seconds", 0 if 0 in values else max(values, default=0))
    look.note("fixed", any(_FIXED.match(line) for line in lines))
