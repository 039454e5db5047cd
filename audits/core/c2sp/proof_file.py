"""The proof file (https://c2sp.org/tlog-proof): an entry's proof and its checkpoint in one."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.c2sp.checkpoint import decimal, hash_line
from audits.core.c2sp.note import MAX_NOTE
from audits.errors import MalformedProof, NoteRejected

HEADER: Final = "c2sp.org/tlog-proof@v1"
_MAX_HASHES: Final = 64


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A proof as read: nothing of it has been verified. ``checkpoint`` is a signed note."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""


def format_proof(index: int, hashes: Sequence[bytes], checkpoint: str) -> str:
    """Return the proof file of entry ``index`` under ``checkpoint`` (a signed note)."""
    lines = [HEADER, f"index {index}", *(base64.b64encode(one).decode() for one in hashes)]
    return "\n".join(lines) + "\n\n" + checkpoint


def parse_proof(text: str) -> ProofFile:
    """Read a proof file; raise ``MalformedProof`` if it is not one."""
    if len(text) > 2 * MAX_NOTE:
        msg = "the proof file is too long"
        raise MalformedProof(msg)
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != HEADER:
        msg = f"the file does not begin with {HEADER}"
        raise MalformedProof(msg)
    extra = b""
    try:
        if lines and lines[0].startswith("extra "):
            extra = base64.b64decode(lines.pop(0)[6:], validate=True)
        index = decimal(_index_of(lines), "index")
        hashes = tuple(hash_line(line) for line in lines)
    except (NoteRejected, ValueError) as error:
        raise MalformedProof(str(error)) from error
    if len(hashes) > _MAX_HASHES:
        msg = f"a proof has at most {_MAX_HASHES} hashes"
        raise MalformedProof(msg)
    return ProofFile(index, hashes, checkpoint, extra)


def _index_of(lines: list[str]) -> str:
    if not lines or not lines[0].startswith("index "):
        msg = "the file has no line `index …`"
        raise MalformedProof(msg)
    return lines.pop(0)[6:]
