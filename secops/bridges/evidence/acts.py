"""Evidence in the ledger: who did what, whether it stands unchanged, what was done regularly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from audits.models.evidence import Fact
from audits.models.ledger import EntryFilter, EntryRow
from audits.service import AuditsServices
from iam.service import IamServices
from secops.bridges.evidence.log_reader import any_of
from secops.bridges.evidence.looking import (
    Look,
    Looks,
    Sight,
    holders_of,
    of_acts,
    of_events,
    sign_ins_of,
)
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY
from secops.kernel.permissions.roles import AUDIT_ADMIN, SECURITY_ADMIN, SYSTEM_ADMIN

POLICY: Final = (
    "iam.assign_role",
    "iam.revoke_role",
    "iam.activate_policies",
    "detectors.enable_rule",
    "detectors.disable_rule",
    "kms.create_key",
    "kms.rotate_key",
    "kms.destroy_key",
)
ADMINISTRATION: Final = (
    "iam.create_account",
    "iam.create_client",
    "iam.create_organisation",
    "detectors.add_source",
    "detectors.change_source",
    "detectors.remove_source",
)
ACCOUNTS: Final = (
    "iam.create_account",
    "iam.import_people",
    "iam.lock_account",
    "iam.unlock_account",
    "iam.assign_role",
    "iam.revoke_role",
    "iam.order_departure",
)
ROLE_CHANGES: Final = ("iam.assign_role", "iam.revoke_role")
REVIEWS: Final = ("audits.verify_ledger", "audits.read_ledger")
BACKUP: Final = ("os.backup",)
RESTORE: Final = ("os.restore_test",)
ASSESSED: Final = ("audits.assess",)
CHECKED: Final = ("audits.check_controls",)
EXPORTED: Final = ("audits.export_report",)
SCANNED: Final = ("audits.import_scan",)
_ROLES: Final[Mapping[str, str]] = {
    "system_admin": SYSTEM_ADMIN,
    "security_admin": SECURITY_ADMIN,
    "audit_admin": AUDIT_ADMIN,
}
_MOST_ROWS: Final = 10_000
_MONTH: Final = 30 * DAY
_MONTHS: Final = 3
_REVIEWED: Final = 31 * DAY
_MOST_HOLDERS: Final = 100
_OPENING: Final = "event.action:(iam.sign_in OR iam.assess_sign_in OR iam.enrol OR iam.step_up)"


class Acts:
    """Reads the ledger, which is there from the second plane's installation on."""

    def __init__(self) -> None:
        self._audits: AuditsServices | None = None

    def bind(self, audits: AuditsServices) -> None:
        """Read this ledger from now on."""
        self._audits = audits

    @property
    def audits(self) -> AuditsServices | None:
        """The ledger's plane, None before it is installed."""
        return self._audits

    def rows(
        self, look: Look, actions: Sequence[str], *, since: int = 0, outcome: str = "done"
    ) -> list[EntryRow]:
        """Return the organisation's entries of ``actions``, at most 10,000 of each."""
        if self._audits is None:
            return []
        org = None if look.actor.org_id == ROOT_ORG else look.actor.org_id
        store = self._audits.ledger.store
        return [
            row
            for action in actions
            for row in store.search(
                EntryFilter(action=action, outcome=outcome, since=since, org_id=org),
                _MOST_ROWS,
                None,
            )
        ]


