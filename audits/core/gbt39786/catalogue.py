"""The units of GB/T 39786-2021 as a catalogue: a unit is an item, a layer its class."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from audits.core.catalogue_checks import check_parts
from audits.core.catalogue_rows import (
    LEVELS,
    Row,
    both,
    read_algorithms,
    read_assess,
    read_cases,
    read_doubts,
    read_evidence,
    read_weights,
    rows_of,
)
from audits.core.gbt39786.layers import LAYERS
from audits.errors import CatalogueRejected
from audits.models.catalogue import Catalogue, Item
from secops.kernel.catalogue import Text

TOTALS: Final = (24, 27, 41, 41)
"""Units with a weight at each level."""
WEIGHTS: Final[Mapping[str, tuple[Fraction, ...]]] = {
    code: tuple(Fraction(text) for text in sums.split())
    for code, sums in {
        "PHY": "0.8 1.1 2.4 2.4",
        "NET": "1.6 2.2 3.5 4.4",
        "DEV": "1.2 1.5 3.9 5.1",
        "APP": "2.4 3.9 6.2 7.4",
        "MGT": "1.7 2.4 4.5 4.5",
        "STF": "1.4 3.1 3.8 3.8",
        "CON": "3.7 3.7 4.4 4.4",
        "EMR": "1 1 2.4 2.4",
    }.items()
}
"""Sums of the units' weights in each layer at each level."""
HIGH_RISKS: Final = 16
GUIDELINE: Final = Text(
    "信息系统密码应用高风险判定指引(2021-12, 未读到原文)",
    "guideline on high risks of the use of cryptography (2021-12, the original was not read)",
)


def read_units(data: Mapping[str, Any]) -> Catalogue:
    """Return the catalogue of ``data``: parsed JSON by the file's name.

    Raises ``CatalogueRejected`` where a field, a total, a sum of weights or a reference fails.
    """
    meta = Row(data["meta"])
    catalogue = Catalogue(
        standard="gbt39786",
        edition=meta.text("edition"),
        items=tuple(_unit(row) for row in rows_of(data["units"])),
        high_risk=read_cases(data["high_risk"], guideline=GUIDELINE),
        evidence=read_evidence(data["evidence"]),
        own_evidence=read_evidence(data["own_evidence"]),
        doubts=read_doubts(meta.rows("doubts")),
        algorithms=read_algorithms(data["algorithms"]),
    )
    meta.end()
    _check_totals(catalogue)
    check_parts(catalogue)
    return catalogue


def _unit(row: Row) -> Item:
    layer = LAYERS.get(row.text("layer"))
    weights = read_weights(row, "weights")
    unit = both(row, "unit")
    item = Item(
        id=row.text("id"),
        class_code=layer.code if layer else "",
        class_title=layer.name.zh if layer else "",
        control_point=unit,
        levels=tuple(weights),
        differs_at=(),
        sag="G",
        clause=row.by_level("clause"),
        derived={},
        requirement=both(row, "paraphrase"),
        assess=read_assess(row),
        evidence=row.texts("evidence"),
        class_title_en=layer.name.en if layer else "",
        weights=weights,
        strength=row.by_level("strength"),
    )
    row.end()
    if layer is None or set(item.clause) != set(weights) or set(item.strength) != set(weights):
        raise CatalogueRejected(f"{item.id} is of no layer, or its levels do not agree")
    return item


def _check_totals(catalogue: Catalogue) -> None:
    counted = tuple(len(catalogue.at(level)) for level in LEVELS)
    if counted != TOTALS or len(catalogue.high_risk) != HIGH_RISKS:
        raise CatalogueRejected(f"there are {counted} units, not {TOTALS}, or risks are missing")
    for code, wanted in WEIGHTS.items():
        sums = tuple(
            sum(
                (item.weights[level] for item in catalogue.at(level) if item.class_code == code),
                Fraction(0),
            )
            for level in LEVELS
        )
        if sums != wanted:
            raise CatalogueRejected(f"the weights of {code} add up to something else")
