"""Approval of a single use: asked for by a holder, granted by another person, used once.

The approval is bound to the document's SM3 and to where, how and what for it is sealed. It
counts for whoever asked, for a day, once: the kernel's one conditional statement uses it up
in the unit of work that enters the use.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final

from kms.errors.seals import (
    RequestedDocumentGone,
    SealStateConflict,
    SealUseRefused,
    UseRequestNotFound,
)
from kms.models.seal_registry import SealedDocument, SealedValue, SealRecord
from kms.models.seal_requests import SealUseRequest, SealUseWish
from kms.models.stamps import PdfStandard, Stamping, StampRequest
from kms.service.reasons import check_lines_of_reason
from kms.service.refusals import refusals_recorded
from kms.service.seals.parts import SealParts
from kms.service.seals.stamping import SealStamping
from kms.service.seals.uses import SealUses, WantedUse, check_use, require_size
from kms.service.seals.using import SealUsing
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.permissions.kms import SEAL_APPROVE_USE, SEAL_READ, SEAL_USE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "seal_use"
_VALID: Final = DAY
_MAX_OPEN: Final = 50
_MAX_FILE_NAME: Final = 200
_SWEEP: Final = 200
_SUFFIXES: Final = {"ofd": ".ofd", "pdf": ".pdf", "pdf_sm2": ".pdf"}
_WAITING: Final = ("pending", "approved")


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request, its approval and the seal: what whoever decides looks at."""

    request: SealUseRequest
    approval: Approval
    seal: SealRecord


@dataclass(frozen=True, slots=True)
class RequestedDocument:
    """The kept file of a request."""

    request: SealUseRequest
    content: bytes

    @property
    def safe_name(self) -> str:
        """A name for downloads: what the requester called the file is theirs, not a header's."""
        return f"{self.request.id}{_SUFFIXES.get(self.request.form, '.bin')}"


