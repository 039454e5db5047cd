"""The sequencer: exactly once, in one order, signed in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from audits.core.rfc6962 import SHA256, SM3
from audits.errors import LeaseLost, LedgerDamaged
from audits.models import Addition, LedgerHead
from secops.kernel.leases import Lease
from tests.fakes.ledger import record
from tests.fakes.ledger_rig import ORIGIN, LedgerRig, ledger_rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LedgerRig]:
    rig = ledger_rig(tmp_path)
    yield rig
    rig.close()


def numbers(rig: LedgerRig) -> list[int]:
    found = rig.store.entries(0, 10_000)
    return [orjson.loads(one.entry.record)["details"]["number"] for one in found]


def test_records_of_both_doors_become_one_order_by_time(rig: LedgerRig):
    rig.doors.put("database", record(1), record(3), record(5))
    rig.doors.put("journal-a", record(0), record(4))
    rig.doors.put("journal-b", record(2))
    assert rig.sequencer.tick() is False
    expected = [0, 1, 2, 3, 4, 5]
    assert expected == numbers(rig)


def test_a_door_keeps_its_own_order_even_when_its_clock_went_back(rig: LedgerRig):
    rig.doors.put("journal-a", record(9), record(1), record(2))
    rig.doors.put("database", record(5))
    rig.sequencer.tick()
    found = numbers(rig)
    expected = [9, 1, 2]
    assert expected == [number for number in found if number != 5]


def test_the_database_stands_first_at_the_same_instant(rig: LedgerRig):
    rig.doors.put("journal-a", record(1, at=100))
    rig.doors.put("database", record(2, at=100))
    rig.sequencer.tick()
    expected = [2, 1]
    assert expected == numbers(rig)


def test_leaves_and_both_roots_are_those_of_the_records(rig: LedgerRig):
    records = [record(number) for number in range(3)]
    rig.doors.put("database", *records)
    rig.sequencer.tick()
    found = [one.entry for one in rig.store.entries(0, 10)]
    for tree_hash, name in ((SHA256, "sha256"), (SM3, "sm3")):
        leaves = [tree_hash.leaf(one) for one in records]
        assert leaves == [getattr(entry, name) for entry in found]
        root = tree_hash.node(tree_hash.node(leaves[0], leaves[1]), leaves[2])
        checkpoint = rig.store.last_checkpoint()
        assert checkpoint is not None
        assert root == getattr(checkpoint, f"{name}_root")


def test_ticking_again_adds_nothing(rig: LedgerRig):
    rig.doors.put("database", record(1))
    rig.sequencer.tick()
    rig.clock.advance(2)
    rig.sequencer.tick()
    expected = [1]
    assert expected == numbers(rig)
    assert len(list(rig.store.checkpoints())) == 1


def test_a_batch_is_bounded_and_more_is_announced(rig: LedgerRig):
    rig.doors.put("database", *(record(number) for number in range(2_500)))
    assert rig.sequencer.tick() is True
    assert rig.store.head().size == 1_000
    assert rig.sequencer.tick() is True
    assert rig.sequencer.tick() is False
    assert rig.store.head().size == 2_500


def test_a_checkpoint_comes_after_a_second_or_a_thousand_records(rig: LedgerRig):
    def sizes() -> list[int]:
        return [checkpoint.size for checkpoint in rig.store.checkpoints()]

    rig.doors.put("database", record(0))
    rig.sequencer.tick()
    rig.doors.put("database", record(1))
    rig.sequencer.tick()
    expected = [1]
    assert expected == sizes()  # the second one waits for its second
    rig.clock.advance(1)
    rig.sequencer.tick()
    expected = [1, 2]
    assert expected == sizes()
    rig.doors.put("database", *(record(number) for number in range(2, 1_002)))
    rig.sequencer.tick()
    expected = [1, 2, 1_002]
    assert expected == sizes()


def test_a_locked_pool_stops_checkpoints_not_entries_and_is_reported_once(rig: LedgerRig):
    rig.signer.locked = True
    for number in range(3):
        rig.doors.put("database", record(number))
        rig.sequencer.tick()
        rig.clock.advance(1)
    assert rig.store.head().size == 3
    assert rig.store.last_checkpoint() is None
    assert rig.doors.forgotten == {}
    expected = [("audits.sign_checkpoint", "failed")]
    assert expected == [(act.action, act.outcome) for act in rig.trail.acts]
    health = rig.sequencer.health()
    assert (health.size, health.checkpointed) == (3, 0)
    assert health.waiting_since is not None
    rig.signer.locked = False
    rig.sequencer.tick()
    assert rig.sequencer.health().waiting_since is None
    assert rig.sequencer.health().checkpointed == 3


def test_a_door_is_forgotten_only_when_a_signed_checkpoint_covers_it(rig: LedgerRig):
    rig.doors.put("database", record(0))
    rig.sequencer.tick()
    expected = {"database": 1}
    assert expected == rig.doors.forgotten
    rig.doors.put("database", record(1))
    rig.sequencer.tick()  # sequenced, not yet signed
    assert expected == rig.doors.forgotten
    rig.clock.advance(1)
    rig.sequencer.tick()
    expected = {"database": 2}
    assert expected == rig.doors.forgotten


def test_a_journal_that_is_gone_leaves_no_position(rig: LedgerRig):
    rig.doors.put("journal-a", record(0))
    rig.doors.finished.add("journal-a")
    rig.sequencer.tick()
    assert rig.store.positions() == []
    assert "journal-a" not in rig.doors.names()


def test_a_damaged_door_stops_alone_and_is_reported_once(rig: LedgerRig):
    rig.doors.put("journal-a", record(0))
    rig.doors.damaged.add("journal-a")
    rig.doors.put("database", record(1))
    rig.sequencer.tick()
    rig.sequencer.tick()
    expected = [1]
    assert expected == numbers(rig)
    reported = [(act.action, act.target) for act in rig.trail.acts]
    assert reported == [("audits.sequence_door", "door:journal-a")]
    assert "journal-a" in rig.sequencer.health().damaged_doors
    rig.doors.damaged.clear()
    rig.sequencer.tick()
    assert numbers(rig) == [1, 0]
    assert rig.sequencer.health().damaged_doors == {}


def test_only_the_holder_of_the_lease_works(rig: LedgerRig):
    other = rig.second()
    rig.doors.put("database", record(0))
    rig.sequencer.tick()
    rig.doors.put("database", record(1))
    assert other.tick() is False
    assert rig.store.head().size == 1
    rig.clock.advance(11)  # the first one sleeps too long
    other.tick()
    assert rig.store.head().size == 2


def test_a_process_that_lost_its_lease_unawares_writes_nothing(rig: LedgerRig):
    rig.doors.put("database", record(0))
    rig.sequencer.tick()
    rig.clock.instant += 11_000_000  # the lease runs out on the database's clock only
    other = rig.second()
    rig.doors.put("database", record(1))
    other.tick()
    rig.doors.put("database", record(2))
    rig.sequencer.tick()  # believes in its lease, expects size 1
    assert numbers(rig) == [0, 1]
    other.tick()
    assert numbers(rig) == [0, 1, 2]
    assert rig.verify().valid


def test_an_older_fence_is_refused_by_the_store_itself(rig: LedgerRig):
    rig.store.append(Addition(0, [], [], [], {}), fence=5)
    with pytest.raises(LeaseLost):
        rig.store.append(Addition(0, [], [], [], {}), fence=4)
    with pytest.raises(LeaseLost):
        rig.store.append(Addition(1, [], [], [], {}), fence=6)
    assert LedgerHead(ORIGIN, 0, 5) == rig.store.head()


def test_a_main_database_older_than_the_ledger_is_refused(rig: LedgerRig):
    rig.store.append(Addition(0, [], [], [], {}), fence=50)
    rig.doors.put("database", record(0))
    assert rig.sequencer.tick() is False
    assert "older than the ledger" in str(rig.sequencer.health().damage)
    assert rig.store.head().size == 0


def test_a_drain_signs_at_once_and_gives_the_lease_back(rig: LedgerRig):
    rig.doors.put("database", record(0))
    rig.sequencer.tick()
    rig.doors.put("database", record(1))
    rig.sequencer.drain()
    assert rig.sequencer.health().checkpointed == 2
    taken = rig.leases.acquire("audits.sequencer", "other", 10)
    assert isinstance(taken, Lease)


def test_a_restart_goes_on_where_it_stopped(rig: LedgerRig):
    rig.fill(37, every=5)
    rig.reopened()
    rig.doors.put("database", record(37))
    rig.sequencer.drain()
    assert numbers(rig) == list(range(38))
    assert rig.verify().valid


def test_a_tree_changed_behind_its_back_is_never_signed(rig: LedgerRig):
    rig.fill(20)
    signed = rig.signer.signatures
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger_subtrees SET sha256 = sm3 WHERE level = 4")
    rig.reopened()
    rig.doors.put("database", record(20))
    rig.sequencer.drain()
    assert signed == rig.signer.signatures
    assert "do not lead to the checkpoint" in str(rig.sequencer.health().damage)
    assert rig.trail.acts[-1].action == "audits.sequence_ledger"


def test_a_checkpoint_exchanged_for_a_forged_one_stops_signing(rig: LedgerRig):
    rig.fill(8)
    stranger = ledger_rig(rig.home / "stranger")
    stranger.fill(9)
    forged = stranger.store.last_checkpoint()
    assert forged is not None
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_checkpoints SET sha256_note = ?", (forged.sha256_note,)
        )
    stranger.close()
    rig.reopened()
    rig.doors.put("database", record(9))
    rig.sequencer.drain()
    assert "no known key" in str(rig.sequencer.health().damage)


def test_rotated_keys_go_on_and_old_checkpoints_still_verify(rig: LedgerRig):
    rig.fill(4)
    rig.signer.rotate()
    rig.reopened()
    rig.doors.put("database", record(4))
    rig.sequencer.drain()
    assert len(rig.store.vkeys()) == 4
    lines = (rig.home / "ledger" / "vkeys").read_text().splitlines()
    assert sorted(rig.store.vkeys()) == sorted(lines)
    assert rig.verify().valid


def test_an_append_that_fails_leaves_no_trace_and_is_repeated(rig: LedgerRig, monkeypatch):
    rig.doors.put("database", record(0), record(1))

    def fail(addition: Addition, fence: int) -> None:
        msg = "the disk is full"
        raise LedgerDamaged(msg)

    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "append", fail)
        assert rig.sequencer.tick() is False
    assert rig.store.head().size == 0
    rig.sequencer.tick()
    assert numbers(rig) == [0, 1]
    assert rig.verify().valid


def test_records_that_are_no_json_are_kept_as_they_are(rig: LedgerRig):
    rig.doors.put("database", b"\xff\x00not json", b"[1]", b'{"at":-5,"actor":7,"request":3}')
    rig.sequencer.drain()
    assert [one.row.action if one.row else None for one in rig.store.entries(0, 9)] == ["", "", ""]
    assert rig.verify().valid


def test_control_positions_in_a_transaction_of_their_own_would_double_records(
    rig: LedgerRig, monkeypatch
):
    """The check of exactly-once can fail: leaves first, positions lost in a crash between."""
    rig.doors.put("database", record(0), record(1))
    append = rig.store.append

    def torn(addition: Addition, fence: int) -> None:
        append(replace(addition, positions={}), fence)
        msg = "crash between two transactions"
        raise LedgerDamaged(msg)

    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "append", torn)
        rig.sequencer.tick()
    rig.reopened().tick()
    print(f"control: {len(numbers(rig)) - 2} of 2 records doubled")
    assert numbers(rig) == [0, 1, 0, 1]


def test_a_signer_whose_key_changes_between_is_not_believed(rig: LedgerRig):
    """A key rotated between reading its public half and signing leaves no bad checkpoint."""
    stale = rig.signer.keys()
    rig.signer.rotate()
    now = rig.signer.keys
    rig.signer.keys = lambda: stale  # type: ignore[method-assign]
    rig.doors.put("database", record(0))
    rig.sequencer.tick()
    assert rig.store.last_checkpoint() is None
    assert rig.trail.acts[-1].action == "audits.sign_checkpoint"
    rig.signer.keys = now  # type: ignore[method-assign]
    rig.clock.advance(1)
    rig.sequencer.tick()
    assert rig.verify().valid


def test_a_checkpoint_that_says_another_root_than_its_notes_stops_signing(rig: LedgerRig):
    rig.fill(4)
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql("UPDATE ledger_checkpoints SET sm3_root = sha256_root")
    assert not rig.verify().valid
    rig.reopened()
    rig.doors.put("database", record(4))
    rig.sequencer.drain()
    assert "another origin, size or root" in str(rig.sequencer.health().damage)


def test_a_ledger_shorter_than_its_last_checkpoint_is_not_signed(rig: LedgerRig):
    rig.fill(4)
    with rig.store._writer.begin() as connection:
        for table in ("ledger_entries", "ledger_rows"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE entry >= 2")  # noqa: S608 - our names
        connection.exec_driver_sql("DELETE FROM ledger_subtrees WHERE level = 2 OR position = 1")
        connection.exec_driver_sql("UPDATE ledger_head SET size = 2")
    rig.reopened()
    rig.doors.put("database", record(4))
    rig.sequencer.drain()
    assert "has 4 entries, the ledger 3" in str(rig.sequencer.health().damage)


def test_a_trail_that_is_down_does_not_stop_the_sequencer(rig: LedgerRig):
    rig.trail.down = True
    rig.signer.locked = True
    rig.doors.put("database", record(0))
    rig.sequencer.tick()
    assert rig.store.head().size == 1
    assert rig.sequencer.health().waiting_since is not None


def test_a_quiet_door_is_asked_again_after_a_while(rig: LedgerRig):
    """Its process may have ended since: then its journal can go."""
    rig.doors.put("journal-a", record(0))
    rig.sequencer.drain()
    rig.doors.finished.add("journal-a")
    rig.doors.put("database", record(1))
    rig.clock.advance(2)
    rig.sequencer.tick()
    assert "journal-a" in rig.doors.names()
    rig.clock.advance(31)
    rig.doors.put("database", record(2))
    rig.sequencer.drain()
    assert "journal-a" not in rig.doors.names()
    assert [one.door for one in rig.store.positions()] == ["database"]


def test_a_drain_forgets_a_door_that_ended_after_its_last_record_was_signed(rig: LedgerRig):
    rig.doors.put("journal-a", record(0))
    rig.clock.advance(2)
    rig.sequencer.tick()
    assert rig.store.last_checkpoint().size == 1
    rig.doors.finished.add("journal-a")
    rig.sequencer.drain()
    assert "journal-a" not in rig.doors.names()
    assert "journal-a" not in [one.door for one in rig.store.positions()]


def test_a_restarted_sequencer_forgets_an_ended_door_with_nothing_to_sign(rig: LedgerRig):
    rig.doors.put("journal-a", record(0))
    rig.sequencer.drain()
    rig.doors.finished.add("journal-a")
    signed = rig.signer.signatures
    rig.reopened().drain()
    assert "journal-a" not in rig.doors.names()
    assert signed == rig.signer.signatures


def test_nothing_is_forgotten_by_the_word_of_a_forged_checkpoint(rig: LedgerRig):
    rig.doors.put("journal-a", record(0))
    rig.sequencer.drain()
    stranger = ledger_rig(rig.home / "stranger")
    stranger.fill(1)
    forged = stranger.store.last_checkpoint()
    assert forged is not None
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_checkpoints SET sha256_note = ?", (forged.sha256_note,)
        )
    stranger.close()
    rig.doors.finished.add("journal-a")
    rig.doors.forgotten.clear()
    rig.reopened().drain()
    assert "journal-a" in rig.doors.names()
    assert rig.doors.forgotten == {}
    assert "no known key" in str(rig.sequencer.health().damage)


def test_nothing_is_forgotten_while_the_pool_is_locked(rig: LedgerRig):
    rig.doors.put("journal-a", record(0))
    rig.sequencer.drain()
    rig.doors.finished.add("journal-a")
    rig.signer.locked = True
    rig.reopened().drain()
    assert "journal-a" in rig.doors.names()
    assert rig.sequencer.health().waiting_since is None, "nothing waits to be signed"
    rig.signer.locked = False
    rig.sequencer.drain()
    assert "journal-a" not in rig.doors.names()


def test_a_drain_beside_a_working_process_leaves_it_the_work(rig: LedgerRig):
    rig.doors.put("database", record(0))
    rig.sequencer.tick()
    other = rig.second()
    rig.doors.put("database", record(1))
    other.drain()
    assert rig.store.head().size == 1
    rig.sequencer.tick()
    assert rig.store.head().size == 2


def test_old_checkpoints_are_thinned_to_one_per_ten_minutes(rig: LedgerRig):
    for number in range(12):  # one every five minutes, from a full hour on
        rig.doors.put("database", record(number))
        rig.sequencer.drain()
        rig.clock.advance(300)
    rig.sequencer.thin_checkpoints()
    kept = [checkpoint.size for checkpoint in rig.store.checkpoints()]
    expected = [*range(1, 13)]
    assert expected == kept  # the first is an hour old only now
    rig.clock.advance(1_200)
    rig.sequencer.thin_checkpoints()
    kept = [checkpoint.size for checkpoint in rig.store.checkpoints()]
    expected = [2, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert expected == kept
    rig.clock.advance(90_000)
    rig.sequencer.thin_checkpoints()
    rig.sequencer.thin_checkpoints()
    kept = [checkpoint.size for checkpoint in rig.store.checkpoints()]
    expected = [2, 4, 6, 8, 10, 12]
    assert expected == kept
    assert rig.verify().valid
