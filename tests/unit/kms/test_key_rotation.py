"""Keys rotate by themselves when their period is over, once, and only those in use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from kms.core.transit.durations import LONGEST, read_duration
from kms.errors.keys import MaterialTampered
from kms.models.keys import KeyRequest
from kms.models.limits import Quota
from kms.service.due_keys import DueKeys
from kms.store.keys import SqlKeyIndex
from kms.store.tables.keys import kms_keys
from secops.kernel.actors import ROOT_ORG
from secops.kernel.errors import Invalid
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import KEEPER, USER, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService

HOUR = 3_600
VILLAGE = replace(KEEPER, org_id="org_village")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pool(tmp_path: Path, clock: FakeClock) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path / "home", clock=clock) as opened:
        yield opened


def version(pool: KeyPool, name: str = "k", mount: str = "transit") -> int:
    return pool.services.keys.get_key(KEEPER, name, mount=mount).key.latest_version


def due(pool: KeyPool) -> None:
    assert pool.services.key_rotation.rotate_due_keys() is False


def test_a_key_rotates_once_each_period(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "ed25519", USER, auto_rotate_period=2 * HOUR)
    clock.advance(2 * HOUR - 1)
    due(pool)
    assert version(pool) == 1
    clock.advance(1)
    due(pool)
    due(pool)
    clock.advance(2)
    assert version(pool) == 2
    clock.advance(5 * HOUR)
    due(pool)
    due(pool)
    clock.advance(2)
    assert version(pool) == 3
    leaves = [leaf for leaf in pool.leaves() if leaf["action"] == "kms.rotate_key"]
    assert [leaf["details"]["scheduled"] for leaf in leaves] == [True, True]
    assert {leaf["actor"]["kind"] for leaf in leaves} == {"system"}


def test_a_rotation_by_hand_begins_the_period_anew(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "ed25519", auto_rotate_period=2 * HOUR)
    clock.advance(HOUR)
    pool.services.keys.rotate_key(KEEPER, "k")
    clock.advance(HOUR)
    due(pool)
    assert version(pool) == 2


def test_keys_out_of_use_are_left_alone(pool: KeyPool, clock: FakeClock) -> None:
    pool.services.mounts.enable_mount(KEEPER, "payments")
    for name, mount in (("suspended", "transit"), ("away", "payments"), ("off", "transit")):
        pool.create(name, "ed25519", mount=mount, auto_rotate_period=HOUR)
    pool.services.key_control.suspend_key(KEEPER, "suspended", reason="x")
    gone = pool.services.mounts.disable_mount(KEEPER, "payments")
    pool.services.keys.configure_key(KEEPER, "off", {"auto_rotate_period": 0})
    clock.advance(2 * HOUR)
    due(pool)
    pool.services.mounts.restore_mount(KEEPER, gone.id)
    assert [version(pool, "suspended"), version(pool, "off")] == [1, 1]
    assert version(pool, "away", "payments") == 1


def test_a_row_that_was_made_due_by_hand_is_not_believed(pool: KeyPool, clock: FakeClock) -> None:
    pool.create("k", "ed25519")
    pool.change(update(kms_keys).values(next_rotation_at=1))
    with pytest.raises(MaterialTampered):
        pool.services.key_rotation.rotate_due_keys()


def make_two(pool: KeyPool, clock: FakeClock) -> None:
    """``first`` of another organisation is due before ``k``."""
    request = KeyRequest("first", "ed25519", auto_rotate_period=HOUR)
    pool.services.keys.create_key(VILLAGE, request)
    pool.create("k", "ed25519", auto_rotate_period=2 * HOUR)
    clock.advance(3 * HOUR)


def test_a_row_that_was_changed_holds_up_no_other_key(pool: KeyPool, clock: FakeClock) -> None:
    make_two(pool, clock)
    pool.change(update(kms_keys).where(kms_keys.c.name == "first").values(tag=b"?" * 32))
    with pytest.raises(MaterialTampered):
        pool.services.key_rotation.rotate_due_keys()
    clock.advance(2)
    assert version(pool) == 2


def test_an_organisation_that_has_all_it_may_holds_up_no_other(
    pool: KeyPool, clock: FakeClock
) -> None:
    make_two(pool, clock)
    whole = replace(KEEPER, org_id=ROOT_ORG)
    pool.services.limit_control.set_quota(whole, Quota(VILLAGE.org_id, versions=1))
    due(pool)
    clock.advance(2)
    first = pool.services.keys.get_key(VILLAGE, "first").key
    assert (first.latest_version, version(pool)) == (1, 2)


def test_the_keys_of_a_locked_organisation_wait_until_it_is_open(
    pool: KeyPool, clock: FakeClock
) -> None:
    make_two(pool, clock)
    pool.services.tenants.lock_tenant(VILLAGE, VILLAGE.org_id, reason="searched")
    due(pool)
    pool.services.tenants.unlock_tenant(VILLAGE, VILLAGE.org_id)
    assert pool.services.keys.get_key(VILLAGE, "first").key.latest_version == 1
    due(pool)
    clock.advance(2)
    assert pool.services.keys.get_key(VILLAGE, "first").key.latest_version == 2


def test_keys_that_cant_go_are_walked_past_page_by_page(pool: KeyPool, clock: FakeClock) -> None:
    for name in ("a", "b", "c"):
        pool.create(name, "ed25519", auto_rotate_period=HOUR)
    clock.advance(HOUR)
    walk = DueKeys(pool.spine.parts, SqlKeyIndex(), "rotation", at_once=2)
    seen: list[str] = []
    assert [walk.work_off(lambda key: seen.append(key.name)) for _ in range(4)] == [
        *(True, False),
        *(True, False),
    ]
    assert sorted(seen) == sorted("abcabc")


def test_vaults_words_set_the_period(pool: KeyPool) -> None:
    service = VaultService(pool)
    key = "/v1/transit/keys/k"
    made = service.call("POST", key, {"auto_rotate_period": "24h"}, token="keeper")[2]["data"]
    assert made["auto_rotate_period"] == 24 * HOUR
    config = ("POST", f"{key}/config")
    for value, seconds in (("90m", 5_400), (HOUR, HOUR), ("0", 0), ("1d12h", 36 * HOUR)):
        answer = service.call(*config, {"auto_rotate_period": value}, token="keeper")[2]
        assert answer["data"]["auto_rotate_period"] == seconds
    for value in ("59m", 1, -5, "1w", "h", True, 1.5, [], "9" * 10):
        assert service.call(*config, {"auto_rotate_period": value}, token="keeper")[0] == 400


def test_a_period_is_a_number_when_it_reaches_the_rules(pool: KeyPool) -> None:
    pool.create("k", "ed25519")
    with pytest.raises(Invalid):
        pool.services.keys.configure_key(KEEPER, "k", {"auto_rotate_period": "1h"})


def test_spans_of_time_are_read_strictly() -> None:
    assert read_duration(f"{LONGEST}", "x") == LONGEST
    for value in (LONGEST + 1, " 1h", "1h ", "1H", "-1", "1h2", "", None, b"1"):
        with pytest.raises(Invalid):
            read_duration(value, "x")


def test_keys_in_use_are_counted_by_type_with_those_nothing_renews(
    pool: KeyPool, clock: FakeClock
) -> None:
    pool.create("a", "sm2", USER)
    pool.create("b", "sm2", USER, auto_rotate_period=2 * HOUR)
    pool.create("c", "ed25519", USER)
    count, org = pool.services.key_census.count_keys, KEEPER.org_id
    found = {group.type: group for group in count(org) if group.type in ("sm2", "ed25519")}
    before = found["sm2"]
    assert (before.overdue, before.unrotated) == (0, 0)
    clock.advance(731 * 24 * HOUR)
    after = next(group for group in count(org) if group.type == "sm2")
    assert after.keys == before.keys
    assert after.overdue == 1
    assert after.unrotated >= 1
    assert count("org_village") == []
