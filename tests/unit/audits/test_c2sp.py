"""Notes, checkpoints, tiles and proof files against the specifications' own examples."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from audits.core.c2sp import (
    ED25519,
    SM2,
    KeyKind,
    NoteKey,
    ProofFile,
    Tile,
    TreeHead,
    encode_entries,
    format_note,
    format_proof,
    format_tree_head,
    note_key,
    open_note,
    parse_entries,
    parse_note,
    parse_proof,
    parse_tile,
    parse_tree_head,
    parse_vkey,
    tile_path,
    tile_width,
    tiles_of,
)
from audits.core.c2sp.note import VerifySignature
from audits.errors import MalformedProof, NoteRejected
from secops.kernel.errors import Unavailable

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = note_key("example.com/log", ED25519, PRIVATE.public_key().public_bytes_raw())


def ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)


def verifier(_kind: KeyKind) -> VerifySignature:
    return ed25519


def sign(text: str, key: NoteKey = KEY) -> str:
    return format_note(text, [(key, PRIVATE.sign(text.encode()))])


def test_the_note_of_the_specification_verifies():
    """The example of https://pkg.go.dev/golang.org/x/mod/sumdb/note."""
    key = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    note = (
        text + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSN"
        "XgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert text == open_note(note, [key], verifier)
    with pytest.raises(NoteRejected):
        open_note(note.replace("answer", "enemy"), [key], verifier)


def test_a_vkey_survives_writing_and_reading_for_both_kinds():
    sm2 = note_key("example.com/log/sm3", SM2, b"\x04" + bytes(64))
    assert [KEY, sm2] == [parse_vkey(KEY.vkey), parse_vkey(sm2.vkey)]


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+!!!!",
        "name+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode(),
        "name+00000000+" + base64.b64encode(b"\x07" + bytes(32)).decode(),
        "name+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(),
        KEY.vkey.replace("example.com/log+", "example.com/l g+"),
        KEY.vkey.replace("example.com/log+", "+"),
    ],
)
def test_a_malformed_vkey_is_refused(vkey: str):
    with pytest.raises(NoteRejected):
        parse_vkey(vkey)


def test_signatures_of_unknown_keys_are_ignored_but_one_known_key_is_needed():
    text = "example.com/log\n0\n\n"
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    stranger = note_key("stranger", ED25519, other.public_key().public_bytes_raw())
    note = format_note(text, [(stranger, b"whatever"), (KEY, PRIVATE.sign(text.encode()))])
    assert text == open_note(note, [KEY], verifier)
    with pytest.raises(NoteRejected, match="no known key"):
        open_note(sign(text), [stranger], verifier)


def test_a_known_key_that_fails_rejects_the_note_even_beside_a_good_one():
    text = "example.com/log\n1\nx\n"
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    second = note_key("second", ED25519, other.public_key().public_bytes_raw())
    note = format_note(text, [(KEY, PRIVATE.sign(text.encode())), (second, bytes(64))])
    with pytest.raises(NoteRejected, match="second"):
        open_note(note, [KEY, second], verifier)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n— name\n",
        "text\n\n— name AAAA\n",
        "text\n\n— name AAAAAA==\n",
        "text\n\n— name AAAAAAB=\n",
        "text\n\n— name A!AAAAA=\n",
        "text\n\n— na+me AAAAAAA=\n",
        "text\n\n—  AAAAAAA=\n",
        "te\txt\n\n— name AAAAAAA=\n",
        "text\r\n\n— name AAAAAAA=\n",
        "text\n\n— name AAAAAAA=",
        "text\n\n" + "— name AAAAAAA=\n" * 65,
        "t" * 65_536 + "\n\n— name AAAAAAA=\n",
    ],
)
def test_a_malformed_note_is_refused(note: str):
    with pytest.raises(NoteRejected):
        parse_note(note)


def test_sixteen_signatures_are_read():
    note = "text\n\n" + "— name AAAAAAA=\n" * 16
    assert len(parse_note(note).signatures) == 16


def test_the_text_of_a_note_may_hold_empty_lines():
    text = "one\n\ntwo\n"
    assert text == open_note(sign(text), [KEY], verifier)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_whatever_is_read_as_a_note_is_refused_or_has_signatures(note: str):
    try:
        signed = parse_note(note)
    except NoteRejected:
        return
    assert signed.signatures


