"""What every store of the key pool promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kms.models.keys import Key, KeyGrant, KeyVersion
from kms.ports.keys import KeyStore, RootStore
from kms.store.keys import SqlKeyStore, SqlRootStore
from secops.kernel.pages import PageRequest
from tests.fakes.key_store import FakeKeyStore, FakeRootStore
from tests.fakes.parts import database_spine
from tests.fakes.transactions import FakeTransactions
from tests.services.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]

KEY = Key("key_1", "org_1", "transit", "b", "sm2", 5)
VERSION = KeyVersion("key_1", 1, 6, b"public", b"wrapped\x00\xff")
GRANT = KeyGrant("key_1", "account:a", frozenset({"sign", "verify"}), 7)


@dataclass
class Stores:
    keys: KeyStore
    roots: RootStore
    run: Callable[[Callable[[Any], Any]], Any]


@pytest.fixture(
    params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    if request.param == "memory":
        yield Stores(FakeKeyStore(), FakeRootStore(), FakeTransactions().run)
        return
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None
    spine = database_spine(tmp_path, url=url)
    yield Stores(SqlKeyStore(), SqlRootStore(), spine.parts.transactions.run)
    spine.close()


def test_a_key_comes_back_with_its_tag_and_its_name_is_taken(stores: Stores) -> None:
    assert stores.run(lambda tx: stores.keys.insert(tx, KEY, b"tag"))
    other = replace(KEY, id="key_2", type="ed25519")
    assert not stores.run(lambda tx: stores.keys.insert(tx, other, b"tag"))
    found = stores.run(lambda tx: stores.keys.find(tx, "org_1", mount="transit", name="b"))
    assert found == (KEY, b"tag")
    for org, mount, name in (
        ("org_2", "transit", "b"),
        ("org_1", "m", "b"),
        ("org_1", "transit", "c"),
    ):
        assert (
            stores.run(lambda tx, o=org, m=mount, n=name: stores.keys.find(tx, o, mount=m, name=n))
            is None
        )


def test_a_key_changes_only_from_the_state_that_was_seen(stores: Stores) -> None:
    stores.run(lambda tx: stores.keys.insert(tx, KEY, b"tag"))
    after = replace(KEY, latest_version=2, deletion_allowed=True, state="suspended")
    assert stores.run(lambda tx: stores.keys.update(tx, KEY, after, tag=b"new"))
    assert not stores.run(lambda tx: stores.keys.update(tx, KEY, after, tag=b"newer"))
    found = stores.run(lambda tx: stores.keys.find(tx, "org_1", mount="transit", name="b"))
    assert found == (after, b"new")


def test_pages_are_by_name_within_organisation_and_mount(stores: Stores) -> None:
    for number, name in enumerate("dacb"):
        key = replace(KEY, id=f"key_{number}", name=name)
        stores.run(lambda tx, key=key: stores.keys.insert(tx, key, b"t"))
    stores.run(lambda tx: stores.keys.insert(tx, replace(KEY, id="x", org_id="org_2"), b"t"))
    stores.run(lambda tx: stores.keys.insert(tx, replace(KEY, id="y", mount="m"), b"t"))

    def names(request: PageRequest) -> list[str]:
        rows = stores.run(
            lambda tx: stores.keys.page(tx, "org_1", mount="transit", request=request)
        )
        return [key.name for key in rows]

    assert names(PageRequest(2)) == ["a", "b", "c"]
    assert names(PageRequest(2, ("b",))) == ["c", "d"]


def test_versions_come_back_in_order_and_are_erased(stores: Stores) -> None:
    for number in (2, 1, 3):
        version = replace(VERSION, version=number)
        assert stores.run(
            lambda tx, version=version: stores.keys.insert_version(tx, KEY, version, tag=b"t")
        )
    assert not stores.run(lambda tx: stores.keys.insert_version(tx, KEY, VERSION, tag=b"u"))
    rows = stores.run(lambda tx: stores.keys.versions(tx, "key_1"))
    assert rows == [(replace(VERSION, version=number), b"t") for number in (1, 2, 3)]
    assert stores.run(lambda tx: stores.keys.erase_versions(tx, "key_1", 3)) == 2
    assert stores.run(lambda tx: stores.keys.erase_versions(tx, "key_1", None)) == 1
    assert stores.run(lambda tx: stores.keys.versions(tx, "key_1")) == []


def test_grants_are_replaced_and_dropped(stores: Stores) -> None:
    stores.run(lambda tx: stores.keys.put_grant(tx, KEY, GRANT, tag=b"1"))
    narrower = replace(GRANT, operations=frozenset({"verify"}))
    stores.run(lambda tx: stores.keys.put_grant(tx, KEY, narrower, tag=b"2"))
    assert stores.run(lambda tx: stores.keys.grants(tx, "key_1")) == [(narrower, b"2")]
    assert stores.run(lambda tx: stores.keys.drop_grant(tx, "key_1", "account:a"))
    assert not stores.run(lambda tx: stores.keys.drop_grant(tx, "key_1", "account:a"))


def test_there_is_one_root_and_one_handover(stores: Stores) -> None:
    assert stores.run(stores.roots.load) is None
    assert stores.run(lambda tx: stores.roots.insert(tx, b"first"))
    assert not stores.run(lambda tx: stores.roots.insert(tx, b"second"))
    stores.run(lambda tx: stores.roots.put_handover(tx, b"one"))
    stores.run(lambda tx: stores.roots.put_handover(tx, b"two"))
    assert stores.run(stores.roots.load_handover) == b"two"
    assert stores.run(stores.roots.load) == b"first"
    stores.run(lambda tx: stores.roots.put_handover(tx, None))
    assert stores.run(stores.roots.load_handover) is None
