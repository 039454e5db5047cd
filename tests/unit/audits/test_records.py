"""Records of evidence: kept by their hash, read with a trace, withdrawn and never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audits.errors import FieldRefused, RecordNotFound, Retired, SystemNotFound, TooManyKept
from audits.models.records import NewRecord, RecordFilter
from audits.service.records import records
from audits.service.records.records import MAX_DOCUMENT, safe_name
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, Invalid, TooLarge
from secops.kernel.pages import PageRequest, decode_cursor
from tests.fakes.register import KEEPER, OFFICER, READER, STRANGER, RegisterRig, register_rig

TRAINING = NewRecord(
    kind="training",
    title="年度培训",
    held_on="2025-12-01",
    filename="C:\\材料\\培训 记录.PDF",
    items=("L3-HRS1-07",),
    person="张三",
)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[RegisterRig]:
    with register_rig(tmp_path) as opened:
        yield opened


def listed(rig: RegisterRig, **wanted: str) -> list[str]:
    page = rig.records.list_records(READER, RecordFilter(**wanted), PageRequest())
    return [view.record.title for view in page.items]


def test_a_record_is_kept_with_its_document_by_its_hash(rig: RegisterRig) -> None:
    record = rig.records.add_record(KEEPER, TRAINING, b"%PDF-1.4")
    assert record.sha256 == hashlib.sha256(b"%PDF-1.4").hexdigest()
    assert (record.filename, record.media_type) == ("培训 记录.PDF", "application/pdf")
    assert (record.evidence_kind, record.size) == ("training.record", 8)
    assert record.expires_at == record.held_at + 365 * DAY
    read, content = rig.records.read_record(READER, record.id)
    assert (read, content) == (record, b"%PDF-1.4")


def test_another_organisation_neither_sees_nor_reads_nor_withdraws(rig: RegisterRig) -> None:
    record = rig.records.add_record(KEEPER, TRAINING, b"x")
    for refused in (
        lambda: rig.records.show_record(STRANGER, record.id),
        lambda: rig.records.read_record(replace(READER, org_id="org_b"), record.id),
        lambda: rig.records.withdraw_record(STRANGER, record.id, 1, "x"),
    ):
        with pytest.raises(RecordNotFound):
            refused()
    other = rig.records.list_records(STRANGER, RecordFilter(), PageRequest())
    assert other.items == []


def test_only_the_system_administrator_uploads_and_withdraws(rig: RegisterRig) -> None:
    record = rig.records.add_record(KEEPER, TRAINING, b"x")
    for actor in (READER, OFFICER):
        with pytest.raises(Forbidden):
            rig.records.add_record(actor, TRAINING, b"x")
        with pytest.raises(Forbidden):
            rig.records.withdraw_record(actor, record.id, 1, "x")


def test_what_was_withdrawn_counts_no_more_and_stays_to_be_read(rig: RegisterRig) -> None:
    record = rig.records.add_record(KEEPER, TRAINING, b"x")
    rig.records.withdraw_record(KEEPER, record.id, 1, "扫描件不清")
    view = rig.records.show_record(READER, record.id)
    assert (view.state, view.record.withdrawn_reason) == ("withdrawn", "扫描件不清")
    assert rig.records.read_record(READER, record.id)[1] == b"x"
    scope = rig.scopes.scope(READER, "this")
    assert rig.records.evidence(READER, scope, rig.clock.now()) == []
    assert rig.records.document_rows(READER, scope, rig.clock.now()) == []
    with pytest.raises(Retired):
        rig.records.withdraw_record(KEEPER, record.id, 2, "x")


def test_records_are_narrowed_by_kind_state_item_and_system(rig: RegisterRig) -> None:
    system = rig.register.systems.add_system(
        KEEPER, {"name": "门户", "s_level": "3", "a_level": "3"}
    )

    def add(*handed: Any) -> None:
        rig.clock.instant += 1
        rig.records.add_record(*handed)

    add(KEEPER, TRAINING, b"1")
    add(KEEPER, replace(TRAINING, title="旧", held_on="2024-01-01"), b"2")
    add(KEEPER, replace(TRAINING, title="将到", held_on="2025-02-01", items=()), b"3")
    add(
        KEEPER,
        replace(TRAINING, kind="document", title="制度", system_id=system.id, expires_on=""),
        b"4",
    )
    assert listed(rig) == ["制度", "将到", "旧", "年度培训"]
    assert listed(rig, kind="document") == ["制度"]
    assert listed(rig, state="expired") == ["旧"]
    assert listed(rig, state="soon") == ["将到"]
    assert listed(rig, state="valid") == ["制度", "年度培训"]
    assert listed(rig, state="withdrawn") == []
    assert listed(rig, item="L3-HRS1-07") == ["制度", "旧", "年度培训"]
    assert listed(rig, item="L3-HRS1-0%") == []
    assert listed(rig, system_id=system.id) == ["制度"]
    with pytest.raises(FieldRefused):
        listed(rig, state="lost")
    first = rig.records.list_records(READER, RecordFilter(), PageRequest(3))
    rest = rig.records.list_records(
        READER, RecordFilter(), PageRequest(3, decode_cursor(first.next or ""))
    )
    assert [view.record.title for view in rest.items] == ["年度培训"]


def test_a_record_counts_for_its_system_or_for_all(rig: RegisterRig) -> None:
    system = rig.register.systems.add_system(
        KEEPER, {"name": "门户", "s_level": "3", "a_level": "3"}
    )
    rig.records.add_record(KEEPER, TRAINING, b"1")
    rig.records.add_record(KEEPER, replace(TRAINING, system_id=system.id, kind="drill"), b"2")
    now = rig.clock.now()
    kinds = {
        name: [s.kind for s in rig.records.evidence(READER, rig.scopes.scope(READER, name), now)]
        for name in ("this", system.id)
    }
    assert kinds == {"this": ["record.training"], system.id: ["record.training", "record.drill"]}
    rows = rig.records.document_rows(READER, rig.scopes.scope(READER, "this"), now)
    assert [row["title"] for row in rows] == ["年度培训"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "party"),
        ("evidence_kind", "iam.users"),
        ("held_on", "2026-01-03"),
        ("held_on", "yesterday"),
        ("expires_on", "2025-11-30"),
        ("expires_on", "soon"),
        ("expires_on", "-"),
        ("items", ("L3-NONE-01",)),
        ("items", tuple(str(n) for n in range(101))),
        ("title", " "),
        ("title", "a\u202eb"),
        ("note", "x" * 1001),
    ],
)
def test_a_record_that_says_something_impossible_is_refused(
    rig: RegisterRig, field: str, value: object
) -> None:
    with pytest.raises(Invalid):
        rig.records.add_record(KEEPER, replace(TRAINING, **{field: value}), b"x")  # type: ignore[arg-type]
    assert listed(rig) == []


def test_the_end_is_the_usual_one_a_day_or_none(rig: RegisterRig) -> None:
    policy = replace(TRAINING, kind="document", expires_on="-")
    ends = [
        rig.records.add_record(KEEPER, new, b"x")
        for new in (policy, replace(TRAINING, expires_on="2025-12-01"))
    ]
    assert [record.expires_at for record in ends] == [0, ends[1].held_at + DAY]


def test_a_document_has_bounds_and_an_organisation_too(
    rig: RegisterRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in (b"", b"x" * (MAX_DOCUMENT + 1)):
        with pytest.raises(TooLarge):
            rig.records.add_record(KEEPER, TRAINING, content)
    rig.records.add_record(KEEPER, TRAINING, b"12345")
    monkeypatch.setattr(records, "MAX_BYTES", 8)
    with pytest.raises(TooManyKept):
        rig.records.add_record(KEEPER, TRAINING, b"12345")
    monkeypatch.setattr(records, "MAX_RECORDS", 1)
    with pytest.raises(TooManyKept):
        rig.records.add_record(KEEPER, TRAINING, b"1")


def test_a_system_must_be_there_and_in_use(rig: RegisterRig) -> None:
    with pytest.raises(SystemNotFound):
        rig.records.add_record(KEEPER, replace(TRAINING, system_id="sys_none"), b"x")
    system = rig.register.systems.add_system(
        KEEPER, {"name": "门户", "s_level": "1", "a_level": "1"}
    )
    rig.register.systems.retire_system(KEEPER, system.id, 1, "x")
    with pytest.raises(Retired):
        rig.records.add_record(KEEPER, replace(TRAINING, system_id=system.id), b"x")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ('a\r\nb".pdf', "ab.pdf"),
        ("", "document"),
        ("..", "document"),
        ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
        ("y" * 300, "y" * 90),
    ],
)
def test_a_files_name_leads_nowhere(given: str, kept: str) -> None:
    assert safe_name(given) == kept
