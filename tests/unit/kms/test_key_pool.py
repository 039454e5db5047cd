"""The pool: initialise, unlock, lock, handover between processes; the product's own keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from kms.adapters.custody.passphrases import configured_passphrase
from kms.adapters.custody.software import SoftwareCustody
from kms.errors.keys import (
    MaterialTampered,
    PoolLocked,
    PoolUninitialised,
    UnlockFileUnsafe,
    WrongPassphrase,
)
from kms.models.keys import KmsOptions
from kms.plane import build_services
from kms.service import KmsServices
from kms.store.tables.keys import kms_roots
from secops.crypto import signatures
from secops.crypto.errors import InvalidSignature
from secops.crypto.options import DEFAULT
from secops.kernel.errors import Conflict, Forbidden, TooMany
from secops.kernel.waiting import MustWait, without_waiting
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import (
    FAST,
    KEEPER,
    PASSPHRASE,
    USER,
    WHOLE,
    KeyPool,
    calm_ports,
    open_key_pool,
)

HANDOVER = b"k" * 32


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path, clock=clock) as opened:
        yield opened


def another_process(pool: KeyPool, **options: Any) -> KmsServices:
    """The services of a second process over the same home: a custody of its own."""
    chosen = KmsOptions(**options)
    custody = SoftwareCustody(chosen.profile, pool.spine.parts.randomness, FAST)
    return build_services(pool.spine.parts, calm_ports(), chosen, custody=custody)


def test_the_pool_is_initialised_once(pool: KeyPool) -> None:
    assert not pool.services.pool.initialise(KEEPER, b"another passphrase")
    actions = [leaf["action"] for leaf in pool.leaves()]
    assert actions.count("kms.initialise_pool") == 1


def test_a_home_without_a_root_key_says_so(tmp_path: Path) -> None:
    with open_key_pool(tmp_path, passphrase=None) as pool:
        assert pool.services.pool.status().state == "uninitialised"
        with pytest.raises(PoolUninitialised):
            pool.services.system_keys.signer("tokens", "ecdsa-p256")
        with pytest.raises(PoolUninitialised):
            pool.services.pool.unlock(KEEPER, b"x")


@pytest.mark.parametrize("passphrase", [None, b"", b"short", b"x" * 5_000])
def test_a_weak_passphrase_makes_no_pool(tmp_path: Path, passphrase: bytes | None) -> None:
    with open_key_pool(tmp_path, passphrase=None) as pool, pytest.raises(PoolLocked):
        pool.services.pool.initialise(KEEPER, passphrase)


def test_a_process_unlocks_itself_by_its_settings(pool: KeyPool) -> None:
    assert another_process(pool, unlock_passphrase=PASSPHRASE).pool.status().state == "unlocked"
    assert another_process(pool).pool.status().state == "locked"
    assert another_process(pool, unlock_passphrase="wrong one here").pool.status().state == "locked"


def test_an_unlock_file_must_be_private(pool: KeyPool, tmp_path: Path) -> None:
    file = tmp_path / "unlock"
    file.write_text(PASSPHRASE + "\n")
    file.chmod(0o600)
    assert another_process(pool, unlock_file=file).pool.status().state == "unlocked"
    for mode in (0o640, 0o604, 0o660):
        file.chmod(mode)
        with pytest.raises(UnlockFileUnsafe):
            configured_passphrase(KmsOptions(unlock_file=file))
        assert another_process(pool, unlock_file=file).pool.status().state == "locked"
    with pytest.raises(UnlockFileUnsafe):
        configured_passphrase(KmsOptions(unlock_file=tmp_path / "absent"))


def test_locking_reaches_every_process_and_needs_the_permission(pool: KeyPool) -> None:
    other = another_process(pool, unlock_passphrase=PASSPHRASE)
    assert other.pool.status().state == "unlocked"
    with pytest.raises(Forbidden):
        pool.services.pool.lock(USER)
    with pytest.raises(Forbidden, match="whole installation"):
        pool.services.pool.lock(KEEPER)  # an organisation locks its own part, not all others'
    assert other.pool.status().state == "unlocked"
    pool.services.pool.lock(WHOLE)
    # even a process that could unlock itself stays locked until somebody unlocks
    assert other.pool.status().state == "locked"
    with pytest.raises(PoolLocked):
        other.system_keys.signer("tokens", "ecdsa-p256")
    pool.services.pool.unlock(KEEPER, PASSPHRASE.encode())
    assert other.pool.status().state == "unlocked"


def test_one_unlock_serves_all_processes_of_the_service(pool: KeyPool) -> None:
    first, second = (another_process(pool, handover_key=HANDOVER) for _ in range(2))
    assert second.pool.status().state == "locked"
    first.pool.unlock(KEEPER, PASSPHRASE.encode())
    assert second.pool.status().state == "unlocked"
    stranger = another_process(pool, handover_key=b"s" * 32)
    assert stranger.pool.status().state == "locked"
    first.pool.lock(WHOLE)
    assert second.pool.status().state == "locked"
    third = another_process(pool, handover_key=HANDOVER)
    assert third.pool.status().state == "locked"


def test_a_handover_of_the_gm_profile_opens_as_such() -> None:
    from tests.fakes.randomness import FakeRandomness  # noqa: PLC0415 - only here

    gm = SoftwareCustody("gm", FakeRandomness(), FAST)
    gm.create_root(b"passphrase")
    wrapped = gm.wrap(b"m", b"c")
    other = SoftwareCustody("intl", FakeRandomness(), FAST)
    other.take_over(gm.hand_over(HANDOVER), HANDOVER)
    assert other.unwrap(wrapped, b"c") == b"m"


def test_wrong_passphrases_wait_and_are_recorded(pool: KeyPool, clock: FakeClock) -> None:
    service = pool.services.pool
    with pytest.raises(WrongPassphrase):
        service.unlock(KEEPER, b"wrong")
    with pytest.raises(TooMany):
        service.unlock(KEEPER, PASSPHRASE.encode())
    clock.advance(2_000_000)
    service.unlock(KEEPER, PASSPHRASE.encode())


def test_attack_an_envelope_that_costs_too_much_is_not_computed(pool: KeyPool) -> None:
    pool.change(
        update(kms_roots).values(
            envelope=b'{"v":1,"kdf":"argon2id","profile":"intl","salt":"AAAAAAAAAAAAAAAAAAAAAA==",'
            b'"time":1,"memory":99999999,"parallelism":1,"root":"AAAA"}'
        )
    )
    other = another_process(pool, unlock_passphrase=PASSPHRASE)
    with pytest.raises(MaterialTampered):
        other.pool.require_unlocked()


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "ed25519", "sm2"])
def test_a_system_signer_signs_for_every_process(pool: KeyPool, key_type: str) -> None:
    signer = pool.services.system_keys.signer("s", key_type)
    other = another_process(pool, unlock_passphrase=PASSPHRASE).system_keys.signer("s", key_type)
    assert signer.public_key_der == other.public_key_der
    assert (signer.kid, signer.algorithm) == (other.fingerprint[:16], key_type)
    public = signatures.public_key(key_type, signer.public_key_der)
    public.verify(other.sign(b"m"), b"m", DEFAULT)
    public.verify(signatures.from_raw(key_type, signer.sign_raw(b"m")), b"m", DEFAULT)
    with pytest.raises(InvalidSignature):
        public.verify(signer.sign(b"m"), b"n", DEFAULT)


def test_a_rotated_signer_lists_both_public_keys(pool: KeyPool, clock: FakeClock) -> None:
    keys = pool.services.system_keys
    signer = keys.signer("s", "ecdsa-p256")
    old = signer.kid
    keys.rotate_signer("s")
    clock.advance(2_000_000)
    assert [key.version for key in signer.public_keys()] == [1, 2]
    assert signer.public_keys()[0].kid == old != signer.kid


def test_a_system_key_keeps_its_type(pool: KeyPool) -> None:
    pool.services.system_keys.signer("s", "ecdsa-p256")
    with pytest.raises(Conflict):
        pool.services.system_keys.signer("s", "ed25519")


def test_a_keyed_hash_is_the_same_in_every_process_and_after_rotation(
    pool: KeyPool, clock: FakeClock
) -> None:
    hashed = pool.services.system_keys.keyed_hash("pepper")
    other = another_process(pool, unlock_passphrase=PASSPHRASE).system_keys.keyed_hash("pepper")
    before = hashed(b"secret")
    assert before == other(b"secret") != hashed(b"other")
    pool.services.system_keys.rotate_signer("pepper")
    clock.advance(2_000_000)
    assert hashed(b"secret") == before
    assert pool.services.system_keys.keyed_hash("pepper", "sm3")(b"secret") != before


def test_a_locked_pool_signs_nothing_for_the_product_either(pool: KeyPool) -> None:
    signer = pool.services.system_keys.signer("s", "ecdsa-p256")
    pool.services.pool.lock(WHOLE)
    with pytest.raises(PoolLocked):
        signer.sign(b"m")


def test_use_of_system_keys_leaves_no_leaf_here(pool: KeyPool) -> None:
    signer = pool.services.system_keys.signer("s", "ecdsa-p256")
    before = len(pool.leaves())
    signer.sign(b"m")
    assert len(pool.leaves()) == before


def test_options_never_show_the_passphrase() -> None:
    shown = repr(KmsOptions(unlock_passphrase=PASSPHRASE, handover_key=HANDOVER))
    assert PASSPHRASE not in shown
    assert "kkkk" not in shown
    assert replace(KmsOptions(), profile="gm").profile == "gm"


def test_a_key_in_use_is_read_anew_by_one_caller_while_the_others_go_on(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    with open_key_pool(tmp_path / "renewed", clock=clock) as pool:
        pool.create("k", "ecdsa-p256", USER)
        transit = pool.services.transit

        def version() -> int:
            return transit.sign(USER, "k", {"input": "eA=="}).key_version

        version()
        pool.services.keys.rotate_key(KEEPER, "k")
        clock.advance(0.6)
        # on the loop one is sent to where it may wait; the others use what holds for a second
        with pytest.raises(MustWait):
            without_waiting(version)
        with pytest.raises(MustWait):
            without_waiting(version)  # for the quota, which is kept beside
        assert without_waiting(version) == 1
        assert version() == 2
        assert without_waiting(version) == 2
