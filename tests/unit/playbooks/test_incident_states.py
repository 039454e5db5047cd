"""The state machine of incidents, GB/T 20986 and the statutory clocks."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.adapters.packaged import PackagedLibrary
from playbooks.core.gbt20986 import LevelAnswers, advise_level, read_classification
from playbooks.core.incident import allowed_from, change_state, needs_reason
from playbooks.core.membership import MAX_MEMBERS, require_deed, require_member_change
from playbooks.core.reporting import clocks_of, propose_reporting_level
from playbooks.errors import TransitionRefused
from playbooks.errors.custody import MemberRefused
from playbooks.models import INCIDENT_STATES, Incident, IncidentState
from playbooks.models.options import OperatorKind
from secops.kernel.clock import MINUTE
from secops.kernel.errors import Invalid

LIBRARY = PackagedLibrary()
CLASSES = read_classification(LIBRARY.classification())
RULE = LIBRARY.reporting_rule()
BARE = Incident(
    id="inc_1",
    org_id="org_root",
    title="x",
    state="triage",
    severity="high",
    opened_by="acc_1",
    opened_at=0,
    discovered_at=0,
)


@given(st.lists(st.sampled_from(list(INCIDENT_STATES)), max_size=30), st.booleans())
def test_no_sequence_of_wishes_leaves_the_allowed_ways(
    wishes: list[IncidentState],
    complete: bool,  # noqa: FBT001 - hypothesis draws it
) -> None:
    incident = replace(BARE, category="NACRED", level="ordinary", cause="x") if complete else BARE
    for number, wish in enumerate(wishes, 1):
        before = incident
        try:
            incident = change_state(before, wish, at=number, reason="because")
        except TransitionRefused:
            assert wish not in allowed_from(before.state) or not complete
            continue
        assert wish in allowed_from(before.state)
        assert incident.version == before.version + 1
        assert (incident.closed_at is not None) == (incident.state == "closed")
        if (before.state, wish) == ("lessons", "closed"):
            assert incident.cause


def test_the_whole_way_is_the_standard_order() -> None:
    states = list(INCIDENT_STATES)
    for before, after in itertools.pairwise(states):
        assert after in allowed_from(before)
    assert [text.zh for text in INCIDENT_STATES.values()] == [
        "待研判",
        "已确认",
        "遏制",
        "根除",
        "恢复",
        "总结",
        "关闭",
    ]
    assert set(get_args(IncidentState)) == set(states)


@pytest.mark.parametrize(
    ("before", "after"),
    [("triage", "closed"), ("closed", "confirmed"), ("recovered", "contained")],
)
def test_closing_early_reopening_and_falling_back_need_a_reason(
    before: IncidentState, after: IncidentState
) -> None:
    assert needs_reason(before, after)
    with pytest.raises(TransitionRefused, match="reason"):
        change_state(replace(BARE, state=before), after, at=1, reason="  ")


def test_ten_classes_and_seventy_five_subclasses_are_known() -> None:
    top = [named for named in CLASSES.classes.values() if not named.parent]
    assert (len(top), len(CLASSES.classes) - len(top)) == (10, 75)
    assert CLASSES.require_class("NACRED").text.zh == "凭据攻击事件"
    with pytest.raises(Invalid):
        CLASSES.require_class("X")
    with pytest.raises(Invalid):
        CLASSES.require_level("X")


@pytest.mark.parametrize(
    ("target", "loss", "harm", "level"),
    [
        ("especially_important", "especially_serious", "", "especially_major"),
        ("important", "especially_serious", "", "major"),
        ("important", "serious", "", "considerable"),
        ("important", "considerable", "", "ordinary"),
        ("ordinary", "especially_serious", "", "considerable"),
        ("ordinary", "minor", "", "ordinary"),
        ("ordinary", "minor", "major", "major"),
    ],
)
def test_the_level_aid_follows_object_loss_and_harm(
    target: str, loss: str, harm: str, level: str
) -> None:
    assert CLASSES.propose_level(target, loss, harm) == level


@pytest.mark.parametrize(("target", "loss", "harm"), [("x", "serious", ""), ("important", "x", "")])
def test_the_level_aid_refuses_other_words(target: str, loss: str, harm: str) -> None:
    with pytest.raises(Invalid):
        CLASSES.propose_level(target, loss, harm)


@pytest.mark.parametrize(("kind", "minutes"), [("critical", 60), ("state", 120), ("local", 240)])
def test_the_first_report_is_due_by_operator_and_not_by_severity(
    kind: OperatorKind, minutes: int
) -> None:
    due = minutes * MINUTE
    for severity in ("low", "critical"):
        incident = replace(BARE, severity=severity)
        assert clocks_of(RULE, kind, incident, due, filings={})[0].due_at == due
        assert not clocks_of(RULE, kind, incident, due, filings={})[0].overdue
        assert clocks_of(RULE, kind, incident, due + 1, filings={})[0].overdue


@pytest.mark.parametrize(
    ("figures", "level", "draft"),
    [
        ({}, "ordinary", False),
        ({"personal_info_people": "999999"}, "ordinary", False),
        ({"personal_info_people": "1000000"}, "considerable", False),
        ({"personal_info_people": "100000000"}, "especially_major", False),
        ({"direct_loss_cny": "20000000"}, "major", False),
        ({"tampered_home_page_hours": "0.5"}, "considerable", True),
        ({"tampered_home_page_hours": "6"}, "especially_major", False),
        ({"population_share_of_province": "0.5"}, "especially_major", False),
    ],
)
def test_the_reporting_level_includes_the_number_itself(
    figures: dict[str, str],
    level: str,
    draft: bool,  # noqa: FBT001 - parametrised
) -> None:
    proposal = propose_reporting_level(RULE, figures)
    assert (proposal.level, proposal.draft) == (level, draft)


@pytest.mark.parametrize(
    "figures", [{"x": "1"}, {"views": "many"}, {"views": "-1"}, {"views": "NaN"}]
)
def test_figures_that_are_none_are_refused(figures: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        propose_reporting_level(RULE, figures)


@pytest.mark.parametrize(
    ("before", "ending"),
    [("lessons", "test"), ("triage", "handled"), ("triage", "forgotten")],
)
def test_an_incident_is_closed_as_what_it_was(before: IncidentState, ending: Any) -> None:
    whole = replace(BARE, state=before, category="NACRED", level="ordinary", cause="x")
    with pytest.raises(TransitionRefused, match="closed as"):
        change_state(whole, "closed", at=1, reason="x", ending=ending)


def test_the_advice_says_what_it_rests_on_and_what_is_doubtful() -> None:
    answers = LevelAnswers("ordinary", "minor", "major", {"tampered_home_page_hours": "0.5"})
    advice = advise_level(CLASSES, RULE, answers)
    assert (advice.level, advice.reporting_level) == ("major", "considerable")
    assert [reason.en for reason in advice.reasons] == [
        "Ordinary object, minor loss: ordinary",
        "Major social harm: major",
        "Reporting: Home page tampered with (hours) ≥ 0.5: considerable",
    ]
    assert len(advice.doubts) == 3
    certain = advise_level(
        replace(CLASSES, confirmed=True), RULE, LevelAnswers("ordinary", "minor")
    )
    assert len(certain.doubts) == 1
    assert "no figure" in certain.reasons[-1].en


def test_members_are_of_known_parts_and_not_without_number() -> None:
    leads: dict[str, Any] = {"acc_1": "lead"}
    with pytest.raises(Invalid):
        require_member_change(leads, "acc_2", "boss")  # type: ignore[arg-type]
    crowd = leads | {f"acc_{n}": "observer" for n in range(2, MAX_MEMBERS + 1)}
    with pytest.raises(MemberRefused, match="at most"):
        require_member_change(crowd, "acc_0", "observer")
    require_member_change(crowd, "acc_2", "analyst")
    require_deed({}, "acc_9", "close")
