"""Assessments and reports over a real database, ledger and engines, with fake evidence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audits.adapters.doors import SpineDoors
from audits.models import AuditsOptions
from audits.plane import install, open_report_files
from audits.ports import AuditsPorts
from audits.service import AuditsServices
from audits.service.reports.files import ReportFiles
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import Conflict, NotFound
from secops.web.routes import Plane
from tests.fakes.evidence import FakeEvidence, FakeReportSigner
from tests.fakes.ledger import FakeSigner
from tests.fakes.parts import database_spine

AUDITOR = Actor("account", "acc_auditor", ROOT_ORG, "审计员甲", frozenset({"auditor"}), level=2)


class FakeProtection:
    """Wraps what goes to partners visibly; knows one partner, and fails at the last when told."""

    failing = False

    def demand(self, actor: Actor, partners: tuple[str, ...]) -> None:
        if partners != ("market",):
            raise NotFound(f"{actor.name} has no such partner")

    def protect(self, actor: Actor, content: bytes, partners: tuple[str, ...]) -> bytes:
        if self.failing:
            raise Conflict("the key was retired meanwhile")
        return f"to {' '.join(partners)} by {actor.id}\n".encode() + content


@dataclass
class ReportHouse:
    plane: Plane
    services: AuditsServices
    evidence: FakeEvidence
    spine: Spine
    files: ReportFiles
    signer: FakeReportSigner

    @property
    def vkeys(self) -> list[str]:
        return list(self.services.ledger.files.vkeys())


@contextmanager
def report_house(home: Path) -> Iterator[ReportHouse]:
    """Yield a house whose ledger lies under ``home``."""
    spine = database_spine(home, clock=SystemClock())
    evidence, signer = FakeEvidence(), FakeReportSigner()
    ports = AuditsPorts(
        doors=SpineDoors(spine.doors),
        signer=FakeSigner(),
        evidence=evidence,
        report_signer=signer,
        protection=FakeProtection(),
    )
    plane = install(spine.parts, ports, AuditsOptions(checkpoint_seconds=0.0))
    services = plane.services
    assert isinstance(services, AuditsServices)
    try:
        yield ReportHouse(plane, services, evidence, spine, open_report_files(), signer)
    finally:
        services.ledger.store.close()  # type: ignore[attr-defined]
        spine.close()
