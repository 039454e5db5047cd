"""One kit of kernel parts per implementation: in memory, over SQLite, over PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import literal

from secops.adapters.database.leases import DatabaseLeases
from secops.adapters.spine import Spine, SpineOptions, open_spine
from secops.kernel.ids import SystemRandomness
from secops.kernel.parts import Parts
from tests.fakes.access import FakeAccess
from tests.fakes.clock import FakeClock
from tests.fakes.parts import database_spine, fakes
from tests.services.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]

FAKE = "fake"
SQLITE = "sqlite"
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgresql)


@dataclass(frozen=True, slots=True)
class Kit:
    """``parts`` on ``clock``; ``spine`` is None for the fakes."""

    parts: Parts
    clock: FakeClock
    spine: Spine | None = None


def _database_kit(home: Path, url: str | None) -> Kit:
    clock = FakeClock()
    spine = database_spine(home, url=url, clock=clock)
    # leases tell time by the database's clock; here that is the fake one, too
    leases = DatabaseLeases(spine.transactions, lambda: literal(clock.now()))
    return Kit(replace(spine.parts, leases=leases), clock, spine)


@pytest.fixture(params=[FAKE, SQLITE, POSTGRESQL])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    """Every implementation."""
    if request.param == FAKE:
        made = fakes(tmp_path)
        yield Kit(made.parts, made.clock)
        return
    url = request.getfixturevalue("postgresql_url") if request.param != SQLITE else None
    made_kit = _database_kit(tmp_path, url)
    yield made_kit
    if made_kit.spine is not None:
        made_kit.spine.close()


@pytest.fixture
def clock() -> FakeClock:
    """The clock of ``spine``."""
    return FakeClock()


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def database(request: pytest.FixtureRequest) -> str | None:
    """The URL of every real database; None is SQLite in the home."""
    if request.param == SQLITE:
        return None
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def spine(database: str | None, tmp_path: Path, clock: FakeClock) -> Iterator[Spine]:
    """The spine over every real database."""
    made = database_spine(tmp_path, url=database, clock=clock)
    yield made
    made.close()


@pytest.fixture
def neighbour(database: str | None, tmp_path: Path, spine: Spine) -> Iterator[Spine]:
    """Another process's spine over the same home and database."""
    made = open_spine(
        SpineOptions(home=tmp_path, role="neighbour", database_url=database),
        clock=spine.parts.clock,
        randomness=SystemRandomness(),
        access=FakeAccess(),
    )
    made.start()
    yield made
    made.close()
