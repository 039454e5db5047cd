"""Budgets of size, and names that are not allowed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("secops", "iam", "kms", "detectors", "playbooks", "audits", "rules")
FORBIDDEN = {"utils", "helpers", "common", "misc", "manager", "base"}
MAX_FILE = 400
MAX_FUNCTION = 35
LONG_FUNCTIONS = 0.05
MAX_PUBLIC_METHODS = 10


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_no_file_is_longer_than_the_budget() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()
    }
    assert {name: n for name, n in lengths.items() if n > MAX_FILE} == {}


def test_at_most_one_function_in_twenty_is_long() -> None:
    all_functions = [found for path in sources() for found in functions(path)]
    long = [name for name, length in all_functions if length > MAX_FUNCTION]
    assert len(long) <= LONG_FUNCTIONS * len(all_functions), long


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [path for path in sources() if path.stem in FORBIDDEN] == []


def test_no_class_has_more_than_ten_public_methods() -> None:
    crowded = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                public = [
                    member
                    for member in node.body
                    if isinstance(member, ast.FunctionDef)
                    and not member.name.startswith("_")
                    # a property is a field with a formula
                    and not any(
                        isinstance(mark, ast.Name) and mark.id == "property"
                        for mark in member.decorator_list
                    )
                ]
                if len(public) > MAX_PUBLIC_METHODS:
                    crowded.append(f"{path}:{node.lineno} {node.name} ({len(public)})")
    assert crowded == []


BANNED = {
    ("datetime", "now"): {"secops/kernel/clock.py"},
    ("datetime", "utcnow"): {"secops/kernel/clock.py"},
    ("time", "time"): {"secops/kernel/clock.py"},
    ("time", "time_ns"): {"secops/kernel/clock.py"},
    ("os", "environ"): {"secops/settings.py"},
    ("os", "getenv"): {"secops/settings.py"},
}


@pytest.mark.parametrize(("owner", "name"), BANNED)
def test_time_and_environment_have_one_home(owner: str, name: str) -> None:
    found = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and node.attr == name
                and isinstance(node.value, ast.Name)
                and node.value.id == owner
            ):
                found.add(str(path.relative_to(ROOT)))
    assert found <= BANNED[owner, name]


def test_no_source_imports_the_stdlib_sqlite() -> None:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert all(alias.name != "sqlite3" for alias in node.names), path
            if isinstance(node, ast.ImportFrom):
                assert node.module != "sqlite3", path
