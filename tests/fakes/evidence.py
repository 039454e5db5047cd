"""Evidence as given; and a report signer with real keys."""

from __future__ import annotations

from collections.abc import Sequence

from audits.models.compliance import Fact, ReportSignature, Snapshot
from secops.crypto import ecdsa, signatures, sm2
from secops.crypto.options import DEFAULT
from secops.kernel.actors import Actor

GOOD: dict[str, dict[str, Fact]] = {
    "iam.users": {
        "passwords_expired": 0,
        "accounts": 9,
        "without_role": 0,
        "default_accounts": 0,
        "stale": 0,
        "shared": 0,
    },
    "iam.password_policy": {"least_length": 12, "classes": 3, "age_days": 90},
    "iam.lockout": {"failures": 5, "minutes": 30},
    "iam.sessions": {"idle_seconds": 1800},
    "iam.mfa": {
        "active": 9,
        "with_two": 9,
        "administrators": 3,
        "administrators_with_two": 3,
    },
    "iam.roles": {
        "system_admins": 1,
        "security_admins": 1,
        "audit_admins": 1,
        "conflicts": 0,
        "exclusion_enforced": True,
        "unproved": 0,
    },
    "platform.listeners": {"plain_remote": 0, "encrypted_remote": True},
    "kms.custody": {
        "damaged_system_keys": 0,
        "root_key_protected": True,
        "refused_engines": 0,
    },
    "log.coverage": {"sources": 3, "silent": 0, "own_log": True},
    "log.schema": {
        "events": 200,
        "time_permille": 1000,
        "type_permille": 1000,
        "outcome_permille": 1000,
    },
    "log.integrity": {"mismatched": 0},
    "log.retention": {"days": 200},
    "backup.job": {"age_hours": 3, "restore_test_age_days": 10},
    "detector.rules": {"enabled": 12, "broken": 0, "unscanned_segments": 0},
    "alert.triage": {"alerts": 4, "severe_overdue": 0},
    "incident.record": {"severe_without_incident": 0, "closed": 1, "closed_without_cause": 0},
    "ledger.acts": {
        "policy_changes_by_others": 0,
        "administration_by_others": 0,
        "audit_reviews_31_days": 2,
        "account_changes": 5,
        "role_changes_by_others": 0,
    },
    "ledger.integrity": {"valid": True},
}


class FakeEvidence:
    """Returns ``facts`` as snapshots; change them as the test needs."""

    def __init__(self) -> None:
        self.facts = {kind: dict(facts) for kind, facts in GOOD.items()}

    def __call__(self, actor: Actor, at: int) -> Sequence[Snapshot]:
        return [Snapshot(kind, facts, "test", at) for kind, facts in self.facts.items()]


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
