"""What a ledger store promises, over SQLite and over PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pysqlite3 import dbapi2

from audits.adapters.signatures import EngineVerifier
from audits.core.entries import parse_record, row_of
from audits.core.twin_trees import TwinTrees
from audits.errors import LeaseLost, LedgerDamaged, LedgerMissing
from audits.models import Addition, Checkpoint, EntryFilter, EntryRow, LedgerHead, Position
from audits.service.ledger.files import LedgerFiles
from audits.store.ledger.store import LedgerDatabase, open_ledger_reader, open_ledger_store
from audits.store.ledger.tables import metadata
from secops.adapters.database.engine import make_engine
from tests.fakes.ledger import record

SQLITE = "sqlite"
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgresql)
ORIGIN = "tests.local/contract"


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where the main database lies; None is SQLite in the home."""
    return None if request.param == SQLITE else request.getfixturevalue("postgresql_url")


@pytest.fixture
def store(url: str | None, tmp_path: Path) -> Iterator[LedgerDatabase]:
    opened = open_ledger_store(tmp_path, url, ORIGIN)
    yield opened
    opened.close()


def addition(trees: TwinTrees, count: int, **positions: int) -> Addition:
    first = trees.size
    entries, rows, subtrees = [], [], []
    for number in range(first, first + count):
        entry, completed = trees.append(record(number))
        entries.append(entry)
        subtrees += completed
        rows.append(row_of(entry.index, parse_record(entry.record)))
    return Addition(first, entries, rows, subtrees, positions)


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint(size, 1_000 + size, bytes(32), b"\x01" * 32, f"note {size}", "sm3 note")


def test_an_empty_ledger_has_a_head_and_nothing_else(store: LedgerDatabase):
    assert LedgerHead(ORIGIN, 0, 0) == store.head()
    assert store.head().sm3_origin == f"{ORIGIN}/sm3"
    assert list(store.entries(0, 10)) == []
    assert store.last_checkpoint() is None
    assert list(store.checkpoints()) == []
    assert store.tree.counts() == (0, 0, 0)
    assert store.find_leaf(bytes(32)) is None


def test_what_is_appended_is_read_back(store: LedgerDatabase):
    trees = TwinTrees()
    added = addition(trees, 5, units=7, journal=300)
    store.append(added, fence=1)
    assert LedgerHead(ORIGIN, 5, 1) == store.head()
    found = store.entries(1, 3)
    assert list(added.entries[1:4]) == [one.entry for one in found]
    assert list(added.rows[1:4]) == [one.row for one in found]
    assert list(store.tree.subtrees(1, 0, 9)) == [one for one in added.subtrees if one.level == 1]
    assert store.tree.counts() == (3, 5, 5)
    expected = {Position("units", 7, 5), Position("journal", 300, 5)}
    assert expected == set(store.positions())
    assert store.find_leaf(added.entries[3].sha256) == 3


def test_hashes_come_by_level_and_index_and_a_missing_one_is_damage(store: LedgerDatabase):
    trees = TwinTrees()
    added = addition(trees, 8)
    store.append(added, fence=1)
    wanted = [(0, 3), (2, 1), (3, 0), (0, 7)]
    found = store.tree.hashes("sm3", wanted)
    assert set(wanted) == set(found)
    assert added.entries[3].sm3 == found[0, 3]
    assert added.subtrees[-1].sm3 == found[3, 0]
    assert store.tree.hashes("sha256", []) == {}
    with pytest.raises(LedgerDamaged):
        store.tree.hashes("sha256", [(4, 0)])


def test_an_addition_is_whole_or_not_at_all(store: LedgerDatabase):
    trees = TwinTrees()
    store.append(addition(trees, 3, units=3), fence=1)
    added = addition(trees, 2, units=5)
    doubled = Addition(
        added.first_index, [*added.entries, added.entries[0]], added.rows, [], {"units": 5}
    )
    with pytest.raises(LedgerDamaged):
        store.append(doubled, fence=1)
    assert LedgerHead(ORIGIN, 3, 1) == store.head()
    assert [Position("units", 3, 3)] == list(store.positions())
    assert len(store.entries(0, 10)) == 3


def test_another_size_or_an_older_fence_changes_nothing(store: LedgerDatabase):
    trees = TwinTrees()
    store.append(addition(trees, 3), fence=5)
    with pytest.raises(LeaseLost):
        store.append(addition(TwinTrees(), 3), fence=6)
    with pytest.raises(LeaseLost):
        store.append(addition(trees, 1), fence=4)
    with pytest.raises(LeaseLost):
        store.save_checkpoint(checkpoint(3), ["key"], fence=4)
    with pytest.raises(LeaseLost):
        store.save_checkpoint(checkpoint(2), ["key"], fence=6)
    assert LedgerHead(ORIGIN, 3, 5) == store.head()


def test_checkpoints_come_by_size_and_keys_once(store: LedgerDatabase):
    trees = TwinTrees()
    for _ in range(3):
        store.append(addition(trees, 1), fence=1)
        store.save_checkpoint(checkpoint(trees.size), ["key a", f"key {trees.size}"], fence=1)
    assert [checkpoint(size) for size in (1, 2, 3)] == list(store.checkpoints())
    assert checkpoint(3) == store.last_checkpoint()
    assert list(store.vkeys()) == ["key 1", "key a", "key 2", "key 3"]


