"""Codes by mail over the whole application: pages, HTTP and command line, a real mail server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from secops.app import open_house
from secops.bridges.processes import all_routes, build_gateway
from secops.cli import cli
from secops.kernel.errors import NotFound
from tests.fakes.console_site import ConsoleSite, Page, Reader
from tests.fakes.demo_site import DemoSite, make_demo_home, read_logins
from tests.fakes.mail_server import FakeMailServer

pytestmark = pytest.mark.network

OURS = {"origin": "http://localhost:8080", "sec_fetch_site": "same-origin"}
MAIL = "staff.one@example.gov.cn"


@dataclass
class Place:
    """A demo home with a mail server."""

    site: ConsoleSite
    server: FakeMailServer
    home: Path

    @property
    def code(self) -> str:
        found = re.search(r"\d{8}", self.server.mails[-1].get_content())
        assert found is not None
        return found[0]

    def rest(self) -> None:
        """Let the pause between two codes pass: real time is not waited for."""
        run = self.site.site.house.parts.transactions.run
        run(lambda tx: tx.execute(sa.text("DELETE FROM iam_lockouts")))

    def password_given(self, reader: Reader, name: str) -> tuple[dict[str, str], Page]:
        """Return the second page's hidden fields, and the page."""
        transaction = reader._begin()
        password = self.site.site.logins[name].password
        given = {"transaction": transaction, "name": name, "password": password}
        page = reader.post("/login", given)
        return {"transaction": transaction, "reference": hidden(page, "reference")}, page


