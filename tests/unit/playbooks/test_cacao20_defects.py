"""Defects seeded into a playbook of our own: each is found where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playbooks.core.cacao20 import check_document
from tests.fakes.cacao import AGENT, LOCK, REVOKE, playbook

WEB = "http-api--99999999-9999-4999-8999-999999999999"
GROUP = "group--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def found(document: Any) -> set[tuple[str, str]]:
    return {(problem.code, problem.place) for problem in check_document(document)}


def call(line: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        document["workflow"][LOCK]["commands"] = [{"type": "http-api", "command": line}]

    return change


SEEDED: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (
        lambda d: d.update(modified="2020-01-01T00:00:00Z"),
        "modified_before_created",
        "/modified",
    ),
    (
        lambda d: d.update(valid_from="2026-02-01T00:00:00Z", valid_until="2026-02-01T00:00:00Z"),
        "validity_reversed",
        "/valid_until",
    ),
    (call("fetch it"), "http_start_line", f"/workflow/{LOCK}/commands/0/command"),
    (
        lambda d: d["workflow"][LOCK]["commands"][0].update(type="shh"),
        "unknown_command_type",
        f"/workflow/{LOCK}/commands/0/type",
    ),
    (
        lambda d: d["workflow"][LOCK].update(type="end"),
        "key_type_mismatch",
        f"/workflow/{LOCK}/type",
    ),
    (
        lambda d: d["workflow"][REVOKE].update(targets=[GROUP]),
        "unknown_target",
        f"/workflow/{REVOKE}/targets/0",
    ),
    (
        lambda d: d["workflow"][REVOKE].update(agent=GROUP),
        "unknown_agent",
        f"/workflow/{REVOKE}/agent",
    ),
    (
        lambda d: d["agent_definitions"][AGENT].update(authentication_info="auth--nowhere"),
        "unknown_authentication",
        f"/agent_definitions/{AGENT}/authentication_info",
    ),
]


@pytest.mark.parametrize(("seed", "code", "place"), SEEDED, ids=[one[1] for one in SEEDED])
def test_a_defect_is_found_where_it_is(
    seed: Callable[[dict[str, Any]], None], code: str, place: str
) -> None:
    document = playbook()
    assert (code, place) not in found(document)
    seed(document)
    assert (code, place) in found(document)


def test_what_is_right_is_not_blamed() -> None:
    document = playbook()
    document["workflow"][REVOKE]["targets"] = [AGENT]
    document["workflow"][LOCK]["commands"].append(
        {"type": "http-api", "command": "POST /lock HTTP/1.1"}
    )
    codes = {code for code, _ in found(document)}
    assert codes & {"unknown_target", "http_start_line"} == set()


def test_a_foreign_agents_own_words_are_its_own() -> None:
    document = playbook()
    foreign = "x-robot--bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
    document["agent_definitions"][foreign] = {"type": "x-robot", "name": "robot", "arms": 6}
    assert f"/agent_definitions/{foreign}/arms" not in {place for _, place in found(document)}
    document["agent_definitions"][AGENT]["arms"] = 2
    assert ("foreign_key", f"/agent_definitions/{AGENT}/arms") in found(document)
