"""An office that issues certificates for signing in, and revokes them: SM2 and P-256."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from iam.core.certificate_sign_in.challenge import signed_text
from iam.models.factors import CertificateBinding, CertificateChallenge, NewBinding
from kms.core.rfc5280 import writing
from kms.core.rfc5280.writing import CertificateContent, Name, RevocationListContent
from secops.crypto.certificates import read_certificate
from secops.crypto.der import signature_to_raw
from secops.crypto.sm2 import ORDER, PrivateKey
from secops.kernel.clock import DAY, SECOND
from tests.fakes.authenticator import b64
from tests.fakes.iam_home import IamHome

_BIT_STRING_OF_USES = b"\x03\x02"
USES = {"signing": b"\x06\xc0", "encryption": b"\x04\x30", "ca": b"\x01\x06"}


@dataclass
class Office:
    """A root that issues; ``roots`` and lists are what the operator configured."""

    now: int
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    revoked: list[int] = field(default_factory=list)
    issued: int = 0
    list_days: tuple[int, int] = (-1, 7)
    without_list: bool = False

    def __post_init__(self) -> None:
        self.name = Name("省电子认证", "CA", "Root").to_der()
        content = self._content("root", self.name, self.key.public_key.der, (-9, 900))
        tbs = writing.certificate_to_sign(content)
        self.root = writing.certificate(tbs, self.key.sign(tbs))

    def roots(self) -> Sequence[bytes]:
        return (self.root,)

    def intermediates(self) -> Sequence[bytes]:
        return ()

    def revocation_lists(self) -> Sequence[bytes]:
        return () if self.without_list else (self.list_of(self.key),)

    def list_of(self, key: PrivateKey) -> bytes:
        since, until = (self.now + days * DAY for days in self.list_days)
        content = RevocationListContent(
            issuer=self.name,
            issuer_spki=self.key.public_key.der,
            number=1,
            this_update=since,
            next_update=until,
            revoked=[(serial, since) for serial in self.revoked],
        )
        tbs = writing.revocation_list_to_sign(content)
        return writing.revocation_list(tbs, key.sign(tbs))

    def issue(
        self, spki: bytes, *, use: str = "signing", days: tuple[int, int] = (-1, 300)
    ) -> bytes:
        subject = Name("某市政务局", "signer", f"张三 {self.issued}").to_der()
        content = self._content("signer", subject, spki, days)
        tbs = writing.certificate_to_sign(content)
        tbs = tbs.replace(_BIT_STRING_OF_USES + USES["signing"], _BIT_STRING_OF_USES + USES[use])
        return writing.certificate(tbs, self.key.sign(tbs))

    def responder(
        self, key: PrivateKey, *, usage: str = "ocsp_signing", nocheck: bool = True, **named: Any
    ) -> bytes:
        """A certificate that makes ``key`` a responder of ours."""
        encoded = self.issue(key.public_key.der, **named)
        tbs = asn1.TbsCertificate.load(asn1.Certificate.load(encoded)["tbs_certificate"].dump())
        more: list[dict[str, Any]] = [{"extn_id": "extended_key_usage", "extn_value": [usage]}]
        if nocheck:
            more.append({"extn_id": "ocsp_no_check", "extn_value": None})
        for extension in more:
            tbs["extensions"].append(extension)
        text = tbs.dump(force=True)
        return writing.certificate(text, self.key.sign(text))

    def _content(
        self, profile: str, subject: bytes, spki: bytes, days: tuple[int, int]
    ) -> CertificateContent:
        self.issued += 1
        return CertificateContent(
            profile=profile,  # type: ignore[arg-type]
            serial=1_000 + self.issued,
            issuer=self.name,
            subject=subject,
            not_before=self.now + days[0] * DAY,
            not_after=self.now + days[1] * DAY,
            spki=spki,
            issuer_spki=self.key.public_key.der,
        )


@dataclass
class Token:
    """A UKey: a key, its certificate, and what it signs."""

    office: Office
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    certificate: bytes = b""

    def __post_init__(self) -> None:
        self.certificate = self.certificate or self.office.issue(self.key.public_key.der)

    @property
    def serial(self) -> int:
        return read_certificate(self.certificate).serial

    def answer(
        self,
        challenge: CertificateChallenge,
        *,
        now: int,
        raw: bool = False,
        origin: str | None = None,
        certificate: bytes | None = None,
    ) -> str:
        iat = now // SECOND
        text = signed_text(
            challenge.origin if origin is None else origin, challenge.nonce, self.certificate, iat
        )
        signature = self.key.sign(text)
        return json.dumps(
            {
                "certificate": base64.b64encode(certificate or self.certificate).decode(),
                "iat": iat,
                "signature": base64.b64encode(
                    signature_to_raw(signature, ORDER) if raw else signature
                ).decode(),
            }
        )


def bind_certificate(
    home: IamHome, encoded: bytes, account: str = "analyst", *, token_held: bool = True
) -> CertificateBinding:
    """Bind as two administrators do."""
    service = home.services.certificates
    new = NewBinding(account, encoded, "UKey", token_held)
    approval = service.request_binding(home.actor("system-admin"), new, "new UKey")
    service.approve_binding(home.actor("security-admin"), approval, grant=True)
    return service.bind_certificate(home.actor("system-admin"), new, approval)


def header(certificate: bytes, key: bytes, now: int, **bent: object) -> str:
    """What a terminator would send along."""
    fields = {
        "v": 1,
        "cert": base64.b64encode(certificate).decode(),
        "iat": now // SECOND,
        "nonce": b64(b"n" * 16),
        "host": "localhost:8080",
        **bent,
    }
    body = b64(json.dumps(fields).encode())
    return f"{body}.{b64(hmac.digest(key, body.encode(), 'sha256'))}"


WesternKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class WesternOffice:
    """A root of P-256 or RSA, as corporate PKIs have it."""

    def __init__(self, now: int, key: WesternKey | None = None) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self._since = datetime.fromtimestamp((now - DAY) // SECOND, UTC)
        self._until = datetime.fromtimestamp((now + 300 * DAY) // SECOND, UTC)
        self.root = self._sign("Root", self.key, ca=True)

    def roots(self) -> Sequence[bytes]:
        return (self.root.public_bytes(Encoding.DER),)

    def intermediates(self) -> Sequence[bytes]:
        return ()

    def revocation_lists(self) -> Sequence[bytes]:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(self._since)
            .next_update(self._until)
        )
        return (builder.sign(self.key, SHA256()).public_bytes(Encoding.DER),)

    def issue(self, key: WesternKey, *, name: str = "Person", responder: str = "") -> bytes:
        more: list[x509.ExtensionType] = []
        if responder:
            place = x509.UniformResourceIdentifier(responder)
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
            more.append(x509.AuthorityInformationAccess([access]))
        return self._sign(name, key, ca=False, more=more).public_bytes(Encoding.DER)

    def responder(
        self,
        key: WesternKey,
        *,
        usages: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.OCSP_SIGNING,),
        nocheck: bool = True,
    ) -> bytes:
        """A certificate that makes ``key`` a responder of ours."""
        more: list[x509.ExtensionType] = [x509.ExtendedKeyUsage(usages)] if usages else []
        if nocheck:
            more.append(x509.OCSPNoCheck())
        return self._sign("OCSP", key, ca=False, more=more).public_bytes(Encoding.DER)

    def _sign(
        self, name: str, key: WesternKey, *, ca: bool, more: Sequence[x509.ExtensionType] = ()
    ) -> x509.Certificate:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        usage = x509.KeyUsage(
            digital_signature=not ca,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=ca,
            crl_sign=ca,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("Root"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._since)
            .not_valid_after(self._until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
        )
        for extension in more:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.key, SHA256())
