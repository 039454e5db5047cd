"""Detectors over a real database: each event is seen once, findings have one id."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from detectors.errors import AlertNotFound, AlertNotOpen, RuleNotFound
from detectors.jobs import detection_jobs
from detectors.models.alerts import Alert, AlertFilter
from detectors.service.runs import steps
from detectors.service.runs.runs import LEASE
from detectors.store.tables import cursors, evaluations, matches
from secops.adapters.database.tables import leases, ledger_door, outbox_events
from secops.kernel.anchors import ANYTHING, Anchor
from secops.kernel.clock import SECOND
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.logs import Batch, StoredEvent, Window
from secops.kernel.pages import PageRequest
from tests.fakes.detection_house import (
    ANALYST,
    SECURITY_ADMIN,
    DetectionHouse,
    RulesIn,
    detection_house,
    over,
    own_rules,
    person,
)
from tests.fakes.log_store import FakeLogStore

FIRST = PageRequest(limit=200)


def failure(second: int, address: str = "203.0.113.7", minute: int = 0) -> str:
    return (
        f"Nov 22 01:{minute:02d}:{second:02d} web sshd[7]: "
        f"Failed password for admin from {address} port {41000 + second} ssh2"
    )


ROOT_LOGIN = (
    "Nov 22 02:00:00 web sshd[9]: Accepted publickey for root from 198.51.100.9 port 5 ssh2"
)


def all_alerts(house: DetectionHouse, wanted: AlertFilter | None = None) -> list[Alert]:
    return list(house.alerts.list_alerts(ANALYST, wanted or AlertFilter(), FIRST).items)


def drain(house: DetectionHouse) -> None:
    while house.runs.tick():
        pass


def test_a_brute_force_becomes_one_alert_that_says_why(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_brute_force")) as house:
        house.store([failure(second) for second in range(6)])
        drain(house)
        (alert,) = all_alerts(house)
        shown = house.alerts.show_alert(ANALYST, alert.id)
        assert (alert.kind, alert.event_count, alert.severity) == ("correlation", 6, "high")
        assert alert.group == ("203.0.113.7",)
        assert alert.subjects == {
            "user.name": "admin",
            "source.ip": "203.0.113.7",
            "host.name": "web",
        }
        assert alert.reasons[0].expected == "≥ 5 / 300 s"
        assert alert.reasons[0].seen == "6 / 5 s"
        assert [stored.event.raw.decode() for stored in shown.events] == [
            failure(second) for second in range(6)
        ]
        assert alert.custom["gbt20986"] == "NACRED"


def test_a_second_run_raises_nothing_new_and_answers_the_same(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_brute_force", "ssh_root_sign_in")) as house:
        house.store([*(failure(second) for second in range(6)), ROOT_LOGIN])
        first = house.runs.run_detectors(ANALYST, Window())
        house.clock.advance(60)
        second = house.runs.run_detectors(ANALYST, Window())
        assert (first.new, second.new) == (2, 0)
        assert first.alerts == second.alerts
        assert (first.rules, first.events) == (2, 7)


def test_ids_are_the_same_in_another_home_and_in_other_portions(tmp_path: Path) -> None:
    lines = [*(failure(second) for second in range(9)), ROOT_LOGIN]
    rules = own_rules("ssh_brute_force", "ssh_root_sign_in")
    found = []
    for name, size in (("whole", 10), ("portions", 2)):
        with detection_house(tmp_path / name, rules) as house:
            for start in range(0, len(lines), size):
                house.store(lines[start : start + size])
                drain(house)
            found.append({(a.id, a.first_at, a.last_at, a.event_count) for a in all_alerts(house)})
    assert {entry[0] for entry in found[0]} == {entry[0] for entry in found[1]}
    assert found[0] == found[1]


def test_an_episode_grows_and_two_that_meet_become_the_older_one(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_brute_force")) as house:
        house.store([failure(second) for second in range(5)])
        drain(house)
        house.clock.advance(1)
        house.store([failure(second, minute=8) for second in range(5)])
        drain(house)
        older, younger = sorted(all_alerts(house), key=lambda alert: alert.raised_at)
        house.clock.advance(1)
        house.store([failure(0, minute=minute) for minute in (3, 4, 5, 6, 7)])
        drain(house)
        (open_alert,) = all_alerts(house, AlertFilter(status="open"))
        (merged,) = all_alerts(house, AlertFilter(status="superseded"))
        assert (open_alert.id, merged.id) == (older.id, younger.id)
        assert open_alert.superseded == (younger.id,)
        assert open_alert.event_count == 15


def test_what_raises_an_alert_is_recorded_and_announced_with_it(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        house.store([ROOT_LOGIN])
        drain(house)
        with house.spine.engine.connect() as connection:
            records = [row.record for row in connection.execute(sa.select(ledger_door))]
            events = [
                (row.name, row.payload) for row in connection.execute(sa.select(outbox_events))
            ]
        assert sum(b"detectors.raise_alert" in record for record in records) == 1
        assert [name for name, _ in events] == [
            "alert_raised",
            "subject_risk_changed",
            "subject_risk_changed",
        ]
        assert '"subject":"account:root","risk":40' in events[1][1]
        assert '"subject":"address:198.51.100.9","risk":40' in events[2][1]


def test_closing_needs_a_reason_works_once_and_lowers_the_risk(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        house.store([ROOT_LOGIN])
        drain(house)
        (alert,) = all_alerts(house)
        with pytest.raises(Invalid):
            house.alerts.close_alert(ANALYST, alert.id, "  ")
        with pytest.raises(Forbidden):
            house.alerts.close_alert(SECURITY_ADMIN, alert.id, "mine")
        closed = house.alerts.close_alert(ANALYST, alert.id, "approved emergency access")
        assert (closed.status, closed.closed_by) == ("closed", ANALYST.id)
        with pytest.raises(AlertNotOpen):
            house.alerts.close_alert(ANALYST, alert.id, "again")
        with house.spine.engine.connect() as connection:
            payloads = list(connection.execute(sa.select(outbox_events.c.payload)).scalars())
        assert '"subject":"account:root","risk":0' in payloads[-2]


def test_a_closed_episode_opens_again_when_it_goes_on(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_brute_force")) as house:
        lines = [failure(second) for second in range(5)]
        house.store(lines)
        drain(house)
        (alert,) = all_alerts(house)
        house.clock.instant = alert.last_at + SECOND
        house.alerts.close_alert(ANALYST, alert.id, "a forgotten password")
        house.store([failure(second, minute=1) for second in range(3)])
        drain(house)
        (again,) = all_alerts(house)
        assert (again.id, again.status, again.event_count) == (alert.id, "open", 8)


def test_an_alert_of_another_organisation_is_not_there(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        house.store([ROOT_LOGIN])
        drain(house)
        (alert,) = all_alerts(house)
        stranger = person("analyst", "org_other")
        assert list(house.alerts.list_alerts(stranger, AlertFilter(), FIRST).items) == []
        with pytest.raises(AlertNotFound):
            house.alerts.show_alert(stranger, alert.id)


def test_alerts_come_in_pages_newest_event_first_and_filtered(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        lines = [ROOT_LOGIN.replace("02:00:00", f"{hour:02d}:00:00") for hour in range(2, 9)]
        house.store(lines)
        drain(house)
        seen: list[Alert] = []
        page = PageRequest(limit=3)
        while True:
            found = house.alerts.list_alerts(ANALYST, AlertFilter(subject="account:root"), page)
            seen.extend(found.items)
            if found.next is None:
                break
            page = PageRequest(3, (seen[-1].last_at, seen[-1].id))
        assert len(seen) == 7
        assert [a.last_at for a in seen] == sorted((a.last_at for a in seen), reverse=True)
        late = AlertFilter(severity="medium", since=seen[1].last_at, rule_id=seen[0].rule_id)
        assert len(all_alerts(house, late)) == 2
        assert all_alerts(house, AlertFilter(severity="critical")) == []


def test_a_rule_is_switched_by_the_security_administrator_only(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in", "platform_role_changed")) as house:
        waiting = {rule.header.name: rule for rule in house.rules.list_rules(ANALYST)}
        assert (waiting["ssh_root_sign_in"].enabled, waiting["platform_role_changed"].enabled) == (
            True,
            False,
        )
        rule_id = waiting["ssh_root_sign_in"].header.id
        with pytest.raises(Forbidden):
            house.rules.disable_rule(ANALYST, rule_id, "noisy")
        with pytest.raises(Invalid):
            house.rules.disable_rule(SECURITY_ADMIN, rule_id, " ")
        with pytest.raises(RuleNotFound):
            house.rules.enable_rule(SECURITY_ADMIN, "nothing")
        house.rules.disable_rule(SECURITY_ADMIN, rule_id, "noisy")
        house.store([ROOT_LOGIN])
        drain(house)
        assert all_alerts(house) == []
        house.rules.enable_rule(SECURITY_ADMIN, rule_id)
        assert [u.detector for u in house.runs.list_unscanned(ANALYST)] == [rule_id]
        drain(house)
        assert len(all_alerts(house)) == 1
        assert house.runs.list_unscanned(ANALYST) == []
        decided = house.rules.show_rule(ANALYST, rule_id).decided
        assert decided is not None
        assert decided.changed_by == SECURITY_ADMIN.id
        with house.spine.engine.connect() as connection:
            records = list(connection.execute(sa.select(ledger_door.c.record)).scalars())
        assert sum(b"detectors.disable_rule" in record for record in records) == 1


def test_which_version_saw_which_events_is_evidence(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        for _ in range(3):
            house.store([ROOT_LOGIN])
            house.store([failure(1)])
            drain(house)
        (seen,) = house.runs.list_evaluations(ANALYST, FIRST).items
        assert (seen.first_seq, seen.last_seq, seen.events, seen.hits) == (
            1,
            house.logs.last_seq(),
            house.logs.last_seq(),
            1,
        )


def test_a_rule_that_raises_is_a_health_alert_and_silences_only_itself(tmp_path: Path) -> None:
    broken = """
