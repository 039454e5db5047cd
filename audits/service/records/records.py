"""Records of evidence with their documents, which lie by their SHA-256 and never change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from audits.core.register.dates import read_date
from audits.core.register.fields import MAX_TEXT, Unreadable, plain
from audits.core.register.records import media_type_of, record_facts, record_row, record_state
from audits.core.texts import at_most, bounded
from audits.errors import FieldRefused, Retired, TooManyKept
from audits.models.evidence import Origin, Snapshot
from audits.models.records import (
    EVIDENCE_KINDS,
    RECORD_KINDS,
    RECORD_STATES,
    USUAL_DAYS,
    USUAL_EVIDENCE,
    NewRecord,
    Record,
    RecordFilter,
    RecordKind,
    RecordState,
)
from audits.models.systems import Scope
from audits.ports.catalogues import Catalogues
from audits.ports.records import Records
from audits.ports.systems import Systems
from audits.service.refusals import refusals_recorded
from audits.service.systems.keeping import unchanged
from audits.service.systems.scopes import stored_system
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import TooLarge
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import READ_RECORDS, WRITE_RECORDS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_DOCUMENT: Final = 20 << 20
MAX_RECORDS: Final = 10_000
MAX_BYTES: Final = 20 << 30
"""Bytes of all documents of an organisation."""
MAX_ITEMS: Final = 100
MAX_NOTE: Final = 1_000
MAX_REASON: Final = 500
_SOURCE: Final = "audits.records"


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record and how it stands now."""

    record: Record
    state: RecordState


@dataclass(frozen=True, slots=True)
class RecordService:
    """Keeps records of evidence."""

    parts: Parts
    store: Records
    systems: Systems
    catalogues: Catalogues
    standards: Sequence[str]

    def add_record(self, actor: Actor, new: NewRecord, content: bytes) -> Record:
        """Keep a record and its document (1 byte to 20 MiB); raise ``FieldRefused``."""
        self.parts.access.require(actor, WRITE_RECORDS, "record:*")
        if not 0 < len(content) <= MAX_DOCUMENT:
            raise TooLarge(f"a document has 1 to {MAX_DOCUMENT} bytes")
        record = replace(
            self._checked(actor, new), size=len(content), sha256="", uploaded_by=actor.id
        )
        with refusals_recorded(self.parts, "audits.add_record", actor, "record:*"):
            self.parts.transactions.read(lambda tx: self._check_room(tx, actor, record))
            record = replace(record, sha256=self.parts.blobs.put(content))
            return self.parts.transactions.run(lambda tx: self._add(tx, actor, record))

    def _add(self, tx: Transaction, actor: Actor, record: Record) -> Record:
        self._check_room(tx, actor, record)
        stored = replace(record, uploaded_at=tx.now)
        self.store.add(tx, stored)
        details = {
            "kind": stored.kind,
            "system": stored.system_id,
            "items": list(stored.items),
            "sha256": stored.sha256,
            "size": stored.size,
            "expires_at": stored.expires_at,
        }
        tx.record(Act("audits.add_record", actor, f"record:{stored.id}", details=details))
        return stored

    def withdraw_record(self, actor: Actor, record_id: str, version: int, reason: str) -> Record:
        """Let a wrong record count no more; it and its document stay to be read."""
        target = f"record:{record_id}"
        self.parts.access.require(actor, WRITE_RECORDS, target)
        why = bounded(reason, MAX_REASON, "reason")

        def work(tx: Transaction) -> Record:
            before = self.store.get(tx, actor.org_id, record_id)
            unchanged(version, before.version, before.withdrawn_at)
            withdrawn = replace(
                before, version=version + 1, withdrawn_at=tx.now, withdrawn_reason=why
            )
            self.store.change(tx, withdrawn)
            # the reason may name persons: it stays beside the record
            details = {"sha256": before.sha256}
            tx.record(Act("audits.withdraw_record", actor, target, details=details))
            return withdrawn

        with refusals_recorded(self.parts, "audits.withdraw_record", actor, target):
            return self.parts.transactions.run(work)

    def list_records(
        self, actor: Actor, wanted: RecordFilter, page: PageRequest
    ) -> Page[RecordView]:
        """Return the records that are wanted, the last uploaded first; raise ``FieldRefused``."""
        self.parts.access.require(actor, READ_RECORDS, "record:*")
        for name, value, known in (
            ("kind", wanted.kind, RECORD_KINDS),
            ("state", wanted.state, RECORD_STATES),
        ):
            if value and value not in known:
                raise FieldRefused(f"{name} is one of {', '.join(known)}", field=name)
        found = self.parts.transactions.read(
            lambda tx: self.store.page(tx, actor.org_id, wanted, page)
        )
        return Page(self._views(found.items), found.next)

    def show_record(self, actor: Actor, record_id: str) -> RecordView:
        """Return a record, withdrawn ones too; raise ``RecordNotFound``."""
        self.parts.access.require(actor, READ_RECORDS, f"record:{record_id}")
        record = self.parts.transactions.read(
            lambda tx: self.store.get(tx, actor.org_id, record_id)
        )
        return self._views([record])[0]

    def read_record(self, actor: Actor, record_id: str) -> tuple[Record, bytes]:
        """Return a record's document; who read it stands in the ledger before it is given."""
        record = self.show_record(actor, record_id).record
        content = self.parts.blobs.get(record.sha256)
        act = Act(
            "audits.read_record",
            actor,
            f"record:{record_id}",
            details={"sha256": record.sha256},
        )
        self.parts.trail.append([act])
        return record, content

    def evidence(self, actor: Actor, scope: Scope, at: int) -> Sequence[Snapshot]:
        """Return the facts ``record.*``: an ``EvidenceSource``."""
        found = self._in_scope(actor, scope)
        return [
            Snapshot(
                f"record.{kind}",
                facts,
                Origin(
                    source=f"{_SOURCE}:record.{kind}",
                    query=f"records of {kind} for {scope.system.id}",
                    link=f"/records?kind={kind}",
                ),
                at,
            )
            for kind, facts in record_facts(found, at).items()
        ]

    def document_rows(self, actor: Actor, scope: Scope, at: int) -> Sequence[Mapping[str, Any]]:
        """Return the records that count for a system, as rows of an assessment's document."""
        return [record_row(record, at) for record in self._in_scope(actor, scope)]

    def _in_scope(self, actor: Actor, scope: Scope) -> Sequence[Record]:
        return self.parts.transactions.read(
            lambda tx: self.store.in_scope(tx, actor.org_id, scope.system.id)
        )

    def _views(self, records: Sequence[Record]) -> list[RecordView]:
        now = self.parts.clock.now()
        return [RecordView(record, record_state(record, now)) for record in records]

    def _check_room(self, tx: Transaction, actor: Actor, record: Record) -> None:
        count, size = self.store.usage(tx, actor.org_id)
        if count >= MAX_RECORDS or size + record.size > MAX_BYTES:
            raise TooManyKept(f"at most {MAX_RECORDS} records of {MAX_BYTES >> 30} GiB are kept")
        if record.system_id:
            system = stored_system(self.systems, tx, actor.org_id, record.system_id)
            if system.retired_at:
                raise Retired

    def _checked(self, actor: Actor, new: NewRecord) -> Record:
        if new.kind not in RECORD_KINDS:
            raise FieldRefused(f"kind is one of {', '.join(RECORD_KINDS)}", field="kind")
        kind = new.kind
        evidence_kind = new.evidence_kind or USUAL_EVIDENCE[kind]
        if evidence_kind not in EVIDENCE_KINDS:
            raise FieldRefused(
                f"evidence_kind is one of {', '.join(EVIDENCE_KINDS)}", field="evidence_kind"
            )
        held_at, expires_at = _days(kind, new, self.parts.clock.now())
        filename = safe_name(new.filename)
        return Record(
            id=self.parts.ids.new("rec"),
            org_id=actor.org_id,
            system_id=new.system_id.strip(),
            kind=kind,
            evidence_kind=evidence_kind,
            title=_line(bounded(new.title, MAX_TEXT, "title")),
            person=_line(at_most(new.person, MAX_TEXT, "person")),
            note=at_most(new.note, MAX_NOTE, "note"),
            items=self._items(new.items),
            held_at=held_at,
            expires_at=expires_at,
            filename=filename,
            media_type=media_type_of(filename),
            size=0,
            sha256="",
            uploaded_by="",
            uploaded_at=0,
        )

    def _items(self, written: Sequence[str]) -> tuple[str, ...]:
        items = tuple(dict.fromkeys(item.strip() for item in written if item.strip()))
        if len(items) > MAX_ITEMS:
            raise FieldRefused(f"a record speaks to at most {MAX_ITEMS} items", field="items")
        if items:
            known = {i.id for name in self.standards for i in self.catalogues.read(name).items}
            strange = next((item for item in items if item not in known), None)
            if strange is not None:
                raise FieldRefused(
                    f"no standard has the item {strange[:40]!r}",
                    field="items",
                    because_zh=f"没有条目 {strange[:40]}",
                    because_en=f"no standard has the item {strange[:40]}",
                )
        return items


