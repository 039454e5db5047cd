"""Which clause of GB/T 22239-2019 §8.1.5 (安全管理中心) a permission belongs to."""

from __future__ import annotations

from typing import Final

from secops.kernel.permissions.roles import (
    AUDIT_ADMIN,
    AUDITOR,
    SECURITY_ADMIN,
    SYSTEM_ADMIN,
    Grant,
)

SYSTEM: Final = "8.1.5.1"
AUDIT: Final = "8.1.5.2"
SECURITY: Final = "8.1.5.3"
_BY_ROLE: Final = {
    SYSTEM_ADMIN: SYSTEM,
    AUDIT_ADMIN: AUDIT,
    AUDITOR: AUDIT,
    SECURITY_ADMIN: SECURITY,
}


def clauses_of(grant: Grant) -> tuple[str, ...]:
    """Return the clauses whose administrators hold the permission, in order.

    Empty for what business roles alone hold: the standard's three administer, they don't
    do the business.
    """
    return tuple(sorted({_BY_ROLE[role] for role in grant.roles if role in _BY_ROLE}))
