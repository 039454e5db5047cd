"""Archives as files: pages to read them by, the verifier, and where the files go."""

from __future__ import annotations

from audits.adapters.archives.pages import JinjaArchivePages
from audits.adapters.archives.sinks import ArchiveFolder, ArchiveZip, sink_at

__all__ = ["ArchiveFolder", "ArchiveZip", "JinjaArchivePages", "sink_at"]
