"""``secops playbooks``: incidents and playbooks on the command line."""

from __future__ import annotations

from playbooks.commands import files, incidents, runs, steps
from playbooks.commands.group import group

__all__ = ["files", "group", "incidents", "runs", "steps"]
