"""Real files: each step's verdict is the one measured when the corpus was gathered."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.verification import verify_seal
from kms.core.rfc3161 import read_token
from kms.core.trust import Trust
from kms.models.seals import VerificationReport
from secops.crypto.certificates import read_certificate
from secops.kernel.clock import from_rfc3339, to_rfc3339

NOW = from_rfc3339("2026-11-22T12:00:00Z")
pytestmark = pytest.mark.corpus

EXPECTED = {
    "UserV1.esl": ("seal", 1, {"structure": True, "seal_signature": True, "validity": False}),
    "UserV4.esl": ("seal", 4, {"structure": True, "seal_signature": True, "validity": False}),
    "UserV5_ts.esl": (
        "seal",
        5,
        {
            "structure": True,
            "seal_signature": True,
            "validity": True,
            "seal_maker": False,
            "timestamp": False,
        },
    ),
    "SignedValueV4.dat": (
        "signature",
        4,
        {
            "structure": True,
            "digest": None,
            "range": None,
            "signature": True,
            "signer_listed": True,
            "seal_signature": True,
            "validity": True,
        },
    ),
    "SignedValueV5.dat": (
        "signature",
        5,
        {
            "structure": True,
            "digest": None,
            "range": None,
            "signature": True,
            "signer_listed": True,
            "seal_signature": True,
            "seal_maker": False,
            "validity": False,
        },
    ),
}
DEFAULTS = {
    "seal_maker": None,
    "chain": None,
    "revocation": None,
    "timestamp": None,
    "policy": True,
}


def verdict(corpus: Path, name: str) -> VerificationReport:
    return verify_seal((corpus / "seals" / name).read_bytes(), Evidence(), Trust(NOW))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_step_of_a_real_file_has_the_expected_verdict(corpus: Path, name: str) -> None:
    kind, version, steps = EXPECTED[name]
    report = verdict(corpus, name)
    found = {step.what: step.ok for step in report.signatures[0].steps}
    assert (kind, version, {**DEFAULTS, **steps}) == (report.kind, report.version, found)
    assert not report.valid


def test_the_signing_time_and_names_of_a_real_value_are_read(corpus: Path) -> None:
    signature = verdict(corpus, "SignedValueV4.dat").signatures[0]
    assert signature.signed_at == from_rfc3339("2020-10-12T11:14:03Z")
    assert signature.seal_name == "OFD R&W 测试用印章"
    assert signature.signer == "CN=Test Certificate,L=Hangzhou,ST=Zhejiang,O=OFD R&W,C=CN"


def test_a_real_value_warns_of_its_empty_digest_and_of_what_expired_since(corpus: Path) -> None:
    warnings = [text.en for text in verdict(corpus, "SignedValueV4.dat").signatures[0].warnings]
    assert warnings == [
        "dataHash is all zero: it protects nothing",
        "the seal has expired since, 2022-04-22T02:09:00Z",
        "the signer's certificate has expired since, 2022-04-21T14:39:08Z",
    ]


def test_a_real_value_is_refused_with_a_document_it_does_not_protect(corpus: Path) -> None:
    content = (corpus / "seals" / "SignedValueV4.dat").read_bytes()
    report = verify_seal(content, Evidence(bytes(range(32))), Trust(NOW))
    assert {step.what: step.ok for step in report.signatures[0].steps}["digest"] is False


def test_a_real_end_certificate_as_the_only_anchor_issues_nothing(corpus: Path) -> None:
    pem = (corpus / "seals" / "ofdrw_sm2_test_cert.pem").read_text()
    body = "".join(line for line in pem.splitlines() if not line.startswith("-"))
    anchor = read_certificate(base64.b64decode(body))
    content = (corpus / "seals" / "UserV4.esl").read_bytes()
    report = verify_seal(content, Evidence(), Trust(NOW, (anchor,)))
    assert {step.what: step.ok for step in report.signatures[0].steps}["chain"] is False


def test_a_real_time_stamp_token_tells_its_time(corpus: Path) -> None:
    token = read_token((corpus / "seals" / "dss_archive_timestamp.tst").read_bytes())
    assert to_rfc3339(token.made_at) == "2016-11-28T13:16:26.266000Z"
    assert token.digest_algorithm == "2.16.840.1.101.3.4.2.1"
