"""The shadow of an event: its texts as they are compared, under keys that questions read."""

from __future__ import annotations

import contextlib
import sys
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from detectors.core.engine.columns import SYSTEM
from detectors.core.events.text import canonical_address, fold, texts_of
from detectors.models.shadows import ADDRESSES, LONGEST, NUMBERS, Shadow
from secops.kernel.logs import LogEvent

SOURCE: Final = "log.source"
_LONGEST_KEY: Final = 512
_MOST_VAGUE: Final = 20
_GREATEST: Final = sys.float_info.max


@lru_cache(maxsize=8_192)
def key_of(name: str) -> str:
    """Return the key of a field: the same for all names that one question may read.

    A question about ``NewValue`` also reads ``New Value`` and ``System.NewValue``.
    """
    key = name.replace(" ", "")
    while key.startswith(SYSTEM):
        key = key.removeprefix(SYSTEM)
    return key


def shadow_of(event: LogEvent) -> Shadow:
    """Return what an index keeps of ``event``."""
    texts: dict[str, list[str]] = {SOURCE: []}
    vague: dict[str, None] = {}
    for name, value in (*event.fields.items(), (SOURCE, event.source)):
        key = key_of(name)
        if not _is_sound(key):
            vague[name[:_LONGEST_KEY]] = None
            continue
        kept = texts.setdefault(key, [])
        for text in texts_of(value):
            folded, exact = _folded(text)
            if folded is not None and folded not in kept:
                kept.append(folded)
            if not exact:
                vague[name] = None
    return Shadow(
        texts,
        {key: some for key in ADDRESSES & texts.keys() if (some := _addresses(texts[key]))},
        {key: many for key in NUMBERS & texts.keys() if (many := _numbers(texts[key]))},
        tuple(vague)[:_MOST_VAGUE],
    )


def _is_sound(key: str) -> bool:
    return bool(key) and "\x00" not in key and len(key.encode()) <= _LONGEST_KEY


def _folded(text: str) -> tuple[str | None, bool]:
    """Return the text to keep, and whether questions about the raw text can rely on it.

    They can't where folding joins characters: ``e`` is in the raw text and not in the folded.
    """
    folded = fold(text)
    if len(folded.encode()) > LONGEST:
        return None, False
    if text.isascii():
        return folded, True
    charwise = "".join(char.casefold() for char in text)
    joins = unicodedata.normalize("NFC", text) != text
    return folded, not joins and unicodedata.normalize("NFC", charwise) == charwise


def _addresses(texts: list[str]) -> list[str]:
    return [found for text in texts if (found := canonical_address(text)) is not None]


def _numbers(texts: list[str]) -> list[float]:
    numbers = []
    for text in texts:
        with contextlib.suppress(InvalidOperation):
            number = Decimal(text)
            if number.is_finite():
                numbers.append(max(-_GREATEST, min(_GREATEST, float(number))))
    return numbers
