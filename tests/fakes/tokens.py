"""Time-stamp authorities of every kind of key, and tokens of theirs, sound or broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes as primitives
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kms.core.rfc3161.requests import TimeStampRequest
from kms.core.rfc3161.writing import TST_INFO, Stamp, tst_info
from kms.core.rfc5652 import schemes, writing
from kms.core.rfc5652.schemes import Scheme
from kms.core.rfc5652.writing import Signing, attribute
from kms.core.x690 import elements
from kms.core.x690 import writing as der
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.der import encode
from secops.crypto.hashes import digest
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import DAY, SECOND
from tests.fakes.clock import START
from tests.fakes.sealing import NOW, issue, mint

MESSAGE = "关于印发的通知".encode()
NULL = b"\x05\x00"


@dataclass(frozen=True)
class Tsa:
    """An authority: its root, its certificate, and how it signs."""

    root: Certificate
    certificate: Certificate
    sign: Callable[[bytes], bytes]
    scheme: Scheme


@cache
def sm2_tsa(profile: str = "time_stamper", days: int = 365) -> Tsa:
    """An authority under the root of most tests."""
    key = PrivateKey.generate()
    root = mint().root
    encoded = issue(
        profile, key, mint().root_key, common_name="时间戳", issuer=root, start=START, days=days
    )
    return Tsa(read_certificate(root), read_certificate(encoded), key.sign, schemes.SM2_SM3)


TIME_STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)


@cache
def western_key(kind: str) -> Any:
    if kind == "rsa":
        return rsa.generate_private_key(65_537, 2_048)
    return ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())


def western_tsa(kind: str, scheme: Scheme, sign: Callable[[bytes], bytes], **more: Any) -> Tsa:
    """An authority of a key that ``cryptography`` makes, under a root of the same key."""
    return Tsa(*_western_certificates(kind, **more), sign, scheme)


def _western_certificates(
    kind: str,
    *,
    purposes: Sequence[x509.ObjectIdentifier] = TIME_STAMPING,
    critical: bool = True,
    allowed: str | None = "digital_signature",
) -> tuple[Certificate, Certificate]:
    key = western_key(kind)

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def begun(text: str, serial: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(named(text))
            .issuer_name(named("root"))
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(datetime.fromtimestamp(START // SECOND, UTC))
            .not_valid_after(datetime.fromtimestamp((START + 300 * DAY) // SECOND, UTC))
        )

    root = (
        begun("root", 1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage("key_cert_sign"), critical=True)
        .sign(key, primitives.SHA256())
    )
    leaf = begun("tsa", 2).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    if purposes:
        leaf = leaf.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
    if allowed:
        leaf = leaf.add_extension(usage(allowed), critical=True)
    signed = leaf.sign(key, primitives.SHA256())
    return (
        read_certificate(root.public_bytes(Encoding.DER)),
        read_certificate(signed.public_bytes(Encoding.DER)),
    )


def usage(name: str) -> x509.KeyUsage:
    """A key usage of one bit."""
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{each: each == name for each in names})


def ecdsa_tsa(**more: Any) -> Tsa:
    """P-256 with SHA-256."""
    key = western_key("p256")
    sign = lambda data: key.sign(data, ec.ECDSA(primitives.SHA256()))  # noqa: E731 - one line
    return western_tsa("p256", schemes.ECDSA_SHA256, sign, **more)


_SHA = {
    "sha256": primitives.SHA256(),
    "sha384": primitives.SHA384(),
    "sha512": primitives.SHA512(),
}


def _named(oid: str, parameters: bytes = b"") -> bytes:
    return der.sequence(der.oid(oid), parameters)


def ecdsa_p384_tsa(hash_name: str) -> Tsa:
    key = western_key("p384")
    oid = {"sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}[hash_name]
    scheme = Scheme(hash_name, _named(oid))
    return western_tsa("p384", scheme, lambda data: key.sign(data, ec.ECDSA(_SHA[hash_name])))


def rsa_tsa(hash_name: str, oid: str, parameters: bytes = NULL) -> Tsa:
    """RSA by PKCS#1 v1.5, under one of its names."""
    key = western_key("rsa")
    scheme = Scheme(hash_name, _named(oid, parameters))
    return western_tsa(
        "rsa", scheme, lambda data: key.sign(data, padding.PKCS1v15(), _SHA[hash_name])
    )


