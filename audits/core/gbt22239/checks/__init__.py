"""The automatic checks of level 3 over a system as a whole, by item; all are rules as data.

Each names its facts (``kind/fact``) and what is demanded of them; where the standard gives no
number the module says that it is our policy. docs/manual/add_a_control_check.md says where each
fact comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.checks import centre, communication, computing, operations
from audits.core.gbt22239.checks.centre import FRESH_MINUTES, RETENTION_DAYS
from audits.core.gbt22239.findings import Check

__all__ = ["CHECKS", "FRESH_MINUTES", "RETENTION_DAYS"]

CHECKS: Final[Mapping[str, Check]] = {
    **communication.CHECKS,
    **computing.CHECKS,
    **centre.CHECKS,
    **operations.CHECKS,
}
