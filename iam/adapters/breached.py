"""A sorted file of digests of passwords that are known to attackers; nothing is fetched.

Lines are SHA-1 digests in upper-case hex, whole or cut to 16 digits or more, sorted, with or
without ``:COUNT`` behind (the form in which such lists are handed out). A search reads about
40 short pieces of the file, whatever its size.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO, Final

from secops.kernel.errors import Invalid

_LINE: Final = re.compile(rb"[0-9A-F]{16,40}")
_PIECE: Final = 128


class BreachedFile:
    """Implements ``iam.ports.BreachedPasswords`` by binary search."""

    def __init__(self, path: Path) -> None:
        """Look at the file; raise ``Invalid`` if its first lines are of another form."""
        self._path = path
        try:
            with path.open("rb") as file:
                head = file.read(4 * _PIECE).split(b"\n")[:3]
        except OSError as error:
            msg = f"the list of breached passwords {path} can't be read"
            raise Invalid(msg) from error
        digests = [line.partition(b":")[0].strip() for line in head if line.strip()]
        if not digests or any(_LINE.fullmatch(digest) is None for digest in digests):
            msg = f"{path} is no sorted list of SHA-1 digests in upper-case hex"
            raise Invalid(msg)

    def holds(self, digest: str) -> bool:
        """Tell whether the SHA-1 ``digest`` (upper-case hex) or a prefix of it is listed."""
        wanted = digest.encode()
        with self._path.open("rb") as file:
            low, high = 0, os.fstat(file.fileno()).st_size
            while low < high:
                middle = (low + high) // 2
                start = _line_start(file, middle) if middle > low else low
                if start >= high:
                    high = middle
                    continue
                file.seek(start)
                line = file.readline(_PIECE)
                listed = line.partition(b":")[0].strip()
                if listed and wanted.startswith(listed):
                    return True
                if listed < wanted:
                    low = start + len(line)
                else:
                    high = middle
            return False


def _line_start(file: BinaryIO, place: int) -> int:
    """Return where the first line begins that begins at ``place`` or later."""
    file.seek(place - 1)
    file.readline(_PIECE)
    return file.tell()
