"""The manual's page about connecting an application, followed to the letter.

Its commands, files and programs are taken from the page and run as they stand; a browser does
what a person would. Behind-a-proxy has its own judges (test_forward_auth_judges).
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from click.testing import CliRunner, Result

from iam.commands import group
from secops.kernel.actors import Actor
from secops.terminal.session import Session
from tests.fakes.console_site import ConsoleSite, Reader
from tests.fakes.wire_of_requests import SiteAdapter

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "manual" / "connect_an_application.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def block(heading: str, language: str) -> str:
    """The first block in ``language`` of the section under ``heading``."""
    section = MANUAL.read_text().partition(f"\n## {heading}")[2].partition("\n## ")[0]
    found = [content for kind, content in FENCE.findall(section) if kind == language]
    assert found, (heading, language)
    return str(found[0])


def lines(shell: str) -> list[list[str]]:
    """The words of each command of a block."""
    return [shlex.split(line) for line in shell.replace("\\\n", " ").splitlines() if line.strip()]


class _House:
    """The opened house, as a command gets it."""

    def __init__(self, console: ConsoleSite) -> None:
        self._house = console.site.house

    @property
    def parts(self) -> Any:
        return self._house.parts

    @property
    def services(self) -> Any:
        return (self._house.iam,)

    def act_as(self, account: str | None) -> Actor:
        assert account is not None
        return self._house.iam.actors.by_account(account)

    def close(self) -> None:
        """It is the fixture's."""


def secops(console: ConsoleSite, words: list[str]) -> Result:
    """Run one ``secops --as NAME iam …`` of the manual."""
    program, option, name, plane, *rest = words
    assert (program, option, plane) == ("secops", "--as", "iam"), words
    session = Session(Path("/nonexistent"), name, lambda _: _House(console))
    result = CliRunner().invoke(group, rest, obj=session)
    assert result.exception is None, (words, result.output, result.exception)
    return result


def program(text: str) -> SimpleNamespace:
    """What a Python block of the manual defines."""
    defined: dict[str, Any] = {}
    exec(compile(text, str(MANUAL), "exec"), defined)  # noqa: S102 - our own manual
    return SimpleNamespace(**defined)


@pytest.fixture
def wire(console: ConsoleSite, monkeypatch: pytest.MonkeyPatch) -> SiteAdapter:
    adapter = SiteAdapter(console.site)
    monkeypatch.setattr(requests.Session, "get_adapter", lambda *_, **__: adapter)
    return adapter


def walk(reader: Reader, address: str) -> str:
    """Follow the provider's redirects, say yes where asked; return where they lead."""
    while address.startswith(("/", "http://localhost:8080/")):
        page = reader.get(address.removeprefix("http://localhost:8080"))
        if "/oauth2/consent" in page.text:
            found = re.search(r'name="transaction" value="([^"]+)"', page.text)
            assert found is not None
            form = {"transaction": found[1], "do": "allow"}
            page = reader.post("/oauth2/consent", form, origin="http://localhost:8080")
        assert page.status == 303, (address, page.status, page.text)
        address = page.headers["location"]
    return address


def test_openid_connect_is_connected_as_written(
    console: ConsoleSite,
    wire: SiteAdapter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in lines(block("1. Register it", "sh")):
        secops(console, words)
    application = program(block("2. Sign people in", "python"))
    address, kept = application.begin()
    reader = Reader(console.site)
    reader.sign_in("zhangwei")
    came_back = walk(reader, address)
    assert came_back.startswith("https://oa.example.gov.cn/callback?")
    tokens, who = application.finish(came_back, kept)
    assert (who["acr"], who["iss"]) == ("urn:secops:aal:2", "http://localhost:8080")
    assert application.profile(tokens)["preferred_username"] == "zhangwei"
    renewed = application.renew(tokens)
    assert application.profile(renewed)["sub"] == who["sub"]
    with pytest.raises(Exception, match=r"state|mismatching"):
        application.finish(came_back.replace("state=", "state=x"), kept)
    with pytest.raises(PermissionError):
        application.finish(came_back.replace("iss=http", "iss=https"), kept)
    reader.get(application.log_out(tokens).removeprefix("http://localhost:8080"))
    assert reader.get("/me").headers["location"].startswith("/signin")
    assert wire.asked


def test_an_application_gets_its_own_token_as_written(
    console: ConsoleSite, wire: SiteAdapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registered = json.loads(
        secops(console, [*lines(block("1. Register it", "sh"))[1][:5], "shipper-2"]).stdout
    )
    ((curl, u, credentials, *rest, url),) = lines(block("3. An application's own tokens", "sh"))
    assert (curl, u, credentials, rest[::2]) == ("curl", "-u", "log-shipper:SECRET", ["-d", "-d"])
    form = dict(pair.split("=") for pair in rest[1::2]) | {"scope": "openid"}
    answer = requests.post(url, form, auth=(registered["id"], registered["secret"]), timeout=10)
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 300)
    assert len(wire.asked) == 1


def test_cas_is_connected_as_written(
    console: ConsoleSite, wire: SiteAdapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chapter = "CAS 3.0, for portals that speak nothing newer"
    (tmp_path / "portal.json").write_text(block(chapter, "json"))
    ask, approve = lines(block(chapter, "sh"))
    asked = secops(console, ask)
    change = re.search(r"approve-change (\S+)", asked.output)
    assert change is not None
    secops(console, [change[1] if word == "CHANGE" else word for word in approve])
    portal = program(block(chapter, "python"))
    came_back = walk(console.reader("analyst"), portal.begin())
    assert came_back.startswith("https://portal.example/index?ticket=ST-")
    ticket = parse_qs(urlsplit(came_back).query)["ticket"][0]
    user, attributes = portal.finish(ticket)
    assert (user, attributes["roles"], attributes["acr"]) == (
        "analyst",
        "analyst",
        "urn:secops:aal:2",
    )
    with pytest.raises(PermissionError):
        portal.finish(ticket)
    assert len(wire.asked) == 2
