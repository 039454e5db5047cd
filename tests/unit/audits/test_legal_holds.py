"""Legal holds: placed by one, lifted by another, and retention asks before it drops a day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audits.core.entry_changes import FieldChange, differences, recorded_changes
from audits.errors import TooManyKept
from audits.errors.holds import HoldInvalid, HoldLifted, HoldNotFound
from audits.service.holds import HoldService, NewHold, holds
from audits.service.holds.documents import hold_document
from audits.store.holds import DatabaseHolds
from secops.adapters.spine import Spine
from secops.bridges.own_acts import AuditedHolds
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import BEIJING, DAY, from_rfc3339
from secops.kernel.errors import Forbidden, Unavailable
from secops.kernel.logs import is_held
from secops.kernel.pages import PageRequest
from tests.fakes.parts import database_spine
from tests.fakes.persons import FakePersons

ONE = Actor("account", "acc_one", ROOT_ORG, "甲", frozenset({"audit-admin"}), level=2)
TWO = Actor("account", "acc_two", ROOT_ORG, "乙", frozenset({"audit-admin"}), level=2)
BELOW = Actor("account", "acc_below", "org_a", "丙", frozenset({"audit-admin"}), level=2)
WANTED = NewHold("2026-03-01", "2026-03-02", "案件2026-17", "取证")


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    made = database_spine(tmp_path)
    yield made
    made.close()


@pytest.fixture
def service(spine: Spine) -> HoldService:
    return HoldService(spine.parts, DatabaseHolds())


def test_a_hold_keeps_whole_days_of_beijing_until_another_person_lifts_it(
    service: HoldService,
) -> None:
    hold = service.place_legal_hold(ONE, WANTED)
    assert hold.since == from_rfc3339("2026-03-01T00:00:00+08:00")
    assert service.held_windows() == [(hold.since, hold.since + 2 * DAY)]
    with pytest.raises(Forbidden):
        service.lift_legal_hold(ONE, hold.id, "结案")
    assert service.held_windows() != []
    lifted = service.lift_legal_hold(TWO, hold.id, "结案")
    assert service.held_windows() == []
    with pytest.raises(HoldLifted):
        service.lift_legal_hold(TWO, hold.id, "结案")
    (listed,) = service.list_legal_holds(ONE, PageRequest(10)).items
    assert listed == lifted
    assert hold_document(listed)["lift_reason"] == "结案"


def test_a_second_account_of_the_same_person_lifts_nothing(tmp_path: Path) -> None:
    persons = FakePersons()
    persons.one(ONE.id, TWO.id)
    spine = database_spine(tmp_path, persons=persons)
    try:
        service = HoldService(spine.parts, DatabaseHolds())
        hold = service.place_legal_hold(ONE, WANTED)
        with pytest.raises(Forbidden):
            service.lift_legal_hold(TWO, hold.id, "结案")
    finally:
        spine.close()


@pytest.mark.parametrize(
    "wanted",
    [
        NewHold("2026-03-02", "2026-03-01", "a", "b"),
        NewHold("2026-02-30", "2026-03-01", "a", "b"),
        NewHold("", "2026-03-01", "a", "b"),
        NewHold("0001-01-01", "9000-03-01", "a", "b"),
        NewHold("2026-03-01", "2026-03-01", " ", "b"),
        NewHold("2026-03-01", "2026-03-01", "a", "b" * 1_001),
    ],
)
def test_what_makes_no_sense_is_refused(service: HoldService, wanted: NewHold) -> None:
    with pytest.raises(HoldInvalid):
        service.place_legal_hold(ONE, wanted)


def test_only_the_root_organisation_and_only_so_many(
    service: HoldService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for act in (
        lambda: service.place_legal_hold(BELOW, WANTED),
        lambda: service.lift_legal_hold(BELOW, "hold_x", "r"),
    ):
        with pytest.raises(Forbidden):
            act()
    service.place_legal_hold(ONE, WANTED)
    assert service.list_legal_holds(BELOW, PageRequest(10)).items == ()
    with pytest.raises(HoldNotFound):
        service.lift_legal_hold(ONE, "hold_x", "r")
    monkeypatch.setattr(holds, "MAX_HOLDS", 1)
    with pytest.raises(TooManyKept):
        service.place_legal_hold(ONE, WANTED)


def test_retention_drops_nothing_while_nobody_can_tell() -> None:
    with pytest.raises(Unavailable):
        AuditedHolds()()


def test_a_moment_of_a_day_holds_the_day() -> None:
    midnight = 20_000 * DAY
    assert is_held(20_000, [(midnight - 1, midnight + 1)])
    assert is_held(19_999, [(midnight - 1, midnight)])
    assert not is_held(20_000, [(midnight - 1, midnight)])
    assert is_held(20_000, [(midnight + DAY - BEIJING, midnight + 2 * DAY)])
    assert not is_held(20_000, [])


# what an entry changed


def test_changes_are_read_as_an_act_says_them() -> None:
    assert recorded_changes({"changes": {"level": [2, 3], "owner": "changed"}}) == (
        FieldChange("level", "2", "3"),
        FieldChange("owner", "", "changed"),
    )
    both = {
        "before": {"a": {"b": 1, "c": None}, "x": "same"},
        "after": {"a": {"b": 2}, "x": "same"},
    }
    assert recorded_changes(both) == (FieldChange("a.b", "1", "2"),)
    assert recorded_changes({"before": 1, "after": {}}) == ()
    assert recorded_changes({"count": 3}) == ()


def test_differences_are_bounded_in_number_depth_and_length() -> None:
    deep: dict[str, object] = {"v": 1}
    for _ in range(50):
        deep = {"d": deep}
    (change,) = differences({}, deep)
    assert change.field.count("d") == 7
    many = {str(number): number for number in range(1_000)}
    assert len(differences({}, many)) == 200
    assert len(differences({}, {"long": "x" * 9_000})[0].after) == 2_000
