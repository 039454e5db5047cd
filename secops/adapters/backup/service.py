"""Backup and restore, each proved by facts that the caller reads from a home."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2
from sqlalchemy.exc import SQLAlchemyError

from secops.adapters.backup.archive import BackupRejected, pack, unpack
from secops.adapters.backup.snapshot import (
    MAIN_DATABASE,
    copy_databases,
    copy_files,
    copy_journals,
    journals_held,
)
from secops.adapters.backup.tables import FOLDER as DUMP
from secops.adapters.backup.tables import (
    Migrate,
    drop_tables,
    exported_snapshot,
    load_tables,
)
from secops.adapters.database.engine import database_url
from secops.adapters.disk import free_bytes, sync_folder
from secops.kernel.catalogue import Text
from secops.kernel.clock import Clock
from secops.kernel.errors import Conflict, Unavailable
from secops.kernel.ids import Randomness

Facts = Callable[[Path, str], Mapping[str, Any]]
"""Reads what must be equal before and after, from a home and its database's URL: the
ledger's size and recomputed roots, the fingerprints of keys. JSON values."""


@dataclass(frozen=True, slots=True)
class Place:
    """A home and, where it is not the SQLite file in it, its PostgreSQL's URL.

    ``migrate`` makes the tables of an empty PostgreSQL; only a restore needs it.
    """

    home: Path
    database_url: str | None = None
    migrate: Migrate = lambda _: None


class BackupFailed(Unavailable):
    """The home could not be copied, or the backup not be written."""

    code = "backup.failed"
    title = Text("备份失败", "The backup failed")
    remedy = Text(
        "请检查磁盘空间与权限后重试。", "Check disk space and permissions, and try again."
    )


class HomeNotEmpty(Conflict):
    """A restore never overwrites."""

    code = "backup.home_not_empty"
    title = Text("目标目录不为空", "The home is not empty")
    remedy = Text("请指定一个不存在或为空的目录。", "Name a folder that is absent or empty.")


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What is in a backup; ``at`` is when it was begun, UTC microseconds."""

    path: Path
    at: int
    files: int
    content_bytes: int
    facts: Mapping[str, Any]


def back_up(
    place: Place, target: Path, *, clock: Clock, randomness: Randomness, facts: Facts
) -> BackupReport:
    """Write a backup of ``place``, which may be in use, to the new file ``target``.

    The facts are of the very same instant. What opens the key pool stays behind
    (``snapshot.SECRETS``): keep it elsewhere. Raises ``BackupFailed``; ``Conflict`` where the
    file exists.
    """
    if target.exists():
        msg = f"{target} exists already"
        raise Conflict(msg)
    at = clock.now()
    try:
        with _staging(target.parent, randomness) as folder:
            found = _copy(place, folder, facts)
            _drop_traces(folder)
            manifest = pack(folder, target, found, at)
    except (OSError, dbapi2.Error, SQLAlchemyError) as error:
        msg = f"{type(error).__name__} while copying"
        raise BackupFailed(msg) from error
    return _report(target, manifest)


def restore(source: Path, place: Place, *, randomness: Randomness, facts: Facts) -> BackupReport:
    """Make ``place``, absent or empty, what it was when ``source`` was written.

    Nothing is there before every file's digest and every fact was found equal. Raises
    ``HomeNotEmpty``, ``BackupRejected``, ``BackupFailed``.
    """
    home = place.home
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        msg = f"{home} is not empty"
        raise HomeNotEmpty(msg)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with _staging(home.parent, randomness) as folder:
            manifest = unpack(source, folder, free_bytes(home.parent))
            _fill_database(place, folder, manifest["facts"], facts)
            if home.is_dir():
                home.rmdir()
            folder.rename(home)
            sync_folder(home.parent)
    except (OSError, dbapi2.Error, SQLAlchemyError) as error:
        msg = f"{type(error).__name__} while restoring"
        raise BackupFailed(msg) from error
    return _report(source, manifest)


def _copy(place: Place, folder: Path, facts: Facts) -> Mapping[str, Any]:
    home, url = place.home, place.database_url
    if url is not None:
        with journals_held(home) as held, exported_snapshot(url) as snapshot:
            copy_journals(home, folder, held)
            snapshot.dump(folder)
            copy_files(home, folder)
            return facts(folder, snapshot.url)
    if not (home / MAIN_DATABASE).is_file():
        # half a backup that looks like a whole one would be worse than none
        msg = f"{home} holds no {MAIN_DATABASE}, and no DATABASE_URL is set"
        raise BackupFailed(msg)
    copy_databases(home, folder)
    copy_files(home, folder)
    return facts(folder, database_url(folder, None))


def _fill_database(place: Place, folder: Path, expected: Mapping[str, Any], facts: Facts) -> None:
    dumped = (folder / DUMP).is_dir()
    if dumped != (place.database_url is not None):
        wanted = (
            "an empty PostgreSQL as DATABASE_URL" if dumped else "no DATABASE_URL: it is SQLite"
        )
        msg = f"this backup needs {wanted}"
        raise BackupRejected(msg)
    if place.database_url is None:
        _compare(expected, facts(folder, database_url(folder, None)))
        return
    load_tables(place.database_url, folder, place.migrate)
    try:
        _compare(expected, facts(folder, place.database_url))
    except BaseException:
        drop_tables(place.database_url)
        raise
    shutil.rmtree(folder / DUMP)


def _compare(expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    names = sorted({*expected, *found})
    different = [name for name in names if expected.get(name) != found.get(name)]
    if different:
        msg = f"what was restored differs from what was saved: {', '.join(different)}"
        raise BackupRejected(msg)


@contextlib.contextmanager
def _staging(parent: Path, randomness: Randomness) -> Iterator[Path]:
    folder = parent / f".staging-{randomness.bytes(8).hex()}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _drop_traces(folder: Path) -> None:
    """Remove what looking at the copy's databases may have left beside them."""
    for pattern in ("*.db-wal", "*.db-shm"):
        for path in folder.rglob(pattern):
            if path.name.endswith("-wal") and path.stat().st_size:
                msg = f"{path.name} was changed while it was looked at"
                raise OSError(msg)
            path.unlink()


def _report(path: Path, manifest: Mapping[str, Any]) -> BackupReport:
    files = manifest["files"]
    size = sum(size for size, _ in files.values())
    return BackupReport(path, manifest["at"], len(files), size, manifest["facts"])
