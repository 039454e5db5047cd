"""Privileges with an end: how long they may last, and who may approve an emergency."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from iam.errors import InvalidRequest, PrivilegeRefused
from secops.kernel.clock import HOUR, MINUTE
from secops.kernel.permissions.roles import ADMINISTRATORS, AUDITOR

MAX_LENT: Final = 24 * HOUR
MAX_EMERGENCY: Final = 4 * HOUR
LEAST: Final = 5 * MINUTE


def check_privilege(after: Mapping[str, Any], *, emergency: bool) -> tuple[str, int]:
    """Return role and length (microseconds) of a request; raise ``InvalidRequest``.

    ``after`` is {"role", "minutes"}. An auditor's role is never lent: who judges stays apart.
    """
    role, minutes = after.get("role"), after.get("minutes")
    if set(after) != {"role", "minutes"} or not isinstance(role, str) or type(minutes) is not int:
        msg = "a privilege is a role and a number of minutes"
        raise InvalidRequest(msg)
    longest = MAX_EMERGENCY if emergency else MAX_LENT
    if not LEAST <= minutes * MINUTE <= longest:
        msg = f"from 5 to {longest // MINUTE} minutes"
        raise InvalidRequest(msg)
    if role == AUDITOR:
        msg = "the role of an auditor is not lent"
        raise InvalidRequest(msg)
    if emergency and role not in ADMINISTRATORS:
        msg = "in an emergency the role of an administrator is lent; others are asked for plainly"
        raise InvalidRequest(msg)
    return role, minutes * MINUTE


def check_other_kind(role: str, requester: AbstractSet[str], approver: AbstractSet[str]) -> None:
    """Raise ``PrivilegeRefused`` unless the approver is an administrator of another kind.

    Of another kind than the role that is lent, and than what the requester holds already.
    """
    kinds = ADMINISTRATORS & approver
    if not kinds - {role} - requester or role in kinds:
        msg = "an emergency is approved by an administrator of another kind"
        raise PrivilegeRefused(msg)
