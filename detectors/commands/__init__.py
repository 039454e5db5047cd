"""Faces of the plane on the command line."""

from detectors.commands.detectors import group
from detectors.commands.log_search import search
from detectors.commands.logs import group as logs_group
from detectors.commands.privacy import data_classes, policies, reveal, set_policy, trace

for _command in (search, data_classes, policies, set_policy, reveal, trace):
    logs_group.add_command(_command)

__all__ = ["group", "logs_group"]
