"""Shares instead of a passphrase: the ceremony, unlocking by some of them, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from kms.core.shamir.shares import read_share, write_share
from kms.errors.keys import MaterialTampered, PoolLocked, PoolUninitialised, WrongPassphrase
from kms.errors.shares import OpenedOtherwise, ShareMalformed, ShareOfAnotherSet, ShareRefused
from kms.models.shares import IssuedShare, Opening, Share, UnlockProgress
from kms.service import KmsServices
from kms.store.tables.keys import kms_roots
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.errors import Conflict, Forbidden, Invalid, TooMany
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import PASSPHRASE, USER, KeyPool, actor, open_key_pool
from tests.fakes.sealing import FakePersons
from tests.unit.kms.test_key_pool import another_process

ASKS = actor("acc_asks", "security-admin", org=ROOT_ORG)
APPROVES = actor("acc_approves", "security-admin", org=ROOT_ORG)
TOWN = actor("acc_town", "security-admin")
HOLDERS = ("甲", "乙", "丙", "丁", "戊")
OPENING = Opening(3, HOLDERS)
HANDOVER = b"k" * 32
SOMEBODY = Actor("system", "address:192.0.2.1", ROOT_ORG, "unlock")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path, clock=clock) as opened:
        yield opened


def approved(pool: KeyPool, opening: Opening) -> str:
    rekeying = pool.services.rekeying
    asked = rekeying.request_rekey(ASKS, opening)
    rekeying.decide_rekey(APPROVES, asked.id, grant=True, reason="as agreed")
    return asked.id


def cut(pool: KeyPool, opening: Opening = OPENING) -> tuple[IssuedShare, ...]:
    return pool.services.rekeying.init_shares(ASKS, opening, approved(pool, opening))


@dataclass
class Service:
    """Two processes of one service over the home; both are locked at first."""

    pool: KeyPool
    first: KmsServices
    second: KmsServices
    shares: tuple[IssuedShare, ...]


@pytest.fixture
def service(pool: KeyPool) -> Service:
    shares = cut(pool)
    first, second = (another_process(pool, handover_key=HANDOVER) for _ in range(2))
    assert first.pool.status().state == second.pool.status().state == "locked"
    return Service(pool, first, second, shares)


def test_three_of_five_open_the_pool_and_the_keys_are_the_same(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("k", "hmac", USER)
    before = pool.services.transit.hmac(USER, "k", {"input": "aGVsbG8="}).text
    shares = cut(pool)
    assert [share.holder for share in shares] == list(HOLDERS)
    for some in itertools.combinations(shares, 3):
        process = another_process(pool)
        steps = [process.unlocking.unlock_pool(SOMEBODY, share.text) for share in some]
        assert [step.given for step in steps] == [1, 2, 0]
        assert process.pool.status().state == "unlocked"
        assert process.transit.hmac(USER, "k", {"input": "aGVsbG8="}).text == before
        clock.advance(60)


def test_two_of_five_open_nothing(service: Service) -> None:
    for share in service.shares[:2]:
        progress = service.first.unlocking.unlock_pool(SOMEBODY, share.text)
    assert (progress.method, progress.given, progress.threshold, progress.shares) == (
        "shares",
        2,
        3,
        5,
    )
    assert service.first.pool.status().state == "locked"
    with pytest.raises(PoolLocked):
        service.first.system_keys.signer("tokens", "ecdsa-p256")


def test_shares_that_reach_different_processes_count_together(service: Service) -> None:
    first, second = service.first.unlocking, service.second.unlocking
    one = first.unlock_pool(SOMEBODY, service.shares[0].text)
    two = second.unlock_pool(SOMEBODY, service.shares[3].text)
    assert (one.given, two.given) == (1, 2)
    assert one.nonce == two.nonce == first.show_progress().nonce
    second.unlock_pool(SOMEBODY, service.shares[1].text)
    assert service.first.pool.status().state == "unlocked"
    assert service.second.pool.status().state == "unlocked"


def test_the_same_share_twice_counts_once(service: Service) -> None:
    unlocking = service.first.unlocking
    for _ in range(4):
        progress = unlocking.unlock_pool(SOMEBODY, service.shares[0].text)
    assert progress.given == 1


def test_shares_are_forgotten_after_ten_minutes_or_when_asked(
    service: Service, clock: FakeClock
) -> None:
    unlocking = service.first.unlocking
    begun = unlocking.unlock_pool(SOMEBODY, service.shares[0].text)
    clock.advance(600)
    assert unlocking.show_progress().given == 0
    anew = unlocking.unlock_pool(SOMEBODY, service.shares[1].text)
    assert anew.given == 1
    assert anew.nonce != begun.nonce
    assert unlocking.forget_shares(SOMEBODY) == UnlockProgress("shares", 3, 5, 0, "", anew.set_id)
    assert unlocking.forget_shares(SOMEBODY).given == 0


def test_what_was_given_can_be_read_by_the_service_alone(service: Service) -> None:
    share = service.shares[0]
    service.first.unlocking.unlock_pool(SOMEBODY, share.text)
    value = read_share(share.text).value
    with service.pool.spine.read_engine.begin() as connection:
        stored = b"".join(row.envelope for row in connection.execute(select(kms_roots)))
    assert value not in stored
    assert share.text.encode() not in stored
    stranger = another_process(service.pool, handover_key=b"s" * 32)
    assert stranger.unlocking.show_progress().given == 0


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda share: write_share(Share(share.set_id, 3, 2, bytes(32))), ShareRefused),
        (lambda share: write_share(Share(share.set_id, 3, 9, share.value)), ShareRefused),
        (lambda share: write_share(Share(bytes(8), 3, 1, share.value)), ShareOfAnotherSet),
        (lambda share: write_share(share)[:-1], ShareMalformed),
        (lambda _: "no share", ShareMalformed),
        (lambda _: PASSPHRASE, ShareMalformed),
    ],
)
def test_attack_a_false_share_is_refused_recorded_and_costs_the_others_nothing(
    service: Service, change: Any, refusal: type[Exception]
) -> None:
    unlocking = service.first.unlocking
    unlocking.unlock_pool(SOMEBODY, service.shares[1].text)
    with pytest.raises(refusal):
        unlocking.unlock_pool(SOMEBODY, change(read_share(service.shares[0].text)))
    assert unlocking.show_progress().given == 1
    unlocking.unlock_pool(SOMEBODY, service.shares[2].text)
    unlocking.unlock_pool(SOMEBODY, service.shares[0].text)
    assert service.first.pool.status().state == "unlocked"


def test_refusals_reach_the_journal_without_the_share(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(service.pool.spine.journal, "append", seen.extend)
    text = service.shares[0].text[:-4] + "AAAA"
    with pytest.raises(ShareMalformed):
        service.first.unlocking.unlock_pool(SOMEBODY, text)
    assert [(act.action, act.outcome) for act in seen] == [("kms.give_share", "refused")]
    assert text[:20] not in repr(seen)


def test_attempts_are_limited_per_address(service: Service) -> None:
    def attempt(address: str) -> None:
        somebody = Actor("system", address, ROOT_ORG, "unlock")
        with pytest.raises(ShareMalformed):
            service.first.unlocking.unlock_pool(somebody, "x")

    for _ in range(30):
        attempt("address:192.0.2.9")
    with pytest.raises(TooMany, match="attempts"):
        attempt("address:192.0.2.9")
    attempt("address:192.0.2.10")


def test_a_lock_needs_shares_again_in_every_process(service: Service, clock: FakeClock) -> None:
    for share in service.shares[:3]:
        service.first.unlocking.unlock_pool(SOMEBODY, share.text)
    another_process(service.pool, handover_key=HANDOVER).pool.lock(ASKS)
    assert service.second.pool.status().state == "locked"
    for share in service.shares[2:]:
        service.second.unlocking.unlock_pool(SOMEBODY, share.text)
    assert service.first.pool.status().state == "unlocked"
    assert service.first.unlocking.unlock_pool(SOMEBODY, service.shares[0].text).given == 0


def test_shares_given_before_a_lock_do_not_lift_it(service: Service) -> None:
    for share in service.shares[:2]:
        service.first.unlocking.unlock_pool(SOMEBODY, share.text)
    service.first.pool.lock(ASKS)
    assert service.second.unlocking.unlock_pool(SOMEBODY, service.shares[2].text).given == 1
    assert service.first.pool.status().state == "locked"


def test_a_passphrase_no_longer_opens_what_shares_open(pool: KeyPool) -> None:
    cut(pool)
    other = another_process(pool, unlock_passphrase=PASSPHRASE)
    assert other.pool.status().state == "locked"
    with pytest.raises(OpenedOtherwise):
        other.pool.unlock(ASKS, PASSPHRASE.encode())


def test_a_new_set_makes_the_old_one_worthless(service: Service) -> None:
    again = cut(service.pool)
    process = another_process(service.pool)
    with pytest.raises(ShareOfAnotherSet):
        process.unlocking.unlock_pool(SOMEBODY, service.shares[0].text)
    for share in again[:3]:
        process.unlocking.unlock_pool(SOMEBODY, share.text)
    assert process.pool.status().state == "unlocked"


def test_shares_give_way_to_a_passphrase_with_the_same_two_people(pool: KeyPool) -> None:
    cut(pool)
    approval = approved(pool, Opening())
    with pytest.raises(PoolLocked):
        pool.services.rekeying.change_passphrase(ASKS, approval, b"short")
    pool.services.rekeying.change_passphrase(ASKS, approval, b"another long passphrase")
    other = another_process(pool, unlock_passphrase="another long passphrase")
    assert other.pool.status().state == "unlocked"
    assert other.unlocking.show_progress() == UnlockProgress("passphrase")
    with pytest.raises(WrongPassphrase):
        another_process(pool).unlocking.unlock_pool(SOMEBODY, PASSPHRASE)


def test_the_ceremony_takes_two_people_and_exactly_what_was_approved(pool: KeyPool) -> None:
    rekeying = pool.services.rekeying
    asked = rekeying.request_rekey(ASKS, OPENING)
    assert (
        "passphrase → 3 of 5 (甲, 乙, 丙, 丁, 戊)"
        in rekeying.show_rekey(APPROVES, asked.id).subject
    )
    with pytest.raises(NotPending):
        rekeying.init_shares(ASKS, OPENING, asked.id)
    with pytest.raises(SelfApproval):
        rekeying.decide_rekey(ASKS, asked.id, grant=True, reason="mine")
    with pytest.raises(Invalid):
        rekeying.decide_rekey(APPROVES, asked.id, grant=True, reason=" ")
    rekeying.decide_rekey(APPROVES, asked.id, grant=True, reason="as agreed")
    for other in (Opening(2, HOLDERS), Opening(3, (*HOLDERS[:4], "己"))):
        with pytest.raises(NotPending):
            rekeying.init_shares(ASKS, other, asked.id)
    with pytest.raises(NotPending):
        rekeying.init_shares(APPROVES, OPENING, asked.id)
    rekeying.init_shares(ASKS, OPENING, asked.id)
    with pytest.raises(NotPending):
        rekeying.init_shares(ASKS, OPENING, asked.id)


def test_an_approval_is_of_the_envelope_it_was_asked_for(pool: KeyPool) -> None:
    early = approved(pool, Opening(2, ("甲", "乙")))
    cut(pool)
    with pytest.raises(NotPending):
        pool.services.rekeying.init_shares(ASKS, Opening(2, ("甲", "乙")), early)


def test_another_account_of_the_same_person_approves_nothing(
    tmp_path: Path, clock: FakeClock
) -> None:
    persons = FakePersons()
    persons.same.add(frozenset({ASKS.id, APPROVES.id}))
    with open_key_pool(tmp_path, clock=clock, persons=persons) as pool:
        rekeying = pool.services.rekeying
        asked = rekeying.request_rekey(ASKS, OPENING)
        with pytest.raises(SelfApproval):
            rekeying.decide_rekey(APPROVES, asked.id, grant=True, reason="me again")


@pytest.mark.parametrize("stranger", [USER, TOWN])
def test_only_security_administrators_of_the_whole_installation_change_it(
    pool: KeyPool, stranger: Actor
) -> None:
    rekeying = pool.services.rekeying
    asked = rekeying.request_rekey(ASKS, OPENING)
    for attempt in (
        lambda: rekeying.request_rekey(stranger, OPENING),
        lambda: rekeying.show_rekey(stranger, asked.id),
        lambda: rekeying.decide_rekey(stranger, asked.id, grant=True, reason="r"),
        lambda: rekeying.init_shares(stranger, OPENING, asked.id),
        lambda: rekeying.change_passphrase(stranger, asked.id, b"x" * 20),
    ):
        with pytest.raises(Forbidden):
            attempt()


@pytest.mark.parametrize(
    "opening",
    [Opening(1, HOLDERS), Opening(6, HOLDERS), Opening(2, ("甲", "甲")), Opening(2, ("甲",))],
)
def test_a_ceremony_that_can_not_be_is_not_asked_for(pool: KeyPool, opening: Opening) -> None:
    with pytest.raises(Invalid):
        pool.services.rekeying.request_rekey(ASKS, opening)


def test_shares_without_holders_are_none(pool: KeyPool) -> None:
    with pytest.raises(Invalid):
        pool.services.rekeying.init_shares(ASKS, Opening(), approved(pool, Opening()))


def test_a_request_of_another_kind_is_no_rekeying(pool: KeyPool) -> None:
    from secops.kernel.approvals import Approval  # noqa: PLC0415 - to make a foreign one
    from secops.kernel.permissions.kms import SEAL_APPROVE  # noqa: PLC0415

    foreign = Approval("apr_x", ROOT_ORG, "seal", "s", "h", SEAL_APPROVE, ASKS.id, 0, 2**62)
    pool.spine.parts.transactions.run(lambda tx: pool.spine.parts.approvals.request(tx, foreign))
    with pytest.raises(Invalid):
        pool.services.rekeying.show_rekey(ASKS, "apr_x")


def test_two_changes_at_once_leave_one(pool: KeyPool, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = approved(pool, OPENING)
    rekeying = pool.services.rekeying
    envelope = pool.services.pool.envelope()
    monkeypatch.setattr(pool.services.pool, "envelope", lambda: envelope)
    pool.change(update(kms_roots).where(kms_roots.c.id == 1).values(envelope=envelope + b" "))
    with pytest.raises(Conflict):
        rekeying.init_shares(ASKS, OPENING, approval)


def test_attack_a_changed_plan_opens_nothing(service: Service) -> None:
    envelope = service.first.pool.envelope()
    changed = envelope.replace(b'"threshold":3', b'"threshold":2')
    service.pool.change(update(kms_roots).where(kms_roots.c.id == 1).values(envelope=changed))
    with pytest.raises(ShareRefused):
        service.first.unlocking.unlock_pool(SOMEBODY, service.shares[0].text)
    broken = envelope.replace(b'"threshold":3', b'"threshold":9')
    service.pool.change(update(kms_roots).where(kms_roots.c.id == 1).values(envelope=broken))
    with pytest.raises(MaterialTampered):
        service.first.unlocking.show_progress()


def test_the_ledger_names_the_ceremony_by_numbers_and_never_a_share(pool: KeyPool) -> None:
    shares = cut(pool)
    process = another_process(pool)
    for share in shares[:3]:
        process.unlocking.unlock_pool(SOMEBODY, share.text)
    leaves = pool.leaves()
    actions = [leaf["action"] for leaf in leaves]
    assert actions[1:4] == ["kms.request_rekey", "kms.decide_rekey", "kms.rekey_pool"]
    assert actions.count("kms.give_share") == 3
    assert leaves[3]["details"]["shares"] == 5
    told = repr(leaves)
    assert all(share.text not in told for share in shares)
    assert all(read_share(share.text).value.hex() not in told for share in shares)
    assert "甲" not in told


def test_a_home_without_a_root_key_has_no_progress(tmp_path: Path) -> None:
    with open_key_pool(tmp_path / "new", passphrase=None) as empty:
        assert empty.services.unlocking.show_progress() == UnlockProgress("passphrase")
        with pytest.raises(PoolUninitialised):
            empty.services.unlocking.unlock_pool(SOMEBODY, "x")
