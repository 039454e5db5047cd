"""Both real doors, the real sequencer, and what is found when a journal is altered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audits.adapters.doors import SpineDoors
from audits.adapters.signatures import EngineVerifier
from audits.core.c2sp import parse_proof
from audits.errors import DoorDamaged
from audits.models import EntryFilter
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.sequencer import Sequencer
from secops.adapters.journal.frames import FILE_HEADER
from secops.adapters.spine import Spine
from secops.kernel.actors import system_actor
from secops.kernel.trail import Act
from secops.migrations import upgrade
from tests.fakes.signer_file import FileSigner
from tests.functional.sequencer_process import sequencer_of, spine_of


def act(number: int) -> Act:
    return Act("tests.act", system_actor("tester"), "thing:x", details={"number": number})


@dataclass(slots=True)
class Home:
    path: Path
    spine: Spine
    sequencer: Sequencer

    @property
    def journals(self) -> list[Path]:
        return sorted((self.path / "ledger" / "journal").glob("*/*.journal"))

    def files(self) -> LedgerFiles:
        return LedgerFiles(self.sequencer._parts.store, EngineVerifier())


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    FileSigner.make(tmp_path / "signer")
    spine = spine_of(tmp_path, "gateway")
    upgrade(spine.engine)
    spine.start()
    made = Home(tmp_path, spine, sequencer_of(spine, tmp_path))
    yield made
    spine.close()
    made.sequencer._parts.store.close()


def test_a_receipt_becomes_a_proof(home: Home):
    home.spine.parts.transactions.run(lambda tx: tx.record(act(0)))
    (receipt,) = home.spine.parts.trail.append([act(1)])
    home.sequencer.drain()
    proof = parse_proof(home.files().prove_entry(receipt.leaf_hash.hex()))
    assert proof.index in (0, 1)
    verdict = home.files().verify_ledger()
    assert (verdict.valid, verdict.entries) == (True, 2)


def test_a_drained_journal_of_a_process_that_ended_goes_with_the_checkpoint(home: Home):
    other = spine_of(home.path, "command")
    other.start()
    other.parts.trail.append([act(0)])
    home.spine.parts.trail.append([act(1)])
    assert len(home.journals) == 2
    other.close()
    home.sequencer.drain()
    assert len(home.journals) == 1
    assert home.files().verify_ledger().entries == 2


def test_a_frame_altered_before_sequencing_is_found_and_the_other_door_goes_on(home: Home):
    found = 0
    times = 20
    for number in range(times):
        victim = spine_of(home.path, "victim")
        victim.start()
        for batch in range(3):
            victim.parts.trail.append([act(1_000 * number + batch)])
        victim.close()
        (journal,) = [path for path in home.journals if path.parent.name.startswith("victim")]
        content = bytearray(journal.read_bytes())
        place = content.index(b"tests.act", FILE_HEADER)
        content[place] ^= 1 << number % 8
        journal.write_bytes(content)
        home.spine.parts.transactions.run(lambda tx, number=number: tx.record(act(-number)))
        home.sequencer.drain()
        found += len(home.sequencer.health().damaged_doors)
        for path in journal.parent.iterdir():
            path.unlink()
        journal.parent.rmdir()
        home.sequencer._damaged_doors.clear()
    print(f"journal frames altered before sequencing: {found} of {times} found")
    assert times == found
    verdict = home.files().verify_ledger()
    assert verdict.valid
    actions = {row.action for row in home.sequencer._parts.store.search(EntryFilter(), 100, None)}
    assert "audits.sequence_door" in actions


def test_the_doors_speak_the_plane_s_words(home: Home):
    doors = SpineDoors(home.spine.doors)
    home.spine.parts.trail.append([act(0)])
    journal = next(name for name in doors.names() if name != "database")
    batch = doors.read_after(journal, 0, 10)
    assert (journal, 1) == (batch.door, len(batch.records))
    assert doors.forget(journal, batch.position) is False  # its writer lives
    assert doors.forget("never there", 0) is True
    home.journals[0].unlink()
    with pytest.raises(DoorDamaged):
        SpineDoors(spine_of(home.path, "reader").doors).read_after(journal, 0, 10)
