"""The navigation: which page stands where, and the permission it takes to see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secops.kernel.catalogue import Text
from secops.kernel.permissions import Permission
from secops.kernel.permissions.audits import (
    READ_ASSESSMENTS,
    READ_BUNDLES,
    READ_CATALOGUES,
    READ_HOLDS,
    READ_LEDGER,
    READ_RECORDS,
    READ_RECTIFICATION,
    READ_REGISTER,
    READ_REPORT_TEMPLATES,
    READ_RISKS,
)
from secops.kernel.permissions.detectors import (
    ALERT_READ,
    LOG_SEARCH,
    LOG_SOURCE_READ,
    LOG_TRACE,
    MODEL_READ,
    RULE_READ,
)
from secops.kernel.permissions.iam import (
    ACCOUNT_READ,
    BREAK_GLASS_READ,
    CHANGE_READ,
    CLIENT_READ,
    DEVICE_READ,
    LOCK_READ,
    MANDATE_READ,
    MATRIX_READ,
    ORGANISATION_READ,
    POLICY_READ,
    SESSION_READ,
    UPSTREAM_READ,
)
from secops.kernel.permissions.kms import (
    ANCHOR_READ,
    BACKEND_READ,
    CERTIFICATE_READ,
    ECERTIFICATE_READ,
    KEY_READ,
    KEY_READ_ALL,
    OPENPGP_READ,
    SEAL_READ,
)
from secops.kernel.permissions.playbooks import (
    BINDING_READ,
    CHANNEL_READ,
    DRILL_READ,
    DUTY_READ,
    EMERGENCY_PLAN_READ,
    INCIDENT_READ,
    NOTICE_READ,
    NOTICE_RECEIVE,
    PLAYBOOK_READ,
    RUN_READ,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``permission`` None is for everybody who is signed in."""

    href: str
    title: Text
    permission: Permission | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that stand together; the first group, one's own things, has no title."""

    title: Text | None
    entries: tuple[Entry, ...]


