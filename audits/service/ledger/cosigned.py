"""What witnesses cosigned, as it lies beside the ledger: read, and served to who relies on it.

The files may hold anything: of a note counts what a witness's signature on it proves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from audits.core.c2sp import (
    NoteKey,
    TreeHead,
    format_note,
    parse_note,
    parse_tree_head,
    parse_vkey,
    split_note,
)
from audits.core.c2sp.cosignature import open_cosignatures, parse_witness_key
from audits.core.c2sp.note import keep_known
from audits.errors import NoteRejected
from audits.errors.witnesses import WitnessInvalid, WitnessMissing
from audits.models import Checkpoint
from audits.ports import SignatureVerifier
from audits.ports.ledger import LedgerReader
from audits.ports.witnesses import WitnessedNotes
from audits.service.ledger.signatures import check_of


@dataclass(frozen=True, slots=True)
class LastCosigned:
    """What a witness cosigned last: text and head, its signature line, the whole note, and when.

    ``at`` is in seconds since 1970.
    """

    text: str
    head: TreeHead
    at: int
    line: str
    note: str


def cosigned_by(
    key: NoteKey, notes: WitnessedNotes, verifier: SignatureVerifier
) -> LastCosigned | None:
    """Return what the witness of ``key`` cosigned last, by the ``notes`` that are kept.

    A note that is damaged or another key's is none.
    """
    note = notes.note(key.name)
    try:
        (cosigned,) = open_cosignatures(note, [key], verifier.verify_ed25519)
        signed = parse_note(note)
        head = parse_tree_head(signed.text)
    except (NoteRejected, ValueError):
        return None
    blob = next(each[2] for each in signed.signatures if each[:2] == (key.name, key.key_id))
    line = format_note(signed.text, [(key, blob)]).removeprefix(f"{signed.text}\n")
    return LastCosigned(signed.text, head, cosigned.at, line, note)


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """Whose cosignatures a ledger must have, and of how many; one key is one witness."""

    keys: tuple[NoteKey, ...]
    quorum: int

    def heads(self, at_hand: Callable[[NoteKey], Sequence[TreeHead]]) -> list[TreeHead]:
        """Return all heads that are ``at_hand`` of the witnesses.

        Raises ``WitnessMissing`` where too few of them cosigned any: silence proves nothing.
        """
        found: dict[bytes, list[TreeHead]] = {key.public: [] for key in self.keys}
        for key in self.keys:
            found[key.public] += at_hand(key)
        cosigned = sum(1 for heads in found.values() if heads)
        if cosigned < self.quorum:
            missing = ", ".join(key.name for key in self.keys if not found[key.public])
            msg = f"no checkpoint at hand was cosigned by {missing}: {cosigned} of {self.quorum}"
            raise WitnessMissing(msg)
        return [head for heads in found.values() for head in heads]


def witness_policy(vkeys: Sequence[str], quorum: int | None) -> WitnessPolicy:
    """Return the policy that ``quorum`` of the witnesses of ``vkeys`` cosigned (None: all).

    Raises ``NoteRejected`` for a key that is no witness's, ``WitnessInvalid`` for a quorum
    that is none or more than there are keys.
    """
    keys = tuple(parse_witness_key(vkey) for vkey in vkeys)
    different = len({key.public for key in keys})
    if quorum is not None and not 1 <= quorum <= different:
        msg = f"a quorum of {quorum} can't be had of {different} different keys"
        raise WitnessInvalid(msg)
    return WitnessPolicy(keys, different if quorum is None else quorum)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The cosigned checkpoints beside a ledger.

    Those of ``keys`` are served; ``quorum`` of them make a checkpoint a cosigned one.
    """

    notes: WitnessedNotes
    keys: Sequence[NoteKey] = ()
    quorum: int = 1

    def lines_on(self, text: str, verifier: SignatureVerifier) -> str:
        """Return the signature lines of those that cosigned exactly this checkpoint's ``text``."""
        return _lines_on(text, self._found(verifier))

    def newest(self, log: Sequence[NoteKey], verifier: SignatureVerifier) -> str | None:
        """Return the newest note that enough witnesses cosigned, with the lines of ``log`` first.

        None if there is none: ``log`` are the keys of the ledger, and no other signed it.
        """
        found = self._found(verifier)
        votes = Counter(each.text for each in found)
        for each in sorted(found, key=lambda each: each.head.size, reverse=True):
            if votes[each.text] >= self.quorum:
                try:
                    note = keep_known(each.note, log, check_of(verifier))
                except NoteRejected:
                    continue  # of another ledger, or what the ledger said of it is damaged
                return f"{note}{_lines_on(each.text, found)}"
        return None

    def _found(self, verifier: SignatureVerifier) -> list[LastCosigned]:
        found = (cosigned_by(key, self.notes, verifier) for key in self.keys)
        return [each for each in found if each is not None]


def _lines_on(text: str, found: Sequence[LastCosigned]) -> str:
    return "".join(each.line for each in found if each.text == text)


@dataclass(frozen=True, slots=True)
class ServedCheckpoints:
    """A ledger's checkpoints as anybody may have them: with what witnesses cosigned of them."""

    store: LedgerReader
    verifier: SignatureVerifier
    witnessed: Witnessed | None

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint, its SHA-256 note with the cosignatures that it has."""
        checkpoint = self.store.last_checkpoint()
        if checkpoint is None or self.witnessed is None:
            return checkpoint
        text, _ = split_note(checkpoint.sha256_note)
        lines = self.witnessed.lines_on(text, self.verifier)
        return replace(checkpoint, sha256_note=f"{checkpoint.sha256_note}{lines}")

    def newest_cosigned(self) -> str | None:
        """Return the newest note that enough witnesses cosigned."""
        if self.witnessed is None:
            return None
        origin = self.store.head().origin
        keys = [key for key in map(parse_vkey, self.store.vkeys()) if key.name == origin]
        return self.witnessed.newest(keys, self.verifier)
