"""``secops audits``: the ledger, assessments and reports."""

from audits.commands.group import group
from audits.commands.ledger import export_tiles, prove, rebuild_rows, verify_ledger

__all__ = ["export_tiles", "group", "prove", "rebuild_rows", "verify_ledger"]
