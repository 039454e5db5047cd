"""What devices send becomes evidence of the items they are for; its links open those events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from audits.core.gbt22239.checks import CHECKS
from audits.core.gbt22239.findings import Looking
from audits.models.evidence import Fact, Origin, Snapshot
from audits.models.systems import THIS_INSTANCE, Asset, Scope, System
from detectors.models.logs import LogSource
from detectors.store.alerts import DatabaseAlerts
from secops.app import open_house
from secops.bridges.evidence import Evidence, reported
from secops.bridges.evidence.detection import DetectionEvidence
from secops.bridges.evidence.log_reader import LogReader
from secops.bridges.evidence.looking import Look, Sight
from secops.bridges.evidence.reported import KINDS, query_of
from secops.bridges.evidence.sensors import SensorEvidence, _none_or_some
from secops.bridges.house import House
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY, HOUR, MINUTE, SystemClock
from secops.kernel.logs import LogEvent, Value
from tests.contracts.test_detector_stores import ALERT
from tests.fakes.demo_site import make_demo_home
from tests.fakes.evidence import GOOD

_numbers = iter(range(1_000_000))


def sent(source: str, ago: int, **fields: Value) -> LogEvent:
    """Return an event that ``source`` sent ``ago`` microseconds before now."""
    now = SystemClock().now()
    named = {name.replace("__", "."): value for name, value in fields.items()}
    number = next(_numbers)
    return LogEvent(f"{number:064x}", source, now - ago, now, named, f"line {number}".encode())


def store(house: House, *events: LogEvent) -> None:
    house.detectors.logs.store.append(events)


def register(house: House, name: str, **more: object) -> None:
    source = LogSource(name, ROOT_ORG, "ecs", "Asia/Shanghai", **more)  # type: ignore[arg-type]
    house.detectors.sources.add_source(house.act_as("system-admin"), source)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A demo home to which a firewall, a sensor, a VPN, a proxy and a bastion have sent."""
    home = tmp_path_factory.mktemp("devices") / "home"
    make_demo_home(home)
    opened = open_house(home)
    for name in ("fw1", "ids1", "vpn1", "proxy1", "bastion1", "host1"):
        register(opened, name, expected_silence=900)
    attack = {
        "event__category": "intrusion_detection",
        "rule__name": "ET SCAN",
        "destination__ip": "10.1.1.9",
    }
    vpn = {"observer__type": "vpn", "session__id": "v1", "user__name": "integrator"}
    bastion = {"observer__type": "bastion", "observer__ip": "10.9.9.9"}
    login = {"event__action": "ssh_login", "event__outcome": "success"}
    store(
        opened,
        sent("ids1", HOUR, **attack, source__ip="203.0.113.7", event__type="denied"),
        sent("ids1", HOUR, **attack, source__ip="203.0.113.8"),
        sent("ids1", HOUR, **attack, source__ip="10.2.2.2"),
        sent("fw1", HOUR, observer__type="firewall", rule__name="web in", rule__id="7"),
        sent("vpn1", 3 * HOUR, **vpn, event__type="start"),
        sent("vpn1", 2 * HOUR, **vpn, event__type="end"),
        sent("vpn1", 2 * DAY, **{**vpn, "session__id": "v2"}, event__type="start"),
        sent("proxy1", HOUR, observer__type="proxy", url__domain="example.org"),
        sent("bastion1", HOUR, **bastion, session__id="b1", process__command_line="ls"),
        sent("bastion1", HOUR, **bastion, session__id="b2"),
        sent("host1", HOUR, **login, source__ip="10.9.9.9"),
        sent("host1", HOUR, **login, source__ip="10.7.7.7"),
    )
    yield opened
    opened.close()


def scope(*assets: Asset, system_id: str = THIS_INSTANCE) -> Scope:
    system = System(
        id=system_id,
        org_id=ROOT_ORG,
        name="门户",
        level=3,
        s_level=3,
        a_level=3,
        uses=("iam", "kms", "logs"),
    )
    return Scope(system, assets)


def look(house: House, of: Scope) -> dict[str, Snapshot]:
    looking = Evidence(house.settings, iam=house.iam, kms=house.kms, detectors=house.detectors)
    looking.bind(playbooks=house.playbooks, audits=house.audits)
    taken = looking(house.act_as("auditor"), of, house.parts.clock.now())
    return {snapshot.kind: snapshot for snapshot in taken}


def looking(house: House) -> Look:
    """Return a look at the platform as it is now."""
    actor, at = house.act_as("auditor"), house.parts.clock.now()
    readers = [LogReader(house.detectors, actor, scope(), at, own=own) for own in (False, True)]
    return Look(actor, scope(), at, *readers)


def one(house: House, kind: str) -> Sight:
    """Look for one kind of what devices sent."""
    looks = {**SensorEvidence(house.detectors, house.iam).looks, **reported.looks()}
    sight = looks[kind](looking(house))
    return Sight({}) if sight is None else sight


