"""The catalogue of GB/T 22239-2019, read from data whose totals must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from audits.errors import CatalogueRejected
from audits.models.compliance import Catalogue, HighRiskCase, Item
from secops.kernel.catalogue import Text

LEVELS: Final = (1, 2, 3, 4)
CLASSES: Final = ("PES", "CNS", "ABS", "CES", "SMC", "PSS", "ORS", "HRS", "CMS", "MMS")
TOTALS: Final[Mapping[int, tuple[int, ...]]] = {
    1: (7, 2, 5, 11, 0, 1, 3, 4, 9, 13),
    2: (15, 4, 11, 23, 4, 6, 9, 7, 25, 31),
    3: (22, 8, 20, 34, 12, 7, 14, 12, 34, 48),
    4: (24, 11, 21, 36, 13, 7, 15, 14, 35, 52),
}
"""Items per class (in the order of ``CLASSES``) at each level."""


def read_catalogue(
    meta: Mapping[str, Any], items: Sequence[Mapping[str, Any]], cases: Sequence[Mapping[str, Any]]
) -> Catalogue:
    """Return the catalogue; raise ``CatalogueRejected`` where a total or reference fails."""
    try:
        catalogue = Catalogue(
            standard="gbt22239",
            edition=str(meta["standard"]),
            items=tuple(_item(entry) for entry in items),
            high_risk=tuple(_case(entry) for entry in cases),
            notes=tuple(str(note) for note in meta["id_notes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogueRejected(f"the catalogue lacks {error}") from error
    _check_totals(catalogue)
    _check_references(catalogue)
    return catalogue


def _item(entry: Mapping[str, Any]) -> Item:
    return Item(
        id=entry["id"],
        class_code=entry["class_code"],
        class_title=entry["class"],
        control_point=Text(entry["control_point"], entry["control_point_en"]),
        levels=tuple(entry["levels"]),
        differs_at=tuple(entry.get("differs_at") or ()),
        sag=entry["sag"],
        clause={int(level[1:]): text for level, text in entry["clause"].items()},
        derived={int(level[1:]): text for level, text in (entry.get("ids_derived") or {}).items()},
        requirement=Text(entry["paraphrase_zh"], entry["paraphrase_en"]),
        assess=entry["assess"],
        evidence=tuple(entry.get("evidence") or ()),
        high_risk_case=entry.get("high_risk_case"),
        major_trigger=entry.get("major_risk_trigger"),
    )


def _case(entry: Mapping[str, Any]) -> HighRiskCase:
    return HighRiskCase(
        id=entry["id"],
        min_level=int(entry["min_level"]),
        trigger=Text(entry["trigger_zh"], entry["trigger_en"]),
        item=entry.get("item"),
        may_lower=entry.get("may_lower"),
        only_if=entry.get("only_if"),
    )


def _check_totals(catalogue: Catalogue) -> None:
    for level in LEVELS:
        codes = [item.class_code for item in catalogue.at(level)]
        counted = tuple(codes.count(code) for code in CLASSES)
        if counted != TOTALS[level]:
            raise CatalogueRejected(f"level {level} has {counted} items, not {TOTALS[level]}")


def _check_references(catalogue: Catalogue) -> None:
    known = {item.id for item in catalogue.items}
    if len(known) != len(catalogue.items):
        raise CatalogueRejected("an item's identifier is repeated")
    strays = [case.id for case in catalogue.high_risk if case.item and case.item not in known]
    if strays:
        raise CatalogueRejected(f"high-risk cases name unknown items: {', '.join(strays)}")
