"""Charts: what is drawn, that nothing breaks out of them, and made-up assessments."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from audits.adapters.controls import PackagedCatalogues
from audits.adapters.rendering.charts import Axis, Legend, Moment, radar, trend
from audits.core.sample import sample_document
from audits.core.standards import READERS
from tests.fakes.report_documents import catalogue

LEGEND = Legend("各类", "符合率", "覆盖")
SHARES = st.fractions(0, 1, max_denominator=300)
LABELS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\ufffe\uffff"
    ),
    max_size=20,
)


@settings(max_examples=20)
@given(st.lists(st.builds(Axis, LABELS, SHARES, SHARES), max_size=12))
def test_a_wheel_is_sound_xml_with_every_class_and_its_figures(axes: list[Axis]) -> None:
    svg = radar(axes, LEGEND)
    if len(axes) < 3:
        assert svg == ""
        return
    root = etree.fromstring(svg)
    texts = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [axis.label for axis in axes] == texts[0 : 2 * len(axes) : 2]
    assert {each.tag.rpartition("}")[2] for each in root.iter()} <= {
        "svg",
        "title",
        "polygon",
        "line",
        "text",
    }


@settings(max_examples=20)
@given(st.lists(st.builds(Moment, LABELS, SHARES, SHARES), max_size=30))
def test_a_line_has_a_point_for_every_moment_and_few_labels(moments: list[Moment]) -> None:
    svg = trend(moments, LEGEND)
    if len(moments) < 2:
        assert svg == ""
        return
    root = etree.fromstring(svg)
    circles = list(root.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) == 2 * len(moments)
    texts = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(texts) <= 5 + 6 + 2
    assert moments[-1].label in texts


def test_a_full_share_lies_on_the_rim_and_none_in_the_middle() -> None:
    axes = [Axis(str(n), Fraction(n == 0), Fraction(1)) for n in range(4)]
    svg = radar(axes, LEGEND)
    assert 'points="320.0,75.0 320.0,205.0 320.0,205.0 320.0,205.0"' in svg


@pytest.mark.parametrize("level", [2, 3])
def test_a_made_up_assessment_has_every_item_and_every_kind_of_result(level: int) -> None:
    document = sample_document(catalogue(), level)
    assert len(document["items"]) == {2: 135, 3: 211}[level]
    assert all(document["counts"].values())
    assert sum(document["kinds"].values()) == len(document["items"])
    assert document["majors"]["found"] == 2
    assert [moment["rate"].split("/")[0] for moment in document["trend"][:2]] == ["5", "10"]
    assert [moment["id"] for moment in document["trend"]] == ["asm_1", "asm_2", "asm_sample"]
    assert document["conclusion"] is None


def test_objects_of_a_unit_of_cryptography_say_d_a_and_k() -> None:
    units = PackagedCatalogues(READERS).read("gbt39786")
    seen = {str(one["dak"]) for item in sample_document(units)["items"] for one in item["objects"]}
    assert seen == {"{'d': True, 'a': True, 'k': False}"}
    assert {
        one["dak"] for item in sample_document(catalogue())["items"] for one in item["objects"]
    } == {None}
