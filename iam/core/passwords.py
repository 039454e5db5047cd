"""Which passwords are good enough.

Length first; a rule on kinds of character only where the profile asks for it (等保 practice);
and a search for what people guess: what is left after known words, keyboard walks, runs,
years and the owner's own names are taken out must still be worth something.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from iam.errors import PasswordWeak
from iam.models.options import PasswordProfile

LEAST_LENGTH: Final = 12
LONG_ENOUGH: Final = 20
MOST_LENGTH: Final = 128
CLASSES: Final = 3
_LEAST_REST: Final = 5
_SHORTEST_WORD: Final = 4
_LONGEST_WORD: Final = 24
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))?")
_LOOKALIKE: Final = str.maketrans("@4301!$57", "aaeoiisst")
_ROWS: Final = (
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "!@#$%^&*()",
    "qazwsxedcrfvtgbyhnujmikolp",
)
_WALKS: Final = tuple(row + "\n" + row[::-1] for row in _ROWS)

_KINDS: Final[tuple[Callable[[str], bool], ...]] = (
    str.islower,
    str.isupper,
    str.isdigit,
    lambda char: not char.isalnum() or not char.isascii(),
)


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """The profile in force and the words nobody may lean on (folded)."""

    profile: PasswordProfile
    weak: AbstractSet[str]


def normal_password(password: str) -> str:
    """Return the one form that is hashed (NFC); raise ``PasswordWeak`` for no text at all."""
    if len(password) > 4 * MOST_LENGTH:
        raise _weak("too_long", f"more than {MOST_LENGTH} characters")
    return unicodedata.normalize("NFC", password)


def check_password(password: str, rules: PasswordRules, personal: Collection[str]) -> str:
    """Return the normal form of a new password; raise ``PasswordWeak`` with the rule.

    ``personal`` are the owner's names: they count as weak words.
    """
    text = normal_password(password)
    if any(unicodedata.category(char) in {"Cc", "Cs", "Cn"} for char in text):
        raise _weak("characters", "it holds control characters")
    if len(text) < LEAST_LENGTH:
        raise _weak("too_short", f"fewer than {LEAST_LENGTH} characters")
    if len(text) > MOST_LENGTH:
        raise _weak("too_long", f"more than {MOST_LENGTH} characters")
    if rules.profile == "mlps" and len(text) < LONG_ENOUGH and _kinds(text) < CLASSES:
        raise _weak("classes", f"fewer than {CLASSES} kinds of character below {LONG_ENOUGH}")
    words = frozenset(name.casefold() for name in personal if len(name) >= _SHORTEST_WORD)
    if guessable_rest(text, rules.weak | words) < _LEAST_REST:
        raise _weak("guessable", "it is made of words, runs or years that are guessed first")
    return text


def _weak(reason: str, detail: str) -> PasswordWeak:
    return PasswordWeak(detail, reason=reason)


def _kinds(text: str) -> int:
    return sum(any(kind(char) for char in text) for kind in _KINDS)


def guessable_rest(text: str, weak: AbstractSet[str]) -> int:
    """Return how many characters remain once everything guessable is taken out.

    Looked at as typed and with look-alikes undone (``p@ssw0rd``); the smaller rest counts.
    Repeated characters in the rest count once.
    """
    folded = text.casefold()
    return min(_rest(spelling, weak) for spelling in (folded, folded.translate(_LOOKALIKE)))


def _rest(text: str, weak: AbstractSet[str]) -> int:
    left: set[str] = set()
    position = 0
    while position < len(text):
        taken = max(
            _word_at(text, position, weak), _year_at(text, position), _walk_at(text, position)
        )
        if not taken:
            left.add(text[position])
        position += max(taken, 1)
    return len(left)


def _word_at(text: str, start: int, weak: AbstractSet[str]) -> int:
    for length in range(min(_LONGEST_WORD, len(text) - start), _SHORTEST_WORD - 1, -1):
        if text[start : start + length] in weak:
            return length
    return 0


def _year_at(text: str, start: int) -> int:
    match = _YEAR.match(text, start)
    return match.end() - start if match else 0


def _walk_at(text: str, start: int) -> int:
    best = 0
    for walk in _WALKS:
        length = best + 1
        while start + length <= len(text) and text[start : start + length] in walk:
            best = length
            length += 1
    run = 1
    while start + run < len(text) and text[start + run] == text[start]:
        run += 1
    best = max(best, run)
    return best if best >= _SHORTEST_WORD - 1 else 0
