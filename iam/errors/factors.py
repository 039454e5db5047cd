"""Refusals of factors beside passwords and one-time codes."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Unauthenticated, Unavailable


class PasskeyRefused(Unauthenticated):
    """A passkey's answer is malformed, for another challenge or site, or not admitted."""

    code = "iam.passkey_refused"
    title = Text("通行密钥未被接受", "The passkey was not accepted")
    remedy = Text(
        "请重新操作;如仍失败,请改用口令和动态码,或联系系统管理员。",
        "Try again; if it keeps failing use password and one-time code, "
        "or ask the system administrator.",
    )


class PasskeyKnown(Conflict):
    """The passkey is registered already, for this or another account."""

    code = "iam.passkey_known"
    title = Text("该通行密钥已登记", "The passkey is registered already")
    remedy = Text("请使用另一个认证器。", "Use another authenticator.")


class LastFactor(Conflict):
    """Nobody removes the factor without which they could not sign in."""

    code = "iam.last_factor"
    title = Text("不能移除最后一个登录因素", "The last way to sign in stays")
    remedy = Text("请先添加另一个因素。", "Add another factor first.")


class CertificateRefused(Unauthenticated):
    """The certificate or the signature made with it proves nobody."""

    code = "iam.certificate_refused"
    title = Text("证书登录未被接受", "The certificate was not accepted")
    remedy = Text(
        "请确认使用签名证书(非加密证书)、证书在有效期内且已由管理员绑定,然后重新操作。",
        "Use the signing certificate (not its encryption twin), within its validity and bound "
        "by an administrator, and try again.",
    )


class CertificateUnchecked(Unavailable):
    """Whether the certificate was revoked can't be told now, so it signs nobody in."""

    code = "iam.certificate_unchecked"
    title = Text("证书是否吊销暂时无法核实", "Whether the certificate was revoked can't be told")
    remedy = Text(
        "请稍后重试;系统管理员请检查 OCSP 服务是否可达、应答是否有效(certificate_ocsp)。",
        "Try again later; the system administrator should see whether the OCSP responder answers "
        "and its answers hold (certificate_ocsp).",
    )


class CertificateKnown(Conflict):
    """The certificate's key is bound already, to this or another account."""

    code = "iam.certificate_known"
    title = Text("该证书密钥已绑定", "The certificate's key is bound already")
    remedy = Text("请先解除原有绑定。", "Remove the other binding first.")