class LedgerEvidence:
    """Looks at the ledger: its soundness, and the acts in it."""

    def __init__(self, acts: Acts, iam: IamServices) -> None:
        self._acts = acts
        self._iam = iam

    @property
    def looks(self) -> Looks:
        """What can be looked for."""
        return {
            "ledger.integrity": self._integrity,
            "ledger.acts": self._administration,
            "iam.policy_change": self._policy_changes,
            "iam.user_lifecycle": self._accounts,
            "admin.sessions": self._sessions,
            "audit.review_log": self._reviews,
            "audit.report": self._reports,
            "assessment.record": self._assessments,
            "check.run": self._checks,
            "backup.job": self._backup,
            "backup.restore_test": self._restore,
        }

    def _integrity(self, _look: Look) -> Sight | None:
        if self._acts.audits is None:
            return None
        verdict = self._acts.audits.ledger.files.verify_ledger()
        facts: dict[str, Fact] = {
            "valid": verdict.valid,
            "entries": verdict.entries,
            "sha256_root": verdict.sha256_root.hex(),
            "sm3_root": verdict.sm3_root.hex(),
            "algorithm_sm3": bool(verdict.sm3_root),
        }
        return Sight(facts, "all records hashed again into both trees", link="/ledger")

    def _administration(self, look: Look) -> Sight:
        others = _by_others(
            self._acts.rows(look, ADMINISTRATION), self._holders(look, SYSTEM_ADMIN)
        )
        return of_acts({"administration_by_others": others}, ADMINISTRATION, (0, look.at))

    def _policy_changes(self, look: Look) -> Sight:
        rows = self._acts.rows(look, POLICY)
        facts: dict[str, Fact] = {
            "changes": len(rows),
            "by_others": _by_others(rows, self._holders(look, SECURITY_ADMIN)),
            **self._unapproved(look, POLICY),
        }
        return of_acts(facts, POLICY, (0, look.at))

    def _accounts(self, look: Look) -> Sight | None:
        rows = self._acts.rows(look, ACCOUNTS)
        if not rows:
            return None
        roles = self._acts.rows(look, ROLE_CHANGES)
        facts: dict[str, Fact] = {
            "changes": len(rows),
            "by_others": _by_others(roles, self._holders(look, SECURITY_ADMIN)),
            **self._unapproved(look, ACCOUNTS),
        }
        return of_acts(facts, ACCOUNTS, (0, look.at))

    def _unapproved(self, look: Look, actions: Sequence[str]) -> dict[str, Fact]:
        """Count acts of persons that name no change and no approval by another.

        Where the platform's own log is not stored nothing is said.
        """
        if not look.own.is_there:
            return {}
        query = (
            f"{any_of('event.action', actions)} AND event.outcome:success AND user.kind:account"
            " AND NOT details.change:* AND NOT details.approval:*"
        )
        return {"unapproved": look.own.count(query, (0, look.at))}

    def _sessions(self, look: Look) -> Sight | None:
        if not look.own.is_there:
            return None
        window = look.since(_MONTH)
        facts: dict[str, Fact] = {}
        everybody: set[str] = set()
        for name, role in _ROLES.items():
            holders = sorted(each for each in self._holders(look, role) if each.startswith("acc_"))
            everybody.update(holders[:_MOST_HOLDERS])
            theirs = f"{any_of('user.id', holders[:_MOST_HOLDERS])} AND NOT {_OPENING}"
            outside = f"({theirs}) AND event.outcome:success AND NOT session.id:*"
            acts = look.own.count(theirs, window)
            signed = sign_ins_of(look, self._iam, role, window[0])
            if not acts and not signed.sign_ins:
                continue  # nobody acted: nothing can be said of how
            facts[f"{name}_acts"] = acts
            facts[f"{name}_acts_outside"] = look.own.count(outside, window)
            facts[f"{name}_sign_ins_weak"] = signed.weak
        query = f"{any_of('user.id', sorted(everybody)[:_MOST_HOLDERS])} AND NOT {_OPENING}"
        return of_events(facts, look.own.scoped(query), window)

    def _holders(self, look: Look, role: str) -> frozenset[str]:
        held = holders_of(look, self._iam)
        return frozenset(subject for subject, roles in held.items() if role in roles)

    def _reviews(self, look: Look) -> Sight:
        window, holders = look.since(_REVIEWED), self._holders(look, AUDIT_ADMIN)
        rows = self._acts.rows(look, REVIEWS, since=window[0])
        reviews = sum(row.actor_id in holders for row in rows)
        return of_acts({"reviews_31_days": reviews}, REVIEWS, window)

    def _reports(self, look: Look) -> Sight | None:
        exported = self._acts.rows(look, EXPORTED)
        assessed = self._acts.rows(look, ASSESSED)
        if not exported:
            return None
        makers = {max(assessed, key=lambda row: row.at).actor_id} if assessed else set()
        facts: dict[str, Fact] = {
            "reports": len(exported),
            "newest_days": _age(exported, look.at),
            "readers": len({row.actor_id for row in exported} - makers),
        }
        return of_acts(facts, EXPORTED, (0, look.at))

    def _assessments(self, look: Look) -> Sight | None:
        rows = self._acts.rows(look, ASSESSED)
        if not rows:
            return None
        facts: dict[str, Fact] = {"assessments": len(rows), "newest_days": _age(rows, look.at)}
        return of_acts(facts, ASSESSED, (0, look.at))

    def _checks(self, look: Look) -> Sight | None:
        """Look at the last three periods of 30 days that the ledger covers whole."""
        if self._acts.audits is None:
            return None
        first = next(iter(self._acts.audits.ledger.store.entries(0, 1)), None)
        began = look.at if first is None or first.row is None else first.row.at
        months = min(_MONTHS, (look.at - began) // _MONTH)
        if months < 1:
            return None
        done = {
            "months_without_status": (*ASSESSED, *CHECKED),
            "months_without_vulnerabilities": SCANNED,
            "months_without_backup": BACKUP,
        }
        facts: dict[str, Fact] = {"months": months}
        window = look.since(months * _MONTH)
        for name, actions in done.items():
            rows = self._acts.rows(look, actions, since=window[0])
            seen = {(look.at - row.at) // _MONTH for row in rows}
            facts[name] = sum(month not in seen for month in range(months))
        return of_acts(facts, (*ASSESSED, *CHECKED, *SCANNED, *BACKUP), window)

    def _backup(self, look: Look) -> Sight | None:
        rows = self._acts.rows(look, BACKUP)
        if not rows:
            return None
        window = look.since(_MONTH)
        failed = self._acts.rows(look, BACKUP, since=window[0], outcome="failed")
        facts: dict[str, Fact] = {
            "age_hours": (look.at - max(row.at for row in rows)) * 24 // DAY,
            "failed": len(failed),
        }
        return of_acts(facts, BACKUP, window)

    def _restore(self, look: Look) -> Sight | None:
        rows = self._acts.rows(look, RESTORE)
        if not rows:
            return None
        return of_acts({"age_days": _age(rows, look.at)}, RESTORE, (0, look.at))


def _age(rows: Iterable[EntryRow], at: int) -> int:
    """Return how many days ago the newest was."""
    return max(0, at - max(row.at for row in rows)) // DAY


def _by_others(rows: Sequence[EntryRow], holders: frozenset[str]) -> int:
    """Count acts of accounts that don't hold the role (set-up by the home's owner aside)."""
    return sum(
        row.actor_id not in holders and not row.actor_id.startswith(("os:", "kms")) for row in rows
    )
