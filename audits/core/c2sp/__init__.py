"""Text formats of transparency logs.

https://c2sp.org/signed-note, tlog-checkpoint,
tlog-tiles and tlog-proof (read at C2SP/C2SP commit 5ba5ee83).
"""

from audits.core.c2sp.checkpoint import TreeHead, format_tree_head, parse_tree_head
from audits.core.c2sp.note import (
    ED25519,
    SM2,
    KeyKind,
    NoteKey,
    SignedNote,
    format_note,
    note_key,
    open_note,
    parse_note,
    parse_vkey,
    split_note,
)
from audits.core.c2sp.proof_file import ProofFile, format_proof, parse_proof
from audits.core.c2sp.tiles import (
    TILE_WIDTH,
    Tile,
    encode_entries,
    parse_entries,
    parse_tile,
    tile_path,
    tile_width,
    tiles_of,
)

__all__ = [
    "ED25519",
    "SM2",
    "TILE_WIDTH",
    "KeyKind",
    "NoteKey",
    "ProofFile",
    "SignedNote",
    "Tile",
    "TreeHead",
    "encode_entries",
    "format_note",
    "format_proof",
    "format_tree_head",
    "note_key",
    "open_note",
    "parse_entries",
    "parse_note",
    "parse_proof",
    "parse_tile",
    "parse_tree_head",
    "parse_vkey",
    "split_note",
    "tile_path",
    "tile_width",
    "tiles_of",
]
