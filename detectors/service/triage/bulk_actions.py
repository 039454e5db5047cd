"""Bulk actions over a whole query: preview the count, order it, watch it, cancel or undo it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from hmac import compare_digest
from typing import Final

from detectors.errors.bulk_actions import (
    BulkActionConflict,
    BulkActionNotFound,
    SelectionChanged,
    UndoTooLate,
)
from detectors.models.alerts import AlertFilter
from detectors.models.bulk_actions import ENDED, BulkAction, BulkItem, BulkResult, BulkVerb
from detectors.ports import BulkActionStore, RolesNow
from detectors.service.triage.alerts import checked_reason
from detectors.service.triage.filters import settled
from detectors.service.triage.handling import assignee_of, require_person
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical_record
from secops.kernel.clock import MINUTE
from secops.kernel.errors import Invalid
from secops.kernel.jobs import Task
from secops.kernel.orders import order_of
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

PREVIEW_LASTS: Final = 15 * MINUTE
UNDO_LASTS: Final = 10 * MINUTE
TASK_KIND: Final = "detectors.bulk_action"


def token_of(action: BulkAction) -> str:
    """Return what confirms a preview: a digest over query, snapshot, action, actor and count."""
    said = {
        "id": action.id,
        "wanted": asdict(action.wanted),
        "snapshot": action.snapshot,
        "verb": action.verb,
        "reason": action.reason,
        "assignee": action.assignee,
        "undoes": action.undoes,
        "actor": action.ordered_by,
        "count": action.count,
    }
    return hashlib.sha256(canonical_record(said)).hexdigest()


def undo_until(action: BulkAction) -> int | None:
    """Return until when it can be undone, None where it can't be (yet, or any more)."""
    undoable = action.undoes is None and action.undone_by is None and action.written > 0
    if not undoable or action.state not in ENDED or action.ended_at is None:
        return None
    return action.ended_at + UNDO_LASTS


