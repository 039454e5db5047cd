"""Names of accounts in the plane's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from audits.store.tables import (
    assessment_answers,
    assessment_entries,
    assessment_schedules,
    collector_bundles,
    rectification_history,
    rectification_tasks,
    report_exports,
    report_templates,
    risks,
    supplier_accesses,
    waivers,
)
from secops.adapters.database.names import rename_account
from secops.kernel.transactions import Transaction

NAMED: Final = (
    (assessment_answers.c.account_id, assessment_answers.c.person),
    (assessment_entries.c.account_id, assessment_entries.c.person),
    (assessment_schedules.c.account_id, assessment_schedules.c.person),
    (collector_bundles.c.account_id, collector_bundles.c.imported_by),
    (rectification_history.c.actor_id, rectification_history.c.actor_name),
    (rectification_tasks.c.owner_id, rectification_tasks.c.owner_name),
    (report_exports.c.account_id, report_exports.c.exported_by),
    (report_templates.c.account_id, report_templates.c.added_by),
    (risks.c.owner_id, risks.c.owner_name),
    (risks.c.accepted_by, risks.c.accepted_name),
    (waivers.c.requested_by, waivers.c.requested_name),
    (waivers.c.decided_by, waivers.c.decided_name),
)
"""Columns with an account's id, and those beside them with its name."""


class PersonTraces:
    """Implements ``audits.ports.erasure.PersonTraceStore``."""

    def rename(self, tx: Transaction, account_id: str, old: str, name: str) -> Mapping[str, int]:
        """Put ``name`` where the account's ``old`` one stands; return the rows by table."""
        counts = rename_account(tx, NAMED, account_id, name)
        referred = supplier_accesses.c.account
        changed = tx.execute(
            sa.update(supplier_accesses).where(referred == old).values({referred: name})
        )
        counts[str(supplier_accesses.name)] += int(changed.rowcount)
        return +counts
