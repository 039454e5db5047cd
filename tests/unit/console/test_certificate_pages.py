"""Certificates on the pages of sign-in and step-up, over the whole application."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from iam.models.factors import CertificateChallenge, NewBinding
from secops.app import open_house
from secops.bridges.processes import all_routes, build_gateway
from secops.kernel.clock import SECOND
from tests.fakes.authenticator import b64
from tests.fakes.certificate_office import Office, Token, header
from tests.fakes.console_site import OURS, ConsoleSite, Page, Reader
from tests.fakes.demo_site import DemoSite, make_demo_home, read_logins

KEY = bytes.fromhex("5c" * 32)
HEADER = "x_secops_client_certificate"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> ConsoleSite:
    home = tmp_path_factory.mktemp("certificates") / "home"
    make_demo_home(home)
    with (home / "settings.toml").open("a") as settings:
        settings.write(f'\nterminator_key = "{KEY.hex()}"\n')
    house = open_house(home, "gateway")
    return ConsoleSite(DemoSite(house, all_routes(house), build_gateway(house), read_logins(home)))


@pytest.fixture(scope="module")
def token(site: ConsoleSite) -> Token:
    """The analyst's UKey, of an office whose files the operator put in place."""
    house = site.site.house
    token = Token(Office(house.parts.clock.now()))
    for folder, encoded in (
        ("roots", token.office.root),
        ("crl", token.office.list_of(token.office.key)),
    ):
        made = house.settings.home / "trust" / folder
        made.mkdir(parents=True, exist_ok=True)
        (made / "office.der").write_bytes(encoded)
    service, actor = house.iam.certificates, house.iam.actors.by_account
    new = NewBinding("analyst", token.certificate, "UKey", token_held=True)
    approval = service.request_binding(actor("system-admin"), new, "new UKey")
    service.approve_binding(actor("security-admin"), approval, grant=True)
    service.bind_certificate(actor("system-admin"), new, approval)
    return token


def challenge_of(page: Page) -> CertificateChallenge:
    """What the page asks to be signed."""
    found = re.search(r"<pre[^>]*>(.*?)</pre>", page.text, re.DOTALL)
    reference = re.search(r'name="reference" value="([^"]*)"', page.text)
    assert found is not None, page.text
    assert reference is not None
    fields: dict[str, Any] = json.loads(html.unescape(found[1]))
    return CertificateChallenge(
        fields["purpose"], fields["origin"], fields["nonce"], 120, reference[1]
    )


def answered(site: ConsoleSite, token: Token, page: Page) -> dict[str, str]:
    challenge = challenge_of(page)
    answer = token.answer(challenge, now=site.site.house.parts.clock.now())
    return {"reference": challenge.reference, "answer": answer}


def arrive(reader: Reader, answer: Page) -> None:
    while answer.status == 303 and "rp_session" not in reader.jar:
        answer = reader.get(answer.headers["location"].removeprefix("http://localhost:8080"))
    assert "rp_session" in reader.jar, answer.text


def age(site: ConsoleSite, seconds: int) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - one use

    run = site.site.house.parts.transactions.run
    statement = "UPDATE iam_sessions SET auth_time = auth_time - :ago"
    run(lambda tx: tx.execute(sa.text(statement), {"ago": seconds * SECOND}))


def by_terminator(reader: Reader, path: str, said: str) -> Page:
    return reader._ask("GET", path, b"", "", {HEADER: said})


def test_a_ukey_signs_in_on_the_page(site: ConsoleSite, token: Token) -> None:
    reader = Reader(site.site)
    transaction = reader._begin()
    page = reader.get(f"/login/certificate?transaction={transaction}")
    form = {"transaction": transaction, "second": "", **answered(site, token, page)}
    wrong = reader.post("/login/certificate", {**form, "answer": "{}"})
    assert (wrong.status, "证书登录未被接受" in wrong.text) == (401, True)
    assert reader.post("/login/certificate", form, origin="https://evil.example").status == 403
    arrive(reader, reader.post("/login/certificate", form))
    assert "analyst" in reader.get("/me/factors").text


def test_a_ukey_steps_a_session_up_and_leads_back(site: ConsoleSite, token: Token) -> None:
    reader = site.reader("analyst")
    before = dict(reader.jar)
    age(site, 400)
    assert reader.get("/me/totp").headers["location"] == "/step-up?next=/me/totp"
    page = reader.get("/step-up?next=/me/totp")
    assert "使用本连接出示的证书" not in page.text
    form = {"next": "/me/totp", **answered(site, token, page)}
    wrong = reader.post("/step-up/certificate", {**form, "answer": "{}"})
    assert (wrong.status, "证书登录未被接受" in wrong.text) == (401, True)
    assert reader.post("/step-up/certificate", form, origin="https://evil.example").status == 403
    fields = {"next": "/me/totp", "reference": form["reference"]}
    done = reader.upload("/step-up/certificate", fields, {"file": form["answer"].encode()})
    assert (done.status, done.headers["location"]) == (303, "/me/totp")
    assert reader.get("/me/totp").status == 200
    assert reader.jar["rp_session"] != before["rp_session"]
    assert reader.jar["op_session"] != before["op_session"]


def test_the_certificate_of_the_connection_signs_in_and_steps_up(
    site: ConsoleSite, token: Token
) -> None:
    now = site.site.house.parts.clock.now
    reader = Reader(site.site)
    path = f"/login/certificate?transaction={reader._begin()}"
    forged = by_terminator(reader, path, header(token.certificate, b"x" * 32, now()))
    assert (forged.status, "rp_session" in reader.jar) == (401, False)
    arrive(reader, by_terminator(reader, path, header(token.certificate, KEY, now())))
    age(site, 400)
    said = header(token.certificate, KEY, now(), nonce=b64(b"m" * 16))
    page = by_terminator(reader, "/step-up?next=/me/totp", said)
    assert "使用本连接出示的证书" in page.text
    form = {"next": "/me/totp", "presented": "1"}
    assert reader.post("/step-up/certificate", form).status == 401
    done = reader.post("/step-up/certificate", form, **OURS, **{HEADER: said})
    assert (done.status, done.headers["location"]) == (303, "/me/totp")
