"""Mounts keep keys apart, take them out of use when they go, and lead nowhere inside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from kms.errors.keys import (
    KeyNotFound,
    KeySuspended,
    MaterialTampered,
    MountInUse,
    MountNotFound,
)
from kms.models.keys import SYSTEM_MOUNT, KeyRequest
from kms.store.tables.keys import kms_mounts
from secops.kernel.actors import ROOT_ORG
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import AUDITOR, KEEPER, USER, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService

INPUT = {"input": "aGVsbG8="}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path / "home", clock=clock) as opened:
        yield opened


def make(pool: KeyPool, name: str, mount: str) -> str:
    made = pool.services.keys.create_key(KEEPER, KeyRequest(name, "ecdsa-p256", mount))
    pool.services.key_control.grant_key(KEEPER, name, USER.id, ["sign", "verify"], mount=mount)
    return made.key.id


def test_the_same_name_is_another_key_in_another_mount(pool: KeyPool) -> None:
    pool.services.mounts.enable_mount(KEEPER, "payments", "of the treasury")
    one, other = make(pool, "k", "transit"), make(pool, "k", "payments")
    assert one != other
    made = pool.services.transit.sign(USER, "k", INPUT, mount="payments")
    wrong = {**INPUT, "signature": made.text}
    assert not pool.services.transit.verify(USER, "k", wrong).valid
    assert pool.services.transit.verify(USER, "k", wrong, mount="payments").valid
    page = pool.services.keys.list_keys(KEEPER, PageRequest(5), mount="payments")
    assert [key.id for key in page.items] == [other]


def test_a_mount_that_was_taken_away_takes_its_keys_and_brings_them_back(
    pool: KeyPool, clock: FakeClock
) -> None:
    services = pool.services
    services.mounts.enable_mount(KEEPER, "payments")
    key_id = make(pool, "k", "payments")
    services.transit.sign(USER, "k", INPUT, mount="payments")
    gone = services.mounts.disable_mount(KEEPER, "payments")
    with pytest.raises((MountNotFound, KeySuspended)):
        services.transit.sign(USER, "k", INPUT, mount="payments")
    with pytest.raises(MountNotFound):
        make(pool, "n", "payments")
    services.mounts.enable_mount(KEEPER, "payments")
    with pytest.raises(KeyNotFound):
        services.keys.get_key(KEEPER, "k", mount="payments")
    with pytest.raises(MountInUse):
        services.mounts.restore_mount(KEEPER, gone.id)
    clock.advance(2)
    services.mounts.disable_mount(KEEPER, "payments")
    assert len(services.mounts.list_mounts(AUDITOR, retired=True)) == 2
    services.mounts.restore_mount(KEEPER, gone.id)
    clock.advance(2)
    assert services.keys.get_key(KEEPER, "k", mount="payments").key.id == key_id
    assert services.transit.sign(USER, "k", INPUT, mount="payments").key_version == 1
    with pytest.raises(MountNotFound):
        services.mounts.restore_mount(KEEPER, gone.id)


@pytest.mark.parametrize("path", ["transit", "system", "sys", "auth", "identity"])
def test_names_that_lead_elsewhere_are_taken(pool: KeyPool, path: str) -> None:
    with pytest.raises(MountInUse, match="already in use"):
        pool.services.mounts.enable_mount(KEEPER, path)


def test_a_mount_has_a_name_and_is_made_by_the_security_administrator(pool: KeyPool) -> None:
    mounts = pool.services.mounts
    for path in ("", "a/b", "ä", "x" * 65, ".."):
        with pytest.raises(Invalid):
            mounts.enable_mount(KEEPER, path)
    with pytest.raises(Invalid):
        mounts.enable_mount(KEEPER, "long", "x" * 501)
    for attempt in (
        lambda: mounts.enable_mount(USER, "mine"),
        lambda: mounts.disable_mount(USER, "mine"),
        lambda: mounts.restore_mount(USER, "mnt_1"),
    ):
        with pytest.raises(Forbidden):
            attempt()
    mounts.enable_mount(KEEPER, "one")
    with pytest.raises(MountInUse):
        mounts.enable_mount(KEEPER, "one")
    with pytest.raises(Invalid, match="always there"):
        mounts.disable_mount(KEEPER, "transit")
    with pytest.raises(MountNotFound):
        mounts.get_mount(replace(KEEPER, org_id="org_village"), "one")
    actions = [leaf["action"] for leaf in pool.leaves() if "mount" in leaf["action"]]
    assert actions == ["kms.enable_mount"]


def test_no_path_leads_to_the_products_own_keys(pool: KeyPool) -> None:
    pool.services.system_keys.signer("tokens", "ecdsa-p256")
    own = replace(KEEPER, org_id=ROOT_ORG)
    user = replace(USER, org_id=ROOT_ORG)
    services = pool.services
    for attempt in (
        lambda: services.keys.get_key(own, "tokens", mount=SYSTEM_MOUNT),
        lambda: services.keys.rotate_key(own, "tokens", mount=SYSTEM_MOUNT),
        lambda: services.keys.list_keys(own, PageRequest(5), mount=SYSTEM_MOUNT),
        lambda: services.keys.list_key_names(own, mount=SYSTEM_MOUNT),
        lambda: services.keys.create_key(own, KeyRequest("x", "sm2", SYSTEM_MOUNT)),
        lambda: services.key_control.grant_key(own, "tokens", "a", ["sign"], mount=SYSTEM_MOUNT),
        lambda: services.key_control.suspend_key(own, "tokens", reason="x", mount=SYSTEM_MOUNT),
        lambda: services.key_destruction.destroy_key(own, "tokens", mount=SYSTEM_MOUNT),
        lambda: services.key_backups.backup_key(own, "tokens", mount=SYSTEM_MOUNT),
        lambda: services.transit.sign(user, "tokens", INPUT, mount=SYSTEM_MOUNT),
        lambda: services.key_export.export_key(
            user, "tokens", kind="signing-key", mount=SYSTEM_MOUNT
        ),
        lambda: services.mounts.get_mount(own, SYSTEM_MOUNT),
    ):
        with pytest.raises((KeyNotFound, MountNotFound)):
            attempt()


def test_a_mount_that_was_pointed_elsewhere_is_noticed(pool: KeyPool, clock: FakeClock) -> None:
    pool.services.mounts.enable_mount(KEEPER, "a")
    pool.services.mounts.enable_mount(KEEPER, "b")
    make(pool, "k", "a")
    make(pool, "k", "b")
    pool.change(update(kms_mounts).where(kms_mounts.c.path == "a").values(path="c"))
    pool.change(update(kms_mounts).where(kms_mounts.c.path == "b").values(path="a"))
    clock.advance(2)
    with pytest.raises(MaterialTampered):
        pool.services.transit.sign(USER, "k", INPUT, mount="a")


@pytest.mark.parametrize("of_whom", [ROOT_ORG, KEEPER.org_id])
def test_attack_a_row_that_names_the_products_own_mount_is_not_brought_back(
    pool: KeyPool, of_whom: str
) -> None:
    pool.services.system_keys.signer("tokens", "ecdsa-p256")
    row = {"id": SYSTEM_MOUNT, "org_id": of_whom, "path": "a", "description": ""}
    pool.change(insert(kms_mounts).values(**row, created_at=1, retired_at=1, tag=b"?" * 32))
    keeper = replace(KEEPER, org_id=of_whom)
    with pytest.raises(MaterialTampered):
        pool.services.mounts.restore_mount(keeper, SYSTEM_MOUNT)
    with pytest.raises(MountNotFound):
        pool.services.mounts.get_mount(keeper, "a")


def test_vaults_calls_make_list_and_take_away_mounts(pool: KeyPool) -> None:
    service = VaultService(pool)
    keeper = service.hvac_client("keeper")
    keeper.sys.enable_secrets_engine("transit", path="payments", description="x")
    listed = keeper.sys.list_mounted_secrets_engines()["data"]
    assert {path: shown["type"] for path, shown in listed.items()} == {
        "transit/": "transit",
        "payments/": "transit",
    }
    answer = service.call("GET", "/v1/sys/mounts/payments", token="auditor")[2]["data"]
    assert answer["description"] == "x"
    assert service.call("POST", "/v1/sys/mounts/kv", {"type": "kv"}, token="keeper")[0] == 400
    assert service.call("POST", "/v1/sys/mounts/mine", {}, token="user")[0] == 403
    assert service.call("LIST", "/v1/nowhere/keys", token="keeper")[0] == 404
    page = service.call("GET", "/api/v1/kms/mounts", token="auditor")[2]
    assert [row["path"] for row in page["items"]] == ["payments"]
    keeper.sys.disable_secrets_engine("payments")
    gone = service.call("GET", "/api/v1/kms/mounts?retired=true", token="auditor")[2]["items"]
    back = f"/api/v1/kms/mounts/{gone[0]['id']}/restore"
    assert service.call("POST", back, {}, token="keeper")[2]["retired_at"] is None
