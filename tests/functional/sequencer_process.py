"""A process that sequences the ledger of a home until it is killed (run by a test)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from audits.adapters.doors import SpineDoors
from audits.adapters.folders import VkeyLines
from audits.adapters.signatures import EngineVerifier
from audits.models import AuditsOptions
from audits.service.ledger.sequencer import Sequencer, SequencerParts
from audits.store.ledger.store import open_ledger_store
from secops.adapters.spine import COMMAND_FILE_BYTES, Spine, SpineOptions, open_spine
from secops.kernel.clock import SystemClock
from secops.kernel.ids import SystemRandomness
from tests.fakes.access import FakeAccess
from tests.fakes.signer_file import FileSigner


def spine_of(home: Path, role: str) -> Spine:
    """Return a spine of ``home`` on real time, in a process of this ``role``."""
    return open_spine(
        SpineOptions(home=home, role=role, journal_bytes=COMMAND_FILE_BYTES),
        clock=SystemClock(),
        randomness=SystemRandomness(),
        access=FakeAccess(),
    )


def sequencer_of(spine: Spine, home: Path) -> Sequencer:
    """Return the sequencer over the spine's two doors."""
    store = open_ledger_store(home, None, "tests.local/killed")
    return Sequencer(
        SequencerParts(
            owner=spine.parts.ids.new("sequencer"),
            store=store,
            doors=SpineDoors(spine.doors),
            signer=FileSigner(home / "signer"),
            verifier=EngineVerifier(),
            vkey_file=VkeyLines(home / "ledger" / "vkeys"),
            clock=spine.parts.clock,
            leases=QuickLeases(spine),
            trail=spine.parts.trail,
            options=replace(AuditsOptions(), checkpoint_seconds=0.05),
        )
    )


class QuickLeases:
    """The real leases, cut to half a second: a killed holder is soon replaced."""

    def __init__(self, spine: Spine) -> None:
        self._leases = spine.parts.leases

    def acquire(self, name, owner, seconds):
        del seconds
        return self._leases.acquire(name, owner, 0.5)

    def renew(self, lease, seconds):
        del seconds
        return self._leases.renew(lease, 0.5)

    def release(self, lease):
        self._leases.release(lease)


def main() -> None:
    home = Path(sys.argv[1])
    spine = spine_of(home, "sequencer")
    sequencer = sequencer_of(spine, home)
    print("ready", flush=True)
    while True:
        sequencer.tick()
        damage = sequencer.health().damage
        if damage is not None:
            print(f"damage: {damage}", flush=True)


if __name__ == "__main__":
    main()
