"""The register of playbooks: packaged ones, imported drafts, approved ones."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.errors import PlaybookInvalid, PlaybookNotFound
from playbooks.models import CheckedPlaybook, StoredPlaybook
from playbooks.service.playbooks.checking import require_playbook
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.errors import Conflict
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import (
    PLAYBOOK_APPROVE,
    PLAYBOOK_IMPORT,
    PLAYBOOK_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


class PlaybookService:
    """Keeps playbooks by content hash; the same content is one entry."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings
        self._checked: Mapping[str, CheckedPlaybook] = {}

    def packaged(self) -> Mapping[str, CheckedPlaybook]:
        """Return the playbooks of the release by name."""
        if not self._checked:  # data of the release: checked once in a process
            texts = self._s.library.playbooks()
            self._checked = {name: require_playbook(text) for name, text in texts.items()}
        return self._checked

    def list_playbooks(self, actor: Actor, page: PageRequest) -> Page[StoredPlaybook]:
        """Return the register of the caller's organisation."""
        self._s.parts.access.require(actor, PLAYBOOK_READ, "playbook:*")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.playbooks.list(tx, actor.org_id, page)
        )

    def show_playbook(self, actor: Actor, content_hash: str) -> StoredPlaybook:
        """Return one entry with its content."""
        self._s.parts.access.require(actor, PLAYBOOK_READ, f"playbook:{content_hash}")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.playbooks.get(tx, actor.org_id, content_hash)
        )

    def import_playbook(self, actor: Actor, text: bytes) -> StoredPlaybook:
        """Check ``text`` and register it as a draft; raise ``PlaybookInvalid``.

        What holds a password in clear is refused: the register is read by many.
        """
        self._s.parts.access.require(actor, PLAYBOOK_IMPORT, "playbook:*")
        return self.register(actor, require_playbook(text))

    def register(self, actor: Actor, checked: CheckedPlaybook) -> StoredPlaybook:
        """Register a checked playbook for a caller who was authorised."""
        for problem in checked.warnings:
            if problem.code == "clear_password":
                msg = f"{problem.place}: {problem.text.en}"
                raise PlaybookInvalid(msg, place=problem.place)
        packaged = checked.content_hash in {p.content_hash for p in self.packaged().values()}

        def work(tx: Transaction) -> StoredPlaybook:
            entry = StoredPlaybook(
                content_hash=checked.content_hash,
                org_id=actor.org_id,
                playbook_id=checked.id,
                modified=checked.modified,
                name=checked.name,
                content=canonical(checked.document).decode(),
                state="approved" if packaged else "draft",
                signature="packaged" if packaged else "unsigned",
                imported_by=actor.id,
                imported_at=tx.now,
            )
            try:
                return self._s.stores.playbooks.get(tx, actor.org_id, checked.content_hash)
            except PlaybookNotFound:
                self._s.stores.playbooks.add(tx, entry)
            details = {"playbook_id": checked.id, "modified": checked.modified}
            target = f"playbook:{checked.content_hash}"
            tx.record(Act("playbooks.import_playbook", actor, target, details=details))
            return entry

        return self._s.parts.transactions.run(work)

    def approve_playbook(self, actor: Actor, content_hash: str) -> StoredPlaybook:
        """Approve a draft that somebody else imported; raise ``Conflict`` otherwise."""
        self._s.parts.access.require(actor, PLAYBOOK_APPROVE, f"playbook:{content_hash}")

        def work(tx: Transaction) -> StoredPlaybook:
            store = self._s.stores.playbooks
            store.get(tx, actor.org_id, content_hash)
            if not store.approve(tx, actor.org_id, content_hash, actor.id):
                msg = "it is no draft, or was imported by the approver"
                raise Conflict(msg)
            tx.record(Act("playbooks.approve_playbook", actor, f"playbook:{content_hash}"))
            return store.get(tx, actor.org_id, content_hash)

        return self._s.parts.transactions.run(work)

    def find(self, actor: Actor, name: str) -> CheckedPlaybook:
        """Return a playbook by packaged name, CACAO id or content hash."""
        self._s.parts.access.require(actor, PLAYBOOK_READ, f"playbook:{name[:80]}")
        packaged = self.packaged()
        if name in packaged:
            return packaged[name]
        known = self.known(actor.org_id)
        if name in known:
            return known[name]
        return self.content(actor.org_id, name)

    def content(self, org_id: str, content_hash: str) -> CheckedPlaybook:
        """Return the registered playbook with this content; raise ``PlaybookNotFound``."""
        stored = self._s.parts.transactions.read(
            lambda tx: self._s.stores.playbooks.get(tx, org_id, content_hash)
        )
        return require_playbook(stored.content.encode())

    def is_trusted(self, org_id: str, playbook: CheckedPlaybook) -> bool:
        """Tell whether the release or an approver vouches for exactly this content."""
        return playbook.content_hash in {one.content_hash for one in self.known(org_id).values()}

    def known(self, org_id: str) -> Mapping[str, CheckedPlaybook]:
        """Return every playbook that others may nest, by CACAO id: approved and packaged."""
        stored = self._s.parts.transactions.read(
            lambda tx: self._s.stores.playbooks.by_id(tx, org_id)
        )
        found = {playbook.id: playbook for playbook in self.packaged().values()}
        for name, entry in stored.items():
            found[name] = require_playbook(entry.content.encode())
        return found
