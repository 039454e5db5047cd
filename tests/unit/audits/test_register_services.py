"""The register's services: kept with versions and acts, retired instead of deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from audits.errors import (
    AssetNotFound,
    ChangedMeanwhile,
    FieldRefused,
    NameInUse,
    Retired,
    SystemNotFound,
)
from audits.models.filing import FILING_FORMS
from audits.models.systems import KnownSource, System
from audits.service.systems.systems import SystemService
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import AuditUnavailable, Forbidden
from secops.kernel.pages import PageRequest
from tests.fakes.register import (
    KEEPER,
    OFFICER,
    READER,
    STRANGER,
    RegisterRig,
    register_rig,
)
from tests.fakes.trail import FakeTrail

PORTAL = {
    "name": "政务门户",
    "s_level": "3",
    "a_level": "2",
    "owner": "张三",
    "filing_number": "11010120001",
    "filed_at": "2024-03-01",
    "data_grade": "重要数据",
    "extensions": "云计算;mobile",
    "uses": "iam",
    "unit": "大数据局",
    "business": "办" * 100,
}
WEB = {
    "name": "web-01",
    "kind": "服务器与终端",
    "importance": "4",
    "department": "运维处",
    "place": "A 机房",
    "log_sources": "nginx;sshd",
}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[RegisterRig]:
    with register_rig(tmp_path) as opened:
        yield opened


def added(rig: RegisterRig, **changes: str) -> System:
    return rig.register.systems.add_system(KEEPER, {**PORTAL, **changes})


def acts(rig: RegisterRig) -> list[Any]:
    """Return the acts as they lie in the ledger's door, as (action, outcome, details)."""

    def read(tx: Any) -> list[Any]:
        rows = tx.execute(sa.text("SELECT record FROM ledger_door ORDER BY id")).all()
        return [orjson.loads(row[0]) for row in rows]

    return [
        (each["action"], each["outcome"], each["details"])
        for each in rig.spine.parts.transactions.read(read)
    ]


def recording(rig: RegisterRig) -> tuple[SystemService, FakeTrail]:
    """Return the systems over the same store, what they append kept in sight."""
    trail = FakeTrail(rig.clock)
    register = rig.register.systems.register
    return SystemService(replace(register, parts=replace(register.parts, trail=trail))), trail


def test_a_system_is_kept_as_written_and_its_level_follows(rig: RegisterRig) -> None:
    system = added(rig)
    assert (system.level, system.s_level, system.a_level) == (3, 3, 2)
    assert system.data_grade == "important"
    assert system.extensions == ("cloud", "mobile")
    assert system.details == {"unit": "大数据局", "business": "办" * 100}
    assert rig.scopes.scope(READER, system.id).system == system
    view = rig.register.systems.show_system(READER, system.id)
    assert [(v.version, v.action, v.by) for v in view.versions] == [(1, "add_system", "acc_keeper")]
    assert (view.filing.standing, view.test.standing) == ("good", "unknown")


def test_who_took_which_form_of_which_version_of_the_filing_data_is_in_the_ledger(
    rig: RegisterRig,
) -> None:
    system = added(rig)
    systems, trail = recording(rig)
    for form in FILING_FORMS:
        content = systems.export_filing_sheet(READER, system.id, form, "en")
        act = trail.acts[-1]
        assert (act.action, act.outcome) == ("audits.export_filing_sheet", "done")
        assert (act.actor, act.target) == (READER, f"system:{system.id}")
        assert act.details == {
            "form": form,
            "language": "en",
            "sha256": hashlib.sha256(content).hexdigest(),
            "version": 1,
        }


def test_no_ledger_no_filing_data(rig: RegisterRig) -> None:
    system = added(rig)
    systems, trail = recording(rig)
    trail.down = True
    with pytest.raises(AuditUnavailable):
        systems.export_filing_sheet(READER, system.id, "docx", "zh")


def test_nobody_takes_the_filing_data_of_another_organisation_or_without_the_right(
    rig: RegisterRig,
) -> None:
    system = added(rig)
    systems, trail = recording(rig)
    nobody = Actor("account", "acc_nobody", "org_a", "nobody", frozenset())
    for actor, refusal in ((STRANGER, SystemNotFound), (nobody, Forbidden)):
        with pytest.raises(refusal):
            systems.export_filing_sheet(actor, system.id, "docx", "zh")
    assert trail.acts == []


