"""One person with two accounts is one person, whatever plane asked for the approval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from secops.adapters.database.approvals import DatabaseApprovals
from secops.adapters.spine import Spine
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval, SelfApproval
from secops.kernel.permissions.kms import SEAL_APPROVE
from secops.kernel.permissions.roles import SECURITY_ADMIN
from tests.fakes.clock import START
from tests.fakes.parts import database_spine
from tests.fakes.sealing import FakePersons

ASKED = Approval(
    id="apr_1",
    org_id="org_1",
    kind="seal",
    subject="seal:1",
    subject_hash="hash",
    permission=SEAL_APPROVE,
    requester_id="acc_1",
    requested_at=START,
    expires_at=START + 1_000_000,
)
OTHER = Actor("account", "acc_2", "org_1", "acc_2", frozenset({SECURITY_ADMIN}))


@pytest.fixture
def spine(tmp_path: Path) -> Iterator[Spine]:
    opened = database_spine(tmp_path)
    yield opened
    opened.close()


def test_another_account_of_the_requester_may_reject_and_never_approves(spine: Spine) -> None:
    persons = FakePersons()
    approvals, run = DatabaseApprovals(persons), spine.parts.transactions.run
    run(lambda tx: approvals.request(tx, ASKED))
    run(lambda tx: approvals.request(tx, replace(ASKED, id="apr_2")))
    persons.same.add(frozenset({"acc_1", "acc_2"}))
    with pytest.raises(SelfApproval):
        run(lambda tx: approvals.decide(tx, "apr_1", OTHER, grant=True, reason="fine"))
    assert run(lambda tx: approvals.get(tx, "apr_1")).state == "pending"
    rejected = run(lambda tx: approvals.decide(tx, "apr_2", OTHER, grant=False, reason="no"))
    assert rejected.state == "rejected"
    persons.same.clear()
    decided = run(lambda tx: approvals.decide(tx, "apr_1", OTHER, grant=True, reason="fine"))
    assert decided.state == "approved"


def test_several_approvers_are_several_persons_by_whichever_account(spine: Spine) -> None:
    persons = FakePersons()
    approvals, run = DatabaseApprovals(persons), spine.parts.transactions.run
    run(lambda tx: approvals.require_another(tx, OTHER, ("acc_0", "acc_1")))
    persons.same.add(frozenset({"acc_1", "acc_2"}))
    with pytest.raises(SelfApproval):
        run(lambda tx: approvals.require_another(tx, OTHER, ("acc_0", "acc_1")))
