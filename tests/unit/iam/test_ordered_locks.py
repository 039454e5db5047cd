"""Locks that playbooks' runs order: what outlives them, and what they demand."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from iam.errors.zero_trust import LockRefused, SubjectLocked
from iam.models.clients import NewClient
from iam.service.people.containment import RestrainedKind, Restraint
from iam.service.protection.locks import NewLock
from secops.kernel.access import Decision, Question
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.containment import Contained, ContainmentOrder
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.permissions.iam import ACCOUNT_READ
from tests.fakes.iam_home import IamHome
from tests.fakes.relying_party import answer_of, register

_NUMBERS = count()


def order(undoes: str = "", org: str = ROOT_ORG) -> ContainmentOrder:
    told = {"run": "run_1", "requester": "acc_a", "approver": "acc_b"}
    return ContainmentOrder(org, f"key-{next(_NUMBERS)}", undoes, "a test", told)


def of(home: IamHome, kind: RestrainedKind) -> Restraint:
    return home.services.containment.restraint(kind)


def seen(home: IamHome, kind: RestrainedKind, name: str) -> Contained:
    found = of(home, kind).look(ROOT_ORG, name)
    assert found is not None
    return found


def decide(home: IamHome, actor: Actor) -> Decision:
    return home.services.decisions.decide(Question(actor, ACCOUNT_READ, "account:*"))


def act(home: IamHome, name: str) -> dict[str, Any]:
    return [leaf for leaf in home.leaves() if leaf["action"] == name][-1]


def test_a_demanded_proof_is_asked_for_until_it_was_given(home: IamHome) -> None:
    opened = home.sign_in("system-admin")
    actor = replace(home.actor("system-admin"), auth_time=opened.session.auth_time)
    assert decide(home, actor).allowed
    home.clock.advance(60)
    demand = order()
    of(home, "step-up").restrain(actor.id, demand)
    refused = decide(home, actor)
    assert (refused.allowed, refused.step_up is not None) == (False, True)
    assert home.services.sessions.by_cookie(opened.cookie) is not None
    assert decide(home, home.actor("security-admin")).allowed
    newer = replace(actor, auth_time=home.clock.now() + 1)
    assert decide(home, newer).allowed
    home.clock.advance(60)
    of(home, "step-up").restrain(actor.id, order())
    assert not decide(home, newer).allowed
    of(home, "step-up").give_back(actor.id, order())
    assert decide(home, actor).allowed
    assert act(home, "iam.lock_subject")["details"]["approver"] == "acc_b"
    assert act(home, "iam.lift_lock")["details"]["run"] == "run_1"


def test_an_administrators_lock_outlives_a_playbooks(home: IamHome) -> None:
    account = home.actor("staff").id
    home.services.accounts.lock_account(home.actor("analyst"), "staff", "strange")
    mine = order()
    of(home, "account").restrain(account, mine)
    of(home, "account").give_back(account, order(undoes=mine.key))
    assert seen(home, "account", "staff").beyond
    with pytest.raises(SubjectLocked):
        of(home, "account").give_back(account, order())
    assert seen(home, "account", "staff").held
    home.services.accounts.unlock_account(home.actor("system-admin"), "staff", "looked at")
    assert not seen(home, "account", "staff").held


def test_an_account_closed_meanwhile_stays_closed(home: IamHome) -> None:
    account = home.actor("staff").id
    mine = order()
    of(home, "account").restrain(account, mine)
    stores = home.services.accounts.means.stores
    home.spine.transactions.run(lambda tx: stores.accounts.set_state(tx, account, "closed"))
    of(home, "account").give_back(account, order(undoes=mine.key))
    assert home.spine.parts.revocations.is_revoked("account", account)


def test_an_application_disabled_meanwhile_stays_disabled(home: IamHome) -> None:
    admin = home.actor("system-admin")
    home.services.clients.create_client(admin, NewClient("shipper", "Shipper"))
    mine = order()
    of(home, "client").restrain("shipper", mine)
    home.services.clients.disable_client(admin, "shipper", "gone")
    of(home, "client").give_back("shipper", order(undoes=mine.key))
    assert home.spine.parts.revocations.is_revoked("client", "shipper")
    with pytest.raises(SubjectLocked):
        of(home, "client").give_back("shipper", order())


def test_a_persons_lock_is_not_lifted_by_undoing_a_runs(home: IamHome) -> None:
    account = home.actor("staff").id
    home.services.protection.locks.lock_subject(
        home.actor("analyst"), NewLock("account", "staff", "a person's word")
    )
    mine = order()
    of(home, "account").restrain(account, mine)
    of(home, "account").give_back(account, order(undoes=mine.key))
    assert (seen(home, "account", "staff").held, len(seen(home, "account", "staff").holders)) == (
        True,
        1,
    )


def test_what_only_the_emergency_way_took_is_given_back(home: IamHome) -> None:
    revocations, run = home.spine.parts.revocations, home.spine.transactions.run
    run(lambda tx: revocations.revoke(tx, "address", "203.0.113.9"))
    assert seen(home, "address", "203.0.113.9").held
    of(home, "address").give_back("203.0.113.9", order(undoes="never written"))
    assert not seen(home, "address", "203.0.113.9").held


def test_registered_devices_outlive_a_lock_that_a_run_takes_back(home: IamHome) -> None:
    account = home.actor("staff").id
    home.sign_in("staff")
    of(home, "account").restrain(account, order())
    assert act(home, "iam.lock_subject")["details"]["devices"] == 0
    assert home.services.containment.sessions_of(account) == []


def test_nobody_reaches_into_another_organisation(home: IamHome) -> None:
    account = home.actor("staff").id
    for kind in ("account", "step-up", "client", "address"):
        name = "203.0.113.9" if kind == "address" else "staff"
        assert of(home, kind).look("org_other", name) is None  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        of(home, "account").restrain(account, order(org="org_other"))
    with pytest.raises(NotFound):
        of(home, "account").give_back(account, order(org="org_other"))
    with pytest.raises(Invalid):
        of(home, "address").look(ROOT_ORG, "nowhere")


def test_the_last_security_administrator_is_refused_at_the_deed(home: IamHome) -> None:
    with pytest.raises(LockRefused):
        of(home, "account").restrain(home.actor("security-admin").id, order())


def test_what_an_administrator_locks_while_a_run_holds_it_outlives_the_run(home: IamHome) -> None:
    account = home.actor("staff").id
    mine = order()
    of(home, "account").restrain(account, mine)
    home.services.accounts.lock_account(home.actor("analyst"), "staff", "has left")
    of(home, "account").give_back(account, order(undoes=mine.key))
    assert seen(home, "account", "staff").beyond
    assert home.spine.parts.revocations.is_revoked("account", account)
    home.services.accounts.unlock_account(home.actor("system-admin"), "staff", "is back")
    assert not seen(home, "account", "staff").held


def test_an_order_that_was_given_back_frees_nothing_that_the_emergency_way_took_later(
    home: IamHome,
) -> None:
    account, mine = home.actor("staff").id, order()
    of(home, "account").restrain(account, mine)
    of(home, "account").give_back(account, order(undoes=mine.key))
    revocations = home.spine.parts.revocations
    home.spine.transactions.run(lambda tx: revocations.revoke(tx, "account", account))
    of(home, "account").give_back(account, order(undoes=mine.key))
    assert seen(home, "account", "staff").held


def test_no_application_gets_a_token_while_a_newer_proof_is_due(home: IamHome) -> None:
    party = register(home, "oa")
    party.browser.sign_in("analyst")
    token = answer_of(party.exchange(party.code()))["refresh_token"]
    code = party.code()
    home.clock.advance(60)
    demand = order()
    of(home, "step-up").restrain(home.actor("analyst").id, demand)
    for answer in (party.refresh(token), party.exchange(code)):
        assert (answer.status, answer_of(answer)["error"]) == (403, "access_denied")
    other = register(home, "mail")
    other.browser.sign_in("system-admin")
    assert other.exchange(other.code()).status == 200
    of(home, "step-up").give_back(home.actor("analyst").id, order(undoes=demand.key))
    assert party.refresh(token).status == 200