def safe_name(filename: str) -> str:
    """Return the last part of what a browser called the file, without what could steer."""
    last = re.split(r"[/\\]", filename)[-1]
    kept = "".join(letter for letter in last if letter.isprintable() and letter not in '"<>|:*?')
    stem, dot, suffix = kept.strip(" .").rpartition(".")
    return (stem[-80:] + dot + suffix[:10] if dot else suffix[:90]) or "document"


def _line(text: str) -> str:
    try:
        plain("text", "", "", MAX_TEXT).read(text)
    except Unreadable as unreadable:
        raise FieldRefused(
            unreadable.what.en,
            because_zh=unreadable.what.zh,
            because_en=unreadable.what.en,
        ) from unreadable
    return text


def _days(kind: RecordKind, new: NewRecord, now: int) -> tuple[int, int]:
    """Return the day held and the end of use; raise ``FieldRefused``."""
    held_at = read_date(new.held_on.strip())
    if held_at is None or held_at > now:
        raise FieldRefused(
            "held_on is a day like 2026-03-01, not in the future",
            field="held_on",
            because_zh="日期应为 2026-03-01 的形式,且不晚于今天",
            because_en="the day is like 2026-03-01, not in the future",
        )
    written = new.expires_on.strip()
    if written == "-" and USUAL_DAYS[kind]:
        raise FieldRefused(
            "a record of what is done again and again ends",
            field="expires_on",
            because_zh="须定期进行的事项不能长期有效,请填写有效期",
            because_en="what is done again and again is not in force without end",
        )
    if written == "-" or (not written and not USUAL_DAYS[kind]):
        return held_at, 0
    if not written:
        return held_at, held_at + USUAL_DAYS[kind] * DAY
    last = read_date(written)
    if last is None or last < held_at:
        raise FieldRefused(
            "expires_on is a day like 2026-03-01, not before held_on; - is none",
            field="expires_on",
            because_zh="有效期至应为 2026-03-01 的形式,且不早于发生日期;填 - 表示长期有效",
            because_en="the last day is like 2026-03-01, not before it was held; - is none",
        )
    return held_at, last + DAY
