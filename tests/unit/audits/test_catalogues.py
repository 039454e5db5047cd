"""Catalogues add up, name nothing that is not there, and refuse what is not their schema."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from audits.adapters.controls import PackagedCatalogues, catalogue_data
from audits.core.catalogue_links import asked_of, kinds_read, links_of
from audits.core.catalogue_rows import Row, maybe_both, read_levels, read_weights, rows_of
from audits.core.gbt22239.catalogue import CLASSES, EXTENSION_TOTALS, TOTALS, side_of
from audits.core.gbt22239.judging import Checks
from audits.core.gbt22239.rules import is_so, none_of, ruled
from audits.core.gbt22239.selection import select
from audits.core.standards import CHECKS, READERS
from audits.errors import CatalogueRejected, UnknownStandard
from audits.models.catalogue import Asked, Catalogue
from secops.kernel.catalogue import Text

DATA = {standard: catalogue_data(standard) for standard in READERS}
GENERAL, CRYPTO = (PackagedCatalogues(READERS).read(standard) for standard in READERS)
EVERY = GENERAL.of(tuple(GENERAL.extensions))


def changed(standard: str, change: Callable[[dict[str, Any]], object]) -> Catalogue:
    data = copy.deepcopy(DATA[standard])
    change(data)
    return READERS[standard](data)


def test_the_totals_of_all_classes_and_levels_hold() -> None:
    assert len(GENERAL.items) == 231
    assert [len(GENERAL.at(level)) for level in (1, 2, 3, 4)] == [55, 135, 211, 228]
    for level, wanted in TOTALS.items():
        codes = Counter(item.class_code for item in GENERAL.at(level))
        assert tuple(codes[code] for code in CLASSES) == wanted


def test_how_items_are_judged_adds_up() -> None:
    by_level = {level: Counter(item.assess for item in GENERAL.at(level)) for level in (2, 3)}
    assert by_level[2] == {"auto": 45, "semi": 38, "manual": 52}
    assert by_level[3] == {"auto": 68, "semi": 71, "manual": 72}
    assert Counter(item.sag for item in GENERAL.at(3)) == {"S": 24, "A": 6, "G": 181}
    assert Counter(side_of(item) for item in GENERAL.at(3)) == {"technical": 96, "management": 115}


def test_clauses_are_keys_and_derived_identifiers_are_not_official() -> None:
    clauses = [item.clause[3] for item in GENERAL.at(3)]
    assert len(set(clauses)) == len(clauses) == 211
    assert "L3-CES1-16" not in {item.id for item in EVERY}
    assert all(1 not in item.clause for item in EVERY)
    official = [item for item in GENERAL.items if item.is_official_at(3)]
    assert len(official) == 96
    assert {side_of(item) for item in official} == {"technical"}
    assert not any(item.is_official_at(level) for item in EVERY for level in (1, 2, 4))
    (site,) = (item for item in GENERAL.items if item.id == "L3-PES1-04")
    assert (site.id_at(3), site.id_at(4)) == ("L3-PES1-04", "L4-PES1-05")


def test_extensions_add_up_and_do_not_mix_with_the_general_requirements() -> None:
    for name, wanted in EXTENSION_TOTALS.items():
        extension = GENERAL.extensions[name]
        assert tuple(len(extension.at(level)) for level in (1, 2, 3, 4)) == wanted
        assert {item.extension for item in extension.items} == {name}
        assert extension.doubts
    assert len(GENERAL.at(3, ("cloud", "ics"))) == 211 + 46 + 21
    assert not {item.class_code for item in GENERAL.at(3)} & {
        item.class_code for item in GENERAL.at(4, tuple(EXTENSION_TOTALS))[228:]
    }
    assert GENERAL.at(3, ("unheard of",)) == GENERAL.at(3)


def test_cases_and_triggers_sit_where_the_guideline_puts_them() -> None:
    general = [case for case in GENERAL.high_risk if not case.scope]
    assert len(general) == 42
    assert len(GENERAL.high_risk) == 81
    at_three = {item.id for item in GENERAL.at(3)}
    assert sum(case.item in at_three for case in general) == 40
    assert {case.id for case in general if case.item not in at_three} == {"6.1.3.2", "6.4.6.3"}
    assert [trigger.id for trigger in GENERAL.triggers] == [f"A-{n:02d}" for n in range(1, 33)]
    never = {case.id: case.never.zh for case in general if case.never}
    assert "互联网" in never["6.4.3.2"]
    assert "Windows" in never["6.4.4.1"]
    extended = {case.scope for case in GENERAL.high_risk} - {""}
    assert extended == set(GENERAL.extensions)
    for case in GENERAL.high_risk:
        if case.scope:
            (item,) = (each for each in EVERY if each.id == case.item)
            assert item.extension == case.scope
            assert case.min_level >= max(2, min(item.levels))
            assert len(case.doubts) == 2


def test_units_of_cryptography_add_up() -> None:
    assert len(CRYPTO.items) == 41
    assert [len(CRYPTO.at(level)) for level in (1, 2, 3, 4)] == [24, 27, 41, 41]
    by_kind = Counter(item.assess for item in CRYPTO.at(3))
    assert by_kind == {"auto": 14, "semi": 17, "manual": 10}
    (unit,) = (item for item in CRYPTO.items if item.id == "MP-6.2.4")
    assert [str(unit.weight_at(level)) for level in (1, 2, 3, 4)] == ["2/5", "2/5", "2/5", "7/10"]
    assert (unit.class_code, unit.clause[3], unit.strength[3]) == ("NET", "8.2 d)", "宜")
    assert GENERAL.items[0].weight_at(3) == 1
    assert len(CRYPTO.high_risk) == 16
    assert CRYPTO.algorithms["SM2"].approved
    assert CRYPTO.algorithms["MD5"].insecure
    assert CRYPTO.algorithms["AES-256"].bits == 256


def test_everything_an_item_links_to_is_there() -> None:
    links = {link.item_id: link for link in links_of(GENERAL, CHECKS["gbt22239"])}
    assert len(links) == 344
    assert set(GENERAL.evidence) - {kind for link in links.values() for kind in link.evidence} == {
        "iam.audit"
    }
    named = set(DATA["gbt22239"]["rules"])
    assert {rule for link in links.values() for rule in link.rules} == named
    assert len(named) >= 150
    assert {paper for link in links.values() for paper in link.documents} == {
        document.id for document in GENERAL.documents
    }
    assert sum(len(link.cases) for link in links.values()) == 81
    assert links["L3-CES1-01"].cases == ("6.4.1.1",)
    assert links["L3-CES1-01"].triggers == ("A-18",)
    assert links["L3-CES1-01"].rules == (
        "root_password_changed",
        "windows_ticket_without_preauthentication",
    )
    automatic = {item.id for item in GENERAL.at(3) if item.assess == "auto"}
    assert automatic <= {link.item_id for link in links.values() if link.read}


def test_every_check_is_of_an_item_and_reads_kinds_that_are_known() -> None:
    for catalogue in (GENERAL, CRYPTO):
        checks = CHECKS[catalogue.standard]
        read = {link.item_id: link.read for link in links_of(catalogue, checks) if link.read}
        assert set(read) == {*checks.whole, *checks.assets}
        assert all(asked_of(checks, item) for item in read)
    assert not set(GENERAL.evidence) & set(GENERAL.own_evidence)
    stray = Checks({"L3-CES1-16": ruled(is_so("iam.users/x"))}, {})
    with pytest.raises(CatalogueRejected, match="checks name"):
        links_of(GENERAL, stray)
    unknown = Checks({"L3-CES1-01": ruled(is_so("no.such/x"))}, {})
    with pytest.raises(CatalogueRejected, match="checks read"):
        links_of(GENERAL, unknown)


def test_what_a_check_demands_is_told_of_the_whole_and_of_each_kind_of_asset() -> None:
    asset = ruled(none_of("host.accounts/defaults", fatal=False))
    checks = Checks({"L3-CES1-06": ruled(is_so("iam.users/x"))}, {"L3-CES1-06": {"host": asset}})
    assert asked_of(checks, "L3-CES1-06") == (
        Asked("", "iam.users/x", "true", fatal=True),
        Asked("host", "host.accounts/defaults", "0", fatal=False),
    )
    assert kinds_read(checks, "L3-CES1-06") == ("host.accounts", "iam.users")
    assert asked_of(checks, "L3-CES1-01") == ()
    assert kinds_read(checks, "L3-CES1-01") == ()


def test_every_document_is_of_a_kind_its_items_ask_for() -> None:
    kinds = {item.id: item.evidence for item in EVERY}
    for document in GENERAL.documents:
        assert all(document.kind in kinds[item] for item in document.items), document.id
    papers = {item for document in GENERAL.documents for item in document.items}
    manual = {item.id for item in EVERY if item.assess == "manual"}
    assert manual <= papers


def test_everything_is_said_in_both_languages() -> None:
    texts = [
        *(
            text
            for item in (*EVERY, *CRYPTO.items)
            for text in (item.requirement, item.control_point)
        ),
        *(Text(item.class_title, item.class_title_en) for item in (*EVERY, *CRYPTO.items)),
        *(case.trigger for case in (*GENERAL.high_risk, *CRYPTO.high_risk)),
        *(case.may_lower for case in GENERAL.high_risk if case.may_lower),
        *(trigger.trigger for trigger in GENERAL.triggers),
        *(kind.what for kind in GENERAL.evidence.values()),
        *(kind.what for kind in GENERAL.own_evidence.values()),
        *(document.title for document in GENERAL.documents),
        *GENERAL.doubts,
        *CRYPTO.doubts,
    ]
    for text in texts:
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh), text
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in text.en), text


def test_a_grading_result_selects_s_a_and_g_apart() -> None:
    selection = select(GENERAL.items, 2, 3)
    assert selection.sag == "S2A3G3"
    for each in selection.selected:
        assert each.level == {"S": 2, "A": 3, "G": 3}[each.item.sag]
        assert each.level in each.item.levels
    assert len(selection.items) < len(GENERAL.at(3))
    assert len(select(GENERAL.items, 3, 3).items) == 211
    assert select(GENERAL.items, 1, 1).level == 1
    assert len(select(GENERAL.of(("iot",)), 3, 3).doubts) == 2
    for s_level, a_level in ((0, 3), (3, 5)):
        with pytest.raises(UnknownStandard):
            select(GENERAL.items, s_level, a_level)


def test_an_unknown_standard_is_refused() -> None:
    with pytest.raises(UnknownStandard):
        PackagedCatalogues(READERS).read("../secrets")


@pytest.mark.parametrize(
    ("standard", "change", "told"),
    [
        ("gbt22239", lambda data: data["items"].pop(), "has not 231"),
        ("gbt22239", lambda data: data["items"][0].update(levels=[3]), "level 2 has"),
        ("gbt22239", lambda data: data["items"][0].update(class_code="XYZ"), "level 2 has"),
        ("gbt22239", lambda data: data["items"][0].update(sag="X"), "neither S, A nor G"),
        ("gbt22239", lambda data: data["items"][0].update(evidence=[]), "no evidence"),
        ("gbt22239", lambda data: data["items"][0].update(evidence=["a.b"]), "items name"),
        ("gbt22239", lambda data: data["items"][0].update(id="L3-PES1-02"), "repeats the item"),
        ("gbt22239", lambda data: data["items"][0].update(stray=1), "no proper stray"),
        ("gbt22239", lambda data: data["items"][0].update(assess="maybe"), "knows no 'maybe'"),
        ("gbt22239", lambda data: data["items"][0].update(control_point="别处"), "has not 2 items"),
        ("gbt22239", lambda data: data["control_points"].pop(), "control points, not"),
        ("gbt22239", lambda data: data["extensions"].pop(), "extensions have"),
        (
            "gbt22239",
            lambda data: data["extensions"][0]["points_l3"].popitem(),
            "control points of",
        ),
        ("gbt22239", lambda data: data["high_risk"][0].update(item="L3-X"), "high-risk cases name"),
        ("gbt22239", lambda data: data["high_risk"][0].update(id="6.1.2.1"), "repeats the high"),
        ("gbt22239", lambda data: data["major_triggers"][0].update(item="L3-X"), "triggers name"),
        ("gbt22239", lambda data: data["documents"][0].update(items=["L3-X"]), "documents name"),
        ("gbt22239", lambda data: data["documents"][0].update(kind="doc.x"), "documents are"),
        ("gbt22239", lambda data: data["rules"].update(own="L3-X"), "rules name"),
        ("gbt22239", lambda data: data["evidence"]["door.log"].update(form="wish"), "no 'wish'"),
        ("gbt39786", lambda data: data["units"].pop(), "units, not"),
        ("gbt39786", lambda data: data["high_risk"].pop(), "risks are missing"),
        ("gbt39786", lambda data: data["units"][0]["weights"].update(L3="0.5"), "of PHY add up"),
        ("gbt39786", lambda data: data["units"][0].update(layer="SKY"), "of no layer"),
        ("gbt39786", lambda data: data["units"][0]["strength"].pop("L3"), "do not agree"),
        ("gbt39786", lambda data: data["units"][0]["clause"].pop("L3"), "do not agree"),
        ("gbt39786", lambda data: data["algorithms"][0].update(bits=-1), "no proper bits"),
        ("gbt39786", lambda data: data["algorithms"][0].update(approved=1), "no proper approved"),
        ("gbt39786", lambda data: data.update(evidence=[]), "vocabulary"),
    ],
)
def test_a_catalogue_that_does_not_add_up_is_refused(
    standard: str, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    with pytest.raises(CatalogueRejected, match=told):
        changed(standard, change)


@pytest.mark.parametrize(
    ("take", "content"),
    [
        (lambda row: row.text("a"), {"a": ""}),
        (lambda row: row.text("a"), {}),
        (lambda row: row.number("a"), {"a": True}),
        (lambda row: row.texts("a"), {"a": ["b", 1]}),
        (lambda row: read_levels(row, "a"), {"a": [3, 2]}),
        (lambda row: read_levels(row, "a"), {"a": [5]}),
        (lambda row: read_levels(row, "a"), {"a": ["3"]}),
        (lambda row: row.by_level("a"), {"a": {"L5": "x"}}),
        (lambda row: row.by_level("a"), {"a": {"L3": 1}}),
        (lambda row: read_weights(row, "a"), {"a": {"L3": "-1"}}),
        (lambda row: read_weights(row, "a"), {"a": {"L3": "1/2"}}),
        (lambda row: row.counts("a"), {"a": {"b": "1"}}),
        (lambda row: row.rows("a"), {"a": [1]}),
        (lambda row: maybe_both(row, "a"), {"a_zh": "只有中文"}),
        (lambda row: row.end(), {"a": 1}),
    ],
)
def test_a_field_that_is_not_the_schemas_is_refused(
    take: Callable[[Row], object], content: dict[str, Any]
) -> None:
    with pytest.raises(CatalogueRejected):
        take(Row(content))


@pytest.mark.parametrize("content", [None, {}, "rows"])
def test_a_part_that_is_no_list_is_refused(content: object) -> None:
    with pytest.raises(CatalogueRejected, match="no list"):
        rows_of(content)
