"""The policy decision point: asked on every request, explains itself, refuses when unsure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from iam.core.circumstances import address_key, is_compliant, is_fresh
from iam.models.zero_trust import Surroundings
from iam.ports import PolicyQuestion
from iam.service.zero_trust.book import InForce, PolicyBook
from iam.service.zero_trust.demands import DemandProjection
from iam.service.zero_trust.explaining import explain
from iam.service.zero_trust.record import DecisionRecord
from iam.service.zero_trust.risks import RiskProjection, Standing
from iam.service.zero_trust.surroundings import SurroundingsProjection
from secops.kernel.access import Decision, Question
from secops.kernel.actors import Actor
from secops.kernel.clock import MINUTE, SECOND, Clock
from secops.kernel.errors import SecopsError
from secops.kernel.permissions import Permission
from secops.kernel.revocations import Revocations

TOKEN_ISSUE: Final = Permission("iam.token.issue")
SESSION_OPEN: Final = Permission("iam.session.open")
APPLICATION_OPEN: Final = Permission("iam.application.open")
AGE_STEP: Final = 5
LONGEST_AGE: Final = 1_440
SHORTEST_PROOF: Final = 5
MAX_KEPT: Final = 4_096
_SITE: Final = "site"
_UNGUARDED: Final = frozenset({TOKEN_ISSUE, SESSION_OPEN, APPLICATION_OPEN})
"""What no guarded route asks: refusals of these are recorded here, as demands for a newer proof
are, which no face records. All others by the face that answers.
"""


_Moment = tuple[int, int, InForce, Mapping[str, tuple[int, int]], Surroundings]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A decision "allowed", about whom, of which moment, and how to count it once more."""

    actor: Actor
    moment: _Moment
    decision: Decision
    note: Callable[[], object]


