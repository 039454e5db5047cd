"""Checks of Linux hosts, and of network and security devices that are such (8.1.3, 8.1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.findings import Check
from audits.core.gbt22239.rules import Ruled, at_most, is_so, none_of, ruled, some_of
from audits.models.collectors import FRESH_DAYS

LEAST_LENGTH: Final = 8
CLASSES: Final = 3
FAILURES: Final = 5
IDLE_SECONDS: Final = 1_800
OFFSET_MS: Final = 1_000
"""Policy values: the standard gives none."""
BASE_DAYS: Final = 30
"""Guideline for high risks, 6.4.4.1: a base of patterns older than a month is none."""

IDENTITY: Final = ruled(
    none_of("host.passwords/empty"),
    none_of("host.accounts/duplicate_uids"),
    none_of("host.accounts/duplicate_names"),
    none_of("host.pam/empty_accepted", fatal=False),
    some_of("host.pam/min_length", least=LEAST_LENGTH),
    some_of("host.pam/classes", least=CLASSES),
    none_of("host.passwords/unlimited"),
    none_of("host.passwords/weak_scheme", fatal=False),
)
"""身份唯一、口令复杂度与更换 (8.1.4.1 a); what counts are the accounts' own lines in shadow."""
FAILED_SIGN_INS: Final = ruled(
    at_most("host.pam/failures", FAILURES, least=1),
    is_so("host.pam/lockout_everywhere", fatal=False),
    some_of("host.pam/unlock_seconds", when="host.pam/failures", fatal=False),
    at_most("host.sessions/idle_seconds", IDLE_SECONDS, least=1, fatal=False),
)
"""登录失败处理与会话超时 (8.1.4.1 b): every way in locks, an idle shell ends."""
PROTECTED_ADMINISTRATION: Final = ruled(
    none_of("host.listeners/clear_text"),
    none_of("host.ssh/protocol_1"),
    none_of("host.ssh/weak_ciphers", fatal=False),
    none_of("host.ssh/weak_macs", fatal=False),
    none_of("host.ssh/weak_kexalgorithms", fatal=False),
    none_of("host.ssh/running_differs", fatal=False),
)
"""远程管理防窃听 (8.1.4.1 c): no telnet, ftp, r-commands beyond loopback, SSH of today."""
RIGHTS: Final = ruled(
    none_of("host.accounts/other_roots"),
    none_of("host.accounts/sudo_for_all"),
    none_of("host.accounts/sudo_without_password", fatal=False),
    is_so("host.pam/su_restricted", fatal=False),
)
"""账户与权限分配 (8.1.4.2 a): one root, and not everybody becomes it."""
DEFAULT_ACCOUNTS: Final = ruled(
    none_of("host.accounts/defaults"),
    is_so("host.ssh/root_refused", fatal=False),
)
"""默认账户 (8.1.4.2 b): accounts that came with the system can't sign in, root not from afar."""
SPARE_ACCOUNTS: Final = ruled(
    none_of("host.accounts/expired"),
    none_of("host.accounts/idle"),
)
"""多余、过期账户 (8.1.4.2 c; 90 idle days are policy); that nobody shares one a person judges."""
RECORDS: Final = ruled(
    some_of("host.audit/enabled"),
    some_of("host.audit/rules"),
    none_of("host.audit/switched_off"),
    is_so("host.audit/identity_watched", fatal=False),
    is_so("host.logging/running"),
)
"""审计覆盖 (8.1.4.3 a): the kernel audits by loaded rules, a log daemon runs."""
RECORD_FIELDS: Final = ruled(
    some_of("host.audit/enabled"),
    is_so("host.time/synchronised"),
    at_most("host.time/offset_ms", OFFSET_MS, fatal=False),
    is_so("host.audit/names_written", fatal=False),
)
"""记录要素 (8.1.4.3 b): times that are right, names beside numbers."""
RECORD_PROTECTION: Final = ruled(
    some_of("host.logging/remote_targets"),
    none_of("host.audit/stops_when_full", fatal=False),
)
"""记录保护 (8.1.4.3 c): records also go to another machine."""
AUDIT_PROCESS: Final = ruled(
    is_so("host.audit/running"),
    some_of("host.audit/enabled"),
    none_of("host.audit/lost", fatal=False),
    some_of("host.audit/enabled", least=2, fatal=False),
)
"""审计进程保护 (8.1.4.3 d): auditd runs, its rules are locked until a restart."""
SERVICES: Final = ruled(
    none_of("host.listeners/clear_text"),
    none_of("host.listeners/shares"),
    none_of("host.packages/unneeded", fatal=False),
)
"""多余服务、共享、高危端口 (8.1.4.4 b); high-risk case 6.4.3.1."""
ADMINISTRATION_ADDRESSES: Final = ruled(none_of("host.administration/open_to_all"))
"""管理终端地址限制 (8.1.4.4 c): the packet filter or AllowUsers names who may come from where."""
PATCHES: Final = ruled(
    is_so("host.system/supported"),
    none_of("host.packages/security_updates"),
    at_most("host.packages/index_age_days", FRESH_DAYS, fatal=False),
)
"""漏洞修补 (8.1.4.4 e): the makers still mend it, and what they mended is installed."""
MALWARE: Final = ruled(
    is_so("host.antivirus/running"),
    at_most("host.antivirus/base_age_days", BASE_DAYS),
)
"""恶意代码防范 (8.1.4.5): a known product runs, its base is no older than a month."""
BASELINE: Final = ruled(
    at_most("host.collection/age_days", FRESH_DAYS),
    is_so("host.collection/as_root", fatal=False),
    none_of("host.kernel/weak", fatal=False),
)
"""基本配置信息 (8.1.10.8 a): written down anew within a month, whole, by our baseline."""
DENY_BY_DEFAULT: Final = ruled(
    is_so("host.firewall/input_denied"),
    is_so("host.firewall/forward_denied"),
    is_so("host.firewall/input_denied_v6", fatal=False),
    is_so("host.firewall/forward_denied_v6", fatal=False),
    none_of("host.firewall/any_accepts"),
)
"""默认拒绝 (8.1.3.2 a): what no rule lets through is refused, and none lets everything."""
FEW_RULES: Final = ruled(
    some_of("host.firewall/rules"),
    none_of("host.firewall/duplicates"),
    none_of("host.firewall/unreachable"),
    none_of("host.firewall/unused", fatal=False),
)
"""规则最小化 (8.1.3.2 b): none twice, none that is never reached, none without a packet."""
COMPLETE_RULES: Final = ruled(
    some_of("host.firewall/rules"),
    none_of("host.firewall/loose_accepts", fatal=False),
    none_of("host.firewall/any_accepts"),
)
"""五元组 (8.1.3.2 c): what lets in names source, destination, protocol and port."""
STATEFUL: Final = ruled(
    is_so("host.firewall/stateful"),
    is_so("host.firewall/invalid_dropped", fatal=False),
)
"""会话状态 (8.1.3.2 d): answers are let in by the state of their connection."""

