from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iam.errors import SignInRefused, TokenRefused
from iam.errors.zero_trust import LockRefused, SubjectLocked
from iam.models.clients import ClientCredentials, NewClient
from iam.models.sessions import FactorAttempt
from iam.models.zero_trust import LockKind
from iam.service.protection.locks import LockService, NewLock
from secops.kernel.access import Question
from secops.kernel.actors import Actor
from secops.kernel.approvals import SelfApproval
from secops.kernel.clock import HOUR
from secops.kernel.errors import Forbidden, Invalid, NotFound, SecopsError
from secops.kernel.events import Delivery, SubjectRiskChanged
from secops.kernel.pages import PageRequest
from secops.kernel.permissions.iam import ACCOUNT_CREATE, ACCOUNT_READ
from tests.fakes.iam_home import IamHome, open_iam_home


def locks(home: IamHome) -> LockService:
    return home.services.protection.locks


def lock(home: IamHome, kind: LockKind, subject: str, **more: Any) -> Any:
    return locks(home).lock_subject(home.actor("analyst"), NewLock(kind, subject, "test", **more))


def allowed(home: IamHome, actor: Actor) -> bool:
    question = Question(actor, ACCOUNT_READ, "account:*")
    return home.services.decisions.decide(question).allowed


def person_of(home: IamHome, role: str) -> str:
    account = home.actor(role).id
    read = home.spine.transactions.read
    stores = locks(home).means.stores
    return str(read(lambda tx: stores.accounts.get(tx, account).person_id))


@pytest.mark.parametrize("kind", ["account", "person"])
def test_one_act_ends_sessions_and_refuses_everything(home: IamHome, kind: LockKind) -> None:
    opened = home.sign_in("system-admin")
    actor = replace(home.actor("system-admin"), session_id=opened.session.id)
    assert allowed(home, actor)
    made = lock(home, kind, "system-admin")
    assert made.ended == {"sessions": 1, "devices": 0}
    assert not allowed(home, actor)
    assert home.services.sessions.by_cookie(opened.cookie) is None
    home.clock.advance(60)
    with pytest.raises(SecopsError):
        home.sign_in("system-admin")
    leaves = [leaf["action"] for leaf in home.leaves()]
    assert {"iam.lock_subject", "iam.revoke_session"} <= set(leaves)


def test_a_locked_persons_other_account_is_refused_too(home: IamHome) -> None:
    before = home.actor("system-admin")
    lock(home, "person", "system-admin")
    other = replace(before, session_id=None)
    assert not allowed(home, other)
    assert allowed(home, home.actor("security-admin"))


def test_an_address_is_refused_and_its_sessions_end(home: IamHome) -> None:
    opened = home.sign_in("system-admin")
    inside = replace(home.actor("system-admin"), address="192.0.2.7")
    made = lock(home, "address", "::ffff:192.0.2.7")
    assert made.subject == "192.0.2.7"
    assert made.ended["sessions"] == 1
    assert home.services.sessions.by_cookie(opened.cookie) is None
    assert not allowed(home, inside)
    assert allowed(home, replace(inside, address="192.0.2.8"))
    assert allowed(home, replace(inside, address="what?"))
    reference = home.begin("staff")
    home.clock.advance(30)
    with pytest.raises(Forbidden):
        home.services.sign_in.finish(FactorAttempt(reference, home.code("staff"), "192.0.2.7"))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0"])  # noqa: S104 - refused
def test_the_machine_itself_is_not_locked(home: IamHome, address: str) -> None:
    with pytest.raises(LockRefused):
        lock(home, "address", address)


def test_nobody_locks_their_own_address_or_nonsense(home: IamHome) -> None:
    own = replace(home.actor("analyst"), address="192.0.2.9")
    with pytest.raises(LockRefused):
        locks(home).lock_subject(own, NewLock("address", "192.0.2.9", "x"))
    with pytest.raises(Invalid):
        lock(home, "address", "192.0.2.0/24")


@pytest.mark.parametrize("kind", ["account", "person", "organisation"])
def test_the_last_security_administrator_stays(home: IamHome, kind: LockKind) -> None:
    subject = "org_root" if kind == "organisation" else "security-admin"
    with pytest.raises(LockRefused):
        lock(home, kind, subject)
    assert home.actor("security-admin").roles == {"security-admin"}


