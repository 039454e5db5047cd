"""Duty: rosters, swaps with both's consent, and calls that go on until somebody answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playbooks.errors import ChangedMeanwhile, ChannelUnknown
from playbooks.errors.duty import (
    EscalationAcknowledged,
    EscalationUnknown,
    NotOnRoster,
    RosterInvalid,
    RosterNameTaken,
    RosterUnknown,
    ShiftInvalid,
    ShiftUnknown,
    SwapRefused,
    SwapUnknown,
)
from playbooks.models import PlaybooksOptions
from playbooks.models.duty import DutyView, Escalation, Roster, Shift
from playbooks.models.notifications import ChannelDraft
from playbooks.service.duty import NewShift, RosterDraft
from playbooks.service.notifications import NewSubscription
from secops.kernel.approvals import SelfApproval
from secops.kernel.clock import DAY, HOUR, MINUTE
from secops.kernel.errors import Forbidden
from secops.kernel.events import AlertRaised, Delivery
from secops.kernel.pages import PageRequest
from tests.fakes.playbooks_house import ANALYST, APPROVER, AUDITOR, House, house, person

ADMIN = person("li", "system-admin")
SUN = person("sun", "analyst")
FOREIGN = person("he", "security-admin", "org_b")
DRAFT = RosterDraft(
    "soc", (("wang", "phone-w", False), ("sun", "phone-s", False), ("zhao", "boss", True))
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, options=PlaybooksOptions(site="https://soc.example")) as opened:
        for actor in (ANALYST, SUN, APPROVER):
            opened.containment.add(actor.id, actor.name)
        for name in ("phone-w", "phone-s", "boss"):
            draft = ChannelDraft(name, "generic", f"https://hook.example/{name}")
            opened.services.notifications.channels.create_channel(ADMIN, draft)
        yield opened


def roster(home: House, draft: RosterDraft = DRAFT) -> Roster:
    return home.services.duty.rosters.create_roster(APPROVER, draft)


def shift(home: House, of: Roster, primary: str = "wang", deputy: str = "sun") -> Shift:
    now = home.clock.now()
    new = NewShift(now, now + 8 * HOUR, primary, deputy)
    return home.services.duty.shifts.add_shift(APPROVER, of.id, new)


def shown(home: House, of: Roster, **given: Any) -> DutyView:
    return home.services.duty.rosters.show_roster(AUDITOR, of.id, **given)


# rosters


def test_a_roster_names_accounts_and_channels_of_its_own_organisation(home: House) -> None:
    made = roster(home)
    assert [one.account_id for one in made.members] == ["acc_wang", "acc_sun", "acc_zhao"]
    assert [one.lead for one in made.members] == [False, False, True]
    assert (made.policy[0].to, made.policy[0].after) == ("primary", 0)
    for bad, error in (
        ({"members": (("nobody", "boss", False),)}, RosterInvalid),
        ({"members": (("wang", "nowhere", False),)}, ChannelUnknown),
        ({"members": ()}, RosterInvalid),
        ({"members": (("wang", "boss", False),) * 101}, RosterInvalid),
        ({"policy": (("primary", 5),)}, RosterInvalid),
        ({"name": "<b>"}, RosterInvalid),
        ({}, RosterNameTaken),
    ):
        with pytest.raises(error):
            roster(home, replace(DRAFT, **bad))


def test_only_a_security_administrator_makes_rosters_and_others_do_not_see_them(
    home: House,
) -> None:
    made, service = roster(home), home.services.duty.rosters
    with pytest.raises(Forbidden):
        service.create_roster(ANALYST, replace(DRAFT, name="x"))
    with pytest.raises(RosterUnknown):
        service.show_roster(FOREIGN, made.id)
    assert service.list_rosters(FOREIGN) == []
    with pytest.raises(ChannelUnknown):
        service.create_roster(FOREIGN, replace(DRAFT, name="x"))


def test_a_roster_is_changed_whole_and_no_change_is_lost(home: House) -> None:
    made, service = roster(home), home.services.duty.rosters
    roster(home, replace(DRAFT, name="other"))
    calm = replace(DRAFT, policy=(("lead", 0),))
    assert service.change_roster(APPROVER, made.id, calm, version=1).version == 2
    with pytest.raises(ChangedMeanwhile):
        service.change_roster(APPROVER, made.id, DRAFT, version=1)
    with pytest.raises(RosterNameTaken):
        service.change_roster(APPROVER, made.id, replace(DRAFT, name="other"), version=2)


def test_who_is_on_duty_now_and_where_nobody_is(home: House) -> None:
    made = roster(home)
    assert shown(home, made).current is None
    planned = shift(home, made)
    [view] = home.services.duty.rosters.who_is_on_duty(AUDITOR)
    assert view.current == planned
    now = home.clock.now()
    assert [(one.starts_at, one.ends_at) for one in shown(home, made, days=1).holes] == [
        (now + 8 * HOUR, now + DAY)
    ]
    home.containment._load()["accounts"]["acc_wang"]["locked"] = True
    assert [one.why for one in shown(home, made, days=1).holes] == ["acc_wang", ""]


@pytest.mark.parametrize(
    ("begins", "ends", "primary", "deputy"),
    [
        (0, 0, "wang", ""),
        (0, 8 * DAY, "wang", ""),
        (500 * DAY, 500 * DAY + HOUR, "wang", ""),
        (HOUR, 2 * HOUR, "wang", ""),
        (9 * HOUR, 10 * HOUR, "nobody", ""),
        (9 * HOUR, 10 * HOUR, "wang", "wang"),
    ],
)
def test_a_shift_that_can_not_be_is_refused(
    home: House, begins: int, ends: int, primary: str, deputy: str
) -> None:
    made = roster(home)
    shift(home, made)
    now = home.clock.now()
    new = NewShift(now + begins, now + ends, primary, deputy)
    with pytest.raises(ShiftInvalid):
        home.services.duty.shifts.add_shift(APPROVER, made.id, new)


def test_a_shift_is_removed_by_who_plans(home: House) -> None:
    made, service = roster(home), home.services.duty.shifts
    planned = shift(home, made)
    with pytest.raises(Forbidden):
        service.remove_shift(ANALYST, planned.id)
    service.remove_shift(APPROVER, planned.id)
    with pytest.raises(ShiftUnknown):
        service.remove_shift(APPROVER, planned.id)


# swaps


def test_a_place_passes_when_both_want_it(home: House) -> None:
    made, service = roster(home), home.services.duty.shifts
    planned = shift(home, made, "wang", "")
    swap = service.ask_swap(ANALYST, planned.id, "primary", "sun")
    with pytest.raises(SwapRefused):
        service.answer_swap(ANALYST, swap.id, agree=True)
    assert service.answer_swap(SUN, swap.id, agree=True).state == "agreed"
    current = shown(home, made).current
    assert current is not None
    assert current.primary_id == "acc_sun"
    with pytest.raises(SwapRefused):
        service.answer_swap(SUN, swap.id, agree=False)


def test_one_may_ask_for_anothers_place_too(home: House) -> None:
    service = home.services.duty.shifts
    planned = shift(home, roster(home), "wang", "")
    swap = service.ask_swap(SUN, planned.id, "primary", "wang")
    assert (swap.from_id, swap.to_id) == ("acc_wang", "acc_sun")
    assert service.answer_swap(ANALYST, swap.id, agree=False).state == "declined"
    again = service.ask_swap(SUN, planned.id, "primary", "wang")
    assert service.answer_swap(SUN, again.id, agree=False).state == "withdrawn"


def test_a_second_account_of_the_same_person_is_no_consent(home: House) -> None:
    service = home.services.duty.shifts
    planned = shift(home, roster(home), "wang", "")
    swap = service.ask_swap(ANALYST, planned.id, "primary", "sun")
    home.persons.one("acc_wang", "acc_sun")
    with pytest.raises(SelfApproval):
        service.answer_swap(SUN, swap.id, agree=True)


def test_a_swap_of_a_shift_that_changed_meanwhile_is_void(home: House) -> None:
    service = home.services.duty.shifts
    planned = shift(home, roster(home), "wang", "")
    first = service.ask_swap(ANALYST, planned.id, "primary", "sun")
    second = service.ask_swap(ANALYST, planned.id, "primary", "zhao")
    service.answer_swap(SUN, first.id, agree=True)
    with pytest.raises(SwapRefused, match="changed"):
        service.answer_swap(APPROVER, second.id, agree=True)


def test_swaps_that_make_no_sense_are_refused(home: House) -> None:
    made, service = roster(home), home.services.duty.shifts
    planned = shift(home, made)
    outsider = person("guo", "analyst")
    with pytest.raises(NotOnRoster):
        service.ask_swap(outsider, planned.id, "primary", "wang")
    with pytest.raises(SwapRefused, match="neither"):
        service.ask_swap(APPROVER, planned.id, "primary", "sun")
    with pytest.raises(SwapRefused, match="already"):
        service.ask_swap(ANALYST, planned.id, "primary", "sun")
    with pytest.raises(ShiftInvalid):
        service.ask_swap(ANALYST, planned.id, "boss", "sun")
    swap = service.ask_swap(ANALYST, planned.id, "primary", "zhao")
    with pytest.raises(SwapRefused, match="two of them"):
        service.answer_swap(SUN, swap.id, agree=True)
    with pytest.raises(SwapUnknown):
        service.answer_swap(SUN, "swp_none", agree=True)
    home.clock.advance(9 * 3_600)
    with pytest.raises(SwapRefused, match="over"):
        service.ask_swap(ANALYST, planned.id, "primary", "zhao")


# calls


def called(home: House) -> list[str]:
    home.services.duty.escalations.escalate()
    home.services.notifications.delivery.deliver()
    return [url.rpartition("/")[2] for url, _, _ in home.outbound.posted]


def alarm(home: House, of: Roster) -> Escalation:
    new = NewSubscription("alert", f"roster:{of.id}", "low")
    home.services.notifications.subscriptions.subscribe(APPROVER, new)
    announcement = AlertRaised(ADMIN.org_id, "alr_1", "rule", "high", {})
    for _ in range(2):  # delivered at least once
        delivery = Delivery(1, home.clock.now(), announcement)
        home.services.notifications.herald.alert_raised(delivery)
    return home.services.duty.escalations.list_escalations(AUDITOR, PageRequest(10)).items[0]


def test_nobody_answers_so_deputy_lead_and_all_are_called_each_once(home: House) -> None:
    made = roster(home)
    shift(home, made)
    escalation = alarm(home, made)
    assert called(home) == ["phone-w"]
    assert called(home) == ["phone-w"]
    home.clock.advance(600)
    assert called(home)[1:] == ["phone-s"]
    home.clock.advance(600)
    assert called(home)[2:] == ["boss"]
    home.clock.advance(600)
    assert sorted(called(home)[3:]) == ["boss", "phone-s", "phone-w"]
    home.clock.advance(6_000)
    assert len(called(home)) == 6
    service = home.services.duty.escalations
    assert service.show_escalation(AUDITOR, escalation.id).state == "exhausted"
    assert service.acknowledge_escalation(SUN, escalation.id).acknowledged_by == "acc_sun"


def test_whoever_acknowledges_ends_the_calls_and_only_signed_in_people_of_the_roster_do(
    home: House,
) -> None:
    made = roster(home)
    shift(home, made)
    escalation = alarm(home, made)
    called(home)
    service = home.services.duty.escalations
    with pytest.raises(Forbidden):
        service.acknowledge_escalation(AUDITOR, escalation.id)
    with pytest.raises(NotOnRoster):
        service.acknowledge_escalation(person("guo", "analyst"), escalation.id)
    with pytest.raises(EscalationUnknown):
        service.acknowledge_escalation(FOREIGN, escalation.id)
    service.acknowledge_escalation(ANALYST, escalation.id)
    with pytest.raises(EscalationAcknowledged):
        service.acknowledge_escalation(SUN, escalation.id)
    home.clock.advance(6_000)
    assert called(home) == ["phone-w"]


def test_a_step_is_taken_by_one_of_two_nodes_and_survives_a_restart(
    home: House, tmp_path: Path
) -> None:
    made = roster(home)
    shift(home, made)
    alarm(home, made)
    now = home.clock.now()
    kept = home.surroundings.stores.duty.escalations
    [due] = home.spine.parts.transactions.read(lambda tx: kept.due(tx, now, 10))
    service = home.services.duty.escalations
    for _ in range(2):  # both nodes read it before either wrote
        home.spine.parts.transactions.run(lambda tx: service._step(tx, due))
    assert called(home) == ["phone-w"]


def test_the_call_says_who_is_called_in_the_channels_language_and_links_to_the_console(
    home: House,
) -> None:
    made = roster(home)
    escalation = alarm(home, made)
    called(home)
    [(url, body, _)] = home.outbound.posted
    assert url.endswith("/boss")  # nobody is on duty: the lead
    text = body.decode()
    assert "值班呼叫(主班):zhao" in text
    assert f"https://soc.example/duty/calls/{escalation.id}" in text


def test_a_roster_without_people_who_can_be_reached_still_moves_on(home: House) -> None:
    made = roster(home)
    alarm(home, made)
    for channel in home.services.notifications.channels.list_channels(ADMIN):
        home.services.notifications.channels.switch_channel(
            ADMIN, channel.id, enabled=False, version=1
        )
    for _ in range(5):
        assert called(home) == []
        home.clock.advance(10 * MINUTE // 1_000_000)
    acts = [one for one in home.acts() if one == "playbooks.escalate"]
    assert len(acts) == 4
