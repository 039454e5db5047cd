"""openid-client and oauth4webapi (npm), and authlib, against one served demo home."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey
from jwt.algorithms import ECAlgorithm

from iam.models.clients import DEVICE_GRANT, NewClient
from secops.app import open_house
from secops.cli.bench.served import SECOPS, Served, demo_home, serve
from secops.kernel.actors import ROOT_ORG, os_actor
from secops.kernel.clock import SECOND, SystemClock
from secops.settings import bare_environment
from tests.fakes.demo_site import read_logins
from tests.functional.test_foreign_clients import HIDDEN, Browser
from tests.services.oauth_judge import judge, missing

pytestmark = [pytest.mark.network, pytest.mark.service]

REDIRECT = "http://127.0.0.1/callback"
BYE = "http://127.0.0.1/bye"


@dataclass(frozen=True)
class Site:
    """A served home and the applications the judges use."""

    served: Served
    secrets: dict[str, str]
    keys: dict[str, ec.EllipticCurvePrivateKey]

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.served.port}"

    def private_jwk(self, name: str) -> dict[str, Any]:
        return dict(ECAlgorithm.to_jwk(self.keys[name], as_dict=True))


FLOW: dict[str, Any] = {
    "grants": frozenset({"authorization_code", "refresh_token"}),
    "redirect_uris": (REDIRECT,),
    "logout_uris": (BYE,),
}
OWN: dict[str, Any] = {"grants": frozenset({"client_credentials"})}
CLIENTS: dict[str, dict[str, Any]] = {
    "web": FLOW,
    "spa": FLOW | {"public": True},
    "bank": FLOW | {"profile": "fapi2"},
    "tv": {"grants": frozenset({DEVICE_GRANT}), "public": True},
    "batch": OWN | {"dpop_bound": True},
    "lib": OWN,
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("bank", "batch", "lib")}
    secrets: dict[str, str] = {}
    with demo_home() as home:
        house = open_house(home)
        for name, options in CLIENTS.items():
            jwks = None
            if name in keys:
                public = ECAlgorithm.to_jwk(keys[name].public_key(), as_dict=True)
                jwks = json.dumps({"keys": [public]})
            scopes = frozenset({"openid", "profile"})
            new = NewClient(name, name, scopes=scopes, jwks=jwks, **options)
            secrets[name] = house.iam.clients.make(os_actor("root"), new, ROOT_ORG).secret or ""
        house.close()
        with serve(home) as running:
            yield Site(running, secrets, keys)


class Person:
    """Somebody at a browser: signs in once and does what the judges ask for."""

    def __init__(self, site: Site, account: str) -> None:
        self.account = account
        self.login = read_logins(site.served.home)[account]
        self.browser = Browser(site.served.port)
        self._used = ""

    def __call__(self, said: dict[str, str]) -> str:
        return self.approve(said["approve"]) if "approve" in said else self.open(said["open"])

    def open(self, url: str) -> str:
        """Follow an address of the provider to the application's."""
        location = url
        while urlsplit(location).netloc in ("", f"localhost:{self.browser.port}"):
            parts = urlsplit(location)
            if parts.path == "/login":
                location = self._sign_in(location)
                continue
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            status, location, page = self.browser.ask("GET", target)
            assert status == 303, (status, target, page)
        return location

    def _sign_in(self, location: str) -> str:
        parts = urlsplit(location)
        _, _, page = self.browser.ask("GET", f"{parts.path}?{parts.query}")
        form = dict(HIDDEN.findall(page)) | {"name": self.account, "password": self.login.password}
        _, _, page = self.browser.ask("POST", "/login", form)
        form = dict(HIDDEN.findall(page)) | {"code": self._code()}
        status, onward, page = self.browser.ask("POST", "/login/factor", form)
        assert status == 303, page
        return onward

    def _code(self) -> str:
        """A code of the second factor that was not used before: each counts once."""
        totp = pyotp.TOTP(self.login.secret)
        while totp.now() == self._used:
            time.sleep(0.5)
        self._used = totp.now()
        return self._used

    def approve(self, code: str) -> str:
        """Type a device's code on its page and say yes."""
        status, location, _ = self.browser.ask("GET", "/device")
        while status == 303:
            parts = urlsplit(location)
            if parts.path == "/login":
                location = self._sign_in(location)
                parts = urlsplit(location)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            status, location, _ = self.browser.ask("GET", target)
        _, _, page = self.browser.ask("POST", "/device", {"user_code": code})
        assert "192.0.2" not in page
        assert "127.0.0.1" in page or "::1" in page
        decision = {"user_code": code, "do": "approve"}
        status, _, page = self.browser.ask("POST", "/device/decision", decision)
        assert status == 200, page
        return code


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_openid_client_and_oauth4webapi_find_nothing_wrong(site: Site) -> None:
    given = {
        "issuer": site.issuer,
        "redirect": REDIRECT,
        "bye": BYE,
        "refreshes": 10,
        "parties": {
            "spa": {"id": "spa"},
            "web": {"id": "web", "secret": site.secrets["web"]},
            "bank": {"id": "bank", "jwk": site.private_jwk("bank"), "logout": True},
        },
        "device": {"id": "tv"},
        "service": {"id": "batch", "jwk": site.private_jwk("batch")},
    }
    report = judge(given, Person(site, "staff"))
    expected = {"type": "dpop", "acr": "urn:secops:aal:2", "name": "staff", "active": True}
    assert report["spa"] == expected | {"refreshTokens": 11, "afterwards": "invalid_grant"}
    assert report["web"] == expected | {"refreshTokens": 11, "afterwards": "invalid_grant"}
    assert report["bank"] == expected | {
        "refreshTokens": 1,
        "afterwards": "invalid_dpop_proof",
        "returned": f"{BYE}?state=over",
    }
    assert report["device"] == {"type": "bearer", "identity": "urn:secops:aal:2"}
    assert report["service"]["type"] == "dpop"
    assert report["service"]["bearer"] != "accepted"


