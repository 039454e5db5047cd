"""The filing data sheet (备案) of a system, as all its forms show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.models.forms import Form
from secops.kernel.catalogue import Language, Text

FILING_FORMS: Final[tuple[Form, ...]] = ("xlsx", "docx")
TITLE: Final = Text("备案数据表", "Filing data")
NOT_ENTERED: Final = Text("(未填写)", "(not entered)")
MISSING: Final = Text("尚未填写", "Not entered yet")
DOUBTS: Final = Text("存疑与说明", "Doubts and notes")

FilingSection = tuple[str, tuple[tuple[str, str], ...]]
"""A section's title, and its rows of (title, text)."""


@dataclass(frozen=True, slots=True)
class FilingSheet:
    """The sheet of one version of a system, in one language.

    The text of a row is never empty: what nobody entered says so. ``missing`` are the titles of
    those rows.
    """

    language: Language
    name: str
    system_id: str
    version: int
    sections: tuple[FilingSection, ...]
    missing: tuple[str, ...]
    doubts: tuple[str, ...]
