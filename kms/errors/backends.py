"""Errors of key backends: tokens, crypto machines, and what stands behind them."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class BackendUnavailable(Unavailable):
    """No backend that holds the key can work now."""

    code = "kms.backend_unavailable"
    title = Text("密钥所在的密码设备不可用", "The key's backend can't be used now")
    remedy = Text(
        "请用 secops kms list-backends 查看密码设备状态;设备恢复后自动重试。",
        "See `secops kms list-backends`; it is tried again by itself when the device is back.",
    )


class BackendFault(BackendUnavailable):
    """One backend failed at a call: gone, busy, reset, or without the object."""

    code = "kms.backend_fault"
    title = Text("密码设备调用失败", "A call to a key backend failed")


class BackendTimeout(BackendFault):
    """A backend did not answer in time."""

    code = "kms.backend_timeout"
    title = Text("密码设备未在时限内应答", "A key backend did not answer in time")


class BackendWrongAnswer(BackendFault):
    """A backend answered, and our own engine says the answer is wrong: it is not used."""

    code = "kms.backend_wrong_answer"
    title = Text("密码设备返回错误结果", "A key backend gave a wrong answer")
    remedy = Text(
        "该设备已停止使用;请检修设备,自检通过后自动恢复。",
        "The device is out of use: have it repaired; it comes back when its check passes.",
    )


class BackendRefused(BackendFault):
    """A backend refuses the PIN or the access right to a key."""

    code = "kms.backend_refused"
    title = Text("密码设备拒绝口令", "A key backend refuses the PIN or password")
    remedy = Text(
        "请核对 PKCS11_PIN、SDF_PASSWORD 或 secret_file;连续错误可能锁定设备。",
        "Check PKCS11_PIN, SDF_PASSWORD or secret_file; more tries may lock the token.",
    )


class BackendUnsupported(Invalid):
    """The backend can't do that with this key."""

    code = "kms.backend_unsupported"
    title = Text("密码设备不支持该操作", "The key's backend can't do that")
    remedy = Text(
        "请使用其他类型的密钥,或把密钥放在支持该操作的设备中。",
        "Use another type of key, or another backend: docs/manual/key_custody.md.",
    )


class BackendFull(Unavailable):
    """No free key pair is left in a machine whose pairs are made beforehand."""

    code = "kms.backend_full"
    title = Text("密码机没有空闲的密钥索引", "The crypto machine has no free key index")
    remedy = Text(
        "请在密码机上生成新的密钥对,并把索引加入 SDF_INDICES。",
        "Make key pairs at the machine, and add their indices to SDF_INDICES.",
    )


class BackendDraining(Conflict):
    """The backend takes no new keys."""

    code = "kms.backend_draining"
    title = Text("密码设备正在排空", "The backend is being drained")
    remedy = Text(
        "请选择其他设备,或由安全管理员恢复接收新密钥。",
        "Choose another backend, or have it resumed.",
    )


class BackendNotFound(NotFound):
    """No backend of that name is configured."""

    code = "kms.backend_not_found"
    title = Text("没有该密码设备", "There is no such backend")
    remedy = Text("请核对 KEY_BACKENDS 配置。", "Check the setting KEY_BACKENDS.")


class BackendMisconfigured(Invalid):
    """A backend's settings make no sense."""

    code = "kms.backend_misconfigured"
    title = Text("密码设备配置不正确", "A key backend's settings are not valid")
    remedy = Text(
        "请更正 KEY_BACKENDS 所指文件或 PKCS11_*、SDF_* 配置。",
        "Correct the file named by KEY_BACKENDS, or PKCS11_* and SDF_*.",
    )
