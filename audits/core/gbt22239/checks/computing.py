"""Checks of 安全计算环境 at level 3 (8.1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.checks.communication import (
    ADMINISTRATORS,
    AUDIT_COVERAGE,
    CONFIG_DAYS,
    RECORD_FIELDS,
    RECORD_PROTECTION,
    TRANSPORT_INTEGRITY,
    TRANSPORT_SECRECY,
)
from audits.core.gbt22239.findings import Check
from audits.core.gbt22239.rules import all_of, at_most, is_so, none_of, ruled, some_of

LEAST_LENGTH: Final = 8
CLASSES: Final = 3
PASSWORD_DAYS: Final = 90
FAILURES: Final = 5
IDLE_SECONDS: Final = 1_800
"""Policy values: the standard gives none."""
BASE_DAYS: Final = 30
"""Guideline for high risks, 6.4.4.1: a base of patterns older than a month is none."""
SCAN_DAYS: Final = 30
BACKUP_HOURS: Final = 24
RESTORE_DAYS: Final = 365
LAG_MINUTES: Final = 15
ALERT_DAYS: Final = 184
"""Policy values."""

PASSWORDS: Final = ruled(
    some_of("iam.password_policy/least_length", least=LEAST_LENGTH),
    some_of("iam.password_policy/classes", least=CLASSES),
    at_most("iam.password_policy/age_days", PASSWORD_DAYS, least=1),
    none_of("iam.users/repeated_names"),
    none_of("iam.users/without_credential"),
    none_of("iam.users/passwords_expired", fatal=False),
)
"""唯一标识与口令 (8.1.4.1 a): ids unique, none empty, long, of several classes, renewed."""
FAILED_SIGN_INS: Final = ruled(
    at_most("iam.lockout_policy/failures", FAILURES, least=1),
    some_of("iam.lockout_policy/minutes"),
    at_most("iam.lockout_policy/idle_seconds", IDLE_SECONDS, least=1),
    none_of("iam.auth_log/guessed_past_limit"),
)
"""登录失败处理与超时退出 (8.1.4.1 b); the sign-in log shows that the limit holds."""
TWO_FACTORS: Final = ruled(
    some_of("iam.mfa/administrators"),
    all_of("iam.mfa/administrators_with_two", "iam.mfa/administrators"),
    some_of("iam.auth_log/administrator_sign_ins", fatal=False),
    none_of("iam.auth_log/administrator_sign_ins_single"),
    all_of("iam.mfa/administrators_cryptographic", "iam.mfa/administrators", fatal=False),
    all_of("iam.mfa/with_two", "iam.mfa/active", fatal=False),
)
"""双因素 (8.1.4.1 d): every administrator has two, used two, and one is cryptographic.

A passkey, a certificate or a UKey counts as cryptographic; for a one-time code alone the
machine finds 部分符合 and a person says whether it does.
"""
ACCOUNT_RIGHTS: Final = ruled(
    some_of("iam.users/accounts"),
    none_of("iam.users/without_role", fatal=False),
    none_of("iam.users/services_without_owner"),
    none_of("iam.roles/held_by_nobody_known"),
)
"""账户与权限 (8.1.4.2 a): each account has an owner and a role, each right a known holder."""
DEFAULT_ACCOUNTS: Final = ruled(
    none_of("iam.users/default_accounts"),
    none_of("iam.users/named_by_default", fatal=False),
)
"""默认账户 (8.1.4.2 b): none that came with the product is open."""
SPARE_ACCOUNTS: Final = ruled(
    none_of("iam.users/stale"),
    none_of("iam.users/shared"),
    none_of("iam.users/services_expired"),
)
"""多余、过期、共享账户 (8.1.4.2 c; 90 idle days are policy)."""
SEPARATION: Final = ruled(
    *(some_of(f"iam.roles/{role}s") for role in ADMINISTRATORS),
    none_of("iam.sod/conflicts"),
    is_so("iam.sod/enforced"),
    none_of("iam.sod/unproved", fatal=False),
)
"""最小授权、三权分立 (8.1.4.2 d): three administrators, three persons, no conflict."""
AUDIT_PROCESS: Final = ruled(
    some_of("log.heartbeat/sources_watched"),
    none_of("log.heartbeat/sources_unwatched", fatal=False),
    none_of("log.heartbeat/gaps"),
    none_of("log.heartbeat/silent_without_alert"),
)
"""审计进程 (8.1.4.3 d; 5 minutes are policy): no gap, and a stop raises an alert."""
SPARE_SERVICES: Final = ruled(
    some_of("port.scan/hosts"),
    none_of("port.scan/unexpected"),
    none_of("port.scan/shares"),
    at_most("port.scan/age_days", SCAN_DAYS, fatal=False),
)
"""多余服务 (8.1.4.4 b): the ports found are those allowed, nothing is shared by default."""
ADMINISTRATORS_ADDRESSES: Final = ruled(
    some_of("iam.auth_log/administrator_ranges"),
    some_of("iam.auth_log/administrator_sign_ins", fatal=False),
    none_of("iam.auth_log/administrator_sign_ins_outside"),
)
"""管理终端地址 (8.1.4.4 c): there are ranges, and every administrator came from them."""
KNOWN_WEAKNESSES: Final = ruled(
    at_most("vuln.scan/age_days", SCAN_DAYS),
    none_of("vuln.scan/severe_overdue"),
    none_of("vuln.scan/severe_retired", fatal=False),
)
"""漏洞修补 (8.1.4.4 e): a scan within 30 days (policy), nothing severe past its date.

