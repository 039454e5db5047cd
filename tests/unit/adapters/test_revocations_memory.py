"""Revocation between processes: within a quarter of a second, or no answer at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from secops.adapters.database.revocations import POLL_SECONDS, DatabaseRevocations
from secops.adapters.spine import Spine
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Unavailable
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    made = database_spine(tmp_path)
    yield made
    made.close()


def test_the_promise_of_a_quarter_second_leaves_room_for_a_slow_look() -> None:
    assert POLL_SECONDS <= 0.25


def test_another_process_hears_of_it_by_itself(tmp_path: Path, spine: Spine) -> None:
    other = DatabaseRevocations(spine.read_engine, SystemClock(), spine.emergency)
    assert not other.is_revoked("session", "s1")
    heard = threading.Event()
    refresh = other._read_database

    def watched() -> None:
        refresh()
        if ("session", "s1") in other._ended:
            heard.set()

    other._read_database = watched  # type: ignore[method-assign]
    spine.transactions.run(lambda tx: spine.revocations.revoke(tx, "session", "s1"))
    assert heard.wait(1.0)
    assert other.is_revoked("session", "s1")
    other.close()


def test_old_news_are_no_answer(tmp_path: Path, spine: Spine) -> None:
    clock = FakeClock()
    revocations = DatabaseRevocations(spine.read_engine, clock, spine.emergency)
    revocations.refresh()
    spine.transactions.run(lambda tx: spine.revocations.revoke(tx, "session", "s1"))
    revocations.refresh()
    with spine.engine.begin() as connection:
        connection.execute(text("ALTER TABLE revocation_epoch RENAME TO away"))
    clock.advance(0.9)
    assert not revocations.is_revoked("session", "s2")
    clock.advance(0.2)
    with pytest.raises(Unavailable):
        revocations.is_revoked("session", "s2")
    with pytest.raises(Unavailable):
        _ = revocations.epoch
    with spine.engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO revocation_epoch"))
    assert revocations.is_revoked("session", "s1")
    revocations.close()


def test_a_rolled_back_revocation_changes_nobodys_memory(spine: Spine) -> None:
    def work(tx: object) -> None:
        spine.revocations.revoke(tx, "session", "s1")  # type: ignore[arg-type]
        raise ZeroDivisionError

    before = spine.revocations.epoch
    with pytest.raises(ZeroDivisionError):
        spine.transactions.run(work)
    spine.revocations.refresh()
    assert (spine.revocations.is_revoked("session", "s1"), spine.revocations.epoch) == (
        False,
        before,
    )


def test_parts_of_a_spine_can_be_exchanged_for_tests(spine: Spine) -> None:
    clock = FakeClock(5)
    assert replace(spine.parts, clock=clock).clock.now() == 5