def test_authlib_authenticates_by_its_key(site: Site) -> None:
    key = ECKey.import_key(site.private_jwk("lib"))
    session = OAuth2Session("lib", key, token_endpoint_auth_method="private_key_jwt")
    now = SystemClock().now() // SECOND
    method = PrivateKeyJWT(site.issuer, claims={"exp": now + 60}, alg="ES256")
    session.register_client_auth_method(method)
    endpoint = f"{site.issuer}/oauth2/token"
    token = session.fetch_token(endpoint, grant_type="client_credentials")
    assert token["token_type"] == "Bearer"


def test_the_command_line_signs_in_by_a_browser(site: Site) -> None:
    """``secops login`` on the home of a running service shows a code and waits for a person."""
    home = site.served.home
    environment = {**bare_environment(), "SECOPS_PUBLIC_URL": site.issuer}
    process = subprocess.Popen(
        (*SECOPS, "--home", str(home), "login"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    shown = process.stdout.readline() + process.stdout.readline()
    code = re.search(r"[A-Z]{4}-[A-Z]{4}", shown)
    assert code is not None, shown
    waiting = threading.Timer(60, process.kill)
    waiting.start()
    Person(site, "zhangwei").approve(code[0])
    rest, _ = process.communicate(timeout=60)
    waiting.cancel()
    assert "signed in as zhangwei" in rest
    saved = Path(home) / "login"
    assert saved.stat().st_mode & 0o777 == 0o600
    listed = subprocess.run(
        (*SECOPS, "--home", str(home), "iam", "list-client-requests", "--json"),
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert json.loads(listed.stdout)["items"] == []


def test_what_discovery_says_is_served(site: Site) -> None:
    metadata = requests.get(f"{site.issuer}/.well-known/openid-configuration", timeout=30).json()
    other = requests.get(f"{site.issuer}/.well-known/oauth-authorization-server", timeout=30).json()
    assert metadata == other
    endpoints = {name: url for name, url in metadata.items() if name.endswith("_endpoint")}
    assert len(endpoints) == 9
    for name, url in endpoints.items():
        method = "GET" if name in ("authorization_endpoint", "end_session_endpoint") else "POST"
        answer = requests.request(method, url, allow_redirects=False, timeout=30)
        assert answer.status_code not in (404, 405, 500), name
    assert DEVICE_GRANT in metadata["grant_types_supported"]
