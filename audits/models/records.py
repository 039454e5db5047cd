"""Records of evidence: what was held, tested, reviewed or written, with its document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

RecordKind = Literal[
    "training",
    "drill",
    "plan",
    "penetration_test",
    "access_review",
    "supplier_review",
    "document",
]
RECORD_KINDS: Final[dict[RecordKind, Text]] = {
    "training": Text("培训", "Training"),
    "drill": Text("应急演练", "Emergency drill"),
    "plan": Text("应急预案", "Emergency plan"),
    "penetration_test": Text("渗透测试", "Penetration test"),
    "access_review": Text("人员访问权限复核", "Review of staff access"),
    "supplier_review": Text("供应商访问复核", "Review of suppliers' access"),
    "document": Text("其他文件", "Another document"),
}
EVIDENCE_KINDS: Final[dict[str, Text]] = {
    "approval.review": Text("审批事项复核记录", "Review of approvals"),
    "asset.cert": Text("产品资质证书", "Certificate of a product"),
    "backup.policy": Text("备份策略", "Backup policy"),
    "backup.restore_test": Text("恢复测试记录", "Restore test"),
    "change.record": Text("变更记录", "Change record"),
    "code.review": Text("代码审查报告", "Code review"),
    "data.classification": Text("数据分类分级清单", "Data classification"),
    "data.inventory": Text("个人信息清单", "Inventory of personal data"),
    "doc.agreement": Text("协议", "Agreement"),
    "doc.appointment": Text("任命与岗位文件", "Appointment"),
    "doc.design": Text("设计文档", "Design"),
    "doc.policy": Text("制度与规程", "Policy or procedure"),
    "doc.record": Text("会议纪要、表单", "Minutes and forms"),
    "doc.review": Text("评审记录", "Review"),
    "doc.version": Text("版本清单", "List of versions"),
    "drill.record": Text("演练记录", "Drill record"),
    "net.topology": Text("网络拓扑图", "Topology"),
    "pentest.report": Text("渗透测试报告", "Penetration test report"),
    "sast.report": Text("代码扫描报告", "Scan of code"),
    "site.inspection": Text("现场检查记录", "Inspection of a site"),
    "training.plan": Text("培训计划", "Training plan"),
    "training.record": Text("培训记录", "Training record"),
}
"""Words of the catalogue's evidence vocabulary that a document can answer."""
USUAL_EVIDENCE: Final[dict[RecordKind, str]] = {
    "training": "training.record",
    "drill": "drill.record",
    "plan": "doc.policy",
    "penetration_test": "pentest.report",
    "access_review": "approval.review",
    "supplier_review": "doc.review",
    "document": "doc.record",
}
USUAL_DAYS: Final[dict[RecordKind, int]] = {
    "training": 365,
    "drill": 365,
    "plan": 365,
    "penetration_test": 365,
    "access_review": 180,
    "supplier_review": 180,
    "document": 0,
}
"""How long a record counts where nobody says otherwise; 0 is without end. Policy values of
ours: of them the texts give the yearly drill alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record with its document (``sha256``, ``size`` bytes); it is withdrawn, never changed.

    ``system_id`` is empty where it counts for all of the organisation's systems. ``items`` are
    those of the standards it speaks to. ``held_at`` is the day of what it records, ``expires_at``
    the end of its use, 0 for none (UTC microseconds).
    """

    id: str
    org_id: str
    system_id: str
    kind: RecordKind
    evidence_kind: str
    title: str
    person: str
    note: str
    items: tuple[str, ...]
    held_at: int
    expires_at: int
    filename: str
    media_type: str
    size: int
    sha256: str
    uploaded_by: str
    uploaded_at: int
    withdrawn_at: int = 0
    withdrawn_reason: str = ""
    version: int = 1


RecordState = Literal["valid", "soon", "expired", "withdrawn"]
RECORD_STATES: Final[dict[RecordState, Text]] = {
    "valid": Text("有效", "In force"),
    "soon": Text("即将到期", "Ends soon"),
    "expired": Text("已到期", "Expired"),
    "withdrawn": Text("已撤回", "Withdrawn"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """Which records are asked for; what is empty does not narrow."""

    kind: str = ""
    system_id: str = ""
    item: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """What somebody hands in; days as 2026-03-01, ``expires_on`` "" for the usual.

    "-" is for documents that stay in force: what is done again and again ends.
    """

    kind: str
    title: str
    held_on: str
    filename: str
    system_id: str = ""
    evidence_kind: str = ""
    person: str = ""
    note: str = ""
    items: tuple[str, ...] = ()
    expires_on: str = ""
