"""A real demo home with its whole WSGI application, in process: nothing is faked but the wire."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson

from iam.core.gb11643.id_number import check_character
from iam.core.rfc6238.totp import SECRET_BYTES, base32, hotp, step_at
from iam.models.accounts import IdentityDocument, NewAccount
from iam.models.clients import ClientCredentials
from iam.models.credentials import PasswordCredential, TotpCredential
from iam.models.sessions import FactorAttempt, PasswordAttempt
from iam.service.provider.grants import CodeExchange
from iam.service.sign_on.stored_passwords import hash_password
from secops.app import open_house
from secops.bridges.house import House
from secops.bridges.processes import all_routes, build_gateway
from secops.cli import cli
from secops.kernel.actors import ROOT_ORG, os_actor
from secops.kernel.clock import SECOND
from secops.kernel.permissions import permissions_of
from secops.kernel.permissions.roles import ROLES
from secops.kernel.transactions import Transaction
from secops.web.routes import Public, Route, SignedIn
from secops.web.wsgi import Wsgi

ORIGIN = "http://localhost:8080"
CALLBACK = "http://127.0.0.1/callback"
OWNER = os_actor("root")
KEPT = 60 * SECOND
_ACCOUNT = re.compile(r"^([a-z-]+)\s+(\S+)\s+([A-Z2-7]{32})$", re.MULTILINE)
_CLIENT = re.compile(r"^application (\S+)\s+secret (\S+)$", re.MULTILINE)
_PASSWORD = "Correct-Horse-47-Battery"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True)
class Login:
    password: str
    secret: str

    def code(self, now: int) -> str:
        secret = base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))
        return hotp(secret, step_at(now))


def make_demo_home(home: Path) -> None:
    """Do what ``secops init --demo`` does, in this process."""
    cli.main(["--home", str(home), "init", "--demo"], standalone_mode=False)


def read_logins(home: Path) -> dict[str, Login]:
    text = (home / "demo-accounts.txt").read_text()
    return {name: Login(password, secret) for name, password, secret in _ACCOUNT.findall(text)}


def read_application(home: Path) -> tuple[str, str]:
    found = _CLIENT.search((home / "demo-accounts.txt").read_text())
    assert found is not None
    return found[1], found[2]


@dataclass(repr=False)
class DemoSite:
    house: House
    routes: tuple[Route, ...]
    app: Wsgi
    logins: dict[str, Login]
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        body: bytes = b"",
        kind: str = "application/json",
        **headers: str,
    ) -> Answer:
        address, _, query = path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": address.encode().decode("latin-1"),
            "QUERY_STRING": query.encode().decode("latin-1"),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost:8080",
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if method not in ("GET", "LIST", "DELETE") or body:
            environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind}
        if token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        started: list[tuple[str, list[tuple[str, str]]]] = []
        content = b"".join(self.app(environ, lambda status, sent: started.append((status, sent))))
        status, sent = started[0]
        return Answer(
            int(status.split()[0]), {name.lower(): value for name, value in sent}, content
        )

    def token(self, account: str) -> str:
        """An access token for ``account``: password, TOTP, code with PKCE, exchange.

        It lives five minutes and is kept for one: a run of all tests takes longer, and a
        new TOTP code is due by then.
        """
        now = self.house.parts.clock.now()
        token, made = self.tokens.get(account, ("", 0))
        if now - made >= KEPT:
            token = self._sign_in(account)
            self.tokens[account] = token, now
        return token

    def _sign_in(self, account: str) -> str:
        iam, login = self.house.iam, self.logins[account]
        reference = iam.sign_in.begin(PasswordAttempt(account, login.password, "127.0.0.1"))
        code = login.code(self.house.parts.clock.now())
        opened = iam.sign_in.finish(FactorAttempt(reference, code, "127.0.0.1"))
        return self.exchange(opened.cookie, *read_application(self.house.settings.home))

    def exchange(self, cookie: str, client: str, secret: str) -> str:
        """Take the session to an application; return its access token."""
        iam = self.house.iam
        verifier = "v" * 43
        digest = hashlib.sha256(verifier.encode()).digest()
        request = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": CALLBACK,
            "scope": "openid api",
            "state": "s",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        answer = iam.authorize.authorize(request, cookie)
        granted = parse_qs(urlsplit(answer.location).query)["code"][0]
        exchange = CodeExchange(granted, CALLBACK, verifier)
        return iam.grants.exchange_code(ClientCredentials(client, secret), exchange).access_token

    def application_token(self) -> str:
        client, secret = read_application(self.house.settings.home)
        form = urlencode(
            {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        ).encode()
        kind = "application/x-www-form-urlencoded"
        answer = self.call("POST", "/oauth2/token", body=form, kind=kind)
        assert answer.status == 200, answer.body
        token: str = answer.json()["access_token"]
        return token

    def holder_of(self, route: Route) -> str:
        """A role that may use ``route``; staff where nobody needs a role."""
        if isinstance(route.access, Public | SignedIn):
            return "staff"
        return next(role for role in ROLES if route.access in permissions_of(frozenset({role})))

    def add_account(self, name: str, role: str, org_id: str, number: int) -> None:
        """An active account with ``role`` in another organisation, with both factors."""
        iam, parts = self.house.iam, self.house.parts
        means = iam.accounts.means
        first = f"99999919900101{number:03d}"
        document = IdentityDocument("cn-id", first + check_character(first))
        new = NewAccount(name, "civil", name, document, "邻县", role)
        account, _ = iam.accounts.make(OWNER, new, org_id)
        secret = parts.randomness.bytes(SECRET_BYTES)
        hashed = hash_password(means, _PASSWORD)
        sealed = means.box.seal(secret, f"totp|{account.id}".encode())

        def work(tx: Transaction) -> None:
            credentials = means.stores.credentials
            credentials.set_password(tx, PasswordCredential(account.id, hashed, tx.now), 5)
            credentials.set_totp(tx, TotpCredential(account.id, sealed, step_at(tx.now) - 2))
            means.stores.accounts.set_state(tx, account.id, "active")
            iam.roles.grant(tx, OWNER, account, role)

        parts.transactions.run(work)
        self.logins[name] = Login(_PASSWORD, base32(secret))


def open_demo_site(home: Path) -> DemoSite:
    """Make a demo home and open it as a gateway does; it closes when the process ends."""
    make_demo_home(home)
    house = open_house(home, "gateway")
    return DemoSite(house, all_routes(house), build_gateway(house), read_logins(home))


__all__ = ["ORIGIN", "OWNER", "ROOT_ORG", "Answer", "DemoSite", "open_demo_site"]
