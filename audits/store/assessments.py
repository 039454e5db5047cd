"""Assessments and what persons entered for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select

from audits.models.compliance import AssessmentSummary, PersonEntry
from audits.store.tables import assessment_entries, assessments
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.transactions import Transaction


class DatabaseAssessments:
    """Implements ``audits.ports.Assessments``."""

    def add_entry(self, tx: Transaction, entry: PersonEntry) -> None:
        """Store what a person entered."""
        tx.execute(insert(assessment_entries).values(**asdict(entry)))

    def entries(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[PersonEntry]:
        """Return all entries for a system, oldest first."""
        table = assessment_entries
        rows = tx.execute(
            select(table)
            .where(table.c.org_id == org_id, table.c.system_id == system_id)
            .order_by(table.c.at, table.c.id)
        )
        return [PersonEntry(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def add(self, tx: Transaction, summary: AssessmentSummary, document: bytes) -> None:
        """Store an assessment as made."""
        tx.execute(insert(assessments).values(**asdict(summary), document=document))

    def document(self, tx: Transaction, org_id: str, assessment_id: str) -> bytes:
        """Return the document of an assessment; raise ``NotFound``."""
        table = assessments
        row = tx.execute(
            select(table.c.document).where(table.c.id == assessment_id, table.c.org_id == org_id)
        ).first()
        if row is None:
            raise NotFound(f"there is no assessment {assessment_id}")
        return bytes(row.document)

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[AssessmentSummary]:
        """Return assessments, newest first."""
        table = assessments
        columns = [column for column in table.c if column.name != "document"]
        query = select(*columns).where(table.c.org_id == org_id)
        if (after := request.key(str)) is not None:
            query = query.where(table.c.id < after[0])
        rows = tx.execute(query.order_by(table.c.id.desc()).limit(request.limit + 1))
        found = [AssessmentSummary(**row._mapping) for row in rows]  # noqa: SLF001 - as above
        return page_of(found, request.limit, [(summary.id,) for summary in found])