def hidden(page: Page, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("messages") / "home"
    make_demo_home(home)
    server = FakeMailServer()
    with (home / "settings.toml").open("a") as settings:
        settings.write(
            f'mail_server = "localhost:{server.port}"\n'
            'mail_encryption = "none"\nmail_sender = "no-reply@example.gov.cn"\n'
        )
    house = open_house(home, "gateway")
    site = DemoSite(house, all_routes(house), build_gateway(house), read_logins(home))
    yield Place(ConsoleSite(site), server, home)
    house.close()
    server.close()


def add(place: Place, reader: Reader, text: str = MAIL) -> Page:
    place.rest()
    asked = reader.post("/me/messages", {"channel": "mail", "address": text})
    form = {"reference": hidden(asked, "reference"), "code": place.code}
    return reader.post("/me/messages/code", form)


def test_an_address_is_added_shown_masked_used_and_removed(place: Place) -> None:
    reader = place.site.reader("staff")
    assert 'type="email"' in reader.get("/me/messages").text
    assert 'type="tel"' not in reader.get("/me/messages").text
    wrong = reader.post("/me/messages", {"channel": "mail", "address": "staff.one"})
    assert (wrong.status, "邮箱不正确" in wrong.text) == (400, True)
    assert add(place, reader).headers["location"] == "/me/factors"
    shown = reader.get("/me/factors").text
    assert "s***@example.gov.cn" in shown
    assert MAIL not in shown
    place.rest()
    stranger = Reader(place.site.site)
    fields, page = place.password_given(stranger, "staff")
    assert "发送验证码至 s***@example.gov.cn" in page.text
    sent = stranger.post("/login/factor/message", {**fields, "channel": "mail"})
    assert (sent.status, "验证码已发送至 s***@example.gov.cn" in sent.text) == (200, True)
    again = stranger.post("/login/factor/message", {**fields, "channel": "mail"})
    assert (again.status, "动态码" in again.text) == (429, True)
    answer = stranger.post("/login/factor", {**fields, "code": place.code})
    while answer.status == 303 and "rp_session" not in stranger.jar:
        where = answer.headers["location"].removeprefix("http://localhost:8080")
        answer = stranger.get(where)
    assert "rp_session" in stranger.jar
    assert stranger.get("/me").status == 200
    assert reader.post("/me/messages/mail/remove").headers["location"] == "/me/factors"
    assert reader.post("/me/messages/mail/remove").status == 404


def test_an_administrator_is_offered_no_code_by_message(place: Place) -> None:
    reader = place.site.reader("system-admin")
    assert add(place, reader, "admin@example.gov.cn").status == 303
    place.rest()
    stranger = Reader(place.site.site)
    fields, page = place.password_given(stranger, "system-admin")
    assert "发送验证码至" not in page.text
    refused = stranger.post("/login/factor/message", {**fields, "channel": "mail"})
    assert (refused.status, "不能使用短信或邮件验证码" in refused.text) == (403, True)


def test_a_wrong_code_is_asked_for_again(place: Place) -> None:
    reader = place.site.reader("analyst")
    place.rest()
    given = {"channel": "mail", "address": "analyst@example.gov.cn"}
    asked = reader.post("/me/messages", given)
    form = {"reference": hidden(asked, "reference"), "masked": "a***@x", "code": "00000000"}
    refused = reader.post("/me/messages/code", form)
    assert (refused.status, "a***@x" in refused.text) == (401, True)


def test_trouble_at_the_server_is_told_and_other_factors_stay(place: Place) -> None:
    reader = place.site.reader("integrator")
    assert add(place, reader, "integrator@example.gov.cn").status == 303
    place.rest()
    stranger = Reader(place.site.site)
    fields, _ = place.password_given(stranger, "integrator")
    place.server.trouble = "refuse"
    told = stranger.post("/login/factor/message", {**fields, "channel": "mail"})
    place.server.trouble = ""
    assert (told.status, "验证码未能发出" in told.text) == (503, True)
    assert 'action="/login/factor"' in told.text


def test_forms_of_other_sites_send_nothing(place: Place) -> None:
    stranger = Reader(place.site.site)
    fields, _ = place.password_given(stranger, "staff")
    other = {"origin": "https://evil.example", "sec_fetch_site": "cross-site"}
    given = {**fields, "channel": "mail"}
    assert stranger.post("/login/factor/message", given, **other).status == 403


def ask(reader: Reader, method: str, path: str, body: object = None) -> tuple[int, Any]:
    content = b"" if body is None else json.dumps(body).encode()
    address = f"/api/v1/iam/me/message-addresses{path}"
    page = reader._ask(method, address, content, "application/json", OURS)
    return page.status, json.loads(page.body) if page.body else None


def test_the_same_over_http(place: Place) -> None:
    reader = place.site.reader("seal-holder")
    place.rest()
    wish = {"channel": "mail", "address": "holder@example.gov.cn"}
    status, asked = ask(reader, "POST", "", wish)
    assert (status, asked["address"]) == (202, "h***@example.gov.cn")
    given = {"reference": asked["reference"], "code": place.code}
    assert ask(reader, "POST", "/confirmation", given)[0] == 201
    assert ask(reader, "POST", "/confirmation", given)[0] == 401
    status, listed = ask(reader, "GET", "")
    assert [each["address"] for each in listed["items"]] == ["h***@example.gov.cn"]
    assert ask(reader, "POST", "", {**wish, "channel": "sms"})[0] == 409
    assert ask(reader, "POST", "", {**wish, "address": "holder"})[0] == 400
    assert ask(reader, "DELETE", "/mail")[0] == 204
    assert ask(reader, "DELETE", "/mail")[0] == 404


def test_the_same_on_the_command_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.rest()
    given = iter(["seal@example.gov.cn"])
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(given, None) or place.code)

    def run(*words: str) -> Result:
        command = ["--home", str(place.home), "--as", "seal-applicant", "iam", *words]
        return CliRunner().invoke(cli, command)

    assert run("add-message-address", "mail").exit_code == 0
    assert '"s***@example.gov.cn"' in run("list-message-addresses", "--json").stdout
    assert run("remove-message-address", "mail").exit_code == 0
    assert isinstance(run("remove-message-address", "sms").exception, NotFound)
