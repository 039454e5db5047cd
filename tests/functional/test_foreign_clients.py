"""Clients we did not write: authlib, PyJWT, hvac and openssl against a served demo home."""

from __future__ import annotations

import base64
import http.client
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import hvac
import jwt
import pyotp
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session

from secops.cli.bench.served import Served, command, demo_home, serve
from tests.fakes.demo_site import Login, read_logins
from tests.services import hvac_suite

pytestmark = [pytest.mark.network, pytest.mark.service]

PATIENCE = 10.0
CALLBACK = "http://127.0.0.1/callback"
HIDDEN = re.compile(r'name="(\w+)" value="([^"]*)"')


@dataclass
class Browser:
    """Follows redirects on loopback by hand, keeps cookies, fills the sign-in forms."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=60)
        headers = {
            "Host": f"localhost:{self.port}",
            "Origin": f"http://localhost:{self.port}",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode(form) if form is not None else None
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for value in answer.headers.get_all("set-cookie", []):
            for name, morsel in SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        page, location = answer.read().decode(), answer.headers.get("location", "")
        connection.close()
        return answer.status, location, page

    def sign_in(self, url: str, account: str, login: Login) -> str:
        """Walk from the authorization request to the redirect with the code."""
        status, location, _ = self.ask("GET", _path(url))
        assert status == 303
        _, _, page = self.ask("GET", _path(location))
        form = dict(HIDDEN.findall(page)) | {"name": account, "password": login.password}
        _, _, page = self.ask("POST", "/login", form)
        form = dict(HIDDEN.findall(page)) | {"code": pyotp.TOTP(login.secret).now()}
        status, location, page = self.ask("POST", "/login/factor", form)
        assert status == 303, page
        status, location, _ = self.ask("GET", _path(location))
        assert status == 303
        return location


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with demo_home() as home:
        words = ("kms", "create-key", "hv-sm2", "--type", "sm2", "--grant", "demo-app")
        command(home, "--as", "security-admin", *words)
        with serve(home) as running:
            yield running


@pytest.fixture(scope="module")
def issuer(served: Served) -> str:
    return f"http://localhost:{served.port}"


@pytest.fixture(scope="module")
def metadata(issuer: str) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(
        f"{issuer}/.well-known/openid-configuration", timeout=30
    ).json()
    return found


def oauth(served: Served, scope: str = "openid profile api") -> OAuth2Session:
    client, secret = served.client
    return OAuth2Session(
        client,
        secret,
        scope=scope,
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    )


def sign_in(served: Served, metadata: dict[str, Any], account: str) -> tuple[OAuth2Session, Any]:
    session = oauth(served)
    verifier = base64.urlsafe_b64encode(account.encode() * 8)[:64].decode().replace("=", "A")
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier.ljust(43, "x"), nonce="n-1"
    )
    login = read_logins(served.home)[account]
    back = Browser(served.port).sign_in(url, account, login)
    token = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=back,
        code_verifier=verifier.ljust(43, "x"),
        state=state,
    )
    return session, token


@pytest.fixture(scope="module")
def staff(served: Served, metadata: dict[str, Any]) -> tuple[OAuth2Session, Any]:
    return sign_in(served, metadata, "staff")


def test_discovery_names_what_is_served(issuer: str, metadata: dict[str, Any]) -> None:
    assert metadata["issuer"] == issuer
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint"):
        assert metadata[name].startswith(f"{issuer}/")


def test_authlib_signs_in_by_code_and_pkce(
    issuer: str, metadata: dict[str, Any], staff: tuple[OAuth2Session, Any], served: Served
) -> None:
    session, token = staff
    keys = jwt.PyJWKClient(metadata["jwks_uri"], timeout=30)
    key = keys.get_signing_key_from_jwt(token["id_token"])
    identity = jwt.decode(
        token["id_token"], key.key, algorithms=["ES256"], audience=served.client[0], issuer=issuer
    )
    assert (identity["nonce"], identity["acr"]) == ("n-1", "urn:secops:aal:2")
    access_key = keys.get_signing_key_from_jwt(token["access_token"])
    access = jwt.decode(
        token["access_token"],
        access_key.key,
        algorithms=["ES256"],
        options={"verify_aud": False},
        issuer=issuer,
    )
    assert access["exp"] - access["iat"] <= 300
    profile = session.get(metadata["userinfo_endpoint"], timeout=30).json()
    assert profile["sub"] == identity["sub"]


def test_a_signature_of_somebody_else_is_refused_by_pyjwt(
    metadata: dict[str, Any], staff: tuple[OAuth2Session, Any]
) -> None:
    token = staff[1]["access_token"]
    key = jwt.PyJWKClient(metadata["jwks_uri"], timeout=30).get_signing_key_from_jwt(token)
    head, body, signature = token.split(".")
    other = "B" if signature[0] == "A" else "A"
    forged = f"{head}.{body}.{other}{signature[1:]}"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(forged, key.key, algorithms=["ES256"], options={"verify_aud": False})


def introspected(served: Served, metadata: dict[str, Any], token: str) -> bool:
    answer = oauth(served).introspect_token(
        metadata["introspection_endpoint"], token=token, token_type_hint="access_token"
    )
    found: bool = answer.json()["active"]
    return found


def test_refresh_rotates_and_revocation_reaches_what_was_issued(
    served: Served, metadata: dict[str, Any], issuer: str
) -> None:
    session, first = sign_in(served, metadata, "zhangwei")
    second = session.refresh_token(metadata["token_endpoint"], refresh_token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    access = second["access_token"]
    headers = {"Authorization": f"Bearer {access}"}
    assert introspected(served, metadata, access)
    assert requests.get(f"{issuer}/api/v1/iam/me", headers=headers, timeout=30).status_code == 200
    answer = session.revoke_token(metadata["revocation_endpoint"], token=second["refresh_token"])
    assert answer.status_code == 200
    started, status = time.monotonic(), 0
    while status != 401 and time.monotonic() - started < PATIENCE:
        status = requests.get(f"{issuer}/api/v1/iam/me", headers=headers, timeout=30).status_code
    print(f"refused {time.monotonic() - started:.3f} s after the revocation was answered")
    assert status == 401
    assert not introspected(served, metadata, access)


def test_an_old_refresh_token_ends_the_family(served: Served, metadata: dict[str, Any]) -> None:
    session, token = sign_in(served, metadata, "seal-holder")
    refresh_tokens = [token["refresh_token"]]
    for _ in range(2):  # one generation back may be a repeat of the same application
        token = session.refresh_token(metadata["token_endpoint"], refresh_token=refresh_tokens[-1])
        refresh_tokens.append(token["refresh_token"])
    for used in (refresh_tokens[0], refresh_tokens[2]):
        answer = requests.post(
            metadata["token_endpoint"],
            data={"grant_type": "refresh_token", "refresh_token": used},
            auth=served.client,
            timeout=30,
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_code_without_its_verifier_is_worth_nothing(
    served: Served, metadata: dict[str, Any]
) -> None:
    session = oauth(served)
    url, _ = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier="v" * 50
    )
    login = read_logins(served.home)["seal-applicant"]
    back = Browser(served.port).sign_in(url, "seal-applicant", login)
    code = parse_qs(urlsplit(back).query)["code"][0]
    answer = requests.post(
        metadata["token_endpoint"],
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": "w" * 50,
        },
        auth=served.client,
        timeout=30,
    )
    assert answer.json()["error"] == "invalid_grant"


# Transit


@pytest.fixture(scope="module")
def vault(served: Served, issuer: str) -> hvac.Client:
    """hvac as the demo application, which has the integrator's role."""
    answer = requests.post(
        f"{issuer}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=served.client,
        timeout=30,
    )
    return hvac.Client(url=issuer, token=answer.json()["access_token"])


