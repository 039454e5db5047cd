"""Every route × every role with real tokens; other organisations; hostile bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from detectors.models.logs import IngestOptions
from kms.models.keys import KeyRequest
from secops.kernel.logs import Window
from secops.kernel.pages import PageRequest
from secops.kernel.permissions import permissions_of
from secops.kernel.permissions.roles import ROLES
from secops.web.routes import Public, Route, SignedIn
from tests.fakes.demo_site import Answer, DemoSite

ARGUMENT = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
LOCKS = ("lock_pool", "lock_pool_put")


def address(route: Route, **known: str) -> str:
    return ARGUMENT.sub(lambda found: known.get(found[1], "nothing-here"), route.path)


def api_routes(site: DemoSite) -> list[Route]:
    return [route for route in site.routes if not route.page]


def closed_routes(site: DemoSite) -> list[Route]:
    return [route for route in api_routes(site) if not isinstance(route.access, Public)]


def lacks(route: Route, answer: Answer) -> bool:
    """The decision point said that no role of the caller holds the route's permission."""
    return f"{route.access} needs one of the roles".encode() in answer.body


def test_every_route_and_role_is_as_the_tables_say(site: DemoSite) -> None:
    asked, wrong = 0, []
    for route in closed_routes(site):
        for role in ROLES:
            may = isinstance(route.access, SignedIn) or route.access in permissions_of(
                frozenset({role})
            )
            if may and route.operation in LOCKS:
                continue  # asked in a test of its own, for it locks
            answer = site.call(route.method, address(route), token=site.token(role))
            asked += 1
            refused = answer.status == 403 and lacks(route, answer)
            if answer.status in (401, 500) or refused == may:
                wrong.append((route.operation, role, may, answer.status, answer.body[:160]))
    print(f"{asked} pairs of route and role")
    assert wrong == []


def test_nobody_gets_anywhere_without_a_credential(site: DemoSite) -> None:
    answers = {
        (route.method, route.path): site.call(route.method, address(route)).status
        for route in closed_routes(site)
    }
    print(f"{len(answers)} routes asked by nobody")
    assert {key: status for key, status in answers.items() if status != 401} == {}


def test_a_made_up_token_is_nobody(site: DemoSite) -> None:
    real = site.token("staff")
    head, payload, signature = real.split(".")
    other_head = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"
    broken = (
        f"{head}.{payload}.{signature[:-6]}AAAAAA",
        f"{other_head}.{payload}.",
        f"{head}.{payload}",
        "nonsense",
        "x" * 9_000,
    )
    statuses = {site.call("GET", "/api/v1/iam/me", token=token).status for token in broken}
    assert statuses == {401}
    assert site.call("GET", "/api/v1/iam/me", token=real).status == 200


def test_pages_send_nobody_to_the_sign_in(site: DemoSite) -> None:
    pages = [
        route
        for route in site.routes
        if route.page and route.method == "GET" and not isinstance(route.access, Public)
    ]
    statuses = {route.path: site.call("GET", address(route)).status for route in pages}
    print(f"{len(statuses)} pages asked by nobody")
    assert pages
    assert {path: status for path, status in statuses.items() if status not in (303, 401)} == {}


def test_a_session_cookie_of_another_sites_page_changes_nothing(site: DemoSite) -> None:
    changing = [
        route
        for route in api_routes(site)
        if route.method in ("POST", "PUT", "DELETE")
        and route.credential == "either"
        and not isinstance(route.access, Public)
    ]
    statuses = {
        route.operation: site.call(
            route.method, address(route), cookie="rp_session=abc", origin="https://evil.example"
        ).status
        for route in changing
    }
    assert statuses
    assert {name: status for name, status in statuses.items() if status not in (401, 403)} == {}


# another organisation

OTHERS = tuple(f"other-{role}" for role in ROLES)


