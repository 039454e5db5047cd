"""Consent: what people are asked before an application learns of them, and remembered of it."""

from __future__ import annotations

from dataclasses import dataclass

from iam.core.openid.consent import assured, needed_scopes, words_of
from iam.models.clients import Client
from iam.models.consents import Consent, ConsentQuestion
from iam.models.grants import AuthorizationRequest
from iam.models.options import API_AUDIENCE
from iam.models.sessions import OpSession
from iam.service.means import Means
from secops.kernel.actors import Actor
from secops.kernel.clock import HOUR
from secops.kernel.errors import NotFound
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


def consent_epoch(consent_id: str) -> str:
    """Return what an ended consent is called among revoked tokens."""
    return f"consent:{consent_id}"


@dataclass(frozen=True, slots=True)
class ConsentBook:
    """Asks, remembers, and tells whether a yes still stands."""

    means: Means

    def due(self, client: Client, request: AuthorizationRequest, session: OpSession) -> bool:
        """Tell whether the person has to be asked before ``request`` is granted."""
        if "consent" in request.prompt:
            return True
        if client.consent == "none":
            return False
        if not assured(client, request.redirect_uri):
            return True
        read = self.means.parts.transactions.read
        scopes = request.scopes
        return read(lambda tx: self.standing(tx, client, session.account_id, scopes)) is None

    def standing(
        self, tx: Transaction, client: Client, account_id: str, asked: frozenset[str]
    ) -> str | None:
        """Return the consent that covers ``asked``: "" where none is needed, None for none."""
        if client.consent == "none":
            return ""
        found = self.means.stores.consents.standing(tx, account_id, client.id)
        if found is None or not needed_scopes(client, asked) <= found.scopes:
            return None
        return None if self.ended(found.id) else found.id

    def ended(self, consent_id: str) -> bool:
        """Tell from memory whether the consent was revoked."""
        return self.means.parts.revocations.is_revoked("token", consent_epoch(consent_id))

    def question(
        self, client: Client, account_id: str, asked: frozenset[str], goes_to: str = ""
    ) -> ConsentQuestion:
        """Return what the person is asked: all that will stand after a yes."""
        means = self.means

        def work(tx: Transaction) -> tuple[frozenset[str], str, tuple[str, ...]]:
            scopes = self._wanted(tx, client, account_id, asked)
            return scopes, organisation_name(means, tx, client.org_id), self._places(tx, client)

        scopes, organisation, places = means.parts.transactions.read(work)
        lifetimes = means.options.lifetimes
        remembered = client.consent == "ask"
        return ConsentQuestion(
            client_id=client.id,
            client_name=client.name,
            organisation=organisation,
            goes_to=goes_to,
            scopes=words_of(scopes),
            until=means.now + lifetimes.consent if remembered else None,
            lasting="refresh_token" in client.grants,
            hours=lifetimes.refresh_absolute // HOUR,
            places=places,
        )

    def _places(self, tx: Transaction, client: Client) -> tuple[str, ...]:
        """Return where else its tokens open as the person; our own API is told by scopes."""
        others = sorted(set(client.audiences) - {client.id, API_AUDIENCE})
        found = [self.means.stores.clients.get(tx, each) for each in others]
        return tuple(
            each if one is None else f"{one.name} ({each})"
            for each, one in zip(others, found, strict=True)
        )

    def give(
        self, tx: Transaction, actor: Actor, client: Client, asked: frozenset[str]
    ) -> Consent | None:
        """Record the yes of ``actor``; remember it where the application asks for one."""
        scopes = self._wanted(tx, client, actor.id, asked)
        details: dict[str, object] = {"scope": " ".join(sorted(scopes))}
        consent = None
        if client.consent == "ask":
            consent = self.means.stores.consents.put(
                tx,
                Consent(
                    id=self.means.parts.ids.new("cns"),
                    org_id=actor.org_id,
                    account_id=actor.id,
                    client_id=client.id,
                    scopes=scopes,
                    granted_at=tx.now,
                    expires_at=tx.now + self.means.options.lifetimes.consent,
                ),
            )
            details["consent"] = consent.id
        tx.record(Act("iam.grant_consent", actor, f"client:{client.id}", details=details))
        return consent

    @staticmethod
    def deny(tx: Transaction, actor: Actor, client: Client, asked: frozenset[str]) -> None:
        """Record the no of ``actor``; what they allowed before stays."""
        details = {"scope": " ".join(sorted(needed_scopes(client, asked)))}
        tx.record(Act("iam.deny_consent", actor, f"client:{client.id}", "refused", details))

    def _wanted(
        self, tx: Transaction, client: Client, account_id: str, asked: frozenset[str]
    ) -> frozenset[str]:
        before = None
        if client.consent == "ask":
            before = self.means.stores.consents.standing(tx, account_id, client.id)
        needed = needed_scopes(client, asked)
        return needed if before is None else needed | before.scopes


def organisation_name(means: Means, tx: Transaction, org_id: str) -> str:
    """Return what an organisation is called, its id where it is gone."""
    try:
        return means.stores.organisations.get(tx, org_id).name
    except NotFound:
        return org_id