class SealUseRequests:
    """Lets another person look at what shall be sealed before it is."""

    def __init__(self, seals: SealParts, uses: SealUses) -> None:
        self._seals = seals
        self._parts = seals.parts
        self._uses = uses
        self._using = SealUsing(seals, uses)
        self._stamping = SealStamping(seals, uses)

    def request_seal_use(self, actor: Actor, wish: SealUseWish) -> SealUseRequest:
        """Ask for one use; raises what ``use_seal`` raises for a seal that can't be used.

        ``SealStateConflict`` where too many requests of the actor's wait already.
        """
        self._parts.access.require(actor, SEAL_USE, f"seal:{wish.seal_id}")
        _check(wish)
        identifier = self._parts.ids.new("sur")
        wanted = _wanted(actor, wish)
        check_use(wanted)
        # before anything is kept: only a holder's files are
        self._parts.transactions.read(lambda tx: self._require_room(tx, wanted))
        blob = ""
        if wish.document is not None:
            sealed = self._seals.documents.seal(wish.document, identifier.encode())
            blob = self._parts.blobs.put(sealed)
        request = self._draft(actor, wish, identifier, blob)

        def store(transaction: Transaction) -> SealUseRequest:
            self._require_room(transaction, wanted)
            self._seals.requests.insert_request(transaction, request)
            self._parts.approvals.request(transaction, _approval(request))
            details = {"document_sm3": request.digest, "request": request.subject_hash}
            target = f"seal_use_request:{request.id}"
            transaction.record(Act("kms.request_seal_use", actor, target, details=details))
            return request

        return self._parts.transactions.run(store)

    def decide_seal_use(
        self, actor: Actor, request_id: str, *, grant: bool, reason: str
    ) -> Approval:
        """Approve or reject; raises ``SelfApproval`` for the requester's other accounts, too."""
        target = f"seal_use_request:{request_id[:60]}"
        self._parts.access.require(actor, SEAL_APPROVE_USE, target)
        check_lines_of_reason(reason)

        def decide(transaction: Transaction) -> Approval:
            request = self._load(transaction, actor, request_id)
            approval = self._parts.approvals.decide(
                transaction, request.approval_id, actor, grant=grant, reason=reason
            )
            details = {
                "document_sm3": request.digest,
                "request": request.subject_hash,
                "grant": grant,
            }
            transaction.record(Act("kms.decide_seal_use", actor, target, details=details))
            return approval

        with refusals_recorded(self._parts, "kms.decide_seal_use", actor, target):
            return self._parts.transactions.run(decide)

    def use_approved_seal(
        self,
        actor: Actor,
        request_id: str,
        document: bytes | None = None,
        *,
        digest: bytes | None = None,
    ) -> SealedValue | SealedDocument:
        """Seal what was approved, once: ``document``, its SM3 ``digest``, or the kept file.

        Raises ``SealUseRefused`` for another document, another person, a second time.
        """
        self._parts.access.require(actor, SEAL_USE, f"seal_use_request:{request_id[:60]}")
        request = self._parts.transactions.read(lambda tx: self._load(tx, actor, request_id))
        if request.form == "detached":
            found = digest if document is None else sm3(document)
            return self._using.use_as_wanted(
                WantedUse(
                    actor,
                    request.seal_id,
                    bytes.fromhex(request.digest) if found is None else found,
                    request.purpose,
                    document_class=request.document_class,
                    request_id=request.id,
                )
            )
        if request.requester_id != actor.id and document is None:
            # before the kept file is opened; another document than the approved one is refused
            # where it is used
            target = f"seal:{request.seal_id}"
            with refusals_recorded(self._parts, "kms.use_seal", actor, target):
                raise SealUseRefused(
                    because_zh="只有申请人可以使用", because_en="only who asked may use it"
                )
        standard: PdfStandard = "sm2" if request.form == "pdf_sm2" else "pades"
        wish = StampRequest(
            self._kept(request) if document is None else document,
            request.stamping,
            request.purpose,
            standard,
            document_class=request.document_class,
            request_id=request.id,
        )
        return self._stamping.stamp_document(actor, request.seal_id, wish)

    def list_seal_use_requests(
        self, actor: Actor, request: PageRequest
    ) -> Page[tuple[SealUseRequest, Approval]]:
        """Return the organisation's requests with their approvals, newest first."""
        self._parts.access.require(actor, SEAL_READ, "seal_use_request:*")

        def read(transaction: Transaction) -> Page[tuple[SealUseRequest, Approval]]:
            rows = self._seals.requests.requests(transaction, actor.org_id, request)
            approvals = self._parts.approvals
            pairs = [(row, approvals.get(transaction, row.approval_id)) for row in rows]
            return page_of(pairs, request.limit, [(row.requested_at, row.id) for row in rows])

        return self._parts.transactions.read(read)

    def show_seal_use_request(self, actor: Actor, request_id: str) -> RequestView:
        """Return the request, its approval and its seal; raise ``UseRequestNotFound``."""
        self._parts.access.require(actor, SEAL_READ, f"seal_use_request:{request_id[:60]}")

        def read(transaction: Transaction) -> RequestView:
            request = self._load(transaction, actor, request_id)
            found = self._seals.store.seal(transaction, actor.org_id, request.seal_id)
            if found is None:
                raise UseRequestNotFound
            approval = self._parts.approvals.get(transaction, request.approval_id)
            return RequestView(request, approval, found[0])

        return self._parts.transactions.read(read)

    def read_requested_document(self, actor: Actor, request_id: str) -> RequestedDocument:
        """Return the kept file to who decides or asked; that it was read is recorded."""
        target = f"seal_use_request:{request_id[:60]}"
        self._parts.access.require(actor, SEAL_READ, target)
        request = self._parts.transactions.read(lambda tx: self._load(tx, actor, request_id))
        if request.requester_id != actor.id:
            self._parts.access.require(actor, SEAL_APPROVE_USE, target)
        content = self._kept(request)
        details = {"document_sm3": request.digest}
        self._parts.trail.append(
            [Act("kms.read_requested_document", actor, target, "done", details)]
        )
        return RequestedDocument(request, content)

    def drop_kept_documents(self) -> bool:
        """Delete the files of requests that were used, rejected or are over; True if some wait."""

        def due(transaction: Transaction) -> list[SealUseRequest]:
            kept = self._seals.requests.kept(transaction, _SWEEP)
            approvals = self._parts.approvals
            return [
                each
                for each in kept
                if approvals.get(transaction, each.approval_id).state not in _WAITING
            ]

        over = self._parts.transactions.read(due)
        for request in over:
            # the file first: a row without a file is asked for once more, a file without a
            # row would stay for ever
            self._parts.blobs.drop(request.document)
            forget = partial(self._seals.requests.forget_document, request_id=request.id)
            self._parts.transactions.run(forget)
        return len(over) == _SWEEP

    def _require_room(self, transaction: Transaction, wanted: WantedUse) -> None:
        self._uses.require_holder(transaction, wanted)
        if self._seals.requests.open_requests(transaction, wanted.actor.id) >= _MAX_OPEN:
            msg = f"{_MAX_OPEN} requests wait already: use or let them end first"
            raise SealStateConflict(msg)

    def _load(self, transaction: Transaction, actor: Actor, request_id: str) -> SealUseRequest:
        found = self._seals.requests.request(transaction, actor.org_id, request_id)
        if found is None:
            msg = f"there is no request {request_id[:40]!r}"
            raise UseRequestNotFound(msg)
        return found

    def _kept(self, request: SealUseRequest) -> bytes:
        if not request.document:
            msg = "the file was not kept, or no longer is: give it again"
            raise RequestedDocumentGone(msg)
        sealed = self._parts.blobs.get(request.document)
        return self._seals.documents.open(sealed, request.id.encode())

    def _draft(self, actor: Actor, wish: SealUseWish, identifier: str, blob: str) -> SealUseRequest:
        now = self._parts.clock.now()
        request = SealUseRequest(
            id=identifier,
            org_id=actor.org_id,
            seal_id=wish.seal_id,
            requester_id=actor.id,
            requester=actor.name,
            digest=wish.digest.hex(),
            file_name=wish.file_name,
            form=wish.form,
            stamping=wish.stamping,
            document_class=wish.document_class,
            purpose=wish.purpose,
            document=blob,
            size=0 if wish.document is None else len(wish.document),
            requested_at=now,
            expires_at=now + _VALID,
            approval_id=self._parts.ids.new("apr"),
            subject_hash="",
        )
        return replace(request, subject_hash=subject_hash(request))


