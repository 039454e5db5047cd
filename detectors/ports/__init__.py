"""What the detectors plane needs from outside, a file per family."""

from __future__ import annotations

from detectors.ports.alert_page import (
    AlertIncidents,
    AlertPageStore,
    EntityStates,
    NoEntityStates,
    NoIncidents,
    RuleSamples,
)
from detectors.ports.anomalies import (
    ForestTrainer,
    ModelSigner,
    ModelStore,
    NetworkTable,
    NoModelSigner,
)
from detectors.ports.bulk_actions import BulkActionStore
from detectors.ports.correlation import CorrelationStore
from detectors.ports.detection import (
    AlertStore,
    DetectorStore,
    RuleCache,
    RuleSource,
)
from detectors.ports.listening import ListenerNotes, Listeners, StreamCutter, SyslogSink
from detectors.ports.logs import (
    ClosedSegments,
    LogFiles,
    LogIntake,
    LogSources,
    QueryEvaluator,
    QueryPruner,
    Rejects,
    RejectSink,
    SegmentFiles,
    SegmentWriter,
    SourceHealths,
    StoredPieces,
    Tails,
)
from detectors.ports.outside import (
    DetectorsPorts,
    NoActs,
    NoRoles,
    OwnActs,
    RolesNow,
)
from detectors.ports.privacy import (
    DataClassSource,
    NoPrivacyKeys,
    OriginalStore,
    PolicyStore,
    PrivacyKeys,
)
from detectors.ports.queue import (
    AlertDeadlineStore,
    AlertHandlingStore,
    AlertQueueStore,
    AlertViewStore,
)
from detectors.ports.rule_folders import RuleFolderFiles, RuleFolderStore
from detectors.ports.schedule import HitStore, RuleHealthStore, ScheduleStore
from detectors.ports.shadows import Indexing
from detectors.ports.triage import ExceptionStore, RiskStore, SuppressionStore

__all__ = [
    "AlertDeadlineStore",
    "AlertHandlingStore",
    "AlertIncidents",
    "AlertPageStore",
    "AlertQueueStore",
    "AlertStore",
    "AlertViewStore",
    "BulkActionStore",
    "ClosedSegments",
    "CorrelationStore",
    "DataClassSource",
    "DetectorStore",
    "DetectorsPorts",
    "EntityStates",
    "ExceptionStore",
    "ForestTrainer",
    "HitStore",
    "Indexing",
    "ListenerNotes",
    "Listeners",
    "LogFiles",
    "LogIntake",
    "LogSources",
    "ModelSigner",
    "ModelStore",
    "NetworkTable",
    "NoActs",
    "NoEntityStates",
    "NoIncidents",
    "NoModelSigner",
    "NoPrivacyKeys",
    "NoRoles",
    "OriginalStore",
    "OwnActs",
    "PolicyStore",
    "PrivacyKeys",
    "QueryEvaluator",
    "QueryPruner",
    "RejectSink",
    "Rejects",
    "RiskStore",
    "RolesNow",
    "RuleCache",
    "RuleFolderFiles",
    "RuleFolderStore",
    "RuleHealthStore",
    "RuleSamples",
    "RuleSource",
    "ScheduleStore",
    "SegmentFiles",
    "SegmentWriter",
    "SourceHealths",
    "StoredPieces",
    "StreamCutter",
    "SuppressionStore",
    "SyslogSink",
    "Tails",
]
