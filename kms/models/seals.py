"""Seals: their life in the registry, and the verdict on a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from secops.kernel.catalogue import Text
from secops.kernel.clock import rfc3339_or_none

What = Literal[
    "structure",
    "digest",
    "range",
    "seal_signature",
    "seal_maker",
    "signer_listed",
    "signature",
    "chain",
    "validity",
    "revocation",
    "timestamp",
    "policy",
]

NUMBERS: Final[dict[What, int]] = {
    "structure": 1,
    "digest": 2,
    "range": 3,
    "signature": 4,
    "signer_listed": 5,
    "seal_signature": 6,
    "seal_maker": 7,
    "chain": 8,
    "validity": 9,
    "revocation": 10,
    "timestamp": 11,
    "policy": 12,
}
"""The order in which a seal is verified; a step keeps its number where others are absent."""

MAX_FILE: Final = 20 << 20
"""Bytes of a file that is sealed or judged."""

PDF_MAGIC: Final = b"%PDF"

MARKING: Final = "测试/内部用"
"""What stands in every picture, record and verdict of a seal under the built-in CA."""


@dataclass(frozen=True, slots=True)
class Step:
    """One verdict: ``ok`` None means it could not be judged."""

    what: What
    ok: bool | None
    why: Text

    @property
    def n(self) -> int:
        """The step's number."""
        return NUMBERS[self.what]


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What was found about one signature, or about a bare seal (then ``signer`` is None).

    A digital signature without a seal has no ``seal_name``. ``signed_at`` is UTC microseconds.
    """

    signer: str | None
    seal_name: str | None
    signed_at: int | None
    steps: tuple[Step, ...]
    warnings: tuple[Text, ...] = ()

    @property
    def valid(self) -> bool:
        """No step is false, and all that must be proved is proved."""
        proved = {step.what for step in self.steps if step.ok}
        needed = {"structure", "chain"}
        if self.seal_name is not None:
            needed.add("seal_signature")
        if self.signer is not None:
            needed.add("signature")
        return needed <= proved and all(step.ok is not False for step in self.steps)


SealFileKind = Literal["seal", "signature", "ofd", "pdf", "unknown"]


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The verdict on a file; ``version`` is 1, 4 or 5, None where nothing could be read."""

    kind: SealFileKind
    version: int | None
    signatures: tuple[SignatureVerdict, ...]
    warnings: tuple[Text, ...] = ()

    @property
    def valid(self) -> bool:
        """At least one signature or seal is there, and each is valid."""
        return bool(self.signatures) and all(verdict.valid for verdict in self.signatures)

    def to_record(self) -> dict[str, Any]:
        """Return the report in the JSON shape of the public interface."""
        return {
            "valid": self.valid,
            "kind": self.kind,
            "version": self.version,
            "signatures": [_record(verdict) for verdict in self.signatures],
            "warnings": _sentences(self.warnings),
        }


def _record(verdict: SignatureVerdict) -> dict[str, Any]:
    return {
        "valid": verdict.valid,
        "signer": verdict.signer,
        "seal_name": verdict.seal_name,
        "signed_at": rfc3339_or_none(verdict.signed_at),
        "steps": [
            {"n": step.n, "what": step.what, "ok": step.ok, "why": sentence(step.why)}
            for step in verdict.steps
        ],
        "warnings": _sentences(verdict.warnings),
    }


def sentence(text: Text) -> str:
    """Return ``text`` as a verdict's record says it: in both languages."""
    return f"{text.zh} / {text.en}"


def _sentences(texts: Sequence[Text]) -> list[str]:
    return [sentence(text) for text in texts]
