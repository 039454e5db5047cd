"""Keys over a real database: making, using, rotating, taking away, and attacks on the rows."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from kms.errors.keys import (
    KeyExists,
    KeyNotFound,
    KeyNotGranted,
    KeySuspended,
    MaterialTampered,
    PoolLocked,
    VersionUnavailable,
)
from kms.models.keys import KeyRequest
from kms.service.presenting import describe, public_pem
from kms.store.tables.keys import kms_key_grants, kms_key_versions, kms_keys
from secops.crypto.errors import DecryptionFailed
from secops.kernel.errors import Conflict, Forbidden, Invalid
from secops.kernel.pages import PageRequest
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import (
    AUDITOR,
    KEEPER,
    OTHER,
    PASSPHRASE,
    USER,
    WHOLE,
    KeyPool,
    actor,
    open_key_pool,
)

INPUT = {"input": base64.b64encode(b"hello").decode()}
PLAIN = {"plaintext": base64.b64encode(b"hello").decode()}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path, clock=clock) as opened:
        yield opened


SIGNING = ("sm2", "ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-3072", "ml-dsa-65")
ENCRYPTING = ("sm2", "aes256-gcm96", "aes128-gcm96", "sm4-gcm96")


@pytest.mark.parametrize("key_type", SIGNING)
def test_what_a_key_signs_verifies_and_a_changed_input_does_not(
    pool: KeyPool, key_type: str
) -> None:
    pool.create("k", key_type, USER)
    made = pool.services.transit.sign(USER, "k", INPUT)
    assert made.text.startswith("vault:v1:")
    good = pool.services.transit.verify(USER, "k", {**INPUT, "signature": made.text})
    other = {"input": base64.b64encode(b"hellp").decode(), "signature": made.text}
    bad = pool.services.transit.verify(USER, "k", other)
    assert (good.valid, bad.valid) == (True, False)


@pytest.mark.parametrize("key_type", ENCRYPTING)
def test_what_a_key_encrypts_it_decrypts_and_nothing_changed(pool: KeyPool, key_type: str) -> None:
    pool.create("k", key_type, USER)
    made = pool.services.transit.encrypt(USER, "k", PLAIN)
    assert pool.services.transit.decrypt(USER, "k", {"ciphertext": made.text}).plaintext == b"hello"
    changed = made.text[:-6] + ("A" if made.text[-6] != "A" else "B") + made.text[-5:]
    with pytest.raises(DecryptionFailed):
        pool.services.transit.decrypt(USER, "k", {"ciphertext": changed})


def test_associated_data_binds_a_ciphertext(pool: KeyPool) -> None:
    pool.create("k", "sm4-gcm96", USER)
    aad = {"associated_data": base64.b64encode(b"row 7").decode()}
    made = pool.services.transit.encrypt(USER, "k", {**PLAIN, **aad})
    fields = {"ciphertext": made.text}
    assert pool.services.transit.decrypt(USER, "k", {**fields, **aad}).plaintext == b"hello"
    with pytest.raises(DecryptionFailed):
        pool.services.transit.decrypt(USER, "k", fields)


def test_a_key_without_a_grant_is_refused(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256", USER)
    with pytest.raises(KeyNotGranted):
        pool.services.transit.sign(OTHER, "k", INPUT)


def test_a_grant_names_operations(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256")
    pool.services.key_control.grant_key(KEEPER, "k", USER.id, ["verify"])
    with pytest.raises(KeyNotGranted):
        pool.services.transit.sign(USER, "k", INPUT)


def test_who_creates_keys_may_not_use_them(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256", KEEPER)
    with pytest.raises(Forbidden):
        pool.services.transit.sign(KEEPER, "k", INPUT)


def test_who_uses_keys_may_not_create_rotate_or_grant_them(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256", USER)
    services = pool.services
    for attempt in (
        lambda: services.keys.create_key(USER, KeyRequest("x", "sm2")),
        lambda: services.keys.rotate_key(USER, "k"),
        lambda: services.key_control.grant_key(USER, "k", USER.id, ["export"]),
        lambda: services.key_destruction.destroy_key(USER, "k"),
        lambda: services.pool.lock(USER),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_another_organisation_finds_no_key(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256", USER)
    with pytest.raises(KeyNotFound):
        pool.services.transit.sign(replace(USER, org_id="org_village"), "k", INPUT)


def test_a_rotated_key_signs_with_the_new_version_and_verifies_the_old(pool: KeyPool) -> None:
    pool.create("k", "ed25519", USER)
    old = pool.services.transit.sign(USER, "k", INPUT)
    pool.services.keys.rotate_key(KEEPER, "k")
    pool.spine.parts.clock.advance(2_000_000)  # type: ignore[attr-defined]
    new = pool.services.transit.sign(USER, "k", INPUT)
    assert (old.key_version, new.key_version) == (1, 2)
    for made in (old, new):
        fields = {**INPUT, "signature": made.text}
        assert pool.services.transit.verify(USER, "k", fields).valid
    pool.services.keys.configure_key(KEEPER, "k", {"min_decryption_version": 2})
    pool.spine.parts.clock.advance(2_000_000)  # type: ignore[attr-defined]
    with pytest.raises(VersionUnavailable):
        pool.services.transit.verify(USER, "k", {**INPUT, "signature": old.text})


def test_a_suspended_key_is_refused_at_once_and_can_be_resumed(pool: KeyPool) -> None:
    pool.create("k", "sm2", USER)
    pool.services.transit.sign(USER, "k", INPUT)
    pool.services.key_control.suspend_key(KEEPER, "k", reason="risk")
    with pytest.raises(KeySuspended):
        pool.services.transit.sign(USER, "k", INPUT)
    pool.services.key_control.resume_key(KEEPER, "k")
    assert pool.services.transit.sign(USER, "k", INPUT).key_version == 1


def test_creating_the_same_key_again_returns_it_and_another_type_conflicts(pool: KeyPool) -> None:
    first = pool.create("k", "sm2")
    assert pool.create("k", "sm2") == first
    with pytest.raises(KeyExists):
        pool.create("k", "ed25519")


def test_each_change_leaves_one_leaf_with_the_public_keys_digest(pool: KeyPool) -> None:
    pool.create("k", "sm2", USER)
    pool.services.keys.rotate_key(KEEPER, "k")
    made = [leaf for leaf in pool.leaves() if leaf["target"].startswith("key:")]
    actions = [leaf["action"] for leaf in made]
    assert actions == ["kms.create_key", "kms.grant_key", "kms.rotate_key"]
    assert len(made[2]["details"]["public_key_sha256"]) == 64


def test_lists_show_an_integrator_only_what_was_granted(pool: KeyPool) -> None:
    pool.create("a", "ed25519", USER)
    pool.create("b", "ed25519")
    names = [key.name for key in pool.services.keys.list_keys(USER, PageRequest()).items]
    assert names == ["a"]
    every = [key.name for key in pool.services.keys.list_keys(AUDITOR, PageRequest()).items]
    assert every == ["a", "b"]
    with pytest.raises(KeyNotFound):
        pool.services.keys.get_key(USER, "b")


def test_the_products_own_keys_are_in_no_list_and_no_route_reaches_them(pool: KeyPool) -> None:
    pool.services.system_keys.signer("tokens", "ecdsa-p256")
    root_keeper = actor("acc_root", "security-admin", "integrator", org="org_root")
    assert pool.services.keys.list_keys(root_keeper, PageRequest()).items == []
    with pytest.raises(KeyNotFound):
        pool.services.transit.sign(root_keeper, "tokens", INPUT)


def test_a_description_holds_no_private_material(pool: KeyPool) -> None:
    pool.create("k", "sm2")
    loaded = pool.services.keys.get_key(KEEPER, "k")
    shown = describe(loaded)
    assert shown["keys"]["1"]["public_key"] == public_pem(loaded)
    assert base64.b64encode(loaded.versions[1].wrapped).decode() not in str(shown)


def test_bad_names_types_and_versions_are_refused(pool: KeyPool) -> None:
    for request in (KeyRequest("a/b", "sm2"), KeyRequest("", "sm2"), KeyRequest("k", "des")):
        with pytest.raises(Invalid):
            pool.services.keys.create_key(KEEPER, request)
    pool.create("k", "sm2")
    for changes in (
        {"min_decryption_version": 2},
        {"min_decryption_version": True},
        {"deletion_allowed": "yes"},
        {"min_encryption_version": 5},
    ):
        with pytest.raises(Invalid):
            pool.services.keys.configure_key(KEEPER, "k", changes)


# Attacks of whoever can write the database


def test_attack_a_changed_wrapped_key_is_refused(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "ecdsa-p256", USER)
    pool.change(update(kms_key_versions).values(wrapped=b"\0" * 200))
    with pytest.raises(MaterialTampered):
        pool.services.transit.sign(USER, "k", INPUT)


def test_attack_a_version_of_another_key_is_refused(pool: KeyPool) -> None:
    mine = pool.create("mine", "ecdsa-p256", USER)
    theirs = pool.create("theirs", "ecdsa-p256")
    pool.change(delete(kms_key_versions).where(kms_key_versions.c.key_id == mine))
    moved = update(kms_key_versions).where(kms_key_versions.c.key_id == theirs)
    pool.change(moved.values(key_id=mine))
    with pytest.raises(MaterialTampered):
        pool.services.transit.sign(USER, "mine", INPUT)


def test_attack_an_older_version_in_the_new_ones_place_is_refused(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256", USER)
    with pool.spine.read_engine.begin() as connection:
        old = connection.execute(select(kms_key_versions)).one()
    pool.services.keys.rotate_key(KEEPER, "k")
    second = update(kms_key_versions).where(kms_key_versions.c.version == 2)
    pool.change(second.values(wrapped=old.wrapped, public_key=old.public_key, tag=old.tag))
    with pytest.raises(MaterialTampered):
        pool.services.transit.sign(USER, "k", INPUT)


def test_attack_a_lowered_minimum_or_latest_version_is_refused(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256", USER)
    pool.services.keys.rotate_key(KEEPER, "k")
    pool.change(update(kms_keys).values(latest_version=1))
    with pytest.raises(MaterialTampered):
        pool.services.transit.sign(USER, "k", INPUT)


def test_attack_a_suspension_taken_back_in_the_database_is_refused(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256", USER)
    pool.services.key_control.suspend_key(KEEPER, "k", reason="risk")
    pool.change(update(kms_keys).values(state="active"))
    with pytest.raises(MaterialTampered):
        pool.services.transit.sign(USER, "k", INPUT)


def test_attack_a_forged_grant_is_refused(pool: KeyPool) -> None:
    pool.create("k", "ecdsa-p256", USER)
    pool.change(update(kms_key_grants).values(subject=f"account:{OTHER.id}"))
    with pytest.raises(MaterialTampered):
        pool.services.transit.sign(OTHER, "k", INPUT)


def test_attack_a_swapped_public_key_is_refused(pool: KeyPool) -> None:
    mine = pool.create("mine", "ecdsa-p256", USER)
    pool.create("theirs", "ecdsa-p256", OTHER)
    with pool.spine.read_engine.begin() as connection:
        rows = connection.execute(select(kms_key_versions)).all()
    forged = next(row for row in rows if row.key_id != mine)
    mine_row = update(kms_key_versions).where(kms_key_versions.c.key_id == mine)
    pool.change(mine_row.values(public_key=forged.public_key))
    with pytest.raises(MaterialTampered):
        pool.services.transit.verify(USER, "mine", {**INPUT, "signature": "vault:v1:AAAA"})


# The pool


def test_a_locked_pool_uses_no_key_and_the_passphrase_opens_it(tmp_path: Path) -> None:
    with open_key_pool(tmp_path) as pool:
        pool.create("k", "sm2", USER)
        pool.services.pool.lock(WHOLE)
        with pytest.raises(PoolLocked):
            pool.services.transit.sign(USER, "k", INPUT)
        assert pool.services.pool.status().state == "locked"
        pool.services.pool.unlock(KEEPER, PASSPHRASE.encode())
        assert pool.services.transit.sign(USER, "k", INPUT).key_version == 1


def test_attack_a_deleted_version_or_grant_is_noticed_or_refused(pool: KeyPool) -> None:
    pool.create("k", "aes256-gcm96", USER)
    pool.services.keys.rotate_key(KEEPER, "k")
    pool.change(delete(kms_key_versions).where(kms_key_versions.c.version == 1))
    with pytest.raises(MaterialTampered):
        pool.services.transit.encrypt(USER, "k", PLAIN)


def test_a_key_revoked_by_another_way_is_refused_and_resumed(pool: KeyPool) -> None:
    """What happens when suspending could only take the emergency journal's way."""
    key_id = pool.create("k", "ed25519", USER)
    parts = pool.spine.parts
    parts.transactions.run(lambda tx: parts.revocations.revoke(tx, "key", key_id))
    with pytest.raises(KeySuspended):
        pool.services.transit.sign(USER, "k", INPUT)
    pool.services.key_control.resume_key(KEEPER, "k")
    assert pool.services.transit.sign(USER, "k", INPUT).key_version == 1


