"""Exports of reports and archives."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import insert, select

from audits.models.reports import ExportedReport
from audits.store.rows import fields_of, newest_page
from audits.store.tables.reports import report_exports
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class DatabaseExportedReports:
    """Implements ``audits.ports.reports.ExportedReports``."""

    def add(self, tx: Transaction, exported: ExportedReport) -> None:
        """Store one export."""
        tx.execute(insert(report_exports).values(**asdict(exported)))

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[ExportedReport]:
        """Return a page of the organisation's exports, newest first."""
        table = report_exports
        return newest_page(
            tx,
            select(table).where(table.c.org_id == org_id),
            (table.c.id,),
            request,
            read=lambda row: ExportedReport(**fields_of(row)),
        )
