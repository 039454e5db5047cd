"""Backup and restore, each proved by facts that the caller reads from a home."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2

from secops.adapters.backup.archive import BackupRejected, pack, unpack
from secops.adapters.backup.snapshot import MAIN_DATABASE, take_snapshot
from secops.adapters.disk import free_bytes, sync_folder
from secops.kernel.catalogue import Text
from secops.kernel.clock import Clock
from secops.kernel.errors import Conflict, Unavailable
from secops.kernel.ids import Randomness

Facts = Callable[[Path], Mapping[str, Any]]
"""Reads what must be equal before and after from a home that nobody else has open: the
ledger's size and recomputed roots, the fingerprints of keys. JSON values."""


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
    home: Path, target: Path, *, clock: Clock, randomness: Randomness, facts: Facts
) -> BackupReport:
    """Write a backup of ``home``, which may be in use, to the new file ``target``.

    The facts are read from the copy, so that they are of the very same instant. What opens
    the key pool stays behind (``snapshot.SECRETS``): keep it elsewhere. Raises
    ``BackupFailed``; ``Conflict`` where the file exists.
    """
    if target.exists():
        msg = f"{target} exists already"
        raise Conflict(msg)
    if not (home / MAIN_DATABASE).is_file():
        # half a backup that looks like a whole one would be worse than none
        msg = f"{home} holds no {MAIN_DATABASE}: a PostgreSQL is backed up with its own tools"
        raise BackupFailed(msg)
    at = clock.now()
    try:
        with _staging(target.parent, randomness) as folder:
            take_snapshot(home, folder)
            found = facts(folder)
            _drop_traces(folder)
            manifest = pack(folder, target, found, at)
    except (OSError, dbapi2.Error) as error:
        msg = f"{type(error).__name__}: {error}"
        raise BackupFailed(msg) from error
    return _report(target, manifest)


def restore(source: Path, home: Path, *, randomness: Randomness, facts: Facts) -> BackupReport:
    """Make ``home``, absent or empty, what it was when ``source`` was written.

    Nothing is at ``home`` before every file's digest and every fact was found equal. Raises
    ``HomeNotEmpty``, ``BackupRejected``, ``BackupFailed``.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise HomeNotEmpty(f"{home} is not empty")
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with _staging(home.parent, randomness) as folder:
            manifest = unpack(source, folder, free_bytes(home.parent))
            _compare(manifest["facts"], facts(folder))
            if home.is_dir():
                home.rmdir()
            folder.rename(home)
            sync_folder(home.parent)
    except (OSError, dbapi2.Error) as error:
        msg = f"{type(error).__name__}: {error}"
        raise BackupFailed(msg) from error
    return _report(source, manifest)


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