@pytest.fixture(scope="module")
def known(site: DemoSite) -> dict[str, list[str]]:
    """The demo's own objects, by the name of the path variable they stand in."""
    house, act = site.house, site.house.act_as
    organisations = house.iam.power.organisations
    organisation = organisations.create_organisation(act("system-admin"), "邻县数据局")
    for number, (role, name) in enumerate(zip(ROLES, OTHERS, strict=True)):
        site.add_account(name, role, organisation.id, number)
    house.detectors.logs.ingest_files(act("analyst"), ["samples/sshd.log"], IngestOptions())
    house.detectors.runs.run_detectors(act("analyst"), Window())
    house.kms.keys.create_key(act("security-admin"), KeyRequest("ours", "ecdsa-p256"))
    first = PageRequest(1)

    def ids(path: str, role: str) -> list[str]:
        items = site.call("GET", path, token=site.token(role)).json()["items"]
        return [item["id"] for item in items[:2]]

    seal = house.kms.seal_registry.list_seals(act("security-admin"), first).items[0]
    site.call(
        "POST",
        "/api/v1/playbooks/incidents",
        token=site.token("analyst"),
        body=orjson.dumps({"title": "ours", "severity": "high"}),
    )
    site.call(
        "POST",
        "/api/v1/audits/assessments",
        token=site.token("auditor"),
        body=orjson.dumps({"standard": "gbt22239", "level": 3}),
    )
    return {
        "seal_id": [seal.id],
        "application_id": ids("/api/v1/kms/seal-applications", "security-admin"),
        "alert_id": ids("/api/v1/detectors/alerts", "analyst"),
        "incident_id": ids("/api/v1/playbooks/incidents", "analyst"),
        "assessment_id": ids("/api/v1/audits/assessments", "auditor"),
        "session": ids("/api/v1/iam/sessions", "security-admin"),
        "account": ["analyst", house.act_as("analyst").id],
        "client": ["demo-app"],
    }


def holder(route: Route) -> str:
    return next(
        role
        for role in ROLES
        if not isinstance(route.access, Public | SignedIn)
        and route.access in permissions_of(frozenset({role}))
    )


def foreign(site: DemoSite, known: dict[str, list[str]]) -> Iterator[tuple[Route, str, Answer]]:
    for route in closed_routes(site):
        names = ARGUMENT.findall(route.path)
        if isinstance(route.access, SignedIn) or not names or names[0] not in known:
            continue
        for value in known[names[0]]:
            path = address(route, **{names[0]: value, "role": "staff"})
            token = site.token(f"other-{holder(route)}")
            yield route, value, site.call(route.method, path, token=token)


def test_the_demo_has_something_of_each_kind(known: dict[str, list[str]]) -> None:
    assert [name for name, values in known.items() if not values] == []


def test_another_organisations_things_are_not_there(
    site: DemoSite, known: dict[str, list[str]]
) -> None:
    asked, wrong = 0, []
    for route, value, answer in foreign(site, known):
        asked += 1
        # 400: the empty body was refused before anything was looked up
        if answer.status not in (400, 403, 404):
            wrong.append((route.operation, value, answer.status, answer.body[:200]))
    print(f"{asked} requests for another organisation's things")
    assert wrong == []


def test_another_organisations_keys_cannot_be_seen_or_used(
    site: DemoSite, known: dict[str, list[str]]
) -> None:
    del known
    body = orjson.dumps({"input": "aGVsbG8=", "plaintext": "aGVsbG8=", "subject": "x"})
    wrong = []
    for route in closed_routes(site):
        if "/keys/<name>" in route.path or ("/transit/" in route.path and "<name>" in route.path):
            if route.operation.startswith("create_key"):
                continue  # a name is the organisation's own
            token = site.token(f"other-{holder(route)}")
            for name in ("demo-p256", "demo-sm2", "ours"):
                path = address(route, name=name, hash_name="sha2-256", kind="wrapped", version="1")
                answer = site.call(route.method, path, token=token, body=body)
                if answer.status not in (400, 403, 404):
                    wrong.append((route.operation, name, answer.status, answer.body[:200]))
    assert wrong == []


