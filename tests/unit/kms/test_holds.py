"""Keys and seals held back by playbooks' runs: what a person said stays said."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from kms.errors.keys import KeyNotFound, KeySuspended
from kms.errors.seals import SealNotUsable
from kms.service.containment import Holding, build_containment
from kms.store.holds import SqlHoldStore
from secops.kernel.actors import ROOT_ORG
from secops.kernel.containment import Contained, ContainmentOrder
from secops.kernel.errors import Conflict
from tests.fakes.key_pool import KEEPER, ORG, USER, KeyPool, open_key_pool
from tests.fakes.seal_registry import SECURITY, World, build

_NUMBERS = count()


def order(undoes: str = "", org: str = ORG) -> ContainmentOrder:
    told = {"run": "run_1", "requester": "acc_a", "approver": "acc_b"}
    return ContainmentOrder(org, f"key-{next(_NUMBERS)}", undoes, "a test", told)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path_factory.mktemp("holds") / "pool") as opened:
        yield opened


@pytest.fixture
def key(pool: KeyPool) -> str:
    return pool.create(f"letters-{next(_NUMBERS)}", "ecdsa-p256", USER)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("held-seals"))
    yield made
    made.spine.close()


def keys(pool: KeyPool) -> Holding:
    return pool.services.containment.keys


def seen(holding: Holding, org: str, name: str) -> Contained:
    found = holding.look(org, name)
    assert found is not None
    return found


def sign(pool: KeyPool, name: str) -> None:
    pool.services.transit.sign(USER, name, {"input": "bGV0dGVy"})


def test_a_held_key_signs_nothing_until_it_is_given_back(pool: KeyPool, key: str) -> None:
    name = seen(keys(pool), ORG, key).name
    sign(pool, name)
    mine = order()
    keys(pool).restrain(key, mine)
    with pytest.raises(KeySuspended):
        sign(pool, name)
    keys(pool).give_back(key, order(undoes=mine.key))
    sign(pool, name)
    told = {leaf["action"]: leaf for leaf in pool.leaves() if leaf["target"] == f"key:{key}"}
    for action in ("kms.suspend_key", "kms.resume_key"):
        assert told[action]["details"]["run"] == "run_1"
        assert told[action]["actor"]["id"] == "playbooks"


def test_a_key_that_a_person_suspended_stays_so(pool: KeyPool, key: str) -> None:
    name = seen(keys(pool), ORG, key).name
    pool.services.key_control.suspend_key(KEEPER, name, reason="lost")
    mine = order()
    keys(pool).restrain(key, mine)
    keys(pool).give_back(key, order(undoes=mine.key))
    assert (seen(keys(pool), ORG, key).held, seen(keys(pool), ORG, key).beyond) == (True, True)
    keys(pool).give_back(key, order())  # what another person approved lifts it
    sign(pool, name)


def test_a_person_who_resumes_a_key_ends_the_holds_on_it(pool: KeyPool, key: str) -> None:
    name = seen(keys(pool), ORG, key).name
    mine = order()
    keys(pool).restrain(key, mine)
    pool.services.key_control.resume_key(KEEPER, name)
    assert not keys(pool).is_in_force(key, mine.key)
    pool.services.key_control.suspend_key(KEEPER, name, reason="after all")
    keys(pool).give_back(key, order(undoes=mine.key))
    with pytest.raises(KeySuspended):
        sign(pool, name)


def test_a_key_that_a_person_suspends_while_a_run_holds_it_stays_so(
    pool: KeyPool, key: str
) -> None:
    name = seen(keys(pool), ORG, key).name
    mine = order()
    keys(pool).restrain(key, mine)
    pool.services.key_control.suspend_key(KEEPER, name, reason="lost")
    keys(pool).give_back(key, order(undoes=mine.key))
    assert not keys(pool).is_in_force(key, mine.key)
    with pytest.raises(KeySuspended):
        sign(pool, name)
    with pytest.raises(KeySuspended):
        pool.services.key_control.suspend_key(KEEPER, name, reason="again")
    pool.services.key_control.resume_key(KEEPER, name)
    sign(pool, name)


def test_what_was_given_back_frees_nothing_that_the_emergency_way_took_later(
    pool: KeyPool, key: str
) -> None:
    mine, parts = order(), pool.spine.parts
    keys(pool).restrain(key, mine)
    keys(pool).give_back(key, order(undoes=mine.key))
    parts.transactions.run(lambda tx: parts.revocations.revoke(tx, "key", key))
    keys(pool).give_back(key, order(undoes=mine.key))
    assert seen(keys(pool), ORG, key).held


def test_a_key_that_only_the_emergency_way_took_is_given_back(pool: KeyPool, key: str) -> None:
    name = seen(keys(pool), ORG, key).name
    parts = pool.spine.parts
    parts.transactions.run(lambda tx: parts.revocations.revoke(tx, "key", key))
    assert (seen(keys(pool), ORG, key).state, seen(keys(pool), ORG, key).held) == (
        "suspended",
        True,
    )
    keys(pool).give_back(key, order(undoes="never written"))
    sign(pool, name)


def test_a_key_is_found_by_mount_and_name_in_its_own_organisation(pool: KeyPool, key: str) -> None:
    name = seen(keys(pool), ORG, key).name
    assert seen(keys(pool), ORG, f"transit/{name}").id == key
    for org, wanted in ((ROOT_ORG, key), (ORG, "nobody"), (ORG, "key_nobody"), (ORG, "no/where")):
        assert keys(pool).look(org, wanted) is None
    with pytest.raises(KeyNotFound):
        keys(pool).restrain(key, order(org=ROOT_ORG))
    with pytest.raises(KeyNotFound):
        keys(pool).give_back(key, order(org=ROOT_ORG))


def test_the_products_own_key_is_protected_at_the_deed(pool: KeyPool) -> None:
    own = pool.services.system_keys.signer("tokens", "ecdsa-p256")
    parts = pool.spine.parts
    key = parts.transactions.read(lambda tx: pool.services.keys._ring.own.read(tx, "tokens").key)
    assert seen(keys(pool), ROOT_ORG, key.id).protected
    with pytest.raises(Conflict):
        keys(pool).restrain(key.id, order(org=ROOT_ORG))
    assert own.sign(b"still")


def test_a_revoked_seal_is_not_resumed_by_what_is_given_back(world: World, tmp_path: Path) -> None:
    seals = build_containment(world.parts, None, None, SqlHoldStore()).seals  # type: ignore[arg-type]
    seal = world.make()
    mine = order(org=ROOT_ORG)
    seals.restrain(seal.id, mine)
    with pytest.raises(SealNotUsable, match="a test"):
        world.use(seal)
    world.registry.revoke_seal(SECURITY, seal.id, "遗失")
    seals.give_back(seal.id, order(undoes=mine.key, org=ROOT_ORG))
    seals.give_back(seal.id, order(org=ROOT_ORG))
    assert seen(seals, ROOT_ORG, seal.id).state == "revoked"
    with pytest.raises(SealNotUsable):
        world.use(seal)


def test_a_person_who_resumes_a_seal_ends_the_holds_on_it(world: World) -> None:
    seals = build_containment(world.parts, None, None, SqlHoldStore()).seals  # type: ignore[arg-type]
    seal = world.make(name="临江县档案局")
    mine = order(org=ROOT_ORG)
    seals.restrain(seal.id, mine)
    world.registry.resume_seal(SECURITY, seal.id, "查明")
    assert not seals.is_in_force(seal.id, mine.key)
    assert world.use(seal).value


def test_a_seal_that_a_person_suspends_while_a_run_holds_it_stays_so(world: World) -> None:
    seals = build_containment(world.parts, None, None, SqlHoldStore()).seals  # type: ignore[arg-type]
    seal = world.make(name="临江县统计局")
    mine = order(org=ROOT_ORG)
    seals.restrain(seal.id, mine)
    world.registry.suspend_seal(SECURITY, seal.id, "遗失")
    seals.give_back(seal.id, order(undoes=mine.key, org=ROOT_ORG))
    with pytest.raises(SealNotUsable):
        world.use(seal)
    world.registry.resume_seal(SECURITY, seal.id, "查明")
    assert world.use(seal).value
