"""Backup under load, restore into nothing: what comes back is what went in, or nothing does."""

from __future__ import annotations

import gzip
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from secops.adapters.backup.archive import MANIFEST, BackupRejected
from secops.adapters.backup.service import (
    BackupFailed,
    BackupReport,
    HomeNotEmpty,
    Place,
    back_up,
    restore,
)
from secops.adapters.database.tables import tasks
from secops.adapters.spine import COMMAND_FILE_BYTES, Spine, SpineOptions, open_spine
from secops.kernel.actors import system_actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Conflict
from secops.kernel.ids import SystemRandomness
from secops.kernel.jobs import Task
from secops.kernel.trail import Act
from tests.fakes.access import FakeAccess
from tests.fakes.parts import database_spine

RANDOM = SystemRandomness()


def no_facts(_: Path, _url: str) -> Mapping[str, Any]:
    return {}


def save(home: Path, target: Path, facts: Any = no_facts) -> BackupReport:
    return back_up(Place(home), target, clock=SystemClock(), randomness=RANDOM, facts=facts)


def bring_back(source: Path, home: Path, facts: Any = no_facts) -> BackupReport:
    return restore(source, Place(home), randomness=RANDOM, facts=facts)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def spine(home: Path) -> Iterator[Spine]:
    made = database_spine(home, clock=SystemClock())
    yield made
    made.close()


def change(spine: Spine, name: str) -> None:
    act = Act("test.state", system_actor("test"), f"x:{name}")

    def work(tx: Any) -> None:
        spine.parts.tasks.create(tx, Task(name, "org_root", "t", "done", 1, 1, 0))
        tx.record(act)

    spine.transactions.run(work)
    spine.parts.trail.append([act])


def door_counts(spine: Spine) -> list[int]:
    return [len(spine.doors.read_after(name, 0, 1 << 40).records) for name in spine.doors.names()]


def task_count(spine: Spine) -> int:
    count = select(func.count()).select_from(tasks)
    return int(spine.transactions.read(lambda tx: tx.execute(count).scalar_one()))


def test_a_home_in_use_comes_back_whole(tmp_path: Path, home: Path, spine: Spine) -> None:
    for number in range(30):
        change(spine, f"t{number}")
    blob = spine.parts.blobs.put(b"content")
    (home / "settings.toml").write_text("x = 1\n")
    (home / "segments" / "2026").mkdir(parents=True)
    (home / "segments" / "2026" / "a.parquet").write_bytes(b"PAR1")
    (home / "segments" / "writer.lock").touch()
    (home / "spool" / "p").mkdir(parents=True)
    (home / "spool" / "p" / "1.spool").write_bytes(b"events")
    (home / "unlock.key").write_text("opens the key pool")
    (home / "enrolments").mkdir()
    (home / "enrolments" / "a.txt").write_text("token")
    (home / "cache").mkdir()
    (home / "cache" / "x").write_text("can be made again")
    report = save(home, tmp_path / "b.tgz", lambda folder, _: {"size": _size(folder)})
    assert (tmp_path / "b.tgz").stat().st_mode & 0o777 == 0o600
    back = tmp_path / "back"
    restored = bring_back(tmp_path / "b.tgz", back, lambda folder, _: {"size": _size(folder)})
    assert (restored.files, restored.facts) == (report.files, report.facts)
    assert (back / "settings.toml").read_text() == "x = 1\n"
    assert (back / "segments" / "2026" / "a.parquet").read_bytes() == b"PAR1"
    assert (back / "spool" / "p" / "1.spool").read_bytes() == b"events"
    assert not any((back / name).exists() for name in ("cache", "unlock.key", "enrolments"))
    again = open_spine(
        SpineOptions(home=back, role="again", journal_bytes=COMMAND_FILE_BYTES),
        clock=SystemClock(),
        randomness=RANDOM,
        access=FakeAccess(),
    )
    again.start()
    assert (task_count(again), door_counts(again)) == (30, [30, 30])
    assert again.parts.blobs.get(blob) == b"content"
    change(again, "after")
    again.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tgz", "back", "home"]


def _size(folder: Path) -> int:
    return (folder / "secops.db").stat().st_size


def test_under_load_state_and_leaves_are_of_one_instant(
    tmp_path: Path, home: Path, spine: Spine
) -> None:
    stop = threading.Event()

    def write(thread: int) -> None:
        number = 0
        while not stop.is_set():
            change(spine, f"{thread}-{number}")
            number += 1

    threads = [threading.Thread(target=write, args=(index,)) for index in range(4)]
    change(spine, "first")  # there is a journal before the first backup
    for thread in threads:
        thread.start()
    sizes = []
    try:
        for number in range(3):
            save(home, tmp_path / f"b{number}.tgz")
            back = tmp_path / f"back{number}"
            bring_back(tmp_path / f"b{number}.tgz", back)
            again = database_spine(back, clock=SystemClock())
            states, (hot, database) = task_count(again), door_counts(again)
            again.close()
            assert states == database
            assert states - 4 <= hot <= states
            sizes.append(states)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert sizes == sorted(sizes)


