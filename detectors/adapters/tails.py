"""Followed files: what is new in them, and how far each stream was read, durably.

Per source two files under ``home/tail``: the position (JSON, replaced whole) and the keys of
the lines read, 16 bytes each, of this file and the one before it (so that an equal line on
the other side of a rotation keeps its number). A crash between the two leaves more keys than
the position counts: the surplus is cut off. How a rotated file is found again stands in
``rotation``.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import orjson

from detectors.adapters.rotation import FoundFile, after, find_rest, fingerprint, opened, same_file
from detectors.models.logs import TailPiece, TailPosition
from secops.adapters.disk import make_folder, write_durably

_LOG: Final = logging.getLogger("detectors.tails")
_PIECE: Final = 4 << 20
_KEY: Final = 16


class LocalTails:
    """Implements ``ports.Tails`` with files under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, source: str, path: str) -> TailPiece | None:
        """Return what is new in the file at ``path``; None if nothing is.

        After a rotation (renamed, copied and truncated, packed) the rest of the old file is
        read first, then files that came and went in between, then the new one from its start.
        """
        position = self._state(source)[0]
        place = Path(path)
        if _is_fresh(position) or same_file(place, position):
            return _piece(FoundFile(place), position, grows=True) if place.exists() else None
        rest = find_rest(place, position)
        piece = None if rest is None else _old_piece(rest, position)
        fresh = TailPosition(generation=position.generation + 1, modified=position.modified)
        last = rest
        while piece is None and (last := after(place, last, position)) is not None:
            piece = _old_piece(last, fresh)
        if piece is None and place.exists():
            piece = _piece(FoundFile(place), fresh, grows=True)
        return piece

    def position(self, source: str) -> TailPosition:
        """Return how far the stream was read."""
        return self._state(source)[0]

    def line_keys(self, source: str) -> Sequence[bytes]:
        """Return the keys of the lines that the stream has had and still counts."""
        _, state = self._state(source)
        keys = []
        for generation in state["generations"]:
            content = self._keys_file(source, generation["number"]).read_bytes()
            content = content[: generation["length"]]
            keys += [content[n : n + _KEY] for n in range(0, len(content), _KEY)]
        return keys

    def advance(self, source: str, position: TailPosition, keys: Sequence[bytes]) -> None:
        """Make the new position durable; ``keys`` are those of the lines just read."""
        make_folder(self._folder)
        _, state = self._state(source)
        generations: list[dict[str, int]] = state["generations"]
        if not generations or generations[-1]["number"] != position.generation:
            generations.append({"number": position.generation, "length": 0})
        current = generations[-1]
        path = self._keys_file(source, position.generation)
        with path.open("r+b" if path.exists() else "w+b") as stream:
            stream.truncate(current["length"])
            stream.seek(current["length"])
            stream.write(b"".join(keys))
            stream.flush()
            os.fsync(stream.fileno())
        current["length"] += _KEY * len(keys)
        kept, gone = generations[-2:], generations[:-2]
        record = {"position": asdict(position), "generations": kept, "source": source}
        write_durably(self._state_file(source), orjson.dumps(record))
        for generation in gone:
            self._keys_file(source, generation["number"]).unlink(missing_ok=True)

    def _state(self, source: str) -> tuple[TailPosition, dict[str, Any]]:
        try:
            record = orjson.loads(self._state_file(source).read_bytes())
        except FileNotFoundError:
            return TailPosition(), {"generations": []}
        return TailPosition(**record["position"]), record

    def _state_file(self, source: str) -> Path:
        return self._folder / f"{_file_name(source)}.json"

    def _keys_file(self, source: str, generation: int) -> Path:
        return self._folder / f"{_file_name(source)}.{generation}.keys"


def _file_name(source: str) -> str:
    """Return a safe file name for ``source``, which may hold anything printable."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]


def _is_fresh(position: TailPosition) -> bool:
    return position.offset == 0 and not position.head


def _old_piece(found: FoundFile, position: TailPosition) -> TailPiece | None:
    """Return the next lines of a rotated file; a damaged one is named and has none."""
    try:
        return _piece(found, position, grows=False)
    except (OSError, EOFError, zlib.error) as error:
        _LOG.warning("%s can't be read: %s", found.path, error)
        return None


def _piece(found: FoundFile, position: TailPosition, *, grows: bool) -> TailPiece | None:
    """Return the next lines of ``found``; ``position`` fits it, or is the start."""
    with opened(found) as stream:
        status = found.path.stat()
        head, head_length = fingerprint(stream, position.offset)
        stream.seek(position.offset)
        content = stream.read(_PIECE)
    if not content:
        return None
    whole, skipping, lines = _cut(content, position, is_last=not grows and len(content) < _PIECE)
    if not whole:
        return None
    skipped = whole.find(b"\n") + 1 if position.skipping else 0
    following = replace(
        position,
        inode=status.st_ino,
        offset=position.offset + len(whole),
        index=position.index + lines,
        skipping=skipping,
        head=head,
        head_length=head_length,
        modified=status.st_mtime_ns,
    )
    return TailPiece(
        content=b"" if position.skipping and not skipped else whole[skipped:],
        first_index=position.index + (1 if skipped else 0),
        first_offset=position.offset + skipped,
        position=following,
        more=not grows or following.offset < status.st_size,
        modified=status.st_mtime_ns // 1_000,
        grows=grows and len(content) < _PIECE,
    )


def _cut(content: bytes, position: TailPosition, *, is_last: bool) -> tuple[bytes, bool, int]:
    """Return the part of ``content`` to take now, whether its last line goes on, and its LFs.

    A line that fills the whole piece is taken (it will be refused as too long) and the rest
    of it is passed over: it must not be read as lines of its own.
    """
    end = content.rfind(b"\n") + 1
    if end == 0 and len(content) == _PIECE:
        return content, True, 0
    if is_last:
        return content, False, content.count(b"\n")
    whole = content[:end]
    return whole, position.skipping and not whole, whole.count(b"\n")
