"""What the plane is told by the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.models.listening import ListenerOptions


@dataclass(frozen=True, slots=True)
class DetectorsOptions:
    """Where logs are kept, for how long, and how times without a zone are read.

    ``logstore_url`` chooses the log store (``segments:``); ``process`` names this process's
    spool folder; ``timezone`` is the default of sources; ``listeners`` hear syslog.
    """

    logstore_url: str = "segments:"
    retention_days: int = 200
    timezone: str = "Asia/Shanghai"
    process: str = "command"
    listeners: ListenerOptions = field(default_factory=ListenerOptions)
