"""Notices with their numbers, units' answers, proofs, petitions and history; early warnings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047_notices"
down_revision = "0045_signed_playbooks"


def upgrade() -> None:
    """Add the tables."""
    _notices()
    _units()
    _rest()


def _notices() -> None:
    """Notices and their numbers."""
    op.create_table(
        "playbooks_notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("urgent", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("units", sa.Text, nullable=False),
        sa.Column("recheck", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("authors", sa.Text, nullable=False),
        sa.Column("drafted_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("approval_id", sa.Text, nullable=False),
        sa.Column("approver_id", sa.Text, nullable=False),
        sa.Column("year", sa.Integer),
        sa.Column("number", sa.Integer),
        sa.Column("issue", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("origin", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index(
        "playbooks_notices_by_number",
        "playbooks_notices",
        ["org_id", "year", "number"],
        unique=True,
    )
    op.create_index(
        "playbooks_notices_by_origin", "playbooks_notices", ["org_id", "origin"], unique=True
    )
    op.create_index(
        "playbooks_notices_by_time", "playbooks_notices", ["org_id", "drafted_at", "id"]
    )
    op.create_table(
        "playbooks_notice_numbers",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
    )


def _units() -> None:
    """Where notices stand at their units, proofs and petitions."""
    op.create_table(
        "playbooks_deliveries",
        sa.Column("notice_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("issuer_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("receive_due", sa.BigInteger, nullable=False),
        sa.Column("rectify_due", sa.BigInteger, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger),
        sa.Column("response", sa.Text, nullable=False),
        sa.Column("rectification", sa.Text, nullable=False),
        sa.Column("rectified_at", sa.BigInteger),
        sa.Column("verify_due", sa.BigInteger),
        sa.Column("rounds", sa.Integer, nullable=False),
        sa.Column("extensions", sa.Integer, nullable=False),
        sa.Column("hands", sa.Text, nullable=False),
        sa.Column("late", sa.Text, nullable=False),
        sa.Column("guessed", sa.Text, nullable=False),
        sa.Column("recheck", sa.Text, nullable=False),
        sa.Column("verified_by", sa.Text, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("ending", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index(
        "playbooks_deliveries_by_issuer", "playbooks_deliveries", ["issuer_id", "issued_at"]
    )
    op.create_index("playbooks_deliveries_by_state", "playbooks_deliveries", ["state"])
    op.create_index(
        "playbooks_deliveries_by_unit", "playbooks_deliveries", ["org_id", "issued_at", "notice_id"]
    )
    op.create_table(
        "playbooks_notice_proofs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("notice_id", sa.Text, nullable=False),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("sm3", sa.Text, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "playbooks_notice_proofs_by_unit",
        "playbooks_notice_proofs",
        ["notice_id", "org_id", "added_at"],
    )
    op.create_table(
        "playbooks_notice_petitions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("notice_id", sa.Text, nullable=False),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("issuer_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("requester_id", sa.Text, nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("decision", sa.Text, nullable=False),
    )
    op.create_index(
        "playbooks_notice_petitions_by_notice",
        "playbooks_notice_petitions",
        ["notice_id", "requested_at"],
    )


def _rest() -> None:
    """Their history, and early warnings."""
    op.create_table(
        "playbooks_notice_remarks",
        sa.Column("notice_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("unit_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "playbooks_early_warnings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("authors", sa.Text, nullable=False),
        sa.Column("drafted_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("wanted", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("approval_id", sa.Text, nullable=False),
        sa.Column("approver_id", sa.Text, nullable=False),
        sa.Column("issued_at", sa.BigInteger),
        sa.Column("lifted_at", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index(
        "playbooks_early_warnings_by_end", "playbooks_early_warnings", ["state", "ends_at"]
    )
    op.create_index(
        "playbooks_early_warnings_by_time",
        "playbooks_early_warnings",
        ["org_id", "drafted_at", "id"],
    )
