"""The stores of the register, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from audits.errors import (
    AssetNotFound,
    ChangedMeanwhile,
    NameInUse,
    SupplierAccessNotFound,
    SystemNotFound,
)
from audits.models.systems import (
    Asset,
    RegisterVersion,
    SupplierAccess,
    System,
)
from audits.store.systems import (
    DatabaseAssets,
    DatabaseRegisterHistory,
    DatabaseSupplierAccesses,
    DatabaseSystems,
)
from secops.adapters.spine import Spine
from secops.kernel.pages import Page, PageRequest, decode_cursor
from secops.kernel.transactions import Transaction

PORTAL = System(
    id="sys_1",
    org_id="org_a",
    name="政务门户",
    level=3,
    s_level=3,
    a_level=2,
    extensions=("cloud",),
    uses=("iam", "logs"),
    details={"unit": "大数据局", "network": "电子政务外网"},
)
WEB = Asset(
    id="ast_1",
    org_id="org_a",
    system_id="sys_1",
    name="web-01",
    kind="host",
    importance=4,
    log_sources=("web-01.log", "nginx"),
)
ACCESS = SupplierAccess(
    id="sup_1",
    org_id="org_a",
    system_id="sys_1",
    supplier="某软件公司",
    person="王五",
    purpose="运维",
    starts_at=10,
    ends_at=20,
)


def test_systems_come_back_as_they_were_and_names_belong_to_living_ones(spine: Spine) -> None:
    store = DatabaseSystems()

    def work(tx: Transaction) -> System:
        store.add(tx, PORTAL)
        store.add(tx, replace(PORTAL, id="sys_2", org_id="org_b"))
        return store.get(tx, "org_a", "sys_1")

    def again(tx: Transaction) -> None:
        store.add(tx, replace(PORTAL, id="sys_3"))

    def other(tx: Transaction) -> System:
        return store.get(tx, "org_c", "sys_1")

    def after(tx: Transaction) -> list[str]:
        store.change(tx, replace(PORTAL, version=2, retired_at=5, retired_reason="下线"))
        store.add(tx, replace(PORTAL, id="sys_3"))
        return [system.id for system in store.live(tx, "org_a")]

    run = spine.parts.transactions.run
    assert run(work) == PORTAL
    with pytest.raises(NameInUse):
        run(again)
    with pytest.raises(SystemNotFound):
        run(other)
    assert run(after) == ["sys_3"]
    assert run(lambda tx: (store.count(tx, "org_a"), store.count(tx, "org_b"))) == (2, 1)


def test_who_changes_what_somebody_else_changed_is_refused(spine: Spine) -> None:
    systems, assets, accesses = DatabaseSystems(), DatabaseAssets(), DatabaseSupplierAccesses()

    def work(tx: Transaction) -> None:
        systems.add(tx, PORTAL)
        assets.add(tx, WEB)
        accesses.add(tx, ACCESS)
        systems.change(tx, replace(PORTAL, version=2))
        assets.change(tx, replace(WEB, version=2))
        accesses.change(tx, replace(ACCESS, version=2, ended_at=15))
        with pytest.raises(ChangedMeanwhile):
            systems.change(tx, replace(PORTAL, version=2))
        with pytest.raises(ChangedMeanwhile):
            assets.change(tx, replace(WEB, org_id="org_b", version=3))
        with pytest.raises(ChangedMeanwhile):
            accesses.change(tx, replace(ACCESS, version=2))
        assert accesses.get(tx, "org_a", "sup_1").ended_at == 15

    spine.parts.transactions.run(work)


def test_pages_follow_one_another_and_show_no_other_organisation(spine: Spine) -> None:
    systems, assets, accesses = DatabaseSystems(), DatabaseAssets(), DatabaseSupplierAccesses()

    def work(tx: Transaction) -> tuple[list[list[str]], ...]:
        for number in range(3):
            systems.add(tx, replace(PORTAL, id=f"sys_{number}", name=str(number)))
            assets.add(tx, replace(WEB, id=f"ast_{number}", name=str(number)))
            accesses.add(tx, replace(ACCESS, id=f"sup_{number}", ends_at=20 - number))
        assets.add(tx, replace(WEB, id="ast_z", system_id="sys_2"))
        assets.add(tx, replace(WEB, id="ast_y", org_id="org_b"))
        accesses.add(tx, replace(ACCESS, id="sup_z", org_id="org_b"))
        found: tuple[list[list[str]], ...] = ([], [], [])
        lists: tuple[Callable[[PageRequest], Page[Any]], ...] = (
            lambda page: systems.page(tx, "org_a", page),
            lambda page: assets.page(tx, "org_a", "sys_1", page),
            lambda page: accesses.page(tx, "org_a", page),
        )
        for listed, ask in zip(found, lists, strict=True):
            first = ask(PageRequest(2))
            rest = ask(PageRequest(2, decode_cursor(first.next or "")))
            listed.extend([[one.id for one in page.items] for page in (first, rest)])
        assert [a.id for a in assets.live(tx, "org_a")] == ["ast_0", "ast_1", "ast_2", "ast_z"]
        assert [a.id for a in assets.live(tx, "org_a", "sys_2")] == ["ast_z"]
        assert [a.id for a in accesses.of_system(tx, "org_a", "sys_1")] == [
            "sup_0",
            "sup_1",
            "sup_2",
        ]
        assert (assets.count(tx, "org_a"), accesses.count(tx, "org_b")) == (4, 1)
        with pytest.raises(AssetNotFound):
            assets.get(tx, "org_b", "ast_1")
        with pytest.raises(SupplierAccessNotFound):
            accesses.get(tx, "org_b", "sup_1")
        return found

    assert spine.parts.transactions.run(work) == (
        [["sys_2", "sys_1"], ["sys_0"]],
        [["ast_2", "ast_1"], ["ast_0"]],
        [["sup_0", "sup_1"], ["sup_2"]],
    )


def test_every_version_stays_to_be_read(spine: Spine) -> None:
    history = DatabaseRegisterHistory()
    first = RegisterVersion(
        org_id="org_a",
        kind="asset",
        object_id="ast_1",
        version=1,
        at=7,
        by="acc_1",
        action="add_asset",
        content={"name": "web-01", "log_sources": ["nginx"], "importance": 4},
    )
    second = replace(first, version=2, action="change_asset", content={"name": "web-02"})

    def work(tx: Transaction) -> tuple[object, ...]:
        history.add(tx, first)
        history.add(tx, second)
        return (
            list(history.of(tx, "org_a", "asset", "ast_1")),
            list(history.of(tx, "org_b", "asset", "ast_1")),
            list(history.of(tx, "org_a", "system", "ast_1")),
        )

    assert spine.parts.transactions.run(work) == ([second, first], [], [])
