from __future__ import annotations

import threading
from pathlib import Path

import pytest

from iam.core.gb11643.id_number import check_character
from iam.core.rfc6238.totp import hotp, step_at
from iam.errors import (
    EnrolmentRefused,
    IdentityInvalid,
    LastHolder,
    NameTaken,
    OwnRole,
    PasswordWeak,
    PersonUnproved,
    ResetTooEarly,
    RoleConflict,
    SignInRefused,
)
from iam.models.accounts import IdentityDocument, IssuedEnrolment, NewAccount
from iam.models.changes import NewChange
from iam.models.sessions import FactorAttempt, PasswordAttempt
from iam.service.people.enrolment import EnrolmentForm
from secops.kernel.actors import ROOT_ORG
from secops.kernel.approvals import NotPending
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Conflict, Forbidden, NotFound, SecopsError
from secops.kernel.pages import PageRequest
from tests.fakes.iam_home import ADDRESS, OWNER, IamHome, open_iam_home

GOOD = "Xk7#mPq9vT2w"


def citizen(number: int) -> IdentityDocument:
    first = f"88888819790101{number:03d}"
    return IdentityDocument("cn-id", first + check_character(first))


def create(home: IamHome, name: str, document: IdentityDocument | None = None) -> IssuedEnrolment:
    new = NewAccount(name, document=document)
    return home.services.accounts.create_account(home.actor("system-admin"), new)[1]


def secret_of(home: IamHome, token: str) -> bytes:
    return home.services.enrolment._secret(token)


def enrol(
    home: IamHome,
    issued: IssuedEnrolment,
    password: str = GOOD,
    document: IdentityDocument | None = None,
) -> tuple[str, ...]:
    code = hotp(secret_of(home, issued.token), step_at(home.clock.now()))
    return home.services.enrolment.enrol(EnrolmentForm(issued.token, password, code, document))


def make_administrator(home: IamHome, name: str, role: str) -> None:
    account = home.services.accounts.get_account(home.actor("system-admin"), name)
    new = NewChange("roles.change", f"account:{account.id}", {"roles": [role]}, "second one")
    asked = home.services.power.changes.request_change(home.actor("system-admin"), new)
    home.services.power.changes.approve_change(home.actor("security-admin"), asked.id)


def sign_in(home: IamHome, name: str, issued: IssuedEnrolment, password: str = GOOD) -> str:
    reference = home.services.sign_in.begin(PasswordAttempt(name, password, ADDRESS))
    code = hotp(secret_of(home, issued.token), step_at(home.clock.now()))
    attempt = FactorAttempt(reference, code, ADDRESS)
    return home.services.sign_in.finish(attempt).cookie


def test_a_new_account_can_do_nothing_until_it_is_enrolled_and_given_a_role(home: IamHome) -> None:
    issued = create(home, "li.lei", citizen(1))
    with pytest.raises(SignInRefused):
        home.services.sign_in.begin(PasswordAttempt("li.lei", GOOD, ADDRESS))
    assert len(enrol(home, issued)) == 10
    home.clock.advance(30)
    assert sign_in(home, "li.lei", issued)
    assert home.actor("li.lei").roles == frozenset()
    home.services.roles.assign_role(home.actor("security-admin"), "li.lei", "analyst")
    assert home.actor("li.lei").roles == {"analyst"}


def test_an_enrolment_works_once(home: IamHome) -> None:
    issued = create(home, "li.lei")
    enrol(home, issued)
    with pytest.raises(EnrolmentRefused):
        enrol(home, issued)


def test_an_enrolment_ends_after_a_day(home: IamHome) -> None:
    issued = create(home, "li.lei")
    home.clock.advance(DAY // 1_000_000)
    with pytest.raises(EnrolmentRefused):
        home.services.enrolment.look(issued.token)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "a" * 1000])
def test_a_made_up_enrolment_is_refused(home: IamHome, token: str) -> None:
    with pytest.raises(EnrolmentRefused):
        home.services.enrolment.look(token)


def test_looking_twice_shows_one_secret(home: IamHome) -> None:
    issued = create(home, "li.lei")
    first, second = (home.services.enrolment.look(issued.token) for _ in range(2))
    assert first == second
    assert first.account_name == "li.lei"
    assert first.otpauth_uri.startswith("otpauth://totp/govsecops%3Ali.lei?secret=")