def subject_hash(request: SealUseRequest) -> str:
    """Return what the approval is bound to: any other use needs another approval."""
    return sha256(
        canonical(
            {
                "id": request.id,
                "org": request.org_id,
                "seal": request.seal_id,
                "requester": request.requester_id,
                "document_sm3": request.digest,
                "file_name": request.file_name,
                "form": request.form,
                "stamping": str(asdict(request.stamping)),
                "document_class": request.document_class,
                "purpose": request.purpose,
            }
        )
    ).hex()


def _approval(request: SealUseRequest) -> Approval:
    return Approval(
        id=request.approval_id,
        org_id=request.org_id,
        kind=APPROVAL_KIND,
        subject=f"seal_use_request:{request.id}",
        subject_hash=request.subject_hash,
        permission=SEAL_APPROVE_USE,
        requester_id=request.requester_id,
        requested_at=request.requested_at,
        expires_at=request.expires_at,
        reason=request.purpose,
    )


def _wanted(actor: Actor, wish: SealUseWish) -> WantedUse:
    return WantedUse(
        actor,
        wish.seal_id,
        wish.digest,
        wish.purpose,
        form=wish.form,
        document_class=wish.document_class,
    )


def _check(wish: SealUseWish) -> None:
    name = wish.file_name
    if not 0 < len(name) <= _MAX_FILE_NAME or not name.isprintable():
        msg = f"a file name of 1 to {_MAX_FILE_NAME} printable characters is needed"
        raise Invalid(msg)
    if wish.form == "detached" and wish.stamping != Stamping():
        msg = "a value beside the file has no place on it"
        raise Invalid(msg)
    if wish.document is not None:
        require_size(wish.document)
        if sm3(wish.document) != wish.digest:
            msg = "the digest is not the file's"
            raise Invalid(msg)
