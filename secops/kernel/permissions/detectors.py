"""Permissions of the detectors plane."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    ANALYST,
    AUDIT_ADMIN,
    AUDITOR,
    SECURITY_ADMIN,
    Grant,
    Permission,
    grant,
)

RULE_READ: Final = Permission("detectors.rule.read")
RULE_ENABLE: Final = Permission("detectors.rule.enable")
RUN_DETECTORS: Final = Permission("detectors.run.start")
ALERT_READ: Final = Permission("detectors.alert.read")
ALERT_CLOSE: Final = Permission("detectors.alert.close")

_READERS: Final = (ANALYST, SECURITY_ADMIN, AUDITOR)

_DETECTION: Final[tuple[Grant, ...]] = (
    grant(RULE_READ, "查看检测规则", "See detection rules", *_READERS, AUDIT_ADMIN),
    grant(RULE_ENABLE, "启用和停用检测规则", "Enable and disable rules", SECURITY_ADMIN),
    grant(RUN_DETECTORS, "运行检测", "Run the detectors", ANALYST),
    grant(ALERT_READ, "查看告警", "See alerts", *_READERS),
    grant(ALERT_CLOSE, "关闭告警", "Close alerts", ANALYST),
)

GRANTS: Final[tuple[Grant, ...]] = (*_DETECTION,)
