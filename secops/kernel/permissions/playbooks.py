"""Permissions of the playbooks plane."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import Grant

GRANTS: Final[tuple[Grant, ...]] = ()
