"""Signatures of an OFD without a seal: SignedData of GB/T 35275 in all styles, bare values."""

from __future__ import annotations

import functools
from collections.abc import Callable

import asn1tools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.gbt33190.verification import verify_ofd
from kms.core.gbt35275.reading import is_signed_data, read_signed_data
from kms.core.trust import RevocationSource, Trust
from kms.models.seals import VerificationReport
from secops.crypto import engines
from secops.crypto.certificates import read_certificate
from secops.crypto.errors import EngineUnavailable
from secops.crypto.hashes import sm3
from secops.kernel.clock import DAY
from tests.fakes.clock import START
from tests.fakes.ofd import LIST, PAGE, SIGNATURE, VALUE, Files, listing, pack, signed_document
from tests.fakes.sealing import NOW, Recipe, issue, mint, new_mint
from tests.fakes.signed_data import (
    ASN1,
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    SIGNING_TIME,
    SM2_WITH_SM3,
    SM3,
    Style,
    attribute,
    make_signed_data,
    oid,
    tlv,
)

TRUST = Trust(NOW, mint().anchors)
SPEC = asn1tools.compile_string(ASN1, "der", any_defined_by_choices=None)
UNSEALED = signed_document(Recipe())
XML = UNSEALED[SIGNATURE]
SIGN = ' Type="Sign"'


def with_value(value: bytes, attributes: str = SIGN, **more: bytes) -> Files:
    files = {**UNSEALED, VALUE: value, LIST: listing("Doc_0/Signs/Sign_0", attributes=attributes)}
    return {**files, **more}


def judged(value: bytes, trust: Trust = TRUST, **more: bytes) -> VerificationReport:
    return verify_ofd(pack(with_value(value, **more)), trust)


def steps(report: VerificationReport) -> dict[str, bool | None]:
    return {step.what: step.ok for step in report.signatures[0].steps}


STYLES = {
    "A: attributes, detached": Style("A"),
    "A without a signing time": Style("A", signed_at=None),
    "A with SM2-with-SM3 and no parameters": Style(
        "A",
        digest_algorithm=tlv(0x30, oid(SM3)),
        signature_algorithm=tlv(0x30, oid(SM2_WITH_SM3)),
    ),
    "A with unsigned attributes": Style("A", after_signature=(tlv(0xA1, attribute(DATA)),)),
    "A with revocation lists beside": Style("A", after_certificates=(tlv(0xA1),)),
    "A with its root beside": Style("A", certificates=(mint().root, mint().signer)),
    "A with r and s alone": Style("A", raw=True),
    "B: the digest inside is the message": Style("B"),
    "B in Base64": Style("B64"),
    "C: nothing inside, nothing beside": Style("C"),
    "the whole file inside": Style("C", content=XML),
    "attributes over the digest inside": Style("AB", content=sm3(XML), digest=sm3(sm3(XML))),
}


@pytest.mark.parametrize("name", sorted(STYLES))
def test_every_style_that_occurs_is_read_and_accepted(name: str) -> None:
    report = judged(make_signed_data(STYLES[name], XML))
    assert steps(report) == {
        "structure": True,
        "digest": True,
        "range": True,
        "signature": True,
        "chain": True,
        "validity": True,
        "revocation": None,
        "timestamp": None,
        "policy": True,
    }
    assert report.valid
    verdict = report.signatures[0]
    assert (report.version, verdict.seal_name) == (None, None)
    assert verdict.signer is not None
    assert "签章人" in verdict.signer
    assert "a digital signature, without a seal" in [text.en for text in verdict.warnings]


@pytest.mark.parametrize("name", sorted(STYLES))
def test_a_parser_made_of_the_standards_asn1_reads_the_same(name: str) -> None:
    value = make_signed_data(STYLES[name], XML)
    theirs = SPEC.decode("ContentInfo", value)
    ours = read_signed_data(value)
    signer = theirs["content"]["signerInfos"][0]
    assert theirs["contentType"] == "1.2.156.10197.6.1.4.2.2"
    assert ours.signature == signer["encryptedDigest"]
    assert ours.content == theirs["content"]["contentInfo"].get("content")
    assert (ours.signed is None) == ("attributes" not in signer)
    assert ours.signer_certificate in theirs["content"]["certificates"]


