"""No certificate is signed that breaks a rule; what passes, openssl and cryptography read."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms.core.rfc5280 import writing
from kms.core.rfc5280.linting import (
    Issuance,
    LintRefused,
    lint_certificate,
    read_names,
    read_usages,
)
from kms.core.rfc5280.names import (
    AlternativeNames,
    NameRefused,
    check_names,
    check_text,
    is_host,
    is_mailbox,
)
from kms.core.rfc5280.profiles import PROFILES
from kms.core.rfc5280.writing import CertificateContent, Name, Places
from kms.core.x690 import DerError, read_der
from kms.core.x690 import writing as der
from secops.crypto import ecdsa, signatures
from secops.crypto.certificates import read_certificate
from secops.crypto.der import encode
from secops.crypto.options import DEFAULT
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import DAY, from_rfc3339
from tests.fakes.clock import START

ROOT_KEY = PrivateKey.generate()
P256_ROOT = signatures.private_key("ecdsa-p256", ecdsa.generate("ecdsa-p256"))
KEY = PrivateKey.generate()
P256_KEY = ec.generate_private_key(ec.SECP256R1())
ROOT_NAME = Name("govsecops", "测试/内部用", "根").to_der()
HOSTS = AlternativeNames(hosts=("a.example.gov.cn",), addresses=("10.0.0.1", "fd00::1"))


def spki_of(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


SHORT_RSA = spki_of(rsa.generate_private_key(65_537, 1_024))  # noqa: S505 - to be refused
NOT_SM2 = spki_of(P256_KEY)
SERVER = CertificateContent(
    profile="tls_server",
    serial=2**127 + 5,
    issuer=ROOT_NAME,
    subject=Name("临江县数据局", "测试/内部用", "a.example.gov.cn").to_der(),
    not_before=START,
    not_after=START + 397 * DAY,
    spki=KEY.public_key.der,
    issuer_spki=ROOT_KEY.public_key.der,
    names=HOSTS,
    places=Places("http://ca.cn/root.crl", "http://ca.cn/ocsp", "http://ca.cn/root.crt"),
)
ROOT = replace(
    SERVER,
    profile="root",
    subject=ROOT_NAME,
    spki=ROOT_KEY.public_key.der,
    names=AlternativeNames(),
    places=Places(),
    not_after=START + 3650 * DAY,
)


def issuance(content: CertificateContent = SERVER, **changes: Any) -> Issuance:
    made = Issuance(
        profile=content.profile,
        algorithm=content.algorithm,
        issuer_name=ROOT_NAME,
        issuer_spki=content.issuer_spki,
        until=START + 3650 * DAY,
    )
    return replace(made, **changes)


def lint(content: CertificateContent, **changes: Any) -> None:
    lint_certificate(writing.certificate_to_sign(content), issuance(content, **changes))


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_what_is_written_for_a_profile_passes(profile: Any) -> None:
    wanted = PROFILES[profile]
    names = HOSTS if wanted.names == "hosts" else AlternativeNames()
    if wanted.names == "mail":
        names = AlternativeNames(mails=("zhang.san@example.gov.cn",))
    key = KEY.public_key.der if "sm2" in wanted.keys else spki_of(P256_KEY)
    content = replace(
        SERVER,
        profile=profile,
        spki=ROOT_KEY.public_key.der if wanted.is_ca else key,
        subject=ROOT_NAME if wanted.is_ca else SERVER.subject,
        names=names,
        not_after=START + wanted.days * DAY,
    )
    lint(content)


def long_name(count: int) -> bytes:
    return Name("o" * count, "u", "a.example.gov.cn").to_der()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (replace(SERVER, serial=0), "serial"),
        (replace(SERVER, serial=-5), "serial"),
        (replace(SERVER, serial=2**160), "serial"),
        (replace(SERVER, not_after=START + 398 * DAY), "longer than the 397 days"),
        (replace(SERVER, not_after=START), "not at all"),
        (replace(SERVER, not_after=START - DAY), "not at all"),
        (replace(SERVER, subject=ROOT_NAME), "nothing else does"),
        (replace(ROOT, subject=SERVER.subject), "root issues itself"),
        (replace(SERVER, subject=long_name(65)), "longer than it may be"),
        (replace(SERVER, subject=Name("o", " u", "a").to_der()), "longer than it may be"),
        (replace(SERVER, subject=Name("o", "u\u0000", "a").to_der()), "longer than it may be"),
        (replace(SERVER, subject=Name("o", "u", "b.cn").to_der()), "one of its subjectAltNames"),
        (replace(SERVER, subject=der.sequence()), "no common name"),
        (replace(SERVER, names=AlternativeNames()), "names its hosts"),
        (replace(SERVER, names=replace(HOSTS, mails=("a@b.cn",))), "no mailboxes"),
        (replace(SERVER, names=replace(HOSTS, hosts=("a.example.gov.cn", "A.cn"))), "host name"),
        (replace(SERVER, profile="tls_client", not_after=START + DAY), "names no hosts"),
        (replace(SERVER, places=Places("ldap://ca.cn/x")), "no http address"),
        (replace(SERVER, spki=SHORT_RSA), "RSA keys have"),
        (
            replace(SERVER, profile="maker", names=AlternativeNames(), spki=NOT_SM2),
            "not for its profile",
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused(content: CertificateContent, why: str) -> None:
    with pytest.raises(LintRefused, match=why):
        lint(content)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"algorithm": "ecdsa-p256"}, "signature algorithm"),
        ({"issuer_name": SERVER.subject}, "not who will sign"),
        ({"issuer_spki": KEY.public_key.der}, "authorityKeyIdentifier"),
        ({"until": START + 10 * DAY}, "outlives"),
        ({"profile": "tls_client"}, "397|names no hosts|extKeyUsage|365"),
    ],
)
def test_what_the_issuer_knows_otherwise_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(LintRefused, match=why):
        lint(SERVER, **changes)


def changed(place: int, make: Callable[[bytes], bytes]) -> bytes:
    """Return the TBS of a sound certificate with one field made anew."""
    fields = [each.raw for each in read_der(writing.certificate_to_sign(SERVER)).children]
    fields[place] = make(fields[place])
    return der.sequence(*fields)


def with_extension(oid: str, value: bytes | None, *, critical: bool = False) -> bytes:
    """Return the TBS with the extension ``oid`` replaced, or without it."""

    def make(wrapped: bytes) -> bytes:
        flag = (der.TRUE,) if critical else ()
        new = () if value is None else (der.sequence(der.oid(oid), *flag, der.octets(value)),)
        kept = [
            each.raw
            for each in read_der(wrapped).children[0].children
            if each.children[0].raw != der.oid(oid)
        ]
        return der.explicit(3, der.sequence(*kept, *new))

    return changed(7, make)


def times(start: bytes, end: bytes) -> bytes:
    return changed(4, lambda _: der.sequence(start, end))


def utc(text: str) -> bytes:
    return encode(0x17, text.encode())


def named(*relatives: bytes) -> bytes:
    return changed(5, lambda _: der.sequence(*relatives))


def relative(*pairs: tuple[str, bytes]) -> bytes:
    return encode(0x31, b"".join(der.sequence(der.oid(oid), value) for oid, value in pairs))


def twice(wrapped: bytes) -> bytes:
    listed = [each.raw for each in read_der(wrapped).children[0].children]
    return der.explicit(3, der.sequence(*listed, *listed))


FALSE_WRITTEN = der.sequence(der.oid("2.5.29.14"), b"\x01\x01\x00", der.octets(b"\x05\x00"))
CN = relative(("2.5.4.3", der.utf8("a.example.gov.cn")))
COMPRESSED = der.sequence(
    read_der(KEY.public_key.der).children[0].raw,
    der.bits(b"\x02" + KEY.public_key.point[1:33]),
)


@pytest.mark.parametrize(
    ("tbs", "why"),
    [
        (changed(0, lambda _: der.explicit(0, der.integer(1))), "version"),
        (changed(0, lambda _: der.explicit(0, b"")), "version"),
        (changed(2, lambda _: der.sequence(der.oid("1.2.156.10197.1.501"), b"\x05\x00")), "fields"),
        (times(der.generalized_time(START), utc("261201000000Z")), "type that its year demands"),
        (times(utc("260101000000Z"), encode(0x18, b"20261201000000.5Z")), "type that its year"),
        (times(utc("260101000000"), utc("261201000000Z")), "UTC time"),
        (named(encode(0x31, b""), CN), "several attributes"),
        (named(relative(("2.5.4.3", der.utf8("a")), ("2.5.4.10", der.utf8("b")))), "several"),
        (named(CN, CN), "repeated"),
        (named(CN, relative(("2.5.4.42", der.utf8("x")))), "not of its form"),
        (named(relative(("2.5.4.3", encode(0x13, b"a.example.gov.cn")))), "tag"),
        (named(relative(("2.5.4.6", der.utf8("CN"))), CN), "tag"),
        (changed(6, lambda _: COMPRESSED), "uncompressed|identifier"),
        (changed(7, lambda _: der.explicit(3, b"")), "one SEQUENCE"),
        (with_extension("2.5.29.19", None), "missing"),
        (with_extension("2.5.29.19", der.sequence()), "critical"),
        (with_extension("2.5.29.19", der.sequence(der.TRUE), critical=True), "basicConstraints"),
        (with_extension("2.5.29.15", b"\x03\x02\x00\x80", critical=True), "zero bits"),
        (with_extension("2.5.29.15", b"\x03\x02\x05\xa0", critical=True), "never two of these"),
        (with_extension("2.5.29.15", b"\x03\x02\x05\x20", critical=True), "need digitalSig"),
        (with_extension("2.5.29.15", b"\x03\x03\x06\x80\x40", critical=True), "mean nothing"),
        (with_extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.2"))), "extKeyUsage"),
        (with_extension("2.5.29.37", None), "extKeyUsage"),
        (with_extension("2.5.29.14", der.octets(bytes(20))), "subjectKeyIdentifier"),
        (with_extension("2.5.29.14", None), "subjectKeyIdentifier"),
        (with_extension("2.5.29.35", None), "authorityKeyIdentifier"),
        (with_extension("2.5.29.17", None), "names its hosts"),
        (with_extension("1.3.6.1.5.5.7.48.1.5", b"\x05\x00"), "nocheck"),
        (with_extension("1.2.3", b"\x05\x00"), "repeated or unknown"),
        (changed(7, twice), "repeated"),
        (changed(7, lambda _: der.explicit(3, der.sequence(FALSE_WRITTEN))), "FALSE"),
        (b"\x30\x00", "fields"),
        (b"", "cut off"),
    ],
)  # fmt: skip
def test_what_the_writer_must_never_write_is_found_in_its_bytes(tbs: bytes, why: str) -> None:
    with pytest.raises(LintRefused, match=why):
        lint_certificate(tbs, issuance())


def test_an_empty_alternative_name_is_found() -> None:
    content = replace(SERVER, profile="tls_client", names=AlternativeNames())
    content = replace(content, not_after=START + DAY)
    fields = [each.raw for each in read_der(writing.certificate_to_sign(content)).children]
    inside = [each.raw for each in read_der(fields[7]).children[0].children]
    empty = der.sequence(der.oid("2.5.29.17"), der.octets(der.sequence()))
    tbs = der.sequence(*fields[:7], der.explicit(3, der.sequence(*inside, empty)))
    with pytest.raises(LintRefused, match="empty subjectAltName"):
        lint_certificate(tbs, issuance(content))


def test_from_2050_on_times_are_generalized() -> None:
    content = replace(
        SERVER,
        not_before=from_rfc3339("2049-12-01T00:00:00Z"),
        not_after=from_rfc3339("2050-06-01T00:00:00Z"),
    )
    lint(content, until=content.not_after)


@pytest.mark.parametrize(
    "value", [encode(0x86, b"http://a"), encode(0x87, b"\x01"), encode(0x82, b"\xff")]
)
def test_names_that_are_not_ours_are_refused(value: bytes) -> None:
    with pytest.raises(DerError):
        read_names(read_der(der.sequence(value)))


def test_a_key_usage_has_words() -> None:
    assert read_usages(read_der(b"\x03\x02\x01\x06")) == {"keyCertSign", "cRLSign"}
    for wrong in (b"\x03\x01\x00", b"\x03\x02\x08\x80", b"\x03\x02\x06\x80"):
        with pytest.raises(DerError):
            read_usages(read_der(wrong))


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("a.example.gov.cn", True),
        ("localhost", True),
        ("xn--fiqs8s.cn", True),
        ("*.example.cn", False),
        ("A.cn", False),
        ("-a.cn", False),
        ("a-.cn", False),
        ("a..cn", False),
        ("a.cn.", False),
        ("", False),
        ("10.0.0.1", False),
        ("a" * 64 + ".cn", False),
        (".".join(["a" * 60] * 5), False),
        ("a.cn\n", False),
        ("数据.cn", False),
    ],
)
def test_a_hosts_name_is_letters_digits_and_hyphens(name: str, sound: bool) -> None:  # noqa: FBT001
    assert is_host(name) is sound


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("zhang.san@example.gov.cn", True),
        ("zhang", False),
        ("@example.cn", False),
        ("a b@example.cn", False),
        ("a@EXAMPLE.cn", False),
        ("a" * 64 + "@" + ".".join(["b" * 60] * 4), False),
    ],
)
def test_a_mailbox_has_a_name_and_a_hosts_name(name: str, sound: bool) -> None:  # noqa: FBT001
    assert is_mailbox(name) is sound


def test_a_certificate_has_at_most_twenty_names_each_once() -> None:
    many = tuple(f"h{number}.cn" for number in range(21))
    for hosts in (many, ("a.cn", "a.cn")):
        with pytest.raises(NameRefused, match="each once"):
            check_names(AlternativeNames(hosts=hosts), "hosts")
    with pytest.raises(NameRefused, match="mailbox"):
        check_names(AlternativeNames(mails=("nobody",)), "mail")


def test_a_name_is_cut_at_its_ends_and_never_in_the_middle() -> None:
    assert check_text("  数据局 ", "organization") == "数据局"
    for wrong in ("", " ", "a" * 65, "a\nb"):
        with pytest.raises(NameRefused):
            check_text(wrong, "organization")


words = st.text(st.characters(codec="utf-8"), max_size=70)
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.*", min_size=1, max_size=20)
contents = st.builds(
    CertificateContent,
    profile=st.sampled_from(["tls_server", "tls_client", "sm2_signing", "document_signing"]),
    serial=st.integers(-5, 2**161),
    issuer=st.just(ROOT_NAME),
    subject=st.builds(Name, words, words, words | labels).map(Name.to_der),
    not_before=st.integers(0, 40_000).map(lambda days: days * DAY),
    not_after=st.integers(0, 40_000).map(lambda days: days * DAY),
    spki=st.sampled_from([KEY.public_key.der, spki_of(P256_KEY)]),
    issuer_spki=st.just(ROOT_KEY.public_key.der),
    names=st.builds(
        AlternativeNames,
        st.lists(labels, max_size=3).map(tuple),
        st.lists(st.ip_addresses().map(str), max_size=2).map(tuple),
        st.lists(labels.map("a@{}".format), max_size=1).map(tuple),
    ),
    places=st.builds(Places, st.sampled_from(["", "http://ca.cn/a", "x", "http://[", "https://"])),
)


def passing(content: CertificateContent) -> bytes | None:
    """Return the signed certificate, None where the lint refuses it."""
    tbs = writing.certificate_to_sign(content)
    try:
        lint_certificate(tbs, issuance(content, until=2**62))
    except LintRefused:
        return None
    return writing.certificate(tbs, ROOT_KEY.sign(tbs))


def sound(content: CertificateContent) -> CertificateContent:
    """Return ``content`` with what random picks hardly ever get right put right."""
    server = content.profile == "tls_server"
    common_name = content.names.hosts[0] if server and content.names.hosts else "某单位"
    return replace(
        content,
        serial=abs(content.serial) % 2**159 + 1,
        subject=Name("某单位", "", common_name).to_der(),
        not_after=content.not_before + DAY,
        spki=NOT_SM2 if content.profile == "document_signing" else KEY.public_key.der,
        names=content.names if server else AlternativeNames(),
        places=Places(),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(found=st.lists(contents, min_size=10, max_size=10))
def test_whatever_passes_is_read_by_openssl_and_by_cryptography(
    tmp_path: Path, found: list[CertificateContent]
) -> None:
    tried = [*found, *map(sound, found)]
    passed = [each for content in tried if (each := passing(content)) is not None]
    for encoded in passed:
        certificate = x509.load_der_x509_certificate(encoded)
        assert certificate.version == x509.Version.v3
        assert certificate.subject.rfc4514_string()
        assert len(list(certificate.extensions)) >= 4
        assert certificate.not_valid_before_utc < certificate.not_valid_after_utc
        assert read_certificate(encoded).unknown_critical == ()
    path = tmp_path / "all.pem"
    blocks = [base64.encodebytes(each).decode() for each in passed]
    path.write_text(
        "".join(
            f"-----BEGIN CERTIFICATE-----\n{block}-----END CERTIFICATE-----\n" for block in blocks
        )
    )
    if passed:
        seen = subprocess.run(
            ["openssl", "storeutl", "-noout", "-text", "-certs", path],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert f"Total found: {len(passed)}" in seen.stdout


def test_a_p256_root_signs_for_keys_of_other_kinds() -> None:
    issuer = P256_ROOT.public_key.der
    content = replace(SERVER, algorithm="ecdsa-p256", issuer_spki=issuer, spki=NOT_SM2)
    tbs = writing.certificate_to_sign(content)
    lint_certificate(tbs, issuance(content))
    encoded = writing.certificate(tbs, P256_ROOT.sign(tbs, DEFAULT), "ecdsa-p256")
    assert read_certificate(encoded).signature_algorithm == "1.2.840.10045.4.3.2"
