"""The catalogue adds up; what is missing is never compliant; a failure is never talked away."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.adapters.controls import PackagedCatalogues
from audits.core.gbt22239.assess import conclude, count, coverage, judge, rate
from audits.core.gbt22239.catalogue import TOTALS, read_catalogue
from audits.core.gbt22239.checks import CHECKS
from audits.errors import CatalogueRejected, UnknownStandard
from audits.models.compliance import PersonEntry, Snapshot, Status, Verdict
from tests.fakes.evidence import GOOD, FakeEvidence

CATALOGUE = PackagedCatalogues(read_catalogue).read("gbt22239")


def snapshots(facts: dict[str, dict[str, Any]]) -> list[Snapshot]:
    return [Snapshot(kind, values, "test", 1) for kind, values in facts.items()]


def verdicts(facts: dict[str, dict[str, Any]], *entries: PersonEntry) -> dict[str, Verdict]:
    judged = judge(CATALOGUE, 3, snapshots(facts), entries, now=1_000)
    return {verdict.item.id: verdict for verdict in judged}


def entry(item: str, status: Status, *, at: int = 1, expires_at: int = 2_000) -> PersonEntry:
    return PersonEntry("e", "o", "this", item, status, "看过", "", "acc", "李四", at, expires_at)


def test_the_totals_of_all_levels_hold() -> None:
    assert [len(CATALOGUE.at(level)) for level in (1, 2, 3, 4)] == [55, 135, 211, 228]
    assert [sum(TOTALS[level]) for level in (1, 2, 3, 4)] == [55, 135, 211, 228]
    by_kind = [item.assess for item in CATALOGUE.at(3)]
    assert [by_kind.count(kind) for kind in ("auto", "semi", "manual")] == [68, 71, 72]
    assert "L3-CES1-16" not in {item.id for item in CATALOGUE.items}
    clauses = [item.clause[3] for item in CATALOGUE.at(3)]
    assert len(set(clauses)) == len(clauses)


def test_a_catalogue_that_does_not_add_up_is_refused() -> None:
    from importlib.resources import files  # noqa: PLC0415

    folder = files("rules") / "controls" / "gbt22239"
    meta, items, cases = (
        orjson.loads((folder / f"{name}.json").read_bytes())
        for name in ("meta", "items", "high_risk")
    )
    with pytest.raises(CatalogueRejected, match="level"):
        read_catalogue(meta, items[1:], cases)
    with pytest.raises(CatalogueRejected, match="repeated"):
        read_catalogue(meta, [*items[1:], {**items[0], "id": items[1]["id"]}], cases)
    with pytest.raises(CatalogueRejected, match="unknown items"):
        read_catalogue(meta, items, [{**cases[0], "item": "L3-XXX1-01"}])
    with pytest.raises(CatalogueRejected, match="lacks"):
        read_catalogue(meta, [{}], cases)


def test_an_unknown_standard_is_refused() -> None:
    with pytest.raises(UnknownStandard):
        PackagedCatalogues(read_catalogue).read("../secrets")


def test_every_check_belongs_to_an_automatic_item() -> None:
    automatic = {item.id for item in CATALOGUE.at(3) if item.assess == "auto"}
    assert set(CHECKS) <= automatic
    assert len(CHECKS) == 32


def test_good_state_is_proposed_as_compliant_by_the_machine() -> None:
    found = verdicts(GOOD)
    judged = {name: verdict for name, verdict in found.items() if verdict.judge == "machine"}
    assert set(judged) == set(CHECKS)
    assert {verdict.status for verdict in judged.values()} == {"compliant"}
    assert all(verdict.proposed and verdict.evidence for verdict in judged.values())


def test_without_evidence_nothing_is_assessed() -> None:
    assert {verdict.status for verdict in verdicts({}).values()} == {"unassessed"}


@given(st.data())
def test_a_missing_fact_never_makes_an_item_compliant(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(GOOD)))
    fact = data.draw(st.sampled_from(sorted(GOOD[kind])))
    facts = {name: dict(values) for name, values in GOOD.items()}
    del facts[kind][fact]
    full, less = verdicts(GOOD), verdicts(facts)
    changed = {name for name in full if full[name].status != less[name].status}
    assert changed
    assert {less[name].status for name in changed} == {"unassessed"}
    assert all(f"{kind}/{fact}" in less[name].reason.zh for name in changed)


BAD: dict[str, tuple[str, str, Any, Status]] = {
    "L3-CES1-01": ("iam.password_policy", "least_length", 7, "noncompliant"),
    "L3-CES1-02": ("iam.lockout", "failures", 0, "noncompliant"),
    "L3-CES1-04": ("iam.mfa", "administrators_with_two", 2, "noncompliant"),
    "L3-CES1-05": ("iam.users", "without_role", 1, "partial"),
    "L3-CES1-06": ("iam.users", "default_accounts", 9, "noncompliant"),
    "L3-CES1-07": ("iam.users", "stale", 1, "noncompliant"),
    "L3-CES1-08": ("iam.roles", "exclusion_enforced", False, "noncompliant"),
    "L3-CES1-12": ("log.coverage", "silent", 1, "partial"),
    "L3-CES1-13": ("log.schema", "outcome_permille", 994, "partial"),
    "L3-CES1-14": ("ledger.integrity", "valid", False, "noncompliant"),
    "L3-CES1-22": ("detector.rules", "enabled", 0, "noncompliant"),
    "L3-CES1-27": ("platform.listeners", "plain_remote", 1, "noncompliant"),
    "L3-CES1-28": ("kms.custody", "damaged_system_keys", 1, "noncompliant"),
    "L3-CES1-29": ("backup.job", "age_hours", 25, "noncompliant"),
    "L3-SMC1-02": ("ledger.acts", "administration_by_others", 1, "noncompliant"),
    "L3-SMC1-04": ("ledger.acts", "audit_reviews_31_days", 0, "noncompliant"),
    "L3-SMC1-06": ("ledger.acts", "policy_changes_by_others", 1, "noncompliant"),
    "L3-SMC1-10": ("log.retention", "days", 183, "noncompliant"),
    "L3-SMC1-12": ("alert.triage", "severe_overdue", 1, "partial"),
    "L3-MMS1-15": ("iam.roles", "audit_admins", 0, "noncompliant"),
    "L3-MMS1-16": ("ledger.acts", "role_changes_by_others", 1, "noncompliant"),
    "L3-MMS1-20": ("alert.triage", "severe_overdue", 1, "noncompliant"),
    "L3-MMS1-37": ("incident.record", "severe_without_incident", 1, "partial"),
    "L3-MMS1-39": ("incident.record", "closed_without_cause", 1, "noncompliant"),
}


@pytest.mark.parametrize("item", sorted(BAD))
def test_each_check_can_fail(item: str) -> None:
    kind, fact, value, status = BAD[item]
    evidence = FakeEvidence()
    evidence.facts[kind][fact] = value
    verdict = verdicts(evidence.facts)[item]
    assert (verdict.status, verdict.judge, verdict.proposed) == (status, "machine", False)
    assert f"{kind}/{fact}" in verdict.reason.en or item == "L3-CES1-04"


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
    judged = {v.item.id: v for v in judge(CATALOGUE, 2, snapshots(GOOD), (), now=1)}
    differing = [v for v in judged.values() if v.item.id in CHECKS and 2 in v.item.differs_at]
    assert differing
    assert {v.status for v in differing} == {"unassessed"}
    assert any(v.status == "compliant" for v in judged.values())


def test_counts_rate_and_conclusion_are_honest() -> None:
    found = list(verdicts(GOOD).values())
    counts = count(found)
    assert counts == {
        "compliant": 32,
        "partial": 0,
        "noncompliant": 0,
        "not_applicable": 0,
        "unassessed": 179,
    }
    assert coverage(counts) == (32, 211)
    assert (rate(counts).strict, rate(counts).weighted) == ((32, 211), (64, 422))
    assert conclude(counts) is None


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
    conclusion = conclude(counts)
    assert conclusion is not None
    assert conclusion.zh.startswith("推算")
    assert conclude(dict.fromkeys(counts, 0)) is None
