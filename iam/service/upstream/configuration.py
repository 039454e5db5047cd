"""Configuring providers: one person proposes, another approves; taking away needs one alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.core.upstream_plan import make_plan, write_plan
from iam.errors import UpstreamInvalid
from iam.models.changes import ChangeRequest
from iam.models.upstream import (
    Upstream,
    UpstreamCheck,
    UpstreamPlan,
    UpstreamProposal,
    stored_plan,
)
from iam.service.changes import Asking, ChangeDesk, Sides, Verdict, ask_change, decide_change
from iam.service.means import Means
from iam.service.persons import refuse_requester
from iam.service.upstream.providers import Providers, secret_binding
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, NotFound
from secops.kernel.permissions.iam import (
    UPSTREAM_APPROVE,
    UPSTREAM_CONFIGURE,
    UPSTREAM_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

KIND: Final = "iam.change_upstream"
MAX_SECRET: Final = 512


@dataclass(frozen=True, slots=True)
class UpstreamChange:
    """A proposal beside what is in force, for whoever approves."""

    proposal: UpstreamProposal
    plan: UpstreamPlan
    before: Upstream | None
    new_secret: bool


@dataclass(frozen=True, slots=True)
class UpstreamService:
    """What can be done with providers."""

    means: Means
    providers: Providers

    def create_upstream(
        self, actor: Actor, upstream_id: str, document: Mapping[str, Any], secret: str
    ) -> str:
        """Propose a new provider, or a change of the one with this id; return the request's id.

        Without ``secret`` the one in force stays, as long as ``settings`` stay the same: else
        a secret could be sent to an address of the proposer's choice.
        Raises ``UpstreamInvalid``.
        """
        means = self.means
        means.parts.access.require(actor, UPSTREAM_CONFIGURE, f"upstream:{upstream_id}")
        plan = make_plan(upstream_id, document)
        read = means.parts.transactions.read
        before = read(lambda tx: self._own(tx, actor, upstream_id))
        sealed = self._sealed(actor, plan, before, secret)
        content = write_plan(plan)
        proposal = UpstreamProposal(
            approval_id=means.parts.ids.new("apr"),
            org_id=actor.org_id,
            upstream_id=upstream_id,
            content=content,
            sealed_secret=sealed,
            digest=_digest(upstream_id, content, sealed),
            created_at=means.now,
        )
        means.parts.transactions.run(lambda tx: self._propose(tx, actor, proposal))
        return proposal.approval_id

    def approve_upstream(
        self, actor: Actor, approval_id: str, *, grant: bool, reason: str = ""
    ) -> None:
        """Put a proposal in force, or reject it; raise ``SelfApproval`` for one's own."""
        means = self.means
        means.parts.access.require(actor, UPSTREAM_APPROVE, f"approval:{approval_id}")
        stores = means.stores.upstreams

        def work(tx: Transaction) -> None:
            proposal = stores.proposal(tx, approval_id)
            approval = means.parts.approvals.get(tx, approval_id)
            if approval.kind != KIND or approval.org_id != actor.org_id:
                msg = "that is no change of a provider"
                raise Conflict(msg)
            refuse_requester(means, tx, actor, approval_id)
            change = means.stores.changes.get(tx, approval_id)
            verdict = Verdict("rejected", reason)
            if grant:
                verdict = Verdict("applied", reason, self._sides(tx, proposal))
            decide_change(means, tx, actor, change, verdict)
            if grant:
                stores.put(tx, _in_force(proposal, approval, actor, tx.now))
            stores.drop_proposal(tx, approval_id)
            action = "iam.approve_upstream" if grant else "iam.reject_upstream"
            details = {"approval": approval_id, "digest": proposal.digest}
            tx.record(Act(action, actor, f"upstream:{proposal.upstream_id}", details=details))

        means.parts.transactions.run(work)

    def disable_upstream(self, actor: Actor, upstream_id: str, reason: str) -> None:
        """Take a provider out of force; whoever is signed in by it stays until the session ends.

        Local sign-in opens again for an organisation that had closed it.
        """
        means = self.means
        means.parts.access.require(actor, UPSTREAM_CONFIGURE, f"upstream:{upstream_id}")

        def work(tx: Transaction) -> None:
            if self._own(tx, actor, upstream_id) is None:
                msg = "there is no such provider"
                raise NotFound(msg)
            if not means.stores.upstreams.disable(tx, upstream_id):
                msg = "the provider is not in force"
                raise Conflict(msg)
            details = {"reason": reason[:500]}
            tx.record(
                Act("iam.disable_upstream", actor, f"upstream:{upstream_id}", details=details)
            )

        means.parts.transactions.run(work)

    def list_upstreams(self, actor: Actor) -> Sequence[Upstream]:
        """Return the organisation's providers by id."""
        self.means.parts.access.require(actor, UPSTREAM_READ, "upstream:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.upstreams.all_of(tx, actor.org_id))

    def pending_upstreams(self, actor: Actor) -> Sequence[UpstreamChange]:
        """Return what waits for approval, beside what it would replace."""
        self.means.parts.access.require(actor, UPSTREAM_READ, "upstream:*")

        def work(tx: Transaction) -> list[UpstreamChange]:
            waiting = {
                approval.id
                for approval in self.means.parts.approvals.pending(tx, actor.org_id)
                if approval.kind == KIND
            }
            proposals = self.means.stores.upstreams.proposals(tx, actor.org_id)
            return [self._change(tx, one) for one in proposals if one.approval_id in waiting]

        return self.means.parts.transactions.read(work)

    def test_upstream(self, actor: Actor, upstream_id: str) -> Sequence[UpstreamCheck]:
        """Ask a provider what can be asked without a person; raise ``NotFound``."""
        self.means.parts.access.require(actor, UPSTREAM_CONFIGURE, f"upstream:{upstream_id}")
        read = self.means.parts.transactions.read
        found = read(lambda tx: self._own(tx, actor, upstream_id))
        if found is None:
            msg = "there is no such provider"
            raise NotFound(msg)
        checks = [*self.providers.open(found).check(), *self._scheme_checks(found.plan)]
        outcome = "failed" if any(check.ok is False for check in checks) else "done"
        details = {check.what: check.ok for check in checks}
        act = Act("iam.test_upstream", actor, f"upstream:{upstream_id}", outcome, details)  # type: ignore[arg-type] # one of the trail's two words
        self.means.parts.trail.append([act])
        return checks

    def _scheme_checks(self, plan: UpstreamPlan) -> Sequence[UpstreamCheck]:
        """Tell which of the plan's levels stand for something; others lift no demand."""
        trust, rung = plan.trust, self.means.schemes.rung
        if not trust.levels:
            return ()
        idle = sorted({each for each in trust.levels.values() if not rung(trust.scheme, each)})
        why = f"nothing is known of {trust.scheme}:{idle[0]}: it lifts no demand" if idle else ""
        return (UpstreamCheck("real_name_levels", ok=not idle, why=why),)

    def _own(self, tx: Transaction, actor: Actor, upstream_id: str) -> Upstream | None:
        found = self.means.stores.upstreams.find(tx, upstream_id)
        return found if found is not None and found.org_id == actor.org_id else None

    def _sealed(
        self, actor: Actor, plan: UpstreamPlan, before: Upstream | None, secret: str
    ) -> bytes:
        if secret:
            if len(secret) > MAX_SECRET:
                msg = f"a secret has at most {MAX_SECRET} characters"
                raise UpstreamInvalid(msg)
            return self.means.box.seal(secret.encode(), secret_binding(actor.org_id, plan.id))
        same = before is not None and (before.plan.kind, before.plan.settings) == (
            plan.kind,
            plan.settings,
        )
        if before is None or not same:
            msg = "the secret is needed: it stays only while kind and settings stay"
            raise UpstreamInvalid(msg)
        return before.sealed_secret

    def _propose(self, tx: Transaction, actor: Actor, proposal: UpstreamProposal) -> None:
        means = self.means
        means.stores.upstreams.propose(tx, proposal)
        asking = Asking(
            id=proposal.approval_id,
            org_id=proposal.org_id,
            kind=KIND,
            target=f"upstream:{proposal.upstream_id}",
            sides=self._sides(tx, proposal),
            permission=UPSTREAM_APPROVE,
            life=means.options.lifetimes.reset_request,
        )
        ask_change(means, tx, actor, asking)
        details = {"approval": proposal.approval_id, "digest": proposal.digest}
        tx.record(Act("iam.create_upstream", actor, asking.target, details=details))

    @property
    def desk(self) -> ChangeDesk:
        """How proposals are seen and decided beside all others."""
        title = Text("变更上级身份源", "Change an identity provider upstream")
        return ChangeDesk(KIND, title, UPSTREAM_APPROVE, self._look, self._decide)

    def _look(self, tx: Transaction, change: ChangeRequest) -> Sides:
        return self._sides(tx, self.means.stores.upstreams.proposal(tx, change.id))

    def _decide(self, actor: Actor, change: ChangeRequest, *, grant: bool, reason: str) -> None:
        self.approve_upstream(actor, change.id, grant=grant, reason=reason)

    def _sides(self, tx: Transaction, proposal: UpstreamProposal) -> Sides:
        """Return what is in force beside the proposal; secrets by digest of their sealed form."""
        found = self.means.stores.upstreams.find(tx, proposal.upstream_id)
        before: dict[str, Any] = {}
        if found is not None and found.org_id == proposal.org_id:
            secret = _secret_digest(found.sealed_secret)
            before = {**orjson.loads(found.content), "state": found.state, "secret": secret}
        after = {
            **orjson.loads(proposal.content),
            "state": "active",
            "secret": _secret_digest(proposal.sealed_secret),
        }
        return Sides(before, after)

    def _change(self, tx: Transaction, proposal: UpstreamProposal) -> UpstreamChange:
        before = self.means.stores.upstreams.find(tx, proposal.upstream_id)
        if before is not None and before.org_id != proposal.org_id:
            before = None
        new = before is None or before.sealed_secret != proposal.sealed_secret
        return UpstreamChange(
            proposal, stored_plan(proposal.upstream_id, proposal.content), before, new
        )


def _digest(upstream_id: str, content: str, sealed: bytes) -> str:
    """Return what an approval is bound to: id, configuration and sealed secret."""
    whole = f"{KIND}|{upstream_id}|{content}|{sealed.hex()}"
    return hashlib.sha256(whole.encode()).hexdigest()


def _secret_digest(sealed: bytes) -> str:
    """Return a mark by which two secrets differ; the sealed form is never the same twice."""
    return hashlib.sha256(sealed).hexdigest()[:16]


def _in_force(
    proposal: UpstreamProposal, approval: Approval, approver: Actor, now: int
) -> Upstream:
    return Upstream(
        plan=stored_plan(proposal.upstream_id, proposal.content),
        org_id=proposal.org_id,
        content=proposal.content,
        sealed_secret=proposal.sealed_secret,
        state="active",
        proposed_by=approval.requester_id,
        approved_by=approver.id,
        changed_at=now,
    )
