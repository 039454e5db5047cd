"""Checks of 安全管理中心 at level 3 (8.1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.checks.communication import TRANSPORT_SECRECY
from audits.core.gbt22239.findings import Check
from audits.core.gbt22239.rules import Ruled, is_so, none_of, ruled, some_of

RETENTION_DAYS: Final = 184
"""Cybersecurity Law art. 21(3): at least six months; the longest half-year has 184 days."""
FRESH_MINUTES: Final = 10
"""Policy: how old the newest word of a monitored object may be."""


def _administers(role: str) -> Ruled:
    """身份鉴别、特定界面、操作审计: each act in a session with two factors, and in the ledger.

    Where hosts are worked on through a bastion, no login goes around it.
    """
    return ruled(
        some_of(f"iam.roles/{role}s"),
        some_of(f"admin.sessions/{role}_acts", fatal=False),
        none_of(f"admin.sessions/{role}_acts_outside"),
        none_of(f"admin.sessions/{role}_sign_ins_weak"),
        none_of("bastion.log/logins_around", if_seen=True),
        is_so("ledger.integrity/valid"),
    )


SYSTEM_ADMINISTRATION: Final = ruled(
    none_of("ledger.acts/administration_by_others"),
    is_so("ledger.integrity/valid"),
)
"""系统配置由系统管理员操作 (8.1.5.1 b)."""
AUDIT_REVIEW: Final = ruled(some_of("audit.review_log/reviews_31_days"))
"""审计管理员分析审计记录 (8.1.5.2 b; monthly is policy)."""
POLICY_CHANGES: Final = ruled(
    none_of("iam.policy_change/by_others"),
    none_of("iam.policy_change/unapproved", fatal=False),
    is_so("ledger.integrity/valid"),
)
"""安全策略由安全管理员配置并经审批 (8.1.5.3 b)."""
MONITORING: Final = ruled(
    some_of("monitor.status/objects"),
    none_of("monitor.status/unmonitored"),
    none_of("monitor.status/stale"),
)
"""集中监测 (8.1.5.4 c): every object is heard of within 10 minutes, or as soon as it should be."""
RETENTION: Final = ruled(
    some_of("log.coverage/sources"),
    some_of("log.retention/configured_days", least=RETENTION_DAYS),
    none_of("log.retention/sources_short"),
    none_of("log.retention/sources_with_holes"),
    none_of("log.retention/sources_with_quiet_days", fatal=False),
    some_of(
        "log.retention/capacity_days", least=RETENTION_DAYS, when="log.retention/sources_young"
    ),
)
"""集中审计与留存 (8.1.5.4 d): each source has 184 days without a hole.

A source that is younger can't have them: then there must be room for them.
"""
EVENT_ALARMS: Final = ruled(
    some_of("detector.rules/enabled"),
    none_of("detector.rules/broken", fatal=False),
    none_of("detector.rules/unscanned", fatal=False),
    none_of("detector.rules/fed_without_rule", fatal=False),
    none_of("alert.triage/severe_overdue", fatal=False),
)
"""安全事件识别、报警、分析 (8.1.5.4 f): rules for each class of logs, severe alerts triaged."""

CHECKS: Final[Mapping[str, Check]] = {
    "L3-SMC1-01": _administers("system_admin"),
    "L3-SMC1-02": SYSTEM_ADMINISTRATION,
    "L3-SMC1-03": _administers("audit_admin"),
    "L3-SMC1-04": AUDIT_REVIEW,
    "L3-SMC1-05": _administers("security_admin"),
    "L3-SMC1-06": POLICY_CHANGES,
    "L3-SMC1-08": TRANSPORT_SECRECY,
    "L3-SMC1-09": MONITORING,
    "L3-SMC1-10": RETENTION,
    "L3-SMC1-12": EVENT_ALARMS,
}
