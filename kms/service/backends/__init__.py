"""Key backends at work: groups that stand in for one another, their objects, their control."""

from __future__ import annotations

from kms.service.backends.control import BackendControl
from kms.service.backends.groups import KeyBackends
from kms.service.backends.objects import BackendObjects

__all__ = ["BackendControl", "BackendObjects", "KeyBackends"]
