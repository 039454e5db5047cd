"""Budgets of size, and names that are not allowed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
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


@dataclass
class Shape:
    """What one pass over all sources finds."""

    functions: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    attributes: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    imports: dict[str, set[str]] = field(default_factory=dict)

    def take(self, path: str, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            place = f"{path}:{node.lineno} {node.name}"
            self.functions[place] = (node.end_lineno or 0) - node.lineno + 1
        elif isinstance(node, ast.ClassDef):
            self.classes[f"{path}:{node.lineno} {node.name}"] = public_methods(node)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            self.attributes.setdefault((node.value.id, node.attr), set()).add(path)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                self.imports.setdefault(alias.name, set()).add(path)
        elif isinstance(node, ast.ImportFrom):
            self.imports.setdefault(node.module or "", set()).add(path)


@pytest.fixture(scope="module")
def shape() -> Shape:
    found = Shape()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            found.take(str(path.relative_to(ROOT)), node)
    return found


def public_methods(node: ast.ClassDef) -> int:
    return sum(
        isinstance(member, ast.FunctionDef)
        and not member.name.startswith("_")
        # a property is a field with a formula
        and not any(
            isinstance(mark, ast.Name) and mark.id == "property" for mark in member.decorator_list
        )
        for member in node.body
    )


def test_no_file_is_longer_than_the_budget() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()
    }
    assert {name: n for name, n in lengths.items() if n > MAX_FILE} == {}


def test_at_most_one_function_in_twenty_is_long(shape: Shape) -> None:
    long = [name for name, length in shape.functions.items() if length > MAX_FUNCTION]
    assert len(shape.functions) > 1_000
    assert len(long) <= LONG_FUNCTIONS * len(shape.functions), long


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [path for path in sources() if path.stem in FORBIDDEN] == []


def test_no_class_has_more_than_ten_public_methods(shape: Shape) -> None:
    assert {name: n for name, n in shape.classes.items() if n > MAX_PUBLIC_METHODS} == {}


BANNED = {
    ("datetime", "now"): {"secops/kernel/clock.py"},
    ("datetime", "utcnow"): {"secops/kernel/clock.py"},
    ("time", "time"): {"secops/kernel/clock.py"},
    ("time", "time_ns"): {"secops/kernel/clock.py"},
    ("os", "environ"): {"secops/settings.py"},
    ("os", "getenv"): {"secops/settings.py"},
}


@pytest.mark.parametrize(("owner", "name"), BANNED)
def test_time_and_environment_have_one_home(shape: Shape, owner: str, name: str) -> None:
    assert shape.attributes.get((owner, name), set()) <= BANNED[owner, name]


def test_no_source_imports_the_stdlib_sqlite(shape: Shape) -> None:
    assert shape.imports.get("sqlite3", set()) == set()
    assert shape.imports["sqlalchemy"] != set(), "the control: imports are seen"
