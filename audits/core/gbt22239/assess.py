"""From snapshots and entries of persons to verdicts, counts and an estimated rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from audits.core.gbt22239.checks import CHECKS
from audits.core.gbt22239.findings import Finding, Looking
from audits.models.compliance import (
    STATUSES,
    Catalogue,
    HighRiskCase,
    Item,
    PersonEntry,
    Rate,
    Snapshot,
    Status,
    Verdict,
)
from secops.kernel.catalogue import Text


def judge(
    catalogue: Catalogue,
    level: int,
    snapshots: Sequence[Snapshot],
    entries: Iterable[PersonEntry],
    now: int,
) -> tuple[Verdict, ...]:
    """Return a verdict for every item of ``level``; nothing missing is ever 符合.

    A person's entry counts until it expires. It can't raise what a machine saw failing:
    不符合 by a check stays 不符合 whatever a person entered.
    """
    by_kind = {snapshot.kind: snapshot for snapshot in snapshots}
    current = {
        entry.item_id: entry
        for entry in sorted(entries, key=lambda e: e.at)
        if entry.expires_at > now
    }
    verdicts = (
        _verdict(item, level, by_kind, current.get(item.id)) for item in catalogue.at(level)
    )
    return tuple(_with_risks(verdict, catalogue.high_risk, level) for verdict in verdicts)


def _verdict(
    item: Item, level: int, by_kind: Mapping[str, Snapshot], entry: PersonEntry | None
) -> Verdict:
    finding = _check(item, level, by_kind)
    if entry is not None and (finding is None or finding.status != "noncompliant"):
        return Verdict(
            item,
            entry.status,
            "person",
            Text(entry.reason, entry.reason),
            observations=finding.observations if finding else (),
            evidence=finding.evidence if finding else (),
            person=entry.person,
            judged_at=entry.at,
        )
    if finding is None:
        return Verdict(item, "unassessed", "nobody", _why_nobody(item, level))
    if finding.status == "unassessed":
        return Verdict(item, "unassessed", "nobody", finding.reason, finding.observations)
    return Verdict(
        item,
        finding.status,
        "machine",
        finding.reason,
        observations=finding.observations,
        evidence=finding.evidence,
        proposed=finding.status == "compliant",
    )


def _check(item: Item, level: int, by_kind: Mapping[str, Snapshot]) -> Finding | None:
    check = CHECKS.get(item.id)
    if check is None or level in item.differs_at:
        return None  # the checks are written for level 3's wording
    look = Looking(by_kind)
    check(look)
    return look.finding()


def _why_nobody(item: Item, level: int) -> Text:
    if level in item.differs_at:
        return Text(
            "该级别条款措辞不同,自动核查未覆盖", "worded differently at this level: no check"
        )
    if item.assess == "auto":
        return Text("自动核查尚未覆盖该项", "no automatic check covers this item yet")
    return Text("需访谈、查阅文档或现场核查", "needs an interview, a document or a visit")


def _with_risks(verdict: Verdict, cases: Sequence[HighRiskCase], level: int) -> Verdict:
    """Name the high-risk cases a failing item may be; a person judges their conditions."""
    if verdict.status not in ("noncompliant", "partial"):
        return verdict
    hanging = tuple(
        case for case in cases if case.item == verdict.item.id and case.min_level <= level
    )
    return replace(verdict, high_risk=hanging) if hanging else verdict


def count(verdicts: Sequence[Verdict]) -> dict[Status, int]:
    """Return how many verdicts have each status."""
    return {status: sum(verdict.status == status for verdict in verdicts) for status in STATUSES}


def coverage(counts: Mapping[Status, int]) -> tuple[int, int]:
    """Return (judged, applicable)."""
    applicable = sum(counts.values()) - counts["not_applicable"]
    return applicable - counts["unassessed"], applicable


def rate(counts: Mapping[Status, int]) -> Rate:
    """Return both readings of 符合率; 未核查 stays in the denominator."""
    applicable = sum(counts.values()) - counts["not_applicable"]
    return Rate(
        strict=(counts["compliant"], applicable),
        weighted=(2 * counts["compliant"] + counts["partial"], 2 * applicable),
    )


def conclude(counts: Mapping[Status, int]) -> Text | None:
    """Return an estimated conclusion, or None while anything applicable is 未核查."""
    judged, applicable = coverage(counts)
    if judged < applicable or not applicable:
        return None
    share, whole = rate(counts).strict
    gap = applicable - counts["compliant"]
    return Text(
        f"推算(2025 版口径,严格计): 符合 {share}/{whole},差距 {gap} 项",
        f"estimate (2025 edition, strict): {share}/{whole} compliant, {gap} gaps",
    )
