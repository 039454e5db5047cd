"""Verify an OFD: each signature's value, the digests it protects, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kms.core.gbt33190.package import OfdError, OfdPackage
from kms.core.gbt33190.reach import reachable
from kms.core.gbt33190.signatures import KEYED_SM3, ListedSignature, read_signatures
from kms.core.gbt35275.reading import is_signed_data
from kms.core.gbt35275.verification import (
    is_bare_value,
    verify_bare_value,
    verify_signed_data,
)
from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.reading import read_seal_file
from kms.core.gbt38540.structures import SM2_WITH_SM3, Seal, SealSignature
from kms.core.gbt38540.verification import judge, malformed_verdict
from kms.core.trust import Trust
from kms.core.x690 import DerError
from kms.core.x690.elements import MAX_FILE_BYTES, MAX_FILE_ELEMENTS, at_most
from kms.models.seals import SignatureVerdict, Step, VerificationReport
from secops.crypto.hashes import sm3
from secops.kernel.catalogue import Text

Findings = Iterator[Step | Text]

_SIGN: Final = "Sign"
_MAX_VALUE: Final = 4 << 20
_NAMED: Final = 3
"""How many files a reason names."""


def verify_ofd(content: bytes, trust: Trust) -> VerificationReport:
    """Return the verdict on each signature of the OFD ``content``."""
    try:
        package = OfdPackage(content)
        signatures = read_signatures(package)
        shown = reachable(package)
        with at_most(MAX_FILE_ELEMENTS, MAX_FILE_BYTES):
            verdicts = [
                _verdict(package, signature, signatures, shown=shown, trust=trust)
                for signature in signatures
            ]
    except OfdError as error:
        return VerificationReport("ofd", None, (malformed_verdict(str(error)),))
    version = next((version for _, version in verdicts if version is not None), None)
    warnings = () if verdicts else (Text("文件没有签章", "the file has no signature"),)
    return VerificationReport("ofd", version, tuple(each for each, _ in verdicts), warnings)


def _verdict(
    package: OfdPackage,
    listed: ListedSignature,
    signatures: Sequence[ListedSignature],
    *,
    shown: frozenset[str],
    trust: Trust,
) -> tuple[SignatureVerdict, int | None]:
    value = package.read(listed.value_path, _MAX_VALUE)
    outside = tuple(_judge_range(package, listed, signatures, shown=shown))
    try:
        if listed.kind == _SIGN:
            verdict = _sealless_verdict(package, listed, outside, value=value, trust=trust)
            if verdict is not None:
                return verdict, None
        found = read_seal_file(value)
    except DerError as error:
        return _unjudged(package, listed, outside, why=str(error)), None
    if isinstance(found, Seal):
        why = "SignedValue holds a seal instead of a signature"
        return _unjudged(package, listed, outside, why=why), None
    findings = (*_judge_digest(package, listed, found), *outside)
    return judge(found, Evidence(findings=findings), trust), found.version


def _sealless_verdict(
    package: OfdPackage,
    listed: ListedSignature,
    outside: tuple[Step | Text, ...],
    *,
    value: bytes,
    trust: Trust,
) -> SignatureVerdict | None:
    """Return the verdict on a digital signature; None for a value that may hold a seal.

    Raises ``DerError`` where it is SignedData that can't be read.
    """
    findings = (*_judge_references(package, listed), *outside)
    signed = package.read(listed.path)
    if is_bare_value(value):
        return verify_bare_value(value, signed, findings, trust)
    if is_signed_data(value):
        return verify_signed_data(value, signed, findings, trust)
    return None


def _unjudged(
    package: OfdPackage, listed: ListedSignature, outside: tuple[Step | Text, ...], *, why: str
) -> SignatureVerdict:
    """Return a verdict that can't be valid, for a value that can't be read."""
    reason = Text(
        f"格式不合规,签名值无法识别:{why}", f"malformed, the value is none that is known: {why}"
    )
    findings = [*_judge_references(package, listed), *outside]
    steps = [Step("structure", ok=False, why=reason)]
    steps += [finding for finding in findings if isinstance(finding, Step)]
    warnings = tuple(finding for finding in findings if isinstance(finding, Text))
    return SignatureVerdict("?", None, None, tuple(steps), warnings)


def _judge_digest(
    package: OfdPackage, listed: ListedSignature, signature: SealSignature
) -> Findings:
    """2: the references, dataHash over Signature.xml, propertyInfo, Seal.esl."""
    defects: list[Text] = []
    for finding in _judge_references(package, listed):
        if isinstance(finding, Text):
            yield finding
        elif finding.ok is False:
            defects.append(finding.why)
    if signature.data_hash != package.digest(listed.path):
        defects.append(_changed(listed.path))
    if signature.property_info.lstrip("/") != listed.path:
        defects.append(
            Text(
                f"签章保护的是 {signature.property_info} 而不是 {listed.path}",
                f"it protects {signature.property_info}, not {listed.path}",
            )
        )
    seal_path = listed.seal_path
    # by its digest, which is kept: all signatures may name one file that unpacks to 64 MiB
    if seal_path is not None and package.digest(seal_path) != sm3(signature.seal.raw):
        defects.append(_changed(seal_path))
    if listed.method and listed.method != SM2_WITH_SM3:
        yield Text(f"签名方法写为 {listed.method}", f"SignatureMethod says {listed.method}")
    count = len(listed.references)
    good = Text(f"{count} 个文件与签章一致", f"{count} files are as they were signed")
    yield Step("digest", ok=not defects, why=defects[0] if defects else good)


def _judge_references(package: OfdPackage, listed: ListedSignature) -> Findings:
    if listed.check_method == KEYED_SM3:
        yield Text("摘要算法写为带密钥的 SM3", "CheckMethod names keyed SM3")
    elif not listed.uses_sm3:
        name = listed.check_method or "MD5"
        why = Text(f"摘要算法 {name} 不接受", f"the digest {name} is not accepted")
        yield Step("digest", ok=False, why=why)
        return
    changed = [
        reference.path
        for reference in listed.references
        if not package.is_unchanged(reference.path, reference.digest)
    ]
    why = _changed(", ".join(changed[:_NAMED])) if changed else Text("一致", "unchanged")
    yield Step("digest", ok=not changed, why=why)


def _judge_range(
    package: OfdPackage,
    listed: ListedSignature,
    signatures: Sequence[ListedSignature],
    *,
    shown: frozenset[str],
) -> Findings:
    """3: all that is shown or steers is protected; only later signatures may come on top."""
    place = signatures.index(listed)
    later = [each for each in signatures[place + 1 :] if each.list_path == listed.list_path]
    exempt = {listed.path, listed.value_path, listed.list_path}
    exempt |= {file for each in later for file in each.files}
    # what else leads to a signature's file shows it, so it is no longer exempt
    open_files = package.names - _paths(listed) - (exempt - shown)
    dangerous = sorted(open_files & shown)
    if dangerous:
        names = ", ".join(dangerous[:_NAMED])
        by = [each.identifier for each in later if set(dangerous) <= _paths(each)]
        zh = f"(后续签章 {by[0]} 保护了它)" if by else ""
        en = f" (the later signature {by[0]} covers it)" if by else ""
        yield Step(
            "range", ok=False, why=Text(f"未受保护:{names}{zh}", f"not covered: {names}{en}")
        )
    elif listed.relative is not None and not _is_earlier(listed, signatures[:place]):
        why = Text("所依据的基础签章不存在", "the base signature it names is not there")
        yield Step("range", ok=False, why=why)
    else:
        why = Text("所有显示内容均受保护", "all that is shown is covered")
        yield Step("range", ok=True, why=why)
    if rest := sorted(open_files - shown):
        names = ", ".join(rest[:_NAMED])
        yield Text(
            f"未受保护且未被引用的文件:{names}", f"not covered, and nobody shows it: {names}"
        )


def _paths(listed: ListedSignature) -> set[str]:
    return {reference.path for reference in listed.references}


def _is_earlier(listed: ListedSignature, before: Sequence[ListedSignature]) -> bool:
    return any(
        each.identifier == listed.relative and each.list_path == listed.list_path for each in before
    )


def _changed(what: str) -> Text:
    return Text(f"原文被篡改:{what}", f"content changed: {what}")
