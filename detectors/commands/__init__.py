"""Faces of the plane on the command line."""

from detectors.commands.detectors import group
from detectors.commands.logs import group as logs_group

__all__ = ["group", "logs_group"]