@pytest.fixture(scope="module")
def taken(house: House) -> dict[str, Snapshot]:
    """What is seen of the platform with all that was sent at first."""
    return look(house, scope())


def facts(taken: Mapping[str, Snapshot], kind: str, *names: str) -> dict[str, Fact]:
    return {name: taken[kind].facts[name] for name in names}


def test_attacks_are_counted_by_where_they_came_from(taken: dict[str, Snapshot]) -> None:
    assert facts(taken, "ids.alert", "alerts", "external", "external_blocked", "internal") == {
        "alerts": 3,
        "external": 2,
        "external_blocked": 1,
        "internal": 1,
    }
    assert taken["ids.alert"].facts["target_permille"] == 1_000
    assert facts(taken, "ids.sensors", "sensors", "silent", "seeing_inside") == {
        "sensors": 1,
        "silent": 0,
        "seeing_inside": 1,
    }
    assert taken["fw.hits"].facts["rules_hit"] == 2


def test_remote_sessions_need_an_approval_and_an_end(
    house: House, taken: dict[str, Snapshot]
) -> None:
    assert facts(taken, "vpn.log", "sessions", "sessions_unclosed", "sessions_unapproved") == {
        "sessions": 2,
        "sessions_unclosed": 1,
        "sessions_unapproved": 2,
    }
    account = house.iam.actors.by_account("integrator").id
    lent = {"event__action": "iam.lend_role", "event__outcome": "success"}
    target = f"account:{account}"
    store(house, sent("govsecops", 4 * HOUR, **lent, target=target, details__minutes="120"))
    assert one(house, "vpn.log").facts["sessions_unapproved"] == 1


def test_logins_around_the_bastion_are_seen(taken: dict[str, Snapshot]) -> None:
    assert facts(taken, "bastion.log", "sessions", "sessions_without_commands", "logins") == {
        "sessions": 2,
        "sessions_without_commands": 1,
        "logins": 2,
    }
    assert taken["bastion.log"].facts["logins_around"] == 1
    assert taken["proxy.log"].facts["events"] == 1


def test_a_link_opens_exactly_the_events_that_were_counted(
    house: House, taken: dict[str, Snapshot]
) -> None:
    for kind, expected in (("ids.alert", 3), ("vpn.log", 3), ("proxy.log", 1), ("fw.hits", 1)):
        asked = {
            name: one[0] for name, one in parse_qs(urlsplit(taken[kind].origin.link).query).items()
        }
        found = house.detectors.logs.search_logs(
            house.act_as("auditor"), asked["q"], window=(asked["since"], asked["until"])
        )
        assert len(found) == expected, kind
        assert taken[kind].origin.query == asked["q"]


def test_a_system_is_judged_by_the_sources_of_its_own_assets_alone(house: House) -> None:
    asset = Asset(
        id="ast_1",
        org_id=ROOT_ORG,
        system_id="sys_1",
        name="边界防火墙",
        kind="security",
        log_sources=("fw1",),
    )
    bare = replace(asset, id="ast_2", log_sources=())
    taken = look(house, scope(asset, bare, system_id="sys_1"))
    assert "fw.hits" in taken
    assert not {"ids.alert", "vpn.log", "tls.scan", "ledger.integrity"} & set(taken)
    assert facts(taken, "log.coverage", "sources", "assets_without_log", "own_log") == {
        "sources": 1,
        "assets_without_log": 1,
        "own_log": False,
    }
    assert facts(taken, "monitor.status", "objects", "unmonitored", "stale") == {
        "objects": 2,
        "unmonitored": 1,
        "stale": 0,
    }
    assert 'log.source:("fw1")' in taken["fw.hits"].origin.query
    outside = look(house, scope(system_id="sys_2"))
    assert outside["log.coverage"].facts["sources"] == 0


def test_another_organisation_cannot_claim_sources_that_it_did_not_register(house: House) -> None:
    claimed = Asset(
        id="ast_3",
        org_id="org_other",
        system_id="sys_3",
        name="x",
        kind="security",
        log_sources=("fw1", "ids1"),
    )
    looking = Evidence(house.settings, iam=house.iam, kms=house.kms, detectors=house.detectors)
    foreign = replace(house.act_as("auditor"), org_id="org_other")
    taken = looking(foreign, scope(claimed, system_id="sys_3"), house.parts.clock.now())
    seen = {snapshot.kind: snapshot.facts for snapshot in taken}
    assert "fw.hits" not in seen
    assert seen["log.coverage"]["sources"] == 0


