"""A PostgreSQL's rows, of one instant, back into an empty one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, inspect, select, text

from secops.adapters.backup.archive import BackupRejected
from secops.adapters.backup.service import BackupReport, Place, back_up, restore
from secops.adapters.database.engine import SNAPSHOT, make_engine
from secops.adapters.database.tables import tasks
from secops.adapters.spine import COMMAND_FILE_BYTES, Spine, SpineOptions, open_spine
from secops.kernel.actors import system_actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Unavailable
from secops.kernel.ids import SystemRandomness
from secops.kernel.jobs import Task
from secops.kernel.trail import Act
from secops.migrations import upgrade
from tests.fakes.access import FakeAccess
from tests.services.postgresql import PostgresqlServer, postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]

pytestmark = pytest.mark.postgresql
RANDOM = SystemRandomness()


def open_process(home: Path, url: str) -> Spine:
    spine = open_spine(
        SpineOptions(home=home, role="test", database_url=url, journal_bytes=COMMAND_FILE_BYTES),
        clock=SystemClock(),
        randomness=RANDOM,
        access=FakeAccess(),
    )
    home.mkdir(exist_ok=True)
    spine.start()
    return spine


def change(spine: Spine, name: str) -> None:
    act = Act("test.state", system_actor("test"), f"x:{name}")

    def work(tx: Any) -> None:
        spine.parts.tasks.create(tx, Task(name, "org_root", "tab\there", "done", 1, 1, 0, "\\N 中"))
        tx.record(act)

    spine.transactions.run(work)
    spine.parts.trail.append([act])


def facts(_: Path, url: str) -> Mapping[str, Any]:
    engine = make_engine(url, read_only=True)
    with engine.begin() as connection:
        count = connection.execute(select(func.count()).select_from(tasks)).scalar_one()
    engine.dispose()
    return {"tasks": count}


def save(home: Path, url: str, target: Path) -> BackupReport:
    return back_up(Place(home, url), target, clock=SystemClock(), randomness=RANDOM, facts=facts)


def bring_back(source: Path, home: Path, url: str | None, seen: Any = facts) -> BackupReport:
    return restore(source, Place(home, url, upgrade), randomness=RANDOM, facts=seen)


def door_counts(spine: Spine) -> list[int]:
    return [len(spine.doors.read_after(name, 0, 1 << 40).records) for name in spine.doors.names()]


def test_under_load_rows_leaves_and_facts_are_of_one_instant(
    tmp_path: Path, postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    spine = open_process(tmp_path / "home", postgresql_url)
    for number in range(20):
        change(spine, f"t{number}")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            change(spine, f"later{number}")
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    report = save(tmp_path / "home", postgresql_url, tmp_path / "b.tgz")
    stop.set()
    thread.join()
    position = spine.doors.read_after("database", 0, 1 << 40).position
    spine.close()
    target = postgresql_server.new_database()
    restored = bring_back(tmp_path / "b.tgz", tmp_path / "back", target)
    assert restored.facts == report.facts
    again = open_process(tmp_path / "back", target)
    statement = select(func.count()).select_from(tasks)
    count = again.transactions.read(lambda tx: tx.execute(statement).scalar_one())
    hot, database = door_counts(again)
    assert count == database == report.facts["tasks"] >= 20
    assert hot >= count - 1
    row = again.transactions.read(lambda tx: tx.execute(select(tasks)).first())
    assert (row.kind, row.result) == ("tab\there", "\\N 中")
    change(again, "after")
    assert again.doors.read_after("database", 0, 1 << 40).position > report.facts["tasks"]
    assert position >= report.facts["tasks"]
    again.close()
    assert not (tmp_path / "back" / "database").exists()


def test_a_deleted_leafs_number_is_not_given_again(
    tmp_path: Path, postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    spine = open_process(tmp_path / "home", postgresql_url)
    change(spine, "a")
    position = spine.doors.read_after("database", 0, 10).position
    spine.doors.forget("database", position)
    save(tmp_path / "home", postgresql_url, tmp_path / "b.tgz")
    spine.close()
    target = postgresql_server.new_database()
    bring_back(tmp_path / "b.tgz", tmp_path / "back", target)
    again = open_process(tmp_path / "back", target)
    change(again, "b")
    assert len(again.doors.read_after("database", position, 10).records) == 1
    again.close()


def test_only_an_empty_database_is_filled(
    tmp_path: Path, postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    open_process(tmp_path / "home", postgresql_url).close()
    save(tmp_path / "home", postgresql_url, tmp_path / "b.tgz")
    with pytest.raises(BackupRejected, match="not empty"):
        bring_back(tmp_path / "b.tgz", tmp_path / "back", postgresql_url)
    with pytest.raises(BackupRejected, match="needs an empty PostgreSQL"):
        bring_back(tmp_path / "b.tgz", tmp_path / "back", None)
    assert not (tmp_path / "back").exists()


def test_facts_that_differ_leave_an_empty_database(
    tmp_path: Path, postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    open_process(tmp_path / "home", postgresql_url).close()
    save(tmp_path / "home", postgresql_url, tmp_path / "b.tgz")
    target = postgresql_server.new_database()
    with pytest.raises(BackupRejected, match="tasks"):
        bring_back(tmp_path / "b.tgz", tmp_path / "back", target, lambda *_: {"tasks": 9})
    assert tables(target) == []
    assert not (tmp_path / "back").exists()


def test_another_releases_tables_are_rejected(
    tmp_path: Path, postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    open_process(tmp_path / "home", postgresql_url).close()
    save(tmp_path / "home", postgresql_url, tmp_path / "b.tgz")
    target = postgresql_server.new_database()

    def other(engine: Any) -> None:
        upgrade(engine)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE tasks ADD COLUMN more text"))

    place = Place(tmp_path / "back", target, other)
    with pytest.raises(BackupRejected, match="another release"):
        restore(tmp_path / "b.tgz", place, randomness=RANDOM, facts=facts)
    assert tables(target) == []


def tables(url: str) -> list[str]:
    engine = make_engine(url)
    found: list[str] = inspect(engine).get_table_names()
    engine.dispose()
    return found


@pytest.mark.parametrize("name", ["x'; DROP TABLE tasks; --", "a b", "0" * 65])
def test_a_snapshots_name_is_no_way_into_a_statement(name: str) -> None:
    with pytest.raises(Unavailable):
        make_engine(f"postgresql://secops@/x?{SNAPSHOT}={name}", read_only=True)