def test_an_application_gets_no_token_and_its_token_is_dead(home: IamHome) -> None:
    new = NewClient("shipper", "Shipper", scopes=frozenset({"api"}))
    made = home.services.clients.create_client(home.actor("system-admin"), new)
    credentials = ClientCredentials("shipper", made.secret)
    token, _ = home.services.grants.client_credentials(credentials, None, None)
    assert home.services.verification.verify_token(token.access_token).id == "shipper"
    lock(home, "client", "shipper")
    with pytest.raises(TokenRefused):
        home.services.verification.verify_token(token.access_token)
    with pytest.raises(SecopsError):
        home.services.grants.client_credentials(credentials, None, None)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("account", "nobody"),
        ("person", "nobody"),
        ("device", "dev_none"),
        ("client", "none"),
        ("organisation", "org_none"),
    ],
)
def test_what_is_not_there_is_not_locked(home: IamHome, kind: LockKind, subject: str) -> None:
    with pytest.raises(NotFound):
        lock(home, kind, subject)


def test_a_lock_has_a_reason_and_a_future(home: IamHome) -> None:
    for new in (
        NewLock("account", "staff", " "),
        NewLock("account", "staff", "x", home.clock.now()),
        NewLock("account", "staff", "x", home.clock.now() + 100_000 * HOUR),
    ):
        with pytest.raises(Invalid):
            locks(home).lock_subject(home.actor("analyst"), new)


def test_lifting_takes_another_person(home: IamHome) -> None:
    staff = home.actor("system-admin")
    made = lock(home, "account", "system-admin")
    security = home.actor("security-admin")
    with pytest.raises(NotFound):
        locks(home).decide_lift(security, made.id, grant=True)
    locks(home).ask_to_lift(security, made.id, "found again")
    with pytest.raises(SelfApproval):
        locks(home).decide_lift(security, made.id, grant=True)
    with pytest.raises(Forbidden):
        locks(home).decide_lift(home.actor("analyst"), made.id, grant=True)
    assert not allowed(home, staff)
    locks(home).ask_to_lift(home.actor("analyst"), made.id, "found again")
    lifted = locks(home).decide_lift(security, made.id, grant=True)
    assert lifted.lifted_by == security.id
    assert allowed(home, home.actor("system-admin"))
    with pytest.raises(NotFound):
        locks(home).ask_to_lift(security, made.id, "again")


def test_a_refused_lift_leaves_the_lock(home: IamHome) -> None:
    made = lock(home, "account", "staff")
    locks(home).ask_to_lift(home.actor("analyst"), made.id, "x")
    kept = locks(home).decide_lift(home.actor("security-admin"), made.id, grant=False)
    assert kept.lifted_at is None
    page = locks(home).list_locks(home.actor("auditor"), PageRequest())
    assert [one.id for one in page.items] == [made.id]


def test_the_subject_is_free_when_the_last_of_its_locks_is_gone(home: IamHome) -> None:
    system = home.actor("system-admin")
    first, second = lock(home, "account", "system-admin"), lock(home, "account", "system-admin")
    for made, free in ((first, False), (second, True)):
        locks(home).ask_to_lift(home.actor("analyst"), made.id, "x")
        locks(home).decide_lift(home.actor("security-admin"), made.id, grant=True)
        assert allowed(home, system) == free


def test_a_lock_ends_by_itself(home: IamHome) -> None:
    system = home.actor("system-admin")
    made = lock(home, "account", "system-admin", until=home.clock.now() + HOUR)
    home.clock.advance(3_599)
    assert not locks(home).expire_locks()
    assert not allowed(home, system)
    home.clock.advance(1)
    locks(home).expire_locks()
    assert allowed(home, system)
    assert locks(home).get_lock(home.actor("auditor"), made.id).lifted_by == "scheduler"
    every = locks(home).list_locks(home.actor("auditor"), PageRequest(), lifted=True)
    assert len(every.items) == 1
    assert not locks(home).list_locks(home.actor("auditor"), PageRequest()).items


def test_unlocking_and_resetting_do_not_get_round_a_lock(home: IamHome) -> None:
    lock(home, "account", "staff")
    with pytest.raises(SubjectLocked):
        home.services.accounts.unlock_account(home.actor("system-admin"), "staff", "please")
    assert home.services.decisions.revocations.is_revoked("account", _id(home, "staff"))