title: Broken
id: 00000000-0000-0000-0000-00000000000b
status: stable
logsource: {product: linux, service: sshd}
detection:
  selection:
    source.ip|cidr: 203.0.113.0/24
  condition: selection
"""
    rules = RulesIn(broken=broken, root=(own_rules("ssh_root_sign_in").files[0].content.decode()))
    with detection_house(tmp_path, rules) as house:
        library = house.rules.library()
        bad = next(d for d in library.detectors if d.header.title == "Broken")
        object.__setattr__(bad.rules[0], "tree", Unanswerable())
        house.store([ROOT_LOGIN])
        drain(house)
        found = {alert.kind: alert for alert in all_alerts(house)}
        assert set(found) == {"rule", "health"}
        assert found["health"].rule_id == bad.header.id


class Unanswerable:
    """A question that nobody can answer."""

    field = "source.ip"


def test_the_matches_of_silenced_rules_raise_nothing_by_themselves(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_brute_force")) as house:
        house.store([failure(second) for second in range(4)])
        drain(house)
        assert all_alerts(house) == []
        assert [d.header.name for d in house.rules.library().detectors] == ["ssh_brute_force"]


class Interrupted(FakeLogStore):
    """Calls ``meanwhile`` once, in the middle of a scheduler's step."""

    def __init__(self, behind: FakeLogStore) -> None:
        super().__init__()
        self.behind = behind
        self.meanwhile: Callable[[], None] | None = None

    def last_seq(self) -> int:
        return self.behind.last_seq()

    def get(self, event_ids: Sequence[str]) -> Sequence[StoredEvent]:
        return self.behind.get(event_ids)

    def scan(
        self, first_seq: int, last_seq: int | None = None, anchor: Anchor = ANYTHING
    ) -> Iterator[Batch]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return self.behind.scan(first_seq, last_seq, anchor)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def lose_lease(house: DetectionHouse) -> None:
    """Let time pass until the lease has run out."""
    with house.spine.engine.begin() as connection:
        connection.execute(leases.update().where(leases.c.name == LEASE).values(until=0))


