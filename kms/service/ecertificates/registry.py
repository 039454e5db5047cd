"""What was issued: lists without the holders' data, one opened by who may, stopped and resumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from kms.errors.ecertificates import ECertificateStateConflict
from kms.models.ecertificates import (
    NOT_ENDED,
    ECertificate,
    ECertificateState,
    ECertificateTemplate,
    FileFormat,
)
from kms.service.ecertificates.parts import ECertificateParts
from kms.service.reasons import check_reason
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import (
    ECERTIFICATE_OPEN,
    ECERTIFICATE_READ,
    ECERTIFICATE_RESUME,
    ECERTIFICATE_STOP,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

FILTERS: Final = ("template_id", "type_code", "number", "state", "batch_id")
_MAX_FILTER: Final = 100


@dataclass(frozen=True, slots=True)
class ECertificateDetails:
    """An e-certificate and what took its place."""

    record: ECertificate
    template: ECertificateTemplate
    replaced_by: str | None


@dataclass(frozen=True, slots=True)
class OpenedECertificate:
    """The holder's data by title, the public link, and the sealed file."""

    record: ECertificate
    format: FileFormat
    values: Sequence[tuple[str, str]]
    link: str
    document: bytes


class ECertificateRegistry:
    """Shows e-certificates and takes their validity away."""

    def __init__(self, here: ECertificateParts) -> None:
        self._here = here
        self._parts = here.parts

    def now(self) -> int:
        """Return the instant at which states are judged."""
        return self._parts.clock.now()

    def list_ecertificates(
        self, actor: Actor, request: PageRequest, filters: Mapping[str, str] | None = None
    ) -> Page[ECertificate]:
        """Return those of the actor's organisation, newest first; ``filters`` by ``FILTERS``."""
        self._parts.access.require(actor, ECERTIFICATE_READ, "ecertificate:*")
        wanted = dict(filters or {})
        if not set(wanted) <= set(FILTERS) or any(len(v) > _MAX_FILTER for v in wanted.values()):
            msg = f"filter by {', '.join(FILTERS)}"
            raise Invalid(msg)
        if wanted.get("state", "valid") not in get_args(ECertificateState):
            msg = f"a stored state is one of {', '.join(get_args(ECertificateState))}"
            raise Invalid(msg)

        def read(transaction: Transaction) -> Page[ECertificate]:
            rows = self._here.issued.ecertificates(transaction, actor.org_id, request, wanted)
            return page_of(rows, request.limit, [(row.issued_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_ecertificate(self, actor: Actor, ecertificate_id: str) -> ECertificateDetails:
        """Return one without the holder's data; raise ``ECertificateNotFound``."""
        self._parts.access.require(actor, ECERTIFICATE_READ, _target(ecertificate_id))

        def read(transaction: Transaction) -> ECertificateDetails:
            record = self._here.load(transaction, actor.org_id, ecertificate_id)
            return ECertificateDetails(
                record,
                self._here.load_template(transaction, actor.org_id, record.template_id),
                self._here.issued.replacement(transaction, record.id),
            )

        return self._parts.transactions.read(read)

    def open_ecertificate(self, actor: Actor, ecertificate_id: str) -> OpenedECertificate:
        """Return one with the holder's data and its file; each opening is in the ledger.

        Raises ``ECertificateNotFound``, ``PoolLocked``, ``Unavailable`` for a damaged file.
        """
        self._parts.access.require(actor, ECERTIFICATE_OPEN, _target(ecertificate_id))

        def read(transaction: Transaction) -> tuple[ECertificate, ECertificateTemplate]:
            record = self._here.load(transaction, actor.org_id, ecertificate_id)
            template = self._here.load_template(transaction, actor.org_id, record.template_id)
            return record, template

        record, template = self._parts.transactions.read(read)
        self._parts.trail.append(
            [Act("kms.open_ecertificate", actor, _target(record.id), details={})]
        )
        values, token = self._here.open_data(record.id, record.sealed)
        titled = [(field.title, values.get(field.name, "")) for field in template.wish.fields]
        return OpenedECertificate(
            record, template.wish.format, titled, self._here.link(token), self.document(record)
        )

    def document(self, record: ECertificate) -> bytes:
        """Return the sealed file of ``record``; who asks was let in by the caller."""
        encrypted = self._parts.blobs.get(record.blob)
        return self._here.box.open(encrypted, f"file:{record.id}".encode())

    def suspend_ecertificate(self, actor: Actor, ecertificate_id: str, reason: str) -> None:
        """Let it count for nothing until it is resumed; never refused for the ledger."""
        self._stop(actor, ecertificate_id, reason, after="suspended")

    def revoke_ecertificate(self, actor: Actor, ecertificate_id: str, reason: str) -> None:
        """End it for good (吊销)."""
        self._stop(actor, ecertificate_id, reason, after="revoked")

    def resume_ecertificate(self, actor: Actor, ecertificate_id: str, reason: str) -> None:
        """Let a suspended one count again; not by the role that issues."""
        self._parts.access.require(actor, ECERTIFICATE_RESUME, _target(ecertificate_id))
        check_reason(reason)

        def resume(transaction: Transaction) -> None:
            record = self._here.load(transaction, actor.org_id, ecertificate_id)
            # suspended by the emergency way: the table could not be told, so it says valid
            elsewhere = self._parts.revocations.is_revoked("ecertificate", record.id)
            before: ECertificateState = "suspended"
            if record.state == "valid" and elsewhere:
                before = "valid"
            self._change(transaction, record.id, (before,), after="valid", reason=reason)
            self._parts.revocations.restore(transaction, "ecertificate", record.id)
            details = {"reason": reason}
            transaction.record(
                Act("kms.resume_ecertificate", actor, _target(record.id), details=details)
            )

        self._parts.transactions.run(resume)

    def _stop(
        self, actor: Actor, ecertificate_id: str, reason: str, *, after: ECertificateState
    ) -> None:
        self._parts.access.require(actor, ECERTIFICATE_STOP, _target(ecertificate_id))
        check_reason(reason)
        # what is restricted below is one of the actor's organisation, whatever was typed
        record = self._parts.transactions.read(
            lambda transaction: self._here.load(transaction, actor.org_id, ecertificate_id)
        )
        before: tuple[ECertificateState, ...] = ("valid",)
        if after == "revoked":
            before = NOT_ENDED

        def stop(transaction: Transaction) -> None:
            self._change(transaction, record.id, before, after=after, reason=reason)

        verb = "suspend" if after == "suspended" else "revoke"
        act = Act(f"kms.{verb}_ecertificate", actor, _target(record.id), details={"reason": reason})
        self._parts.transactions.restrict(stop, Restriction("ecertificate", record.id, act))

    def _change(
        self,
        transaction: Transaction,
        ecertificate_id: str,
        before: Sequence[ECertificateState],
        *,
        after: ECertificateState,
        reason: str,
    ) -> None:
        changed = self._here.issued.change_ecertificate(
            transaction, ecertificate_id, before=before, after=after, reason=reason
        )
        if not changed:
            msg = f"only one that is {' or '.join(before)} can become {after}"
            raise ECertificateStateConflict(msg)


def _target(ecertificate_id: str) -> str:
    return f"ecertificate:{ecertificate_id[:60]}"
