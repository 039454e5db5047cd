"""Bundles are kept once, for the right asset, newest first, and become evidence with their age."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from audits.errors import (
    AssetNotMatched,
    BundleNotFound,
    BundleRejected,
    ChangedMeanwhile,
    SystemNotFound,
    TooManyKept,
)
from audits.models.collectors import VALID_DAYS, AssetFacts
from audits.models.systems import THIS_INSTANCE
from audits.service.collectors import collectors as collector_service
from audits.service.collectors.collectors import CollectorService
from audits.service.collectors.documents import (
    bundle_document,
    collection_document,
    shown_document,
)
from audits.store.collectors import DatabaseCollections
from secops.kernel.clock import SECOND
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.pages import PageRequest, decode_cursor
from tests.fakes.bundles import bundle
from tests.fakes.collected_hosts import DEBIAN_12, OPENEULER
from tests.fakes.collected_services import NGINX_DEBIAN, PG_DEBIAN
from tests.fakes.register import KEEPER, READER, STRANGER, RegisterRig, register_rig
from tests.fakes.trail import FakeTrail

PAGE = PageRequest()


@dataclass(frozen=True)
class House:
    rig: RegisterRig
    collectors: CollectorService

    def asset(self, name: str, kind: str = "服务器与终端", address: str = "") -> str:
        fields = {"name": name, "kind": kind, "address": address}
        return self.rig.register.assets.add_asset(KEEPER, THIS_INSTANCE, fields).id

    def acts(self) -> list[tuple[str, dict[str, Any]]]:
        """Return outcome and details of the acts of importing."""

        def read(tx: Any) -> list[Any]:
            return [
                row[0] for row in tx.execute(sa.text("SELECT record FROM ledger_door ORDER BY id"))
            ]

        records = [orjson.loads(each) for each in self.rig.spine.parts.transactions.read(read)]
        return [
            (each["outcome"], each["details"])
            for each in records
            if each["action"] == "audits.import_bundle"
        ]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with register_rig(tmp_path) as rig:
        service = CollectorService(rig.spine.parts, DatabaseCollections(), rig.scopes.scope)
        yield House(rig, service)


def carried(house: House, texts: dict[str, str] | None = None, ago: int = 0, **meta: str) -> bytes:
    """Return a bundle that was collected ``ago`` seconds before now."""
    finished = house.rig.clock.now() // SECOND - ago
    return bundle(DEBIAN_12 if texts is None else texts, finished=str(finished), **meta)


def test_a_bundle_goes_to_the_assets_with_the_hosts_name_or_address(house: House) -> None:
    host = house.asset("OA-Web-01")
    database = house.asset("oa-db", "数据库", "10.1.2.5:5432")
    web = house.asset("oa-nginx", "中间件", "10.1.2.5")
    house.asset("other", address="127.0.0.1")
    house.asset("app", "业务应用", "10.1.2.5")
    content = carried(house, {**DEBIAN_12, **NGINX_DEBIAN, **PG_DEBIAN})
    made = house.collectors.import_bundle(KEEPER, content)
    kinds = {each.asset_id: {kind.partition(".")[0] for kind in each.kinds} for each in made}
    assert kinds == {host: {"host"}, database: {"pg"}, web: {"nginx"}}
    assert {each.digest for each in made} == {hashlib.sha256(content).hexdigest()}
    assert house.rig.spine.parts.blobs.get(made[0].digest) == content


def test_an_asset_may_be_named_and_must_be_one_of_the_system(house: House) -> None:
    named = house.asset("whatever")
    (made,) = house.collectors.import_bundle(KEEPER, carried(house), asset_id=named)
    assert (made.asset_id, made.asset_name, made.host) == (named, "whatever", "oa-web-01")
    application = house.asset("oa", "业务应用")
    for wrong in ("ast_none", application):
        with pytest.raises(AssetNotMatched):
            house.collectors.import_bundle(KEEPER, carried(house), asset_id=wrong)


def test_a_host_that_fits_no_asset_or_several_is_refused(house: House) -> None:
    with pytest.raises(AssetNotMatched, match="no asset"):
        house.collectors.import_bundle(KEEPER, carried(house))
    house.asset("oa-web-01")
    house.asset("second", address="10.1.2.5")
    with pytest.raises(AssetNotMatched, match="several"):
        house.collectors.import_bundle(KEEPER, carried(house))
    assert house.collectors.list_bundles(KEEPER, PAGE).items == []


def test_a_host_called_localhost_or_with_unread_addresses_fits_by_name_alone(house: House) -> None:
    house.asset("localhost", address="10.1.2.5")
    texts = {"net.addresses": "1: lo inet 127.0.0.1/8\n2: eth0 inet strange/24 inet6\n"}
    for content in (carried(house, texts, host="localhost"), carried(house, {}, host="localhost")):
        with pytest.raises(AssetNotMatched):
            house.collectors.import_bundle(KEEPER, content)


def test_the_same_bytes_are_kept_once(house: House) -> None:
    house.asset("oa-web-01")
    content = carried(house)
    first = house.collectors.import_bundle(KEEPER, content)
    assert house.collectors.import_bundle(KEEPER, content) == first
    assert len(house.collectors.list_bundles(KEEPER, PAGE).items) == 1
    assert [outcome for outcome, _ in house.acts()] == ["done"]


def test_an_act_names_digests_and_no_contents(house: House) -> None:
    house.asset("oa-web-01")
    house.collectors.import_bundle(KEEPER, carried(house))
    ((_, details),) = house.acts()
    assert set(details["evidence"]) == set(details["kinds"])
    assert all(len(digest) == 64 for digest in details["evidence"].values())
    assert "ops" not in str(details)


def test_a_file_that_was_changed_is_refused_and_the_ledger_says_so(house: House) -> None:
    content = carried(house).replace(b"PermitRootLogin no", b"PermitRootLogin No")
    trail = FakeTrail(house.rig.clock)
    recording = replace(house.collectors, parts=replace(house.rig.spine.parts, trail=trail))
    with pytest.raises(BundleRejected):
        recording.import_bundle(KEEPER, content)
    (act,) = trail.acts
    assert (act.action, act.outcome) == ("audits.import_bundle", "refused")
    assert act.details["bundle"] == hashlib.sha256(content).hexdigest()
    assert act.details["code"] == "audits.bundle_rejected"
    assert house.collectors.list_bundles(KEEPER, PAGE).items == []


def test_who_may_import_and_who_may_read(house: House) -> None:
    house.asset("oa-web-01")
    content = carried(house)
    with pytest.raises(Forbidden):
        house.collectors.import_bundle(READER, content)
    (made,) = house.collectors.import_bundle(KEEPER, content)
    assert house.collectors.show_bundle(READER, made.id).bundle == made
    with pytest.raises(BundleNotFound):
        house.collectors.show_bundle(STRANGER, made.id)
    assert house.collectors.list_bundles(STRANGER, PAGE).items == []
    assert house.collectors.list_collections(STRANGER, PAGE).items == []
    with pytest.raises(AssetNotMatched):
        house.collectors.import_bundle(STRANGER, content, asset_id=made.asset_id)
    with pytest.raises(SystemNotFound):
        house.collectors.import_bundle(STRANGER, content, system_id="sys_none")


def facts_now(house: House) -> dict[str, Any]:
    scope = house.rig.scopes.scope(READER, THIS_INSTANCE)
    at = house.rig.clock.now()
    return {each.kind: each for each in house.collectors.evidence(READER, scope, at)}


def test_newest_facts_count_even_where_an_older_bundle_comes_later(house: House) -> None:
    house.asset("oa-web-01")
    house.collectors.import_bundle(KEEPER, carried(house, ago=3_600))
    (older,) = house.collectors.import_bundle(
        KEEPER,
        carried(house, OPENEULER, ago=7_200),
        asset_id=facts_now(house)["host.ssh"].object_id,
    )
    assert facts_now(house)["host.ssh"].facts["root_login"] == "no"
    assert older.id in {each.id for each in house.collectors.list_bundles(KEEPER, PAGE).items}
    (newer,) = house.collectors.import_bundle(
        KEEPER, carried(house, OPENEULER, ago=60), asset_id=older.asset_id
    )
    found = facts_now(house)
    assert found["host.ssh"].facts["root_login"] == "yes"
    # what the newest bundle could not read is still told by the one before
    assert found["host.kernel"].facts["parameters"] == 2
    assert found["host.ssh"].origin.link == f"/collectors/bundles/{newer.id}"
    assert found["host.ssh"].origin.raw == newer.digest


def test_evidence_is_kept_by_content_and_its_age_is_told(house: House) -> None:
    host = house.asset("oa-web-01")
    house.asset("bare")
    (made,) = house.collectors.import_bundle(KEEPER, carried(house, ago=3 * 86_400))
    found = facts_now(house)
    blobs = house.rig.spine.parts.blobs
    assert orjson.loads(blobs.get(found["host.pam"].digest))["facts"]["failures"] == 5
    assert found["host.pam"].origin.query.startswith("pam:/etc/pam.d/sshd")
    assert dict(found["host.collection"].facts) == {
        "age_days": 3,
        "sections": made.sections,
        "unread": len(made.unread),
        "as_root": True,
    }
    house.rig.clock.advance(VALID_DAYS * 86_400)
    assert list(facts_now(house)) == ["host.collection"]
    rows = house.collectors.list_collections(READER, PAGE).items
    assert [(row.name, row.age_days) for row in rows] == [("bare", None), ("oa-web-01", 93)]
    assert rows[1].asset_id == host


def test_a_clock_that_is_ahead_wins_nothing(house: House) -> None:
    house.asset("oa-web-01")
    (made,) = house.collectors.import_bundle(KEEPER, carried(house, ago=-10 * 365 * 86_400))
    assert made.collected_at == made.imported_at == house.rig.clock.now()
    assert "ahead" in made.unread[0]
    house.rig.clock.advance(86_400)
    house.collectors.import_bundle(KEEPER, carried(house, OPENEULER), asset_id=made.asset_id)
    assert facts_now(house)["host.ssh"].facts["root_login"] == "yes"


def test_an_asset_keeps_a_bounded_number(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector_service, "MAX_PER_ASSET", 1)
    house.asset("oa-web-01")
    house.collectors.import_bundle(KEEPER, carried(house))
    with pytest.raises(TooManyKept):
        house.collectors.import_bundle(KEEPER, carried(house, ago=1))


def test_lists_come_in_pages(house: House) -> None:
    first, second, third = (house.asset(name) for name in ("a", "b", "c"))
    for at, asset in enumerate((second, first, third)):
        house.rig.clock.advance(1)
        house.collectors.import_bundle(KEEPER, carried(house, ago=at), asset_id=asset)
    one = PageRequest(2)
    page = house.collectors.list_bundles(KEEPER, one)
    assert [each.asset_name for each in page.items] == ["c", "a"]
    rest = PageRequest(2, decode_cursor(page.next or ""))
    assert [each.asset_name for each in house.collectors.list_bundles(KEEPER, rest).items] == ["b"]
    assert len(house.collectors.list_bundles(KEEPER, one, first).items) == 1
    assets = house.collectors.list_collections(KEEPER, one)
    assert [each.name for each in assets.items] == ["a", "b"]
    rest = PageRequest(2, decode_cursor(assets.next or ""))
    assert [each.name for each in house.collectors.list_collections(KEEPER, rest).items] == ["c"]


def test_a_bundle_is_shown_with_its_texts_and_what_is_read_in_it(house: House) -> None:
    house.asset("oa-web-01")
    (made,) = house.collectors.import_bundle(KEEPER, gzip.compress(carried(house)))
    document = shown_document(house.collectors.show_bundle(READER, made.id))
    texts = {each["name"]: each["text"] for each in document["contents"]}
    assert texts["faillock:/etc/security/faillock.conf"].startswith("deny = 5")
    facts = {each["kind"]: each["facts"] for each in document["readings"]}
    assert facts["host.pam"]["failures"] == 5
    assert document["sha256"] == bundle_document(made)["sha256"]
    row = house.collectors.list_collections(READER, PAGE).items[0]
    assert collection_document(row)["newest"]["id"] == made.id
    house.asset("bare")
    row = house.collectors.list_collections(READER, PAGE).items[0]
    assert collection_document(row)["newest"] is None


def test_a_bundle_of_nothing_readable_is_kept_and_shown(house: House) -> None:
    web = house.asset("oa-nginx", "中间件")
    (made,) = house.collectors.import_bundle(KEEPER, carried(house, {}), asset_id=web)
    assert made.kinds == ()
    assert house.collectors.show_bundle(READER, made.id).readings == ()
    assert list(facts_now(house)) == ["nginx.collection"]


def test_facts_stored_twice_at_once_are_told_apart(house: House) -> None:
    facts = AssetFacts(
        org_id="org_a",
        system_id="this",
        asset_id="a",
        kind="host.ssh",
        bundle_id="b",
        collected_at=5,
        collector=1,
        sections=("x",),
        facts={"n": 1},
        raw="r",
        digest="d",
    )
    store, transactions = DatabaseCollections(), house.rig.spine.parts.transactions
    assert transactions.run(lambda tx: store.renew(tx, facts)) is True
    (kept,) = transactions.read(lambda tx: store.facts(tx, "org_a", "this", 5))
    assert kept == facts
    assert transactions.read(lambda tx: store.facts(tx, "org_a", "this", 6)) == []
    assert transactions.read(lambda tx: store.facts(tx, "org_b", "this", 0)) == []
    house.asset("oa-web-01")
    (row,) = house.collectors.import_bundle(KEEPER, carried(house))
    with pytest.raises(ChangedMeanwhile):
        transactions.run(lambda tx: store.add(tx, replace(row, id="bnd_other")))


def test_what_the_newest_bundle_could_not_read_an_older_one_does_not_tell(house: House) -> None:
    house.asset("oa-web-01")
    house.collectors.import_bundle(KEEPER, carried(house, ago=60))
    assert "host.pam" in facts_now(house)
    hidden = {name: text for name, text in DEBIAN_12.items() if not name.startswith("pam:")}
    house.collectors.import_bundle(KEEPER, carried(house, hidden))
    now = facts_now(house)
    assert "host.pam" not in now
    assert "host.passwords" in now


def test_of_a_bundle_that_finds_no_room_nothing_is_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.asset("oa-web-01")
    (first,) = house.collectors.import_bundle(KEEPER, carried(house, ago=1))
    monkeypatch.setattr(collector_service, "MAX_PER_ASSET", 1)
    again = carried(house)
    with pytest.raises(TooManyKept):
        house.collectors.import_bundle(KEEPER, again)
    with pytest.raises(NotFound):
        house.rig.spine.parts.blobs.get(hashlib.sha256(again).hexdigest())
    assert list(house.collectors.import_bundle(KEEPER, carried(house, ago=1))) == [first]
