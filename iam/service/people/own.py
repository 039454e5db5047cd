"""What everybody sees of themselves, and takes away with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iam.models.accounts import Account, CivilService, Mandate, Person
from iam.models.consents import Consent
from iam.models.sessions import OpSession
from iam.service.means import Means
from iam.service.people.change_requests import ChangeRequestService
from iam.service.sign_on.acting import ActingService
from iam.service.sign_on.sending import open_address
from secops.kernel.actors import Actor
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.errors import Forbidden
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """An account as its owner sees it. ``lent`` are roles with the time each ends."""

    account: Account
    roles: frozenset[str]
    lent: Mapping[str, int]
    real_name_level: int
    services: tuple[CivilService, ...]


@dataclass(frozen=True, slots=True)
class OwnService:
    """Self-service; it looks at the caller's own things alone."""

    means: Means
    acting: ActingService
    changes: ChangeRequestService

    def look(self, actor: Actor) -> OwnAccount:
        """Return the caller's account; raise ``Forbidden`` for applications."""
        if actor.kind != "account":
            msg = "only people have pages of their own"
            raise Forbidden(msg)

        def work(tx: Transaction) -> OwnAccount:
            stores = self.means.stores
            account = stores.accounts.get(tx, actor.id)
            person = _person(self.means, tx, account)
            return OwnAccount(
                account=account,
                roles=stores.roles.of_subject(tx, account.id),
                lent=stores.roles.lent(tx, account.id),
                real_name_level=person.real_name_level if person else 0,
                services=tuple(stores.persons.services_of(tx, person.id)) if person else (),
            )

        return self.means.parts.transactions.read(work)

    def export_own(self, actor: Actor) -> Mapping[str, Any]:
        """Return everything that is kept about the caller, as JSON values (个人信息保护法 §45).

        The name is opened from under the key pool; of the document only that one was shown is
        known. No secret is in it.
        """
        own = self.look(actor)
        stores, read = self.means.stores, self.means.parts.transactions.read
        history = read(lambda tx: stores.sessions.history_of(tx, actor.id))
        consents = read(lambda tx: stores.consents.of_account(tx, actor.id))
        addresses = read(lambda tx: stores.message_addresses.of_account(tx, actor.id))
        export = {
            "account": {
                "id": own.account.id,
                "name": own.account.name,
                "kind": own.account.kind,
                "state": own.account.state,
                "organisation": own.account.org_id,
                "created_at": to_rfc3339(own.account.created_at),
                "last_sign_in": rfc3339_or_none(own.account.last_sign_in),
            },
            "person": self._person_record(own.account),
            "roles": sorted(own.roles),
            "lent_roles": {role: to_rfc3339(end) for role, end in own.lent.items()},
            "services": [_service_record(service) for service in own.services],
            "mandates": [self._mandate_record(actor, each) for each in self._mandates(actor)],
            "requests": [
                {
                    "id": change.id,
                    "kind": change.kind,
                    "state": change.state,
                    "reason": change.reason,
                    "requested_at": to_rfc3339(change.requested_at),
                }
                for change in self.changes.own_changes(actor)
            ],
            "message_addresses": [
                {"channel": address.channel, "address": open_address(self.means, address)}
                for address in addresses
            ],
            "consents": [_consent_record(consent) for consent in consents],
            "sign_ins": [_session_record(session) for session in history],
        }
        act = Act("iam.export_own", actor, f"account:{actor.id}")
        self.means.parts.trail.append([act])
        return export

    def _mandates(self, actor: Actor) -> Sequence[Mandate]:
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.mandates.alive(tx, agent_id=actor.id))

    @staticmethod
    def _mandate_record(actor: Actor, mandate: Mandate) -> dict[str, Any]:
        return {
            "id": mandate.id,
            "legal_person": mandate.legal_person_id,
            "agent": actor.id,
            "scope": mandate.scope,
            "services": list(mandate.services),
            "seals": list(mandate.seals),
            "from": to_rfc3339(mandate.starts_at),
            "to": to_rfc3339(mandate.ends_at),
        }

    def _person_record(self, account: Account) -> dict[str, Any] | None:
        person = self.means.parts.transactions.read(lambda tx: _person(self.means, tx, account))
        if person is None:
            return None
        name = self.means.box.open(person.sealed_name, person.key).decode()
        return {
            "full_name": name,
            "document_shown": person.proved,
            "real_name_level": person.real_name_level,
            "since": to_rfc3339(person.created_at),
        }


def _person(means: Means, tx: Transaction, account: Account) -> Person | None:
    if account.person_id is None:
        return None
    return means.stores.persons.get_person(tx, account.person_id)


def _service_record(service: CivilService) -> dict[str, Any]:
    return {
        "organisation": service.organisation,
        "post": service.post,
        "from": to_rfc3339(service.started_at),
        "to": rfc3339_or_none(service.ended_at),
    }


def _consent_record(consent: Consent) -> dict[str, Any]:
    return {
        "application": consent.client_id,
        "scopes": sorted(consent.scopes),
        "from": to_rfc3339(consent.granted_at),
        "to": to_rfc3339(consent.expires_at),
    }


def _session_record(session: OpSession) -> dict[str, Any]:
    return {
        "at": to_rfc3339(session.auth_time),
        "address": session.address,
        "factors": list(session.amr),
        "ended_at": rfc3339_or_none(session.ended_at),
    }
