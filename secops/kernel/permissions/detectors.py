"""Permissions of the detectors plane."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    ANALYST,
    AUDIT_ADMIN,
    AUDITOR,
    INTEGRATOR,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    Grant,
    Permission,
    grant,
)

RULE_READ: Final = Permission("detectors.rule.read")
RULE_ENABLE: Final = Permission("detectors.rule.enable")
RULE_IMPORT: Final = Permission("detectors.rule.import")
RUN_DETECTORS: Final = Permission("detectors.run.start")
ALERT_READ: Final = Permission("detectors.alert.read")
ALERT_CLOSE: Final = Permission("detectors.alert.close")
ALERT_DEADLINE_SET: Final = Permission("detectors.alert_deadline.set")
ALERT_SUPPRESS: Final = Permission("detectors.alert.suppress")
EXCEPTION_REQUEST: Final = Permission("detectors.exception.request")
EXCEPTION_APPROVE: Final = Permission("detectors.exception.approve")
CRITICALITY_SET: Final = Permission("detectors.criticality.set")
MODEL_READ: Final = Permission("detectors.model.read")
MODEL_TRAIN: Final = Permission("detectors.model.train")
LOGIN_JUDGE: Final = Permission("detectors.login.judge")

LOG_INGEST: Final = Permission("detectors.log.ingest")
LOG_SEARCH: Final = Permission("detectors.log.search")
LOG_EXPORT: Final = Permission("detectors.log.export")
LOG_SOURCE_READ: Final = Permission("detectors.log_source.read")
LOG_SOURCE_CHANGE: Final = Permission("detectors.log_source.change")
LOG_REVEAL: Final = Permission("detectors.log.reveal")
LOG_TRACE: Final = Permission("detectors.log.trace")
DATA_POLICY_CHANGE: Final = Permission("detectors.data_policy.change")

_READERS: Final = (ANALYST, SECURITY_ADMIN, AUDITOR)

_DETECTION: Final[tuple[Grant, ...]] = (
    grant(RULE_READ, "查看检测规则", "See detection rules", *_READERS, AUDIT_ADMIN),
    grant(RULE_ENABLE, "启用和停用检测规则", "Enable and disable rules", SECURITY_ADMIN),
    grant(RULE_IMPORT, "导入和移除规则目录", "Import and remove rule folders", SECURITY_ADMIN),
    grant(RUN_DETECTORS, "运行检测", "Run the detectors", ANALYST),
    grant(ALERT_READ, "查看告警", "See alerts", *_READERS),
    grant(ALERT_CLOSE, "受理、指派和关闭告警", "Acknowledge, assign and close alerts", ANALYST),
    grant(ALERT_DEADLINE_SET, "设定告警处置时限", "Set alerts' deadlines", SECURITY_ADMIN),
    grant(ALERT_SUPPRESS, "抑制和恢复告警", "Suppress and restore alerts", ANALYST),
    grant(EXCEPTION_REQUEST, "申请和终止规则例外", "Request and end exceptions", ANALYST),
    grant(EXCEPTION_APPROVE, "审批规则例外", "Approve exceptions", SECURITY_ADMIN),
    grant(CRITICALITY_SET, "设定对象重要性", "Set how critical an entity is", SECURITY_ADMIN),
)

_LOGS: Final[tuple[Grant, ...]] = (
    grant(LOG_INGEST, "导入和上报日志", "Ingest and ship logs", ANALYST, INTEGRATOR),
    grant(LOG_SEARCH, "检索日志", "Search logs", ANALYST, AUDITOR),
    grant(LOG_EXPORT, "导出检索到的日志", "Export the logs found", ANALYST, AUDITOR),
    grant(
        LOG_SOURCE_READ,
        "查看日志来源",
        "See log sources",
        *_READERS,
        SYSTEM_ADMIN,
        AUDIT_ADMIN,
    ),
    grant(LOG_SOURCE_CHANGE, "管理日志来源", "Manage log sources", SYSTEM_ADMIN),
    grant(LOG_REVEAL, "查看脱敏日志原文", "Reveal masked originals", ANALYST),
    grant(LOG_TRACE, "追溯数据访问", "Trace who touched a subject", ANALYST, AUDITOR),
    grant(
        DATA_POLICY_CHANGE,
        "管理日志数据分级和脱敏策略",
        "Manage grades and masking of logs",
        SECURITY_ADMIN,
    ),
)

_ANOMALIES: Final[tuple[Grant, ...]] = (
    grant(
        MODEL_READ, "查看异常检测模型与登录风险", "See anomaly models and risky sign-ins", *_READERS
    ),
    grant(MODEL_TRAIN, "训练异常检测模型", "Train anomaly models", SECURITY_ADMIN),
    grant(LOGIN_JUDGE, "判定登录是否本人", "Judge whether a sign-in was its owner's", ANALYST),
)

GRANTS: Final[tuple[Grant, ...]] = (*_DETECTION, *_ANOMALIES, *_LOGS)
