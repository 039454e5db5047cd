"""Verify a time-stamp token in nine steps, each with its own verdict (RFC 3161 §2.3, §2.4.2).

No step stops the others. Signatures are checked over stored bytes; a certificate inside the
token is never an anchor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from kms.core.rfc3161.tokens import TimestampToken, token_of
from kms.core.rfc5280.profiles import TIME_STAMPING
from kms.core.rfc5652.reading import SignedData, SignerInfo, only_signer, signed_data_at
from kms.core.rfc5652.schemes import HASHES
from kms.core.rfc5652.verification import (
    certificate_of,
    check_content,
    check_signer,
    check_signing_certificate,
    names_by_sha1,
)
from kms.core.trust import CLOCK_SKEW, Trust, readable_certificate
from kms.core.x690 import DerError, read_der, values
from kms.models.seals import MARKING
from kms.models.time_stamps import StampedTime, TokenStep, TokenVerdict
from secops.crypto.certificates import Certificate, verify_chain
from secops.crypto.errors import UntrustedCertificate
from secops.kernel.catalogue import Text
from secops.kernel.clock import to_rfc3339

DigestOf = Callable[[str], bytes | None]
"""Returns the digest by a named hash of what was stamped; None where that is not at hand."""

Findings = Iterator[TokenStep | Text]

_PURPOSES: Final = "2.5.29.37"
_EXTENSIONS: Final = 0xA3
_SIGNING: Final = ("digitalSignature", "nonRepudiation")


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is judged."""

    data: SignedData
    token: TimestampToken
    signer: SignerInfo
    certificate: Certificate


def verify_time_stamp(token: bytes, digest_of: DigestOf, trust: Trust) -> TokenVerdict:
    """Return the verdict on ``token`` over that whose digest ``digest_of`` returns."""
    try:
        subject = _subject(token, trust)
    except DerError as error:
        why = Text(f"不是可判定的时间戳令牌:{error}", f"no token that can be judged: {error}")
        return TokenVerdict(None, (TokenStep("structure", ok=False, why=why),))
    found = list(_findings(subject, digest_of, trust))
    said = subject.token
    return TokenVerdict(
        StampedTime(
            made_at=said.made_at,
            accuracy=said.accuracy,
            authority=subject.certificate.subject_name,
            policy=said.policy,
            serial=f"{said.serial:x}",
            hash_name=HASHES.get(said.digest_algorithm, said.digest_algorithm),
        ),
        tuple(each for each in found if isinstance(each, TokenStep)),
        tuple(each for each in found if isinstance(each, Text)),
    )


def _subject(token: bytes, trust: Trust) -> _Subject:
    root = read_der(token)
    data = signed_data_at(root)
    said = token_of(data, root)
    signer = only_signer(data, root)
    if signer.signed is None:
        root.refuse("the token has no signed attributes")
    certificate = certificate_of(signer, data, trust.anchors_for("time_stamps"))
    if certificate is None:
        root.refuse("the authority's certificate is not in the token, or not readable")
    return _Subject(data, said, signer, certificate)


def _findings(subject: _Subject, digest_of: DigestOf, trust: Trust) -> Findings:
    yield TokenStep("structure", ok=True, why=Text("时间戳令牌", "a token of one authority"))
    yield _imprint(subject.token, digest_of)
    defect = check_content(subject.signer, subject.data)
    good = Text("已签属性与内容相符", "the signed attributes are of this content")
    yield TokenStep("content", ok=defect is None, why=defect or good)
    check = check_signer(subject.signer, subject.certificate)
    yield TokenStep("signature", ok=check.ok, why=check.why)
    if check.raw:
        yield Text("签名值为裸 r‖s 而非 DER", "the signature value is raw r‖s instead of DER")
    defect = check_signing_certificate(subject.signer, subject.certificate)
    good = Text("签名证书标识相符", "the attributes name this very certificate")
    yield TokenStep("certificate", ok=defect is None, why=defect or good)
    if defect is None and names_by_sha1(subject.signer):
        yield Text("以 SHA-1 标识证书", "only SHA-1 names its certificate")
    yield _purpose(subject.certificate)
    yield from _trusted(subject, trust)
    yield from _remarks(subject)


def _imprint(token: TimestampToken, digest_of: DigestOf) -> TokenStep:
    """2: the token is over this very content."""
    name = HASHES.get(token.digest_algorithm)
    if name is None:
        algorithm = token.digest_algorithm
        why = Text(f"摘要算法 {algorithm} 不接受", f"the hash {algorithm} is not accepted")
        return TokenStep("imprint", ok=False, why=why)
    expected = digest_of(name)
    if expected is None:
        why = Text("未提供原文,无法比对", "nothing was given to compare with")
        return TokenStep("imprint", ok=None, why=why)
    if not compare_digest(expected, token.digest):
        why = Text("与所盖内容不符", "it stamps something else")
        return TokenStep("imprint", ok=False, why=why)
    return TokenStep("imprint", ok=True, why=Text("摘要一致", "it stamps this very content"))


