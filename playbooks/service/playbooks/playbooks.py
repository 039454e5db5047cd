"""The register of playbooks: drafts come in, another person's approval signs them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from playbooks.core.cacao20.signing import without_signatures
from playbooks.core.differences import compare
from playbooks.errors import PlaybookNotFound
from playbooks.errors.signatures import PlaybookUnsigned, TooManyPlaybooks
from playbooks.models import CheckedPlaybook, StoredPlaybook
from playbooks.models.playbooks import ImportedPlaybook, PlaybookComparison, PlaybookView
from playbooks.models.signatures import VerifiedSignature
from playbooks.service.playbooks.importing import Draft, read_draft
from playbooks.service.playbooks.known import KnownPlaybooks
from playbooks.service.refusals import refusals_recorded
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY
from secops.kernel.errors import Conflict, NotFound, SecopsError
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import (
    PLAYBOOK_APPROVE,
    PLAYBOOK_IMPORT,
    PLAYBOOK_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "playbooks.playbook"
APPROVAL_DAYS: Final = 30
MAX_PLAYBOOKS: Final = 1_000
"""Entries in the register of one organisation."""
MAX_REASON: Final = 1_000


class PlaybookService(KnownPlaybooks):
    """Keeps playbooks by content hash; the same content is one entry."""

    def list_playbooks(self, actor: Actor, page: PageRequest) -> Page[PlaybookView]:
        """Return the register of the caller's organisation, each as its signature is now."""
        self._s.parts.access.require(actor, PLAYBOOK_READ, "playbook:*")
        found = self._s.parts.transactions.read(
            lambda tx: self._s.stores.playbooks.list(tx, actor.org_id, page)
        )
        return Page([self._view(one) for one in found.items], found.next)

    def show_playbook(self, actor: Actor, content_hash: str) -> PlaybookView:
        """Return one entry with its content."""
        self._s.parts.access.require(actor, PLAYBOOK_READ, f"playbook:{content_hash[:64]}")
        return self._view(self._get(actor.org_id, content_hash))

    def compare_playbook(self, actor: Actor, content_hash: str) -> PlaybookComparison:
        """Return how an entry differs from the approved version of the same playbook."""
        self._s.parts.access.require(actor, PLAYBOOK_READ, f"playbook:{content_hash[:64]}")
        entry = self._get(actor.org_id, content_hash)
        newest = self._s.parts.transactions.read(
            lambda tx: self._s.stores.playbooks.newest(tx, actor.org_id, entry.playbook_id)
        )
        before = None
        if newest is not None and newest.content_hash != content_hash:
            before = self._trust.checked(newest).document
        lines, cut = compare(before, self._trust.checked(entry).document)
        against = "" if before is None else str(before["modified"])
        return PlaybookComparison(against, lines, cut)

    def export_playbook(self, actor: Actor, content_hash: str) -> bytes:
        """Return the playbook with its signatures, in the one form of RFC 8785."""
        self._s.parts.access.require(actor, PLAYBOOK_READ, f"playbook:{content_hash[:64]}")
        entry = self._get(actor.org_id, content_hash)
        document = dict(self._trust.checked(entry).document)
        if entry.signatures:
            document["signatures"] = [dict(one) for one in entry.signatures]
        return canonical(document)

    def import_playbook(self, actor: Actor, text: bytes) -> ImportedPlaybook:
        """Register ``text`` as a draft, or as approved where a partner's key vouches for it.

        Raises ``PlaybookInvalid`` (a password in clear, too: the register is read by many),
        ``SignatureInvalid`` for a signature that doesn't fit, ``TooManyPlaybooks``.
        """
        self._s.parts.access.require(actor, PLAYBOOK_IMPORT, "playbook:*")
        draft = read_draft(text)
        return ImportedPlaybook(self._register(actor, draft), draft.changes)

    def adopt_playbook(self, actor: Actor, name: str) -> StoredPlaybook:
        """Register a playbook of the release as a draft: it runs once somebody approved it."""
        self._s.parts.access.require(actor, PLAYBOOK_IMPORT, "playbook:*")
        playbook = self.packaged().get(name)
        if playbook is None:
            msg = f"the release has no playbook {name[:80]}"
            raise PlaybookNotFound(msg)
        return self._register(actor, Draft(playbook))

    def register(self, actor: Actor, playbook: CheckedPlaybook) -> StoredPlaybook:
        """Register what a caller who was authorised asks to run."""
        return self._register(actor, Draft(playbook))

    def approve_playbook(
        self, actor: Actor, content_hash: str, *, grant: bool = True, reason: str = ""
    ) -> StoredPlaybook:
        """Approve a draft, which signs it, or reject it; nobody approves their own import.

        Raises ``SelfApproval``, ``Conflict`` (it is no draft), ``Unavailable`` (no key).
        """
        self._s.parts.access.require(actor, PLAYBOOK_APPROVE, f"playbook:{content_hash[:64]}")
        before = self._get(actor.org_id, content_hash)
        if before.state != "draft":
            msg = f"it is {before.state}"
            raise Conflict(msg)
        after = replace(before, state="retired", approval_id=None)
        if grant:
            signature = self._trust.sign(actor.org_id, before)  # not inside the transaction
            after = replace(
                before,
                state="approved",
                signature="own",
                signatures=(*before.signatures, signature),
                approved_by=actor.id,
                approved_at=self._s.parts.clock.now(),
                approval_id=None,
            )

        def work(tx: Transaction) -> StoredPlaybook:
            approvals = self._s.parts.approvals
            if grant:
                approvals.require_another(tx, actor, (before.imported_by,))
            if before.approval_id is not None:
                approvals.decide(
                    tx, before.approval_id, actor, grant=grant, reason=reason[:MAX_REASON]
                )
                if grant:
                    approvals.use(tx, before.approval_id, content_hash)
            self._s.stores.playbooks.change(tx, after, was=before)
            deed = "approve_playbook" if grant else "reject_playbook"
            facts = {"playbook_id": after.playbook_id, "modified": after.modified}
            if grant:
                facts["signature_id"] = str(after.signatures[-1]["id"])
            target = f"playbook:{content_hash}"
            tx.record(Act(f"playbooks.{deed}", actor, target, details=facts))
            return after

        about = f"playbook:{content_hash}"
        with refusals_recorded(self._s.parts, "playbooks.approve_playbook", actor, about):
            return self._s.parts.transactions.run(work)

    def retire_playbook(self, actor: Actor, content_hash: str) -> StoredPlaybook:
        """Take an approved playbook out of use at once; importing it again asks anew."""
        self._s.parts.access.require(actor, PLAYBOOK_APPROVE, f"playbook:{content_hash[:64]}")

        def work(tx: Transaction) -> StoredPlaybook:
            before = self._s.stores.playbooks.get(tx, actor.org_id, content_hash)
            if before.state != "approved":
                msg = f"it is {before.state}"
                raise Conflict(msg)
            after = replace(before, state="retired")
            self._s.stores.playbooks.change(tx, after, was=before)
            tx.record(Act("playbooks.retire_playbook", actor, f"playbook:{content_hash}"))
            return after

        return self._s.parts.transactions.run(work)

    def _view(self, entry: StoredPlaybook) -> PlaybookView:
        release = {one.content_hash: name for name, one in self.packaged().items()}
        view = PlaybookView(entry, packaged=release.get(entry.content_hash, ""))
        try:
            verified = self._trust.verify(entry)
        except SecopsError as error:
            return replace(view, refused=error.code, reason=error.title)
        return replace(
            view,
            signed_by=verified.signee,
            signed_at=verified.created,
            origin=verified.origin,
        )

    def _vouched(self, org_id: str, draft: Draft) -> VerifiedSignature | None:
        """Return the trusted signature in the file; None if nobody of ours signed it."""
        if not draft.signatures:
            return None
        document = draft.playbook.document
        try:
            return self._trust.verify_document(org_id, document, draft.signatures)
        except PlaybookUnsigned:
            return None

    def _register(self, actor: Actor, draft: Draft) -> StoredPlaybook:
        vouched, checked = self._vouched(actor.org_id, draft), draft.playbook
        entry = StoredPlaybook(
            content_hash=checked.content_hash,
            org_id=actor.org_id,
            playbook_id=checked.id,
            modified=checked.modified,
            name=checked.name,
            content=canonical(without_signatures(checked.document)).decode(),
            state="draft" if vouched is None else "approved",
            signature="unsigned" if vouched is None else vouched.origin,
            imported_by=actor.id,
            imported_at=self._s.parts.clock.now(),
            signatures=draft.signatures,
            approval_id=self._s.parts.ids.new("apr") if vouched is None else None,
        )

        def work(tx: Transaction) -> StoredPlaybook:
            store = self._s.stores.playbooks
            try:
                before = store.get(tx, actor.org_id, entry.content_hash)
            except PlaybookNotFound:
                if store.count(tx, actor.org_id) >= MAX_PLAYBOOKS:
                    msg = f"{MAX_PLAYBOOKS} playbooks"
                    raise TooManyPlaybooks(msg) from None
                store.add(tx, entry)
            else:
                if not self._asks_anew(tx, before, entry):
                    return before
                store.change(tx, entry, was=before)
            if entry.approval_id is not None:
                self._s.parts.approvals.request(tx, _approval_for(entry))
            details = {
                "playbook_id": checked.id,
                "modified": checked.modified,
                "signature": entry.signature,
                "changes": len(draft.changes),
            }
            target = f"playbook:{checked.content_hash}"
            tx.record(Act("playbooks.import_playbook", actor, target, details=details))
            return entry

        return self._s.parts.transactions.run(work)

    def _asks_anew(self, tx: Transaction, before: StoredPlaybook, entry: StoredPlaybook) -> bool:
        """Tell whether what is registered gains by being imported again: no approval waits."""
        if before.state == "approved":
            return False
        if before.state == "retired" or entry.state == "approved" or before.approval_id is None:
            return True
        try:
            return self._s.parts.approvals.get(tx, before.approval_id).state != "pending"
        except NotFound:
            return True


def _approval_for(entry: StoredPlaybook) -> Approval:
    return Approval(
        id=str(entry.approval_id),
        org_id=entry.org_id,
        kind=APPROVAL_KIND,
        subject=f"playbook:{entry.content_hash}",
        subject_hash=entry.content_hash,
        permission=PLAYBOOK_APPROVE,
        requester_id=entry.imported_by,
        requested_at=entry.imported_at,
        expires_at=entry.imported_at + APPROVAL_DAYS * DAY,
    )
