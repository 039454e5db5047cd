"""Own policies from draft to force: checked, tried, proposed, approved by another, active."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from iam.errors.zero_trust import PolicyLocksOut, PolicyState
from iam.models.changes import ChangeRequest
from iam.models.zero_trust import (
    Finding,
    PolicyTitle,
    PolicyVersion,
    Simulation,
    Surroundings,
    VersionState,
)
from iam.ports import PolicyQuestion
from iam.service.changes import Asking, ChangeDesk, Sides, Verdict, ask_change, decide_change
from iam.service.means import Means
from iam.service.persons import refuse_same_person
from iam.service.zero_trust.book import InForce
from iam.service.zero_trust.decisions import SESSION_OPEN, DecisionService
from iam.service.zero_trust.drafting import Drafting
from secops.kernel.access import Question
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import (
    POLICY_APPROVE,
    POLICY_READ,
    POLICY_WRITE,
    ROLE_ASSIGN,
)
from secops.kernel.permissions.roles import SECURITY_ADMIN
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

KIND: Final = "iam.activate_policies"
SHIPPED: Final = "shipped"
REQUEST_LIFETIME: Final = 7 * DAY
MOST_REPLAYED: Final = 50_000
MOST_TITLE: Final = 200
MOST_TEXT: Final = 65_536
_CORE: Final = (POLICY_WRITE, POLICY_APPROVE, ROLE_ASSIGN, SESSION_OPEN)
_KINDS: Final = ("route", "policy", "role", "session")
_ADMINISTRATOR_LEVEL: Final = 2


@dataclass(frozen=True, slots=True)
class NewPolicies:
    """A draft as somebody writes it: title, Cedar text, TOML text."""

    title: str
    policies: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class PolicyService:
    """The home's own policies. They belong to the root organisation and may name others."""

    means: Means
    decisions: DecisionService
    drafting: Drafting

    def list_policies(self, actor: Actor, request: PageRequest) -> Page[PolicyVersion]:
        """Return the organisation's versions, newest first: only the root has some."""
        self.means.parts.access.require(actor, POLICY_READ, "policy:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.policies.page(tx, actor.org_id, request))

    def get_policies(self, actor: Actor, version_id: str) -> PolicyVersion:
        """Return a version; raise ``NotFound``."""
        self._require(actor, POLICY_READ)
        return self.means.parts.transactions.read(lambda tx: self._version(tx, version_id))

    def in_force(self, actor: Actor) -> tuple[InForce, Sequence[PolicyTitle]]:
        """Return what is in force, and how its policies call themselves."""
        self._require(actor, POLICY_READ)
        current = self.decisions.book.current()
        return current, list(current.engine.titles.values())

    def recorded(self, actor: Actor) -> tuple[int, int, int]:
        """Return how many questions, decisions and refusals are kept to try drafts against."""
        self._require(actor, POLICY_READ)
        self.decisions.record.flush()
        return self.means.parts.transactions.read(self.means.stores.decisions.totals)

    def draft_policies(
        self, actor: Actor, new: NewPolicies, version_id: str | None = None
    ) -> PolicyVersion:
        """Keep a draft, or change the one with ``version_id``; it may still have errors."""
        self._require(actor, POLICY_WRITE)
        if not new.title.strip() or len(new.title) > MOST_TITLE:
            msg = f"a version has a title of at most {MOST_TITLE} characters"
            raise Invalid(msg)
        if len(new.policies) > MOST_TEXT or len(new.data) > MOST_TEXT:
            msg = f"policies and data have at most {MOST_TEXT} characters each"
            raise Invalid(msg)

        def work(tx: Transaction) -> PolicyVersion:
            stores = self.means.stores
            if version_id is None:
                version = self._new(tx, actor, new)
                stores.policies.add(tx, version)
            else:
                known = self._version(tx, version_id)
                version = replace(
                    known,
                    title=new.title.strip(),
                    policies=new.policies,
                    data=new.data,
                    digest=version_digest(new),
                    created_by=actor.id,
                )
                if not stores.policies.edit(tx, version):
                    msg = "only a draft can be changed; make a new one"
                    raise PolicyState(msg)
            details = {"number": version.number, "digest": version.digest}
            tx.record(Act("iam.draft_policies", actor, f"policy:{version.id}", details=details))
            return version

        return self.means.parts.transactions.run(work)

    def check_policies(self, actor: Actor, new: NewPolicies) -> Sequence[Finding]:
        """Return what is wrong with texts."""
        self._require(actor, POLICY_READ)
        return self.drafting.check(new.policies, new.data)

    def simulate_policies(self, actor: Actor, new: NewPolicies) -> Simulation:
        """Try texts on the decisions that were recorded; raise ``PolicyInvalid``."""
        self._require(actor, POLICY_READ)
        draft = self.drafting.require_sound(self._unsaved(actor, new))
        return self._simulate(draft)

    def _simulate(self, draft: InForce) -> Simulation:
        self.decisions.record.flush()
        stores, read = self.means.stores, self.means.parts.transactions.read
        recorded = read(lambda tx: stores.decisions.recent(tx, MOST_REPLAYED))
        return self.drafting.simulate(draft, recorded)

    def propose_policies(self, actor: Actor, version_id: str, reason: str) -> Simulation:
        """Ask for a draft to be activated; return what it would have changed."""
        self._require(actor, POLICY_WRITE)
        version = self.means.parts.transactions.read(lambda tx: self._version(tx, version_id))
        draft = self.drafting.require_sound(version)
        self._require_administrable(draft)
        simulation = self._simulate(draft)
        approval_id = self.means.parts.ids.new("apr")

        def work(tx: Transaction) -> None:
            stores = self.means.stores
            current = self._version(tx, version_id)
            moved = current.digest == version.digest and stores.policies.move(
                tx, version_id, ("draft", "proposed"), approval_id=approval_id
            )
            if not moved:
                msg = "it is no draft any more, or was changed meanwhile"
                raise PolicyState(msg)
            asking = Asking(
                id=approval_id,
                org_id=ROOT_ORG,
                kind=KIND,
                target=f"policy:{version_id}",
                sides=self._sides(tx, current),
                permission=POLICY_APPROVE,
                life=REQUEST_LIFETIME,
                reason=reason,
            )
            ask_change(self.means, tx, actor, asking)
            details = {"changes": simulation.changes, "decisions": simulation.decisions}
            tx.record(Act("iam.propose_policies", actor, f"policy:{version_id}", details=details))

        self.means.parts.transactions.run(work)
        return simulation

    def decide_policies(
        self, actor: Actor, version_id: str, *, grant: bool, reason: str = ""
    ) -> PolicyVersion:
        """Approve a proposed version, which activates it at once everywhere, or reject it.

        Raises ``SelfApproval`` for whoever wrote or proposed it, by any of their accounts, and
        ``PolicyLocksOut``.
        """
        self._require(actor, POLICY_APPROVE)
        version = self.means.parts.transactions.read(lambda tx: self._version(tx, version_id))
        if grant:
            self._require_administrable(self.drafting.require_sound(version))

        def work(tx: Transaction) -> PolicyVersion:
            current = self._version(tx, version_id)
            if current.state != "proposed" or current.approval_id is None:
                msg = "the version is not proposed"
                raise PolicyState(msg)
            asked = self.means.stores.changes.get(tx, current.approval_id)
            if grant:
                refuse_same_person(
                    self.means, tx, actor.id, (current.created_by, asked.requester_id)
                )
            verdict = Verdict("rejected", reason)
            if grant:
                verdict = Verdict("applied", reason, self._sides(tx, current))
            decide_change(self.means, tx, actor, asked, verdict)
            if not grant:
                self.means.stores.policies.move(tx, version_id, ("proposed", "rejected"))
                self._record(tx, "iam.reject_policies", actor, current)
                return self._version(tx, version_id)
            return self._activate(tx, actor, current, "iam.activate_policies")

        return self.means.parts.transactions.run(work)

    def restore_policies(self, actor: Actor, version_id: str, reason: str) -> PolicyVersion:
        """Bring back a version that was in force before: two persons agreed to it once."""
        self._require(actor, POLICY_WRITE)
        version = self.means.parts.transactions.read(lambda tx: self._version(tx, version_id))
        self._require_administrable(self.drafting.require_sound(version))

        def work(tx: Transaction) -> PolicyVersion:
            current = self._version(tx, version_id)
            if current.state != "retired":
                msg = "only what was in force before can come back"
                raise PolicyState(msg)
            return self._activate(tx, actor, current, "iam.restore_policies", reason)

        return self.means.parts.transactions.run(work)

    def _activate(
        self, tx: Transaction, actor: Actor, version: PolicyVersion, action: str, reason: str = ""
    ) -> PolicyVersion:
        """Put ``version`` in the place of what is in force; the epoch tells every process."""
        policies, revocations = self.means.stores.policies, self.means.parts.revocations
        before = policies.active(tx, ROOT_ORG)
        if before is not None:
            policies.move(tx, before.id, ("active", "retired"))
        step: tuple[VersionState, VersionState] = (version.state, "active")
        policies.move(tx, version.id, step, activated_at=tx.now, activated_by=actor.id)
        revocations.revoke(tx, "policy", SHIPPED if before is None else before.id)
        revocations.restore(tx, "policy", version.id)
        self._record(tx, action, actor, version, reason)
        return self._version(tx, version.id)

    # who may, and who must still be able to

    def _require(self, actor: Actor, permission: Permission) -> None:
        self.means.parts.access.require(actor, permission, "policy:*")
        if actor.org_id != ROOT_ORG:
            msg = "access policies are the root organisation's"
            raise NotFound(msg)

    def _require_administrable(self, draft: InForce) -> None:
        """Raise ``PolicyLocksOut`` unless one security administrator could go on working.

        Evaluated, not read: for each of them where they last signed in, on that device, at any
        hour of any day; a fresh sign-in with two factors and no risk is assumed.
        """
        callers = self.means.parts.transactions.read(lambda tx: self._administrators(tx, draft))
        for caller in callers:
            if all(draft.engine.evaluate(asked).allowed for asked in _at_any_time(caller)):
                return
        raise PolicyLocksOut

    def _administrators(self, tx: Transaction, draft: InForce) -> list[PolicyQuestion]:
        stores, ended = self.means.stores, self.means.parts.revocations.is_revoked
        found = []
        for account, _, org_id in stores.locks.holders(tx, SECURITY_ADMIN):
            if ended("account", account) or org_id != ROOT_ORG:
                continue
            session = next(iter(stores.sessions.history_of(tx, account, 1)), None)
            actor = Actor(
                kind="account",
                id=account,
                org_id=org_id,
                name=account,
                roles=stores.roles.of_subject(tx, account),
                session_id=None if session is None else session.id,
                level=_ADMINISTRATOR_LEVEL if session is None else session.level,
                auth_time=tx.now,
                address="" if session is None else session.address,
            )
            found.append(self._question(tx, actor, draft))
        return found

    def _question(self, tx: Transaction, actor: Actor, draft: InForce) -> PolicyQuestion:
        stores = self.means.stores
        known = stores.surroundings.of_account(tx, actor.id) or Surroundings()
        if actor.session_id is not None:
            known = stores.surroundings.of_session(tx, actor.session_id) or known
        return self.decisions.circumstances(
            Question(actor, SESSION_OPEN, "session:new"), known, draft
        )

    # texts and records

    def _version(self, tx: Transaction, version_id: str) -> PolicyVersion:
        found = self.means.stores.policies.get(tx, version_id)
        if found is None:
            msg = "there is no such version of the policies"
            raise NotFound(msg)
        return found

    def _new(self, tx: Transaction, actor: Actor, new: NewPolicies) -> PolicyVersion:
        number = self.means.stores.policies.next_number(tx, ROOT_ORG)
        return replace(self._unsaved(actor, new), number=number, created_at=tx.now)

    def _unsaved(self, actor: Actor, new: NewPolicies) -> PolicyVersion:
        return PolicyVersion(
            id=self.means.parts.ids.new("pol"),
            org_id=ROOT_ORG,
            number=0,
            title=new.title.strip(),
            policies=new.policies,
            data=new.data,
            digest=version_digest(new),
            state="draft",
            created_by=actor.id,
            created_at=self.means.now,
        )

    @property
    def desk(self) -> ChangeDesk:
        """How proposals are seen and decided beside all others."""
        title = Text("变更访问策略", "Change the access policies")
        return ChangeDesk(KIND, title, POLICY_APPROVE, self._look, self._decide)

    def _look(self, tx: Transaction, change: ChangeRequest) -> Sides:
        return self._sides(tx, self._version(tx, change.target.removeprefix("policy:")))

    def _decide(self, actor: Actor, change: ChangeRequest, *, grant: bool, reason: str) -> None:
        version_id = change.target.removeprefix("policy:")
        self.decide_policies(actor, version_id, grant=grant, reason=reason)

    def _sides(self, tx: Transaction, version: PolicyVersion) -> Sides:
        """Return the version in force (nothing: the shipped ones alone) beside the new one."""
        active = self.means.stores.policies.active(tx, ROOT_ORG)
        return Sides({} if active is None else _shown(active), _shown(version))

    @staticmethod
    def _record(
        tx: Transaction, action: str, actor: Actor, version: PolicyVersion, reason: str = ""
    ) -> None:
        details = {"number": version.number, "digest": version.digest, "reason": reason[:500]}
        tx.record(Act(action, actor, f"policy:{version.id}", details=details))


def version_digest(new: NewPolicies | PolicyVersion) -> str:
    """Return what the approval of policies and their data is bound to."""
    return hashlib.sha256(f"{new.policies}\0{new.data}".encode()).hexdigest()


def _shown(version: PolicyVersion) -> dict[str, Any]:
    texts = {"policies": version.policies, "data": version.data}
    return {"number": version.number, "title": version.title, **texts}


def _at_any_time(caller: PolicyQuestion) -> Iterator[PolicyQuestion]:
    """Yield the core's questions of an administrator, for every hour and kind of day."""
    for permission, kind in product(_CORE, _KINDS):
        for hour, weekday in product(range(24), range(1, 8)):
            for working_time, holiday in ((True, False), (False, False), (False, True)):
                yield replace(
                    caller,
                    permission=permission,
                    resource_kind=kind,
                    hour=hour,
                    weekday=weekday,
                    working_time=working_time,
                    holiday=holiday,
                )
