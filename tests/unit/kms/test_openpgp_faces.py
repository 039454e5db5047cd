"""OpenPGP over HTTP and on the command line: the same guard, words and answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from kms.api import openpgp as api
from kms.commands import group
from kms.service.openpgp import Exports, OpenPgpKeys, OpenPgpParts, Partners
from kms.store.openpgp import SqlOpenPgpStore
from secops.kernel.actors import Actor
from secops.kernel.errors import Unauthenticated
from secops.terminal.session import Session
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.messages import Request, Response
from tests.fakes.clock import START
from tests.fakes.key_pool import KeyPool, actor, open_key_pool
from tests.fakes.openpgp import FakeOpenPgp

ROLES = {
    "qian": "security-admin",
    "sun": "security-admin",
    "zheng": "auditor",
    "li": "analyst",
}
CONTENT = "审计报告".encode()
WISH = {"name": "市审计局", "public_key": "partner 7", "reason": "年度审计"}


class Tokens:
    """A token is the account's name."""

    def verify_token(self, token: str) -> Actor:
        if token not in ROLES:
            raise Unauthenticated
        roles = frozenset({ROLES[token]})
        return Actor("account", token, "org_town", token, roles, level=2, auth_time=START)

    def verify_session(self, cookie: str) -> Actor:
        raise Unauthenticated


class House:
    """The services as commands see them."""

    def __init__(self, pool: KeyPool, services: Any) -> None:
        self.parts, self.services = pool.spine.parts, (services,)

    def act_as(self, account: str | None) -> Actor:
        return actor(account or "", ROLES[account or ""])

    def close(self) -> None:
        return None


class Faces:
    def __init__(self, pool: KeyPool) -> None:
        self.pool = pool
        parts = pool.spine.parts
        openpgp = OpenPgpParts(
            parts,
            SqlOpenPgpStore(),
            pool.services.system_keys,
            FakeOpenPgp(),
        )
        self.services = pool.services
        for name, service in (
            ("openpgp_keys", OpenPgpKeys(openpgp)),
            ("partners", Partners(openpgp)),
            ("exports", Exports(openpgp)),
        ):
            object.__setattr__(self.services, name, service)
        self.routes = {route.operation: route for route in api.routes(self.services)}
        self.dispatcher = Dispatcher(Guard(Tokens(), parts.access, parts.clock), parts.trail)

    def ask(self, operation: str, who: str, body: Any = None, **args: str) -> Response:
        route = self.routes[operation]
        content = b"" if body is None else json.dumps(body).encode()
        headers = {
            "content-type": "application/json",
            "content-length": str(len(content)),
            "authorization": f"Bearer {who}",
        }
        request = Request(route.method, route.path, headers=headers, body=content, args=args)
        return self.dispatcher.answer(request, route)

    def call(self, operation: str, who: str, body: Any = None, **args: str) -> tuple[int, Any]:
        response = self.ask(operation, who, body, **args)
        return response.status, json.loads(response.body) if response.body else None

    def run(self, who: str, *arguments: str) -> Result:
        house: Any = House(self.pool, self.services)
        session = Session(self.pool.spine.parts.home, who, lambda _: house)
        return CliRunner().invoke(group, list(arguments), obj=session)

    def key(self) -> dict[str, Any]:
        wanted = {"name": "临江县数据局", "email": "data@linjiang.gov.cn"}
        status, key = self.call("create_openpgp_key", "qian", wanted)
        assert status == 201
        return dict(key)

    def partner(self) -> str:
        status, partner = self.call("request_partner", "qian", WISH)
        assert (status, partner["state"]) == (201, "requested")
        decision = {"grant": True, "reason": "已核对", "fingerprint": f"{'7':0>40}"}
        found = str(partner["id"])
        status, decided = self.call("decide_partner", "sun", decision, partner_id=found)
        assert (status, decided["state"]) == (200, "active")
        return found


@pytest.fixture
def faces(tmp_path: Path) -> Iterator[Faces]:
    with open_key_pool(tmp_path / "home") as pool:
        yield Faces(pool)


def test_an_export_goes_the_whole_way_over_http(faces: Faces) -> None:
    key = faces.key()
    faces.partner()
    wanted = {"content": base64.b64encode(CONTENT).decode(), "partners": ["市审计局"]}
    status, export = faces.call("protect_export", "zheng", wanted)
    assert (status, export["fingerprint"]) == (201, key["fingerprint"])
    message = orjson.loads(base64.b64decode(export["message"]))
    assert message == [CONTENT.decode(), "secret 1", ["partner 7"]]
    status, signed = faces.call("protect_export", "zheng", {"content": wanted["content"]})
    assert (status, signed["partners"]) == (201, [])


def test_the_public_half_is_a_file_and_the_secret_half_is_nowhere(faces: Faces) -> None:
    key = faces.key()
    answer = faces.ask("export_openpgp_key", "zheng", key_id=key["id"])
    assert (answer.body, answer.header("content-type")) == (b"public 1", "application/pgp-keys")
    assert answer.header("content-disposition") == f'attachment; filename="{"1":0>40}.asc"'
    status, listed = faces.call("list_openpgp_keys", "zheng")
    assert (status, [each["id"] for each in listed["items"]]) == (200, [key["id"]])
    assert not {"sealed", "public_key"} & set(listed["items"][0])


