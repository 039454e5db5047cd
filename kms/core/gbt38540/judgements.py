"""The steps that weigh a seal against itself and its document (1 to 6).

GM/T 0031-2014 §7 and GB/T 38540-2020 §8. Signatures are checked over stored bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kms.core.gbt35276.sm2_signatures import SignatureCheck, check_signature
from kms.core.gbt38540.evidence import Subject
from kms.core.gbt38540.structures import SM3_BYTES, SealSignature
from kms.core.trust import Trust
from kms.models.seals import Step, What
from secops.crypto.hashes import sm3
from secops.kernel.catalogue import Text

Findings = Iterator[Step | Text]

WHOLE_DOCUMENT: Final = "detached"
"""Our propertyInfo of a value over a whole file."""

_NOTHING_HASHED: Final = bytes(SM3_BYTES)
_MAGIC: Final = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "JPG": (b"\xff\xd8\xff",),
    "JPEG": (b"\xff\xd8\xff",),
    "BMP": (b"BM",),
    "OFD": (b"PK\x03\x04",),
    "SVG": (b"<svg", b"<?xml"),
}


def judge_structure(subject: Subject) -> Findings:
    """1: whole DER of one version's shape; both certificates can be read."""
    bad = [
        what
        for what, certificate, needed in (
            (Text("制章者", "maker's"), subject.maker, True),
            (Text("签章人", "signer's"), subject.signer, subject.signature is not None),
        )
        if needed and certificate is None
    ]
    if bad:
        zh, en = "、".join(text.zh for text in bad), " and ".join(text.en for text in bad)
        why = Text(f"格式不合规:{zh}证书无法读取", f"malformed: the {en} certificate can't be read")
        yield Step("structure", ok=False, why=why)
    else:
        version = subject.seal.version
        why = Text(f"格式符合第 {version} 版", f"has the shape of version {version}")
        yield Step("structure", ok=True, why=why)
    picture = subject.seal.picture
    if not picture.data.startswith(_MAGIC.get(picture.kind.upper(), ())):
        yield Text("印章图片与其声明的类型不符", "the picture is not of the type it claims")


def judge_digest(subject: Subject, signature: SealSignature) -> Findings:
    """2: dataHash is the SM3 of the protected bytes."""
    evidence = subject.evidence
    if evidence.findings is not None:
        yield from evidence.findings
        return
    if signature.data_hash == _NOTHING_HASHED:
        yield Text(
            "原文摘要为全零:该签章没有保护任何内容", "dataHash is all zero: it protects nothing"
        )
    if evidence.document_digest is None:
        why = Text("未提供原文,无法比对", "no document was given to compare with")
        yield Step("digest", ok=None, why=why)
    elif evidence.document_digest == signature.data_hash:
        yield Step("digest", ok=True, why=Text("原文摘要一致", "the document is the one signed"))
    else:
        why = Text("原文被篡改或不是所签原文", "content changed: not the document that was signed")
        yield Step("digest", ok=False, why=why)


def judge_range(subject: Subject, signature: SealSignature) -> Findings:
    """3: what the signature covers."""
    evidence = subject.evidence
    if evidence.findings is not None:
        return
    if signature.property_info != WHOLE_DOCUMENT:
        why = Text(
            f"签章值保护 {signature.property_info};保护范围需连同所在文件验证",
            f"it protects {signature.property_info}: its range shows only in the file around it",
        )
        yield Step("range", ok=None, why=why)
    elif evidence.document_digest is None:
        yield Step("range", ok=None, why=Text("未提供原文", "no document was given"))
    else:
        why = Text("保护整个文件", "the whole file is covered")
        yield Step("range", ok=True, why=why)


def judge_signature(subject: Subject, signature: SealSignature) -> Findings:
    """4: the signer's SM2 signature over the stored TBS_Sign."""
    check = check_signature(
        subject.signer, signature.algorithm, message=signature.signed, signature=signature.signature
    )
    yield from _signature_findings("signature", check, Text("签章签名值不正确", "signature wrong"))


def judge_signer_listed(subject: Subject, signature: SealSignature) -> Findings:
    """5: the very bytes of the signer's certificate, or their digest, are in the seal's list."""
    listed = subject.seal.property
    certificate = signature.signer_certificate
    if certificate in listed.certificates or sm3(certificate) in listed.certificate_digests:
        why = Text("签章人在证书列表中", "the seal lists the signer")
        yield Step("signer_listed", ok=True, why=why)
    else:
        why = Text("签章人不在证书列表中", "the seal does not list the signer")
        yield Step("signer_listed", ok=False, why=why)


def judge_seal_signature(subject: Subject, _trust: Trust) -> Findings:
    """6: the maker's SM2 signature over the seal."""
    seal = subject.seal
    check = check_signature(
        subject.maker, seal.algorithm, message=seal.signed, signature=seal.signature
    )
    yield from _signature_findings("seal_signature", check, Text("印章签名值不正确", "seal forged"))


def _signature_findings(what: What, check: SignatureCheck, wrong: Text) -> Findings:
    why = (
        check.why if check.ok else Text(f"{wrong.zh}:{check.why.zh}", f"{wrong.en}: {check.why.en}")
    )
    yield Step(what, ok=check.ok, why=why)
    if check.raw:
        yield Text("签名值为裸 r‖s 而非 DER", "a signature value is raw r‖s instead of DER")
