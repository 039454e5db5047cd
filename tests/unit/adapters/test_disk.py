"""What the disk is: read from the system, not guessed."""

from __future__ import annotations

import os
from pathlib import Path

from secops.adapters import disk


def test_free_bytes_are_what_an_ordinary_process_may_write(tmp_path: Path) -> None:
    state = os.statvfs(tmp_path)
    assert 0 < disk.free_bytes(tmp_path) <= state.f_blocks * state.f_frsize


def test_the_file_system_of_a_folder_is_named_by_its_mount() -> None:
    assert disk.filesystem(Path("/proc/self")) == "proc"
    assert not disk.is_remote(Path("/proc"))


def test_a_sync_takes_some_time_and_leaves_nothing(tmp_path: Path) -> None:
    assert disk.sync_seconds(tmp_path, count=3) > 0
    assert list(tmp_path.iterdir()) == []


def test_syncing_a_folder_needs_the_folder(tmp_path: Path) -> None:
    disk.sync_folder(tmp_path)
