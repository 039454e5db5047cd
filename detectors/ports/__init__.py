"""What the detectors plane needs from outside, a file per family."""

from __future__ import annotations

from detectors.ports.detection import (
    AlertStore,
    DetectorStore,
    RuleCache,
    RuleSource,
)
from detectors.ports.logs import (
    ClosedSegments,
    LogFiles,
    LogIntake,
    LogSources,
    QueryEvaluator,
    Rejects,
    RejectSink,
    SegmentFiles,
    SegmentWriter,
    Tails,
)
from detectors.ports.outside import (
    DetectorsPorts,
    NoActs,
    OwnActs,
)

__all__ = [
    "AlertStore",
    "ClosedSegments",
    "DetectorStore",
    "DetectorsPorts",
    "LogFiles",
    "LogIntake",
    "LogSources",
    "NoActs",
    "OwnActs",
    "QueryEvaluator",
    "RejectSink",
    "Rejects",
    "RuleCache",
    "RuleSource",
    "SegmentFiles",
    "SegmentWriter",
    "Tails",
]
