"""What people allowed applications: seen and taken back, by themselves and by administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iam.core.openid.consent import words_of
from iam.models.consents import Consent, ConsentView
from iam.service.means import Means
from iam.service.provider.consents import consent_epoch, organisation_name
from iam.service.sign_on.sessions import find_account, same_organisation
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import SESSION_READ, SESSION_REVOKE
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction


@dataclass(frozen=True, slots=True)
class ConsentReview:
    """Lists and revokes consents."""

    means: Means

    def own_consents(self, actor: Actor) -> Sequence[ConsentView]:
        """Return what the caller allows, newest first; raise ``Forbidden`` for applications."""
        if actor.kind != "account":
            msg = "only people allow applications something"
            raise Forbidden(msg)
        stores = self.means.stores

        def work(tx: Transaction) -> Sequence[ConsentView]:
            return [self._view(tx, one) for one in stores.consents.of_account(tx, actor.id)]

        return self.means.parts.transactions.read(work)

    def revoke_own_consent(self, actor: Actor, consent_id: str) -> None:
        """Take back a consent of one's own; raise ``NotFound`` for another's."""
        mine = [one for one in self.own_consents(actor) if one.consent.id == consent_id]
        if not mine:
            msg = "you gave no such consent, or it is over"
            raise NotFound(msg)
        self._end(actor, mine[0].consent, "taken back by its owner")

    def list_consents(
        self, actor: Actor, request: PageRequest, account: str | None = None
    ) -> Page[ConsentView]:
        """Return consents within reach, or of one account (name or id)."""
        self.means.parts.access.require(actor, SESSION_READ, "consent:*")
        stores = self.means.stores

        def work(tx: Transaction) -> Page[ConsentView]:
            whose = ""
            if account is not None:
                found = find_account(self.means, tx, account)
                whose = same_organisation(self.means, tx, actor, found).id
            page = stores.consents.page(tx, actor.org_id, request, whose)
            return Page([self._view(tx, one) for one in page.items], page.next)

        return self.means.parts.transactions.read(work)

    def revoke_consent(self, actor: Actor, consent_id: str, reason: str) -> None:
        """Take back somebody's consent; raise ``NotFound`` if it is unknown or over."""
        self.means.parts.access.require(actor, SESSION_REVOKE, f"consent:{consent_id}")
        stores = self.means.stores

        def work(tx: Transaction) -> Consent:
            found = stores.consents.get(tx, consent_id)
            if found is None or found.ended_at is not None:
                msg = "there is no such consent, or it is over"
                raise NotFound(msg)
            same_organisation(self.means, tx, actor, stores.accounts.get(tx, found.account_id))
            return found

        self._end(actor, self.means.parts.transactions.read(work), reason[:500])

    def _end(self, actor: Actor, consent: Consent, reason: str) -> None:
        """End it, its refresh families, tokens and site sessions, whatever can be written."""
        details = {"account": consent.account_id, "client": consent.client_id, "reason": reason}
        act = Act("iam.revoke_consent", actor, f"consent:{consent.id}", details=details)
        self.means.parts.transactions.restrict(
            lambda tx: self.means.stores.consents.end(tx, consent),
            Restriction("token", consent_epoch(consent.id), act),
        )

    def _view(self, tx: Transaction, consent: Consent) -> ConsentView:
        client = self.means.stores.clients.get(tx, consent.client_id)
        org_id = consent.org_id if client is None else client.org_id
        return ConsentView(
            consent=consent,
            account_name=self.means.stores.accounts.get(tx, consent.account_id).name,
            client_name=consent.client_id if client is None else client.name,
            organisation=organisation_name(self.means, tx, org_id),
            scopes=words_of(consent.scopes),
        )
