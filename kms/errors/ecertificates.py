"""Errors of e-certificates (电子证照)."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound


class ECertificateNotFound(NotFound):
    """No e-certificate, template or batch, or none that the caller may see."""

    code = "kms.ecertificate_not_found"
    title = Text("未找到电子证照", "No such e-certificate")
    remedy = Text(
        "请检查编号或链接;二维码内容必须完整。",
        "Check the identifier or link; a QR code's text must be complete.",
    )


class ECertificateRejected(Invalid):
    """A template, a row file or a holder's data are not of the documented form."""

    code = "kms.ecertificate_rejected"
    title = Text("证照模板或数据不符合要求", "The template or the data are not in order")
    remedy = Text(
        "请按提示更正后重试;批量数据请先试运行。",
        "Correct what is named and try again; check a batch by a dry run first.",
    )

    @classmethod
    def because(cls, why: Text) -> ECertificateRejected:
        """Return the error that says ``why``, in both languages."""
        return cls(why.en, because_zh=why.zh, because_en=why.en)


class ECertificateStateConflict(Conflict):
    """The e-certificate, template or batch is not in the state that the act needs."""

    code = "kms.ecertificate_state"
    title = Text("当前状态不允许此操作", "The state does not allow it")
    remedy = Text("请刷新查看当前状态。", "Reload to see the state as it is.")


class ECertificateNumberTaken(Conflict):
    """The number was given to another e-certificate of this type and authority."""

    code = "kms.ecertificate_number_taken"
    title = Text("证照编号已被使用", "The number is taken")
    remedy = Text(
        "请更换编号,或留空由系统编号;换发请指明被替换的证照。",
        "Use another number or none; to reissue, name the e-certificate that is replaced.",
    )
