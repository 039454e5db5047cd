"""The register of systems with all its versions, and records of evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052_register"
down_revision = "0051_assessments"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audits_systems",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("name"),
        sa.Column("live_name", sa.Text),
        *_integers("level", "s_level", "a_level"),
        *_texts("owner", "domain", "filing_number"),
        *_instants("filed_at", "tested_at"),
        *_texts("data_grade", "extensions", "uses", "details"),
        *_instants("retired_at"),
        *_texts("retired_reason"),
        *_integers("version"),
    )
    op.create_index(
        "audits_systems_by_name", "audits_systems", ["org_id", "live_name"], unique=True
    )
    op.create_table(
        "audits_assets",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("org_id", "system_id", "name"),
        sa.Column("live_name", sa.Text),
        *_texts("kind", "address"),
        *_integers("importance"),
        *_texts("department", "place", "owner", "product", "measures", "data_grade"),
        *_texts("log_sources"),
        *_instants("retired_at"),
        *_texts("retired_reason"),
        *_integers("version"),
    )
    op.create_index(
        "audits_assets_by_name",
        "audits_assets",
        ["org_id", "system_id", "live_name"],
        unique=True,
    )
    _make_accesses()
    _make_records()


def _make_accesses() -> None:
    op.create_table(
        "audits_supplier_accesses",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("org_id", "system_id", "supplier", "person", "purpose", "account", "approved_by"),
        *_instants("starts_at", "ends_at", "ended_at"),
        *_integers("version"),
    )
    op.create_index(
        "audits_supplier_accesses_by_end", "audits_supplier_accesses", ["org_id", "ends_at", "id"]
    )
    op.create_table(
        "audits_register_versions",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("object_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        *_instants("at"),
        *_texts("by", "action", "content"),
    )


def _make_records() -> None:
    op.create_table(
        "audits_records",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("org_id", "system_id", "kind", "evidence_kind", "title", "note", "person"),
        *_texts("items"),
        *_instants("held_at", "expires_at"),
        *_texts("filename", "media_type"),
        *_integers("size"),
        *_texts("sha256", "uploaded_by"),
        *_instants("uploaded_at", "withdrawn_at"),
        *_texts("withdrawn_reason"),
        *_integers("version"),
    )
    op.create_index("audits_records_by_time", "audits_records", ["org_id", "uploaded_at", "id"])
    op.create_index("audits_records_by_document", "audits_records", ["org_id", "sha256"])


def _texts(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.Text, nullable=False) for name in names)


def _integers(*names: str) -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(name, sa.Integer, nullable=False) for name in names)


def _instants(*names: str) -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(name, sa.BigInteger, nullable=False) for name in names)