def test_enrolling_with_a_weak_password_or_wrong_code_uses_nothing_up(home: IamHome) -> None:
    issued = create(home, "li.lei")
    with pytest.raises(PasswordWeak):
        enrol(home, issued, "Admin@123456")
    with pytest.raises(SignInRefused):
        home.services.enrolment.enrol(EnrolmentForm(issued.token, GOOD, "000000"))
    assert enrol(home, issued)


def test_a_name_is_taken_in_every_spelling(home: IamHome) -> None:
    create(home, "li.lei")
    for name in ("LI.LEI", "ｌｉ.lei", " li.lei "):
        with pytest.raises(NameTaken):
            create(home, name)


def test_a_document_nobody_can_have_is_refused(home: IamHome) -> None:
    with pytest.raises(IdentityInvalid):
        create(home, "li.lei", IdentityDocument("cn-id", "123456789012345678"))


def test_one_person_is_at_most_one_of_the_three_over_all_accounts(home: IamHome) -> None:
    for name in ("first", "second"):
        create(home, name, citizen(7))
    security = home.actor("security-admin")
    make_administrator(home, "first", "system-admin")
    with pytest.raises(RoleConflict):
        home.services.roles.assign_role(security, "second", "audit-admin")
    with pytest.raises(RoleConflict):
        make_administrator(home, "second", "system-admin")


def test_an_administrator_without_a_known_person_is_not_made(home: IamHome) -> None:
    create(home, "nobody")
    with pytest.raises(PersonUnproved):
        home.services.roles.assign_role(home.actor("security-admin"), "nobody", "system-admin")


def test_an_auditor_operates_nothing_and_is_named_by_the_audit_administrator(
    home: IamHome,
) -> None:
    create(home, "judge", citizen(8))
    with pytest.raises(Forbidden):
        home.services.roles.assign_role(home.actor("security-admin"), "judge", "auditor")
    home.services.roles.assign_role(home.actor("audit-admin"), "judge", "auditor")
    with pytest.raises(RoleConflict):
        home.services.roles.assign_role(home.actor("security-admin"), "judge", "analyst")
    home.services.roles.assign_role(home.actor("security-admin"), "judge", "staff")
    home.services.roles.revoke_role(home.actor("audit-admin"), "judge", "auditor")
    home.services.roles.assign_role(home.actor("security-admin"), "judge", "analyst")


def test_nobody_changes_their_own_roles_under_any_account(home: IamHome) -> None:
    security = home.actor("security-admin")
    with pytest.raises(OwnRole):
        home.services.roles.assign_role(security, "security-admin", "analyst")
    with pytest.raises(OwnRole):
        home.services.roles.revoke_role(security, "security-admin", "security-admin")
    person = home.services.accounts.get_account(security, "security-admin").person_id
    issued = create(home, "other.self", home_document(home, "security-admin"))
    other = home.services.accounts.get_account(security, "other.self")
    assert (issued.account_id, other.person_id) == (other.id, person)
    with pytest.raises(OwnRole):
        home.services.roles.assign_role(security, "other.self", "analyst")


def home_document(home: IamHome, role: str) -> IdentityDocument:
    number = list(home.demo).index(role)
    first = f"99999919800101{number:03d}"
    return IdentityDocument("cn-id", first + check_character(first))


def test_the_last_administrator_of_a_kind_stays(home: IamHome) -> None:
    with pytest.raises(LastHolder):
        home.services.roles.revoke_role(
            home.actor("security-admin"), "system-admin", "system-admin"
        )
    assert home.actor("system-admin").roles == {"system-admin"}


@pytest.mark.parametrize("role", ["system-admin", "audit-admin", "analyst", "auditor", "staff"])
def test_only_the_security_administrator_assigns(home: IamHome, role: str) -> None:
    with pytest.raises(Forbidden):
        home.services.roles.assign_role(home.actor(role), "staff", "analyst")


def test_changing_roles_ends_the_accounts_sessions(home: IamHome) -> None:
    opened = home.sign_in("staff")
    home.services.roles.assign_role(home.actor("security-admin"), "staff", "analyst")
    assert home.services.sessions.by_cookie(opened.cookie) is None


