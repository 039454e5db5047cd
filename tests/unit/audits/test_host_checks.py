"""Checks of hosts, databases and middleware: over facts that collectors really give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from audits.adapters.controls import PackagedCatalogues
from audits.core.collectors.bundle import open_bundle
from audits.core.collectors.facts import read_facts
from audits.core.gbt22239.findings import Finding, Looking
from audits.core.gbt22239.host_checks import HOST_CHECKS
from audits.core.gbt22239.rules import Rule, Ruled
from audits.core.standards import READERS
from audits.models.collectors import FAMILIES
from audits.models.evidence import Fact, Origin, Snapshot
from audits.models.systems import AssetKind
from tests.fakes.bundles import bundle
from tests.fakes.collected_hosts import CENTOS_6, DEBIAN_12, OPENEULER
from tests.fakes.collected_services import (
    NGINX_DEBIAN,
    NGINX_KYLIN,
    NGINX_OLD,
    PG_DEBIAN,
    PG_EULER,
    PG_OLD,
)

Facts = dict[str, Fact]


def rules() -> Iterator[tuple[str, AssetKind, Rule]]:
    for item, by_kind in HOST_CHECKS.items():
        for kind, check in by_kind.items():
            assert isinstance(check, Ruled)
            for rule in check.rules:
                yield item, kind, rule


RULES = list(rules())


def family_facts(texts: Mapping[str, str], family: str, age: int = 3) -> Facts:
    """Return the facts of a bundle by ``kind/name``, its age too."""
    facts: Facts = {
        f"{reading.kind}/{name}": value
        for reading in read_facts(open_bundle(bundle(texts)), family)
        for name, value in reading.facts.items()
    }
    return facts | {f"{family}.collection/age_days": age, f"{family}.collection/as_root": True}


def found(item: str, kind: AssetKind, facts: Facts) -> Finding:
    by_kind: dict[str, Facts] = {}
    for name, value in facts.items():
        by_kind.setdefault(name.partition("/")[0], {})[name.partition("/")[2]] = value
    look = Looking({k: Snapshot(k, v, Origin(source="test"), 1) for k, v in by_kind.items()})
    HOST_CHECKS[item][kind](look)
    return look.finding()


def test_every_item_is_automatic_and_every_fact_is_given_by_a_collector() -> None:
    catalogue = PackagedCatalogues(READERS).read("gbt22239")
    assert set(HOST_CHECKS) <= {each.id for each in catalogue.at(3) if each.assess == "auto"}
    assert len(HOST_CHECKS) == 25
    known = {
        *(
            name
            for texts in (DEBIAN_12, OPENEULER, CENTOS_6)
            for name in family_facts(texts, "host")
        ),
        *(name for texts in (NGINX_DEBIAN, NGINX_KYLIN) for name in family_facts(texts, "nginx")),
        *(name for texts in (PG_DEBIAN, PG_EULER) for name in family_facts(texts, "pg")),
    }
    asked = {name for _, _, rule in RULES for name in (rule.fact, rule.when) if name}
    assert asked - known == set()


def test_an_asset_is_asked_only_for_facts_of_its_family() -> None:
    for _, kind, rule in RULES:
        assert rule.fact.startswith(f"{FAMILIES[kind]}.")


@pytest.mark.parametrize("item", sorted(HOST_CHECKS))
def test_each_rule_can_be_broken_and_each_fact_missing(item: str) -> None:
    for kind, check in HOST_CHECKS[item].items():
        assert isinstance(check, Ruled)
        good: Facts = {}
        for rule in check.rules:
            least = rule.least if rule.least is not None else rule.most
            before = good.get(rule.fact, 0)
            good[rule.fact] = True if least is None else max(least, int(before))
            if rule.when:
                good.setdefault(rule.when, 1)
        assert found(item, kind, good).status == "compliant"
        for rule in check.rules:
            top = rule.most
            bad: Fact = (
                False if top is None and rule.least is None else -1 if top is None else top + 1
            )
            status = found(item, kind, good | {rule.fact: bad}).status
            assert status == ("noncompliant" if _is_fatal(check, rule) else "partial")
            less = {name: value for name, value in good.items() if name != rule.fact}
            assert found(item, kind, less).status == "unassessed"


def _is_fatal(check: Ruled, broken: Rule) -> bool:
    return any(rule.fatal for rule in check.rules if rule.fact == broken.fact)


STATUSES: dict[str, tuple[str, str, str]] = {
    # a hardened Debian 12, an openEuler as installed, a CentOS 6 that nobody looked after
    "L3-CES1-01": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-02": ("compliant", "unassessed", "noncompliant"),
    "L3-CES1-03": ("compliant", "unassessed", "noncompliant"),
    "L3-CES1-05": ("compliant", "unassessed", "noncompliant"),
    "L3-CES1-06": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-07": ("compliant", "noncompliant", "unassessed"),
    "L3-CES1-12": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-13": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-14": ("compliant", "noncompliant", "unassessed"),
    "L3-CES1-15": ("compliant", "partial", "noncompliant"),
    "L3-CES1-18": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-19": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-21": ("noncompliant", "unassessed", "noncompliant"),
    "L3-CES1-23": ("compliant", "unassessed", "noncompliant"),
    "L3-MMS1-27": ("compliant", "partial", "unassessed"),
    "L3-ABS1-05": ("compliant", "noncompliant", "noncompliant"),
    "L3-ABS1-06": ("partial", "unassessed", "noncompliant"),
    "L3-ABS1-07": ("partial", "partial", "noncompliant"),
    "L3-ABS1-08": ("compliant", "compliant", "partial"),
    "L3-SMC1-08": ("compliant", "unassessed", "noncompliant"),
}


@pytest.mark.parametrize("item", STATUSES)
def test_what_three_hosts_get(item: str) -> None:
    kind: AssetKind = "security" if item[3:6] in ("ABS", "SMC") else "host"
    hosts = (DEBIAN_12, OPENEULER, CENTOS_6)
    statuses = tuple(found(item, kind, family_facts(texts, "host")).status for texts in hosts)
    assert statuses == STATUSES[item]


DATABASES: dict[str, tuple[str, str, str]] = {
    "L3-CNS1-06": ("compliant", "noncompliant", "unassessed"),
    "L3-CES1-01": ("compliant", "noncompliant", "unassessed"),
    "L3-CES1-02": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-05": ("compliant", "noncompliant", "unassessed"),
    "L3-CES1-06": ("compliant", "noncompliant", "compliant"),
    "L3-CES1-12": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-13": ("compliant", "noncompliant", "unassessed"),
    "L3-CES1-18": ("compliant", "partial", "unassessed"),
    "L3-CES1-19": ("compliant", "noncompliant", "unassessed"),
    "L3-CES1-21": ("compliant", "noncompliant", "noncompliant"),
}


@pytest.mark.parametrize("item", DATABASES)
def test_what_three_databases_get(item: str) -> None:
    servers = (PG_DEBIAN, PG_EULER, PG_OLD)
    statuses = tuple(found(item, "database", family_facts(s, "pg")).status for s in servers)
    assert statuses == DATABASES[item]


MIDDLEWARE: dict[str, tuple[str, str, str]] = {
    "L3-CNS1-07": ("compliant", "noncompliant", "noncompliant"),
    "L3-ABS1-17": ("compliant", "noncompliant", "compliant"),
    "L3-CES1-03": ("compliant", "noncompliant", "noncompliant"),
    "L3-CES1-12": ("compliant", "noncompliant", "compliant"),
    "L3-CES1-18": ("compliant", "noncompliant", "partial"),
}


@pytest.mark.parametrize("item", MIDDLEWARE)
def test_what_three_nginx_get(item: str) -> None:
    servers = (NGINX_DEBIAN, NGINX_KYLIN, NGINX_OLD)
    statuses = tuple(found(item, "middleware", family_facts(s, "nginx")).status for s in servers)
    assert statuses == MIDDLEWARE[item]


def test_an_old_bundle_is_no_baseline() -> None:
    facts = family_facts(DEBIAN_12, "host", age=31)
    assert found("L3-MMS1-27", "host", facts).status == "noncompliant"
