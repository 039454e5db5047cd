"""The steps that weigh a seal against trust and policy (7 to 10, 12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kms.core.gbt38540.evidence import Subject
from kms.core.gbt38540.structures import SM2_WITH_SM3
from kms.core.rfc5280.purposes import purpose_defect
from kms.core.trust import CLOCK_SKEW, RevocationSource, Trust
from kms.models.certificates import AnchorUse
from kms.models.seals import MARKING, Step, What
from secops.crypto.certificates import Certificate, verify_chain
from secops.crypto.errors import UntrustedCertificate
from secops.crypto.hashes import sm3
from secops.kernel.catalogue import Text
from secops.kernel.clock import SECOND, to_rfc3339

Findings = Iterator[Step | Text]

_UNREADABLE: Final = Text("证书无法读取", "the certificate can't be read")


def judge_seal_maker(subject: Subject, trust: Trust) -> Findings:
    """7: the maker may sign, was in time when the seal was made, and is trusted."""
    made_at = subject.seal.property.created_at
    bad = _unfit(subject.maker, made_at)
    if bad is None:
        yield chain_step("seal_maker", subject.maker, trust, at=made_at)
    else:
        why = Text(f"制章者证书无效:{bad.zh}", f"maker not trusted: {bad.en}")
        yield Step("seal_maker", ok=False, why=why)


def judge_chain(subject: Subject, trust: Trust) -> Findings:
    """8: both certificates lead to a configured anchor; an embedded one never is."""
    step = chain_step("chain", subject.maker, trust, at=subject.seal.property.created_at)
    if subject.signature is not None and step.ok:
        step = chain_step("chain", subject.signer, trust, at=subject.signature.signed_at)
    yield step


def judge_validity(subject: Subject, trust: Trust) -> Findings:
    """9: made within the times of the seal and of the signer's certificate, inclusive."""
    signature, property_ = subject.signature, subject.seal.property
    at = trust.now if signature is None else signature.signed_at
    spans = [Span(Text("印章", "seal"), property_.valid_from, property_.valid_until)]
    if subject.signer is not None:
        spans.append(span_of(subject.signer))
    yield from validity_findings(spans, trust, at=at)


def judge_revocation(subject: Subject, trust: Trust) -> Findings:
    """10: neither certificate was revoked before the signature (or, bare seal, by now)."""
    at = trust.now if subject.signature is None else subject.signature.signed_at
    certificates = [each for each in (subject.maker, subject.signer) if each is not None]
    yield from revocation_findings(certificates, trust, at=at)


def judge_policy(subject: Subject, trust: Trust) -> Findings:
    """12: SM2 and SM3 only, nothing critical that is unknown, the seal not suspended."""
    seal, signature = subject.seal, subject.signature
    at = trust.now if signature is None else signature.signed_at
    extensions = seal.extensions if signature is None else seal.extensions + signature.extensions
    unknown = [extension.oid for extension in extensions if extension.critical]
    algorithms = {seal.algorithm} if signature is None else {seal.algorithm, signature.algorithm}
    suspended_at = trust.suspended.get(sm3(seal.raw))
    if algorithms != {SM2_WITH_SM3}:
        why = Text("签名算法不是 SM2-with-SM3", "an algorithm other than SM2 with SM3")
        yield Step("policy", ok=False, why=why)
    elif unknown:
        why = Text(f"未知的关键扩展 {unknown[0]}", f"unknown critical extension {unknown[0]}")
        yield Step("policy", ok=False, why=why)
    elif suspended_at is not None and suspended_at <= at:
        why = Text(
            f"印章自 {to_rfc3339(suspended_at)} 起停用",
            f"the seal is suspended since {to_rfc3339(suspended_at)}",
        )
        yield Step("policy", ok=False, why=why)
    else:
        yield Step("policy", ok=True, why=Text("符合策略", "conforms"))
    if suspended_at is not None and suspended_at > at:
        yield Text("印章在签章之后被停用", "the seal was suspended after this signature")
    yield from marking_findings(subject.maker)


def marking_findings(certificate: Certificate | None) -> Findings:
    """Warn of what the built-in CA issued."""
    if certificate is not None and MARKING in certificate.issuer_name:
        yield Text(
            f"{MARKING}:由内置测试 CA 签发,不具有法律效力",
            "test or internal use: issued by a built-in test CA, without legal effect",
        )


@dataclass(frozen=True, slots=True)
class Span:
    """The time in which something counts, both ends included (UTC microseconds)."""

    name: Text
    start: int
    end: int


def span_of(signer: Certificate) -> Span:
    """Return the time of a signer's certificate."""
    name = Text("签章人证书", "signer's certificate")
    return Span(name, signer.not_before, signer.not_after)


