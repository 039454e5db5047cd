"""Every automatic item has a check; every rule of each can be broken; nothing missing passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from audits.adapters.controls import PackagedCatalogues
from audits.core.gbt22239.checks import CHECKS
from audits.core.gbt22239.host_checks import HOST_CHECKS
from audits.core.gbt22239.rules import Ruled
from audits.core.standards import READERS
from audits.models.assessments import Status
from audits.models.evidence import Fact
from tests.fakes.evidence import GOOD, breaking, changed, found

CATALOGUE = PackagedCatalogues(READERS).read("gbt22239")
AUTOMATIC = {item.id for item in CATALOGUE.at(3) if item.assess == "auto"}
RULED = {name: check for name, check in CHECKS.items() if isinstance(check, Ruled)}
RULES = [(item, number) for item, check in RULED.items() for number in range(len(check.rules))]


def test_each_of_the_68_automatic_items_has_a_check() -> None:
    assert len(AUTOMATIC) == 68
    assert set(CHECKS) == AUTOMATIC
    assert set(RULED) == AUTOMATIC, "all of them are rules as data, so that a test can break each"
    assert set(HOST_CHECKS) <= {item.id for item in CATALOGUE.at(3)}


@pytest.mark.parametrize("item", sorted(CHECKS))
def test_good_facts_are_proposed_as_compliant(item: str) -> None:
    finding = found(CHECKS[item], GOOD)
    assert finding.status == "compliant", finding.reason
    assert {snapshot.kind for snapshot in finding.evidence} == RULED[item].kinds
    assert all(seen.ok and seen.expected for seen in finding.observations)


@pytest.mark.parametrize(("item", "number"), RULES)
def test_each_rule_can_be_broken_and_each_fact_missing(item: str, number: int) -> None:
    rule = RULED[item].rules[number]
    broken = found(CHECKS[item], changed(GOOD, rule.fact, breaking(GOOD, rule)))
    assert broken.status == ("noncompliant" if rule.fatal else "partial")
    assert rule.fact in broken.reason.zh
    for name in (rule.fact, rule.same, rule.when):
        if name:
            less = found(CHECKS[item], changed(GOOD, name, None))
            assert less.status == "unassessed"
            assert name in less.reason.zh


def test_what_is_asked_only_where_there_is_something_of_the_kind_is_not_asked_elsewhere() -> None:
    facts = changed(GOOD, "log.retention/sources_young", 0)
    del facts["log.retention"]["capacity_days"]
    assert found(CHECKS["L3-SMC1-10"], facts).status == "compliant"
    facts = changed(GOOD, "ledger.integrity/valid", True)  # noqa: FBT003 - the fact's value
    del facts["bastion.log"]
    assert found(CHECKS["L3-SMC1-01"], facts).status == "compliant"
    assert found(CHECKS["L3-MMS1-19"], facts).status == "unassessed"


def gaps() -> Iterator[tuple[str, str, Any, Status]]:
    """What the standard and the law would call a gap, as a person says it."""
    yield "L3-CES1-01", "iam.password_policy/least_length", 7, "noncompliant"
    yield "L3-CES1-01", "iam.password_policy/age_days", 0, "noncompliant"
    yield "L3-CES1-02", "iam.lockout_policy/failures", 0, "noncompliant"
    yield "L3-CES1-02", "iam.lockout_policy/idle_seconds", 1_801, "noncompliant"
    yield "L3-CES1-04", "iam.mfa/administrators_with_two", 2, "noncompliant"
    yield "L3-CES1-04", "iam.mfa/administrators_cryptographic", 0, "partial"
    yield "L3-CES1-06", "iam.users/default_accounts", 9, "noncompliant"
    yield "L3-CES1-08", "iam.sod/enforced", False, "noncompliant"
    yield "L3-CES1-13", "log.schema/outcome_permille", 994, "partial"
    yield "L3-CES1-23", "av.status/base_days", 31, "noncompliant"
    yield "L3-CES1-29", "backup.job/age_hours", 25, "noncompliant"
    yield "L3-CES1-30", "backup.offsite/batch_only", 1, "partial"
    yield "L3-ABS1-10", "ids.ruleset/ruleset_days", 181, "noncompliant"
    yield "L3-ABS1-13", "ids.alert/target_permille", 999, "noncompliant"
    yield "L3-SMC1-10", "log.retention/configured_days", 183, "noncompliant"
    yield "L3-SMC1-10", "log.retention/sources_with_holes", 1, "noncompliant"
    yield "L3-SMC1-10", "log.retention/capacity_days", 183, "noncompliant"
    yield "L3-HRS1-04", "iam.leaver/slowest_hours", 25, "noncompliant"
    yield "L3-HRS1-04", "record.access_review/valid", 0, "partial"
    yield "L3-CMS1-29", "system.filing/test_age_days", 366, "noncompliant"
    yield "L3-MMS1-20", "alert.triage/severe_overdue", 1, "noncompliant"
    yield "L3-MMS1-39", "incident.record/closed_without_cause", 1, "noncompliant"


@pytest.mark.parametrize(("item", "fact", "value", "status"), list(gaps()))
def test_a_gap_is_named(item: str, fact: str, value: Fact, status: Status) -> None:
    assert found(CHECKS[item], changed(GOOD, fact, value)).status == status
