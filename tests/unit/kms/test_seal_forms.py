"""Forms that real makers write are read, and every version is told apart by its shape."""

from __future__ import annotations

from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509

from kms.core.gbt38540 import writing
from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.reading import read_seal, read_seal_file, read_signature
from kms.core.gbt38540.structures import Extension, Picture, SealProperty
from kms.core.gbt38540.verification import verify_seal
from kms.core.gbt38540.writing import SealContent, SigningContent
from kms.core.rfc5280 import writing as x509
from kms.core.trust import Trust
from kms.core.x690 import DerError, read_der
from kms.core.x690 import writing as der
from kms.models.seals import VerificationReport
from secops.crypto.certificates import read_certificate
from secops.crypto.der import encode, signature_to_raw
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import ORDER, PrivateKey
from secops.kernel.clock import DAY, from_rfc3339
from tests.fakes.clock import START
from tests.fakes.sealing import (
    DOCUMENT,
    NOW,
    PNG,
    Recipe,
    make_seal,
    make_signature,
    mint,
    token,
    utc_time,
)

GOOD = Recipe()
TRUST = Trust(NOW, mint().anchors)
NOTE = Extension("1.2.3.4", critical=False, value=b"note")


def judged(content: bytes, trust: Trust = TRUST) -> VerificationReport:
    return verify_seal(content, Evidence(sm3(DOCUMENT)), trust)


def warnings(report: VerificationReport) -> list[str]:
    return [text.en for text in report.signatures[0].warnings]


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("written", [True, False])
def test_extensions_are_read_with_and_without_tag_and_false(
    *, explicit: bool, written: bool
) -> None:
    recipe = GOOD.but(
        seal_extensions=(NOTE,),
        extensions=(NOTE,),
        explicit_extensions=explicit,
        false_written=written,
    )
    value = make_signature(recipe)
    read = read_signature(read_der(value))
    assert read.extensions == (NOTE,)
    assert read.seal.extensions == (NOTE,)
    assert judged(value).valid


def test_an_extension_under_an_empty_tag_is_refused() -> None:
    fields = read_der(make_seal(GOOD.but(seal_extensions=(NOTE,)))).children
    info = der.sequence(*(each.raw for each in fields[0].children[:4]), der.explicit(0, b""))
    with pytest.raises(DerError):
        read_seal(read_der(der.sequence(info, *(field.raw for field in fields[1:]))))


def test_a_raw_signature_is_read_with_a_warning() -> None:
    fields = read_der(make_signature(GOOD)).children
    raw = der.bits(signature_to_raw(fields[3].content[1:], ORDER))
    value = der.sequence(*(field.raw for field in fields[:3]), raw)
    report = judged(value)
    assert report.valid
    assert "a signature value is raw r‖s instead of DER" in warnings(report)


def test_a_list_of_digests_names_the_signer_too() -> None:
    assert judged(make_signature(GOOD.but(digests=(sm3(mint().signer),)))).valid
    report = judged(make_signature(GOOD.but(digests=(bytes(32),))))
    assert {s.what: s.ok for s in report.signatures[0].steps}["signer_listed"] is False


def test_a_picture_of_another_type_than_it_says_is_a_warning() -> None:
    report = judged(make_signature(GOOD.but(picture_kind="gif")))
    assert "the picture is not of the type it claims" in warnings(report)
    assert judged(make_signature(GOOD.but(picture_kind="png"))).valid


BEIJING = "2026-01-03 08:00:00"


@pytest.mark.parametrize(
    "time_info",
    [
        der.bits(utc_time(START + 2 * DAY)),
        der.octets(utc_time(START + 2 * DAY)),
        der.bits(der.generalized_time(START + 2 * DAY)),
        der.bits(BEIJING.encode()),
        der.bits(b"2026-01-03T08:00:00.000"),
        der.bits(b"2026-01-03T00:00:00Z"),
        der.bits(token(time=der.generalized_time(START + 2 * DAY))),
    ],
)
def test_the_signing_time_of_v1_is_read_in_all_its_forms(time_info: bytes) -> None:
    value = make_signature(GOOD.but(version=1, time_info=time_info))
    read = read_signature(read_der(value))
    assert read.signed_at == from_rfc3339("2026-01-03T00:00:00Z")
    assert judged(value).valid


@pytest.mark.parametrize(
    "text",
    [b"x" * 41, b"\xff", b"2026-13-01 00:00:00", b"0001-01-01T00:00:00+14:00"],
)
def test_a_signing_time_of_v1_that_is_none_is_malformed(text: bytes) -> None:
    value = make_signature(GOOD.but(version=1, time_info=der.bits(text)))
    with pytest.raises(DerError):
        read_seal_file(value)


