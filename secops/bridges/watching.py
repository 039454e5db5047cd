"""What the settings tell the detectors plane."""

from __future__ import annotations

from detectors.models.options import DetectorsOptions
from secops.bridges.listening import listener_options
from secops.settings import Settings


def detectors_options(settings: Settings, process: str) -> DetectorsOptions:
    """Return the plane's options; ``process`` names this process's spool folder."""
    return DetectorsOptions(
        logstore_url=settings.logstore_url,
        logstore_api_key=settings.logstore_api_key,
        logstore_ca=settings.logstore_ca,
        retention_days=settings.retention_days,
        timezone=settings.timezone,
        process=process,
        listeners=listener_options(settings),
    )