def progress(house: DetectionHouse) -> tuple[list[tuple[int, int]], list[int]]:
    with house.spine.engine.connect() as connection:
        ranges = sa.select(evaluations.c.first_seq, evaluations.c.last_seq)
        seen = [(row.first_seq, row.last_seq) for row in connection.execute(ranges)]
        return seen, list(connection.execute(sa.select(cursors.c.next_seq)).scalars())


@pytest.mark.parametrize("how", ["killed", "paused"])
def test_of_two_schedulers_each_window_is_evaluated_once(tmp_path: Path, how: str) -> None:
    """One of them is killed, or sleeps past its lease and comes back, at every other step."""
    rules = own_rules("ssh_brute_force", "ssh_root_sign_in")
    lines = [failure(second) for second in range(20)] + [ROOT_LOGIN]
    with (
        detection_house(tmp_path / "reference", rules) as reference,
        detection_house(tmp_path / "shared", rules) as steady,
    ):
        reference.store(lines)
        drain(reference)
        assert isinstance(steady.logs, FakeLogStore)
        logs = Interrupted(steady.logs)
        unlucky = over(steady.spine, steady.clock, rules, logs)

        def overtake() -> None:
            assert steady.runs.tick() is False, "the lease keeps others out"
            lose_lease(steady)
            drain(steady)
            if how == "killed":
                raise Killed

        interruptions = 0
        for start in range(len(lines)):
            steady.store(lines[start : start + 1])
            if start % 2:
                logs.meanwhile = overtake
                with contextlib.suppress(Killed):
                    unlucky.runs.tick()
                interruptions += 1
            else:
                drain(steady)
        expected = {(a.id, a.event_count, a.last_at) for a in all_alerts(reference)}
        assert {(a.id, a.event_count, a.last_at) for a in all_alerts(steady)} == expected
        seen, next_seqs = progress(steady)
        print(f"two schedulers, one {how} {interruptions} times, {len(lines)} windows: each once")
        assert seen == [(1, len(lines))] * 2
        assert next_seqs == [len(lines) + 1] * 2
        with steady.spine.engine.connect() as connection:
            assert set(connection.execute(sa.select(evaluations.c.events)).scalars()) == {
                len(lines)
            }