def test_an_act_says_what_changed_but_not_whom_it_names_nor_long_texts(rig: RegisterRig) -> None:
    system = added(rig)
    rig.register.systems.change_system(
        KEEPER, system.id, 1, {"owner": "李四", "domain": "审批", "business": "x" * 65}
    )
    action, outcome, details = acts(rig)[-1]
    assert (action, outcome, details["version"]) == ("audits.change_system", "done", 2)
    changes = details["changes"]
    assert changes["owner"] == "changed"
    assert changes["domain"] == ["", "审批"]
    assert changes["business"] == [
        f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" for text in ("办" * 100, "x" * 65)
    ]
    assert set(changes) == {"owner", "domain", "business"}


def test_nothing_is_noted_where_nothing_changed(rig: RegisterRig) -> None:
    system = added(rig)
    before = len(acts(rig))
    assert rig.register.systems.change_system(KEEPER, system.id, 1, {"owner": "张三"}) == system
    assert len(acts(rig)) == before


def test_who_changes_an_older_version_is_refused_and_it_is_recorded(rig: RegisterRig) -> None:
    system = added(rig)
    rig.register.systems.change_system(KEEPER, system.id, 1, {"domain": "审批"})
    with pytest.raises(ChangedMeanwhile):
        rig.register.systems.change_system(KEEPER, system.id, 1, {"domain": "监管"})
    assert rig.register.systems.show_system(READER, system.id).system.domain == "审批"


def test_a_name_is_used_once_until_its_bearer_is_retired(rig: RegisterRig) -> None:
    system = added(rig)
    with pytest.raises(NameInUse):
        added(rig)
    retired = rig.register.systems.retire_system(KEEPER, system.id, 1, "已下线")
    assert retired.retired_reason == "已下线"
    assert added(rig).id != system.id
    with pytest.raises(Retired):
        rig.register.systems.change_system(KEEPER, system.id, 2, {"domain": "x"})
    with pytest.raises(SystemNotFound, match="retired"):
        rig.scopes.scope(READER, system.id)
    assert rig.register.systems.show_system(READER, system.id).system == retired


def test_this_platform_needs_no_registration_and_can_have_one(rig: RegisterRig) -> None:
    scope = rig.scopes.scope(READER, "this")
    assert (scope.system.version, scope.system.level, scope.assets) == (0, 3, ())
    changed = rig.register.systems.change_system(
        KEEPER, "this", 0, {"filing_number": "1101", "filed_at": "2025-06-30", "uses": "iam"}
    )
    assert (changed.version, changed.uses) == (1, ("iam", "kms", "logs"))
    assert rig.scopes.scope(READER, "this").system == changed
    with pytest.raises(ChangedMeanwhile):
        rig.register.systems.change_system(KEEPER, "this", 0, {"domain": "x"})
    with pytest.raises(FieldRefused):
        rig.register.systems.retire_system(KEEPER, "this", 1, "x")


def test_another_organisation_sees_and_changes_nothing(rig: RegisterRig) -> None:
    system = added(rig)
    asset = rig.register.assets.add_asset(KEEPER, system.id, WEB)
    systems, assets = rig.register.systems, rig.register.assets
    for refused in (
        lambda: systems.show_system(STRANGER, system.id),
        lambda: systems.change_system(STRANGER, system.id, 1, {"domain": "x"}),
        lambda: systems.retire_system(STRANGER, system.id, 1, "x"),
        lambda: assets.add_asset(STRANGER, system.id, WEB),
        lambda: assets.list_assets(STRANGER, system.id, PageRequest()),
    ):
        with pytest.raises(SystemNotFound):
            refused()
    for unseen in (
        lambda: assets.show_asset(STRANGER, asset.id),
        lambda: assets.change_asset(STRANGER, asset.id, 1, {"place": "x"}),
        lambda: assets.retire_asset(STRANGER, asset.id, 1, "x"),
    ):
        with pytest.raises(AssetNotFound):
            unseen()
    assert systems.list_systems(STRANGER, PageRequest()).items == []


def test_who_only_reads_keeps_nothing(rig: RegisterRig) -> None:
    for refused in (
        lambda: rig.register.systems.add_system(READER, PORTAL),
        lambda: rig.register.assets.add_asset(OFFICER, "this", WEB),
        lambda: rig.register.tables.import_systems(READER, b"x"),
        lambda: rig.register.suppliers.add_supplier_access(OFFICER, "this", {}),
    ):
        with pytest.raises(Forbidden):
            refused()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("s_level", "6"),
        ("s_level", "３"),
        ("filed_at", "2026-02-30"),
        ("filed_at", "0001-01-01"),
        ("data_grade", "绝密"),
        ("extensions", "云计算;太空"),
        ("name", ""),
        ("name", "x" * 201),
        ("owner", "a\u202eb"),
        ("business", "x" * 1001),
        ("shoe_size", "44"),
    ],
)
def test_a_field_that_cannot_hold_its_text_is_refused_by_name(
    rig: RegisterRig, field: str, text: str
) -> None:
    with pytest.raises(FieldRefused) as refused:
        added(rig, **{field: text})
    assert refused.value.facts["field"] == field
    assert rig.register.systems.list_systems(READER, PageRequest()).items == []


