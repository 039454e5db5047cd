"""References inside a catalogue: nothing in it may name what is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from audits.errors import CatalogueRejected
from audits.models.catalogue import Catalogue


def check_parts(catalogue: Catalogue) -> None:
    """Raise ``CatalogueRejected`` where an id is repeated or a reference dangles."""
    items = [item.id for item in catalogue.every]
    _unique("item", items)
    _unique("high-risk case", [case.id for case in catalogue.high_risk])
    _unique("trigger", [trigger.id for trigger in catalogue.triggers])
    _unique("document", [document.id for document in catalogue.documents])
    cases = (case.item for case in catalogue.high_risk if case.item)
    triggers = (trigger.item for trigger in catalogue.triggers if trigger.item)
    papers = (item for document in catalogue.documents for item in document.items)
    check_known("high-risk cases name", cases, items)
    check_known("triggers name", triggers, items)
    check_known("documents name", papers, items)
    check_known("rules name", catalogue.rules, items)
    kinds = [kind for item in catalogue.every for kind in item.evidence]
    check_known("items name", kinds, catalogue.evidence)
    check_known("documents are", (each.kind for each in catalogue.documents), catalogue.evidence)


def _unique(what: str, ids: Iterable[str]) -> None:
    repeated = sorted(each for each, number in Counter(ids).items() if number > 1)
    if repeated:
        raise CatalogueRejected(f"the catalogue repeats the {what} {', '.join(repeated)}")


def check_known(what: str, named: Iterable[str], known: Collection[str]) -> None:
    """Raise ``CatalogueRejected`` where something is named that is not known."""
    strays = sorted(set(named) - set(known))
    if strays:
        raise CatalogueRejected(f"{what} what the catalogue has not: {', '.join(strays)}")
