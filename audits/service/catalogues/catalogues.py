"""What a standard asks, item by item, and what each item is connected with."""

from __future__ import annotations

from dataclasses import dataclass

from audits.core.catalogue_links import asked_of, links_of
from audits.core.gbt22239.catalogue import EXTENSION_TOTALS
from audits.core.standards import CHECKS
from audits.errors import ItemNotFound
from audits.models.catalogue import Catalogue, Item, ItemFilter, ItemView
from audits.ports.catalogues import Catalogues
from secops.kernel.access import AccessControl
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.audits import READ_CATALOGUES

_LEVELS = frozenset(range(5))


@dataclass(frozen=True, slots=True)
class CatalogueService:
    """Lists and shows items. They are the same for everybody and come with the product."""

    access: AccessControl
    catalogues: Catalogues

    def list_items(self, actor: Actor, wanted: ItemFilter, page: PageRequest) -> Page[Item]:
        """Return items in the standard's order; raise ``UnknownStandard`` or ``Invalid``."""
        self.access.require(actor, READ_CATALOGUES, f"catalogue:{wanted.standard}")
        catalogue = self.catalogues.read(wanted.standard)
        key = page.key(int)
        first = key[0] + 1 if key else 0
        found = [
            (index, item)
            for index, item in enumerate(_items(catalogue, wanted))
            if index >= first and _fits(item, wanted)
        ][: page.limit + 1]
        return page_of([item for _, item in found], page.limit, [(index,) for index, _ in found])

    def show_item(self, actor: Actor, standard: str, item_id: str) -> ItemView:
        """Return an item by its identifier; raise ``UnknownStandard`` or ``ItemNotFound``."""
        self.access.require(actor, READ_CATALOGUES, f"catalogue:{standard}")
        catalogue = self.catalogues.read(standard)
        items = {item.id: item for item in catalogue.every}
        if item_id not in items:
            raise ItemNotFound(f"{standard} has no item {item_id[:40]!r}")
        return _view(catalogue, items[item_id])


def _items(catalogue: Catalogue, wanted: ItemFilter) -> tuple[Item, ...]:
    if not set(wanted.extensions) <= set(EXTENSION_TOTALS) or wanted.level not in _LEVELS:
        raise Invalid("a level is from 1 to 4, an extension one of cloud, mobile, iot, ics")
    return catalogue.of(wanted.extensions)


def _fits(item: Item, wanted: ItemFilter) -> bool:
    return (
        (not wanted.level or wanted.level in item.levels)
        and wanted.class_code in ("", item.class_code)
        and wanted.assess in ("", item.assess)
    )


def _view(catalogue: Catalogue, item: Item) -> ItemView:
    checks = CHECKS[catalogue.standard]
    links = next(each for each in links_of(catalogue, checks) if each.item_id == item.id)
    kinds = {**catalogue.own_evidence, **catalogue.evidence}
    read = sorted(set(links.read) - set(links.evidence))
    return ItemView(
        standard=catalogue.standard,
        edition=catalogue.edition,
        item=item,
        evidence=tuple(kinds[kind] for kind in (*links.evidence, *read)),
        asked=asked_of(checks, item.id),
        rules=links.rules,
        documents=tuple(each for each in catalogue.documents if each.id in links.documents),
        cases=tuple(each for each in catalogue.high_risk if each.id in links.cases),
        triggers=tuple(each for each in catalogue.triggers if each.id in links.triggers),
        doubts=catalogue.doubts_of((item.extension,)),
    )
