"""Cosignatures of witnesses (https://c2sp.org/tlog-cosignature, version 1, Ed25519).

A witness signs ``cosignature/v1``, its time and the whole text of the checkpoint; the signature
line holds the time (64 bits, big-endian, seconds since 1970) before the 64 bytes of signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.core.c2sp.note import KeyKind, NoteKey, VerifySignature, parse_key, parse_note
from audits.errors import NoteRejected
from secops.kernel.errors import Unavailable

COSIGNATURE: Final = KeyKind("ed25519-cosignature", b"\x04", 32)
_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness's verified word on a checkpoint: who, and when (seconds since 1970)."""

    name: str
    at: int


def parse_witness_key(vkey: str) -> NoteKey:
    """Read a witness's verification key; raise ``NoteRejected`` if it is of another kind."""
    return parse_key(vkey, (COSIGNATURE,))


def cosigned_message(text: str, at: int) -> bytes:
    """Return what a witness signs of a checkpoint's ``text`` at ``at`` (seconds since 1970)."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def cosignature_blob(at: int, signature: bytes) -> bytes:
    """Return what stands in the signature line behind the key id."""
    return at.to_bytes(_TIME_BYTES, "big") + signature


def open_cosignatures(
    note: str, witnesses: Sequence[NoteKey], verify: VerifySignature
) -> tuple[Cosigned, ...]:
    """Return the cosignatures of ``witnesses`` on ``note``, each witness once.

    Raises ``NoteRejected`` if a known witness's signature fails; unknown ones are ignored.
    """
    signed = parse_note(note)
    known = {(key.name, key.key_id): key for key in witnesses}
    found: dict[str, Cosigned] = {}
    for name, key_id, blob in signed.signatures:
        key = known.get((name, key_id))
        if key is not None:
            found.setdefault(key.vkey, _open_one(key, signed.text, blob, verify))
    return tuple(found.values())


def _open_one(key: NoteKey, text: str, blob: bytes, verify: VerifySignature) -> Cosigned:
    if len(blob) != _TIME_BYTES + _SIGNATURE_BYTES:
        msg = f"the cosignature of {key.name} has another length"
        raise NoteRejected(msg)
    at = int.from_bytes(blob[:_TIME_BYTES], "big")
    try:
        verify(key.public, cosigned_message(text, at), blob[_TIME_BYTES:])
    except Unavailable:
        raise  # there is no engine to ask: that is no verdict
    except Exception as error:  # whatever an engine raises, the note is refused
        msg = f"the cosignature of {key.name} does not verify"
        raise NoteRejected(msg) from error
    return Cosigned(key.name, at)
