"""The manual names each check's evidence and where each kind comes from; docs are a promise."""

from __future__ import annotations

import re
from pathlib import Path

from audits.core.gbt22239.checks import CHECKS
from audits.core.gbt22239.rules import Ruled
from audits.core.gbt39786.checks import CHECKS as CRYPTO_CHECKS
from secops.bridges.evidence.reported import KINDS

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "manual" / "add_a_control_check.md"
ROWS = [
    [cell.strip() for cell in row.strip("|").split(" | ")]
    for row in MANUAL.read_text().splitlines()
    if row.startswith("| ")
]
RULED = {
    name: check for name, check in {**CHECKS, **CRYPTO_CHECKS}.items() if isinstance(check, Ruled)
}


def test_each_check_stands_in_the_manual_with_the_evidence_it_reads() -> None:
    written = {row[0]: row[-1] for row in ROWS if re.fullmatch(r"(L3|MP)-\S+", row[0])}
    assert written == {name: ", ".join(sorted(check.kinds)) for name, check in RULED.items()}


def test_each_kind_of_evidence_says_where_it_comes_from() -> None:
    read = {kind for check in RULED.values() for kind in check.kinds}
    named = {row[0]: row[1] for row in ROWS if len(row) == 2 and "." in row[0]}
    assert read <= set(named)
    assert {kind for kind in KINDS if "reported" in named[kind]} == set(KINDS)


def test_each_fact_that_devices_report_is_named() -> None:
    facts = {
        row[0]: row[1] for row in ROWS if row[0] in KINDS and row[1] == ", ".join(KINDS[row[0]])
    }
    assert set(facts) == set(KINDS)
