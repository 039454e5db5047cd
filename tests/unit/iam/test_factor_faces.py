"""Factors over HTTP and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secops.app import open_house
from secops.bridges.processes import all_routes, build_gateway
from secops.cli import cli
from secops.kernel.clock import SECOND
from tests.fakes.authenticator import Authenticator
from tests.fakes.certificate_office import Office, Token, header
from tests.fakes.console_site import ConsoleSite, Reader
from tests.fakes.demo_site import DemoSite, make_demo_home, read_logins

OURS = {"origin": "http://localhost:8080", "sec_fetch_site": "same-origin"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> ConsoleSite:
    home = tmp_path_factory.mktemp("faces") / "home"
    make_demo_home(home)
    return ConsoleSite(open_site(home))


def ask(reader: Reader, method: str, path: str, body: object = None) -> tuple[int, object]:
    content = b"" if body is None else json.dumps(body).encode()
    page = reader._ask(method, f"/api/v1/iam{path}", content, "application/json", OURS)
    return page.status, json.loads(page.body) if page.body else None


def test_passkeys_and_codes_over_http(site: ConsoleSite) -> None:
    reader, device = Reader(site.site), Authenticator()
    reader.sign_in("staff")
    status, question = ask(reader, "POST", "/me/passkeys/question", {})
    assert (status, sorted(question)) == (200, ["options", "reference"])  # type: ignore[call-overload]
    given = {
        "name": "手机",
        "reference": question["reference"],  # type: ignore[index]
        "answer": device.create(question["options"]),  # type: ignore[index]
    }
    assert ask(reader, "POST", "/me/passkeys", given) == (201, {"name": "手机", "hardware": False})
    assert ask(reader, "POST", "/me/passkeys", {**given, "answer": 5})[0] == 401
    status, listed = ask(reader, "GET", "/me/factors")
    held = {each["kind"]: each for each in listed["items"]}  # type: ignore[index]
    assert sorted(held) == ["passkey", "password", "recovery", "totp"]
    one = f"/me/passkeys/{held['passkey']['id']}"
    assert ask(reader, "POST", f"{one}/name", {"name": "电脑"})[0] == 204
    assert ask(reader, "DELETE", one)[0] == 204
    assert ask(reader, "DELETE", one)[0] == 404
    assert ask(reader, "DELETE", "/me/certificates/none")[0] == 404
    status, codes = ask(reader, "POST", "/me/recovery-codes", {})
    assert (status, len(codes["recovery_codes"])) == (200, 10)  # type: ignore[index, call-overload]


def test_a_stale_session_changes_no_factor_over_http(site: ConsoleSite) -> None:
    import sqlalchemy as sa  # noqa: PLC0415 - one use

    reader = Reader(site.site)
    reader.sign_in("analyst")
    run = site.site.house.parts.transactions.run
    statement = sa.text("UPDATE iam_sessions SET auth_time = auth_time - :ago")
    run(lambda tx: tx.execute(statement, {"ago": 400 * SECOND}))
    for method, path in (
        ("POST", "/me/passkeys/question"),
        ("POST", "/me/passkeys"),
        ("DELETE", "/me/passkeys/x"),
        ("POST", "/me/recovery-codes"),
    ):
        status, problem = ask(reader, method, path, {} if method == "POST" else None)
        assert (path, status, problem["code"]) == (  # type: ignore[index]
            path,
            401,
            "kernel.step_up_required",
        )


def test_a_ukey_signs_in_on_the_page_and_by_a_terminators_signed_word(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_demo_home(home)
    key = "ab" * 32
    with (home / "settings.toml").open("a") as file:
        file.write(f'\nterminator_key = "{key}"\n')
    site = open_site(home)
    house = site.house
    now = house.parts.clock.now()
    office = Office(now)
    for name, content in (
        ("roots/r.der", office.root),
        ("crl/c.der", office.revocation_lists()[0]),
    ):
        file_ = home / "trust" / name
        file_.parent.mkdir(parents=True, exist_ok=True)
        file_.write_bytes(content)
    token = Token(office)
    given = tmp_path / "zhangwei.cer"
    given.write_bytes(token.certificate)
    words = ("iam", "bind-certificate", "zhangwei", str(given), "--token-held")
    approval = run(home, "system-admin", *words).strip()
    run(home, "security-admin", "iam", "approve-certificate", approval)
    assert run(home, "system-admin", *words, "--approval", approval).startswith("crt_")
    assert '"certificate"' in run(home, "zhangwei", "iam", "list-factors", "--json")

    status, challenge = ask(Reader(site), "POST", "/certificate-challenges", {})
    assert (status, challenge["purpose"]) == (200, "secops-sm2-login/v1")  # type: ignore[index]
    reader = Reader(site)
    transaction = reader._begin()
    page = reader.get(f"/login/certificate?transaction={transaction}")
    assert "secops-sm2-login/v1" in page.text
    from iam.models.factors import CertificateChallenge  # noqa: PLC0415 - one use

    answer = token.answer(CertificateChallenge(**challenge), now=now)  # type: ignore[arg-type]
    form = {"transaction": transaction, "reference": challenge["reference"], "second": ""}  # type: ignore[index]
    bad = reader.upload("/login/certificate", {**form, "answer": ""}, {"file": b"{}"})
    assert (bad.status, "证书登录未被接受" in bad.text) == (401, True)
    done = reader.upload("/login/certificate", {**form, "answer": ""}, {"file": answer.encode()})
    assert (done.status, "op_session" in reader.jar) == (303, True)

    other = Reader(site)
    path = f"/login/certificate?transaction={other._begin()}"
    bare = other._ask("GET", path, b"", "", {"x_ssl_client_cert": "anything"})
    assert (bare.status, "op_session" in other.jar) == (200, False)
    forged = header(token.certificate, b"another key", now)
    refused = other._ask("GET", path, b"", "", {"x_secops_client_certificate": forged})
    assert (refused.status, "op_session" in other.jar) == (401, False)
    said = header(token.certificate, bytes.fromhex(key), now)
    vouched = other._ask("GET", path, b"", "", {"x_secops_client_certificate": said})
    assert (vouched.status, "op_session" in other.jar) == (303, True)


def open_site(home: Path) -> DemoSite:
    house = open_house(home, "gateway")
    return DemoSite(house, all_routes(house), build_gateway(house), read_logins(home))


def run(home: Path, account: str, *words: str) -> str:
    from click.testing import CliRunner  # noqa: PLC0415 - one use

    done = CliRunner().invoke(cli, ["--home", str(home), "--as", account, *words])
    assert done.exit_code == 0, done.output
    return done.stdout
