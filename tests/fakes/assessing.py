"""Assessments over a real database, with evidence as given and a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from audits.models.systems import THIS_INSTANCE, Asset, System
from audits.plane.assessments import Assessing, Surroundings, build_assessments
from audits.ports.assessments import AnnexSources
from audits.service.systems.scopes import Scopes, platform
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.transactions import Transaction
from tests.fakes.clock import FakeClock
from tests.fakes.evidence import FakeEvidence
from tests.fakes.parts import database_spine

AUDITOR = Actor("account", "acc_auditor", ROOT_ORG, "审计员甲", frozenset({"auditor"}), level=2)
ANALYST = Actor("account", "acc_analyst", ROOT_ORG, "分析员乙", frozenset({"analyst"}), level=2)
ELSEWHERE = Actor("account", "acc_other", "org_other", "外", frozenset({"auditor"}), level=2)


@dataclass
class KnownSystems:
    """The systems and assets of a register."""

    systems: dict[tuple[str, str], System] = field(default_factory=dict)
    assets: list[Asset] = field(default_factory=list)

    def get(self, _tx: Transaction, org_id: str, system_id: str) -> System:
        """Return a system, the platform where nobody registered it."""
        from audits.errors import SystemNotFound  # noqa: PLC0415

        if (org_id, system_id) in self.systems:
            return self.systems[org_id, system_id]
        if system_id == THIS_INSTANCE:
            return platform(org_id)
        raise SystemNotFound(f"no system {system_id}")

    def live(self, _tx: Transaction, org_id: str, system_id: str | None = None) -> list[Asset]:
        """Return a system's assets."""
        return [
            asset
            for asset in self.assets
            if asset.org_id == org_id and system_id in (None, asset.system_id)
        ]


@dataclass
class KnownRoles:
    """What accounts may do by now; None where they may not act."""

    held: dict[str, frozenset[str] | None] = field(default_factory=dict)

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        """Return the roles of an account."""
        return self.held.get(account_id)


@dataclass
class AssessingHouse:
    """Everything a test of assessments needs."""

    spine: Spine
    clock: FakeClock
    evidence: FakeEvidence
    register: KnownSystems
    roles: KnownRoles
    services: Assessing


@contextmanager
def assessing_house(home: Path, annexes: AnnexSources | None = None) -> Iterator[AssessingHouse]:
    """Yield an open house; it is closed in the end."""
    clock, evidence = FakeClock(), FakeEvidence()
    register, roles = KnownSystems(), KnownRoles()
    spine = database_spine(home, clock=clock)
    scopes = Scopes(spine.parts.transactions, register, register)  # type: ignore[arg-type] # what scopes ask of them
    around = Surroundings((evidence,), annexes or AnnexSources(), roles)
    services = build_assessments(spine.parts, scopes, around)
    try:
        yield AssessingHouse(spine, clock, evidence, register, roles, services)
    finally:
        spine.close()