def test_locking_ends_sessions_and_sign_in_until_unlocked(home: IamHome) -> None:
    opened = home.sign_in("staff")
    home.services.accounts.lock_account(home.actor("analyst"), "staff", "test")
    assert home.services.sessions.by_cookie(opened.cookie) is None
    home.clock.advance(30)
    with pytest.raises(SignInRefused):
        home.sign_in("staff")
    with pytest.raises(Forbidden):
        home.services.accounts.unlock_account(home.actor("analyst"), "staff", "test")
    home.services.accounts.unlock_account(home.actor("system-admin"), "staff", "test")
    assert home.sign_in("staff")
    assert home.services.sessions.by_cookie(opened.cookie) is None
    with pytest.raises(Conflict):
        home.services.accounts.unlock_account(home.actor("system-admin"), "staff", "test")


def test_a_reset_takes_two_administrators(home: IamHome) -> None:
    system, security = home.actor("system-admin"), home.actor("security-admin")
    opened = home.sign_in("staff")
    reset = home.services.resets.request_reset(system, "staff", "lost phone")
    assert [approval.id for approval in home.services.resets.pending(security)] == [reset]
    with pytest.raises(Forbidden):
        home.services.resets.approve_reset(system, reset, grant=True)
    with pytest.raises(NotPending):
        home.services.resets.complete_reset(system, reset)
    home.services.resets.approve_reset(security, reset, grant=True)
    with pytest.raises(ResetTooEarly):
        home.services.resets.complete_reset(system, reset)
    home.clock.advance(DAY // SECOND)
    issued = home.services.resets.complete_reset(system, reset)
    assert home.services.sessions.by_cookie(opened.cookie) is None
    with pytest.raises(SignInRefused):
        home.begin("staff")
    with pytest.raises(NotPending):
        home.services.resets.complete_reset(system, reset)
    enrol(home, issued)
    home.clock.advance(30)
    assert sign_in(home, "staff", issued)


def test_a_rejected_reset_resets_nothing(home: IamHome) -> None:
    system, security = home.actor("system-admin"), home.actor("security-admin")
    reset = home.services.resets.request_reset(system, "staff", "lost phone")
    home.services.resets.approve_reset(security, reset, grant=False, reason="known thief")
    with pytest.raises(NotPending):
        home.services.resets.complete_reset(system, reset)
    assert home.sign_in("staff")


def test_nobody_asks_to_reset_themselves_or_approves_their_own(home: IamHome) -> None:
    system, security = home.actor("system-admin"), home.actor("security-admin")
    with pytest.raises(Forbidden):
        home.services.resets.request_reset(system, "system-admin", "x")
    reset = home.services.resets.request_reset(system, "security-admin", "x")
    with pytest.raises(Forbidden):
        home.services.resets.approve_reset(security, reset, grant=True)


def test_a_fresh_home_begins_with_three_enrolments_and_no_more(tmp_path: Path) -> None:
    home = open_iam_home(tmp_path, demo=False)
    begin = home.services.beginnings.create_administrators
    issued = {enrolment.account_name: enrolment for enrolment in begin(OWNER)}
    assert sorted(issued) == ["audit-admin", "security-admin", "system-admin"]
    assert list(begin(OWNER)) == []
    assert home.services.enrolment.look(issued["audit-admin"].token).needs_document
    with pytest.raises(PersonUnproved):
        enrol(home, issued["audit-admin"])
    enrol(home, issued["audit-admin"], document=citizen(1))
    with pytest.raises(RoleConflict):
        enrol(home, issued["system-admin"], document=citizen(1))
    enrol(home, issued["system-admin"], document=citizen(2))
    state = home.services.evidence.roles_state()
    assert (state.administrators_unproved, state.conflicts) == (1, 0)
    enrol(home, issued["security-admin"], document=citizen(3))
    assert home.services.evidence.roles_state().administrators_unproved == 0
    with pytest.raises(Forbidden):
        home.services.actors.by_account("system-admin")
    home.close()


def test_evidence_counts_what_is_there(home: IamHome) -> None:
    evidence = home.services.evidence
    create(home, "pending.one")
    home.services.accounts.lock_account(home.actor("analyst"), "staff", "test")
    users, mfa = evidence.users_state(), evidence.mfa_state()
    assert (users.accounts, users.active, users.pending, users.locked) == (11, 9, 1, 1)
    assert (mfa.active_accounts, mfa.with_two_factors) == (9, 9)
    assert (mfa.administrators, mfa.administrators_with_two_factors) == (3, 3)
    assert evidence.roles_state().holders["auditor"] == 1
    assert evidence.policy_state().least_length == 12
    assert evidence.lockout_state().locked_now == 0
    home.clock.advance(91 * 86_400)
    assert evidence.users_state().stale == 9
    assert evidence.users_state().passwords_expired == 9


def test_lists_are_pages(home: IamHome) -> None:
    page, roles = home.services.accounts.list_accounts(home.actor("auditor"), PageRequest(4))
    assert (len(page.items), page.next is not None) == (4, True)
    assert all(roles[account.id] == {home.demo[account.name].role} for account in page.items)
    home.sign_in("staff")
    sessions = home.services.sessions.list_sessions(home.actor("analyst"), PageRequest(5))
    assert [s.account_id for s in sessions.items] == [home.actor("staff").id]
    assert home.services.roles.list_roles(home.actor("auditor"))


def test_people_end_their_own_sessions_and_no_others(home: IamHome) -> None:
    mine, theirs = home.sign_in("staff"), home.sign_in("analyst")
    staff = home.actor("staff")
    with pytest.raises(NotFound):
        home.services.sessions.end_own(staff, theirs.session.id)
    home.services.sessions.end_own(staff, mine.session.id)
    assert home.services.sessions.own_sessions(staff) == []
    with pytest.raises(NotFound):
        home.services.sessions.revoke_session(home.actor("analyst"), "ses_x", "test")


def test_a_right_used_by_many_at_once_is_used_once(home: IamHome) -> None:
    """Enrolment, TOTP step and recovery code: sixteen threads, one winner each."""
    issued = create(home, "li.lei")
    code = hotp(secret_of(home, issued.token), step_at(home.clock.now()))
    form = EnrolmentForm(issued.token, GOOD, code)
    codes: list[tuple[str, ...]] = []
    assert race(lambda _: codes.append(home.services.enrolment.enrol(form))) == 1
    home.clock.advance(30)
    signing = home.services.sign_in
    references = [signing.begin(PasswordAttempt("li.lei", GOOD, ADDRESS)) for _ in range(16)]
    now = hotp(secret_of(home, issued.token), step_at(home.clock.now()))
    assert race(lambda i: signing.finish(FactorAttempt(references[i], now, ADDRESS))) == 1
    home.clock.advance(31 * 60)
    references = [signing.begin(PasswordAttempt("li.lei", GOOD, ADDRESS)) for _ in range(16)]
    spare = codes[0][0].upper()
    assert race(lambda i: signing.finish(FactorAttempt(references[i], spare, ADDRESS))) == 1


def race(work: object) -> int:
    barrier, won = threading.Barrier(16), []

    def run(number: int) -> None:
        barrier.wait()
        try:
            work(number)  # type: ignore[operator]
        except SecopsError:
            return
        won.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(won)


def test_standing_counts_services_defaults_departures_and_changes(home: IamHome) -> None:
    evidence = home.services.evidence
    before = evidence.standing(ROOT_ORG, ())
    assert {name: number for name, number in before.items() if number} == {}
    staff = home.services.actors.by_account("staff").id
    create(home, "guest")
    assert evidence.standing(ROOT_ORG, (staff,))["default_accounts"] == 1
    assert evidence.standing(ROOT_ORG, ())["named_by_default"] == 1
    order = home.services.power.departures.order_departure
    order(home.actor("system-admin"), "staff", "moved away")
    left = evidence.standing(ROOT_ORG, (staff,))
    assert (left["departures"], left["slowest_hours"], left["default_accounts"]) == (1, 0, 0)
    assert (left["rights_left"], left["held_by_nobody_known"]) == (0, 0)


def test_sign_ins_of_administrators_tell_factors_and_places(home: IamHome) -> None:
    seen = home.services.evidence.sign_ins(ROOT_ORG, "auditor", 0)
    assert (seen.sign_ins, seen.weak, seen.outside) == (0, 0, None)
    assert home.services.evidence.administrators_zones() == frozenset()
