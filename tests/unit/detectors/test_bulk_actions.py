"""Bulk actions: previewed, confirmed, carried out in chunks, cancelled, undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from detectors.api.bulk_actions import bulk_action_routes
from detectors.commands.detectors import group
from detectors.core.bulk_roots import extended_root
from detectors.errors.bulk_actions import (
    BulkActionConflict,
    BulkActionNotFound,
    SelectionChanged,
    UndoTooLate,
)
from detectors.models import DetectorsOptions
from detectors.models.alerts import AlertFilter
from detectors.models.bulk_actions import BulkAction
from detectors.plane import install
from detectors.ports import DetectorsPorts, NoRoles
from detectors.service import DetectorsServices
from detectors.service.triage import bulk_runner
from detectors.service.triage.bulk_actions import PREVIEW_LASTS, UNDO_LASTS, token_of
from detectors.store.alerts import DatabaseAlerts
from secops.adapters.database.tables import ledger_door, outbox_events
from secops.adapters.spine import Spine
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest
from secops.terminal.session import Session
from secops.web.messages import Request
from tests.contracts.test_detector_stores import ALERT
from tests.fakes.clock import FakeClock
from tests.fakes.detection_house import ANALYST, person
from tests.fakes.parts import database_spine

COLLEAGUE = replace(ANALYST, id="acc_colleague")
OUTSIDER = person("analyst", "org_other")
AUDITOR = person("auditor")
ALL = PageRequest(200)


class Roles(NoRoles):
    """Accounts and their roles by now."""

    def __init__(self) -> None:
        self.known: dict[str, frozenset[str]] = {
            each.id: each.roles for each in (ANALYST, COLLEAGUE)
        }

        self.broken = ""

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        if account_id == self.broken:
            msg = "a poisoned row"
            raise RuntimeError(msg)
        return self.known.get(account_id)


@dataclass(frozen=True, slots=True)
class House:
    spine: Spine
    clock: FakeClock
    services: DetectorsServices
    roles: Roles

    def raise_alerts(self, first: int, last: int) -> None:
        def work(tx: Any) -> None:
            for n in range(first, last + 1):
                alert = replace(ALERT, id=f"alr_{n}", last_at=1_000 + n)
                DatabaseAlerts().create(tx, alert, ("account:ann", f"account:a{n}"))

        self.spine.transactions.run(work)

    def preview(self, **wanted: Any) -> BulkAction:
        return self.services.bulk_actions.preview_bulk_close(
            ANALYST, AlertFilter(**wanted), "a planned test"
        )

    def order(self, action: BulkAction, actor: Actor = ANALYST) -> BulkAction:
        return self.services.bulk_actions.order_bulk_action(actor, action.id, token_of(action))

    def work_off(self) -> None:
        while self.services.bulk_runner.tick():
            pass

    def show(self, action: BulkAction) -> BulkAction:
        return self.services.bulk_actions.show_bulk_action(ANALYST, action.id)

    def open_ids(self) -> set[str]:
        page = self.services.alerts.list_alerts(ANALYST, AlertFilter(status="open"), ALL)
        return {alert.id for alert in page.items}

    def acts(self, action: str) -> list[Any]:
        with self.spine.engine.connect() as connection:
            records = list(connection.execute(sa.select(ledger_door.c.record)).scalars())
        rows = [orjson.loads(record) for record in records]
        return [row for row in rows if row["action"] == action]

    def told(self, name: str) -> int:
        query = sa.select(sa.func.count()).where(outbox_events.c.name == name)
        with self.spine.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(bulk_runner, "CHUNK", 2)
    monkeypatch.setattr(bulk_runner, "TOLD", 2)
    clock, roles = FakeClock(), Roles()
    spine = database_spine(tmp_path, clock=clock)
    try:
        plane = install(spine.parts, DetectorsPorts(roles=roles), DetectorsOptions())
        services = cast("DetectorsServices", plane.services)
        found = House(spine, clock, services, roles)
        found.raise_alerts(1, 5)
        yield found
    finally:
        spine.close()


def test_a_bulk_action_that_fails_keeps_no_other_waiting(house: House) -> None:
    failing = house.preview()
    other = house.services.bulk_actions.preview_bulk_close(COLLEAGUE, AlertFilter(), "theirs")
    house.order(failing)
    house.clock.advance(1)
    house.order(other, COLLEAGUE)
    house.roles.broken = ANALYST.id
    for _ in range(10):
        with pytest.raises(RuntimeError, match="a poisoned row"):
            house.services.bulk_runner.tick()
    assert (house.show(other).state, house.show(failing).state) == ("done", "acting")
    house.roles.broken = ""
    house.work_off()
    assert house.show(failing).state == "done"


def test_all_that_fits_is_closed_and_what_arrives_later_is_not(house: House) -> None:
    preview = house.preview()
    assert (preview.count, preview.state, house.open_ids()) == (
        5,
        "preview",
        {f"alr_{n}" for n in range(1, 6)},
    )
    house.raise_alerts(6, 7)
    house.order(preview)
    house.work_off()
    done = house.show(preview)
    assert (done.state, done.place, done.written, done.told) == ("done", 5, 5, 6)
    assert house.open_ids() == {"alr_6", "alr_7"}
    task = house.spine.transactions.read(lambda tx: house.spine.parts.tasks.get(tx, preview.id))
    assert (task.state, task.done, task.total) == ("done", 5, 5)
    items = house.services.bulk_actions.list_bulk_items(ANALYST, preview.id, None, ALL).items
    assert done.root == extended_root("", [(item.alert_id, item.version) for item in items])
    assert len(done.root) == 64


def test_the_ledger_has_one_leaf_for_the_order_and_one_for_all_that_was_written(
    house: House,
) -> None:
    preview = house.preview()
    house.order(preview)
    house.work_off()
    (ordered,) = house.acts("detectors.order_bulk_action")
    assert (ordered["actor"]["id"], ordered["details"]["count"]) == (ANALYST.id, 5)
    (finished,) = house.acts("detectors.finish_bulk_action")
    assert finished["details"] == {
        "verb": "close",
        "state": "done",
        "ordered_by": ANALYST.id,
        "count": 5,
        "left": 0,
        "root": house.show(preview).root,
    }
    assert house.acts("detectors.close_alert") == []


def test_each_subjects_risk_is_told_once(house: House) -> None:
    def rise(tx: Any) -> None:
        subjects = ("account:ann", *(f"account:a{n}" for n in range(1, 6)))
        told = dict.fromkeys(subjects, (70, "alert"))
        DatabaseAlerts().note_risks(tx, "org_root", told)

    house.spine.transactions.run(rise)
    before = house.told("subject_risk_changed")
    house.order(house.preview())
    house.work_off()
    assert house.told("subject_risk_changed") - before == 6


@pytest.mark.parametrize("case", ["token", "colleague", "late", "twice"])
def test_only_its_maker_orders_a_preview_once_and_in_time(house: House, case: str) -> None:
    preview = house.preview()
    actor, token = ANALYST, token_of(preview)
    if case == "token":
        token = token_of(replace(preview, count=4))
    elif case == "colleague":
        actor = COLLEAGUE
    elif case == "late":
        house.clock.advance(PREVIEW_LASTS / SECOND + 1)
    else:
        house.order(preview)
    with pytest.raises(SelectionChanged):
        house.services.bulk_actions.order_bulk_action(actor, preview.id, token)


def test_a_preview_about_nothing_can_not_be_ordered(house: House) -> None:
    preview = house.preview(severity="low")
    assert preview.count == 0
    with pytest.raises(BulkActionConflict):
        house.order(preview)


def test_rights_and_organisations_are_kept_apart(house: House) -> None:
    service, preview = house.services.bulk_actions, house.preview()
    with pytest.raises(Forbidden):
        service.preview_bulk_close(AUDITOR, AlertFilter(), "why")
    client = replace(ANALYST, kind="client")
    with pytest.raises(Forbidden):
        service.preview_bulk_close(client, AlertFilter(), "why")
    with pytest.raises(Forbidden):
        service.undo_bulk_action(client, preview.id)
    with pytest.raises(BulkActionNotFound):
        service.show_bulk_action(OUTSIDER, preview.id)
    assert service.preview_bulk_close(OUTSIDER, AlertFilter(), "why").count == 0
    with pytest.raises(Invalid):
        service.preview_bulk_close(ANALYST, AlertFilter(status="closed"), "why")
    with pytest.raises(Invalid):
        service.preview_bulk_close(ANALYST, AlertFilter(), "  ")


@pytest.mark.parametrize("roles", [None, frozenset({"auditor"})])
def test_work_stops_when_whoever_ordered_it_may_not_act_any_more(
    house: House, roles: frozenset[str] | None
) -> None:
    preview = house.preview()
    house.order(preview)
    house.services.bulk_runner.tick()
    if roles is None:
        del house.roles.known[ANALYST.id]
    else:
        house.roles.known[ANALYST.id] = roles
    house.work_off()
    stopped = house.show(preview)
    assert (stopped.state, stopped.written, bool(stopped.failure)) == ("failed", 2, True)
    assert len(house.open_ids()) == 3


def test_cancelling_keeps_what_was_written_and_lets_it_be_undone(house: House) -> None:
    service, preview = house.services.bulk_actions, house.preview()
    with pytest.raises(BulkActionConflict):
        service.cancel_bulk_action(ANALYST, preview.id)
    house.order(preview)
    house.services.bulk_runner.tick()
    service.cancel_bulk_action(ANALYST, preview.id)
    with pytest.raises(BulkActionConflict):
        service.undo_bulk_action(ANALYST, preview.id)
    house.work_off()
    assert (house.show(preview).state, len(house.open_ids())) == ("cancelled", 3)
    undo = service.undo_bulk_action(ANALYST, preview.id)
    house.work_off()
    assert (house.show(undo).written, len(house.open_ids())) == (2, 5)


def test_an_undo_leaves_what_changed_since(house: House) -> None:
    service, preview = house.services.bulk_actions, house.preview()
    house.order(preview)
    house.work_off()

    def change(tx: Any) -> None:
        closed = DatabaseAlerts().get(tx, "alr_3")
        DatabaseAlerts().change(tx, replace(closed, event_count=9), ("account:ann",))

    house.spine.transactions.run(change)
    house.clock.advance(60)
    undo = service.undo_bulk_action(COLLEAGUE, preview.id)
    house.work_off()
    assert house.open_ids() == {"alr_1", "alr_2", "alr_4", "alr_5"}
    left = service.list_bulk_items(ANALYST, undo.id, "changed", ALL).items
    assert [item.alert_id for item in left] == ["alr_3"]
    for action_id in (preview.id, undo.id):
        with pytest.raises(BulkActionConflict):
            service.undo_bulk_action(ANALYST, action_id)
    page = service.list_bulk_actions(ANALYST, PageRequest(1))
    assert ([each.id for each in page.items], page.next is not None) == ([undo.id], True)


def test_after_ten_minutes_nothing_is_undone(house: House) -> None:
    preview = house.preview()
    house.order(preview)
    house.work_off()
    house.clock.advance(UNDO_LASTS / SECOND + 1)
    with pytest.raises(UndoTooLate):
        house.services.bulk_actions.undo_bulk_action(ANALYST, preview.id)


def test_two_runners_at_one_chunk_write_it_once(house: House) -> None:
    preview = house.preview()
    house.order(preview)
    runner = house.services.bulk_runner
    action = house.show(preview)
    runner._act(action)
    with pytest.raises(BulkActionConflict):
        runner._act(action)
    house.work_off()
    assert (house.show(preview).written, house.open_ids()) == (5, set())


@dataclass(frozen=True, slots=True)
class Opened:
    """A home as commands see it."""

    kept: DetectorsServices

    @property
    def services(self) -> tuple[DetectorsServices]:
        return (self.kept,)

    def act_as(self, _account: str | None) -> Actor:
        return ANALYST

    def close(self) -> None:
        return


def say(house: House, *words: str) -> Any:
    session = Session(Path("/nonexistent"), "analyst", lambda _: Opened(house.services))  # type: ignore[arg-type, return-value]
    result = CliRunner().invoke(group, list(words), obj=session, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_command_line_previews_orders_and_undoes(house: House) -> None:
    words = ("preview-bulk-close", "--severity", "high", "--reason", "a test")
    assert say(house, *words) == "5 open alerts would be closed\n"
    preview = orjson.loads(say(house, *words, "--since", "1970-01-01T00:00:00Z", "--json"))
    action_id = preview["id"]
    done = say(house, "order-bulk-action", action_id, "--token", preview["token"])
    assert done == f"{action_id} close done: 5 of 5, written 5, changed since 0\n"
    undo = orjson.loads(say(house, "undo-bulk-action", action_id, "--json"))
    assert (undo["state"], undo["written"], undo["undoes"]) == ("done", 5, action_id)
    listed = orjson.loads(say(house, "list-bulk-actions", "--json"))["items"]
    assert [each["verb"] for each in listed] == ["undo", "close"]
    assert "more: --cursor" not in say(house, "list-bulk-actions", "--limit", "1")
    items = orjson.loads(say(house, "list-bulk-items", action_id, "--json"))["items"]
    assert items[0]["before"]["status"] == "open"
    assert "alr_5" in say(house, "list-bulk-items", action_id, "--limit", "1")
    assert say(house, "show-bulk-action", undo["id"]).startswith(f"{undo['id']} undo done")
    with pytest.raises(BulkActionConflict):
        say(house, "cancel-bulk-action", action_id)
    with pytest.raises(Invalid):
        say(house, *words, "--since", "yesterday")


def test_the_routes_preview_order_show_and_refuse(house: House) -> None:
    routes = {each.operation: each for each in bulk_action_routes(house.services.bulk_actions)}

    def ask(operation: str, body: Any = None, query: str = "", **args: str) -> Any:
        route = routes[operation]
        content = orjson.dumps(body) if body is not None else b""
        request = Request(route.method, route.path, query, body=content, args=args, actor=ANALYST)
        return orjson.loads(route.handler(request).body)

    body = {"reason": "a test", "severity": "high", "subject": "account:a1"}
    preview = ask("preview_bulk_close", body)
    assert (preview["count"], preview["wanted"]["subject"]) == (1, "account:a1")
    ordered = ask("order_bulk_action", {"token": preview["token"]}, action_id=preview["id"])
    assert (ordered["state"], ordered["token"]) == ("acting", None)
    assert ask("cancel_bulk_action", action_id=preview["id"])["state"] == "telling"
    second = ask("preview_bulk_close", {"reason": "again"})
    ask("order_bulk_action", {"token": second["token"]}, action_id=second["id"])
    house.work_off()
    assert ask("show_bulk_action", action_id=second["id"])["undo_until"] is not None
    assert ask("undo_bulk_action", action_id=second["id"])["verb"] == "undo"
    house.work_off()
    assert len(ask("list_bulk_actions")["items"]) == 3
    for query, count in (("", 5), ("result=done", 5), ("result=changed", 0)):
        assert len(ask("list_bulk_items", query=query, action_id=second["id"])["items"]) == count
    with pytest.raises(Invalid):
        ask("list_bulk_items", query="result=other", action_id=second["id"])
