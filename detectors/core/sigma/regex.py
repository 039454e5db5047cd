"""Regular expressions run in RE2: linear time, no look-around, no back-references."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import re2

OPTIONS: Final = re2.Options()
OPTIONS.log_errors = False  # a bad pattern is an exception with a place, not a line on stderr
OPTIONS.max_mem = 16 << 20
OPTIONS.never_capture = True  # only "found or not" is asked, and groups cost a slower machine
_OPTIONAL: Final = frozenset("*?{")
_SPECIAL: Final = frozenset("*?+.^$()[{")
_CLASSES: Final = frozenset("dDwWsSbBAzntrfva")
_REPEAT: Final = re.compile(r"\{\d*,?\d*\}")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]", re.DOTALL)


MAX_PROGRAM: Final = 10_000
"""Instructions of a compiled pattern: text times program bounds the time that RE2 takes."""


def compiled(pattern: str) -> Any:
    """Return ``pattern`` compiled; raise ``re2.error``, also where its program is too large."""
    found = re2.compile(pattern, OPTIONS)
    size = found._regexp.ProgramSize()  # noqa: SLF001 - the wrapper does not pass it on
    if size > MAX_PROGRAM:
        msg = f"the pattern's program is too large: {size} instructions, {MAX_PROGRAM} may be"
        raise re2.error(msg)
    return found


def searcher(pattern: str) -> Callable[[str], bool]:
    """Return a predicate: is ``pattern`` found in the text? Raises ``re2.error``."""
    search = compiled(pattern).search

    def found(text: str) -> bool:
        return search(text) is not None

    return found


def required_literal(pattern: str) -> str:
    """Return ASCII text that every match of ``pattern`` contains, up to case; "" if unknown.

    Only runs of plain characters outside groups and classes count; a top-level ``|``, and
    escapes that take arguments, make it unknown.
    """
    best = run = ""
    at = 0
    while at < len(pattern):
        literal, after = _token(pattern, at)
        if literal is None:
            return ""
        if literal:
            run += literal
        else:
            if pattern[at] in _OPTIONAL:
                run = run[:-1]
            best = max(best, run, key=len)
            run = ""
        at = after
    return max(best, run, key=len)


def _token(pattern: str, at: int) -> tuple[str | None, int]:
    """Return the literal at ``at`` ("" for what is none, None for "unknown") and its end."""
    character = pattern[at]
    if character == "|":
        return None, at
    if character == "\\":
        return _escape(pattern, at)
    if character in _SPECIAL or not character.isascii():
        return "", _special_end(pattern, at)
    return character, at + 1


def _special_end(pattern: str, at: int) -> int:
    if pattern[at] == "(":
        return _group_end(pattern, at)
    if pattern[at] == "[":
        return _class_end(pattern, at)
    repeat = _REPEAT.match(pattern, at)
    return repeat.end() if repeat else at + 1


def _escape(pattern: str, at: int) -> tuple[str | None, int]:
    escaped = pattern[at + 1 : at + 2]
    if escaped.isascii() and escaped and not escaped.isalnum():
        return escaped, at + 2
    return ("" if escaped in _CLASSES else None), at + 2


def _class_end(pattern: str, at: int) -> int:
    end = _CLASS.match(pattern, at)
    return end.end() if end else len(pattern)


def _group_end(pattern: str, at: int) -> int:
    depth = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            if pattern[at + 1 : at + 2] == "Q":
                return len(pattern)
            at += 2
            continue
        if character == "[":
            at = _class_end(pattern, at)
            continue
        depth += (character == "(") - (character == ")")
        at += 1
        if depth == 0:
            return at
    return len(pattern)
