"""Assessments and what persons entered for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select

from audits.models.assessments import AssessmentSummary, PersonAnswer, PersonEntry
from audits.store.rows import fields_of, newest_page, to_json
from audits.store.tables.assessments import assessment_answers, assessment_entries, assessments
from secops.kernel.errors import NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

_SUMMARY = [column for column in assessments.c if column.name != "document"]


class DatabaseAssessments:
    """Implements ``audits.ports.Assessments``."""

    def add_entry(self, tx: Transaction, entry: PersonEntry) -> None:
        """Store what a person entered."""
        tx.execute(insert(assessment_entries).values(**asdict(entry)))

    def entries(
        self, tx: Transaction, org_id: str, system_id: str, now: int
    ) -> Sequence[PersonEntry]:
        """Return the entries for a system that have not expired, oldest first."""
        table = assessment_entries
        rows = tx.execute(
            select(table)
            .where(
                table.c.org_id == org_id,
                table.c.system_id == system_id,
                table.c.expires_at > now,
            )
            .order_by(table.c.at, table.c.id)
        )
        return [PersonEntry(**fields_of(row)) for row in rows]

    def add_answer(self, tx: Transaction, answer: PersonAnswer) -> None:
        """Store what a person answered."""
        values = asdict(answer)
        values["answers"] = to_json(values.pop("values"))
        values["evidence"] = to_json(values["evidence"])
        tx.execute(insert(assessment_answers).values(**values))

    def answers(
        self, tx: Transaction, org_id: str, of: tuple[str, str], now: int
    ) -> Sequence[PersonAnswer]:
        """Return the answers on (system, standard) that have not expired, oldest first."""
        table = assessment_answers
        live = _answers_of(org_id, of).where(table.c.expires_at > now)
        return [_answer(row) for row in tx.execute(live.order_by(table.c.at, table.c.id))]

    def answer_page(
        self, tx: Transaction, org_id: str, of: tuple[str, str], page: PageRequest
    ) -> Page[PersonAnswer]:
        """Return the answers on (system, standard), expired ones too, newest first."""
        table = assessment_answers
        columns = [table.c.at, table.c.id]
        return newest_page(tx, _answers_of(org_id, of), columns, page, read=_answer)

    def add(self, tx: Transaction, summary: AssessmentSummary, document: bytes) -> None:
        """Store an assessment as made."""
        values = {**asdict(summary), "counts": to_json(dict(summary.counts))}
        tx.execute(insert(assessments).values(**values, document=document))

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
        statement = select(*_SUMMARY).where(assessments.c.org_id == org_id)
        return newest_page(tx, statement, [assessments.c.id], request, read=_summary)

    def past(
        self, tx: Transaction, org_id: str, of: tuple[str, str, int], limit: int
    ) -> Sequence[AssessmentSummary]:
        """Return the last assessments of (system, standard, level), newest first."""
        table = assessments
        rows = tx.execute(
            select(*_SUMMARY)
            .where(
                table.c.org_id == org_id,
                table.c.system_id == of[0],
                table.c.standard == of[1],
                table.c.level == of[2],
            )
            .order_by(table.c.made_at.desc(), table.c.id.desc())
            .limit(limit)
        )
        return [_summary(row) for row in rows]


def _answers_of(org_id: str, of: tuple[str, str]) -> Any:
    table = assessment_answers
    return select(table).where(
        table.c.org_id == org_id, table.c.system_id == of[0], table.c.standard == of[1]
    )


def _summary(row: Any) -> AssessmentSummary:
    return AssessmentSummary(**fields_of(row, "counts"))


def _answer(row: Any) -> PersonAnswer:
    fields = fields_of(row, "answers", "evidence")
    fields["values"] = fields.pop("answers")
    fields["evidence"] = tuple(fields["evidence"])
    return PersonAnswer(**fields)
