"""Faces of the plane on the command line."""

from detectors.commands.detectors import group

__all__ = ["group"]
