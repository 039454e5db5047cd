"""Health alerts about rules: open while something keeps a rule from seeing, closed when cured."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from detectors.core.detection import Failure, alert_id
from detectors.errors import AlertNotFound
from detectors.models.alerts import Alert, AlertFilter, Reason
from detectors.ports import AlertStore
from secops.kernel.actors import ROOT_ORG, system_actor
from secops.kernel.events import AlertRaised
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_ACTOR: Final = system_actor("detectors")
_CURED: Final = "cured"


def health_alert(
    problem: str, about: tuple[str, str], title: str, reasons: Sequence[Reason], now: int
) -> Alert:
    """Return the alert of ``problem``; ``about`` is what has it and the version of that."""
    return Alert(
        id=alert_id("health", (problem, about[0]), ""),
        org_id=ROOT_ORG,
        kind="health",
        rule_id=about[0],
        rule_version=about[1],
        title=title,
        severity="medium",
        raised_at=now,
        first_at=now,
        last_at=now,
        group=(problem,),
        subjects={},
        reasons=tuple(reasons),
        event_ids=(),
        event_count=0,
    )


def sync_raising(
    tx: Transaction, store: AlertStore, failed: Mapping[str, Failure], cured: Iterable[str]
) -> None:
    """Open the alerts of rules that can't be asked, close those of rules that can again."""
    for rule_id, failure in failed.items():
        header = failure.detector.header
        title = f"规则无法执行 / rule does not run: {header.title}"
        reasons = [Reason("evaluation", "an answer", failure.why[:200])]
        about = (rule_id, failure.detector.version)
        open_health(tx, store, health_alert("raises", about, title, reasons, tx.now))
    for rule_id in cured:
        cure(tx, store, alert_id("health", ("raises", rule_id), ""))


def open_health(tx: Transaction, store: AlertStore, alert: Alert) -> bool:
    """Open ``alert`` or keep it open; True if it was not (the same one opens again)."""
    if store.create(tx, alert, ()):
        _tell(tx, alert, "detectors.raise_alert")
        return True
    old = store.get(tx, alert.id)
    if old.status == "open" and old.reasons == alert.reasons:
        return False
    again = old.status != "open"
    raised = alert.raised_at if again else old.raised_at
    store.change(tx, replace(alert, raised_at=raised, first_at=raised), ())
    _tell(tx, alert, "detectors.raise_alert" if again else "detectors.extend_alert")
    return again


def open_alerts(tx: Transaction, store: AlertStore, problems: Collection[str]) -> list[Alert]:
    """Return the open health alerts of ``problems``."""
    named = {(problem,) for problem in problems}
    every = listed_alerts(tx, store, ROOT_ORG, AlertFilter(status="open"))
    return [row for row in every if row.kind == "health" and row.group[:1] in named]


def listed_alerts(
    tx: Transaction, store: AlertStore, org_id: str, wanted: AlertFilter
) -> Iterator[Alert]:
    """Yield all alerts of an organisation that ``wanted`` names, a page in memory at a time."""
    page = PageRequest(MAX_LIMIT)
    while True:
        rows = store.page(tx, org_id, wanted, page)
        yield from rows[: page.limit]
        if len(rows) <= page.limit:
            return
        edge = rows[page.limit - 1]
        page = PageRequest(MAX_LIMIT, (edge.last_at, edge.id))


def cure(tx: Transaction, store: AlertStore, identifier: str) -> bool:
    """Close a health alert by itself; False if it is not open."""
    try:
        store.get(tx, identifier)
    except AlertNotFound:
        return False
    if not store.close(tx, identifier, _ACTOR.id, _CURED):
        return False
    details = {"reason": _CURED}
    tx.record(Act("detectors.close_alert", _ACTOR, f"alert:{identifier}", details=details))
    return True


def _tell(tx: Transaction, alert: Alert, action: str) -> None:
    details = {
        "rule": alert.rule_id,
        "version": alert.rule_version,
        "severity": alert.severity,
        "events": 0,
    }
    tx.record(Act(action, _ACTOR, f"alert:{alert.id}", details=details))
    if action == "detectors.raise_alert":
        tx.announce(AlertRaised(alert.org_id, alert.id, alert.rule_id, alert.severity, {}))