def _purpose(certificate: Certificate) -> TokenStep:
    """6: extended key usage is timeStamping alone, and critical (RFC 3161 §2.3)."""
    if _purposes(certificate) != ((TIME_STAMPING,), True):
        why = Text(
            "证书的扩展密钥用途须仅为 timeStamping 且为关键扩展",
            "its extended key usage is not timeStamping alone and critical",
        )
        return TokenStep("purpose", ok=False, why=why)
    if certificate.key_usage is not None and not any(map(certificate.allows, _SIGNING)):
        why = Text("密钥用途不含数字签名", "its key usage allows no signatures")
        return TokenStep("purpose", ok=False, why=why)
    return TokenStep("purpose", ok=True, why=Text("仅用于时间戳", "for time-stamps alone"))


def _purposes(certificate: Certificate) -> tuple[tuple[str, ...], bool]:
    """Return the extended key usages of ``certificate``, and whether they are critical."""
    try:
        fields = [each for each in read_der(certificate.tbs).children if each.tag == _EXTENSIONS]
        for extension in (entry for field in fields for entry in field.children[0].children):
            kind, *critical, value = extension.sequence("extension", 2, 3)
            if values.oid(kind, "extnID") == _PURPOSES:
                listed = read_der(values.octets(value, "extnValue")).sequence("extKeyUsage")
                flag = any(values.boolean(each, "critical") for each in critical)
                return tuple(values.oid(each, "purpose") for each in listed), flag
    except DerError:
        return (), False
    return (), False


def _trusted(subject: _Subject, trust: Trust) -> Findings:
    """7 to 9: at the time the token says, whatever became of the certificate since."""
    certificate, at = subject.certificate, subject.token.made_at
    step, chain = _chain(subject, trust)
    yield step
    shown = to_rfc3339(at)
    span = f"{to_rfc3339(certificate.not_before)} – {to_rfc3339(certificate.not_after)}"
    if at > trust.now + CLOCK_SKEW:
        why = Text(f"时间戳时间 {shown} 在未来", f"stamped in the future, {shown}")
        yield TokenStep("validity", ok=False, why=why)
    elif not certificate.not_before <= at <= certificate.not_after:
        why = Text(f"{shown} 不在证书有效期 {span} 内", f"{shown} is outside {span}")
        yield TokenStep("validity", ok=False, why=why)
    else:
        why = Text(f"{shown} 在证书有效期内", f"{shown} is within the certificate's time")
        yield TokenStep("validity", ok=True, why=why)
    if at <= certificate.not_after < trust.now:
        until = to_rfc3339(certificate.not_after)
        yield Text(
            f"时间戳证书此后已于 {until} 过期", f"its certificate has expired since, {until}"
        )
    # the anchor itself was believed by decision, whatever a list of its own says
    steps = [_revocation(each, trust) for each in chain[:-1] or (certificate,)]
    yield next((each for each in steps if each.ok is False), steps[0])


def _chain(subject: _Subject, trust: Trust) -> tuple[TokenStep, Sequence[Certificate]]:
    """Return the step, and the chain from the authority to an anchor where there is one."""
    anchors = trust.anchors_for("time_stamps")
    if not anchors:
        why = Text("未配置信任锚", "no trust anchor is configured")
        return TokenStep("chain", ok=None, why=why), ()
    found = [each for der in subject.data.certificates if (each := readable_certificate(der))]
    try:
        chain = verify_chain(subject.certificate, found, anchors, at=subject.token.made_at)
    except UntrustedCertificate as error:
        why = Text(f"证书链不可信:{error.detail}", f"untrusted issuer: {error.detail}")
        return TokenStep("chain", ok=False, why=why), ()
    anchor = chain[-1].subject_name
    why = Text(f"证书链到 {anchor}", f"leads to {anchor}")
    return TokenStep("chain", ok=True, why=why), chain


def _revocation(certificate: Certificate, trust: Trust) -> TokenStep:
    """9: not revoked at all, for a list that gives no reason lets no token stand (§4, 1)."""
    source = trust.revocations
    if source is None or certificate.issuer not in source.issuers:
        why = Text("没有吊销信息来源", "no source of revocations")
        return TokenStep("revocation", ok=None, why=why)
    since = source.revoked.get((certificate.issuer, certificate.serial))
    if since is None and certificate.issuer in source.stale:
        shown = to_rfc3339(source.stale[certificate.issuer])
        why = Text(
            f"吊销列表已过期,应于 {shown} 更新", f"the list should have been renewed {shown}"
        )
        return TokenStep("revocation", ok=None, why=why)
    if since is None:
        why = Text("时间戳证书未被吊销", "its certificate is not revoked")
        return TokenStep("revocation", ok=True, why=why)
    when, whose = to_rfc3339(since), certificate.common_name
    why = Text(
        f"时间戳证书({whose})于 {when} 被吊销,此前的令牌也不再可信",
        f"its certificate ({whose}) was revoked {when}; tokens from before count no more either",
    )
    return TokenStep("revocation", ok=False, why=why)


def _remarks(subject: _Subject) -> Findings:
    certificate, said = subject.certificate, subject.token.authority
    if said and said != certificate.subject:
        yield Text("令牌所写机构名与证书不同", "the token gives its authority another name")
    if MARKING in certificate.issuer_name:
        yield Text(
            f"{MARKING}:由内置测试 CA 的时间戳机构签发,不具有法律效力",
            "test or internal use: an authority of the built-in test CA, without legal effect",
        )
