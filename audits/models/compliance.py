"""Values of self-assessment: catalogue items, evidence snapshots, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from secops.kernel.catalogue import Text

Status = Literal["compliant", "partial", "noncompliant", "not_applicable", "unassessed"]
STATUSES: Final[dict[Status, Text]] = {
    "compliant": Text("符合", "compliant"),
    "partial": Text("部分符合", "partly compliant"),
    "noncompliant": Text("不符合", "not compliant"),
    "not_applicable": Text("不适用", "not applicable"),
    "unassessed": Text("未核查", "not assessed"),
}
Judge = Literal["machine", "person", "nobody"]
Assess = Literal["auto", "semi", "manual"]
Fact = str | int | bool


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a standard. ``id`` is the level-3 (else level-4) identifier.

    ``clause`` maps level to the standard's clause; ``derived`` are identifiers made by
    counting, which are not official. ``differs_at`` are levels whose wording is weaker or
    stronger than ``requirement``, which paraphrases level 3.
    """

    id: str
    class_code: str
    class_title: str
    control_point: Text
    levels: tuple[int, ...]
    differs_at: tuple[int, ...]
    sag: str
    clause: Mapping[int, str]
    derived: Mapping[int, str]
    requirement: Text
    assess: Assess
    evidence: tuple[str, ...]
    high_risk_case: str | None = None
    major_trigger: str | None = None


@dataclass(frozen=True, slots=True)
class HighRiskCase:
    """A case of the high-risk guideline: from ``min_level`` on, if ``only_if`` is true."""

    id: str
    min_level: int
    trigger: Text
    item: str | None
    may_lower: str | None
    only_if: str | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A standard's items with their totals checked."""

    standard: str
    edition: str
    items: tuple[Item, ...]
    high_risk: tuple[HighRiskCase, ...]
    notes: tuple[str, ...]

    def at(self, level: int) -> tuple[Item, ...]:
        """Return the items of ``level``."""
        return tuple(item for item in self.items if level in item.levels)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Machine evidence: facts of one ``kind`` (``iam.roles``) taken at one instant.

    ``origin`` says by which query of which part; ``digest`` is the SHA-256 of its canonical
    JSON, under which the blob store keeps it. A fact that could not be read is not there.
    """

    kind: str
    facts: Mapping[str, Fact]
    origin: str
    taken_at: int
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was looked at: the fact's name, what was expected and what was seen."""

    fact: str
    expected: str
    seen: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one item was judged, by whom, on what.

    A machine proposes 符合 (``proposed``): a named person confirms it by an entry.
    """

    item: Item
    status: Status
    judge: Judge
    reason: Text
    observations: tuple[Observation, ...] = ()
    evidence: tuple[Snapshot, ...] = ()
    proposed: bool = False
    person: str = ""
    judged_at: int = 0
    high_risk: tuple[HighRiskCase, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """What a named person entered for an item; ``expires_at`` ends its use."""

    id: str
    org_id: str
    system_id: str
    item_id: str
    status: Status
    reason: str
    evidence_digest: str
    account_id: str
    person: str
    at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Rate:
    """符合率, estimated (推算): the official formula was not found, so both readings stand.

    ``strict`` = 符合 / (items − 不适用); ``weighted`` counts 部分符合 as a half. As fractions
    (numerator, denominator); the denominator counts 未核查 too, so coverage must be printed.
    """

    strict: tuple[int, int]
    weighted: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Assessment:
    """A self-assessment (自查/差距分析); never an 等级测评.

    ``coverage`` = (judged, applicable). ``conclusion`` is None while anything applicable is
    未核查: no verdict on the whole can be given then.
    """

    id: str
    org_id: str
    standard: str
    edition: str
    level: int
    system_id: str
    made_at: int
    made_by: str
    verdicts: tuple[Verdict, ...]
    counts: Mapping[Status, int]
    coverage: tuple[int, int]
    rate: Rate
    score: str | None
    conclusion: Text | None
    notes: tuple[Text, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def high_risks(self) -> Sequence[Verdict]:
        """The verdicts that a high-risk case hangs on."""
        return [verdict for verdict in self.verdicts if verdict.high_risk]


@dataclass(frozen=True, slots=True)
class AssessmentSummary:
    """One line of the list of assessments."""

    id: str
    org_id: str
    system_id: str
    standard: str
    level: int
    made_at: int
    made_by: str
    judged: int
    applicable: int


@dataclass(frozen=True, slots=True)
class ReportSignature:
    """A signature over the report's SM3 and SHA-256 digests (canonical JSON of both).

    ``algorithm`` is ``sm2-sm3`` or ``ecdsa-p256-sha256``; ``signature`` DER, key SPKI DER.
    """

    algorithm: str
    key: str
    public_key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """A rendered report with its proof (the content of ``FILE.proof``)."""

    name: str
    media_type: str
    content: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class VerifiedReport:
    """A report whose digests, signatures and ledger entry were all checked."""

    sha256: str
    sm3: str
    assessment_id: str
    signed_by: tuple[str, ...]
    entry: int | None
    checkpoint: str | None
