"""Changes that take two persons, people who leave, and for whom a session acts."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

change_requests: Final = sa.Table(
    "iam_change_requests",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("base", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("requester_id", sa.Text, nullable=False),
    sa.Column("requested_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("decision_reason", sa.Text, nullable=False),
)
sa.Index("iam_change_requests_waiting", change_requests.c.state, change_requests.c.id)
sa.Index("iam_change_requests_of_requester", change_requests.c.requester_id)

departures: Final = sa.Table(
    "iam_departures",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("successor_id", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("due_at", sa.BigInteger, nullable=False),
    sa.Column("ordered_by", sa.Text, nullable=False),
    sa.Column("ordered_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
)
sa.Index("iam_departures_due", departures.c.state, departures.c.due_at)
sa.Index(
    "iam_departures_once",
    departures.c.account_id,
    unique=True,
    sqlite_where=sa.text("state = 'due'"),
    postgresql_where=sa.text("state = 'due'"),
)

acting: Final = sa.Table(
    "iam_acting",
    metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("iam_sessions.id"), primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("mandate_id", sa.Text, sa.ForeignKey("iam_mandates.id"), nullable=False),
    sa.Column("chosen_at", sa.BigInteger, nullable=False),
)