@pytest.fixture(scope="module")
def keeper(served: Served, metadata: dict[str, Any], issuer: str) -> hvac.Client:
    _, token = sign_in(served, metadata, "security-admin")
    return hvac.Client(url=issuer, token=token["access_token"])


def test_hvac_creates_a_key_and_may_not_use_it(keeper: hvac.Client) -> None:
    keeper.secrets.transit.create_key("hv-made", key_type="ecdsa-p256")
    data = keeper.secrets.transit.read_key("hv-made")["data"]
    assert (data["name"], data["type"], data["latest_version"]) == ("hv-made", "ecdsa-p256", 1)
    with pytest.raises(hvac.exceptions.Forbidden):
        keeper.secrets.transit.sign_data("hv-made", base64.b64encode(b"x").decode())


def test_hvac_may_not_use_a_key_that_was_not_granted(
    keeper: hvac.Client, vault: hvac.Client
) -> None:
    keeper.secrets.transit.create_key("hv-other", key_type="ecdsa-p256")
    with pytest.raises((hvac.exceptions.Forbidden, hvac.exceptions.InvalidPath)):
        vault.secrets.transit.sign_data("hv-other", base64.b64encode(b"x").decode())


@pytest.mark.skipif(bool(hvac_suite.missing()), reason=hvac_suite.missing() or "it can run")
def test_hvacs_own_transit_tests_pass(
    served: Served, keeper: hvac.Client, vault: hvac.Client, issuer: str, tmp_path: Path
) -> None:
    gateway = hvac_suite.Gateway(issuer, keeper.token, vault.token, served.client[0])
    outcomes, report = hvac_suite.run_suite(tmp_path, gateway)
    others = {name: outcome for name, outcome in outcomes.items() if outcome != "PASSED"}
    assert others == {}, report
    assert len(outcomes) == 47


def test_hvac_signs_and_verifies(vault: hvac.Client) -> None:
    text = base64.b64encode("关于印发通知".encode()).decode()
    signature = vault.secrets.transit.sign_data("hv-sm2", text)["data"]["signature"]
    good = vault.secrets.transit.verify_signed_data("hv-sm2", text, signature=signature)
    other = base64.b64encode(b"another text").decode()
    bad = vault.secrets.transit.verify_signed_data("hv-sm2", other, signature=signature)
    assert (good["data"]["valid"], bad["data"]["valid"]) == (True, False)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")
def test_openssl_verifies_an_sm2_signature_of_transit(
    vault: hvac.Client, served: Served, tmp_path: Path
) -> None:
    message = "关于印发通知\n".encode() * 50
    text = base64.b64encode(message).decode()
    signature = vault.secrets.transit.sign_data("hv-sm2", text)["data"]["signature"]
    (tmp_path / "message").write_bytes(message)
    (tmp_path / "signature").write_bytes(base64.b64decode(signature.rpartition(":")[2]))
    pem = command(served.home, "--as", "security-admin", "kms", "export-public-key", "hv-sm2")
    (tmp_path / "key.pem").write_text(pem)

    def verdict() -> str:
        return subprocess.run(
            [
                *("openssl", "dgst", "-sm3", "-sigopt", "distid:1234567812345678"),
                *("-verify", str(tmp_path / "key.pem"), "-signature", str(tmp_path / "signature")),
                str(tmp_path / "message"),
            ],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()

    assert verdict() == "Verified OK"
    (tmp_path / "message").write_bytes(message + b"!")
    assert verdict() != "Verified OK"
