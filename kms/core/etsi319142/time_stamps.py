"""Time-stamps in a PDF: of a signature's value, and of the document itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kms.core.etsi319142.validation_data import DatedTrust
from kms.core.gbt38540.time_judgements import ABSENT
from kms.core.rfc3161 import read_token
from kms.core.rfc3161.verification import DigestOf, verify_time_stamp
from kms.core.rfc5652.reading import only_signer, signed_data_at
from kms.core.rfc5652.schemes import SIGNATURE_TIME_STAMP
from kms.core.trust import CLOCK_SKEW
from kms.core.x690 import DerError, read_der
from kms.models.seals import Step, What
from kms.models.time_stamps import TokenVerdict, TokenWhat
from kms.ports.pdf import FoundSignature
from secops.crypto.hashes import digest
from secops.kernel.catalogue import Text
from secops.kernel.clock import to_rfc3339

Findings = Iterator[Step | Text]

_STEPS: Final[dict[What, tuple[TokenWhat, ...]]] = {
    "structure": ("structure",),
    "digest": ("imprint",),
    "signature": ("signature", "content", "certificate"),
    "chain": ("chain",),
    "validity": ("validity",),
    "revocation": ("revocation",),
    "policy": ("purpose",),
}
"""The steps of a signature that those of a token make up: the first that fails speaks."""


def stamps_of(cms: bytes, known: DatedTrust) -> tuple[TokenVerdict, ...]:
    """Return the verdicts on the time-stamps of a signature's value; raise ``DerError``."""
    root = read_der(cms)
    signer = only_signer(signed_data_at(root), root)
    return tuple(
        _verify(token, lambda name: digest(name, signer.signature), known)
        for token in signer.unsigned.get(SIGNATURE_TIME_STAMP, ())
    )


def document_stamp(
    document: bytes, found: FoundSignature, token: bytes, known: DatedTrust
) -> TokenVerdict:
    """Return the verdict on the time-stamp ``found`` over all of ``document`` but itself."""
    stamped = found.signed_bytes(document)
    return _verify(token, lambda name: digest(name, stamped), known)


def _verify(token: bytes, digest_of: DigestOf, known: DatedTrust) -> TokenVerdict:
    try:
        at = read_token(token).made_at
    except DerError:
        at = known.trust.now
    return verify_time_stamp(token, digest_of, known.at(at))


def proved_time(verdicts: tuple[TokenVerdict, ...]) -> int | None:
    """Return the earliest time by which what was stamped was there; None if nothing proves it."""
    times = [each.stamped.made_at for each in verdicts if each.valid and each.stamped]
    return min(times, default=None)


def timestamp_step(verdicts: tuple[TokenVerdict, ...], signed_at: int | None) -> Step:
    """11: each time-stamp is good, and the signature does not claim to be from after it."""
    if not verdicts:
        return Step("timestamp", ok=None, why=ABSENT)
    for verdict in verdicts:
        defect = verdict.first_defect
        if defect is not None:
            why = Text(f"时间戳无效:{defect.why.zh}", f"bad timestamp: {defect.why.en}")
            return Step("timestamp", ok=False, why=why)
    made_at = proved_time(verdicts)
    if made_at is None:
        why = Text("时间戳机构未能判定", "its authority could not be judged")
        return Step("timestamp", ok=None, why=why)
    shown = to_rfc3339(made_at)
    if signed_at is not None and signed_at > made_at + CLOCK_SKEW:
        why = Text(
            f"所称签名时间晚于时间戳 {shown}", f"said to be signed after it was stamped, {shown}"
        )
        return Step("timestamp", ok=False, why=why)
    why = Text(f"时间戳证明 {shown} 已存在", f"a time-stamp proves it was there {shown}")
    return Step("timestamp", ok=True, why=why)


def document_stamp_findings(verdict: TokenVerdict) -> Findings:
    """Return a token's steps as those of a signature."""
    by_name = {step.what: step for step in verdict.steps}
    for what, parts in _STEPS.items():
        found = [by_name[part] for part in parts if part in by_name]
        if found:
            shown = next((each for each in found if each.ok is False), found[0])
            yield Step(what, ok=shown.ok, why=shown.why)
    yield timestamp_step((verdict,), None)
    yield from verdict.warnings
