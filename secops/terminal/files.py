"""Files that a person names on the command line."""

from __future__ import annotations

from pathlib import Path

import click


def read_at_most(path: Path, most: int, what: str) -> bytes:
    """Return the bytes of ``what`` stands in ``path``; raise ``UsageError`` above ``most`` bytes.

    No more than that is read, of a pipe neither, whose size nothing tells beforehand.
    """
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        msg = f"{what} has at most {most} bytes"
        raise click.UsageError(msg)
    return content