@pytest.mark.parametrize("header", [1, 11])
def test_both_header_numbers_of_v1_are_read(header: int) -> None:
    recipe = GOOD.but(version=1, header_version=header, tbs_version=header)
    assert judged(make_signature(recipe)).version == 1


def stamp_for(value: bytes, algorithm: str, digest: bytes) -> bytes:
    imprint = der.sequence(der.sequence(der.oid(algorithm)), der.octets(digest))
    return token(imprint=imprint)


def with_stamp(token_for: Any) -> bytes:
    """Return a v5 value whose time-stamp is made from its signature value."""
    fields = read_der(make_signature(GOOD.but(version=5))).children
    stamp = der.explicit(0, der.bits(token_for(fields[3].content[1:])))
    return der.sequence(*(field.raw for field in fields), stamp)


def test_a_time_stamp_that_nobody_signed_is_refused() -> None:
    value = with_stamp(lambda signed: stamp_for(signed, "1.2.156.10197.1.401", sm3(signed)))
    report = judged(value)
    assert not report.valid
    assert {s.what: s.ok for s in report.signatures[0].steps}["timestamp"] is False


@pytest.mark.parametrize("algorithm", ["1.2.156.10197.1.401", "1.3.14.3.2.26"])
def test_a_time_stamp_over_something_else_is_refused(algorithm: str) -> None:
    value = with_stamp(lambda signed: stamp_for(signed, algorithm, bytes(32)))
    report = judged(value)
    assert {s.what: s.ok for s in report.signatures[0].steps}["timestamp"] is False


@pytest.mark.parametrize("inner", [b"", der.bits(b"a") + der.bits(b"b")])
def test_a_time_stamp_field_holds_one_thing(inner: bytes) -> None:
    fields = read_der(make_signature(GOOD.but(version=5))).children
    value = der.sequence(*(field.raw for field in fields), der.explicit(0, inner))
    assert not judged(value).valid


def test_without_its_document_a_detached_value_is_judged_by_the_rest() -> None:
    report = verify_seal(make_signature(GOOD), Evidence(), TRUST)
    found = {step.what: step.ok for step in report.signatures[0].steps}
    assert (found["digest"], found["range"]) == (None, None)
    assert report.valid


def test_a_value_from_an_ofd_has_no_range_of_its_own() -> None:
    report = judged(make_signature(GOOD.but(property_info="/Doc_0/Signs/Sign_0/Signature.xml")))
    found = {step.what: step.ok for step in report.signatures[0].steps}
    assert (found["digest"], found["range"]) == (True, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields[:1],
        lambda fields: [der.sequence(der.integer(4)), *fields[1:]],
        lambda fields: [der.sequence(der.integer(4), *[der.integer(1)] * 3), *fields[1:]],
        lambda fields: [*fields, der.integer(1)],
    ],
)
def test_another_number_of_fields_is_malformed(change: Any) -> None:
    fields = [field.raw for field in read_der(make_signature(GOOD)).children]
    assert not judged(der.sequence(*change(fields))).valid


def test_a_certificate_list_of_an_unknown_type_is_malformed() -> None:
    seal = make_seal(GOOD)
    property_ = read_der(seal).children[0].children[2]
    kind = property_.children[2]
    changed = seal[: kind.body] + b"\x03" + seal[kind.end :]
    with pytest.raises(DerError, match="certListType"):
        read_seal(read_der(changed))


def content(**changes: Any) -> SealContent:
    fields = {
        "kind": 1,
        "name": "测试印章",
        "certificates": (mint().signer,),
        "certificate_digests": (),
        "created_at": START + DAY,
        "valid_from": START + DAY,
        "valid_until": START + 9 * DAY,
    }
    return SealContent("ab" * 16, SealProperty(**fields), Picture("PNG", PNG, 42, 42), **changes)


def test_what_is_written_is_what_was_meant() -> None:
    critical = Extension("1.2.3.5", critical=True, value=b"must")
    meant = content(extensions=(NOTE, critical))
    info = writing.seal_info(meant)
    seal = writing.seal(info, mint().maker, mint().maker_key.sign(info))
    read = read_seal(read_der(seal))
    assert (read.version, read.vendor, read.es_id) == (4, "govsecops", meant.es_id)
    assert (read.property, read.picture) == (meant.property, meant.picture)
    assert read.extensions == (NOTE, critical)
    assert (read.signed, read.raw) == (info, seal)
    tbs = writing.to_sign(SigningContent(seal, START + 2 * DAY, sm3(DOCUMENT), "detached"))
    value = writing.seal_signature(tbs, mint().signer, mint().signer_key.sign(tbs))
    signature = read_signature(read_der(value))
    assert (signature.signed, signature.seal.raw) == (tbs, seal)
    assert signature.signed_at == START + 2 * DAY