def test_a_restore_never_overwrites(tmp_path: Path, home: Path, spine: Spine) -> None:
    save(home, tmp_path / "b.tgz")
    with pytest.raises(HomeNotEmpty):
        bring_back(tmp_path / "b.tgz", home)
    with pytest.raises(Conflict):
        save(home, tmp_path / "b.tgz")
    (tmp_path / "empty").mkdir()
    bring_back(tmp_path / "b.tgz", tmp_path / "empty")


def test_facts_that_differ_leave_nothing(tmp_path: Path, home: Path, spine: Spine) -> None:
    save(home, tmp_path / "b.tgz", lambda *_: {"root": "a", "keys": 3})
    with pytest.raises(BackupRejected, match="root"):
        bring_back(tmp_path / "b.tgz", tmp_path / "back", lambda *_: {"root": "b", "keys": 3})
    assert not (tmp_path / "back").exists()
    assert list(tmp_path.glob(".staging-*")) == []


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_flipped_byte_is_rejected_or_changes_no_content(
    tmp_path: Path, home: Path, spine: Spine
) -> None:
    save(home, tmp_path / "b.tgz")
    bring_back(tmp_path / "b.tgz", tmp_path / "good")
    content = gzip.decompress((tmp_path / "b.tgz").read_bytes())
    used = len(content.rstrip(b"\0"))
    rejected = 0
    for index in range(700, used, used // 40):
        broken = bytearray(content)
        broken[index] ^= 1
        (tmp_path / "x.tgz").write_bytes(gzip.compress(bytes(broken), 1))
        try:
            bring_back(tmp_path / "x.tgz", tmp_path / f"back{index}")
        except BackupRejected:
            rejected += 1
            assert not (tmp_path / f"back{index}").exists()
        else:  # padding, or a time in a tar header
            assert contents(tmp_path / f"back{index}") == contents(tmp_path / "good")
    assert rejected > 20


def test_a_cut_file_is_rejected(tmp_path: Path, home: Path, spine: Spine) -> None:
    save(home, tmp_path / "b.tgz")
    content = (tmp_path / "b.tgz").read_bytes()
    for end in (0, 10, len(content) // 2, len(content) - 9):
        (tmp_path / "x.tgz").write_bytes(content[:end])
        with pytest.raises(BackupRejected):
            bring_back(tmp_path / "x.tgz", tmp_path / "back")


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


@pytest.mark.parametrize(
    "members",
    [
        [(member("../evil"), b"x")],
        [(member("/evil"), b"x")],
        [(member("a/../../evil"), b"x")],
        [(member("./a"), b"x")],
        [(member("a"), b"x"), (member("a"), b"y")],
        [(member("a", tarfile.SYMTYPE, "/etc"), b"")],
        [(member("a", tarfile.LNKTYPE, "/etc/passwd"), b"")],
        [(member("a", tarfile.FIFOTYPE), b"")],
        [(member("a", tarfile.CHRTYPE), b"")],
        [(member("a"), b"x")],
        [],
        [(member(MANIFEST), b"[]")],
        [(member(MANIFEST), b"not json")],
        [(member(MANIFEST), b'{"format": "other", "files": {}}')],
        [(member(MANIFEST), b'{"format": "govsecops-backup-1", "files": {"a": [1, ""]}}')],
        [
            (member(MANIFEST), b'{"format": "govsecops-backup-1", "files": {}}'),
            (member("after"), b"x"),
        ],
    ],
)
def test_what_we_never_packed_is_rejected_and_nothing_escapes(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]
) -> None:
    (tmp_path / "x.tgz").write_bytes(packed(*members))
    with pytest.raises(BackupRejected):
        bring_back(tmp_path / "x.tgz", tmp_path / "back")
    assert [path.name for path in tmp_path.iterdir()] == ["x.tgz"]


def test_a_bomb_is_rejected_before_it_fills_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secops.adapters.backup.service.free_bytes", lambda _: 1_000)
    (tmp_path / "x.tgz").write_bytes(packed((member("a"), b"\0" * 1_001)))
    with pytest.raises(BackupRejected, match="room"):
        bring_back(tmp_path / "x.tgz", tmp_path / "back")


def test_a_backup_that_can_not_be_written_says_so(tmp_path: Path, home: Path, spine: Spine) -> None:
    with pytest.raises(BackupFailed):
        save(home, tmp_path / "nowhere" / "b.tgz")


def test_a_home_without_its_database_is_not_half_saved(tmp_path: Path, home: Path) -> None:
    with pytest.raises(BackupFailed, match=r"no secops\.db"):
        save(home, tmp_path / "b.tgz")
    assert not (tmp_path / "b.tgz").exists()
