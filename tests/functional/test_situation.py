"""The situation: what is seen is kept with its days, and each number is that of its list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from detectors.models.alerts import AlertFilter
from detectors.models.logs import LogSource, SourceHealth
from detectors.models.rules import Severity
from detectors.models.situation import FIGURES, RISKY, SituationView
from detectors.ports.situation import NoOpenIncidents
from detectors.service.situation.presentation import situation_json
from detectors.service.situation.situations import STALE, SituationService
from detectors.store.alert_queue import DatabaseAlertQueue
from detectors.store.alerts import DatabaseAlerts
from detectors.store.risks import DatabaseRisks
from detectors.store.situation import DatabaseSituations
from detectors.store.sources import SqlLogSources, SqlSourceHealths
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY, HOUR, SECOND, day_start
from secops.kernel.errors import Forbidden
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction
from tests.fakes.detection_house import ANALYST, DetectionHouse, detection_house, own_rules, person

LIST = PageRequest(limit=200)


class TwoIncidents(NoOpenIncidents):
    def count_open(self, tx: Transaction, org_id: str) -> int:
        del tx
        return 2 if org_id == ROOT_ORG else 0


@dataclass(frozen=True)
class Watch:
    house: DetectionHouse
    situations: SituationService

    def see(self, hour: int, address: str, severity: Severity) -> None:
        """Raise an alert of ``severity`` by a real line."""
        said = f"Accepted publickey for root from {address} port 5 ssh2"
        self.house.store([f"Nov 22 {hour:02d}:00:00 web sshd[9]: {said}"])
        while self.house.runs.tick():
            pass
        store = DatabaseAlerts()
        found = self.house.alerts.list_alerts(ANALYST, AlertFilter(), LIST).items
        (alert,) = [each for each in found if f"source.ip={address}" in each.group]
        subjects = [f"{kind}:{value}" for kind, value in alert.subjects.items()]
        self.house.spine.transactions.run(
            lambda tx: store.change(tx, replace(alert, severity=severity), subjects)
        )

    def looked(self) -> SituationView:
        self.situations.look()
        found = self.situations.show_situation(ANALYST)
        assert found is not None
        return found


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        yield Watch(
            house,
            SituationService(
                house.spine.parts,
                house.logs,
                DatabaseSituations(),
                DatabaseAlertQueue(),
                SqlLogSources(),
                SqlSourceHealths(),
                TwoIncidents(),
            ),
        )


def test_nothing_is_shown_before_the_first_look_and_nothing_to_who_may_not(watch: Watch) -> None:
    assert watch.situations.show_situation(ANALYST) is None
    with pytest.raises(Forbidden):
        watch.situations.show_situation(person("system-admin"))
    empty = watch.looked()
    assert dict(empty.situation.figures) == {**dict.fromkeys(FIGURES, 0), "incidents": 2}
    other = replace(ANALYST, org_id="org_other")
    assert watch.situations.show_situation(other) is None


def test_a_fresh_situation_is_not_made_anew(watch: Watch) -> None:
    first = watch.looked()
    watch.see(1, "198.51.100.9", "high")
    watch.house.clock.advance(59)
    assert watch.looked().situation == first.situation
    watch.house.clock.advance(1)
    assert watch.looked().situation.figures["open"] == 1


def test_an_organisation_that_fails_keeps_no_other_from_being_seen(watch: Watch) -> None:
    class OneFails(NoOpenIncidents):
        def count_open(self, tx: Transaction, org_id: str) -> int:
            if org_id == "org_a":
                msg = "a poisoned row"
                raise RuntimeError(msg)
            return super().count_open(tx, org_id)

    source = LogSource("theirs", "org_a", "syslog", "UTC")
    watch.house.spine.transactions.run(lambda tx: SqlLogSources().add(tx, source))
    situations = replace(watch.situations, incidents=OneFails())
    assert min("org_a", ROOT_ORG) == "org_a", "it comes first"
    with pytest.raises(RuntimeError, match="a poisoned row"):
        situations.look()
    assert situations.show_situation(ANALYST) is not None


def test_each_number_is_that_of_its_list(watch: Watch) -> None:
    watch.see(1, "198.51.100.9", "critical")
    watch.see(2, "198.51.100.10", "high")
    watch.house.clock.advance(60)
    told = {"account:root": (90, "why"), "address:198.51.100.9": (RISKY - 1, "why")}
    watch.house.spine.transactions.run(lambda tx: DatabaseAlerts().note_risks(tx, ROOT_ORG, told))
    found = watch.looked()
    figures = found.situation.figures
    alerts, read = watch.house.alerts, watch.house.spine.transactions.read
    for figure, wanted in {
        "open": AlertFilter(status="open"),
        "critical": AlertFilter(status="open", severity="critical"),
        "unacknowledged": AlertFilter(status="open", acknowledged=False),
        "overdue": AlertFilter(status="open", due_before=watch.house.clock.now()),
    }.items():
        listed = alerts.list_alerts(ANALYST, wanted, LIST).items
        assert (figure, figures[figure]) == (figure, len(listed))  # type: ignore[index] - as above
    risky = read(lambda tx: DatabaseRisks().riskiest(tx, ROOT_ORG, LIST, RISKY))
    assert figures["risky_entities"] == len(risky) == 1
    assert (figures["open"], figures["critical"], figures["overdue"]) == (2, 1, 0)
    watch.house.clock.advance(HOUR // SECOND)
    assert watch.looked().situation.figures["overdue"] == 2


def test_risk_is_weighed_by_the_source_of_the_first_line_and_its_owner(watch: Watch) -> None:
    sources, run = SqlLogSources(), watch.house.spine.transactions.run
    source = LogSource("test", ROOT_ORG, "syslog", "UTC", owner="信息中心")
    run(lambda tx: sources.add(tx, source))
    silent = SourceHealth(ROOT_ORG, "test", silent_since=1)
    run(lambda tx: SqlSourceHealths().observe(tx, silent))
    watch.see(1, "198.51.100.9", "critical")
    watch.see(2, "198.51.100.10", "high")
    found = watch.looked().situation
    (system,) = found.systems
    assert (system.system, system.owner, system.alerts, system.score) == (
        "test",
        "信息中心",
        2,
        90 + 70,
    )
    assert (found.weighed, found.unplaced) == (2, 0)
    assert found.figures["silent_sources"] == 1


def test_days_that_are_over_stay_as_they_were_seen(watch: Watch) -> None:
    watch.see(1, "198.51.100.9", "high")
    first = watch.looked()
    watch.house.clock.advance(DAY // SECOND)
    watch.see(2, "198.51.100.10", "high")
    second = watch.looked()
    today = day_start(watch.house.clock.now())
    assert first.trends["open"] == ((today - DAY, 1),)
    assert second.trends["open"] == ((today - DAY, 1), (today, 2))
    assert second.situation.raised == ((today - DAY, 1),)
    watch.house.clock.advance(500 * DAY // SECOND)
    kept = watch.looked()
    assert [len(days) for days in kept.trends.values()] == [1] * len(FIGURES)


def test_what_is_old_is_called_so(watch: Watch) -> None:
    watch.looked()
    watch.house.clock.advance(STALE // SECOND)
    found = watch.situations.show_situation(ANALYST)
    assert found is not None
    assert not found.is_stale
    watch.house.clock.advance(1)
    late = watch.situations.show_situation(ANALYST)
    assert late is not None
    assert (late.is_stale, situation_json(late)["stale"]) == (True, True)


def test_three_weeks_of_alerts_are_carried_on_with_the_methods_own_error(watch: Watch) -> None:
    for _ in range(23):
        watch.house.clock.advance(DAY // SECOND)
        day = day_start(watch.house.clock.now())
        watch.house.spine.transactions.run(
            lambda tx, day=day: DatabaseSituations().note(tx, ROOT_ORG, day, {"raised": 4})
        )
    watch.house.clock.advance(DAY // SECOND)
    found = watch.looked()
    assert found.forecast is not None
    told = situation_json(found)["forecast"]
    assert [day["expected"] for day in told["days"]] == [4.0] * 7
    assert (told["mean_absolute_error"], told["covered"]) == (0, 1)
