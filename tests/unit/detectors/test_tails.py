"""Following files through every kind of rotation: nothing is lost, nothing is read twice."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.adapters.tails import LocalTails

SOURCE = "auth"


class Stream:
    """A followed file, its writer and its reader."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "auth.log"
        self.state = folder / "state"
        self.written = 0
        self.clock = 1_700_000_000
        self.read: list[bytes] = []

    def write(self, count: int, *, whole: bool = True) -> None:
        with self.log.open("ab") as stream:
            for _ in range(count):
                stream.write(b"line %d\n" % self.written)
                self.written += 1
            if not whole:
                stream.write(b"half")
        self.tick()

    def tick(self) -> None:
        self.clock += 10
        if self.log.exists():
            os.utime(self.log, (self.clock, self.clock))

    def rename(self) -> None:
        """Rotate as logrotate does by default: names move up, a new file begins."""
        for number in (3, 2, 1):
            for ending in ("", ".gz"):
                old = self.folder / f"auth.log.{number}{ending}"
                if old.exists():
                    old.rename(self.folder / f"auth.log.{number + 1}{ending}")
        if self.log.exists():
            self.log.rename(self.folder / "auth.log.1")
        self.log.touch()
        self.tick()

    def copy_and_truncate(self) -> None:
        for number in (3, 2, 1):
            old = self.folder / f"auth.log.{number}"
            if old.exists():
                old.rename(self.folder / f"auth.log.{number + 1}")
        if self.log.exists():
            shutil.copy2(self.log, self.folder / "auth.log.1")
            os.truncate(self.log, 0)
        self.tick()

    def pack(self) -> None:
        """gzip what lies there, keeping the time as gzip(1) does."""
        for number in (1, 2, 3, 4):
            old = self.folder / f"auth.log.{number}"
            if old.exists():
                status = old.stat()
                packed = self.folder / f"auth.log.{number}.gz"
                packed.write_bytes(gzip.compress(old.read_bytes()))
                os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
                old.unlink()

    def follow(self) -> None:
        """Read all that is new, each time with a reader that knows only the durable state."""
        for _ in range(200):
            tails = LocalTails(self.state)
            piece = tails.read(SOURCE, str(self.log))
            if piece is None:
                return
            self.read += piece.content.splitlines()
            tails.advance(SOURCE, piece.position, [b"k" * 16] * piece.content.count(b"\n"))
        pytest.fail("the reading does not end")

    @property
    def expected(self) -> list[bytes]:
        return [b"line %d" % n for n in range(self.written)]


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    return Stream(tmp_path)


def test_rotation_by_renaming_reads_the_rest_first(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    stream.write(2)
    stream.rename()
    stream.write(2)
    stream.follow()
    assert stream.read == stream.expected


def test_copy_and_truncate_reads_what_was_copied_first(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    stream.write(2)
    stream.copy_and_truncate()
    stream.write(9)  # longer than before: the size alone tells nothing
    stream.follow()
    assert stream.read == stream.expected


def test_a_rotated_file_that_was_packed_before_it_was_read_is_unpacked(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    stream.write(5)
    stream.rename()
    stream.pack()
    stream.write(1)
    stream.follow()
    assert stream.read == stream.expected


def test_several_rotations_while_nobody_read_lose_nothing(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    stream.write(2)
    stream.rename()
    stream.write(4)
    stream.rename()
    stream.pack()
    stream.write(4)
    stream.rename()
    stream.write(1)
    stream.follow()
    assert stream.read == stream.expected


def test_a_deleted_files_inode_in_a_new_file_is_no_old_file(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    inode = stream.log.stat().st_ino
    content = b"".join(b"other %d\n" % n for n in range(20))
    with stream.log.open("r+b") as same:  # the same inode, as if it were given again
        same.truncate(0)
        same.write(content)
    assert stream.log.stat().st_ino == inode
    stream.follow()
    assert stream.read == stream.expected + content.splitlines()


def test_a_rotated_file_that_was_deleted_leaves_the_new_one(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    stream.log.unlink()
    stream.tick()
    stream.follow()
    stream.log.write_bytes(b"fresh\n")
    stream.follow()
    assert stream.read == [*stream.expected, b"fresh"]


def test_what_only_looks_like_a_rotated_file_is_left_alone(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    for name in ("auth.log.bak", "auth.log.swp", "auth.logger", "auth.log.1.zip"):
        (stream.folder / name).write_bytes(b"foreign\n")
    stream.rename()
    stream.write(1)
    stream.follow()
    assert stream.read == stream.expected


def test_dated_names_are_rotated_files_too(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    stream.write(2)
    stream.log.rename(stream.folder / "auth-20261122.log")
    stream.write(1)
    stream.follow()
    assert stream.read == stream.expected


def test_a_half_line_waits_and_the_last_one_of_a_rotated_file_counts(stream: Stream) -> None:
    stream.write(1, whole=False)
    stream.follow()
    assert stream.read == [b"line 0"]
    stream.rename()
    stream.follow()
    assert stream.read == [b"line 0", b"half"]


def test_a_damaged_packed_file_does_not_stop_the_stream(stream: Stream) -> None:
    stream.write(3)
    stream.follow()
    stream.rename()
    stream.pack()
    packed = stream.folder / "auth.log.1.gz"
    packed.write_bytes(packed.read_bytes()[:-12])
    stream.write(2)
    stream.follow()
    assert stream.read == stream.expected


STEPS = st.lists(st.sampled_from(["write", "rename", "copy", "pack", "follow"]), max_size=14)


@given(STEPS)
@settings(max_examples=80)
def test_any_order_of_writing_rotating_and_reading_reads_each_line_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    stream = Stream(tmp_path_factory.mktemp("tail"))
    stream.write(2)
    stream.follow()
    copied = False
    for step in steps:
        if step == "write":
            stream.write(3)
        elif step == "rename" and not copied:
            stream.write(1)  # an empty file is not rotated
            stream.rename()
        elif step == "copy":
            stream.write(1)
            stream.copy_and_truncate()
            copied = True
        elif step == "pack" and not copied:
            stream.pack()
        elif step == "follow":
            stream.follow()
        if len(list(stream.folder.glob("auth.log.*"))) > 3:
            stream.follow()
    stream.follow()
    assert stream.read == stream.expected
