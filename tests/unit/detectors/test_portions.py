"""Findings folded by rule, entity and time; ``test_sweeps`` compares them with small steps."""

from __future__ import annotations

from detectors.core.portions import portions_of
from tests.fakes.log_store import batch_of


def test_no_findings_are_no_portions() -> None:
    assert portions_of(batch_of([]), {}, []) == []
