"""Permissions of the playbooks plane: who answers incidents never approves the answer."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    ANALYST,
    AUDITOR,
    INTEGRATOR,
    SEAL_HOLDER,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    Grant,
    Permission,
    grant,
)

INCIDENT_READ: Final = Permission("playbooks.incident.read")
INCIDENT_OPEN: Final = Permission("playbooks.incident.open")
INCIDENT_CHANGE: Final = Permission("playbooks.incident.change")
INCIDENT_STAFF: Final = Permission("playbooks.incident.staff")
CUSTODY_HOLD: Final = Permission("playbooks.custody.hold")
EMERGENCY_PLAN_READ: Final = Permission("playbooks.emergency_plan.read")
EMERGENCY_PLAN_WRITE: Final = Permission("playbooks.emergency_plan.write")
EMERGENCY_PLAN_APPROVE: Final = Permission("playbooks.emergency_plan.approve")
INCIDENT_REPORT: Final = Permission("playbooks.incident.report")
PLAYBOOK_READ: Final = Permission("playbooks.playbook.read")
PLAYBOOK_IMPORT: Final = Permission("playbooks.playbook.import")
PLAYBOOK_APPROVE: Final = Permission("playbooks.playbook.approve")
BINDING_READ: Final = Permission("playbooks.binding.read")
BINDING_PROPOSE: Final = Permission("playbooks.binding.propose")
BINDING_APPROVE: Final = Permission("playbooks.binding.approve")
BINDING_PAUSE: Final = Permission("playbooks.binding.pause")
RUN_READ: Final = Permission("playbooks.run.read")
RUN_REQUEST: Final = Permission("playbooks.run.request")
RUN_APPROVE: Final = Permission("playbooks.run.approve")
RUN_RESOLVE: Final = Permission("playbooks.run.resolve")
RUN_CANCEL: Final = Permission("playbooks.run.cancel")
NOTIFICATION_READ: Final = Permission("playbooks.notification.read")
EVIDENCE_READ: Final = Permission("playbooks.evidence.read")
CHANNEL_READ: Final = Permission("playbooks.channel.read")
CHANNEL_MANAGE: Final = Permission("playbooks.channel.manage")
MESSAGE_READ: Final = Permission("playbooks.message.read")
MESSAGE_RESOLVE: Final = Permission("playbooks.message.resolve")
SUBSCRIPTION_MANAGE: Final = Permission("playbooks.subscription.manage")
DUTY_READ: Final = Permission("playbooks.duty.read")
DUTY_SERVE: Final = Permission("playbooks.duty.serve")
ROSTER_MANAGE: Final = Permission("playbooks.roster.manage")
DRILL_READ: Final = Permission("playbooks.drill.read")
DRILL_PLAN: Final = Permission("playbooks.drill.plan")
DRILL_APPROVE: Final = Permission("playbooks.drill.approve")
NOTICE_READ: Final = Permission("playbooks.notice.read")
NOTICE_DRAFT: Final = Permission("playbooks.notice.draft")
NOTICE_APPROVE: Final = Permission("playbooks.notice.approve")
NOTICE_ISSUE: Final = Permission("playbooks.notice.issue")
NOTICE_RECEIVE: Final = Permission("playbooks.notice.receive")
NOTICE_RECTIFY: Final = Permission("playbooks.notice.rectify")
NOTICE_VERIFY: Final = Permission("playbooks.notice.verify")
WARNING_DRAFT: Final = Permission("playbooks.warning.draft")
WARNING_APPROVE: Final = Permission("playbooks.warning.approve")

_READERS: Final = (ANALYST, SECURITY_ADMIN, AUDITOR)

GRANTS: Final[tuple[Grant, ...]] = (
    grant(INCIDENT_READ, "查看事件", "See incidents", *_READERS),
    grant(INCIDENT_OPEN, "开立事件", "Open incidents", ANALYST),
    grant(INCIDENT_CHANGE, "处置事件", "Work on incidents", ANALYST),
    grant(INCIDENT_STAFF, "指定事件成员", "Say who works on incidents", ANALYST, SECURITY_ADMIN),
    grant(CUSTODY_HOLD, "接收和移交证据", "Receive and hand over evidence", *_READERS),
    grant(EMERGENCY_PLAN_READ, "查看应急预案", "See emergency plans", *_READERS),
    grant(EMERGENCY_PLAN_WRITE, "起草应急预案", "Write emergency plans", ANALYST),
    grant(EMERGENCY_PLAN_APPROVE, "审批应急预案", "Approve emergency plans", SECURITY_ADMIN),
    grant(INCIDENT_REPORT, "导出事件报告", "Export incident reports", *_READERS),
    grant(PLAYBOOK_READ, "查看剧本", "See playbooks", *_READERS),
    grant(PLAYBOOK_IMPORT, "导入剧本", "Import playbooks", ANALYST),
    grant(PLAYBOOK_APPROVE, "审批剧本", "Approve playbooks", SECURITY_ADMIN),
    grant(BINDING_READ, "查看自动响应绑定", "See bindings of alerts to playbooks", *_READERS),
    grant(BINDING_PROPOSE, "提出自动响应绑定", "Propose bindings", ANALYST),
    grant(BINDING_APPROVE, "审批自动响应绑定", "Approve bindings", SECURITY_ADMIN),
    grant(BINDING_PAUSE, "暂停自动响应", "Pause bindings", ANALYST, SECURITY_ADMIN),
    grant(RUN_READ, "查看剧本运行", "See runs of playbooks", *_READERS),
    grant(RUN_REQUEST, "申请运行剧本", "Ask to run playbooks", ANALYST),
    grant(RUN_APPROVE, "审批剧本运行", "Approve runs of playbooks", SECURITY_ADMIN),
    grant(RUN_RESOLVE, "确认人工步骤", "Answer for steps done by hand", ANALYST),
    grant(RUN_CANCEL, "取消剧本运行", "Cancel runs", ANALYST, SECURITY_ADMIN),
    grant(NOTICE_READ, "查看本单位发出的通报", "See notices of one's own", SEAL_HOLDER, *_READERS),
    grant(NOTICE_DRAFT, "拟写通报", "Draft notices", ANALYST),
    grant(NOTICE_APPROVE, "签发通报", "Approve notices", SECURITY_ADMIN),
    grant(NOTICE_ISSUE, "通报编号用印", "Number and seal approved notices", SEAL_HOLDER),
    grant(NOTICE_RECEIVE, "签收与反馈通报", "Receive notices", ANALYST, INTEGRATOR),
    grant(NOTICE_RECTIFY, "按通报整改", "Put right what a notice finds", INTEGRATOR),
    grant(NOTICE_VERIFY, "复核整改", "Verify what was put right", AUDITOR),
    grant(WARNING_DRAFT, "拟写和发布预警", "Draft and issue early warnings", ANALYST),
    grant(WARNING_APPROVE, "批准和解除预警", "Approve and lift early warnings", SECURITY_ADMIN),
    grant(NOTIFICATION_READ, "查看通知", "See notifications", *_READERS),
    grant(EVIDENCE_READ, "查看响应证据", "See evidence of response", AUDITOR),
    grant(CHANNEL_READ, "查看通知渠道", "See notification channels", SYSTEM_ADMIN, *_READERS),
    grant(CHANNEL_MANAGE, "管理通知渠道", "Manage notification channels", SYSTEM_ADMIN),
    grant(MESSAGE_READ, "查看外发消息", "See messages sent outside", SYSTEM_ADMIN, *_READERS),
    grant(MESSAGE_RESOLVE, "重发或丢弃消息", "Resend or drop messages", SYSTEM_ADMIN, ANALYST),
    grant(SUBSCRIPTION_MANAGE, "管理通知订阅", "Manage subscriptions", SECURITY_ADMIN),
    grant(DUTY_READ, "查看值班表", "See duty rosters", *_READERS),
    grant(DUTY_SERVE, "值班、换班与确认", "Be on duty", ANALYST, SECURITY_ADMIN),
    grant(ROSTER_MANAGE, "管理值班表", "Manage duty rosters", SECURITY_ADMIN),
    grant(DRILL_READ, "查看演练", "See drills", *_READERS),
    grant(DRILL_PLAN, "策划与实施演练", "Plan and run drills", ANALYST),
    grant(DRILL_APPROVE, "审批演练", "Approve drills", SECURITY_ADMIN),
)
