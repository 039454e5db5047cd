"""The unit's side: 签收, 反馈, 整改 with proof, asking for more time or to be let off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from playbooks.core.notices import delivery as unit
from playbooks.core.notices.deadlines import check_extension, verify_due
from playbooks.core.notices.notice import check_reason
from playbooks.errors.notices import NoticeInvalid, NoticeStateRefused, ProofRefused
from playbooks.models.notices import (
    OPEN_DELIVERIES,
    PETITION_KINDS,
    Delivery,
    Notice,
    Petition,
    Proof,
)
from playbooks.service.notices.desk import NoticeDesk
from playbooks.service.sealed_files import sealed_file
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor
from secops.kernel.permissions.playbooks import NOTICE_RECEIVE, NOTICE_RECTIFY
from secops.kernel.transactions import Transaction

MAX_PROOF: Final = 10 << 20
"""Bytes of a file. Files are kept as they come: nothing here opens or unpacks them."""
MAX_PROOFS: Final = 20
MAX_PROOFS_SIZE: Final = 50 << 20
"""Of one unit's answer to one notice, over all its rounds."""
_MAX_NAME: Final = 200


class DeliveryService:
    """What a unit's 联络员 and whoever puts right do, with their own unit's notices alone."""

    def __init__(self, desk: NoticeDesk) -> None:
        self._desk = desk
        self._tools = desk.tools

    def receive_notice(self, actor: Actor, notice_id: str) -> Delivery:
        """Sign for a notice."""
        self._desk.parts.access.require(actor, NOTICE_RECEIVE, f"notice:{notice_id}")
        return self._change(
            actor,
            notice_id,
            ("receive_notice", "签收"),
            lambda tx, _, d: unit.receive(d, actor.id, tx.now),
        )

    def respond_notice(self, actor: Actor, notice_id: str, text: str) -> Delivery:
        """Answer what was found and what will be done."""
        self._desk.parts.access.require(actor, NOTICE_RECEIVE, f"notice:{notice_id}")
        return self._change(
            actor,
            notice_id,
            ("respond_notice", "反馈"),
            lambda _, __, d: unit.respond(d, actor.id, text),
        )

    def add_proof(self, actor: Actor, notice_id: str, name: str, content: bytes) -> Proof:
        """Keep a file that proves the rectification; raise ``ProofRefused`` beyond the limits."""
        self._desk.parts.access.require(actor, NOTICE_RECTIFY, f"notice:{notice_id}")
        if not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
            msg = f"a file name has 1 to {_MAX_NAME} printable characters"
            raise NoticeInvalid(msg)
        if not 1 <= len(content) <= MAX_PROOF:
            msg = f"a file has 1 byte to {MAX_PROOF >> 20} MiB"
            raise ProofRefused(msg)
        size, digest = len(content), sha256(content).hex()
        identifier, sm3_digest = self._desk.parts.ids.new("prf"), sm3(content).hex()

        def room(tx: Transaction) -> tuple[Notice, Delivery]:
            notice, delivery = self._desk.delivered_to(tx, actor, notice_id)
            self._require_room(tx, delivery, size)
            return notice, delivery

        def work(tx: Transaction, blob: str) -> Proof:
            notice, delivery = room(tx)
            proof = Proof(
                id=identifier,
                notice_id=notice.id,
                org_id=actor.org_id,
                round=delivery.rounds,
                name=name,
                size=size,
                sha256=digest,
                sm3=sm3_digest,
                added_by=actor.id,
                added_at=tx.now,
                blob=blob,
            )
            self._tools.proofs.add(tx, proof)
            self._desk.enter(
                tx,
                actor,
                notice,
                ("add_proof", f"提交证明:{name}"),
                unit=actor.org_id,
                file_sha256=digest,
                file_sm3=sm3_digest,
            )
            return proof

        with self._desk.refusals("add_proof", actor, notice_id):
            self._desk.parts.transactions.read(room)  # before anything is kept on the disk
            with sealed_file(self._desk.s, identifier, content) as blob:
                return self._desk.parts.transactions.run(lambda tx: work(tx, blob))

    def rectify_notice(self, actor: Actor, notice_id: str, text: str) -> Delivery:
        """Declare it put right; takes a proof of this round at least."""
        self._desk.parts.access.require(actor, NOTICE_RECTIFY, f"notice:{notice_id}")
        calendar = self._desk.calendar()

        def change(tx: Transaction, notice: Notice, delivery: Delivery) -> Delivery:
            proofs = self._tools.proofs.of(tx, notice.id, actor.org_id)
            if not any(proof.round == delivery.rounds for proof in proofs):
                msg = "rectification is proved by a file of this round at least"
                raise NoticeStateRefused(msg)
            words = (f"待复核:通报{notice.reference}", text)
            key = f"rectified {actor.org_id} {delivery.rounds}"
            self._desk.tell(tx, notice.org_id, notice, key, words)
            due = verify_due(calendar, tx.now)
            hands = [proof.added_by for proof in proofs]
            done = unit.rectify(delivery, actor.id, text, tx.now, due)
            return unit.with_hands(done, hands)

        return self._change(actor, notice_id, ("rectify_notice", "提交整改"), change)

    def petition_notice(
        self, actor: Actor, notice_id: str, kind: str, reason: str, *, days: int = 0
    ) -> Petition:
        """Ask for ``days`` more (working days), or to be let off; no clock stops for it."""
        self._desk.parts.access.require(actor, NOTICE_RECEIVE, f"notice:{notice_id}")
        if kind not in PETITION_KINDS or (kind == "appeal" and days):
            msg = "what is asked for is an extension by days, or an appeal"
            raise NoticeInvalid(msg)
        words, identifier = check_reason(reason), self._desk.parts.ids.new("pet")
        wanted = kind

        def work(tx: Transaction) -> Petition:
            notice, delivery = self._desk.delivered_to(tx, actor, notice_id)
            if wanted == "extension":
                check_extension(delivery, days, tx.now)
            elif delivery.state not in OPEN_DELIVERIES:
                msg = "it is closed"
                raise NoticeStateRefused(msg)
            petition = Petition(
                id=identifier,
                notice_id=notice.id,
                org_id=actor.org_id,
                issuer_id=notice.org_id,
                kind=wanted,
                reason=words,
                days=days,
                requester_id=actor.id,
                requested_at=tx.now,
            )
            self._tools.proofs.ask(tx, petition)
            text = f"申请{PETITION_KINDS[wanted].zh}:{words}"
            entry = ("petition_notice", text)
            self._desk.enter(tx, actor, notice, entry, unit=actor.org_id, kind=wanted, days=days)
            title = f"{PETITION_KINDS[wanted].zh}申请:通报{notice.reference}"
            self._desk.tell(tx, notice.org_id, notice, f"petition {petition.id}", (title, words))
            return petition

        with self._desk.refusals("petition_notice", actor, notice_id):
            return self._desk.parts.transactions.run(work)

    def _require_room(self, tx: Transaction, delivery: Delivery, size: int) -> None:
        if delivery.state not in ("received", "responded"):
            msg = f"proof is added after receipt and before it is put right: {delivery.state}"
            raise NoticeStateRefused(msg)
        known = self._tools.proofs.of(tx, delivery.notice_id, delivery.org_id)
        whole = sum(proof.size for proof in known) + size
        if len(known) >= MAX_PROOFS or whole > MAX_PROOFS_SIZE:
            msg = f"at most {MAX_PROOFS} files and {MAX_PROOFS_SIZE >> 20} MiB together"
            raise ProofRefused(msg)

    def _change(
        self,
        actor: Actor,
        notice_id: str,
        entry: tuple[str, str],
        change: Callable[[Transaction, Notice, Delivery], Delivery],
    ) -> Delivery:
        def work(tx: Transaction) -> Delivery:
            notice, before = self._desk.delivered_to(tx, actor, notice_id)
            delivery = change(tx, notice, before)
            self._tools.deliveries.change(tx, delivery)
            self._desk.enter(tx, actor, notice, entry, unit=actor.org_id, delivery=delivery.state)
            return delivery

        with self._desk.refusals(entry[0], actor, notice_id):
            return self._desk.parts.transactions.run(work)
