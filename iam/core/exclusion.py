"""Separation of duties: which roles one person may hold together (三员分立).

The database holds the same rules as constraints; here they get their sentences.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from iam.errors import InvalidRequest, RoleConflict
from secops.kernel.permissions import ROLES
from secops.kernel.permissions.roles import (
    ADMINISTRATORS,
    ANALYST,
    AUDITOR,
    INTEGRATOR,
    SEAL_APPLICANT,
    SEAL_HOLDER,
    STAFF,
)

CLIENT_ROLES: Final = frozenset({INTEGRATOR, ANALYST, SEAL_APPLICANT, SEAL_HOLDER})


def side_of(role: str) -> str | None:
    """Return the side a role stands on: who judges and who is judged; staff stand on none."""
    if role == STAFF:
        return None
    return "judging" if role == AUDITOR else "operating"


def check_exclusion(role: str, held: AbstractSet[str]) -> None:
    """Raise ``RoleConflict`` if a person who holds ``held`` may not hold ``role`` too."""
    others = ADMINISTRATORS & held - {role}
    if role in ADMINISTRATORS and others:
        msg = f"the person already is {', '.join(sorted(others))}"
        raise RoleConflict(msg)
    side = side_of(role)
    against = [other for other in held if side and side_of(other) not in (None, side)]
    if against:
        msg = f"the person already holds {', '.join(sorted(against))}"
        raise RoleConflict(msg)


def check_role(role: str, *, for_client: bool) -> None:
    """Raise ``InvalidRequest`` unless ``role`` exists and may be held by such a subject."""
    if role not in ROLES:
        msg = f"there is no role {role[:64]!r}"
        raise InvalidRequest(msg)
    if for_client and role not in CLIENT_ROLES:
        msg = f"an application can't be {role}"
        raise RoleConflict(msg)


def administers(roles: AbstractSet[str]) -> bool:
    """Tell whether ``roles`` hold one of the three administrators' roles."""
    return bool(ADMINISTRATORS & roles)


def demands_strong_factors(roles: AbstractSet[str]) -> bool:
    """Tell whether codes by message are never enough: the three administrators and auditors."""
    return bool((ADMINISTRATORS | {AUDITOR}) & roles)
