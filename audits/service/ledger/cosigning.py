"""Asking witnesses: send them the newest checkpoint, keep what they cosigned.

What a witness refuses because histories differ is an alarm, not a fault of the network.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from audits.core.c2sp import NoteKey, split_note
from audits.core.c2sp.checkpoint import decimal
from audits.core.c2sp.cosignature import open_cosignatures, parse_witness_key
from audits.core.c2sp.witnessing import format_add_checkpoint
from audits.errors import NoteRejected
from audits.errors.witnesses import HistoryForked, WitnessMissing
from audits.models import Checkpoint
from audits.ports import SignatureVerifier
from audits.ports.witnesses import Post, WitnessedNotes
from audits.service.ledger.cosigned import LastCosigned, cosigned_by
from audits.service.ledger.files import LedgerFiles
from secops.kernel.actors import system_actor
from secops.kernel.clock import SECOND, Clock
from secops.kernel.errors import SecopsError
from secops.kernel.trail import Act, Trail

_LOG: Final = logging.getLogger("secops.witnesses")
_ACTOR: Final = system_actor("sequencer")
_OK: Final = 200
_CONFLICT: Final = 409
_REJECTED: Final = 422
_MAX_LINES: Final = 8_192
FRESH_SECONDS: Final = 300
"""A ledger at rest is cosigned again after so long: so its witness is known to be there."""


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """A witness: its key, and the prefix of its ``/add-checkpoint``."""

    key: NoteKey
    url: str


def witness_address(vkey: str, url: str) -> WitnessAddress:
    """Return the witness of the key ``vkey`` at ``url``; raise ``NoteRejected``."""
    return WitnessAddress(parse_witness_key(vkey), url)


@dataclass(slots=True)
class Cosigning:
    """Keeps the newest cosigned checkpoints of this ledger, none older than ``FRESH_SECONDS``."""

    witnesses: Sequence[WitnessAddress]
    files: LedgerFiles
    notes: WitnessedNotes
    verifier: SignatureVerifier
    post: Post
    trail: Trail
    clock: Clock
    alarms: dict[str, str] = field(default_factory=dict)
    """By the witness's name: why it did not cosign when it was asked last."""

    def ask_witnesses(self) -> bool:
        """Send the newest checkpoint to every witness that has not cosigned it."""
        checkpoint = self.files.latest_checkpoint()
        if checkpoint is None:
            return False
        for witness in self.witnesses:
            name = witness.key.name
            try:
                self._ask(witness, checkpoint)
            except SecopsError as error:
                self._alarm(name, error)
            else:
                self.alarms.pop(name, None)
        return False

    def _ask(self, witness: WitnessAddress, checkpoint: Checkpoint) -> None:
        kept = cosigned_by(witness.key, self.notes, self.verifier)
        if kept is not None and self._is_fresh(kept, checkpoint):
            return
        old = min(kept.head.size, checkpoint.size) if kept is not None else 0
        status, answer = self._send(witness, old, checkpoint)
        if status == _CONFLICT:
            theirs = _size_of(answer, old, checkpoint.size)
            if theirs > checkpoint.size:
                msg = f"{witness.key.name} saw {theirs} entries, this ledger has {checkpoint.size}"
                raise HistoryForked(msg)
            status, answer = self._send(witness, theirs, checkpoint)
        if status in (_CONFLICT, _REJECTED):
            msg = f"{witness.key.name} says that this ledger does not extend what it saw"
            raise HistoryForked(msg)
        if status != _OK:
            msg = f"{witness.key.name} answered {status}"
            raise WitnessMissing(msg)
        note = f"{checkpoint.sha256_note}{_lines_of(answer)}"
        if not open_cosignatures(note, [witness.key], self.verifier.verify_ed25519):
            msg = f"{witness.key.name} answered without its signature"
            raise WitnessMissing(msg)
        self.notes.put(witness.key.name, note)

    def _is_fresh(self, kept: LastCosigned, checkpoint: Checkpoint) -> bool:
        age = self.clock.now() // SECOND - kept.at
        return kept.text == split_note(checkpoint.sha256_note)[0] and age < FRESH_SECONDS

    def _send(
        self, witness: WitnessAddress, old_size: int, checkpoint: Checkpoint
    ) -> tuple[int, bytes]:
        proof = self.files.prove_growth(old_size, checkpoint.size)
        body = format_add_checkpoint(old_size, proof, checkpoint.sha256_note)
        return self.post(f"{witness.url.rstrip('/')}/add-checkpoint", body.encode())

    def _alarm(self, name: str, error: SecopsError) -> None:
        """Say it once in the ledger, in the words of the refusal."""
        if self.alarms.get(name) == error.code:
            return
        _LOG.error("witness %s: %s", name, error.detail)
        details = {"witness": name, "error": error.code, "why": error.detail[:300]}
        self.trail.append([Act("audits.ask_witness", _ACTOR, "ledger:witness", "failed", details)])
        self.alarms[name] = error.code  # said, and not before


def _size_of(answer: bytes, asked: int, size: int) -> int:
    try:
        return decimal(answer.decode("ascii", "replace").removesuffix("\n"), "size")
    except NoteRejected as error:
        if asked == size:  # of two roots of one size a witness need say no more
            return size
        raise WitnessMissing(error.detail) from error


def _lines_of(answer: bytes) -> str:
    try:
        text = answer.decode()
    except UnicodeDecodeError as error:
        msg = "the witness's answer is not text"
        raise WitnessMissing(msg) from error
    if len(text) > _MAX_LINES or not text.endswith("\n"):
        msg = "the witness's answer is not signature lines"
        raise WitnessMissing(msg)
    return text
