"""What severe alerts, failed items and scanners' findings propose for the register."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from audits.core.scans.limits import source_mark
from audits.models.rectification import Failing
from audits.models.risks import RiskFacts, RiskSeen, ScanFinding, SevereAlert, Severity
from audits.models.systems import Scope

RATINGS: Final[Mapping[Severity, tuple[int, int]]] = {
    "critical": (4, 5),
    "high": (4, 4),
    "medium": (3, 3),
    "low": (2, 2),
    "info": (1, 1),
}
"""Likelihood and impact proposed for a finding: ours; a person rates anew."""
_ITEM: Final = (3, 4)
_HIGH_RISK_ITEM: Final = (4, 5)
_PARTLY: Final = (3, 3)
_MOST: Final = 200
_THREATS: Final = {
    "PES": "physical",
    "CNS": "intrusion",
    "ABS": "intrusion",
    "CES": "intrusion",
    "SMC": "misuse",
}
"""The threat proposed by an item's class; what belongs to management is ``management``."""


def risk_of_alert(scope: Scope, alert: SevereAlert) -> RiskSeen:
    """Return what an alert proposes: the same rule about the same subject is one risk."""
    subject = _subject(alert)
    likelihood, impact = RATINGS["critical" if alert.critical else "high"]
    matched = _asset(scope, alert.subjects.values())
    facts = RiskFacts(
        title=alert.title[:_MOST],
        asset_name=(matched[1] or subject or scope.system.name)[:_MOST],
        threat="intrusion",
        weakness=f"检测规则命中: {alert.rule_id}"[:_MOST],
        asset_id=matched[0],
    )
    mark = source_mark("alert", scope.system.id, alert.rule_id, subject)
    return RiskSeen("alert", alert.id, mark, facts, likelihood, impact, alert.at)


def concerns(scope: Scope, alert: SevereAlert) -> bool:
    """Tell whether an alert is about an asset of the scope."""
    return bool(_asset(scope, alert.subjects.values())[0])


def risk_of_failing(
    scope: Scope, standard: str, assessment_id: str, failing: Failing, at: int
) -> RiskSeen:
    """Return what a failing item proposes."""
    likelihood, impact = _PARTLY if failing.status == "partial" else _ITEM
    if failing.high_risk:
        likelihood, impact = _HIGH_RISK_ITEM
    code = failing.item_id.split("-")[1][:3] if "-" in failing.item_id else ""
    facts = RiskFacts(
        title=f"{failing.item_id} {failing.title.zh}"[:_MOST],
        asset_name=(failing.object_name or scope.system.name)[:_MOST],
        threat=_THREATS.get(code, "management"),
        weakness=failing.reason.zh[:1_000] or failing.item_id,
        asset_id=failing.object_id,
    )
    mark = source_mark("item", scope.system.id, standard, failing.item_id, failing.object_id)
    reference = f"{assessment_id}#{failing.item_id}"
    return RiskSeen("item", reference, mark, facts, likelihood, impact, at)


def risk_of_finding(scope: Scope, finding: ScanFinding) -> RiskSeen:
    """Return what a scanner's finding proposes."""
    likelihood, impact = RATINGS[finding.severity]
    matched = _asset(scope, (finding.asset,))
    facts = RiskFacts(
        title=finding.title[:_MOST],
        asset_name=(matched[1] or finding.asset or scope.system.name)[:_MOST],
        threat="intrusion",
        weakness=f"{finding.rule_id} {finding.place}".strip()[:1_000] or finding.title[:_MOST],
        asset_id=matched[0],
    )
    mark = source_mark("scan", finding.system_id, finding.scope, finding.fingerprint)
    return RiskSeen("scan", finding.fingerprint, mark, facts, likelihood, impact, finding.last_at)


def _subject(alert: SevereAlert) -> str:
    names = [alert.subjects[key] for key in sorted(alert.subjects)]
    return names[0] if names else ""


def _asset(scope: Scope, names: Iterable[str]) -> tuple[str, str]:
    """Return id and name of the asset that one of ``names`` means, empty for none."""
    wanted = {name for name in names if name}
    for asset in scope.assets:
        if wanted & {asset.name, asset.address, *asset.log_sources} - {""}:
            return asset.id, asset.name
    return "", ""
