"""Evidence for self-assessment: facts looked up in the planes, each with its origin.

What can't be read is left out; the checks then say 未核查. Nothing here decides anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from audits.models.compliance import Fact, Snapshot
from audits.models.ledger import EntryFilter, EntryRow
from audits.service import AuditsServices
from detectors.models.alerts import Alert, AlertFilter
from detectors.service import DetectorsServices
from iam.service import IamServices
from kms.service import KmsServices
from playbooks.service import PlaybooksServices
from secops.bridges.keys import damaged_system_keys
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, HOUR
from secops.kernel.errors import SecopsError
from secops.kernel.logs import Aggregation, And, Exists, Window
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.permissions.roles import AUDIT_ADMIN, SECURITY_ADMIN, SYSTEM_ADMIN
from secops.settings import Settings, is_loopback

_LOG: Final = logging.getLogger("secops.evidence")
_SEVERE: Final = ("high", "critical")
_POLICY_ACTIONS: Final = (
    "iam.assign_role",
    "iam.revoke_role",
    "detectors.enable_rule",
    "detectors.disable_rule",
    "kms.create_key",
    "kms.rotate_key",
    "kms.destroy_key",
)
_ADMINISTRATION: Final = (
    "iam.create_account",
    "iam.create_client",
    "iam.create_organisation",
    "detectors.add_source",
    "detectors.remove_source",
)
_ACCOUNT_CHANGES: Final = (
    "iam.create_account",
    "iam.create_demo_account",
    "iam.enrol",
    "iam.lock_account",
    "iam.unlock_account",
    "iam.assign_role",
    "iam.revoke_role",
)
_REVIEWS: Final = ("audits.verify_ledger", "audits.read_ledger")
_FIELDS: Final = {"time": None, "type": "event.action", "outcome": "event.outcome"}
_MOST_ROWS: Final = 10_000
OWN_SOURCE: Final = "govsecops"

Facts = Mapping[str, Fact]


class Evidence:
    """Implements ``audits.ports.EvidenceSource``; the last two planes bind late."""

    def __init__(
        self,
        settings: Settings,
        *,
        iam: IamServices,
        kms: KmsServices,
        detectors: DetectorsServices,
    ) -> None:
        self._settings = settings
        self._iam = iam
        self._kms = kms
        self._detectors = detectors
        self._playbooks: PlaybooksServices | None = None
        self._audits: AuditsServices | None = None

    def bind(self, *, playbooks: PlaybooksServices, audits: AuditsServices) -> None:
        """Look at these planes too from now on."""
        self._playbooks = playbooks
        self._audits = audits

    def __call__(self, actor: Actor, at: int) -> Sequence[Snapshot]:
        """Return what can be seen now."""
        looks: dict[str, Callable[[Actor, int], Facts]] = {
            "iam.users": self._users,
            "iam.password_policy": self._password_policy,
            "iam.lockout": self._lockout,
            "iam.sessions": self._sessions,
            "iam.mfa": self._factors,
            "iam.roles": self._roles,
            "platform.listeners": self._listeners,
            "kms.custody": self._custody,
            "log.coverage": self._coverage,
            "log.schema": self._schema,
            "log.retention": self._retention,
            "log.integrity": self._log_integrity,
            "detector.rules": self._rules,
            "alert.triage": self._triage,
            "incident.record": self._incidents,
            "ledger.integrity": self._ledger,
            "ledger.acts": self._acts,
            "backup.job": self._backup,
        }
        taken = []
        for kind, look in looks.items():
            try:
                facts = look(actor, at)
            except (SecopsError, OSError) as error:
                _LOG.warning("evidence %s can't be read: %s", kind, error)
                continue
            taken.append(Snapshot(kind, facts, f"secops.bridges.evidence:{kind}", at))
        return taken

    def _users(self, actor: Actor, _at: int) -> Facts:
        users = self._iam.evidence.users_state(actor.org_id)
        facts: dict[str, Fact] = {
            "accounts": users.accounts,
            "without_role": self._without_role(actor, users.active),
            "passwords_expired": users.passwords_expired,
            "stale": users.stale,
            "shared": users.shared_persons,
            "default_accounts": self._count_acts(("iam.create_demo_account",)),
        }
        return facts

    def _without_role(self, actor: Actor, active: int) -> int:
        held = self._iam.evidence.holders_of(actor.org_id)
        with_role = [name for name, roles in held.items() if roles and name.startswith("acc_")]
        return max(0, active - len(with_role))

    def _password_policy(self, _actor: Actor, _at: int) -> Facts:
        policy = self._iam.evidence.policy_state()
        return {
            "least_length": policy.least_length,
            "classes": policy.classes,
            "age_days": policy.password_age_days,
            "history": policy.history,
            "weak_list_size": policy.weak_list_size,
        }

    def _lockout(self, _actor: Actor, _at: int) -> Facts:
        lockout = self._iam.evidence.lockout_state()
        return {"failures": lockout.failures, "minutes": lockout.minutes}

    def _sessions(self, _actor: Actor, _at: int) -> Facts:
        policy = self._iam.evidence.policy_state()
        return {
            "idle_seconds": policy.session_idle_seconds,
            "administrator_idle_seconds": policy.administrator_idle_seconds,
            "access_token_seconds": policy.access_token_seconds,
        }

    def _factors(self, actor: Actor, _at: int) -> Facts:
        factors = self._iam.evidence.mfa_state(actor.org_id)
        return {
            "active": factors.active_accounts,
            "with_two": factors.with_two_factors,
            "administrators": factors.administrators,
            "administrators_with_two": factors.administrators_with_two_factors,
        }

    def _roles(self, actor: Actor, _at: int) -> Facts:
        roles = self._iam.evidence.roles_state(actor.org_id)
        return {
            "system_admins": roles.holders[SYSTEM_ADMIN],
            "security_admins": roles.holders[SECURITY_ADMIN],
            "audit_admins": roles.holders[AUDIT_ADMIN],
            "conflicts": roles.conflicts,
            "exclusion_enforced": roles.exclusion_enforced,
            "unproved": roles.administrators_unproved,
        }

    def _listeners(self, _actor: Actor, _at: int) -> Facts:
        remote = [a for a in self._settings.addresses if not is_loopback(a)]
        behind_proxy = bool(self._settings.trusted_proxies)
        encrypted = self._settings.tls or self._settings.origin.startswith("https:")
        plain = 0 if self._settings.tls or behind_proxy else len(remote)
        return {"plain_remote": plain, "encrypted_remote": encrypted}

    def _custody(self, actor: Actor, at: int) -> Facts:
        status = self._kms.pool.status()
        return {
            "damaged_system_keys": damaged_system_keys(self._kms),
            "root_key_protected": status.state in ("unlocked", "locked"),
            "custody": status.custody,
            "profile": status.profile,
            "refused_engines": len(self._kms.self_tests.refused_engines(actor, at - DAY)),
        }

    def _coverage(self, actor: Actor, at: int) -> Facts:
        sources = self._detectors.logs.summarise_sources(actor)
        silent = [source for source in sources if at - source.last_ingested > DAY]
        return {
            "sources": len(sources),
            "silent": len(silent),
            "own_log": any(source.source == OWN_SOURCE for source in sources),
        }

    def _schema(self, _actor: Actor, _at: int) -> Facts:
        store = self._detectors.logs.store

        def count(*names: str) -> int:
            query = And(tuple(Exists(name) for name in names))
            return sum(bucket.count for bucket in store.aggregate(query, Window(), Aggregation()))

        total = count()
        facts: dict[str, Fact] = {"events": total}
        if not total:
            return facts
        for part, name in _FIELDS.items():
            found = total if name is None else count(name)
            facts[f"{part}_permille"] = 1_000 * found // total
        return facts

    def _log_integrity(self, actor: Actor, _at: int) -> Facts:
        verdict = self._detectors.integrity.verify_segments(actor)
        return {"segments": verdict.segments, "mismatched": len(verdict.bad)}

    def _retention(self, _actor: Actor, _at: int) -> Facts:
        return {"days": self._settings.retention_days}

    def _rules(self, actor: Actor, _at: int) -> Facts:
        rules = self._detectors.rules
        return {
            "enabled": len(rules.enabled()),
            "broken": len(rules.list_problems(actor)),
            "unscanned_segments": len(self._detectors.runs.list_unscanned(actor)),
        }

    def _triage(self, actor: Actor, at: int) -> Facts:
        alerts = self._all_alerts(actor)
        severe = [alert for alert in alerts if alert.severity in _SEVERE]
        overdue = [a for a in severe if a.status == "open" and at - a.raised_at > DAY]
        return {"alerts": len(alerts), "severe": len(severe), "severe_overdue": len(overdue)}

    def _all_alerts(self, actor: Actor) -> Sequence[Alert]:
        page = PageRequest(MAX_LIMIT)
        return self._detectors.alerts.list_alerts(actor, AlertFilter(), page).items

    def _incidents(self, actor: Actor, at: int) -> Facts:
        if self._playbooks is None:
            return {}
        state = self._playbooks.evidence.incident_state(actor)
        severe = [a for a in self._all_alerts(actor) if a.severity in _SEVERE]
        late = [a for a in severe if at - a.raised_at > DAY and a.status == "open"]
        return {
            "closed": state.closed,
            "closed_without_cause": state.closed - state.closed_with_cause,
            "severe_without_incident": max(0, len(late) - state.with_alerts),
            "digest": state.sha256,
        }

    def _ledger(self, _actor: Actor, _at: int) -> Facts:
        if self._audits is None:
            return {}
        verdict = self._audits.ledger.files.verify_ledger()
        return {
            "valid": verdict.valid,
            "entries": verdict.entries,
            "sha256_root": verdict.sha256_root.hex(),
            "sm3_root": verdict.sm3_root.hex(),
        }

    def _acts(self, actor: Actor, at: int) -> Facts:
        holders = self._holders(actor)
        since = at - 31 * DAY
        reviews = [row for row in self._rows(_REVIEWS) if row.at >= since]
        return {
            "policy_changes_by_others": _by_others(
                self._rows(_POLICY_ACTIONS), holders[SECURITY_ADMIN]
            ),
            "administration_by_others": _by_others(
                self._rows(_ADMINISTRATION), holders[SYSTEM_ADMIN]
            ),
            "role_changes_by_others": _by_others(
                self._rows(("iam.assign_role", "iam.revoke_role")), holders[SECURITY_ADMIN]
            ),
            "account_changes": self._count_acts(_ACCOUNT_CHANGES),
            "audit_reviews_31_days": sum(row.actor_id in holders[AUDIT_ADMIN] for row in reviews),
        }

    def _holders(self, actor: Actor) -> Mapping[str, frozenset[str]]:
        roles = self._iam.evidence.holders_of(actor.org_id)
        return {
            role: frozenset(subject for subject, held in roles.items() if role in held)
            for role in (SYSTEM_ADMIN, SECURITY_ADMIN, AUDIT_ADMIN)
        }

    def _rows(self, actions: Sequence[str]) -> list[EntryRow]:
        if self._audits is None:
            return []
        store = self._audits.ledger.store
        return [
            row
            for action in actions
            for row in store.search(EntryFilter(action=action, outcome="done"), _MOST_ROWS, None)
        ]

    def _count_acts(self, actions: Sequence[str]) -> int:
        return len(self._rows(actions))

    def _backup(self, _actor: Actor, at: int) -> Facts:
        rows = self._rows(("os.backup",))
        tests = self._rows(("os.restore_test",))
        facts: dict[str, Fact] = {}
        if rows:
            facts["age_hours"] = (at - max(row.at for row in rows)) // HOUR
        if tests:
            facts["restore_test_age_days"] = (at - max(row.at for row in tests)) // DAY
        return facts


def _by_others(rows: Sequence[EntryRow], holders: frozenset[str]) -> int:
    """Count acts of accounts that don't hold the role (set-up by the home's owner aside)."""
    return sum(
        row.actor_id not in holders and not row.actor_id.startswith(("os:", "kms")) for row in rows
    )
