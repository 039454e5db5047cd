"""The automatic checks of level 3, by item, over snapshots of real state and logs.

Each names its facts (``kind/fact``), the rule, and our policy value where the standard
gives no number (marked "policy"). The system under assessment is this platform itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.findings import Check, Looking

RETENTION_DAYS: Final = 184
"""Cybersecurity Law art. 21(3): at least six months; the longest half-year has 184 days."""
_DAY_SECONDS: Final = 86_400
_PERMILLE: Final = 995


def password_policy(look: Looking) -> None:
    """身份唯一、口令复杂度与更换 (8.1.4.1 a; ≥ 8, 3 classes, ≤ 90 days are policy)."""
    look.expect("iam.password_policy/least_length", ">= 8", lambda n: n >= 8)  # noqa: PLR2004
    look.expect("iam.password_policy/classes", ">= 3", lambda n: n >= 3)  # noqa: PLR2004
    look.expect("iam.password_policy/age_days", "1..90", lambda n: 0 < n <= 90)  # noqa: PLR2004
    look.expect("iam.users/passwords_expired", "0", lambda n: n == 0, fatal=False)


def failed_sign_ins(look: Looking) -> None:
    """登录失败处理与会话超时 (8.1.4.1 b; 5 failures, 30 minutes are policy)."""
    look.expect("iam.lockout/failures", "1..5", lambda n: 1 <= n <= 5)  # noqa: PLR2004
    look.expect("iam.lockout/minutes", ">= 1", lambda n: n >= 1)
    look.expect("iam.sessions/idle_seconds", "<= 1800", lambda n: 0 < n <= 1800)  # noqa: PLR2004


def two_factors(look: Looking) -> None:
    """双因素 (8.1.4.1 d): every active administrator has two.

    Whether a one-time code counts as the cryptographic factor is for a person to say.
    """
    look.expect("iam.mfa/administrators", ">= 1", lambda n: n >= 1)
    _none_left(look, "iam.mfa/administrators", "iam.mfa/administrators_with_two")
    _none_left(look, "iam.mfa/active", "iam.mfa/with_two", fatal=False)


def _none_left(look: Looking, every: str, good: str, *, fatal: bool = True) -> None:
    total, those = look.number(every), look.number(good)
    if total is not None and those is not None:
        look.note(good, f"= {every} ({total})", str(those), ok=those == total, fatal=fatal)


def account_rights(look: Looking) -> None:
    """账户与权限分配 (8.1.4.2 a): each active account has a role."""
    look.expect("iam.users/accounts", ">= 1", lambda n: n >= 1)
    look.expect("iam.users/without_role", "0", lambda n: n == 0, fatal=False)


def default_accounts(look: Looking) -> None:
    """默认账户 (8.1.4.2 b): none with a password that came with the product."""
    look.expect("iam.users/default_accounts", "0", lambda n: n == 0)


def spare_accounts(look: Looking) -> None:
    """多余、过期、共享账户 (8.1.4.2 c; 90 idle days are policy)."""
    look.expect("iam.users/stale", "0", lambda n: n == 0)
    look.expect("iam.users/shared", "0", lambda n: n == 0)


def separation_of_duties(look: Looking) -> None:
    """最小权限、三权分立 (8.1.4.2 d): three administrators, three persons, no conflict."""
    for role in ("system_admins", "security_admins", "audit_admins"):
        look.expect(f"iam.roles/{role}", ">= 1", lambda n: n >= 1)
    look.expect("iam.roles/conflicts", "0", lambda n: n == 0)
    look.expect_true("iam.roles/exclusion_enforced", "true")
    look.expect("iam.roles/unproved", "0", lambda n: n == 0, fatal=False)


def transport(look: Looking) -> None:
    """传输保护 (8.1.2.2, 8.1.4.7, 8.1.4.8): no plain-text listener beyond loopback."""
    look.expect("platform.listeners/plain_remote", "0", lambda n: n == 0)
    look.expect_true("platform.listeners/encrypted_remote", "true", fatal=False)


def stored_secrets(look: Looking) -> None:
    """存储保密 (8.1.4.8 b): root key protected, what it wraps opens, engines answer right."""
    look.expect("kms.custody/damaged_system_keys", "0", lambda n: n == 0)
    look.expect_true("kms.custody/root_key_protected", "true")
    look.expect("kms.custody/refused_engines", "0", lambda n: n == 0)


def audit_coverage(look: Looking) -> None:
    """审计覆盖 (8.1.3.5 a, 8.1.4.3 a; silent for a day is policy)."""
    look.expect("log.coverage/sources", ">= 1", lambda n: n >= 1)
    look.expect("log.coverage/silent", "0", lambda n: n == 0, fatal=False)
    look.expect_true("log.coverage/own_log", "true", fatal=False)


def record_fields(look: Looking) -> None:
    """记录要素 (8.1.3.5 b, 8.1.4.3 b; 99.5 % is policy)."""
    look.expect("log.schema/events", ">= 1", lambda n: n >= 1)
    for part in ("time", "type", "outcome"):
        expected = f">= {_PERMILLE} ‰"
        look.expect(f"log.schema/{part}_permille", expected, lambda n: n >= _PERMILLE, fatal=False)


def record_protection(look: Looking) -> None:
    """记录保护 (8.1.3.5 c, 8.1.4.3 c; a backup within 7 days is policy)."""
    look.expect_true("ledger.integrity/valid", "true")
    look.expect("log.integrity/mismatched", "0", lambda n: n == 0)
    look.expect("backup.job/age_hours", "<= 168", lambda n: n <= 168, fatal=False)  # noqa: PLR2004


def retention(look: Looking) -> None:
    """集中审计与留存 (8.1.5.4 d): at least 184 days are kept."""
    look.expect("log.coverage/sources", ">= 1", lambda n: n >= 1)
    look.expect("log.retention/days", f">= {RETENTION_DAYS}", lambda n: n >= RETENTION_DAYS)


def backup(look: Looking) -> None:
    """本地备份与恢复 (8.1.4.9 a; 24 hours, a restore test a year are policy)."""
    look.expect("backup.job/age_hours", "<= 24", lambda n: n <= 24)  # noqa: PLR2004
    look.expect("backup.job/restore_test_age_days", "<= 365", lambda n: n <= 365, fatal=False)  # noqa: PLR2004


def intrusion_alerts(look: Looking) -> None:
    """入侵检测与报警 (8.1.4.4 f): rules run, none is broken, everything was scanned."""
    look.expect("detector.rules/enabled", ">= 1", lambda n: n >= 1)
    look.expect("detector.rules/broken", "0", lambda n: n == 0, fatal=False)
    look.expect("detector.rules/unscanned_segments", "0", lambda n: n == 0, fatal=False)


def event_alarms(look: Looking) -> None:
    """安全事件识别、报警、分析 (8.1.5.4 f): severe alerts are looked at."""
    intrusion_alerts(look)
    look.expect("alert.triage/severe_overdue", "0", lambda n: n == 0, fatal=False)


def alert_triage(look: Looking) -> None:
    """专人分析 (8.1.10.6 e; one day for a severe alert is policy)."""
    look.expect("alert.triage/alerts", ">= 1", lambda n: n >= 1, fatal=False)
    look.expect("alert.triage/severe_overdue", "0", lambda n: n == 0)


def weakness_reports(look: Looking) -> None:
    """报告弱点和可疑事件 (8.1.10.12 a): severe alerts lead to incidents in time."""
    look.expect("incident.record/severe_without_incident", "0", lambda n: n == 0, fatal=False)


def incident_records(look: Looking) -> None:
    """事件处置记录 (8.1.10.12 c): cause, evidence and lessons of every closed incident."""
    look.expect("incident.record/closed", ">= 1", lambda n: n >= 1, fatal=False)
    look.expect("incident.record/closed_without_cause", "0", lambda n: n == 0)


def policy_changes(look: Looking) -> None:
    """安全策略由安全管理员配置 (8.1.5.3 b)."""
    look.expect("ledger.acts/policy_changes_by_others", "0", lambda n: n == 0)
    look.expect_true("ledger.integrity/valid", "true")


def administration(look: Looking) -> None:
    """系统配置由系统管理员操作 (8.1.5.1 b)."""
    look.expect("ledger.acts/administration_by_others", "0", lambda n: n == 0)
    look.expect_true("ledger.integrity/valid", "true")


def audit_review(look: Looking) -> None:
    """审计管理员分析审计记录 (8.1.5.2 b; monthly is policy)."""
    look.expect("ledger.acts/audit_reviews_31_days", ">= 1", lambda n: n >= 1)


def administrator_roles(look: Looking) -> None:
    """管理员角色划分 (8.1.10.6 a)."""
    for role in ("system_admins", "security_admins", "audit_admins"):
        look.expect(f"iam.roles/{role}", ">= 1", lambda n: n >= 1)
    look.expect("iam.roles/conflicts", "0", lambda n: n == 0)


def account_management(look: Looking) -> None:
    """账户管理 (8.1.10.6 b): every change of an account stands in the ledger."""
    look.expect_true("ledger.integrity/valid", "true")
    look.expect("ledger.acts/account_changes", ">= 1", lambda n: n >= 1)
    look.expect("ledger.acts/role_changes_by_others", "0", lambda n: n == 0)


CHECKS: Final[Mapping[str, Check]] = {
    "L3-CNS1-06": transport,
    "L3-CNS1-07": transport,
    "L3-ABS1-16": audit_coverage,
    "L3-ABS1-17": record_fields,
    "L3-ABS1-18": record_protection,
    "L3-CES1-01": password_policy,
    "L3-CES1-02": failed_sign_ins,
    "L3-CES1-03": transport,
    "L3-CES1-04": two_factors,
    "L3-CES1-05": account_rights,
    "L3-CES1-06": default_accounts,
    "L3-CES1-07": spare_accounts,
    "L3-CES1-08": separation_of_duties,
    "L3-CES1-12": audit_coverage,
    "L3-CES1-13": record_fields,
    "L3-CES1-14": record_protection,
    "L3-CES1-22": intrusion_alerts,
    "L3-CES1-25": transport,
    "L3-CES1-27": transport,
    "L3-CES1-28": stored_secrets,
    "L3-CES1-29": backup,
    "L3-SMC1-02": administration,
    "L3-SMC1-04": audit_review,
    "L3-SMC1-06": policy_changes,
    "L3-SMC1-08": transport,
    "L3-SMC1-10": retention,
    "L3-SMC1-12": event_alarms,
    "L3-MMS1-15": administrator_roles,
    "L3-MMS1-16": account_management,
    "L3-MMS1-20": alert_triage,
    "L3-MMS1-37": weakness_reports,
    "L3-MMS1-39": incident_records,
}
