"""What people see of correlations: alerts that grow, merge, are taken back, and say why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from detectors.models.alerts import Alert, AlertFilter
from detectors.models.correlation import Match, NodeKey
from detectors.service.correlation.correlations import UNCOUNTED, CorrelationService, uncounted_json
from detectors.service.triage.effects import Assessor, write_notes
from detectors.store.alerts import DatabaseAlerts
from detectors.store.correlations import DatabaseCorrelations
from detectors.store.tables import alert_subjects
from secops.adapters.database.tables import ledger_door
from secops.kernel.clock import SECOND
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction
from tests.fakes.correlation_site import START, CorrelationSite, correlation_site, event
from tests.fakes.detection_house import (
    ANALYST,
    SECURITY_ADMIN,
    DetectionHouse,
    detection_house,
    own_rules,
)

RULE = """
---
title: rule a
name: a
status: stable
logsource: {product: test}
detection:
  selection: {kind: a}
  condition: selection
"""


def rule(body: str) -> str:
    return f"title: c\nname: c\nstatus: stable\ncorrelation: {{rules: [a], {body}}}\n{RULE}"


COUNT = rule("type: event_count, timespan: 10s, group-by: [u], condition: {gte: 2}")
AVERAGE = rule("type: value_avg, timespan: 10s, group-by: [u], condition: {gte: 5, field: n}")
ABSENCE = rule("type: absence, timespan: 10s, group-by: [u], expected: [x, y]")


def hit(at: int, name: str, u: str = "x", **more: str) -> object:
    return event(at, name, kind="a", u=u, **more)


def by_id(site: CorrelationSite) -> dict[str, Alert]:
    return {alert.id: alert for alert in site.all_alerts()}


def acts(site: CorrelationSite) -> list[str]:
    with site.spine.engine.connect() as connection:
        records = list(connection.execute(sa.select(ledger_door.c.record)).scalars())
    names = ("raise", "extend", "supersede", "revise")
    return [
        name for record in records for name in names if f"detectors.{name}_alert".encode() in record
    ]


def risky(site: CorrelationSite) -> set[str]:
    with site.spine.engine.connect() as connection:
        query = sa.select(alert_subjects.c.subject).where(alert_subjects.c.open.is_(True))
        return set(connection.execute(query).scalars())


def test_an_average_that_sinks_is_revised_and_comes_back_under_its_id(tmp_path: Path) -> None:
    with correlation_site(tmp_path, AVERAGE) as site:
        site.feed([hit(10, "e2", n="6", **{"source.ip": "203.0.113.7"})])
        (raised,) = site.all_alerts()
        assert (raised.status, raised.subjects) == ("open", {"source.ip": "203.0.113.7"})
        assert risky(site) == {"address:203.0.113.7"}
        site.feed([hit(5, "e1", n="1")])
        (revised,) = site.all_alerts()
        assert (revised.id, revised.status, risky(site)) == (raised.id, "revised", set())
        site.feed([hit(6, "e0", n="90", **{"source.ip": "203.0.113.7"})])
        (back,) = site.all_alerts()
        assert (back.id, back.status, back.event_count) == (raised.id, "open", 3)
        assert acts(site) == ["raise", "revise", "extend"]


def test_two_episodes_that_meet_are_the_older_one(tmp_path: Path) -> None:
    with correlation_site(tmp_path, COUNT) as site:
        site.feed([hit(30, "e3"), hit(31, "e4")])
        site.spine.parts.clock.advance(1)  # type: ignore[attr-defined]
        site.feed([hit(10, "e1"), hit(11, "e2")])
        later, earlier = site.all_alerts()
        site.feed([hit(21, "e9")])
        found = by_id(site)
        assert found[later.id].superseded == (earlier.id,)
        assert found[earlier.id].status == "superseded"
        kept = found[later.id]
        assert (kept.first_at, kept.last_at, kept.event_count) == (
            START + 10 * SECOND,
            START + 31 * SECOND,
            5,
        )
        assert kept.event_ids == ("e1", "e2", "e9", "e3", "e4")


def test_what_somebody_closed_is_not_taken_back_but_opens_again_for_more(tmp_path: Path) -> None:
    with correlation_site(tmp_path, AVERAGE) as site:
        site.feed([hit(10, "e2", n="6")])
        (raised,) = site.all_alerts()
        run = site.spine.parts.transactions.run
        run(lambda tx: site.alerts.close(tx, raised.id, "acc_1", "seen"))
        site.feed([hit(5, "e1", n="1")])
        assert by_id(site)[raised.id].status == "closed"


def test_an_alert_says_what_was_asked_and_measured(tmp_path: Path) -> None:
    with correlation_site(tmp_path, AVERAGE) as site:
        site.feed([hit(10, "e2", n="6"), hit(12, "e3", n="5")])
        (alert,) = site.all_alerts()
        assert [(r.condition, r.expected, r.seen) for r in alert.reasons] == [
            ("value_avg", "value_avg(n) ≥ 5 / 10 s", "6 / 2 s"),
            ("u", "group-by", "x"),
            ("rule", "rule a", "a"),
        ]


def test_a_silence_of_what_never_came_is_an_alert_about_its_group(tmp_path: Path) -> None:
    text = ABSENCE.replace("group-by: [u]", "group-by: [host.name]")
    with correlation_site(tmp_path, text) as site:
        site.settle(0)
        site.feed([event(5, "e1", kind="a", **{"host.name": "X"})])
        site.settle(11)
        (alert,) = site.all_alerts()
        assert (alert.group, alert.subjects) == (("y",), {"host.name": "y"})
        assert (alert.event_ids, alert.event_count) == ((), 0)
        assert alert.reasons[0].seen == "0 / 10 s"
        site.settle(16)
        assert site.live() == {("c", ("x",), 5, 15, 1), ("c", ("y",), 0, 10, 0)}
        site.settle(50)
        assert len(site.all_alerts()) == 2, "a silence is said once"


def test_a_late_sign_of_life_takes_the_silence_back(tmp_path: Path) -> None:
    with correlation_site(tmp_path, rule("type: absence, timespan: 10s, group-by: [u]")) as site:
        site.feed([hit(0, "e1")])
        site.settle(30)
        assert site.live() == {("c", ("x",), 0, 10, 1)}
        site.feed([hit(8, "e2"), hit(17, "e3"), hit(26, "e4")])
        site.settle(31)
        assert site.live() == set()
        (counts,) = site.spine.parts.transactions.read(site.correlations.counts)
        assert counts.late == 1


def test_of_two_that_settle_at_once_one_keeps_its_answer(tmp_path: Path) -> None:
    with correlation_site(tmp_path, rule("type: absence, timespan: 10s")) as site:
        site.feed([hit(0, "e1")])
        parts = site.spine.parts
        assessor = Assessor(parts.transactions, site.logs, site.alerts, site.correlations)
        both = [assessor.settle(site.detectors, START + 30 * SECOND, 1) for _ in range(2)]
        done = [
            parts.transactions.run(
                lambda tx, effects=effects: write_notes(tx, site.correlations, effects)
            )
            for effects in both
        ]
        assert done == [True, False]


class CountingStore(DatabaseCorrelations):
    """Counts the matches that are read."""

    def __init__(self) -> None:
        self.read = 0

    def matches(
        self, tx: Transaction, key: NodeKey, group: tuple[str, ...], window: tuple[int, int]
    ) -> Sequence[Match]:
        found = super().matches(tx, key, group, window)
        self.read += len(found)
        return found


@pytest.mark.parametrize("text", [COUNT, AVERAGE])
def test_an_episode_that_lasts_costs_no_more_on_its_last_day(tmp_path: Path, text: str) -> None:
    with correlation_site(tmp_path, text) as site:
        store = site.correlations = CountingStore()
        costs = []
        for step in range(40):
            store.read = 0
            site.feed([hit(step * 10 + n, f"e{step:03d}{n}", n="9") for n in range(10)])
            costs.append(store.read)
        assert site.live() == {("c", ("x",), 0, 399, 400)}
        assert max(costs[20:]) <= max(costs[:20])
        (alert,) = site.all_alerts()
        assert (alert.event_ids[0], len(alert.event_ids)) == ("e0000", 100)


def test_a_version_of_another_text_keeps_the_ids_of_what_was_found(tmp_path: Path) -> None:
    events = [hit(10, "e1"), hit(11, "e2"), hit(40, "e3"), hit(41, "e4"), hit(42, "e5")]
    with correlation_site(tmp_path, COUNT) as site:
        site.feed(events)
        first = {alert.id for alert in site.all_alerts()}
    with correlation_site(tmp_path, COUNT.replace("gte: 2", "gte: 3")) as site:
        site.feed(events[:3])
        assert {alert.status for alert in site.all_alerts()} == {"open"}, "not this version's"
        site.feed(events[3:])
        assert {alert.id for alert in site.all_alerts()} == first


def test_memory_of_sightings_outlives_the_logs(tmp_path: Path) -> None:
    text = rule("type: first_seen, timespan: 100s, learning: 5s, condition: {field: v}")
    with correlation_site(tmp_path, text) as site:
        site.feed([hit(0, "e1", v="p"), hit(10, "e2", v="q")])
        run = site.spine.parts.transactions.run
        run(lambda tx: site.correlations.forget(tx, START + 1_000 * SECOND))
        site.feed([hit(90, "e3", v="p"), hit(95, "e4", v="r")])
        assert site.live() == {("c", (), 10, 10, 1), ("c", (), 95, 95, 1)}


def correlations_of(house: DetectionHouse) -> CorrelationService:
    return CorrelationService(
        house.spine.parts, house.rules, DatabaseCorrelations(), DatabaseAlerts()
    )


def test_a_correlation_that_leaves_events_out_is_a_health_alert(tmp_path: Path) -> None:
    rules = own_rules("ssh_brute_force")
    with detection_house(tmp_path, rules) as house:
        service = correlations_of(house)

        def said() -> list[tuple[str, int, int]]:
            service.look()
            page = house.alerts.list_alerts(ANALYST, AlertFilter(), PageRequest(50))
            mine = [alert for alert in page.items if alert.group == (UNCOUNTED,)]
            return [(alert.status, alert.event_count, alert.version) for alert in mine]

        def leave_out(count: int, first: int) -> None:
            line = (
                "Nov 22 01:00:{:02d} web sshd[7]: Failed password for admin from host port 1 ssh2"
            )
            house.store([line.format(n) for n in range(first, first + count)])
            while house.runs.tick():
                pass

        assert said() == []
        leave_out(2, 0)
        assert said() == [("open", 2, 1)]
        leave_out(1, 10)
        assert said() == [("open", 2, 1)], "one more is no news"
        leave_out(1, 20)
        assert said() == [("open", 4, 2)]
        (alert,) = house.alerts.list_alerts(ANALYST, AlertFilter(), PageRequest(50)).items
        assert [(r.condition, r.seen) for r in alert.reasons] == [("without_group_field", "4")]
        house.alerts.close_alert(ANALYST, alert.id, "the host names are known")
        assert said() == [("closed", 4, 3)]
        leave_out(4, 30)
        assert said() == [("open", 8, 4)], "twice as many are news"
        house.rules.disable_rule(SECURITY_ADMIN, alert.rule_id, "a test")
        assert said() == [("closed", 8, 5)], "cured: it does not run"


def test_what_did_not_count_is_listed_for_enabled_correlations(tmp_path: Path) -> None:
    rules = own_rules("ssh_brute_force")
    with detection_house(tmp_path, rules) as house:
        service = correlations_of(house)
        assert service.list_uncounted(ANALYST) == []
        house.store(
            ["Nov 22 01:00:01 web sshd[7]: Failed password for admin from host port 1 ssh2"]
        )
        while house.runs.tick():
            pass
        (found,) = service.list_uncounted(ANALYST)
        shown = uncounted_json(found)
        assert (shown["title"], shown["without_group_field"], shown["late"]) == (
            "SSH password guessing from one address",
            1,
            0,
        )


def test_many_groups_are_judged_in_several_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detectors.service.correlation.correlating.MAX_DUE", 3)
    with correlation_site(tmp_path, rule("type: absence, timespan: 10s, group-by: [u]")) as site:
        site.feed([hit(n, f"e{n}", u=f"u{n}") for n in range(8)])
        site.settle(100)
        assert len(site.live()) == 8
