"""The unit of work, over every real database."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from secops.adapters.database.tables import leases, outbox_events
from secops.adapters.spine import Spine
from secops.kernel.actors import system_actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import AuditUnavailable, Conflict, NotFound, TooLarge
from secops.kernel.events import SealUsed
from secops.kernel.trail import Act, encode_act
from secops.kernel.transactions import Restriction

ACT = Act("kernel.test", system_actor("test"), "thing:1")


def put(name: str) -> Any:
    """Return a statement that changes something visible."""
    return leases.insert().values(name=name, owner="me", fence=1, until=1)


def names(spine: Spine) -> list[str]:
    statement = select(leases.c.name).order_by(leases.c.name)
    rows: Sequence[str] = spine.transactions.read(lambda tx: tx.execute(statement).scalars().all())
    return list(rows)


def leaves(spine: Spine) -> list[bytes]:
    return list(spine.doors.read_after("database", 0, 10_000).records)


def test_changes_leaf_and_announcement_commit_together(spine: Spine) -> None:
    def work(tx: Any) -> str:
        tx.execute(put("a"))
        tx.record(ACT)
        tx.announce(SealUsed("org_root", "seal_1", "00"))
        return "value"

    assert spine.transactions.run(work) == "value"
    assert names(spine) == ["a"]
    assert leaves(spine) == [encode_act(ACT, spine.parts.clock.now())]
    events = spine.transactions.read(lambda tx: tx.execute(select(outbox_events.c.name)).all())
    assert [row.name for row in events] == ["seal_used"]


def test_a_work_that_raises_leaves_nothing_and_its_error_comes_out(spine: Spine) -> None:
    def work(tx: Any) -> None:
        tx.execute(put("a"))
        tx.record(ACT)
        tx.announce(SealUsed("org_root", "seal_1", "00"))
        raise NotFound

    with pytest.raises(NotFound):
        spine.transactions.run(work)
    assert (names(spine), leaves(spine)) == ([], [])


def test_what_breaks_a_rule_of_the_database_is_a_conflict(spine: Spine) -> None:
    spine.transactions.run(lambda tx: tx.execute(put("a")))
    with pytest.raises(Conflict):
        spine.transactions.run(lambda tx: tx.execute(put("a")))
    assert names(spine) == ["a"]


def test_a_failing_unit_does_not_undo_those_it_shares_a_commit_with(spine: Spine) -> None:
    gate = threading.Barrier(16)
    outcomes: dict[int, str] = {}

    def work(index: int, tx: Any) -> None:
        tx.execute(put(f"{index:02d}"))
        tx.record(ACT)
        if index % 3 == 0:
            tx.execute(put(f"{index:02d}"))

    def call(index: int) -> None:
        gate.wait()
        try:
            spine.transactions.run(lambda tx: work(index, tx))
            outcomes[index] = "done"
        except Conflict:
            outcomes[index] = "conflict"

    threads = [threading.Thread(target=call, args=(index,)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {i: "conflict" if i % 3 == 0 else "done" for i in range(16)}
    assert dict(sorted(outcomes.items())) == expected
    assert names(spine) == [f"{i:02d}" for i in range(16) if i % 3]
    assert len(leaves(spine)) == 10


def test_a_statement_that_is_wrong_fails_alone_and_the_next_unit_works(spine: Spine) -> None:
    with pytest.raises(Exception, match="no_such_table"):
        spine.transactions.run(lambda tx: tx.execute(text("SELECT * FROM no_such_table")))
    spine.transactions.run(lambda tx: tx.execute(put("a")))
    assert names(spine) == ["a"]


def test_a_read_changes_nothing(spine: Spine) -> None:
    with pytest.raises(RuntimeError, match="use run"):
        spine.transactions.read(lambda tx: tx.execute(put("a")))
    with pytest.raises(RuntimeError, match="use run"):
        spine.transactions.read(lambda tx: tx.record(ACT))
    with pytest.raises(RuntimeError, match="use run"):
        spine.transactions.read(lambda tx: tx.announce(SealUsed("o", "s", "0")))
    assert names(spine) == []


def test_a_read_sees_one_snapshot(spine: Spine) -> None:
    count = select(leases.c.name)

    def work(tx: Any) -> tuple[int, int]:
        before = len(tx.execute(count).all())
        spine.transactions.run(lambda other: other.execute(put("later")))
        return before, len(tx.execute(count).all())

    assert spine.transactions.read(work) == (0, 0)
    assert names(spine) == ["later"]


def test_a_unit_inside_a_unit_is_refused_instead_of_waiting_for_itself(spine: Spine) -> None:
    def outer(_: Any) -> None:
        spine.transactions.run(lambda tx: tx.execute(put("inner")))

    with pytest.raises(RuntimeError, match="wait for itself"):
        spine.transactions.run(outer)


def test_a_leaf_too_large_for_the_ledger_is_refused(spine: Spine) -> None:
    large = Act("kernel.test", system_actor("test"), "t:1", details={"x": "y" * 65_535})
    with pytest.raises(TooLarge):
        spine.transactions.run(lambda tx: tx.record(large))
    assert leaves(spine) == []


def test_restrict_revokes_and_records_each_restriction_in_its_transaction(spine: Spine) -> None:
    one, two = Restriction("session", "s1", ACT), Restriction("account", "a1", ACT)

    def work(tx: Any) -> str:
        tx.execute(put("a"))
        return "done"

    assert spine.transactions.restrict(work, one, two) == "done"
    assert names(spine) == ["a"]
    assert spine.revocations.is_revoked("session", "s1")
    assert spine.revocations.is_revoked("account", "a1")
    assert len(leaves(spine)) == 2


def test_a_restriction_whose_work_raises_revokes_nothing(spine: Spine) -> None:
    def work(_: Any) -> None:
        raise NotFound

    with pytest.raises(NotFound):
        spine.transactions.restrict(work, Restriction("session", "s1", ACT))
    assert not spine.revocations.is_revoked("session", "s1")
    assert leaves(spine) == []


def test_one_conditional_statement_lets_one_of_many_callers_through(spine: Spine) -> None:
    spine.transactions.run(lambda tx: tx.execute(put("code")))
    use = leases.update().where(leases.c.name == "code", leases.c.fence == 1).values(fence=2)
    gate, wins = threading.Barrier(8), []

    def call() -> None:
        gate.wait()
        wins.append(spine.transactions.run(lambda tx: tx.execute(use).rowcount))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [0] * 7 + [1]


def test_door_positions_are_never_given_again(spine: Spine) -> None:
    spine.transactions.run(lambda tx: tx.record(ACT))
    first = spine.doors.read_after("database", 0, 10)
    assert spine.doors.forget("database", first.position) is False
    spine.transactions.run(lambda tx: tx.record(ACT))
    second = spine.doors.read_after("database", first.position, 10)
    assert (len(second.records), second.position > first.position) == (1, True)


def no_room(_: Any) -> None:
    """Fail as a database does whose disk is full."""
    error = Exception("disk full")
    error.sqlite_errorcode = 13  # type: ignore[attr-defined]
    error.sqlstate = "53100"  # type: ignore[attr-defined]
    raise OperationalError("INSERT", None, error)


def test_without_a_commit_nothing_is_granted_and_a_restriction_holds(
    spine: Spine, neighbour: Spine
) -> None:
    with pytest.raises(AuditUnavailable):
        spine.transactions.run(no_room)
    assert spine.transactions.restrict(no_room, Restriction("session", "s1", ACT)) is None
    neighbour.revocations.refresh()
    assert spine.revocations.is_revoked("session", "s1")
    assert neighbour.revocations.is_revoked("session", "s1")
    assert leaves(spine) == []
    neighbour.transactions.run(lambda tx: tx.execute(put("a")))
    spine.transactions.run(lambda tx: tx.execute(put("b")))
    assert leaves(spine) == [encode_act(ACT, spine.parts.clock.now())]
    assert spine.revocations.is_revoked("session", "s1")


def test_a_reader_of_the_door_meets_every_leaf_though_two_processes_write(
    spine: Spine, neighbour: Spine
) -> None:
    count = 40

    def write(writer: Spine, name: str) -> None:
        for number in range(count):
            act = Act("kernel.test", system_actor("test"), f"{name}:{number}")
            writer.transactions.run(lambda tx, act=act: tx.record(act))

    threads = [
        threading.Thread(target=write, args=(writer, name))
        for writer, name in ((spine, "a"), (spine, "b"), (neighbour, "c"), (neighbour, "d"))
    ]
    for thread in threads:
        thread.start()
    met: list[bytes] = []
    position = 0
    last_look = False
    while not last_look:
        last_look = not any(thread.is_alive() for thread in threads)
        found = spine.doors.read_after("database", position, 1_000)
        met += found.records
        position = found.position
    assert len(met) == len(set(met)) == 4 * count


def test_leases_run_on_the_databases_own_clock(spine: Spine, neighbour: Spine) -> None:
    begun = SystemClock().now()
    lease = spine.parts.leases.acquire("job", "me", 30)
    assert lease is not None
    assert abs(lease.until - begun - 30_000_000) < 5_000_000
    assert neighbour.parts.leases.acquire("job", "you", 30) is None
    spine.parts.leases.release(lease)
    assert neighbour.parts.leases.acquire("job", "you", 30) is not None
