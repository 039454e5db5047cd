"""Forty secrets through good and malformed requests: none is found anywhere afterwards."""

from __future__ import annotations

import base64
import io
import logging
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from secops.app import open_house
from secops.bridges.processes import build_gateway
from secops.web.server.fast import FastAnswers
from secops.web.server.heads import Head
from secops.web.server.parsing import RequestParser
from tests.fakes.demo_site import make_demo_home, read_application

HOST = "localhost:8080"
FORM = "application/x-www-form-urlencoded"


def canary(number: int) -> str:
    return f"canary{number:02d}{base64.b16encode(bytes([number]) * 9).decode()}"


def requests_with(secrets: list[str], client: str) -> list[tuple[str, str, dict[str, str], bytes]]:
    """Method, path, headers and body, each with one secret where a secret belongs, or doesn't."""

    def form(**fields: str) -> bytes:
        return urlencode(fields).encode()

    kind = {"content-type": FORM}
    made = iter(secrets)

    def secret() -> str:
        return next(made)

    def basic(value: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(value.encode()).decode(), **kind}

    token, inspect, revoke = "/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"
    grant = "client_credentials"
    login = {"client_id": client}
    return [
        ("POST", token, kind, form(grant_type=grant, client_secret=secret(), **login)),
        ("POST", token, kind, form(grant_type=grant, client_id=secret(), client_secret="x")),
        ("POST", token, basic(f"{client}:{secret()}"), form(grant_type=grant)),
        ("POST", token, {"authorization": f"Basic {secret()}!", **kind}, form(grant_type=grant)),
        ("POST", token, kind, form(grant_type=secret(), **login)),
        ("POST", token, kind, form(grant_type="password", password=secret(), **login)),
        ("POST", token, kind, form(grant_type="authorization_code", code=secret(), **login)),
        ("POST", token, kind, form(grant_type="refresh_token", refresh_token=secret(), **login)),
        ("POST", token, kind, form(grant_type="refresh_token", refresh_token=f"rt1.{secret()}")),
        ("POST", token, kind, form(grant_type="authorization_code", code_verifier=secret())),
        ("POST", token, kind, form(grant_type=grant, client_assertion=secret(), **login)),
        ("POST", token, {**kind, "dpop": secret()}, form(grant_type=grant, **login)),
        ("POST", token, {"content-type": "application/json"}, secret().encode()),
        ("POST", token, kind, b"client_secret=" + secret().encode() + b"&%ff=%zz"),
        ("POST", token, kind, b"\xff" + secret().encode()),
        ("POST", token, kind, form(grant_type=grant, client_secret=secret()) * 2),
        ("POST", inspect, kind, form(token=secret(), client_secret="x", **login)),
        ("POST", inspect, basic(f"{client}:{secret()}"), form(token="a.b.c")),
        ("POST", inspect, kind, form(token=f"eyJ.{secret()}.x", client_secret="x", **login)),
        ("POST", revoke, kind, form(token=secret(), client_secret="x", **login)),
        ("POST", revoke, kind, form(token="x", client_secret=secret(), **login)),
        ("GET", "/oauth2/userinfo", {"authorization": f"Bearer {secret()}"}, b""),
        ("GET", "/oauth2/userinfo", {"authorization": f"DPoP {secret()}", "dpop": "x"}, b""),
        ("GET", "/forward-auth", {"authorization": f"Bearer {secret()}"}, b""),
        ("GET", "/forward-auth", {"cookie": f"__Host-site_session_0={secret()}"}, b""),
        ("GET", "/", {"cookie": f"rp_session={secret()}"}, b""),
        ("GET", "/", {"cookie": f'rp_session="{secret()}'}, b""),
        ("GET", "/api/v1/iam/accounts", {"authorization": f"Bearer {secret()}"}, b""),
        ("GET", "/api/v1/iam/accounts", {"x-vault-token": secret()}, b""),
        ("POST", "/v1/transit/sign/demo-p256", {"x-vault-token": secret()}, b"{}"),
        ("POST", "/v1/transit/encrypt/x", {"x-vault-token": "x"}, secret().encode()),
        ("POST", "/login", kind, form(transaction="x", name="analyst", password=secret())),
        ("POST", "/login", kind, form(transaction=secret(), name="analyst", password="x")),
        ("POST", "/login/factor", kind, form(transaction="x", reference="x", code=secret())),
        ("POST", "/login/factor", kind, form(reference=secret(), code="1")),
        ("GET", f"/oauth2/authorize?request_uri={secret()}", {}, b""),
        ("GET", f"/oauth2/logout?id_token_hint={secret()}", {}, b""),
        ("POST", f"/enrol/{secret()}", kind, b"password=x"),
        ("GET", "/signin/callback?code=" + secret() + "&state=x", {}, b""),
        ("BREW", "/oauth2/token", {"authorization": f"Bearer {secret()}"}, b""),
    ]


def environ_of(method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    path, _, query = target.partition("?")
    given = {"host": HOST, "origin": f"http://{HOST}", "sec-fetch-site": "same-origin", **headers}
    environ: dict[str, Any] = {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in given.items()
    }
    return environ | {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }


def test_forty_secrets_are_found_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    make_demo_home(home)
    client, _ = read_application(home)
    secrets = [canary(number) for number in range(40)]
    house = open_house(home, "gateway")
    metrics: list[bytes] = []
    try:
        application = build_gateway(house)
        answers = FastAnswers(application.lane, application.routes)
        sent = requests_with(secrets, client)
        assert len(sent) == len(secrets)
        with caplog.at_level(logging.DEBUG):
            for method, target, headers, body in sent:
                environ = environ_of(method, target, headers, body)
                b"".join(application(environ, lambda *_: None))
                head = Head(method, target.partition("?")[0], "", {"host": HOST, **headers})
                found = answers.find(method, head.path)
                if found is not None and not found[0].proxied:
                    request = answers.request_of(head, body, "127.0.0.1", found)
                    answers.dispatcher.answer(request, found[0])
                raw = f"{method} {target} HTTP/1.1\r\nbroken {headers}\r\n\r\n".encode()
                for refused, _, _, error in RequestParser(answers, lambda _: True).feed(raw):
                    assert error is not None
                    answers.refusal(error, refused)
        metrics.extend(application(environ_of("GET", "/metrics", {}, b""), lambda *_: None))
    finally:
        house.close()
    printed = capfd.readouterr()
    places = {
        "metrics": b"".join(metrics),
        "log": caplog.text.encode(),
        "stdout": printed.out.encode(),
        "stderr": printed.err.encode(),
        **{str(file): file.read_bytes() for file in home.rglob("*") if file.is_file()},
    }
    leaked = [
        (secret, place)
        for place, content in places.items()
        for secret in secrets
        if secret.encode() in content
    ]
    print(f"{len(secrets)} secrets in {len(places)} places: {len(leaked)} found")
    assert leaked == []