GROUPS: Final[tuple[Group, ...]] = (
    Group(
        None,
        (
            Entry("/", Text("我的工作台", "My workplace")),
            Entry("/apps", Text("我的应用", "My applications")),
            Entry("/me", Text("我的账户", "My account")),
            Entry("/approvals", Text("待审批", "Approvals"), CHANGE_READ),
        ),
    ),
    Group(
        Text("全网监控", "Watch"),
        (
            Entry("/situation", Text("态势", "Situation"), ALERT_READ),
            Entry("/alerts", Text("告警", "Alerts"), ALERT_READ),
            Entry("/entities", Text("对象风险", "Entity risk"), ALERT_READ),
            Entry("/rules", Text("检测规则", "Detection rules"), RULE_READ),
            Entry("/logs", Text("日志检索", "Log search"), LOG_SEARCH),
            Entry("/log-sources", Text("日志来源", "Log sources"), LOG_SOURCE_READ),
            Entry("/models", Text("异常模型", "Anomaly models"), MODEL_READ),
            Entry("/trace", Text("溯源", "Trace"), LOG_TRACE),
            Entry("/data-policies", Text("数据分级", "Data grades"), LOG_SOURCE_READ),
        ),
    ),
    Group(
        Text("应急处置", "Response"),
        (
            Entry("/incidents", Text("事件", "Incidents"), INCIDENT_READ),
            Entry("/emergency-plans", Text("应急预案", "Emergency plans"), EMERGENCY_PLAN_READ),
            Entry("/response-times", Text("响应用时", "Response times"), INCIDENT_READ),
            Entry("/runs", Text("剧本运行", "Playbook runs"), RUN_READ),
            Entry("/playbooks", Text("剧本库", "Playbooks"), PLAYBOOK_READ),
            Entry("/bindings", Text("自动响应", "Automatic response"), BINDING_READ),
            Entry("/notices", Text("通报", "Notices"), NOTICE_READ),
            Entry("/received-notices", Text("收到的通报", "Notices received"), NOTICE_RECEIVE),
            Entry("/early-warnings", Text("预警", "Early warnings")),
            Entry("/duty", Text("值班", "Duty"), DUTY_READ),
            Entry("/drills", Text("演练", "Drills"), DRILL_READ),
            Entry("/notifications/channels", Text("通知", "Notifications"), CHANNEL_READ),
        ),
    ),
    Group(
        Text("密码与印章", "Keys and seals"),
        (
            Entry("/key-pool", Text("密钥库", "Key pool"), BACKEND_READ),
            Entry("/keys", Text("密钥", "Keys"), KEY_READ),
            Entry("/key-tenant", Text("配额与自检", "Quotas, self-tests"), KEY_READ_ALL),
            Entry("/seals", Text("电子印章", "E-seals"), SEAL_READ),
            Entry("/ecertificates", Text("电子证照", "E-certificates"), ECERTIFICATE_READ),
            Entry("/certificates", Text("数字证书", "Certificates"), CERTIFICATE_READ),
            Entry("/trust-anchors", Text("信任锚", "Trust anchors"), ANCHOR_READ),
            Entry("/verify", Text("验章", "Verify a seal")),
            Entry("/openpgp", Text("对外导出保护", "Exports for partners"), OPENPGP_READ),
        ),
    ),
    Group(
        Text("身份与访问", "Identity and access"),
        (
            Entry("/organisations", Text("机构", "Organisations"), ORGANISATION_READ),
            Entry("/accounts", Text("账户", "Accounts"), ACCOUNT_READ),
            Entry("/legal-persons", Text("法人与授权", "Legal persons"), MANDATE_READ),
            Entry("/permissions", Text("三员权限矩阵", "Matrix of rights"), MATRIX_READ),
            Entry("/applications", Text("应用", "Applications"), CLIENT_READ),
            Entry("/consents", Text("用户授权", "Consents"), SESSION_READ),
            Entry("/silent-partners", Text("未确认退出的应用", "Silent partners"), SESSION_READ),
            Entry("/upstreams", Text("上级身份源", "Identity providers"), UPSTREAM_READ),
            Entry("/policies", Text("访问策略", "Access policies"), POLICY_READ),
            Entry("/locks", Text("锁定", "Locks"), LOCK_READ),
            Entry("/break-glass", Text("应急账户", "Emergency accounts"), BREAK_GLASS_READ),
            Entry("/devices", Text("设备", "Devices"), DEVICE_READ),
        ),
    ),
    Group(
        Text("审计举证", "Evidence"),
        (
            Entry("/ledger", Text("审计账本", "Ledger"), READ_LEDGER),
            Entry("/legal-holds", Text("证据保全", "Legal holds"), READ_HOLDS),
            Entry("/systems", Text("系统台账", "Systems"), READ_REGISTER),
            Entry("/records", Text("举证材料", "Records"), READ_RECORDS),
            Entry("/assessments", Text("合规自查", "Self-assessment"), READ_ASSESSMENTS),
            Entry("/reports", Text("报告", "Reports"), READ_ASSESSMENTS),
            Entry("/report-templates", Text("报告模板", "Report templates"), READ_REPORT_TEMPLATES),
            Entry("/rectification", Text("整改", "Rectification"), READ_RECTIFICATION),
            Entry("/waivers", Text("豁免", "Waivers"), READ_RECTIFICATION),
            Entry("/risks", Text("风险登记册", "Risks"), READ_RISKS),
            Entry("/catalogues", Text("控制项目录", "Catalogue of items"), READ_CATALOGUES),
            Entry("/collectors", Text("配置采集", "Collected configuration"), READ_BUNDLES),
        ),
    ),
)
NAVIGATION: Final[tuple[Entry, ...]] = tuple(each for group in GROUPS for each in group.entries)
