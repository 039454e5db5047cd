"""Permissions of the kms plane. Who creates a key never uses it."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    AUDIT_ADMIN,
    AUDITOR,
    INTEGRATOR,
    SEAL_APPLICANT,
    SEAL_HOLDER,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    Grant,
    Permission,
    grant,
)

KEY_CREATE: Final = Permission("kms.key.create")
KEY_ROTATE: Final = Permission("kms.key.rotate")
KEY_CONFIGURE: Final = Permission("kms.key.configure")
KEY_SUSPEND: Final = Permission("kms.key.suspend")
KEY_DESTROY: Final = Permission("kms.key.destroy")
KEY_GRANT: Final = Permission("kms.key.grant")
KEY_BACKUP: Final = Permission("kms.key.backup")
KEY_READ: Final = Permission("kms.key.read")
KEY_READ_ALL: Final = Permission("kms.key.read_all")
KEY_USE: Final = Permission("kms.key.use")
MOUNT_CHANGE: Final = Permission("kms.mount.change")
POOL_LOCK: Final = Permission("kms.pool.lock")
BACKEND_READ: Final = Permission("kms.backend.read")
BACKEND_DRAIN: Final = Permission("kms.backend.drain")
POOL_REKEY: Final = Permission("kms.pool.rekey")

_KEYS: Final[tuple[Grant, ...]] = (
    grant(KEY_CREATE, "创建密钥", "Create keys", SECURITY_ADMIN),
    grant(KEY_ROTATE, "轮换密钥", "Rotate keys", SECURITY_ADMIN),
    grant(KEY_CONFIGURE, "配置密钥", "Configure keys", SECURITY_ADMIN),
    grant(KEY_SUSPEND, "停用与恢复密钥", "Suspend and resume keys", SECURITY_ADMIN),
    grant(KEY_DESTROY, "销毁密钥", "Destroy keys", SECURITY_ADMIN),
    grant(KEY_GRANT, "授权使用密钥", "Grant the use of keys", SECURITY_ADMIN),
    grant(KEY_BACKUP, "备份与恢复密钥", "Back keys up and restore them", SECURITY_ADMIN),
    grant(MOUNT_CHANGE, "增减密钥挂载点", "Add and take away mounts of keys", SECURITY_ADMIN),
    grant(KEY_READ, "查看密钥", "See keys", SECURITY_ADMIN, INTEGRATOR, AUDITOR, AUDIT_ADMIN),
    grant(KEY_READ_ALL, "查看全部密钥", "See all keys", SECURITY_ADMIN, AUDITOR, AUDIT_ADMIN),
    grant(KEY_USE, "使用密钥", "Use the keys granted", INTEGRATOR),
    grant(POOL_LOCK, "锁定密钥库", "Lock the key pool", SECURITY_ADMIN),
    grant(BACKEND_READ, "查看密码设备", "See key backends", SECURITY_ADMIN, AUDITOR, AUDIT_ADMIN),
    grant(BACKEND_DRAIN, "排空密码设备", "Drain key backends", SECURITY_ADMIN),
    grant(POOL_REKEY, "更换根密钥解锁方式", "Change what opens the root key", SECURITY_ADMIN),
)

SEAL_APPLY: Final = Permission("kms.seal.apply")
SEAL_APPROVE: Final = Permission("kms.seal.approve")
SEAL_MAKE: Final = Permission("kms.seal.make")
SEAL_USE: Final = Permission("kms.seal.use")
SEAL_SUSPEND: Final = Permission("kms.seal.suspend")
SEAL_CONFIGURE: Final = Permission("kms.seal.configure")
SEAL_DESTROY: Final = Permission("kms.seal.destroy")
SEAL_APPROVE_USE: Final = Permission("kms.seal.approve_use")
SEAL_READ: Final = Permission("kms.seal.read")
SEAL_REPORT: Final = Permission("kms.seal.report")

_SEAL_READERS: Final = (SEAL_APPLICANT, SEAL_HOLDER, SECURITY_ADMIN, AUDITOR)

_SEALS: Final[tuple[Grant, ...]] = (
    grant(SEAL_APPLY, "申请印章", "Apply for a seal", SEAL_APPLICANT),
    grant(SEAL_APPROVE, "审批印章申请", "Approve applications for seals", SECURITY_ADMIN),
    grant(SEAL_MAKE, "制作印章", "Make approved seals", SECURITY_ADMIN),
    grant(SEAL_USE, "使用印章", "Use a seal", SEAL_HOLDER),
    grant(SEAL_SUSPEND, "停用与撤销印章", "Suspend and revoke seals", SECURITY_ADMIN),
    grant(SEAL_CONFIGURE, "设置用章策略", "Set a seal's use policy", SECURITY_ADMIN),
    grant(SEAL_DESTROY, "销毁印章", "Destroy revoked seals", SECURITY_ADMIN),
    grant(SEAL_APPROVE_USE, "审批单次用章", "Approve single uses of seals", SECURITY_ADMIN),
    grant(SEAL_READ, "查看印章与用印记录", "Read seals and their use", *_SEAL_READERS),
    grant(SEAL_REPORT, "出具验章结论", "Have verdicts signed", *_SEAL_READERS, INTEGRATOR),
)

OPENPGP_CONFIGURE: Final = Permission("kms.openpgp.configure")
OPENPGP_READ: Final = Permission("kms.openpgp.read")
OPENPGP_USE: Final = Permission("kms.openpgp.use")

_OPENPGP_READERS: Final = (SECURITY_ADMIN, INTEGRATOR, AUDITOR)

_OPENPGP: Final[tuple[Grant, ...]] = (
    grant(
        OPENPGP_CONFIGURE,
        "管理 OpenPGP 密钥与合作方",
        "Keep OpenPGP keys and partners",
        SECURITY_ADMIN,
    ),
    grant(
        OPENPGP_READ,
        "查看 OpenPGP 密钥与合作方",
        "See OpenPGP keys and partners",
        *_OPENPGP_READERS,
    ),
    grant(OPENPGP_USE, "为合作方签名并加密导出文件", "Protect exports", INTEGRATOR, AUDITOR),
)

ECERTIFICATE_PROPOSE: Final = Permission("kms.ecertificate.propose")
ECERTIFICATE_APPROVE: Final = Permission("kms.ecertificate.approve")
ECERTIFICATE_ISSUE: Final = Permission("kms.ecertificate.issue")
ECERTIFICATE_OPEN: Final = Permission("kms.ecertificate.open")
ECERTIFICATE_STOP: Final = Permission("kms.ecertificate.stop")
ECERTIFICATE_RESUME: Final = Permission("kms.ecertificate.resume")
ECERTIFICATE_READ: Final = Permission("kms.ecertificate.read")

_ECERTIFICATES: Final[tuple[Grant, ...]] = (
    grant(ECERTIFICATE_PROPOSE, "提出证照模板", "Propose licence templates", SEAL_APPLICANT),
    grant(ECERTIFICATE_APPROVE, "审批证照模板", "Approve licence templates", SECURITY_ADMIN),
    grant(ECERTIFICATE_ISSUE, "签发电子证照", "Issue e-certificates", SEAL_HOLDER),
    grant(ECERTIFICATE_OPEN, "查看证照持有人数据", "Open e-certificates' data", SEAL_HOLDER),
    grant(
        ECERTIFICATE_STOP,
        "暂停与吊销电子证照",
        "Suspend and revoke e-certificates",
        SEAL_HOLDER,
        SECURITY_ADMIN,
    ),
    grant(ECERTIFICATE_RESUME, "恢复电子证照", "Resume e-certificates", SECURITY_ADMIN),
    grant(ECERTIFICATE_READ, "查看电子证照", "See e-certificates", *_SEAL_READERS),
)

CERTIFICATE_REQUEST: Final = Permission("kms.certificate.request")
CERTIFICATE_APPROVE: Final = Permission("kms.certificate.approve")
CERTIFICATE_ISSUE: Final = Permission("kms.certificate.issue")
CERTIFICATE_REVOKE: Final = Permission("kms.certificate.revoke")
CERTIFICATE_REVOKE_ALL: Final = Permission("kms.certificate.revoke_all")
CERTIFICATE_IMPORT: Final = Permission("kms.certificate.import")
CERTIFICATE_READ: Final = Permission("kms.certificate.read")
ANCHOR_PROPOSE: Final = Permission("kms.anchor.propose")
ANCHOR_APPROVE: Final = Permission("kms.anchor.approve")
ANCHOR_RETIRE: Final = Permission("kms.anchor.retire")
ANCHOR_READ: Final = Permission("kms.anchor.read")

_CERTIFICATE_READERS: Final = (INTEGRATOR, SEAL_APPLICANT, SECURITY_ADMIN, AUDITOR, AUDIT_ADMIN)

_CERTIFICATES: Final[tuple[Grant, ...]] = (
    grant(CERTIFICATE_REQUEST, "申请证书", "Ask for a certificate", INTEGRATOR, SEAL_APPLICANT),
    grant(CERTIFICATE_APPROVE, "审批证书申请", "Approve certificates", SECURITY_ADMIN),
    grant(CERTIFICATE_ISSUE, "签发证书", "Issue approved certificates", SECURITY_ADMIN),
    grant(
        CERTIFICATE_REVOKE,
        "吊销自己申请的证书",
        "Revoke the certificates one asked for",
        INTEGRATOR,
        SEAL_APPLICANT,
        SECURITY_ADMIN,
    ),
    grant(CERTIFICATE_REVOKE_ALL, "吊销任何证书", "Revoke any certificate", SECURITY_ADMIN),
    grant(CERTIFICATE_IMPORT, "导入外部证书", "Import certificates of outside CAs", SECURITY_ADMIN),
    grant(CERTIFICATE_READ, "查看证书", "See certificates", *_CERTIFICATE_READERS),
    grant(ANCHOR_PROPOSE, "提议信任锚", "Propose a trust anchor", SYSTEM_ADMIN),
    grant(ANCHOR_APPROVE, "审批信任锚", "Approve a trust anchor", SECURITY_ADMIN),
    grant(ANCHOR_RETIRE, "停用信任锚", "Retire a trust anchor", SECURITY_ADMIN),
    grant(
        ANCHOR_READ,
        "查看信任锚",
        "See trust anchors",
        SYSTEM_ADMIN,
        SECURITY_ADMIN,
        AUDITOR,
        AUDIT_ADMIN,
    ),
)

GRANTS: Final[tuple[Grant, ...]] = (*_KEYS, *_SEALS, *_OPENPGP, *_ECERTIFICATES, *_CERTIFICATES)
