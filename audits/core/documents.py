"""The document of an assessment: one JSON object that every report and page is made of.

Version 2. Texts for people stand as ``{zh, en}``, instants as RFC 3339, fractions and decimals
as texts, so that nothing is rounded on the way to a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from audits.models.assessments import (
    JUDGES,
    STATUSES,
    Annexes,
    Assessment,
    Calculation,
    CaseFinding,
    Delta,
    MajorFinding,
    ObjectVerdict,
    Verdict,
)
from audits.models.evidence import WHOLE, Observation, Origin, Snapshot
from audits.models.systems import Asset, System
from secops.kernel.canonical import canonical
from secops.kernel.catalogue import Text, in_both
from secops.kernel.clock import rfc3339_or_none, to_rfc3339

VERSION: Final = 2
TITLES: Final[Mapping[str, Text]] = {
    "gbt22239": Text(
        "网络安全等级保护 自查/差距分析报告", "Graded protection: self-check and gap analysis"
    ),
    "gbt39786": Text(
        "商用密码应用 自查/差距分析报告", "Use of cryptography: self-check and gap analysis"
    ),
}
DISCLAIMERS: Final[Mapping[str, Text]] = {
    "gbt22239": Text(
        "本报告由系统运营者依据 GB/T 22239-2019 自行核查生成,不是等级测评报告,不作任何认定。",
        "Made by the operator's own check against GB/T 22239-2019; it is no assessor's report.",
    ),
    "gbt39786": Text(
        "本报告由系统运营者依据 GB/T 39786-2021 自行核查生成,"
        "不是商用密码应用安全性评估报告,不作任何认定。",
        "Made by the operator's own check against GB/T 39786-2021; it is no assessor's report.",
    ),
}
ASSESS_KINDS: Final = ("auto", "semi", "manual")


def document_of(assessment: Assessment) -> dict[str, Any]:
    """Return ``assessment`` as a JSON object."""
    made = assessment
    items = [_item(verdict, made.annexes) for verdict in made.verdicts]
    return {
        "v": VERSION,
        "title": in_both(TITLES[made.standard]),
        "disclaimer": in_both(DISCLAIMERS[made.standard]),
        "id": made.id,
        "standard": made.standard,
        "edition": made.edition,
        "catalogue_sha256": made.catalogue_digest,
        "level": made.level,
        "system": _system(made.scope.system),
        "assets": [_asset(asset, made.facts) for asset in made.scope.assets],
        "made_at": to_rfc3339(made.made_at),
        "made_by": made.made_by,
        "kinds": {
            kind: sum(verdict.item.assess == kind for verdict in made.verdicts)
            for kind in ASSESS_KINDS
        },
        "judged_by": {
            judge: sum(verdict.judge == judge for verdict in made.verdicts) for judge in JUDGES
        },
        "items": items,
        "classes": _classes(made.verdicts),
        "counts": dict(made.counts),
        "coverage": {"judged": made.coverage[0], "applicable": made.coverage[1]},
        "rate": {
            "strict": _fraction(made.rate.strict),
            "weighted": _fraction(made.rate.weighted),
            "label": "推算",
        },
        "score": made.score,
        "calculations": [_calculation(one) for one in made.calculations],
        "conclusion": in_both(made.conclusion) if made.conclusion else None,
        "high_risks": [_case(case) for case in made.cases],
        "majors": _majors(made.majors),
        **_annexes(made.annexes),
        "delta": _delta(made.delta),
        "trend": _trend(made),
        "notes": [in_both(note) for note in made.notes],
        "facts": dict(made.facts),
    }


def _fraction(share: tuple[int, int]) -> str:
    return f"{share[0]}/{share[1]}"


def _system(system: System) -> dict[str, Any]:
    return {
        "id": system.id,
        "name": system.name,
        "level": system.level,
        "s_level": system.s_level,
        "a_level": system.a_level,
        "sag": system.sag,
        "filing_number": system.filing_number,
        "filed_at": rfc3339_or_none(system.filed_at or None),
        "owner": system.owner,
        "domain": system.domain,
        "data_grade": system.data_grade,
    }


def _asset(asset: Asset, facts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": asset.id,
        "name": asset.name,
        "kind": asset.kind,
        "address": asset.address,
        "importance": asset.importance,
        "department": asset.department,
        "place": asset.place,
        "data_grade": asset.data_grade,
        "evidence": sum(name.endswith(f"@{asset.id}") for name in facts),
    }


def _item(verdict: Verdict, annexes: Annexes) -> dict[str, Any]:
    item = verdict.item
    return {
        "id": item.id,
        "official_id": item.is_official_at(verdict.level),
        "class": _class_title(verdict),
        "class_code": item.class_code,
        "control_point": in_both(item.control_point),
        "level": verdict.level,
        "clause": item.clause.get(verdict.level),
        "requirement": in_both(item.requirement),
        "assess": item.assess,
        "status": verdict.status,
        "status_zh": STATUSES[verdict.status].zh,
        "judge": verdict.judge,
        "proposed": verdict.proposed,
        "person": verdict.person,
        "judged_at": rfc3339_or_none(verdict.judged_at or None),
        "reason": in_both(verdict.reason),
        "weight": verdict.weight,
        "value": verdict.value,
        "objects": [_object(one) for one in verdict.objects],
        "observations": [_observation(seen) for seen in verdict.observations],
        "evidence": [evidence_of(snapshot) for snapshot in verdict.evidence],
        "tasks": [str(row["id"]) for row in annexes.tasks if row.get("item") == item.id],
        "waiver": _waiver(item.id, annexes),
    }


def _waiver(item_id: str, annexes: Annexes) -> dict[str, Any] | None:
    """Return what stands beside a verdict: a waiver in force, else one that has expired."""
    over = ("pending", "rejected", "revoked")
    rows = [row for row in annexes.waivers if row.get("item") == item_id]
    rows = [row for row in rows if row.get("state") not in over]
    rows.sort(key=lambda row: row.get("state") == "expired")
    return dict(rows[0]) if rows else None


def _class_title(verdict: Verdict) -> dict[str, str]:
    item = verdict.item
    return {
        "zh": item.class_title,
        "en": item.class_title_en or item.class_title,
    }


def _object(one: ObjectVerdict) -> dict[str, Any]:
    return {
        "id": one.object_id,
        "name": one.name,
        "status": one.status,
        "reason": in_both(one.reason),
        "person": one.person,
        "dak": dict(zip(("d", "a", "k"), one.dak, strict=True)) if one.dak else None,
        "observations": [_observation(seen) for seen in one.observations],
        "evidence": [evidence_of(snapshot) for snapshot in one.evidence],
    }


def _observation(seen: Observation) -> dict[str, Any]:
    return {"fact": seen.fact, "expected": seen.expected, "seen": seen.seen, "ok": seen.ok}


def _classes(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Return the figures of each class, in the order of the items."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault(verdict.item.class_code, []).append(verdict)
    return [_class(code, members) for code, members in found.items()]


def _class(code: str, members: Sequence[Verdict]) -> dict[str, Any]:
    counts = {status: sum(one.status == status for one in members) for status in STATUSES}
    applicable = len(members) - counts["not_applicable"]
    return {
        "code": code,
        "title": _class_title(members[0]),
        "counts": counts,
        "judged": applicable - counts["unassessed"],
        "applicable": applicable,
        "rate": _fraction((counts["compliant"], applicable)),
    }


def _calculation(one: Calculation) -> dict[str, Any]:
    return {
        "edition": one.edition,
        "title": in_both(one.title),
        "applies": one.applies,
        "figures": dict(one.figures),
        "conclusion": in_both(one.conclusion) if one.conclusion else None,
        "parameters": dict(one.parameters),
        "doubts": [in_both(doubt) for doubt in one.doubts],
    }


def _maybe(text: Text | None) -> dict[str, str] | None:
    return None if text is None else in_both(text)


def _case(finding: CaseFinding) -> dict[str, Any]:
    case, state = finding.case, finding.state
    return {
        "item": finding.item_id,
        "id": case.id if case else "",
        "trigger": in_both(case.trigger if case else state.reason),
        "state": state.state.zh,
        "state_en": state.state.en,
        "code": state.code,
        "high": state.is_high,
        "reason": in_both(state.reason),
        "only_if": _maybe(case.only_if) if case else None,
        "may_lower": _maybe(case.may_lower) if case else None,
        "never": _maybe(case.never) if case else None,
        "confirmed_by": state.confirmed_by,
        "evidence": list(state.evidence),
        "edition": in_both(state.edition),
        "doubts": [in_both(doubt) for doubt in state.doubts],
    }


def _majors(majors: Sequence[MajorFinding]) -> dict[str, Any]:
    """``found`` counts before rectification, ``rectified`` those of them already mended."""
    codes = [major.state.code for major in majors]
    rectified = codes.count("rectified")
    return {
        "found": codes.count("found") + rectified,
        "rectified": rectified,
        "pending": codes.count("pending"),
        "items": [
            {
                "items": list(major.items),
                "trigger": major.state.trigger_id,
                "code": major.state.code,
                "state": major.state.state.zh,
                "state_en": major.state.state.en,
                "reason": in_both(major.state.reason),
                "confirmed_by": major.state.confirmed_by,
                "doubts": [in_both(doubt) for doubt in major.state.doubts],
            }
            for major in majors
        ],
    }


def _annexes(annexes: Annexes) -> dict[str, Any]:
    return {
        "tasks": [dict(row) for row in annexes.tasks],
        "waivers": [dict(row) for row in annexes.waivers],
        "risks": [dict(row) for row in annexes.risks],
        "records": [dict(row) for row in annexes.records],
    }


def _delta(delta: Delta | None) -> dict[str, Any] | None:
    if delta is None:
        return None
    return {
        "against": delta.against,
        "made_at": to_rfc3339(delta.made_at),
        "items": [
            {"id": change.item_id, "before": change.before, "after": change.after}
            for change in delta.changes
        ],
    }


def _trend(made: Assessment) -> list[dict[str, Any]]:
    """Return how earlier assessments stood, oldest first, and this one."""
    earlier = [
        _moment(one.id, one.made_at, (one.judged, one.applicable), one.counts["compliant"])
        for one in made.past
        if "compliant" in one.counts
    ]
    return [*earlier, _moment(made.id, made.made_at, made.coverage, made.rate.strict[0])]


def _moment(name: str, at: int, coverage: tuple[int, int], compliant: int) -> dict[str, Any]:
    judged, applicable = coverage
    return {
        "id": name,
        "made_at": to_rfc3339(at),
        "judged": judged,
        "applicable": applicable,
        "rate": _fraction((compliant, applicable)),
    }


def evidence_of(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot's reference: kind, object, origin, instant and digest."""
    return {
        "kind": snapshot.kind,
        "object": snapshot.object_id,
        "origin": _origin(snapshot.origin),
        "taken_at": to_rfc3339(snapshot.taken_at),
        "sha256": snapshot.digest,
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "source": origin.source,
        "version": origin.version,
        "query": origin.query,
        "window": [to_rfc3339(at) for at in origin.window] if origin.window else None,
        "link": origin.link,
        "raw": origin.raw,
    }


def fact_name(snapshot: Snapshot) -> str:
    """Return the name of a snapshot in ``facts``: its kind, ``kind@object`` for an asset's."""
    return snapshot.kind if snapshot.object_id == WHOLE else f"{snapshot.kind}@{snapshot.object_id}"


def snapshot_content(snapshot: Snapshot) -> bytes:
    """Return the bytes that a snapshot is kept under by their SHA-256."""
    return canonical(
        {
            "v": 2,
            "kind": snapshot.kind,
            "object": snapshot.object_id,
            "facts": dict(snapshot.facts),
            "origin": _origin(snapshot.origin),
            "taken_at": snapshot.taken_at,
        }
    )
