"""The events that alerts of plain rules count: a row for what a step added, not one for each."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0014_stored_scans"
down_revision = "0013_masking"

_AT_ONCE = 500


def upgrade() -> None:
    op.create_table(
        "detectors_alert_hits",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("first_event", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("detectors_alert_hits_by_time", "detectors_alert_hits", ["last_at"])
    _move_hits()
    op.drop_table("detectors_plain_hits")


def _move_hits() -> None:
    columns = ("alert_id", "at", "event_id", "org_id")
    old = sa.table("detectors_plain_hits", *map(sa.column, columns))
    names = ("alert_id", "first_event", "org_id", "first_at", "last_at", "events", "body")
    new = sa.table("detectors_alert_hits", *map(sa.column, names))
    found = op.get_bind().execute(sa.select(old).order_by(*(old.c[name] for name in columns[:3])))
    waiting: list[dict[str, Any]] = []
    for alert_id, rows in groupby(found.all(), key=lambda row: row.alert_id):
        hits = list(rows)
        times = [row.at for row in hits]
        events = [row.event_id for row in hits]
        body = orjson.dumps([times, events]).decode()
        values = (alert_id, events[0], hits[0].org_id, times[0], times[-1], len(hits), body)
        waiting.append(dict(zip(names, values, strict=True)))
    for start in range(0, len(waiting), _AT_ONCE):
        op.bulk_insert(new, waiting[start : start + _AT_ONCE])


def downgrade() -> None:
    op.create_table(
        "detectors_plain_hits",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("org_id", sa.Text, nullable=False),
    )
    op.create_index(
        "detectors_plain_hits_by_time", "detectors_plain_hits", ["alert_id", "at", "event_id"]
    )
    old = sa.table("detectors_alert_hits", *map(sa.column, ("alert_id", "org_id", "body")))
    columns = ("alert_id", "at", "event_id", "org_id")
    new = sa.table("detectors_plain_hits", *map(sa.column, columns))
    for row in op.get_bind().execute(sa.select(old)).all():
        times, events = orjson.loads(row.body)
        hits = zip(times, events, strict=True)
        values = [(row.alert_id, at, event, row.org_id) for at, event in hits]
        op.bulk_insert(new, [dict(zip(columns, each, strict=True)) for each in values])
    op.drop_table("detectors_alert_hits")
