"""Runs joined with their journals, for pages and reports."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from playbooks.core.stepping import step_states
from playbooks.models import Run
from playbooks.models.views import RunView
from playbooks.service.surroundings import Surroundings
from secops.kernel.canonical import canonical
from secops.kernel.transactions import Transaction


class RunViews:
    """Joins runs with what was done."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def of(self, tx: Transaction, run: Run) -> RunView:
        """Return the view of ``run``."""
        journal = tuple(self._s.stores.runs.journal(tx, run.id))
        form = canonical([asdict(entry) for entry in journal])
        return RunView(
            run, journal, step_states(run.plan, journal), hashlib.sha256(form).hexdigest()
        )