@dataclass(frozen=True, slots=True)
class DecisionService:
    """Fills ``kernel.access.PolicyDecisionPoint``."""

    book: PolicyBook
    revocations: Revocations
    risks: RiskProjection
    surroundings: SurroundingsProjection
    demands: DemandProjection
    record: DecisionRecord
    clock: Clock
    kept: dict[tuple[int, str, str], _Kept] = field(default_factory=dict, repr=False)

    def decide(self, question: Question) -> Decision:
        """Return the decision; never raises for a refusal."""
        moment = None if question.context else self._moment(question.actor)
        kept = None if moment is None else self._again(question, moment)
        if kept is not None:
            return kept
        decision, asked = self._decide(question, quiet=False)
        if asked is not None:
            try:
                note = self.record.note(asked, allowed=decision.allowed)
            except SecopsError as error:
                return _unrecorded(decision, error)
            unguarded = question.permission in _UNGUARDED or decision.step_up is not None
            if not decision.allowed and unguarded:
                self.record.refuse(question.actor, asked, decision.reason)
            if decision.allowed and moment is not None:
                self._keep(question, _Kept(question.actor, moment, decision, note))
        return decision

    def _moment(self, actor: Actor) -> _Moment | None:
        """Return all but the question that a decision depends on, None where nobody knows.

        The second stands for the clock, the epoch for whatever was ended or put in force; risk
        and surroundings are the very objects that were read.
        """
        try:
            return (
                self.clock.now() // SECOND,
                self.revocations.epoch,
                self.book.current(),
                self.risks.current(),
                self.surroundings.of(actor),
            )
        except SecopsError:
            return None

    def _again(self, question: Question, moment: _Moment) -> Decision | None:
        """Return an "allowed" of this very ``moment`` to the same question, counted anew."""
        kept = self.kept.get((id(question.actor), question.permission, question.resource))
        if kept is None or kept.actor is not question.actor or not _same(moment, kept.moment):
            return None
        try:
            kept.note()
        except SecopsError as error:
            return _unrecorded(kept.decision, error)
        return kept.decision

    def _keep(self, question: Question, kept: _Kept) -> None:
        if len(self.kept) >= MAX_KEPT:
            self.kept.clear()
        self.kept[id(question.actor), question.permission, question.resource] = kept

    def consider(self, question: Question) -> Decision:
        """Return what ``decide`` would say now, without a trace: nobody has tried anything."""
        return self._decide(question, quiet=True)[0]

    def _decide(self, question: Question, *, quiet: bool) -> tuple[Decision, PolicyQuestion | None]:
        try:
            in_force = self.book.current()
            asked, standing = self.ask(question, in_force)
        except SecopsError as error:
            # not knowing what was revoked or how risky somebody is can't mean yes
            detail = f"nothing is granted now: {error.detail}"
            return Decision(allowed=False, reason=detail), None
        answer = in_force.engine.evaluate(asked)
        if answer.errors and not quiet:
            self.record.alert(asked, answer.errors)
        if answer.allowed:
            reason = f"permitted by {', '.join(answer.policies)}"
            return Decision(allowed=True, reason=reason, policies=answer.policies), asked
        since = max(standing.at, standing.demanded)
        age = max(SHORTEST_PROOF, (self.clock.now() - since) // SECOND)
        return explain(asked, answer, in_force, age), asked

    def ask(self, question: Question, in_force: InForce) -> tuple[PolicyQuestion, Standing]:
        """Return ``question`` with all circumstances, and the caller's risk; may raise."""
        known = self.surroundings.of(question.actor)
        standing = self.standing(question.actor)
        revoked = self.revoked(question.actor, known)
        return self.circumstances(question, known, in_force, (standing, revoked)), standing

    def circumstances(
        self,
        question: Question,
        known: Surroundings,
        in_force: InForce,
        against: tuple[Standing, bool] = (Standing(), False),
    ) -> PolicyQuestion:
        """Return who asks what, where, when and on what.

        ``against`` is what speaks against the caller: their risk, and whether they were ended.
        """
        actor, context = question.actor, question.context
        standing, revoked = against
        now = self.clock.now()
        rule, time = in_force.data.posture, in_force.local_time(now)
        kind, _, name = question.resource.partition(":")
        opening = question.permission == APPLICATION_OPEN
        # built once, every field: this runs for each request
        return PolicyQuestion(
            kind=actor.kind,
            id=actor.id,
            roles=actor.roles,
            permission=question.permission,
            resource_kind=kind,
            level=actor.level,
            risk=standing.risk,
            revoked=revoked,
            in_scope=opening or actor.covers(question.permission),
            facts=tuple(sorted((name, str(context[name])) for name in context)) if context else (),
            org=actor.org_id,
            account_kind=known.account_kind,
            real_name_level=known.real_name_level,
            real_name_demanded=self._demanded(question),
            factors=known.factors,
            signed_in_minutes=_age(actor, now),
            zones=in_force.zones(actor.address) if actor.address else (),
            device_registered=known.device_id != "",
            device_fresh=is_fresh(known.reported_at, now, rule),
            device_compliant=known.posture is not None and is_compliant(known.posture, rule),
            hour=time.hour,
            weekday=time.weekday,
            working_time=time.working,
            holiday=time.holiday,
            application=name if opening else actor.client_id or "",
            grade=in_force.grade(kind),
            proof_due=_proof_due(question, standing, in_force),
            risk_limit=in_force.data.risk.refuse,
        )

    def _demanded(self, question: Question) -> int:
        """Return the real-name level that the opened application or site demands; may raise."""
        if _at_site(question) or question.permission == APPLICATION_OPEN:
            return self.demands.of(question.resource.partition(":")[2])
        return 0

    def lacks_real_name(self, question: Question) -> bool:
        """Tell whether the person's real name is verified less than the application demands.

        Says which refusal it was, decides nothing; False where nobody knows.
        """
        try:
            known = self.surroundings.of(question.actor)
            return known.real_name_level < self._demanded(question)
        except SecopsError:
            return False

    def standing(self, actor: Actor) -> Standing:
        """Return the highest risk of account, session and client; may raise ``Unavailable``."""
        found = self.risks.standing(
            f"{actor.kind}:{actor.id}",
            f"session:{actor.session_id}",
            f"client:{actor.client_id}",
        )
        demanded = self.revocations.ended_of("step-up").get(actor.id, 0)
        return replace(found, demanded=demanded) if demanded else found

    def revoked(self, actor: Actor, known: Surroundings | None = None) -> bool:
        """Tell whether the caller or anything they act through was ended or locked.

        Raises ``Unavailable`` where nobody can know.
        """
        known = self.surroundings.of(actor) if known is None else known
        ended = self.revocations.is_revoked
        return (
            (actor.kind == "account" and ended("account", actor.id))
            or (actor.session_id is not None and ended("session", actor.session_id))
            or (actor.client_id is not None and ended("client", actor.client_id))
            or (actor.kind != "system" and ended("organisation", actor.org_id))
            or (bool(known.person_id) and ended("person", known.person_id))
            or (bool(known.device_id) and ended("device", known.device_id))
            or self._from_locked_address(actor.address)
        )

    def _from_locked_address(self, address: str) -> bool:
        if not address:
            return False
        try:
            return self.revocations.is_revoked("address", address_key(address))
        except ValueError:
            return False


def _unrecorded(decision: Decision, error: SecopsError) -> Decision:
    """Return what is said where a decision can't be counted: refusals stand, nothing is granted."""
    if not decision.allowed:
        return decision
    return Decision(allowed=False, reason=f"nothing is granted now: {error.detail}")


def _same(one: _Moment, other: _Moment) -> bool:
    return (
        one[0] == other[0]
        and one[1] == other[1]
        and one[2] is other[2]
        and one[3] is other[3]
        and one[4] is other[4]
    )


def _age(actor: Actor, now: int) -> int:
    """Return the minutes since the sign-in, in steps of five; a day where nobody knows."""
    if actor.kind != "account":
        return 0
    if not actor.auth_time:
        return LONGEST_AGE
    minutes = max(0, now - actor.auth_time) // MINUTE
    return min(LONGEST_AGE, minutes // AGE_STEP * AGE_STEP)


def _at_site(question: Question) -> bool:
    """Tell whether somebody who is signed in asks for a page of a site."""
    return question.permission == SESSION_OPEN and question.resource.partition(":")[0] == _SITE


def _proof_due(question: Question, standing: Standing, in_force: InForce) -> bool:
    """Tell whether the caller's last proof is older than what demands a newer one.

    That is a risk that rose to the limit of step-up, or a demand outright. A sign-in is itself
    the proof, what comes after it at a site is none; applications can give none, and go on to
    the refusing limit.
    """
    actor = question.actor
    if actor.kind != "account":
        return False
    if question.permission == SESSION_OPEN and not _at_site(question):
        return False
    if standing.demanded and actor.auth_time <= standing.demanded:
        return True
    return standing.risk >= in_force.data.risk.step_up and actor.auth_time <= standing.at
