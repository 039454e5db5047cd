"""One history, and the tables it makes are those that the stores use."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData

from secops import migrations
from secops.adapters.database.engine import make_engine
from secops.adapters.database.tables import metadata as spine_metadata
from secops.migrations import current, heads, upgrade
from tests.services.postgresql import PostgresqlServer, postgresql_server

__all__ = ["postgresql_server"]

PLANES = ("iam", "kms", "detectors", "playbooks", "audits")


def plane_metadata(dialect: str) -> list[MetaData]:
    """Return the MetaData of every plane's tables in this database.

    The ledger's own tables are in the main database on PostgreSQL only.
    """
    names = [f"{plane}.store.tables" for plane in PLANES]
    if dialect == "postgresql":
        names.append("audits.store.ledger.tables")
    return [
        importlib.import_module(name).metadata
        for name in names
        if importlib.util.find_spec(name.rpartition(".")[0]) and importlib.util.find_spec(name)
    ]


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(
            compare_metadata(context, [spine_metadata, *plane_metadata(engine.dialect.name)])
        )  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path / 'x.db'}")
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        made = make_engine(server.new_database())
    yield made
    made.dispose()


def test_the_history_has_exactly_one_head() -> None:
    assert len(heads()) == 1


def test_the_migrated_tables_are_the_stores_tables(engine: Engine) -> None:
    assert current(engine) is None
    upgrade(engine)
    assert (current(engine),) == heads()
    assert differences(engine) == []


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    upgrade(engine)
    assert (current(engine),) == heads()


def test_the_head_read_from_the_files_is_alembics() -> None:
    folder = Path(migrations.__file__).parent
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert heads() == tuple(ScriptDirectory.from_config(config).get_heads())
