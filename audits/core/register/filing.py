"""The filing data sheet (备案): what the register knows, in sections, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from audits.core.register.dates import STANDINGS, Due, filing_due, retest_due
from audits.core.register.fields import DETAIL_FIELDS, SYSTEM_FIELDS, shown_texts, system_texts
from audits.core.register.records import last_day
from audits.models.filing import DOUBTS, MISSING, NOT_ENTERED, FilingSection, FilingSheet
from audits.models.systems import ASSET_KINDS, Asset, System
from secops.kernel.catalogue import Language, Text

_SECTIONS: Final[Mapping[Text, Sequence[str]]] = {
    Text("一、单位", "1. Unit"): (
        "unit", "unit_code", "unit_address", "unit_head", "security_department", "contact",
        "contact_phone", "industry",
    ),
    Text("二、系统", "2. System"): (
        "name", "owner", "domain", "business", "service_scope", "service_users", "network",
        "connections", "hosting", "products", "running_since", "extensions", "data_grade",
        "algorithms",
    ),
    Text("三、定级", "3. Grading"): (
        "s_level", "s_harm", "a_level", "a_harm", "graded_on", "expert_review", "superior",
    ),
    Text("四、备案与测评", "4. Filing and tests"): (
        "authority", "filing_number", "filed_at", "tested_at", "assessor",
    ),
}  # fmt: skip
_FIELDS: Final = {**SYSTEM_FIELDS, **DETAIL_FIELDS}
_DOUBTED: Final = (
    Text(
        "本表为备案填报用数据表,不是官方备案表:2025 年新版表式未读到原文,栏目与次序请以公安机关"
        "发布的为准。",
        "A sheet of data for the filing, not the official form: the form of 2025 was not read, so"
        " follow the columns and order that the police publish.",
    ),
    Text(
        "备案有效期三年、三级及以上每年测评,取自公网安〔2025〕1846号摘要;二级约两年一次非强制周期。",
        "Three years of validity and yearly tests from level 3 on are from a digest of"
        " document 1846 of 2025 of the Ministry; about two years at level 2 is no hard term.",
    ),
)
_SAG: Final = Text("安全保护等级", "Level of protection")
_FILED_UNTIL: Final = Text("备案有效期至", "Filing in force until")
_TEST_BY: Final = Text("下次测评不晚于", "Next test no later than")
_NO_TERM: Final = Text("无定期要求", "No term at this level")
_ASSETS: Final = Text("五、资产", "5. Assets")


def filing_sheet(
    system: System, assets: Sequence[Asset], now: int, language: Language
) -> FilingSheet:
    """Return the filing data sheet of ``system`` at ``now``."""
    entered = _entered(system, language)
    missing = tuple(heading for _, rows in entered for heading, text in rows if not text)
    unit, about, grading, filing = (
        (title, tuple((heading, text or NOT_ENTERED.into(language)) for heading, text in rows))
        for title, rows in entered
    )
    level = (_SAG.into(language), f"{system.level} ({system.sag})")
    dues = (
        (_FILED_UNTIL.into(language), _due(filing_due(system, now), language)),
        (_TEST_BY.into(language), _due(retest_due(system, now), language)),
    )
    return FilingSheet(
        language=language,
        name=system.name,
        system_id=system.id,
        version=system.version,
        sections=(
            unit,
            about,
            (grading[0], (level, *grading[1])),
            (filing[0], (*filing[1], *dues)),
            _counted(assets, language),
        ),
        missing=missing,
        doubts=tuple(doubt.into(language) for doubt in _DOUBTED),
    )


def sheet_rows(sheet: FilingSheet) -> list[list[str]]:
    """Return the sheet as rows of a workbook, what is missing and doubtful at its end."""
    rows: list[list[str]] = []
    for title, pairs in sheet.sections:
        rows += [[title, ""], *([heading, text] for heading, text in pairs), ["", ""]]
    for heading, texts in ((MISSING, sheet.missing), (DOUBTS, sheet.doubts)):
        rows += [[heading.into(sheet.language), ""], *([text, ""] for text in texts), ["", ""]]
    return rows[:-1]


def _entered(system: System, language: Language) -> list[FilingSection]:
    """Return the sections of fields that people enter, empty texts where they did not."""
    texts = shown_texts(_FIELDS, system_texts(system), language)
    return [
        (title.into(language), tuple((_FIELDS[n].title.into(language), texts[n]) for n in names))
        for title, names in _SECTIONS.items()
    ]


def _counted(assets: Sequence[Asset], language: Language) -> FilingSection:
    counts = Counter(asset.kind for asset in assets)
    rows = tuple((title.into(language), str(counts[kind])) for kind, title in ASSET_KINDS.items())
    return _ASSETS.into(language), rows


def _due(due: Due, language: Language) -> str:
    if due.at:
        return f"{last_day(due.at)} ({STANDINGS[due.standing].into(language)})"
    return (STANDINGS["unknown"] if due.standing == "unknown" else _NO_TERM).into(language)
