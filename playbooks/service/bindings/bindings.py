"""The register of bindings: proposed by one person, in force by another's approval."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from playbooks.core.binding import (
    change_hash,
    fits,
    require_restrained,
    require_terms,
)
from playbooks.core.cacao20.variables import variables_of
from playbooks.core.compiling import compile_steps
from playbooks.errors.bindings import BindingInvalid, BindingTooFree, ChangeOutdated
from playbooks.models import CheckedPlaybook
from playbooks.models.bindings import Answer, Binding, BindingChange, BindingTerms, DryTest
from playbooks.service.playbooks.playbooks import PlaybookService
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import DAY
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import (
    BINDING_APPROVE,
    BINDING_PROPOSE,
    BINDING_READ,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "playbooks.binding"
APPROVAL_DAYS: Final = 7
MAX_BINDINGS: Final = 200
"""Bindings of one organisation that are not withdrawn."""
TEST_DAYS: Final = 30
TEST_ALERTS: Final = 5_000
MAX_REASON: Final = 1_000


@dataclass(frozen=True, slots=True)
class ChangeDecision:
    """Approve (or reject) exactly the change whose hash was seen."""

    sha256: str
    grant: bool
    reason: str = ""


class BindingService:
    """Proposes, decides, lists and tries bindings."""

    def __init__(self, surroundings: Surroundings, playbooks: PlaybookService) -> None:
        self._s = surroundings
        self._playbooks = playbooks

    def list_bindings(self, actor: Actor, page: PageRequest) -> Page[Binding]:
        """Return the bindings of the caller's organisation, newest first."""
        self._s.parts.access.require(actor, BINDING_READ, "binding:*")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.autonomy.bindings.list(tx, actor.org_id, page)
        )

    def show_binding(self, actor: Actor, binding_id: str) -> Binding:
        """Return a binding with the change that waits; raise ``BindingNotFound``."""
        self._s.parts.access.require(actor, BINDING_READ, f"binding:{binding_id[:60]}")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.autonomy.bindings.get(tx, actor.org_id, binding_id)
        )

    def list_answers(self, actor: Actor, page: PageRequest) -> Page[Answer]:
        """Return what bindings answered, newest first."""
        self._s.parts.access.require(actor, BINDING_READ, "binding:*")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.autonomy.answers.list(tx, actor.org_id, page)
        )

    def answers_of(self, actor: Actor, alert_id: str) -> list[tuple[Binding, Answer]]:
        """Return what bindings suggest or did about one alert."""
        self._s.parts.access.require(actor, BINDING_READ, f"alert:{alert_id[:60]}")

        def work(tx: Transaction) -> list[tuple[Binding, Answer]]:
            autonomy = self._s.stores.autonomy
            found = autonomy.answers.of_alert(tx, actor.org_id, alert_id)
            return [(autonomy.bindings.get(tx, actor.org_id, one.binding_id), one) for one in found]

        return self._s.parts.transactions.read(work)

    def propose_binding(
        self, actor: Actor, terms: BindingTerms, *, binding_id: str = ""
    ) -> Binding:
        """Ask for a new binding, or for other terms of one; another person decides.

        Raises ``BindingInvalid``, ``BindingTooFree``, ``PlaybookUnsigned`` or
        ``ChangeOutdated`` where somebody else's change waits.
        """
        self._s.parts.access.require(actor, BINDING_PROPOSE, f"binding:{binding_id[:60] or '*'}")
        self._require_answerable(actor, terms)
        now = self._s.parts.clock.now()
        new = Binding(
            id=self._s.parts.ids.new("bnd"),
            org_id=actor.org_id,
            state="proposed",
            version=0,
            terms=terms,
            proposed_by=actor.id,
            proposed_at=now,
        )
        approval_id = self._s.parts.ids.new("apr")

        def work(tx: Transaction) -> Binding:
            store = self._s.stores.autonomy.bindings
            if binding_id:
                before = store.get(tx, actor.org_id, binding_id)
            else:
                before = new
                if store.count(tx, actor.org_id) >= MAX_BINDINGS:
                    msg = f"at most {MAX_BINDINGS} bindings"
                    raise BindingInvalid(msg)
                store.add(tx, new)
            return self._ask(tx, actor, before, terms, approval_id)

        return self._s.parts.transactions.run(work)

    def withdraw_binding(self, actor: Actor, binding_id: str) -> Binding:
        """Ask to end a binding; what is urgent is the pause, which needs nobody else."""
        self._s.parts.access.require(actor, BINDING_PROPOSE, f"binding:{binding_id[:60]}")
        approval_id = self._s.parts.ids.new("apr")

        def work(tx: Transaction) -> Binding:
            before = self._s.stores.autonomy.bindings.get(tx, actor.org_id, binding_id)
            return self._ask(tx, actor, before, None, approval_id)

        return self._s.parts.transactions.run(work)

    def decide_binding(self, actor: Actor, binding_id: str, decision: ChangeDecision) -> Binding:
        """Approve or reject the change that waits; nobody approves their own.

        The playbook is verified again and the terms are checked again, as they are now.
        """
        self._s.parts.access.require(actor, BINDING_APPROVE, f"binding:{binding_id[:60]}")
        before = self._s.parts.transactions.read(
            lambda tx: self._s.stores.autonomy.bindings.get(tx, actor.org_id, binding_id)
        )
        change = before.change
        if change is None or not hmac.compare_digest(
            change.sha256.encode(), decision.sha256.encode()
        ):
            msg = "no such change waits"
            raise ChangeOutdated(msg)
        if decision.grant and change.terms is not None:
            self._require_answerable(actor, change.terms)

        def work(tx: Transaction) -> Binding:
            approvals = self._s.parts.approvals
            why = decision.reason[:MAX_REASON]
            approvals.decide(tx, change.approval_id, actor, grant=decision.grant, reason=why)
            if decision.grant:
                approvals.use(tx, change.approval_id, change.sha256)
            after = _decided(before, actor, tx.now, grant=decision.grant)
            self._s.stores.autonomy.bindings.change(tx, after, was=before)
            deed = "approve_binding" if decision.grant else "reject_binding"
            self._record(tx, actor, deed, after, change.sha256)
            return after

        target = f"binding:{before.id}"
        with refusals_recorded(self._s.parts, "playbooks.approve_binding", actor, target):
            return self._s.parts.transactions.run(work)

    def try_binding(self, actor: Actor, terms: BindingTerms) -> DryTest:
        """Return which alerts of the last 30 days the terms fit; changes nothing."""
        self._s.parts.access.require(actor, BINDING_READ, "binding:*")
        require_terms(terms)
        since = self._s.parts.clock.now() - TEST_DAYS * DAY
        alerts = self._s.ports.alerts.alerts_since(actor, since, TEST_ALERTS + 1)
        looked = alerts[:TEST_ALERTS]
        matched = tuple((one.id, one.title) for one in looked if fits(terms, one))
        return DryTest(len(looked), since, matched, cut=len(alerts) > TEST_ALERTS)

    def terms_for(self, actor: Actor, playbook: str, terms: BindingTerms) -> BindingTerms:
        """Return ``terms`` about the playbook of this name, id or hash, in its version now."""
        found = self._playbooks.find(actor, playbook)
        return replace(
            terms,
            playbook_id=found.id,
            playbook_version=found.modified,
            content_hash=found.content_hash,
        )

    def _require_answerable(self, actor: Actor, terms: BindingTerms) -> None:
        require_terms(terms)
        playbook = self._playbooks.content(actor.org_id, terms.content_hash)
        if (playbook.id, playbook.modified) != (terms.playbook_id, terms.playbook_version):
            msg = "playbook_id and playbook_version are not those of the content"
            raise BindingInvalid(msg)
        trusted = self._playbooks.is_trusted(actor.org_id, playbook)
        known = variables_of(playbook.document, "playbook_variables")
        for name in terms.arguments:
            if name not in known:
                msg = f"the playbook has no variable {name[:60]}"
                raise BindingInvalid(msg)
        if terms.autonomy == "act":
            if not trusted:
                msg = "a draft waits for a person: only a signed playbook acts by itself"
                raise BindingTooFree(msg)
            others = self._playbooks.nested(actor.org_id, playbook)
            compiled = compile_steps(playbook, _placeholders(playbook), others)
            require_restrained(list(compiled.steps.values()))

    def _ask(
        self,
        tx: Transaction,
        actor: Actor,
        before: Binding,
        terms: BindingTerms | None,
        approval_id: str,
    ) -> Binding:
        if before.state == "withdrawn":
            msg = "the binding is withdrawn; propose a new one"
            raise ChangeOutdated(msg)
        if before.change is not None:
            waits = self._s.parts.approvals.get(tx, before.change.approval_id).state == "pending"
            if waits and before.change.requested_by != actor.id:
                msg = "somebody else's change waits: it is decided first"
                raise ChangeOutdated(msg)
            if waits:
                approvals = self._s.parts.approvals
                approvals.decide(tx, before.change.approval_id, actor, grant=False, reason="")
        old = before.terms if before.version else None
        sha256 = change_hash(before.id, before.version, old, terms)
        change = BindingChange(terms, sha256, actor.id, tx.now, approval_id)
        asked = replace(before, change=change)
        self._s.stores.autonomy.bindings.change(tx, asked, was=before)
        self._s.parts.approvals.request(
            tx,
            Approval(
                id=approval_id,
                org_id=before.org_id,
                kind=APPROVAL_KIND,
                subject=f"binding:{before.id}",
                subject_hash=sha256,
                permission=BINDING_APPROVE,
                requester_id=actor.id,
                requested_at=tx.now,
                expires_at=tx.now + APPROVAL_DAYS * DAY,
            ),
        )
        deed = "withdraw_binding" if terms is None else "propose_binding"
        self._record(tx, actor, deed, asked, sha256)
        return asked

    @staticmethod
    def _record(tx: Transaction, actor: Actor, deed: str, binding: Binding, sha256: str) -> None:
        details = {
            "version": binding.version,
            "autonomy": binding.terms.autonomy,
            "change_sha256": sha256,
        }
        tx.record(Act(f"playbooks.{deed}", actor, f"binding:{binding.id}", details=details))


def _decided(before: Binding, actor: Actor, now: int, *, grant: bool) -> Binding:
    change = before.change
    if change is None or not grant:
        state = "withdrawn" if before.version == 0 else before.state
        return replace(before, change=None, state=state)
    return replace(
        before,
        state="withdrawn" if change.terms is None else "active",
        version=before.version + 1,
        terms=before.terms if change.terms is None else change.terms,
        proposed_by=change.requested_by,
        proposed_at=change.requested_at,
        approved_by=actor.id,
        approved_at=now,
        change=None,
    )


def _placeholders(playbook: CheckedPlaybook) -> Mapping[str, str]:
    """Return a value for every variable without one, so that the steps can be looked at."""
    known = variables_of(playbook.document, "playbook_variables")
    return {name: "x" for name, one in known.items() if not isinstance(one.get("value"), str)}
