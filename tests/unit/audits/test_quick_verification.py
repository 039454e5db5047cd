"""By chunks and entry by entry the verdict is the same; side by side too."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.adapters.chunk_processes import ChunkProcesses
from audits.adapters.signatures import EngineVerifier
from audits.core.c2sp import parse_tree_head, parse_vkey, split_note
from audits.core.chunks import levels_of, parts_of
from audits.core.entries import row_values
from audits.core.rfc6962 import SHA256, Frontier
from audits.errors import LedgerDamaged
from audits.models import LedgerVerdict
from audits.service.ledger import chunks as chunk_module
from audits.service.ledger import quick_verification
from audits.service.ledger.quick_verification import ChunkChecks, QuickVerification, chunks_of
from audits.service.ledger.verification import Recomputation
from audits.store.ledger.store import open_ledger_reader
from tests.fakes.ledger_rig import LedgerRig, ledger_rig

ENTRIES = 71


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LedgerRig]:
    """A ledger of several small chunks: 16 leaves each."""
    monkeypatch.setattr(quick_verification, "CHUNK", 16)
    monkeypatch.setattr(quick_verification, "LEVEL", 4)
    made = ledger_rig(tmp_path)
    made.fill(ENTRIES, every=9)
    yield made
    made.close()


def quick(rig: LedgerRig, *kept: str) -> LedgerVerdict | None:
    keys = [parse_vkey(vkey) for vkey in rig.files.vkeys()]
    heads = [parse_tree_head(split_note(note)[0]) for note in kept]
    return QuickVerification(rig.store, ChunkChecks(EngineVerifier()), keys, heads).run()


def change(rig: LedgerRig, statement: str) -> None:
    with rig.store._writer.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_sound_ledger_has_the_verdict_of_the_long_way(rig: LedgerRig) -> None:
    assert quick(rig) == Recomputation(rig.store, EngineVerifier()).run()
    kept = [each.sha256_note for each in rig.store.checkpoints()]
    kept += [each.sm3_note for each in rig.store.checkpoints()]
    found = quick(rig, *kept)
    assert found is not None
    assert found.valid


def test_an_empty_ledger_is_sound(tmp_path: Path) -> None:
    empty = ledger_rig(tmp_path)
    assert quick(empty) == Recomputation(empty.store, EngineVerifier()).run()
    empty.close()


@pytest.mark.parametrize(
    "statement",
    [
        (
            "UPDATE ledger_entries SET record = CAST(replace(record, 'tester', 'nobody') AS BLOB)"
            " WHERE entry = 7"
        ),
        "UPDATE ledger_entries SET record = 'text' WHERE entry = 7",
        "UPDATE ledger_entries SET sha256 = zeroblob(32) WHERE entry = 70",
        "UPDATE ledger_entries SET sm3 = zeroblob(32) WHERE entry = 17",
        "DELETE FROM ledger_entries WHERE entry = 70",
        "DELETE FROM ledger_rows WHERE entry = 3",
        "UPDATE ledger_rows SET actor_id = 'other' WHERE entry = 3",
        "UPDATE ledger_rows SET request_id = 'other' WHERE entry = 64",
        "UPDATE ledger_subtrees SET sm3 = zeroblob(32) WHERE level = 1 AND position = 2",
        "UPDATE ledger_subtrees SET sha256 = zeroblob(32) WHERE level = 5 AND position = 1",
        "DELETE FROM ledger_subtrees WHERE level = 6",
        "INSERT INTO ledger_subtrees VALUES (9, 9, zeroblob(32), zeroblob(32))",
        "UPDATE ledger_head SET size = 70",
        "UPDATE ledger_head SET origin = 'elsewhere'",
        "DELETE FROM ledger_checkpoints",
        "DELETE FROM ledger_checkpoints WHERE size < 70 AND size > 100",
        "UPDATE ledger_checkpoints SET sha256_root = zeroblob(32) WHERE size = 27",
        "UPDATE ledger_checkpoints SET sm3_note = sha256_note WHERE size = 27",
        "UPDATE ledger_checkpoints SET size = 28 WHERE size = 27",
    ],
)
def test_what_the_long_way_finds_the_quick_one_finds(rig: LedgerRig, statement: str) -> None:
    change(rig, statement)
    by_entry = Recomputation(rig.store, EngineVerifier()).run()
    try:
        by_chunk = quick(rig)
    except LedgerDamaged:
        by_chunk = None
    assert (by_chunk is not None) == by_entry.valid
    assert rig.files.verify_ledger() == by_entry


def test_entries_behind_the_head_are_not_sound(rig: LedgerRig) -> None:
    change(rig, "INSERT INTO ledger_entries SELECT 71, record, sha256, sm3 FROM ledger_entries"
                " WHERE entry = 0")  # fmt: skip
    assert quick(rig) is None
    assert not rig.files.verify_ledger().valid


@pytest.mark.parametrize("place", [9_999_999, -3])
def test_an_entry_far_from_the_others_is_found_and_counts_for_no_device(
    rig: LedgerRig, place: int
) -> None:
    record = b'{"a":1}'
    values = f"X'{record.hex()}', X'{SHA256.leaf(record).hex()}', zeroblob(32)"
    change(rig, f"INSERT INTO ledger_entries VALUES ({place}, {values})")  # noqa: S608 - ours
    assert quick(rig) is None
    bad = rig.files.verify_ledger().first_bad
    assert bad is not None
    assert bad.what == "entry"
    assert rig.files.compare_device([record]).missing == 1


@pytest.mark.parametrize("last", [0, 1])
def test_two_kept_roots_of_one_size_are_never_both_extended(rig: LedgerRig, last: int) -> None:
    (mine,) = [each for each in rig.store.checkpoints() if each.size == ENTRIES]
    head = parse_tree_head(split_note(mine.sha256_note)[0])
    heads = [head, replace(head, root=bytes(32))]
    kept = [heads[1 - last], heads[last]]
    verdict = Recomputation(rig.store, EngineVerifier(), kept=kept).run()
    assert verdict.first_bad is not None
    assert verdict.first_bad.what == "kept checkpoint"


def test_kept_heads_of_another_log_size_or_root_are_not_extended(rig: LedgerRig) -> None:
    (last,) = [each for each in rig.store.checkpoints() if each.size == ENTRIES]
    note = last.sha256_note
    for wrong in (
        note.replace("tests.local/log\n", "tests.local/other\n", 1),
        note.replace("\n71\n", "\n72\n", 1),
        note.replace("\n71\n", "\n70\n", 1),
    ):
        assert quick(rig, wrong) is None


def test_processes_say_the_same(rig: LedgerRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_verification, "CHUNK", 4_096)  # spawned processes know no patch
    monkeypatch.setattr(quick_verification, "LEVEL", 12)
    check = ChunkProcesses(partial(open_ledger_reader, rig.home), worth=1)
    keys = [parse_vkey(vkey) for vkey in rig.files.vkeys()]
    found = QuickVerification(rig.store, ChunkChecks(EngineVerifier(), check), keys, []).run()
    assert found == Recomputation(rig.store, EngineVerifier()).run()
    dying = ChunkProcesses(partial(os._exit, 3), worth=1)
    found = QuickVerification(rig.store, ChunkChecks(EngineVerifier(), dying), keys, []).run()
    assert found == Recomputation(rig.store, EngineVerifier()).run()
    few = ChunkProcesses(partial(open_ledger_reader, rig.home))
    assert len(list(few(rig.store, list(chunks_of(ENTRIES, [ENTRIES]))))) == 1


PARENT = """
import multiprocessing, time
from audits.adapters import chunk_processes

