"""The playbooks of the release, each played through on the cases that stand beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from playbooks.adapters.packaged import PackagedLibrary
from playbooks.core.compiling import compile_steps
from playbooks.service import check_playbook, require_playbook
from secops.kernel.canonical import canonical
from secops.kernel.pages import PageRequest
from tests.fakes.playbook_cases import Played, adopt_all, play, sample
from tests.fakes.playbooks_house import ANALYST, House, house

NAMES = sorted(PackagedLibrary().playbooks())
BY_HAND = "人工完成:"
"""How the steps are called that a person does when an act of ours had no effect."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("packaged"), signed_only=True) as opened:
        adopt_all(opened)
        yield opened


def test_there_are_playbooks_and_each_is_checked_without_a_finding() -> None:
    assert len(NAMES) >= 15
    ids = []
    for text in PackagedLibrary().playbooks().values():
        checked, problems = check_playbook(text)
        assert checked is not None
        assert problems == ()
        ids.append(checked.id)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", NAMES)
def test_a_message_that_fails_gives_nothing_back(name: str) -> None:
    workflow = json.loads(PackagedLibrary().playbooks()[name])["workflow"].values()
    if not any("compensate" in json.dumps(step) for step in workflow):
        return
    for step in workflow:
        commands = [command["command"] for command in step.get("commands", ())]
        assert commands != ["notify.send"] or step["on_failure"] == step["on_success"], step["name"]


def played_as_told(home: House, name: str, told: dict[str, Any], case: dict[str, Any]) -> Played:
    """Play the case, and compare effects, timeline and replay with what stands beside it."""
    played = play(home, name, told, case)
    found = {
        "steps": played.steps,
        "calls": played.calls,
        "notifications": played.sent,
        "result": played.run.state,
    }
    assert found == {key: case[key] for key in found}, case["case"]
    actions = {step.name: step.action for step in played.run.plan.steps}
    lines = iter(played.texts)
    for step in played.steps:  # the incident's timeline tells the same, in this order
        title, _, outcome = step.rpartition(": ")
        by_hand = {f"人工确认步骤:{outcome}"} if actions[title] == "manual" else set()
        wanted = by_hand | {f"{title}:{outcome}"}
        assert any(line in wanted for line in lines), (case["case"], step)
    assert home.services.steps.replay_run(ANALYST, played.run.id).differences == ()
    return played


def own_steps(played: Played) -> dict[str, str]:
    """Return names by path of the steps that act; a nested playbook has its own cases."""
    return {
        step.path: step.name
        for step in played.run.plan.steps
        if step.kind in ("action", "manual") and "/" not in step.path
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_packaged_playbook_does_in_each_case_what_stands_beside_it(
    home: House, name: str
) -> None:
    told, acted = sample(name), set[str]()
    for case in told["cases"]:
        played = played_as_told(home, name, told, case)
        acted |= played.acted
    missing = [title for path, title in own_steps(played).items() if path not in acted]
    assert [title for title in missing if not title.startswith(BY_HAND)] == [], "no case comes here"


@pytest.mark.deep
@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_takes_effect_people_do_each_step_and_nothing_is_given_back(
    home: House, name: str
) -> None:
    told, acted = sample(name), set[str]()
    cases = told.get("deep_cases", [])
    for case in cases:
        played = played_as_told(home, name, told, case)
        assert played.run.state == "done"
        acted |= played.acted
    if cases:
        missing = [title for path, title in own_steps(played).items() if path not in acted]
        assert [title for title in missing if title.startswith(BY_HAND)] == []


def test_a_plan_does_not_hang_on_the_order_of_keys_in_the_file() -> None:
    known = {one.id: one for one in map(require_playbook, PackagedLibrary().playbooks().values())}
    for file in known.values():
        kept = replace(file, document=json.loads(canonical(dict(file.document))))
        given = dict.fromkeys(file.document["playbook_variables"], "1")
        plans = [compile_steps(one, given, known).steps for one in (file, kept)]
        assert list(plans[0].items()) == list(plans[1].items())


def test_what_is_packaged_is_known_as_such_in_the_register(home: House) -> None:
    known = home.services.playbooks.list_playbooks(ANALYST, PageRequest(100)).items
    assert sorted(view.packaged for view in known) == NAMES
    assert {(view.origin, view.refused) for view in known} == {("own", "")}