def test_lists_show_nothing_of_another_organisation(
    site: DemoSite, known: dict[str, list[str]]
) -> None:
    ours = {value for values in known.values() for value in values if len(value) > 12}
    wrong = []
    for route in closed_routes(site):
        if route.listing and "<" not in route.path and not isinstance(route.access, SignedIn):
            query = "?q=*" if route.operation in ("search_logs", "count_logs") else ""
            token = site.token(f"other-{holder(route)}")
            answer = site.call(route.method, route.path + query, token=token)
            seen = [value for value in ours if value.encode() in answer.body]
            if answer.status != 200 or seen:
                wrong.append((route.operation, answer.status, seen))
    assert wrong == []


# hostile bodies


def hostile(route: Route) -> list[bytes]:
    properties = {} if route.request is None else route.request.schema.get("properties", {})
    wrong: list[Any] = [None, 1e308, [[]], {"a": {"b": []}}, True, "\0\u202e" * 50, -(2**63)]
    odd = {name: wrong[number % len(wrong)] for number, name in enumerate(properties)}
    turned = {name: wrong[(number + 3) % len(wrong)] for number, name in enumerate(properties)}
    return [
        b"[" * 5_000 + b"]" * 5_000,
        orjson.dumps(odd | {"unknown": 1}),
        orjson.dumps(turned),
        orjson.dumps(dict.fromkeys(properties or ("input",), "A" * 60_000)),
        b'{"input": "\xff\xfe\xc3\x28"}',
        b'[1, "two", null]',
        b'{"a": 1, "a": 2}',
        b"NaN",
    ]


def test_no_body_breaks_a_route(site: DemoSite) -> None:
    sent, wrong = 0, []
    for route in api_routes(site):
        if route.method not in ("POST", "PUT") or route.operation in LOCKS:
            continue
        token = "" if isinstance(route.access, Public) else site.token(site.holder_of(route))
        for body in hostile(route):
            answer = site.call(route.method, address(route), token=token, body=body)
            sent += 1
            coded = answer.status == 503 and b"code" in answer.body
            if answer.status >= 500 and not coded:
                wrong.append((route.operation, answer.status, body[:60], answer.body[:160]))
    print(f"{sent} hostile bodies")
    assert wrong == []


def test_no_query_or_path_breaks_a_route(site: DemoSite) -> None:
    queries = (
        "limit=-1",
        "limit=9e9",
        "cursor=AAAA",
        "cursor=W10",
        "cursor=WzFd",
        "cursor=WyJhIl0",
        "cursor=WyJhIiwiYiJd",
        "cursor=WzEsMiwzXQ",
        "cursor=Wzk5OTk5OTk5OTk5OTk5OTk5OTksIngiXQ",
        "q=%00%ff",
        "q=" + "(" * 2_000,
        "a=1&a=2",
        "since=x&until=y",
        "q=" + "a" * 9_000,
    )
    values = ("..", "%00", "a" * 3_000, "１２", "' OR 1=1--", "\u202e", "-1")
    sent, wrong = 0, []
    for route in api_routes(site):
        if route.method not in ("GET", "DELETE", "LIST"):
            continue
        token = "" if isinstance(route.access, Public) else site.token(site.holder_of(route))
        paths = [f"{address(route)}?{query}" for query in queries if route.method != "DELETE"]
        paths += [
            ARGUMENT.sub(lambda _, value=value: value, route.path)
            for value in values
            if "<" in route.path
        ]
        for path in paths:
            answer = site.call(route.method, path, token=token)
            sent += 1
            coded = answer.status == 503 and b"code" in answer.body
            if answer.status >= 500 and not coded:
                wrong.append((route.operation, answer.status, path[:90], answer.body[:160]))
    print(f"{sent} hostile addresses")
    assert wrong == []


# the pool's lock: last, because nothing can be signed afterwards


def test_locking_the_pool_is_the_security_administrators(site: DemoSite) -> None:
    token = site.token("security-admin")
    assert site.call("POST", "/v1/sys/seal", token=token).status == 204
    assert site.call("GET", "/v1/sys/seal-status").json()["sealed"] is True
    passphrase = (site.house.settings.home / "unlock.key").read_text().strip()
    body = orjson.dumps({"key": passphrase})
    assert site.call("POST", "/v1/sys/unseal", body=body).json()["sealed"] is False