def test_what_is_retired_answers_once_and_serves_no_more(faces: Faces) -> None:
    key, partner = faces.key(), faces.partner()
    assert faces.call("retire_partner", "qian", partner_id=partner) == (204, None)
    wanted = {"content": base64.b64encode(CONTENT).decode(), "partners": ["市审计局"]}
    status, problem = faces.call("protect_export", "zheng", wanted)
    assert (status, problem["code"]) == (404, "kms.partner_not_found")
    assert faces.call("retire_openpgp_key", "qian", key_id=key["id"]) == (204, None)
    status, listed = faces.call("list_partners", "zheng")
    assert (status, [each["state"] for each in listed["items"]]) == (200, ["retired"])


@pytest.mark.parametrize(
    ("operation", "who", "body"),
    [
        ("create_openpgp_key", "zheng", {"name": "a", "email": "a@b.cn"}),
        ("request_partner", "zheng", WISH),
        ("protect_export", "qian", {"content": ""}),
        ("list_partners", "li", None),
    ],
)
def test_roles_are_kept_apart_over_http(faces: Faces, operation: str, who: str, body: Any) -> None:
    assert faces.call(operation, who, body)[0] == 403


@pytest.mark.parametrize(
    ("operation", "who", "body"),
    [
        ("create_openpgp_key", "qian", {"name": "a"}),
        ("create_openpgp_key", "qian", {"name": "a", "email": "a@b.cn", "algorithm": ["dsa"]}),
        ("request_partner", "qian", {**WISH, "public_key": 7}),
        ("request_partner", "qian", {**WISH, "public_key": "私钥"}),
        ("protect_export", "zheng", {"content": "!"}),
        ("protect_export", "zheng", {"content": "", "partners": "市审计局"}),
        ("protect_export", "zheng", {"content": "", "partners": [7]}),
    ],
)
def test_what_is_malformed_is_refused_as_such(
    faces: Faces, operation: str, who: str, body: Any
) -> None:
    assert faces.call(operation, who, body)[0] == 400


def test_a_decision_says_yes_or_no(faces: Faces) -> None:
    _, partner = faces.call("request_partner", "qian", WISH)
    wrong = {"grant": "yes", "reason": "已核对"}
    assert faces.call("decide_partner", "sun", wrong, partner_id=partner["id"])[0] == 400


def test_commands_walk_the_same_way(faces: Faces, tmp_path: Path) -> None:
    armored, report, out = (tmp_path / name for name in ("audit.asc", "report", "report.pgp"))
    armored.write_bytes(b"partner 7")
    report.write_bytes(CONTENT)
    made = faces.run("qian", "create-openpgp-key", "临江县数据局", "data@linjiang.gov.cn")
    assert made.stdout == f"{'1':0>40}\n"
    arguments = ("request-partner", "市审计局", str(armored), "--reason", "年度审计")
    partner = faces.run("qian", *arguments).stdout.splitlines()[-1]
    decide = ("decide-partner", partner, "--reason", "已核对", "--fingerprint")
    assert faces.run("sun", *decide, "7" * 40).exit_code != 0
    assert faces.run("sun", *decide, " ".join(f"{'7':0>40}")).exit_code == 0
    arguments = ("protect-export", str(report), "--partner", "市审计局", "-o", str(out), "--json")
    told = json.loads(faces.run("zheng", *arguments).stdout)
    assert told["partners"] == ["市审计局"]
    assert orjson.loads(out.read_bytes())[0] == CONTENT.decode()
    assert faces.run("zheng", "protect-export", str(report), "-o", str(out)).exit_code == 0
    assert orjson.loads(out.read_bytes()) == [CONTENT.decode(), "secret 1"]


def test_commands_list_show_and_retire(faces: Faces) -> None:
    key, partner = faces.key()["id"], faces.partner()
    listed = json.loads(faces.run("zheng", "list-openpgp-keys", "--json").stdout)
    assert [each["id"] for each in listed["items"]] == [key]
    listed = json.loads(faces.run("zheng", "list-partners", "--json").stdout)
    assert [each["name"] for each in listed["items"]] == ["市审计局"]
    assert faces.run("zheng", "export-openpgp-key", key).stdout == "public 1"
    assert faces.run("qian", "retire-partner", partner).exit_code == 0
    assert faces.run("qian", "retire-openpgp-key", key).exit_code == 0
    asked = ("request-partner", "市审计局", __file__, "--reason", "年度审计")
    assert faces.run("qian", *asked).exit_code != 0


def test_a_partner_is_rejected_without_its_fingerprint(faces: Faces) -> None:
    _, partner = faces.call("request_partner", "qian", WISH)
    done = faces.run("sun", "decide-partner", partner["id"], "--reject", "--reason", "不认识")
    assert done.exit_code == 0
    _, listed = faces.call("list_partners", "zheng")
    assert [each["state"] for each in listed["items"]] == ["rejected"]
