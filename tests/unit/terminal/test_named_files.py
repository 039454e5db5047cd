"""Files that a person names are read up to their greatest size and no further."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import click
import pytest

from secops.terminal.files import read_at_most


def test_a_file_is_read_up_to_its_greatest_size(tmp_path: Path) -> None:
    file = tmp_path / "proof.txt"
    file.write_bytes(b"abc")
    assert read_at_most(file, 3, "a proof") == b"abc"
    with pytest.raises(click.UsageError, match="a proof has at most 2 bytes"):
        read_at_most(file, 2, "a proof")


def test_a_pipe_that_tells_no_size_is_held_to_it_too(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(b"x" * 9,))
    writer.start()
    with pytest.raises(click.UsageError, match="at most 8 bytes"):
        read_at_most(pipe, 8, "a proof")
    writer.join()
