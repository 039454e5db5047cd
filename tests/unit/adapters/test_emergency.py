"""The emergency way: a revocation takes effect without the database, and is never lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from secops.adapters.emergency import CAPACITY, EmergencyJournal
from secops.adapters.spine import COMMAND_FILE_BYTES, Spine, SpineOptions, open_spine
from secops.kernel.actors import system_actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import AuditUnavailable, Unavailable
from secops.kernel.ids import SystemRandomness
from secops.kernel.trail import Act, encode_act
from secops.kernel.transactions import Restriction
from secops.migrations import upgrade
from tests.fakes.access import FakeAccess

ACT = Act("iam.revoke_session", system_actor("test"), "session:s1")
SESSION = Restriction("session", "s1", ACT)


def open_process(home: Path) -> Spine:
    """Return a spine as another process of ``home`` would have it."""
    spine = open_spine(
        SpineOptions(home=home, role="test", journal_bytes=COMMAND_FILE_BYTES),
        clock=SystemClock(),
        randomness=SystemRandomness(),
        access=FakeAccess(),
    )
    upgrade(spine.engine)
    spine.start()
    return spine


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Spine]:
    spine = open_process(tmp_path)
    yield spine
    spine.close()


@pytest.fixture
def two(tmp_path: Path, one: Spine) -> Iterator[Spine]:
    spine = open_process(tmp_path)
    yield spine
    spine.close()


def full_disk(_: Any) -> None:
    """Fail as SQLite does on a full disk."""
    error = Exception("database or disk is full")
    error.sqlite_errorcode = 13  # type: ignore[attr-defined]
    raise OperationalError("INSERT", None, error)


def leaves(spine: Spine) -> list[bytes]:
    return list(spine.doors.read_after("database", 0, 1_000).records)


def restrict_without_database(spine: Spine, *restrictions: Restriction) -> None:
    assert spine.transactions.restrict(full_disk, *restrictions) is None


def test_a_restriction_takes_effect_when_the_commit_is_impossible(one: Spine) -> None:
    restrict_without_database(one, SESSION, Restriction("account", "a1", ACT))
    assert one.revocations.is_revoked("session", "s1")
    assert one.revocations.is_revoked("account", "a1")


def test_the_instant_of_a_restriction_outlives_its_way_into_the_database(
    one: Spine, two: Spine
) -> None:
    before = SystemClock().now()
    restrict_without_database(one, SESSION)
    after = SystemClock().now()
    since = one.revocations.ended_of("session")["s1"]
    assert before <= since <= after
    two.revocations.refresh()
    waiting = two.revocations.ended_of("session")["s1"]
    one.transactions.import_emergency()
    for spine in (one, two):
        spine.revocations.refresh()
        assert spine.revocations.ended_of("session") == {"s1": waiting}
    assert before <= waiting <= after


def test_it_reaches_another_process(one: Spine, two: Spine) -> None:
    assert not two.revocations.is_revoked("session", "s1")
    before = two.revocations.epoch
    restrict_without_database(one, SESSION)
    two.revocations.refresh()
    assert two.revocations.is_revoked("session", "s1")
    assert two.revocations.epoch > before


def test_it_enters_the_ledger_before_the_next_unit_of_work(one: Spine, two: Spine) -> None:
    restrict_without_database(one, SESSION)
    later = Act("kernel.later", system_actor("test"), "x:1")
    two.transactions.run(lambda tx: tx.record(later))
    first, second = leaves(two)
    assert (b"iam.revoke_session" in first, b"kernel.later" in second) == (True, True)
    assert two.emergency.waiting() == []
    assert two.revocations.is_revoked("session", "s1")


def test_it_enters_the_ledger_before_the_next_hot_act(one: Spine, two: Spine) -> None:
    restrict_without_database(one, SESSION)
    two.parts.trail.append([ACT])
    assert len(leaves(two)) == 1


def test_it_enters_the_ledger_once(one: Spine, two: Spine) -> None:
    restrict_without_database(one, SESSION)
    for spine in (one, two, one, two):
        spine.transactions.run(lambda _: None)
    assert len(leaves(one)) == 1


def test_hot_acts_are_refused_while_it_can_not_enter_the_ledger(
    tmp_path: Path, one: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    restrict_without_database(one, SESSION)
    monkeypatch.setattr(one.transactions._committer, "_run_preamble", full_disk)
    with pytest.raises(AuditUnavailable):
        one.parts.trail.append([ACT])
    monkeypatch.undo()
    one.parts.trail.append([ACT])
    assert len(leaves(one)) == 1


def test_a_restart_finds_what_was_not_imported(tmp_path: Path, one: Spine) -> None:
    restrict_without_database(one, SESSION)
    one.close()
    again = open_process(tmp_path)
    assert again.revocations.is_revoked("session", "s1")
    again.transactions.run(lambda _: None)
    assert len(leaves(again)) == 1
    again.close()


def test_a_restored_account_stays_restored_after_the_import(one: Spine) -> None:
    restrict_without_database(one, Restriction("account", "a1", ACT))
    one.transactions.run(lambda tx: one.revocations.restore(tx, "account", "a1"))
    assert not one.revocations.is_revoked("account", "a1")
    one.transactions.run(lambda _: None)
    one.revocations.refresh()
    assert not one.revocations.is_revoked("account", "a1")


def test_the_act_keeps_the_instant_at_which_it_was_made(one: Spine) -> None:
    entry = _one_entry(one)
    one.transactions.run(lambda _: None)
    assert leaves(one) == [encode_act(ACT, entry.at)]


def _one_entry(spine: Spine) -> Any:
    restrict_without_database(spine, SESSION)
    (entry,) = spine.emergency.waiting()
    return entry


def test_the_second_folder_is_used_when_the_first_can_not_be_written(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    journal = EmergencyJournal([first, second], SystemRandomness())
    journal.prepare()
    (first / "00000001.emergency").unlink()
    (first / "00000001.emergency").mkdir()
    (first / "lock").unlink()
    (first / "lock").mkdir()
    other = EmergencyJournal([second], SystemRandomness())
    journal.append(SESSION, 1)
    assert [entry.identifier for entry in other.waiting()] == ["s1"]


def test_in_its_own_process_it_holds_even_if_nothing_can_be_written(
    tmp_path: Path, one: Spine
) -> None:
    (tmp_path / "emergency").rename(tmp_path / "gone")
    with pytest.raises(AuditUnavailable):
        restrict_without_database(one, SESSION)
    assert one.revocations.is_revoked("session", "s1")
    (tmp_path / "gone").rename(tmp_path / "emergency")
    one.revocations.refresh()
    assert one.revocations.is_revoked("session", "s1")


def test_when_no_folder_can_be_written_the_caller_is_told(tmp_path: Path) -> None:
    journal = EmergencyJournal([tmp_path / "never"], SystemRandomness())
    with pytest.raises(AuditUnavailable):
        journal.append(SESSION, 1)


def test_a_torn_append_is_overwritten_by_the_next(tmp_path: Path) -> None:
    journal = EmergencyJournal([tmp_path], SystemRandomness())
    journal.prepare()
    journal.append(SESSION, 1)
    (path,) = tmp_path.glob("*.emergency")
    content = bytearray(path.read_bytes())
    end = journal.waiting()[0].end
    content[end : end + 40] = b"\x55" * 40
    path.write_bytes(content)
    other = EmergencyJournal([tmp_path], SystemRandomness())
    other.append(Restriction("session", "s2", ACT), 2)
    fresh = EmergencyJournal([tmp_path], SystemRandomness())
    assert [entry.identifier for entry in fresh.waiting()] == ["s1", "s2"]
    assert [entry.identifier for entry in journal.waiting()] == ["s1", "s2"]
    assert not fresh.damaged


def test_a_damaged_file_is_told_and_a_new_one_begun(tmp_path: Path) -> None:
    journal = EmergencyJournal([tmp_path], SystemRandomness())
    journal.prepare()
    journal.append(SESSION, 1)
    journal.append(Restriction("session", "s2", ACT), 1)
    (path,) = tmp_path.glob("*.emergency")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    fresh = EmergencyJournal([tmp_path], SystemRandomness())
    assert fresh.damaged
    fresh.append(Restriction("session", "s3", ACT), 3)
    assert [entry.identifier for entry in fresh.waiting()] == ["s3"]


def test_a_full_file_is_followed_by_another(tmp_path: Path) -> None:
    journal = EmergencyJournal([tmp_path], SystemRandomness())
    journal.prepare()
    large = Act("iam.revoke", system_actor("t"), "session:s", details={"pad": "x" * 60_000})
    count = CAPACITY // 60_000 + 2
    for number in range(count):
        journal.append(Restriction("session", f"s{number}", large), number)
    fresh = EmergencyJournal([tmp_path], SystemRandomness())
    assert [entry.identifier for entry in fresh.waiting()] == [f"s{n}" for n in range(count)]
    assert len(list(tmp_path.glob("*.emergency"))) == 2


def test_room_is_made_once_the_disk_is_well(tmp_path: Path) -> None:
    journal = EmergencyJournal([tmp_path], SystemRandomness())
    journal.prepare()
    journal.make_room()
    assert len(list(tmp_path.glob("*.emergency"))) == 1
    large = Act("iam.revoke", system_actor("t"), "session:s", details={"pad": "x" * 60_000})
    for number in range(CAPACITY // 60_000 // 2 + 1):
        journal.append(Restriction("session", f"s{number}", large), number)
    journal.make_room()
    assert len(list(tmp_path.glob("*.emergency"))) == 2


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    journals = [EmergencyJournal([tmp_path], SystemRandomness()) for _ in range(4)]
    journals[0].prepare()

    def call(index: int) -> None:
        for number in range(10):
            journals[index].append(Restriction("session", f"{index}-{number}", ACT), 1)

    threads = [threading.Thread(target=call, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh = EmergencyJournal([tmp_path], SystemRandomness())
    expected = sorted(f"{index}-{number}" for index in range(4) for number in range(10))
    assert sorted(entry.identifier for entry in fresh.waiting()) == expected


def test_nobody_knows_what_was_ended_when_the_journal_is_away(tmp_path: Path, one: Spine) -> None:
    assert not one.revocations.is_revoked("session", "s1")
    (tmp_path / "emergency").rename(tmp_path / "gone")
    with pytest.raises(Unavailable):
        one.revocations.refresh()
    with pytest.raises(AuditUnavailable):
        one.transactions.run(lambda _: None)
    (tmp_path / "gone").rename(tmp_path / "emergency")
    one.transactions.run(lambda _: None)
