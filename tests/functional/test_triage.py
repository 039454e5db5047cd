"""Exceptions, suppression, health of rules, forecasts and risk over a real database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from detectors.errors import (
    BadException,
    BadSuppression,
    ExceptionNotFound,
    ExceptionNotOpen,
    NoRules,
    RuleNotFound,
    SuppressionNotFound,
)
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.rules import RuleFile
from detectors.models.triage import RuleException
from detectors.plane import rule_reports
from detectors.service.rules import rule_reports as reports_module
from detectors.service.rules.exceptions import ExceptionService, ExceptionWish
from detectors.service.rules.forecast import ForecastService
from detectors.service.rules.rule_reports import RuleReports
from detectors.service.triage.entities import FADE_EVERY, EntityService
from detectors.service.triage.suppression import SuppressionService, SuppressionWish
from detectors.store.alerts import DatabaseAlerts
from detectors.store.hits import DatabaseHits
from detectors.store.risks import DatabaseRisks
from detectors.store.triage import DatabaseExceptions, DatabaseSuppressions
from secops.adapters.database.tables import outbox_events
from secops.kernel.actors import ROOT_ORG
from secops.kernel.approvals import SelfApproval
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.logs import Window
from secops.kernel.pages import PageRequest
from tests.fakes.detection_house import (
    ANALYST,
    SECURITY_ADMIN,
    DetectionHouse,
    detection_house,
    own_rules,
    person,
)

FIRST = PageRequest(limit=200)
ROOT_SIGN_IN = own_rules("ssh_root_sign_in")


def root_login(hour: int, address: str = "198.51.100.9", minute: int = 0) -> str:
    return (
        f"Nov 22 {hour:02d}:{minute:02d}:00 web sshd[9]: "
        f"Accepted publickey for root from {address} port 5 ssh2"
    )


@dataclass(frozen=True)
class TriageHouse:
    house: DetectionHouse
    exceptions: ExceptionService
    suppressions: SuppressionService
    entities: EntityService
    reports: RuleReports
    forecasts: ForecastService

    def see(self, *lines: str) -> None:
        self.house.store(lines)
        while self.house.runs.tick():
            pass

    def alerts(self, wanted: AlertFilter | None = None) -> list[Alert]:
        return list(self.house.alerts.list_alerts(ANALYST, wanted or AlertFilter(), FIRST).items)

    def told(self, name: str) -> int:
        with self.house.spine.engine.connect() as connection:
            return list(connection.execute(sa.select(outbox_events.c.name)).scalars()).count(name)

    @property
    def rule_id(self) -> str:
        return self.house.rules.library().detectors[0].header.id


@pytest.fixture
def triage(tmp_path: Path) -> Iterator[TriageHouse]:
    with detection_house(tmp_path, ROOT_SIGN_IN) as house:
        parts, alerts = house.spine.parts, DatabaseAlerts()
        yield TriageHouse(
            house,
            ExceptionService(parts, DatabaseExceptions(), house.rules),
            SuppressionService(parts, DatabaseSuppressions(), alerts, house.rules),
            EntityService(parts, DatabaseRisks(), alerts),
            rule_reports(parts, house.logs, house.rules),
            ForecastService(parts, house.logs, house.rules),
        )


# grouping and versions


def test_a_plain_rule_raises_one_alert_for_an_entity_and_an_hour(triage: TriageHouse) -> None:
    triage.see(*(root_login(2, minute=minute) for minute in range(5)))
    triage.see(root_login(2, minute=30), root_login(2, "203.0.113.1"), root_login(3))
    found = {(a.group[1], a.first_at // (3_600 * SECOND) % 24): a for a in triage.alerts()}
    assert {key: a.event_count for key, a in found.items()} == {
        ("source.ip=198.51.100.9", 2): 6,
        ("source.ip=203.0.113.1", 2): 1,
        ("source.ip=198.51.100.9", 3): 1,
    }
    assert triage.told("alert_raised") == 3


def test_a_late_event_is_a_new_version_of_the_same_alert(triage: TriageHouse) -> None:
    triage.see(root_login(2, minute=30))
    (before,) = triage.alerts()
    triage.see(root_login(2, minute=10))
    (after,) = triage.alerts()
    assert (after.id, after.version, after.event_count) == (before.id, 2, 2)
    assert after.first_at == before.first_at - 20 * 60 * SECOND
    assert after.event_ids[1] == before.event_ids[0]
    read = triage.house.spine.transactions.read
    versions = read(lambda tx: DatabaseHits().versions(tx, after.id))
    assert [(v.version, v.event_count, v.first_at) for v in versions] == [
        (1, 1, before.first_at),
        (2, 2, after.first_at),
    ]


# exceptions


def wish(triage: TriageHouse, address: str = "198.51.100.9") -> ExceptionWish:
    return ExceptionWish(triage.rule_id, {"source.ip": address}, "ops", "our own scanner", 30)


def granted(triage: TriageHouse) -> RuleException:
    asked = triage.exceptions.request_exception(ANALYST, wish(triage))
    return triage.exceptions.decide_exception(SECURITY_ADMIN, asked.id, grant=True, reason="seen")


def test_an_exception_holds_once_another_person_approved_it(triage: TriageHouse) -> None:
    asked = triage.exceptions.request_exception(ANALYST, wish(triage))
    triage.see(root_login(2))
    assert len(triage.alerts()) == 1, "a request alone changes nothing"
    decided = triage.exceptions.decide_exception(
        SECURITY_ADMIN, asked.id, grant=True, reason="seen"
    )
    assert (decided.state, decided.decided_by) == ("active", SECURITY_ADMIN.id)
    triage.see(root_login(4), root_login(5), root_login(5, "203.0.113.1"))
    assert len(triage.alerts()) == 2
    (listed,) = triage.exceptions.list_exceptions(ANALYST)
    assert (listed.hits, listed.owner) == (2, "ops")
    assert listed.last_hit_at is not None


def test_an_exception_that_expired_or_was_revoked_hides_nothing(triage: TriageHouse) -> None:
    exception = granted(triage)
    triage.house.clock.advance(31 * DAY / SECOND)
    triage.see(root_login(2))
    assert len(triage.alerts()) == 1
    other = granted(triage)
    triage.exceptions.revoke_exception(ANALYST, other.id, "scanner is gone")
    triage.see(root_login(4))
    assert len(triage.alerts()) == 2
    with pytest.raises(ExceptionNotOpen):
        triage.exceptions.revoke_exception(ANALYST, other.id, "again")
    assert exception.expires_at < triage.house.clock.now()


def test_nobody_grants_their_own_exception(triage: TriageHouse) -> None:
    both = person("analyst")
    both = type(both)(
        "account", "acc_both", ROOT_ORG, "both", roles=frozenset({"analyst", "security-admin"})
    )
    asked = triage.exceptions.request_exception(both, wish(triage))
    with pytest.raises(SelfApproval):
        triage.exceptions.decide_exception(both, asked.id, grant=True, reason="mine")
    with pytest.raises(Forbidden):
        triage.exceptions.decide_exception(ANALYST, asked.id, grant=True, reason="no right")
    rejected = triage.exceptions.decide_exception(
        SECURITY_ADMIN, asked.id, grant=False, reason="too wide"
    )
    assert rejected.state == "rejected"
    triage.see(root_login(2))
    assert len(triage.alerts()) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"condition": {}},
        {"condition": {"source.ip|nonsense": "x"}},
        {"days": 0},
        {"days": 367},
        {"owner": " "},
        {"reason": "x" * 501},
        {"condition": {"source.ip": "x" * 9_000}},
    ],
)
def test_an_exception_that_says_too_little_is_refused(
    triage: TriageHouse, bad: dict[str, object]
) -> None:
    good = {"condition": {"source.ip": "203.0.113.1"}, "owner": "o", "reason": "r", "days": 1}
    with pytest.raises(BadException):
        triage.exceptions.request_exception(
            ANALYST, ExceptionWish(triage.rule_id, **{**good, **bad})
        )


def test_exceptions_of_unknown_rules_and_other_organisations_are_not_there(
    triage: TriageHouse,
) -> None:
    with pytest.raises(RuleNotFound):
        triage.exceptions.request_exception(
            ANALYST, ExceptionWish("nothing", {"a": "b"}, "o", "r", 1)
        )
    exception = granted(triage)
    stranger = person("security-admin", "org_other")
    with pytest.raises(ExceptionNotFound):
        triage.exceptions.decide_exception(stranger, exception.id, grant=True, reason="x")


# suppression


def quiet_wish(**other: object) -> SuppressionWish:
    values = {"rule_id": "*", "by": ("source.ip",), "window": 86_400, "days": 30}
    return SuppressionWish(**{**values, "owner": "ops", "reason": "known", **other})


def test_suppression_loses_nothing_and_lifting_it_raises_everything(triage: TriageHouse) -> None:
    suppression = triage.suppressions.add_suppression(ANALYST, quiet_wish())
    lines = [root_login(hour) for hour in range(2, 9)]
    triage.see(*lines, root_login(2, "203.0.113.1"))
    assert len(triage.alerts(AlertFilter(status="open"))) == 2
    quiet = triage.alerts(AlertFilter(status="suppressed"))
    assert len(quiet) == 6
    assert {alert.suppressed_by for alert in quiet} == {suppression.id}
    assert triage.told("alert_raised") == 2
    shown, groups = triage.suppressions.show_suppression(ANALYST, suppression.id)
    assert shown.id == suppression.id
    assert [(group.count, len(group.sample)) for group in groups] == [(6, 5), (0, 0)]
    before = {alert.id for alert in triage.alerts()}
    assert triage.suppressions.lift_suppression(ANALYST, suppression.id, "not known") == 6
    assert {alert.id for alert in triage.alerts(AlertFilter(status="open"))} == before
    assert triage.told("alert_raised") == 8
    assert triage.suppressions.lift_suppression(ANALYST, suppression.id, "again") == 0


def test_a_quiet_alert_grows_quietly_and_carries_no_risk(triage: TriageHouse) -> None:
    triage.suppressions.add_suppression(ANALYST, quiet_wish())
    triage.see(root_login(2), root_login(3))
    risk = triage.entities.show_entity(ANALYST, "account:root").risk.risk
    assert risk == 40
    triage.see(root_login(3, minute=9))
    (quiet,) = triage.alerts(AlertFilter(status="suppressed"))
    assert (quiet.event_count, quiet.version) == (2, 2)
    assert triage.entities.show_entity(ANALYST, "account:root").risk.risk == 40


def test_the_next_window_has_a_loud_alert_again(triage: TriageHouse) -> None:
    triage.suppressions.add_suppression(ANALYST, quiet_wish(window=2 * 3_600))
    triage.see(*(root_login(hour) for hour in range(2, 9)))
    assert len(triage.alerts(AlertFilter(status="open"))) == 3
    assert len(triage.alerts(AlertFilter(status="suppressed"))) == 4


@pytest.mark.parametrize(
    "bad",
    [{"by": ()}, {"by": ("password",)}, {"window": 0}, {"days": 0}, {"owner": ""}, {"reason": ""}],
)
def test_a_suppression_that_says_too_little_is_refused(
    triage: TriageHouse, bad: dict[str, object]
) -> None:
    with pytest.raises(BadSuppression):
        triage.suppressions.add_suppression(ANALYST, quiet_wish(**bad))


def test_suppressions_of_other_organisations_are_not_there(triage: TriageHouse) -> None:
    suppression = triage.suppressions.add_suppression(
        ANALYST, quiet_wish(rule_id=triage.rule_id, by=("session.id",))
    )
    stranger = person("analyst", "org_other")
    assert list(triage.suppressions.list_suppressions(stranger)) == []
    with pytest.raises(SuppressionNotFound):
        triage.suppressions.lift_suppression(stranger, suppression.id, "x")
    with pytest.raises(Forbidden):
        triage.suppressions.add_suppression(SECURITY_ADMIN, quiet_wish())
    triage.see(root_login(2), root_login(3))
    assert len(triage.alerts(AlertFilter(status="open"))) == 2, "they have no session"


# rules' reports and health


def test_a_rule_says_what_it_saw_and_when_it_hit(triage: TriageHouse) -> None:
    triage.see(root_login(2), root_login(3))
    report = triage.reports.report_rule(ANALYST, triage.rule_id)
    assert (report.last_seq, report.gaps, report.events) == (2, (), 2)
    assert (report.sources, report.missing, report.problems) == (("test",), (), ())
    assert report.last_hit_at == triage.alerts()[0].first_at
    assert [each.rule_id for each in triage.reports.report_rules(ANALYST)] == [triage.rule_id]
    with pytest.raises(RuleNotFound):
        triage.reports.report_rule(ANALYST, "nothing")


def test_what_a_rule_costs_is_measured(triage: TriageHouse) -> None:
    triage.see(*(root_login(hour, minute=minute) for hour in range(2, 5) for minute in range(60)))
    cost = triage.reports.report_rule(ANALYST, triage.rule_id).cost
    assert cost is not None
    assert cost > 0


def test_a_field_that_nobody_ever_saw_is_a_health_alert_that_closes_itself(
    triage: TriageHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports_module, "LEAST_EVENTS", 3)
    line = "Nov 22 02:00:00 web sshd[9]: Connection closed by 198.51.100.9 port 5"
    triage.see(*(line.replace("02:00:00", f"02:00:{n:02d}") for n in range(5)))
    report = triage.reports.report_rule(ANALYST, triage.rule_id)
    assert "user.name" in report.missing
    assert report.problems == ("fields_missing",)
    (listed,) = triage.reports.list_unscanned(ANALYST)
    assert (listed.detector, listed.problems) == (triage.rule_id, ("fields_missing",))
    triage.reports.look()
    triage.reports.look()
    (alert,) = triage.alerts()
    assert (alert.kind, alert.status, alert.group) == ("health", "open", ("fields_missing",))
    assert "user.name" in alert.reasons[0].expected
    triage.see(root_login(3))
    assert triage.reports.report_rule(ANALYST, triage.rule_id).missing == ()
    triage.reports.look()
    (cured,) = triage.alerts(AlertFilter(rule_id=alert.rule_id))
    assert (cured.status, cured.close_reason) == ("closed", "cured")


# forecasts


def test_a_forecast_says_what_a_rule_would_raise_and_raises_nothing(triage: TriageHouse) -> None:
    triage.house.store([root_login(hour) for hour in range(2, 9)])
    found = triage.forecasts.forecast_rule(ANALYST, triage.rule_id, Window())
    assert (found.events, found.hits, found.alerts) == (7, 7, 7)
    assert found.volume.mean == 7.0
    assert found.volume.low < 7.0 < found.volume.high
    assert found.groups[0][1] == 7
    assert [stored.event.raw.decode() for stored in found.sample[:1]] == [root_login(2)]
    assert triage.alerts() == []
    while triage.house.runs.tick():
        pass
    assert len(triage.alerts()) == found.alerts


def test_a_forecast_of_files_counts_correlations_as_they_would_fire(triage: TriageHouse) -> None:
    failures = [
        f"Nov 22 01:{minute:02d}:{second:02d} web sshd[7]: Failed password for admin "
        f"from 203.0.113.7 port {41000 + second} ssh2"
        for minute in (0, 20)
        for second in range(6)
    ]
    triage.house.store(failures)
    files = own_rules("ssh_brute_force").files
    by_title = {
        each.title: each for each in triage.forecasts.forecast_files(ANALYST, files, Window())
    }
    guessing = by_title["SSH password guessing from one address"]
    assert (guessing.hits, guessing.alerts, guessing.groups) == (12, 2, (("203.0.113.7", 2),))
    with pytest.raises(NoRules):
        triage.forecasts.forecast_files(ANALYST, [RuleFile("x.yml", b"title: x")], Window())
    with pytest.raises(RuleNotFound):
        triage.forecasts.forecast_rule(ANALYST, "nothing", Window())


def test_a_forecast_looks_at_its_window_only(triage: TriageHouse) -> None:
    triage.house.store([root_login(hour) for hour in range(2, 9)])
    (first, *_) = triage.house.logs.get(
        [row for batch in triage.house.logs.scan(1) for row in batch.ids][:1]
    )
    window = Window(first.event.at + 3_600 * SECOND, first.event.at + 3 * 3_600 * SECOND)
    found = triage.forecasts.forecast_rule(ANALYST, triage.rule_id, window)
    assert (found.events, found.alerts) == (2, 2)


# risk of entities


def test_risk_fades_and_the_fading_is_published(triage: TriageHouse) -> None:
    triage.see(root_login(2))
    listed = triage.entities.list_entities(ANALYST, PageRequest())
    risks = {each.subject: each.risk for each in listed.items}
    assert risks == {"account:root": 40, "address:198.51.100.9": 40}
    told = triage.told("subject_risk_changed")
    assert triage.entities.fade_risks() is False
    triage.house.clock.advance(7 * DAY / SECOND)
    triage.entities.fade_risks()
    assert triage.told("subject_risk_changed") == told + 2
    entity = triage.entities.show_entity(ANALYST, "account:root")
    assert (entity.risk.risk, len(entity.alerts)) == (20, 1)
    assert [point.risk for point in entity.history] == [40, 20]
    triage.house.clock.advance(FADE_EVERY / SECOND + 1)
    triage.entities.fade_risks()
    assert triage.told("subject_risk_changed") == told + 2, "nothing changed, nothing is told"


def test_criticality_raises_the_risk_at_once_and_only_by_right(triage: TriageHouse) -> None:
    triage.see(root_login(2))
    with pytest.raises(Forbidden):
        triage.entities.set_criticality(ANALYST, "account:root", 2.0, "it is root")
    with pytest.raises(Invalid):
        triage.entities.set_criticality(SECURITY_ADMIN, "account:root", 9.0, "too much")
    with pytest.raises(Invalid):
        triage.entities.show_entity(ANALYST, "root")
    risk = triage.entities.set_criticality(SECURITY_ADMIN, "account:root", 2.0, "it is root")
    assert (risk.risk, risk.criticality) == (64, 2.0)
    other = triage.entities.set_criticality(SECURITY_ADMIN, "account:nobody", 0.5, "a guest")
    assert (other.risk, other.criticality) == (0, 0.5)
