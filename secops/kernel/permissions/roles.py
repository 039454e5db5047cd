"""The roles of the product and the shape of a grant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NewType

from secops.kernel.catalogue import Text

Permission = NewType("Permission", str)
Role = str

SYSTEM_ADMIN: Final = "system-admin"
SECURITY_ADMIN: Final = "security-admin"
AUDIT_ADMIN: Final = "audit-admin"
ANALYST: Final = "analyst"
INTEGRATOR: Final = "integrator"
SEAL_APPLICANT: Final = "seal-applicant"
SEAL_HOLDER: Final = "seal-holder"
AUDITOR: Final = "auditor"
STAFF: Final = "staff"

ADMINISTRATORS: Final = frozenset({SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN})
"""三员: at most one of the three per natural person (GB/T 22239-2019 8.1.5)."""

ROLES: Final[dict[Role, Text]] = {
    SYSTEM_ADMIN: Text("系统管理员", "System administrator"),
    SECURITY_ADMIN: Text("安全管理员", "Security administrator"),
    AUDIT_ADMIN: Text("审计管理员", "Audit administrator"),
    ANALYST: Text("安全分析员", "Analyst"),
    INTEGRATOR: Text("系统集成方", "Integrator"),
    SEAL_APPLICANT: Text("印章申请人", "Seal applicant"),
    SEAL_HOLDER: Text("印章使用人", "Seal holder"),
    AUDITOR: Text("审计员", "Auditor"),
    STAFF: Text("工作人员", "Staff"),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission, what it is called, and the roles that hold it."""

    permission: Permission
    title: Text
    roles: frozenset[Role]


def grant(name: str, zh: str, en: str, *roles: Role) -> Grant:
    """Declare the permission ``name`` and the ``roles`` that hold it."""
    return Grant(Permission(name), Text(zh, en), frozenset(roles))
