"""Reading the ledger's tables. Whatever can't be read is ``LedgerDamaged``, never skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from pysqlite3 import dbapi2
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Engine,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from audits.errors import LedgerDamaged, LedgerMissing
from audits.models import (
    Checkpoint,
    Entry,
    EntryFilter,
    EntryRow,
    LedgerHead,
    Position,
    StoredEntry,
    StoredSubtree,
)
from audits.ports.ledger import Tree
from audits.store.ledger.tables import (
    ledger_checkpoints,
    ledger_entries,
    ledger_head,
    ledger_keys,
    ledger_positions,
    ledger_rows,
    ledger_subtrees,
)
from secops.adapters.database.failures import says_store_is_down
from secops.kernel.errors import Unavailable

_SQLITE_DAMAGE: Final = frozenset({11, 26})
"""SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html)."""
_CHECKPOINTS_AT_A_TIME: Final = 1_000


def _hashes_query(tree: Tree) -> CompoundSelect[Any]:
    """Return the one query for hashes of leaves and subtrees: (level, index, hash)."""
    leaf, node = ledger_entries.c, ledger_subtrees.c
    leaves: BindParameter[Any] = bindparam("leaves", expanding=True)
    inner: BindParameter[Any] = bindparam("inner", expanding=True)
    return union_all(
        select(literal(0), leaf.entry, leaf[tree]).where(leaf.entry.in_(leaves)),
        select(node.level, node.position, node[tree]).where(
            tuple_(node.level, node.position).in_(inner)
        ),
    )


_HASHES: Final[Mapping[Tree, CompoundSelect[Any]]] = {
    "sha256": _hashes_query("sha256"),
    "sm3": _hashes_query("sm3"),
}
"""Built once: building them costs more than SQLite takes to answer."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise ``Unavailable`` where the database is away and ``LedgerDamaged`` for its rubbish.

    A flipped bit can turn a blob into a text or an integer into a float: what the driver
    then raises says damage too.
    """
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0)
        if code & 0xFF not in _SQLITE_DAMAGE and says_store_is_down(error):
            msg = "the ledger's database does not answer"
            raise Unavailable(msg) from error
        msg = f"the ledger's database says: {error.orig}"
        raise LedgerDamaged(msg) from error
    except (SQLAlchemyError, dbapi2.Error, TypeError, ValueError, OverflowError) as error:
        msg = f"the ledger's database can't be read: {error}"
        raise LedgerDamaged(msg) from error


class _Tables:
    """Runs queries: each on its own, or all on one ``connection`` that holds a snapshot."""

    def __init__(self, engine: Engine, connection: Connection | None = None) -> None:
        self._reader = engine
        self._connection = connection

    def _all(
        self,
        query: Select[Any] | CompoundSelect[Any],
        values: Mapping[str, Sequence[Any]] | None = None,
    ) -> Sequence[Any]:
        with self._connected() as connection:
            return connection.execute(query, values).all()

    def _plain(self, query: Select[Any]) -> list[tuple[Any, ...]]:
        """Return rows as the driver gives them: a third of the time where there are millions."""
        with self._connected() as connection, connection.execute(query) as result:
            return [*result.cursor.fetchall()]

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with translated(), ExitStack() as stack:
            yield self._connection or stack.enter_context(self._reader.connect())


class TreeTables(_Tables):
    """Reads the stored trees; implements ``audits.ports.ledger.TreeReader``."""

    def hashes(
        self, tree: Tree, subtrees: Sequence[tuple[int, int]]
    ) -> Mapping[tuple[int, int], bytes]:
        """Return the hashes of complete subtrees; raise ``LedgerDamaged`` if one is missing."""
        wanted: dict[str, Sequence[Any]] = {
            "leaves": [index for level, index in subtrees if not level],
            "inner": [subtree for subtree in subtrees if subtree[0]],
        }
        rows = self._all(_HASHES[tree], wanted) if subtrees else ()
        found = {(level, place): _blob(value) for level, place, value in rows}
        missing = set(subtrees) - found.keys()
        if missing:
            msg = f"the stored tree lacks {min(missing)}"
            raise LedgerDamaged(msg)
        return found

    def subtrees(self, level: int, first: int, count: int) -> Sequence[StoredSubtree]:
        """Return the subtrees of ``level`` from index ``first`` on, in order."""
        node = ledger_subtrees.c
        query = (
            select(node.level, node.position, node.sha256, node.sm3)
            .where(node.level == level, node.position.between(first, first + count - 1))
            .order_by(node.position)
        )
        return [
            StoredSubtree(level, place, _blob(sha256), _blob(sm3))
            for level, place, sha256, sm3 in self._all(query)
        ]

    def raw_entries(self, first: int, count: int) -> Sequence[Sequence[Any]]:
        """Return the entries as stored, unchecked: index, record, both hashes, then the row."""
        leaf, row = ledger_entries.c, ledger_rows.c
        query = (
            select(leaf.entry, leaf.record, leaf.sha256, leaf.sm3, *ledger_rows.c)
            .join_from(ledger_entries, ledger_rows, leaf.entry == row.entry, isouter=True)
            .where(leaf.entry.between(first, first + count - 1))
            .order_by(leaf.entry)
        )
        return self._plain(query)

    def raw_subtrees(
        self, ranges: Sequence[tuple[int, int, int]]
    ) -> Sequence[tuple[int, int, bytes, bytes]]:
        """Return (level, index, SHA-256, SM3) as stored, of each range, by level and index."""
        if not ranges:
            return []
        node = ledger_subtrees.c
        wanted = [
            and_(node.level == level, node.position.between(first, first + count - 1))
            for level, first, count in ranges
        ]
        query = select(node.level, node.position, node.sha256, node.sm3).where(or_(*wanted))
        return self._plain(query.order_by(node.level, node.position))

    def counts(self) -> tuple[int, int, int]:
        """Return how many subtrees of level ≥ 1, rows and entries are stored, wherever."""
        tables = (ledger_subtrees, ledger_rows, ledger_entries)
        counted = [self._all(select(func.count()).select_from(table))[0][0] for table in tables]
        subtrees, rows, entries = map(int, counted)
        return subtrees, rows, entries


class LedgerDatabaseReader(_Tables):
    """Reads a ledger; implements ``audits.ports.ledger.LedgerReader``."""

    def __init__(self, engine: Engine, connection: Connection | None = None) -> None:
        super().__init__(engine, connection)
        self._tree = TreeTables(engine, connection)

    @property
    def tree(self) -> TreeTables:
        """The stored trees."""
        return self._tree

    @contextmanager
    def snapshot(self) -> Iterator[LedgerDatabaseReader]:
        """Give a reader of the ledger as it is now, whatever is appended meanwhile."""
        with translated(), ExitStack() as stack:  # a damaged file may show at the very end
            connection = stack.enter_context(self._reader.connect())
            stack.enter_context(connection.begin())
            yield LedgerDatabaseReader(self._reader, connection)

    def head(self) -> LedgerHead:
        """Return the ledger's head; raise ``LedgerMissing`` if there is none."""
        rows = self._all(select(ledger_head.c.origin, ledger_head.c.size, ledger_head.c.fence))
        if len(rows) != 1:
            msg = f"the ledger has {len(rows)} heads"
            raise LedgerMissing(msg)
        origin, size, fence = rows[0]
        return LedgerHead(_text(origin), _integer(size), _integer(fence))

    def positions(self) -> Sequence[Position]:
        """Return how far each door has been read."""
        table = ledger_positions.c
        rows = self._all(select(table.door, table.position, table.size))
        return [Position(*row) for row in rows]

    def entries(self, first: int, count: int) -> Sequence[StoredEntry]:
        """Return the entries ``first`` to ``first + count - 1`` that exist, in order."""
        return [_stored_entry(values) for values in self._tree.raw_entries(first, count)]

    def find_leaf(self, sha256: bytes) -> int | None:
        """Return the index of the first entry whose SHA-256 leaf hash is ``sha256``."""
        leaf = ledger_entries.c
        query = select(func.min(leaf.entry)).where(leaf.sha256 == sha256)
        found = self._all(query)[0][0]
        return None if found is None else _integer(found)

    def search(self, wanted: EntryFilter, limit: int, before: int | None) -> Sequence[EntryRow]:
        """Return rows, newest first, with index below ``before``."""
        row = ledger_rows.c
        query = select(*ledger_rows.c).where(*_conditions(wanted))
        if before is not None:
            query = query.where(row.entry < before)
        rows = self._all(query.order_by(row.entry.desc()).limit(limit))
        return [EntryRow(*values) for values in rows]

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Yield all checkpoints by growing size."""
        size = -1
        while True:
            query = (
                select(*ledger_checkpoints.c)
                .where(ledger_checkpoints.c.size > size)
                .order_by(ledger_checkpoints.c.size)
                .limit(_CHECKPOINTS_AT_A_TIME)
            )
            rows = self._all(query)
            if not rows:
                return
            for values in rows:
                checkpoint = _checkpoint(values)
                if checkpoint.size <= size:
                    msg = "the checkpoints are out of order"
                    raise LedgerDamaged(msg)
                size = checkpoint.size
                yield checkpoint

    def last_checkpoint(self) -> Checkpoint | None:
        """Return the newest checkpoint."""
        query = select(*ledger_checkpoints.c).order_by(ledger_checkpoints.c.size.desc()).limit(1)
        rows = self._all(query)
        return _checkpoint(rows[0]) if rows else None

    def vkeys(self) -> Sequence[str]:
        """Return the verification keys that ever signed a checkpoint, oldest first."""
        keys = ledger_keys.c
        return [
            _text(row[0]) for row in self._all(select(keys.vkey).order_by(keys.since, keys.vkey))
        ]

    def close(self) -> None:
        """Give the connections back."""
        self._reader.dispose()


def _conditions(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    row = ledger_rows.c
    exact = {
        row.actor_id: wanted.actor_id,
        row.target: wanted.target,
        row.outcome: wanted.outcome,
        row.org_id: wanted.org_id,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for column, value in exact.items() if value is not None
    ]
    if wanted.action is not None and wanted.action.endswith("*"):
        conditions.append(row.action.startswith(wanted.action[:-1], autoescape=True))
    elif wanted.action is not None:
        conditions.append(row.action == wanted.action)
    if wanted.since is not None:
        conditions.append(row.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(row.at < wanted.until)
    return conditions


def _blob(value: object) -> bytes:
    if not isinstance(value, bytes):
        msg = "a stored value is not a blob"
        raise LedgerDamaged(msg)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = "a stored value is not a text"
        raise LedgerDamaged(msg)
    return value


def _integer(value: object) -> int:
    if type(value) is not int:
        msg = "a stored value is not an integer"
        raise LedgerDamaged(msg)
    return value


def _stored_entry(values: Any) -> StoredEntry:
    index, record, sha256, sm3, *rest = values
    entry = Entry(_integer(index), _blob(record), _blob(sha256), _blob(sm3))
    return StoredEntry(entry, None if rest[0] is None else EntryRow(*rest))


def _checkpoint(values: Any) -> Checkpoint:
    size, at, sha256_root, sm3_root, sha256_note, sm3_note = values
    return Checkpoint(
        _integer(size),
        _integer(at),
        _blob(sha256_root),
        _blob(sm3_root),
        _text(sha256_note),
        _text(sm3_note),
    )
