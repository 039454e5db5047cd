"""``secops audits``: the ledger, assessments and reports."""

from audits.commands.assessments import (
    assess,
    enter_judgement,
    export_report,
    list_assessments,
    verify_report,
)
from audits.commands.group import group
from audits.commands.ledger import export_tiles, prove, rebuild_rows, verify_ledger

__all__ = [
    "assess",
    "enter_judgement",
    "export_report",
    "export_tiles",
    "group",
    "list_assessments",
    "prove",
    "rebuild_rows",
    "verify_ledger",
    "verify_report",
]
