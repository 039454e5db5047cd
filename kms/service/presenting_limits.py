"""Limits, quotas and self-tests as JSON holds them: one form for HTTP and the command line."""

from __future__ import annotations

from typing import Any

from kms.models.limits import KeyLimits, Tenancy
from kms.models.self_tests import SelfTestRecord
from secops.kernel.clock import to_rfc3339


def limits_fields(limits: KeyLimits) -> dict[str, Any]:
    """Return limits with instants as RFC 3339, None where there is no bound."""
    return {
        "not_before": to_rfc3339(limits.not_before) if limits.not_before else None,
        "not_after": to_rfc3339(limits.not_after) if limits.not_after else None,
        "max_uses": limits.max_uses,
        "clients": list(limits.clients),
        "max_risk": limits.max_risk,
        "version": limits.version,
    }


def tenancy_fields(tenancy: Tenancy) -> dict[str, Any]:
    """Return an organisation's quota and what it has used."""
    quota = tenancy.quota
    return {
        "org_id": quota.org_id,
        "locked": tenancy.locked,
        "quota": {
            "keys": quota.keys,
            "versions": quota.versions,
            "daily_operations": quota.daily_operations,
            "version": quota.version,
        },
        "used": {
            "keys": tenancy.keys,
            "versions": tenancy.versions,
            "operations_today": tenancy.operations_leased,
        },
    }


def self_test_fields(record: SelfTestRecord) -> dict[str, Any]:
    """Return one run of the engines' tests."""
    return {
        "id": record.id,
        "at": to_rfc3339(record.at),
        "process": record.process,
        "passed": record.passed,
        "defects": dict(record.defects),
    }
