"""What an auditor opens is itself entered in the ledger, in every plane.

One act for each auditor, right and object in a minute and process: reading a page twice, or a page
that asks three times, adds nothing. Whoever may not be recorded sees nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import Final

from secops.kernel.access import AccessControl
from secops.kernel.actors import Actor
from secops.kernel.clock import MINUTE, Clock
from secops.kernel.parts import Parts
from secops.kernel.permissions import Permission
from secops.kernel.permissions.roles import AUDITOR
from secops.kernel.trail import Act, Trail

ACTION: Final = "audits.view"
_SIGHTS: Final = (".read", ".read_all", ".search", ".trace")
_LONGEST: Final = 200


class ViewsRecorded:
    """Implements ``AccessControl``: as the one behind it decides, and views are recorded."""

    def __init__(self, access: AccessControl, trail: Trail, clock: Clock) -> None:
        self._access = access
        self._trail = trail
        self._clock = clock
        self._lock = Lock()
        self._minute = 0
        self._seen: set[tuple[str, Permission, str]] = set()

    def require(
        self,
        actor: Actor,
        permission: Permission,
        resource: str = "*",
        context: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        """Return if ``actor`` may; raise ``Forbidden``, or ``AuditUnavailable`` unrecorded."""
        self._access.require(actor, permission, resource, context)
        if AUDITOR in actor.roles and permission.endswith(_SIGHTS):
            self._record(actor, permission, resource[:_LONGEST])

    def _record(self, actor: Actor, permission: Permission, resource: str) -> None:
        seen = (actor.id, permission, resource)
        with self._lock:
            minute = self._clock.now() // MINUTE
            if minute != self._minute:
                self._minute, self._seen = minute, set()
            if seen in self._seen:
                return
        act = Act(ACTION, actor, resource, details={"permission": permission}, bulk=True)
        self._trail.append([act])
        with self._lock:  # only now: what failed is recorded by the next attempt
            self._seen.add(seen)


def watched(parts: Parts) -> Parts:
    """Return ``parts`` with an access control that records what auditors see."""
    return replace(parts, access=ViewsRecorded(parts.access, parts.trail, parts.clock))
