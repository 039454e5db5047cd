"""Permissions of the iam plane."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    ANALYST,
    AUDIT_ADMIN,
    AUDITOR,
    ROLES,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    Grant,
    Permission,
    grant,
)

ACCOUNT_CREATE: Final = Permission("iam.account.create")
ACCOUNT_READ: Final = Permission("iam.account.read")
ACCOUNT_LOCK: Final = Permission("iam.account.lock")
ACCOUNT_UNLOCK: Final = Permission("iam.account.unlock")
ACCOUNT_RESET: Final = Permission("iam.account.reset")
RESET_APPROVE: Final = Permission("iam.reset.approve")
ORGANISATION_CREATE: Final = Permission("iam.organisation.create")
LEGAL_PERSON_CREATE: Final = Permission("iam.legal_person.create")
MANDATE_GRANT: Final = Permission("iam.mandate.grant")
ROLE_READ: Final = Permission("iam.role.read")
ROLE_ASSIGN: Final = Permission("iam.role.assign")
AUDITOR_ASSIGN: Final = Permission("iam.auditor.assign")
SESSION_READ: Final = Permission("iam.session.read")
SESSION_REVOKE: Final = Permission("iam.session.revoke")
CLIENT_CREATE: Final = Permission("iam.client.create")
CLIENT_READ: Final = Permission("iam.client.read")
EVIDENCE_READ: Final = Permission("iam.evidence.read")
OWN_USE: Final = Permission("iam.own.use")

_READERS: Final = (SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN, AUDITOR)

GRANTS: Final[tuple[Grant, ...]] = (
    grant(ACCOUNT_CREATE, "创建账户", "Create accounts", SYSTEM_ADMIN),
    grant(ACCOUNT_READ, "查看账户", "See accounts", *_READERS, ANALYST),
    grant(ACCOUNT_LOCK, "锁定账户", "Lock accounts", SYSTEM_ADMIN, SECURITY_ADMIN, ANALYST),
    grant(ACCOUNT_UNLOCK, "解锁账户", "Unlock accounts", SYSTEM_ADMIN),
    grant(ACCOUNT_RESET, "申请重置凭据", "Ask to reset credentials", SYSTEM_ADMIN),
    grant(RESET_APPROVE, "审批凭据重置", "Approve a reset of credentials", SECURITY_ADMIN),
    grant(ORGANISATION_CREATE, "创建机构", "Create organisations", SYSTEM_ADMIN),
    grant(LEGAL_PERSON_CREATE, "登记法人", "Register legal persons", SYSTEM_ADMIN),
    grant(MANDATE_GRANT, "登记经办人授权", "Record an agent's mandate", SYSTEM_ADMIN),
    grant(ROLE_READ, "查看角色", "See who holds which role", *_READERS),
    grant(ROLE_ASSIGN, "分配角色", "Assign and revoke roles", SECURITY_ADMIN),
    grant(AUDITOR_ASSIGN, "指定审计员", "Name and dismiss auditors", AUDIT_ADMIN),
    grant(SESSION_READ, "查看会话", "See sessions", *_READERS, ANALYST),
    grant(SESSION_REVOKE, "结束会话", "End sessions", SYSTEM_ADMIN, SECURITY_ADMIN, ANALYST),
    grant(CLIENT_CREATE, "登记应用", "Register applications", SYSTEM_ADMIN),
    grant(CLIENT_READ, "查看应用", "See applications", *_READERS),
    grant(EVIDENCE_READ, "查看身份证据", "Read identity evidence", AUDIT_ADMIN, AUDITOR),
    grant(OWN_USE, "使用本人页面", "Use one's own pages and factors", *ROLES),
)
