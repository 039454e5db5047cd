"""Witnesses that sign whatever a test asks them to."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audits.core.c2sp import NoteKey, format_note, split_note
from audits.core.c2sp.cosignature import COSIGNATURE, cosignature_blob, cosigned_message
from audits.core.c2sp.note import note_key


@dataclass(frozen=True)
class SigningWitness:
    name: str
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def key(self) -> NoteKey:
        return note_key(self.name, COSIGNATURE, self.private.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        return self.key.vkey

    def line(self, note: str, at: int = 1_767_225_600) -> str:
        """Return the signature line on ``note`` at ``at`` (seconds since 1970)."""
        text, _ = split_note(note)
        blob = cosignature_blob(at, self.private.sign(cosigned_message(text, at)))
        return format_note(text, [(self.key, blob)]).removeprefix(f"{text}\n")

    def cosigned(self, note: str, at: int = 1_767_225_600) -> str:
        """Return ``note`` with that line."""
        return f"{note}{self.line(note, at)}"

    def renamed(self, name: str) -> SigningWitness:
        """Return the same key under another name."""
        return SigningWitness(name, self.private)