def test_rows_are_searched_newest_first(store: LedgerDatabase):
    store.append(addition(TwinTrees(), 6), fence=1)

    def found(wanted: EntryFilter, limit: int = 10, before: int | None = None) -> list[int]:
        return [row.index for row in store.search(wanted, limit, before)]

    assert found(EntryFilter(), limit=2) == [5, 4]
    assert found(EntryFilter(), limit=2, before=4) == [3, 2]
    assert found(EntryFilter(target="thing:4")) == [4]
    assert found(EntryFilter(action="tests.*", actor_id="tester"), limit=1) == [5]
    assert found(EntryFilter(action="t_sts.*")) == []
    assert found(EntryFilter(org_id="org_other")) == []


def test_rows_are_replaced_and_dropped(store: LedgerDatabase):
    added = addition(TwinTrees(), 4)
    store.append(added, fence=1)
    changed = EntryRow(2, 1, "other", "a", "o", "t", "done", None)
    store.replace_rows([changed])
    store.replace_rows([])
    assert store.entries(2, 1)[0].row == changed
    store.drop_rows_from(3)
    assert store.entries(3, 1)[0].row is None
    assert store.tree.counts() == (3, 3, 4)


def test_a_door_that_is_gone_leaves_no_position(store: LedgerDatabase):
    store.append(addition(TwinTrees(), 1, units=1, journal=9), fence=1)
    store.append(Addition(1, [], [], [], {"units": 2}), fence=1)
    store.forget_door("journal")
    store.forget_door("never there")
    assert [Position("units", 2, 1)] == list(store.positions())


def test_a_ledger_keeps_the_origin_it_was_made_with(
    store: LedgerDatabase, url: str | None, tmp_path: Path
):
    again = open_ledger_store(tmp_path, url, "another.local/log")
    assert again.head().origin == ORIGIN
    again.close()
    reader = open_ledger_reader(tmp_path, url)
    assert reader.head().origin == ORIGIN
    assert LedgerFiles(reader, EngineVerifier()).verify_ledger().valid
    reader.close()


@pytest.mark.postgresql
def test_the_migration_makes_the_tables_that_the_file_has(postgresql_url: str):
    engine = make_engine(postgresql_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _: kind != "table" or name.startswith("ledger_")
            },
        )
        differences = [
            one
            for one in compare_metadata(context, metadata)
            if not str(one).startswith("('remove_table', Table('ledger_door'")
        ]
    engine.dispose()
    assert differences == []


# the file


def test_there_is_no_ledger_where_there_is_no_file(tmp_path: Path):
    with pytest.raises(LedgerMissing):
        open_ledger_reader(tmp_path)


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path):
    open_ledger_store(tmp_path, None, ORIGIN).close()
    connection = dbapi2.connect(tmp_path / "ledger" / "ledger.db")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(LedgerDamaged, match="version 2"):
        open_ledger_store(tmp_path, None, ORIGIN)


def test_entries_without_a_head_are_damage_not_a_new_ledger(tmp_path: Path):
    opened = open_ledger_store(tmp_path, None, ORIGIN)
    opened.append(addition(TwinTrees(), 1), fence=1)
    with opened._writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_head")
    with pytest.raises(LedgerMissing):
        opened.head()
    verdict = LedgerFiles(opened, EngineVerifier()).verify_ledger()
    assert not verdict.valid
    opened.close()
    with pytest.raises(LedgerDamaged, match="no head"):
        open_ledger_store(tmp_path, None, ORIGIN)


def test_the_files_are_their_owners_alone(tmp_path: Path):
    open_ledger_store(tmp_path, None, ORIGIN).close()
    assert (tmp_path / "ledger").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "ledger" / "ledger.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_head SET size = 'many'",
        "UPDATE ledger_head SET origin = x'ff'",
        "UPDATE ledger_entries SET record = 'text'",
        "UPDATE ledger_checkpoints SET sha256_root = 5",
        "DROP TABLE ledger_subtrees",
    ],
)
def test_values_of_the_wrong_kind_are_damage(tmp_path: Path, statement: str):
    opened = open_ledger_store(tmp_path, None, ORIGIN)
    opened.append(addition(TwinTrees(), 2), fence=1)
    opened.save_checkpoint(checkpoint(2), [], fence=1)
    opened.close()
    connection = dbapi2.connect(tmp_path / "ledger" / "ledger.db")
    with connection:
        connection.execute(statement)
    connection.close()
    reader = open_ledger_reader(tmp_path)
    with pytest.raises(LedgerDamaged):
        _read_all(reader)
    reader.close()


def _read_all(reader: object) -> None:
    reader.head()  # type: ignore[attr-defined]
    reader.entries(0, 10)  # type: ignore[attr-defined]
    reader.tree.hashes("sha256", [(1, 0)])  # type: ignore[attr-defined]
    reader.last_checkpoint()  # type: ignore[attr-defined]
