"""A new way to open the root key: shares for named holders, or another passphrase.

The root key stays, so every wrapped key does. Who asks and who approves are two people; the
approval is bound to the envelope in force and to what shall open it, holder by holder.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from kms.core.shamir.scheme import check_numbers, interpolate, split
from kms.core.shamir.shares import (
    SECRET_LENGTH,
    SET_LENGTH,
    check_holders,
    mark_of,
    plan_fields,
    write_share,
)
from kms.errors.shares import ShareRefused
from kms.models.shares import IssuedShare, Opening, Share, SharePlan
from kms.ports.keys import RootStore
from kms.service.custody import POOL_TARGET, Pool, check_passphrase
from kms.service.reasons import check_lines_of_reason
from kms.service.tenants import demand_whole
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, NotPending
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.errors import Conflict, Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import POOL_REKEY
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "kms.rekey"
_VALID: Final = 7 * DAY


class Rekeying:
    """Changes what opens the root key: asked for by one, approved by another."""

    def __init__(self, parts: Parts, pool: Pool, roots: RootStore) -> None:
        self._parts = parts
        self._pool = pool
        self._roots = roots

    def request_rekey(self, actor: Actor, opening: Opening) -> Approval:
        """Ask that ``opening`` shall open the root key from now on."""
        self._require(actor)
        _check(opening)
        envelope = self._pool.envelope()
        now = self._parts.clock.now()
        approval = Approval(
            id=self._parts.ids.new("apr"),
            org_id=actor.org_id,
            kind=APPROVAL_KIND,
            subject=f"pool: {self._present(envelope)} → {_say(opening)}",
            subject_hash=_bound(envelope, opening),
            permission=POOL_REKEY,
            requester_id=actor.id,
            requested_at=now,
            expires_at=now + _VALID,
        )
        details = {"approval": approval.id, **_details(opening)}

        def work(transaction: Transaction) -> None:
            self._parts.approvals.request(transaction, approval)
            transaction.record(Act("kms.request_rekey", actor, POOL_TARGET, details=details))

        self._parts.transactions.run(work)
        return approval

    def show_rekey(self, actor: Actor, approval_id: str) -> Approval:
        """Return the request, with what opens the root key now and what shall."""
        self._require(actor)
        return self._parts.transactions.read(lambda tx: self._asked(tx, approval_id))

    def decide_rekey(self, actor: Actor, approval_id: str, *, grant: bool, reason: str) -> Approval:
        """Approve or reject; raises ``SelfApproval`` also by another account of the person."""
        self._require(actor)
        check_lines_of_reason(reason)
        details = {"approval": approval_id, "grant": grant}

        def work(transaction: Transaction) -> Approval:
            self._asked(transaction, approval_id)
            decided = self._parts.approvals.decide(
                transaction, approval_id, actor, grant=grant, reason=reason
            )
            transaction.record(Act("kms.decide_rekey", actor, POOL_TARGET, details=details))
            return decided

        return self._parts.transactions.run(work)

    def init_shares(
        self, actor: Actor, opening: Opening, approval_id: str
    ) -> tuple[IssuedShare, ...]:
        """Put shares in place of what opened the root key, and return them, this once.

        Raises ``NotPending`` unless exactly this was approved, ``PoolLocked`` where the root key
        is not in this process's memory.
        """
        self._require(actor)
        if not opening.holders:
            msg = "shares need holders"
            raise Invalid(msg)
        _check(opening)
        plan, shares, secret = self._cut(opening)
        self._replace(actor, opening, approval_id, (secret, plan))
        return tuple(
            IssuedShare(holder, share.index, write_share(share))
            for holder, share in zip(plan.holders, shares, strict=True)
        )

    def change_passphrase(self, actor: Actor, approval_id: str, passphrase: bytes) -> None:
        """Put a passphrase in place of what opened the root key."""
        self._require(actor)
        check_passphrase(passphrase)
        self._replace(actor, Opening(), approval_id, (passphrase, None))

    def _require(self, actor: Actor) -> None:
        self._parts.access.require(actor, POOL_REKEY, POOL_TARGET)
        demand_whole(actor)

    def _cut(self, opening: Opening) -> tuple[SharePlan, tuple[Share, ...], bytes]:
        drawn = self._parts.randomness.bytes
        secret, set_id = drawn(SECRET_LENGTH), drawn(SET_LENGTH)
        threshold = opening.threshold
        noise = drawn((threshold - 1) * SECRET_LENGTH)
        points = split(secret, shares=len(opening.holders), threshold=threshold, noise=noise)
        shares = tuple(Share(set_id, threshold, x, value) for x, value in points.items())
        plan = SharePlan(set_id, threshold, opening.holders, tuple(map(mark_of, shares)))
        last = {share.index: share.value for share in shares[-threshold:]}
        if interpolate(last) != secret:
            # nothing was changed yet: better no ceremony than shares that open nothing
            msg = "the shares don't give back what they were cut from"
            raise ShareRefused(msg)
        return plan, shares, secret

    def _replace(
        self,
        actor: Actor,
        opening: Opening,
        approval_id: str,
        chosen: tuple[bytes, SharePlan | None],
    ) -> None:
        secret, plan = chosen
        custody, before = self._pool.require_unlocked(), self._pool.envelope()
        after = custody.reseal(secret, None if plan is None else plan_fields(plan))
        details = {"approval": approval_id, **_details(opening)}
        if plan is not None:
            details["set"] = plan.set_id.hex()

        def work(transaction: Transaction) -> None:
            bound = _bound(before, opening)
            used = self._parts.approvals.use(transaction, approval_id, bound)
            if used.requester_id != actor.id or used.kind != APPROVAL_KIND:
                msg = "only who asked carries it out"
                raise NotPending(msg)
            if not self._roots.replace(transaction, before, after):
                msg = "what opens the root key was changed by somebody else just now"
                raise Conflict(msg)
            self._roots.put_progress(transaction, None)
            transaction.record(Act("kms.rekey_pool", actor, POOL_TARGET, details=details))

        self._parts.transactions.run(work)

    def _asked(self, transaction: Transaction, approval_id: str) -> Approval:
        found = self._parts.approvals.get(transaction, approval_id)
        if found.kind != APPROVAL_KIND:
            msg = "this is no request to change what opens the root key"
            raise Invalid(msg)
        return found

    def _present(self, envelope: bytes) -> str:
        plan = self._pool.plan(envelope)
        return _say(Opening() if plan is None else Opening(plan.threshold, plan.holders))


def _check(opening: Opening) -> None:
    if opening.holders:
        check_numbers(len(opening.holders), opening.threshold)
        check_holders(opening.holders)


def _bound(envelope: bytes, opening: Opening) -> str:
    """Return what an approval is bound to: another envelope or holder needs another one."""
    fields = {"envelope": sha256(envelope).hex(), **asdict(opening)}
    return sha256(canonical({**fields, "holders": list(opening.holders)})).hex()


def _say(opening: Opening) -> str:
    if not opening.holders:
        return "passphrase"
    return f"{opening.threshold} of {len(opening.holders)} ({', '.join(opening.holders)})"


def _details(opening: Opening) -> dict[str, object]:
    """Return what the ledger keeps: numbers; the holders' names stand in the envelope."""
    if not opening.holders:
        return {"opened_by": "passphrase"}
    return {
        "opened_by": "shares",
        "threshold": opening.threshold,
        "shares": len(opening.holders),
    }
