from __future__ import annotations

from typing import Any, cast

import pytest

from iam.adapters.shipped import policy_compiler
from iam.core.policy_data import read_policy_data
from iam.core.policy_probes import MOST_PROBES, probes
from iam.models.zero_trust import Finding, PolicyData
from iam.service.zero_trust.drafting import Drafting

COMPILER = policy_compiler()
NOTES = '@title_zh("题") @title_en("t") @advice("a")'


class Shipped:
    data = read_policy_data(COMPILER.shipped_data(), PolicyData())


class Book:
    shipped = Shipped


DRAFTING = Drafting(COMPILER, cast("Any", Book))  # nothing else of it is used


def check(text: str, data: str = "") -> list[tuple[str, str, str]]:
    found: list[Finding] = list(DRAFTING.check(text, data))
    return [(one.severity, one.code, one.policy) for one in found]


def forbid(name: str, scope: str, condition: str) -> str:
    return f'@id("own.{name}") {NOTES} forbid ({scope}) {condition};'


ALL = "principal, action, resource"


def test_a_sound_policy_has_no_findings() -> None:
    text = forbid("night", ALL, "when { !context.working_time && context.grade >= 3 }")
    assert check(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not cedar", ("error", "unreadable", "")),
        ("forbid (principal == ?principal, action, resource);", ("error", "unreadable", "")),
        ("x" * 65_537, ("error", "unreadable", "")),
        (
            f'@id("own.x") {NOTES} permit (principal in Role::"staff", action, resource);',
            ("error", "not_forbid", "own.x"),
        ),
        (f"{NOTES} forbid ({ALL}) when {{ context.holiday }};", ("error", "no_id", "policy0")),
        (
            f'@id("role.staff") {NOTES} forbid ({ALL}) when {{ context.holiday }};',
            ("error", "no_id", "role.staff"),
        ),
        (
            forbid("x", ALL, "when { context.holiday }") * 2,
            ("error", "duplicate_id", "own.x"),
        ),
        (
            f'@id("own.x") forbid ({ALL}) when {{ context.holiday }};',
            ("error", "no_title", "own.x"),
        ),
        (
            f'@id("own.x") forbid ({ALL}) when {{ context.holiday }};',
            ("error", "no_advice", "own.x"),
        ),
        (forbid("x", ALL, "when { context.mood == 1 }"), ("error", "schema", "own.x")),
        (forbid("x", ALL, 'when { context.hour == "x" }'), ("error", "schema", "own.x")),
        (
            forbid("x", 'principal, action == Action::"no.x", resource', ""),
            ("error", "schema", "own.x"),
        ),
        (forbid("x", ALL, ""), ("error", "over_wide", "own.x")),
        (forbid("x", ALL, "when { true }"), ("error", "over_wide", "own.x")),
        (
            forbid("x", ALL, "when { context.hour > 5 && context.hour < 5 }"),
            ("warning", "unreachable", "own.x"),
        ),
        (forbid("x", ALL, "when { false }"), ("warning", "unreachable", "own.x")),
        (
            forbid("x", 'principal, action == Action::"iam.account.read", resource', ""),
            ("warning", "unconditional", "own.x"),
        ),
        (
            forbid("x", ALL, 'unless { context.zones.contains("ofice") }'),
            ("warning", "unknown_zone", "own.x"),
        ),
        (
            forbid("x", 'principal in Role::"stuff", action, resource', "when { context.holiday }"),
            ("warning", "unknown_role", "own.x"),
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, expected: tuple[str, str, str]) -> None:
    assert expected in check(text)


def test_more_than_two_hundred_policies_are_too_many() -> None:
    text = "".join(forbid(f"p{n}", ALL, "when { context.holiday }") for n in range(201))
    assert ("error", "too_many", "") in check(text)


def test_a_zone_of_the_data_is_known() -> None:
    text = forbid("x", ALL, 'unless { context.zones.contains("office") }')
    assert check(text, '[zones]\noffice = ["10.0.0.0/8"]') == []


def test_data_with_errors_is_named_and_nothing_else_is_looked_at() -> None:
    assert check("not cedar", "[nothing]") == [("error", "data", "")]


def test_an_annotation_in_each_language_is_enough() -> None:
    notes = '@title_zh("题") @title_en("t") @advice_zh("甲") @advice_en("a")'
    assert check(f'@id("own.x") {notes} forbid ({ALL}) when {{ context.holiday }};') == []


@pytest.mark.parametrize(
    "scope",
    [
        'principal == Account::"acc_1", action, resource',
        "principal is Client, action, resource",
        (
            'principal is Account in Role::"staff", action in [Action::"iam.own.use", '
            'Action::"iam.account.read"], resource'
        ),
        'principal, action in Action::"role:staff", resource == Thing::"log"',
        (
            'principal in Role::"staff", action in [Action::"role:staff", Action::"role:analyst"], '
            "resource is Thing"
        ),
    ],
)
def test_every_scope_is_probed_within_itself(scope: str) -> None:
    text = forbid("x", scope, 'when { context.org == "org_x" || context.factors.contains("sm2") }')
    (policy,) = COMPILER.parse(text)
    questions, complete = probes(policy)
    fired = COMPILER.fires(policy, questions)
    assert complete
    assert any(fired)
    assert not all(fired)
    assert check(text) == []


def test_conditions_on_roles_are_probed_with_and_without_them() -> None:
    text = forbid("x", ALL, 'when { principal in Role::"staff" }')
    assert check(text) == []


def test_too_many_settings_are_cut_and_nothing_is_claimed() -> None:
    many = " && ".join(
        f"context.{name} > {number}"
        for number, name in enumerate(
            ("level", "risk", "hour", "weekday", "grade", "signed_in_minutes", "real_name_level")
        )
    )
    text = forbid("x", ALL, f"when {{ {many} && context.zones.containsAny(['a'.b]) }}").replace(
        " && context.zones.containsAny(['a'.b])", ' && context.zones.containsAny(["a", "b"])'
    )
    (policy,) = COMPILER.parse(text)
    questions, complete = probes(policy)
    assert (len(questions), complete) == (MOST_PROBES, False)
    assert ("warning", "unreachable", "own.x") not in check(text)
