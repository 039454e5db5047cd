"""What each kind of certificate of the built-in CA may say: one frozen row a profile.

RFC 5280 §4.2; GM/T 0015-2012 for the pair of SM2 certificates; RFC 3161 §2.3 for
time-stampers, RFC 6960 §4.2.2.2 for OCSP responders, RFC 9336 for signers of documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

Profile = Literal[
    "root",
    "maker",
    "signer",
    "document_signing",
    "time_stamper",
    "ocsp_responder",
    "tls_server",
    "tls_client",
    "sm2_signing",
    "sm2_encryption",
]
NameForm = Literal["none", "hosts", "mail"]

SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
MAIL_PROTECTION: Final = "1.3.6.1.5.5.7.3.4"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
DOCUMENT_SIGNING: Final = "1.3.6.1.5.5.7.3.36"

_SIGNING: Final = ("digitalSignature", "nonRepudiation")
_SM2: Final = frozenset({"sm2"})
_POOL: Final = frozenset({"sm2", "ecdsa-p256"})
_INTERNATIONAL: Final = frozenset(
    {"ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096"}
)


@dataclass(frozen=True, slots=True)
class CertificateProfile:
    """A kind of certificate. ``keys`` are the subject's key algorithms.

    ``purposes`` are extended key usages; ``names`` the form of alternative names: hosts are
    demanded where they are allowed, mail addresses never. A ``requestable`` one is issued to
    whoever has the key and an approval, the others to keys of the pool alone.
    """

    title: Text
    days: int
    usages: tuple[str, ...]
    keys: frozenset[str]
    purposes: tuple[str, ...] = ()
    purposes_critical: bool = False
    is_ca: bool = False
    no_check: bool = False
    names: NameForm = "none"
    requestable: bool = False


PROFILES: Final[dict[Profile, CertificateProfile]] = {
    "root": CertificateProfile(
        Text("根证书", "Root"), 3650, ("keyCertSign", "cRLSign"), _POOL, is_ca=True
    ),
    "maker": CertificateProfile(Text("制章者", "Maker of seals"), 5 * 365, _SIGNING, _SM2),
    "signer": CertificateProfile(
        Text("用印人", "Holder of a seal"), 3 * 365, _SIGNING, _POOL | {"rsa-3072"}
    ),
    "document_signing": CertificateProfile(
        Text("文档签名", "Signer of documents"),
        2 * 365,
        _SIGNING,
        _INTERNATIONAL,
        (DOCUMENT_SIGNING,),
        requestable=True,
    ),
    "time_stamper": CertificateProfile(
        Text("时间戳", "Time-stamper"),
        5 * 365,
        _SIGNING,
        _POOL,
        (TIME_STAMPING,),
        purposes_critical=True,
    ),
    "ocsp_responder": CertificateProfile(
        Text("OCSP 应答", "OCSP responder"),
        60,
        ("digitalSignature",),
        _POOL,
        (OCSP_SIGNING,),
        no_check=True,
    ),
    "tls_server": CertificateProfile(
        Text("TLS 服务器", "TLS server"),
        397,
        ("digitalSignature",),
        _INTERNATIONAL | _SM2,
        (SERVER_AUTH,),
        names="hosts",
        requestable=True,
    ),
    "tls_client": CertificateProfile(
        Text("人员登录", "Person or TLS client"),
        365,
        ("digitalSignature",),
        _INTERNATIONAL | _SM2,
        (CLIENT_AUTH,),
        names="mail",
        requestable=True,
    ),
    "sm2_signing": CertificateProfile(
        Text("SM2 签名证书(双证书)", "SM2 signing certificate of a pair"),
        2 * 365,
        _SIGNING,
        _SM2,
        # a person's: it makes no seals, which a certificate without a purpose may
        (CLIENT_AUTH, MAIL_PROTECTION),
        requestable=True,
    ),
    "sm2_encryption": CertificateProfile(
        Text("SM2 加密证书(双证书)", "SM2 encryption certificate of a pair"),
        2 * 365,
        ("keyEncipherment", "dataEncipherment", "keyAgreement"),
        _SM2,
    ),
}
