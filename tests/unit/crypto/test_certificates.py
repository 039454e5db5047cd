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

from secops.crypto import der, sm2
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
        replace(leaf, tbs=leaf.tbs[:-1] + b"\0"),
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
