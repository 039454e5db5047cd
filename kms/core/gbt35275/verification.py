"""Verify a signature of an OFD that has no seal (Type=Sign): SignedData or a bare value."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.gbt35275.reading import SignedData, read_signed_data
from kms.core.gbt35276.sm2_signatures import SignatureCheck, check_signature
from kms.core.gbt38540.time_judgements import Stamped, timestamp_findings
from kms.core.gbt38540.trust_judgements import (
    marking_findings,
    signer_findings,
)
from kms.core.gbt38540.verification import verdict_of
from kms.core.trust import Trust
from kms.models.seals import SignatureVerdict, Step
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import SIGNATURE_OID
from secops.kernel.catalogue import Text

Findings = Iterator[Step | Text]

_INTEGER: Final = 0x02
_RAW: Final = 64
_DER: Final = range(8, 73)
"""Bytes of a SEQUENCE of r and s."""


@dataclass(frozen=True, slots=True)
class _Signed:
    """What is judged: by whom, what was signed, and whether that is the file."""

    signer: Certificate | None
    signed_at: int | None
    check: SignatureCheck
    fits: bool
    signature: bytes = b""
    time_stamp: bytes | None = None


def is_bare_value(value: bytes) -> bool:
    """Tell whether ``value`` looks like r and s alone: SEQUENCE of INTEGER, or 64 bytes."""
    der = value[:1] == b"\x30" and value[2:3] == bytes((_INTEGER,)) and len(value) in _DER
    return der or len(value) == _RAW


def verify_signed_data(
    value: bytes, signed_file: bytes, outside: Sequence[Step | Text], trust: Trust
) -> SignatureVerdict:
    """Return the verdict on SignedData over ``signed_file`` (the bytes of Signature.xml).

    ``outside`` are the container's findings (digest and range). Raises ``DerError``.
    """
    data = read_signed_data(value)
    signer = read_certificate(data.signer_certificate)
    message = data.signed if data.signed is not None else data.content
    check = check_signature(
        signer,
        SIGNATURE_OID,
        message=signed_file if message is None else message,
        signature=data.signature,
    )
    found = _Signed(
        signer,
        data.signed_at,
        check,
        fits=_fits(data, signed_file),
        signature=data.signature,
        time_stamp=data.time_stamp,
    )
    kind = Text("GB/T 35275 签名数据", "SignedData of GB/T 35275")
    return _verdict(found, kind, outside, trust)


def verify_bare_value(
    value: bytes, signed_file: bytes, outside: Sequence[Step | Text], trust: Trust
) -> SignatureVerdict:
    """Return the verdict on r and s alone.

    No certificate is inside, so only a configured anchor can be the signer.
    """
    kind = Text("裸 SM2 签名值", "a bare SM2 value")
    for anchor in trust.anchors_for("documents"):
        check = check_signature(anchor, SIGNATURE_OID, message=signed_file, signature=value)
        if check.ok:
            return _verdict(_Signed(anchor, None, check, fits=True), kind, outside, trust)
    why = Text(
        "签名值内没有证书,已配置的信任锚均未签署",
        "no certificate is inside, and none of the configured anchors signed it",
    )
    nobody = _Signed(None, None, SignatureCheck(ok=False, why=why), fits=True)
    return _verdict(nobody, kind, outside, trust)


def _verdict(
    found: _Signed, kind: Text, outside: Sequence[Step | Text], trust: Trust
) -> SignatureVerdict:
    findings = [Step("structure", ok=True, why=kind), *_judged(found, outside, trust)]
    signer = "?" if found.signer is None else found.signer.subject_name
    return verdict_of(findings, signer=signer, signed_at=found.signed_at)


def _judged(found: _Signed, outside: Sequence[Step | Text], trust: Trust) -> Findings:
    changed = Text("原文被篡改:Signature.xml", "content changed: Signature.xml")
    for finding in outside:
        if isinstance(finding, Step) and finding.what == "digest" and finding.ok and not found.fits:
            yield Step("digest", ok=False, why=changed)
        else:
            yield finding
    yield from _judged_signer(found, trust)


def _judged_signer(found: _Signed, trust: Trust) -> Findings:
    signer, check = found.signer, found.check
    if signer is None:
        # nobody to ask: it may well be right, but nothing here says whose it is
        yield Step("signature", ok=None, why=check.why)
        return
    wrong = Text(f"签名值不正确:{check.why.zh}", f"signature wrong: {check.why.en}")
    yield Step("signature", ok=check.ok, why=check.why if check.ok else wrong)
    if check.raw:
        yield Text("签名值为裸 r‖s 而非 DER", "a signature value is raw r‖s instead of DER")
    yield from signer_findings(signer, trust, found.signed_at)
    name = Text("签名", "signature")
    stamped = Stamped(name, found.signature, found.time_stamp, found.signed_at, signer)
    yield from timestamp_findings([stamped], trust)
    if signer.allows("digitalSignature"):
        yield Step("policy", ok=True, why=Text("符合策略", "conforms"))
    else:
        why = Text("密钥用途不含数字签名", "its key usage lacks digitalSignature")
        yield Step("policy", ok=False, why=why)
    yield from marking_findings(signer)
    yield Text("这是数字签名,没有印章", "a digital signature, without a seal")


def _fits(data: SignedData, signed_file: bytes) -> bool:
    """Tell whether SignedData is over ``signed_file``: itself, its SM3, or that in Base64."""
    digest = sm3(signed_file)
    if data.message_digest is not None and data.content is None:
        return data.message_digest == digest
    held = data.content in (None, digest, base64.b64encode(digest), signed_file)
    if data.message_digest is None or data.content is None:
        return held
    return held and data.message_digest == sm3(data.content)
