"""Permissions and the roles that hold them: the separation of duties (三员分立) as data.

One file per plane declares its permissions and grants; ``permissions_of`` joins them.
There is no role that holds everything, and none may be added: a test looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from secops.kernel.permissions import audits, detectors, iam, kms, playbooks
from secops.kernel.permissions.roles import ROLES, Grant, Permission, Role

__all__ = ["GRANTS", "ROLES", "Grant", "Permission", "Role", "permissions_of"]

GRANTS: Final[tuple[Grant, ...]] = (
    *iam.GRANTS,
    *kms.GRANTS,
    *detectors.GRANTS,
    *playbooks.GRANTS,
    *audits.GRANTS,
)


@lru_cache(maxsize=1024)
def permissions_of(roles: frozenset[str]) -> frozenset[Permission]:
    """Return the union of what ``roles`` hold; an unknown role holds nothing."""
    return frozenset(grant.permission for grant in GRANTS if not roles.isdisjoint(grant.roles))


def roles_with(permission: Permission) -> Iterable[Role]:
    """Yield the roles that hold ``permission``, for the sentence that refuses."""
    for grant in GRANTS:
        if grant.permission == permission:
            yield from sorted(grant.roles)
