"""What the stores of key backends promise, over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kms.models.backends import BackendRecord, SlotRecord
from kms.models.keys import Key, KeyGrant, KeyVersion
from kms.store.backends import SqlBackendStore, SqlSlotStore
from kms.store.keys import SqlKeyStore
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest, decode_cursor, page_of
from secops.kernel.transactions import Transaction
from tests.fakes.clock import FakeClock

STORE, SLOTS = SqlBackendStore(), SqlSlotStore()
RECORD = SlotRecord("obj_1", "org", "machines", "key_1", 1, "intent", 100, slot=2)


def test_draining_and_checks_of_a_backend_are_kept_apart(spine: Spine, clock: FakeClock) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    assert read(STORE.records) == {}
    run(lambda tx: STORE.put_check(tx, "a", "kms.backend_fault"))
    checked = clock.now()
    clock.advance(5)
    run(lambda tx: STORE.put_draining(tx, "a", draining=True, changed_by="acc"))
    run(lambda tx: STORE.put_draining(tx, "b", draining=True, changed_by="acc"))
    run(lambda tx: STORE.put_draining(tx, "b", draining=False, changed_by="acc"))
    now = clock.now()
    assert read(STORE.records) == {
        "a": BackendRecord(
            "a",
            draining=True,
            changed_by="acc",
            changed_at=now,
            checked_at=checked,
            failure="kms.backend_fault",
        ),
        "b": BackendRecord("b", changed_by="acc", changed_at=now),
    }


def test_an_index_has_one_trace_and_objects_without_index_any_number(spine: Spine) -> None:
    def work(tx: Transaction) -> list[bool]:
        others = [replace(RECORD, id=f"obj_{n}", slot=None) for n in (2, 3)]
        taken = replace(RECORD, id="obj_4")
        elsewhere = replace(RECORD, id="obj_5", backend="others")
        return [SLOTS.insert_slot(tx, each) for each in (RECORD, *others, taken, elsewhere)]

    assert spine.transactions.run(work) == [True, True, True, False, True]
    found = spine.transactions.read(lambda tx: SLOTS.slots(tx, "machines"))
    assert [record.id for record in found] == ["obj_1", "obj_2", "obj_3"]
    assert spine.transactions.read(lambda tx: SLOTS.find_slot(tx, "obj_1")) == RECORD
    assert spine.transactions.read(lambda tx: SLOTS.find_slot(tx, "obj_4")) is None


def test_a_trace_moves_only_from_where_it_was_seen(spine: Spine) -> None:
    run = spine.transactions.run
    run(lambda tx: SLOTS.insert_slot(tx, RECORD))
    assert run(lambda tx: SLOTS.move_slot(tx, RECORD, "held", fingerprint="f"))
    assert not run(lambda tx: SLOTS.move_slot(tx, RECORD, "unknown"))
    assert not run(lambda tx: SLOTS.drop_slot(tx, RECORD))
    held = replace(RECORD, state="held", fingerprint="f")
    assert run(lambda tx: SLOTS.find_slot(tx, "obj_1")) == held
    assert run(lambda tx: SLOTS.drop_slot(tx, held))


def test_what_is_late_or_waits_is_found_and_what_lives_is_not(spine: Spine) -> None:
    rows = [
        replace(RECORD, id="late", slot=1),
        replace(RECORD, id="young", slot=2, started_at=900),
        replace(RECORD, id="unknown", slot=3, state="unknown", started_at=950),
        replace(RECORD, id="held", slot=4, state="held"),
        replace(RECORD, id="retired", slot=5, state="retired"),
    ]
    spine.transactions.run(lambda tx: [SLOTS.insert_slot(tx, row) for row in rows])
    found = spine.transactions.read(lambda tx: SLOTS.overdue(tx, 500, 10))
    assert [record.id for record in found] == ["late", "unknown"]
    abandoned = spine.transactions.read(lambda tx: SLOTS.abandoned(tx, 10))
    assert [record.id for record in abandoned] == ["held"]


@pytest.fixture
def keys(spine: Spine) -> Spine:
    store = SqlKeyStore()

    def work(tx: Transaction) -> None:
        for number, name in enumerate(("a", "b", "b", "c")):
            org = "other" if number == 2 else "org"
            backend = "machines" if name == "b" else "software"
            key = Key(f"key_{number}", org, "transit", name, "sm2", 1, backend=backend)
            store.insert(tx, key, b"tag")
            version = KeyVersion(key.id, 1, 7 + number, b"p", b"w", backend=backend)
            store.insert_version(tx, key, version, tag=b"tag")
            store.put_grant(tx, key, KeyGrant(key.id, "account:x", frozenset(), 1), tag=b"tag")

    spine.transactions.run(work)
    return spine


def test_custody_is_paged_by_name_within_the_organisation(keys: Spine) -> None:
    read, seen, request = keys.transactions.read, [], PageRequest(1)
    while True:
        asked = request
        rows = read(lambda tx, asked=asked: STORE.custody(tx, "org", asked))
        page = page_of(rows, 1, [(row.name, row.id) for row in rows])
        seen += [(row.name, row.mount, sorted(row.places), row.users) for row in page.items]
        if page.next is None:
            break
        request = PageRequest(1, decode_cursor(page.next))
    assert seen == [
        ("a", "transit", ["software"], 1),
        ("b", "transit", ["machines"], 1),
        ("c", "transit", ["software"], 1),
    ]
    there = read(lambda tx: STORE.custody(tx, "org", PageRequest(), group="machines"))
    assert [(row.name, row.rotated_at) for row in there] == [("b", 8)]
    assert read(STORE.mix) == {("machines", "sm2"): 2, ("software", "sm2"): 2}
