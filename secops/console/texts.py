"""Translations: the message ids are Chinese, English comes from a compiled catalogue."""

from __future__ import annotations

import gettext
from functools import lru_cache
from importlib.resources import files

from secops.kernel.catalogue import Language


@lru_cache(maxsize=2)
def translations(language: Language) -> gettext.NullTranslations:
    """Return the catalogue of ``language``; Chinese needs none."""
    if language == "zh":
        return gettext.NullTranslations()
    catalogue = files("secops.console") / "locale" / "en" / "LC_MESSAGES" / "console.mo"
    with catalogue.open("rb") as handle:
        return gettext.GNUTranslations(handle)


def N_(text: str) -> str:  # noqa: N802 - gettext's word for "translate later"
    """Mark the Chinese ``text`` for the catalogue and return it as it is."""
    return text


def translate(text: str, language: Language) -> str:
    """Return the Chinese ``text`` in ``language``."""
    return translations(language).gettext(text)
