"""Weigh what was found in a PDF: the range, the digest, the signature, its signer, the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from kms.core.gbt38540.evidence import Evidence, Trust, readable_certificate
from kms.core.gbt38540.reading import read_seal_file
from kms.core.gbt38540.structures import Seal, SealSignature
from kms.core.gbt38540.trust_judgements import (
    marking_findings,
    signer_findings,
)
from kms.core.gbt38540.verification import judge, malformed_verdict, verdict_of
from kms.core.x690 import DerError
from kms.models.seals import SignatureVerdict, Step, VerificationReport
from kms.ports.pdf import SES, FoundSignature
from secops.crypto.certificates import Certificate
from secops.crypto.hashes import sm3
from secops.kernel.catalogue import Text

Findings = Iterator[Step | Text]

PROPERTY_INFO: Final = "/ByteRange"
"""Our propertyInfo of a SES_Signature in a PDF."""

_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_LONG: Final = 0x80


def verify_pdf(
    document: bytes, found: Sequence[FoundSignature], trust: Trust
) -> VerificationReport:
    """Return the verdict on the signatures ``found`` in ``document``."""
    closed = any(each.covers_file for each in found)
    verdicts = [_verdict(document, each, trust, closed=closed) for each in found]
    version = next((version for _, version in verdicts if version is not None), None)
    warnings = () if verdicts else (Text("文件没有签章", "the file has no signature"),)
    return VerificationReport("pdf", version, tuple(each for each, _ in verdicts), warnings)


def _verdict(
    document: bytes, found: FoundSignature, trust: Trust, *, closed: bool
) -> tuple[SignatureVerdict, int | None]:
    if found.problem:
        return malformed_verdict(found.problem), None
    if found.subfilter == SES:
        return _ses_verdict(document, found, trust)
    if _without_padding(found.contents) is None:
        return malformed_verdict("bytes after the end of the signature"), None
    signer = readable_certificate(found.signer_certificate)
    if signer is None:
        return malformed_verdict("the signer's certificate can't be read"), None
    findings = _judged(found, signer, trust, closed=closed)
    return verdict_of(findings, signer=signer.subject_name, signed_at=found.signed_at), None


def _judged(found: FoundSignature, signer: Certificate, trust: Trust, *, closed: bool) -> Findings:
    yield Step("structure", ok=True, why=Text("CMS 签名数据", f"CMS, {found.subfilter}"))
    if found.intact:
        yield Step("digest", ok=True, why=Text("原文摘要一致", "the bytes are those signed"))
    else:
        yield Step("digest", ok=False, why=Text("原文被篡改", "content changed"))
    yield _range_step(found, closed=closed)
    if found.valid:
        yield Step("signature", ok=True, why=Text("签名值正确", "correct"))
    else:
        yield Step("signature", ok=False, why=Text("签章签名值不正确", "signature wrong"))
    yield from signer_findings(signer, trust, found.signed_at)
    why = Text(
        "未判定时间戳:签名时间由签名人自行声明", "not judged: the time is the signer's own word"
    )
    yield Step("timestamp", ok=None, why=why)
    yield _policy_step(found, signer)
    yield from marking_findings(signer)


def _range_step(found: FoundSignature, *, closed: bool) -> Step:
    """3: the whole file, or a later signature covers the rest (``closed``)."""
    if found.covers_file:
        return Step("range", ok=True, why=Text("保护整个文件", "the whole file is covered"))
    if found.unchanged and (closed or found.validation_data):
        why = Text("此后仅增加了签名", "only signatures and form fields came after it")
        return Step("range", ok=True, why=why)
    why = Text("签名之后文件被修改", "the file was changed after this signature")
    return Step("range", ok=False, why=why)


def _policy_step(found: FoundSignature, signer: Certificate) -> Step:
    if found.digest_algorithm not in _HASHES:
        name = found.digest_algorithm or "?"
        why = Text(f"摘要算法 {name} 不接受", f"the hash {name} is not accepted")
        return Step("policy", ok=False, why=why)
    if not (signer.allows("digitalSignature") or signer.allows("nonRepudiation")):
        why = Text("密钥用途不含数字签名", "its key usage lacks digitalSignature")
        return Step("policy", ok=False, why=why)
    return Step("policy", ok=True, why=Text("符合策略", "conforms"))


def _ses_verdict(
    document: bytes, found: FoundSignature, trust: Trust
) -> tuple[SignatureVerdict, int | None]:
    """Return the verdict on a SES_Signature: SM3 over all but its own hex string."""
    try:
        value = read_seal_file(_without_padding(found.contents) or found.contents)
    except DerError as error:
        return malformed_verdict(str(error)), None
    if isinstance(value, Seal):
        return malformed_verdict("/Contents holds a seal instead of a signature"), None
    _, start, end, rest = found.byte_range
    digest = sm3(document[:start] + document[end : end + rest])
    findings = (_ses_digest(value, digest), _range_step(found, closed=False))
    verdict = judge(value, Evidence(findings=findings), trust)
    warning = Text(
        "SM2 签章使用自有 SubFilter,通用 PDF 阅读器不会验证",
        "SM2 under a subfilter of our own: common PDF readers don't validate it",
    )
    return replace(verdict, warnings=(*verdict.warnings, warning)), value.version


def _ses_digest(value: SealSignature, digest: bytes) -> Step:
    if value.property_info != PROPERTY_INFO:
        said = value.property_info
        why = Text(f"签章保护的是 {said}", f"it protects {said}, not this PDF's bytes")
        return Step("digest", ok=False, why=why)
    if value.data_hash != digest:
        return Step("digest", ok=False, why=Text("原文被篡改", "content changed"))
    return Step("digest", ok=True, why=Text("原文摘要一致", "the bytes are those signed"))


def _without_padding(contents: bytes) -> bytes | None:
    """Return the one element of definite length at the start, None unless only zeros follow."""
    size = contents[1] if len(contents) > 1 else _LONG
    count = size - _LONG if size >= _LONG else 0
    length = int.from_bytes(contents[2 : 2 + count], "big") if count else size
    end = 2 + count + length
    return None if size == _LONG or contents[end:].strip(b"\x00") else contents[:end]