def _id(home: IamHome, name: str) -> str:
    account = home.services.accounts.get_account(home.actor("analyst"), name)
    return account.id


def test_other_organisations_locks_are_not_seen(home: IamHome) -> None:
    made = lock(home, "account", "staff")
    foreign = replace(home.actor("analyst"), org_id="org_other")
    with pytest.raises(NotFound):
        locks(home).get_lock(foreign, made.id)
    with pytest.raises(NotFound):
        locks(home).lock_subject(foreign, NewLock("account", "staff", "x"))
    with pytest.raises(NotFound):
        locks(home).lock_subject(foreign, NewLock("address", "192.0.2.1", "x"))


def test_a_lock_holds_where_nothing_can_be_committed(
    home: IamHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = home.sign_in("system-admin")
    system = home.actor("system-admin")

    def broken(*_: Any) -> Any:
        from secops.kernel.errors import AuditUnavailable  # noqa: PLC0415

        raise AuditUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(home.spine.transactions._committer, "run", broken)
        lock(home, "account", "system-admin")
        assert not allowed(home, system)
        assert home.services.sessions.by_cookie(opened.cookie) is None
    home.spine.transactions.run(lambda _: None)
    assert not allowed(home, system)
    assert "iam.lock_subject" in [leaf["action"] for leaf in home.leaves()]


def test_another_process_sees_a_lock_without_being_told(home: IamHome) -> None:
    other = open_iam_home(home.spine.parts.home, demo=False)
    other.demo = home.demo
    try:
        system = home.actor("system-admin")
        assert allowed(other, system)
        lock(home, "person", "system-admin")
        other.spine.revocations.refresh()  # what its poll does ten times a second
        assert not allowed(other, system)
    finally:
        other.close()


# risk


def announce(home: IamHome, subject: str, risk: int, number: int = 1) -> None:
    change = SubjectRiskChanged("org_root", subject, risk, "test")
    home.plane.subscriptions[0].handle(Delivery(number, home.clock.now(), change))


def create(home: IamHome, actor: Actor) -> Any:
    question = Question(actor, ACCOUNT_CREATE, "account:*")
    return home.services.decisions.decide(question)


def test_a_risen_risk_demands_a_newer_proof_on_the_next_request(home: IamHome) -> None:
    system = home.actor("system-admin")
    announce(home, f"account:{system.id}", 49)
    assert create(home, system).allowed
    announce(home, f"account:{system.id}", 60, 2)
    refused = create(home, system)
    assert refused.step_up is not None
    assert (refused.allowed, refused.step_up.max_age) == (False, 5)
    home.clock.advance(1)
    assert create(home, home.actor("system-admin")).allowed  # signed in since
    home.clock.advance(30)
    assert create(home, system).step_up.max_age == 31
    announce(home, f"account:{system.id}", 80, 3)
    assert create(home, home.actor("system-admin")).step_up is None
    announce(home, f"account:{system.id}", 10, 4)
    assert create(home, system).allowed


@pytest.mark.parametrize("by", ["account", "session"])
def test_a_risk_beyond_the_limit_ends_the_session(home: IamHome, by: str) -> None:
    opened = home.sign_in("analyst")
    subject = (
        f"account:{opened.session.account_id}"
        if by == "account"
        else (f"session:{opened.session.id}")
    )
    announce(home, subject, 94)
    assert home.services.sessions.by_cookie(opened.cookie) is not None
    announce(home, subject, 95, 2)
    announce(home, subject, 95, 2)
    announce(home, "address:192.0.2.1", 100, 3)
    assert home.services.sessions.by_cookie(opened.cookie) is None
    ended = [leaf for leaf in home.leaves() if leaf["action"] == "iam.revoke_session"]
    assert [leaf["target"] for leaf in ended] == [f"session:{opened.session.id}"]


def test_a_locked_accounts_refresh_token_and_code_are_dead(home: IamHome) -> None:
    opened = home.sign_in("staff")
    lock(home, "account", "staff")
    read = home.spine.transactions.read
    stores = locks(home).means.stores
    session = read(lambda tx: stores.sessions.get(tx, opened.session.id))
    assert session is not None
    assert session.ended_at is not None
    with pytest.raises(SignInRefused):
        home.begin("staff")
