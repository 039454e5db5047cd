"""What somebody with write access to the ledger file can do, and that it is found.

Each test prints how many alterations were found, and has a control: the check that looks
plausible and would have missed them, or the untouched ledger that must verify.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from audits.adapters.signatures import EngineVerifier
from audits.adapters.witness_files import WitnessFolder
from audits.core.c2sp import ED25519, TreeHead, format_note, format_tree_head, note_key
from audits.core.c2sp.witnessing import format_add_checkpoint
from audits.core.entries import parse_record, row_of
from audits.core.rfc6962 import SHA256, frontier_subtrees
from audits.core.rfc6962.tree import fold
from audits.core.twin_trees import TwinTrees
from audits.errors.witnesses import HistoryForked
from audits.models import LedgerVerdict
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.witness import Witness
from audits.store.ledger.store import open_ledger_reader
from secops.kernel.errors import SecopsError
from tests.fakes.clock import FakeClock
from tests.fakes.ledger_rig import ORIGIN, ledger_rig

SIZE = 60
EVERY = 20
TIMES = 50 if os.environ.get("SECOPS_DEEP") else 12  # noqa: TID251 - test profile
Tamper = Callable[[Any, random.Random], None]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ledger has 60 entries and 3 checkpoints, all in the one file."""
    home = tmp_path_factory.mktemp("ledger")
    rig = ledger_rig(home)
    rig.fill(SIZE, every=EVERY)
    rig.close()
    with dbapi2.connect(rig.path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return home


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Callable[[], Path]:
    def make() -> Path:
        folder = tmp_path / "ledger"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(original / "ledger" / "ledger.db", folder / "ledger.db")
        return tmp_path

    return make


def verdict_of(home: Path) -> LedgerVerdict:
    store = open_ledger_reader(home)
    try:
        return LedgerFiles(store, EngineVerifier()).verify_ledger()
    finally:
        store.close()


def alter(home: Path, tamper: Tamper, seed: int) -> None:
    connection = dbapi2.connect(home / "ledger" / "ledger.db")
    with connection:
        tamper(connection, random.Random(seed))  # noqa: S311 - which entry is altered
    connection.close()


def stored_root_equals_signed_root(home: Path) -> bool:
    """Check as one would who trusts the stored subtrees (the control)."""
    store = open_ledger_reader(home)
    try:
        last = store.last_checkpoint()
        if last is None:
            return False
        subtrees = frontier_subtrees(last.size)
        hashes = store.tree.hashes("sha256", subtrees)
        return fold(SHA256, [hashes[one] for one in subtrees]) == last.sha256_root
    finally:
        store.close()


def edit_a_leaf(connection: Any, chance: random.Random) -> None:
    connection.execute(
        "UPDATE ledger_entries SET record ="
        " CAST(replace(record, 'tester', 'nobody') AS BLOB) WHERE entry = ?",
        (chance.randrange(SIZE),),
    )


def edit_a_leaf_and_its_hashes(connection: Any, chance: random.Random) -> None:
    index = chance.randrange(SIZE)
    (record,) = connection.execute(
        "SELECT record FROM ledger_entries WHERE entry = ?", (index,)
    ).fetchone()
    entry, _ = TwinTrees().append(record.replace(b"tester", b"nobody"))
    connection.execute(
        "UPDATE ledger_entries SET record = ?, sha256 = ?, sm3 = ? WHERE entry = ?",
        (entry.record, entry.sha256, entry.sm3, index),
    )


def swap_two_leaves(connection: Any, chance: random.Random) -> None:
    left, right = chance.sample(range(SIZE), 2)
    for old, new in ((left, -1), (right, left), (-1, right)):
        for table in ("ledger_entries", "ledger_rows"):
            connection.execute(f"UPDATE {table} SET entry = ? WHERE entry = ?", (new, old))  # noqa: S608 - our names


def delete_a_leaf(connection: Any, chance: random.Random) -> None:
    index = chance.randrange(SIZE)
    for table in ("ledger_entries", "ledger_rows"):
        connection.execute(f"DELETE FROM {table} WHERE entry = ?", (index,))  # noqa: S608 - our names


def rewrite_everything(connection: Any, records: list[bytes], kept: int | None = None) -> None:
    """Rebuild leaves, rows, subtrees, head and checkpoint roots around ``records``."""
    trees = TwinTrees()
    heads = {}
    for table in ("ledger_entries", "ledger_rows", "ledger_subtrees"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our names
    for record in records:
        entry, subtrees = trees.append(record)
        connection.execute(
            "INSERT INTO ledger_entries VALUES (?,?,?,?)",
            (entry.index, entry.record, entry.sha256, entry.sm3),
        )
        row = row_of(entry.index, parse_record(record))
        connection.execute(
            "INSERT INTO ledger_rows VALUES (?,?,?,?,?,?,?,?)",
            (
                row.index,
                row.at,
                row.action,
                row.actor_id,
                row.org_id,
                row.target,
                row.outcome,
                row.request_id,
            ),
        )
        connection.executemany(
            "INSERT INTO ledger_subtrees VALUES (?,?,?,?)",
            [(one.level, one.index, one.sha256, one.sm3) for one in subtrees],
        )
        heads[trees.size] = trees.roots()
    connection.execute("UPDATE ledger_head SET size = ?", (len(records),))
    stored = connection.execute(
        "SELECT size, sha256_note, sm3_note FROM ledger_checkpoints"
    ).fetchall()
    for size, sha256_note, sm3_note in stored:
        if kept is not None and size > kept:
            connection.execute("DELETE FROM ledger_checkpoints WHERE size = ?", (size,))
            continue
        sha256, sm3 = heads[size]
        notes = [
            format_tree_head(TreeHead(origin, size, root)) + note[note.rindex("\n\n") + 1 :]
            for origin, root, note in (
                (ORIGIN, sha256, sha256_note),
                (f"{ORIGIN}/sm3", sm3, sm3_note),
            )
        ]
        connection.execute(
            "UPDATE ledger_checkpoints SET sha256_root=?, sm3_root=?, sha256_note=?, sm3_note=?"
            " WHERE size=?",
            (sha256, sm3, *notes, size),
        )


def records_of(connection: Any) -> list[bytes]:
    rows = connection.execute("SELECT record FROM ledger_entries ORDER BY entry").fetchall()
    return [row[0] for row in rows]


def edit_and_recompute_all(connection: Any, chance: random.Random) -> None:
    records = records_of(connection)
    index = chance.randrange(SIZE)
    records[index] = records[index].replace(b"tester", b"nobody")
    rewrite_everything(connection, records)


def delete_the_last(connection: Any, chance: random.Random) -> None:
    """Cut the tail cleanly but leave the checkpoints: they sign more than there is."""
    count = chance.randint(1, SIZE - 1)
    keep = SIZE - count
    for table in ("ledger_entries", "ledger_rows"):
        connection.execute(f"DELETE FROM {table} WHERE entry >= ?", (keep,))  # noqa: S608 - our names
    connection.execute("DELETE FROM ledger_subtrees WHERE (position + 1) << level > ?", (keep,))
    connection.execute("UPDATE ledger_head SET size = ?", (keep,))


def edit_a_row(connection: Any, chance: random.Random) -> None:
    connection.execute(
        "UPDATE ledger_rows SET actor_id = 'nobody' WHERE entry = ?", (chance.randrange(SIZE),)
    )


def delete_a_row(connection: Any, chance: random.Random) -> None:
    connection.execute("DELETE FROM ledger_rows WHERE entry = ?", (chance.randrange(SIZE),))


def edit_a_subtree(connection: Any, chance: random.Random) -> None:
    connection.execute(
        "UPDATE ledger_subtrees SET sm3 = sha256 WHERE level = 1 AND position = ?",
        (chance.randrange(SIZE // 2),),
    )


def drop_the_checkpoints(connection: Any, chance: random.Random) -> None:
    edit_and_recompute_all(connection, chance)
    connection.execute("DELETE FROM ledger_checkpoints")


CLASSES = (
    edit_a_leaf,
    edit_a_leaf_and_its_hashes,
    swap_two_leaves,
    delete_a_leaf,
    edit_and_recompute_all,
    delete_the_last,
    edit_a_row,
    delete_a_row,
    edit_a_subtree,
    drop_the_checkpoints,
)


def test_the_untouched_copy_verifies(copy: Callable[[], Path]):
    verdict = verdict_of(copy())
    expected = (True, SIZE, 3, 0)
    actual = (verdict.valid, verdict.entries, verdict.checkpoints, verdict.unsigned)
    assert expected == actual


@pytest.mark.parametrize("tamper", CLASSES, ids=lambda tamper: tamper.__name__)
def test_every_alteration_is_found(copy: Callable[[], Path], tamper: Tamper):
    found = 0
    for seed in range(TIMES):
        home = copy()
        alter(home, tamper, seed)
        verdict = verdict_of(home)
        found += not verdict.valid and verdict.first_bad is not None
    print(f"{tamper.__name__}: {found} of {TIMES} found")
    expected = TIMES
    assert expected == found


def test_trusting_stored_subtrees_would_miss_edits(copy: Callable[[], Path]):
    missed = 0
    for tamper in (edit_a_leaf, edit_a_leaf_and_its_hashes, swap_two_leaves, edit_a_row):
        home = copy()
        alter(home, tamper, 1)
        missed += stored_root_equals_signed_root(home)
    print(f"control: stored subtrees alone miss {missed} of 4 classes")
    assert missed == 4


def test_a_ledger_cut_back_to_an_older_checkpoint_needs_one_kept_elsewhere(
    copy: Callable[[], Path], original: Path
):
    """The limit of any ledger without a witness, and what lifts it."""
    store = open_ledger_reader(original)
    last, vkeys = store.last_checkpoint(), store.vkeys()
    store.close()
    assert last is not None
    home = copy()

    def roll_back(connection: Any, _: random.Random) -> None:
        rewrite_everything(connection, records_of(connection)[:EVERY], kept=EVERY)

    alter(home, roll_back, 0)
    store = open_ledger_reader(home)
    files = LedgerFiles(store, EngineVerifier())
    assert files.verify_ledger().valid  # alone it can't know
    for note in (last.sha256_note, last.sm3_note):
        verdict = files.verify_ledger(vkeys, [note])
        assert not verdict.valid
        assert verdict.first_bad is not None
        assert verdict.first_bad.what == "kept checkpoint"
    store.close()


def test_a_ledger_put_back_whole_is_found_by_what_a_witness_cosigned(
    copy: Callable[[], Path], original: Path, tmp_path: Path
):
    """Database, checkpoints and search rows of an older day, all of it sound in itself."""
    cosigned, vkey = cosigned_head(original, tmp_path)
    found = 0
    for seed in range(TIMES):
        kept = random.Random(seed).choice(range(EVERY, SIZE, EVERY))  # noqa: S311 - it must repeat
        home = copy()
        alter(home, partial(put_back, kept=kept), seed)
        store = open_ledger_reader(home)
        files = LedgerFiles(store, EngineVerifier())
        assert files.verify_ledger().valid  # alone it can't know
        verdict = files.verify_ledger(kept_notes=[cosigned], witnesses=[vkey])
        store.close()
        found += verdict.first_bad is not None and verdict.first_bad.what == "kept checkpoint"
    print(f"put back whole: {found} of {TIMES} found, by the witness's cosignature")
    assert found == TIMES


def put_back(connection: Any, _: random.Random, *, kept: int) -> None:
    rewrite_everything(connection, records_of(connection)[:kept], kept=kept)


def cosigned_head(original: Path, tmp_path: Path) -> tuple[str, str]:
    """Return the original's last checkpoint, cosigned by a witness, and the witness's key."""
    store = open_ledger_reader(original)
    last, vkeys = store.last_checkpoint(), store.vkeys()
    store.close()
    assert last is not None
    folder = WitnessFolder.make(tmp_path / "witness", "witness.test/1")
    folder.trust(next(vkey for vkey in vkeys if "/sm3+" not in vkey))
    witness = Witness(folder, folder, EngineVerifier(), FakeClock())
    line = witness.add_checkpoint(format_add_checkpoint(0, [], last.sha256_note))
    return f"{last.sha256_note}{line}", witness.vkey


def test_a_second_view_of_the_same_ledger_is_never_cosigned(tmp_path: Path):
    """Whoever holds the log's keys shows another history of the same size to a second reader."""
    rig = ledger_rig(tmp_path / "home")
    rig.fill(SIZE)
    checkpoint = rig.files.latest_checkpoint()
    assert checkpoint is not None
    folder = WitnessFolder.make(tmp_path / "witness", "witness.test/1")
    folder.trust(next(vkey for vkey in rig.files.vkeys() if "/sm3+" not in vkey))
    witness = Witness(folder, folder, EngineVerifier(), rig.clock)
    witness.add_checkpoint(format_add_checkpoint(0, [], checkpoint.sha256_note))
    keys = rig.signer.keys()[0]
    key = note_key(rig.store.head().origin, ED25519, keys.ed25519)
    refused = 0
    for seed in range(TIMES):
        root = random.Random(seed).randbytes(32)  # noqa: S311 - it must repeat
        text = format_tree_head(TreeHead(key.name, SIZE, root))
        note = format_note(text, [(key, rig.signer.sign_ed25519(text.encode()))])
        with pytest.raises(HistoryForked):
            witness.add_checkpoint(format_add_checkpoint(SIZE, [], note))
        refused += 1
    rig.close()
    print(f"two views: {refused} of {TIMES} refused, by the witness's memory")
    assert refused == TIMES


def test_a_history_signed_anew_with_other_keys_fails_the_kept_keys(original: Path, tmp_path: Path):
    store = open_ledger_reader(original)
    vkeys = store.vkeys()
    store.close()
    forged = ledger_rig(tmp_path)
    forged.fill(SIZE, every=EVERY)
    assert forged.verify().valid  # by the keys beside it
    verdict = forged.files.verify_ledger(vkeys)
    assert not verdict.valid
    assert verdict.first_bad is not None
    assert "no known key" in verdict.first_bad.why
    forged.close()


def flip_bits(home: Callable[[], Path], seed: int, count: int) -> dict[str, int]:
    """Flip one random bit of the file, ``count`` times; say how each was answered."""
    chance = random.Random(seed)  # noqa: S311 - which bit
    expected = verdict_of(home())
    content = (home() / "ledger" / "ledger.db").read_bytes()
    answers = {"found": 0, "unreadable": 0, "harmless": 0, "undetected": 0}
    store = open_ledger_reader(home())
    files = LedgerFiles(store, EngineVerifier())
    for _ in range(count):
        place = chance.randrange(len(content))
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        store.close()  # the next query opens the file anew
        (home() / "ledger" / "ledger.db").write_bytes(flipped)
        try:
            verdict = files.verify_ledger()
        except SecopsError:
            answers["unreadable"] += 1
            continue
        if not verdict.valid:
            answers["found"] += 1
        elif (verdict.entries, verdict.sha256_root, verdict.sm3_root) == (
            expected.entries,
            expected.sha256_root,
            expected.sm3_root,
        ):
            answers["harmless"] += 1
        else:
            answers["undetected"] += 1
    store.close()
    return answers


def test_a_flipped_bit_is_found_or_entries_and_roots_are_unchanged(copy: Callable[[], Path]):
    answers = flip_bits(copy, seed=1, count=200)
    print(f"bit flips: {answers}")
    assert answers["undetected"] == 0
    assert answers["found"] > 20  # the control: flips do hit what is checked


@pytest.mark.deep
def test_twenty_thousand_flipped_bits_are_found_or_harmless(copy: Callable[[], Path]):
    answers = flip_bits(copy, seed=2, count=20_000)
    print(f"bit flips: {answers}")
    assert answers["undetected"] == 0
    assert answers["found"] > 1_000


def test_an_entry_that_can_not_be_read_is_named(copy: Callable[[], Path]):
    home = copy()
    alter(
        home,
        lambda connection, _: connection.execute(
            "UPDATE ledger_entries SET record = 'a text' WHERE entry = 41"
        ),
        0,
    )
    verdict = verdict_of(home)
    assert verdict.first_bad is not None
    expected = ("file", 41, 41)
    assert expected == (verdict.first_bad.what, verdict.first_bad.index, verdict.entries)
