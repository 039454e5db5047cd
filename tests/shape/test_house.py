"""The assembled house keeps its promises: routes, errors, imports, settings, README."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import audits
import detectors
import iam
import kms
import playbooks
import secops
from secops.kernel.errors import SecopsError
from secops.settings import Settings
from secops.web.lanes import Lane, build_flask
from secops.web.routes import Public, SignedIn
from tests.fakes.demo_site import DemoSite, make_demo_home

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "elasticsearch",
    "pyarrow",
    "sklearn",
    "duckdb",
    "typst",
    "docxtpl",
    "pyhanko",
    "pandas",
)
ARGUMENT = re.compile(r"<(?:[a-z]+:)?[a-z_]+>")
ROW = re.compile(r"^\|[^|]+\|\s*`([a-z_.0-9]+)(?::([A-Za-z_0-9]+))?`\s*\|", re.MULTILINE)


# routes


def test_every_file_of_tests_has_a_name_of_its_own() -> None:
    # pytest imports them by their bare names: two alike can't be collected in one run
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_flask_answers_exactly_the_tables(site: DemoSite) -> None:
    app = build_flask(Lane(None, None), site.routes)  # type: ignore[arg-type] - never called
    answered = [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD"})
    ]
    declared = [(route.method, route.path) for route in site.routes]
    assert sorted(answered) == sorted(declared)


def test_no_method_and_path_stand_twice(site: DemoSite) -> None:
    counted = Counter((route.method, route.path) for route in site.routes)
    assert {key: count for key, count in counted.items() if count > 1} == {}


def test_an_unknown_address_is_not_answered_by_any_lane(site: DemoSite) -> None:
    assert [
        site.call("GET", path).status for path in ("/api/v1/nothing", "/v1/transit/nothing/a/b/c")
    ] == [404, 404]


def test_every_route_needs_a_permission_or_says_why_not(site: DemoSite) -> None:
    silent = [
        route.operation
        for route in site.routes
        if isinstance(route.access, Public | SignedIn) and len(route.access.because) < 10
    ]
    assert silent == []
    unnamed = [
        route.operation
        for route in site.routes
        if not isinstance(route.access, Public | SignedIn) and "." not in route.access
    ]
    assert unnamed == []


def test_an_operation_has_one_name_and_a_name_one_operation(site: DemoSite) -> None:
    api = [route for route in site.routes if not route.page]
    counted = Counter(route.operation for route in api)
    assert {name: count for name, count in counted.items() if count > 1} == {}
    odd = [name for name in counted if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]
    assert odd == []


def test_no_fast_route_is_a_page(site: DemoSite) -> None:
    assert [route.operation for route in site.routes if route.fast and route.page] == []


def test_every_list_is_a_page_of_items_and_a_cursor(site: DemoSite) -> None:
    wrong = {}
    listed = [route for route in site.routes if route.listing and not route.page]
    for route in listed:
        path = ARGUMENT.sub(lambda _: "seal_none", route.path)
        query = "?q=*" if route.operation in ("search_logs", "count_logs") else ""
        answer = site.call(route.method, path + query, token=site.token(site.holder_of(route)))
        if "<" in route.path and answer.status == 404:
            continue  # a list of something that is not there
        shape = sorted(answer.json()) if answer.status == 200 else answer.body[:200]
        if shape != ["items", "next"]:
            wrong[route.operation] = (answer.status, shape)
    print(f"{len(listed)} list routes")
    assert wrong == {}


def test_a_list_is_cut_into_pages_or_whole(site: DemoSite) -> None:
    wrong = {}
    for route in site.routes:
        if route.listing and not route.page and "<" not in route.path:
            answer = site.call(
                route.method, f"{route.path}?limit=100000", token=site.token(site.holder_of(route))
            )
            whole = answer.status == 200 and answer.json()["next"] is None
            if answer.status != 400 and not whole:
                wrong[route.operation] = answer.status
    assert wrong == {}


# errors


def modules() -> Iterator[str]:
    for package in (secops, iam, kms, detectors, playbooks, audits):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations.versions" not in found.name and not found.name.endswith(
                (".__main__", "migrations.env")
            ):
                yield found.name


def error_classes() -> list[type[SecopsError]]:
    for name in modules():
        importlib.import_module(name)
    found, waiting = [], [SecopsError]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting.extend(one.__subclasses__())
    return [one for one in found if not one.__module__.startswith("tests.")]


def test_every_error_has_its_own_code() -> None:
    codes: dict[str, set[str]] = {}
    for one in error_classes():
        codes.setdefault(one.code, set()).add(f"{one.__module__}.{one.__qualname__}")
    assert {code: sorted(names) for code, names in codes.items() if len(names) > 1} == {}


def test_every_error_says_what_and_what_to_do_in_both_languages() -> None:
    wrong = [
        one.__qualname__
        for one in error_classes()
        if not (one.title.zh and one.title.en and one.remedy.zh and one.remedy.en)
        or not 400 <= one.status < 600
        or one.exit_code not in (1, 2, 3, 4)
    ]
    assert wrong == []


# what a worker holds

PROBE = f"""
import json, sys
from pathlib import Path
from secops.app import open_house
from secops.bridges.processes import build_gateway
build_gateway(open_house(Path(sys.argv[1]), "gateway"))
print(json.dumps(sorted(set(sys.modules) & set({HEAVY!r}))))
"""


@pytest.mark.service
def test_a_gateway_starts_without_heavy_libraries(tmp_path: Path) -> None:
    make_demo_home(tmp_path / "home")
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == []


# pages of the manual


def test_every_setting_stands_in_the_manual() -> None:
    page = (ROOT / "docs" / "manual" / "settings.md").read_text()
    missing = [
        entry.name
        for entry in fields(Settings)
        if entry.name != "home" and f"`{entry.name}`" not in page
    ]
    assert missing == []
    assert "SECOPS_HOME" in page


def test_the_manual_names_no_setting_that_does_not_exist() -> None:
    page = (ROOT / "docs" / "manual" / "settings.md").read_text()
    known = {entry.name for entry in fields(Settings)}
    named = re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)
    assert [name for name in named if name not in known] == []


def test_the_rows_of_where_is_the_code_lead_there() -> None:
    readme = ROOT / "README.md"
    rows = ROW.findall(readme.read_text()) if readme.exists() else []
    if not rows:
        pytest.skip("README has no table yet")
    lost = []
    for module, name in rows:
        found = importlib.import_module(module)
        if name and not hasattr(found, name):
            lost.append(f"{module}:{name}")
    assert lost == []
