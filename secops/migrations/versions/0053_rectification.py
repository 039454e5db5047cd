"""Tasks of rectification, waivers, the register of risks, scans and what they found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053_rectification"
down_revision = "0052_register"


def upgrade() -> None:
    """Make the tables."""
    _make_tasks()
    _make_waivers()
    _make_risks()
    _make_scans()


def _make_tasks() -> None:
    table = "audits_rectification_tasks"
    op.create_table(
        table,
        _key("id"),
        *_texts("org_id", "system_id", "source", "standard"),
        *_integers("level"),
        *_texts("subject", "object_id", "object_name", "title_zh", "title_en"),
        *_texts("finding_zh", "finding_en", "assessment_id"),
        sa.Column("by_person", sa.Boolean, nullable=False),
        sa.Column("high_risk", sa.Boolean, nullable=False),
        *_texts("state", "owner_id", "owner_name"),
        *_instants("due_at"),
        *_texts("made_by"),
        *_instants("made_at"),
        *_texts("proof_by"),
        *_instants("proof_at", "rechecked_at", "closed_at"),
        *_texts("closed_by"),
        *_integers("rounds", "version"),
    )
    finding = ["org_id", "system_id", "source", "standard", "subject", "object_id"]
    op.create_index(f"{table}_by_time", table, ["org_id", "made_at", "id"])
    op.create_index(f"{table}_by_finding", table, finding, unique=True)
    op.create_table(
        "audits_rectification_history",
        _key("org_id"),
        _key("subject_id"),
        sa.Column("seq", sa.Integer, primary_key=True),
        *_instants("at"),
        *_texts("actor_id", "actor_name", "deed", "state", "note", "details"),
    )


def _make_waivers() -> None:
    op.create_table(
        "audits_waivers",
        _key("id"),
        *_texts("org_id", "system_id", "standard", "item_id", "object_id", "object_name"),
        *_texts("reason", "requested_by", "requested_name"),
        *_instants("requested_at", "expires_at"),
        *_texts("approval_id", "digest", "state", "decided_by", "decided_name"),
        *_instants("decided_at"),
        *_texts("decision"),
        *_integers("version"),
    )
    op.create_index("audits_waivers_by_time", "audits_waivers", ["org_id", "requested_at", "id"])


def _make_risks() -> None:
    op.create_table(
        "audits_risks",
        _key("id"),
        *_texts("org_id", "system_id", "title", "asset_id", "asset_name", "threat"),
        *_texts("weakness", "measures"),
        *_integers("likelihood", "impact", "level"),
        *_texts("rated_by", "treatment", "plan", "owner_id", "owner_name"),
        *_instants("due_at"),
        *_integers("residual_likelihood", "residual_impact", "residual_level"),
        *_texts("state", "source", "source_ref", "fingerprint"),
        *_integers("seen"),
        *_instants("first_seen_at", "last_seen_at"),
        *_texts("approval_id", "digest", "asked_by", "asked_reason"),
        *_instants("asked_until"),
        *_texts("accepted_by", "accepted_name"),
        *_instants("accepted_at", "accepted_until"),
        *_texts("closed_by"),
        *_instants("closed_at"),
        *_texts("made_by"),
        *_instants("made_at"),
        *_integers("version"),
    )
    op.create_index("audits_risks_by_time", "audits_risks", ["org_id", "made_at", "id"])
    source = ["org_id", "fingerprint"]
    op.create_index("audits_risks_by_source", "audits_risks", source, unique=True)


def _make_scans() -> None:
    op.create_table(
        "audits_scans",
        _key("id"),
        *_texts("org_id", "system_id", "scope", "scanner", "format", "sha256"),
        *_instants("scanned_at", "imported_at"),
        *_texts("imported_by"),
        *_integers("findings", "added", "gone"),
    )
    op.create_index("audits_scans_by_time", "audits_scans", ["org_id", "imported_at", "id"])
    table = "audits_scan_findings"
    op.create_table(
        table,
        *(_key(name) for name in ("org_id", "system_id", "scope", "fingerprint")),
        *_texts("rule_id", "title", "severity", "asset", "place", "description"),
        *_texts("state", "first_scan", "last_scan"),
        *_instants("first_at", "last_at", "gone_at", "due_at"),
    )
    op.create_index(f"{table}_by_time", table, ["org_id", "last_at", "fingerprint"])


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _texts(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.Text, nullable=False) for name in names)


def _integers(*names: str) -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(name, sa.Integer, nullable=False) for name in names)


def _instants(*names: str) -> tuple[sa.Column[int], ...]:
    return tuple(sa.Column(name, sa.BigInteger, nullable=False) for name in names)
