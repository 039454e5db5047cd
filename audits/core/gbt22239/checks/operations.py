"""Checks of the management classes at level 3 that leave traces in logs and records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.checks.communication import ADMINISTRATORS, CONFIG_DAYS
from audits.core.gbt22239.findings import Check
from audits.core.gbt22239.rules import all_of, at_most, is_so, none_of, ruled, some_of

YEAR_DAYS: Final = 365
TEST_DAYS: Final = 180
LEAVER_HOURS: Final = 24
"""Policy values; the guideline for high risks (6.9.4.1) asks for an assessment each year."""

REGULAR_CHECKS: Final = ruled(
    some_of("check.run/months"),
    none_of("check.run/months_without_status"),
    none_of("check.run/months_without_vulnerabilities"),
    none_of("check.run/months_without_backup"),
)
"""常规检查 (8.1.7.5 a; monthly is policy): running state, weaknesses, backups."""
CHECK_REPORTS: Final = ruled(
    some_of("audit.report/reports"),
    at_most("audit.report/newest_days", YEAR_DAYS),
    some_of("audit.report/readers", fatal=False),
)
"""检查报告 (8.1.7.5 c): list, summary and report exist, somebody beside the maker has it."""
LEAVERS: Final = ruled(
    some_of("iam.leaver/departures"),
    none_of("iam.leaver/overdue"),
    at_most("iam.leaver/slowest_hours", LEAVER_HOURS),
    none_of("iam.leaver/rights_left"),
    some_of("record.access_review/valid", fatal=False),
)
"""离岗 (8.1.8.2 a): the last right ends within 24 hours (policy); things returned: a record."""
OUTSIDERS: Final = ruled(
    some_of("supplier.access/accesses"),
    none_of("supplier.access/unapproved"),
    none_of("supplier.access/unknown_accounts", fatal=False),
    none_of("iam.users/services_without_owner"),
    none_of("iam.users/services_without_end"),
    some_of("record.supplier_review/valid", fatal=False),
)
"""外部人员接入 (8.1.8.4 b): each access allowed by somebody, with an owner and an end."""
OUTSIDERS_LEAVE: Final = ruled(
    some_of("supplier.access/accesses"),
    none_of("supplier.access/late_accounts"),
    none_of("iam.users/services_expired"),
    none_of("iam.leaver/overdue"),
    none_of("iam.leaver/rights_left"),
)
"""外部人员离场 (8.1.8.4 c): all rights are off at the end."""
REGULAR_ASSESSMENT: Final = ruled(
    at_most("system.filing/test_age_days", YEAR_DAYS),
    at_most("assessment.record/newest_days", YEAR_DAYS, fatal=False),
    none_of("poam.tasks/overdue"),
)
"""定期测评与整改 (8.1.9.9 a): tested within a year, no rectification is overdue."""
ASSET_LIST: Final = ruled(
    some_of("asset.inventory/assets"),
    all_of("asset.inventory/with_department", "asset.inventory/assets"),
    all_of("asset.inventory/with_importance", "asset.inventory/assets"),
    all_of("asset.inventory/with_place", "asset.inventory/assets"),
    none_of("asset.inventory/unlisted_log_sources", fatal=False),
)
"""资产清单 (8.1.10.2 a): department, importance and place of each; each log source is listed."""
ASSET_MARKS: Final = ruled(
    some_of("asset.inventory/assets"),
    all_of("asset.inventory/graded", "asset.inventory/assets"),
    all_of("asset.inventory/looked_after", "asset.inventory/assets", fatal=False),
)
"""资产标识 (8.1.10.2 b): each is graded by importance and data, with measures for it."""
WEAKNESSES: Final = ruled(
    at_most("vuln.scan/age_days", CONFIG_DAYS),
    none_of("vuln.scan/without_task"),
    none_of("poam.tasks/overdue"),
)
"""漏洞整改 (8.1.10.5 a): each finding has a task, in time."""
ADMINISTRATOR_ROLES: Final = ruled(
    *(some_of(f"iam.roles/{role}s") for role in ADMINISTRATORS),
    none_of("iam.sod/conflicts"),
    none_of("iam.roles/without_duty"),
    none_of("iam.sod/unproved", fatal=False),
)
"""管理员角色 (8.1.10.6 a): split, held by persons, with their duties written."""
ACCOUNT_MANAGEMENT: Final = ruled(
    is_so("ledger.integrity/valid"),
    some_of("iam.user_lifecycle/changes"),
    none_of("iam.user_lifecycle/by_others"),
    none_of("iam.user_lifecycle/unapproved", fatal=False),
)
"""账户管理 (8.1.10.6 b): every change by who is in charge, requested and approved."""
OPERATION_RECORDS: Final = ruled(
    some_of("bastion.log/sessions"),
    none_of("bastion.log/sessions_without_commands"),
    none_of("bastion.log/logins_around"),
)
"""操作记录 (8.1.10.6 e): each login on a host is a session of the bastion, with commands."""
ANALYSIS: Final = ruled(
    some_of("alert.triage/alerts", fatal=False),
    none_of("alert.triage/severe_overdue"),
    none_of("alert.triage/closed_by_nobody"),
    some_of("audit.review_log/reviews_31_days"),
)
"""专人分析 (8.1.10.6 f): named people handle alerts in time and review the log."""
CHANGES: Final = ruled(
    none_of("change.record/unapproved"),
    none_of("change.record/approved_by_requester"),
    is_so("ledger.integrity/valid"),
    none_of("log.integrity/mismatched"),
    at_most("config.baseline/age_days", CONFIG_DAYS, fatal=False),
)
"""变更运维 (8.1.10.6 g): approved first, logs unchangeable, the baseline renewed after it."""
REMOTE_OPERATION: Final = ruled(
    some_of("vpn.log/sessions"),
    none_of("vpn.log/sessions_unapproved"),
    none_of("vpn.log/sessions_unclosed", fatal=False),
    none_of("log.integrity/mismatched"),
)
"""远程运维 (8.1.10.6 i): each session inside an approval, closed after use."""
MALWARE_TEST: Final = ruled(
    some_of("av.test/platforms"),
    none_of("av.test/not_blocked"),
    at_most("av.test/test_days", TEST_DAYS),
)
"""防病毒验证 (8.1.10.7 b): a test file is blocked on each platform, within 180 days (policy)."""
BASELINES: Final = ruled(
    some_of("config.baseline/assets"),
    none_of("config.baseline/assets_without"),
    at_most("config.baseline/age_days", CONFIG_DAYS),
)
"""基本配置 (8.1.10.8 a): each asset's is kept and not older than 30 days (policy)."""
DRIFT: Final = ruled(
    none_of("config.drift/without_change"),
    none_of("config.drift/baseline_not_renewed", fatal=False),
    at_most("config.drift/age_days", CONFIG_DAYS, fatal=False),
)
"""配置变更 (8.1.10.8 b): each difference has a change, and the baseline was renewed."""
BACKUP_POLICY: Final = ruled(
    some_of("backup.policy/plans"),
    at_most("backup.policy/age_days", CONFIG_DAYS, fatal=False),
    none_of("backup.policy/incomplete"),
    none_of("backup.policy/not_followed"),
    at_most("backup.job/age_hours", CONFIG_DAYS * 24, fatal=False),
)
"""备份策略 (8.1.10.11 b): scope, way, frequency, medium, keeping; the jobs follow it."""
WEAKNESS_REPORTS: Final = ruled(
    some_of("alert.triage/alerts", fatal=False),
    none_of("incident.record/severe_without_incident"),
    none_of("incident.record/overdue"),
)
"""报告弱点和可疑事件 (8.1.10.12 a): severe alerts became incidents, reported in time."""
INCIDENT_RECORDS: Final = ruled(
    some_of("incident.record/closed", fatal=False),
    none_of("incident.record/closed_without_cause"),
    none_of("incident.record/closed_without_process"),
    none_of("incident.record/closed_without_evidence", fatal=False),
    none_of("incident.record/closed_without_lessons", fatal=False),
)
"""处置记录 (8.1.10.12 c): cause, process, hashed evidence and lessons of every closed incident."""

