"""Errors of certificates, of requests for them and of trust anchors."""

from __future__ import annotations

from typing import TypeVar

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, NotFound, SecopsError

E = TypeVar("E", bound=SecopsError)


def because(kind: type[E], why: Text) -> E:
    """Return the error ``kind`` that says ``why``, in both languages."""
    return kind(why.en, because_zh=why.zh, because_en=why.en)


class CertificateRefused(SecopsError):
    """What was asked for breaks a rule that every certificate of this CA keeps."""

    code = "kms.certificate_refused"
    status = 422
    exit_code = 1
    title = Text("证书不符合签发规则", "No certificate of this CA may say that")
    remedy = Text(
        "请按证书模板更正名称、密钥或用途后重新申请。",
        "Correct names, key or purpose as the profile demands, and ask again.",
    )


class CertificateRequestRejected(Invalid):
    """The PKCS#10 is malformed, signed by another key, or of a key that is not accepted."""

    code = "kms.certificate_request_rejected"
    title = Text("证书请求(CSR)不可用", "The certificate request can't be used")
    remedy = Text(
        "请用该密钥重新生成 PKCS#10;SM2 请求须用默认用户标识 1234567812345678 签名。",
        "Make the PKCS#10 again with that key; SM2 requests are signed with the default user "
        "id 1234567812345678.",
    )


class CertificateNotFound(NotFound):
    """No certificate or request, or none that the caller may see."""

    code = "kms.certificate_not_found"
    title = Text("未找到证书或证书请求", "No such certificate or request")


class CertificateStateConflict(Conflict):
    """The certificate or request is not in the state that the act needs."""

    code = "kms.certificate_state"
    title = Text(
        "证书或证书请求的状态不允许此操作", "The state of the certificate does not allow it"
    )


class CertificateMismatch(SecopsError):
    """A certificate from outside does not fit the key, the anchor or the use."""

    code = "kms.certificate_mismatch"
    status = 422
    exit_code = 1
    title = Text("导入的证书不符合要求", "The certificate does not fit")
    remedy = Text(
        "请确认证书由已登记的信任锚签发,并对应本系统导出的证书请求。",
        "See that a registered trust anchor issued it, for the request that was made here.",
    )


class AnchorRejected(SecopsError):
    """The certificate can't be a trust anchor."""

    code = "kms.anchor_rejected"
    status = 422
    exit_code = 1
    title = Text("该证书不能作为信任锚", "The certificate can't be a trust anchor")
    remedy = Text(
        "信任锚须为 CA 证书(CA:TRUE、keyCertSign)且在有效期内。",
        "An anchor is a CA's certificate (CA:TRUE, keyCertSign) within its time.",
    )


class AnchorNotFound(NotFound):
    """No such trust anchor."""

    code = "kms.anchor_not_found"
    title = Text("未找到信任锚", "No such trust anchor")


class AnchorsElsewhere(Forbidden):
    """Anchors count for the whole instance, so only the root organisation changes them."""

    code = "kms.anchors_elsewhere"
    title = Text("仅根机构可以变更信任锚", "Only the root organisation changes trust anchors")
    remedy = Text("请由根机构的管理员办理。", "Ask an administrator of the root organisation.")
