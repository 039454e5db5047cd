"""Checks of 安全通信网络 and 安全区域边界 at level 3 (8.1.2, 8.1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.core.gbt22239.findings import Check
from audits.core.gbt22239.rules import at_most, is_so, none_of, ruled, some_of

ADMINISTRATORS: Final = ("system_admin", "security_admin", "audit_admin")
PERMILLE: Final = 995
"""Policy: the share of records that must have a field."""
RULES_DAYS: Final = 180
"""Guideline for high risks, 6.3.3.1: rules older than six months are none."""
CONFIG_DAYS: Final = 30
"""Policy: how old a device's report of its configuration may be."""
BACKUP_HOURS: Final = 168
"""Policy: audit records are backed up weekly."""

TLS_1_2: Final = 12
_ENCRYPTED: Final = (
    none_of("tls.scan/listeners_plain"),
    none_of("tls.scan/flows_plain"),
    is_so("tls.scan/listeners_encrypted", fatal=False),
    some_of("tls.scan/probe_version", least=TLS_1_2, when="tls.scan/listeners_tls"),
)
TRANSPORT_INTEGRITY: Final = ruled(
    *_ENCRYPTED,
    some_of("tls.scan/probe_aead", when="tls.scan/listeners_tls"),
    none_of("kms.policy/weak_keys"),
)
"""传输完整性 (8.1.2.2 a, 8.1.4.7 a): no flow without TLS ≥ 1.2, AEAD or MAC by a sound key."""
TRANSPORT_SECRECY: Final = ruled(*_ENCRYPTED)
"""传输保密 (8.1.2.2 b, 8.1.4.8 a, 8.1.4.1 c, 8.1.5.4 b): no clear protocol on any flow."""

_FIREWALLS: Final = (
    some_of("fw.config/chains"),
    at_most("fw.config/age_days", CONFIG_DAYS, fatal=False),
)
DEFAULT_DENY: Final = ruled(
    *_FIREWALLS,
    none_of("fw.config/chains_without_deny"),
    none_of("fw.config/any_any"),
)
"""默认拒绝 (8.1.3.2 a): each boundary chain ends in deny, nothing is accepted from all to all."""
FEWEST_RULES: Final = ruled(
    *_FIREWALLS,
    none_of("fw.config/shadowed"),
    none_of("fw.config/duplicates"),
    some_of("fw.hits/rules_hit", fatal=False),
    none_of("fw.config/accepts_unused_90_days", fatal=False),
)
"""规则最小化 (8.1.3.2 b; 90 days without a hit are policy)."""
FIVE_TUPLE: Final = ruled(
    *_FIREWALLS,
    some_of("fw.config/accepts"),
    none_of("fw.config/accepts_incomplete"),
)
"""五元组 (8.1.3.2 c): each accepting rule names source, destination, protocol and port."""
SESSION_STATE: Final = ruled(
    *_FIREWALLS,
    none_of("fw.config/chains_stateless"),
    none_of("fw.config/chains_taking_invalid"),
)
"""会话状态 (8.1.3.2 d): accepted by state, invalid packets dropped."""

_SENSORS: Final = (
    some_of("ids.sensors/sensors"),
    none_of("ids.sensors/silent"),
    at_most("ids.ruleset/ruleset_days", RULES_DAYS),
    none_of("ids.sensors/without_ruleset"),
)
OUTSIDE_ATTACKS: Final = ruled(
    *_SENSORS,
    some_of("ids.alert/external", fatal=False),
    some_of("ids.alert/external_blocked", when="ids.alert/external", fatal=False),
)
"""外部攻击 (8.1.3.3 a): sensors are alive, their rules new, what comes is blocked."""
INSIDE_ATTACKS: Final = ruled(
    *_SENSORS,
    some_of("ids.sensors/seeing_inside"),
    some_of("ids.alert/internal_blocked", when="ids.alert/internal", fatal=False),
)
"""内部攻击 (8.1.3.3 b): some sensor sees traffic whose source is inside."""
NEW_ATTACKS: Final = ruled(
    some_of("detector.anomaly/models"),
    none_of("detector.anomaly/models_missing", fatal=False),
    at_most("detector.anomaly/oldest_model_days", RULES_DAYS),
    none_of("detector.anomaly/days_without_judgement"),
)
"""新型攻击 (8.1.3.3 c): models are there, not older than 180 days, and judged every day."""
ATTACK_RECORDS: Final = ruled(
    some_of("ids.alert/alerts"),
    some_of("ids.alert/source_permille", least=1_000),
    some_of("ids.alert/type_permille", least=1_000),
    some_of("ids.alert/target_permille", least=1_000),
    some_of("ids.alert/time_permille", least=1_000),
    some_of("alert.delivery/channels", fatal=False),
    none_of("alert.delivery/severe_undelivered"),
)
"""攻击记录 (8.1.3.3 d): each with source, type, target and time; severe ones are delivered."""

AUDIT_COVERAGE: Final = ruled(
    some_of("log.coverage/sources"),
    none_of("log.coverage/silent", fatal=False),
    none_of("log.coverage/sources_with_missing_days", fatal=False),
    none_of("log.coverage/assets_without_log"),
    is_so("log.coverage/own_log", fatal=False),
    some_of("log.schema/user_permille", least=1, fatal=False),
)
"""审计覆盖 (8.1.3.5 a, 8.1.4.3 a): each object sends, each day, and users are named."""
RECORD_FIELDS: Final = ruled(
    some_of("log.schema/events"),
    *(
        some_of(f"log.schema/{part}_permille", least=PERMILLE, fatal=False)
        for part in ("time", "user", "type", "outcome")
    ),
    none_of("log.schema/sources_unsynchronised", fatal=False),
)
"""记录要素 (8.1.3.5 b, 8.1.4.3 b): time (and clocks that agree), user, type, outcome."""
RECORD_PROTECTION: Final = ruled(
    is_so("ledger.integrity/valid"),
    none_of("log.integrity/mismatched"),
    at_most("backup.job/age_hours", BACKUP_HOURS, fatal=False),
)
"""记录保护 (8.1.3.5 c, 8.1.4.3 c): nothing was changed or removed, and there is a backup."""
REMOTE_AND_WEB: Final = ruled(
    some_of("vpn.log/events"),
    none_of("vpn.log/silent", fatal=False),
    some_of("proxy.log/events"),
    none_of("proxy.log/silent", fatal=False),
    some_of("detector.rules/enabled"),
    none_of("vpn.log/unexamined"),
    none_of("proxy.log/unexamined"),
)
"""远程访问与上网审计 (8.1.3.5 d): both are logged and detectors ran over them."""

CHECKS: Final[Mapping[str, Check]] = {
    "L3-CNS1-06": TRANSPORT_INTEGRITY,
    "L3-CNS1-07": TRANSPORT_SECRECY,
    "L3-ABS1-05": DEFAULT_DENY,
    "L3-ABS1-06": FEWEST_RULES,
    "L3-ABS1-07": FIVE_TUPLE,
    "L3-ABS1-08": SESSION_STATE,
    "L3-ABS1-10": OUTSIDE_ATTACKS,
    "L3-ABS1-11": INSIDE_ATTACKS,
    "L3-ABS1-12": NEW_ATTACKS,
    "L3-ABS1-13": ATTACK_RECORDS,
    "L3-ABS1-16": AUDIT_COVERAGE,
    "L3-ABS1-17": RECORD_FIELDS,
    "L3-ABS1-18": RECORD_PROTECTION,
    "L3-ABS1-19": REMOTE_AND_WEB,
}