def validity_findings(spans: Sequence[Span], trust: Trust, *, at: int) -> Findings:
    """Weigh the signing time ``at`` against ``spans``; what expired since is a warning."""
    outside = [span for span in spans if not span.start <= at <= span.end]
    shown = to_rfc3339(at // SECOND * SECOND)
    if at > trust.now + CLOCK_SKEW:
        why = Text(f"签章时间 {shown} 在未来", f"signed in the future, {shown}")
        yield Step("validity", ok=False, why=why)
    elif outside:
        name = outside[0].name
        span = f"{to_rfc3339(outside[0].start)} – {to_rfc3339(outside[0].end)}"
        why = Text(
            f"{shown} 不在{name.zh}有效期内:{span}",
            f"{shown} is outside the validity of the {name.en}: {span}",
        )
        yield Step("validity", ok=False, why=why)
    else:
        why = Text(f"{shown} 在有效期内", f"{shown} is within the validity")
        yield Step("validity", ok=True, why=why)
    for each in spans:
        if at <= each.end < trust.now:
            yield Text(
                f"{each.name.zh}此后已于 {to_rfc3339(each.end)} 过期",
                f"the {each.name.en} has expired since, {to_rfc3339(each.end)}",
            )


def revocation_findings(certificates: Sequence[Certificate], trust: Trust, *, at: int) -> Findings:
    """Weigh what is known of revocations against the signing time ``at``."""
    judged = [each for each in certificates if _covered(each, trust.revocations)]
    if trust.revocations is None or not judged:
        why = Text("没有吊销信息来源", "no source of revocations")
        yield Step("revocation", ok=None, why=why)
        return
    known, stale = trust.revocations.revoked, trust.revocations.stale
    revoked = [
        (each, known[each.issuer, each.serial])
        for each in judged
        if (each.issuer, each.serial) in known
    ]
    before = [each for each, since in revoked if since <= at]
    for certificate, since in revoked:
        yield Text(
            f"证书 {certificate.common_name} 于 {to_rfc3339(since)} 被吊销",
            f"the certificate {certificate.common_name} was revoked {to_rfc3339(since)}",
        )
    if before:
        why = Text("签章时证书已吊销", "revoked before the signature")
        yield Step("revocation", ok=False, why=why)
    elif late := [known_until for each in judged if (known_until := stale.get(each.issuer))]:
        shown = to_rfc3339(min(late))
        why = Text(
            f"吊销列表已过期,应于 {shown} 更新", f"the list should have been renewed {shown}"
        )
        yield Step("revocation", ok=None, why=why)
    elif len(judged) < len(certificates):
        why = Text("仅部分证书有吊销信息", "there is news of only one of the certificates")
        yield Step("revocation", ok=None, why=why)
    else:
        why = Text("签章时证书未被吊销", "not revoked at the time of the signature")
        yield Step("revocation", ok=True, why=why)


def _unfit(certificate: Certificate | None, at: int) -> Text | None:
    if certificate is None:
        return _UNREADABLE
    if not certificate.allows("digitalSignature"):
        return Text("密钥用途不含数字签名", "its key usage lacks digitalSignature")
    if not certificate.not_before <= at <= certificate.not_after:
        span = f"{to_rfc3339(certificate.not_before)} – {to_rfc3339(certificate.not_after)}"
        return Text(
            f"制章时 {to_rfc3339(at)} 不在证书有效期 {span} 内",
            f"{to_rfc3339(at)}, when the seal was made, is outside {span}",
        )
    return None


def signer_findings(signer: Certificate, trust: Trust, signed_at: int | None) -> Findings:
    """Judge the signer of a signature without a seal, now where nothing says when it was made."""
    at = trust.now if signed_at is None else signed_at
    yield chain_step("chain", signer, trust, at=at, use="documents")
    yield from validity_findings([span_of(signer)], trust, at=at)
    yield from revocation_findings([signer], trust, at=at)


def chain_step(
    what: What,
    certificate: Certificate | None,
    trust: Trust,
    *,
    at: int,
    use: AnchorUse = "seals",
) -> Step:
    """Return whether ``certificate`` led to an anchor for ``use`` at ``at``; None without any."""
    if certificate is None:
        return Step(what, ok=False, why=_UNREADABLE)
    anchors = trust.anchors_for(use)
    if not anchors:
        return Step(what, ok=None, why=Text("未配置信任锚", "no trust anchor is configured"))
    defect = purpose_defect(certificate, makes_seals=what == "seal_maker")
    if defect is not None:
        why = Text(f"证书用途不符:{defect.zh}", f"not for this: {defect.en}")
        return Step(what, ok=False, why=why)
    try:
        chain = verify_chain(certificate, (), anchors, at=at)
    except UntrustedCertificate as error:
        why = Text(f"证书链不可信:{error.detail}", f"untrusted issuer: {error.detail}")
        return Step(what, ok=False, why=why)
    anchor = chain[-1].subject_name
    return Step(what, ok=True, why=Text(f"证书链到 {anchor}", f"leads to {anchor}"))


def _covered(certificate: Certificate, source: RevocationSource | None) -> bool:
    return source is not None and certificate.issuer in source.issuers
