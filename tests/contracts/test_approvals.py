"""Approvals, in memory and over every database."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, NotPending, SelfApproval
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.permissions import GRANTS
from tests.contracts.conftest import Kit
from tests.fakes.clock import START

GRANT = next(grant for grant in GRANTS if grant.roles)
ROLES = frozenset(list(GRANT.roles)[:1])
HOUR = 3_600_000_000
APPROVAL = Approval(
    id="apr_1",
    org_id="org_1",
    kind="seal",
    subject="seal:1",
    subject_hash="hash",
    permission=GRANT.permission,
    requester_id="acc_1",
    requested_at=START,
    expires_at=START + HOUR,
)


def person(identifier: str, roles: frozenset[str] = ROLES) -> Actor:
    return Actor("account", identifier, "org_1", identifier, roles)


def run(kit: Kit, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call one method of the port in a transaction of its own."""
    method = getattr(kit.parts.approvals, name)
    return kit.parts.transactions.run(lambda tx: method(tx, *args, **kwargs))


@pytest.fixture
def asked(kit: Kit) -> Kit:
    run(kit, "request", APPROVAL)
    return kit


def test_who_approved_before_is_not_another(kit: Kit) -> None:
    run(kit, "require_another", person("acc_2"), ())
    run(kit, "require_another", person("acc_2"), ("acc_1", "acc_3"))
    with pytest.raises(SelfApproval):
        run(kit, "require_another", person("acc_2"), ("acc_1", "acc_2"))


def test_another_person_approves_and_it_is_used_once(asked: Kit) -> None:
    decided = run(asked, "decide", "apr_1", person("acc_2"), grant=True, reason="fine")
    expected = replace(
        APPROVAL, state="approved", approver_id="acc_2", decided_at=START, reason="fine"
    )
    assert decided == expected
    assert run(asked, "use", "apr_1", "hash") == replace(expected, state="used")
    with pytest.raises(NotPending):
        run(asked, "use", "apr_1", "hash")


def test_nobody_approves_their_own_request(asked: Kit) -> None:
    with pytest.raises(SelfApproval):
        run(asked, "decide", "apr_1", person("acc_1"), grant=True, reason="me")
    assert run(asked, "get", "apr_1") == APPROVAL


def test_a_requester_may_withdraw(asked: Kit) -> None:
    withdrawn = run(asked, "decide", "apr_1", person("acc_1"), grant=False, reason="no need")
    assert withdrawn.state == "rejected"
    with pytest.raises(NotPending):
        run(asked, "decide", "apr_1", person("acc_2"), grant=True, reason="late")


def test_who_lacks_the_permission_decides_nothing(asked: Kit) -> None:
    for grant in (True, False):
        with pytest.raises(Forbidden):
            run(asked, "decide", "apr_1", person("acc_2", frozenset()), grant=grant, reason="x")
    assert run(asked, "get", "apr_1").state == "pending"


def test_another_plan_needs_another_approval(asked: Kit) -> None:
    run(asked, "decide", "apr_1", person("acc_2"), grant=True, reason="fine")
    with pytest.raises(NotPending):
        run(asked, "use", "apr_1", "other hash")
    assert run(asked, "use", "apr_1", "hash").state == "used"


def test_what_nobody_approved_is_not_used(asked: Kit) -> None:
    with pytest.raises(NotPending):
        run(asked, "use", "apr_1", "hash")
    with pytest.raises(NotPending):
        run(asked, "use", "apr_none", "hash")


def test_time_ends_a_request_and_an_unused_approval(asked: Kit) -> None:
    run(asked, "request", replace(APPROVAL, id="apr_2"))
    run(asked, "decide", "apr_2", person("acc_2"), grant=True, reason="fine")
    asked.clock.advance(3600)
    assert run(asked, "get", "apr_1").state == "expired"
    assert run(asked, "pending", "org_1") == []
    with pytest.raises(NotPending):
        run(asked, "decide", "apr_1", person("acc_2"), grant=True, reason="late")
    with pytest.raises(NotPending):
        run(asked, "use", "apr_2", "hash")


def test_pending_is_of_one_organisation_oldest_first(asked: Kit) -> None:
    run(asked, "request", replace(APPROVAL, id="apr_0", requested_at=START + 5))
    run(asked, "request", replace(APPROVAL, id="apr_2", org_id="org_2"))
    assert [approval.id for approval in run(asked, "pending", "org_1")] == ["apr_1", "apr_0"]
    assert [approval.id for approval in run(asked, "pending", "org_2")] == ["apr_2"]


def test_an_unknown_request_is_not_found(kit: Kit) -> None:
    with pytest.raises(NotFound):
        run(kit, "get", "apr_1")
    with pytest.raises(NotFound):
        run(kit, "decide", "apr_1", person("acc_2"), grant=True, reason="x")


def test_a_request_can_not_be_born_approved(kit: Kit) -> None:
    run(kit, "request", replace(APPROVAL, state="approved"))
    assert run(kit, "get", "apr_1").state == "pending"


def test_of_many_users_of_one_approval_one_succeeds(asked: Kit) -> None:
    run(asked, "decide", "apr_1", person("acc_2"), grant=True, reason="fine")
    gate, outcomes = threading.Barrier(8), []

    def call() -> None:
        gate.wait()
        try:
            run(asked, "use", "apr_1", "hash")
            outcomes.append("used")
        except NotPending:
            outcomes.append("refused")

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["used"]