def child():
    chunk_processes._open(list)
    time.sleep(60)

process = multiprocessing.get_context("fork").Process(target=child)
process.start()
print(process.pid, flush=True)
process.join()
"""


def test_a_killed_parent_leaves_no_process_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        status = Path("/proc") / parent.stdout.readline().decode().strip() / "status"
        parent.kill()
    for _ in range(1_000):
        if not status.exists() or "State:\tZ" in status.read_text():
            return
        time.sleep(0.01)
    pytest.fail("the child goes on without its parent")


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=40), st.data())
def test_levels_by_lists_are_those_of_the_frontier(
    records: list[bytes], data: st.DataObject
) -> None:
    leaves = [SHA256.leaf(record) for record in records]
    levels, frontier = levels_of(SHA256, leaves), Frontier(SHA256)
    completed = [each for leaf in leaves for each in frontier.append(leaf)]
    assert sorted(completed) == [
        (level, place, each)
        for level in range(1, len(levels))
        for place, each in enumerate(levels[level])
    ]
    count = data.draw(st.integers(0, len(leaves)))
    prefix = Frontier(SHA256)
    for leaf in leaves[:count]:
        prefix.append(leaf)
    assert parts_of(levels, count) == list(prefix.parts)


def test_no_leaves_have_no_levels() -> None:
    assert levels_of(SHA256, []) == [[]]
    assert chunk_module.parts_of([[]], 0) == []


def simple_text(value: object) -> str:
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else ""


@given(
    st.dictionaries(
        st.sampled_from(["at", "action", "actor", "target", "outcome", "request"]),
        st.none()
        | st.booleans()
        | st.integers(-1, 2**63)
        | st.text("a\x00", max_size=3)
        | st.dictionaries(st.sampled_from(["id", "org"]), st.text("a\x00", max_size=3)),
    )
)
def test_a_row_is_what_the_record_says_whatever_it_holds(fields: dict[str, Any]) -> None:
    at, request = fields.get("at"), fields.get("request")
    actor = fields["actor"] if isinstance(fields.get("actor"), dict) else {}
    assert row_values(fields) == (
        at if type(at) is int and 0 <= at < 2**62 else 0,
        simple_text(fields.get("action")),
        simple_text(actor.get("id")),
        simple_text(actor.get("org")),
        simple_text(fields.get("target")),
        simple_text(fields.get("outcome")),
        simple_text(request) if request is not None else None,
    )
