"""Permissions of the audits plane."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    ANALYST,
    AUDIT_ADMIN,
    AUDITOR,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    Grant,
    Permission,
    grant,
)

READ_LEDGER: Final = Permission("audits.ledger.read")
VERIFY_LEDGER: Final = Permission("audits.ledger.verify")
REBUILD_LEDGER_ROWS: Final = Permission("audits.ledger.rebuild_rows")
ASSESS: Final = Permission("audits.assessment.make")
ENTER_JUDGEMENT: Final = Permission("audits.assessment.enter")
READ_ASSESSMENTS: Final = Permission("audits.assessment.read")
EXPORT_REPORT: Final = Permission("audits.report.export")
MANAGE_REPORT_TEMPLATES: Final = Permission("audits.report_template.manage")
READ_REPORT_TEMPLATES: Final = Permission("audits.report_template.read")
IMPORT_BUNDLE: Final = Permission("audits.bundle.import")
READ_BUNDLES: Final = Permission("audits.bundle.read")
READ_RECTIFICATION: Final = Permission("audits.rectification.read")
MANAGE_RECTIFICATION: Final = Permission("audits.rectification.manage")
PROVE_RECTIFICATION: Final = Permission("audits.rectification.prove")
RECHECK_RECTIFICATION: Final = Permission("audits.rectification.recheck")
CLOSE_RECTIFICATION: Final = Permission("audits.rectification.close")
REQUEST_WAIVER: Final = Permission("audits.waiver.request")
APPROVE_WAIVER: Final = Permission("audits.waiver.approve")
READ_RISKS: Final = Permission("audits.risk.read")
MANAGE_RISKS: Final = Permission("audits.risk.manage")
ACCEPT_RISK: Final = Permission("audits.risk.accept")
IMPORT_SCAN: Final = Permission("audits.scan.import")
READ_REGISTER: Final = Permission("audits.register.read")
WRITE_REGISTER: Final = Permission("audits.register.write")
PLACE_HOLD: Final = Permission("audits.hold.place")
LIFT_HOLD: Final = Permission("audits.hold.lift")
READ_HOLDS: Final = Permission("audits.hold.read")
READ_RECORDS: Final = Permission("audits.record.read")
WRITE_RECORDS: Final = Permission("audits.record.write")
READ_CATALOGUES: Final = Permission("audits.catalogue.read")

_LEDGER: Final = (
    grant(READ_LEDGER, "查看审计账本", "Read the ledger", AUDIT_ADMIN, AUDITOR),
    grant(VERIFY_LEDGER, "校验审计账本", "Verify the ledger", AUDIT_ADMIN, AUDITOR),
    grant(
        REBUILD_LEDGER_ROWS,
        "重建账本检索索引",
        "Rebuild the ledger's search rows",
        AUDIT_ADMIN,
    ),
)

_COMPLIANCE: Final = (
    grant(ASSESS, "发起自查", "Make a self-assessment", AUDITOR),
    grant(ENTER_JUDGEMENT, "录入核查结果", "Enter a judgement", AUDITOR),
    grant(READ_ASSESSMENTS, "查看自查结果", "Read assessments", AUDITOR, AUDIT_ADMIN),
    grant(EXPORT_REPORT, "导出报告", "Export reports", AUDITOR),
)

_COLLECTORS: Final = (
    grant(IMPORT_BUNDLE, "导入采集包", "Import bundles of hosts", SYSTEM_ADMIN),
    grant(READ_BUNDLES, "查看采集包", "Read bundles of hosts", SYSTEM_ADMIN, AUDITOR),
)

_HANDS: Final = (ANALYST, SECURITY_ADMIN, SYSTEM_ADMIN)
_RECTIFICATION: Final = (
    grant(READ_RECTIFICATION, "查看整改与豁免", "Read rectification", AUDITOR, *_HANDS),
    grant(
        MANAGE_RECTIFICATION,
        "建立和改派整改任务",
        "Make and assign tasks of rectification",
        ANALYST,
        SECURITY_ADMIN,
    ),
    grant(PROVE_RECTIFICATION, "提交整改证明", "Give proof of rectification", *_HANDS),
    grant(
        RECHECK_RECTIFICATION,
        "复核整改",
        "Re-check rectification",
        ANALYST,
        AUDITOR,
        SECURITY_ADMIN,
    ),
    grant(
        CLOSE_RECTIFICATION,
        "判定无自动核查项的整改",
        "Close tasks that no check decides",
        AUDITOR,
        SECURITY_ADMIN,
    ),
    grant(REQUEST_WAIVER, "申请豁免", "Ask for waivers", *_HANDS),
    grant(APPROVE_WAIVER, "审批豁免", "Approve waivers", SECURITY_ADMIN),
    grant(READ_RISKS, "查看风险登记册", "Read the register of risks", AUDITOR, *_HANDS),
    grant(MANAGE_RISKS, "登记和处置风险", "Enter and treat risks", ANALYST, SECURITY_ADMIN),
    grant(ACCEPT_RISK, "接受风险", "Accept risks", SECURITY_ADMIN),
    grant(IMPORT_SCAN, "导入扫描结果", "Import scanners' files", ANALYST, SECURITY_ADMIN),
)

_REGISTER: Final = (
    grant(READ_REGISTER, "查看系统与资产台账", "Read the register of systems", AUDITOR, *_HANDS),
    grant(WRITE_REGISTER, "维护系统与资产台账", "Keep the register of systems", SYSTEM_ADMIN),
    grant(
        READ_RECORDS,
        "查看举证材料",
        "Read records of evidence",
        AUDITOR,
        SECURITY_ADMIN,
        SYSTEM_ADMIN,
    ),
    grant(WRITE_RECORDS, "上传和撤回举证材料", "Upload and withdraw records", SYSTEM_ADMIN),
)

_CATALOGUES: Final = (
    grant(
        READ_CATALOGUES,
        "查看控制项目录",
        "Read the catalogues of standards",
        AUDITOR,
        AUDIT_ADMIN,
        *_HANDS,
    ),
)

_TEMPLATES: Final = (
    grant(
        MANAGE_REPORT_TEMPLATES,
        "上传和停用报告模板",
        "Add and retire templates of reports",
        AUDIT_ADMIN,
    ),
    grant(READ_REPORT_TEMPLATES, "查看报告模板", "Read report templates", AUDITOR, AUDIT_ADMIN),
)

_HOLDS: Final = (
    grant(PLACE_HOLD, "设立证据保全", "Place legal holds", AUDIT_ADMIN),
    grant(LIFT_HOLD, "解除他人设立的证据保全", "Lift legal holds of others", AUDIT_ADMIN),
    grant(READ_HOLDS, "查看证据保全", "Read legal holds", AUDIT_ADMIN, AUDITOR),
)

GRANTS: Final[tuple[Grant, ...]] = (
    *_LEDGER,
    *_HOLDS,
    *_TEMPLATES,
    *_COMPLIANCE,
    *_CATALOGUES,
    *_COLLECTORS,
    *_RECTIFICATION,
    *_REGISTER,
)