def test_a_checkpoint_has_the_three_lines_of_the_specification():
    head = TreeHead("example.com/behind-the-sofa", 20852163, bytes(32))
    text = "example.com/behind-the-sofa\n20852163\n" + "A" * 43 + "=\n"
    assert text == format_tree_head(head)
    assert head == parse_tree_head(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n1\n",
        "\n1\n" + "A" * 43 + "=\n",
        "origin\n01\n" + "A" * 43 + "=\n",
        "origin\n-1\n" + "A" * 43 + "=\n",
        "origin\n١\n" + "A" * 43 + "=\n",
        "origin\n9223372036854775808\n" + "A" * 43 + "=\n",
        "origin\n99999999999999999999\n" + "A" * 43 + "=\n",
        "origin\n1\n" + "A" * 43 + "\n",
        "origin\n1\nAAAA\n",
        "origin\n1\n" + "A" * 42 + "B=\n",
        "origin\n1\n" + "A" * 43 + "=\nextension\n",
        "origin\n1\n" + "A" * 43 + "=",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str):
    with pytest.raises(NoteRejected):
        parse_tree_head(text)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(0, 1234067), "0/x001/x234/067"),
        (Tile(0, 1234067, 8), "0/x001/x234/067.p/8"),
        (Tile(None, 1000, 255), "entries/x001/000.p/255"),
        (Tile(7, 999), "7/999"),
    ],
)
def test_tile_paths_are_those_of_the_specification(tile: Tile, path: str):
    assert path == tile_path(tile)
    assert tile == parse_tile(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0/0",
        "0/x000/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/08",
        "0/000.p/",
        "8/000",
        "-1/000",
        "00/000",
        "entry/000",
        "0/../000",
        "0/0000",
        "0/٠٠٠",
        "0/000/",
        "0/x001/x001/x001/x001/x001/x001/000",
    ],
)
def test_a_path_that_is_not_canonical_is_refused(path: str):
    with pytest.raises(MalformedProof):
        parse_tile(path)


@given(st.integers(0, 10**17), st.integers(1, 256), st.sampled_from([None, *range(8)]))
def test_every_tile_survives_writing_and_reading(index: int, width: int, level: int | None):
    tile = Tile(level, index, width)
    assert tile == parse_tile(tile_path(tile))


def test_tile_widths_follow_the_size_of_the_tree():
    size = 70_000
    widths = {
        (level, index): tile_width(level, index, size)
        for level, index in [
            (0, 0),
            (0, 273),
            (0, 274),
            (1, 0),
            (1, 1),
            (2, 0),
            (3, 0),
            (None, 273),
        ]
    }
    expected = {
        (0, 0): 256,
        (0, 273): 70_000 - 273 * 256,
        (0, 274): 0,
        (1, 0): 256,
        (1, 1): 273 - 256,
        (2, 0): 1,
        (3, 0): 0,
        (None, 273): 112,
    }
    assert expected == widths
    tiles = list(tiles_of(size))
    expected_tiles = 274 + 274 + 2 + 1
    assert expected_tiles == len(tiles)
    assert [tile.tree_level for tile in tiles if tile.level == 2] == [16]
    assert Tile(1, 1).first == 256


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_an_entry_bundle_survives_writing_and_reading(records: list[bytes]):
    assert records == parse_entries(encode_entries(records))


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x02a", b"\x00\x00" * 257])
def test_a_bundle_cut_short_or_too_long_is_refused(bundle: bytes):
    with pytest.raises(MalformedProof):
        parse_entries(bundle)


def test_a_record_that_no_bundle_can_hold_is_refused():
    with pytest.raises(OverflowError):
        encode_entries([bytes(65_536)])


def test_a_proof_file_survives_writing_and_reading():
    note = sign("example.com/log\n3\n" + "A" * 43 + "=\n")
    hashes = [bytes(32), bytes(range(32))]
    text = format_proof(2, hashes, note)
    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 2\n" + "A" * 43 + "=\nAAEC")
    assert ProofFile(2, tuple(hashes), note) == parse_proof(text)
    with_extra = text.replace("@v1\n", "@v1\nextra aGk=\n")
    assert parse_proof(with_extra).extra == b"hi"


def test_a_proof_of_the_only_entry_has_no_hashes():
    assert parse_proof(format_proof(0, [], "note\n\n— x y\n")).hashes == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 00\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + ("A" * 43 + "=\n") * 65 + "\nnote",
        "x" * 140_000,
    ],
)
def test_a_malformed_proof_file_is_refused(text: str):
    with pytest.raises(MalformedProof):
        parse_proof(text)


def test_a_signature_that_no_engine_can_judge_is_no_verdict():
    def no_engine(_kind: KeyKind) -> VerifySignature:
        def check(public: bytes, message: bytes, signature: bytes) -> None:
            del public, message, signature
            raise Unavailable

        return check

    with pytest.raises(Unavailable):
        open_note(sign("text\n"), [KEY], no_engine)
