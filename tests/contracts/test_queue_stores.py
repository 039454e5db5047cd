"""The queue, its views and the situation, over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.models.alerts import RISKS, AlertFilter
from detectors.models.queue import ORDERS, AlertOrder, AlertView, Deadline
from detectors.models.situation import FIGURES, Situation, SystemRisk
from detectors.store import alert_queue
from detectors.store.alert_handling import DatabaseAlertHandling
from detectors.store.alert_queue import DatabaseAlertQueue
from detectors.store.alert_views import DatabaseAlertDeadlines, DatabaseAlertViews
from detectors.store.alerts import DatabaseAlerts
from detectors.store.situation import DatabaseSituations
from secops.adapters.spine import Spine
from secops.kernel.clock import DAY, MINUTE
from secops.kernel.pages import PageRequest
from tests.contracts.test_detector_stores import ALERT

ALERTS, QUEUE, HANDLING = DatabaseAlerts(), DatabaseAlertQueue(), DatabaseAlertHandling()
VIEWS, DEADLINES, SITUATIONS = DatabaseAlertViews(), DatabaseAlertDeadlines(), DatabaseSituations()
OPEN, ORG = AlertFilter(status="open"), ALERT.org_id


@pytest.fixture
def raised(spine: Spine) -> Spine:
    """Three open alerts, one closed, one of another organisation, one of a drill."""
    severities = ("low", "critical", "medium", "high")
    for n, severity in enumerate(severities):
        alert = replace(ALERT, id=f"alr_{n}", severity=severity, last_at=n, raised_at=n * DAY)
        subjects = ("account:ann", f"address:192.0.2.{n}")
        spine.transactions.run(lambda tx, a=alert, s=subjects: ALERTS.create(tx, a, s))
    for name, said in {"foreign": {"org_id": "org_b"}, "drill": {"rule_id": "drill:1"}}.items():
        alert = replace(ALERT, id=f"alr_{name}", **said)
        spine.transactions.run(lambda tx, a=alert: ALERTS.create(tx, a, ()))
    spine.transactions.run(lambda tx: ALERTS.close(tx, "alr_3", "acc_1", "seen"))
    return spine


def test_each_order_is_walked_page_by_page(raised: Spine) -> None:
    def page(order: AlertOrder) -> list[str]:
        first = PageRequest(limit=10)
        rows = raised.transactions.read(lambda tx: ALERTS.page(tx, ORG, OPEN, first, order))
        return [each.id for each in rows]

    assert {order: page(order) for order in ORDERS} == {
        "newest": ["alr_2", "alr_1", "alr_0"],
        "oldest": ["alr_0", "alr_1", "alr_2"],
        "severity": ["alr_1", "alr_2", "alr_0"],
        "due": ["alr_0", "alr_1", "alr_2"],
    }


def test_counts_groups_and_news_are_one_organisations(
    raised: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = raised.transactions.read
    raised.transactions.run(lambda tx: HANDLING.acknowledge(tx, "alr_1", "acc_1"))
    found, least = read(lambda tx: QUEUE.combinations(tx, ORG, OPEN))
    assert (sum(each.count for each in found), least) == (3, False)
    assert [each.severity for each in found if each.acknowledged] == ["critical"]
    (drill,), _ = read(lambda tx: QUEUE.combinations(tx, ORG, replace(OPEN, rule_id="drill:1")))
    assert (drill.rule, drill.count) == ("drill:1", 1), "counted where it is asked for by name"
    assert {kind for each in found for kind in each.entity_kinds} == {"account", "address"}
    taken = replace(OPEN, acknowledged=True, entity_kind="address")
    assert read(lambda tx: QUEUE.count(tx, ORG, taken)) == 1
    assert read(lambda tx: QUEUE.count(tx, ORG, replace(OPEN, due_before=DAY + 1))) == 1
    assert read(lambda tx: QUEUE.statuses(tx, ORG))["closed"] == 1
    page = PageRequest(limit=2)
    entities = read(lambda tx: QUEUE.groups(tx, ORG, OPEN, "entity", page))
    assert [(each.key, each.count) for each in entities][:2] == [
        ("account:ann", 3),
        ("address:192.0.2.0", 1),
    ]
    (rule,) = read(lambda tx: QUEUE.groups(tx, ORG, OPEN, "rule", page))
    assert (rule.count, rule.newest, rule.severity) == (3, 2, "critical")
    revision = read(QUEUE.snapshot)
    raised.transactions.run(lambda tx: HANDLING.assign(tx, "alr_0", "acc_1"))
    news = read(lambda tx: QUEUE.news(tx, ORG, OPEN, revision))
    assert (news.total, news.changed, news.least) == (3, 1, False)
    monkeypatch.setattr(alert_queue, "COUNTED", 2)
    news = read(lambda tx: QUEUE.news(tx, ORG, AlertFilter(), revision))
    assert (news.total, news.changed, news.least) == (2, 0, True)


def test_views_and_deadlines_are_kept_instead_of_those_before(spine: Spine) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    for view_id, order in (("view_1", "newest"), ("view_2", "due")):
        view = AlertView(view_id, "mine", OPEN, order, None, 5)  # type: ignore[arg-type]
        run(lambda tx, v=view: VIEWS.put(tx, ORG, "acc_1", v))
    assert [each.id for each in read(lambda tx: VIEWS.list(tx, "acc_1"))] == ["view_2"]
    assert not run(lambda tx: VIEWS.forget(tx, "acc_2", "view_2"))
    for minutes in (5, 6):
        limit = Deadline(minutes * MINUTE, DAY, "acc_1")
        run(lambda tx, d=limit: DEADLINES.decide(tx, ORG, "high", d))
    decided = read(lambda tx: DEADLINES.decided(tx, ORG))
    assert [each.acknowledge for each in decided.values()] == [6 * MINUTE]
    assert read(lambda tx: DEADLINES.decided(tx, "org_b")) == {}


def test_a_situation_is_made_of_one_organisations_alerts_and_kept_with_its_days(
    raised: Spine,
) -> None:
    run, read = raised.transactions.run, raised.transactions.read
    assert read(lambda tx: SITUATIONS.raised(tx, ORG, 0, 3 * DAY)) == 3
    weighed = read(lambda tx: SITUATIONS.newest_open(tx, ORG, 2))
    assert [RISKS[severity] for severity, _ in weighed] == [40, 90]
    run(lambda tx: ALERTS.note_risks(tx, ORG, {"account:ann": (90, "why")}))
    assert read(lambda tx: SITUATIONS.risky(tx, ORG, 70)) == 1
    assert ORG in read(SITUATIONS.organisations)
    figures = dict.fromkeys(FIGURES, 1)
    systems = (SystemRisk("web", "信息中心", 2, 130),)
    for at in (7, 8):
        seen = Situation(ORG, at, figures, systems, ((0, 3),), weighed=2, unplaced=1)
        run(lambda tx, s=seen: SITUATIONS.keep(tx, s))
        run(lambda tx, n=at: SITUATIONS.note(tx, ORG, DAY, {"open": n}))
    assert read(lambda tx: SITUATIONS.last(tx, ORG)) == seen
    assert read(lambda tx: SITUATIONS.last(tx, "org_b")) is None
    assert read(lambda tx: SITUATIONS.trends(tx, ORG, 0)) == {"open": {DAY: 8}}
    run(lambda tx: SITUATIONS.forget(tx, 2 * DAY))
    assert read(lambda tx: SITUATIONS.trends(tx, ORG, 0)) == {}
