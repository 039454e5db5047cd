"""The step that weighs a signature against its time-stamps (11): tokens of RFC 3161."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from kms.core.gbt38540.evidence import Subject
from kms.core.rfc3161.verification import verify_time_stamp
from kms.core.trust import CLOCK_SKEW, Trust
from kms.models.seals import Step
from kms.models.time_stamps import TokenVerdict
from secops.crypto.certificates import Certificate
from secops.crypto.hashes import digest
from secops.kernel.catalogue import Text
from secops.kernel.clock import SECOND, to_rfc3339

Findings = Iterator[Step | Text]

ABSENT: Final = Text(
    "无时间戳:签章时间由签章人自行声明", "absent: the time is the signer's own word"
)
_ONLY_THE_SEAL: Final = Text(f"仅印章有时间戳;{ABSENT.zh}", f"only the seal has one; {ABSENT.en}")


@dataclass(frozen=True, slots=True)
class Stamped:
    """A signature ``value`` and the ``token`` over it, if there is one.

    ``claimed_at`` (UTC microseconds) is when its maker says it was made, None where nothing
    says so; ``certificate`` is the maker's.
    """

    name: Text
    value: bytes
    token: bytes | None
    claimed_at: int | None
    certificate: Certificate | None


def judge_timestamp(subject: Subject, trust: Trust) -> Findings:
    """11: each time-stamp is a sound token over its signature value, and no time is later."""
    seal, signature = subject.seal, subject.signature
    made_at = seal.property.created_at
    name = Text("印章", "seal")
    stamped = [Stamped(name, seal.signature, seal.timestamp, made_at, subject.maker)]
    if signature is not None:
        name, at = Text("签章", "signature"), signature.signed_at
        stamped.insert(
            0, Stamped(name, signature.signature, signature.timestamp, at, subject.signer)
        )
    yield from timestamp_findings(stamped, trust)


def timestamp_findings(stamped: Sequence[Stamped], trust: Trust) -> Findings:
    """Judge the tokens over ``stamped``: the first is what the verdict is about.

    True means its time is proved by another than its signer; False that some token is wrong,
    or a time claimed is later than it; None that the time remains the signer's own word.
    """
    judged = [
        (each, verify_time_stamp(each.token, partial(digest, data=each.value), trust))
        for each in stamped
        if each.token is not None
    ]
    for _, verdict in judged:
        yield from verdict.warnings
    defects = [defect for each, verdict in judged if (defect := _defect(each, verdict))]
    if defects:
        why = Text(f"时间戳无效:{defects[0].zh}", f"bad timestamp: {defects[0].en}")
        yield Step("timestamp", ok=False, why=why)
    elif not judged or judged[0][0] is not stamped[0]:
        yield Step("timestamp", ok=None, why=_ONLY_THE_SEAL if judged else ABSENT)
    else:
        yield _step(*judged[0], trust)


def _defect(stamped: Stamped, verdict: TokenVerdict) -> Text | None:
    failed, said = verdict.first_defect, verdict.stamped
    if failed is not None or said is None:
        return failed.why if failed else None
    claimed = stamped.claimed_at
    if claimed is None or claimed <= said.made_at + said.accuracy + CLOCK_SKEW:
        return None
    when, stamp = to_rfc3339(claimed // SECOND * SECOND), to_rfc3339(said.made_at)
    return Text(
        f"{stamped.name.zh}自称的时间 {when} 晚于时间戳 {stamp}",
        f"the {stamped.name.en} claims {when}, later than its time-stamp of {stamp}",
    )


def _step(stamped: Stamped, verdict: TokenVerdict, trust: Trust) -> Step:
    said, certificate = verdict.stamped, stamped.certificate
    if said is None or not verdict.valid:
        why = Text(
            "时间戳与签名值相符;时间戳机构的证书链未判定",
            "the token fits the signature value; its authority's chain was not judged",
        )
        return Step("timestamp", ok=None, why=why)
    when = to_rfc3339(said.made_at)
    if certificate is not None and _is_late(certificate, said.made_at, trust):
        why = Text(
            f"时间戳 {when} 晚于证书到期或吊销:签章时间仍由签章人自行声明",
            f"stamped {when}, after the certificate had expired or was revoked: the time "
            "remains the signer's own word",
        )
        return Step("timestamp", ok=None, why=why)
    why = Text(
        f"{stamped.name.zh}在 {when} 之前已存在({said.authority})",
        f"the {stamped.name.en} was there by {when}, says {said.authority}",
    )
    return Step("timestamp", ok=True, why=why)


def _is_late(certificate: Certificate, at: int, trust: Trust) -> bool:
    revoked = trust.revocations.revoked if trust.revocations else {}
    since = revoked.get((certificate.issuer, certificate.serial))
    return at > certificate.not_after or (since is not None and at >= since)
