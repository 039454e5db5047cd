"""A report as every form writes it: chapters of facts, tables, sentences and charts.

All texts here are plain: on one line each, cut, with nothing that can't be seen. Cells may
hold several lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from secops.kernel.catalogue import Language

Tone = Literal["", "compliant", "partial", "noncompliant", "not_applicable", "unassessed"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values, one below the other."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A paragraph; ``warning`` stands out, ``doubt`` says what is not sure."""

    text: str
    kind: Literal["plain", "warning", "doubt", "heading"] = "plain"


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title, and how wide it is beside the others."""

    title: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells. ``item`` is the item it is about, which its first cell begins with."""

    cells: tuple[str, ...]
    item: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; ``more`` says what was left out of it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart: its SVG, and what it shows in words."""

    name: Literal["radar", "trend"]
    svg: str
    words: str


Block = Facts | Sentence | Grid | Figure


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter under its heading, with its number where it has one; ``wide`` for annexes."""

    heading: str
    blocks: tuple[Block, ...]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """A report: what stands on its first page, and its chapters in the official order."""

    title: str
    language: Language
    cover: tuple[Block, ...]
    chapters: tuple[Chapter, ...]
    footer: str
