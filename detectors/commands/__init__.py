"""Faces of the plane on the command line."""

from detectors.commands.detectors import group
from detectors.commands.log_search import search
from detectors.commands.logs import group as logs_group
from detectors.commands.privacy import data_classes, policies, reveal, set_policy, trace
from detectors.commands.sources import (
    add_source,
    change_source,
    list_sources,
    remove_source,
    sources,
)

_SOURCES = (sources, list_sources, add_source, change_source, remove_source)
for _command in (search, data_classes, policies, set_policy, reveal, trace, *_SOURCES):
    logs_group.add_command(_command)

__all__ = ["group", "logs_group"]
