"""The queue: orders, counts, groups, who has what, deadlines, saved views, verbs in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.alert_deadlines import deadlines_of, due_of, sort_key
from detectors.core.alert_facets import facets_of
from detectors.errors import AlertNotFound
from detectors.errors.bulk_actions import BulkActionConflict, SelectionChanged, UndoTooLate
from detectors.errors.queue import AlertMoved, AlertViewNotFound, NotAssignable, TooManyViews
from detectors.models import DetectorsOptions
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.bulk_actions import BulkAction
from detectors.models.queue import ENTITY_KINDS, ORDERS, AlertOrder, Combination, Deadline, Due
from detectors.models.rules import SEVERITIES
from detectors.plane import install
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.service.triage.alert_views import MOST_VIEWS
from detectors.service.triage.bulk_actions import UNDO_LASTS, token_of
from detectors.service.triage.filters import STATUSES, read_filter, words_of
from detectors.store import alert_queue
from detectors.store.alerts import DatabaseAlerts
from secops.adapters.spine import Spine
from secops.kernel.actors import Actor
from secops.kernel.clock import HOUR, MINUTE, SECOND
from secops.kernel.errors import Forbidden, Invalid, NotFound
from secops.kernel.pages import PageRequest, decode_cursor
from tests.contracts.test_detector_stores import ALERT
from tests.fakes.clock import FakeClock
from tests.fakes.detection_house import ANALYST, SECURITY_ADMIN, person
from tests.fakes.parts import database_spine

COLLEAGUE = replace(ANALYST, id="acc_colleague", name="colleague")
OUTSIDER = person("analyst", "org_other")
AUDITOR = person("auditor")
OPEN = AlertFilter(status="open")
ALL = PageRequest(200)
NONE: frozenset[str] = frozenset()


class People:
    """Accounts of one organisation, by id and name."""

    def __init__(self) -> None:
        self.known = {each.id: each for each in (ANALYST, COLLEAGUE, AUDITOR)}

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        found = self.known.get(account_id)
        return found.roles if found else None

    def resolve_subject(self, org_id: str, name: str) -> str:
        if name == "a-client":
            return "client:a-client"
        for each in self.known.values():
            if name in (each.id, each.name) and each.org_id == org_id:
                return f"account:{each.id}"
        raise NotFound(name)


@dataclass(frozen=True, slots=True)
class House:
    spine: Spine
    clock: FakeClock
    services: DetectorsServices

    def put(self, **wanted: Any) -> Alert:
        alert = replace(ALERT, raised_at=self.clock.now(), **wanted)
        subjects = (f"account:{alert.id}", "address:203.0.113.7")
        self.spine.transactions.run(lambda tx: DatabaseAlerts().create(tx, alert, subjects))
        return alert

    def ids(self, wanted: AlertFilter = OPEN, order: AlertOrder = "newest") -> list[str]:
        """Return the ids in ``order``, read two a page."""
        found: list[str] = []
        page = PageRequest(2)
        while True:
            listed = self.services.alerts.list_alerts(ANALYST, wanted, page, order=order)
            found += [alert.id for alert in listed.items]
            if listed.next is None:
                return found
            page = PageRequest(2, decode_cursor(listed.next))

    def get(self, alert_id: str) -> Alert:
        return self.services.alerts.show_alert(ANALYST, alert_id).alert

    def carry_out(self, preview: BulkAction) -> BulkAction:
        bulk = self.services.bulk_actions
        bulk.order_bulk_action(ANALYST, preview.id, token_of(preview))
        while self.services.bulk_runner.tick():
            pass
        return bulk.show_bulk_action(ANALYST, preview.id)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = FakeClock()
    spine = database_spine(tmp_path, clock=clock)
    try:
        plane = install(spine.parts, DetectorsPorts(roles=People()), DetectorsOptions())
        found = House(spine, clock, cast("DetectorsServices", plane.services))
        for n, severity in enumerate(("low", "critical", "high", "critical", "medium")):
            rule = "rule-a" if n < 3 else "rule-b"
            found.put(id=f"alr_{n}", severity=severity, last_at=100 + n // 2, rule_id=rule)
        yield found
    finally:
        spine.close()


def test_every_order_pages_over_all_alerts_once(house: House) -> None:
    assert house.ids() == ["alr_4", "alr_3", "alr_2", "alr_1", "alr_0"]
    assert house.ids(order="oldest") == ["alr_0", "alr_1", "alr_2", "alr_3", "alr_4"]
    assert house.ids(order="severity") == ["alr_3", "alr_1", "alr_2", "alr_4", "alr_0"]
    assert house.ids(order="due") == ["alr_1", "alr_3", "alr_2", "alr_4", "alr_0"]
    with pytest.raises(Invalid):
        house.ids(AlertFilter(status="closed"), "due")
    closed = house.services.alerts.close_alert(ANALYST, "alr_1", "seen")
    assert house.ids(AlertFilter(status="closed"), "oldest") == [closed.id]
    assert house.ids(AlertFilter(subject="account:alr_1")) == ["alr_1"]
    assert len(house.ids(AlertFilter())) == 5


def test_what_is_due_next_moves_with_acknowledging_and_the_organisations_deadlines(
    house: House,
) -> None:
    house.services.handling.acknowledge_alert(ANALYST, "alr_1")
    assert house.ids(order="due") == ["alr_3", "alr_2", "alr_1", "alr_4", "alr_0"]
    house.clock.advance(20 * MINUTE // SECOND)
    late = AlertFilter(status="open", due_before=0)
    assert house.ids(late) == ["alr_3"]
    assert house.services.queue.count_alerts(ANALYST, OPEN).overdue == 1
    service = house.services.alert_deadlines
    found = service.set_alert_deadline(SECURITY_ADMIN, "low", (5, 60), "a contract")
    assert (found["low"].acknowledge, found["low"].resolve) == (5 * MINUTE, HOUR)
    assert house.ids(late) == ["alr_3", "alr_0"]
    assert house.ids(order="due")[:2] == ["alr_0", "alr_3"]
    again = service.set_alert_deadline(SECURITY_ADMIN, "low", (6, 60), "another")
    assert again["low"].acknowledge == 6 * MINUTE
    for minutes, reason in (((0, 5), "x"), ((10, 5), "x"), ((1, 200_000), "x"), ((1, 5), " ")):
        with pytest.raises(Invalid):
            service.set_alert_deadline(SECURITY_ADMIN, "low", minutes, reason)
    with pytest.raises(Forbidden):
        service.set_alert_deadline(ANALYST, "low", (5, 60), "mine")


def test_a_facet_is_counted_as_if_nothing_of_it_were_chosen(house: House) -> None:
    house.services.handling.take_alert(ANALYST, "alr_3")
    counts = house.services.queue.count_alerts(
        ANALYST, AlertFilter(status="open", severity="critical", rule_id="rule-b")
    )
    assert (counts.total, counts.least) == (1, False)
    assert counts.facets["severity"] == {"critical": 1, "medium": 1}
    assert counts.facets["rule"] == {"rule-a": 1, "rule-b": 1}
    assert counts.facets["assignee"] == {ANALYST.id: 1}
    assert counts.facets["acknowledged"] == {"yes": 1}
    assert counts.facets["entity_kind"] == {"account": 1, "address": 1}
    assert counts.statuses == {"open": 5, "closed": 0, "suppressed": 0, "revised": 0}
    assert {rule: each.rule_id for rule, each in counts.samples.items()} == {
        "rule-a": "rule-a",
        "rule-b": "rule-b",
    }
    closed = house.services.queue.count_alerts(ANALYST, AlertFilter(status="closed"))
    assert (closed.total, closed.overdue) == (0, 0)
    assert house.services.queue.count_alerts(OUTSIDER, OPEN).total == 0


def test_filters_say_whose_of_what_kind_and_whether_taken_up(house: House) -> None:
    house.services.handling.take_alert(ANALYST, "alr_2")
    assert house.ids(AlertFilter(status="open", assignee="me")) == ["alr_2"]
    assert house.ids(AlertFilter(status="open", acknowledged=True)) == ["alr_2"]
    assert len(house.ids(AlertFilter(status="open", assignee=""))) == 4
    assert len(house.ids(AlertFilter(status="open", acknowledged=False))) == 4
    assert len(house.ids(AlertFilter(status="open", entity_kind="account"))) == 5
    assert house.ids(AlertFilter(status="open", entity_kind="session")) == []


def test_groups_have_counts_the_worst_severity_and_pages(house: House) -> None:
    groups = house.services.queue.group_alerts
    page = groups(ANALYST, OPEN, "rule", PageRequest(1))
    (first,) = page.items
    assert (first.key, first.count, first.newest, first.severity) == ("rule-a", 3, 101, "critical")
    assert first.sample is not None
    assert page.next is not None
    (second,) = groups(ANALYST, OPEN, "rule", PageRequest(1, decode_cursor(page.next))).items
    assert (second.key, second.count) == ("rule-b", 2)
    entities = groups(ANALYST, AlertFilter(status="open", severity="critical"), "entity", ALL)
    assert [(each.key, each.count) for each in entities.items] == [
        ("address:203.0.113.7", 2),
        ("account:alr_1", 1),
        ("account:alr_3", 1),
    ]
    assert groups(ANALYST, AlertFilter(status="closed"), "entity", ALL).items == []


def test_news_counts_what_was_written_since(house: House) -> None:
    queue = house.services.queue
    revision = queue.count_alerts(ANALYST, OPEN).revision
    assert (queue.watch_alerts(ANALYST, OPEN, revision).changed) == 0
    house.put(id="alr_9", last_at=200)
    news = queue.watch_alerts(ANALYST, OPEN, revision)
    assert (news.total, news.changed, news.least) == (6, 1, False)


def test_what_is_asked_every_few_seconds_counts_no_more_than_the_newest(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_queue, "COUNTED", 3)
    queue, everything = house.services.queue, AlertFilter()
    shown = queue.count_alerts(ANALYST, everything)
    news = queue.watch_alerts(ANALYST, everything, shown.revision)
    assert (news.total, news.least) == (shown.total, shown.least) == (3, True)
    assert not queue.watch_alerts(ANALYST, OPEN, 0).least


def test_of_two_who_take_an_alert_one_has_it(house: House) -> None:
    handling = house.services.handling
    taken = handling.take_alert(ANALYST, "alr_0")
    assert (taken.assignee, taken.acknowledged_by) == (ANALYST.id, ANALYST.id)
    assert handling.take_alert(ANALYST, "alr_0").version == taken.version
    with pytest.raises(AlertMoved):
        handling.take_alert(COLLEAGUE, "alr_0")
    with pytest.raises(AlertMoved):
        handling.acknowledge_alert(COLLEAGUE, "alr_0")
    given_away = handling.assign_alert(ANALYST, "alr_0", "colleague", taken.version)
    assert given_away.assignee == COLLEAGUE.id
    with pytest.raises(AlertMoved):
        handling.assign_alert(ANALYST, "alr_0", "me", taken.version)
    assert handling.assign_alert(ANALYST, "alr_0", "").assignee is None
    house.services.alerts.close_alert(ANALYST, "alr_0", "seen")
    for act in (handling.take_alert, handling.acknowledge_alert):
        with pytest.raises(AlertMoved):
            act(ANALYST, "alr_0")


@pytest.mark.parametrize("to", ["nobody-here", "auditor", "a-client"])
def test_nobody_gets_an_alert_who_may_not_handle_it(house: House, to: str) -> None:
    with pytest.raises(NotAssignable):
        house.services.handling.assign_alert(ANALYST, "alr_0", to)
    with pytest.raises(NotAssignable):
        house.services.bulk_actions.preview_bulk_assign(ANALYST, OPEN, to)


def test_only_people_of_the_organisation_with_the_right_handle_alerts(house: House) -> None:
    handling = house.services.handling
    with pytest.raises(AlertNotFound):
        handling.take_alert(OUTSIDER, "alr_0")
    with pytest.raises(Forbidden):
        handling.take_alert(AUDITOR, "alr_0")
    client = Actor("client", "a-client", ANALYST.org_id, "client", roles=ANALYST.roles)
    with pytest.raises(Forbidden):
        handling.acknowledge_alert(client, "alr_0")


def test_new_events_open_a_closed_alert_and_its_time_begins_anew(house: House) -> None:
    house.services.handling.take_alert(ANALYST, "alr_0")
    house.services.alerts.close_alert(ANALYST, "alr_0", "seen")
    closed = house.get("alr_0")
    house.clock.advance(60)
    # what a detector read before somebody took it up says nothing of who has it
    seen = replace(closed, status="open", assignee=None, event_count=9)
    subjects = ("account:alr_0",)
    house.spine.transactions.run(lambda tx: DatabaseAlerts().change(tx, seen, subjects))
    opened = house.get("alr_0")
    assert (opened.assignee, opened.acknowledged_at) == (ANALYST.id, None)
    assert opened.reopened_at == house.clock.now()
    due = due_of(opened, deadlines_of({}))
    assert due == Due("acknowledge", house.clock.now() + 24 * HOUR)


def test_a_saved_view_is_ones_own_and_me_stays_whoever_looks(house: House) -> None:
    views = house.services.alert_views
    mine = AlertFilter(status="open", assignee="me", due_before=0)
    first = views.save_alert_view(ANALYST, " my own ", mine, order="due")
    again = views.save_alert_view(ANALYST, "my own", mine, group="rule")
    assert [each.id for each in views.list_alert_views(ANALYST)] == [again.id]
    assert (again.wanted, again.group, first.order) == (mine, "rule", "due")
    assert views.list_alert_views(COLLEAGUE) == []
    with pytest.raises(AlertViewNotFound):
        views.forget_alert_view(COLLEAGUE, again.id)
    views.forget_alert_view(ANALYST, again.id)
    for name in ("", "x" * 81, "a\nb"):
        with pytest.raises(Invalid):
            views.save_alert_view(ANALYST, name, mine)
    for n in range(MOST_VIEWS):
        views.save_alert_view(ANALYST, f"view {n}", mine)
    with pytest.raises(TooManyViews):
        views.save_alert_view(ANALYST, "one more", mine)


def test_alerts_are_acknowledged_and_assigned_in_bulk_and_given_back(house: House) -> None:
    bulk = house.services.bulk_actions
    house.services.handling.take_alert(ANALYST, "alr_4")
    preview = bulk.preview_bulk_acknowledge(ANALYST, OPEN)
    assert preview.count == 4
    done = house.carry_out(preview)
    assert (done.state, done.written) == ("done", 4)
    with pytest.raises(Invalid):
        bulk.preview_bulk_acknowledge(ANALYST, replace(OPEN, acknowledged=True))
    given_out = house.carry_out(bulk.preview_bulk_assign(ANALYST, OPEN, "colleague"))
    assert {house.get(f"alr_{n}").assignee for n in range(5)} == {COLLEAGUE.id}
    bulk.undo_bulk_action(ANALYST, given_out.id)
    while house.services.bulk_runner.tick():
        pass
    assert [house.get(f"alr_{n}").assignee for n in range(5)] == [*[None] * 4, ANALYST.id]
    assert house.get("alr_0").acknowledged_by == ANALYST.id


def test_after_ten_minutes_an_undo_is_previewed_and_confirmed(house: House) -> None:
    bulk = house.services.bulk_actions
    done = house.carry_out(bulk.preview_bulk_close(ANALYST, OPEN, "noise"))
    house.clock.advance(UNDO_LASTS // SECOND + 1)
    with pytest.raises(UndoTooLate):
        bulk.undo_bulk_action(ANALYST, done.id)
    closed = replace(house.get("alr_0"), event_count=9)
    house.spine.transactions.run(lambda tx: DatabaseAlerts().change(tx, closed, ()))
    preview = bulk.preview_bulk_undo(ANALYST, done.id)
    second = bulk.preview_bulk_undo(ANALYST, done.id)
    assert (preview.count, preview.state) == (4, "preview")
    with pytest.raises(SelectionChanged):
        bulk.order_bulk_action(COLLEAGUE, preview.id, token_of(preview))
    undone = house.carry_out(preview)
    assert (undone.place, undone.written) == (5, 4)
    assert sorted(house.ids()) == ["alr_1", "alr_2", "alr_3", "alr_4"]
    with pytest.raises(BulkActionConflict):
        bulk.order_bulk_action(ANALYST, second.id, token_of(second))
    with pytest.raises(BulkActionConflict):
        bulk.preview_bulk_undo(ANALYST, undone.id)


FILTERS = st.builds(
    AlertFilter,
    status=st.none() | st.sampled_from(STATUSES),  # type: ignore[arg-type]
    severity=st.none() | st.sampled_from(SEVERITIES),
    since=st.none() | st.integers(0, 2**50),
    rule_id=st.none() | st.text(min_size=1, max_size=20),
    subject=st.none() | st.text(min_size=1, max_size=20),
    assignee=st.sampled_from([None, "", "me", "acc_1"]),
    entity_kind=st.none() | st.sampled_from(ENTITY_KINDS),
    acknowledged=st.none() | st.booleans(),
    due_before=st.none() | st.just(0),
)


@given(FILTERS)
def test_a_view_is_read_back_from_its_address(wanted: AlertFilter) -> None:
    assert read_filter(words_of(wanted)) == wanted


@pytest.mark.parametrize(
    "said",
    [
        {"status": "x"},
        {"severity": "worst"},
        {"since": "yesterday"},
        {"kind": "planet"},
        {"overdue": "maybe"},
        {"subject": "x" * 501},
    ],
)
def test_words_that_mean_nothing_are_refused(said: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        read_filter(said)


def test_two_choices_that_miss_count_nowhere_and_rare_values_are_left_out() -> None:
    found = [
        Combination("high", f"rule-{n:02}", "", acknowledged=False, entity_kinds=NONE, count=20 - n)
        for n in range(15)
    ]
    other = Combination(
        "low",
        "rule-zz",
        "acc_1",
        acknowledged=True,
        entity_kinds=frozenset({"account"}),
        count=7,
    )
    wanted = AlertFilter(severity="high", assignee="")
    total, facets = facets_of([*found, other], wanted)
    assert total == sum(each.count for each in found)
    assert facets["severity"] == {"high": total}
    assert len(facets["rule"]) == 12
    _, chosen = facets_of(found, AlertFilter(rule_id="rule-14", acknowledged=False))
    assert chosen["rule"]["rule-14"] == 6
    assert chosen["acknowledged"] == {"no": 6}


@pytest.mark.parametrize("order", ORDERS)
def test_a_closed_alert_is_due_for_nothing(order: AlertOrder) -> None:
    limits = deadlines_of({"high": Deadline(1, 2)})
    closed = replace(ALERT, status="closed")
    assert due_of(closed, limits) is None
    assert due_of(replace(ALERT, acknowledged_at=5), limits) == Due("resolve", 52)
    expected = (2, 20, "alr_1") if order == "severity" else (20, "alr_1")
    assert sort_key(closed, order, limits) == expected
