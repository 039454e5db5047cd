"""Order many e-certificates: a dry run over all rows, then durable rows that jobs work through."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kms.core.ecertificates.refusals import ECertificateError
from kms.core.ecertificates.rows import NUMBER, Row, read_rows
from kms.core.ecertificates.values import mask
from kms.errors.ecertificates import (
    ECertificateNotFound,
    ECertificateRejected,
    ECertificateStateConflict,
)
from kms.models.ecertificates import (
    Batch,
    BatchCheck,
    BatchRow,
    ECertificate,
    ECertificateTemplate,
    Problem,
    RowState,
)
from kms.service.ecertificates.issuing import ECertificateIssuing, problems_of
from kms.service.ecertificates.parts import ECertificateParts
from kms.service.ecertificates.registry import ECertificateRegistry
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid
from secops.kernel.jobs import Task
from secops.kernel.orders import order_of
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import (
    ECERTIFICATE_ISSUE,
    ECERTIFICATE_OPEN,
    ECERTIFICATE_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

TASK_KIND: Final = "kms.ecertificates"
PART_FILES: Final = 200
"""Files in one zip; a batch has as many parts as it needs."""
_MAX_NAME: Final = 100
_MAX_PROBLEMS: Final = 1_000
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class BatchDetails:
    """A batch, its progress, and how many rows are in each state."""

    batch: Batch
    task: Task
    counts: Mapping[RowState, int]

    @property
    def parts(self) -> int:
        """How many zips its files fill; one whose rows all failed is missing among them."""
        return -(-self.task.total // PART_FILES)


class ECertificateBatches:
    """Checks, orders, stops and shows batches; ``BatchRunner`` works through them."""

    def __init__(
        self,
        here: ECertificateParts,
        issuing: ECertificateIssuing,
        registry: ECertificateRegistry,
    ) -> None:
        self._here = here
        self._parts = here.parts
        self._issuing = issuing
        self._registry = registry

    def check_ecertificate_batch(
        self, actor: Actor, template_id: str, content: bytes
    ) -> BatchCheck:
        """Return what is wrong with which row (试运行); nothing is stored.

        Raises ``ECertificateRejected`` for a file that can't be read at all.
        """
        self._require_issuer(actor, template_id)
        _, rows, problems = self._checked(actor, template_id, content)
        return BatchCheck(len(rows), tuple(problems))

    def order_ecertificate_batch(
        self, actor: Actor, template_id: str, content: bytes, *, name: str
    ) -> Batch:
        """Store the rows to be issued, none of them if one is wrong; jobs do the rest.

        Raises ``ECertificateRejected``, ``ECertificateStateConflict``.
        """
        self._require_issuer(actor, template_id)
        if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
            msg = f"a batch's name has 1 to {_MAX_NAME} printable characters"
            raise Invalid(msg)
        template, rows, problems = self._checked(actor, template_id, content)
        if problems:
            raise ECertificateRejected.because(_summary(problems))
        numbers = self._issuing.take_numbers(actor, template, [row.number for row in rows])
        batch_id = self._parts.ids.new("ecb")
        stored = [
            self._row(batch_id, place, row, template, pair)
            for place, (row, pair) in enumerate(zip(rows, numbers, strict=True), 1)
        ]

        def store(transaction: Transaction) -> Batch:
            self._issuing.active_template(transaction, actor, template_id)
            batch = Batch(
                id=batch_id,
                org_id=actor.org_id,
                template_id=template.id,
                name=name.strip(),
                ordered=order_of(actor),
                ordered_by=actor.id,
                ordered_at=transaction.now,
            )
            self._here.batches.insert_batch(transaction, batch, stored)
            task = Task(
                batch_id, batch.org_id, TASK_KIND, "queued", 0, len(stored), transaction.now
            )
            self._parts.tasks.create(transaction, task)
            details = {"template": template.id, "rows": len(stored)}
            act = Act("kms.order_ecertificate_batch", actor, _target(batch_id), details=details)
            transaction.record(act)
            return batch

        return self._parts.transactions.run(store)

    def resume_ecertificate_batch(self, actor: Actor, batch_id: str) -> None:
        """Go on with a stopped batch, by whoever ordered it, with their rights as they are."""
        self._require_issuer(actor, batch_id)

        def resume(transaction: Transaction) -> None:
            batch = self._owned(transaction, actor, batch_id)
            task = self._parts.tasks.get(transaction, batch.id)
            if task.state != "failed" or not self._here.batches.set_open(
                transaction, batch.id, before=False
            ):
                raise ECertificateStateConflict("only a batch that was stopped goes on")
            self._parts.tasks.progress(transaction, replace(task, state="running", result=""))
            transaction.record(Act("kms.resume_ecertificate_batch", actor, _target(batch.id)))

        self._parts.transactions.run(resume)

    def cancel_ecertificate_batch(self, actor: Actor, batch_id: str) -> None:
        """Issue no further row; what was issued stays."""
        self._require_issuer(actor, batch_id)

        def cancel(transaction: Transaction) -> None:
            batch = self._owned(transaction, actor, batch_id)
            task = self._parts.tasks.get(transaction, batch.id)
            if task.state in ("done", "cancelled"):
                raise ECertificateStateConflict(f"the batch is {task.state}")
            self._here.batches.set_open(transaction, batch.id, before=True)
            self._parts.tasks.progress(transaction, replace(task, state="cancelled"))
            transaction.record(Act("kms.cancel_ecertificate_batch", actor, _target(batch.id)))

        self._parts.transactions.run(cancel)

    def list_ecertificate_batches(
        self, actor: Actor, request: PageRequest
    ) -> Page[tuple[Batch, Task]]:
        """Return the batches of the actor's organisation with their progress, newest first."""
        self._parts.access.require(actor, ECERTIFICATE_READ, "ecertificate_batch:*")

        def read(transaction: Transaction) -> Page[tuple[Batch, Task]]:
            rows = self._here.batches.batches(transaction, actor.org_id, request)
            pairs = [(row, self._parts.tasks.get(transaction, row.id)) for row in rows]
            return page_of(pairs, request.limit, [(row.ordered_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_ecertificate_batch(self, actor: Actor, batch_id: str) -> BatchDetails:
        """Return one batch; raise ``ECertificateNotFound``."""
        self._parts.access.require(actor, ECERTIFICATE_READ, _target(batch_id))

        def read(transaction: Transaction) -> BatchDetails:
            batch = self._load(transaction, actor, batch_id)
            task = self._parts.tasks.get(transaction, batch.id)
            return BatchDetails(batch, task, self._here.batches.counts(transaction, batch.id))

        return self._parts.transactions.read(read)

    def list_ecertificate_rows(
        self, actor: Actor, batch_id: str, request: PageRequest
    ) -> Page[BatchRow]:
        """Return a batch's rows by number, with what came of them."""
        self._parts.access.require(actor, ECERTIFICATE_READ, _target(batch_id))
        after = request.key(int)

        def read(transaction: Transaction) -> Page[BatchRow]:
            batch = self._load(transaction, actor, batch_id)
            rows = self._here.batches.rows(
                transaction,
                batch.id,
                None,
                limit=request.limit + 1,
                after=after[0] if after else 0,
            )
            return page_of(rows, request.limit, [(row.n,) for row in rows])

        return self._parts.transactions.read(read)

    def zip_ecertificate_batch(self, actor: Actor, batch_id: str, part: int) -> bytes:
        """Return part 1, 2… of the sealed files, each named by its identifier.

        Raises ``ECertificateNotFound`` behind the last part.
        """
        self._parts.access.require(actor, ECERTIFICATE_OPEN, _target(batch_id))

        def read(transaction: Transaction) -> tuple[str, Sequence[ECertificate]]:
            batch = self._load(transaction, actor, batch_id)
            template = self._here.load_template(transaction, actor.org_id, batch.template_id)
            first, last = (part - 1) * PART_FILES, part * PART_FILES
            rows = self._here.batches.rows(
                transaction, batch.id, "issued", limit=PART_FILES, after=max(first, 0)
            )
            issued = [row.certificate_id for row in rows if first < row.n <= last]
            found = [self._here.load(transaction, actor.org_id, each) for each in issued if each]
            return template.wish.format, found

        suffix, records = self._parts.transactions.read(read)
        if not records:
            msg = f"part {part} has no files"
            raise ECertificateNotFound(msg)
        details = {"part": part, "files": len(records)}
        self._parts.trail.append(
            [Act("kms.zip_ecertificate_batch", actor, _target(batch_id), details=details)]
        )
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for record in records:
                entry = zipfile.ZipInfo(f"{record.identifier}.{suffix}", _EPOCH)
                archive.writestr(entry, self._registry.document(record))
        return out.getvalue()

    def _checked(
        self, actor: Actor, template_id: str, content: bytes
    ) -> tuple[ECertificateTemplate, list[Row], list[Problem]]:
        template = self._parts.transactions.read(
            lambda transaction: self._issuing.active_template(transaction, actor, template_id)
        )
        wish = template.wish
        try:
            rows = read_rows(content, wish.fields)
        except ECertificateError as error:
            raise ECertificateRejected.because(error.why) from error
        problems = [
            Problem(place, field, why)
            for place, row in enumerate(rows, 1)
            for field, why in problems_of(wish, row.values, row.number)
        ]
        problems += _repeated(rows)
        codes = (wish.type_code, wish.authority_code)

        wanted = [row.number for row in rows if row.number]
        taken = self._parts.transactions.read(
            lambda transaction: self._here.issued.taken_numbers(transaction, codes, wanted)
        )
        problems += [
            Problem(place, NUMBER, Text("编号已被使用", "the number is taken"))
            for place, row in enumerate(rows, 1)
            if row.number in taken
        ]
        problems.sort(key=lambda problem: problem.row)
        return template, rows, problems[:_MAX_PROBLEMS]

    def _row(
        self,
        batch_id: str,
        place: int,
        row: Row,
        template: ECertificateTemplate,
        pair: tuple[str, str],
    ) -> BatchRow:
        return BatchRow(
            batch_id=batch_id,
            n=place,
            org_id=template.org_id,
            sealed=self._here.seal_data(f"{batch_id}/{place}", row.values),
            serial=pair[0],
            number=pair[1],
            holder_masked=mask(row.values[template.wish.holder_field]),
        )

    def _require_issuer(self, actor: Actor, identifier: str) -> None:
        self._parts.access.require(actor, ECERTIFICATE_ISSUE, _target(identifier))

    def _owned(self, transaction: Transaction, actor: Actor, batch_id: str) -> Batch:
        batch = self._load(transaction, actor, batch_id)
        if batch.ordered_by != actor.id:
            raise ECertificateStateConflict("only who ordered a batch stops it or goes on with it")
        return batch

    def _load(self, transaction: Transaction, actor: Actor, batch_id: str) -> Batch:
        found = self._here.batches.batch(transaction, actor.org_id, batch_id)
        if found is None:
            msg = f"there is no batch {batch_id[:60]!r}"
            raise ECertificateNotFound(msg)
        return found


def _repeated(rows: Sequence[Row]) -> list[Problem]:
    """Return rows that stand in the file twice, or whose number does."""
    numbers: dict[str, int] = {}
    whole: dict[tuple[tuple[str, str], ...], int] = {}
    found = []
    for place, row in enumerate(rows, 1):
        first = numbers.setdefault(row.number, place) if row.number else place
        if first != place:
            why = Text(f"编号与第 {first} 行相同", f"has the number of row {first}")
            found.append(Problem(place, NUMBER, why))
        same = whole.setdefault(tuple(sorted(row.values.items())), place)
        if same != place:
            found.append(Problem(place, "", Text(f"与第 {same} 行相同", f"is row {same} again")))
    return found


def _summary(problems: Sequence[Problem]) -> Text:
    first, count = problems[0], len(problems)
    return Text(
        f"共 {count} 处问题,首先是第 {first.row} 行 {first.field}:{first.why.zh}",
        f"{count} problems, the first in row {first.row} {first.field}: {first.why.en}",
    )


def _target(identifier: str) -> str:
    return f"ecertificate_batch:{identifier[:60]}"
