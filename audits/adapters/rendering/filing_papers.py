"""The filing data sheet (备案) as a Word document: what the page shows, to be written on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from audits.adapters.rendering.look import lines
from audits.adapters.rendering.office import write_docx
from audits.adapters.rendering.paper import Chapter, Facts, Paper, Sentence
from audits.adapters.rendering.plain_values import plain_paper
from audits.models.filing import DOUBTS, MISSING, TITLE, FilingSheet
from secops.adapters.typesetting import plain

TEMPLATE: Final = Path(__file__).with_name("filing_sheet.docx")


class WordFilingPapers:
    """Implements ``audits.ports.systems.FilingPapers``."""

    def write(self, sheet: FilingSheet) -> bytes:
        """Return the sheet as DOCX, what can't be seen in its texts written out."""
        return write_docx(plain_paper(_paper(sheet)), {}, TEMPLATE)


def _paper(sheet: FilingSheet) -> Paper:
    title, name = TITLE.into(sheet.language), plain(sheet.name)
    tables = [Chapter(heading, (_facts(rows),)) for heading, rows in sheet.sections]
    missing = {"zh": "、", "en": ", "}[sheet.language].join(sheet.missing)
    ends = [
        Chapter(heading.into(sheet.language), tuple(Sentence(text) for text in texts))
        for heading, texts in ((MISSING, [missing]), (DOUBTS, sheet.doubts))
        if any(texts)
    ]
    return Paper(
        title=title,
        language=sheet.language,
        cover=(Sentence(name),),
        chapters=(*tables, *ends),
        footer=f"{title} · {name} · {sheet.system_id} · {sheet.version}",
    )


def _facts(rows: tuple[tuple[str, str], ...]) -> Facts:
    return Facts(
        tuple((title, lines(*(plain(line) for line in text.split("\n")))) for title, text in rows)
    )
