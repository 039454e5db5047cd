"""All kernel parts at once, in memory; ``database_parts`` has them over a real SQLite file."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from secops.adapters.database.engine import make_engine
from secops.adapters.spine import COMMAND_FILE_BYTES, Spine, SpineOptions, open_spine
from secops.kernel.access import AccessControl
from secops.kernel.approvals import Persons
from secops.kernel.clock import Clock
from secops.kernel.ids import Ids
from secops.kernel.parts import Parts
from secops.migrations import current, heads, upgrade
from tests.fakes.access import FakeAccess
from tests.fakes.approvals import FakeApprovals
from tests.fakes.blobs import FakeBlobs
from tests.fakes.clock import FakeClock
from tests.fakes.leases import FakeLeases
from tests.fakes.randomness import FakeRandomness
from tests.fakes.revocations import FakeRevocations
from tests.fakes.tasks import FakeTasks
from tests.fakes.trail import FakeTrail
from tests.fakes.transactions import FakeTransactions


@dataclass(frozen=True, slots=True)
class Fakes:
    """The fakes by their own types; ``parts`` is the same as the kernel sees them."""

    parts: Parts
    clock: FakeClock
    randomness: FakeRandomness
    transactions: FakeTransactions
    trail: FakeTrail
    access: FakeAccess
    revocations: FakeRevocations
    leases: FakeLeases
    tasks: FakeTasks
    approvals: FakeApprovals
    blobs: FakeBlobs


def fakes(home: Path = Path("/nonexistent")) -> Fakes:
    """Return one of each, wired together."""
    clock, randomness = FakeClock(), FakeRandomness()
    revocations = FakeRevocations()
    transactions = FakeTransactions(clock, revocations)
    trail, access, leases = FakeTrail(clock), FakeAccess(), FakeLeases(clock)
    tasks, approvals, blobs = FakeTasks(), FakeApprovals(), FakeBlobs()
    parts = Parts(
        home=home,
        clock=clock,
        randomness=randomness,
        ids=Ids(clock, randomness),
        transactions=transactions,
        trail=trail,
        access=access,
        revocations=revocations,
        leases=leases,
        tasks=tasks,
        approvals=approvals,
        blobs=blobs,
    )
    return Fakes(
        parts,
        clock,
        randomness,
        transactions,
        trail,
        access,
        revocations,
        leases,
        tasks,
        approvals,
        blobs,
    )


def fake_parts(home: Path = Path("/nonexistent")) -> Parts:
    """Return the kernel's parts in memory."""
    return fakes(home).parts


@functools.cache
def _migrated_sqlite() -> bytes:
    """Return a migrated database file; migrating anew for each test takes half a second."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "secops.db"
        engine = make_engine(f"sqlite:///{path}")
        upgrade(engine)
        engine.dispose()
        return path.read_bytes()


def database_spine(
    home: Path,
    *,
    url: str | None = None,
    clock: Clock | None = None,
    access: AccessControl | None = None,
    persons: Persons | None = None,
) -> Spine:
    """Return a started spine over SQLite in ``home`` (or ``url``), migrated; close it."""
    if url is None and not (home / "secops.db").exists():
        (home / "secops.db").write_bytes(_migrated_sqlite())
    spine = open_spine(
        SpineOptions(home=home, role="test", database_url=url, journal_bytes=COMMAND_FILE_BYTES),
        clock=clock or FakeClock(),
        randomness=FakeRandomness(),
        access=access or FakeAccess(),
        persons=persons,
    )
    if (current(spine.engine),) != heads():  # asking alembic takes as long as all the rest
        upgrade(spine.engine)
    spine.start()
    return spine
