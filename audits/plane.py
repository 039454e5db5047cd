"""Wires the audits plane."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from audits.adapters.controls import PackagedCatalogues
from audits.adapters.folders import TileFolder, VkeyLines
from audits.adapters.report_pages import HtmlReports
from audits.adapters.report_signatures import EngineReportVerifier
from audits.adapters.signatures import EngineVerifier
from audits.adapters.signers import EphemeralSigner
from audits.api import routes
from audits.core.gbt22239.catalogue import read_catalogue
from audits.core.rfc6962 import SM3
from audits.jobs import jobs
from audits.models import AuditsOptions
from audits.ports import AuditsPorts
from audits.service import AuditsServices
from audits.service.assessments import AssessmentService
from audits.service.bench import (
    RECORDS,
    BenchDoors,
    BenchLeases,
    BenchTrail,
    ledger_figures,
)
from audits.service.ledger import LedgerService
from audits.service.ledger_files import LedgerFiles
from audits.service.reports import ReportFiles, ReportParts, ReportService
from audits.service.sequencer import Sequencer, SequencerParts
from audits.store.assessments import DatabaseAssessments
from audits.store.ledger import ledger_folder, open_ledger_reader, open_ledger_store
from secops.kernel.clock import SystemClock
from secops.kernel.ids import SystemRandomness
from secops.kernel.parts import Parts
from secops.web.routes import Plane


def install(parts: Parts, ports: AuditsPorts, options: AuditsOptions) -> Plane:
    """Return the plane, its ledger opened (or made, the first time)."""
    ledger = _ledger(parts, ports, options)
    assessments = AssessmentService(
        parts, DatabaseAssessments(), PackagedCatalogues(read_catalogue), ports.evidence
    )
    tools = ReportParts(
        renderer=HtmlReports(),
        signer=ports.report_signer,
        sm3=SM3.digest,
        ledger=ledger.files,
        sequencer=ledger.sequencer,
        pause=time.sleep,
    )
    services = AuditsServices(
        ledger=ledger,
        folder_sink=TileFolder,
        assessments=assessments,
        reports=ReportService(parts, assessments, tools),
    )
    return Plane("audits", services, routes(services), jobs(services))


def open_ledger_files(home: Path, database_url: str | None = None) -> LedgerFiles:
    """Open a home's ledger alone, for ``verify-ledger``; raise ``LedgerMissing``.

    The caller has run the engines' known-answer tests.
    """
    return LedgerFiles(open_ledger_reader(home, database_url), EngineVerifier())


def open_report_files() -> ReportFiles:
    """Return what verifies reports over files alone."""
    return ReportFiles(EngineReportVerifier(), EngineVerifier(), SM3.digest)


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
        return ledger_figures(sequencer, LedgerFiles(store, verifier), randomness, records)
    finally:
        store.close()


def _ledger(parts: Parts, ports: AuditsPorts, options: AuditsOptions) -> LedgerService:
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
    return LedgerService(
        store=store,
        files=LedgerFiles(store, verifier),
        sequencer=sequencer,
        access=parts.access,
        trail=parts.trail,
    )