What stood in a scope that was given up is not known to be mended.
"""
INTRUSION_ALERTS: Final = ruled(
    some_of("detector.rules/enabled"),
    none_of("detector.rules/broken", fatal=False),
    none_of("detector.rules/unscanned", fatal=False),
    none_of("log.coverage/assets_without_log", fatal=False),
    at_most("detector.alert/newest_days", ALERT_DAYS, fatal=False),
    some_of("alert.delivery/channels", fatal=False),
    none_of("alert.delivery/severe_undelivered"),
)
"""入侵检测与报警 (8.1.4.4 f): rules run over every object, alerts arise and are delivered."""
MALWARE: Final = ruled(
    some_of("av.status/hosts"),
    none_of("av.status/unprotected"),
    none_of("av.status/unlicensed"),
    at_most("av.status/base_days", BASE_DAYS),
    at_most("av.status/age_days", CONFIG_DAYS, fatal=False),
)
"""恶意代码防范 (8.1.4.5): installed everywhere, licensed, its base not older than 30 days."""
STORED_SECRETS: Final = ruled(
    none_of("kms.custody/damaged_system_keys"),
    is_so("kms.custody/root_key_protected"),
    none_of("kms.custody/refused_engines"),
    none_of("kms.policy/weak_keys"),
    none_of("db.encryption/graded_in_clear"),
)
"""存储保密 (8.1.4.8 b): live keys, sound engines, no graded data stored in clear."""
LOCAL_BACKUP: Final = ruled(
    at_most("backup.job/age_hours", BACKUP_HOURS),
    at_most("backup.restore_test/age_days", RESTORE_DAYS, fatal=False),
    none_of("backup.job/failed", fatal=False),
)
"""本地备份与恢复 (8.1.4.9 a; 24 hours, a restore test a year are policy)."""
REMOTE_BACKUP: Final = ruled(
    some_of("backup.offsite/sites"),
    at_most("backup.offsite/age_days", CONFIG_DAYS, fatal=False),
    none_of("backup.offsite/stopped"),
    none_of("backup.offsite/batch_only", fatal=False),
    at_most("backup.offsite/lag_minutes", LAG_MINUTES, fatal=False),
)
"""异地实时备份 (8.1.4.9 b): another site, copied as it changes; batches only are 部分符合."""
PERSONAL_DATA: Final = ruled(
    none_of("data.access_log/reads_by_others"),
    none_of("data.access_log/reads_without_reason"),
    some_of("data.access_log/bulk_rules"),
)
"""个人信息 (8.1.4.11 b): nobody outside the role read it; a rule on bulk reads runs."""

CHECKS: Final[Mapping[str, Check]] = {
    "L3-CES1-01": PASSWORDS,
    "L3-CES1-02": FAILED_SIGN_INS,
    "L3-CES1-03": TRANSPORT_SECRECY,
    "L3-CES1-04": TWO_FACTORS,
    "L3-CES1-05": ACCOUNT_RIGHTS,
    "L3-CES1-06": DEFAULT_ACCOUNTS,
    "L3-CES1-07": SPARE_ACCOUNTS,
    "L3-CES1-08": SEPARATION,
    "L3-CES1-12": AUDIT_COVERAGE,
    "L3-CES1-13": RECORD_FIELDS,
    "L3-CES1-14": RECORD_PROTECTION,
    "L3-CES1-15": AUDIT_PROCESS,
    "L3-CES1-18": SPARE_SERVICES,
    "L3-CES1-19": ADMINISTRATORS_ADDRESSES,
    "L3-CES1-21": KNOWN_WEAKNESSES,
    "L3-CES1-22": INTRUSION_ALERTS,
    "L3-CES1-23": MALWARE,
    "L3-CES1-25": TRANSPORT_INTEGRITY,
    "L3-CES1-27": TRANSPORT_SECRECY,
    "L3-CES1-28": STORED_SECRETS,
    "L3-CES1-29": LOCAL_BACKUP,
    "L3-CES1-30": REMOTE_BACKUP,
    "L3-CES1-35": PERSONAL_DATA,
}
