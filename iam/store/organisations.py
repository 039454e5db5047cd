"""The tree of organisations, and which of them an administrator reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from iam.errors import NameTaken, OrganisationInUse
from iam.models.accounts import Organisation, OrganisationView
from iam.store.tables import accounts, organisation_paths, organisations
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction

_ATTACH: Final = sa.text(
    "INSERT INTO iam_organisation_paths (ancestor_id, descendant_id, depth)"
    " SELECT up.ancestor_id, down.descendant_id, up.depth + down.depth + 1"
    " FROM iam_organisation_paths up, iam_organisation_paths down"
    " WHERE up.descendant_id = :parent AND down.ancestor_id = :moved"
    " UNION ALL SELECT :parent, down.descendant_id, down.depth + 1"
    " FROM iam_organisation_paths down WHERE down.ancestor_id = :moved AND NOT EXISTS"
    " (SELECT 1 FROM iam_organisation_paths self"
    "  WHERE self.ancestor_id = :parent AND self.descendant_id = :parent)"
)
_DETACH: Final = sa.text(
    "DELETE FROM iam_organisation_paths WHERE descendant_id IN"
    " (SELECT descendant_id FROM iam_organisation_paths WHERE ancestor_id = :moved)"
    " AND ancestor_id NOT IN"
    " (SELECT descendant_id FROM iam_organisation_paths WHERE ancestor_id = :moved)"
)


def _organisation(row: Any) -> Organisation:
    return Organisation(row.org_id, row.name, row.parent_id, row.created_at, row.closed_at)


def within(column: sa.ColumnElement[str], org_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that ``column`` names ``org_id`` or an organisation below it."""
    paths = organisation_paths.c
    below = sa.select(paths.descendant_id).where(paths.ancestor_id == org_id)
    return sa.or_(column == org_id, column.in_(below))


def is_reached(tx: Transaction, org_id: str, other: str) -> bool:
    """Tell whether ``other`` is ``org_id`` or stands below it."""
    if org_id == other:
        return True
    paths = organisation_paths.c
    query = sa.select(sa.literal(1)).where(
        paths.ancestor_id == org_id, paths.descendant_id == other
    )
    return tx.execute(query).first() is not None


