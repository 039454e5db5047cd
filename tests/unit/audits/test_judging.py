"""Items judged object by object, and D, A and K from what machines and persons see."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from audits.adapters.controls import PackagedCatalogues
from audits.core.drift import severity_of
from audits.core.gbt22239.answers import current_answers
from audits.core.gbt22239.findings import Looking
from audits.core.gbt22239.judging import (
    Basis,
    Checks,
    Judged,
    exact_value,
    judge_item,
    see,
    status_of,
    value_of,
)
from audits.core.gbt39786.assess import assess
from audits.core.standards import READERS
from audits.models.assessments import PersonAnswer, PersonEntry, Status, Verdict
from audits.models.evidence import Origin, Snapshot
from audits.models.systems import Asset, Scope, System

GENERAL, CRYPTO = (PackagedCatalogues(READERS).read(name) for name in ("gbt22239", "gbt39786"))
AUTO = next(item for item in GENERAL.items if item.id == "L3-CES1-18")
SYSTEM = System(id="sys_1", org_id="o", name="业务系统", level=3, s_level=3, a_level=3)
HOSTS = tuple(
    Asset(id=f"ast_{n}", org_id="o", system_id="sys_1", name=f"web{n}", kind="host")
    for n in (1, 2, 3)
)
COVER = date(2026, 11, 23)


def ports(look: Looking) -> None:
    look.expect("host.ports/open", "0", lambda n: n == 0)


CHECKS = Checks({}, {AUTO.id: {"host": ports}})


def snapshot(kind: str, object_id: str, **facts: Any) -> Snapshot:
    return Snapshot(kind, facts, Origin(source="test"), 1, object_id)


def entry(object_id: str, status: Status) -> PersonEntry:
    return PersonEntry(
        "e", "o", "sys_1", AUTO.id, status, "看过", "", "acc", "李四", 1, 99, object_id
    )


def judged(*snapshots: Snapshot, entries: tuple[PersonEntry, ...] = ()) -> Verdict:
    return judge_item(AUTO, 3, see(Scope(SYSTEM, HOSTS), CHECKS, snapshots, entries, 1))


def test_an_item_is_made_of_its_objects() -> None:
    good, bad = ("ast_1", 0), ("ast_2", 4)
    seen = [snapshot("host.ports", name, open=n) for name, n in (good, bad, ("ast_3", 0))]
    mixed = judged(*seen)
    assert (mixed.status, mixed.value, mixed.judge) == ("partial", "0.6667", "machine")
    assert "web2" in mixed.reason.zh
    assert [one.status for one in mixed.objects] == ["compliant", "noncompliant", "compliant"]
    assert [seen.seen for seen in mixed.observations] == ["4"]
    fine = judged(*(snapshot("host.ports", host.id, open=0) for host in HOSTS))
    assert (fine.status, fine.proposed, fine.value) == ("compliant", True, "1")
    assert severity_of(mixed) == "low"


def test_an_object_without_evidence_leaves_the_item_open_unless_a_failure_was_seen() -> None:
    some = judged(snapshot("host.ports", "ast_1", open=0))
    assert (some.status, some.value) == ("unassessed", None)
    failing = judged(snapshot("host.ports", "ast_1", open=3))
    assert (failing.status, failing.value) == ("noncompliant", "0")


def test_a_system_that_uses_nothing_of_the_platform_owes_it_no_evidence() -> None:
    def own(look: Looking) -> None:
        look.expect("iam.roles/conflicts", "0", lambda n: n == 0)

    whole = Checks({AUTO.id: own}, {})
    alone = judge_item(AUTO, 3, see(Scope(SYSTEM), whole, (), (), 1))
    assert (alone.objects, alone.status) == ((), "unassessed")
    assert "尚未覆盖" in alone.reason.zh
    using = System(id="sys_2", org_id="o", name="n", level=3, s_level=3, a_level=3, uses=("iam",))
    owing = judge_item(AUTO, 3, see(Scope(using), whole, (), (), 1))
    assert "iam.roles/conflicts" in owing.objects[0].reason.zh


def test_a_check_that_looked_at_nothing_finds_nothing() -> None:
    def idle(look: Looking) -> None:
        look.fact("host.ports/open")

    nothing = Checks({}, {AUTO.id: {"host": idle}})
    seen = see(Scope(SYSTEM, HOSTS[:1]), nothing, [snapshot("host.ports", "ast_1", open=0)], (), 1)
    assert judge_item(AUTO, 3, seen).status == "unassessed"


def test_persons_judge_objects_but_raise_none_that_a_machine_saw_failing() -> None:
    seen = [snapshot("host.ports", host.id, open=int(host.id == "ast_1")) for host in HOSTS]
    raised = judged(*seen, entries=(entry("ast_1", "compliant"),))
    assert raised.objects[0].status == "noncompliant"
    lowered = judged(*seen, entries=(entry("ast_2", "noncompliant"),))
    assert (lowered.objects[1].status, lowered.objects[1].person) == ("noncompliant", "李四")
    for status, expected in (
        ("compliant", "partial"),
        ("not_applicable", "partial"),
        ("noncompliant", "noncompliant"),
    ):
        assert judged(*seen, entries=(entry("", status),)).status == expected  # type: ignore[arg-type]
    out = judged(entries=tuple(entry(host.id, "not_applicable") for host in HOSTS))
    assert (out.status, out.value, out.judge) == ("not_applicable", None, "person")
    assert "不适用" in out.reason.zh


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "unassessed"),
        (["not_applicable"], "not_applicable"),
        (["compliant", "not_applicable"], "compliant"),
        (["compliant", "unassessed"], "unassessed"),
        (["partial", "unassessed"], "partial"),
        (["noncompliant", "noncompliant"], "noncompliant"),
        (["compliant", "noncompliant"], "partial"),
    ],
)
def test_a_status_is_never_better_than_its_objects(
    statuses: list[Status], expected: Status
) -> None:
    assert status_of(statuses) == expected


def test_a_value_is_the_mean_of_judged_objects() -> None:
    assert value_of(["compliant", "noncompliant", "noncompliant"]) == "0.3333"
    assert value_of(["partial", "unassessed", "not_applicable"]) == "0.5"
    assert value_of(["unassessed"]) is None


def answer(unit: str, at: int = 1, object_id: str = "", **values: Any) -> PersonAnswer:
    said = {
        "effective": True,
        "approved": True,
        "managed": True,
        "bits": 0,
        "module_level": 0,
        "compensated_by": "",
        **values,
    }
    return PersonAnswer(
        id=f"a{at}",
        org_id="o",
        system_id="sys_1",
        standard="gbt39786",
        kind=values.pop("kind", "unit"),
        subject=unit,
        object_id=object_id,
        values=said,
        reason="看过",
        evidence=(),
        account_id="acc",
        person="李四",
        at=at,
        expires_at=99,
    )


def crypto(
    *answers: PersonAnswer,
    facts: tuple[Snapshot, ...] = (),
    entries: tuple[PersonEntry, ...] = (),
    uses: Any = (),
) -> Judged:
    system = System(id="sys_1", org_id="o", name="n", level=3, s_level=3, a_level=3, uses=uses)
    from audits.core.gbt39786.assess import ALL_CHECKS  # noqa: PLC0415

    seen = see(Scope(system, HOSTS), ALL_CHECKS, facts, entries, 1)
    return assess(Basis(CRYPTO, 3, seen, current_answers(answers, 1)), COVER)


def unit_of(made: Judged, unit: str) -> Verdict:
    return next(verdict for verdict in made.verdicts if verdict.item.id == unit)


def test_without_effect_nothing_else_counts() -> None:
    none = unit_of(crypto(answer("MP-6.1.1", effective=False)), "MP-6.1.1")
    assert (none.status, none.value) == ("noncompliant", "0")


def test_objects_of_a_unit_are_averaged() -> None:
    made = crypto(
        answer("MP-6.1.1", object_id="ast_1", module_level=2),
        answer("MP-6.1.1", object_id="ast_2", effective=False),
        answer("MP-6.1.1", object_id="ast_9", effective=False),
    )
    unit = unit_of(made, "MP-6.1.1")
    assert (unit.status, unit.value, unit.person) == ("partial", "0.5", "李四")


def test_a_unit_that_another_makes_up_for_has_half_of_its_score() -> None:
    made = crypto(
        answer("MP-6.1.1", module_level=2),
        answer("MP-6.1.2", effective=False, compensated_by="MP-6.1.1"),
    )
    assert unit_of(made, "MP-6.1.2").value == "0.5"


def test_management_units_have_the_value_of_their_status() -> None:
    said = PersonEntry("e", "o", "sys_1", "MP-7.1.1", "partial", "r", "", "a", "李四", 1, 99)
    unit = unit_of(crypto(entries=(said,)), "MP-7.1.1")
    assert (unit.status, unit.value, unit.person) == ("partial", "0.5", "李四")


STORED = (
    snapshot("db.encryption", "", sealed_fields=True, graded_in_clear=0),
    snapshot(
        "kms.policy", "", weak_keys=0, keys_not_approved=8, rotations_overdue=0, least_bits=128
    ),
    snapshot("kms.custody", "", hardware=False, damaged_system_keys=0),
)


def test_machine_evidence_gives_d_a_and_k_and_software_keys_stay_software() -> None:
    seen = unit_of(crypto(facts=STORED), "MP-6.4.5")
    assert (seen.status, seen.judge, seen.value) == ("partial", "machine", "0.25")
    claimed = answer("MP-6.4.5", module_level=3)
    told = unit_of(crypto(claimed, facts=STORED), "MP-6.4.5")
    assert (told.status, told.value) == ("partial", "0.25")


@pytest.mark.parametrize(
    ("kind", "fact"), [("db.encryption", "graded_in_clear"), ("kms.custody", "hardware")]
)
def test_an_axis_of_which_a_part_is_missing_is_not_scored(kind: str, fact: str) -> None:
    facts = tuple(
        replace(each, facts={k: v for k, v in each.facts.items() if (each.kind, k) != (kind, fact)})
        for each in STORED
    )
    seen = unit_of(crypto(facts=facts), "MP-6.4.5")
    assert (seen.status, seen.value) == ("unassessed", None)
    assert fact in seen.objects[0].reason.zh


def test_a_high_risk_that_a_person_sets_makes_the_conclusion_fail() -> None:
    high = answer("MP-6.1.1", kind="risk", high=True)
    made = crypto(high)
    assert [case.state.code for case in made.cases] == ["high"]
    assert made.conclusion is None


def test_a_persons_word_takes_nothing_away_from_what_falls_short_in_part() -> None:
    def lesser(look: Looking) -> None:
        look.expect("host.ports/open", "0", lambda n: n == 0, fatal=False)
        look.expect("host.ports/shares", "0", lambda n: n == 0)

    checks = Checks({}, {AUTO.id: {"host": lesser}})
    for facts, before in (({"open": 1, "shares": 0}, "partial"), ({"open": 1}, "unassessed")):
        seen = [snapshot("host.ports", host.id, **facts) for host in HOSTS]
        for status in ("compliant", "not_applicable"):
            for said in ([entry("", status)], [entry(host.id, status) for host in HOSTS]):
                found = see(Scope(SYSTEM, HOSTS), checks, seen, said, 1)
                assert judge_item(AUTO, 3, found).status == before
        lowered = see(Scope(SYSTEM, HOSTS), checks, seen, [entry("", "partial")], 1)
        assert judge_item(AUTO, 3, lowered).judge == "person"


def test_one_asset_that_a_person_judged_does_not_speak_for_the_others_of_its_kind() -> None:
    bare = Checks({}, {})
    one = see(Scope(SYSTEM, HOSTS), bare, (), (entry("ast_1", "compliant"),), 1)
    found = judge_item(AUTO, 3, one)
    assert [each.status for each in found.objects] == ["compliant", "unassessed", "unassessed"]
    assert (found.status, found.value) == ("unassessed", None)
    both = (entry("ast_1", "compliant"), entry("", "compliant"))
    assert judge_item(AUTO, 3, see(Scope(SYSTEM, HOSTS), bare, (), both, 1)).status == "compliant"


def test_an_item_is_not_compliant_by_a_word_while_an_asset_was_not_looked_at() -> None:
    some = [snapshot("host.ports", "ast_1", open=0)]
    word = judged(*some, entries=(entry("", "compliant"),))
    assert (word.status, word.judge) == ("unassessed", "nobody")
    assert judged(*some, entries=(entry("", "partial"),)).status == "partial"


def test_what_a_person_judged_by_the_wording_of_one_level_is_not_taken_for_another() -> None:
    stronger = next(item for item in GENERAL.items if 4 in item.differs_at and item.sag == "G")
    said = replace(entry("", "compliant"), item_id=stronger.id)
    seen = see(Scope(SYSTEM), Checks({}, {}), (), (said,), 1)
    assert judge_item(stronger, 3, seen).status == "compliant"
    assert judge_item(stronger, 4, seen).status == "unassessed"


def test_the_score_takes_values_before_they_are_rounded() -> None:
    third = judged(
        *(snapshot("host.ports", host.id, open=int(host.id != "ast_1")) for host in HOSTS)
    )
    assert (third.value, exact_value(third)) == ("0.3333", Fraction(1, 3))
    raised = judged(entries=(entry("", "partial"),))
    assert exact_value(raised) == Fraction(1, 2)
    assert exact_value(judged()) is None


def test_an_answer_that_names_a_unit_of_another_level_stops_no_assessment() -> None:
    above = next(item for item in CRYPTO.items if 1 not in item.weights)
    system = replace(SYSTEM, level=1, s_level=1, a_level=1)
    named = answer("MP-6.1.1", effective=False, compensated_by=above.id)
    seen = see(Scope(system), Checks({}, {}), (), (), 1)
    made = assess(Basis(CRYPTO, 1, seen, current_answers((named,), 1)), COVER)
    assert unit_of(made, "MP-6.1.1").value == "0"


def test_cryptography_that_a_machine_saw_in_use_does_not_leave_the_sums_by_a_word() -> None:
    away = PersonEntry("e", "o", "sys_1", "MP-6.4.5", "not_applicable", "r", "", "a", "李四", 1, 99)
    kept = unit_of(crypto(facts=STORED, entries=(away,)), "MP-6.4.5")
    assert (kept.status, kept.value) == ("partial", "0.25")
