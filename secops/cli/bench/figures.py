"""The one shape of a figure, and how it is held against its bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Bar:
    """What was promised: at least, or at most, ``value`` in the figure's unit."""

    sign: Literal[">=", "<="]
    value: float

    def judge(self, measured: float) -> str:
        """Return the sentence that stands in the circumstances."""
        reached = measured >= self.value if self.sign == ">=" else measured <= self.value
        return f"bar {self.sign} {self.value:g}: {'reached' if reached else 'NOT REACHED'}"


def figure(  # noqa: PLR0913 - a figure has these parts, the optional ones by name
    name: str,
    value: float,
    unit: str,
    circumstances: str,
    *,
    per_cpu_second: float | None = None,
    bar: Bar | None = None,
    judged: float | None = None,
) -> dict[str, Any]:
    """Return one figure; ``bar`` is held against ``judged``, else against ``value``."""
    verdict = "" if bar is None else f"; {bar.judge(value if judged is None else judged)}"
    return {
        "name": name,
        "value": _rounded(value),
        "unit": unit,
        "per_cpu_second": None if per_cpu_second is None else _rounded(per_cpu_second),
        "circumstances": circumstances + verdict,
    }


def normal(found: dict[str, Any]) -> dict[str, Any]:
    """Return a plane's own figure in the one shape: True means the value is such a rate."""
    rate = found["per_cpu_second"]
    if rate is True:
        rate = found["value"]
    elif rate is False:
        rate = None
    return {**found, "per_cpu_second": rate}


def _rounded(value: float) -> float:
    return round(value) if abs(value) >= 100 else round(value, 3)  # noqa: PLR2004 - three digits