def test_a_seal_as_we_write_it_verifies() -> None:
    info = writing.seal_info(content())
    seal = writing.seal(info, mint().maker, mint().maker_key.sign(info))
    assert judged(seal, Trust(START + 2 * DAY, mint().anchors)).valid


def test_a_digest_of_another_length_is_not_signed() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        writing.to_sign(SigningContent(b"", START, b"short", "detached"))


def test_times_after_2049_are_written_in_full() -> None:
    name = x509.Name("o", "u", "c").to_der()
    spki = mint().root_key.public_key.der
    late = from_rfc3339("2060-01-01T00:00:00Z")
    tbs = x509.certificate_to_sign(
        x509.CertificateContent("root", 1, name, name, START, late, spki, spki)
    )
    assert encode(0x18, b"20600101000000Z") in tbs


@pytest.mark.parametrize("revoked", [[], [(7, START)]])
def test_a_revocation_list_names_what_was_revoked(revoked: list[tuple[int, int]]) -> None:
    name = x509.Name("o", "u", "c").to_der()
    spki = mint().root_key.public_key.der
    listed = x509.RevocationListContent(name, spki, 3, START, START + DAY, revoked)
    tbs = x509.revocation_list_to_sign(listed)
    fields = read_der(x509.revocation_list(tbs, b"x")).children[0].children
    entries = [child for child in fields[5:] if child.tag == 0x30]
    assert len(entries) == len(revoked)


def test_a_seal_over_nothing_is_told_from_a_seal_over_the_document() -> None:
    report = judged(make_signature(GOOD.but(data_hash=bytes(32))))
    assert not report.valid
    assert any("protects nothing" in text for text in warnings(report))
    assert not any("protects nothing" in text for text in warnings(judged(make_signature(GOOD))))


def chinese_e_mail(key: PrivateKey, common_name: str) -> bytes:
    """Return a certificate whose e-mail is an IA5String that holds Chinese, as some CAs write."""
    pairs = [("2.5.4.3", 0x0C, common_name), ("1.2.840.113549.1.9.1", 0x16, "张三@例子.cn")]
    name = der.sequence(
        *(encode(0x31, der.sequence(der.oid(o), encode(t, text.encode()))) for o, t, text in pairs)
    )
    root = read_certificate(mint().root)
    spki = key.public_key.der
    tbs = x509.certificate_to_sign(
        x509.CertificateContent(
            "signer", 77, root.subject, name, START, START + 300 * DAY, spki, root.spki
        )
    )
    return x509.certificate(tbs, mint().root_key.sign(tbs))


def test_chinese_in_an_ia5_string_of_a_certificate_is_read() -> None:
    signer = chinese_e_mail(mint().signer_key, "张三")
    maker = chinese_e_mail(mint().maker_key, "制章者")
    value = make_signature(GOOD.but(signer=signer, maker=maker, certificates=(signer,)))
    report = judged(value)
    assert report.valid
    assert report.signatures[0].signer == "emailAddress=张三@例子.cn,CN=张三"
    with pytest.raises(ValueError, match="codec can't decode"):  # the common library
        dict(asn1_x509.Certificate.load(signer).subject.native)


@pytest.mark.parametrize("version", [4, 5])
def test_both_formats_are_written_and_told_apart(version: int) -> None:
    info = writing.seal_info(content(version=version))
    seal = writing.seal(info, mint().maker, mint().maker_key.sign(info))
    meant = SigningContent(seal, START + 2 * DAY, sm3(DOCUMENT), "detached", version)
    tbs = writing.to_sign(meant)
    value = writing.seal_signature(tbs, mint().signer, mint().signer_key.sign(tbs))
    report = judged(value, Trust(START + 2 * DAY, mint().anchors))
    assert (report.valid, report.version) == (True, version)


def test_a_value_of_another_format_than_its_seal_is_malformed() -> None:
    info = writing.seal_info(content(version=5))
    seal = writing.seal(info, mint().maker, mint().maker_key.sign(info))
    tbs = writing.to_sign(SigningContent(seal, START + 2 * DAY, sm3(DOCUMENT), "detached"))
    value = writing.seal_signature(tbs, mint().signer, mint().signer_key.sign(tbs))
    assert not judged(value, Trust(START + 2 * DAY, mint().anchors)).valid


def test_what_expired_since_is_a_warning() -> None:
    late = Trust(START + 200 * DAY, mint().anchors)
    value = make_signature(GOOD)
    assert judged(value, late).valid
    assert any("the seal has expired since" in text for text in warnings(judged(value, late)))
