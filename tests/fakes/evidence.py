"""Evidence as given; and a report signer with real keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from audits.core.gbt22239.findings import Finding, Looking
from audits.core.gbt22239.rules import Rule
from audits.models.evidence import Fact, Origin, Snapshot
from audits.models.reports import ReportSignature
from audits.models.systems import Scope
from secops.crypto import ecdsa, signatures, sm2
from secops.crypto.options import DEFAULT
from secops.kernel.actors import Actor

GOOD: dict[str, dict[str, Fact]] = {
    "tls.scan": {
        "listeners_plain": 0,
        "listeners_encrypted": True,
        "listeners_tls": 1,
        "flows_plain": 0,
        "probe_version": 13,
        "probe_aead": 1,
    },
    "kms.policy": {"weak_keys": 0},
    "kms.custody": {"damaged_system_keys": 0, "root_key_protected": True, "refused_engines": 0},
    "db.encryption": {"graded_in_clear": 0},
    "fw.config": {
        "chains": 3,
        "chains_without_deny": 0,
        "any_any": 0,
        "shadowed": 0,
        "duplicates": 0,
        "accepts": 20,
        "accepts_incomplete": 0,
        "accepts_unused_90_days": 0,
        "chains_stateless": 0,
        "chains_taking_invalid": 0,
        "age_days": 3,
    },
    "fw.hits": {"rules_hit": 20},
    "ids.sensors": {"sensors": 2, "silent": 0, "without_ruleset": 0, "seeing_inside": 1},
    "ids.ruleset": {"ruleset_days": 9},
    "ids.alert": {
        "alerts": 400,
        "external": 380,
        "external_blocked": 350,
        "internal": 20,
        "internal_blocked": 4,
        "source_permille": 1_000,
        "type_permille": 1_000,
        "target_permille": 1_000,
        "time_permille": 1_000,
    },
    "vpn.log": {
        "events": 90,
        "silent": 0,
        "unexamined": 0,
        "sessions": 12,
        "sessions_unapproved": 0,
        "sessions_unclosed": 0,
    },
    "proxy.log": {"events": 9_000, "silent": 0, "unexamined": 0},
    "bastion.log": {"sessions": 30, "sessions_without_commands": 0, "logins_around": 0},
    "admin.sessions": {
        f"{role}_{fact}": number
        for role in ("system_admin", "security_admin", "audit_admin")
        for fact, number in (("acts", 7), ("acts_outside", 0), ("sign_ins_weak", 0))
    },
    "iam.users": {
        "accounts": 9,
        "without_role": 0,
        "default_accounts": 0,
        "named_by_default": 0,
        "repeated_names": 0,
        "without_credential": 0,
        "passwords_expired": 0,
        "stale": 0,
        "shared": 0,
        "services_without_owner": 0,
        "services_without_end": 0,
        "services_expired": 0,
    },
    "iam.password_policy": {"least_length": 12, "classes": 3, "age_days": 90},
    "iam.lockout_policy": {"failures": 5, "minutes": 30, "idle_seconds": 1_800},
    "iam.auth_log": {
        "guessed_past_limit": 0,
        "administrator_sign_ins": 40,
        "administrator_sign_ins_single": 0,
        "administrator_ranges": 2,
        "administrator_sign_ins_outside": 0,
    },
    "iam.mfa": {
        "active": 9,
        "with_two": 9,
        "administrators": 3,
        "administrators_with_two": 3,
        "administrators_cryptographic": 3,
    },
    "iam.roles": {
        "system_admins": 1,
        "security_admins": 1,
        "audit_admins": 1,
        "held_by_nobody_known": 0,
        "without_duty": 0,
    },
    "iam.sod": {"conflicts": 0, "enforced": True, "unproved": 0},
    "iam.policy_change": {"by_others": 0, "unapproved": 0},
    "iam.user_lifecycle": {"changes": 5, "by_others": 0, "unapproved": 0},
    "iam.leaver": {
        "departures": 2,
        "overdue": 0,
        "slowest_hours": 1,
        "rights_left": 0,
    },
    "change.record": {"unapproved": 0, "approved_by_requester": 0},
    "log.coverage": {
        "sources": 3,
        "silent": 0,
        "sources_with_missing_days": 0,
        "assets_without_log": 0,
        "own_log": True,
    },
    "log.schema": {
        "events": 200,
        "time_permille": 1_000,
        "user_permille": 1_000,
        "type_permille": 1_000,
        "outcome_permille": 1_000,
        "sources_unsynchronised": 0,
    },
    "log.retention": {
        "configured_days": 200,
        "sources_short": 0,
        "sources_with_holes": 0,
        "sources_with_quiet_days": 0,
        "sources_young": 1,
        "capacity_days": 900,
    },
    "log.heartbeat": {
        "sources_watched": 3,
        "sources_unwatched": 0,
        "gaps": 0,
        "silent_without_alert": 0,
    },
    "log.integrity": {"mismatched": 0},
    "monitor.status": {"objects": 4, "unmonitored": 0, "stale": 0},
    "detector.rules": {"enabled": 12, "broken": 0, "unscanned": 0, "fed_without_rule": 0},
    "detector.alert": {"newest_days": 2},
    "detector.anomaly": {
        "models": 2,
        "models_missing": 0,
        "oldest_model_days": 30,
        "days_without_judgement": 0,
    },
    "alert.triage": {"alerts": 4, "severe_overdue": 0, "closed_by_nobody": 0},
    "alert.delivery": {"channels": 1, "severe_undelivered": 0},
    "data.access_log": {"reads_by_others": 0, "reads_without_reason": 0, "bulk_rules": 2},
    "incident.record": {
        "severe_without_incident": 0,
        "overdue": 0,
        "closed": 1,
        "closed_without_cause": 0,
        "closed_without_process": 0,
        "closed_without_evidence": 0,
        "closed_without_lessons": 0,
    },
    "ledger.integrity": {"valid": True},
    "ledger.acts": {"administration_by_others": 0},
    "audit.review_log": {"reviews_31_days": 2},
    "audit.report": {"reports": 2, "newest_days": 20, "readers": 1},
    "assessment.record": {"newest_days": 20},
    "check.run": {
        "months": 3,
        "months_without_status": 0,
        "months_without_vulnerabilities": 0,
        "months_without_backup": 0,
    },
    "backup.job": {"age_hours": 3, "failed": 0},
    "backup.restore_test": {"age_days": 10},
    "backup.offsite": {"sites": 1, "stopped": 0, "batch_only": 0, "lag_minutes": 2, "age_days": 0},
    "backup.policy": {"plans": 2, "incomplete": 0, "not_followed": 0, "age_days": 0},
    "av.status": {"hosts": 9, "unprotected": 0, "unlicensed": 0, "base_days": 2, "age_days": 1},
    "av.test": {"platforms": 2, "not_blocked": 0, "test_days": 60},
    "port.scan": {"hosts": 9, "unexpected": 0, "shares": 0, "age_days": 5},
    "config.baseline": {"assets": 9, "assets_without": 0, "age_days": 5},
    "config.drift": {"without_change": 0, "baseline_not_renewed": 0, "age_days": 5},
    "vuln.scan": {"age_days": 5, "severe_overdue": 0, "severe_retired": 0, "without_task": 0},
    "poam.tasks": {"overdue": 0},
    "asset.inventory": {
        "assets": 9,
        "with_department": 9,
        "with_importance": 9,
        "with_place": 9,
        "graded": 9,
        "looked_after": 9,
        "unlisted_log_sources": 0,
    },
    "system.filing": {"test_age_days": 200},
    "supplier.access": {
        "accesses": 2,
        "unapproved": 0,
        "unknown_accounts": 0,
        "late_accounts": 0,
    },
    "record.access_review": {"valid": 1},
    "record.supplier_review": {"valid": 1},
}
"""Facts of a house in which nothing is wrong: each automatic item is proposed as 符合."""

GOOD_CRYPTO: dict[str, dict[str, Fact]] = {
    **GOOD,
    "tls.scan": {**GOOD["tls.scan"], "suite_approved": True},
    "kms.custody": {**GOOD["kms.custody"], "hardware": True},
    "kms.policy": {"weak_keys": 0, "keys_not_approved": 0, "rotations_overdue": 0},
    "kms.signature": {
        "signatures": 8,
        "algorithms_not_approved": 0,
        "without_time_stamp": 0,
    },
    "db.encryption": {"graded_in_clear": 0, "sealed_fields": True},
    "door.log": {"records": 900, "unprotected": 0, "algorithms_not_approved": 0},
    "iam.mfa": {**GOOD["iam.mfa"], "cryptographic": 9},
    "iam.policy": {"altered": 0},
    "ledger.integrity": {"valid": True, "algorithm_sm3": True},
}
"""Facts of a house whose cryptography is all in effect, approved and kept in modules."""


class FakeEvidence:
    """Returns ``facts`` as snapshots; change them as the test needs."""

    def __init__(self) -> None:
        self.facts = {kind: dict(facts) for kind, facts in GOOD.items()}

    def __call__(self, actor: Actor, scope: Scope, at: int) -> Sequence[Snapshot]:
        return [
            Snapshot(kind, facts, Origin(source="test"), at) for kind, facts in self.facts.items()
        ]


class FakeReportSigner:
    """Signs with keys made for the test."""

    def __init__(self) -> None:
        self.keys = {
            "sm2-sm3": ("sm2", sm2.PrivateKey.generate().der),
            "ecdsa-p256-sha256": ("ecdsa-p256", ecdsa.generate("ecdsa-p256")),
        }

    def sign_report(self, message: bytes) -> Sequence[ReportSignature]:
        made = []
        for name, (algorithm, pkcs8) in self.keys.items():
            key = signatures.private_key(algorithm, pkcs8)
            made.append(
                ReportSignature(name, "test", key.public_key.der, key.sign(message, DEFAULT))
            )
        return made


def found(check: Callable[[Looking], object], facts: Mapping[str, Mapping[str, Fact]]) -> Finding:
    """Return what ``check`` finds in these facts, by kind and name."""
    taken = {k: Snapshot(k, values, Origin(source="test"), 1) for k, values in facts.items()}
    look = Looking(taken)
    check(look)
    return look.finding()


def changed(
    good: Mapping[str, Mapping[str, Fact]], name: str, value: Fact | None
) -> dict[str, dict[str, Fact]]:
    """Return the good facts with one of them (kind/name) changed, or gone."""
    kind, _, fact = name.partition("/")
    facts = {each: dict(values) for each, values in good.items()}
    if value is None:
        del facts[kind][fact]
    else:
        facts[kind][fact] = value
    return facts


def breaking(good: Mapping[str, Mapping[str, Fact]], rule: Rule) -> Fact:
    """Return a value of the rule's fact with which it does not hold."""
    kind, _, fact = rule.fact.partition("/")
    if rule.same:
        return int(good[kind][fact]) - 1
    if rule.most is not None:
        return rule.most + 1
    return False if rule.least is None else rule.least - 1
