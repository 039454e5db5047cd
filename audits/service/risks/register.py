"""The register of risks: entered, rated, treated, closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from audits.core import risks as core
from audits.core.gbt20984.table import VERSION, known_threat, level_of
from audits.core.scans.limits import source_mark
from audits.core.texts import at_most, bounded
from audits.errors import TooManyKept
from audits.models.rectification import HistoryEvent
from audits.models.risks import RISK_STATES, Risk, RiskFacts, RiskFilter, RiskSeen, Treatment
from audits.models.systems import THIS_INSTANCE, Scope
from audits.service.rectification_desk import (
    RectificationDesk,
    note_of,
    reason_of,
    require_due,
    require_version,
)
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.audits import MANAGE_RISKS, READ_RISKS
from secops.kernel.transactions import Transaction

MAX_UNCLOSED: Final = 5_000
LISTED_STATES: Final = ("", "overdue", "unclosed", *RISK_STATES)
_MAX_TITLE: Final = 200
_MAX_WEAKNESS: Final = 1_000


@dataclass(frozen=True, slots=True)
class NewRisk:
    """A risk that a person enters."""

    facts: RiskFacts
    likelihood: int
    impact: int
    system_id: str = THIS_INSTANCE


@dataclass(frozen=True, slots=True)
class Rating:
    """How a person rates the risk read as ``version``; empty texts leave theirs as they are."""

    version: int
    likelihood: int
    impact: int
    measures: str = ""
    threat: str = ""
    weakness: str = ""


@dataclass(frozen=True, slots=True)
class TreatmentPlan:
    """What is done about the risk read as ``version``; residual ratings are 0 until known."""

    version: int
    treatment: Treatment
    plan: str
    owner: str
    due_at: int
    residual_likelihood: int = 0
    residual_impact: int = 0


@dataclass(frozen=True, slots=True)
class RiskService:
    """Keeps the register."""

    desk: RectificationDesk

    def add_risk(self, actor: Actor, new: NewRisk) -> Risk:
        """Enter a risk by hand; the same one of the same asset is entered once."""
        self.desk.parts.access.require(actor, MANAGE_RISKS, "risk:*")
        scope = self.desk.scopes.scope(actor, new.system_id)
        facts = _checked(new.facts)
        if facts.asset_id and facts.asset_id not in {asset.id for asset in scope.assets}:
            raise Invalid(f"the system has no asset {facts.asset_id[:60]!r}")
        mark = source_mark("manual", scope.system.id, facts.title, facts.asset_name)
        identifier = self.desk.parts.ids.new("rsk")

        def work(tx: Transaction) -> Risk:
            seen = RiskSeen("manual", "", mark, facts, new.likelihood, new.impact, tx.now)
            risk = new_risk(scope, actor, identifier, seen, tx.now)
            risk = replace(risk, rated_by=actor.id)
            require_room(self.desk, tx, actor.org_id, 1)
            self.desk.stores.risks.add(tx, risk)
            tell_risk(self.desk, tx, actor, risk, "add_risk")
            return risk

        return self.desk.run(actor, MANAGE_RISKS, "add_risk", "risk:*", work)

    def rate_risk(self, actor: Actor, risk_id: str, rating: Rating) -> Risk:
        """Rate it as a person; what a machine proposed counts no longer."""
        given = {
            "measures": note_of(rating.measures),
            "weakness": at_most(rating.weakness, _MAX_WEAKNESS, "weakness"),
            "threat": known_threat(rating.threat) if rating.threat else "",
        }
        facts = {name: text for name, text in given.items() if text}

        def change(_tx: Transaction, risk: Risk) -> Risk:
            return core.rate_risk(risk, rating.likelihood, rating.impact, actor.id, **facts)

        return self._change(actor, risk_id, rating.version, "rate_risk", change)

    def treat_risk(self, actor: Actor, risk_id: str, plan: TreatmentPlan) -> Risk:
        """Decide what is done about it, by whom and until when."""
        self.desk.parts.access.require(actor, MANAGE_RISKS, f"risk:{risk_id[:60]}")
        owner, text = self.desk.person(actor, plan.owner), reason_of(plan.plan)
        residual = (plan.residual_likelihood, plan.residual_impact)

        def change(tx: Transaction, risk: Risk) -> Risk:
            if plan.due_at != risk.due_at:
                require_due(plan.due_at, tx.now)
            if 0 < risk.due_at < plan.due_at:
                self.desk.parts.approvals.require_another(tx, actor, [risk.owner_id])
            return core.treat_risk(
                risk,
                plan.treatment,
                residual,
                plan=text,
                owner_id=owner.id,
                owner_name=owner.name,
                due_at=plan.due_at,
            )

        return self._change(actor, risk_id, plan.version, "treat_risk", change)

    def close_risk(self, actor: Actor, risk_id: str, version: int, reason: str) -> Risk:
        """Close it: what remains is below the line, and somebody else than the owner says so."""
        why = reason_of(reason)

        def change(tx: Transaction, risk: Risk) -> Risk:
            closed = core.close_risk(risk, actor.id, tx.now)
            self.desk.parts.approvals.require_another(tx, actor, [risk.owner_id])
            return closed

        return self._change(actor, risk_id, version, "close_risk", change, note=why)

    def list_risks(self, actor: Actor, wanted: RiskFilter, page: PageRequest) -> Page[Risk]:
        """Return risks, the newest first."""
        self.desk.parts.access.require(actor, READ_RISKS, "risk:*")
        if wanted.state not in LISTED_STATES:
            raise Invalid(f"states are {', '.join(LISTED_STATES[1:])}")
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.risks.page(tx, actor.org_id, wanted, page)
        )

    def show_risk(self, actor: Actor, risk_id: str) -> tuple[Risk, Sequence[HistoryEvent]]:
        """Return a risk and its history, oldest first."""
        self.desk.parts.access.require(actor, READ_RISKS, f"risk:{risk_id[:60]}")

        def read(tx: Transaction) -> tuple[Risk, Sequence[HistoryEvent]]:
            risk = self.desk.stores.risks.get(tx, actor.org_id, risk_id)
            return risk, self.desk.stores.history.of(tx, actor.org_id, risk.id)

        return self.desk.parts.transactions.read(read)

    def risk_matrix(self, actor: Actor, system_id: str = "") -> Mapping[tuple[int, int], int]:
        """Return how many risks that are not closed stand at each (likelihood, impact)."""
        self.desk.parts.access.require(actor, READ_RISKS, "risk:*")
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.risks.matrix(tx, actor.org_id, system_id)
        )

    def _change(
        self,
        actor: Actor,
        risk_id: str,
        version: int,
        verb: str,
        change: Callable[[Transaction, Risk], Risk],
        **more: Any,
    ) -> Risk:
        def work(tx: Transaction) -> Risk:
            after = change(tx, current_risk(self.desk, tx, actor, risk_id, version))
            self.desk.stores.risks.change(tx, after)
            tell_risk(self.desk, tx, actor, after, verb, **more)
            return after

        return self.desk.run(actor, MANAGE_RISKS, verb, f"risk:{risk_id[:60]}", work)


def current_risk(
    desk: RectificationDesk, tx: Transaction, actor: Actor, risk_id: str, version: int
) -> Risk:
    """Return the risk if it is still ``version``; raise ``ChangedMeanwhile`` otherwise.

    A request for acceptance that nobody decided in time binds it no longer.
    """
    risk = desk.stores.risks.get(tx, actor.org_id, risk_id)
    require_version(risk, version)
    if risk.waits and desk.parts.approvals.get(tx, risk.approval_id).state != "pending":
        return core.without_request(risk)
    return risk


def new_risk(scope: Scope, actor: Actor, identifier: str, seen: RiskSeen, now: int) -> Risk:
    """Return a line of the register, with the ratings proposed and rated by nobody."""
    facts = seen.facts
    return Risk(
        id=identifier,
        org_id=actor.org_id,
        system_id=scope.system.id,
        title=facts.title,
        asset_id=facts.asset_id,
        asset_name=facts.asset_name,
        threat=facts.threat,
        weakness=facts.weakness,
        measures=facts.measures,
        likelihood=seen.likelihood,
        impact=seen.impact,
        level=level_of(seen.likelihood, seen.impact),
        source=seen.source,
        source_ref=seen.source_ref,
        fingerprint=seen.fingerprint,
        first_seen_at=seen.at,
        last_seen_at=seen.at,
        made_by=actor.id,
        made_at=now,
    )


def require_room(desk: RectificationDesk, tx: Transaction, org_id: str, wanted: int) -> None:
    """Raise ``TooManyKept`` where the register can't take ``wanted`` more."""
    if desk.stores.risks.unclosed(tx, org_id) + wanted > MAX_UNCLOSED:
        raise TooManyKept(f"{MAX_UNCLOSED} risks are open: close some first")


def tell_risk(
    desk: RectificationDesk, tx: Transaction, actor: Actor, risk: Risk, deed: str, **more: Any
) -> None:
    """Add to a risk's history, with its ratings as they are now."""
    details = {
        "system": risk.system_id,
        "source": risk.source,
        "likelihood": risk.likelihood,
        "impact": risk.impact,
        "level": risk.level,
        "residual_level": risk.residual_level,
        "treatment": risk.treatment,
        "owner": risk.owner_id,
        "due_at": risk.due_at,
        "table": VERSION,
        **more.pop("details", {}),
    }
    desk.tell(tx, actor, f"risk:{risk.id}", deed, risk.state, details=details, **more)


def _checked(facts: RiskFacts) -> RiskFacts:
    return replace(
        facts,
        title=bounded(facts.title, _MAX_TITLE, "title"),
        asset_name=bounded(facts.asset_name, _MAX_TITLE, "name of an asset"),
        threat=known_threat(facts.threat),
        weakness=bounded(facts.weakness, _MAX_WEAKNESS, "weakness"),
        measures=note_of(facts.measures),
    )
