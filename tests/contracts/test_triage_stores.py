"""Exceptions, suppressions, risks, hits and rules' health over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

from detectors.models.schedule import Feed, RuleHealth
from detectors.models.triage import EntityRisk, RuleException, SuppressedGroup, Suppression
from detectors.store.alerts import DatabaseAlerts
from detectors.store.hits import DatabaseHits
from detectors.store.risks import DatabaseRisks
from detectors.store.rule_health import DatabaseRuleHealth
from detectors.store.triage import DatabaseExceptions, DatabaseSuppressions
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest
from tests.contracts.test_detector_stores import ALERT

FAR = 9_000_000_000_000_000
EXCEPTION = RuleException(
    "exc_1", "org_root", "r", '{"a":"b"}', "ops", "why", "acc_1", 10, FAR, "apr_1"
)
SUPPRESSION = Suppression(
    "sup_1", "org_root", "*", ("source.ip",), 60, "ops", "why", "acc_1", 10, FAR
)


def test_exceptions_move_between_states_once(spine: Spine) -> None:
    store = DatabaseExceptions()
    run, read = spine.transactions.run, spine.transactions.read
    run(lambda tx: store.add(tx, EXCEPTION))
    run(lambda tx: store.add(tx, replace(EXCEPTION, id="exc_2", state="active", expires_at=20)))
    assert list(read(store.active)) == []
    assert run(lambda tx: store.move(tx, "exc_1", ("pending", "active"), "acc_2")) is True
    assert run(lambda tx: store.move(tx, "exc_1", ("pending", "active"), "acc_2")) is False
    run(lambda tx: store.note_hits(tx, {"exc_1": (3, 50)}))
    run(lambda tx: store.note_hits(tx, {"exc_1": (1, 40)}))
    (active,) = read(store.active)
    assert (active.hits, active.last_hit_at, active.decided_by) == (4, 50, "acc_2")
    assert [each.id for each in read(lambda tx: store.list(tx, "org_root"))] == ["exc_2", "exc_1"]
    assert read(lambda tx: store.get(tx, "org_other", "exc_1")) is None


def test_a_suppression_wakes_what_it_hushed(spine: Spine) -> None:
    store, alerts = DatabaseSuppressions(), DatabaseAlerts()
    run, read = spine.transactions.run, spine.transactions.read
    run(lambda tx: store.add(tx, SUPPRESSION))
    assert list(read(store.active)) == [SUPPRESSION]
    group = SuppressedGroup("sup_1", "alr_0", '["k"]', 100, 0, (), 100)
    run(lambda tx: store.put_group(tx, "org_root", group))
    more = replace(group, count=1, sample=("alr_1",), last_at=120)
    run(lambda tx: store.put_group(tx, "org_root", more))
    assert read(lambda tx: store.leader(tx, "sup_1", '["k"]', (90, 110))) == more
    assert read(lambda tx: store.leader(tx, "sup_1", '["k"]', (101, 110))) is None
    assert list(read(lambda tx: store.groups(tx, "sup_1"))) == [more]
    run(lambda tx: alerts.create(tx, replace(ALERT, status="suppressed"), ("account:ann",)))
    run(lambda tx: store.hush(tx, ALERT.id, "sup_1"))
    assert read(lambda tx: alerts.hints_of(tx, ["account:ann"]))["account:ann"][0] == []
    assert list(run(lambda tx: store.wake(tx, "sup_1", 5))) == [ALERT.id]
    assert list(run(lambda tx: store.wake(tx, "sup_1", 5))) == []
    woken = read(lambda tx: alerts.get(tx, ALERT.id))
    assert (woken.status, woken.version, woken.suppressed_by) == ("open", 2, "sup_1")
    assert len(read(lambda tx: alerts.hints_of(tx, ["account:ann"]))["account:ann"][0]) == 1
    assert run(lambda tx: store.lift(tx, "sup_1", "acc_2")) is True
    assert run(lambda tx: store.lift(tx, "sup_1", "acc_2")) is False
    assert list(read(store.active)) == []


def test_entities_are_paged_from_the_riskiest_on(spine: Spine) -> None:
    store, alerts = DatabaseRisks(), DatabaseAlerts()
    run, read = spine.transactions.run, spine.transactions.read
    told = {f"account:{name}": (70, "why") for name in "cab"} | {"account:ann": (64, "why")}
    run(lambda tx: alerts.note_risks(tx, "org_root", told))
    assert len(read(lambda tx: store.riskiest(tx, "org_root", PageRequest(), 65))) == 3
    pages, after = [], None
    for _ in range(2):
        page = PageRequest(2, after)
        found = read(lambda tx, p=page: store.riskiest(tx, "org_root", p))[:2]
        pages.append([each.subject for each in found])
        after = (found[-1].risk, found[-1].subject)
    assert pages == [["account:a", "account:b"], ["account:c", "account:ann"]]


def test_risks_keep_what_was_published(spine: Spine) -> None:
    store, alerts = DatabaseRisks(), DatabaseAlerts()
    run, read = spine.transactions.run, spine.transactions.read

    def note(risk: int) -> bool:
        told = {"account:ann": (risk, "why")}
        return bool(run(lambda tx: alerts.note_risks(tx, "org_root", told)))

    assert [note(0), note(40), note(40), note(64)] == [False, True, False, True]
    run(lambda tx: store.set_criticality(tx, "org_root", ("account:ann", 200), "acc_2"))
    run(lambda tx: store.set_criticality(tx, "org_root", ("account:ann", 150), "acc_2"))
    (found,) = read(lambda tx: store.riskiest(tx, "org_root", PageRequest()))
    assert (found.subject, found.risk, found.criticality) == ("account:ann", 64, 1.5)
    assert read(lambda tx: store.of(tx, "org_root", "account:bob")) == EntityRisk(
        "account:bob", 0, 0
    )
    points = read(lambda tx: store.history(tx, "org_root", "account:ann", 9))
    assert points[-1].risk == 64
    assert list(read(lambda tx: store.stale(tx, FAR, 9))) == [("org_root", "account:ann")]
    run(lambda tx: store.touch(tx, "org_root", "account:ann"))
    assert list(read(lambda tx: store.stale(tx, 10, 9))) == []


def test_hits_are_known_once_and_forgotten(spine: Spine) -> None:
    store = DatabaseHits()
    run, read = spine.transactions.run, spine.transactions.read
    run(lambda tx: store.add_hits(tx, "org_root", [("alr", "e2", 20), ("alr", "e1", 10)]))
    run(lambda tx: store.add_hits(tx, "org_root", []))
    asked = {"alr": [(10, "e1"), (15, "e3")], "other": [(10, "e1")]}
    assert read(lambda tx: store.known_hits(tx, asked)) == {("alr", "e1")}
    assert read(lambda tx: store.first_hits(tx, ["alr", "no"], 5)) == {
        "alr": [(10, "e1"), (20, "e2")]
    }
    assert run(lambda tx: store.drop_hits(tx, 20)) == 1


def test_rules_health_adds_up(spine: Spine) -> None:
    store = DatabaseRuleHealth()
    run, read = spine.transactions.run, spine.transactions.read
    for at in (50, 40):
        run(lambda tx, at=at: store.note_hits(tx, {"r": (at, at)}))
    run(lambda tx: store.note_cost(tx, "r", 100, 10))
    run(lambda tx: store.note_failures(tx, {"r": "ValueError"}))
    assert read(store.healths)["r"].failure == "ValueError"
    run(lambda tx: store.note_failures(tx, {"r": ""}))
    assert read(store.healths) == {"r": RuleHealth("r", 50, 50, "", None, 100, 10)}
    for seq in (9, 5):
        run(lambda tx, seq=seq: store.note_feeds(tx, [Feed("l#0", "s", 2, seq)]))
    assert list(read(store.feeds)) == [Feed("l#0", "s", 4, 9)]
    for names in ({"a", "b"}, {"b", "c"}):
        run(lambda tx, n=frozenset(names): store.note_fields(tx, {"l#0": n}, 7))
    assert read(store.seen_fields) == {"l#0": frozenset({"a", "b", "c"})}
