"""A whole ledger over a real SQLite file, with fakes around it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audits.adapters.folders import VkeyLines
from audits.adapters.signatures import EngineVerifier
from audits.models import AuditsOptions, LedgerVerdict
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.sequencer import Sequencer, SequencerParts
from audits.store.ledger.store import LedgerDatabase, open_ledger_store
from tests.fakes.clock import FakeClock
from tests.fakes.leases import FakeLeases
from tests.fakes.ledger import FakeDoors, FakeSigner, record
from tests.fakes.trail import FakeTrail

ORIGIN = "tests.local/log"


@dataclass(slots=True)
class LedgerRig:
    home: Path
    store: LedgerDatabase
    doors: FakeDoors
    signer: FakeSigner
    clock: FakeClock
    leases: FakeLeases
    trail: FakeTrail
    sequencer: Sequencer
    files: LedgerFiles

    @property
    def path(self) -> Path:
        return self.home / "ledger" / "ledger.db"

    def second(self, owner: str = "other") -> Sequencer:
        """Return another process's sequencer over the same ledger."""
        return make_sequencer(self, owner)

    def reopened(self) -> Sequencer:
        """Return this process's sequencer as it is after a restart."""
        self.sequencer = make_sequencer(self, "one")
        return self.sequencer

    def fill(self, count: int, every: int = 0, first: int = 0) -> None:
        """Sequence ``count`` records; sign after each ``every``, and at the end."""
        for number in range(count):
            self.doors.put("database", record(first + number))
            if every and (number + 1) % every == 0:
                self.sequencer.drain()
        self.sequencer.drain()

    def grow(self, count: int) -> None:
        """Sequence ``count`` records that no beginning has."""
        self.fill(count, first=1_000)

    def newest_note(self) -> str:
        """Return the newest checkpoint's note of the SHA-256 tree."""
        checkpoint = self.files.latest_checkpoint()
        assert checkpoint is not None
        return checkpoint.sha256_note

    def verify(self) -> LedgerVerdict:
        return self.files.verify_ledger()

    def close(self) -> None:
        self.store.close()


def make_sequencer(rig: LedgerRig, owner: str) -> Sequencer:
    return Sequencer(
        SequencerParts(
            owner=owner,
            store=rig.store,
            doors=rig.doors,
            signer=rig.signer,
            verifier=EngineVerifier(),
            vkey_file=VkeyLines(rig.home / "ledger" / "vkeys"),
            clock=rig.clock,
            leases=rig.leases,
            trail=rig.trail,
            options=AuditsOptions(),
        )
    )


def ledger_rig(home: Path) -> LedgerRig:
    """Return an empty ledger under ``home``; close it."""
    store = open_ledger_store(home, None, ORIGIN)
    clock = FakeClock()
    rig = LedgerRig(
        home,
        store,
        FakeDoors(),
        FakeSigner(),
        clock,
        FakeLeases(clock),
        FakeTrail(clock),
        None,  # type: ignore[arg-type] - set below, it needs the rig
        LedgerFiles(store, EngineVerifier()),
    )
    rig.sequencer = make_sequencer(rig, "one")
    return rig
