"""Organisations as a tree: created, renamed, moved, closed by who administers above them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from iam.errors import IdentityInvalid, OrganisationInUse
from iam.models.accounts import Account, Organisation, OrganisationView
from iam.service.means import Means
from iam.service.people.roles import end_with_roles
from iam.service.persons import refuse_own
from iam.service.reach import reached_account, reaches, require_reach
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Forbidden
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import (
    ORGANISATION_CHANGE,
    ORGANISATION_CREATE,
    ORGANISATION_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_NAME: Final = 200


def check_label(name: str) -> str:
    """Return a name without spaces around it; raise ``IdentityInvalid`` if it has no length."""
    text = name.strip()
    if not 1 <= len(text) <= MAX_NAME or not text.isprintable():
        msg = f"a name has 1 to {MAX_NAME} printable characters"
        raise IdentityInvalid(msg)
    return text


@dataclass(frozen=True, slots=True)
class OrganisationService:
    """What can be done with organisations. The caller's own is changed only from above it."""

    means: Means

    def create_organisation(
        self, actor: Actor, name: str, parent_id: str | None = None
    ) -> Organisation:
        """Register an organisation under one within reach (the caller's own by default)."""
        self.means.parts.access.require(actor, ORGANISATION_CREATE, "organisation:*")
        parent = parent_id or actor.org_id
        organisation = Organisation(
            self.means.parts.ids.new("org"), check_label(name), parent, self.means.now
        )

        def work(tx: Transaction) -> None:
            self._require_open(tx, actor, parent)
            self.means.stores.organisations.add(tx, organisation)
            details = {"parent": parent}
            target = f"organisation:{organisation.id}"
            tx.record(Act("iam.create_organisation", actor, target, details=details))

        self.means.parts.transactions.run(work)
        return organisation

    def list_organisations(
        self, actor: Actor, request: PageRequest, *, parent_id: str = "", text: str = ""
    ) -> Page[Organisation]:
        """Return organisations within reach by name: of one parent, or with ``text`` in them."""
        self.means.parts.access.require(actor, ORGANISATION_READ, "organisation:*")
        search = (parent_id, text.strip()[:MAX_NAME])

        def work(tx: Transaction) -> Page[Organisation]:
            if parent_id:
                require_reach(self.means, tx, actor, parent_id, "organisation")
            return self.means.stores.organisations.page(tx, actor.org_id, request, search)

        return self.means.parts.transactions.read(work)

    def get_organisation(self, actor: Actor, org_id: str) -> OrganisationView:
        """Return one with the way down to it; raise ``NotFound`` if it is out of reach."""
        self.means.parts.access.require(actor, ORGANISATION_READ, f"organisation:{org_id}")

        def work(tx: Transaction) -> OrganisationView:
            require_reach(self.means, tx, actor, org_id, "organisation")
            return self.means.stores.organisations.view(tx, org_id)

        return self.means.parts.transactions.read(work)

    def names_of(self, actor: Actor, ids: Sequence[str]) -> dict[str, str]:
        """Return the names of organisations within reach, by id; others are left out."""

        def work(tx: Transaction) -> dict[str, str]:
            reached = [each for each in set(ids) if reaches(self.means, tx, actor, each)]
            return self.means.stores.organisations.names(tx, reached)

        return self.means.parts.transactions.read(work)

    def rename_organisation(self, actor: Actor, org_id: str, name: str) -> None:
        """Give it another name; raise ``NameTaken``."""
        label = check_label(name)

        def work(tx: Transaction) -> dict[str, str]:
            before = self.means.stores.organisations.get(tx, org_id).name
            self.means.stores.organisations.rename(tx, org_id, label)
            return {"before": before, "after": label}

        self._change(actor, org_id, "iam.rename_organisation", work)

    def move_organisation(self, actor: Actor, org_id: str, parent_id: str) -> None:
        """Hang it, with all below it, under another one within reach."""

        def work(tx: Transaction) -> dict[str, str]:
            self._require_open(tx, actor, parent_id)
            before = self.means.stores.organisations.get(tx, org_id).parent_id or ""
            self.means.stores.organisations.move(tx, org_id, parent_id)
            return {"before": before, "after": parent_id}

        self._change(actor, org_id, "iam.move_organisation", work)

    def close_organisation(self, actor: Actor, org_id: str) -> None:
        """Close it; raise ``OrganisationInUse`` while open accounts or organisations are in it."""

        def work(tx: Transaction) -> dict[str, str]:
            self.means.stores.organisations.close(tx, org_id)
            return {}

        self._change(actor, org_id, "iam.close_organisation", work)

    def move_account(self, actor: Actor, account: str, org_id: str) -> Account:
        """Put an account into another organisation within reach: its roles and sessions end.

        What somebody may do in one organisation says nothing about another one.
        """
        self.means.parts.access.require(actor, ORGANISATION_CHANGE, f"organisation:{org_id}")

        def work(tx: Transaction) -> Account:
            found = reached_account(self.means, tx, actor, account)
            refuse_own(self.means, tx, actor, found.id)
            self._require_open(tx, actor, org_id)
            ended = end_with_roles(self.means, tx, found, "moved to another organisation")
            self.means.stores.accounts.move(tx, found.id, org_id)
            details = {"before": found.org_id, "after": org_id, "roles_ended": ended}
            tx.record(Act("iam.move_account", actor, f"account:{found.id}", details=details))
            return self.means.stores.accounts.get(tx, found.id)

        return self.means.parts.transactions.run(work)

    def _require_open(self, tx: Transaction, actor: Actor, org_id: str) -> None:
        require_reach(self.means, tx, actor, org_id, "organisation")
        if org_id == ROOT_ORG:
            return
        if self.means.stores.organisations.get(tx, org_id).closed_at is not None:
            msg = "the organisation was closed"
            raise OrganisationInUse(msg)

    def _change(
        self,
        actor: Actor,
        org_id: str,
        action: str,
        change: Callable[[Transaction], dict[str, str]],
    ) -> None:
        self.means.parts.access.require(actor, ORGANISATION_CHANGE, f"organisation:{org_id}")

        def work(tx: Transaction) -> None:
            require_reach(self.means, tx, actor, org_id, "organisation")
            if org_id == actor.org_id:
                msg = "one's own organisation is changed from above it"
                raise Forbidden(msg)
            tx.record(Act(action, actor, f"organisation:{org_id}", details=change(tx)))

        self.means.parts.transactions.run(work)
