"""Certificates: chains that hold, each reason why one doesn't, and bytes that are none."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secops.crypto import der, names, sm2
from secops.crypto.certificates import (
    Certificate,
    read_certificate,
    verify_chain,
    verify_issued_by,
)
from secops.crypto.errors import (
    InvalidKey,
    InvalidSignature,
    MalformedEncoding,
    UntrustedCertificate,
)
from secops.kernel.clock import DAY, from_rfc3339
from tests.fakes.clock import START
from tests.fakes.sealing import issue

ROOT_KEY, MAKER_KEY, LEAF_KEY = (sm2.PrivateKey.generate() for _ in range(3))
ROOT = issue("root", ROOT_KEY, ROOT_KEY, common_name="根", days=3650)
LEAF = issue("signer", LEAF_KEY, ROOT_KEY, common_name="签章人", issuer=ROOT)
AT = START + DAY


def changed(encoded: bytes, change: Callable[[Certificate], Certificate]) -> Certificate:
    return change(read_certificate(encoded))


def test_a_chain_to_a_configured_anchor_holds() -> None:
    leaf, root = read_certificate(LEAF), read_certificate(ROOT)
    assert verify_chain(leaf, (), (root,), at=AT) == (leaf, root)
    assert verify_chain(root, (), (root,), at=AT) == (root,)


def test_attack_a_root_that_came_along_is_no_anchor() -> None:
    leaf, root = read_certificate(LEAF), read_certificate(ROOT)
    with pytest.raises(UntrustedCertificate):
        verify_chain(leaf, (root,), (), at=AT)


def test_attack_an_issuer_of_the_same_name_and_another_key_is_not_the_issuer() -> None:
    impostor = issue("root", MAKER_KEY, MAKER_KEY, common_name="根", days=3650)
    assert read_certificate(impostor).subject == read_certificate(ROOT).subject
    with pytest.raises(UntrustedCertificate):
        verify_chain(read_certificate(LEAF), (), (read_certificate(impostor),), at=AT)


def test_attack_an_end_entity_can_not_issue() -> None:
    forged = issue("signer", MAKER_KEY, LEAF_KEY, common_name="假", issuer=LEAF)
    with pytest.raises(UntrustedCertificate, match="not a CA"):
        verify_chain(
            read_certificate(forged),
            (read_certificate(LEAF),),
            (read_certificate(ROOT),),
            at=AT,
        )


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("keyCertSign", lambda root: replace(root, key_usage=frozenset({"cRLSign"}))),
        ("keyCertSign", lambda root: replace(root, key_usage=None)),
        ("CA:TRUE", lambda root: replace(root, is_ca=False)),
        ("not valid", lambda root: replace(root, not_after=START)),
        ("critical", lambda root: replace(root, unknown_critical=("1.2.3",))),
    ],
)
def test_an_issuer_that_may_not_issue_is_refused(
    why: str, change: Callable[[Certificate], Certificate]
) -> None:
    with pytest.raises(UntrustedCertificate, match=why):
        verify_chain(read_certificate(LEAF), (), (changed(ROOT, change),), at=AT)


def test_the_path_length_counts_cas_below() -> None:
    root = changed(ROOT, lambda found: replace(found, path_length=0))
    leaf = read_certificate(LEAF)
    assert len(verify_chain(leaf, (), (root,), at=AT)) == 2
    middle = replace(leaf, is_ca=True, key_usage=frozenset({"keyCertSign"}))
    below = read_certificate(issue("signer", MAKER_KEY, LEAF_KEY, common_name="下级", issuer=LEAF))
    with pytest.raises(UntrustedCertificate, match="only 0 CAs"):
        verify_chain(below, (middle,), (root,), at=AT)


@pytest.mark.parametrize("at", [START - 1, START + 366 * DAY])
def test_a_certificate_out_of_its_time_is_refused(at: int) -> None:
    with pytest.raises(UntrustedCertificate, match="not valid"):
        verify_chain(read_certificate(LEAF), (), (read_certificate(ROOT),), at=at)


def test_a_circle_of_issuers_ends() -> None:
    root = read_certificate(ROOT)
    other = replace(root, der=b"other", path_length=None)
    with pytest.raises(UntrustedCertificate, match="longer than"):
        verify_chain(root, (other, replace(other, der=b"third")), (), at=AT)


def test_a_changed_tbs_or_a_foreign_algorithm_is_a_wrong_signature() -> None:
    leaf, root = read_certificate(LEAF), read_certificate(ROOT)
    verify_issued_by(leaf, root)
    for bad in (
        replace(leaf, tbs=leaf.tbs[:-1] + bytes([leaf.tbs[-1] ^ 1])),
        replace(leaf, signature_algorithm="1.2.840.10045.4.3.2"),
        replace(leaf, signature_algorithm="1.2.840.113549.1.1.5"),
    ):
        with pytest.raises(InvalidSignature):
            verify_issued_by(bad, root)


def test_a_key_of_an_algorithm_not_offered_is_refused_when_it_is_asked_for() -> None:
    leaf = replace(read_certificate(LEAF), key_algorithm="")
    with pytest.raises(InvalidKey):
        leaf.public_key()


def test_names_read_as_text_most_specific_first() -> None:
    leaf = read_certificate(LEAF)
    assert leaf.common_name == "签章人"
    assert leaf.subject_name.startswith("CN=签章人,")
    assert leaf.issuer_name == read_certificate(ROOT).subject_name


@settings(max_examples=80)
@given(st.integers(0, len(LEAF) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_breaks_the_signature(place: int, value: int) -> None:
    encoded = LEAF[:place] + bytes((value,)) + LEAF[place + 1 :]
    if encoded == LEAF:
        return
    try:
        found = read_certificate(encoded)
        verify_issued_by(found, read_certificate(ROOT))
        found.subject_name  # noqa: B018 - must not raise anything else
    except (MalformedEncoding, InvalidSignature, InvalidKey):
        return
    pytest.fail("a changed certificate was accepted")


@given(st.binary(max_size=200))
def test_rubbish_is_no_certificate(data: bytes) -> None:
    for content in (data, der.encode(0x30, data), der.encode(0x30, der.encode(0x30, data) * 3)):
        with pytest.raises(MalformedEncoding):
            read_certificate(content)


def test_a_huge_certificate_is_refused_unread() -> None:
    with pytest.raises(MalformedEncoding):
        read_certificate(b"\x30" * 70_000)


@pytest.mark.usefixtures("openssl_command")
def test_openssl_agrees_about_our_chain(tmp_path: Path) -> None:
    for name, content in (("root", ROOT), ("leaf", LEAF)):
        text = base64.encodebytes(content).decode()
        pem = f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"
        (tmp_path / f"{name}.pem").write_text(pem)
    arguments = ["openssl", "verify", "-vfyopt", "distid:1234567812345678", "-no_check_time"]
    done = subprocess.run(
        [*arguments, "-CAfile", "root.pem", "leaf.pem"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"leaf.pem: OK\n")


@pytest.mark.corpus
def test_a_real_sm2_certificate_is_read_and_its_issuers_key_fits(corpus: Path) -> None:
    pem = (corpus / "seals" / "ofdrw_sm2_test_cert.pem").read_text()
    found = re.search("BEGIN CERTIFICATE-----(.*?)-----END", pem, re.DOTALL)
    assert found is not None
    certificate = read_certificate(base64.b64decode(found[1]))
    assert certificate.common_name == "Test Certificate"
    assert certificate.not_before == from_rfc3339("2021-07-29T11:37:34+00:00")
    point = bytes.fromhex("0248CA38C8E4C828D8F29021F4FF17954ABCE5A870AC86BCEA7119227CF65C1D4C")
    sm2.PublicKey.from_point(point).verify(certificate.signature, certificate.tbs)


# Names and times as they are found


def name(*pairs: tuple[str, int, bytes]) -> bytes:
    relatives = (
        der.encode(der.SET, der.encode_sequence(bytes.fromhex(oid), der.encode(tag, value)))
        for oid, tag, value in pairs
    )
    return der.encode_sequence(*relatives)


CN, OTHER = "0603550403", "06032a0304"


@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [
        (0x0C, "单位".encode(), "单位"),
        (0x16, "单位".encode(), "单位"),
        (0x13, "单位".encode("gb18030"), "单位"),
        (0x1E, "单位".encode("utf-16-be"), "单位"),
        (0x0C, b"\xff\x00\xff", "#ff00ff"),
        (0x1E, b"\xd8\x00", "#d800"),
        (0x0C, b'a,b+"c"', 'a\\,b\\+\\"c\\"'),
    ],
)
def test_a_name_shows_what_its_bytes_most_likely_say(tag: int, value: bytes, text: str) -> None:
    encoded = name((OTHER, 0x0C, b"x"), (CN, tag, value))
    assert names.to_text(encoded) == f"CN={text},1.2.3.4=x"


def test_an_attribute_that_is_not_there_is_empty() -> None:
    assert names.attribute(name((OTHER, 0x0C, b"x")), "2.5.4.3") == ""
    leaf = replace(read_certificate(LEAF), subject=name((OTHER, 0x0C, b"x")))
    assert leaf.common_name == "1.2.3.4=x"


def test_a_name_of_another_form_is_refused() -> None:
    lonely = der.encode_sequence(der.encode(der.SET, der.encode_sequence(bytes.fromhex(CN))))
    with pytest.raises(MalformedEncoding):
        names.to_text(lonely)


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        (der.UTC_TIME, b"491231235959Z", "2049-12-31T23:59:59+00:00"),
        (der.UTC_TIME, b"500101000000Z", "1950-01-01T00:00:00+00:00"),
        (der.GENERALIZED_TIME, b"20500101000000Z", "2050-01-01T00:00:00+00:00"),
    ],
)
def test_times_follow_rfc_5280(tag: int, text: bytes, expected: str) -> None:
    element, _ = der.read_element(der.encode(tag, text))
    assert names.read_time(element) == from_rfc3339(expected)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (der.UTC_TIME, b"4912312359Z"),
        (der.UTC_TIME, b"491231235959+0800"),
        (der.UTC_TIME, b"491331235959Z"),
        (der.UTC_TIME, b"49123123595aZ"),
        (der.GENERALIZED_TIME, b"20500101000000.5Z"),
        (der.GENERALIZED_TIME, b"205001010000000"),
        (der.OCTET_STRING, b"20500101000000Z"),
        (der.UTC_TIME, "49123123595９Z".encode()),
    ],
)
def test_times_of_another_form_are_refused(tag: int, text: bytes) -> None:
    element, _ = der.read_element(der.encode(tag, text))
    with pytest.raises(MalformedEncoding):
        names.read_time(element)


def with_extensions(*extensions: bytes) -> bytes:
    """LEAF with other extensions; its signature no longer fits."""
    outer = list(der.children(der.read_whole(LEAF, der.SEQUENCE).content))
    fields = [field.raw for field in der.children(outer[0].content) if field.tag != 0xA3]
    listed = der.encode(0xA3, der.encode_sequence(*extensions))
    tbs = der.encode_sequence(*fields, listed)
    return der.encode_sequence(tbs, outer[1].raw, outer[2].raw)


def extension(oid: str, value: bytes, *flag: bytes) -> bytes:
    return der.encode_sequence(bytes.fromhex(oid), *flag, der.encode(der.OCTET_STRING, value))


BASIC, USAGE = "0603551d13", "0603551d0f"
TRUE, FALSE = b"\x01\x01\xff", b"\x01\x01\x00"


def test_extensions_are_read_and_unknown_critical_ones_named() -> None:
    found = read_certificate(
        with_extensions(
            extension(BASIC, der.encode_sequence(TRUE, der.encode_unsigned(3)), TRUE),
            extension(USAGE, bytes.fromhex("03020106"), FALSE),
            extension(OTHER, b"x", TRUE),
        )
    )
    assert (found.is_ca, found.path_length) == (True, 3)
    assert found.key_usage == {"keyCertSign", "cRLSign"}
    assert found.unknown_critical == ("1.2.3.4",)
    assert not found.allows("digitalSignature")


@pytest.mark.parametrize(
    "extensions",
    [
        (extension(OTHER, b"x"), extension(OTHER, b"y")),
        (der.encode_sequence(bytes.fromhex(OTHER)),),
        (extension(USAGE, bytes.fromhex("030108")),),
        (extension(USAGE, bytes.fromhex("0300")),),
    ],
)
def test_malformed_extensions_are_refused(extensions: tuple[bytes, ...]) -> None:
    with pytest.raises(MalformedEncoding):
        read_certificate(with_extensions(*extensions))


def test_a_certificate_without_an_algorithm_is_refused() -> None:
    empty = der.encode_sequence()
    fields = [field.raw for field in der.children(der.read_whole(LEAF, der.SEQUENCE).content)]
    inner = [field.raw for field in der.children(der.read_whole(fields[0], der.SEQUENCE).content)]
    inner[2] = empty
    with pytest.raises(MalformedEncoding):
        read_certificate(der.encode_sequence(der.encode_sequence(*inner), empty, fields[2]))
