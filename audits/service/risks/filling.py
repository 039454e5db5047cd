"""The register filled from what the platform knows: alerts, failed items, scanners' findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.core import rectification
from audits.core import risks as core
from audits.core.gbt20984 import sources
from audits.models.risks import SEVERE, Risk, RiskSeen
from audits.models.systems import THIS_INSTANCE, Scope
from audits.service.rectification_desk import RectificationDesk
from audits.service.risks.register import new_risk, require_room, tell_risk
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, from_rfc3339
from secops.kernel.permissions.audits import MANAGE_RISKS
from secops.kernel.transactions import Transaction

MAX_ALERTS: Final = 500
MAX_AT_ONCE: Final = 500
_SINCE: Final = 90 * DAY


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling came to. ``left`` are sources beyond what is taken at once."""

    added: tuple[Risk, ...]
    refreshed: tuple[Risk, ...]
    left: int


@dataclass(frozen=True, slots=True)
class FillingService:
    """Fills the register; each source is one risk, however often it is seen."""

    desk: RectificationDesk

    def fill_risks(
        self, actor: Actor, system_id: str = THIS_INSTANCE, assessment_id: str = ""
    ) -> Filled:
        """Enter severe alerts and findings of scanners, and a named assessment's failing items.

        What is known is seen again, what was closed before it is open again. Alerts are those
        of 90 days, read with the caller's own rights.
        """
        target = f"system:{system_id[:60]}"
        self.desk.parts.access.require(actor, MANAGE_RISKS, target)
        scope = self.desk.scopes.scope(actor, system_id)
        found: dict[str, RiskSeen] = {}
        for seen in (
            *self._items(actor, scope, assessment_id),
            *self._findings(actor, scope),
            *self._alerts(actor, scope),
        ):
            before = found.get(seen.fingerprint)
            if before is None or before.at < seen.at:
                found[seen.fingerprint] = seen
        every = list(found.values())
        ids = [self.desk.parts.ids.new("rsk") for _ in every[:MAX_AT_ONCE]]

        def work(tx: Transaction) -> Filled:
            known = self.desk.stores.risks.known(tx, actor.org_id, list(found))
            new = [seen for seen in every if seen.fingerprint not in known]
            again = [
                core.seen_again(known[seen.fingerprint], seen)
                for seen in every
                if seen.fingerprint in known
            ]
            require_room(self.desk, tx, actor.org_id, len(new[:MAX_AT_ONCE]))
            added = [
                new_risk(scope, actor, identifier, seen, tx.now)
                for identifier, seen in zip(ids, new, strict=False)
            ]
            for risk in added:
                self.desk.stores.risks.add(tx, risk)
                tell_risk(self.desk, tx, actor, risk, "add_risk")
            refreshed = [risk for risk in again if risk is not None][:MAX_AT_ONCE]
            for risk in refreshed:
                self.desk.stores.risks.change(tx, risk)
                tell_risk(self.desk, tx, actor, risk, "see_risk")
            return Filled(tuple(added), tuple(refreshed), len(new) - len(added))

        return self.desk.run(actor, MANAGE_RISKS, "fill_risks", target, work)

    def _alerts(self, actor: Actor, scope: Scope) -> Sequence[RiskSeen]:
        """Return severe alerts: the platform's own system takes all, another its assets'."""
        since = self.desk.parts.clock.now() - _SINCE
        alerts = self.desk.severe_alerts(actor, since, MAX_ALERTS)
        own = scope.system.id == THIS_INSTANCE
        return [
            sources.risk_of_alert(scope, alert)
            for alert in alerts
            if own or sources.concerns(scope, alert)
        ]

    def _findings(self, actor: Actor, scope: Scope) -> Sequence[RiskSeen]:
        found = self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.findings.standing(tx, actor.org_id, scope.system.id)
        )
        return [sources.risk_of_finding(scope, one) for one in found if one.severity in SEVERE]

    def _items(self, actor: Actor, scope: Scope, assessment_id: str) -> Sequence[RiskSeen]:
        if not assessment_id:
            return ()
        document = self.desk.document(actor, assessment_id)
        made_at, standard = from_rfc3339(document["made_at"]), document["standard"]
        return [
            sources.risk_of_failing(scope, standard, assessment_id, failing, made_at)
            for failing in rectification.failing_of(document)
            if rectification.system_of(document) == scope.system.id
        ]
