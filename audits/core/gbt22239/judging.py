"""One item judged object by object: what checks found, what named persons entered.

A failure a check saw stands whatever a person enters; what nobody looked at is 未核查, never
符合. The same rules serve every standard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from audits.core.gbt22239.findings import Check, Finding, Looking
from audits.models.assessments import (
    FAILING,
    AnswerKind,
    Calculation,
    CaseFinding,
    Judge,
    MajorFinding,
    ObjectVerdict,
    PersonAnswer,
    PersonEntry,
    Status,
    Verdict,
)
from audits.models.catalogue import Catalogue, HighRiskCase, Item
from audits.models.evidence import WHOLE, Observation, Origin, Snapshot
from audits.models.systems import THIS_INSTANCE, AssetKind, PlatformService, Scope, System
from secops.kernel.catalogue import Text
from secops.kernel.rounding import to_places

VALUES: Final[Mapping[Status, Fraction]] = {
    "compliant": Fraction(1),
    "partial": Fraction(1, 2),
    "noncompliant": Fraction(0),
}
PERSON_DOCUMENT: Final = "person.document"
"""The kind of evidence that a document is which a person entered with a judgement."""
_NAMED: Final = 3
_SERVICES: Final[Mapping[str, PlatformService]] = {
    "iam": "iam",
    "kms": "kms",
    "log": "logs",
    "detector": "logs",
    "alert": "logs",
}
"""The service of the platform whose state a kind of evidence tells, by the kind's beginning."""
_PROPOSED: Final = Text(
    "机器核查的各项均达到,待具名人员确认", "all that was checked holds; a person confirms"
)
_OUT: Final = Text("各对象均不适用", "it applies to none of the objects")
_NOTHING: Final = Text("没有证据", "there is no evidence")


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of a standard: over the whole, and over one asset by its kind."""

    whole: Mapping[str, Check]
    assets: Mapping[str, Mapping[AssetKind, Check]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to judge by: snapshots by object and kind, entries by item and object."""

    scope: Scope
    checks: Checks
    snapshots: Mapping[str, Mapping[str, Snapshot]]
    entries: Mapping[tuple[str, str], PersonEntry]


