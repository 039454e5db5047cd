"""Emergency accounts: two envelopes, four hours, an alert, a look into it, a new seal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jwt
import pytest
import sqlalchemy as sa

from iam.errors import (
    BreakGlassKept,
    BreakGlassState,
    InvalidRequest,
    LastHolder,
    SignInRefused,
    StaleChange,
)
from iam.models.changes import NewChange
from iam.models.clients import DEVICE_GRANT
from iam.models.messages import NewAddress
from iam.models.sessions import FactorAttempt, Opened, PasswordAttempt
from iam.service.people.break_glass import whole_password
from secops.kernel.access import Question
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import DAY, HOUR, SECOND
from secops.kernel.errors import Conflict, Forbidden, NotFound
from secops.kernel.permissions.iam import RESET_APPROVE
from tests.fakes.carrier import FakeCarrier
from tests.fakes.iam_home import ADDRESS, open_iam_home
from tests.fakes.relying_party import answer_of, register
from tests.fakes.second_account import second_account

ROLE = "security-admin"


@dataclass(frozen=True)
class Envelopes:
    """What both custodians hold."""

    account: str
    first: str
    second: str
    codes: tuple[str, ...]


class Place:
    """A home whose security administrators have an emergency account."""

    def __init__(self, folder: Path) -> None:
        self.sms = FakeCarrier("sms")
        self.home = open_iam_home(folder, carriers=(self.sms,))
        self.service = self.home.services.break_glass
        self.system = self.home.actor("system-admin")
        self.security = self.home.actor("security-admin")
        self.audit = self.home.actor("audit-admin")

    def approved(self, role: str = ROLE, *, retire: bool = False) -> str:
        asked = self.service.request_break_glass(self.system, role, "new home", retire=retire)
        self.service.approve_break_glass(self.security, asked, grant=True)
        return asked

    def seal(self, role: str = ROLE) -> Envelopes:
        first = self.service.create_break_glass(self.system, self.approved(role))
        second = self.service.collect_break_glass(self.security, role)
        assert first.account == second.account
        return Envelopes(first.account, first.half, second.half, second.codes)

    def open(self, envelopes: Envelopes, code: int = 0, password: str = "") -> Opened:
        whole = password or whole_password(envelopes.first, envelopes.second)
        sign_in = self.home.services.sign_in
        reference = sign_in.begin(PasswordAttempt(envelopes.account, whole, ADDRESS))
        return sign_in.finish(FactorAttempt(reference, envelopes.codes[code], ADDRESS))

    def state(self) -> str:
        return {each.role: each.state for each in self.service.list_break_glass(self.audit)}[ROLE]

    def acts(self, action: str) -> list[dict[str, Any]]:
        return [leaf for leaf in self.home.leaves() if leaf["action"] == action]

    def actor(self, envelopes: Envelopes) -> Actor:
        return self.home.services.actors.by_account(envelopes.account)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    opened = Place(tmp_path)
    yield opened
    opened.home.close()


# attacks


def test_administrators_below_the_root_make_themselves_none_above_it(place: Place) -> None:
    asked = place.service.request_break_glass(place.system, ROLE, "new home")
    system, security, audit = (
        replace(each, org_id="county") for each in (place.system, place.security, place.audit)
    )
    with pytest.raises(NotFound):
        place.service.request_break_glass(system, ROLE, "ours")
    with pytest.raises(NotFound):
        place.service.approve_break_glass(security, asked, grant=True)
    place.service.approve_break_glass(place.security, asked, grant=True)
    with pytest.raises(NotFound):
        place.service.create_break_glass(system, asked)
    place.service.create_break_glass(place.system, asked)
    with pytest.raises(NotFound):
        place.service.collect_break_glass(security, ROLE)
    assert place.service.list_break_glass(audit) == ()
    assert place.state() == "half"


def test_one_envelope_opens_nothing(place: Place) -> None:
    sealed = place.seal()
    halves = (sealed.first, sealed.second, whole_password(sealed.second, sealed.first))
    for password in halves:
        with pytest.raises(SignInRefused):
            place.open(sealed, password=password)
    assert place.state() == "sealed"


def test_a_seal_takes_two_persons_of_two_kinds(place: Place) -> None:
    for role in ("security-admin", "audit-admin", "analyst", "staff", "auditor"):
        with pytest.raises(Forbidden):
            place.service.request_break_glass(place.home.actor(role), ROLE, "mine")
    asked = place.service.request_break_glass(place.system, ROLE, "new home")
    for actor in (place.system, place.audit):
        with pytest.raises(Forbidden):
            place.service.approve_break_glass(actor, asked, grant=True)
    twin = second_account(place.home, "system-admin", "security-admin")
    with pytest.raises(SelfApproval):
        place.service.approve_break_glass(twin, asked, grant=True)
    with pytest.raises(NotPending):
        place.service.create_break_glass(place.system, asked)
    place.service.approve_break_glass(place.security, asked, grant=True)
    place.service.create_break_glass(place.system, asked)
    with pytest.raises((NotPending, StaleChange)):
        place.service.create_break_glass(place.system, asked)


def test_nobody_ever_sees_both_envelopes(place: Place) -> None:
    first = place.service.create_break_glass(place.system, place.approved())
    assert (first.codes, first.half in repr(first)) == ((), False)
    assert place.state() == "half"
    for role in ("system-admin", "audit-admin", "auditor", "staff"):
        with pytest.raises(Forbidden):
            place.service.collect_break_glass(place.home.actor(role), ROLE)
    twin = second_account(place.home, "system-admin", "security-admin")
    with pytest.raises(SelfApproval):
        place.service.collect_break_glass(twin, ROLE)
    with pytest.raises(BreakGlassState):
        place.service.collect_break_glass(place.security, "audit-admin")
    second = place.service.collect_break_glass(place.security, ROLE)
    assert (len(second.codes), second.half in repr(second)) == (10, False)
    with pytest.raises(BreakGlassState):
        place.service.collect_break_glass(place.security, ROLE)


def test_another_request_is_no_request_for_it(place: Place) -> None:
    reset = place.home.services.resets.request_reset(place.system, "staff", "lost")
    with pytest.raises(BreakGlassState):
        place.service.approve_break_glass(place.security, reset, grant=True)
    with pytest.raises(BreakGlassState):
        place.service.retire_break_glass(place.system, place.approved())
    with pytest.raises(InvalidRequest):
        place.service.request_break_glass(place.system, "analyst", "why not")
    with pytest.raises(BreakGlassState):
        place.service.request_break_glass(place.system, ROLE, "there is none", retire=True)


def test_it_is_open_for_four_hours_and_then_never_again(place: Place) -> None:
    sealed = place.seal()
    opened = place.open(sealed)
    assert opened.session.expires_at == opened.session.auth_time + 4 * HOUR
    place.home.clock.advance(3 * HOUR // SECOND)
    again = place.open(sealed, 1)
    assert again.session.expires_at == opened.session.expires_at
    place.home.clock.advance(HOUR // SECOND)
    assert place.home.services.sessions.by_cookie(again.cookie) is None
    with pytest.raises(SignInRefused):
        place.open(sealed, 2)
    place.home.clock.advance(400 * DAY // SECOND)
    with pytest.raises(SignInRefused):
        place.open(sealed, 3)


def test_no_device_and_no_token_lives_longer_than_its_four_hours(place: Place) -> None:
    sealed = place.seal()
    opened = place.open(sealed)
    place.home.clock.advance(4 * HOUR // SECOND - 60)
    inside = replace(
        place.actor(sealed),
        session_id=opened.session.id,
        level=opened.session.level,
        auth_time=opened.session.auth_time,
    )
    device = {"redirect_uris": (), "grants": frozenset({DEVICE_GRANT}), "public": True}
    party = register(place.home, "tv", **device)
    begun = answer_of(
        party.browser.form("/oauth2/device_authorization", **party.credentials(), scope="openid")
    )
    place.home.services.device_grants.decide(inside, begun["user_code"], grant=True)
    tokens = answer_of(party.token(grant_type=DEVICE_GRANT, device_code=begun["device_code"]))
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    owner = place.actor(sealed).id
    read = place.home.spine.parts.transactions.read
    [made] = read(lambda tx: place.service.means.stores.sessions.alive_of(tx, owner))
    assert made.id != opened.session.id
    assert made.expires_at == opened.session.expires_at
    assert claims["exp"] * SECOND <= opened.session.expires_at


def test_the_two_who_hold_its_envelopes_are_no_third_person(place: Place) -> None:
    sealed = place.seal("audit-admin")
    resets = place.home.services.resets
    reset = resets.request_reset(place.system, "staff", "lost phone")
    resets.approve_reset(place.security, reset, grant=True)
    place.open(sealed)
    with pytest.raises(BreakGlassKept):
        place.home.services.recoveries.hasten_reset(place.actor(sealed), reset, "hurry")


def test_each_code_opens_once(place: Place) -> None:
    sealed = place.seal()
    place.open(sealed)
    with pytest.raises(SignInRefused):
        place.open(sealed)


def test_every_use_is_an_act_that_a_rule_alerts_on_and_a_notice_to_administrators(
    place: Place,
) -> None:
    addresses = place.home.services.message_addresses
    for role, number in (("audit-admin", "13812345678"), ("staff", "13987654321")):
        owner = replace(place.home.actor(role), auth_time=place.home.clock.now())
        asked = addresses.ask_address(owner, NewAddress("sms", number, ADDRESS))
        addresses.confirm_address(owner, asked.reference, place.sms.code, ADDRESS)
        place.home.clock.advance(61)
    sealed = place.seal()
    place.open(sealed)
    place.open(sealed, 1)
    acts = place.acts("iam.open_break_glass")
    assert [act["outcome"] for act in acts] == ["done", "done"]
    # a rule about the account would raise its risk, and end the session in the emergency
    assert sealed.account not in json.dumps(acts)
    marks = [act["details"].get("break_glass") for act in place.acts("iam.sign_in")]
    assert marks == [None, True, None, True]  # other rules leave these sign-ins to that one
    place.home.services.notices.deliver()
    told = [each.to for each in place.sms.sent if each.template == "break_glass_opened"]
    assert told == ["+8613812345678"] * 2


def test_what_was_opened_plants_no_factor_and_lends_no_role(place: Place) -> None:
    sealed = place.seal()
    place.open(sealed)
    inside = replace(place.actor(sealed), auth_time=place.home.clock.now(), level=2)
    services = place.home.services
    assert services.factors.is_fresh(inside) is False
    for attempt in (
        lambda: services.factors.ask_totp(inside),
        lambda: services.factors.renew_recovery_codes(inside),
        lambda: services.passkeys.ask_registration(inside),
        lambda: services.sign_in.change_password(inside, "x", "y"),
        lambda: services.message_addresses.ask_address(inside, NewAddress("sms", "1", ADDRESS)),
    ):
        with pytest.raises(BreakGlassKept):
            attempt()


def test_it_neither_approves_nor_looks_into_its_own_kind(place: Place) -> None:
    sealed = place.seal()
    asked = place.service.request_break_glass(place.system, "audit-admin", "new home")
    place.open(sealed)
    with pytest.raises(BreakGlassKept):
        place.service.approve_break_glass(place.actor(sealed), asked, grant=True)


def test_it_is_not_reset_and_its_role_is_neither_taken_nor_added_to(place: Place) -> None:
    sealed = place.seal()
    services, account = place.home.services, place.actor(sealed)
    with pytest.raises(BreakGlassKept):
        services.resets.request_reset(place.system, sealed.account, "lost")
    with pytest.raises(BreakGlassKept):
        services.roles.revoke_role(place.security, sealed.account, ROLE)
    with pytest.raises(BreakGlassKept):
        services.roles.assign_role(place.security, sealed.account, "staff")
    change = NewChange("roles.change", f"account:{account.id}", {"roles": []}, "tidy")
    asked = services.power.changes.request_change(place.system, change)
    with pytest.raises(BreakGlassKept):
        services.power.changes.approve_change(place.security, asked.id)
    assert place.state() == "sealed"


def test_it_counts_as_nobody_where_the_last_administrator_would_go(place: Place) -> None:
    place.seal()
    read = place.home.spine.parts.transactions.read
    roles = place.service.means.stores.roles
    assert read(lambda tx: roles.holders(tx, ROLE)) == 1


def test_the_last_one_who_holds_a_role_is_not_retired(place: Place) -> None:
    place.seal()
    asked = place.approved(retire=True)
    statement = "UPDATE iam_accounts SET state = 'locked' WHERE name = 'security-admin'"
    place.home.spine.parts.transactions.run(lambda tx: tx.execute(sa.text(statement)))
    with pytest.raises(LastHolder):
        place.service.retire_break_glass(place.system, asked)


def test_a_lock_still_ends_it_where_an_envelope_was_stolen(place: Place) -> None:
    sealed = place.seal()
    place.home.services.accounts.lock_account(place.home.actor("analyst"), sealed.account, "stolen")
    with pytest.raises(SignInRefused):
        place.open(sealed)


def test_strangers_cannot_guess_its_name(place: Place) -> None:
    one, other = place.seal().account, place.seal("audit-admin").account
    assert one != other
    assert len(one) == len("break-glass-abcd-efgh")


def test_its_secrets_are_written_nowhere(place: Place, tmp_path: Path) -> None:
    sealed = place.seal()
    place.open(sealed)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for secret in (sealed.first, sealed.second, *sealed.codes):
        assert secret.encode() not in written
        assert secret not in str(place.home.leaves())


# the way round


def test_a_use_is_looked_into_before_it_is_sealed_anew(place: Place) -> None:
    old = place.seal()
    with pytest.raises(BreakGlassState):
        place.service.review_break_glass(place.audit, ROLE, "nothing was used")
    place.open(old)
    assert place.state() == "open"
    with pytest.raises(BreakGlassState):
        place.service.review_break_glass(place.audit, ROLE, "it is still open")
    with pytest.raises(BreakGlassState):
        place.service.request_break_glass(place.system, ROLE, "hurry")
    place.home.clock.advance(4 * HOUR // SECOND)
    assert place.state() == "used"
    with pytest.raises(BreakGlassState):
        place.service.request_break_glass(place.system, ROLE, "hurry")
    for actor in (place.system, place.security):
        with pytest.raises(Forbidden):
            place.service.review_break_glass(actor, ROLE, "fine")
    with pytest.raises(InvalidRequest):
        place.service.review_break_glass(place.audit, ROLE, " ")
    place.service.review_break_glass(place.audit, ROLE, "case 26-11-3")
    assert place.state() == "reviewed"
    with pytest.raises(BreakGlassState):
        place.service.review_break_glass(place.audit, ROLE, "twice")
    new = place.seal()
    assert (place.state(), new.account) == ("sealed", old.account)
    with pytest.raises(SignInRefused):
        place.open(old, 5)
    assert place.open(new).session.level == 2


def test_a_seal_that_was_broken_meanwhile_is_not_put_over_the_use(place: Place) -> None:
    sealed = place.seal()
    asked = place.approved()
    place.open(sealed)
    with pytest.raises(BreakGlassState):
        place.service.create_break_glass(place.system, asked)
    assert place.state() == "open"


def test_the_monthly_test_breaks_no_seal_and_is_no_way_to_guess(place: Place) -> None:
    sealed = place.seal()
    whole = whole_password(sealed.first, sealed.second)
    place.service.test_break_glass(place.system, ROLE, whole)
    assert place.state() == "sealed"
    assert place.service.list_break_glass(place.audit)[0].sealed.tested_at is not None
    for _ in range(5):
        with pytest.raises(Forbidden):
            place.service.test_break_glass(place.system, ROLE, sealed.first)
    with pytest.raises(Forbidden):
        place.service.test_break_glass(place.system, ROLE, whole)
    with pytest.raises(BreakGlassState):
        place.service.test_break_glass(place.system, "audit-admin", whole)
    with pytest.raises(Forbidden):
        place.service.test_break_glass(place.audit, ROLE, whole)
    outcomes = [act["outcome"] for act in place.acts("iam.test_break_glass")]
    assert outcomes == ["done", *["refused"] * 6]


def test_the_monthly_test_fails_where_the_account_is_locked(place: Place) -> None:
    sealed = place.seal()
    place.home.services.accounts.lock_account(place.home.actor("analyst"), sealed.account, "stolen")
    with pytest.raises(Forbidden):
        place.service.test_break_glass(
            place.system, ROLE, whole_password(sealed.first, sealed.second)
        )


def test_it_works_with_its_password_a_year_old_and_the_county_signing_in_upstream(
    place: Place,
) -> None:
    sealed = place.seal()
    place.home.clock.advance(365 * DAY // SECOND)
    opened = place.open(sealed)
    inside = replace(place.actor(sealed), level=opened.session.level)
    question = Question(inside, RESET_APPROVE, "approval:*")
    assert place.home.services.decisions.decide(question).allowed


def test_the_self_assessment_counts_it_as_what_it_is(place: Place) -> None:
    def found() -> tuple[object, ...]:
        evidence = place.home.services.evidence
        state, roles = evidence.mfa_state(), evidence.roles_state()
        people = evidence.users_state()
        return (
            state.administrators - state.administrators_with_two_factors,
            state.active_accounts - state.with_two_factors,
            roles.administrators_unproved,
            people.stale - people.active,
            people.passwords_expired - people.active,
        )

    before = found()
    place.seal()
    place.seal("audit-admin")
    assert found()[:3] == before[:3]
    place.home.clock.advance(200 * DAY // SECOND)
    assert found()[3:] == (-2, -2)


def test_what_was_retired_is_not_revived_by_a_reset(place: Place) -> None:
    sealed = place.seal()
    place.service.retire_break_glass(place.system, place.approved(retire=True))
    with pytest.raises(Conflict):
        place.home.services.resets.request_reset(place.system, sealed.account, "lost")


def test_it_is_retired_by_two(place: Place) -> None:
    sealed = place.seal()
    place.service.retire_break_glass(place.system, place.approved(retire=True))
    assert place.service.list_break_glass(place.audit) == []
    with pytest.raises(SignInRefused):
        place.open(sealed)
    assert place.seal().account != sealed.account


def test_a_rejected_request_seals_nothing(place: Place) -> None:
    asked = place.service.request_break_glass(place.system, ROLE, "new home")
    place.service.approve_break_glass(place.security, asked, grant=False, reason="not now")
    with pytest.raises(NotPending):
        place.service.create_break_glass(place.system, asked)


def test_it_is_decided_in_the_one_list_of_requests(place: Place) -> None:
    asked = place.service.request_break_glass(place.system, ROLE, "new home")
    changes = place.home.services.power.changes
    seen = changes.view_change(place.security, asked)
    assert {each.field for each in seen.differences if each.changed} == {"state", "sealed_at"}
    changes.approve_change(place.security, asked)
    made = place.service.create_break_glass(place.system, asked)
    assert made.account.startswith("break-glass-")
