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
KEY_READ: Final = Permission("kms.key.read")
KEY_READ_ALL: Final = Permission("kms.key.read_all")
KEY_USE: Final = Permission("kms.key.use")
POOL_LOCK: Final = Permission("kms.pool.lock")

_KEYS: Final[tuple[Grant, ...]] = (
    grant(KEY_CREATE, "创建密钥", "Create keys", SECURITY_ADMIN),
    grant(KEY_ROTATE, "轮换密钥", "Rotate keys", SECURITY_ADMIN),
    grant(KEY_CONFIGURE, "配置密钥", "Configure keys", SECURITY_ADMIN),
    grant(KEY_SUSPEND, "停用与恢复密钥", "Suspend and resume keys", SECURITY_ADMIN),
    grant(KEY_DESTROY, "销毁密钥", "Destroy keys", SECURITY_ADMIN),
    grant(KEY_GRANT, "授权使用密钥", "Grant the use of keys", SECURITY_ADMIN),
    grant(KEY_READ, "查看密钥", "See keys", SECURITY_ADMIN, INTEGRATOR, AUDITOR, AUDIT_ADMIN),
    grant(KEY_READ_ALL, "查看全部密钥", "See all keys", SECURITY_ADMIN, AUDITOR, AUDIT_ADMIN),
    grant(KEY_USE, "使用密钥", "Use the keys granted", INTEGRATOR),
    grant(POOL_LOCK, "锁定密钥库", "Lock the key pool", SECURITY_ADMIN),
)

SEAL_APPLY: Final = Permission("kms.seal.apply")
SEAL_APPROVE: Final = Permission("kms.seal.approve")
SEAL_MAKE: Final = Permission("kms.seal.make")
SEAL_USE: Final = Permission("kms.seal.use")
SEAL_SUSPEND: Final = Permission("kms.seal.suspend")
SEAL_CONFIGURE: Final = Permission("kms.seal.configure")
SEAL_READ: Final = Permission("kms.seal.read")

_SEAL_READERS: Final = (SEAL_APPLICANT, SEAL_HOLDER, SECURITY_ADMIN, AUDITOR)

_SEALS: Final[tuple[Grant, ...]] = (
    grant(SEAL_APPLY, "申请印章", "Apply for a seal", SEAL_APPLICANT),
    grant(SEAL_APPROVE, "审批印章申请", "Approve applications for seals", SECURITY_ADMIN),
    grant(SEAL_MAKE, "制作印章", "Make approved seals", SECURITY_ADMIN),
    grant(SEAL_USE, "使用印章", "Use a seal", SEAL_HOLDER),
    grant(SEAL_SUSPEND, "停用与撤销印章", "Suspend and revoke seals", SECURITY_ADMIN),
    grant(SEAL_CONFIGURE, "设置用章策略", "Set a seal's use policy", SECURITY_ADMIN),
    grant(SEAL_READ, "查看印章与用印记录", "Read seals and their use", *_SEAL_READERS),
)

GRANTS: Final[tuple[Grant, ...]] = (*_KEYS, *_SEALS)