class Organisations:
    """Organisations in ``iam_organisations``, their tree in ``iam_organisation_paths``."""

    def add(self, tx: Transaction, organisation: Organisation) -> None:
        """Store it under its parent; raise ``NameTaken``."""
        try:
            tx.execute(
                organisations.insert().values(
                    org_id=organisation.id,
                    name=organisation.name,
                    parent_id=organisation.parent_id,
                    created_at=organisation.created_at,
                )
            )
        except IntegrityError as error:
            msg = "another organisation has this name"
            raise NameTaken(msg) from error
        own = {"ancestor_id": organisation.id, "descendant_id": organisation.id, "depth": 0}
        tx.execute(organisation_paths.insert().values(**own))
        if organisation.parent_id is not None:
            tx.execute(_ATTACH, {"parent": organisation.parent_id, "moved": organisation.id})

    def get(self, tx: Transaction, org_id: str) -> Organisation:
        """Return it; raise ``NotFound``."""
        row = tx.execute(sa.select(organisations).where(organisations.c.org_id == org_id)).first()
        if row is None:
            msg = "there is no such organisation"
            raise NotFound(msg)
        return _organisation(row)

    def by_name(self, tx: Transaction, name: str) -> Organisation | None:
        """Return the organisation of this whole name."""
        row = tx.execute(sa.select(organisations).where(organisations.c.name == name)).first()
        return None if row is None else _organisation(row)

    def reaches(self, tx: Transaction, org_id: str, other: str) -> bool:
        """Tell whether ``other`` is ``org_id`` or stands below it."""
        return is_reached(tx, org_id, other)

    def page(
        self, tx: Transaction, reach: str, request: PageRequest, search: tuple[str, str]
    ) -> Page[Organisation]:
        """Return organisations within ``reach`` by name: (parent id or "", part of a name)."""
        parent_id, text = search
        column = organisations.c
        query = sa.select(organisations).where(within(column.org_id, reach))
        if parent_id:
            query = query.where(column.parent_id == parent_id)
        if text:
            query = query.where(column.name.contains(text, autoescape=True))
        if (after := request.key(str, str)) is not None:
            query = query.where(sa.tuple_(column.name, column.org_id) > sa.tuple_(*after))
        ordered = query.order_by(column.name, column.org_id).limit(request.limit + 1)
        found = [_organisation(row) for row in tx.execute(ordered)]
        return page_of(found, request.limit, [(each.name, each.id) for each in found])

    def view(self, tx: Transaction, org_id: str) -> OrganisationView:
        """Return it with the way down to it and what hangs on it; raise ``NotFound``."""
        organisation = self.get(tx, org_id)
        paths, column = organisation_paths.c, organisations.c
        above = tx.execute(
            sa.select(organisations)
            .join(organisation_paths, paths.ancestor_id == column.org_id)
            .where(paths.descendant_id == org_id)
            .order_by(paths.depth.desc())
        ).all()
        children = sa.select(sa.func.count()).where(
            column.parent_id == org_id, column.closed_at.is_(None)
        )
        inside = sa.select(sa.func.count()).where(
            accounts.c.org_id == org_id, accounts.c.state != "closed"
        )
        return OrganisationView(
            organisation,
            tuple(_organisation(row) for row in above),
            tx.execute(children).scalar_one(),
            tx.execute(inside).scalar_one(),
        )

    def rename(self, tx: Transaction, org_id: str, name: str) -> None:
        """Give it another name; raise ``NameTaken``."""
        other = self.by_name(tx, name)
        if other is not None and other.id != org_id:
            msg = "another organisation has this name"
            raise NameTaken(msg)
        tx.execute(organisations.update().where(organisations.c.org_id == org_id).values(name=name))

    def move(self, tx: Transaction, org_id: str, parent_id: str) -> None:
        """Hang it and all below it elsewhere; raise ``OrganisationInUse`` for a circle."""
        self._hold(tx, org_id, parent_id)
        if self.reaches(tx, org_id, parent_id):
            msg = "an organisation does not move below itself"
            raise OrganisationInUse(msg)
        tx.execute(_DETACH, {"moved": org_id})
        tx.execute(_ATTACH, {"parent": parent_id, "moved": org_id})
        tx.execute(
            organisations.update()
            .where(organisations.c.org_id == org_id)
            .values(parent_id=parent_id)
        )

    def _hold(self, tx: Transaction, org_id: str, parent_id: str) -> None:
        """Keep what moves and the whole way down to its new place as they are until the end.

        Two moves that would make a circle together both hold both, so one sees the other.
        """
        paths = organisation_paths.c
        above = sa.select(paths.ancestor_id).where(paths.descendant_id == parent_id)
        column = organisations.c.org_id
        held = sa.select(column).where(sa.or_(column == org_id, column.in_(above)))
        tx.execute(held.order_by(column).with_for_update())

    def close(self, tx: Transaction, org_id: str) -> None:
        """Close it; raise ``OrganisationInUse`` while open accounts or organisations are in it."""
        view = self.view(tx, org_id)
        if view.children or view.accounts:
            msg = f"{view.children} organisations and {view.accounts} accounts are in it"
            raise OrganisationInUse(msg)
        tx.execute(
            organisations.update().where(organisations.c.org_id == org_id).values(closed_at=tx.now)
        )

    def names(self, tx: Transaction, ids: Sequence[str]) -> dict[str, str]:
        """Return the names of ``ids``."""
        column = organisations.c
        rows = tx.execute(sa.select(column.org_id, column.name).where(column.org_id.in_(ids)))
        return {row.org_id: row.name for row in rows}
