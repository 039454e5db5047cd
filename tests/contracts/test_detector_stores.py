"""Alerts and detectors' progress keep their promises over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.errors import AlertNotFound
from detectors.models.alerts import (
    Alert,
    AlertFilter,
    Reason,
    RuleState,
)
from detectors.models.triage import Hint
from detectors.ports import AlertStore, DetectorStore
from detectors.store.alerts import DatabaseAlerts
from detectors.store.detectors import DatabaseDetectors
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest

ALERT = Alert(
    id="alr_1",
    org_id="org_root",
    kind="correlation",
    rule_id="rule",
    rule_version="v1",
    title="标题",
    severity="high",
    raised_at=50,
    first_at=10,
    last_at=20,
    group=("203.0.113.7",),
    subjects={"source.ip": "203.0.113.7"},
    reasons=(Reason("event_count", "≥ 5", "6"),),
    event_ids=("e1", "e2"),
    event_count=6,
    tags=("attack.t1110",),
    custom={"gbt20986": "NACRED"},
)
SUBJECTS = ("address:203.0.113.7", "address:203.0.113.7", "account:ann")


@pytest.fixture
def alerts() -> AlertStore:
    return DatabaseAlerts()


@pytest.fixture
def detectors() -> DetectorStore:
    return DatabaseDetectors()


def test_an_alert_is_created_once_and_comes_back_whole(spine: Spine, alerts: AlertStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    assert run(lambda tx: alerts.create(tx, ALERT, SUBJECTS)) is True
    changed = replace(ALERT, title="another")
    assert run(lambda tx: alerts.create(tx, changed, SUBJECTS)) is False
    assert read(lambda tx: alerts.get(tx, "alr_1")) == ALERT
    assert read(lambda tx: alerts.known(tx, ["alr_1", "alr_2"])) == {"alr_1"}
    assert read(lambda tx: alerts.hints_of(tx, ["account:ann"]))["account:ann"] == (
        [Hint(70, 50)],
        1.0,
    )
    with pytest.raises(AlertNotFound):
        read(lambda tx: alerts.get(tx, "alr_2"))


def test_an_alert_grows_and_is_closed_once(spine: Spine, alerts: AlertStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    run(lambda tx: alerts.create(tx, ALERT, SUBJECTS))
    grown = replace(ALERT, last_at=30, event_count=9, superseded=("alr_9",))
    run(lambda tx: alerts.change(tx, grown, ("account:eve",)))
    assert read(lambda tx: alerts.get(tx, "alr_1")) == replace(grown, version=2)
    assert read(lambda tx: alerts.hints_of(tx, ["account:ann"]))["account:ann"] == ([], 1.0)
    assert run(lambda tx: alerts.close(tx, "alr_1", "acc_1", "seen")) is True
    assert run(lambda tx: alerts.close(tx, "alr_1", "acc_1", "seen")) is False
    closed = read(lambda tx: alerts.get(tx, "alr_1"))
    assert (closed.status, closed.closed_by, closed.close_reason) == ("closed", "acc_1", "seen")
    assert read(lambda tx: alerts.hints_of(tx, ["account:eve"]))["account:eve"] == ([], 1.0)


def test_alerts_of_a_group_are_found_by_their_time(spine: Spine, alerts: AlertStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    for number, first in enumerate((10, 100)):
        alert = replace(ALERT, id=f"alr_{number}", first_at=first, last_at=first + 10)
        run(lambda tx, alert=alert: alerts.create(tx, alert, ()))
    gone = replace(ALERT, id="alr_9", status="superseded")
    run(lambda tx: alerts.create(tx, gone, ()))

    def near(window: tuple[int, int], group: tuple[str, ...] = ALERT.group) -> list[str]:
        found = read(lambda tx: alerts.overlapping(tx, "rule", group, window))
        return [alert.id for alert in found]

    assert near((0, 9)) == []
    assert near((20, 99)) == ["alr_0"]
    assert near((20, 100)) == ["alr_0", "alr_1"]
    assert near((20, 100), ("198.51.100.1",)) == []


def test_alerts_of_one_instant_are_found_for_many_groups_at_once(
    spine: Spine, alerts: AlertStore
) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    point = replace(ALERT, id="alr_1", first_at=20, last_at=20)
    longer = replace(ALERT, id="alr_2", first_at=10, last_at=20)
    gone = replace(point, id="alr_3", status="superseded")
    for alert in (point, longer, gone):
        run(lambda tx, alert=alert: alerts.create(tx, alert, ()))
    places = [(ALERT.group, 20), (ALERT.group, 21), (("198.51.100.1",), 20)]
    many = [*places, *((ALERT.group, at) for at in range(1_000, 2_000))]
    found = read(lambda tx: alerts.standing_at(tx, "rule", many))
    assert [alert.id for alert in found] == ["alr_1"]
    assert read(lambda tx: alerts.standing_at(tx, "another rule", places)) == []


def test_pages_go_on_where_times_are_equal(spine: Spine, alerts: AlertStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    for number in range(5):
        alert = replace(ALERT, id=f"alr_{number}", last_at=20 + number // 2)
        run(lambda tx, alert=alert: alerts.create(tx, alert, SUBJECTS))
    wanted = AlertFilter(subject="account:ann", status="open", severity="high", since=20)
    seen: list[str] = []
    page = PageRequest(2)
    while True:
        rows = read(lambda tx, page=page: alerts.page(tx, "org_root", wanted, page))
        seen.extend(alert.id for alert in rows[:2])
        if len(rows) <= 2:
            break
        page = PageRequest(2, (rows[1].last_at, rows[1].id))
    assert seen == ["alr_4", "alr_3", "alr_2", "alr_1", "alr_0"]
    other = read(lambda tx: alerts.page(tx, "org_other", AlertFilter(rule_id="rule"), page))
    assert list(other) == []


def test_decisions_are_kept_by_organisation(spine: Spine, detectors: DetectorStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    for enabled, at in ((True, 1), (False, 2)):
        state = RuleState(enabled, "acc_1", at)
        run(lambda tx, state=state: detectors.set_rule_state(tx, "org_root", "r", state))
    assert read(lambda tx: detectors.rule_states(tx, "org_root")) == {
        "r": RuleState(enabled=False, changed_by="acc_1", changed_at=2)
    }
    assert read(lambda tx: detectors.rule_states(tx, "org_other")) == {}
