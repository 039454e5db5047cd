"""Blob files: damage is told, and what can't be kept is not promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from secops.adapters.blobs import FileBlobs
from secops.kernel.errors import Unavailable
from secops.kernel.ids import SystemRandomness


def blobs(folder: Path) -> FileBlobs:
    return FileBlobs(folder / "blobs", SystemRandomness())


def place(folder: Path, name: str) -> Path:
    return folder / "blobs" / name[:2] / name[2:]


@pytest.mark.parametrize("content", [b"changed", b"conten", b"content and more", b""])
def test_a_changed_blob_is_never_given_out(tmp_path: Path, content: bytes) -> None:
    kept = blobs(tmp_path)
    name = kept.put(b"content")
    place(tmp_path, name).write_bytes(content)
    with pytest.raises(Unavailable, match=name):
        kept.get(name)


def test_putting_it_again_repairs_a_cut_blob(tmp_path: Path) -> None:
    kept = blobs(tmp_path)
    name = kept.put(b"content")
    place(tmp_path, name).write_bytes(b"con")
    kept.put(b"content")
    assert kept.get(name) == b"content"


def test_a_blob_is_private_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    name = blobs(tmp_path).put(b"content")
    assert [path.name for path in place(tmp_path, name).parent.iterdir()] == [name[2:]]
    assert place(tmp_path, name).stat().st_mode & 0o777 == 0o600


def test_what_can_not_be_written_is_not_promised(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("in the way")
    with pytest.raises(Unavailable):
        blobs(tmp_path).put(b"content")


def test_a_write_that_fails_in_the_middle_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError

    monkeypatch.setattr("secops.adapters.blobs.os.fsync", full)
    with pytest.raises(Unavailable):
        blobs(tmp_path).put(b"content")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_can_not_be_read_is_unavailable_and_not_absent(tmp_path: Path) -> None:
    kept = blobs(tmp_path)
    name = kept.put(b"content")
    place(tmp_path, name).unlink()
    place(tmp_path, name).mkdir()
    with pytest.raises(Unavailable):
        kept.get(name)
