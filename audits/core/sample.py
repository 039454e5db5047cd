"""A made-up assessment of every kind of result, which office templates are tried with."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from audits.core.documents import document_of
from audits.models.assessments import (
    STATUSES,
    Annexes,
    Assessment,
    AssessmentSummary,
    Calculation,
    CaseFinding,
    Change,
    Delta,
    MajorFinding,
    ObjectVerdict,
    Rate,
    Status,
    Verdict,
)
from audits.models.calculations import CaseState, MajorCode, MajorState
from audits.models.catalogue import Catalogue, Item
from audits.models.evidence import Observation, Origin, Snapshot
from audits.models.systems import Asset, Scope, System
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY

_MADE_AT: Final = 1_790_000_000_000_000
_STATUSES: Final = tuple(STATUSES)
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_PERSON: Final = "示例人员"
_VALUES: Final = {"compliant": "1", "partial": "0.5", "noncompliant": "0"}


def sample_document(catalogue: Catalogue, level: int = 3) -> dict[str, Any]:
    """Return the document of a made-up assessment with all of ``level``'s items."""
    return document_of(sample_assessment(catalogue, level))


def sample_assessment(catalogue: Catalogue, level: int = 3) -> Assessment:
    """Return a made-up assessment: statuses, objects, tasks and waivers of every kind."""
    dak = (True, True, False) if catalogue.standard == "gbt39786" else ()
    verdicts = tuple(
        _verdict(item, _STATUSES[number % len(_STATUSES)], level, dak)
        for number, item in enumerate(catalogue.at(level))
    )
    counts = {status: sum(verdict.status == status for verdict in verdicts) for status in _STATUSES}
    applicable = len(verdicts) - counts["not_applicable"]
    failing = [verdict.item for verdict in verdicts if verdict.status == "noncompliant"]
    return Assessment(
        id="asm_sample",
        org_id="sample",
        standard=catalogue.standard,
        edition=catalogue.edition,
        level=level,
        scope=_scope(level),
        made_at=_MADE_AT,
        made_by=_PERSON,
        verdicts=verdicts,
        counts=counts,
        coverage=(applicable - counts["unassessed"], applicable),
        rate=Rate(
            (counts["compliant"], applicable),
            (2 * counts["compliant"] + counts["partial"], 2 * applicable),
        ),
        score=None,
        conclusion=None,
        notes=(Text("示例数据", "made-up data"),),
        facts={"iam.users": _DIGEST, "host.sshd@ast_sample": _DIGEST},
        calculations=_calculations(Fraction(counts["compliant"], applicable)),
        cases=_cases(catalogue, failing),
        majors=_majors(failing),
        annexes=_annexes(failing),
        delta=Delta("asm_2", _MADE_AT - 90 * DAY, _changes(failing)),
        past=tuple(_earlier(catalogue, level, number) for number in range(3)),
    )


def _scope(level: int) -> Scope:
    system = System(
        id="sys_sample",
        org_id="sample",
        name="示例业务系统",
        level=level,
        s_level=level,
        a_level=level,
        owner="示例单位",
        domain="政务服务",
        filing_number="00000000000-00001",
        filed_at=_MADE_AT - 400 * DAY,
        data_grade="一般数据",
    )
    asset = Asset(
        id="ast_sample",
        org_id="sample",
        system_id=system.id,
        name="示例服务器",
        kind="host",
        address="192.0.2.10",
        importance=4,
        department="示例部门",
        place="示例机房",
        data_grade="一般数据",
    )
    return Scope(system, (asset,))


def _earlier(catalogue: Catalogue, level: int, number: int) -> AssessmentSummary:
    """Return an earlier assessment; of the first, made by an older release, no counts are known."""
    return AssessmentSummary(
        id=f"asm_{number}",
        org_id="sample",
        system_id="sys_sample",
        standard=catalogue.standard,
        level=level,
        made_at=_MADE_AT - (3 - number) * 90 * DAY,
        made_by=_PERSON,
        judged=10 * number,
        applicable=50,
        counts={"compliant": 5 * number} if number else {},
    )