def test_a_trimmed_version_decrypts_no_more_and_the_rest_does(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("k", "aes256-gcm96", USER)
    old = pool.services.transit.encrypt(USER, "k", PLAIN)
    pool.services.keys.rotate_key(KEEPER, "k")
    minimums = {"min_decryption_version": 2, "min_encryption_version": 2}
    pool.services.keys.configure_key(KEEPER, "k", minimums)
    pool.services.keys.trim_key(KEEPER, "k", 2)
    clock.advance(2_000_000)
    new = pool.services.transit.encrypt(USER, "k", PLAIN)
    assert pool.services.transit.decrypt(USER, "k", {"ciphertext": new.text}).plaintext == b"hello"
    with pytest.raises(VersionUnavailable):
        pool.services.transit.decrypt(USER, "k", {"ciphertext": old.text})


def test_sm2_ciphertexts_take_no_associated_data(pool: KeyPool) -> None:
    pool.create("k", "sm2", USER)
    aad = {"associated_data": base64.b64encode(b"row").decode()}
    with pytest.raises(Invalid):
        pool.services.transit.encrypt(USER, "k", {**PLAIN, **aad})
    made = pool.services.transit.encrypt(USER, "k", PLAIN)
    with pytest.raises(Invalid):
        pool.services.transit.decrypt(USER, "k", {"ciphertext": made.text, **aad})


def test_two_rotations_at_once_make_two_versions_or_one_conflict(pool: KeyPool) -> None:
    pool.create("k", "ed25519", USER)
    conflicts: list[Exception] = []

    def rotate() -> None:
        try:
            pool.services.keys.rotate_key(KEEPER, "k")
        except Conflict as error:
            conflicts.append(error)

    threads = [threading.Thread(target=rotate) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latest = pool.services.keys.get_key(KEEPER, "k").key.latest_version
    assert latest == 1 + 6 - len(conflicts)


def test_a_stolen_database_without_the_passphrase_holds_no_key(
    pool: KeyPool, tmp_path: Path
) -> None:
    pool.create("k", "aes256-gcm96", USER)
    made = pool.services.keys.get_key(KEEPER, "k")
    material = pool.services.transit._ring.material(made, 1)
    pool.create("p", "sm2")
    scalar = pool.services.transit._ring.material(pool.services.keys.get_key(KEEPER, "p"), 1)[36:68]
    found = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (material, scalar, PASSPHRASE.encode()):
        for form in (secret, base64.b64encode(secret), secret.hex().encode()):
            assert form not in found
