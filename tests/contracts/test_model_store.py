"""Models, judgements and progress keep their promises over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.errors import ModelNotFound
from detectors.models.anomalies import Judgement, ModelRecord
from detectors.ports import ModelStore
from detectors.store.anomalies import DatabaseModels
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest

RECORD = ModelRecord(
    id="mdl_1",
    org_id="org_root",
    kind="login",
    state="active",
    made_at=10,
    digest="ab" * 32,
    signatures={"sm2-sm3": "00"},
    card={"figures": {"rate": 0.5}},
)


@pytest.fixture
def models() -> ModelStore:
    return DatabaseModels()


def test_a_new_model_retires_the_one_of_its_kind_and_no_other(
    spine: Spine, models: ModelStore
) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    other = replace(RECORD, id="mdl_2", kind="use")
    newer = replace(RECORD, id="mdl_3", made_at=20)
    for record in (RECORD, other, newer):
        run(lambda tx, record=record: models.add(tx, record))  # type: ignore[misc]
    assert read(lambda tx: models.active(tx, "org_root", "login")) == newer
    assert read(lambda tx: models.active(tx, "org_root", "use")) == other
    assert read(lambda tx: models.active(tx, "org_else", "use")) is None
    assert read(lambda tx: models.get(tx, "org_root", "mdl_1")) == replace(RECORD, state="retired")


def test_another_organisations_model_is_not_there(spine: Spine, models: ModelStore) -> None:
    spine.transactions.run(lambda tx: models.add(tx, RECORD))
    with pytest.raises(ModelNotFound):
        spine.transactions.read(lambda tx: models.get(tx, "org_else", "mdl_1"))


def test_pages_come_newest_first_and_meet(spine: Spine, models: ModelStore) -> None:
    for number in range(5):
        record = replace(RECORD, id=f"mdl_{number}", made_at=number // 2)
        spine.transactions.run(lambda tx, record=record: models.add(tx, record))  # type: ignore[misc]
    read = spine.transactions.read
    first = read(lambda tx: models.page(tx, "org_root", PageRequest(2)))
    assert [each.id for each in first] == ["mdl_4", "mdl_3", "mdl_2"]
    edge = first[1]
    rest = read(lambda tx: models.page(tx, "org_root", PageRequest(9, (edge.made_at, edge.id))))
    assert [each.id for each in rest] == ["mdl_2", "mdl_1", "mdl_0"]


def test_drift_is_noted_with_its_model(spine: Spine, models: ModelStore) -> None:
    spine.transactions.run(lambda tx: models.add(tx, RECORD))
    spine.transactions.run(lambda tx: models.set_drift(tx, "mdl_1", {"psi": {"hour": 0.3}}))
    found = spine.transactions.read(lambda tx: models.get(tx, "org_root", "mdl_1"))
    assert found.drift == {"psi": {"hour": 0.3}}


def test_the_last_word_on_a_sign_in_counts(spine: Spine, models: ModelStore) -> None:
    said = Judgement("org_root", "ses_1", "good", "acc_1", 1, "asked")
    again = replace(said, verdict="bad", by="acc_2", at=2, reason="asked again")
    for each in (said, again):
        spine.transactions.run(lambda tx, each=each: models.judge(tx, each))  # type: ignore[misc]
    assert spine.transactions.read(lambda tx: models.judgements(tx, "org_root")) == [again]
    assert spine.transactions.read(lambda tx: models.judgements(tx, "org_else")) == []


def test_progress_goes_on_from_where_it_is_and_nowhere_else(
    spine: Spine, models: ModelStore
) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    assert read(lambda tx: models.position(tx, "watch")) == 1
    assert run(lambda tx: models.advance(tx, "watch", 1, 5)) is True
    assert run(lambda tx: models.advance(tx, "watch", 1, 9)) is False
    assert run(lambda tx: models.advance(tx, "watch", 5, 9)) is True
    assert read(lambda tx: models.position(tx, "watch")) == 9
    assert run(lambda tx: models.advance(tx, "late", 7, 9)) is False


def test_a_wish_for_training_has_its_time(spine: Spine, models: ModelStore) -> None:
    run, read = spine.transactions.run, spine.transactions.read
    assert read(lambda tx: models.position(tx, "train login")) == 1
    for _ in range(2):
        run(lambda tx: models.ask_training(tx, "login"))
    assert read(lambda tx: models.position(tx, "train login")) > 1
    assert read(lambda tx: models.position(tx, "train use")) == 1