def _verdict(item: Item, status: Status, level: int, dak: tuple[bool, ...]) -> Verdict:
    snapshot = Snapshot(
        kind="host.sshd",
        facts={},
        origin=Origin(source="sample", query="sshd -T", window=(_MADE_AT - DAY, _MADE_AT)),
        taken_at=_MADE_AT,
        object_id="ast_sample",
        digest=_DIGEST,
    )
    seen = Observation("示例事实", "= 1", "0", ok=status == "compliant")
    judged = status in _VALUES
    one = ObjectVerdict(
        "ast_sample",
        "示例服务器",
        status,
        Text("示例理由", "made-up reason"),
        (seen,),
        (snapshot,),
        dak=dak,
    )
    return Verdict(
        item,
        status,
        "machine" if judged else "person" if status == "not_applicable" else "nobody",
        Text("示例理由", "made-up reason"),
        observations=(seen,) if judged else (),
        evidence=(snapshot,) if judged else (),
        proposed=status == "compliant",
        person=_PERSON if status == "not_applicable" else "",
        judged_at=_MADE_AT if status == "not_applicable" else 0,
        objects=(one,) if judged else (),
        level=level,
        value=_VALUES.get(status),
    )


def _calculations(rate: Fraction) -> tuple[Calculation, ...]:
    return (
        Calculation(
            edition="2025",
            title=Text("2025 模板符合率", "Rate after the template of 2025"),
            applies=True,
            figures={"rate": f"{rate.numerator}/{rate.denominator}"},
            parameters={"rate": "strict"},
            doubts=(Text("示例疑点", "made-up doubt"),),
        ),
    )


def _cases(catalogue: Catalogue, failing: Sequence[Item]) -> tuple[CaseFinding, ...]:
    ids = {item.id for item in failing}
    return tuple(
        CaseFinding(
            case.item,
            case,
            CaseState(
                case_id=case.id,
                edition=Text(catalogue.edition, catalogue.edition),
                code="pending",
                reason=Text("示例理由", "made-up reason"),
                parameters={},
            ),
        )
        for case in catalogue.high_risk
        if case.item in ids
    )


def _majors(failing: Sequence[Item]) -> tuple[MajorFinding, ...]:
    codes: Sequence[MajorCode] = ("rectified", "found", "pending")
    return tuple(
        MajorFinding(
            (item.id,),
            MajorState(
                trigger_id="A-01",
                edition=Text("2025", "2025"),
                code=code,
                reason=Text("示例理由", "made-up reason"),
                confirmed_by=_PERSON,
                parameters={},
            ),
        )
        for item, code in zip(failing, codes, strict=False)
    )


def _changes(failing: Sequence[Item]) -> tuple[Change, ...]:
    return tuple(Change(item.id, "compliant", "noncompliant") for item in failing[:3])


def _annexes(failing: Sequence[Item]) -> Annexes:
    first = failing[0].id
    return Annexes(
        tasks=(
            {
                "id": "tsk_sample",
                "item": first,
                "title": "示例整改任务",
                "owner": _PERSON,
                "due_at": "2026-12-31T00:00:00Z",
                "state": "open",
            },
        ),
        waivers=(
            {
                "id": "wav_sample",
                "item": first,
                "reason": "示例例外",
                "approved_by": "示例审批人",
                "expires_at": "2027-01-31T00:00:00Z",
            },
        ),
        risks=(
            {
                "id": "rsk_sample",
                "threat": "示例威胁",
                "weakness": "示例脆弱性",
                "level": 3,
                "treatment": "reduce",
                "owner": _PERSON,
            },
        ),
        records=(
            {
                "id": "rec_sample",
                "kind": "record.training",
                "title": "示例培训",
                "held_at": "2026-06-01T00:00:00Z",
                "expires_at": "2027-06-01T00:00:00Z",
                "sha256": _DIGEST,
            },
        ),
    )
