"""Files as the plane's commands take them, and places on documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from kms.models.stamps import Stamping

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT: Final = click.Path(dir_okay=False, path_type=Path)
OK: Final = {True: "✓", False: "✗", None: "–"}
"""How the verdict of a step is shown."""

_MAX_FILE: Final = 20 << 20
_CHUNK: Final = 1 << 20


def stamping_of(places: Sequence[str], edge: float | None) -> Stamping:
    """Return what ``--at`` and ``--edge`` say; raise ``BadParameter``."""
    from kms.models.stamps import EdgePlace, Stamping, StampPlace  # noqa: PLC0415 - quick --help

    found = []
    for text in places:
        try:
            page, x, y = text.split(",")
            found.append(StampPlace(int(page), float(x), float(y)))
        except ValueError as error:
            msg = f"--at is PAGE,X,Y in mm, not {text[:60]!r}"
            raise click.BadParameter(msg) from error
    return Stamping(tuple(found), None if edge is None else EdgePlace(edge))


def content_of(path: Path, limit: int = _MAX_FILE) -> bytes:
    """Return the file's bytes, one more than ``limit`` at most: the service refuses those."""
    with path.open("rb") as stream:
        return stream.read(limit + 1)


def sm3_of(path: Path) -> bytes:
    """Return the SM3 of a file of any size."""
    return digest_of(path, "sm3")


def digest_of(path: Path, hash_name: str) -> bytes:
    """Return the digest by ``hash_name`` of a file of any size."""
    from secops.crypto.hashes import stream as running_hash  # noqa: PLC0415

    engine = running_hash(hash_name)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            engine.update(chunk)
    return engine.finalize()
