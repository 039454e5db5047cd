"""Values of self-assessment: verdicts by object and item, what persons entered, the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from audits.models.calculations import CaseState, MajorState
from audits.models.catalogue import HighRiskCase, Item
from audits.models.evidence import WHOLE, Observation, Snapshot
from audits.models.systems import Scope
from secops.kernel.catalogue import Text

Status = Literal["compliant", "partial", "noncompliant", "not_applicable", "unassessed"]
STATUSES: Final[dict[Status, Text]] = {
    "compliant": Text("符合", "compliant"),
    "partial": Text("部分符合", "partly compliant"),
    "noncompliant": Text("不符合", "not compliant"),
    "not_applicable": Text("不适用", "not applicable"),
    "unassessed": Text("未核查", "not assessed"),
}
FAILING: Final[tuple[Status, ...]] = ("noncompliant", "partial")
"""What is a gap, the worse before the other."""

Judge = Literal["machine", "person", "nobody"]
JUDGES: Final[tuple[Judge, ...]] = ("machine", "person", "nobody")


@dataclass(frozen=True, slots=True)
class ObjectVerdict:
    """How one object (an asset, or the whole for ``WHOLE``) fares under one item.

    ``person`` is who judged it, empty where a machine or nobody did. ``dak`` is whether
    cryptography is effective, its algorithm approved, its keys managed (GB/T 39786), None for
    what nobody knows; it is empty for other standards.
    """

    object_id: str
    name: str
    status: Status
    reason: Text
    observations: tuple[Observation, ...] = ()
    evidence: tuple[Snapshot, ...] = ()
    person: str = ""
    dak: tuple[bool | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one item was judged, by whom, on what.

    A machine proposes 符合 (``proposed``): a named person confirms it by an entry. ``value``
    is the item's value between 0 and 1 as a decimal text, None for 不适用 and 未核查; ``level``
    the level at which the item is asked.
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
    objects: tuple[ObjectVerdict, ...] = ()
    value: str | None = None
    weight: str = "1"
    level: int = 0


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """What a named person entered for an item; ``expires_at`` ends its use.

    ``object_id`` is ``WHOLE`` for the item as such, else the asset that was judged.
    """

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
    object_id: str = WHOLE


@dataclass(frozen=True, slots=True)
class Rate:
    """符合率, estimated (推算): the official formula was not found, so both readings stand.

    ``strict`` = 符合 / (items − 不适用); ``weighted`` counts 部分符合 as a half. As fractions
    (numerator, denominator); the denominator counts 未核查 too, so coverage must be printed.
    """

    strict: tuple[int, int]
    weighted: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Calculation:
    """What one calculator made of an assessment: a template's score, rate, conclusion.

    ``applies`` says whether this edition is the one for the report's date (None without one);
    ``figures`` and ``parameters`` are texts by name, rounded for print.
    """

    edition: str
    title: Text
    applies: bool | None
    figures: Mapping[str, str] = field(default_factory=dict)
    conclusion: Text | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[Text, ...] = ()


AnswerKind = Literal["case", "major", "risk", "unit"]
ANSWER_KINDS: Final[dict[AnswerKind, Text]] = {
    "case": Text("高风险判例的条件与缓解措施", "conditions and mitigation of a high-risk case"),
    "major": Text("重大风险隐患触发项", "trigger of a major risk"),
    "risk": Text("人员判定的高风险", "high risk set by a person"),
    "unit": Text("密码应用测评单元 D/A/K", "D, A and K of a unit of cryptography"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAnswer:
    """What a named person answered beyond an item's status; the latest of a subject counts.

    ``subject`` is a case, a trigger (``+`` and the items for several that add up), an item or a
    unit; ``object_id`` an asset or ``WHOLE``. ``values`` are the answers by name, None for one
    not yet given; ``evidence`` digests of documents; ``expires_at`` ends its use.
    """

    id: str
    org_id: str
    system_id: str
    standard: str
    kind: AnswerKind
    subject: str
    object_id: str = WHOLE
    values: Mapping[str, Any]
    reason: str
    evidence: tuple[str, ...]
    account_id: str
    person: str
    at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class CaseFinding:
    """In what state a high-risk case of a failing item is; no case where a person set it."""

    item_id: str
    case: HighRiskCase | None
    state: CaseState


@dataclass(frozen=True, slots=True)
class MajorFinding:
    """A trigger of 重大风险隐患 and the failing items that call for it."""

    items: tuple[str, ...]
    state: MajorState


@dataclass(frozen=True, slots=True)
class Change:
    """An item whose status is another than in the assessment before."""

    item_id: str
    before: Status
    after: Status


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed since the last assessment of the same system, standard and level."""

    against: str
    made_at: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Annexes:
    """Rows that other registers give to a report: plain JSON objects, newest first."""

    tasks: Sequence[Mapping[str, Any]] = ()
    waivers: Sequence[Mapping[str, Any]] = ()
    risks: Sequence[Mapping[str, Any]] = ()
    records: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A self-assessment (自查/差距分析); never an 等级测评.

    ``coverage`` = (judged, applicable). ``conclusion`` is None while anything applicable is
    未核查: no verdict on the whole can be given then. ``catalogue_digest`` is that of the
    catalogue by which it was judged.
    """

    id: str
    org_id: str
    standard: str
    edition: str
    level: int
    scope: Scope
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
    calculations: tuple[Calculation, ...] = ()
    cases: tuple[CaseFinding, ...] = ()
    majors: tuple[MajorFinding, ...] = ()
    annexes: Annexes = field(default_factory=Annexes)
    delta: Delta | None = None
    past: tuple[AssessmentSummary, ...] = ()
    catalogue_digest: str = ""


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
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """An assessment that is made again every ``hours`` for whom ``account_id`` names.

    ``next_at`` is when it is due; ``failed`` why the last one was not made, empty if it was.
    """

    id: str
    org_id: str
    system_id: str
    standard: str
    level: int
    hours: int
    account_id: str
    person: str
    next_at: int
    last_id: str = ""
    failed: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlState:
    """How an item stood when it was last looked at.

    ``drifted_from`` is the better status it fell from, None while it stands as well as it did;
    ``reason`` tells what a check saw, ``severity`` what its failing weighs.
    """

    org_id: str
    system_id: str
    standard: str
    level: int
    item_id: str
    status: Status
    judge: Judge
    since: int
    reason: Text
    severity: str = "medium"
    drifted_from: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChange:
    """One entry of an item's history: from which status to which, when, by what."""

    id: str
    org_id: str
    system_id: str
    standard: str
    level: int
    item_id: str
    before: str
    after: Status
    judge: Judge
    at: int
    cause: str
    reason: Text
