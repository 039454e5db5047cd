"""Codes by message as a second factor: who may, how often, what they are worth."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from iam.core.lockout import LIMITS, Limit
from iam.core.message_codes import CODE_LIFETIME, is_code
from iam.errors import (
    AddressInvalid,
    ChannelOff,
    LastFactor,
    MessageCodeNotAdmitted,
    MessageNotSent,
    SignInRefused,
    SignInUnusual,
    TooManyMessages,
)
from iam.models.messages import CodeWish, NewAddress
from iam.models.sessions import FactorAttempt, Opened, StepUpAttempt
from iam.ports import LoginRisk, RiskAdvice
from iam.service.sign_on import sending
from iam.service.sign_on.codes import code_proof
from iam.service.sign_on.guessing import guess_keys
from iam.service.sign_on.opening import Change, Proof, Subject, resume
from secops.kernel.actors import Actor
from secops.kernel.clock import HOUR, MINUTE, SECOND
from secops.kernel.errors import Forbidden, NotFound, StepUpRequired
from tests.fakes.carrier import FakeCarrier
from tests.fakes.iam_home import ADDRESS, IamHome, open_iam_home

NUMBER = "13812345678"
MAIL = "zhang.wei@example.gov.cn"


@dataclass
class Office:
    """A home with a gateway and a mail server."""

    home: IamHome
    sms: FakeCarrier
    mail: FakeCarrier

    def actor(self, role: str) -> Actor:
        return self.home.actor(role)

    def owner(self, role: str = "staff") -> Actor:
        return replace(self.home.actor(role), auth_time=self.home.clock.now(), level=2)

    def enrol(self, role: str = "staff", text: str = NUMBER, channel: str = "sms") -> None:
        addresses = self.home.services.message_addresses
        owner = self.owner(role)
        asked = addresses.ask_address(owner, NewAddress(channel, text, ADDRESS))
        carrier = self.sms if channel == "sms" else self.mail
        addresses.confirm_address(owner, asked.reference, carrier.code, ADDRESS)
        self.home.clock.advance(61)

    def send(self, reference: str, channel: str = "sms", remote: str = ADDRESS) -> str:
        wish = CodeWish(reference, channel, remote)
        return self.home.services.message_codes.send_code(wish)

    def finish(self, reference: str, code: str) -> Opened:
        return self.home.services.sign_in.finish(FactorAttempt(reference, code, ADDRESS))

    def acts(self, action: str) -> list[tuple[str, dict[str, object]]]:
        return [
            (leaf["outcome"], leaf["details"])
            for leaf in self.home.leaves()
            if leaf["action"] == action
        ]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    sms, mail = FakeCarrier("sms"), FakeCarrier("mail")
    home = open_iam_home(tmp_path, carriers=(sms, mail))
    yield Office(home, sms, mail)
    home.close()


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


# attacks


@pytest.mark.parametrize("role", ["system-admin", "security-admin", "audit-admin", "auditor"])
def test_neither_administrators_nor_auditors_are_sent_a_code(office: Office, role: str) -> None:
    office.enrol(role)
    before, reference = len(office.sms.sent), office.home.begin(role)
    assert office.home.services.message_codes.offered(reference, ADDRESS) == ()
    with pytest.raises(MessageCodeNotAdmitted):
        office.send(reference)
    assert len(office.sms.sent) == before
    assert office.acts("iam.send_code")[-1][0] == "refused"


@pytest.mark.parametrize("role", ["system-admin", "security-admin", "audit-admin", "auditor"])
def test_the_policies_refuse_whoever_got_past_the_service(office: Office, role: str) -> None:
    opening = office.home.services.sign_in.opening
    subject = _subject(office, "analyst")
    proof = Proof(("pwd", "sms"), 1, lambda _: True, by_message=True)
    opening.refuse_by_policy(subject, proof)
    with pytest.raises(Forbidden):
        opening.refuse_by_policy(replace(subject, roles=subject.roles | {role}), proof)


def test_a_first_level_without_a_code_by_message_opens_nothing(office: Office) -> None:
    proof = Proof(("pwd",), 1, lambda _: True)
    with pytest.raises(Forbidden):
        office.home.services.sign_in.opening.refuse_by_policy(_subject(office, "staff"), proof)


def test_who_became_an_administrator_after_the_code_was_sent_is_refused(office: Office) -> None:
    office.enrol("analyst")
    reference = office.home.begin("analyst")
    office.send(reference)
    means = office.home.services.sign_in.means
    subject = replace(_subject(office, "analyst"), roles=frozenset({"auditor"}))
    begun = resume(means, FactorAttempt(reference, "", ADDRESS))
    assert code_proof(means, subject, office.sms.code, begun) is None


def test_a_code_counts_for_its_own_sign_in_only(office: Office) -> None:
    office.enrol()
    one, other = office.home.begin("staff"), office.home.begin("staff")
    office.send(one)
    with pytest.raises(SignInRefused):
        office.finish(other, office.sms.code)
    assert office.finish(one, office.sms.code).account_name == "staff"


def test_another_accounts_code_opens_nothing(office: Office) -> None:
    office.enrol("staff")
    office.enrol("analyst", "13987654321")
    mine, theirs = office.home.begin("staff"), office.home.begin("analyst")
    office.send(mine)
    with pytest.raises(SignInRefused):
        office.finish(theirs, office.sms.code)


def test_a_code_counts_once(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    office.finish(reference, office.sms.code)
    with pytest.raises(SignInRefused):
        office.finish(reference, office.sms.code)


def test_of_forty_uses_at_once_one_signs_in(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    code, opened, start = office.sms.code, [], threading.Barrier(8)

    def use() -> None:
        start.wait()
        for _ in range(5):
            with suppress(SignInRefused):
                opened.append(office.finish(reference, code))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1


def test_a_code_is_over_after_five_minutes(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    office.home.clock.advance(CODE_LIFETIME // SECOND)
    with pytest.raises(SignInRefused):
        office.finish(reference, office.sms.code)


def test_the_earlier_code_of_a_sign_in_counts_no_more(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    first = office.sms.code
    office.home.clock.advance(61)
    office.send(reference)
    with pytest.raises(SignInRefused):
        office.finish(reference, first)
    assert office.finish(reference, office.sms.code).session.amr == ("pwd", "sms")


def test_wrong_codes_are_counted_with_all_others_and_lock_the_factor(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    right = office.sms.code
    for _ in range(5):
        with pytest.raises(SignInRefused):
            office.finish(reference, other_than(right))
    with pytest.raises(SignInRefused):
        office.finish(reference, right)
    assert office.home.services.message_codes.offered(reference, ADDRESS) == ()


def _asked_for(office: Office, seconds: int, times: int) -> int:
    """Return how many of ``times`` codes were sent, asked for every ``seconds``."""
    sent = len(office.sms.sent)
    for turn in range(times):
        reference = office.home.begin("staff")
        with suppress(TooManyMessages):
            office.send(reference, remote=f"198.51.{turn}.1")
        office.home.clock.advance(seconds)
    return len(office.sms.sent) - sent


def test_an_account_gets_one_code_a_minute_and_five_an_hour(office: Office) -> None:
    office.enrol()
    office.home.clock.advance(HOUR // SECOND)
    assert _asked_for(office, 20, 20) == 5
    assert [outcome for outcome, _ in office.acts("iam.send_code")].count("refused") == 15


def test_an_account_gets_no_more_codes_a_day_than_its_number(office: Office) -> None:
    office.enrol()
    assert _asked_for(office, HOUR // SECOND, 22) == 9


def test_who_asks_too_often_learns_how_long_to_wait(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    office.home.clock.advance(20)
    with pytest.raises(TooManyMessages) as waiting:
        office.send(reference)
    assert waiting.value.facts["retry_after"] == 40


def test_one_number_gets_ten_codes_a_day_however_many_accounts_name_it(office: Office) -> None:
    roles = ("staff", "analyst", "integrator", "seal-applicant", "seal-holder", "auditor")
    sent = 0
    for role in roles * 3:
        wish = NewAddress("sms", NUMBER, f"198.51.{sent}.1")
        try:
            office.home.services.message_addresses.ask_address(office.owner(role), wish)
            sent += 1
        except TooManyMessages:
            pass
        office.home.clock.advance(61)
    assert sent == 10


def test_spellings_of_one_mailbox_are_counted_as_one(office: Office) -> None:
    roles = ("staff", "analyst", "integrator", "seal-applicant", "seal-holder", "auditor")
    for turn in range(18):
        spelled = ("Wang@example.cn", f"wang+{turn}@example.cn", "WANG@EXAMPLE.cn")[turn % 3]
        wish = NewAddress("mail", spelled, f"198.51.{turn}.1")
        with suppress(TooManyMessages):
            owner = office.owner(roles[turn % 6])
            office.home.services.message_addresses.ask_address(owner, wish)
        office.home.clock.advance(61)
    assert len(office.mail.sent) == 10


def test_one_address_block_asks_for_so_many_codes_an_hour(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LIMITS["message_block"].failures == 200
    monkeypatch.setitem(LIMITS, "message_block", Limit(20, HOUR, HOUR))
    roles = ("staff", "analyst", "integrator", "seal-applicant", "seal-holder", "auditor")
    sent = 0
    for turn in range(24):
        wish = NewAddress("mail", f"a{turn}@example.cn", f"203.0.113.{turn}")
        try:
            owner = office.owner(roles[turn % 6])
            office.home.services.message_addresses.ask_address(owner, wish)
            sent += 1
        except TooManyMessages:
            pass
        office.home.clock.advance(15)
    assert sent == 20


def test_an_address_that_is_refused_gets_nothing(office: Office) -> None:
    with pytest.raises(AddressInvalid):
        office.home.services.message_addresses.ask_address(
            office.owner(), NewAddress("sms", "+19005551234", ADDRESS)
        )
    assert not office.sms.sent


def test_an_address_is_asked_for_and_taken_away_after_a_fresh_sign_in_only(office: Office) -> None:
    office.enrol()
    stale = replace(office.owner(), auth_time=office.home.clock.now() - 6 * MINUTE)
    addresses = office.home.services.message_addresses
    with pytest.raises(StepUpRequired):
        addresses.ask_address(stale, NewAddress("sms", "13987654321", ADDRESS))
    with pytest.raises(StepUpRequired):
        addresses.remove_address(stale, "sms")
    with pytest.raises(StepUpRequired):
        addresses.confirm_address(stale, "", "", ADDRESS)


def test_nobody_confirms_for_another_or_by_guessing(office: Office) -> None:
    addresses = office.home.services.message_addresses
    asked = addresses.ask_address(office.owner(), NewAddress("sms", NUMBER, ADDRESS))
    right = office.sms.code
    with pytest.raises(SignInRefused):
        addresses.confirm_address(office.owner("analyst"), asked.reference, right, ADDRESS)
    with pytest.raises(SignInRefused):
        addresses.confirm_address(office.owner(), "forged", right, ADDRESS)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            addresses.confirm_address(office.owner(), asked.reference, other_than(right), ADDRESS)
    with pytest.raises(SignInRefused):
        addresses.confirm_address(office.owner(), asked.reference, right, ADDRESS)
    assert addresses.list_addresses(office.owner()) == []
    assert [outcome for outcome, _ in office.acts("iam.confirm_address")] == ["refused"] * 8


def test_a_code_by_message_changes_no_password_that_is_not_due(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    new = "a password of the thief's 4711"
    attempt = FactorAttempt(reference, office.sms.code, ADDRESS, new_password=new)
    office.home.services.sign_in.finish(attempt)
    office.home.begin("staff")  # the owner's password is still the owner's


def test_who_leaves_leaves_no_address_behind(office: Office) -> None:
    office.enrol()
    owner = office.owner()
    departures = office.home.services.power.departures
    departures.order_departure(office.actor("system-admin"), "staff", "left")
    assert office.home.services.message_addresses.list_addresses(owner) == []


def test_a_sign_in_code_confirms_no_address_and_the_other_way_round(office: Office) -> None:
    office.enrol()
    addresses = office.home.services.message_addresses
    reference = office.home.begin("staff")
    office.send(reference)
    sign_in_code = office.sms.code
    office.home.clock.advance(61)
    asked = addresses.ask_address(office.owner(), NewAddress("mail", MAIL, ADDRESS))
    with pytest.raises(SignInRefused):
        addresses.confirm_address(office.owner(), asked.reference, sign_in_code, ADDRESS)
    with pytest.raises(SignInRefused):
        office.finish(reference, office.mail.code)


def test_a_code_on_its_way_to_an_address_that_was_removed_counts_no_more(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    office.home.services.message_addresses.remove_address(office.owner(), "sms")
    with pytest.raises(SignInRefused):
        office.finish(reference, office.sms.code)


def test_a_code_on_its_way_to_an_address_that_was_changed_counts_no_more(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    lost = office.sms.code
    office.home.clock.advance(61)
    office.enrol(text="13987654321")
    with pytest.raises(SignInRefused):
        office.finish(reference, lost)


def test_of_guesses_at_once_none_counts_beyond_the_limit(office: Office) -> None:
    """All were let in before the first was counted; then they are judged one by one."""
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    means, opening = office.home.services.sign_in.means, office.home.services.sign_in.opening
    attempt = FactorAttempt(reference, office.sms.code, ADDRESS)
    begun, subject = resume(means, attempt), _subject(office, "staff")
    proof = code_proof(means, subject, attempt.code, begun)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            office.finish(reference, other_than(attempt.code))
    with pytest.raises(SignInRefused):
        opening.open(subject, attempt, proof, Change(begun.once, begun.keys))


def test_a_step_up_beyond_the_limit_counts_no_more_either(office: Office) -> None:
    session = office.home.sign_in("staff").session
    actor = replace(office.owner(), session_id=session.id)
    office.home.clock.advance(61)
    services, means = office.home.services, office.home.services.sign_in.means
    keys, subject = guess_keys(means, "staff", ADDRESS), _subject(office, "staff")
    proof = code_proof(means, subject, office.home.code("staff"))
    for _ in range(5):
        with pytest.raises(SignInRefused):
            services.step_up.step_up(actor, StepUpAttempt("cookie", ADDRESS, code="000000"))
    run = office.home.spine.parts.transactions.run
    level = run(
        lambda tx: services.step_up._consume(tx, actor, (proof, None, keys), (b"", b"", b""))
    )
    assert level is None


def test_a_code_by_message_strengthens_no_session(office: Office) -> None:
    office.enrol()
    opened = office.home.sign_in("staff")
    actor = replace(office.owner(), session_id=opened.session.id)
    office.home.clock.advance(61)
    office.send(office.home.begin("staff"))
    attempt = StepUpAttempt("cookie", ADDRESS, code=office.sms.code)
    with pytest.raises(SignInRefused):
        office.home.services.step_up.step_up(actor, attempt)


def test_a_session_of_a_code_by_message_plants_no_stronger_factor(office: Office) -> None:
    """Password and number were stolen: what they open must not make itself worth more."""
    office.enrol()
    reference = office.home.begin("staff")
    office.send(reference)
    session = office.finish(reference, office.sms.code).session
    thief = replace(office.owner(), session_id=session.id, level=session.level)
    services = office.home.services
    assert services.factors.is_fresh(thief) is False
    for attempt in (
        lambda: services.factors.renew_recovery_codes(thief),
        lambda: services.factors.ask_totp(thief),
        lambda: services.passkeys.ask_registration(thief),
        lambda: services.message_addresses.remove_address(thief, "sms"),
    ):
        with pytest.raises(StepUpRequired):
            attempt()
    office.home.clock.advance(30)
    stepped = StepUpAttempt("cookie", ADDRESS, code=office.home.code("staff"))
    with suppress(SignInRefused):  # no cookie of a page hangs on it: the factor was right
        services.step_up.step_up(thief, stepped)


def test_it_is_never_the_last_factor(office: Office) -> None:
    office.enrol()
    with pytest.raises(LastFactor):
        office.home.services.factors.remove_totp(office.owner())


class Suspicious(LoginRisk):
    def assess(self, facts: object) -> RiskAdvice:
        return RiskAdvice("step_up")


def test_an_unusual_sign_in_is_not_proved_by_another_message(tmp_path: Path) -> None:
    carrier = FakeCarrier()
    home = open_iam_home(tmp_path, carriers=(carrier,), login_risk=Suspicious())
    office = Office(home, carrier, carrier)
    office.enrol()
    reference = home.begin("staff")
    office.send(reference)
    with pytest.raises(SignInUnusual) as unusual:
        office.finish(reference, carrier.code)
    home.clock.advance(61)
    assert home.services.message_codes.offered(unusual.value.reference, ADDRESS) == ()
    with pytest.raises(MessageCodeNotAdmitted):
        office.send(unusual.value.reference)
    opened = office.finish(unusual.value.reference, home.code("staff"))
    assert opened.session.level == 2
    home.close()


def test_neither_numbers_nor_codes_are_written_anywhere(office: Office, tmp_path: Path) -> None:
    office.enrol()
    office.enrol(text=MAIL, channel="mail")
    reference = office.home.begin("staff")
    office.send(reference)
    secrets = [NUMBER, MAIL, *(message.parameters["code"] for message in office.sms.sent)]
    office.sms.trouble = "the gateway answered 500"
    office.home.clock.advance(61)
    with pytest.raises(MessageNotSent) as failed:
        office.send(reference)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    leaves = str(office.home.leaves())
    for secret in secrets:
        assert secret.encode() not in written
        assert secret not in leaves
        assert secret not in str(failed.value) + repr(office.sms.sent)


# what it is for


def test_a_password_and_a_code_open_a_session_of_the_first_level(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    [offered] = office.home.services.message_codes.offered(reference, ADDRESS)
    assert (offered.channel, offered.masked) == ("sms", "138****5678")
    assert office.send(reference) == "138****5678"
    assert office.sms.sent[-1].to == f"+86{NUMBER}"
    assert is_code(office.sms.code)
    assert office.sms.code in office.sms.sent[-1].text
    session = office.finish(reference, office.sms.code).session
    assert (session.level, session.acr) == (1, "urn:secops:aal:1")
    assert session.amr == ("pwd", "sms")


def test_mail_has_a_word_of_its_own(office: Office) -> None:
    office.enrol(text=MAIL, channel="mail")
    reference = office.home.begin("staff")
    assert office.send(reference, "mail") == "z***@example.gov.cn"
    assert office.finish(reference, office.mail.code).session.amr == ("pwd", "mail")


def test_the_reader_gets_the_words_of_their_language(office: Office) -> None:
    office.enrol()
    wish = CodeWish(office.home.begin("staff"), "sms", ADDRESS, language="en")
    office.home.services.message_codes.send_code(wish)
    assert "is your code for signing in to localhost:8080" in office.sms.sent[-1].text


def test_a_gateway_in_trouble_is_told_recorded_and_leaves_the_app_usable(office: Office) -> None:
    office.enrol()
    reference = office.home.begin("staff")
    office.sms.trouble = "the gateway answered 503"
    with pytest.raises(MessageNotSent) as failed:
        office.send(reference)
    assert "authenticator app" in failed.value.remedy.en
    outcome, details = office.acts("iam.send_code")[-1]
    assert (outcome, details["trouble"]) == ("failed", "the gateway answered 503")
    assert office.finish(reference, office.home.code("staff")).session.level == 2


def test_a_changed_number_takes_the_place_of_the_other(office: Office) -> None:
    office.enrol()
    office.enrol(text="+86 139-8765-4321")
    shown = office.home.services.message_addresses.list_addresses(office.owner())
    assert [(each.channel, each.masked) for each in shown] == [("sms", "139****4321")]
    listed = office.home.services.factors.list_factors(office.owner())
    assert [each.name for each in listed if each.kind == "one_time"] == ["139****4321"]


def test_the_owners_export_says_the_whole_address(office: Office) -> None:
    office.enrol()
    export = office.home.services.power.own.export_own(office.owner())
    assert export["message_addresses"] == [{"channel": "sms", "address": f"+86{NUMBER}"}]


def test_what_is_not_there_is_said(office: Office) -> None:
    addresses = office.home.services.message_addresses
    with pytest.raises(NotFound):
        addresses.remove_address(office.owner(), "sms")
    with pytest.raises(ChannelOff):
        addresses.ask_address(office.owner(), NewAddress("pigeon", NUMBER, ADDRESS))
    with pytest.raises(ChannelOff):
        office.send(office.home.begin("staff"))
    with pytest.raises(SignInRefused):
        office.send("not a reference")
    assert addresses.channels == ("sms", "mail")


def test_where_nothing_is_carried_nothing_is_offered(tmp_path: Path) -> None:
    home = open_iam_home(tmp_path)
    assert home.services.message_codes.offered(home.begin("staff"), ADDRESS) == ()
    owner = replace(home.actor("staff"), auth_time=home.clock.now())
    with pytest.raises(ChannelOff):
        home.services.message_addresses.ask_address(owner, NewAddress("sms", NUMBER, ADDRESS))
    home.close()


def test_no_more_threads_wait_for_gateways_than_there_are_places(office: Office) -> None:
    office.enrol()
    taken = [sending.places.acquire(blocking=False) for _ in range(sending.AT_ONCE)]
    try:
        assert all(taken)
        with pytest.raises(TooManyMessages):
            office.send(office.home.begin("staff"))
    finally:
        for _ in taken:
            sending.places.release()
    assert office.send(office.home.begin("staff"))


def test_codes_that_are_over_are_removed(office: Office) -> None:
    office.enrol()
    office.send(office.home.begin("staff"))
    office.home.clock.advance(2 * HOUR // SECOND)
    [purge] = [job for job in office.home.plane.jobs if job.name == "iam.purge"]
    purge.tick()
    with office.home.spine.read_engine.begin() as connection:
        left = connection.execute(sa.text("SELECT count(*) FROM iam_message_codes")).scalar_one()
    assert left == 0


def _subject(office: Office, role: str) -> Subject:
    services = office.home.services
    keys = guess_keys(services.sign_in.means, role, ADDRESS)
    account = office.actor(role).id
    read = office.home.spine.parts.transactions.read
    return read(lambda tx: services.sign_in.opening.subject(tx, account, keys))