def test_what_devices_report_of_themselves_is_added_up_or_the_worst(house: House) -> None:
    def reports(source: str, ago: int, value: str) -> list[LogEvent]:
        return [
            sent(
                source,
                ago,
                event__dataset=f"evidence.{kind}",
                **{f"evidence.{name}": value for name in names},
            )
            for kind, names in KINDS.items()
        ]

    assert not any(one(house, kind).facts for kind in KINDS), "nobody reported anything yet"
    store(house, *(e for name in ("fw1", "ids1", "stranger") for e in reports(name, HOUR, "1")))
    worst = ("_days", "_hours", "_minutes")
    for kind, names in KINDS.items():
        seen = one(house, kind)
        assert seen.facts["reporters"] == 2, "a stranger's word is no evidence"
        assert {name: seen.facts[name] for name in names} == {
            name: 2 if name == "age_hours" or not name.endswith(worst) else 1 for name in names
        }
        assert query_of(kind) in seen.query
    store(house, *reports("fw1", MINUTE, "rubbish"))
    for kind, names in KINDS.items():
        assert not set(names) & set(one(house, kind).facts), "what one of them can't tell is gone"


def test_every_fact_of_the_good_house_is_one_that_some_source_gives() -> None:
    """The kinds that the bridge knows of devices have every fact the checks ask for."""
    for kind, names in KINDS.items():
        asked = set(GOOD.get(kind, {})) - {"age_days"}
        assert asked <= set(names), kind


def test_a_firewall_that_reports_well_is_proposed_as_compliant(house: House) -> None:
    good = {f"evidence.{name}": str(value) for name, value in GOOD["fw.config"].items()}
    reports = [
        sent(source, 0, event__dataset="evidence.fw.config", **good) for source in ("fw1", "ids1")
    ]
    store(house, *reports)
    sight = one(house, "fw.config")
    asking = Looking({"fw.config": Snapshot("fw.config", sight.facts, Origin(source="test"), 1)})
    CHECKS["L3-ABS1-05"](asking)
    assert asking.finding().status == "compliant"


def test_a_source_that_falls_silent_is_seen(house: House) -> None:
    looking = Evidence(house.settings, iam=house.iam, kms=house.kms, detectors=house.detectors)
    later = house.parts.clock.now() + 2 * DAY
    taken = {s.kind: s.facts for s in looking(house.act_as("auditor"), scope(), later)}
    assert taken["ids.sensors"]["silent"] == 1
    assert taken["log.heartbeat"]["gaps"] == 6
    assert taken["monitor.status"]["stale"] == 6
    assert int(taken["log.coverage"]["silent"]) >= 6


def test_a_report_grows_old_with_its_ages_and_in_the_end_says_nothing(house: House) -> None:
    register(house, "av1")

    def report(ago: int, kind: str = "av.test") -> None:
        numbers = {"platforms": "2", "not_blocked": "0", "test_days": "10", "age_hours": "1"}
        named = {f"evidence.{name}": number for name, number in numbers.items()}
        store(house, sent("av1", ago, event__dataset=f"evidence.{kind}", **named))

    report(120 * DAY)
    forgotten = reported.reports_of(looking(house), "av.test")["av1"]
    assert reported._numbers("av.test", forgotten, house.parts.clock.now()) == {}
    report(50 * DAY)
    known = reported.reports_of(looking(house), "av.test")["av1"]
    seen = reported._numbers("av.test", known, house.parts.clock.now())
    assert seen == {"platforms": 2, "not_blocked": 0, "test_days": 60}


def test_sessions_of_two_bastions_with_one_number_are_two(house: House) -> None:
    register(house, "bastion2")
    of_another = {"observer__type": "bastion", "observer__ip": "10.9.9.8", "session__id": "b1"}
    before = one(house, "bastion.log").facts
    store(house, sent("bastion2", HOUR, **of_another))
    after = one(house, "bastion.log").facts
    for name in ("sessions", "sessions_without_commands"):
        assert int(after[name]) - int(before[name]) == 1


def test_one_line_of_long_ago_does_not_make_half_a_year(house: House) -> None:
    before = look(house, scope())["log.retention"].facts
    since = house.parts.clock.now() - 400 * DAY
    register(house, "clock1", expected_silence=900, created_at=since)
    store(house, sent("clock1", 399 * DAY), sent("clock1", HOUR))
    after = look(house, scope())["log.retention"].facts
    assert int(after["sources_with_holes"]) - int(before["sources_with_holes"]) == 1


def test_what_is_seen_of_a_part_never_says_that_there_is_none() -> None:
    assert _none_or_some("x", 0, is_whole=False) == {}
    assert _none_or_some("x", 0, is_whole=True) == {"x": 0}
    assert _none_or_some("x", 2, is_whole=False) == {"x": 2}


def test_a_severe_alert_is_not_forgotten_when_it_is_old(house: House) -> None:
    def severe(at: int) -> Fact:
        actor = house.act_as("auditor")
        readers = [LogReader(house.detectors, actor, scope(), at, own=own) for own in (False, True)]
        sight = DetectionEvidence(house.detectors, house.iam).looks["alert.triage"](
            Look(actor, scope(), at, *readers)
        )
        assert sight is not None
        return sight.facts["severe"]

    now = house.parts.clock.now()
    new = replace(ALERT, id="alr_r2", severity="critical", raised_at=now, first_at=now, last_at=now)
    house.parts.transactions.run(lambda tx: DatabaseAlerts().create(tx, new, ()))
    assert severe(now + 60 * DAY) == severe(now) == 1
