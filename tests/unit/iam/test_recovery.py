"""A reset of credentials waits; its owner is told and cancels; a third one shortens the wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from iam.core.notices import TEXTS, notice_text
from iam.errors import InvalidRequest, ResetOver, ResetTooEarly
from iam.models.messages import NewAddress
from iam.service.people.recoveries import HASTENED
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND
from secops.kernel.errors import Forbidden, NotFound, SecopsError
from tests.fakes.carrier import FakeCarrier
from tests.fakes.iam_home import ADDRESS, open_iam_home
from tests.fakes.second_account import second_account

NUMBER, MAIL = "13812345678", "zhang.wei@example.gov.cn"


class Place:
    """A home with carriers, and staff who confirmed both addresses."""

    def __init__(self, folder: Path) -> None:
        self.sms, self.mail = FakeCarrier("sms"), FakeCarrier("mail")
        self.home = open_iam_home(folder, carriers=(self.sms, self.mail))
        self.services = self.home.services
        self.system = self.home.actor("system-admin")
        self.security = self.home.actor("security-admin")
        self.audit = self.home.actor("audit-admin")

    def enrol(self, text: str, carrier: FakeCarrier) -> None:
        addresses, owner = self.services.message_addresses, self.owner()
        asked = addresses.ask_address(owner, NewAddress(carrier.channel, text, ADDRESS))
        addresses.confirm_address(owner, asked.reference, carrier.code, ADDRESS)
        self.home.clock.advance(61)

    def owner(self) -> Actor:
        return replace(self.home.actor("staff"), auth_time=self.home.clock.now())

    def ask(self) -> str:
        return self.services.resets.request_reset(self.system, "staff", "lost phone")

    def approved(self) -> str:
        reset = self.ask()
        self.services.resets.approve_reset(self.security, reset, grant=True)
        return reset

    def deliver(self) -> None:
        [job] = [each for each in self.home.plane.jobs if each.name == "iam.notices"]
        while job.tick():
            pass

    def notices(self) -> list[tuple[str, str, str]]:
        with self.home.spine.read_engine.begin() as connection:
            rows = connection.execute(
                sa.text("SELECT kind, channel, state FROM iam_owner_notices ORDER BY 1, 2")
            ).all()
        return [(row[0], row[1], row[2]) for row in rows]

    def actions(self) -> list[str]:
        return [f"{leaf['action']} {leaf['outcome']}" for leaf in self.home.leaves()]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    opened = Place(tmp_path)
    yield opened
    opened.home.close()


# attacks


def test_two_administrators_who_were_talked_into_it_wait_a_day(place: Place) -> None:
    reset = place.approved()
    for _ in range(2):
        with pytest.raises(ResetTooEarly) as early:
            place.services.resets.complete_reset(place.system, reset)
        assert early.value.facts["not_before"] == "2026-01-02T00:00:00Z"
        place.home.clock.advance((DAY - SECOND) // 2 // SECOND)
    place.home.clock.advance(2)
    assert place.services.resets.complete_reset(place.system, reset).account_name == "staff"


def test_the_owner_cancels_from_a_session_of_any_age_and_nobody_revives_it(place: Place) -> None:
    place.home.sign_in("staff")
    reset = place.approved()
    old = replace(place.home.actor("staff"), auth_time=place.home.clock.now() - 8 * HOUR)
    place.services.recoveries.cancel_reset(old, reset)
    place.home.clock.advance(DAY // SECOND)
    for attempt in (
        lambda: place.services.resets.complete_reset(place.system, reset),
        lambda: place.services.recoveries.hasten_reset(place.audit, reset, "now"),
        lambda: place.services.recoveries.cancel_reset(old, reset),
    ):
        with pytest.raises(ResetOver):
            attempt()
    assert "iam.cancel_reset done" in place.actions()
    assert place.home.sign_in("staff").account_name == "staff"


def test_a_cancelled_request_is_neither_listed_nor_approved(place: Place) -> None:
    reset = place.ask()
    place.services.recoveries.cancel_reset(place.owner(), reset)
    assert place.services.resets.pending(place.security) == []
    with pytest.raises((ResetOver, NotPending)):
        place.services.resets.approve_reset(place.security, reset, grant=True)


def test_nobody_but_its_owner_cancels(place: Place) -> None:
    reset = place.ask()
    for role in ("analyst", "system-admin", "audit-admin"):
        with pytest.raises(NotFound):
            place.services.recoveries.cancel_reset(place.home.actor(role), reset)
    with pytest.raises(NotFound):
        place.services.recoveries.cancel_reset(place.owner(), "apr_of_nobody")


def test_cancelling_and_completing_at_once_has_one_winner(place: Place) -> None:
    reset = place.approved()
    place.home.clock.advance(DAY // SECOND)
    owner, won, start = place.owner(), [], threading.Barrier(2)

    def cancel() -> None:
        start.wait()
        with suppress(SecopsError):
            place.services.recoveries.cancel_reset(owner, reset)
            won.append("cancelled")

    def complete() -> None:
        start.wait()
        with suppress(SecopsError):
            place.services.resets.complete_reset(place.system, reset)
            won.append("completed")

    threads = [threading.Thread(target=each) for each in (cancel, complete)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_the_wait_is_shortened_by_a_third_person_only(place: Place) -> None:
    reset = place.ask()
    recoveries = place.services.recoveries
    with pytest.raises(ResetOver):  # whoever hastened first could approve afterwards
        recoveries.hasten_reset(place.audit, reset, "duty officer locked out")
    place.services.resets.approve_reset(place.security, reset, grant=True)
    for actor in (place.system, place.security):
        with pytest.raises(SelfApproval):
            recoveries.hasten_reset(actor, reset, "hurry")
    for role in ("analyst", "staff", "auditor"):
        with pytest.raises(Forbidden):
            recoveries.hasten_reset(place.home.actor(role), reset, "hurry")
    with pytest.raises(InvalidRequest):
        recoveries.hasten_reset(place.audit, reset, "  ")
    found = recoveries.hasten_reset(place.audit, reset, "duty officer locked out")
    assert found.not_before == place.home.clock.now() + HASTENED == found.asked_at + 15 * MINUTE
    with pytest.raises(ResetOver):  # it is no shorter than that
        recoveries.hasten_reset(place.audit, reset, "sooner")
    with pytest.raises(ResetTooEarly):
        place.services.resets.complete_reset(place.system, reset)
    place.home.clock.advance(HASTENED // SECOND)
    assert place.services.resets.complete_reset(place.system, reset).account_name == "staff"
    assert "iam.hasten_reset done" in place.actions()


def test_a_second_account_of_whoever_asked_is_no_third_person(place: Place) -> None:
    reset = place.approved()
    twin = second_account(place.home, "system-admin", "audit-admin")
    with pytest.raises(SelfApproval):
        place.services.recoveries.hasten_reset(twin, reset, "hurry")


def test_nobody_hastens_the_reset_of_their_own_account(place: Place) -> None:
    reset = place.services.resets.request_reset(place.system, "audit-admin", "lost")
    place.services.resets.approve_reset(place.security, reset, grant=True)
    with pytest.raises(Forbidden):
        place.services.recoveries.hasten_reset(place.audit, reset, "hurry")


def test_a_thief_who_takes_the_address_away_keeps_no_notice_away(place: Place) -> None:
    place.enrol(NUMBER, place.sms)
    place.enrol(MAIL, place.mail)
    place.ask()
    for channel in ("sms", "mail"):
        place.services.message_addresses.remove_address(place.owner(), channel)
    place.deliver()
    told = [message.template for message in place.sms.sent + place.mail.sent]
    assert (told.count("reset_asked"), told.count("address_changed")) == (2, 3)
    assert place.sms.sent[-1].to == f"+86{NUMBER}"


def test_a_reset_takes_the_addresses_away_too(place: Place) -> None:
    place.enrol(NUMBER, place.sms)
    reset = place.approved()
    place.home.clock.advance(DAY // SECOND)
    owner = place.owner()
    place.services.resets.complete_reset(place.system, reset)
    assert place.services.message_addresses.list_addresses(owner) == []


# notices


def test_the_owner_is_told_over_every_channel_when_somebody_asks(place: Place) -> None:
    place.enrol(NUMBER, place.sms)
    place.enrol(MAIL, place.mail)
    place.ask()
    place.deliver()
    for carrier in (place.sms, place.mail):
        [told] = [each for each in carrier.sent if each.template == "reset_asked"]
        assert "2026-01-02 08:02" in told.text
        assert "审计管理员" in told.text
        assert "audit administrator" in told.text
    assert place.notices() == [
        ("address_changed", "sms", "delivered"),
        ("reset_asked", "mail", "delivered"),
        ("reset_asked", "sms", "delivered"),
    ]


def test_hastening_is_told_too(place: Place) -> None:
    place.enrol(NUMBER, place.sms)
    reset = place.approved()
    place.services.recoveries.hasten_reset(place.audit, reset, "duty officer locked out")
    place.deliver()
    assert [each.template for each in place.sms.sent][1:] == ["reset_asked", "reset_hastened"]


def test_a_process_that_dies_loses_no_notice_and_another_doubles_none(tmp_path: Path) -> None:
    first = Place(tmp_path)
    first.enrol(NUMBER, first.sms)
    first.ask()
    claimed = first.services.notices
    until = first.home.clock.now() + 2 * MINUTE
    stores = claimed.means.stores
    first.home.spine.parts.transactions.run(lambda tx: stores.owner_notices.claim(tx, 8, until))
    now = first.home.clock.now()
    first.home.close()  # it died between taking the notice and sending it
    again = Place(tmp_path)
    again.home.clock.advance((now - again.home.clock.now()) // SECOND)
    again.deliver()
    assert again.sms.sent == []  # another process may still be at it
    again.home.clock.advance(121)
    again.deliver()
    again.home.clock.advance(HOUR // SECOND)
    again.deliver()
    assert [each.template for each in again.sms.sent] == ["reset_asked"]
    again.home.close()


def test_a_notice_is_tried_again_and_given_up_in_the_end(place: Place) -> None:
    place.enrol(NUMBER, place.sms)
    place.sms.trouble = "the gateway answered 503"
    place.ask()
    place.deliver()
    assert place.notices() == [("reset_asked", "sms", "waiting")]
    for _ in range(9):
        place.home.clock.advance(7 * HOUR // SECOND)
        place.deliver()
    assert place.notices() == [("reset_asked", "sms", "failed")]
    assert "iam.notify_owner failed" in place.actions()


def test_a_changed_number_is_told_to_the_old_one(place: Place) -> None:
    place.enrol(NUMBER, place.sms)
    place.enrol("13987654321", place.sms)
    place.deliver()
    [told] = [each for each in place.sms.sent if each.template == "address_changed"]
    assert told.to == f"+86{NUMBER}"


def test_a_new_address_is_told_to_all_that_were_there(place: Place) -> None:
    """A thief with a fresh session adds their own number: the owner's mail hears of it."""
    place.enrol(MAIL, place.mail)
    place.enrol(NUMBER, place.sms)
    place.deliver()
    assert [each.template for each in place.mail.sent] == ["confirm", "address_changed"]
    assert [each.template for each in place.sms.sent] == ["confirm"]


def test_what_its_owner_sees(place: Place) -> None:
    assert place.services.recoveries.is_waiting(place.owner()) is False
    reset = place.approved()
    [seen] = place.services.recoveries.own_resets(place.owner())
    assert (seen.recovery.id, seen.reason, seen.approved) == (reset, "lost phone", True)
    assert place.services.recoveries.is_waiting(place.owner()) is True
    place.home.clock.advance(2 * DAY // SECOND)
    assert place.services.recoveries.own_resets(place.owner()) == []
    with pytest.raises(NotPending):
        place.services.resets.complete_reset(place.system, reset)


def test_a_rejected_reset_warns_nobody_any_more(place: Place) -> None:
    reset = place.ask()
    place.services.resets.approve_reset(place.security, reset, grant=False)
    assert place.services.recoveries.is_waiting(place.owner()) is False


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_every_notice_has_its_words(kind: str) -> None:
    text = notice_text(kind, "sso.example.gov.cn", 0)
    assert text.count("sso.example.gov.cn") == 2
    assert text.count("1970-01-01 08:00") == 2