@dataclass(frozen=True, slots=True)
class BulkWish:
    """What is to be done with alerts; ``assignee`` as in ``BulkAction``."""

    verb: BulkVerb
    reason: str = ""
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class BulkActionService:
    """Use cases on bulk actions; ``BulkRunner`` carries them out."""

    _parts: Parts
    _store: BulkActionStore
    _roles: RolesNow

    def preview_bulk_close(self, actor: Actor, wanted: AlertFilter, reason: str) -> BulkAction:
        """Return how many open alerts fit ``wanted`` now; nothing is closed before its order.

        Raises ``Invalid`` without a reason, or for alerts that are not open.
        """
        return self._preview(actor, wanted, BulkWish("close", checked_reason(reason)))

    def preview_bulk_acknowledge(self, actor: Actor, wanted: AlertFilter) -> BulkAction:
        """Return how many open alerts that nobody took up fit; nothing happens before its order.

        Raises ``Invalid`` for alerts that are not open, or are acknowledged.
        """
        if wanted.acknowledged:
            msg = "they are acknowledged already"
            raise Invalid(msg)
        wanted = replace(wanted, acknowledged=False)
        return self._preview(actor, wanted, BulkWish("acknowledge"))

    def preview_bulk_assign(self, actor: Actor, wanted: AlertFilter, assignee: str) -> BulkAction:
        """Return how many open alerts ``assignee`` would get; nothing happens before its order.

        ``assignee`` is an id, a name, ``me``, or empty for nobody. Raises ``NotAssignable``,
        ``Invalid`` for alerts that are not open.
        """
        self._parts.access.require(actor, ALERT_CLOSE)
        chosen = assignee_of(self._roles, actor, assignee)
        return self._preview(actor, wanted, BulkWish("assign", assignee=chosen or ""))

    def preview_bulk_undo(self, actor: Actor, action_id: str) -> BulkAction:
        """Return how many alerts of a bulk action nobody wrote since: they can be given back.

        For when the ten minutes are over. Raises ``BulkActionNotFound``, ``BulkActionConflict``
        while it runs, for an undo, or where it is undone.
        """
        self._parts.access.require(actor, ALERT_CLOSE, f"bulk_action:{action_id}")
        require_person(actor)
        undo_id = self._parts.ids.new("bulk")

        def read(tx: Transaction) -> tuple[BulkAction, int]:
            action = self._load(tx, actor, action_id)
            if undo_until(action) is None:
                raise BulkActionConflict(f"the bulk action is {action.state} or undone")
            return action, self._store.undoable(tx, action_id)

        action, count = self._parts.transactions.read(read)

        def work(tx: Transaction) -> BulkAction:
            self._store.forget_previews(tx, actor.org_id, tx.now - PREVIEW_LASTS)
            undo = replace(_undo_of(tx, actor, action, undo_id), count=count)
            self._store.add(tx, undo)
            return undo

        return self._parts.transactions.run(work)

    def _preview(self, actor: Actor, wanted: AlertFilter, wish: BulkWish) -> BulkAction:
        if wanted.status not in (None, "open"):
            msg = "bulk actions are about open alerts"
            raise Invalid(msg)
        self._parts.access.require(actor, ALERT_CLOSE)
        require_person(actor)
        wanted = settled(replace(wanted, status="open"), actor, self._parts.clock.now())
        action_id = self._parts.ids.new("bulk")

        def read(tx: Transaction) -> tuple[int, int]:
            snapshot = self._store.snapshot(tx)
            return snapshot, self._store.count(tx, actor.org_id, wanted, snapshot)

        snapshot, count = self._parts.transactions.read(read)

        def work(tx: Transaction) -> BulkAction:
            action = BulkAction(
                id=action_id,
                org_id=actor.org_id,
                verb=wish.verb,
                reason=wish.reason,
                wanted=wanted,
                snapshot=snapshot,
                count=count,
                state="preview",
                ordered_by=actor.id,
                ordered=order_of(actor),
                created_at=tx.now,
                assignee=wish.assignee,
            )
            self._store.forget_previews(tx, actor.org_id, tx.now - PREVIEW_LASTS)
            self._store.add(tx, action)
            return action

        return self._parts.transactions.run(work)

    def order_bulk_action(self, actor: Actor, action_id: str, token: str) -> BulkAction:
        """Let a preview be carried out, once, by who made it and as it was shown.

        Raises ``BulkActionNotFound``, ``SelectionChanged`` where ``token`` is not its, or it is
        over, or used; ``BulkActionConflict`` where it is about no alert.
        """
        self._parts.access.require(actor, ALERT_CLOSE, f"bulk_action:{action_id}")

        def work(tx: Transaction) -> BulkAction:
            action = self._load(tx, actor, action_id)
            fresh = tx.now - action.created_at <= PREVIEW_LASTS
            same = compare_digest(token_of(action).encode(), token.encode())
            if action.ordered_by != actor.id or not same or not fresh:
                raise SelectionChanged
            if action.count == 0:
                raise BulkActionConflict("no alert fits")
            ordered = replace(action, state="acting", ordered_at=tx.now)
            if action.undoes is not None:
                if not self._store.take_undo(tx, action.undoes, action.id):
                    raise BulkActionConflict("it is undone")
                # it passes what was written since, too, and leaves it
                ordered = replace(ordered, count=self._load(tx, actor, action.undoes).written)
            if not self._store.save(tx, ordered, ("preview", 0, 0)):
                raise SelectionChanged
            self._begin(tx, actor, ordered)
            return ordered

        return self._parts.transactions.run(work)

    def undo_bulk_action(self, actor: Actor, action_id: str) -> BulkAction:
        """Give its alerts back what they said, except those that somebody wrote since.

        Raises ``BulkActionNotFound``, ``BulkActionConflict`` while it runs, for an undo, or where
        it is undone; ``UndoTooLate`` after ten minutes.
        """
        self._parts.access.require(actor, ALERT_CLOSE, f"bulk_action:{action_id}")
        require_person(actor)
        undo_id = self._parts.ids.new("bulk")

        def work(tx: Transaction) -> BulkAction:
            action = self._load(tx, actor, action_id)
            until = undo_until(action)
            if until is None:
                raise BulkActionConflict(f"the bulk action is {action.state} or undone")
            if tx.now > until:
                raise UndoTooLate
            if not self._store.take_undo(tx, action.id, undo_id):
                raise BulkActionConflict("it is undone")
            preview = _undo_of(tx, actor, action, undo_id)
            undo = replace(preview, state="acting", ordered_at=tx.now)
            self._store.add(tx, undo)
            self._begin(tx, actor, undo)
            return undo

        return self._parts.transactions.run(work)

    def cancel_bulk_action(self, actor: Actor, action_id: str) -> BulkAction:
        """Write no further chunk; what was written stays, and can be undone.

        Raises ``BulkActionNotFound``, ``BulkActionConflict`` where it is over.
        """
        self._parts.access.require(actor, ALERT_CLOSE, f"bulk_action:{action_id}")

        def work(tx: Transaction) -> BulkAction:
            action = self._load(tx, actor, action_id)
            stopped = replace(action, state="telling", ending="cancelled")
            saved = action.state == "acting" and self._store.save(
                tx, stopped, ("acting", action.place, action.told)
            )
            if not saved:
                raise BulkActionConflict(f"the bulk action is {action.state}")
            tx.record(Act("detectors.cancel_bulk_action", actor, f"bulk_action:{action_id}"))
            return stopped

        return self._parts.transactions.run(work)

    def show_bulk_action(self, actor: Actor, action_id: str) -> BulkAction:
        """Return it; raise ``BulkActionNotFound``."""
        self._parts.access.require(actor, ALERT_READ, f"bulk_action:{action_id}")
        return self._parts.transactions.read(lambda tx: self._load(tx, actor, action_id))

    def list_bulk_actions(self, actor: Actor, page: PageRequest) -> Page[BulkAction]:
        """Return those that were ordered, the newest first."""
        self._parts.access.require(actor, ALERT_READ)
        rows = self._parts.transactions.read(lambda tx: self._store.page(tx, actor.org_id, page))
        return page_of(rows, page.limit, [(row.created_at, row.id) for row in rows])

    def list_bulk_items(
        self, actor: Actor, action_id: str, result: BulkResult | None, page: PageRequest
    ) -> Page[BulkItem]:
        """Return the alerts it wrote (``done``) or left since they had ``changed``, in order."""
        self._parts.access.require(actor, ALERT_READ, f"bulk_action:{action_id}")

        def read(tx: Transaction) -> Page[BulkItem]:
            action = self._load(tx, actor, action_id)
            rows = self._store.items(tx, action.id, result, page)
            return page_of(rows, page.limit, [(row.place,) for row in rows])

        return self._parts.transactions.read(read)

    def _begin(self, tx: Transaction, actor: Actor, action: BulkAction) -> None:
        task = Task(action.id, action.org_id, TASK_KIND, "queued", 0, action.count, tx.now)
        self._parts.tasks.create(tx, task)
        details = {
            "verb": action.verb,
            "count": action.count,
            "snapshot": action.snapshot,
            "selection": token_of(action),
            "reason": action.reason,
            "undoes": action.undoes,
            "assignee": action.assignee,
        }
        target = f"bulk_action:{action.id}"
        tx.record(Act("detectors.order_bulk_action", actor, target, details=details))

    def _load(self, tx: Transaction, actor: Actor, action_id: str) -> BulkAction:
        action = self._store.get(tx, actor.org_id, action_id)
        if action is None:
            raise BulkActionNotFound
        return action


def _undo_of(tx: Transaction, actor: Actor, action: BulkAction, undo_id: str) -> BulkAction:
    return BulkAction(
        id=undo_id,
        org_id=action.org_id,
        verb="undo",
        reason=action.reason,
        wanted=action.wanted,
        snapshot=action.snapshot,
        count=action.written,
        state="preview",
        ordered_by=actor.id,
        ordered=order_of(actor),
        created_at=tx.now,
        undoes=action.id,
    )
