"""Destroying keys: asked for by one, approved by another person, carried out days later.

Asking takes the key out of use at once, everywhere within a second; nothing is lost by that.
Until the day comes it can be called off. Then the material is erased, with two leaves: the
intent before and the outcome after.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson

from kms.core.keys import lifecycle
from kms.core.keys.destruction import describe_loss, is_due
from kms.errors.keys import DestructionNotFound, KeyNotFound, StaleDestruction
from kms.models.keys import DEFAULT_MOUNT, Destruction, Key, LoadedKey
from kms.ports.keys import KeyStores
from kms.service.due_keys import DueKeys
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing, read_now
from kms.service.reasons import MAX_REASON, check_lines_of_reason
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor, system_actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_DESTROY, KEY_READ_ALL
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

APPROVAL_KIND: Final = "key_destruction"
DELAY_DAYS: Final = 7
MAX_DELAY_DAYS: Final = 90
_APPROVAL_DAYS: Final = 30
_AT_ONCE: Final = 50


class KeyDestruction:
    """Takes keys away for good, slowly."""

    def __init__(
        self,
        parts: Parts,
        ring: KeyRing,
        maker: KeyMaker,
        stores: KeyStores,
    ) -> None:
        self._parts = parts
        self._ring = ring
        self._maker = maker
        self._due = DueKeys(parts, stores.index, "destruction", at_once=_AT_ONCE)
        self._destructions = stores.destructions

    def destroy_key(
        self,
        actor: Actor,
        name: str,
        *,
        mount: str = DEFAULT_MOUNT,
        reason: str = "",
        delay_days: int = DELAY_DAYS,
    ) -> Destruction:
        """Take the key out of use and ask for its destruction ``delay_days`` after approval.

        Raises ``DeletionNotAllowed`` unless that was allowed by ``configure_key``.
        """
        self._parts.access.require(actor, KEY_DESTROY, f"key:{name}")
        _check(reason, delay_days)
        loaded = read_now(self._parts, self._ring, (actor.org_id, mount, name))
        before = loaded.key
        after = lifecycle.destruction_requested(before)
        asked = {"key": describe_loss(loaded), "delay_days": delay_days, "reason": reason}
        change = canonical(asked).decode()
        request = Destruction(
            id=self._parts.ids.new("apr"),
            org_id=actor.org_id,
            key_id=before.id,
            key_name=before.name,
            mount=mount,
            change=change,
            delay_days=delay_days,
            requested_at=self._parts.clock.now(),
        )

        def work(transaction: Transaction) -> None:
            self._maker.update(transaction, before, after)
            self._destructions.insert(transaction, request)
            self._parts.approvals.request(transaction, _approval(request, actor))

        details = {"approval": request.id, "change_sha256": _digest(change)}
        act = Act("kms.request_destruction", actor, f"key:{before.id}", details=details)
        self._parts.transactions.restrict(work, Restriction("key", before.id, act))
        return request

    def decide_destruction(
        self, actor: Actor, destruction_id: str, *, grant: bool, reason: str
    ) -> Key:
        """Approve, so that the key is destroyed when the delay is over, or reject.

        Raises ``SelfApproval`` for whoever asked, by whichever account; ``StaleDestruction``
        where the key changed since. A rejected key is suspended.
        """
        self._parts.access.require(actor, KEY_DESTROY, f"destruction:{destruction_id}")
        check_lines_of_reason(reason)

        def work(transaction: Transaction) -> Key:
            request = self._request(transaction, actor.org_id, destruction_id)
            loaded = self._ring.read_by_id(transaction, request.key_id)
            if loaded is None:
                raise KeyNotFound
            before = loaded.key
            if grant and not self._stands(transaction, request, loaded):
                raise StaleDestruction
            self._parts.approvals.decide(transaction, request.id, actor, grant=grant, reason=reason)
            after = self._decided(transaction, request, before, grant=grant)
            details = {"approval": request.id, "grant": grant, "destroy_at": after.destroy_at}
            act = Act("kms.decide_destruction", actor, f"key:{before.id}", details=details)
            transaction.record(act)
            return after

        return self._parts.transactions.run(work)

    def call_off_destruction(self, actor: Actor, name: str, *, mount: str = DEFAULT_MOUNT) -> Key:
        """Call it off, approved or not, until it is carried out; the key is suspended then."""
        self._parts.access.require(actor, KEY_DESTROY, f"key:{name}")

        def work(transaction: Transaction) -> Key:
            before = self._ring.read(transaction, (actor.org_id, mount, name)).key
            if before.state != "pending_destruction":
                msg = f"nobody asked for {name} to be destroyed, or it is too late"
                raise DestructionNotFound(msg)
            after = lifecycle.destruction_called_off(before)
            self._maker.update(transaction, before, after)
            act = Act("kms.call_off_destruction", actor, f"key:{before.id}")
            transaction.record(act)
            return after

        return self._parts.transactions.run(work)

    def list_destructions(
        self, actor: Actor, request: PageRequest
    ) -> Page[tuple[Destruction, Approval]]:
        """Return the organisation's requests with their approvals, newest first."""
        self._parts.access.require(actor, KEY_READ_ALL)

        def read(transaction: Transaction) -> Page[tuple[Destruction, Approval]]:
            rows = self._destructions.page(transaction, actor.org_id, request)
            approvals = self._parts.approvals
            pairs = [(row, approvals.get(transaction, row.id)) for row in rows]
            return page_of(pairs, request.limit, [(row.requested_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def latest_destruction(self, actor: Actor, key: Key) -> tuple[Destruction, Approval] | None:
        """Return the newest request about ``key`` with its approval."""
        self._parts.access.require(actor, KEY_READ_ALL)

        def read(transaction: Transaction) -> tuple[Destruction, Approval] | None:
            found = self._destructions.latest(transaction, key.id)
            if found is None:
                return None
            return found, self._parts.approvals.get(transaction, found.id)

        return self._parts.transactions.read(read)

    def destroy_due_keys(self) -> bool:
        """Erase the keys whose day has come; True when more wait. For the job.

        Raises ``MaterialTampered`` for a changed row, once the others were erased.
        """
        return self._due.work_off(self._erase)

    def _erase(self, found: Key) -> None:
        key_id = found.id
        # read again and checked against its tag: whoever can write rows can't have keys destroyed
        loaded = self._parts.transactions.read(lambda tx: self._ring.read_by_id(tx, key_id))
        now = self._parts.clock.now()
        if loaded is None or not is_due(loaded.key, now):
            return
        before, actor, target = loaded.key, system_actor("kms"), f"key:{key_id}"
        details = {"name": before.name, "versions": before.latest_version}
        intent = Act("kms.destroy_key", actor, target, "intent", details)
        self._parts.transactions.run(lambda tx: tx.record(intent))
        act = Act("kms.destroy_key", actor, target, details=details)
        self._parts.transactions.restrict(
            lambda tx: self._maker.erase(tx, before), Restriction("key", key_id, act)
        )
        self._ring.forget()

    def _decided(
        self, transaction: Transaction, request: Destruction, before: Key, *, grant: bool
    ) -> Key:
        if grant:
            self._parts.approvals.use(transaction, request.id, _digest(request.change))
            at = transaction.now + request.delay_days * DAY
            after = replace(before, destroy_at=at)
        elif self._waits(transaction, request, before):
            after = lifecycle.destruction_called_off(before)
        else:
            return before
        self._maker.update(transaction, before, after)
        return after

    def _waits(self, transaction: Transaction, request: Destruction, key: Key) -> bool:
        """Tell whether ``key`` waits for this very request to be decided."""
        newest = self._destructions.latest(transaction, key.id)
        return key.state == "pending_destruction" and not key.destroy_at and newest == request

    def _stands(self, transaction: Transaction, request: Destruction, loaded: LoadedKey) -> bool:
        """Tell whether the key still waits for this very request, unchanged since."""
        asked = orjson.loads(request.change)["key"]
        return self._waits(transaction, request, loaded.key) and asked == describe_loss(loaded)

    def _request(self, transaction: Transaction, org_id: str, identifier: str) -> Destruction:
        found = self._destructions.find(transaction, org_id, identifier)
        if found is None:
            msg = f"there is no request {identifier[:64]!r} to destroy a key"
            raise DestructionNotFound(msg)
        return found


def _check(reason: str, delay_days: int) -> None:
    if len(reason) > MAX_REASON:
        msg = f"a reason has at most {MAX_REASON} characters"
        raise Invalid(msg)
    if not 1 <= delay_days <= MAX_DELAY_DAYS:
        msg = f"a key is destroyed 1 to {MAX_DELAY_DAYS} days after approval"
        raise Invalid(msg)


def _approval(request: Destruction, actor: Actor) -> Approval:
    return Approval(
        id=request.id,
        org_id=request.org_id,
        kind=APPROVAL_KIND,
        subject=f"key:{request.key_id}",
        subject_hash=_digest(request.change),
        permission=KEY_DESTROY,
        requester_id=actor.id,
        requested_at=request.requested_at,
        expires_at=request.requested_at + _APPROVAL_DAYS * DAY,
    )


def _digest(change: str) -> str:
    return sha256(change.encode()).hex()
