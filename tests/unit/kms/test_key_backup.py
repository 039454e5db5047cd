"""A restore brings a key back, and never what was taken away since the backup."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete

from kms.core.keys.backup import read_backup, write_backup
from kms.errors.keys import (
    BackupDisallowed,
    KeyNotFound,
    KeySuspended,
    RestoreExists,
    RestoreRefused,
)
from kms.models.keys import Key
from kms.service.key_backup import RestoreRequest
from kms.store.tables.keys import kms_key_versions, kms_keys
from secops.kernel.errors import Forbidden, Invalid, TooLarge
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, ORG, USER, KeyPool, actor, open_key_pool

DAY = 86_400
SECOND_KEEPER = actor("acc_keeper_2", "security-admin")
INPUT = {"input": "aGVsbG8="}
ALL = {"exportable": True, "allow_plaintext_backup": True}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path / "home", clock=clock) as opened:
        opened.create("k", "ecdsa-p256", USER, **ALL)
        yield opened


def backup(pool: KeyPool, name: str = "k", mount: str = "transit") -> str:
    return pool.services.key_backups.backup_key(KEEPER, name, mount=mount).text


def restore(pool: KeyPool, text: str, name: str = "", **options: object) -> str:
    request = RestoreRequest(text, name, **options)  # type: ignore[arg-type]
    return pool.services.key_backups.restore_key(KEEPER, request).key.id


def rotate(pool: KeyPool, times: int = 1) -> None:
    for _ in range(times):
        pool.services.keys.rotate_key(KEEPER, "k")


def test_a_copy_verifies_what_the_key_signed_and_is_granted_to_nobody(
    pool: KeyPool, clock: FakeClock
) -> None:
    made = pool.services.transit.sign(USER, "k", INPUT)
    rotate(pool)
    restore(pool, backup(pool), "copy")
    copy = pool.services.keys.get_key(KEEPER, "copy")
    assert (copy.key.latest_version, copy.grants) == (2, {})
    pool.services.key_control.grant_key(KEEPER, "copy", USER.id, ["verify"])
    clock.advance(2_000_000)
    checked = {**INPUT, "signature": made.text}
    assert pool.services.transit.verify(USER, "copy", checked).valid


@pytest.mark.parametrize("flag", ["exportable", "allow_plaintext_backup"])
def test_only_a_key_that_allows_it_is_backed_up(pool: KeyPool, flag: str) -> None:
    pool.create("half", "sm2", **(ALL | {flag: False}))
    with pytest.raises(BackupDisallowed):
        backup(pool, "half")


def test_only_the_security_administrator_backs_up_and_restores(pool: KeyPool) -> None:
    text = backup(pool)
    for attempt in (
        lambda: pool.services.key_backups.backup_key(USER, "k"),
        lambda: pool.services.key_backups.restore_key(USER, RestoreRequest(text, "x")),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_a_key_that_was_lost_comes_back_as_itself(pool: KeyPool, clock: FakeClock) -> None:
    key_id = pool.services.keys.get_key(KEEPER, "k").key.id
    made = pool.services.transit.sign(USER, "k", INPUT)
    text = backup(pool)
    pool.change(delete(kms_key_versions).where(kms_key_versions.c.key_id == key_id))
    pool.change(delete(kms_keys).where(kms_keys.c.id == key_id))
    assert restore(pool, text) == key_id
    clock.advance(2_000_000)
    assert pool.services.transit.verify(USER, "k", {**INPUT, "signature": made.text}).valid


def test_over_itself_only_by_force_and_only_where_nothing_is_lowered(pool: KeyPool) -> None:
    pool.create("other", "ecdsa-p256")
    text = backup(pool)
    with pytest.raises(RestoreExists, match="already exists"):
        restore(pool, text)
    with pytest.raises(RestoreRefused, match="another key"):
        restore(pool, text, "other", force=True)
    key_id = restore(pool, text, force=True)
    assert key_id == pool.services.keys.get_key(KEEPER, "k").key.id
    rotate(pool)
    with pytest.raises(RestoreRefused, match="newer versions"):
        restore(pool, text, force=True)


def test_what_was_destroyed_never_comes_back(pool: KeyPool, clock: FakeClock) -> None:
    text = backup(pool)
    pool.services.keys.configure_key(KEEPER, "k", {"deletion_allowed": True})
    service = pool.services.key_destruction
    request = service.destroy_key(KEEPER, "k")
    for approved in (False, True):
        for name in ("", "copy"):
            for force in (True, False):
                with pytest.raises((RestoreRefused, RestoreExists)):
                    restore(pool, text, name, force=force)
        if not approved:
            service.decide_destruction(SECOND_KEEPER, request.id, grant=True, reason="seen")
            clock.advance(8 * DAY)
            service.destroy_due_keys()
    with pytest.raises(KeyNotFound):
        pool.services.keys.get_key(KEEPER, "copy")


def test_trimmed_versions_stay_trimmed_and_minimums_are_not_lowered(pool: KeyPool) -> None:
    rotate(pool, 2)
    text = backup(pool)
    minimums = {"min_decryption_version": 2, "min_encryption_version": 3}
    pool.services.keys.configure_key(KEEPER, "k", minimums)
    pool.services.keys.trim_key(KEEPER, "k", 2)
    restore(pool, text, "copy")
    copy = pool.services.keys.get_key(KEEPER, "copy")
    assert sorted(copy.versions) == [2, 3]
    assert (copy.key.min_decryption_version, copy.key.min_encryption_version) == (2, 3)
    assert copy.key.min_available_version == 2
    rotate(pool, 2)
    pool.services.keys.configure_key(KEEPER, "k", {"min_encryption_version": 5})
    with pytest.raises(RestoreRefused, match="trimmed"):
        restore(pool, text, "another")


def test_a_suspended_key_comes_back_suspended(pool: KeyPool) -> None:
    text = backup(pool)
    pool.services.key_control.suspend_key(KEEPER, "k", reason="leak")
    restore(pool, text, "copy")
    pool.services.key_control.grant_key(KEEPER, "copy", USER.id, ["sign"])
    with pytest.raises(KeySuspended):
        pool.services.transit.sign(USER, "copy", INPUT)


def test_a_backup_is_for_its_own_mount_and_organisation(pool: KeyPool, clock: FakeClock) -> None:
    text = backup(pool)
    pool.services.mounts.enable_mount(KEEPER, "payments")
    with pytest.raises(Invalid, match="not of this pool"):
        restore(pool, text, mount="payments")
    foreign = replace(KEEPER, org_id="org_village")
    with pytest.raises(Invalid, match="not of this pool"):
        pool.services.key_backups.restore_key(foreign, RestoreRequest(text))
    pool.create("p", "sm4-gcm96", mount="payments", **ALL)
    of_mount = backup(pool, "p", "payments")
    pool.services.mounts.disable_mount(KEEPER, "payments")
    pool.services.mounts.enable_mount(KEEPER, "payments")
    with pytest.raises(Invalid, match="not of this pool"):
        restore(pool, of_mount, mount="payments")


def test_a_changed_or_foreign_backup_is_refused(pool: KeyPool) -> None:
    text = backup(pool)
    sealed = bytearray(base64.b64decode(text))
    for at in (0, 5, len(sealed) // 2, len(sealed) - 1):
        sealed[at] ^= 1
        with pytest.raises(Invalid):
            restore(pool, base64.b64encode(sealed).decode(), "x")
        sealed[at] ^= 1
    for bad in ("", "AAAA", "é", text[:-4]):
        with pytest.raises(Invalid):
            restore(pool, bad, "x")
    with pytest.raises(TooLarge):
        restore(pool, "A" * ((8 << 20) + 1), "x")


def test_a_backup_shows_nothing_of_the_key(pool: KeyPool) -> None:
    pool.create("secret", "hmac", **ALL)
    exported = pool.services.key_backups.backup_key(KEEPER, "secret")
    sealed = base64.b64decode(exported.text)
    assert b"secret" not in sealed
    assert ORG.encode() not in sealed
    assert exported.act.details["versions"] == [1]


def test_a_backup_of_another_version_or_type_is_refused() -> None:
    key = Key("key_1", ORG, "transit", "k", "ecdsa-p256", 0)
    content = write_backup(key, {}, {})
    assert read_backup(content).key == key
    for old, new in ((b'"v":1', b'"v":2'), (b'"ecdsa-p256"', b'"dsa"')):
        with pytest.raises(Invalid):
            read_backup(content.replace(old, new))


@given(
    content=st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"{}", b"[]", b'{"v":1,"key":{},"versions":[]}', b'{"v":1,"key":3}']),
    )
)
def test_what_is_no_backup_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read_backup(content)
