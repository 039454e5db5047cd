"""Each automatic unit of GB/T 39786 has a check whose rules speak for D, A or K."""

from __future__ import annotations

import pytest

from audits.adapters.controls import PackagedCatalogues
from audits.core.gbt22239.rules import Ruled
from audits.core.gbt39786.axes import axes_of, axis_of
from audits.core.gbt39786.checks import CHECKS
from audits.core.gbt39786.strength import APPROVED, SOUND_BITS, bits_of
from audits.core.standards import READERS
from audits.models.assessments import ObjectVerdict
from kms.models.keys import KEY_TYPES
from tests.fakes.evidence import GOOD_CRYPTO, breaking, changed, found

UNITS = {
    item.id: item
    for item in PackagedCatalogues(READERS).read("gbt39786").items
    if item.assess == "auto"
}
RULED = {name: check for name, check in CHECKS.items() if isinstance(check, Ruled)}
RULES = [(unit, number) for unit, check in RULED.items() for number in range(len(check.rules))]


def test_each_of_the_14_automatic_units_has_a_check() -> None:
    assert len(UNITS) == 14
    assert set(CHECKS) == set(UNITS) == set(RULED)


@pytest.mark.parametrize("unit", sorted(CHECKS))
def test_good_facts_make_d_a_and_k(unit: str) -> None:
    finding = found(CHECKS[unit], GOOD_CRYPTO)
    assert finding.status == "compliant", finding.reason
    axes = axes_of(ObjectVerdict("", "x", finding.status, finding.reason, finding.observations))
    assert (axes.effective, axes.approved, axes.managed, axes.software) == (True, True, True, False)


@pytest.mark.parametrize(("unit", "number"), RULES)
def test_each_rule_can_be_broken_and_each_fact_missing(unit: str, number: int) -> None:
    rule = RULED[unit].rules[number]
    broken = found(CHECKS[unit], changed(GOOD_CRYPTO, rule.fact, breaking(GOOD_CRYPTO, rule)))
    assert broken.status == ("noncompliant" if rule.fatal else "partial")
    for name in (rule.fact, rule.same):
        if name:
            assert found(CHECKS[unit], changed(GOOD_CRYPTO, name, None)).status == "unassessed"
    axes = axes_of(ObjectVerdict("", "x", broken.status, broken.reason, broken.observations))
    fell = {"D": axes.effective, "A": axes.approved, "K": axes.managed}
    assert fell.pop(axis_of(rule.fact)) is False
    assert set(fell.values()) == {True}, "one thing wrong spoils one axis"


def test_keys_in_software_never_pass_k() -> None:
    finding = found(CHECKS["MP-6.4.5"], changed(GOOD_CRYPTO, "kms.custody/hardware", False))  # noqa: FBT003 - the fact
    view = ObjectVerdict("", "x", finding.status, finding.reason, finding.observations)
    assert (axes_of(view).managed, axes_of(view).software) == (False, True)


def test_every_type_of_key_offered_has_a_strength() -> None:
    assert {name for name in KEY_TYPES if bits_of(name) < SOUND_BITS} == set()
    assert bits_of("rsa-1024") == 0
    assert set(KEY_TYPES) >= APPROVED


@pytest.mark.parametrize(("keys", "suite", "bits"), [(128, 256, 128), (256, 112, 112), (0, 0, 0)])
def test_the_weakest_algorithm_that_the_evidence_names_gives_the_strength(
    keys: int, suite: int, bits: int
) -> None:
    facts = changed(GOOD_CRYPTO, "kms.policy/weak_keys", 0)
    if keys:
        facts["kms.policy"]["least_bits"], facts["tls.scan"]["least_bits"] = keys, suite
    finding = found(CHECKS["MP-6.4.4"], facts)
    view = ObjectVerdict(
        "", "x", finding.status, finding.reason, finding.observations, finding.evidence
    )
    assert axes_of(view).bits == bits
