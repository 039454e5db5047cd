"""Errors of seals."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, NotFound, SecopsError, Unavailable


class SealUnreadable(Invalid):
    """The file is none of those whose seals can be verified."""

    code = "kms.seal_unreadable"
    title = Text("无法识别的印章文件", "Not a file with a seal")
    remedy = Text(
        "请提供 .esl 印章、SES_Signature 签章值(.dat)或带签章的 .ofd、.pdf 文件。",
        "Give a seal (.esl), a SES_Signature value (.dat) or a signed .ofd or .pdf.",
    )


class AnchorUnreadable(Invalid):
    """A trust anchor is no certificate."""

    code = "kms.anchor_unreadable"
    title = Text("信任锚无法读取", "A trust anchor can't be read")
    remedy = Text("--trust 需要 PEM 证书文件。", "--trust takes PEM certificates.")


class RevocationListRejected(Invalid):
    """A revocation list is malformed, out of date, or signed by none of the anchors."""

    code = "kms.revocation_list_rejected"
    title = Text("吊销列表不可用", "The revocation list can't be used")
    remedy = Text(
        "请提供信任锚签发的最新 CRL(DER)。", "Give a current CRL (DER) signed by a trust anchor."
    )


class SealRejected(SecopsError):
    """A seal of this registry does not verify, so it is not used."""

    code = "kms.seal_rejected"
    status = 422
    exit_code = 1
    title = Text("印章未通过验证", "The seal does not verify")
    remedy = Text("请按验证步骤查明原因。", "See which verification step failed.")


class SealNotUsable(Forbidden):
    """The seal is suspended, revoked or out of its time."""

    code = "kms.seal_not_usable"
    title = Text("印章当前不可用", "The seal can't be used now")
    remedy = Text(
        "请联系安全管理员;停用或撤销的印章不能再用印。",
        "Ask the security administrator; a suspended or revoked seal seals nothing.",
    )


class SealUseRefused(Forbidden):
    """The seal's use policy forbids this use."""

    code = "kms.seal_use_refused"
    title = Text("用章策略不允许", "The seal's use policy forbids it")
    remedy = Text(
        "请核对文件类别、时间和次数,或请安全管理员调整用章策略。",
        "Look at document class, hours and count, or ask the security administrator to change "
        "the policy.",
    )


class NotSealHolder(Forbidden):
    """The caller is not named as holder of this seal."""

    code = "kms.not_seal_holder"
    title = Text("不是该印章的用印人", "Not a holder of this seal")
    remedy = Text("请由印章登记的用印人使用。", "Let a named holder of the seal use it.")


class DocumentRejected(Invalid):
    """The document can't be read or sealed: not sound, closed, or the place is not on it."""

    code = "kms.document_rejected"
    title = Text("文档无法读取或签章", "The document can't be read or sealed")
    remedy = Text(
        "请提供完整的 OFD 或 PDF,并检查页码和坐标;已封闭、加密或签章后被改动的文件不能再签章。",
        "Give a sound OFD or PDF and a place on its pages; closed, encrypted or changed ones "
        "take no seal.",
    )


class SealNotFound(NotFound):
    """No seal, or none that the caller may see."""

    code = "kms.seal_not_found"
    title = Text("未找到印章", "No such seal")


class UseNotFound(NotFound):
    """No use of a seal, or none that the caller may see."""

    code = "kms.seal_use_not_found"
    title = Text("未找到用章记录", "No such use of a seal")


class UseRequestNotFound(NotFound):
    """No request for a use, or none that the caller may see."""

    code = "kms.seal_use_request_not_found"
    title = Text("未找到用章申请", "No such request for a use")


class ReceiptNotFound(NotFound):
    """The use is older than receipts."""

    code = "kms.receipt_not_found"
    title = Text("该次用章没有回执", "This use has no receipt")
    remedy = Text(
        "请用 `secops audits` 在账本中查找该次用章。",
        "Look for the use in the ledger with `secops audits`.",
    )


class RequestedDocumentGone(NotFound):
    """The file of a request was not kept, or no longer is."""

    code = "kms.requested_document_gone"
    title = Text("待审批文件未保存或已删除", "The file is not kept")
    remedy = Text("请重新提供该文件。", "Give the file again.")


class SealStateConflict(Conflict):
    """The application or seal is not in the state that the act needs."""

    code = "kms.seal_state"
    title = Text("印章或申请的状态不允许此操作", "The state of the seal does not allow it")


class FontMissing(Unavailable):
    """No font with Chinese characters, so a picture would be blank."""

    code = "kms.font_missing"
    title = Text("缺少中文字体,无法绘制印模", "No Chinese font to draw the seal with")
    remedy = Text(
        "请安装字体后重试:apt-get install fonts-wqy-microhei",
        "Install one and try again: apt-get install fonts-wqy-microhei",
    )


class PictureRejected(Invalid):
    """The text does not fit a seal, or has characters the font lacks."""

    code = "kms.picture_rejected"
    title = Text("印文无法制成印模", "The text can't be drawn as a seal")
    remedy = Text(
        "印文为 2 到 30 个汉字、字母或数字。", "Use 2 to 30 Chinese characters, letters or digits."
    )
