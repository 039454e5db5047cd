"""What the plane is told by the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.models.listening import ListenerOptions


@dataclass(frozen=True, slots=True)
class DetectorsOptions:
    """Where logs are kept, for how long, and how times without a zone are read.

    ``logstore_url`` chooses the log store (``segments:``); ``logstore_api_key`` and
    ``logstore_ca`` (a file, relative to the home) go with an Elasticsearch's. ``process``
    names this process's spool folder; ``timezone`` is the default of sources;
    ``listeners`` hear syslog.
    """

    logstore_url: str = field(default="segments:", repr=False)
    retention_days: int = 200
    timezone: str = "Asia/Shanghai"
    process: str = "command"
    listeners: ListenerOptions = field(default_factory=ListenerOptions)
    logstore_api_key: str = field(default="", repr=False)
    logstore_ca: str = ""
