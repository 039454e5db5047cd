"""Errors of seals that live at the province's e-seal system."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Forbidden, SecopsError, Unavailable


class RemoteSealerAbsent(Unavailable):
    """No e-seal system of the province is configured."""

    code = "kms.remote_sealer_absent"
    title = Text("未配置省级电子印章系统", "No e-seal system of the province is configured")
    remedy = Text(
        "请管理员设置 province_seal_url 和 province_seal_token。",
        "Let the administrator set province_seal_url and province_seal_token.",
    )


class RemoteSealerFailed(Unavailable):
    """The province's system did not answer properly; nothing was handed out."""

    code = "kms.remote_sealer_failed"
    status = 502
    title = Text("省级电子印章系统未正常应答", "The province's system does not answer properly")
    remedy = Text("请稍后重试;如持续失败请联系省级平台。", "Try again later, or ask the province.")


class RemoteSealerRefused(Forbidden):
    """The province's system says no."""

    code = "kms.remote_sealer_refused"
    title = Text("省级电子印章系统拒绝", "The province's e-seal system refuses")
    remedy = Text("请按所示原因与省级平台核对。", "Clear the reason it gives with the province.")


class RemoteAnswerRejected(SecopsError):
    """What the province's system answered does not stand our own verification."""

    code = "kms.remote_answer_rejected"
    status = 502
    exit_code = 1
    title = Text(
        "省级电子印章系统的应答未通过本系统验证",
        "The province's answer does not verify here",
    )
    remedy = Text(
        "请核对省级 CA 是否已登记为外部信任锚,并向省级平台报告。",
        "See whether the province's CA is among the outside trust anchors, and tell the province.",
    )
