"""Bilingual texts: every sentence a user may meet exists in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages of the product."""

    zh: str
    en: str

    def into(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return self.zh if language == "zh" else self.en


def in_both(text: Text) -> dict[str, str]:
    """Return ``text`` as JSON documents hold it: ``zh`` and ``en``."""
    return {"zh": text.zh, "en": text.en}