def test_assets_and_log_sources_are_held_against_each_other_both_ways(rig: RegisterRig) -> None:
    system = added(rig)
    rig.outside.sources = [
        KnownSource("nginx", registered=True, silent=False, last_at=1, grade="2"),
        KnownSource("pg", registered=True, silent=True, last_at=None, grade=""),
    ]
    web = rig.register.assets.add_asset(KEEPER, system.id, WEB)
    bare = rig.register.assets.add_asset(KEEPER, "this", {"name": "db", "kind": "database"})
    coverage = rig.register.assets.show_source_coverage(READER)
    assert [(s.name, s.known is not None, len(s.assets)) for s in coverage.sources] == [
        ("nginx", True, 1),
        ("pg", True, 0),
        ("sshd", False, 1),
    ]
    assert coverage.silent_assets == (bare,)
    facts = {
        s.kind: s.facts
        for s in rig.register.evidence(READER, rig.scopes.scope(READER, system.id), rig.clock.now())
    }
    assert facts["asset.inventory"] == {
        "assets": 1,
        "with_department": 1,
        "with_importance": 1,
        "with_place": 1,
        "with_owner": 0,
        "graded": 0,
        "looked_after": 0,
        "with_log_source": 1,
        "unlisted_log_sources": 1,
    }
    rig.outside.sources = None
    assert rig.register.assets.show_source_coverage(READER).readable is False
    rig.register.systems.retire_system(KEEPER, system.id, 1, "x")
    assert web not in rig.register.assets.show_source_coverage(READER).silent_assets
    with pytest.raises(SystemNotFound):
        rig.register.assets.change_asset(KEEPER, web.id, 1, {"place": "B"})


def test_what_nobody_registered_is_no_evidence(rig: RegisterRig) -> None:
    scope = rig.scopes.scope(READER, "this")
    assert rig.register.evidence(READER, scope, rig.clock.now()) == []


def test_a_suppliers_access_ends_with_its_day_and_its_account_is_watched(rig: RegisterRig) -> None:
    system = added(rig)
    suppliers = rig.register.suppliers
    rig.outside.accounts = {"wangwu": True}
    access = suppliers.add_supplier_access(
        KEEPER,
        system.id,
        {
            "supplier": "某软件公司",
            "person": "王五",
            "purpose": "运维",
            "account": "wangwu",
            "approved_by": "张三",
            "starts_at": "2026-01-01",
            "ends_at": "2026-01-03",
        },
    )
    rig.clock.instant += 2 * DAY
    (view,) = suppliers.supplier_accesses_of(READER, system.id)
    assert (view.state, view.account_active, view.is_late) == ("current", True, False)
    rig.clock.instant += DAY
    (view,) = suppliers.list_supplier_accesses(READER, PageRequest()).items
    assert (view.state, view.is_late) == ("expired", True)
    scope = rig.scopes.scope(READER, system.id)
    facts = {s.kind: s.facts for s in rig.register.evidence(READER, scope, rig.clock.now())}
    assert facts["supplier.access"]["late_accounts"] == 1
    rig.outside.accounts = {"wangwu": False}
    ended = suppliers.end_supplier_access(KEEPER, access.id, 1)
    assert ended.ended_at == rig.clock.now()
    with pytest.raises(Retired):
        suppliers.end_supplier_access(KEEPER, access.id, 2)
    (view,) = suppliers.supplier_accesses_of(READER, system.id)
    assert (view.state, view.is_late) == ("ended", False)


def test_an_access_that_ends_before_it_begins_is_refused(rig: RegisterRig) -> None:
    with pytest.raises(FieldRefused):
        rig.register.suppliers.add_supplier_access(
            KEEPER,
            "this",
            {
                "supplier": "某公司",
                "person": "王五",
                "purpose": "运维",
                "starts_at": "2026-01-04",
                "ends_at": "2026-01-03",
            },
        )


def test_a_supplier_needs_a_person_an_end_and_a_purpose(rig: RegisterRig) -> None:
    with pytest.raises(FieldRefused, match="Person is needed"):
        rig.register.suppliers.add_supplier_access(KEEPER, "this", {"supplier": "某公司"})
