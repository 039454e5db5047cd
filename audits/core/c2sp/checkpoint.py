"""The text that a checkpoint signs (https://c2sp.org/tlog-checkpoint).

Origin, size, base64 root: three lines, no extensions. The format fixes the hash to SHA-256,
so the SM3 tree of the same records is another log with an origin of its own (``…/sm3``).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from audits.core.rfc6962.hashing import HASH_BYTES
from audits.errors import NoteRejected

MAX_SIZE: Final = 2**63 - 1
_MAX_DIGITS: Final = 19
_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree's size and root, under the name of its log."""

    origin: str
    size: int
    root: bytes


def format_tree_head(head: TreeHead) -> str:
    """Return the note text of ``head``."""
    return f"{head.origin}\n{head.size}\n{base64.b64encode(head.root).decode()}\n"


def decimal(text: str, what: str) -> int:
    """Read a decimal without sign or leading zeroes; raise ``NoteRejected`` otherwise."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        msg = f"the {what} is not a decimal number"
        raise NoteRejected(msg)
    if str(int(text)) != text or int(text) > MAX_SIZE:
        msg = f"the {what} has leading zeroes or is too great"
        raise NoteRejected(msg)
    return int(text)


def hash_line(text: str) -> bytes:
    """Read one base64 line of 32 bytes; raise ``NoteRejected`` otherwise."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        msg = "a hash is not base64"
        raise NoteRejected(msg) from error
    if len(raw) != HASH_BYTES or base64.b64encode(raw).decode() != text:
        msg = "a hash is not 32 bytes in canonical base64"
        raise NoteRejected(msg)
    return raw


def parse_tree_head(text: str) -> TreeHead:
    """Read the text of a checkpoint; raise ``NoteRejected`` if it is of another shape."""
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines[-1] or not lines[0]:
        msg = "a checkpoint has three lines: origin, size, root"
        raise NoteRejected(msg)
    return TreeHead(lines[0], decimal(lines[1], "size"), hash_line(lines[2]))
