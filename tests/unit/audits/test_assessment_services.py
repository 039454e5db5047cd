"""Answers of persons, history, rounds and schedules over a real database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from audits.adapters.controls import PackagedCatalogues
from audits.core import evidence_lists
from audits.core.gbt22239.catalogue import read_catalogue
from audits.errors import ChangedMeanwhile, SystemNotFound
from audits.models.assessments import Assessment, Verdict
from audits.models.systems import Asset, System
from audits.ports.assessments import AnnexSources
from audits.service.assessments.answers import Said, UnitAnswer
from audits.service.assessments.entering import Judgement
from audits.service.assessments.rounds import REST, ROUND_SECONDS
from secops.adapters.database.tables import ledger_door, outbox_events
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import DAY, HOUR
from secops.kernel.errors import Forbidden, Invalid, NotFound
from secops.kernel.pages import PageRequest, page_request
from tests.fakes.assessing import ANALYST, AUDITOR, ELSEWHERE, AssessingHouse, assessing_house

KEY = (ROOT_ORG, "this", "gbt22239", 3)
PAPER = "验收报告".encode()
PROOF = hashlib.sha256(PAPER).hexdigest()
SAID = Said(person="李四", reason="看过现场")
PROVEN = Said(person="李四", reason="有证据", evidence=(PROOF,))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[AssessingHouse]:
    with assessing_house(tmp_path) as opened:
        opened.spine.parts.blobs.put(PAPER)
        yield opened


def assess(house: AssessingHouse, standard: str = "gbt22239", level: int = 3) -> Assessment:
    return house.services.assessments.assess(AUDITOR, standard, level)


def document(house: AssessingHouse, made: Assessment) -> Any:
    return house.services.assessments.show_assessment(AUDITOR, made.id)


def verdict(made: Assessment, item: str) -> Verdict:
    return next(v for v in made.verdicts if v.item.id == item)


def announced(house: AssessingHouse) -> list[dict[str, Any]]:
    with house.spine.engine.connect() as connection:
        rows = connection.execute(sa.select(outbox_events).order_by(outbox_events.c.id)).all()
    return [orjson.loads(row.payload) for row in rows]


def fail_default_accounts(house: AssessingHouse) -> None:
    house.evidence.facts["iam.users"]["default_accounts"] = 1


def test_a_high_risk_case_goes_from_waiting_to_mitigated_by_a_named_persons_answers(
    house: AssessingHouse,
) -> None:
    fail_default_accounts(house)
    states = [document(house, assess(house))["high_risks"][0]["code"]]
    answers = house.services.answers
    for ticks, said in (
        ({"condition": True, "triggered": True, "never": False}, SAID),
        ({"condition": True, "triggered": True, "never": False, "mitigated": True}, PROVEN),
        ({"condition": True, "triggered": False}, SAID),
    ):
        house.clock.advance(1)
        answers.answer_case(AUDITOR, "gbt22239", "6.4.2.1", ticks, said)
        states.append(document(house, assess(house))["high_risks"][0]["code"])
    assert states[0] == "pending"
    assert states[1] in ("high", "high_lowerable")
    assert states[2] in ("high", "mitigated")
    assert states[3] == "none"


def test_a_persons_answer_ends_when_it_expires(house: AssessingHouse) -> None:
    fail_default_accounts(house)
    ticks = {"condition": True, "triggered": False}
    house.services.answers.answer_case(AUDITOR, "gbt22239", "6.4.2.1", ticks, replace(SAID, days=1))
    assert document(house, assess(house))["high_risks"][0]["code"] == "none"
    house.clock.advance(86_401)
    assert document(house, assess(house))["high_risks"][0]["code"] == "pending"


def test_a_high_risk_of_no_case_is_set_and_taken_back_by_a_person(house: AssessingHouse) -> None:
    answers = house.services.answers
    answers.set_high_risk(AUDITOR, "gbt22239", "L3-PES1-01", SAID)
    (risk,) = document(house, assess(house))["high_risks"]
    assert (risk["item"], risk["id"], risk["code"]) == ("L3-PES1-01", "", "high")
    assert risk["confirmed_by"] == "李四"
    house.clock.advance(1)
    answers.set_high_risk(AUDITOR, "gbt22239", "L3-PES1-01", SAID, high=False)
    assert document(house, assess(house))["high_risks"] == []


def test_major_risks_are_counted_only_where_a_person_ticked_all_three(
    house: AssessingHouse,
) -> None:
    service = house.services.answers
    catalogue = house.services.controls.catalogues.read("gbt22239")
    trigger = next(one for one in catalogue.triggers if one.item == "L3-PES1-03")
    judgement = Judgement("L3-PES1-03", "noncompliant", "不满足", "李四")
    house.services.assessments.enter_judgement(AUDITOR, "gbt22239", judgement)
    majors = document(house, assess(house))["majors"]
    assert (majors["found"], majors["pending"] >= 1) == (0, True)
    assert majors["items"][0]["trigger"] == trigger.id
    all_three = {"relevant": True, "severe": True, "frequent": True}
    house.clock.advance(1)
    service.tick_major(AUDITOR, "gbt22239", trigger.id, all_three, SAID)
    assert document(house, assess(house))["majors"]["found"] == 1
    house.clock.advance(1)
    service.tick_major(AUDITOR, "gbt22239", trigger.id, {**all_three, "rectified": True}, PROVEN)
    majors = document(house, assess(house))["majors"]
    assert (majors["found"], majors["rectified"]) == (1, 1)
    together = ("L3-PES1-01", "L3-PES1-02")
    service.tick_major(AUDITOR, "gbt22239", together, all_three, SAID)
    majors = document(house, assess(house))["majors"]
    assert (majors["found"], majors["items"][-1]["items"]) == (2, list(together))


def test_answers_without_sense_or_right_are_refused(house: AssessingHouse) -> None:
    answers = house.services.answers
    lowered = {"mitigated": True}
    tries: list[Any] = [
        lambda: answers.answer_case(AUDITOR, "gbt22239", "9.9.9.9", {}, SAID),
        lambda: answers.answer_case(AUDITOR, "gbt22239", "6.4.2.1", {"odd": True}, SAID),
        lambda: answers.answer_case(AUDITOR, "gbt22239", "6.4.2.1", lowered, SAID),
        lambda: answers.tick_major(AUDITOR, "gbt22239", "A-99", {}, SAID),
        lambda: answers.tick_major(AUDITOR, "gbt22239", ("L3-PES1-01",), {}, SAID),
        lambda: answers.tick_major(AUDITOR, "gbt22239", ("L3-PES1-01", "x"), {}, SAID),
        lambda: answers.tick_major(AUDITOR, "gbt22239", "A-01", {"rectified": True}, SAID),
        lambda: answers.set_high_risk(AUDITOR, "gbt22239", "L3-CES1-16", SAID),
        lambda: answers.set_high_risk(
            AUDITOR, "gbt22239", "L3-PES1-01", Said(person="", reason="r")
        ),
        lambda: answers.set_high_risk(
            AUDITOR, "gbt22239", "L3-PES1-01", Said(person="p", reason=" ")
        ),
        lambda: answers.set_high_risk(AUDITOR, "gbt22239", "L3-PES1-01", replace(SAID, days=367)),
        lambda: answers.set_high_risk(
            AUDITOR, "gbt22239", "L3-PES1-01", replace(SAID, evidence=("../x",))
        ),
        lambda: answers.set_high_risk(
            AUDITOR, "gbt22239", "L3-PES1-01", replace(SAID, evidence=(PROOF,) * 21)
        ),
        lambda: answers.set_high_risk(
            AUDITOR, "gbt22239", "L3-PES1-01", replace(SAID, evidence=("b" * 64,))
        ),
        lambda: answers.judge_unit(AUDITOR, "gbt39786", unit(module_level=2), SAID),
        lambda: answers.judge_unit(AUDITOR, "gbt39786", unit(unit_id="MP-7.1.1"), SAID),
        lambda: answers.judge_unit(AUDITOR, "gbt39786", unit(compensated_by="MP-7.1.1"), SAID),
        lambda: answers.judge_unit(AUDITOR, "gbt39786", unit(bits=-1), SAID),
        lambda: answers.judge_unit(AUDITOR, "gbt39786", unit(object_id="ast_x"), SAID),
        lambda: answers.judge_unit(AUDITOR, "gbt39786", unit(compensated_by="MP-6.1.1"), SAID),
        lambda: answers.judge_unit(AUDITOR, "gbt22238", unit(), SAID),
    ]
    for attempt in tries:
        with pytest.raises(Invalid):
            attempt()
    with pytest.raises(Forbidden):
        answers.set_high_risk(ANALYST, "gbt22239", "L3-PES1-01", SAID)
    with pytest.raises(SystemNotFound):
        answers.set_high_risk(
            AUDITOR, "gbt22239", "L3-PES1-01", replace(SAID, system_id="sys_other")
        )
    assert answers.list_person_answers(AUDITOR, "gbt22239", PageRequest(5)).items == []


def unit(**changes: Any) -> UnitAnswer:
    said = {"effective": True, "approved": True, "managed": True}
    return UnitAnswer(**{"unit_id": "MP-6.1.1", **said, **changes})


def test_software_keys_never_make_a_unit_compliant_at_level_3(house: AssessingHouse) -> None:
    answers = house.services.answers
    answers.judge_unit(AUDITOR, "gbt39786", unit(), SAID)
    software = verdict(assess(house, "gbt39786"), "MP-6.1.1")
    assert software.status == "partial"
    assert "未经商用密码认证的软件模块" in software.objects[0].reason.zh
    house.clock.advance(1)
    answers.judge_unit(AUDITOR, "gbt39786", unit(module_level=2), PROVEN)
    certified = verdict(assess(house, "gbt39786"), "MP-6.1.1")
    assert (certified.status, certified.value, certified.judge) == ("compliant", "1", "person")


def test_an_assessment_of_cryptography_has_no_total_while_units_are_open(
    house: AssessingHouse,
) -> None:
    made = assess(house, "gbt39786")
    shown = document(house, made)
    assert len(shown["items"]) == 41
    assert (shown["score"], shown["conclusion"]) == (None, None)
    (calculation,) = shown["calculations"]
    assert "S" not in calculation["figures"]
    assert "密码应用" in shown["title"]["zh"]
    assert any("推算" in doubt["zh"] for doubt in calculation["doubts"])


def test_a_unit_that_does_not_apply_leaves_the_sums(house: AssessingHouse) -> None:
    for item in assess(house, "gbt39786").verdicts:
        judgement = Judgement(item.item.id, "not_applicable", "无此对象", "李四")
        house.services.assessments.enter_judgement(AUDITOR, "gbt39786", judgement)
    made = assess(house, "gbt39786")
    assert made.counts["not_applicable"] + made.counts["noncompliant"] == 41
    assert made.score is None


def test_the_document_says_by_which_catalogue_it_was_judged(house: AssessingHouse) -> None:
    packaged = PackagedCatalogues({"gbt22239": read_catalogue}).read("gbt22239")
    assert len(packaged.digest) == 64
    assert document(house, assess(house))["catalogue_sha256"] == packaged.digest


def test_the_calculators_stand_in_the_document_with_edition_and_doubts(
    house: AssessingHouse,
) -> None:
    shown = document(house, assess(house))
    by_edition = {one["edition"]: one for one in shown["calculations"]}
    assert len(by_edition) == 2
    rated = next(one for name, one in by_edition.items() if "2025" in name)
    assert rated["applies"] is True
    assert rated["conclusion"] is None
    assert rated["doubts"]
    scored = next(one for name, one in by_edition.items() if "2021" in name)
    assert scored["applies"] is False
    assert shown["kinds"] == {"auto": 68, "semi": 71, "manual": 72}
    assert shown["judged_by"] == {"machine": 68, "person": 0, "nobody": 143}


def test_what_changed_since_the_last_assessment_is_named(house: AssessingHouse) -> None:
    first = assess(house)
    assert document(house, first)["delta"] is None
    house.clock.advance(1)
    fail_default_accounts(house)
    delta = document(house, assess(house))["delta"]
    assert delta["against"] == first.id
    assert delta["items"] == [{"id": "L3-CES1-06", "before": "compliant", "after": "noncompliant"}]


def test_each_item_has_a_history(house: AssessingHouse) -> None:
    assess(house)
    house.clock.advance(60)
    fail_default_accounts(house)
    assess(house)
    house.clock.advance(60)
    assess(house)
    service = house.services.controls
    page = service.list_history(AUDITOR, "gbt22239", "L3-CES1-06", PageRequest(1))
    assert [(c.before, c.after) for c in page.items] == [("compliant", "noncompliant")]
    following = page_request("5", page.next)
    rest = service.list_history(AUDITOR, "gbt22239", "L3-CES1-06", following)
    assert [(c.before, c.after) for c in rest.items] == [("", "compliant")]
    assert service.list_history(ELSEWHERE, "gbt22239", "L3-CES1-06", PageRequest(5)).items == []
    with pytest.raises(Forbidden):
        service.list_history(ANALYST, "gbt22239", "L3-CES1-06", PageRequest(5))


def test_drift_is_announced_once_and_is_a_gap_until_it_is_mended(house: AssessingHouse) -> None:
    assess(house)
    rounds, controls = house.services.rounds, house.services.controls
    assert (rounds.go_round(KEY), announced(house)) == (0, [])
    fail_default_accounts(house)
    assert (rounds.go_round(KEY), rounds.go_round(KEY)) == (1, 0)
    (told,) = announced(house)
    assert (told["item_id"], told["before"], told["after"]) == (
        "L3-CES1-06",
        "compliant",
        "noncompliant",
    )
    (gap,) = controls.list_gaps(AUDITOR)
    assert (gap.state.item_id, gap.state.severity) == ("L3-CES1-06", "high")
    assert gap.item is not None
    assert controls.list_gaps(ELSEWHERE) == []
    house.evidence.facts["iam.users"]["default_accounts"] = 0
    assert rounds.go_round(KEY) == 1
    assert controls.list_gaps(AUDITOR) == []
    assert len(announced(house)) == 2


def test_what_moved_in_a_round_keeps_its_evidence(house: AssessingHouse) -> None:
    assess(house)
    house.clock.advance(1)
    fail_default_accounts(house)
    house.services.rounds.go_round(KEY)
    page = house.services.controls.list_history(AUDITOR, "gbt22239", "L3-CES1-06", PageRequest(1))
    assert page.items[0].cause == "round"
    with house.spine.engine.connect() as connection:
        acts = [orjson.loads(row.record) for row in connection.execute(sa.select(ledger_door))]
    (act,) = [act for act in acts if act["action"] == "audits.note_drift"]
    assert act["details"]["moved"] == {"L3-CES1-06": "noncompliant"}
    for digest in act["details"]["evidence"]:
        assert b"default_accounts" in house.spine.parts.blobs.get(digest)


def test_more_evidence_than_a_record_holds_is_named_by_its_list(
    house: AssessingHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_lists, "MOST_NAMED", 0)
    made = assess(house)
    fail_default_accounts(house)
    house.services.rounds.go_round(KEY)
    with house.spine.engine.connect() as connection:
        acts = [orjson.loads(row.record) for row in connection.execute(sa.select(ledger_door))]
    said = {act["action"]: act["details"].get("evidence") for act in acts}
    listed = said["audits.assess"]
    assert listed["count"] == len(made.facts)
    assert orjson.loads(house.spine.parts.blobs.get(listed["sha256"])) == dict(made.facts)
    drift = orjson.loads(house.spine.parts.blobs.get(said["audits.note_drift"]["sha256"]))
    assert all(b"default_accounts" in house.spine.parts.blobs.get(digest) for digest in drift)


def test_losing_sight_of_what_was_compliant_is_a_gap_too(house: AssessingHouse) -> None:
    assess(house)
    del house.evidence.facts["iam.users"]["default_accounts"]
    house.services.rounds.go_round(KEY)
    (gap,) = house.services.controls.list_gaps(AUDITOR)
    assert (gap.state.status, gap.state.severity) == ("unassessed", "low")


def test_another_level_than_the_graded_one_is_watched_by_nobody(house: AssessingHouse) -> None:
    assess(house, level=2)
    fail_default_accounts(house)
    assert house.services.rounds.go_round((ROOT_ORG, "this", "gbt22239", 2)) == 0
    assess(house, level=2)
    assert announced(house) == []


def test_rounds_rest_fifty_times_as_long_as_they_took(house: AssessingHouse) -> None:
    assess(house)
    rounds = house.services.rounds
    looked: list[int] = []

    def slow(*_: Any) -> list[Any]:
        looked.append(1)
        house.clock.advance(100)
        return []

    object.__setattr__(rounds.inquiry, "sources", (slow,))
    assert (rounds.tick(), rounds.tick(), len(looked)) == (False, False, 1)
    house.clock.advance(ROUND_SECONDS + 1)
    rounds.tick()
    assert len(looked) == 1
    house.clock.advance(REST * 100 - ROUND_SECONDS)
    rounds.tick()
    assert len(looked) == 2


def test_a_round_that_can_not_look_waits_for_the_next(house: AssessingHouse) -> None:
    assess(house)
    house.register.systems[ROOT_ORG, "this"] = System(
        id="this", org_id=ROOT_ORG, name="n", level=2, s_level=2, a_level=2
    )
    assert house.services.rounds.go_round(KEY) == 0


def test_a_schedule_assesses_again_with_the_rights_that_are_left(house: AssessingHouse) -> None:
    service = house.services.schedules
    schedule = service.schedule_assessment(AUDITOR, "gbt22239", 3, 24)
    house.roles.held[AUDITOR.id] = frozenset({"auditor"})
    assert service.tick() is False
    house.clock.advance(24 * 3_600)
    assert (service.tick(), service.tick()) == (True, False)
    (listed,) = service.list_schedules(AUDITOR, PageRequest(5)).items
    assert (listed.last_id.startswith("asm_"), listed.failed) == (True, "")
    assert listed.next_at == schedule.next_at + 24 * HOUR
    house.roles.held[AUDITOR.id] = None
    house.clock.advance(24 * 3_600)
    assert service.tick() is True
    (listed,) = service.list_schedules(AUDITOR, PageRequest(5)).items
    assert "may not act any more" in listed.failed
    house.roles.held[AUDITOR.id] = frozenset({"analyst"})
    house.clock.advance(24 * 3_600)
    service.tick()
    (listed,) = service.list_schedules(AUDITOR, PageRequest(5)).items
    assert listed.failed.startswith("kernel.forbidden") or "forbidden" in listed.failed


def test_schedules_are_bounded_own_and_once(house: AssessingHouse) -> None:
    service = house.services.schedules
    for hours in (0, 366 * 24 + 1):
        with pytest.raises(Invalid):
            service.schedule_assessment(AUDITOR, "gbt22239", 3, hours)
    with pytest.raises(Forbidden):
        service.schedule_assessment(ANALYST, "gbt22239", 3, 24)
    with pytest.raises(Invalid):
        service.schedule_assessment(replace(AUDITOR, kind="client"), "gbt22239", 3, 24)
    schedule = service.schedule_assessment(AUDITOR, "gbt22239", 3, 24)
    with pytest.raises(ChangedMeanwhile):
        service.schedule_assessment(AUDITOR, "gbt22239", 3, 48)
    with pytest.raises(NotFound):
        service.cancel_schedule(ELSEWHERE, schedule.id)
    service.cancel_schedule(AUDITOR, schedule.id)
    assert service.list_schedules(AUDITOR, PageRequest(5)).items == []
    service.schedule_assessment(AUDITOR, "gbt22239", 3, 24)


def test_evidence_of_an_assessment_is_shown_and_no_other_blob(house: AssessingHouse) -> None:
    made = assess(house)
    service = house.services.assessments
    digest = made.facts["iam.users"]
    assert service.show_evidence(AUDITOR, made.id, digest)["facts"]["default_accounts"] == 0
    secret = house.spine.parts.blobs.put(b'{"secret":1}')
    with pytest.raises(NotFound):
        service.show_evidence(AUDITOR, made.id, secret)
    with pytest.raises(NotFound):
        service.show_evidence(ELSEWHERE, made.id, digest)


def test_annexes_are_rows_of_other_registers_and_name_their_items(tmp_path: Path) -> None:
    annexes = AnnexSources(
        tasks=lambda *_: [{"id": "tsk_1", "item": "L3-CES1-06", "title": "改"}],
        waivers=lambda *_: [
            {"id": "wvr_0", "item": "L3-CES1-07", "state": "expired"},
            {"id": "wvr_1", "item": "L3-CES1-07"},
            {"id": "wvr_2", "item": "L3-CES1-08", "state": "expired"},
            {"id": "wvr_3", "item": "L3-CES1-12", "state": "pending"},
        ],
        risks=lambda *_: [{"id": "rsk_1"}],
        records=lambda *_: [{"id": "rec_1"}],
    )
    with assessing_house(tmp_path, annexes) as house:
        shown = document(house, assess(house))
    items = {item["id"]: item for item in shown["items"]}
    assert items["L3-CES1-06"]["tasks"] == ["tsk_1"]
    assert items["L3-CES1-07"]["waiver"] == {"id": "wvr_1", "item": "L3-CES1-07"}
    assert items["L3-CES1-08"]["waiver"]["state"] == "expired"
    assert items["L3-CES1-12"]["waiver"] is None
    assert [shown[name][0]["id"] for name in ("tasks", "waivers", "risks", "records")] == [
        "tsk_1",
        "wvr_0",
        "rsk_1",
        "rec_1",
    ]


def test_a_persons_judgement_of_one_asset_counts_for_that_object(house: AssessingHouse) -> None:
    asset = Asset(id="ast_1", org_id=ROOT_ORG, system_id="this", name="交换机", kind="network")
    house.register.assets.append(asset)
    judgement = Judgement("L3-PES1-01", "partial", "看过", "李四", PROOF, object_id="ast_1")
    house.services.assessments.enter_judgement(AUDITOR, "gbt22239", judgement)
    made = assess(house)
    found = verdict(made, "L3-PES1-01")
    assert [(one.name, one.status) for one in found.objects] == [("交换机", "partial")]
    assert (found.status, found.judge, found.value) == ("partial", "person", "0.5")
    assert [one.digest for one in found.evidence] == [PROOF]
    shown = document(house, made)
    assert [asset["name"] for asset in shown["assets"]] == ["交换机"]
    with pytest.raises(Invalid):
        house.services.assessments.enter_judgement(
            AUDITOR, "gbt22239", replace(judgement, object_id="ast_2")
        )


def test_expired_entries_of_assets_end(house: AssessingHouse) -> None:
    house.register.assets.append(
        Asset(id="ast_1", org_id=ROOT_ORG, system_id="this", name="n", kind="network")
    )
    judgement = Judgement("L3-PES1-01", "compliant", "看过", "李四", days=1, object_id="ast_1")
    house.services.assessments.enter_judgement(AUDITOR, "gbt22239", judgement)
    house.clock.advance(DAY // 1_000_000 + 1)
    assert verdict(assess(house), "L3-PES1-01").status == "unassessed"


def test_a_judgement_names_no_document_that_is_not_kept_here(house: AssessingHouse) -> None:
    judgement = Judgement("L3-PES1-01", "compliant", "看过", "李四", "b" * 64)
    for digest in ("b" * 64, "../x"):
        with pytest.raises(Invalid):
            house.services.assessments.enter_judgement(
                AUDITOR, "gbt22239", replace(judgement, evidence_digest=digest)
            )


def test_answers_are_listed_newest_first_a_page_at_a_time(house: AssessingHouse) -> None:
    answers = house.services.answers
    for high in (True, False):
        house.clock.advance(1)
        answers.set_high_risk(AUDITOR, "gbt22239", "L3-PES1-01", SAID, high=high)
    first = answers.list_person_answers(AUDITOR, "gbt22239", PageRequest(1))
    rest = answers.list_person_answers(AUDITOR, "gbt22239", page_request("5", first.next))
    assert [one.values for one in (*first.items, *rest.items)] == [{"high": False}, {"high": True}]
    assert answers.list_person_answers(ELSEWHERE, "gbt22239", PageRequest(5)).items == []


def test_one_round_that_breaks_keeps_no_other_from_its_turn(house: AssessingHouse) -> None:
    assess(house)
    assess(house, "gbt39786")

    def broken(*_: Any) -> list[Any]:
        raise ZeroDivisionError

    object.__setattr__(house.services.rounds.inquiry, "sources", (broken,))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            house.services.rounds.tick()
    assert house.services.rounds.tick() is False


def test_a_person_who_confirms_a_failure_does_not_end_the_gap(house: AssessingHouse) -> None:
    assess(house)
    fail_default_accounts(house)
    house.services.rounds.go_round(KEY)
    judgement = Judgement("L3-CES1-06", "noncompliant", "确认", "李四")
    house.services.assessments.enter_judgement(AUDITOR, "gbt22239", judgement)
    house.services.rounds.go_round(KEY)
    (gap,) = house.services.controls.list_gaps(AUDITOR)
    assert (gap.state.judge, gap.state.drifted_from) == ("person", "compliant")


def test_gaps_of_a_level_that_is_not_watched_any_more_end(house: AssessingHouse) -> None:
    assess(house)
    fail_default_accounts(house)
    house.services.rounds.go_round(KEY)
    house.register.systems[ROOT_ORG, "this"] = System(
        id="this", org_id=ROOT_ORG, name="n", level=2, s_level=2, a_level=2
    )
    before = len(announced(house))
    assert house.services.rounds.go_round(KEY) == 0
    assert house.services.controls.list_gaps(AUDITOR) == []
    assert len(announced(house)) == before + 1
    gone = (ROOT_ORG, "sys_gone", "gbt22239", 3)
    assert house.services.rounds.go_round(gone) == 0


def test_a_fact_that_is_no_number_was_not_read(house: AssessingHouse) -> None:
    house.evidence.facts["iam.users"]["default_accounts"] = "many"
    assert verdict(assess(house), "L3-CES1-06").status == "unassessed"
