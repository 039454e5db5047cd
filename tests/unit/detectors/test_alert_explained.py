"""One alert told whole over a real database: lines, rule, neighbours, replay, exceptions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest

from detectors.api.alert_page import alert_page_routes
from detectors.errors import AlertNotFound, BadException, RuleNotFound
from detectors.models.alert_page import MAX_RAW, Explanation
from detectors.models.alerts import Alert, AlertFilter, Reason
from detectors.plane import alert_pages
from detectors.ports import DetectorsPorts
from detectors.service.rules import exception_previews
from detectors.service.rules.exception_previews import ExceptionPreviews
from detectors.service.rules.exceptions import ExceptionService, ExceptionWish
from detectors.service.rules.rule_alerts import health_alert, open_health
from detectors.service.triage import replaying
from detectors.service.triage.alert_page import AlertPageService
from detectors.service.triage.replaying import ReplayService
from detectors.store.alerts import DatabaseAlerts
from detectors.store.triage import DatabaseExceptions
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest
from secops.web.messages import Request
from tests.fakes.detection_house import (
    ANALYST,
    SECURITY_ADMIN,
    DetectionHouse,
    RulesIn,
    detection_house,
    log_events,
    over,
    own_rule,
    own_rules,
    person,
)
from tests.fakes.entity_states import FakeEntityStates, FakeIncidents
from tests.functional.test_detector_runs import ROOT_LOGIN, drain, failure

ADDRESS = "203.0.113.7"
NAMES = ("ssh_brute_force", "ssh_root_sign_in")


@dataclass
class PageHouse:
    house: DetectionHouse
    pages: AlertPageService
    replays: ReplayService
    previews: ExceptionPreviews
    exceptions: ExceptionService
    states: FakeEntityStates
    incidents: FakeIncidents

    @property
    def alerts(self) -> dict[str, Alert]:
        found = self.house.alerts.list_alerts(ANALYST, AlertFilter(), PageRequest(200))
        return {each.kind: each for each in found.items}

    def explain(self, kind: str, actor: Actor = ANALYST) -> Explanation:
        return self.pages.explain_alert(actor, self.alerts[kind].id, AlertFilter(status="open"))


def opened(house: DetectionHouse) -> PageHouse:
    parts, states, incidents = house.spine.parts, FakeEntityStates(), FakeIncidents()
    ports = DetectorsPorts(entities=states, incidents=incidents)
    pages, replays = alert_pages(parts, house.logs, (house.rules, house.alerts), ports)
    return PageHouse(
        house,
        pages,
        replays,
        ExceptionPreviews(parts, house.logs, DatabaseAlerts(), house.rules),
        ExceptionService(parts, DatabaseExceptions(), house.rules),
        states,
        incidents,
    )


def _lately(line: str) -> str:
    """Return a line of less than thirty days ago."""
    return line.replace("Nov 22", "Dec 22")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PageHouse]:
    with detection_house(tmp_path, own_rules(*NAMES)) as house:
        house.store([_lately(line) for line in (*map(failure, range(6)), ROOT_LOGIN)])
        drain(house)
        yield opened(house)


def with_rules(site: PageHouse, rules: RulesIn) -> PageHouse:
    """Return the same home opened by a process that has other rules."""
    return opened(over(site.house.spine, site.house.clock, rules, site.house.logs))


def changed(name: str, before: str, after: str) -> RulesIn:
    texts = {each: own_rule(each).read_text() for each in NAMES}
    assert before in texts[name]
    texts[name] = texts[name].replace(before, after)
    return RulesIn(**texts)


# the page


def test_a_correlation_is_told_with_what_was_counted_and_the_digests_of_its_lines(
    site: PageHouse,
) -> None:
    found = site.explain("correlation")
    assert "6 次" in found.sentence.zh
    assert found.why[0].condition.en == "number of events"
    (rule,) = found.counted
    assert {each.condition: each.seen for each in rule.reasons}["event.outcome"] == "failure"
    assert (len(found.lines), found.missing) == (6, 0)
    for line in found.lines:
        raw = line.raw.encode()
        assert line.sha256 == hashlib.sha256(raw).hexdigest()
        assert line.sm3 == sm3(raw).hex()
        assert (line.source, line.cut, line.masked) == ("test", False, False)
    assert [line.seq for line in found.lines] == [1, 2, 3, 4, 5, 6]
    assert rule.event_id == found.lines[0].event_id


def test_next_previous_closings_and_incident_stand_beside_it(site: PageHouse) -> None:
    correlation, plain = site.alerts["correlation"], site.alerts["rule"]
    site.incidents.opened.add(plain.id)
    found = site.explain("rule")
    assert {found.place.previous, found.place.following} == {correlation.id, None}
    assert found.incident is not None
    assert found.incident.id == "inc_1"
    assert (found.same_rule.closed, found.bulk_action) == (0, None)
    with pytest.raises(AlertNotFound):
        site.pages.explain_alert(ANALYST, "alr_none", AlertFilter())
    with pytest.raises(AlertNotFound):
        site.pages.explain_alert(person("analyst", "org_other"), plain.id, AlertFilter())


def test_a_rule_stands_with_its_version_its_samples_and_its_tuning(site: PageHouse) -> None:
    rule = site.explain("rule").rule
    assert rule is not None
    assert (rule.same_version, rule.enabled, rule.samples) == (True, True, 0)
    assert rule.since == site.house.clock.now()
    assert rule.tuning == {"exceptions": 0, "hidden_events": 0, "suppressions": 0}
    edited = with_rules(site, changed("ssh_root_sign_in", "root", "nobody"))
    after = edited.explain("rule").rule
    assert after is not None
    assert (after.same_version, after.since) == (False, None)
    gone = with_rules(site, own_rules("ssh_brute_force")).explain("rule").rule
    assert gone is not None
    assert (gone.version, gone.enabled) == ("", False)


def test_an_instances_own_rule_is_tested_by_the_samples_beside_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = home / "rules" / "mine.yml"
    beside = home / "rules" / "samples" / "mine"
    beside.mkdir(parents=True)
    path.write_text(own_rule("ssh_root_sign_in").read_text())
    (beside / "positive.log").write_text("Nov 22 02:00:00 web sshd[9]: nothing of note\n")
    source = RulesIn()
    source.files = [replace(own_rules("ssh_root_sign_in").files[0], path=str(path))]
    with detection_house(home, source) as house:
        house.store([ROOT_LOGIN])
        drain(house)
        rule = opened(house).explain("rule").rule
    assert rule is not None
    assert rule.samples == 1
    assert rule.failures == ("finds nothing in its positive sample positive.log",)


def test_cards_show_only_what_the_reader_may_see(site: PageHouse) -> None:
    cards = {card.state.kind: card for card in site.explain("rule").cards}
    assert set(cards) == {"account", "address"}
    assert cards["address"].risk is not None
    assert cards["address"].risk > 0
    acts = cards["account"].acts
    assert acts is not None
    site.states.hidden = frozenset({"address"})
    assert [card.state.kind for card in site.explain("rule").cards] == ["account"]
    silent = site.explain("rule", SECURITY_ADMIN).cards
    assert [card.acts for card in silent] == [None], "who may not search logs sees no acts"


def test_an_account_of_a_foreign_host_is_not_looked_up_among_ours(site: PageHouse) -> None:
    account = next(c for c in site.explain("rule").cards if c.state.kind == "account")
    assert (account.state.name, account.state.known) == ("root", False)
    assert {kind for kind, _ in site.states.asked} == {"address"}


def test_a_long_line_is_cut_and_hashed_whole(site: PageHouse) -> None:
    line = _lately(ROOT_LOGIN).replace("198.51.100.9", "198.51.100.77")
    (event,) = log_events([line], site.house.clock.now())
    raw = event.raw + b" " + b"x" * MAX_RAW
    site.house.logs.append([replace(event, raw=raw)])
    drain(site.house)
    found = site.house.alerts.list_alerts(
        ANALYST, AlertFilter(subject="address:198.51.100.77"), PageRequest(10)
    )
    (shown,) = site.pages.explain_alert(ANALYST, found.items[0].id, AlertFilter()).lines
    assert (len(shown.raw), shown.cut) == (MAX_RAW, True)
    assert shown.sha256 == hashlib.sha256(raw).hexdigest()


# replay


def test_todays_rule_is_asked_again_about_the_alerts_own_events(site: PageHouse) -> None:
    for kind, events in (("rule", 1), ("correlation", 6)):
        found = site.replays.replay_alert(ANALYST, site.alerts[kind].id)
        assert (found.answer, found.events, found.hits) == ("matches", events, events)
        assert found.same_version
    stricter = with_rules(site, changed("ssh_brute_force", "gte: 5", "gte: 50"))
    found = stricter.replays.replay_alert(ANALYST, site.alerts["correlation"].id)
    assert (found.answer, found.hits, found.same_version) == ("matches_not", 6, False)
    gone = with_rules(site, own_rules("ssh_brute_force"))
    assert gone.replays.replay_alert(ANALYST, site.alerts["rule"].id).answer == "not_possible"


def test_a_replay_says_that_an_exception_takes_it_away(site: PageHouse) -> None:
    alert = site.alerts["rule"]
    wish = ExceptionWish(alert.rule_id, {"user.name": "root"}, "ops", "our own", 30)
    asked = site.exceptions.request_exception(ANALYST, wish)
    assert site.replays.replay_alert(ANALYST, alert.id).answer == "matches", "only asked for"
    site.exceptions.decide_exception(SECURITY_ADMIN, asked.id, grant=True, reason="seen")
    assert site.replays.replay_alert(ANALYST, alert.id).answer == "excepted"
    rule = site.explain("rule").rule
    assert rule is not None
    assert rule.tuning["exceptions"] == 1


def test_an_alert_with_more_events_than_it_keeps_is_replayed_over_its_time(
    site: PageHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = site.alerts["correlation"]
    tx = site.house.spine.transactions
    tx.run(lambda t: DatabaseAlerts().change(t, replace(alert, event_count=100_000), ()))
    found = site.replays.replay_alert(ANALYST, alert.id)
    assert (found.answer, found.cut) == ("matches", False)
    monkeypatch.setattr(replaying, "MAX_EVENTS", 3)
    cut = site.replays.replay_alert(ANALYST, alert.id)
    assert (cut.answer, cut.events, cut.cut) == ("not_possible", 3, True), "a part denies nothing"
    shown = site.explain("correlation")
    assert (shown.alert.event_count, len(shown.lines)) == (100_000, 6)


def test_a_replay_without_all_the_events_does_not_say_that_nothing_is_raised(
    site: PageHouse,
) -> None:
    alert = site.alerts["correlation"]
    lost = replace(alert, event_ids=(*alert.event_ids, "past-retention"), event_count=7)
    site.house.spine.transactions.run(lambda t: DatabaseAlerts().change(t, lost, ()))
    assert site.replays.replay_alert(ANALYST, alert.id).answer == "matches"
    stricter = with_rules(site, changed("ssh_brute_force", "gte: 5", "gte: 7"))
    found = stricter.replays.replay_alert(ANALYST, alert.id)
    assert (found.answer, found.events, found.cut) == ("not_possible", 6, False)


def test_what_rests_on_history_or_is_gone_is_not_replayed(site: PageHouse) -> None:
    tx, store = site.house.spine.transactions, DatabaseAlerts()
    alert = site.alerts["rule"]

    def answer(said: Alert) -> str:
        tx.run(lambda t: store.create(t, said, ()))
        return site.replays.replay_alert(ANALYST, said.id).answer

    assert answer(replace(alert, id="alr_x", kind="anomaly", rule_id="anomaly.login")) == (
        "not_possible"
    )
    assert answer(replace(alert, id="alr_y", event_ids=("gone",))) == "not_possible"
    ill = health_alert("raises", (alert.rule_id, "v"), "ill", [Reason("a", "b", "c")], 5)
    tx.run(lambda t: open_health(t, store, ill))
    assert site.replays.replay_alert(ANALYST, ill.id).answer == "not_possible"
    with pytest.raises(Forbidden):
        site.replays.replay_alert(person("integrator"), alert.id)


# exceptions


def test_a_preview_says_which_alerts_an_exception_would_have_hidden(
    site: PageHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule_id = site.alerts["correlation"].rule_id
    whole = site.previews.preview_exception(ANALYST, rule_id, {"source.ip": ADDRESS})
    assert (whole.alerts, whole.hidden_whole, whole.hidden_partly) == (1, 1, 0)
    assert (whole.events, whole.hidden_events, whole.unread, whole.cut) == (6, 6, 0, False)
    assert whole.hidden[0].whole
    alert = site.alerts["correlation"]
    more = replace(alert, event_count=1_000)
    site.house.spine.transactions.run(lambda t: DatabaseAlerts().change(t, more, ()))
    unknown = site.previews.preview_exception(ANALYST, rule_id, {"source.ip": ADDRESS})
    assert (unknown.hidden_whole, unknown.hidden_partly) == (0, 1), "most events were not asked"
    assert (unknown.hidden[0].events, unknown.hidden[0].total) == (6, 1_000)
    partly = site.previews.preview_exception(ANALYST, rule_id, {"source.port": 41005})
    assert (partly.hidden_whole, partly.hidden_partly, partly.hidden_events) == (0, 1, 1)
    nothing = site.previews.preview_exception(ANALYST, rule_id, {"source.ip": "192.0.2.1"})
    assert (nothing.hidden, nothing.hidden_events) == ((), 0)
    monkeypatch.setattr(exception_previews, "MAX_EVENTS", 1)
    assert site.previews.preview_exception(ANALYST, rule_id, {"source.ip": ADDRESS}).cut


def test_a_preview_is_refused_as_the_exception_would_be(site: PageHouse) -> None:
    rule_id = site.alerts["rule"].rule_id
    with pytest.raises(BadException):
        site.previews.preview_exception(ANALYST, rule_id, {})
    with pytest.raises(BadException):
        site.previews.preview_exception(ANALYST, rule_id, {"a": "x" * 9_000})
    with pytest.raises(RuleNotFound):
        site.previews.preview_exception(ANALYST, "none", {"a": "b"})
    with pytest.raises(Forbidden):
        site.previews.preview_exception(SECURITY_ADMIN, rule_id, {"a": "b"})


def test_an_exception_is_offered_the_fields_that_all_events_share(site: PageHouse) -> None:
    alert, fields = site.pages.suggest_condition(ANALYST, site.alerts["correlation"].id)
    assert alert.kind == "correlation"
    assert fields["source.ip"] == ADDRESS


# over HTTP


def test_the_routes_answer_with_the_same(site: PageHouse) -> None:
    routes = {
        each.operation: each for each in alert_page_routes(site.pages, site.replays, site.previews)
    }
    alert = site.alerts["rule"]

    def ask(operation: str, query: str = "", body: object = None) -> dict[str, object]:
        route = routes[operation]
        content = b"" if body is None else orjson.dumps(body)
        args = {"alert_id": alert.id}
        request = Request(route.method, route.path, query, body=content, args=args, actor=ANALYST)
        found: dict[str, object] = orjson.loads(route.handler(request).body)
        return found

    told = ask("explain_alert", "status=open")
    assert told["sentence"] == {
        "zh": site.explain("rule").sentence.zh,
        "en": site.explain("rule").sentence.en,
    }
    assert ask("replay_alert")["answer"] == "matches"
    wanted = {"rule_id": alert.rule_id, "condition": {"user.name": "root"}}
    assert ask("preview_exception", body=wanted)["hidden_whole"] == 1
    with pytest.raises(Invalid):
        ask("preview_exception", body={"rule_id": alert.rule_id, "condition": "x"})
    with pytest.raises(Invalid):
        ask("explain_alert", "status=strange")
