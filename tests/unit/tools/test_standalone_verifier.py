"""The one-file verifier: published answers, and the same verdicts as the product's."""

from __future__ import annotations

import base64
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from pysqlite3 import dbapi2

from audits.adapters.folders import TileFolder
from audits.core.c2sp import format_note, note_key, split_note
from audits.core.c2sp.cosignature import COSIGNATURE, cosignature_blob, cosigned_message
from secops.crypto import sm2
from secops.crypto.hashes import sm3 as engine_sm3
from tests.fakes.ledger_rig import ledger_rig
from tools.verify_ledger import ed25519_verify, sm2_verify, sm3

SIZE = 300
TOOL = Path(__file__).resolve().parents[3] / "tools" / "verify_ledger.py"


def test_sm3_gives_the_answers_of_the_standard():
    """GB/T 32905-2016, A.1 and A.2."""
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    expected = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    assert expected == sm3(b"abcd" * 16).hex()


@given(st.binary(max_size=300))
def test_sm3_equals_the_engine_s(data: bytes):
    assert engine_sm3(data) == sm3(data)


RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
            "f9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
            "f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_ed25519_gives_the_answers_of_rfc_8032(public: str, message: str, signature: str):
    key, text, good = (bytes.fromhex(one) for one in (public, message, signature))
    assert ed25519_verify(key, text, good)
    assert not ed25519_verify(key, text + b"x", good)
    for place in (0, 31, 32, 63):
        bad = bytearray(good)
        bad[place] ^= 1
        assert not ed25519_verify(key, text, bytes(bad))
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(good[32:], "little") + order
    assert not ed25519_verify(key, text, good[:32] + s.to_bytes(32, "little"))
    assert not ed25519_verify(key[:-1], text, good)
    assert not ed25519_verify(b"\xff" * 32, text, good)


SM2_PUBLIC = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SM2_SIGNATURE = bytes.fromhex(
    "3046022100F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "022100B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


def test_sm2_gives_the_answer_of_the_standard():
    """GB/T 32918.5-2017, A.2."""
    assert sm2_verify(SM2_PUBLIC, b"message digest", SM2_SIGNATURE)
    assert not sm2_verify(SM2_PUBLIC, b"message digesT", SM2_SIGNATURE)
    for place in (5, 36, 45, len(SM2_SIGNATURE) - 1):
        bad = bytearray(SM2_SIGNATURE)
        bad[place] ^= 1
        assert not sm2_verify(SM2_PUBLIC, b"message digest", bytes(bad))


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\x30\x00",
        SM2_SIGNATURE + b"\x00",
        SM2_SIGNATURE[:-1],
        b"\x30\x06\x02\x01\x00\x02\x01\x01",
        b"\x30\x06\x02\x01\x01\x02\x01\x00",
        b"\x30\x07\x02\x02\x00\x01\x02\x01\x01",
        b"\x31" + SM2_SIGNATURE[1:],
    ],
)
def test_sm2_refuses_signatures_of_another_form(signature: bytes):
    assert not sm2_verify(SM2_PUBLIC, b"message digest", signature)


def test_sm2_refuses_a_key_that_is_no_point():
    assert not sm2_verify(SM2_PUBLIC[:-1] + b"\x00", b"message digest", SM2_SIGNATURE)
    assert not sm2_verify(b"\x04" + b"\xff" * 64, b"message digest", SM2_SIGNATURE)


@settings(max_examples=10)
@given(st.binary(max_size=100))
def test_signatures_of_the_product_s_engines_verify(message: bytes):
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key().public_bytes_raw()
    assert ed25519_verify(public, message, private.sign(message))
    key = sm2.PrivateKey.generate()
    assert sm2_verify(key.public_key.point, message, key.sign(message))


