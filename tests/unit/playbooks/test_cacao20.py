"""CACAO 2.0: seeded defects, real playbooks, and mutants."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.cacao20 import check_document, check_text
from playbooks.core.cacao20.problems import CODES, MAX_FINDINGS
from playbooks.core.cacao20.vocabulary import EXTENSION
from tests.fakes.cacao import AGENT, END, LOCK, NOTIFY, REVOKE, START, action, playbook

SSH_START = "start--9e7d62b2-88ac-4656-94e1-dbd4413ba008"
SSH_FIRST = "action--eb9372d4-d524-49fc-bf24-be26ea084779"
SSH_SECOND = "action--88f4c4df-fa96-44e6-b310-1c06d193ea55"
SSH_END = "end--a6f0b81e-affb-4bca-b4f6-a2d5af908958"


def errors(document: Any) -> set[str]:
    return {problem.code for problem in check_document(document) if problem.level == "error"}


def places(document: Any, code: str) -> list[str]:
    return [problem.place for problem in check_document(document) if problem.code == code]


def _rename_key(document: dict[str, Any]) -> None:
    document["workflow"]["action-1"] = document["workflow"].pop(SSH_SECOND)
    document["workflow"][SSH_FIRST]["on_completion"] = SSH_SECOND


def _typo(document: dict[str, Any]) -> None:
    step = document["workflow"][SSH_FIRST]
    step["on_succes"] = step.pop("on_completion")


def _remove_start(document: dict[str, Any]) -> None:
    del document["workflow"][SSH_START]


def _remove_end(document: dict[str, Any]) -> None:
    del document["workflow"][SSH_END]
    del document["workflow_exception"]
    document["workflow"][SSH_SECOND]["on_completion"] = SSH_FIRST


SEEDED: list[tuple[str, Callable[[dict[str, Any]], None], str, str]] = [
    ("unknown top key", lambda d: d.update(colour="red"), "unknown_key", "/colour"),
    ("typo in a successor", _typo, "unknown_key", f"/workflow/{SSH_FIRST}/on_succes"),
    ("bad workflow key", _rename_key, "bad_key", "/workflow/action-1"),
    (
        "dangling successor",
        lambda d: d["workflow"][SSH_SECOND].update(on_completion=SSH_END[:-1] + "0"),
        "dangling_reference",
        f"/workflow/{SSH_SECOND}/on_completion",
    ),
    (
        "self loop",
        lambda d: d["workflow"][SSH_SECOND].update(on_completion=SSH_SECOND),
        "cycle",
        f"/workflow/{SSH_SECOND}",
    ),
    ("start missing", _remove_start, "start_missing", "/workflow_start"),
    ("no end", _remove_end, "end_missing", "/workflow"),
    (
        "unknown agent",
        lambda d: d["workflow"][SSH_FIRST].update(agent=AGENT),
        "unknown_agent",
        f"/workflow/{SSH_FIRST}/agent",
    ),
    (
        "undefined variable",
        lambda d: d["workflow"][SSH_FIRST].update(out_args=["__nowhere__"]),
        "undefined_variable",
        f"/workflow/{SSH_FIRST}/out_args/0",
    ),
    (
        "negative timeout",
        lambda d: d["workflow"][SSH_FIRST].update(timeout=-5),
        "out_of_range",
        f"/workflow/{SSH_FIRST}/timeout",
    ),
    (
        "timeout in words",
        lambda d: d["workflow"][SSH_FIRST].update(timeout="soon"),
        "wrong_type",
        f"/workflow/{SSH_FIRST}/timeout",
    ),
    (
        "unknown command type",
        lambda d: d["workflow"][SSH_FIRST]["commands"][0].update(type="shh"),
        "unknown_command_type",
        f"/workflow/{SSH_FIRST}/commands/0/type",
    ),
    (
        "key and type differ",
        lambda d: d["workflow"][SSH_FIRST].update(type="end"),
        "key_type_mismatch",
        f"/workflow/{SSH_FIRST}/type",
    ),
    (
        "modified before created",
        lambda d: d.update(modified="2020-01-01T00:00:00Z"),
        "modified_before_created",
        "/modified",
    ),
    (
        "completion beside success",
        lambda d: d["workflow"][SSH_FIRST].update(on_success=SSH_SECOND),
        "completion_and_success",
        f"/workflow/{SSH_FIRST}",
    ),
]


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("seed", "code", "place"), [s[1:] for s in SEEDED], ids=[s[0] for s in SEEDED]
)
def test_each_defect_seeded_into_a_real_playbook_is_found_where_it_is(
    corpus: Path, seed: Callable[[dict[str, Any]], None], code: str, place: str
) -> None:
    file = corpus / "cacao" / "cacao-examples" / "valid" / "soarca-ssh-playbook.json"
    document = json.loads(file.read_bytes())
    assert errors(document) == set()
    seed(document)
    assert place in places(document, code)
    assert code in errors(document)


GOLDEN = {
    "negative/soarca-test-changed-playbook.json": {
        "action_missing",
        "end_missing",
        "start_missing",
        "dangling_reference",
        "wrong_type",
    },
    "negative/soarca-test-infinite_playbook.json": {
        "cycle",
        "dangling_reference",
        "end_missing",
        "start_missing",
    },
    "negative/soarca-test-invalid_email_playbook.json": {"dangling_reference", "start_missing"},
    "negative/soarca-test-invalid_playbook.json": {
        "dangling_reference",
        "key_type_mismatch",
        "start_missing",
    },
    "negative/soarca-test-missing_step_playbook.json": {
        "dangling_reference",
        "start_missing",
        "unreachable_step",
    },
    "negative/soarca-test-parallels_playbook.json": {
        "branch_shared",
        "dangling_reference",
        "start_missing",
        "successor_missing",
        "unknown_key",
    },
    "negative/soarca-test-playbook.json": {"dangling_reference", "start_missing"},
    "valid/soarca-fin-playbook.json": {
        "bad_identifier",
        "bad_key",
        "key_type_mismatch",
        "missing_key",
        "modified_before_created",
        "unknown_command_type",
    },
    "valid/soarca-http-playbook.json": set(),
    "valid/soarca-manual-playbook.json": set(),
    "valid/soarca-openc2-playbook.json": {"unknown_command_type"},
    "valid/soarca-powershell-playbook.json": set(),
    "valid/soarca-ssh-playbook.json": set(),
}
WARNED = {
    "clear_password": 8,
    "foreign_key": 6,
    "http_start_line": 7,
    "microseconds": 10,
}


@pytest.mark.corpus
def test_the_thirteen_real_playbooks_have_exactly_the_known_faults(corpus: Path) -> None:
    folder = corpus / "cacao" / "cacao-examples"
    files = sorted(folder.glob("*/*.json"))
    found = {str(f.relative_to(folder)): errors(json.loads(f.read_bytes())) for f in files}
    assert found == GOLDEN
    warned: dict[str, int] = {}
    semantic = 0
    for file in files:
        problems = check_document(json.loads(file.read_bytes()))
        semantic += any(problem.kind == "semantic" for problem in problems)
        for code in {problem.code for problem in problems if problem.level == "warning"}:
            warned[code] = warned.get(code, 0) + 1
    assert semantic == 8
    assert warned == WARNED


@pytest.mark.corpus
def test_a_clean_foreign_playbook_has_no_finding_at_all(corpus: Path) -> None:
    file = corpus / "cacao" / "cacao-examples" / "valid" / "soarca-manual-playbook.json"
    checked, problems = check_text(file.read_bytes())
    assert problems == ()
    assert checked is not None
    assert checked.name == "Example manual"


def test_our_own_profile_passes_without_a_finding() -> None:
    checked, problems = check_text(json.dumps(playbook()).encode())
    assert problems == ()
    assert checked is not None
    assert checked.id == "playbook--77777777-7777-4777-8777-777777777777"
    assert checked.modified == "2026-01-02T00:00:00Z"
    assert len(checked.content_hash) == 64


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"a": NaN}', "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b"[" * 40 + b"]" * 40, "too_deep"),
        (b" " * ((1 << 20) + 1), "too_large"),
        (b"[]", "wrong_type"),
        (b"null", "wrong_type"),
        (b'"playbook"', "wrong_type"),
        (b"1", "wrong_type"),
        (b"true", "wrong_type"),
    ],
)
def test_what_is_no_playbook_is_named_and_never_raises(text: bytes, code: str) -> None:
    checked, problems = check_text(text)
    assert checked is None
    assert code in {problem.code for problem in problems}


def test_a_value_without_a_canonical_form_is_refused() -> None:
    document = playbook()
    text = json.dumps(document).replace('"name": "Contain an account"', '"name": "\\ud800"')
    checked, problems = check_text(text.encode())
    assert checked is None
    assert [problem.code for problem in problems] == ["bad_value"]


Change = Callable[[dict[str, Any]], None]


def _set(step: str, **values: Any) -> Change:
    return lambda document: document["workflow"][step].update(values)


def _extension(**values: Any) -> Change:
    def change(document: dict[str, Any]) -> None:
        document["workflow"][LOCK]["step_extensions"][EXTENSION].update(values)

    return change


def _top(**values: Any) -> Change:
    return lambda document: document.update(values)


BROKEN: list[tuple[str, Change]] = [
    ("unknown_action", _set(LOCK, commands=[{"type": "secops", "command": "rm"}])),
    ("one_command_only", _set(LOCK, commands=[{"type": "secops", "command": "account.lock"}] * 2)),
    ("timeout_missing", lambda d: d["workflow"][LOCK].pop("timeout")),
    ("secops_agent_required", lambda d: d["agent_definitions"][AGENT].update(type="soarca")),
    ("extension_undeclared", lambda d: d.pop("extension_definitions")),
    ("missing_key", _extension(args={})),
    ("unknown_key", _extension(args={"account": "a", "shell": "rm"})),
    ("wrong_type", _extension(args="account")),
    ("wrong_type", _extension(args={"account": 1})),
    ("out_of_range", _extension(approval={"n": 0})),
    ("bad_value", _extension(idempotency="always")),
    ("dangling_reference", _extension(compensate="action--x")),
    ("compensate_cycle", _extension(compensate=LOCK)),
    ("start_branches", _set(START, on_success=REVOKE)),
    ("end_has_successor", _set(END, on_completion=LOCK)),
    ("action_missing", lambda d: d.update(workflow={START: d["workflow"][START]})),
    ("unknown_step_type", _set(LOCK, type="loop")),
    ("unknown_target", _set(LOCK, targets=[AGENT[:-1] + "0"])),
    ("bad_value", _top(type="recipe")),
    ("bad_identifier", _top(created_by="me")),
    ("bad_identifier", _top(id="identity--88888888-8888-4888-8888-888888888888")),
    ("bad_identifier", _top(id="playbook--0198f0aa-8888-7888-8888-888888888888")),
    ("wrong_type", _top(id=5)),
    ("wrong_type", _top(created=5)),
    ("wrong_type", _top(revoked="no")),
    ("wrong_type", _top(spec_version=2)),
    ("wrong_type", _top(labels="x")),
    ("wrong_type", _top(agent_definitions=[])),
    ("out_of_range", _top(labels=[])),
    ("out_of_range", _top(severity=101)),
    ("wrong_type", _top(severity=True)),
    ("bad_timestamp", _top(created="2026-01-01 00:00:00")),
    ("bad_timestamp", _top(created="2026-02-31T00:00:00Z")),
    (
        "validity_reversed",
        _top(valid_from="2026-01-02T00:00:00Z", valid_until="2026-01-01T00:00:00Z"),
    ),
    ("wrong_type", _top(playbook_variables={"__a__": {"type": "string", "value": 5}})),
    ("bad_key", _top(playbook_variables={"account": {"type": "string"}})),
    (
        "unknown_authentication",
        _top(
            target_definitions={
                "ssh--1c3900b4-f86b-430d-b415-12312b9e31f4": {
                    "type": "ssh",
                    "name": "host",
                    "address": {"ipv4": ["192.0.2.1"]},
                    "authentication_info": "user-auth--b7ddc2ea-9f6a-4e82-8eaa-be202e942090",
                }
            }
        ),
    ),
    (
        "undefined_variable",
        _top(
            target_definitions={
                "ssh--1c3900b4-f86b-430d-b415-12312b9e31f4": {
                    "type": "ssh",
                    "name": "__host__:value",
                    "address": {"ipv4": ["192.0.2.1"]},
                }
            }
        ),
    ),
    (
        "constant_assigned",
        _set(
            LOCK,
            out_args=["__fixed__"],
            step_variables={"__fixed__": {"type": "string", "constant": True}},
        ),
    ),
    ("undefined_variable", _set(LOCK, in_args=["__nowhere__"])),
]


@pytest.mark.parametrize(("code", "change"), BROKEN)
def test_each_rule_of_the_standard_and_of_the_profile_is_checked(code: str, change: Change) -> None:
    document = playbook()
    change(document)
    assert code in errors(document)


TOLERATED: list[tuple[str, Change]] = [
    ("not_yet", _extension(approval={"role": "auditor"})),
    ("shadowed_variable", _set(LOCK, step_variables={"__account__": {"type": "string"}})),
    ("foreign_key", lambda d: d["agent_definitions"][AGENT].update(banana="rama")),
]


@pytest.mark.parametrize(("code", "change"), TOLERATED)
def test_what_is_valid_but_unwise_or_not_yet_runnable_is_a_warning(
    code: str, change: Change
) -> None:
    document = playbook()
    change(document)
    found = [problem for problem in check_document(document) if problem.code == code]
    assert [problem.level for problem in found] == ["warning"]


def _id(kind: str, digit: str) -> str:
    return f"{kind}--{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}"


def branching(kind: str, **values: Any) -> dict[str, Any]:
    """A playbook whose second step branches: A and B have their own ends."""
    document = playbook()
    steps = document["workflow"]
    head, ends = _id(kind, "a"), (_id("end", "b"), _id("end", "c"))
    left, right = _id("action", "d"), _id("action", "e")
    steps[START]["on_completion"] = head
    steps[head] = {"type": kind, "on_completion": REVOKE, **values}
    steps[left] = action("account.lock", {"account": "__account__:value"}, ends[0])
    steps[right] = action("account.lock", {"account": "__account__:value"}, ends[1])
    steps.update({key: {"type": "end"} for key in ends})
    return document


LEFT, RIGHT, LEFT_END = _id("action", "d"), _id("action", "e"), _id("end", "b")
BRANCHED: list[tuple[str, dict[str, Any]]] = [
    ("parallel", {"next_steps": [LEFT, RIGHT]}),
    ("if-condition", {"condition": "__account__:value = 'x'", "on_true": LEFT, "on_false": RIGHT}),
    ("switch-condition", {"switch": "__account__:value", "cases": {"a": LEFT, "default": RIGHT}}),
]


@pytest.mark.parametrize(("kind", "values"), BRANCHED)
def test_branching_playbooks_are_valid_and_run(kind: str, values: dict[str, Any]) -> None:
    document = branching(kind, **values)
    assert errors(document) == set()
    assert places(document, "not_yet") == []


def test_a_while_branch_may_lead_back_to_its_condition() -> None:
    document = branching("while-condition", condition="__account__:value = 'x'", on_true=LEFT)
    del document["workflow"][RIGHT], document["workflow"][_id("end", "c")]
    assert errors(document) == set()
    document["workflow"][LEFT]["on_completion"] = _id("while-condition", "a")
    assert "cycle" not in errors(document)


@pytest.mark.parametrize(
    ("code", "left_next"),
    [("branch_shared", NOTIFY), ("branch_shared", RIGHT), ("cycle", LEFT)],
)
def test_a_branch_must_not_leave_itself(code: str, left_next: str) -> None:
    document = branching("parallel", next_steps=[LEFT, RIGHT])
    document["workflow"][LEFT]["on_completion"] = left_next
    assert code in errors(document)


def test_a_branch_needs_an_end_of_its_own() -> None:
    document = branching("parallel", next_steps=[LEFT, RIGHT])
    del document["workflow"][LEFT]["on_completion"]
    assert "branch_without_end" in errors(document)


def test_a_switch_without_default_is_warned_of() -> None:
    document = branching("switch-condition", switch="__account__:value", cases={"a": LEFT})
    assert places(document, "switch_without_default") == [
        f"/workflow/{_id('switch-condition', 'a')}/cases"
    ]


def test_what_can_not_be_followed_is_named_and_passed_over() -> None:
    document = branching("parallel", next_steps=[LEFT, RIGHT, 5])
    document["workflow"][REVOKE]["in_args"] = [5, "__account__"]
    assert errors(document) == {"wrong_type"}
    document = branching("switch-condition", switch="x", cases={"a": 5, "default": LEFT})
    assert "wrong_type" in errors(document)


def test_a_password_under_a_key_service_and_a_full_start_line_are_no_warning() -> None:
    document = playbook()
    name = "http-basic--b7ddc2ea-9f6a-4e82-8eaa-be202e942090"
    document["authentication_info_definitions"] = {
        name: {"type": "http-basic", "password": "ref", "kms": True}
    }
    document["target_definitions"] = {
        "http-api--1c3900b4-f86b-430d-b415-12312b9e31f4": {
            "type": "http-api",
            "name": "__account__:value",
            "address": {"dname": ["host.example"]},
            "authentication_info": name,
        }
    }
    line = {"type": "http-api", "command": "GET /a HTTP/1.1"}
    document["workflow"][NOTIFY]["commands"] = [line]
    assert check_document(document) == ()


def test_two_compensations_that_undo_each_other_are_found() -> None:
    document = playbook()
    for one, other in ((REVOKE, LOCK), (LOCK, REVOKE)):
        document["workflow"][one]["step_extensions"][EXTENSION]["compensate"] = other
    assert "compensate_cycle" in errors(document)
    document["workflow"][LOCK]["step_extensions"][EXTENSION]["compensate"] = NOTIFY
    assert "compensate_cycle" not in errors(document)


def test_findings_are_bounded() -> None:
    document = playbook()
    document.update({f"key{number}": 1 for number in range(1_000)})
    assert len(check_document(document)) == MAX_FINDINGS


def test_every_code_has_both_languages_and_a_pointer_escapes_its_parts() -> None:
    document = playbook()
    document["a/b~c"] = 1
    (problem,) = check_document(document)
    assert problem.place == "/a~1b~0c"
    assert problem.text.zh
    assert problem.text.en
    assert problem.code in CODES


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-10, 10**6)
    | st.text(max_size=8)
    | st.sampled_from([START, REVOKE, LOCK, END, AGENT, "__account__:value", "secops", "parallel"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, member in value.items():
            found += _paths(member, (*path, key))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            found += _paths(member, (*path, number))
    return found


@given(st.data())
def test_no_mutated_playbook_makes_the_check_fail(data: st.DataObject) -> None:
    document: Any = playbook()
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_paths(document)))
        value = data.draw(VALUES)
        if not path:
            document = value
            continue
        holder = document
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = value
    for problem in check_document(document):
        assert problem.code in CODES


@given(st.binary(max_size=200))
def test_no_bytes_make_the_check_fail(text: bytes) -> None:
    checked, problems = check_text(text)
    assert checked is None
    assert problems


def test_an_extension_of_somebody_else_is_left_alone_where_it_is_declared() -> None:
    other = "extension-definition--99999999-9999-4999-8999-999999999999"
    document = playbook()
    document["workflow"][LOCK]["step_extensions"][other] = {"anything": ["they", "like"]}
    assert places(document, "extension_undeclared") == [f"/workflow/{LOCK}/step_extensions/{other}"]
    definitions = document["extension_definitions"]
    definitions[other] = {**definitions[EXTENSION], "name": "theirs"}
    assert errors(document) == set()
