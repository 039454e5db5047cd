"""``secops playbooks``: incidents and playbooks on the command line."""

from __future__ import annotations

from playbooks.commands import files, filings, incidents, runs, steps
from playbooks.commands.group import group

__all__ = ["files", "filings", "group", "incidents", "runs", "steps"]
