"""A situation as JSON, the same for HTTP and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detectors.models.situation import FIGURES, SituationView, VolumeForecast
from secops.kernel.clock import to_rfc3339


def situation_json(view: SituationView) -> Mapping[str, Any]:
    """Return it with RFC 3339 times; trends and days are the oldest first."""
    seen = view.situation
    return {
        "at": to_rfc3339(seen.at),
        "stale": view.is_stale,
        "figures": {name: seen.figures[name] for name in FIGURES},
        "trends": {
            name: [{"day": to_rfc3339(day), "value": value} for day, value in view.trends[name]]
            for name in FIGURES
        },
        "systems": [
            {
                "system": each.system,
                "owner": each.owner,
                "alerts": each.alerts,
                "score": each.score,
            }
            for each in seen.systems
        ],
        "weighed": seen.weighed,
        "unplaced": seen.unplaced,
        "raised": [{"day": to_rfc3339(day), "alerts": count} for day, count in seen.raised],
        "forecast": None if view.forecast is None else _forecast(view.forecast),
    }


def _forecast(forecast: VolumeForecast) -> Mapping[str, Any]:
    return {
        "days": [
            {"expected": each.expected, "low": each.low, "high": each.high}
            for each in forecast.days
        ],
        "trials": forecast.trials,
        "mean_absolute_error": forecast.error,
        "naive_error": forecast.naive_error,
        "covered": forecast.covered,
    }
