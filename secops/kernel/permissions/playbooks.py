"""Permissions of the playbooks plane: who answers incidents never approves the answer."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    ANALYST,
    AUDITOR,
    SECURITY_ADMIN,
    Grant,
    Permission,
    grant,
)

INCIDENT_READ: Final = Permission("playbooks.incident.read")
INCIDENT_OPEN: Final = Permission("playbooks.incident.open")
INCIDENT_CHANGE: Final = Permission("playbooks.incident.change")
INCIDENT_REPORT: Final = Permission("playbooks.incident.report")
PLAYBOOK_READ: Final = Permission("playbooks.playbook.read")
PLAYBOOK_IMPORT: Final = Permission("playbooks.playbook.import")
PLAYBOOK_APPROVE: Final = Permission("playbooks.playbook.approve")
RUN_READ: Final = Permission("playbooks.run.read")
RUN_REQUEST: Final = Permission("playbooks.run.request")
RUN_APPROVE: Final = Permission("playbooks.run.approve")
RUN_RESOLVE: Final = Permission("playbooks.run.resolve")
RUN_CANCEL: Final = Permission("playbooks.run.cancel")
NOTIFICATION_READ: Final = Permission("playbooks.notification.read")
EVIDENCE_READ: Final = Permission("playbooks.evidence.read")

_READERS: Final = (ANALYST, SECURITY_ADMIN, AUDITOR)

GRANTS: Final[tuple[Grant, ...]] = (
    grant(INCIDENT_READ, "查看事件", "See incidents", *_READERS),
    grant(INCIDENT_OPEN, "开立事件", "Open incidents", ANALYST),
    grant(INCIDENT_CHANGE, "处置事件", "Work on incidents", ANALYST),
    grant(INCIDENT_REPORT, "导出事件报告", "Export incident reports", *_READERS),
    grant(PLAYBOOK_READ, "查看剧本", "See playbooks", *_READERS),
    grant(PLAYBOOK_IMPORT, "导入剧本", "Import playbooks", ANALYST),
    grant(PLAYBOOK_APPROVE, "审批剧本", "Approve playbooks", SECURITY_ADMIN),
    grant(RUN_READ, "查看剧本运行", "See runs of playbooks", *_READERS),
    grant(RUN_REQUEST, "申请运行剧本", "Ask to run playbooks", ANALYST),
    grant(RUN_APPROVE, "审批剧本运行", "Approve runs of playbooks", SECURITY_ADMIN),
    grant(RUN_RESOLVE, "确认人工步骤", "Answer for steps done by hand", ANALYST),
    grant(RUN_CANCEL, "取消剧本运行", "Cancel runs", ANALYST, SECURITY_ADMIN),
    grant(NOTIFICATION_READ, "查看通知", "See notifications", *_READERS),
    grant(EVIDENCE_READ, "查看响应证据", "See evidence of response", AUDITOR),
)
