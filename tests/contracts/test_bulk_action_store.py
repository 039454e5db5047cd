"""Bulk actions and their alerts over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

from detectors.models.alerts import AlertFilter
from detectors.models.bulk_actions import BulkAction
from detectors.store.alerts import DatabaseAlerts
from detectors.store.bulk_actions import DatabaseBulkActions
from detectors.store.hits import DatabaseHits
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest
from tests.contracts.test_detector_stores import ALERT

STORE, ALERTS = DatabaseBulkActions(), DatabaseAlerts()
ACTION = BulkAction(
    id="bulk_1",
    org_id="org_root",
    verb="close",
    reason="a planned test",
    wanted=AlertFilter(status="open"),
    snapshot=0,
    count=3,
    state="acting",
    ordered_by="acc_1",
    ordered="{}",
    created_at=10,
    ordered_at=11,
)
ALL = PageRequest(200)


def raised(spine: Spine, *names: str) -> None:
    for number, name in enumerate(names):
        alert = replace(ALERT, id=name, last_at=20 + number // 2)
        subjects = ("account:ann", f"account:{name}")
        spine.transactions.run(lambda tx, a=alert, s=subjects: ALERTS.create(tx, a, s))


def test_a_snapshot_leaves_out_what_is_written_later(spine: Spine) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    assert read(STORE.snapshot) == 0
    raised(spine, "alr_1", "alr_2", "alr_3")
    then = read(STORE.snapshot)

    def count(snapshot: int, wanted: AlertFilter = ACTION.wanted) -> int:
        return read(lambda tx: STORE.count(tx, "org_root", wanted, snapshot))

    assert count(then) == 3
    raised(spine, "alr_4")
    run(lambda tx: ALERTS.change(tx, replace(ALERT, id="alr_1", event_count=9), ()))
    run(lambda tx: ALERTS.close(tx, "alr_2", "acc_1", "seen"))
    assert count(then) == 1
    assert count(read(STORE.snapshot)) == 3
    assert count(read(STORE.snapshot), AlertFilter(subject="account:alr_3")) == 1
    assert read(lambda tx: STORE.count(tx, "org_other", AlertFilter(), 99)) == 0


def test_chunks_close_each_alert_once_and_an_undo_spares_what_changed(spine: Spine) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    raised(spine, "alr_1", "alr_2", "alr_3")
    action = replace(ACTION, snapshot=read(STORE.snapshot))
    first = list(run(lambda tx: STORE.selected(tx, action, 2)))
    assert [each.id for each in first] == ["alr_3", "alr_2"]
    done = run(lambda tx: STORE.write_alerts(tx, action, first))
    assert [(item.alert_id, item.place, item.version) for item in done] == [
        ("alr_3", 1, 2),
        ("alr_2", 2, 2),
    ]
    later = replace(action, place=2, last_at=first[1].last_at, last_id="alr_2")
    rest = list(run(lambda tx: STORE.selected(tx, later, 2)))
    assert [each.id for each in rest] == ["alr_1"]
    run(lambda tx: STORE.write_alerts(tx, later, rest))
    closed = read(lambda tx: ALERTS.get(tx, "alr_2"))
    assert (closed.status, closed.closed_by, closed.close_reason) == (
        "closed",
        "acc_1",
        "a planned test",
    )
    assert read(lambda tx: ALERTS.hints_of(tx, ["account:ann"]))["account:ann"][0] == []
    told = [run(lambda tx: STORE.take_subjects(tx, action, 3)) for _ in range(3)]
    assert told == [
        ["account:alr_1", "account:alr_2", "account:alr_3"],
        ["account:ann"],
        [],
    ]
    run(lambda tx: ALERTS.change(tx, replace(closed, event_count=99), ()))
    undo = replace(action, id="bulk_2", verb="undo", undoes="bulk_1")
    chosen = run(lambda tx: STORE.selected(tx, undo, 5))
    items = run(lambda tx: STORE.restore_alerts(tx, undo, chosen))
    assert [(item.alert_id, item.result, item.version) for item in items] == [
        ("alr_3", "done", 3),
        ("alr_2", "changed", 3),
        ("alr_1", "done", 3),
    ]
    again = read(lambda tx: ALERTS.get(tx, "alr_1"))
    assert (again.status, again.closed_at, again.closed_by, again.close_reason) == (
        "open",
        None,
        None,
        "",
    )
    assert read(lambda tx: ALERTS.get(tx, "alr_2")).status == "closed"
    versions = read(lambda tx: DatabaseHits().versions(tx, "alr_1"))
    assert [each.status for each in versions] == ["open", "closed", "open"]
    left = read(lambda tx: STORE.items(tx, "bulk_2", "changed", ALL))
    assert [item.alert_id for item in left] == ["alr_2"]
    every = read(lambda tx: STORE.items(tx, "bulk_2", None, PageRequest(1, (1,))))
    assert [item.place for item in every] == [2, 3]
    nothing = replace(undo, place=3)
    assert list(run(lambda tx: STORE.selected(tx, nothing, 5))) == []


def test_progress_is_saved_only_over_what_was_read(spine: Spine) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    preview = replace(ACTION, id="bulk_0", state="preview", created_at=5)
    for each in (preview, ACTION, replace(ACTION, id="bulk_2", created_at=12, ordered_at=12)):
        run(lambda tx, each=each: STORE.add(tx, each))
    assert read(lambda tx: STORE.running(tx, 1)) == [ACTION]
    more = replace(ACTION, place=2, written=2, root="ab")
    assert run(lambda tx: STORE.save(tx, more, ("acting", 0, 0))) is True
    assert run(lambda tx: STORE.save(tx, more, ("acting", 0, 0))) is False
    assert read(lambda tx: STORE.get(tx, "org_root", "bulk_1")) == more
    assert read(lambda tx: STORE.get(tx, "org_other", "bulk_1")) is None
    assert run(lambda tx: STORE.take_undo(tx, "bulk_1", "bulk_9")) is True
    assert run(lambda tx: STORE.take_undo(tx, "bulk_1", "bulk_8")) is False
    page = read(lambda tx: STORE.page(tx, "org_root", PageRequest(1)))
    assert [each.id for each in page] == ["bulk_2", "bulk_1"]
    behind = read(lambda tx: STORE.page(tx, "org_root", PageRequest(1, (12, "bulk_2"))))
    assert [each.id for each in behind] == ["bulk_1"]
    run(lambda tx: STORE.forget_previews(tx, "org_root", 6))
    assert read(lambda tx: STORE.get(tx, "org_root", "bulk_0")) is None
