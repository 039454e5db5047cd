"""Which items a grading result (SxAxGx) selects: S at the S level, A at the A level, G at max.

Which item is S, A or G is from memory of GB/T 22239-2019 appendix A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.catalogue_rows import LEVELS
from audits.errors import UnknownStandard
from audits.models.catalogue import Item
from secops.kernel.catalogue import Text

EDITION: Final = Text("GB/T 22239-2019 附录 A", "GB/T 22239-2019, appendix A")
_MEMORY: Final = Text(
    "各项属于 S、A 还是 G 凭记忆录入, 待与附录 A 核对",
    "which item is S, A or G was written from memory; appendix A has to confirm it",
)
_EXTENDED: Final = Text(
    "扩展要求未标 S、A: 一律按 G 选取", "extensions are not marked S or A: all are selected as G"
)


@dataclass(frozen=True, slots=True)
class Selected:
    """An item and the level at which it is asked."""

    item: Item
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The items that a grading result asks for, each with its level."""

    edition: Text
    s_level: int
    a_level: int
    level: int
    selected: tuple[Selected, ...]
    parameters: dict[str, str]
    doubts: tuple[Text, ...]

    @property
    def sag(self) -> str:
        """Return the result as it is written: ``S3A2G3``."""
        return f"S{self.s_level}A{self.a_level}G{self.level}"

    @property
    def items(self) -> tuple[Item, ...]:
        """Return the items alone."""
        return tuple(each.item for each in self.selected)


def select(items: Sequence[Item], s_level: int, a_level: int) -> Selection:
    """Return what ``S{s_level}A{a_level}`` asks of ``items``, in their order.

    Raises ``UnknownStandard`` for levels other than 1 to 4.
    """
    if s_level not in LEVELS or a_level not in LEVELS:
        raise UnknownStandard("the levels of S and A go from 1 to 4")
    level = max(s_level, a_level)
    asked = {"S": s_level, "A": a_level, "G": level}
    selected = tuple(
        Selected(item, asked[item.sag]) for item in items if asked[item.sag] in item.levels
    )
    extended = any(item.extension for item in items)
    return Selection(
        edition=EDITION,
        s_level=s_level,
        a_level=a_level,
        level=level,
        selected=selected,
        parameters={"S": str(s_level), "A": str(a_level), "G": str(level)},
        doubts=(_MEMORY, _EXTENDED) if extended else (_MEMORY,),
    )
