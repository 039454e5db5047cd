"""Destroying a key takes two persons and days, and can be called off until then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kms.errors.keys import (
    DeletionNotAllowed,
    DestructionNotFound,
    KeyDestroyed,
    KeyPendingDestruction,
    KeySuspended,
    MaterialTampered,
    StaleDestruction,
)
from kms.models.keys import Destruction
from kms.store.tables.keys import kms_key_versions, kms_keys
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import SECOND
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, USER, KeyPool, actor, open_key_pool

DAY = 86_400
SECOND_KEEPER = actor("acc_keeper_2", "security-admin")
INPUT = {"input": "aGVsbG8="}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path / "home", clock=clock) as opened:
        opened.create("k", "ecdsa-p256", USER)
        opened.services.keys.configure_key(KEEPER, "k", {"deletion_allowed": True})
        yield opened


def ask(pool: KeyPool, **options: object) -> Destruction:
    return pool.services.key_destruction.destroy_key(KEEPER, "k", **options)  # type: ignore[arg-type]


def approve(pool: KeyPool, request: Destruction, *, grant: bool = True) -> None:
    pool.services.key_destruction.decide_destruction(
        SECOND_KEEPER, request.id, grant=grant, reason="seen"
    )


def state(pool: KeyPool) -> str:
    return pool.services.keys.get_key(KEEPER, "k").key.state


def test_asking_takes_the_key_out_of_use_and_loses_nothing(pool: KeyPool) -> None:
    ask(pool, reason="replaced")
    assert state(pool) == "pending_destruction"
    with pytest.raises((KeyPendingDestruction, KeySuspended)):
        pool.services.transit.sign(USER, "k", INPUT)
    with pool.spine.read_engine.begin() as connection:
        assert len(connection.execute(select(kms_key_versions)).all()) == 1
    for attempt in (
        lambda: pool.services.keys.rotate_key(KEEPER, "k"),
        lambda: pool.services.key_control.resume_key(KEEPER, "k"),
        lambda: pool.create("k", "ecdsa-p256"),
        lambda: pool.services.keys.configure_key(KEEPER, "k", {"deletion_allowed": False}),
        lambda: ask(pool),
    ):
        with pytest.raises(KeyPendingDestruction):
            attempt()


def test_it_must_have_been_allowed_and_be_asked_for_in_days(pool: KeyPool) -> None:
    for days in (0, 91):
        with pytest.raises(Invalid):
            ask(pool, delay_days=days)
    with pytest.raises(Invalid):
        ask(pool, reason="x" * 501)
    pool.services.keys.configure_key(KEEPER, "k", {"deletion_allowed": False})
    with pytest.raises(DeletionNotAllowed):
        ask(pool)
    with pytest.raises(Forbidden):
        pool.services.key_destruction.destroy_key(USER, "k")
    assert state(pool) == "active"


def test_an_approved_key_is_erased_when_its_day_has_come_and_not_before(
    pool: KeyPool, clock: FakeClock
) -> None:
    request = ask(pool, delay_days=3)
    pool.services.key_destruction.destroy_due_keys()
    clock.advance(29 * DAY)
    pool.services.key_destruction.destroy_due_keys()
    assert state(pool) == "pending_destruction"
    approve(pool, request)
    clock.advance(2)
    until = pool.services.keys.get_key(KEEPER, "k").key.destroy_at
    clock.advance((until - clock.now()) / SECOND - 1)
    pool.services.key_destruction.destroy_due_keys()
    assert state(pool) == "pending_destruction"
    clock.advance(2)
    assert pool.services.key_destruction.destroy_due_keys() is False
    assert state(pool) == "destroyed"
    with pool.spine.read_engine.begin() as connection:
        assert connection.execute(select(kms_key_versions)).all() == []
    with pytest.raises((KeyDestroyed, KeySuspended)):
        pool.services.transit.sign(USER, "k", INPUT)
    with pytest.raises(KeyDestroyed):
        pool.create("k", "ecdsa-p256")
    leaves = [leaf for leaf in pool.leaves() if leaf["action"] == "kms.destroy_key"]
    assert [leaf["outcome"] for leaf in leaves] == ["intent", "done"]
    assert {leaf["actor"]["kind"] for leaf in leaves} == {"system"}


def test_nobody_approves_alone_and_nobody_twice(pool: KeyPool) -> None:
    request = ask(pool)
    decide = pool.services.key_destruction.decide_destruction
    with pytest.raises(SelfApproval):
        decide(KEEPER, request.id, grant=True, reason="mine")
    with pytest.raises(Forbidden):
        decide(USER, request.id, grant=True, reason="not me")
    with pytest.raises(Invalid):
        decide(SECOND_KEEPER, request.id, grant=True, reason=" ")
    with pytest.raises(DestructionNotFound):
        decide(replace(SECOND_KEEPER, org_id="org_other"), request.id, grant=True, reason="x")
    approve(pool, request)
    with pytest.raises((StaleDestruction, NotPending)):
        approve(pool, request)


def test_a_rejected_key_is_suspended_and_can_be_resumed(pool: KeyPool) -> None:
    approve(pool, ask(pool), grant=False)
    assert state(pool) == "suspended"
    with pytest.raises(KeySuspended):
        pool.services.transit.sign(USER, "k", INPUT)
    pool.services.key_control.resume_key(KEEPER, "k")
    assert pool.services.transit.sign(USER, "k", INPUT).key_version == 1


def test_it_can_be_called_off_after_approval_and_an_old_approval_counts_no_more(
    pool: KeyPool, clock: FakeClock
) -> None:
    first = ask(pool)
    service = pool.services.key_destruction
    service.call_off_destruction(KEEPER, "k")
    with pytest.raises(DestructionNotFound):
        service.call_off_destruction(KEEPER, "k")
    pool.services.key_control.resume_key(KEEPER, "k")
    clock.advance(1)
    second = ask(pool)
    with pytest.raises(StaleDestruction):
        approve(pool, first)
    approve(pool, first, grant=False)
    assert state(pool) == "pending_destruction"
    approve(pool, second)
    service.call_off_destruction(SECOND_KEEPER, "k")
    clock.advance(8 * DAY)
    service.destroy_due_keys()
    assert state(pool) == "suspended"


def test_who_approves_sees_exactly_what_is_lost_and_a_changed_key_is_stale(pool: KeyPool) -> None:
    request = ask(pool, reason="replaced")
    shown = pool.services.key_destruction.list_destructions(KEEPER, PageRequest(5)).items
    assert [(row.id, approval.state) for row, approval in shown] == [(request.id, "pending")]
    assert '"granted_to":["account:acc_user"]' in request.change
    assert '"reason":"replaced"' in request.change
    pool.services.key_control.revoke_key_grant(KEEPER, "k", USER.id)
    with pytest.raises(StaleDestruction):
        approve(pool, request)


def test_whoever_can_write_rows_has_no_key_destroyed(pool: KeyPool, clock: FakeClock) -> None:
    ask(pool)
    pool.change(update(kms_keys).values(destroy_at=1))
    clock.advance(DAY)
    with pytest.raises(MaterialTampered):
        pool.services.key_destruction.destroy_due_keys()
    with pool.spine.read_engine.begin() as connection:
        assert len(connection.execute(select(kms_key_versions)).all()) == 1
