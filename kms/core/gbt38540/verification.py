"""Verify a seal, or a signature with one: twelve steps, each with its own verdict.

No step stops the others, so that the report says everything that is wrong. Signatures
are checked over stored bytes; a certificate inside the file is never an anchor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from kms.core.gbt38540 import judgements, time_judgements, trust_judgements
from kms.core.gbt38540.evidence import Evidence, Subject
from kms.core.gbt38540.reading import read_seal_file
from kms.core.gbt38540.structures import Seal, SealSignature
from kms.core.trust import Trust
from kms.core.x690 import DerError
from kms.models.seals import SignatureVerdict, Step, VerificationReport
from secops.kernel.catalogue import Text

_OF_SIGNATURE: Final = (
    judgements.judge_digest,
    judgements.judge_range,
    judgements.judge_signature,
    judgements.judge_signer_listed,
)
_OF_SEAL: Final[tuple[Callable[[Subject, Trust], Iterator[Step | Text]], ...]] = (
    judgements.judge_seal_signature,
    trust_judgements.judge_seal_maker,
    trust_judgements.judge_chain,
    trust_judgements.judge_validity,
    trust_judgements.judge_revocation,
    time_judgements.judge_timestamp,
    trust_judgements.judge_policy,
)


def verify_seal(content: bytes, evidence: Evidence, trust: Trust) -> VerificationReport:
    """Return the verdict on ``content``, a SESeal or SES_Signature in DER."""
    try:
        found = read_seal_file(content)
    except DerError as error:
        return VerificationReport("unknown", None, (malformed_verdict(str(error)),))
    return VerificationReport(
        kind="seal" if isinstance(found, Seal) else "signature",
        version=found.version,
        signatures=(judge(found, evidence, trust),),
    )


def judge(found: Seal | SealSignature, evidence: Evidence, trust: Trust) -> SignatureVerdict:
    """Return the verdict on one seal or signature that could be read."""
    subject = Subject.of(found, evidence)
    return verdict_of(
        _findings(subject, trust),
        signer=subject.signer_name,
        seal_name=subject.seal.property.name,
        signed_at=None if subject.signature is None else subject.signature.signed_at,
    )


def verdict_of(
    findings: Iterable[Step | Text],
    *,
    signer: str | None,
    signed_at: int | None,
    seal_name: str | None = None,
) -> SignatureVerdict:
    """Return the verdict that ``findings`` make: steps by number, each warning once."""
    found = list(findings)
    steps = sorted((each for each in found if isinstance(each, Step)), key=lambda step: step.n)
    warnings = dict.fromkeys(each for each in found if isinstance(each, Text))
    return SignatureVerdict(signer, seal_name, signed_at, tuple(steps), tuple(warnings))


def _findings(subject: Subject, trust: Trust) -> Iterator[Step | Text]:
    yield from judgements.judge_structure(subject)
    if subject.signature is not None:
        for of_signature in _OF_SIGNATURE:
            yield from of_signature(subject, subject.signature)
    for of_seal in _OF_SEAL:
        yield from of_seal(subject, trust)


def malformed_verdict(reason: str) -> SignatureVerdict:
    """Return the verdict on something that could not even be read."""
    why = Text(f"格式不合规:{reason}", f"malformed: {reason}")
    return SignatureVerdict(None, None, None, (Step("structure", ok=False, why=why),))