CHECKS: Final[Mapping[str, Ruled]] = {
    "L3-CES1-01": IDENTITY,
    "L3-CES1-02": FAILED_SIGN_INS,
    "L3-CES1-03": PROTECTED_ADMINISTRATION,
    "L3-CES1-05": RIGHTS,
    "L3-CES1-06": DEFAULT_ACCOUNTS,
    "L3-CES1-07": SPARE_ACCOUNTS,
    "L3-CES1-12": RECORDS,
    "L3-CES1-13": RECORD_FIELDS,
    "L3-CES1-14": RECORD_PROTECTION,
    "L3-CES1-15": AUDIT_PROCESS,
    "L3-CES1-18": SERVICES,
    "L3-CES1-19": ADMINISTRATION_ADDRESSES,
    "L3-CES1-21": PATCHES,
    "L3-CES1-23": MALWARE,
    "L3-MMS1-27": BASELINE,
}
BORDER_CHECKS: Final[Mapping[str, Check]] = {
    "L3-ABS1-05": DENY_BY_DEFAULT,
    "L3-ABS1-06": FEW_RULES,
    "L3-ABS1-07": COMPLETE_RULES,
    "L3-ABS1-08": STATEFUL,
    "L3-SMC1-08": PROTECTED_ADMINISTRATION,
}
