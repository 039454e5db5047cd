"""What lies around an alert, over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.models.alert_page import Place
from detectors.models.alerts import AlertFilter
from detectors.store import alert_page
from detectors.store.alert_page import DatabaseAlertPage
from detectors.store.alerts import DatabaseAlerts
from detectors.store.bulk_actions import DatabaseBulkActions
from secops.adapters.spine import Spine
from tests.contracts.test_bulk_action_store import ACTION
from tests.contracts.test_detector_stores import ALERT

PAGE, ALERTS, BULK = DatabaseAlertPage(), DatabaseAlerts(), DatabaseBulkActions()
OPEN = AlertFilter(status="open")


def raised(spine: Spine, *names: str, **said: object) -> None:
    for name in names:
        alert = replace(ALERT, id=name, **said)  # type: ignore[arg-type]
        spine.transactions.run(lambda tx, a=alert: ALERTS.create(tx, a, ()))


def closed(spine: Spine, name: str, by: str = "acc_1", reason: str = "planned") -> None:
    spine.transactions.run(lambda tx: ALERTS.close(tx, name, by, reason))


def test_next_and_previous_are_those_of_the_view_newest_event_first(spine: Spine) -> None:
    raised(spine, "alr_a", "alr_b", last_at=30)
    raised(spine, "alr_c", last_at=20)
    raised(spine, "alr_d", last_at=10, severity="low")
    read = spine.transactions.read

    def place(name: str, wanted: AlertFilter = OPEN, org: str = "org_root") -> Place:
        return read(lambda tx: PAGE.place(tx, org, wanted, ALERTS.get(tx, name)))

    assert place("alr_b") == Place(None, "alr_a")
    assert place("alr_a") == Place("alr_b", "alr_c")
    assert place("alr_c") == Place("alr_a", "alr_d")
    assert place("alr_c", replace(OPEN, severity=ALERT.severity)) == Place("alr_a", None)
    assert place("alr_a", AlertFilter()) == Place("alr_b", "alr_c")
    assert place("alr_a", org="org_other") == Place(None, None)
    closed(spine, "alr_a")
    assert place("alr_a") == Place("alr_b", "alr_c"), "one that left the view keeps its place"
    assert place("alr_c") == Place("alr_b", "alr_d")


def test_closings_are_counted_by_reason_among_the_newest_of_rule_or_entity(spine: Spine) -> None:
    raised(spine, "alr_1", "alr_2", "alr_3")
    raised(spine, "alr_4", group=("another",))
    raised(spine, "alr_5", rule_id="another")
    raised(spine, "alr_6", org_id="org_other")
    for name, reason in (("alr_2", "planned"), ("alr_3", "planned"), ("alr_4", "wrong")):
        closed(spine, name, reason=reason)
    closed(spine, "alr_5", reason="elsewhere")
    closed(spine, "alr_6", reason="elsewhere")
    read = spine.transactions.read
    rule = read(lambda tx: PAGE.closings(tx, ALERTS.get(tx, "alr_1"), same_entity=False))
    assert (rule.closed, rule.cut) == (3, False)
    assert rule.counts == (("planned", 2), ("wrong", 1))
    assert {(each.alert_id, each.closed_by) for each in rule.last} == {
        ("alr_2", "acc_1"),
        ("alr_3", "acc_1"),
        ("alr_4", "acc_1"),
    }
    entity = read(lambda tx: PAGE.closings(tx, ALERTS.get(tx, "alr_1"), same_entity=True))
    assert (entity.closed, entity.counts) == (2, (("planned", 2),))


def test_a_busy_rule_is_not_counted_to_its_end(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"alr_{number}" for number in range(4)]
    raised(spine, *names)
    for name in names[1:]:
        closed(spine, name)
    read = spine.transactions.read

    def counted() -> tuple[int, bool]:
        found = read(lambda tx: PAGE.closings(tx, ALERTS.get(tx, "alr_0"), same_entity=False))
        return found.closed, found.cut

    monkeypatch.setattr(alert_page, "COUNTED", 2)
    assert counted() == (2, True)
    monkeypatch.setattr(alert_page, "WALKED", 1)
    assert counted() == (1, False)


def test_the_bulk_action_that_closed_an_alert_is_found(spine: Spine) -> None:
    raised(spine, "alr_1", "alr_2", "alr_3")
    run, read = spine.transactions.run, spine.transactions.read
    now = read(lambda tx: tx.now)
    action = replace(ACTION, snapshot=99, ordered_at=now - 1)
    run(lambda tx: BULK.add(tx, action))

    def closing(name: str) -> str | None:
        return read(lambda tx: PAGE.closing_action(tx, ALERTS.get(tx, name)))

    assert closing("alr_1") is None, "open"
    closed(spine, "alr_3", reason=ACTION.reason)
    assert closing("alr_3") is None, "by hand, with the same words"
    chosen = run(lambda tx: BULK.selected(tx, action, 10))
    run(lambda tx: BULK.write_alerts(tx, action, chosen))
    assert (closing("alr_1"), closing("alr_2")) == (action.id, action.id)
    over = replace(action, state="done", ended_at=now - 1)
    run(lambda tx: BULK.save(tx, over, ("acting", 0, 0)))
    assert closing("alr_1") is None, "closed again after it was over"
