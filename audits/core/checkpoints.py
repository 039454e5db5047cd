"""Checkpoints of both trees: what is signed, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audits.core.c2sp import (
    ED25519,
    SM2,
    KeyKind,
    NoteKey,
    TreeHead,
    format_note,
    format_tree_head,
    note_key,
    open_note,
    parse_tree_head,
)
from audits.core.c2sp.note import VerifySignature
from audits.errors import NoteRejected
from audits.models import Checkpoint, CheckpointKeys, LedgerHead

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Roots:
    """The roots of both trees at a size."""

    size: int
    sha256: bytes
    sm3: bytes


def keys_of(head: LedgerHead, public: CheckpointKeys) -> tuple[NoteKey, NoteKey]:
    """Return the note keys of both logs; each log's key bears the log's origin as its name."""
    return (
        note_key(head.origin, ED25519, public.ed25519),
        note_key(head.sm3_origin, SM2, public.sm2),
    )


def sign_checkpoint(
    head: LedgerHead,
    roots: Roots,
    at: int,
    *,
    keys: tuple[NoteKey, NoteKey],
    sign: tuple[Sign, Sign],
) -> Checkpoint:
    """Return the checkpoint of ``roots``, signed with Ed25519 and with SM2."""
    texts = (
        format_tree_head(TreeHead(head.origin, roots.size, roots.sha256)),
        format_tree_head(TreeHead(head.sm3_origin, roots.size, roots.sm3)),
    )
    sha256_note, sm3_note = (
        format_note(text, [(key, do_sign(text.encode()))])
        for text, key, do_sign in zip(texts, keys, sign, strict=True)
    )
    return Checkpoint(roots.size, at, roots.sha256, roots.sm3, sha256_note, sm3_note)


def verify_checkpoint(
    head: LedgerHead,
    checkpoint: Checkpoint,
    keys: Sequence[NoteKey],
    verify: Callable[[KeyKind], VerifySignature],
) -> None:
    """Return if both notes are signed by ``keys`` and say what the checkpoint says.

    Each note needs its own kind of key: an Ed25519 signature does not vouch for the SM3
    tree, nor SM2 for the SHA-256 tree. Raises ``NoteRejected`` otherwise.
    """
    expected = (
        (ED25519, checkpoint.sha256_note, head.origin, checkpoint.sha256_root),
        (SM2, checkpoint.sm3_note, head.sm3_origin, checkpoint.sm3_root),
    )
    for kind, note, origin, root in expected:
        own = [key for key in keys if key.kind == kind and key.name == origin]
        said = parse_tree_head(open_note(note, own, verify))
        if said != TreeHead(origin, checkpoint.size, root):
            msg = f"the {kind.name} note says another origin, size or root than its checkpoint"
            raise NoteRejected(msg)
