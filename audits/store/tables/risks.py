"""Tables of the register of risks, and of what scanners found."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from audits.store.tables.schema import metadata


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _instant(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


risks: Final = Table(
    "audits_risks",
    metadata,
    Column("id", Text, primary_key=True),
    _text("org_id"),
    _text("system_id"),
    _text("title"),
    _text("asset_id"),
    _text("asset_name"),
    _text("threat"),
    _text("weakness"),
    _text("measures"),
    _number("likelihood"),
    _number("impact"),
    _number("level"),
    _text("rated_by"),
    _text("treatment"),
    _text("plan"),
    _text("owner_id"),
    _text("owner_name"),
    _instant("due_at"),
    _number("residual_likelihood"),
    _number("residual_impact"),
    _number("residual_level"),
    _text("state"),
    _text("source"),
    _text("source_ref"),
    _text("fingerprint"),
    _number("seen"),
    _instant("first_seen_at"),
    _instant("last_seen_at"),
    _text("approval_id"),
    _text("digest"),
    _text("asked_by"),
    _text("asked_reason"),
    _instant("asked_until"),
    _text("accepted_by"),
    _text("accepted_name"),
    _instant("accepted_at"),
    _instant("accepted_until"),
    _text("closed_by"),
    _instant("closed_at"),
    _text("made_by"),
    _instant("made_at"),
    _number("version"),
    Index("audits_risks_by_time", "org_id", "made_at", "id"),
    Index("audits_risks_by_source", "org_id", "fingerprint", unique=True),
)
"""The register of risks; one line per source, whatever it is seen again."""

vulnerability_scans: Final = Table(
    "audits_scans",
    metadata,
    Column("id", Text, primary_key=True),
    _text("org_id"),
    _text("system_id"),
    _text("scope"),
    _text("scanner"),
    _text("format"),
    _text("sha256"),
    _instant("scanned_at"),
    _instant("imported_at"),
    _text("imported_by"),
    _number("findings"),
    _number("added"),
    _number("gone"),
    _instant("retired_at"),
    _text("retired_by"),
    _text("retired_reason"),
    Index("audits_scans_by_time", "org_id", "imported_at", "id"),
)
"""Scanners' files that were read; ``sha256`` names the raw file among the blobs."""

vulnerability_findings: Final = Table(
    "audits_scan_findings",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("system_id", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    _text("rule_id"),
    _text("title"),
    _text("severity"),
    _text("asset"),
    _text("place"),
    _text("description"),
    _text("state"),
    _text("first_scan"),
    _text("last_scan"),
    _instant("first_at"),
    _instant("last_at"),
    _instant("gone_at"),
    _instant("due_at"),
    Index("audits_scan_findings_by_time", "org_id", "last_at", "fingerprint"),
)
"""Findings over their scans: what a later scan of the same scope lacks is gone.

What stood when its scope was given up is retired: nobody looked whether it went.
"""
