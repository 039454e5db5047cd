"""Errors of keys and the pool."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, NotFound, SecopsError, Unavailable


class KeyNotFound(NotFound):
    """No key of that name in the caller's organisation."""

    code = "kms.key_not_found"
    title = Text("密钥不存在", "There is no such key")
    remedy = Text(
        "请核对密钥名称和所属机构;密钥由安全管理员创建。",
        "Check the name; the security administrator creates keys.",
    )


class KeyExists(Conflict):
    """A key of that name is there already, of another type."""

    code = "kms.key_exists"
    title = Text("同名密钥已存在", "A key of that name exists")
    remedy = Text("请换一个名称,或轮换现有密钥。", "Choose another name, or rotate the key.")


class KeyNotGranted(Forbidden):
    """The key was not granted to the caller for this operation."""

    code = "kms.key_not_granted"
    title = Text("未获授权使用该密钥", "The key is not granted to you")
    remedy = Text(
        "请向安全管理员申请该密钥的使用授权。",
        "Ask the security administrator for a grant of this key.",
    )


class KeySuspended(Forbidden):
    """The key is locked: nobody uses it until it is resumed."""

    code = "kms.key_suspended"
    title = Text("密钥已停用", "The key is suspended")
    remedy = Text(
        "请联系安全管理员查明原因后恢复。", "Ask the security administrator why, and to resume it."
    )


class KeyDestroyed(Forbidden):
    """The key's material is gone for good."""

    code = "kms.key_destroyed"
    title = Text("密钥已销毁", "The key was destroyed")
    remedy = Text("请使用其他密钥;销毁不可恢复。", "Use another key; this can't be undone.")


class KeyPendingDestruction(Forbidden):
    """Somebody asked for the key to be destroyed: nobody uses it meanwhile."""

    code = "kms.key_pending_destruction"
    title = Text("密钥等待销毁", "The key waits to be destroyed")
    remedy = Text(
        "请使用其他密钥;到期之前,安全管理员可以撤回销毁。",
        "Use another key; the security administrator can call it off until it is due.",
    )


class DestructionNotFound(NotFound):
    """Nobody asked for that."""

    code = "kms.destruction_not_found"
    title = Text("销毁申请不存在", "There is no such request to destroy a key")
    remedy = Text("请核对申请编号。", "Check the identifier.")


class StaleDestruction(Conflict):
    """The key is not what it was when its destruction was asked for."""

    code = "kms.stale_destruction"
    title = Text("密钥已不是申请时的状态", "The key is not what it was when this was asked for")
    remedy = Text("请驳回后重新申请。", "Reject it and ask anew.")


class MountNotFound(NotFound):
    """No keys are kept under that name."""

    code = "kms.mount_not_found"
    title = Text("挂载点不存在", "There is no such mount")
    remedy = Text("请核对挂载点名称。", "Check the mount's name.")


class MountInUse(Invalid):
    """The name is taken."""

    code = "kms.mount_in_use"
    title = Text("挂载点名称已被使用", "path is already in use")
    remedy = Text("请换一个名称。", "Choose another name.")


class BackupDisallowed(SecopsError):
    """The key's settings forbid its backup; Vault answers 500, and clients look for that."""

    code = "kms.backup_disallowed"
    status = 500
    exit_code = 1
    title = Text("该密钥不允许备份", "plaintext backup is disallowed on the policy")
    remedy = Text(
        "请先将 exportable 和 allow_plaintext_backup 设为 true。",
        "Set exportable and allow_plaintext_backup to true on the key first.",
    )


class RestoreExists(SecopsError):
    """The name is taken; Vault answers 500, and clients look for that."""

    code = "kms.restore_exists"
    status = 500
    exit_code = 1
    title = Text("同名密钥已存在", "a key of that name already exists")
    remedy = Text(
        "请换一个名称,或对同一密钥使用 force。",
        "Choose another name, or use force where it is the same key.",
    )


class RestoreRefused(Conflict):
    """The backup would bring back what was taken away."""

    code = "kms.restore_refused"
    title = Text("拒绝恢复", "The backup is not restored")
    remedy = Text(
        "恢复不能使已销毁的密钥或已清除的版本重新可用,也不能降低版本。",
        "A restore never brings back what was destroyed or trimmed, nor lowers versions.",
    )


class DeletionNotAllowed(Invalid):
    """Keys are destroyed only after ``deletion_allowed`` was set."""

    code = "kms.deletion_not_allowed"
    title = Text("该密钥不允许删除", "deletion is not allowed for this key")
    remedy = Text(
        "请先将 deletion_allowed 设为 true。", "Set deletion_allowed to true on the key first."
    )


class NotExportable(Invalid):
    """The key was not created exportable."""

    code = "kms.not_exportable"
    title = Text("密钥不可导出", "private key material is not exportable")
    remedy = Text("仅创建时标记为可导出的密钥可以导出。", "Only a key created exportable can be.")


class OperationUnsupported(Invalid):
    """Keys of this type can't do that."""

    code = "kms.operation_unsupported"
    title = Text("该类型密钥不支持此操作", "Keys of this type can't do that")
    remedy = Text("请使用支持该操作的密钥类型。", "Use a key of a type that supports it.")


class VersionUnavailable(Invalid):
    """The key version is not there, or below the allowed minimum."""

    code = "kms.version_unavailable"
    title = Text("密钥版本不可用", "The key version can't be used")
    remedy = Text(
        "请使用当前版本,或由安全管理员调整最小版本。",
        "Use the latest version, or have the minimum version changed.",
    )


class PoolLocked(Unavailable):
    """The root key is not in memory: no key can be used."""

    code = "kms.pool_locked"
    title = Text("密钥库已锁定", "The key pool is locked")
    remedy = Text(
        "请运行 secops kms unlock,或配置 UNLOCK_FILE。",
        "Run `secops kms unlock`, or set UNLOCK_FILE.",
    )


class PoolUninitialised(Unavailable):
    """The home has no root key yet."""

    code = "kms.pool_uninitialised"
    title = Text("密钥库尚未初始化", "The key pool has no root key yet")
    remedy = Text("请先运行 secops init。", "Run `secops init` first.")


class WrongPassphrase(Forbidden):
    """The passphrase does not open the root key."""

    code = "kms.wrong_passphrase"
    title = Text("解锁口令不正确", "The passphrase is wrong")
    remedy = Text("请核对解锁口令或解锁文件。", "Check the passphrase or the unlock file.")


class UnlockFileUnsafe(Invalid):
    """The unlock file can be read by others, or can't be read at all."""

    code = "kms.unlock_file_unsafe"
    title = Text("解锁文件权限不安全", "The unlock file is not safe")
    remedy = Text(
        "请将解锁文件权限设为 0600,且由运行用户所有。",
        "Give the file mode 0600 and the service's own user as owner.",
    )


class MaterialTampered(SecopsError):
    """A stored key, version or grant does not belong to the root key: it was changed."""

    code = "kms.material_tampered"
    status = 503
    exit_code = 3
    title = Text("密钥记录被篡改", "A stored key record was tampered with")
    remedy = Text(
        "请立即停用相关系统,核对审计账本并从备份恢复。",
        "Stop, check the ledger, and restore the database from a backup.",
    )
