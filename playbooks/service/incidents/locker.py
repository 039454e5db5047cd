"""The evidence locker: encrypted blobs, digests in rows, the first link of custody signed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from playbooks.core.custody import HandOver, custody_record, link_of
from playbooks.core.texts import at_most, bounded
from playbooks.errors.custody import EvidenceRefused
from playbooks.models.custody import (
    EVIDENCE_KINDS,
    MAX_EVIDENCE_BYTES,
    MAX_EVIDENCE_ITEMS,
    MAX_INCIDENT_BYTES,
    CustodyLink,
    Evidence,
    NewEvidence,
)
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.sealed_files import open_file, sealed_file
from playbooks.service.surroundings import Surroundings
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import INCIDENT_CHANGE, INCIDENT_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_NAME: Final = 200
MAX_KEY: Final = 200


class EvidenceLocker:
    """Keeps evidence. What is kept is never changed and never removed."""

    def __init__(self, surroundings: Surroundings, rights: IncidentRights) -> None:
        self._s = surroundings
        self._rights = rights

    def keep_evidence(self, actor: Actor, new: NewEvidence) -> Evidence:
        """Keep what a person hands in; they hold it from now on."""
        target = f"incident:{new.incident_id}"
        self._s.parts.access.require(actor, INCIDENT_CHANGE, target)
        with self._rights.refusals("keep_evidence", actor, new.incident_id):
            self._s.parts.transactions.read(
                lambda tx: self._rights.require(tx, actor, new.incident_id, "work")
            )
            return self.keep(actor, new)

    def keep(self, actor: Actor, new: NewEvidence) -> Evidence:
        """Keep it for a caller who was authorised: a person, or the product in a run.

        Under a ``key`` that is known the item is returned that has it; another content under
        it raises ``EvidenceRefused``, as too many or too much do.
        """
        item = self._item(actor, _checked(new))
        known = self._s.parts.transactions.read(lambda tx: self._known(tx, item))
        if known is not None:
            return known
        held = HandOver("", actor.id, item.source, item.kept_at, item.kept_at)
        record = custody_record(item, held)
        signature = self._s.ports.custody.sign_custody(canonical(record))
        link = link_of(item, record, signature)
        with sealed_file(self._s, item.id, new.content) as blob:
            kept = replace(item, links=1, head=link.digest, blob=blob)
            stored = self._s.parts.transactions.run(lambda tx: self._store(tx, actor, kept, link))
        if stored.id != item.id:  # a repetition of this call was quicker
            self._s.parts.blobs.drop(blob)
        return stored

    def read_evidence(self, actor: Actor, evidence_id: str) -> tuple[Evidence, bytes]:
        """Return an item and its content, whose digests are checked; the reading is recorded."""
        target = f"evidence:{evidence_id}"
        self._s.parts.access.require(actor, INCIDENT_READ, target)
        item = self._s.parts.transactions.read(
            lambda tx: self._s.stores.evidence.get(tx, actor.org_id, evidence_id)
        )
        content = open_file(self._s, item.id, item.blob, item.sm3)
        details = {"incident_id": item.incident_id, "sha256": item.sha256}
        act = Act("playbooks.read_evidence", actor, target, details=details)
        self._s.parts.transactions.run(lambda tx: tx.record(act))
        return item, content

    def _item(self, actor: Actor, new: NewEvidence) -> Evidence:
        evidence_id = self._s.parts.ids.new("evd")
        return Evidence(
            id=evidence_id,
            incident_id=new.incident_id,
            org_id=actor.org_id,
            name=new.name,
            kind=new.kind,
            source=new.source,
            size=len(new.content),
            sha256=hashlib.sha256(new.content).hexdigest(),
            sm3=sm3(new.content).hex(),
            kept_by=actor.id,
            kept_at=self._s.parts.clock.now(),
            key=new.key or evidence_id,
            holder=actor.id,
            holder_is_person=actor.kind == "account",
            links=0,
            head="",
            blob="",
        )

    def _known(self, tx: Transaction, item: Evidence) -> Evidence | None:
        """Return what was kept under the item's key, if it is the same; check the limits."""
        stores = self._s.stores
        stores.incidents.get(tx, item.org_id, item.incident_id)
        known = stores.evidence.by_key(tx, item.org_id, item.incident_id, item.key)
        if known is not None:
            if (known.sha256, known.sm3) != (item.sha256, item.sm3):
                msg = "something else was kept under this key"
                raise EvidenceRefused(msg)
            return known
        kept = stores.evidence.of(tx, item.org_id, item.incident_id)
        if len(kept) >= MAX_EVIDENCE_ITEMS:
            msg = f"an incident keeps at most {MAX_EVIDENCE_ITEMS} items"
            raise EvidenceRefused(msg)
        if sum(one.size for one in kept) + item.size > MAX_INCIDENT_BYTES:
            msg = f"an incident keeps at most {MAX_INCIDENT_BYTES} bytes"
            raise EvidenceRefused(msg)
        return None

    def _store(self, tx: Transaction, actor: Actor, item: Evidence, link: CustodyLink) -> Evidence:
        known = self._known(tx, item)
        if known is not None:
            return known
        self._s.stores.evidence.add(tx, item, link)
        text = f"保存证据:{item.name}({item.size} 字节,SHA-256 {item.sha256[:16]}…)"
        place = (item.org_id, item.incident_id)
        self._s.tell(tx, actor, place, "evidence", text, evidence_id=item.id)
        details: dict[str, str | int | None] = {
            "incident_id": item.incident_id,
            "sha256": item.sha256,
            "sm3": item.sm3,
            "size": item.size,
            "link": link.digest,
        }
        tx.record(Act("playbooks.keep_evidence", actor, f"evidence:{item.id}", details=details))
        return item


def _checked(new: NewEvidence) -> NewEvidence:
    if new.kind not in EVIDENCE_KINDS:
        msg = f"evidence is one of {', '.join(EVIDENCE_KINDS)}"
        raise Invalid(msg)
    if not 0 < len(new.content) <= MAX_EVIDENCE_BYTES:
        msg = f"an item of evidence has 1 to {MAX_EVIDENCE_BYTES} bytes"
        raise Invalid(msg)
    name = bounded(new.name, MAX_NAME, "name")
    if not name.isprintable() or "/" in name or "\\" in name:
        msg = "a name of evidence is printable and no path"
        raise Invalid(msg)
    source = at_most(new.source, MAX_NAME, "source")
    return replace(new, name=name, source=source, key=at_most(new.key, MAX_KEY, "key"))