CHECKS: Final[Mapping[str, Check]] = {
    "L3-ORS1-12": REGULAR_CHECKS,
    "L3-ORS1-14": CHECK_REPORTS,
    "L3-HRS1-04": LEAVERS,
    "L3-HRS1-10": OUTSIDERS,
    "L3-HRS1-11": OUTSIDERS_LEAVE,
    "L3-CMS1-29": REGULAR_ASSESSMENT,
    "L3-MMS1-04": ASSET_LIST,
    "L3-MMS1-05": ASSET_MARKS,
    "L3-MMS1-13": WEAKNESSES,
    "L3-MMS1-15": ADMINISTRATOR_ROLES,
    "L3-MMS1-16": ACCOUNT_MANAGEMENT,
    "L3-MMS1-19": OPERATION_RECORDS,
    "L3-MMS1-20": ANALYSIS,
    "L3-MMS1-21": CHANGES,
    "L3-MMS1-23": REMOTE_OPERATION,
    "L3-MMS1-26": MALWARE_TEST,
    "L3-MMS1-27": BASELINES,
    "L3-MMS1-28": DRIFT,
    "L3-MMS1-35": BACKUP_POLICY,
    "L3-MMS1-37": WEAKNESS_REPORTS,
    "L3-MMS1-39": INCIDENT_RECORDS,
}
