"""To whom exports may be encrypted: a fingerprint that two people compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kms.errors.openpgp import (
    FingerprintMismatch,
    PartnerKeyRejected,
    PartnerNotFound,
    PartnerStateConflict,
)
from kms.models.openpgp import (
    Partner,
)
from kms.service.openpgp.parts import OpenPgpParts, check_name
from kms.service.reasons import check_reason
from kms.service.refusals import refusals_recorded
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import OPENPGP_CONFIGURE, OPENPGP_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_APPROVAL_KIND: Final = "openpgp.partner"
_APPROVAL_DAYS: Final = 30
_MAX_USER_ID: Final = 500


class Partners:
    """To whom exports may be encrypted: asked for by one, compared and approved by another."""

    def __init__(self, openpgp: OpenPgpParts) -> None:
        self._openpgp = openpgp
        self._parts = openpgp.parts

    def request_partner(
        self, actor: Actor, name: str, public_key: bytes, *, reason: str
    ) -> Partner:
        """Store the key and ask for its approval; raises ``PartnerKeyRejected``, ``Invalid``."""
        self._parts.access.require(actor, OPENPGP_CONFIGURE, "partner:new")
        check_name(name)
        check_reason(reason)
        identity = self._openpgp.openpgp.read_public_key(public_key)
        partner = Partner(
            id=self._parts.ids.new("ptn"),
            org_id=actor.org_id,
            name=name,
            fingerprint=identity.fingerprint,
            user_id=identity.user_id[:_MAX_USER_ID],
            algorithm=identity.algorithm,
            public_key=_armor_of(public_key),
            expires_at=identity.expires_at,
            reason=reason,
            approval_id=self._parts.ids.new("apr"),
            requested_at=self._parts.clock.now(),
        )

        def store(transaction: Transaction) -> Partner:
            self._openpgp.store.insert_partner(transaction, partner)
            self._parts.approvals.request(transaction, _approval(partner, actor))
            self._record(transaction, "kms.request_partner", actor, partner)
            return partner

        return self._parts.transactions.run(store)

    def decide_partner(
        self, actor: Actor, partner_id: str, *, grant: bool, reason: str, fingerprint: str = ""
    ) -> Partner:
        """Approve or reject; raises ``SelfApproval``, ``NotPending``, ``PartnerStateConflict``.

        To approve it ``fingerprint`` is what the partner itself said, hex with or without
        spaces: another one is ``FingerprintMismatch``.
        """
        self._parts.access.require(actor, OPENPGP_CONFIGURE, f"partner:{partner_id}")
        check_reason(reason)
        approvals, stored = self._parts.approvals, self._openpgp.store

        def decide(transaction: Transaction) -> Partner:
            partner = self._load(transaction, actor, partner_id)
            if grant and "".join(fingerprint.split()).upper() != partner.fingerprint:
                raise FingerprintMismatch
            approvals.decide(transaction, partner.approval_id, actor, grant=grant, reason=reason)
            if grant:
                approvals.use(transaction, partner.approval_id, subject_hash(partner))
                if stored.named(transaction, actor.org_id, partner.name) is not None:
                    msg = f"there is an active partner {partner.name!r}: retire it first"
                    raise PartnerStateConflict(msg)
            after = replace(partner, state="active" if grant else "rejected")
            if not stored.change_state(
                transaction, partner.id, before="requested", after=after.state
            ):
                raise PartnerStateConflict
            self._record(transaction, "kms.decide_partner", actor, partner, grant=grant)
            return after

        target = f"partner:{partner_id[:60]}"
        with refusals_recorded(self._parts, "kms.decide_partner", actor, target):
            return self._parts.transactions.run(decide)

    def retire_partner(self, actor: Actor, partner_id: str) -> None:
        """Let nothing go to an active partner any more; never refused for the ledger."""
        self._parts.access.require(actor, OPENPGP_CONFIGURE, f"partner:{partner_id}")
        self.show_partner(actor, partner_id)
        act = Act("kms.retire_partner", actor, f"partner:{partner_id}")
        change = self._openpgp.store.change_state

        def retire(tx: Transaction) -> None:
            if not change(tx, partner_id, before="active", after="retired"):
                raise PartnerStateConflict

        self._parts.transactions.restrict(retire, Restriction("key", partner_id, act))

    def list_partners(self, actor: Actor, request: PageRequest) -> Page[Partner]:
        """Return the organisation's partners in every state, newest first."""
        self._parts.access.require(actor, OPENPGP_READ, "partner:*")

        def read(transaction: Transaction) -> Page[Partner]:
            rows = self._openpgp.store.partners(transaction, actor.org_id, request)
            return page_of(rows, request.limit, [(row.requested_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_partner(self, actor: Actor, partner_id: str) -> Partner:
        """Return one partner; raise ``PartnerNotFound``."""
        self._parts.access.require(actor, OPENPGP_READ, f"partner:{partner_id}")
        return self._parts.transactions.read(lambda tx: self._load(tx, actor, partner_id))

    def _load(self, transaction: Transaction, actor: Actor, partner_id: str) -> Partner:
        found = self._openpgp.store.partner(transaction, actor.org_id, partner_id)
        if found is None:
            raise PartnerNotFound
        return found

    def _record(
        self,
        transaction: Transaction,
        action: str,
        actor: Actor,
        partner: Partner,
        **more: bool,
    ) -> None:
        details = {"fingerprint": partner.fingerprint, "partner": subject_hash(partner), **more}
        transaction.record(Act(action, actor, f"partner:{partner.id}", details=details))


def subject_hash(partner: Partner) -> str:
    """Return what the approval is bound to: another key needs another approval."""
    return sha256(
        canonical(
            {
                "id": partner.id,
                "org": partner.org_id,
                "name": partner.name,
                "fingerprint": partner.fingerprint,
                "public_key": sha256(partner.public_key.encode()).hex(),
            }
        )
    ).hex()


def _approval(partner: Partner, actor: Actor) -> Approval:
    return Approval(
        id=partner.approval_id,
        org_id=partner.org_id,
        kind=_APPROVAL_KIND,
        subject=f"partner:{partner.id}",
        subject_hash=subject_hash(partner),
        permission=OPENPGP_CONFIGURE,
        requester_id=actor.id,
        requested_at=partner.requested_at,
        expires_at=partner.requested_at + _APPROVAL_DAYS * DAY,
    )


def _armor_of(public_key: bytes) -> str:
    """Return the armour as text: it is stored and handed back to gpg as it came."""
    try:
        return public_key.decode("ascii")
    except UnicodeDecodeError as error:
        msg = "a public key comes in armour (BEGIN PGP PUBLIC KEY BLOCK)"
        raise PartnerKeyRejected(msg) from error
