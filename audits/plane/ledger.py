"""Wires the ledger: sequencing, files, witnesses, measurements."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from audits.adapters.chunk_processes import ChunkProcesses
from audits.adapters.folders import VkeyLines
from audits.adapters.signatures import EngineVerifier
from audits.adapters.signers import EphemeralSigner
from audits.adapters.witness_files import WitnessedFolder
from audits.core.c2sp.cosignature import parse_witness_key
from audits.models import AuditsOptions
from audits.ports import AuditsPorts
from audits.service.ledger.bench import (
    RECORDS,
    BenchDoors,
    BenchLeases,
    BenchTrail,
    ledger_figures,
)
from audits.service.ledger.cosigned import Witnessed
from audits.service.ledger.cosigning import Cosigning, witness_address
from audits.service.ledger.files import LedgerFiles
from audits.service.ledger.ledger import LedgerService
from audits.service.ledger.sequencer import Sequencer, SequencerParts
from audits.store.ledger.store import ledger_folder, open_ledger_reader, open_ledger_store
from secops.kernel.clock import SystemClock
from secops.kernel.ids import SystemRandomness
from secops.kernel.parts import Parts


def build_ledger(
    parts: Parts, ports: AuditsPorts, options: AuditsOptions
) -> tuple[LedgerService, Cosigning | None]:
    """Return the ledger's service, opened or made, and the asking of witnesses if there are any."""
    origin = f"{options.ledger_name}/{parts.randomness.bytes(8).hex()}"
    store = open_ledger_store(parts.home, options.database_url, origin)
    verifier = EngineVerifier()
    sequencer = Sequencer(
        SequencerParts(
            owner=parts.ids.new("sequencer"),
            store=store,
            doors=ports.doors,
            signer=ports.signer,
            verifier=verifier,
            vkey_file=VkeyLines(ledger_folder(parts.home) / "vkeys"),
            clock=parts.clock,
            leases=parts.leases,
            trail=parts.trail,
            options=options,
        )
    )
    opening = partial(open_ledger_reader, parts.home, options.database_url)
    witnessed = Witnessed(
        witnessed_notes(parts.home),
        [parse_witness_key(vkey) for vkey, _ in options.witnesses],
        options.witness_quorum,
    )
    files = LedgerFiles(store, verifier, witnessed, ChunkProcesses(opening))
    service = LedgerService(
        store=store, files=files, sequencer=sequencer, access=parts.access, trail=parts.trail
    )
    return service, _cosigning(parts, ports, options, files)


def _cosigning(
    parts: Parts, ports: AuditsPorts, options: AuditsOptions, files: LedgerFiles
) -> Cosigning | None:
    if not options.witnesses or ports.witness_post is None:
        return None
    return Cosigning(
        witnesses=[witness_address(vkey, url) for vkey, url in options.witnesses],
        files=files,
        notes=witnessed_notes(parts.home),
        verifier=EngineVerifier(),
        post=ports.witness_post,
        trail=parts.trail,
        clock=parts.clock,
    )


def witnessed_notes(home: Path) -> WitnessedFolder:
    """Return the cosigned checkpoints beside the ledger of ``home``."""
    return WitnessedFolder(ledger_folder(home) / "witnessed")


def ledger_origins(home: Path) -> frozenset[str]:
    """Return the origins of the trees of ``home``, by the keys that lie beside its ledger."""
    with suppress(OSError, UnicodeDecodeError):
        lines = (ledger_folder(home) / "vkeys").read_text("utf-8").splitlines()
        return frozenset(line.partition("+")[0] for line in lines)
    return frozenset()


def open_ledger_files(home: Path, database_url: str | None = None) -> LedgerFiles:
    """Open a home's ledger alone, for ``verify-ledger``; raise ``LedgerMissing``.

    The caller has run the engines' known-answer tests.
    """
    opening = partial(open_ledger_reader, home, database_url)
    witnessed = Witnessed(witnessed_notes(home))
    return LedgerFiles(opening(), EngineVerifier(), witnessed, ChunkProcesses(opening))


def measure_ledger(folder: Path, records: int = RECORDS) -> list[dict[str, Any]]:
    """Return the ledger's figures, measured over a new ledger in the empty ``folder``."""
    clock, randomness = SystemClock(), SystemRandomness()
    store = open_ledger_store(folder, None, "bench.local/log")
    verifier = EngineVerifier()
    sequencer = Sequencer(
        SequencerParts(
            owner="bench",
            store=store,
            doors=BenchDoors(records),
            signer=EphemeralSigner(),
            verifier=verifier,
            vkey_file=VkeyLines(ledger_folder(folder) / "vkeys"),
            clock=clock,
            leases=BenchLeases(),
            trail=BenchTrail(),
            options=AuditsOptions(),
        )
    )
    try:
        opening = partial(open_ledger_reader, folder)
        files = LedgerFiles(store, verifier, check=ChunkProcesses(opening))
        return ledger_figures(sequencer, files, verifier, randomness, records)
    finally:
        store.close()