def test_a_signing_time_is_told_and_weighed() -> None:
    report = judged(make_signed_data(Style("A", signed_at=START + 3 * DAY), XML))
    assert report.signatures[0].signed_at == START + 3 * DAY
    early = judged(make_signed_data(Style("A", signed_at=START - DAY), XML))
    assert (steps(early)["validity"], early.valid) == (False, False)


def test_without_a_signing_time_a_certificate_must_be_valid_now() -> None:
    value = make_signed_data(Style("A", signed_at=None), XML)
    late = Trust(START + 400 * DAY, mint().anchors)
    assert steps(judged(value, late))["validity"] is False


def test_a_certificate_revoked_before_the_signing_time_is_refused() -> None:
    signer = read_certificate(mint().signer)
    known = {(signer.issuer, signer.serial): START + DAY}
    source = RevocationSource(frozenset({signer.issuer}), known)
    report = judged(make_signed_data(Style("A"), XML), Trust(NOW, mint().anchors, source))
    assert steps(report)["revocation"] is False


@pytest.mark.parametrize("engine", ["sm2", "hash"])
def test_an_engine_that_failed_its_known_answers_gives_no_verdict(
    monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    value = make_signed_data(Style("A"), XML)
    assert judged(value).valid
    monkeypatch.setitem(engines._defects, engine, "wrong answer")
    with pytest.raises(EngineUnavailable):
        judged(value)


def test_the_empty_user_id_is_named() -> None:
    report = judged(make_signed_data(Style("A", user_id=b""), XML))
    reason = next(step.why.en for step in report.signatures[0].steps if step.what == "signature")
    assert "an empty user id would verify" in reason
    assert not report.valid


def changed_page(value: bytes) -> VerificationReport:
    page = UNSEALED[PAGE].replace("公文".encode(), "伪文".encode())
    return judged(value, **{PAGE: page})


def may_not_sign() -> Style:
    name = {"common_name": "只签发", "issuer": mint().root}
    return Style(certificate=issue("root", mint().signer_key, mint().root_key, **name))


def strangers() -> Style:
    other = new_mint()
    return Style(key=other.signer_key, certificate=other.signer)


def with_stranger_inside() -> Style:
    other = new_mint()
    listed = (other.signer, other.root)
    return Style(key=other.signer_key, certificate=other.signer, certificates=listed)


def attributes_of(*kept: bytes) -> Style:
    return Style("A", attributes=kept)


TYPE = attribute(CONTENT_TYPE, oid(DATA))
DIGEST = attribute(MESSAGE_DIGEST, tlv(4, sm3(XML)))
BROKEN: dict[str, Callable[[], Style]] = {
    "another digest in the attributes": lambda: Style("A", digest=sm3(b"other")),
    "another digest inside": lambda: Style("B", digest=sm3(b"other")),
    "other content inside": lambda: Style("C", content=b"other"),
    "attributes over content that is none of ours": lambda: Style(
        "AB", content=b"other", digest=sm3(b"other")
    ),
    "attributes that fit the file but not the content": lambda: Style("AB", content=XML + b" "),
    "the attributes' digest is not the content's": lambda: Style("AB", content=sm3(XML)),
    "signed by nobody's key": lambda: Style(key=new_mint().signer_key),
    "a stranger's certificate": strangers,
    "a stranger's certificate with its root inside": with_stranger_inside,
    "no certificate": lambda: Style(certificates=()),
    "another serial number": lambda: Style(serial=7),
    "the signer's certificate twice": lambda: Style(certificates=(mint().signer, mint().signer)),
    "a certificate that is none": lambda: Style(certificates=(tlv(0x30), mint().signer)),
    "a certificate whose name can't be read": lambda: Style(
        certificates=(
            mint().root.replace(bytes.fromhex("0603550403"), b"\x06\x03\x55\x04\x83"),
            mint().signer,
        )
    ),
    "too many certificates": lambda: Style(certificates=(mint().signer, *[mint().root] * 20)),
    "a key that may not sign": may_not_sign,
    "two signers": lambda: Style(signers=2),
    "no signer": lambda: Style(signers=0),
    "another version": lambda: Style(version=3),
    "PKCS#7 instead of the Chinese type": lambda: Style(outer_type="06092a864886f70d010702"),
    "a digest that is not SM3": lambda: Style(
        digest_algorithm=tlv(0x30, oid("0609608648016503040201"))
    ),
    "parameters that are not NULL": lambda: Style(
        digest_algorithm=tlv(0x30, oid(SM3), tlv(4, b"x"))
    ),
    "a signature that is not SM2": lambda: Style(
        signature_algorithm=tlv(0x30, oid("06082a8648ce3d040302"))
    ),
    "no attributes in their place": attributes_of,
    "no contentType": lambda: attributes_of(DIGEST),
    "no messageDigest": lambda: attributes_of(TYPE),
    "messageDigest twice": lambda: attributes_of(TYPE, DIGEST, DIGEST),
    "a messageDigest of two values": lambda: attributes_of(
        TYPE, attribute(MESSAGE_DIGEST, tlv(4, sm3(XML)), tlv(4, sm3(b"x")))
    ),
    "a signing time that is none": lambda: attributes_of(
        TYPE, DIGEST, attribute(SIGNING_TIME, tlv(4, b"now"))
    ),
    "a field that nobody knows": lambda: Style(after_signature=(tlv(0xA2),)),
    "two fields behind the signature": lambda: Style(
        "C", after_signature=(tlv(0xA1, attribute(DATA)), tlv(0xA1, attribute(DATA)))
    ),
    "certificates twice": lambda: Style(
        certificates=(), after_certificates=(tlv(0xA0, mint().signer),)
    ),
    "certificates behind the lists": lambda: Style(
        certificates=(), after_certificates=(tlv(0xA1), tlv(0xA0, mint().signer))
    ),
    "a field beside the certificates": lambda: Style(after_certificates=(tlv(0xA2),)),
    "no signature": lambda: Style(unsigned=True),
    "a signature of nothing": lambda: Style(raw=True, user_id=b"x"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_broken_signed_data_is_not_accepted(name: str) -> None:
    assert not judged(make_signed_data(BROKEN[name](), XML)).valid


def test_a_changed_page_is_refused() -> None:
    report = changed_page(make_signed_data(Style("A"), XML))
    assert (steps(report)["signature"], steps(report)["digest"]) == (True, False)


def test_signed_data_where_a_seal_is_announced_is_refused() -> None:
    value = make_signed_data(Style("A"), XML)
    for attributes in ("", ' Type="Seal"'):
        report = verify_ofd(pack(with_value(value, attributes)), TRUST)
        assert (steps(report)["structure"], report.valid) == (False, False)


def test_a_seal_under_the_type_of_a_signature_is_judged_as_a_seal() -> None:
    report = verify_ofd(pack(with_value(UNSEALED[VALUE])), TRUST)
    assert (report.valid, report.version) == (True, 4)


@pytest.mark.parametrize("raw", [False, True])
def test_a_bare_value_is_accepted_only_from_a_configured_signer(raw: bool) -> None:  # noqa: FBT001 - parameter
    signature = mint().signer_key.sign(XML)
    if raw:
        style = Style("C", raw=True)
        signature = read_signed_data(make_signed_data(style, XML)).signature
    strange = judged(signature)
    assert (steps(strange)["signature"], strange.valid) == (None, False)
    known = Trust(NOW, (read_certificate(mint().signer), *mint().anchors))
    report = judged(signature, known)
    assert report.valid
    assert report.signatures[0].signer == read_certificate(mint().signer).subject_name
    assert not judged(mint().signer_key.sign(b"other"), known).valid


@pytest.mark.parametrize("value", [b"", b"\x30\x00", b"\x30\x80", b"\x04\x01x", b"x" * 63])
def test_what_is_no_signed_data_is_told_apart(value: bytes) -> None:
    assert not is_signed_data(value)
    assert not judged(value).valid


@functools.cache
def cached() -> bytes:
    return make_signed_data(Style("A"), XML)


@given(st.data())
def test_no_change_of_one_byte_is_accepted(data: st.DataObject) -> None:
    value = bytearray(cached())
    kept = read_signed_data(bytes(value))
    place = data.draw(st.integers(0, len(value) - 1))
    value[place] ^= data.draw(st.integers(1, 255))
    if judged(bytes(value)).valid:
        # what the signature does not cover: the inner type and the list of algorithms
        found = read_signed_data(bytes(value))
        assert (found.signed, found.signature) == (kept.signed, kept.signature)
        assert found.signer_certificate == kept.signer_certificate