# whole ledgers


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a ledger of 300 entries, its tiles, and what was kept elsewhere."""
    folder = tmp_path_factory.mktemp("standalone")
    rig = ledger_rig(folder)
    rig.fill(SIZE, every=150)
    rig.files.export_tiles(TileFolder(folder / "tiles"))
    rig.close()
    connection = dbapi2.connect(rig.path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return folder


def run(*arguments: object) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-I", str(TOOL), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {"stderr": done.stderr}


def test_it_gives_the_product_s_roots_on_database_and_tiles(home: Path):
    rig = ledger_rig(home)
    verdict = rig.verify()
    rig.close()
    expected = (0, True, SIZE, verdict.sha256_root.hex(), verdict.sm3_root.hex())
    for path in (home / "ledger", home / "ledger" / "ledger.db", home / "tiles"):
        code, said = run(path)
        actual = (code, said["valid"], said["entries"], said["sha256_root"], said["sm3_root"])
        assert expected == actual


def test_it_takes_keys_and_checkpoints_kept_elsewhere(home: Path, tmp_path: Path):
    tiles = home / "tiles"
    kept = ("--checkpoint", tiles / "checkpoint", "--checkpoint", tiles / "sm3" / "checkpoint")
    assert run(home / "ledger", "--vkeys", tiles / "vkeys", *kept)[0] == 0
    stranger = ledger_rig(tmp_path)
    stranger.fill(3)
    stranger.files.export_tiles(TileFolder(tmp_path / "tiles"))
    stranger.close()
    code, said = run(home / "ledger", "--vkeys", tmp_path / "tiles" / "vkeys")
    assert (code, said["valid"]) == (1, False)
    code, said = run(home / "ledger", "--checkpoint", tmp_path / "tiles" / "checkpoint")
    assert (code, said["valid"]) == (1, False)


def cosigned(folder: Path, note: str, at: int) -> tuple[str, str]:
    """Return the key of a new witness, and ``note`` with its signature at ``at``."""
    private = Ed25519PrivateKey.generate()
    key = note_key("w.example/1", COSIGNATURE, private.public_key().public_bytes_raw())
    text = split_note(note)[0]
    blob = cosignature_blob(at, private.sign(cosigned_message(text, at)))
    (folder / "seen.note").write_text(note + format_note(text, [(key, blob)])[len(text) + 1 :])
    return key.vkey, str(folder / "seen.note")


def test_it_holds_the_ledger_against_its_witnesses(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    note = (home / "tiles" / "checkpoint").read_text()
    vkey, seen = cosigned(tmp_path / "mine", note, 1_767_225_600)
    code, said = run(home / "tiles", "--witness", vkey, "--checkpoint", seen)
    assert (code, said["cosigned"]) == (0, {"w.example/1": 1_767_225_600})
    ledger = tmp_path / "ledger"
    shutil.copytree(home / "ledger", ledger)
    code, said = run(ledger, "--witness", vkey)
    missing = "no checkpoint at hand was cosigned by w.example/1: 0 of 1"
    assert (code, said["first_bad"]) == (1, missing)
    (ledger / "witnessed").mkdir()
    (ledger / "witnessed" / "a.note").write_text("w.example/1\n" + Path(seen).read_text())
    assert run(ledger, "--witness", vkey)[0] == 0
    bent = Path(seen).read_text().replace(f"\n{SIZE}\n", f"\n{SIZE - 1}\n")
    (tmp_path / "bent").write_text(bent)
    (ledger / "witnessed" / "a.note").write_text("w.example/1\n" + bent)
    code, said = run(ledger, "--witness", vkey)
    assert (code, said["first_bad"]) == (1, missing)
    code, said = run(ledger, "--witness", vkey, "--checkpoint", tmp_path / "bent")
    assert (code, said["first_bad"]) == (1, "the cosignature of w.example/1 does not verify")
    code, said = run(ledger, "--witness", (home / "tiles" / "vkeys").read_text().split("\n")[0])
    assert code == 1
    assert "is no witness's" in str(said["first_bad"])
    code, said = run(ledger, "--witness", vkey, "--quorum", 2)
    assert (code, said["first_bad"]) == (1, "a quorum of 2 can't be had of 1 different keys")
    assert run(ledger, "--quorum", 1)[0] == 1
    assert run(home / "tiles", "--witness", vkey, "--checkpoint", seen, "--quorum", 1)[0] == 0


def test_it_takes_checkpoints_with_cosignatures_and_lines_of_strangers(
    home: Path, tmp_path: Path
) -> None:
    note = (home / "tiles" / "checkpoint").read_text()
    vkey, seen = cosigned(tmp_path, note, 1_767_225_600)
    stranger = f"— stranger {base64.b64encode(bytes(48)).decode()}\n"
    (tmp_path / "kept").write_text(Path(seen).read_text() + stranger)
    assert run(home / "ledger", "--checkpoint", tmp_path / "kept")[0] == 0
    for name in ("checkpoint", "cosigned-checkpoint"):
        tiles = tmp_path / name / "tiles"
        shutil.copytree(home / "tiles", tiles)
        shutil.copy(tmp_path / "kept", tiles / name)
        assert run(tiles)[0] == 0
        assert run(tiles, "--witness", vkey)[1]["cosigned"] == {"w.example/1": 1_767_225_600}


def test_a_ledger_that_was_put_back_does_not_extend_what_a_witness_saw(
    home: Path, tmp_path: Path
) -> None:
    vkey, seen = cosigned(tmp_path, (home / "tiles" / "checkpoint").read_text(), 1_767_225_600)
    shutil.copy(home / "ledger" / "ledger.db", tmp_path)
    connection = dbapi2.connect(tmp_path / "ledger.db")
    connection.execute("DELETE FROM ledger_entries WHERE entry >= 150")
    connection.execute("DELETE FROM ledger_checkpoints WHERE size > 150")
    connection.commit()
    connection.close()
    assert run(tmp_path)[0] == 0  # it shows nothing by itself
    code, said = run(tmp_path, "--witness", vkey, "--checkpoint", seen)
    assert (code, said["first_bad"]) == (1, "there are 150 entries, but a checkpoint signs 300")


def test_it_needs_something_to_read(tmp_path: Path):
    assert run(tmp_path)[0] == 2
    assert run(tmp_path / "nothing")[0] == 2
    (tmp_path / "ledger.db").write_bytes(b"not a database" * 100)
    assert run(tmp_path)[0] == 1


ALTERATIONS = {
    "edit": (
        "UPDATE ledger_entries SET record ="
        " CAST(replace(record, 'tester', 'nobody') AS BLOB) WHERE entry = 7"
    ),
    "delete": "DELETE FROM ledger_entries WHERE entry = 7",
    "delete the last": "DELETE FROM ledger_entries WHERE entry >= 250",
    "drop checkpoints": "DELETE FROM ledger_checkpoints",
    "swap notes": "UPDATE ledger_checkpoints SET sm3_note = sha256_note",
    "drop keys": "DELETE FROM ledger_keys",
    "other size": "UPDATE ledger_checkpoints SET sha256_note = replace(sha256_note, '300', '299')",
    "a text": "UPDATE ledger_entries SET record = 'text' WHERE entry = 299",
}


@pytest.mark.parametrize("statement", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_it_finds_what_was_altered(home: Path, tmp_path: Path, statement: str):
    shutil.copy(home / "ledger" / "ledger.db", tmp_path / "ledger.db")
    connection = dbapi2.connect(tmp_path / "ledger.db")
    with connection:
        connection.execute(statement)
    connection.close()
    code, said = run(tmp_path / "ledger.db")
    assert (code, said["valid"]) == (1, False)
    assert said["first_bad"]


def flip_one(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def flipped(make: Callable[[], Path], names: list[str], times: int) -> int:
    chance = random.Random(5)  # noqa: S311 - which bit
    found = 0
    for _ in range(times):
        folder = make()
        flip_one(folder / chance.choice(names), chance)
        found += run(folder)[0] == 1
    return found


def test_every_flipped_bit_in_exported_bundles_and_checkpoints_is_found(home: Path, tmp_path: Path):
    def make() -> Path:
        shutil.rmtree(tmp_path / "tiles", ignore_errors=True)
        return Path(shutil.copytree(home / "tiles", tmp_path / "tiles"))

    names = ["tile/entries/000", "tile/entries/001.p/44", "checkpoint", "sm3/checkpoint"]
    found = flipped(make, names, 20)
    print(f"bits flipped in exported files: {found} of 20 found")
    assert found == 20
