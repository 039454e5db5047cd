"""密评 self-check: units judged from machine evidence and persons, then D/A/K to layers and S.

A machine sees of its own objects whether cryptography is in effect (D), whether the algorithms
are approved (A) and how keys are kept (K); a person answers what it can't see and can't raise
what it saw failing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final

from audits.core.gbt22239.answers import find_cases
from audits.core.gbt22239.judging import (
    VALUES,
    Basis,
    Checks,
    Judged,
    Seen,
    decimal_text,
    judge_item,
    reason_of,
    status_of,
    with_risks,
)
from audits.core.gbt39786.axes import Axes, axes_of
from audits.core.gbt39786.checks import CHECKS
from audits.core.gbt39786.layers import LAYERS
from audits.core.gbt39786.score import score_crypto
from audits.models.assessments import (
    Calculation,
    CaseFinding,
    ObjectVerdict,
    PersonAnswer,
    Status,
    Verdict,
)
from audits.models.calculations import CryptoObject, CryptoScore, ObjectScore, UnitEntry
from audits.models.catalogue import Item
from audits.models.evidence import WHOLE
from secops.kernel.catalogue import Text

ALL_CHECKS: Final = Checks(CHECKS, {})
_TITLE: Final = Text("量化评估(推算)", "quantitative assessment (estimate)")
_AXES_MISSING: Final = Text(
    "D/A/K 未判全, 需要具名人员判定", "D, A and K are not all known: a named person judges them"
)
_OWN: Final = Text(
    "D/A/K 中机器可见的由证据判定, 其余由具名人员判定; 密码模块证书由人员提供。",
    "Of D, A and K evidence tells what a machine can see, a named person the rest; certificates"
    " of modules are brought by persons.",
)
"""Printed with every result."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit's verdict and what goes into the calculation."""

    verdict: Verdict
    entry: UnitEntry | None


def assess(basis: Basis, _cover_date: date) -> Judged:
    """Return the verdicts of all units at the level, their states, and S."""
    units = [item for item in basis.catalogue.items if basis.level in item.weights]
    found = [_unit(item, basis) for item in units]
    entries = [one.entry for one in found if one.entry is not None]
    units_scored = score_crypto(units, basis.level, entries)
    verdicts = tuple(
        with_risks(verdict, basis.catalogue.high_risk)
        for verdict in _scored([one.verdict for one in found], units_scored)
    )
    cases = find_cases(verdicts, basis.answers, basis.level)
    scored = score_crypto(units, basis.level, entries, high_risk=_high_risk(verdicts, cases))
    return Judged(
        verdicts=verdicts,
        cases=cases,
        majors=(),
        calculations=(_calculation(scored),),
        score=None if scored.score is None else str(scored.score),
        conclusion=scored.conclusion,
        notes=(_OWN, *basis.catalogue.doubts),
    )


def _unit(item: Item, basis: Basis) -> _Unit:
    verdict = judge_item(item, basis.level, basis.seen)
    if LAYERS[item.class_code].side == "management" or verdict.status == "not_applicable":
        return _Unit(verdict, _managed(verdict))
    objects = _objects(item, verdict, basis)
    if not objects:
        return _Unit(_undecided(verdict, ()), None)
    open_axes = [one for one in objects if one[1] is None]
    views = tuple(one[0] for one in objects)
    if open_axes:
        return _Unit(_undecided(verdict, views), None)
    crypto = tuple(one for _, one in objects if one is not None)
    helper, confirmed = _compensation(item, basis)
    entry = UnitEntry(
        unit_id=item.id, objects=crypto, compensated_by=helper, confirmed_by=confirmed
    )
    return _Unit(replace(verdict, objects=views), entry)


def _managed(verdict: Verdict) -> UnitEntry | None:
    """Return a management unit's value by its status; None while it is 未核查."""
    if verdict.status == "not_applicable":
        return UnitEntry(unit_id=verdict.item.id, state="not_applicable")
    if verdict.status == "unassessed":
        return None
    return UnitEntry(unit_id=verdict.item.id, value=VALUES[verdict.status])


def _undecided(verdict: Verdict, objects: tuple[ObjectVerdict, ...]) -> Verdict:
    """Return a technical unit as 未核查: without D, A and K of every object nothing is scored."""
    return replace(
        verdict,
        status="unassessed",
        judge="nobody",
        reason=_AXES_MISSING if objects or verdict.status != "unassessed" else verdict.reason,
        proposed=False,
        value=None,
        objects=objects or verdict.objects,
    )


