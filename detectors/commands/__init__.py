"""Faces of the plane on the command line."""

from detectors.commands.detectors import group
from detectors.commands.log_search import search
from detectors.commands.logs import group as logs_group

logs_group.add_command(search)

__all__ = ["group", "logs_group"]
