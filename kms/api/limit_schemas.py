"""JSON Schemas of limits, quotas and self-tests, for the OpenAPI description."""

from __future__ import annotations

from typing import Any, Final

from kms.api.schemas import TEXT, TIME, TIME_OR_NULL, object_of, page_of
from secops.web.routes import Schema

_COUNT: Final[dict[str, Any]] = {"type": ["integer", "null"], "minimum": 0}
_LIMITS: Final[dict[str, Any]] = {
    "not_before": TIME_OR_NULL,
    "not_after": TIME_OR_NULL,
    "max_uses": _COUNT,
    "clients": {"type": "array", "items": TEXT, "maxItems": 100},
    "max_risk": {"type": "integer", "minimum": 0, "maximum": 100},
}
_QUOTA: Final[dict[str, Any]] = {
    "keys": _COUNT,
    "versions": _COUNT,
    "daily_operations": _COUNT,
}
_VERSION: Final[dict[str, Any]] = {"version": {"type": "integer", "minimum": 0}}


def _whole(properties: dict[str, Any]) -> dict[str, Any]:
    return object_of(tuple(sorted(properties)), **properties)


SET_KEY_LIMITS: Final = Schema("SetKeyLimits", {"type": "object", "properties": _LIMITS})
KEY_LIMITS: Final = Schema("KeyLimits", _whole(_LIMITS | _VERSION))
SET_QUOTA: Final = Schema("SetQuota", {"type": "object", "properties": _QUOTA})
TENANT: Final = Schema(
    "Tenant",
    _whole(
        {
            "org_id": TEXT,
            "locked": {"type": "boolean"},
            "quota": _whole(_QUOTA | _VERSION),
            "used": _whole(
                {name: {"type": "integer"} for name in ("keys", "versions", "operations_today")}
            ),
        }
    ),
)
_SELF_TEST: Final = _whole(
    {
        "id": TEXT,
        "at": TIME,
        "process": TEXT,
        "passed": {"type": "integer"},
        "defects": {"type": "object"},
    }
)
SELF_TESTS: Final = Schema("SelfTestPage", page_of(_SELF_TEST))
