"""The catalogue of GB/T 22239-2019, read from data whose totals and references must hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from audits.core.catalogue_checks import check_parts
from audits.core.catalogue_rows import (
    LEVELS,
    Row,
    both,
    read_assess,
    read_cases,
    read_documents,
    read_doubts,
    read_evidence,
    read_levels,
    read_triggers,
    rows_of,
)
from audits.errors import CatalogueRejected
from audits.models.calculations import Side
from audits.models.catalogue import Catalogue, Extension, Item
from secops.kernel.catalogue import Text

CLASSES: Final = ("PES", "CNS", "ABS", "CES", "SMC", "PSS", "ORS", "HRS", "CMS", "MMS")
TECHNICAL: Final = CLASSES[:5]
"""Classes of the technical half; the others are management."""
TOTALS: Final[Mapping[int, tuple[int, ...]]] = {
    1: (7, 2, 5, 11, 0, 1, 3, 4, 9, 13),
    2: (15, 4, 11, 23, 4, 6, 9, 7, 25, 31),
    3: (22, 8, 20, 34, 12, 7, 14, 12, 34, 48),
    4: (24, 11, 21, 36, 13, 7, 15, 14, 35, 52),
}
"""Items per class (in the order of ``CLASSES``) at each level."""
POINTS: Final = (42, 68, 71, 71)
"""Control points at each level."""
EXTENSION_TOTALS: Final[Mapping[str, tuple[int, ...]]] = {
    "cloud": (11, 29, 46, 49),
    "mobile": (5, 14, 19, 21),
    "iot": (4, 7, 20, 21),
    "ics": (9, 15, 21, 22),
}
"""Items at each level; the 5 of mobile are our own listing, another source counts 9."""
PARTS: Final[Mapping[str, int]] = {
    "items": 231,
    "high_risk": 42,
    "high_risk_extensions": 39,
    "major_triggers": 32,
    "evidence": 96,
}
"""How many rows the parts have."""
_LEVEL: Final = Text(
    "起始级别未读到: 按对应条目的最低级别, 不低于二级",
    "from which level on it counts was not read: the least level of its item, 2 at least",
)
_OWN_ITEM: Final = Text(
    "扩展情形与条目的对应为本产品自行判断", "which item it belongs to is our own reading"
)


def read_catalogue(data: Mapping[str, Any]) -> Catalogue:
    """Return the catalogue of ``data``: parsed JSON by the file's name.

    ``rules`` maps detection rules to the items they name. Raises ``CatalogueRejected`` where a
    field, a total or a reference fails.
    """
    for part, rows in PARTS.items():
        if len(data.get(part, ())) != rows:
            raise CatalogueRejected(f"the catalogue's {part} has not {rows} rows")
    meta = Row(data["meta"])
    catalogue = Catalogue(
        standard="gbt22239",
        edition=meta.text("edition"),
        items=tuple(read_item(row) for row in rows_of(data["items"])),
        high_risk=(
            *read_cases(data["high_risk"]),
            *read_cases(data["high_risk_extensions"], (_LEVEL, _OWN_ITEM)),
        ),
        extensions=_extensions(data.get("extensions")),
        triggers=read_triggers(data["major_triggers"]),
        evidence=read_evidence(data["evidence"]),
        own_evidence=read_evidence(data["own_evidence"]),
        documents=read_documents(data.get("documents")),
        rules=_by_item(data.get("rules", {})),
        doubts=read_doubts(meta.rows("doubts")),
    )
    meta.end()
    _check_totals(catalogue)
    _check_points(data.get("control_points"), catalogue.items)
    check_parts(catalogue)
    return catalogue


def side_of(item: Item) -> Side:
    """Return the half of the score an item belongs to; extensions go by their class."""
    return "technical" if item.class_code[:3] in TECHNICAL else "management"


def read_item(row: Row, extension: str = "") -> Item:
    """Return one item; raise ``CatalogueRejected`` where its fields are not the schema's."""
    item = Item(
        id=row.text("id"),
        class_code=row.text("class_code"),
        class_title=row.text("class"),
        control_point=Text(row.text("control_point"), row.text("control_point_en")),
        levels=read_levels(row, "levels"),
        differs_at=read_levels(row, "differs_at"),
        sag=row.text("sag"),
        clause=row.by_level("clause"),
        derived=row.by_level("ids_derived"),
        requirement=both(row, "paraphrase"),
        assess=read_assess(row),
        evidence=row.texts("evidence"),
        class_title_en=row.text("class_en"),
        official=row.flag("official"),
        extension=extension,
    )
    row.end()
    if item.sag not in ("S", "A", "G") or not item.evidence:
        raise CatalogueRejected(f"{item.id} is neither S, A nor G, or has no evidence")
    return item


def _extensions(content: Any) -> dict[str, Extension]:
    found = {}
    for row in rows_of(content):
        name = row.text("id")
        found[name] = Extension(
            id=name,
            title=both(row, "title"),
            items=tuple(read_item(each, name) for each in row.rows("items")),
            doubts=read_doubts(row.rows("doubts")),
        )
        points = Counter(f"{item.class_code} {item.control_point.zh}" for item in found[name].at(3))
        if dict(points) != row.counts("points_l3"):
            raise CatalogueRejected(f"control points of {name} have {points} items at level 3")
        row.end()
    return found


def _by_item(rules: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the names of rules by the item they name."""
    return {
        item: tuple(sorted(name for name, named in rules.items() if named == item))
        for item in sorted(set(rules.values()))
    }


def _check_totals(catalogue: Catalogue) -> None:
    for level in LEVELS:
        codes = Counter(item.class_code for item in catalogue.at(level))
        counted = tuple(codes[code] for code in CLASSES)
        if counted != TOTALS[level] or set(codes) - set(CLASSES):
            raise CatalogueRejected(f"level {level} has {counted} items, not {TOTALS[level]}")
    counts = {
        name: tuple(len(extension.at(level)) for level in LEVELS)
        for name, extension in catalogue.extensions.items()
    }
    if counts != EXTENSION_TOTALS:
        raise CatalogueRejected(f"the extensions have {counts} items")


def _check_points(content: Any, items: Sequence[Item]) -> None:
    """Raise unless each control point has its items at each level, and the points add up."""
    counted = Counter(
        (item.class_code, item.control_point.zh, level) for item in items for level in item.levels
    )
    points = [0] * len(LEVELS)
    for row in rows_of(content):
        code, title, counts = (
            row.text("class_code"),
            both(row, "control_point"),
            row.counts("items"),
        )
        for level in LEVELS:
            here = counts.get(f"L{level}", 0)
            points[level - 1] += here > 0
            if counted.pop((code, title.zh, level), 0) != here:
                raise CatalogueRejected(f"{code} {title.zh} has not {here} items at {level}")
    if counted or tuple(points) != POINTS:
        raise CatalogueRejected(f"there are {points} control points, not {POINTS}")
