"""How well unusual sign-ins are told apart, on invented people and attackers."""

from __future__ import annotations

from typing import Any

from secops.cli.bench.figures import Bar, figure
from secops.kernel.errors import Invalid

_MOST_SEEDS = 100
_JUDGED = Bar("<=", 5)


def anomaly_figures(plane: str, seeds: int) -> list[dict[str, Any]]:
    """Return average precision, what is caught at which false-alarm rate, alerts, and times."""
    if plane != "detectors" or not 1 <= seeds <= _MOST_SEEDS:
        raise Invalid(f"--anomaly is for detectors, with 1 to {_MOST_SEEDS} seeds")
    from detectors.adapters.forest_trainer import SklearnForests  # noqa: PLC0415 - heavy
    from detectors.service.anomaly.anomaly_study import study  # noqa: PLC0415 - heavy

    return [
        figure(
            each.name,
            each.value,
            each.unit,
            each.circumstances,
            bar=_JUDGED if each.name.startswith("sign-in judged") else None,
        )
        for each in study(SklearnForests(), seeds)
    ]
