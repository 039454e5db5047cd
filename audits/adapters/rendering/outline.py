"""Which chapters a report has, in the official order: data, and what stands in each part."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

import orjson

from audits.adapters.rendering import items, registers, whole
from audits.adapters.rendering.look import Look
from audits.adapters.rendering.paper import Block, Chapter, Paper, Sentence
from secops.kernel.catalogue import Language

_SECTIONS: Final[Mapping[str, Callable[[Look], list[Block]]]] = {
    "statement": whole.statement,
    "conclusion_table": whole.conclusion_table,
    "overall_view": whole.overall_view,
    "radar": whole.class_radar,
    "classes": whole.classes,
    "trend": whole.earlier,
    "delta": whole.delta,
    "problems": items.problems,
    "project": whole.project,
    "method": whole.method,
    "system": whole.system,
    "asset_kinds": registers.asset_kinds,
    "not_applicable": items.not_applicable,
    "findings_by_class": items.findings_by_class,
    "extensions": lambda look: [Sentence(look.word("extensions_rule"))],
    "overall": whole.overall,
    "high_risks": registers.high_risks,
    "majors": registers.majors,
    "risks": registers.risks,
    "calculations": whole.calculations,
    "tasks": registers.tasks,
    "waivers": registers.waivers,
    "assets": registers.assets,
    "last_problems": whole.last_problems,
    "summary_of_items": items.summary_of_items,
    "item_records": items.item_records,
    "scans": registers.scans,
    "records": registers.records,
    "triggers": registers.triggers,
    "cloud": lambda look: [Sentence(look.word("cloud_rule"))],
    "evidence": registers.evidence,
}


@functools.cache
def _outlines() -> Mapping[str, Any]:
    found: Mapping[str, Any] = orjson.loads(
        files("audits.adapters.rendering").joinpath("outlines.json").read_bytes()
    )
    return found


def paper_of(document: Mapping[str, Any], language: Language) -> Paper:
    """Return the report of ``document`` in ``language``."""
    look = Look.at(document, language)
    outline = _outlines()[document["standard"]]
    title = look.text(document["title"])
    return Paper(
        title=title,
        language=language,
        cover=whole.cover(look, outline["edition"]),
        chapters=tuple(_chapters(look, outline["chapters"])),
        footer=f"{title} · {whole.system_name(look)} · {look.text(document['id'])}",
    )


def _chapters(look: Look, chapters: list[Mapping[str, Any]]) -> Iterator[Chapter]:
    number, letter = 0, ord("A")
    for chapter in chapters:
        heading = chapter[look.language]
        annex = bool(chapter.get("annex"))
        if annex:
            heading = look.word("annex", letter=chr(letter), heading=heading)
            letter += 1
        elif chapter.get("numbered"):
            number += 1
            heading = f"{number} {heading}"
        blocks = (block for part in chapter["parts"] for block in _SECTIONS[part](look))
        yield Chapter(heading, tuple(blocks), wide=annex)
