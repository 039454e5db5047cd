"""Conditions over playbook variables: the grammar, its limits, and what can't be decided."""

from __future__ import annotations

import contextlib
import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.stix21 import ConditionInvalid, holds, names_in, read_condition

VALUES = {
    "__risk__": "71.5",
    "__name__": "o'brien",
    "__vip__": "True",
    "__ip__": "10.1.2.3",
    "__ip6__": "2001:db8::1",
    "__none__": None,
    "__evil__": "__risk__:value",
}


@pytest.mark.parametrize(
    "text",
    [
        "__risk__:value > 70",
        "__risk__:value = 71.50",
        "[__risk__:value >= 71.5 AND __vip__:value = true]",
        "__risk__:value < 1 OR __risk__:value <> 2 AND __vip__:value != FALSE",
        "(__risk__:value < 1 or __risk__:value <= 72) and __name__:value == 'o\\'brien'",
        "__name__:value LIKE 'o_b%n'",
        "__name__:value NOT LIKE 'x%'",
        "__name__:value IN ('a', 'o\\'brien')",
        "__name__:value NOT IN ('a', 'b')",
        "__ip__:value ISSUBSET '10.0.0.0/8'",
        "__ip6__:value ISSUBSET '2001:db8::/32'",
        "__ip__:value NOT ISSUBSET '2001:db8::/32'",
        "__ip6__:value NOT ISSUBSET '10.0.0.0/8'",
        "__ip__:value ISSUPERSET '10.1.2.3/32'",
        "EXISTS __ip__:value",
        "__name__:value = __name__:value",
        "__evil__:value = '__risk__:value'",
        "__name__:value > 'a'",
    ],
)
def test_a_condition_holds(text: str) -> None:
    assert holds(read_condition(text), VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "__risk__:value > 71.5",
        "EXISTS __none__:value",
        "__none__:value = ''",
        "__none__:value NOT = 'x'",
        "__name__:value = __none__:value",
        "__missing__:value = 'x'",
        "__name__:value LIKE 'o_b'",
        "__name__:value LIKE '%x'",
        "__vip__:value = false",
    ],
)
def test_a_condition_does_not_hold(text: str) -> None:
    assert not holds(read_condition(text), VALUES)


@pytest.mark.parametrize(
    "text",
    ["__name__:value > 3", "__name__:value = true", "__name__:value ISSUBSET '10.0.0.0/8'"],
)
def test_what_can_not_be_compared_takes_no_branch(text: str) -> None:
    with pytest.raises(ConditionInvalid):
        holds(read_condition(text), VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "__a__:value",
        "__a__:value =",
        "__a__ = 'x'",
        "__a__:value = x",
        "__a__:value = 'x",
        "__a__:value = 'x' extra",
        "__a__:value MATCHES '(a+)+$'",
        "[__a__:value = 1] FOLLOWEDBY [__a__:value = 2]",
        "[__a__:value = 1",
        "__a__:value = t'2026-01-01T00:00:00Z'",
        "__a__:value IN 'x'",
        "__a__:value IN ('x'",
        "'x' = __a__:value",
        "EXISTS 'x'",
        "(__a__:value = 1",
        "__a__:value = 1; import os",
        "__a__:value = 99999999999999999999",
        "(" * 21 + "__a__:value = 1" + ")" * 21,
        " AND ".join(["__a__:value = 1"] * 101),
        "__a__:value = '" + "x" * 4_000 + "'",
    ],
)
def test_what_is_no_condition_or_too_much_of_one_is_refused(text: str) -> None:
    with pytest.raises(ConditionInvalid):
        read_condition(text)


def test_the_names_of_both_sides_are_known() -> None:
    read = read_condition("__a__:value = 1 AND (__b__:value = __c__:value OR EXISTS __d__:value)")
    assert names_in(read) == {"__a__", "__b__", "__c__", "__d__"}


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConditionInvalid):
        names_in(read_condition(text))


@given(st.text("ab", max_size=8), st.text("ab%_", max_size=6))
def test_like_agrees_with_the_shell_patterns_of_the_standard_library(
    value: str, pattern: str
) -> None:
    condition = read_condition(f"__v__:value LIKE '{pattern}'")
    shell = pattern.replace("%", "*").replace("_", "?")
    assert holds(condition, {"__v__": value}) == fnmatch.fnmatchcase(value, shell)
