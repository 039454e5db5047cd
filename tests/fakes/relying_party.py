"""An application as it would be written elsewhere: keys, proofs, assertions, and a browser."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from iam.core.base64url import encode
from iam.core.rfc7636.pkce import challenge_of
from iam.core.rfc7638.thumbprint import thumbprint
from iam.models.clients import ASSERTION_TYPE, Client, NewClient
from secops.kernel.actors import ROOT_ORG, os_actor
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import path_pattern
from secops.web.messages import Request, Response
from tests.fakes.iam_home import ADDRESS, ISSUER, IamHome

CALLBACK = "https://app.example/cb"
BYE = "https://app.example/bye"
VERIFIER = "v" * 43
FORM = {"content-type": "application/x-www-form-urlencoded"}


def public_jwk(private: Any) -> dict[str, Any]:
    public = private.public_key()
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return dict(ECAlgorithm.to_jwk(public, as_dict=True))
    if isinstance(private, rsa.RSAPrivateKey):
        return {
            n: v for n, v in RSAAlgorithm.to_jwk(public, as_dict=True).items() if n != "key_ops"
        }
    return dict(OKPAlgorithm.to_jwk(public, as_dict=True))


def new_key(algorithm: str) -> Any:
    if algorithm == "PS256":
        return rsa.generate_private_key(65_537, 2_048)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Holder:
    """A key and what is signed with it; ``home`` tells the time."""

    home: IamHome
    algorithm: str = "ES256"
    private: Any = None
    count: int = 0

    def __post_init__(self) -> None:
        self.private = self.private or new_key(self.algorithm)

    @property
    def jwk(self) -> dict[str, Any]:
        return public_jwk(self.private)

    @property
    def jkt(self) -> str:
        return thumbprint(self.jwk)

    @property
    def now(self) -> int:
        return self.home.clock.now() // 1_000_000

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """Write a JWS by hand, so that any header can be tried; None leaves a claim out."""
        given = {name: value for name, value in claims.items() if value is not None}
        full = {"alg": self.algorithm, **header}
        text = f"{encode(orjson.dumps(full))}.{encode(orjson.dumps(given))}"
        signer = jwt.algorithms.get_default_algorithms()[self.algorithm]
        return f"{text}.{encode(signer.sign(text.encode(), self.private))}"

    def proof(
        self,
        verb: str,
        *,
        token: str | None = None,
        header: dict[str, Any] | None = None,
        **more: Any,
    ) -> str:
        method, _, path = verb.partition(" ")
        self.count += 1
        claims: dict[str, Any] = {
            "jti": f"{self.jkt[:8]}-{self.count}",
            "htm": method,
            "htu": f"{ISSUER}{path}",
            "iat": self.now,
        }
        if token is not None:
            claims["ath"] = encode(hashlib.sha256(token.encode()).digest())
        full = {"typ": "dpop+jwt", "jwk": self.jwk, **(header or {})}
        return self.sign({n: v for n, v in full.items() if v is not None}, claims | more)

    def assertion(
        self, client_id: str, *, header: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, str]:
        self.count += 1
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": ISSUER,
            "jti": f"a-{self.jkt[:8]}-{self.count}",
            "iat": self.now,
            "exp": self.now + 60,
        }
        signed = self.sign(dict(header or {}), claims | more)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


@dataclass
class Browser:
    """Sends requests through guard and dispatcher, as one lane would, keeping cookies."""

    home: IamHome
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = self.home.spine.parts
        verification = self.home.services.verification
        guard = Guard(verification, parts.access, parts.clock, verification, verification)
        self._dispatcher = Dispatcher(guard, parts.trail)

    def send(self, verb: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Response:
        method, _, target = verb.partition(" ")
        parts = urlsplit(target)
        sent = {"host": "localhost:8080", **(headers or {})}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        for route in self.home.plane.routes:
            match = path_pattern(route.path).fullmatch(parts.path)
            if route.method == method and match:
                request = Request(
                    method=method,
                    path=parts.path,
                    query_string=parts.query,
                    headers=sent,
                    body=body,
                    args=match.groupdict(),
                    remote=ADDRESS,
                    origin=ISSUER,
                    request_id="r",
                )
                return self._dispatcher.answer(request, route)
        raise AssertionError(verb)

    def form(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> Response:
        given = {name: value for name, value in fields.items() if value is not None}
        return self.send(f"POST {path}", urlencode(given).encode(), {**FORM, **(headers or {})})

    def sign_in(self, role: str) -> None:
        self.cookies["op_session"] = self.home.sign_in(role).cookie


def answer_of(response: Response) -> Any:
    return orjson.loads(response.body)


def location_of(response: Response) -> dict[str, str]:
    """The query of the redirect, and its address as ``to``."""
    assert response.status == 303, (response.status, response.body)
    location = response.header("location") or ""
    parts = urlsplit(location)
    found = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {"to": location.partition("?")[0], **found}


@dataclass
class RelyingParty:
    """One registered application and how it asks."""

    home: IamHome
    client: Client
    secret: str | None
    keys: Holder
    browser: Browser

    def credentials(self) -> dict[str, str]:
        if self.client.auth_method == "private_key_jwt":
            return self.keys.assertion(self.client.id)
        if self.secret is None:
            return {"client_id": self.client.id}
        return {"client_id": self.client.id, "client_secret": self.secret}

    def parameters(self, **more: str | None) -> dict[str, str]:
        fields: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "s",
            "nonce": "n",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **more,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def authorize(self, **more: str | None) -> Response:
        return self.browser.send(f"GET /oauth2/authorize?{urlencode(self.parameters(**more))}")

    def code(self, **more: str | None) -> str:
        return location_of(self.authorize(**more))["code"]

    def push(self, proof: str | None = None, **more: str | None) -> Response:
        headers = {} if proof is None else {"dpop": proof}
        fields = {**self.parameters(**more), **self.credentials()}
        return self.browser.form("/oauth2/par", headers, **fields)

    def pushed_code(self, proof: str | None = None, **more: str | None) -> str:
        reference = answer_of(self.push(proof, **more))["request_uri"]
        asked = urlencode({"client_id": self.client.id, "request_uri": reference})
        return location_of(self.browser.send(f"GET /oauth2/authorize?{asked}"))["code"]

    def token(self, proof: str | None = None, **fields: str) -> Response:
        headers = {} if proof is None else {"dpop": proof}
        return self.browser.form("/oauth2/token", headers, **{**self.credentials(), **fields})

    def exchange(self, code: str, proof: str | None = None, **more: str) -> Response:
        fields = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, **more}
        return self.token(proof, grant_type="authorization_code", **fields)

    def refresh(self, token: str, proof: str | None = None) -> Response:
        return self.token(proof, grant_type="refresh_token", refresh_token=token)


def register(home: IamHome, client_id: str = "app", **given: Any) -> RelyingParty:
    """Register an application; ``keys=True`` lets it authenticate by them."""
    keys = Holder(home)
    if given.pop("keys", False):
        given["jwks"] = json.dumps({"keys": [keys.jwk]})
    defaults: dict[str, Any] = {
        "redirect_uris": (CALLBACK,),
        "grants": frozenset({"authorization_code", "refresh_token"}),
        "scopes": frozenset({"openid", "profile", "api"}),
        "logout_uris": (BYE,),
    }
    new = NewClient(client_id, client_id, **{**defaults, **given})
    issued = home.services.clients.make(os_actor("root"), new, ROOT_ORG)
    return RelyingParty(home, issued.client, issued.secret, keys, Browser(home))
