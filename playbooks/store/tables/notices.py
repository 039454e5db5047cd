"""Tables of notices, their units' answers, proofs and petitions, and of early warnings."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from playbooks.store.tables.schema import metadata

notices: Final = Table(
    "playbooks_notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("urgent", Boolean(create_constraint=False), nullable=False),
    Column("units", Text, nullable=False),
    Column("recheck", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("authors", Text, nullable=False),
    Column("drafted_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("approval_id", Text, nullable=False),
    Column("approver_id", Text, nullable=False),
    Column("year", Integer),
    Column("number", Integer),
    Column("issue", Text),
    Column("reason", Text, nullable=False),
    Column("origin", Text),
    Column("version", Integer, nullable=False),
    Index("playbooks_notices_by_time", "org_id", "drafted_at", "id"),
    Index("playbooks_notices_by_number", "org_id", "year", "number", unique=True),
    Index("playbooks_notices_by_origin", "org_id", "origin", unique=True),
)
"""A number is an issuer's once a year: the index is the last guard, the counter the first."""

notice_numbers: Final = Table(
    "playbooks_notice_numbers",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

deliveries: Final = Table(
    "playbooks_deliveries",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("org_id", Text, primary_key=True),
    Column("issuer_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("receive_due", BigInteger, nullable=False),
    Column("rectify_due", BigInteger, nullable=False),
    Column("severity", Text, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("received_at", BigInteger),
    Column("response", Text, nullable=False),
    Column("rectification", Text, nullable=False),
    Column("rectified_at", BigInteger),
    Column("verify_due", BigInteger),
    Column("rounds", Integer, nullable=False),
    Column("extensions", Integer, nullable=False),
    Column("hands", Text, nullable=False),
    Column("late", Text, nullable=False),
    Column("guessed", Text, nullable=False),
    Column("recheck", Text, nullable=False),
    Column("verified_by", Text, nullable=False),
    Column("closed_at", BigInteger),
    Column("ending", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("playbooks_deliveries_by_unit", "org_id", "issued_at", "notice_id"),
    Index("playbooks_deliveries_by_issuer", "issuer_id", "issued_at"),
    Index("playbooks_deliveries_by_state", "state"),
)

notice_proofs: Final = Table(
    "playbooks_notice_proofs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("notice_id", Text, nullable=False),
    Column("org_id", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("sm3", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("blob", Text, nullable=False, server_default=""),
    Index("playbooks_notice_proofs_by_unit", "notice_id", "org_id", "added_at"),
)

notice_petitions: Final = Table(
    "playbooks_notice_petitions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("notice_id", Text, nullable=False),
    Column("org_id", Text, nullable=False),
    Column("issuer_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("days", Integer, nullable=False),
    Column("requester_id", Text, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", BigInteger),
    Column("decision", Text, nullable=False),
    Index("playbooks_notice_petitions_by_notice", "notice_id", "requested_at"),
)

notice_remarks: Final = Table(
    "playbooks_notice_remarks",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("unit_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
)

early_warnings: Final = Table(
    "playbooks_early_warnings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("authors", Text, nullable=False),
    Column("drafted_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("wanted", Text),
    Column("digest", Text, nullable=False),
    Column("approval_id", Text, nullable=False),
    Column("approver_id", Text, nullable=False),
    Column("issued_at", BigInteger),
    Column("lifted_at", BigInteger),
    Column("reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("playbooks_early_warnings_by_time", "org_id", "drafted_at", "id"),
    Index("playbooks_early_warnings_by_end", "state", "ends_at"),
)
