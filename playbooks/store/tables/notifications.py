"""Tables of what people were told, of the ways to tell them, and of who is on duty."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text

from playbooks.store.tables.schema import metadata

notifications: Final = Table(
    "playbooks_notifications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Index("playbooks_notifications_by_time", "org_id", "at", "id"),
)

channels: Final = Table(
    "playbooks_channels",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("hint", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("enabled", Boolean(create_constraint=False), nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Index("playbooks_channels_by_name", "org_id", "name", unique=True),
)

channel_rates: Final = Table(
    "playbooks_channel_rates",
    metadata,
    Column("channel_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("sent", Text, nullable=False),
)
"""When a channel's last messages left, as far as its limits ask."""

outgoing: Final = Table(
    "playbooks_outgoing",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("event", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("urgent", Boolean(create_constraint=False), nullable=False),
    Column("drill", Boolean(create_constraint=False), nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Column("trouble", Text, nullable=False),
    Column("digest_id", Text),
    Index("playbooks_outgoing_by_due", "state", "next_at"),
    Index("playbooks_outgoing_by_time", "org_id", "created_at", "id"),
)

happenings: Final = Table(
    "playbooks_happenings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("playbooks_happenings_by_time", "at"),
)
"""What happened to incidents and was not yet told; a job empties it."""

subscriptions: Final = Table(
    "playbooks_subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("min_severity", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("quiet_from", Integer, nullable=False),
    Column("quiet_until", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("playbooks_subscriptions_by_event", "org_id", "event"),
)