def _objects(
    item: Item, verdict: Verdict, basis: Basis
) -> list[tuple[ObjectVerdict, CryptoObject | None]]:
    """Return each object with its D/A/K, None where one of them is not known."""
    seen = {one.object_id: one for one in verdict.objects}
    names = _names(basis.seen)
    asked = [
        object_id
        for (kind, subject, object_id) in basis.answers
        if kind == "unit" and subject == item.id and object_id in names
    ]
    found = []
    for object_id in dict.fromkeys((*seen, *sorted(asked))):
        view = seen.get(object_id) or ObjectVerdict(
            object_id, names[object_id], "unassessed", _AXES_MISSING
        )
        answer = basis.answers.get(("unit", item.id, object_id))
        found.append(_object(view, axes_of(view), answer))
    return found


def _names(seen: Seen) -> Mapping[str, str]:
    assets = {asset.id: asset.name for asset in seen.scope.assets}
    return {WHOLE: seen.scope.system.name, **assets}


def _object(
    view: ObjectVerdict, axes: Axes, answer: PersonAnswer | None
) -> tuple[ObjectVerdict, CryptoObject | None]:
    axes = axes if answer is None else axes.answered(answer.values)
    view = replace(view, dak=(axes.effective, axes.approved, axes.managed))
    if answer is not None:
        view = replace(view, person=answer.person, reason=Text(answer.reason, answer.reason))
    if axes.effective is False:
        return view, CryptoObject(view.name, effective=False, approved=False, managed=False)
    if answer is None and view.status == "unassessed":
        return view, None  # what of an axis was seen holds; what of it is missing may not
    if axes.effective is None or axes.approved is None or axes.managed is None:
        return replace(view, status="unassessed", reason=_AXES_MISSING), None
    return view, CryptoObject(
        view.name,
        effective=True,
        approved=axes.approved,
        managed=axes.managed,
        bits=axes.bits,
        module_level=axes.module_level,
    )


def _compensation(item: Item, basis: Basis) -> tuple[str, str]:
    """Return the unit of this level that a person says makes up for this one, and who says so."""
    at_level = {unit.id for unit in basis.catalogue.items if basis.level in unit.weights}
    for (kind, subject, _), answer in sorted(basis.answers.items()):
        helper = answer.values.get("compensated_by")
        if kind == "unit" and subject == item.id and helper in at_level:
            return str(helper), answer.person
    return "", ""


def _high_risk(verdicts: Sequence[Verdict], cases: Sequence[CaseFinding]) -> bool | None:
    """Return whether a high risk stands; None while a case waits for a person."""
    if any(case.state.is_high for case in cases):
        return True
    if any(case.state.code == "pending" for case in cases):
        return None
    return None if any(verdict.status == "unassessed" for verdict in verdicts) else False


def _scored(verdicts: Sequence[Verdict], scored: CryptoScore) -> tuple[Verdict, ...]:
    """Return the verdicts with their units' scores: 1 is 符合, 0 不符合, between them 部分符合."""
    by_unit = {unit.unit_id: unit for unit in scored.units}
    found = []
    for verdict in verdicts:
        unit = by_unit[verdict.item.id]
        if unit.score is None:
            found.append(verdict)
            continue
        value = decimal_text(Fraction(unit.score))
        if not unit.objects:
            found.append(replace(verdict, value=value))
            continue
        objects = _object_statuses(verdict.objects, unit.objects)
        status = status_of([one.status for one in objects])
        persons = sorted({one.person for one in objects if one.person})
        found.append(
            replace(
                verdict,
                status=status,
                judge="person" if all(one.person for one in objects) else "machine",
                reason=reason_of(objects, status),
                person="、".join(persons),
                proposed=False,
                value=value,
                objects=objects,
            )
        )
    return tuple(found)


def _object_statuses(
    views: Sequence[ObjectVerdict], scores: Sequence[ObjectScore]
) -> tuple[ObjectVerdict, ...]:
    return tuple(
        replace(view, status=_status(score), reason=score.reason or view.reason)
        for view, score in zip(views, scores, strict=True)
    )


def _status(score: ObjectScore) -> Status:
    if not score.score:
        return "noncompliant"
    return "compliant" if score.score == 1 else "partial"


def _calculation(scored: CryptoScore) -> Calculation:
    return Calculation(
        edition=scored.edition.zh,
        title=_TITLE,
        applies=True,
        figures=scored.figures,
        conclusion=scored.conclusion,
        parameters=scored.parameters,
        doubts=scored.doubts,
    )
