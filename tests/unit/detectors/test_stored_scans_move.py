"""What alerts counted before their hits came into one row is counted as before, and back again."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command

from detectors.store.hits import DatabaseHits
from secops.adapters.database.engine import make_engine
from secops.adapters.database.unit import DatabaseTransaction
from secops.migrations import _config

HITS = [("alr_1", "e2", 20, "org_root"), ("alr_1", "e1", 20, "org_root"), ("alr_2", "e9", 5, "org")]


def test_hits_move_into_rows_of_their_alerts_and_back(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'x.db'}")
    names = ("alert_id", "event_id", "at", "org_id")
    old = sa.table("detectors_plain_hits", *map(sa.column, names))
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0013_masking")
        connection.execute(old.insert(), [dict(zip(names, hit, strict=True)) for hit in HITS])
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0014_stored_scans")
        tx, store = DatabaseTransaction(connection, 0), DatabaseHits()
        assert store.first_hits(tx, ["alr_1"], 9) == {"alr_1": [(20, "e1"), (20, "e2")]}
        asked = {"alr_1": [(20, "e2"), (21, "e3")], "alr_2": [(5, "e9")]}
        assert store.known_hits(tx, asked) == {("alr_1", "e2"), ("alr_2", "e9")}
    with engine.begin() as connection:
        command.downgrade(_config(connection), "0013_masking")
        assert {tuple(row) for row in connection.execute(sa.select(old))} == set(HITS)
    engine.dispose()
