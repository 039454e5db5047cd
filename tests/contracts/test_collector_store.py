"""The store of collectors, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audits.errors import BundleNotFound, ChangedMeanwhile
from audits.models.collectors import AssetFacts, ImportedBundle
from audits.store.collectors import DatabaseCollections
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest

STORE = DatabaseCollections()
BUNDLE = ImportedBundle(
    id="bnd_1",
    org_id="org_a",
    system_id="sys_1",
    asset_id="ast_1",
    asset_name="web-01",
    host="web-01",
    digest="d1",
    size=10,
    collector=1,
    collected_at=100,
    imported_at=200,
    imported_by="keeper",
    account_id="acc_1",
    as_root=True,
    sections=3,
    kinds=("host.ssh",),
    unread=("audit.rules: denied",),
)
FACTS = AssetFacts(
    org_id="org_a",
    system_id="sys_1",
    asset_id="ast_1",
    kind="host.ssh",
    bundle_id="bnd_1",
    collected_at=100,
    collector=1,
    sections=("ssh.process",),
    facts={"running": True, "max_tries": 4, "root_login": "no"},
    raw="d1",
    digest="e1",
)


def test_bundles_are_kept_once_and_found_by_their_organisation(spine: Spine) -> None:
    newer = replace(BUNDLE, id="bnd_2", digest="d2", collected_at=90, imported_at=300)
    with_two = spine.parts.transactions
    with_two.run(lambda tx: [STORE.add(tx, each) for each in (BUNDLE, newer)])
    with pytest.raises(ChangedMeanwhile):
        with_two.run(lambda tx: STORE.add(tx, replace(BUNDLE, id="bnd_3")))

    def read(tx):  # type: ignore[no-untyped-def] # several answers at once
        return (
            STORE.get(tx, "org_a", "bnd_1"),
            STORE.known(tx, "org_a", "ast_1", "d2"),
            STORE.known(tx, "org_b", "ast_1", "d2"),
            STORE.count(tx, "org_a", "ast_1"),
            STORE.page(tx, "org_a", PageRequest(1)).items,
            STORE.page(tx, "org_a", PageRequest(), "ast_2").items,
            STORE.newest(tx, "org_a", ["ast_1", "ast_2"]),
            STORE.newest(tx, "org_b", ["ast_1"]),
        )

    found = with_two.read(read)
    assert found == (BUNDLE, newer, None, 2, [newer], [], {"ast_1": BUNDLE}, {})
    with pytest.raises(BundleNotFound):
        with_two.read(lambda tx: STORE.get(tx, "org_b", "bnd_1"))


def test_the_newest_facts_of_a_kind_stay(spine: Spine) -> None:
    older, newer = replace(FACTS, collected_at=50), replace(FACTS, collected_at=150, digest="e2")
    run, read = spine.parts.transactions.run, spine.parts.transactions.read
    assert [run(lambda tx, each=each: STORE.renew(tx, each)) for each in (FACTS, older, newer)] == [
        True,
        False,
        True,
    ]
    assert read(lambda tx: STORE.facts(tx, "org_a", "sys_1", 0)) == [newer]
    assert read(lambda tx: STORE.facts(tx, "org_a", "sys_1", 151)) == []
    assert read(lambda tx: STORE.facts(tx, "org_b", "sys_1", 0)) == []
