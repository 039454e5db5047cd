"""Followed files: what is new in them, and how far each stream was read, durably.

Per source two files under ``home/tail``: the position (JSON, replaced whole) and the keys of
the lines read, 16 bytes each, of this file and the one before it (so that an equal line on
the other side of a rotation keeps its number). A crash between the two leaves more keys than
the position counts: the surplus is cut off.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import orjson

from detectors.adapters.segments.files import make_folder, write_durably
from detectors.models.logs import TailPiece, TailPosition

_PIECE: Final = 4 << 20
_KEY: Final = 16


class LocalTails:
    """Implements ``ports.Tails`` with files under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, source: str, path: str) -> TailPiece | None:
        """Return what is new in the file at ``path``; None if nothing is.

        After a rotation the rest of the old file is read first, as long as it lies beside
        the new one. A file that shrank in place is read from its start.
        """
        position = self._state(source)[0]
        place = Path(path)
        try:
            inode = place.stat().st_ino
        except FileNotFoundError:
            return None
        if position.inode not in (0, inode):
            old = _sibling(place, position.inode)
            if old is not None:
                piece = _piece(old, position, is_old=True)
                if piece is not None:
                    return piece
            position = TailPosition(inode=inode)
        return _piece(place, position, is_old=False)

    def position(self, source: str) -> TailPosition:
        """Return how far the stream was read."""
        return self._state(source)[0]

    def line_keys(self, source: str) -> Sequence[bytes]:
        """Return the keys of the lines that the stream has had and still counts."""
        _, state = self._state(source)
        keys = []
        for generation in state["generations"]:
            content = self._keys_file(source, generation["inode"]).read_bytes()
            content = content[: generation["length"]]
            keys += [content[n : n + _KEY] for n in range(0, len(content), _KEY)]
        return keys

    def advance(self, source: str, position: TailPosition, keys: Sequence[bytes]) -> None:
        """Make the new position durable; ``keys`` are those of the lines just read."""
        make_folder(self._folder)
        _, state = self._state(source)
        generations: list[dict[str, int]] = state["generations"]
        if not generations or generations[-1]["inode"] != position.inode:
            generations.append({"inode": position.inode, "length": 0})
        current = generations[-1]
        path = self._keys_file(source, position.inode)
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
            self._keys_file(source, generation["inode"]).unlink(missing_ok=True)

    def _state(self, source: str) -> tuple[TailPosition, dict[str, Any]]:
        try:
            record = orjson.loads(self._state_file(source).read_bytes())
        except FileNotFoundError:
            return TailPosition(), {"generations": []}
        return TailPosition(**record["position"]), record

    def _state_file(self, source: str) -> Path:
        return self._folder / f"{_file_name(source)}.json"

    def _keys_file(self, source: str, inode: int) -> Path:
        return self._folder / f"{_file_name(source)}.{inode}.keys"


def _file_name(source: str) -> str:
    """Return a safe file name for ``source``, which may hold anything printable."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]


def _sibling(path: Path, inode: int) -> Path | None:
    """Return the file beside ``path`` that has ``inode``: where rotation has moved it."""
    for candidate in path.parent.iterdir():
        try:
            if candidate.is_file() and candidate.stat().st_ino == inode:
                return candidate
        except FileNotFoundError:
            continue
    return None


def _piece(path: Path, position: TailPosition, *, is_old: bool) -> TailPiece | None:
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        if status.st_size < position.offset:
            position = TailPosition(inode=status.st_ino)
        stream.seek(position.offset)
        content = stream.read(_PIECE)
    if not content:
        return None
    whole, skipping, lines = _cut(content, position, is_last=is_old and len(content) < _PIECE)
    if not whole:
        return None
    skipped = whole.find(b"\n") + 1 if position.skipping else 0
    after = TailPosition(
        inode=status.st_ino,
        offset=position.offset + len(whole),
        index=position.index + lines,
        skipping=skipping,
    )
    return TailPiece(
        content=b"" if position.skipping and not skipped else whole[skipped:],
        first_index=position.index + (1 if skipped else 0),
        first_offset=position.offset + skipped,
        position=after,
        more=is_old or after.offset < status.st_size,
        modified=status.st_mtime_ns // 1_000,
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
