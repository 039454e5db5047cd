"""A foreign fuzzer reads our own description and asks everything, as a role that may.

In the deep run each route is asked as every role that may; else as one, in turn.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from secops.kernel.permissions import permissions_of
from secops.kernel.permissions.roles import ROLES
from secops.web.routes import Public, Route, SignedIn
from tests.fakes.demo_site import ORIGIN, DemoSite

LOCKS = ("lock_pool", "lock_pool_put")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DEEP = bool(os.environ.get("SECOPS_DEEP"))  # noqa: TID251 - test profile
EXAMPLES = 40 if DEEP else 2
drawn = settings(
    max_examples=EXAMPLES,
    database=None,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def operations(site: DemoSite) -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(site.call("GET", "/openapi.json").json())
    schema.app = site.app
    read = [result.ok() for result in schema.get_all_operations()]
    return {each.definition.raw["operationId"]: each for each in read}


def asking(route: Route, turn: int) -> list[str]:
    """The roles that ask: of those that may all or, the ``turn``-th time, one."""
    roles = ["staff"]
    if isinstance(route.access, SignedIn):
        roles = list(ROLES)
    elif not isinstance(route.access, Public):
        roles = [role for role in ROLES if route.access in permissions_of(frozenset({role}))]
    return roles if DEEP else [roles[turn % len(roles)]]


def test_every_ordinary_route_is_described(site: DemoSite, operations: dict[str, Any]) -> None:
    ordinary = {r.operation for r in site.routes if not r.page and r.method != "LIST"}
    assert set(operations) == ordinary


def test_whatever_the_fuzzer_asks_is_answered_as_described(
    site: DemoSite, operations: dict[str, Any]
) -> None:
    asked, wrong = 0, []
    for turn, route in enumerate(site.routes):
        operation = operations.get(route.operation)
        if operation is None or route.operation in LOCKS:
            continue  # a locked pool would refuse all that comes after
        for role in asking(route, turn):
            token = site.token(role)

            @drawn
            @given(case=operation.as_strategy())
            def ask(case: Any) -> None:
                nonlocal asked
                asked += 1
                headers = {"Authorization": f"Bearer {token}"}  # noqa: B023 - asked at once
                answer = case.call(base_url=ORIGIN, headers=headers)
                case.validate_response(answer, checks=CHECKS)

            try:
                ask()
            except FailureGroup as found:  # all are wanted, not the first
                wrong.extend(f"{role} {route.operation}: {each}" for each in found.exceptions)
    print(f"{asked} requests, {len(wrong)} answers not as described")
    assert wrong == []


def test_nothing_closed_is_answered_to_nobody(site: DemoSite, operations: dict[str, Any]) -> None:
    wrong = []
    for operation_id, operation in operations.items():
        if not operation.definition.raw["security"]:
            continue

        @drawn
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            status = case.call(base_url=ORIGIN).status_code
            assert status in (401, 403), status  # 403: a made-up cookie from no page of ours

        try:
            ask()
        except AssertionError as error:
            wrong.append((operation_id, str(error)))
    assert wrong == []
