"""What a whole home raises about itself."""

from __future__ import annotations

from detectors.models.alerts import Alert, AlertFilter
from secops.bridges.house import House
from secops.kernel.pages import PageRequest


def watch_itself(house: House) -> None:
    """Sequence, watch, store, run: until nothing is left to do."""
    jobs = {job.name: job.tick for plane in house.planes for job in plane.jobs}
    house.audits.ledger.sequencer.drain()
    for name in ("detectors.watch_ledger", "detectors.store_logs", "detectors.run"):
        while jobs[name]():
            pass


def raised_by(house: House, *rules: str) -> list[Alert]:
    """Return the alerts of the named rules."""
    analyst = house.act_as("analyst")
    found = house.detectors.alerts.list_alerts(analyst, AlertFilter(), PageRequest(limit=200)).items
    names = {rule.header.id: rule.header.name for rule in house.detectors.rules.list_rules(analyst)}
    return [alert for alert in found if names.get(alert.rule_id) in rules]
