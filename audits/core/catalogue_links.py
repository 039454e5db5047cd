"""What items are connected with: checks, evidence, rules, documents, cases, triggers."""

from __future__ import annotations

from audits.core.catalogue_checks import check_known
from audits.core.gbt22239.findings import Check
from audits.core.gbt22239.judging import Checks
from audits.core.gbt22239.rules import Ruled
from audits.models.catalogue import Asked, Catalogue, Links


def links_of(catalogue: Catalogue, checks: Checks) -> tuple[Links, ...]:
    """Return what each item, those of extensions too, is connected with.

    Raises ``CatalogueRejected`` where a check judges no item of the catalogue, or reads a kind
    of evidence that neither vocabulary knows.
    """
    items = catalogue.every
    read = {each: kinds_read(checks, each) for each in {*checks.whole, *checks.assets}}
    check_known("checks name", read, [item.id for item in items])
    kinds = {*catalogue.evidence, *catalogue.own_evidence}
    check_known("checks read", (kind for found in read.values() for kind in found), kinds)
    return tuple(
        Links(
            item_id=item.id,
            read=read.get(item.id, ()),
            evidence=item.evidence,
            rules=catalogue.rules.get(item.id, ()),
            documents=tuple(each.id for each in catalogue.documents if item.id in each.items),
            cases=tuple(each.id for each in catalogue.high_risk if each.item == item.id),
            triggers=tuple(each.id for each in catalogue.triggers if each.item == item.id),
        )
        for item in items
    )


def asked_of(checks: Checks, item_id: str) -> tuple[Asked, ...]:
    """Return what the checks on an item demand: of the whole first, then of each kind of asset."""
    named: list[tuple[str, Check]] = [
        ("", check) for item, check in checks.whole.items() if item == item_id
    ]
    named += sorted(checks.assets.get(item_id, {}).items(), key=lambda pair: pair[0])
    return tuple(
        Asked(kind, rule.fact, rule.expected, rule.fatal)
        for kind, check in named
        if isinstance(check, Ruled)
        for rule in check.rules
    )


def kinds_read(checks: Checks, item_id: str) -> tuple[str, ...]:
    """Return the kinds of evidence that the checks on an item read."""
    found = [checks.whole[item_id]] if item_id in checks.whole else []
    found += checks.assets.get(item_id, {}).values()
    return tuple(
        sorted({kind for check in found if isinstance(check, Ruled) for kind in check.kinds})
    )
