"""How pySigma checks regular expressions: with RE2, and without messages on stderr."""

from __future__ import annotations

import re
from typing import Any, Final

from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RE2RegexEngine

from detectors.core.sigma.regex import compiled


class _QuietEngine(RE2RegexEngine):
    """RE2 as pySigma drives it, without its messages on stderr."""

    def compile(self, pattern: str, flags: int = 0) -> Any:
        letters = "".join(
            letter
            for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL))
            if flags & flag
        )
        return compiled(f"(?{letters}){pattern}" if letters else pattern)


QUIET: Final = SigmaPolicy(regex_engine=_QuietEngine())
"""What pySigma checks patterns with while it parses."""
