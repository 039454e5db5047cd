"""Permissions of the iam plane."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    ANALYST,
    AUDIT_ADMIN,
    AUDITOR,
    INTEGRATOR,
    ROLES,
    SECURITY_ADMIN,
    STAFF,
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
CLIENT_REQUEST: Final = Permission("iam.client.request")
CLIENT_APPROVE: Final = Permission("iam.client.approve")
UPSTREAM_CONFIGURE: Final = Permission("iam.upstream.configure")
UPSTREAM_APPROVE: Final = Permission("iam.upstream.approve")
SCIM_PROVISION: Final = Permission("scim.provision")
"""Covered by the scope ``scim``."""
UPSTREAM_READ: Final = Permission("iam.upstream.read")
POLICY_READ: Final = Permission("iam.policy.read")
POLICY_WRITE: Final = Permission("iam.policy.write")
POLICY_APPROVE: Final = Permission("iam.policy.approve")
LOCK_READ: Final = Permission("iam.lock.read")
LOCK_SET: Final = Permission("iam.lock.set")
LOCK_LIFT: Final = Permission("iam.lock.lift")
LOCK_LIFT_APPROVE: Final = Permission("iam.lock_lift.approve")
DEVICE_READ: Final = Permission("iam.device.read")
DEVICE_REVOKE: Final = Permission("iam.device.revoke")
EVIDENCE_READ: Final = Permission("iam.evidence.read")
OWN_USE: Final = Permission("iam.own.use")
ORGANISATION_READ: Final = Permission("iam.organisation.read")
ORGANISATION_CHANGE: Final = Permission("iam.organisation.change")
DEPARTURE_ORDER: Final = Permission("iam.departure.order")
PERSON_ERASE: Final = Permission("iam.person.erase")
ERASURE_APPROVE: Final = Permission("iam.erasure.approve")
MANDATE_READ: Final = Permission("iam.mandate.read")
MATRIX_READ: Final = Permission("iam.matrix.read")
CHANGE_READ: Final = Permission("iam.change.read")
ROLE_REQUEST: Final = Permission("iam.role.request")
PRIVILEGE_REQUEST: Final = Permission("iam.privilege.request")
EMERGENCY_APPROVE: Final = Permission("iam.emergency.approve")
BREAK_GLASS_SEAL: Final = Permission("iam.break_glass.seal")
BREAK_GLASS_APPROVE: Final = Permission("iam.break_glass.approve")
BREAK_GLASS_REVIEW: Final = Permission("iam.break_glass.review")
BREAK_GLASS_READ: Final = Permission("iam.break_glass.read")

_THREE: Final = (SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN)
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
    grant(CLIENT_REQUEST, "申请登记应用", "Ask for an application", SYSTEM_ADMIN, STAFF),
    grant(CLIENT_APPROVE, "审批应用登记", "Approve an application", SECURITY_ADMIN),
    grant(
        UPSTREAM_CONFIGURE, "配置上级身份源", "Configure identity providers upstream", SYSTEM_ADMIN
    ),
    grant(
        UPSTREAM_APPROVE,
        "审批上级身份源",
        "Approve changes of identity providers upstream",
        SECURITY_ADMIN,
    ),
    grant(SCIM_PROVISION, "同步人员账户(SCIM)", "Provision accounts (SCIM)", INTEGRATOR),
    grant(UPSTREAM_READ, "查看上级身份源", "See identity providers upstream", *_READERS),
    grant(POLICY_READ, "查看访问策略", "See access policies", *_READERS),
    grant(POLICY_WRITE, "起草访问策略", "Draft access policies", SECURITY_ADMIN),
    grant(POLICY_APPROVE, "审批访问策略", "Approve access policies", SECURITY_ADMIN, SYSTEM_ADMIN),
    grant(LOCK_READ, "查看锁定", "See locks", *_READERS, ANALYST),
    grant(LOCK_SET, "锁定对象", "Lock subjects", SYSTEM_ADMIN, SECURITY_ADMIN, ANALYST),
    grant(LOCK_LIFT, "申请解除锁定", "Ask to lift a lock", SYSTEM_ADMIN, SECURITY_ADMIN, ANALYST),
    grant(
        LOCK_LIFT_APPROVE, "审批解除锁定", "Approve lifting a lock", SECURITY_ADMIN, SYSTEM_ADMIN
    ),
    grant(DEVICE_READ, "查看设备", "See devices", *_READERS, ANALYST),
    grant(DEVICE_REVOKE, "撤销设备", "Revoke devices", SYSTEM_ADMIN, SECURITY_ADMIN, ANALYST),
    grant(EVIDENCE_READ, "查看身份证据", "Read identity evidence", AUDIT_ADMIN, AUDITOR),
    grant(ORGANISATION_READ, "查看机构", "See organisations", *_READERS),
    grant(ORGANISATION_CHANGE, "变更机构", "Change organisations", SYSTEM_ADMIN),
    grant(DEPARTURE_ORDER, "办理离职", "Let leavers go", SYSTEM_ADMIN),
    grant(PERSON_ERASE, "申请删除个人信息", "Ask to erase a person", SYSTEM_ADMIN),
    grant(ERASURE_APPROVE, "审批删除个人信息", "Approve erasing a person", SECURITY_ADMIN),
    grant(MANDATE_READ, "查看经办人授权", "See agents' mandates", *_READERS),
    grant(MATRIX_READ, "查看三员权限矩阵", "See the matrix of rights", *_READERS),
    grant(CHANGE_READ, "查看变更申请", "See change requests", *_READERS),
    grant(ROLE_REQUEST, "申请变更角色", "Ask to change roles", SYSTEM_ADMIN, SECURITY_ADMIN),
    grant(PRIVILEGE_REQUEST, "申请临时权限", "Ask for a privilege with an end", *ROLES),
    grant(EMERGENCY_APPROVE, "批准紧急权限", "Approve an emergency privilege", *_THREE),
    grant(BREAK_GLASS_SEAL, "封存和测试应急账户", "Seal and test emergency accounts", SYSTEM_ADMIN),
    grant(BREAK_GLASS_APPROVE, "审批应急账户", "Approve emergency accounts", SECURITY_ADMIN),
    grant(BREAK_GLASS_REVIEW, "复核应急账户的使用", "Look into their use", AUDIT_ADMIN),
    grant(BREAK_GLASS_READ, "查看应急账户", "See emergency accounts", *_READERS),
    grant(OWN_USE, "使用本人页面", "Use one's own pages and factors", *ROLES),
)
