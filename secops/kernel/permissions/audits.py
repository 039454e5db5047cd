"""Permissions of the audits plane."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import AUDIT_ADMIN, AUDITOR, Grant, Permission, grant

READ_LEDGER: Final = Permission("audits.ledger.read")
VERIFY_LEDGER: Final = Permission("audits.ledger.verify")
REBUILD_LEDGER_ROWS: Final = Permission("audits.ledger.rebuild_rows")
ASSESS: Final = Permission("audits.assessment.make")
ENTER_JUDGEMENT: Final = Permission("audits.assessment.enter")
READ_ASSESSMENTS: Final = Permission("audits.assessment.read")
EXPORT_REPORT: Final = Permission("audits.report.export")

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

GRANTS: Final[tuple[Grant, ...]] = (*_LEDGER, *_COMPLIANCE)
