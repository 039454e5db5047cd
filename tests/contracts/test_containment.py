"""Containment: the fake and identity's own behave alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from playbooks.ports import Containment, Order
from secops.bridges.accounts import IamContainment
from secops.kernel.actors import ROOT_ORG
from tests.fakes.containment import FakeContainment
from tests.fakes.iam_home import open_iam_home

ORDER = Order(
    org_id=ROOT_ORG,
    run_id="run_1",
    incident_id="inc_1",
    key="00",
    requester_id="acc_a",
    approver_id="acc_b",
    reason="contract",
    timeout_ms=1_000,
)


@dataclass
class Subject:
    """The port, an account with two sessions, and one that is protected."""

    port: Containment
    name: str
    protected: str


def _fake() -> Subject:
    fake = FakeContainment()
    fake.add("acc_1", "analyst", sessions=2)
    fake.add("acc_2", "security-admin", protected="the last one")
    return Subject(fake, "analyst", "security-admin")


@pytest.fixture(params=["fake", "iam"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    if request.param == "fake":
        yield _fake()
        return
    home = open_iam_home(tmp_path)
    home.sign_in("analyst")
    home.clock.advance(60)  # a TOTP code is taken once
    home.sign_in("analyst")
    yield Subject(IamContainment(home.services), "analyst", "security-admin")
    home.close()


def account_id(subject: Subject) -> str:
    found = subject.port.account_state(ROOT_ORG, subject.name)
    assert found is not None
    return found.id


def test_an_account_is_found_by_name_and_id_and_unknown_ones_are_none(subject: Subject) -> None:
    by_name = subject.port.account_state(ROOT_ORG, subject.name)
    assert by_name is not None
    assert by_name == subject.port.account_state(ROOT_ORG, by_name.id)
    assert (by_name.name, by_name.locked, by_name.protected) == ("analyst", False, "")
    assert subject.port.account_state(ROOT_ORG, "nobody") is None


def test_the_last_security_administrator_is_protected(subject: Subject) -> None:
    found = subject.port.account_state(ROOT_ORG, subject.protected)
    assert found is not None
    assert found.protected


def test_sessions_end_once_and_again_changes_nothing(subject: Subject) -> None:
    account = account_id(subject)
    assert len(subject.port.sessions_of(account)) == 2
    assert subject.port.revoke_sessions(account, ORDER) == 2
    assert list(subject.port.sessions_of(account)) == []
    assert subject.port.revoke_sessions(account, ORDER) == 0


def test_a_locked_account_reads_back_as_locked_and_stays_so(subject: Subject) -> None:
    account = account_id(subject)
    for _ in range(2):
        subject.port.lock_account(account, ORDER)
        found = subject.port.account_state(ROOT_ORG, account)
        assert found is not None
        assert found.locked