def test_matches_are_forgotten_with_the_events_they_count(tmp_path: Path) -> None:
    with detection_house(tmp_path, own_rules("ssh_brute_force")) as house:
        house.store([failure(second) for second in range(4)])
        run, forget = detection_jobs(house.runs, retention_days=200)
        assert run.tick() is True
        assert run.tick() is False
        assert house.runs.forget_matches(200) == 0
        house.clock.advance(200 * 86_400)
        assert forget.tick() is False
        with house.spine.engine.connect() as connection:
            assert list(connection.execute(sa.select(matches))) == []


def test_a_rule_that_can_be_asked_again_sees_what_it_missed_and_its_alert_closes(
    tmp_path: Path,
) -> None:
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        rule = house.rules.library().detectors[0].rules[0]
        good = rule.tree
        object.__setattr__(rule, "tree", Unanswerable())
        for minute in (0, 1):
            house.store([ROOT_LOGIN.replace("02:00:00", f"02:{minute:02d}:00")])
            drain(house)
        (health,) = all_alerts(house)
        assert (health.kind, health.status) == ("health", "open")
        (waiting,) = house.runs.list_unscanned(ANALYST)
        assert (waiting.first_seq, waiting.last_seq) == (1, 2), "it owes what it could not see"
        object.__setattr__(rule, "tree", good)
        drain(house)
        assert house.runs.list_unscanned(ANALYST) != [], "it rests before it is asked again"
        house.clock.advance(601)
        again = over(house.spine, house.clock, own_rules("ssh_root_sign_in"), house.logs)
        drain(again)
        found = {alert.kind: alert for alert in all_alerts(again)}
        assert (found["rule"].event_count, found["rule"].status) == (2, "open")
        assert (found["health"].status, found["health"].close_reason) == ("closed", "cured")
        assert again.runs.list_unscanned(ANALYST) == []


def test_after_an_outage_the_newest_events_are_seen_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "LIVE", 3)
    with detection_house(tmp_path, own_rules("ssh_root_sign_in")) as house:
        house.store([failure(0)])
        drain(house)
        house.store([failure(second) for second in range(1, 10)] + [ROOT_LOGIN])
        assert house.runs.tick() is True
        assert len(all_alerts(house)) == 1, "the newest event is the root login"
        (waiting,) = house.runs.list_unscanned(ANALYST)
        assert (waiting.first_seq, waiting.last_seq) == (2, 8)
        drain(house)
        assert progress(house)[0] == [(1, 11)]
