"""Signed notes (https://c2sp.org/signed-note) and their verification keys.

A note is text, an empty line, and lines ``— name base64(keyid ‖ signature)``. Signatures of
unknown keys are ignored; a *known* key whose signature fails rejects the whole note, and so
does the absence of any known key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from audits.errors import NoteRejected
from secops.kernel.errors import Unavailable

MAX_NOTE: Final = 65_536
MAX_SIGNATURES: Final = 64
_KEY_ID_BYTES: Final = 4
_DASH: Final = "— "

VerifySignature = Callable[[bytes, bytes, bytes], None]
"""(public key, message, signature): returns, or raises any error if it does not verify."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """A signature type: the bytes that stand before the public key, and the key's length."""

    name: str
    prefix: bytes
    public_bytes: int


ED25519: Final = KeyKind("ed25519", b"\x01", 32)
"""Ed25519 over the note's text (RFC 8032)."""

SM2: Final = KeyKind("sm2", b"\xffgovsecops/sm2-with-sm3/v1:", 65)
"""SM2-with-SM3 (GB/T 32918.2, default user id, DER signature); public key 04 ‖ x ‖ y.

The specification has no type for SM2: ff is its private range, followed by a long name.
"""

KINDS: Final = (ED25519, SM2)


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A verification key; ``name`` and ``key_id`` together say which key signed."""

    name: str
    kind: KeyKind
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes before each signature of this key."""
        encoded = self.name.encode() + b"\n" + self.kind.prefix + self.public
        return hashlib.sha256(encoded).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key as one line: ``name+hex8+base64(type ‖ public key)``."""
        encoded = base64.b64encode(self.kind.prefix + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note as read: nothing of it has been verified."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]
    """(name, key id, signature) of each line."""


def _decode(encoded: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        msg = f"the {what} is not base64"
        raise NoteRejected(msg) from error
    if base64.b64encode(raw).decode() != encoded:  # unused trailing bits
        msg = f"the {what} is not canonical base64"
        raise NoteRejected(msg)
    return raw


def _check_name(name: str) -> str:
    if not name or "+" in name or any(sign.isspace() for sign in name):
        msg = "a key's name is empty or holds a space or a plus"
        raise NoteRejected(msg)
    return name


def note_key(name: str, kind: KeyKind, public: bytes) -> NoteKey:
    """Return the verification key; raise ``NoteRejected`` if name or length is wrong."""
    if len(public) != kind.public_bytes:
        msg = f"a public key of {kind.name} has {kind.public_bytes} bytes"
        raise NoteRejected(msg)
    return NoteKey(_check_name(name), kind, public)


def parse_vkey(vkey: str) -> NoteKey:
    """Read a log's verification key; raise ``NoteRejected`` as ``parse_key``."""
    return parse_key(vkey, KINDS)


def parse_key(vkey: str, kinds: Sequence[KeyKind]) -> NoteKey:
    """Read a verification key; raise ``NoteRejected`` if it is not one, or of none of ``kinds``."""
    name, _, rest = vkey.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = _decode(encoded, "verification key")
    for kind in kinds:
        if raw.startswith(kind.prefix):
            key = note_key(name, kind, raw[len(kind.prefix) :])
            if key.key_id.hex() != key_id:
                msg = "the verification key's id does not belong to it"
                raise NoteRejected(msg)
            return key
    msg = "the verification key is of an unknown type"
    raise NoteRejected(msg)


def format_note(text: str, signatures: Sequence[tuple[NoteKey, bytes]]) -> str:
    """Return the note of ``text`` (it ends in a line feed) with ``signatures``."""
    lines = [
        f"{_DASH}{key.name} {base64.b64encode(key.key_id + signature).decode()}\n"
        for key, signature in signatures
    ]
    return f"{text}\n{''.join(lines)}"


def split_note(note: str) -> tuple[str, str]:
    """Return the text and the signature lines; raise ``NoteRejected`` for another shape."""
    if len(note) > MAX_NOTE:
        msg = "the note is too long"
        raise NoteRejected(msg)
    if any(sign < " " and sign != "\n" for sign in note):
        msg = "the note holds control characters"
        raise NoteRejected(msg)
    place = note.rfind("\n\n")
    if place < 0 or not note.endswith("\n"):
        msg = "the note has no signatures"
        raise NoteRejected(msg)
    return note[: place + 1], note[place + 2 :]


def parse_note(note: str) -> SignedNote:
    """Read ``note`` without verifying it; raise ``NoteRejected`` if it is malformed."""
    text, tail = split_note(note)
    lines = tail.split("\n")[:-1]
    if not lines or len(lines) > MAX_SIGNATURES:
        msg = f"a note has 1 to {MAX_SIGNATURES} signatures"
        raise NoteRejected(msg)
    return SignedNote(text, tuple(_signature_line(line) for line in lines))


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        msg = "a signature line does not begin with a dash and a space"
        raise NoteRejected(msg)
    raw = _decode(encoded, "signature")
    if len(raw) <= _KEY_ID_BYTES:
        msg = "a signature is too short"
        raise NoteRejected(msg)
    return _check_name(name), raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:]


def open_note(
    note: str, keys: Sequence[NoteKey], verify: Callable[[KeyKind], VerifySignature]
) -> str:
    """Return the note's text if a key of ``keys`` signed it and none of them fails.

    ``verify`` gives the check for a kind of key. Raises ``NoteRejected`` otherwise, and lets
    ``Unavailable`` through: a signature that can't be judged was not judged.
    """
    signed = parse_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    verified = 0
    for name, key_id, signature in signed.signatures:
        key = known.get((name, key_id))
        if key is not None:
            _verify_one(verify(key.kind), key, signed.text, signature)
            verified += 1
    if not verified:
        msg = "no known key signed the note"
        raise NoteRejected(msg)
    return signed.text


def keep_known(
    note: str, keys: Sequence[NoteKey], verify: Callable[[KeyKind], VerifySignature]
) -> str:
    """Return ``note`` with the signatures of ``keys`` alone, each once; raise as ``open_note``.

    Anybody may add lines of unknown keys to a note: what is kept or served must not grow by them.
    """
    text = open_note(note, keys, verify)
    known = {(key.name, key.key_id): key for key in keys}
    lines = parse_note(note).signatures
    signed = {known[each[:2]]: each[2] for each in lines if each[:2] in known}
    return format_note(text, [*signed.items()])


def _verify_one(check: VerifySignature, key: NoteKey, text: str, signature: bytes) -> None:
    try:
        check(key.public, text.encode(), signature)
    except Unavailable:
        raise  # there is no engine to ask: that is no verdict
    except Exception as error:  # whatever an engine raises, the note is refused
        msg = f"the signature of {key.name} ({key.kind.name}) does not verify"
        raise NoteRejected(msg) from error
