"""Evidence changes hands: offered by its holder, received by the one named, signed, provable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from playbooks.core.custody import (
    MAX_LINKS,
    HandOver,
    custody_record,
    export_of,
    in_order,
    link_of,
    statement_of,
    verify_chain,
)
from playbooks.core.texts import bounded
from playbooks.errors.custody import CustodyRejected, HandOverRefused
from playbooks.models.custody import CustodyLink, CustodyOffer, Evidence, VerifiedChain
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.crypto.pem import to_pem
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.permissions.playbooks import CUSTODY_HOLD, INCIDENT_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_REASON: Final = 500
BY_PRODUCT: Final = "由系统采集,本人接管"


class CustodyService:
    """Hands evidence over, exports and verifies its chains."""

    def __init__(self, surroundings: Surroundings, rights: IncidentRights) -> None:
        self._s = surroundings
        self._rights = rights

    def offer_evidence(
        self, actor: Actor, evidence_id: str, *, receiver: str, reason: str
    ) -> CustodyOffer:
        """Offer what the caller holds to ``receiver`` (account id or name), who must accept.

        Raises ``HandOverRefused`` for what the caller doesn't hold or has offered before.
        """
        target = f"evidence:{evidence_id}"
        self._s.parts.access.require(actor, CUSTODY_HOLD, target)
        person = self._rights.person(actor, receiver)
        why = bounded(reason, MAX_REASON, "reason")

        def work(tx: Transaction) -> CustodyOffer:
            item = self._s.stores.evidence.get(tx, actor.org_id, evidence_id)
            _require_holder(item, actor)
            if person.id == actor.id:
                msg = "the receiver is somebody else"
                raise HandOverRefused(msg)
            self._require_order(tx, item, tx.now, tx.now)
            offer = CustodyOffer(
                item.id,
                item.org_id,
                item.incident_id,
                actor.id,
                person.id,
                person.name,
                why,
                tx.now,
            )
            if not self._s.stores.evidence.offer(tx, offer):
                msg = "it is offered to somebody already"
                raise HandOverRefused(msg)
            self._tell(tx, actor, item, f"拟移交证据 {item.name} 给 {person.name}")
            details = {"incident_id": item.incident_id, "receiver": person.id}
            tx.record(Act("playbooks.offer_evidence", actor, target, details=details))
            return offer

        with refusals_recorded(self._s.parts, "playbooks.offer_evidence", actor, target):
            return self._s.parts.transactions.run(work)

    def withdraw_offer(self, actor: Actor, evidence_id: str) -> None:
        """End an offer that waits: by who made it, or by who was to receive it."""
        target = f"evidence:{evidence_id}"
        self._s.parts.access.require(actor, CUSTODY_HOLD, target)

        def work(tx: Transaction) -> None:
            item = self._s.stores.evidence.get(tx, actor.org_id, evidence_id)
            offer = self._offer(tx, item)
            if offer is None or actor.id not in (offer.giver, offer.receiver):
                msg = "nothing waits that you made or were to receive"
                raise HandOverRefused(msg)
            self._s.stores.evidence.end_offer(tx, offer)
            word = "撤回" if actor.id == offer.giver else "拒收"
            self._tell(tx, actor, item, f"{word}证据移交:{item.name}")
            details = {"incident_id": item.incident_id, "giver": offer.giver}
            tx.record(Act("playbooks.withdraw_offer", actor, target, details=details))

        with refusals_recorded(self._s.parts, "playbooks.withdraw_offer", actor, target):
            self._s.parts.transactions.run(work)

    def accept_evidence(self, actor: Actor, evidence_id: str) -> Evidence:
        """Receive what was offered to the caller; the link is signed before anything changes.

        What the product collected is taken over without an offer, by who works on the incident.
        Raises ``HandOverRefused``, or ``SelfApproval`` where giver and receiver are one person.
        """
        target = f"evidence:{evidence_id}"
        self._s.parts.access.require(actor, CUSTODY_HOLD, target)
        with refusals_recorded(self._s.parts, "playbooks.accept_evidence", actor, target):
            item, offer = self._s.parts.transactions.read(
                lambda tx: self._acceptable(tx, actor, evidence_id)
            )
            after, link = self._signed(actor, item, offer)
            self._s.parts.transactions.run(
                lambda tx: self._accept(tx, actor, (item, after), link, offer)
            )
        return after

    def export_custody(self, actor: Actor, incident_id: str) -> dict[str, Any]:
        """Return all chains of an incident under a signed statement of their heads."""
        target = f"incident:{incident_id}"
        self._s.parts.access.require(actor, INCIDENT_READ, target)
        chains = self._chains(actor, incident_id)
        heads = [(chain[-1].evidence_id, len(chain), chain[-1].digest) for chain in chains]
        now = self._s.parts.clock.now()
        statement = statement_of(actor.org_id, incident_id, now, heads)
        signature = self._s.ports.custody.sign_custody(canonical(statement))
        document = export_of(statement, signature, chains)
        details = {"items": len(chains), "kid": signature.kid}
        act = Act("playbooks.export_custody", actor, target, details=details)
        self._s.parts.transactions.run(lambda tx: tx.record(act))
        return document

    def verify_custody(self, actor: Actor, incident_id: str) -> Mapping[str, VerifiedChain | str]:
        """Return by item what its chain proves, or in words why it proves nothing.

        Chains are compared with the rows, too: a row that says another holder is found.
        """
        self._s.parts.access.require(actor, INCIDENT_READ, f"incident:{incident_id}")
        keys = self._s.ports.custody.custody_keys()
        chains = {chain[0].evidence_id: chain for chain in self._chains(actor, incident_id)}
        items = self._s.parts.transactions.read(
            lambda tx: self._s.stores.evidence.of(tx, actor.org_id, incident_id)
        )
        verdicts: dict[str, VerifiedChain | str] = {}
        for item in items:
            links = [(link.record, link.signature) for link in chains.get(item.id, ())]
            try:
                verdicts[item.id] = _matching(item, verify_chain(links, keys))
            except CustodyRejected as error:
                verdicts[item.id] = error.detail
        return verdicts

    def custody_keys(self, actor: Actor) -> str:
        """Return the public keys as PEM, to be kept away from what they verify."""
        self._s.parts.access.require(actor, INCIDENT_READ, "incident:*")
        return "".join(
            to_pem("PUBLIC KEY", der) for der in self._s.ports.custody.custody_keys().values()
        )

    def _acceptable(
        self, tx: Transaction, actor: Actor, evidence_id: str
    ) -> tuple[Evidence, CustodyOffer | None]:
        item = self._s.stores.evidence.get(tx, actor.org_id, evidence_id)
        if item.links >= MAX_LINKS:
            msg = f"a chain has at most {MAX_LINKS} links"
            raise HandOverRefused(msg)
        if actor.kind != "account":
            msg = "only a person receives evidence"
            raise HandOverRefused(msg)
        if not item.holder_is_person:
            self._rights.require(tx, actor, item.incident_id, "work")
            return item, None
        offer = self._offer(tx, item)
        if offer is None or offer.receiver != actor.id:
            msg = "it is not offered to you"
            raise HandOverRefused(msg)
        self._s.parts.approvals.require_another(tx, actor, (offer.giver,))
        return item, offer

    def _signed(
        self, actor: Actor, item: Evidence, offer: CustodyOffer | None
    ) -> tuple[Evidence, CustodyLink]:
        now = self._s.parts.clock.now()
        if offer is None:
            hand = HandOver(item.holder, actor.id, BY_PRODUCT, now, now)
        else:
            hand = HandOver(offer.giver, offer.receiver, offer.reason, offer.offered_at, now)
        record = custody_record(item, hand)
        link = link_of(item, record, self._s.ports.custody.sign_custody(canonical(record)))
        after = replace(
            item,
            holder=actor.id,
            holder_is_person=True,
            links=item.links + 1,
            head=link.digest,
        )
        return after, link

    def _accept(
        self,
        tx: Transaction,
        actor: Actor,
        items: tuple[Evidence, Evidence],
        link: CustodyLink,
        offer: CustodyOffer | None,
    ) -> None:
        before, after = items
        self._require_order(tx, before, link.record["offered_at"], link.record["at"])
        if offer is not None:
            if not self._s.stores.evidence.end_offer(tx, offer):
                msg = "the offer was withdrawn or changed meanwhile"
                raise HandOverRefused(msg)
            self._s.parts.approvals.require_another(tx, actor, (offer.giver,))
        self._s.stores.evidence.extend(tx, before, after, link)
        self._tell(tx, actor, after, f"接收证据 {after.name}(保管链第 {after.links} 环)")
        details: dict[str, str | int | None] = {
            "incident_id": after.incident_id,
            "giver": before.holder,
            "link": link.digest,
            "seq": link.seq,
        }
        tx.record(Act("playbooks.accept_evidence", actor, f"evidence:{after.id}", details=details))

    def _require_order(self, tx: Transaction, item: Evidence, offered_at: int, at: int) -> None:
        """Raise ``HandOverRefused`` where a clock was set back: the chain would prove nothing."""
        if not in_order(self._s.stores.evidence.last_link(tx, item).record, offered_at, at):
            msg = "the clock lies before the last hand-over: set it right, and try again"
            raise HandOverRefused(msg)

    def _offer(self, tx: Transaction, item: Evidence) -> CustodyOffer | None:
        waiting = self._s.stores.evidence.offers(tx, item.org_id, item.incident_id)
        return next((offer for offer in waiting if offer.evidence_id == item.id), None)

    def _chains(self, actor: Actor, incident_id: str) -> list[list[CustodyLink]]:
        def work(tx: Transaction) -> list[CustodyLink]:
            self._s.stores.incidents.get(tx, actor.org_id, incident_id)
            return list(self._s.stores.evidence.links(tx, actor.org_id, incident_id))

        links = self._s.parts.transactions.read(work)
        return [list(chain) for _, chain in groupby(links, key=lambda link: link.evidence_id)]

    def _tell(self, tx: Transaction, actor: Actor, item: Evidence, text: str) -> None:
        place = (item.org_id, item.incident_id)
        self._s.tell(tx, actor, place, "custody", text, evidence_id=item.id)


def _require_holder(item: Evidence, actor: Actor) -> None:
    if not item.holder_is_person or item.holder != actor.id:
        msg = "only who holds it hands it over"
        raise HandOverRefused(msg)


def _matching(item: Evidence, chain: VerifiedChain) -> VerifiedChain:
    proved = (chain.evidence_id, chain.holder, chain.links, chain.head, chain.sha256, chain.sm3)
    if proved != (item.id, item.holder, item.links, item.head, item.sha256, item.sm3):
        raise CustodyRejected("the record of the item is not what its chain says")
    return chain
