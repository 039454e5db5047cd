"""One instant of a living home, as files in another folder.

Leaves move from the doors (main database, journals) into the ledger's database, and are then
deleted at the doors. So both databases are locked for writing for as long as it takes to open
a read snapshot of each and to copy the journals' durable prefixes: milliseconds. The copies
are made from the snapshots while the service goes on. What has names by content, and logs,
are copied afterwards: they may be newer than the databases, never older. A PostgreSQL has
its snapshot by itself (``tables``); of the home only journals and files are copied then.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from pysqlite3 import dbapi2

from secops.adapters.database.engine import BUSY_SECONDS
from secops.adapters.journal.segments import segment_path, split_position

MAIN_DATABASE: Final = "secops.db"
DATABASES: Final = (MAIN_DATABASE, "ledger/ledger.db")
JOURNALS: Final = "ledger/journal"
LOGS: Final = ("tail", "spool", "segments")
"""In this order: what moves meanwhile is copied twice, which ids make harmless; never missed."""
_LOG_LOCK: Final = "segments/writer.lock"
_IMMUTABLE: Final = ".parquet"
"""Large, and never changed once named: a link holds up the log writer less than a copy."""
SECRETS: Final = frozenset({"unlock.key", "enrolments", "login", "demo-accounts.txt"})
"""Never in a backup: whoever finds one must not find beside it what opens the key pool."""
_SKIPPED: Final = frozenset({"cache", *LOGS})
_SKIPPED_SUFFIXES: Final = (".db", ".db-wal", ".db-shm", ".lock", ".sock", ".unfinished")


@contextlib.contextmanager
def journals_held(home: Path) -> Iterator[Mapping[Path, BinaryIO]]:
    """Open all journal files: what is sequenced and deleted meanwhile is not missed then."""
    with contextlib.ExitStack() as stack:
        yield {
            path: stack.enter_context(path.open("rb"))
            for path in sorted((home / JOURNALS).glob("[!.]*/*.journal"))
        }


def copy_journals(home: Path, folder: Path, held: Mapping[Path, BinaryIO]) -> None:
    """Copy the journals as they are now, and of those ``held`` what is no longer there."""
    _copy_journals(home / JOURNALS, folder / JOURNALS)
    for path, stream in held.items():
        copy = folder / JOURNALS / path.parent.name / path.name
        if not copy.exists() and not path.exists():
            _keep_deleted(copy, stream.read())


def _keep_deleted(copy: Path, content: bytes) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy.write_bytes(content)
    (copy.parent / "lock").touch(mode=0o600)
    if not (copy.parent / "durable").exists():
        (copy.parent / "durable").write_bytes(bytes(8))


def copy_files(home: Path, folder: Path, without: Collection[str] = SECRETS) -> None:
    """Copy logs, and all else but databases and journals; ``without`` stays behind."""
    with _log_writer_stopped(home):
        for name in LOGS:
            _copy_tree(home / name, folder / name)
    _copy_rest(home, folder, without)


def copy_databases(home: Path, folder: Path) -> None:
    """Copy databases and journals of one instant; raise OSError or ``dbapi2.Error``."""
    with contextlib.ExitStack() as stack:
        names = [name for name in DATABASES if (home / name).is_file()]
        with contextlib.ExitStack() as locks:
            for name in names:
                locks.enter_context(_write_lock(home / name))
            snapshots = {name: stack.enter_context(_read_snapshot(home / name)) for name in names}
            _copy_journals(home / JOURNALS, folder / JOURNALS)
        for name, snapshot in snapshots.items():
            _copy_database(snapshot, folder / name)


@contextlib.contextmanager
def _connection(path: Path) -> Iterator[Any]:
    connection = dbapi2.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def _write_lock(path: Path) -> Iterator[None]:
    with _connection(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextlib.contextmanager
def _read_snapshot(path: Path) -> Iterator[Any]:
    with _connection(path) as connection:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield connection


def _copy_database(snapshot: Any, target: Path) -> None:
    """Copy the pages that ``snapshot`` sees: SQLite's own backup within its transaction."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with _connection(target) as copy:
        snapshot.backup(copy)
        (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        msg = f"{target.name}: {verdict}"
        raise dbapi2.DatabaseError(msg)


def _copy_journals(source: Path, target: Path) -> None:
    """Copy each journal as far as it is durable; the copy reads like a dead process's."""
    if not source.is_dir():
        return
    for journal in sorted(source.iterdir()):
        if not journal.name.startswith("."):
            # one that goes meanwhile was sequenced to its end
            with contextlib.suppress(FileNotFoundError):
                _copy_journal(journal, target / journal.name)


def _copy_journal(journal: Path, copy: Path) -> None:
    alive = _is_alive(journal)
    durable = (journal / "durable").read_bytes()
    copy.mkdir(parents=True, mode=0o700)
    (copy / "durable").write_bytes(durable)
    (copy / "lock").touch(mode=0o600)
    last, end = split_position(int.from_bytes(durable[:8], "little"))
    for path in sorted(journal.glob("*.journal")):
        number = int(path.stem)
        if alive and number > last:
            break
        # behind a dead writer's mark there may be acts that count: keep all of it
        limit = end if alive and number == last else -1
        with contextlib.suppress(FileNotFoundError):
            _copy_prefix(path, segment_path(copy, number), limit)


def _is_alive(journal: Path) -> bool:
    with (journal / "lock").open("rb+") as stream:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _copy_prefix(source: Path, target: Path, limit: int) -> None:
    with source.open("rb") as stream:
        content = stream.read(limit)
    target.write_bytes(content)


@contextlib.contextmanager
def _log_writer_stopped(home: Path) -> Iterator[None]:
    path = home / _LOG_LOCK
    if not path.is_file():
        yield
        return
    with path.open("rb+") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        yield


def _copy_tree(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_dir():
            (target / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        elif _counts(path):
            _copy_file(path, target / name)


def _copy_rest(home: Path, folder: Path, without: Collection[str]) -> None:
    for path in sorted(home.iterdir()):
        if path.name in _SKIPPED or path.name in without or path.name.startswith("."):
            continue
        if path.is_dir() and path.name == "ledger":
            for part in sorted(path.iterdir()):
                if part.name != "journal":
                    _copy_any(part, folder / "ledger" / part.name)
        else:
            _copy_any(path, folder / path.name)


def _copy_any(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        _copy_tree(source, target)
    elif _counts(source):
        _copy_file(source, target)


def _counts(path: Path) -> bool:
    # names with a leading dot are files that somebody is still writing
    regular = path.is_file() and not path.is_symlink()
    return regular and not path.name.startswith(".") and not path.name.endswith(_SKIPPED_SUFFIXES)


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileNotFoundError):  # a file that went meanwhile has served
        if source.suffix == _IMMUTABLE:
            with contextlib.suppress(OSError):  # another file system has no links to ours
                os.link(source, target)
                return
        shutil.copyfile(source, target)
        target.chmod(source.stat().st_mode & 0o700)