def pss_parameters(
    hash_oid: str, *, mask: str | None = None, salt: int | None = 32, more: bytes = b""
) -> bytes:
    algorithm = der.sequence(der.oid(hash_oid))
    generator = der.sequence(
        der.oid("1.2.840.113549.1.1.8"), der.sequence(der.oid(mask or hash_oid))
    )
    length = () if salt is None else (der.explicit(2, der.integer(salt)),)
    return der.sequence(der.explicit(0, algorithm), der.explicit(1, generator), *length, more)


def pss_tsa(parameters: bytes, salt: int = 32) -> Tsa:
    """RSA by PSS with SHA-256."""
    key, chosen = western_key("rsa"), primitives.SHA256()
    scheme = Scheme("sha256", _named("1.2.840.113549.1.1.10", parameters))
    sign = lambda data: key.sign(data, padding.PSS(padding.MGF1(chosen), salt), chosen)  # noqa: E731
    return western_tsa("rsa", scheme, sign)


@dataclass(frozen=True)
class TokenRecipe:
    """What goes into a token. Change one thing, get one broken token.

    ``attributes`` replaces one of the signed attributes by name (None drops it), or adds one.
    """

    tsa: Tsa = field(default_factory=sm2_tsa)
    message: bytes = MESSAGE
    hash_name: str = "sm3"
    made_at: int = NOW
    nonce: bytes | None = None
    authority: bytes | None = None
    info: bytes | None = None
    content_type: str = TST_INFO
    attributes: Mapping[str, bytes | None] = field(default_factory=dict)
    certificates: Sequence[bytes] | None = None

    def but(self, **changes: Any) -> TokenRecipe:
        return replace(self, **changes)


def ess_v2(certificate: Certificate, *more: bytes, algorithm: bytes = b"") -> bytes:
    """signing-certificate-v2 with SHA-256, its default."""
    identifier = der.sequence(algorithm, der.octets(digest("sha256", certificate.der)), *more)
    return attribute(schemes.SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(identifier)))


def make_token(recipe: TokenRecipe) -> bytes:
    """Return the token of ``recipe``."""
    tsa = recipe.tsa
    request = TimeStampRequest(
        recipe.hash_name, digest(recipe.hash_name, recipe.message), recipe.nonce
    )
    name = tsa.certificate.subject if recipe.authority is None else recipe.authority
    stamp = Stamp("1.2.3.4", 7, recipe.made_at, 1, name)
    content = tst_info(request, stamp) if recipe.info is None else recipe.info
    signing = Signing(
        tsa.certificate,
        (tsa.certificate.der,) if recipe.certificates is None else recipe.certificates,
        tsa.scheme,
        recipe.content_type,
        content,
    )
    whole = writing.signed_attributes(digest(tsa.scheme.hash_name, content), signing)
    if recipe.attributes:
        chosen = {**_by_kind(whole), **recipe.attributes}
        whole = der.set_of(*(each for each in chosen.values() if each is not None))
    return writing.signed_data(whole, tsa.sign(whole), signing)


def _by_kind(whole: bytes) -> dict[str, bytes]:
    kinds = {
        der.oid(schemes.CONTENT_TYPE): "type",
        der.oid(schemes.MESSAGE_DIGEST): "digest",
        der.oid(schemes.SIGNING_CERTIFICATE_V2): "certificate",
    }
    return {kinds[each.children[0].raw]: each.raw for each in elements.read_der(whole).children}


def with_context(number: int, content: bytes) -> bytes:
    """Return ``content`` under the primitive context tag [``number``]."""
    return encode(0x80 | number, content)
