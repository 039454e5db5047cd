"""Templates of reports in the database."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from audits.errors import TemplateNotFound
from audits.models.forms import Form
from audits.models.templates import ReportTemplate
from audits.store.rows import (
    change_one,
    count_rows,
    fields_of,
    insert_once,
    newest_page,
    row_of,
)
from audits.store.tables.templates import report_templates as table
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class DatabaseReportTemplates:
    """Implements ``audits.ports.templates.ReportTemplates``."""

    def add(self, tx: Transaction, template: ReportTemplate) -> None:
        """Store a version; raise ``ChangedMeanwhile`` if somebody stored that number before."""
        insert_once(tx, table, asdict(template), "somebody added a version at the same time")

    def get(self, tx: Transaction, org_id: str, template_id: str) -> ReportTemplate:
        """Return a version, retired ones too; raise ``TemplateNotFound``."""
        row = row_of(tx, table, org_id, template_id)
        if row is None:
            raise TemplateNotFound(f"no template {template_id[:80]!r}")
        return ReportTemplate(**fields_of(row))

    def last_version(self, tx: Transaction, org_id: str, form: Form, name: str) -> int:
        """Return the number of the last version of ``name``; 0 where there is none."""
        newest = sa.select(sa.func.max(table.c.version)).where(
            table.c.org_id == org_id, table.c.form == form, table.c.name == name
        )
        return int(tx.execute(newest).scalar() or 0)

    def in_use(self, tx: Transaction, org_id: str, form: Form) -> ReportTemplate | None:
        """Return the template of ``form`` that was added last and is not retired."""
        row = tx.execute(
            sa.select(table)
            .where(table.c.org_id == org_id, table.c.form == form, table.c.retired_at == 0)
            .order_by(table.c.added_at.desc(), table.c.id.desc())
            .limit(1)
        ).first()
        return None if row is None else ReportTemplate(**fields_of(row))

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many versions the organisation keeps, retired ones too."""
        return count_rows(tx, table, table.c.org_id == org_id)

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[ReportTemplate]:
        """Return a page of versions, newest first."""
        return newest_page(
            tx,
            sa.select(table).where(table.c.org_id == org_id),
            (table.c.added_at, table.c.id),
            request,
            read=lambda row: ReportTemplate(**fields_of(row)),
        )

    def retire(self, tx: Transaction, template: ReportTemplate, at: int) -> None:
        """End its use; raise ``ChangedMeanwhile`` where it ended before."""
        change_one(
            tx,
            sa.update(table)
            .where(
                table.c.org_id == template.org_id,
                table.c.id == template.id,
                table.c.retired_at == 0,
            )
            .values(retired_at=at),
            "it is retired already",
        )
