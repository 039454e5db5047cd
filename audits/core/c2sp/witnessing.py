"""What a log asks of a witness (https://c2sp.org/tlog-witness, ``add-checkpoint``).

``old N``, at most 63 lines of a consistency proof, an empty line, the checkpoint.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.c2sp.checkpoint import decimal, hash_line
from audits.errors import MalformedProof, NoteRejected

MAX_PROOF: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"
"""The media type of the size that a witness answers with 409."""
_OLD: Final = "old "


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: the size that the log believes the witness saw last, proof, new checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: str


def format_add_checkpoint(old_size: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """Return the body of a request."""
    lines = "".join(f"{base64.b64encode(each).decode()}\n" for each in proof)
    return f"{_OLD}{old_size}\n{lines}\n{checkpoint}"


def parse_add_checkpoint(body: str) -> AddCheckpoint:
    """Read the body of a request; raise ``MalformedProof`` for another shape."""
    top, parted, checkpoint = body.partition("\n\n")
    first, *lines = top.split("\n")
    if not parted or not first.startswith(_OLD) or len(lines) > MAX_PROOF:
        msg = "a request is `old N`, at most 63 hashes, an empty line and a checkpoint"
        raise MalformedProof(msg)
    try:
        old_size = decimal(first.removeprefix(_OLD), "old size")
        proof = tuple(hash_line(line) for line in lines)
    except NoteRejected as error:
        raise MalformedProof(error.detail) from error
    return AddCheckpoint(old_size, proof, checkpoint)