@dataclass(frozen=True, slots=True)
class Basis:
    """What an assessment rests on: a catalogue at a level, what was seen and answered."""

    catalogue: Catalogue
    level: int
    seen: Seen
    answers: Mapping[tuple[AnswerKind, str, str], PersonAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a standard's rules make of a basis."""

    verdicts: tuple[Verdict, ...]
    cases: tuple[CaseFinding, ...]
    majors: tuple[MajorFinding, ...]
    calculations: tuple[Calculation, ...]
    score: str | None
    conclusion: Text | None
    notes: tuple[Text, ...]


def see(
    scope: Scope,
    checks: Checks,
    snapshots: Sequence[Snapshot],
    entries: Sequence[PersonEntry],
    now: int,
) -> Seen:
    """Return snapshots and the entries that still count, so that items can find theirs.

    Of several entries for one object the latest counts.
    """
    by_object: dict[str, dict[str, Snapshot]] = {}
    for snapshot in snapshots:
        by_object.setdefault(snapshot.object_id, {})[snapshot.kind] = snapshot
    current = {
        (entry.item_id, entry.object_id): entry
        for entry in sorted(entries, key=lambda e: e.at)
        if entry.expires_at > now
    }
    return Seen(scope, checks, by_object, current)


def judge_item(item: Item, level: int, seen: Seen) -> Verdict:
    """Return the verdict of one item from its objects and what persons entered."""
    objects = _objects(item, level, seen)
    statuses = [one.status for one in objects]
    status = status_of(statuses)
    verdict = Verdict(
        item,
        status,
        _judge_of(objects, status),
        reason_of(objects, status) if objects else _why_nobody(item, level),
        observations=_worth_showing(objects),
        evidence=tuple(snapshot for one in objects for snapshot in one.evidence),
        proposed=status == "compliant" and not all(one.person for one in objects),
        person="、".join(sorted({one.person for one in objects if one.person})),
        objects=objects,
        weight=decimal_text(item.weight_at(level)),
        level=level,
        value=None if status == "unassessed" else value_of(statuses),
    )
    entry = _entry(item, level, WHOLE, seen)
    return verdict if entry is None else _entered(verdict, entry)


def _entry(item: Item, level: int, object_id: str, seen: Seen) -> PersonEntry | None:
    """Return what a person entered, unless it was of another wording than ``level``'s.

    A person judges by the wording at the level the system is graded at.
    """
    system = seen.scope.system
    graded = {"S": system.s_level, "A": system.a_level}.get(item.sag, system.level)
    if level != graded and {level, graded} & set(item.differs_at):
        return None
    return seen.entries.get((item.id, object_id))


def _entered(verdict: Verdict, entry: PersonEntry) -> Verdict:
    """Apply what a person entered for the item, unless it would raise what was seen.

    Neither what falls short nor an asset that nobody looked at is 符合 by a word on the whole.
    """
    if any(_falls_short(one.status, one.observations) for one in verdict.objects):
        least = verdict.status if verdict.status in VALUES else "partial"
        if _is_raised(entry.status, least):
            return verdict
    unseen = any(one.status == "unassessed" and one.object_id != WHOLE for one in verdict.objects)
    if unseen and entry.status == "compliant":
        return verdict
    return replace(
        verdict,
        status=entry.status,
        judge="person",
        reason=Text(entry.reason, entry.reason),
        evidence=(*verdict.evidence, *_document(entry)),
        proposed=False,
        person=entry.person,
        judged_at=entry.at,
        value=value_of([entry.status]),
    )


def _falls_short(status: Status, observations: Sequence[Observation]) -> bool:
    return status in FAILING or not all(seen.ok for seen in observations)


def _is_raised(status: Status, over: Status) -> bool:
    """Tell whether a person's ``status`` makes more of what fell short: 不适用 does so too."""
    return status not in VALUES or VALUES[status] > VALUES[over]


def _document(entry: PersonEntry) -> tuple[Snapshot, ...]:
    """Return the document a person entered with a judgement, as evidence by its digest."""
    digest = entry.evidence_digest
    if not digest:
        return ()
    origin = Origin(source=f"person:{entry.id}", raw=digest)
    return (Snapshot(PERSON_DOCUMENT, {}, origin, entry.at, entry.object_id, digest),)


def _objects(item: Item, level: int, seen: Seen) -> tuple[ObjectVerdict, ...]:
    """Return how each object fares: the whole, then the assets a check or a person judged."""
    found = []
    worded = level not in item.differs_at  # the checks are written for level 3's wording
    whole = _whole(item, seen) if worded else None
    if whole is not None:
        found.append(whole)
    by_kind = seen.checks.assets.get(item.id, {}) if worded else {}
    entries = {asset.id: _entry(item, level, asset.id, seen) for asset in seen.scope.assets}
    owing = set() if _entry(item, level, WHOLE, seen) else _kinds_judged(seen.scope, entries)
    for asset in seen.scope.assets:
        check, entry = by_kind.get(asset.kind), entries[asset.id]
        if check is None and entry is None and asset.kind not in owing:
            continue
        finding = None if check is None else _look(check, seen.snapshots.get(asset.id, {}))
        found.append(_object(asset.id, asset.name, finding, entry))
    return tuple(found)


def _kinds_judged(scope: Scope, entries: Mapping[str, PersonEntry | None]) -> set[AssetKind]:
    """Return the kinds of which a person judged one: the others of it are asked for as well."""
    return {asset.kind for asset in scope.assets if entries[asset.id] is not None}


def _whole(item: Item, seen: Seen) -> ObjectVerdict | None:
    check = seen.checks.whole.get(item.id)
    if check is None:
        return None
    snapshots = seen.snapshots.get(WHOLE, {})
    look = Looking(snapshots)
    check(look)
    kinds = {*look.used, *(name.partition("/")[0] for name in look.missing)}
    if not any(_is_owed(kind, seen.scope.system, snapshots) for kind in kinds):
        return None
    return _object(WHOLE, seen.scope.system.name, look.finding(), None)


def _is_owed(kind: str, system: System, snapshots: Mapping[str, Snapshot]) -> bool:
    """Tell whether evidence of ``kind`` on the whole must be there for the system."""
    if system.id == THIS_INSTANCE or kind in snapshots:
        return True
    return _SERVICES.get(kind.partition(".")[0]) in system.uses


def _look(check: Check, snapshots: Mapping[str, Snapshot]) -> Finding:
    look = Looking(snapshots)
    check(look)
    return look.finding()


def _object(
    object_id: str, name: str, finding: Finding | None, entry: PersonEntry | None
) -> ObjectVerdict:
    """Return one object's verdict; a person's word can't raise what a check saw fall short."""
    found = finding or Finding("unassessed", _NOTHING, (), ())
    least: Status = "noncompliant" if found.status == "noncompliant" else "partial"
    short = _falls_short(found.status, found.observations)
    if entry is None or (short and _is_raised(entry.status, least)):
        return ObjectVerdict(
            object_id, name, found.status, found.reason, found.observations, found.evidence
        )
    return ObjectVerdict(
        object_id,
        name,
        entry.status,
        Text(entry.reason, entry.reason),
        found.observations,
        (*found.evidence, *_document(entry)),
        person=entry.person,
    )


def with_risks(verdict: Verdict, cases: Sequence[HighRiskCase]) -> Verdict:
    """Name the high-risk cases a failing item may be; a person judges their conditions."""
    if verdict.status not in FAILING:
        return verdict
    hanging = tuple(
        case for case in cases if case.item == verdict.item.id and case.min_level <= verdict.level
    )
    return replace(verdict, high_risk=hanging) if hanging else verdict


def status_of(statuses: Sequence[Status]) -> Status:
    """Return an item's status from its objects'.

    All 符合 is 符合, all judged 不符合 is 不符合, anything between 部分符合; 不适用 are out.
    未核查 among them makes 未核查, unless a failure was seen.
    """
    applicable = [status for status in statuses if status != "not_applicable"]
    judged = {status for status in applicable if status != "unassessed"}
    if not applicable:
        return "not_applicable" if statuses else "unassessed"
    if judged == {"noncompliant"}:
        return "noncompliant"
    if judged - {"compliant"}:
        return "partial"
    return "unassessed" if "unassessed" in applicable else "compliant"


def value_of(statuses: Sequence[Status]) -> str | None:
    """Return the mean of the judged objects' values, 4 places; None where none has a value."""
    mean = _mean(statuses)
    return None if mean is None else decimal_text(mean)


def exact_value(verdict: Verdict) -> Fraction | None:
    """Return a verdict's value before it is rounded for print, for what is calculated on."""
    if verdict.value is None or verdict.judged_at:
        return VALUES.get(verdict.status)
    return _mean([one.status for one in verdict.objects])


def _mean(statuses: Sequence[Status]) -> Fraction | None:
    values = [VALUES[status] for status in statuses if status in VALUES]
    return sum(values, Fraction(0)) / len(values) if values else None


def decimal_text(value: Fraction) -> str:
    """Return ``value`` as a decimal text of at most 4 places, ``0.5``."""
    return f"{to_places(value, 4).normalize():f}"


def _judge_of(objects: Sequence[ObjectVerdict], status: Status) -> Judge:
    if status == "unassessed":
        return "nobody"
    return "person" if all(one.person for one in objects) else "machine"


def reason_of(objects: Sequence[ObjectVerdict], status: Status) -> Text:
    """Return the one object's reason, or how many fall short, with the first of them."""
    if len(objects) == 1:
        return objects[0].reason
    short = [one for one in objects if one.status not in ("compliant", "not_applicable")]
    if not short:
        return _PROPOSED if status == "compliant" else _OUT
    named, total = short[:_NAMED], len(objects)
    zh = "; ".join(f"{one.name}: {one.reason.zh}" for one in named)
    en = "; ".join(f"{one.name}: {one.reason.en}" for one in named)
    return Text(
        f"{total} 个对象中 {len(short)} 个未判为符合,例如 {zh}",
        f"{len(short)} of {total} objects not found compliant, such as {en}",
    )


def _worth_showing(objects: Sequence[ObjectVerdict]) -> tuple[Observation, ...]:
    """Return the whole's observations and those of assets that fail; each object has all."""
    return tuple(
        seen
        for one in objects
        for seen in one.observations
        if one.object_id == WHOLE or not seen.ok
    )


def _why_nobody(item: Item, level: int) -> Text:
    if level in item.differs_at:
        return Text(
            "该级别条款措辞不同,自动核查未覆盖", "worded differently at this level: no check"
        )
    if item.assess == "auto":
        return Text("自动核查尚未覆盖该项", "no automatic check covers this item yet")
    return Text("需访谈、查阅文档或现场核查", "needs an interview, a document or a visit")
