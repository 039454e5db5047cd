"""The catalogue adds up; what is missing is never compliant; a failure is never talked away."""

from __future__ import annotations

from typing import Any

from audits.adapters.controls import PackagedCatalogues
from audits.core.gbt22239.assess import ALL_CHECKS, count, coverage, judge, rate, selected_items
from audits.core.gbt22239.checks import CHECKS
from audits.core.gbt22239.judging import see
from audits.core.gbt22239.selection import Selected
from audits.core.standards import READERS
from audits.models.assessments import PersonEntry, Status, Verdict
from audits.models.evidence import Origin, Snapshot
from audits.models.systems import THIS_INSTANCE, Scope, System
from tests.fakes.evidence import GOOD

SCOPE = Scope(System(id=THIS_INSTANCE, org_id="o", name="本平台", level=3, s_level=3, a_level=3))
CATALOGUE = PackagedCatalogues(READERS).read("gbt22239")


def snapshots(facts: dict[str, dict[str, Any]]) -> list[Snapshot]:
    return [Snapshot(kind, values, Origin(source="test"), 1) for kind, values in facts.items()]


def selected(level: int) -> tuple[Selected, ...]:
    return selected_items(CATALOGUE, SCOPE.system, level)[0]


def verdicts(facts: dict[str, dict[str, Any]], *entries: PersonEntry) -> dict[str, Verdict]:
    seen = see(SCOPE, ALL_CHECKS, snapshots(facts), entries, 1_000)
    judged = judge(CATALOGUE, selected(3), seen)
    return {verdict.item.id: verdict for verdict in judged}


def entry(item: str, status: Status, *, at: int = 1, expires_at: int = 2_000) -> PersonEntry:
    return PersonEntry("e", "o", "this", item, status, "看过", "", "acc", "李四", at, expires_at)


def test_without_evidence_nothing_is_assessed() -> None:
    assert {verdict.status for verdict in verdicts({}).values()} == {"unassessed"}


def test_a_failure_stands_even_where_other_facts_are_missing() -> None:
    facts = {"iam.users": {"stale": 3}}
    assert verdicts(facts)["L3-CES1-07"].status == "noncompliant"


def test_a_person_judges_what_no_machine_can_until_the_entry_expires() -> None:
    found = verdicts({}, entry("L3-PES1-01", "compliant"))["L3-PES1-01"]
    assert (found.status, found.judge, found.person) == ("compliant", "person", "李四")
    old = verdicts({}, entry("L3-PES1-01", "compliant", expires_at=999))["L3-PES1-01"]
    assert old.status == "unassessed"
    later = entry("L3-PES1-01", "noncompliant", at=2)
    both = verdicts({}, later, entry("L3-PES1-01", "compliant", at=1))["L3-PES1-01"]
    assert both.status == "noncompliant"


def test_a_person_confirms_a_proposal_but_cannot_talk_a_failure_away() -> None:
    confirmed = verdicts(GOOD, entry("L3-CES1-07", "compliant"))["L3-CES1-07"]
    assert (confirmed.judge, confirmed.proposed) == ("person", False)
    assert confirmed.evidence
    facts = {**GOOD, "iam.users": {**GOOD["iam.users"], "stale": 1}}
    denied = verdicts(facts, entry("L3-CES1-07", "compliant"))["L3-CES1-07"]
    assert (denied.status, denied.judge) == ("noncompliant", "machine")


def test_a_failing_item_names_its_high_risk_case() -> None:
    facts = {**GOOD, "iam.users": {**GOOD["iam.users"], "default_accounts": 1}}
    failing = verdicts(facts)["L3-CES1-06"]
    assert [case.id for case in failing.high_risk] == ["6.4.2.1"]
    assert verdicts(GOOD)["L3-CES1-06"].high_risk == ()


def test_checks_of_level_3_are_not_used_where_another_level_says_it_differently() -> None:
    seen = see(SCOPE, ALL_CHECKS, snapshots(GOOD), (), 1)
    judged = {v.item.id: v for v in judge(CATALOGUE, selected(2), seen)}
    differing = [v for v in judged.values() if v.item.id in CHECKS and 2 in v.item.differs_at]
    assert differing
    assert {v.status for v in differing} == {"unassessed"}
    assert any(v.status == "compliant" for v in judged.values())


def test_counts_rate_and_conclusion_are_honest() -> None:
    found = list(verdicts(GOOD).values())
    counts = count(found)
    assert counts == {
        "compliant": 68,
        "partial": 0,
        "noncompliant": 0,
        "not_applicable": 0,
        "unassessed": 143,
    }
    assert coverage(counts) == (68, 211)
    assert (rate(counts).strict, rate(counts).weighted) == ((68, 211), (136, 422))


def test_the_worked_example_of_the_2025_template() -> None:
    counts: dict[Status, int] = {
        "compliant": 181,
        "partial": 12,
        "noncompliant": 7,
        "not_applicable": 11,
        "unassessed": 0,
    }
    assert coverage(counts) == (200, 200)
    assert rate(counts).strict == (181, 200)  # 90.50 %
    assert rate(counts).weighted == (374, 400)  # 93.50 %
