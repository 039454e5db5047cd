"""E-certificates over HTTP: the documented shapes, the same refusals as everywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from kms.api import ecertificate_batches, ecertificate_templates, ecertificates
from secops.kernel.actors import Actor
from secops.kernel.errors import Unauthenticated
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.messages import Request
from secops.web.routes import Public, Route
from tests.fakes.clock import START
from tests.fakes.ecertificate_office import VALUES, Office, open_office, template_record

ROLES = {"sun": "seal-applicant", "qian": "security-admin", "zhou": "seal-holder"}
BASE = "/api/v1/kms/ecertificates"
TEMPLATES = "/api/v1/kms/ecertificate-templates"
BATCHES = "/api/v1/kms/ecertificate-batches"


class Tokens:
    """A token is the account's name."""

    def verify_token(self, token: str) -> Actor:
        if token not in ROLES:
            raise Unauthenticated
        roles = frozenset({ROLES[token]})
        return Actor("account", token, "org_root", token, roles, level=2, auth_time=START)

    def verify_session(self, cookie: str) -> Actor:
        raise Unauthenticated


class Api:
    def __init__(self, office: Office) -> None:
        services: Any = SimpleNamespace(ecertificates=office.services)
        parts = office.world.parts.parts
        self.office = office
        self.routes = {
            route.operation: route
            for module in (ecertificates, ecertificate_templates, ecertificate_batches)
            for route in module.routes(services)
        }
        guard = Guard(Tokens(), parts.access, parts.clock)
        self.dispatcher = Dispatcher(guard, parts.trail)

    def call(
        self, operation: str, caller: str, body: Any = None, *, query: str = "", **args: str
    ) -> tuple[int, Any]:
        route: Route = self.routes[operation]
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", "content-length": str(len(content))}
        if caller:
            headers["authorization"] = f"Bearer {caller}"
        request = Request(route.method, route.path, query, headers=headers, body=content, args=args)
        answer = self.dispatcher.answer(request, route)
        return answer.status, json.loads(answer.body) if answer.body[:1] == b"{" else answer.body


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    office = open_office(tmp_path_factory.mktemp("api"))
    yield Api(office)
    office.world.spine.close()


def template(api: Api) -> str:
    status, made = api.call(
        "propose_ecertificate_template", "sun", template_record(api.office.seal.id)
    )
    assert (status, made["state"]) == (201, "proposed")
    status, shown = api.call("show_ecertificate_template", "qian", template_id=made["id"])
    assert (status, shown["approval"]) == (200, "pending")
    decision = {"grant": True, "reason": "同意"}
    status, made = api.call(
        "decide_ecertificate_template", "qian", decision, template_id=made["id"]
    )
    assert (status, made["state"]) == (200, "active")
    return str(made["id"])


def test_the_whole_way_over_http(api: Api) -> None:
    wish = {"template_id": template(api), "values": VALUES}
    status, issued = api.call("issue_ecertificate", "zhou", wish)
    assert (status, issued["holder"], issued["state"]) == (201, "欧***", "valid")
    one = {"ecertificate_id": issued["id"]}
    assert api.call("show_ecertificate", "qian", **one)[1]["replaced_by"] is None
    status, opened = api.call("open_ecertificate", "zhou", **one)
    token = opened["link"].rpartition("/")[2]
    status, public = api.call("show_public_ecertificate", "", token=token)
    assert (status, public["state"]) == (200, "valid")
    assert {each["title"] for each in public["shown"]} == {"经营者", "经营项目"}
    file = {"file": opened["document"], "token": token}
    status, verdict = api.call("verify_ecertificate", "", file)
    assert (status, verdict["same"], verdict["seal"]["valid"]) == (200, True, True)
    assert verdict["registered"]["identifier"] == issued["identifier"]
    reason = {"reason": "核查"}
    assert api.call("suspend_ecertificate", "zhou", reason, **one)[1]["state"] == "suspended"
    assert api.call("resume_ecertificate", "qian", reason, **one)[1]["state"] == "valid"
    assert api.call("revoke_ecertificate", "qian", reason, **one)[1]["state"] == "revoked"
    listed = api.call("list_ecertificates", "qian", query=f"number={issued['number']}")[1]
    assert [each["id"] for each in listed["items"]] == [issued["id"]]


def test_an_unknown_link_and_a_file_of_nobody(api: Api) -> None:
    status, problem = api.call("show_public_ecertificate", "", token="0" * 32)
    assert (status, problem["code"]) == (404, "kms.ecertificate_not_found")
    junk = {"file": base64.b64encode(b"junk").decode()}
    assert api.call("verify_ecertificate", "", junk)[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        {"template_id": "x"},
        {"template_id": "x", "values": {"a": 1}},
        {"template_id": "x", "values": {str(n): "" for n in range(101)}},
        {"template_id": 1, "values": {}},
        {"template_id": "x", "values": {}, "number": 7},
    ],
)
def test_an_odd_request_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.call("issue_ecertificate", "zhou", body)[0] == 400


def test_batches_over_http(api: Api) -> None:
    chosen = template(api)
    rows = "holder,id_number,scope\n甲,1,食品经营\n乙,2,卖药\n"
    body = {"template_id": chosen, "rows": rows}
    status, check = api.call("check_ecertificate_batch", "zhou", body)
    assert (status, check["total"], check["problems"][0]["row"]) == (200, 2, 2)
    assert api.call("order_ecertificate_batch", "zhou", {**body, "name": "x"})[0] == 400
    good = {**body, "rows": rows.replace("卖药", "食品销售"), "name": "六月"}
    status, batch = api.call("order_ecertificate_batch", "zhou", good)
    assert (status, batch["state"], batch["total"]) == (201, "queued", 2)
    one = {"batch_id": batch["id"]}
    assert api.call("resume_ecertificate_batch", "zhou", **one)[0] == 409
    api.office.services.runner.tick()
    assert api.call("show_ecertificate_batch", "qian", **one)[1]["counts"]["issued"] == 2
    found = api.call("list_ecertificate_rows", "qian", **one)[1]["items"]
    assert [(row["row"], row["state"]) for row in found] == [(1, "issued"), (2, "issued")]
    assert {row["use_id"] for row in found} <= api.office.use_ids()
    status, content = api.call("zip_ecertificate_batch", "zhou", part="1", **one)
    assert (status, content[:2]) == (200, b"PK")
    assert api.call("zip_ecertificate_batch", "zhou", part="-1", **one)[0] == 400
    assert api.call("list_ecertificate_batches", "qian")[1]["items"][0]["id"] == batch["id"]
    assert api.call("cancel_ecertificate_batch", "zhou", **one)[0] == 409


def test_templates_are_listed_and_retired(api: Api) -> None:
    chosen = template(api)
    listed = api.call("list_ecertificate_templates", "qian", query="limit=1")[1]
    assert listed["items"][0]["state"] in ("active", "retired")
    one = {"template_id": chosen}
    assert api.call("decide_ecertificate_template", "qian", {"grant": 1}, **one)[0] == 400
    retired = api.call("retire_ecertificate_template", "qian", {"reason": "停办"}, **one)
    assert retired == (200, {"id": chosen, "state": "retired"})


def test_no_route_but_the_verification_is_for_everybody(api: Api) -> None:
    public = {name for name, route in api.routes.items() if isinstance(route.access, Public)}
    assert public == {"show_public_ecertificate", "verify_ecertificate"}
    for name, route in api.routes.items():
        if name not in public:
            args = dict.fromkeys(("ecertificate_id", "template_id", "batch_id", "part"), "1")
            assert api.call(name, "", {}, **args)[0] == 401, route.path
