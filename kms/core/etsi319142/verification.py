"""Weigh what was found in a PDF: the range, the digest, the signature, its signer, the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from kms.core.etsi319142.time_stamps import (
    document_stamp,
    document_stamp_findings,
    proved_time,
    stamps_of,
    timestamp_step,
)
from kms.core.etsi319142.validation_data import dated_trust
from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.reading import read_seal_file
from kms.core.gbt38540.structures import Seal, SealSignature
from kms.core.gbt38540.trust_judgements import (
    marking_findings,
    signer_findings,
)
from kms.core.gbt38540.verification import judge, malformed_verdict, verdict_of
from kms.core.trust import Trust, readable_certificate
from kms.core.x690 import DerError
from kms.core.x690.elements import MAX_FILE_BYTES, MAX_FILE_ELEMENTS, at_most
from kms.models.seals import SignatureVerdict, Step, VerificationReport
from kms.models.time_stamps import TokenVerdict
from kms.ports.pdf import PADES, SES, TIME_STAMP, FoundSignature, ReadPdf
from secops.crypto.certificates import Certificate
from secops.crypto.hashes import sm3
from secops.kernel.catalogue import Text

Findings = Iterator[Step | Text]

PROPERTY_INFO: Final = "/ByteRange"
"""Our propertyInfo of a SES_Signature in a PDF."""

_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_LONG: Final = 0x80


def verify_pdf(document: bytes, found: ReadPdf, trust: Trust) -> VerificationReport:
    """Return the verdict on the signatures ``found`` in ``document``."""
    with at_most(MAX_FILE_ELEMENTS, MAX_FILE_BYTES):
        judge_of = _Judge(document, found, trust)
        verdicts = [judge_of.verdict(each) for each in found.signatures]
    version = next((version for _, version in verdicts if version is not None), None)
    warnings = () if verdicts else (Text("文件没有签章", "the file has no signature"),)
    return VerificationReport("pdf", version, tuple(each for each, _ in verdicts), warnings)


class _Judge:
    """Judges each signature of one file, with what all of it proves of times."""

    def __init__(self, document: bytes, found: ReadPdf, trust: Trust) -> None:
        self._document = document
        self._known = dated_trust(trust, found.validation_data)
        # behind the last signature there may be validation data, and nothing else
        self._closed = any(each.covers_file or each.validation_data for each in found.signatures)
        self._stamps = {
            each.byte_range: document_stamp(document, each, token, self._known)
            for each in found.signatures
            if each.subfilter == TIME_STAMP
            and not each.problem
            and (token := _without_padding(each.contents)) is not None
        }

    def verdict(self, found: FoundSignature) -> tuple[SignatureVerdict, int | None]:
        """Return the verdict on one signature, and the version of a SES_Signature."""
        if found.problem:
            return malformed_verdict(found.problem), None
        if found.subfilter == SES:
            return _ses_verdict(self._document, found, self._known.trust)
        value = _without_padding(found.contents)
        if value is None:
            return malformed_verdict("bytes after the end of the signature"), None
        if found.subfilter == TIME_STAMP:
            return self._stamp_verdict(found, self._stamps[found.byte_range]), None
        return self._cms_verdict(found, value), None

    def _cms_verdict(self, found: FoundSignature, value: bytes) -> SignatureVerdict:
        signer = readable_certificate(found.signer_certificate)
        if signer is None:
            return malformed_verdict("the signer's certificate can't be read")
        try:
            own = stamps_of(value, self._known)
        except DerError as error:
            return malformed_verdict(str(error))
        findings = self._findings(found, signer, own)
        return verdict_of(findings, signer=signer.subject_name, signed_at=found.signed_at)

    def _findings(
        self, found: FoundSignature, signer: Certificate, own: tuple[TokenVerdict, ...]
    ) -> Findings:
        later = [
            stamp
            for (_, _, end, rest), stamp in self._stamps.items()
            if end + rest > found.byte_range[2] + found.byte_range[3]
        ]
        yield Step("structure", ok=True, why=self._form(found, own, later))
        if found.intact:
            yield Step("digest", ok=True, why=Text("原文摘要一致", "the bytes are those signed"))
        else:
            yield Step("digest", ok=False, why=Text("原文被篡改", "content changed"))
        yield _range_step(found, closed=self._closed)
        if found.valid:
            yield Step("signature", ok=True, why=Text("签名值正确", "correct"))
        else:
            yield Step("signature", ok=False, why=Text("签章签名值不正确", "signature wrong"))
        # a bad time-stamp of the document has a verdict of its own; a good one proves a time
        stamps = (*own, *(each for each in later if each.valid))
        at = proved_time(stamps) or found.signed_at
        trust = self._known.at(self._known.trust.now if at is None else at)
        yield from signer_findings(signer, trust, at)
        yield timestamp_step(stamps, found.signed_at)
        yield _policy_step(found, signer)
        yield from marking_findings(signer)
        for stamp in own:
            yield from stamp.warnings

    def _stamp_verdict(self, found: FoundSignature, stamp: TokenVerdict) -> SignatureVerdict:
        said = stamp.stamped
        return verdict_of(
            (*document_stamp_findings(stamp), _range_step(found, closed=self._closed)),
            signer=said.authority if said else None,
            signed_at=said.made_at if said else None,
        )

    def _form(
        self, found: FoundSignature, own: Sequence[TokenVerdict], later: Sequence[TokenVerdict]
    ) -> Text:
        """Return what the signature is; the level says what is there, not that it is good."""
        if found.subfilter != PADES:
            return Text("CMS 签名数据", f"CMS, {found.subfilter}")
        level = "B-B"
        if own:
            level = "B-T"
        if own and self._known.lists:
            level = "B-LTA" if later else "B-LT"
        return Text(f"CMS 签名数据,PAdES {level}", f"CMS, {found.subfilter}, PAdES {level}")


def _range_step(found: FoundSignature, *, closed: bool) -> Step:
    """3: the whole file, or a later signature covers the rest (``closed``)."""
    if found.covers_file:
        return Step("range", ok=True, why=Text("保护整个文件", "the whole file is covered"))
    if found.unchanged and (closed or found.validation_data):
        why = Text("此后仅增加了签名", "only signatures came after it")
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
    digest = sm3(found.signed_bytes(document))
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
