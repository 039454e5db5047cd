"""The certificates' use cases over a real database, and requests made by other software."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kms.core.rfc2986 import writing as pkcs10
from kms.core.rfc5280 import writing as x509_writing
from kms.core.rfc5280.writing import Name, RevocationListContent
from kms.core.x690 import writing as der
from kms.models.certificates import AnchorUse, CertificateWish
from kms.models.seal_registry import IssuedCertificate
from kms.service.certificates import CertificateParts, CertificateServices, build_certificates
from kms.store.certificates import SqlCertificateRequestStore, SqlTrustStore
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.der import encode
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import DAY
from tests.fakes.clock import START
from tests.fakes.seal_registry import SECURITY, World, build, person

OWNER = person("li", "integrator")
OTHER_OWNER = person("he", "integrator")
SYSTEM = person("chen", "system-admin")
SECOND_SECURITY = person("yang", "security-admin")
STRANGER = person("far", "integrator", org="org_far")
PUBLIC_URL = "https://ca.example.gov.cn"


@dataclass
class House:
    """The seals' world, and the certificates in it."""

    world: World
    certificates: CertificateServices

    def request(self, csr: bytes, profile: str = "tls_server", **more: Any) -> Any:
        wish = CertificateWish(profile, csr, "办事大厅", "临江县数据局", **more)
        return self.certificates.requests.request_certificate(OWNER, wish)

    def approve(self, request: Any, **more: Any) -> Any:
        decide = self.certificates.requests.decide_certificate_request
        return decide(SECURITY, request.id, **{"grant": True, "reason": "同意", **more})

    def issue(self, csr: bytes, profile: str = "tls_server", **more: Any) -> IssuedCertificate:
        request = self.request(csr, profile, **more)
        self.approve(request)
        return self.certificates.issuing.issue_certificate(SECURITY, request.id)

    def root(self, name: Any = "root") -> Certificate:
        return read_certificate(self.world.parts.authority.find_root(name).der)

    def believe(self, der_: bytes, *uses: AnchorUse) -> Any:
        anchors = self.certificates.anchors
        anchor = anchors.propose_anchor(SYSTEM, der_, uses or ("seals",), "持牌机构")
        anchors.decide_anchor(SECURITY, anchor.id, grant=True, reason="核对无误")
        return anchor


@contextmanager
def open_house(home: Path, **more: Any) -> Iterator[House]:
    world = build(home, public_url=PUBLIC_URL, **more)
    parts = CertificateParts(
        world.parts.authority,
        SqlCertificateRequestStore(),
        SqlTrustStore(),
    )
    try:
        yield House(world, build_certificates(parts, world.parts.store))
    finally:
        world.spine.close()


def csr(
    key: Any = None,
    *hosts: str,
    common_name: str = "bsdt.example.gov.cn",
    addresses: tuple[str, ...] = (),
    extensions: tuple[x509.ExtensionType, ...] = (),
) -> bytes:
    """Return a PKCS#10 that ``cryptography`` wrote, of a P-256 key unless another is given."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "请求里的单位"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    names += [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    hash_ = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    return builder.sign(key, hash_).public_bytes(Encoding.DER)


def rsa_key(bits: int = 2_048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, bits)


def sm2_csr(
    key: PrivateKey,
    common_name: str = "政务终端",
    *,
    user_id: bytes | None = None,
    names: bytes = b"",
) -> bytes:
    """Return a PKCS#10 of an SM2 key; ``names`` is a subjectAltName's DER to ask for."""
    spki = key.public_key.der
    info = pkcs10.request_to_sign(Name("临江县数据局", "", common_name), spki)
    if names:
        extension = der.sequence(der.oid("2.5.29.17"), der.octets(names))
        wanted = encode(0x31, der.sequence(extension))
        attribute = der.sequence(der.oid("1.2.840.113549.1.9.14"), wanted)
        info = der.sequence(
            der.integer(0),
            Name("临江县数据局", "", common_name).to_der(),
            spki,
            encode(0xA0, attribute),
        )
    signature = key.sign(info) if user_id is None else key.sign(info, user_id)
    return pkcs10.request(info, signature)


@dataclass
class OutsideCa:
    """A licensed CA's stand-in: an SM2 root that certifies what it likes."""

    key: PrivateKey
    root: bytes
    serial: int = 1

    @classmethod
    def new(cls, name: str = "省电子认证", **content: Any) -> OutsideCa:
        key = PrivateKey.generate()
        subject = Name(name, "", f"{name}根").to_der()
        ca = cls(key, b"")
        ca.root = ca._signed("root", subject, key.public_key.der, issuer=subject, **content)
        return ca

    @property
    def name(self) -> bytes:
        return read_certificate(self.root).subject

    def certify(self, spki: bytes, profile: Any = "signer", **content: Any) -> bytes:
        subject = Name("临江县数据局", "", "周").to_der()
        return self._signed(profile, subject, spki, issuer=self.name, **content)

    def _signed(self, profile: Any, subject: bytes, spki: bytes, **content: Any) -> bytes:
        self.serial += 1
        filled = {
            "not_before": START - DAY,
            "not_after": START + 300 * DAY,
            "serial": self.serial,
            **content,
        }
        tbs = x509_writing.certificate_to_sign(
            x509_writing.CertificateContent(
                profile=profile,
                subject=subject,
                spki=spki,
                issuer_spki=self.key.public_key.der,
                **filled,
            )
        )
        return x509_writing.certificate(tbs, self.key.sign(tbs))

    def revocation_list(
        self, *serials: int, number: int = 1, at: int = START, days: int = 7
    ) -> bytes:
        tbs = x509_writing.revocation_list_to_sign(
            RevocationListContent(
                issuer=self.name,
                issuer_spki=self.key.public_key.der,
                number=number,
                this_update=at,
                next_update=at + days * DAY,
                revoked=[(serial, at) for serial in serials],
            )
        )
        return x509_writing.revocation_list(tbs, self.key.sign(tbs))
