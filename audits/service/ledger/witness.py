"""Being a witness: cosign a log's checkpoint only if it extends the last one seen.

A witness holds a key of its own on a machine of its own. Once it has cosigned a checkpoint, no
later one of that log gets its word unless it proves to contain all that went before: an operator
who rolls back, rewrites or forks the ledger can't have the new history cosigned.
"""

from __future__ import annotations

from dataclasses import dataclass

from audits.core.c2sp import (
    NoteKey,
    TreeHead,
    format_note,
    parse_tree_head,
    split_note,
)
from audits.core.c2sp.cosignature import COSIGNATURE, cosignature_blob, cosigned_message
from audits.core.c2sp.note import keep_known, note_key, parse_vkey
from audits.core.c2sp.witnessing import SIZE_TYPE, AddCheckpoint, parse_add_checkpoint
from audits.core.rfc6962 import SHA256, verify_consistency
from audits.errors import NoteRejected
from audits.errors.witnesses import HistoryForked, StaleSize, UnknownLog
from audits.ports import SignatureVerifier
from audits.ports.witnesses import CosigningKey, WitnessMemory
from audits.service.ledger.signatures import check_of
from secops.kernel.clock import SECOND, Clock
from secops.kernel.errors import Invalid

__all__ = ["SIZE_TYPE", "Witness", "require_log_key", "require_witness_name"]


@dataclass(frozen=True, slots=True)
class WatchedLog:
    """A log that is watched, and what was cosigned of it last."""

    origin: str
    size: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Witness:
    """Answers ``add-checkpoint`` (https://c2sp.org/tlog-witness)."""

    key: CosigningKey
    memory: WitnessMemory
    verifier: SignatureVerifier
    clock: Clock

    @property
    def vkey(self) -> str:
        """The witness's verification key as one line."""
        return self._key().vkey

    def add_checkpoint(self, body: str) -> str:
        """Return the signature line of this witness for the checkpoint in ``body``.

        Raises ``UnknownLog``, ``NoteRejected`` (not signed by the log), ``Invalid`` (the old
        size is the greater one), ``StaleSize``, ``HistoryForked`` or ``ProofRejected``. What
        it answers with was made durable before, so that a restart can't make it forget.
        """
        asked = parse_add_checkpoint(body)
        with self.memory.alone():
            head, text, note = self._open(asked.checkpoint)
            self._check_growth(asked, head)
            line = self._cosign(text)
            self.memory.remember(head.origin, f"{note}{line}")
        return line

    def last(self, origin: str) -> str:
        """Return the last note cosigned for ``origin``; raise ``UnknownLog``."""
        note = self.memory.last(origin)
        if note is None:
            msg = f"nothing of {origin[:80]!r} was cosigned"
            raise UnknownLog(msg)
        return note

    def watched(self) -> list[WatchedLog]:
        """Return the logs that are watched, by origin."""
        return [self._watched(origin) for origin in sorted({key.name for key in self._logs()})]

    def _watched(self, origin: str) -> WatchedLog:
        note = self.memory.last(origin)
        size = None if note is None else parse_tree_head(split_note(note)[0]).size
        return WatchedLog(origin, size, note)

    def _open(self, checkpoint: str) -> tuple[TreeHead, str, str]:
        """Return the head, its text, and the note with the log's signatures alone."""
        text, _ = split_note(checkpoint)
        origin = parse_tree_head(text).origin
        keys = [key for key in self._logs() if key.name == origin]
        if not keys:
            msg = f"no log {origin[:80]!r} is watched here"
            raise UnknownLog(msg)
        note = keep_known(checkpoint, keys, check_of(self.verifier))
        return parse_tree_head(text), text, note

    def _logs(self) -> list[NoteKey]:
        return [parse_vkey(vkey) for vkey in self.memory.logs()]

    def _check_growth(self, asked: AddCheckpoint, head: TreeHead) -> None:
        if asked.old_size > head.size:
            msg = "the old size is greater than the checkpoint's"
            raise Invalid(msg)
        note = self.memory.last(head.origin)
        nothing = TreeHead(head.origin, 0, SHA256.empty())
        seen = nothing if note is None else parse_tree_head(split_note(note)[0])
        if asked.old_size != seen.size:
            raise StaleSize(seen.size)
        if seen.size == head.size and seen.root != head.root:
            msg = f"two roots at {head.size} entries"
            raise HistoryForked(msg)
        verify_consistency(
            SHA256, (seen.size, seen.root), (head.size, head.root), proof=asked.proof
        )

    def _cosign(self, text: str) -> str:
        at = self.clock.now() // SECOND
        blob = cosignature_blob(at, self.key.sign(cosigned_message(text, at)))
        return format_note(text, [(self._key(), blob)]).removeprefix(f"{text}\n")

    def _key(self) -> NoteKey:
        return note_key(self.key.name, COSIGNATURE, self.key.public)


def require_log_key(vkey: str) -> NoteKey:
    """Return the key of a log to watch; raise ``NoteRejected`` if its tree is not SHA-256's."""
    key = parse_vkey(vkey)
    if key.name.endswith("/sm3"):
        msg = "witnesses cosign the SHA-256 tree: give the key of the origin without /sm3"
        raise NoteRejected(msg)
    return key


def require_witness_name(name: str) -> str:
    """Return the name of a new witness; raise ``NoteRejected`` if no signature could bear it."""
    return note_key(name, COSIGNATURE, bytes(COSIGNATURE.public_bytes)).name
