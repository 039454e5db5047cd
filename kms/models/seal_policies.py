"""The use policy of a seal: who, what for, when, how often, and how risky a caller may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

WEEKDAYS: Final = tuple(range(1, 8))
"""Monday is 1 (ISO 8601)."""

DAY_MINUTES: Final = 1_440
NO_RISK_LIMIT: Final = 100
MAX_CLASS_NAME: Final = 40


UseApproval = Literal["none", "each_use"]
"""Whether another person approves each use, bound to the very document."""

APPROVALS: Final[tuple[UseApproval, ...]] = ("none", "each_use")


@dataclass(frozen=True, slots=True)
class UsePolicy:
    """What a use must satisfy beside being by a holder. Without a row: ``UsePolicy(seal_id)``.

    ``users`` are accounts of holders, ``document_classes`` names; empty is all. ``opens`` and
    ``closes`` are minutes of a day in Beijing time, ``daily_cap`` uses of one such day, None
    without limit. ``max_risk`` is the highest risk (0 to 100) a caller may have. ``version``
    grows with each change and is 0 before the first.
    """

    seal_id: str
    users: tuple[str, ...] = ()
    document_classes: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = WEEKDAYS
    opens: int = 0
    closes: int = DAY_MINUTES
    daily_cap: int | None = None
    max_risk: int = NO_RISK_LIMIT
    version: int = 0
    approval: UseApproval = "none"


def is_class_name(text: str) -> bool:
    """Tell whether ``text`` can name a class of documents."""
    spaced = any(letter.isspace() for letter in text)
    return 0 < len(text) <= MAX_CLASS_NAME and text.isprintable() and not spaced


def read_minutes(text: str) -> int | None:
    """Return the minutes of ``HH:MM``, 24:00 included; None for anything else."""
    hours, colon, minutes = text.partition(":")
    digits = len(hours) == len(minutes) == 2 and text.isascii()  # noqa: PLR2004 - HH and MM
    if not colon or not digits or not (hours + minutes).isdigit():
        return None
    found = int(hours) * 60 + int(minutes)
    return found if int(minutes) < 60 and found <= DAY_MINUTES else None  # noqa: PLR2004


def show_minutes(minutes: int) -> str:
    """Return ``HH:MM``."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
