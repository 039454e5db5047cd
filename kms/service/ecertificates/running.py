"""Work through batches: a few rows at a time, each at most once, whoever is killed when."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import orjson

from kms.errors.ecertificates import ECertificateStateConflict
from kms.errors.seals import SealNotFound
from kms.models.ecertificates import Batch, BatchRow, ECertificateTemplate
from kms.service.ecertificates.issuing import ECertificateIssuing, Order
from kms.service.ecertificates.parts import ECertificateParts
from secops.kernel.actors import Actor, system_actor
from secops.kernel.errors import Forbidden, SecopsError, StepUpRequired, Unauthenticated
from secops.kernel.jobs import Task, TaskState
from secops.kernel.orders import actor_of
from secops.kernel.permissions.kms import ECERTIFICATE_ISSUE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

PART: Final = 20
"""Rows of one tick."""
LEASE_SECONDS: Final = 120.0
_SHARE: Final = 0.4
"""Of the lease's time after which no further row is begun."""
_RUNNER: Final = system_actor("kms-ecertificates")
_DOWN: Final = 500
"""Errors from this status on are ours or the disk's: the row waits for the next tick."""
_STOPPING: Final = (Forbidden, Unauthenticated, StepUpRequired, SealNotFound)
"""Refusals of the seal or its user, and no row's own fault: the batch stops and says so."""


class BatchRunner:
    """Issues the rows of open batches as whoever ordered them, with their rights of now."""

    def __init__(self, here: ECertificateParts, issuing: ECertificateIssuing) -> None:
        self._here = here
        self._parts = here.parts
        self._issuing = issuing

    def tick(self) -> bool:
        """Do a part of the oldest open batch that can go on; tell whether more waits.

        One that can't (its organisation is locked, say) holds up nobody else's.
        """
        return any(
            map(self.advance, self._parts.transactions.read(self._here.batches.open_batches))
        )

    def advance(self, batch: Batch) -> bool:
        """Do a part of ``batch``; False where another process does, a part is down, or it ended."""
        owner = self._parts.ids.new("run")
        lease = self._parts.leases.acquire(f"ecertificates:{batch.id}", owner, LEASE_SECONDS)
        if lease is None:
            return False
        try:
            return self._part(batch)
        finally:
            self._parts.leases.release(lease)

    def _part(self, batch: Batch) -> bool:
        roles = self._here.subjects.roles_now(batch.ordered_by)
        if roles is None:
            self._stop(batch, Forbidden("the account that ordered the batch may not act any more"))
            return False
        actor = actor_of(batch.ordered, roles)
        try:
            self._parts.access.require(actor, ECERTIFICATE_ISSUE, f"ecertificate_batch:{batch.id}")
        except _STOPPING as error:
            self._stop(batch, error)
            return False

        def read(transaction: Transaction) -> tuple[ECertificateTemplate, list[BatchRow]]:
            template = self._here.load_template(transaction, batch.org_id, batch.template_id)
            rows = self._here.batches.rows(transaction, batch.id, "waiting", limit=PART)
            return template, list(rows)

        template, rows = self._parts.transactions.read(read)
        began = self._parts.clock.monotonic()
        for row in rows:
            if self._parts.clock.monotonic() - began > LEASE_SECONDS * _SHARE:
                break
            if not self._row(batch, actor, template, row):
                return False
        return self._note_progress(batch)

    def _row(
        self, batch: Batch, actor: Actor, template: ECertificateTemplate, row: BatchRow
    ) -> bool:
        """Issue one row; False if the batch can't go on now."""
        try:
            values, _ = self._here.open_data(f"{row.batch_id}/{row.n}", row.sealed)
            self._issuing.issue(actor, Order(template, values, row.serial, row.number, row))
        except _STOPPING as error:
            self._stop(batch, error)
            return False
        except ECertificateStateConflict as error:
            # issued by another process meanwhile, or the template was retired
            if self._still_waits(row):
                self._stop(batch, error)
                return False
        except SecopsError as error:
            if error.status >= _DOWN:
                return False
            self._fail(row, error)
        return True

    def _still_waits(self, row: BatchRow) -> bool:
        waiting = self._parts.transactions.read(
            lambda transaction: self._here.batches.rows(
                transaction, row.batch_id, "waiting", limit=1, after=row.n - 1
            )
        )
        return any(each.n == row.n for each in waiting)

    def _fail(self, row: BatchRow, error: SecopsError) -> None:
        def fail(transaction: Transaction) -> None:
            self._here.batches.finish_row(
                transaction, row, certificate_id=None, error=_words(error)
            )
            details = {"row": row.n, "code": error.code}
            target = f"ecertificate_batch:{row.batch_id}"
            act = Act("kms.issue_ecertificate", _RUNNER, target, "refused", details)
            transaction.record(act)

        self._parts.transactions.run(fail)

    def _stop(self, batch: Batch, error: SecopsError) -> None:
        """Close the batch and say in its task why; rows that wait can be taken up again."""

        def stop(transaction: Transaction) -> None:
            if not self._here.batches.set_open(transaction, batch.id, before=True):
                return
            task, _ = self._counted(transaction, batch)
            stopped = replace(task, state="failed", result=_words(error))
            self._parts.tasks.progress(transaction, stopped)
            target, details = f"ecertificate_batch:{batch.id}", {"code": error.code}
            transaction.record(Act("kms.stop_ecertificate_batch", _RUNNER, target, details=details))

        self._parts.transactions.run(stop)

    def _note_progress(self, batch: Batch) -> bool:
        """Write down how far it is, and that it is done; tell whether rows wait."""

        def note(transaction: Transaction) -> bool:
            task, waiting = self._counted(transaction, batch)
            if task.state not in ("queued", "running"):
                return False
            state: TaskState = "running" if waiting else "done"
            self._parts.tasks.progress(transaction, replace(task, state=state))
            if not waiting:
                self._here.batches.set_open(transaction, batch.id, before=True)
            return bool(waiting)

        return self._parts.transactions.run(note)

    def _counted(self, transaction: Transaction, batch: Batch) -> tuple[Task, int]:
        counts = self._here.batches.counts(transaction, batch.id)
        task = self._parts.tasks.get(transaction, batch.id)
        return replace(task, done=task.total - counts["waiting"]), counts["waiting"]


def _words(error: SecopsError) -> str:
    """Return the error as JSON, in both languages."""
    return orjson.dumps(
        {
            "code": error.code,
            "zh": str(error.facts.get("because_zh") or error.title.zh),
            "en": str(error.facts.get("because_en") or error.detail),
        }
    ).decode()
