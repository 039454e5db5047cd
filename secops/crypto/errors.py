"""Errors of the engines."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, SecopsError, Unavailable


class InvalidSignature(SecopsError):
    """The signature does not belong to these bytes and this key."""

    code = "crypto.invalid_signature"
    status = 400
    exit_code = 1
    title = Text("签名值不正确", "The signature is wrong")
    remedy = Text(
        "请核对原文、公钥、用户标识(SM2)和签名编码(DER 或 r‖s)。",
        "Check the content, the public key, the user id (SM2) and the encoding (DER or r‖s).",
    )


class MalformedEncoding(Invalid):
    """Bytes that are not the one canonical encoding of what they should be."""

    code = "crypto.malformed_encoding"
    title = Text("编码不合规", "Malformed encoding")
    remedy = Text("请使用规范的 DER 编码。", "Send canonical DER.")


class InvalidKey(Invalid):
    """The key is malformed, of another algorithm, or not on its curve."""

    code = "crypto.invalid_key"
    title = Text("密钥无效", "The key is not valid")
    remedy = Text(
        "请提供 SPKI 公钥或 PKCS#8 私钥,且算法相符。",
        "Send an SPKI public key or a PKCS#8 private key of the right algorithm.",
    )


class DecryptionFailed(SecopsError):
    """The ciphertext was changed, or belongs to another key or context."""

    code = "crypto.decryption_failed"
    status = 400
    exit_code = 1
    title = Text("密文无法解密", "The ciphertext can't be decrypted")
    remedy = Text(
        "请核对密文、密钥版本和附加认证数据。",
        "Check the ciphertext, the key version and the associated data.",
    )


class EngineUnavailable(Unavailable):
    """An engine is missing here, or has failed its known-answer test."""

    code = "crypto.engine_unavailable"
    title = Text("密码引擎不可用", "A cryptographic engine is not available")
    remedy = Text(
        "SM2 需要系统的 libcrypto.so.3(OpenSSL 3);请安装 libssl3 后运行 secops doctor。",
        "SM2 needs the system's libcrypto.so.3 (OpenSSL 3): install libssl3, run `secops doctor`.",
    )


class WrongAnswer(EngineUnavailable):
    """An engine is there and computes something else than published: nothing it says counts."""

    code = "crypto.wrong_answer"
    title = Text("密码引擎自检未通过", "A cryptographic engine fails its self-test")
    remedy = Text(
        "请勿继续使用本机;检查 OpenSSL 与 cryptography 软件包是否被替换,然后重装。",
        "Don't go on: see whether OpenSSL or the cryptography package was replaced; reinstall.",
    )


class UntrustedCertificate(SecopsError):
    """A certificate or its chain does not hold; ``detail`` says which rule."""

    code = "crypto.untrusted_certificate"
    status = 400
    exit_code = 1
    title = Text("证书不可信", "The certificate is not trusted")
    remedy = Text(
        "请核对证书有效期、签发者和信任锚。",
        "Check its validity, its issuer and the trust anchors.",
    )
