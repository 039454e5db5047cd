"""Checks of PostgreSQL (8.1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.host_checks.hosts import IDLE_SECONDS
from audits.core.gbt22239.rules import Ruled, at_most, is_so, none_of, ruled, some_of
from audits.models.collectors import FRESH_DAYS

_REMOTE: Final = "pg.settings/remote"
"""Rules for other machines count where the server listens to them."""

IDENTITY: Final = ruled(
    none_of("pg.access/trusted"),
    none_of("pg.roles/without_password", fatal=False),
    none_of("pg.roles/weakly_kept", fatal=False),
    is_so("pg.settings/checks_passwords", fatal=False),
)
"""身份唯一、口令复杂度 (8.1.4.1 a): nobody is trusted by a rule, passwords are kept by SCRAM."""
FAILED_SIGN_INS: Final = ruled(
    is_so("pg.settings/locks_out"),
    at_most("pg.settings/idle_seconds", IDLE_SECONDS, least=1, fatal=False),
)
"""登录失败处理与会话超时 (8.1.4.1 b): PostgreSQL itself does neither without an extension."""
TRANSPORT: Final = ruled(
    is_so("pg.settings/tls", when=_REMOTE),
    none_of("pg.access/plain_remote", when=_REMOTE),
    none_of("pg.access/weak_methods", when=_REMOTE, fatal=False),
    some_of("pg.access/rules"),
)
"""传输保护 (8.1.2.2, 8.1.4.1 c, 8.1.4.7, 8.1.4.8): from other machines by TLS alone."""
RIGHTS: Final = ruled(
    some_of("pg.roles/login"),
    none_of("pg.access/trusted_remote"),
    none_of("pg.roles/public_may_create", fatal=False),
    none_of("pg.roles/bypass_row_security", fatal=False),
)
"""账户与权限分配 (8.1.4.2 a)."""
DEFAULT_ACCOUNTS: Final = ruled(
    none_of("pg.access/superuser_remote", when=_REMOTE),
    at_most("pg.roles/superusers", 1, fatal=False),
)
"""默认账户 (8.1.4.2 b): the superuser that came with it does not come from other machines."""
RECORDS: Final = ruled(
    is_so("pg.settings/connections_logged"),
    is_so("pg.settings/disconnections_logged", fatal=False),
    is_so("pg.settings/audited", fatal=False),
)
"""审计覆盖 (8.1.4.3 a): connections are recorded; pgaudit records what is done."""
RECORD_FIELDS: Final = ruled(is_so("pg.settings/prefix_complete"))
"""记录要素 (8.1.4.3 b): time, user and client stand before every line."""
SERVICES: Final = ruled(
    none_of("pg.access/from_anywhere", when=_REMOTE, fatal=False),
    none_of("pg.access/errors", fatal=False),
)
"""多余服务 (8.1.4.4 b): no rule for every address."""
ADMINISTRATION_ADDRESSES: Final = ruled(
    none_of("pg.access/superuser_remote", when=_REMOTE, fatal=False),
    none_of("pg.access/from_anywhere", when=_REMOTE),
    some_of("pg.access/rules"),
)
"""管理终端地址限制 (8.1.4.4 c)."""
PATCHES: Final = ruled(
    is_so("pg.settings/supported"),
    none_of("pg.settings/pending_restart", fatal=False),
)
"""漏洞修补 (8.1.4.4 e): its makers still mend this version, what was set is in force."""
BASELINE: Final = ruled(at_most("pg.collection/age_days", FRESH_DAYS))
"""基本配置信息 (8.1.10.8 a)."""

CHECKS: Final[Mapping[str, Ruled]] = {
    "L3-CNS1-06": TRANSPORT,
    "L3-CNS1-07": TRANSPORT,
    "L3-CES1-01": IDENTITY,
    "L3-CES1-02": FAILED_SIGN_INS,
    "L3-CES1-03": TRANSPORT,
    "L3-CES1-05": RIGHTS,
    "L3-CES1-06": DEFAULT_ACCOUNTS,
    "L3-CES1-12": RECORDS,
    "L3-CES1-13": RECORD_FIELDS,
    "L3-CES1-18": SERVICES,
    "L3-CES1-19": ADMINISTRATION_ADDRESSES,
    "L3-CES1-21": PATCHES,
    "L3-CES1-25": TRANSPORT,
    "L3-CES1-27": TRANSPORT,
    "L3-MMS1-27": BASELINE,
}
