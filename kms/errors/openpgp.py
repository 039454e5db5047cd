"""Errors of OpenPGP exports."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class OpenPgpUnavailable(Unavailable):
    """GnuPG is not installed, or did not answer in time."""

    code = "kms.openpgp_unavailable"
    title = Text("OpenPGP 不可用", "OpenPGP is not available")
    remedy = Text("请安装 gnupg 2.2 或更新版本后重试。", "Install gnupg 2.2 or newer, then retry.")


class PartnerKeyRejected(Invalid):
    """It is no public key that exports can be encrypted to."""

    code = "kms.partner_key_rejected"
    title = Text("合作方公钥不可用", "The partner's key can't be used")
    remedy = Text(
        "请提供一把未过期、未吊销、可加密的 OpenPGP 公钥(RSA 至少 2048 位或椭圆曲线),不含私钥。",
        "Give one OpenPGP public key that can encrypt, neither expired nor revoked (RSA of 2,048 "
        "bits or more, or elliptic curves), without a secret key.",
    )


class OpenPgpKeyNotFound(NotFound):
    """The organisation has no such signing key."""

    code = "kms.openpgp_key_not_found"
    title = Text("没有此 OpenPGP 密钥", "No such OpenPGP key")
    remedy = Text(
        "请由安全管理员先用 create-openpgp-key 生成。",
        "Have a security administrator make one: create-openpgp-key.",
    )


class FingerprintMismatch(Invalid):
    """What the partner said is not the fingerprint of the key."""

    code = "kms.fingerprint_mismatch"
    title = Text("指纹不一致", "The fingerprints differ")
    remedy = Text(
        "请通过电话或当面向合作方核对完整指纹;不一致时请驳回。",
        "Ask the partner for the whole fingerprint by telephone or in person; reject where it "
        "differs.",
    )


class PartnerNotFound(NotFound):
    """No partner of that name may be encrypted to."""

    code = "kms.partner_not_found"
    title = Text("没有此合作方", "No such partner")
    remedy = Text(
        "请先登记合作方公钥并由另一位安全管理员核对指纹后批准。",
        "Register the partner's key and have another security administrator compare the "
        "fingerprint and approve it.",
    )


class PartnerStateConflict(Conflict):
    """The partner was decided or retired already, or its name is taken."""

    code = "kms.partner_state"
    title = Text("合作方状态不允许此操作", "The partner's state does not allow this")
    remedy = Text("请查看合作方列表中的当前状态。", "See its state in the list of partners.")
