"""The plane's routes, through the same guard and dispatcher as in the service."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import orjson
import pytest

from iam.core.rfc7636.pkce import challenge_of
from iam.models.clients import NewClient
from iam.models.options import CONSOLE_CLIENT
from secops.kernel.actors import ROOT_ORG, os_actor
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import path_pattern
from secops.web.messages import Request, Response
from secops.web.openapi import describe
from tests.fakes.iam_home import ISSUER, IamHome
from tests.fakes.knowing import know_well

VERIFIER = "v" * 43
CALLBACK = "https://app.example/cb"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Browser:
    """Sends requests as one lane would, keeping cookies."""

    def __init__(self, home: IamHome) -> None:
        self.home = home
        self.cookies: dict[str, str] = {}
        parts = home.spine.parts
        guard = Guard(home.services.verification, parts.access, parts.clock)
        self._dispatcher = Dispatcher(guard, parts.trail)

    def send(
        self,
        verb: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        token: str = "",
    ) -> Response:
        method, _, target = verb.partition(" ")
        parts = urlsplit(target)
        sent = {"host": "localhost:8080", **(headers or {})}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if token:
            sent["authorization"] = f"Bearer {token}"
        content = body if isinstance(body, bytes) else orjson.dumps(body) if body else b""
        for route in self.home.plane.routes:
            match = path_pattern(route.path).fullmatch(parts.path)
            if route.method == method and match:
                request = Request(
                    method=method,
                    path=parts.path,
                    query_string=parts.query,
                    headers=sent,
                    body=content,
                    args=match.groupdict(),
                    remote="192.0.2.7",
                    origin=ISSUER,
                    request_id="r",
                )
                return self._dispatcher.answer(request, route)
        raise AssertionError(verb)

    def form(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Response:
        return self.send(
            f"POST {path}", urlencode(fields).encode(), headers={**FORM, **(headers or {})}
        )


@pytest.fixture
def browser(home: IamHome) -> Browser:
    return Browser(home)


def register(home: IamHome, client_id: str, **given: Any) -> str:
    issued = home.services.clients.make(
        os_actor("root"), NewClient(client_id, client_id, **given), ROOT_ORG
    )
    return issued.secret or ""


def app(home: IamHome) -> str:
    return register(
        home,
        "app",
        redirect_uris=(CALLBACK,),
        grants=frozenset({"authorization_code", "refresh_token", "client_credentials"}),
        scopes=frozenset({"openid", "profile", "api"}),
        logout_uris=("https://app.example/bye",),
    )


def basic(client_id: str, secret: str) -> dict[str, str]:
    text = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"authorization": f"Basic {text}"}


def token_for(home: IamHome, role: str) -> str:
    """An access token of the command line's client for a demo account."""
    from iam.models.clients import ClientCredentials  # noqa: PLC0415
    from iam.service.provider.grants import CodeExchange  # noqa: PLC0415

    redirect = "http://127.0.0.1:7777/callback"
    answer = home.services.authorize.authorize(
        {
            "response_type": "code",
            "client_id": "secops-cli",
            "redirect_uri": redirect,
            "scope": "openid api",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        },
        home.sign_in(role).cookie,
    )
    code = parse_qs(urlsplit(answer.location).query)["code"][0]
    exchange = CodeExchange(code, redirect, VERIFIER)
    credentials = ClientCredentials("secops-cli", None)
    return home.services.grants.exchange_code(credentials, exchange).access_token


def body(response: Response) -> Any:
    return orjson.loads(response.body)


def authorize_path(**more: str | None) -> str:
    fields = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "st&ate",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **more,
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return f"GET /oauth2/authorize?{urlencode(known)}"


def location(response: Response) -> dict[str, str]:
    assert response.status == 303
    target = response.header("location") or ""
    return {k: v[0] for k, v in parse_qs(urlsplit(target).query).items()}


def test_the_whole_flow_of_an_application(home: IamHome, browser: Browser) -> None:
    secret = app(home)
    answer = browser.send(authorize_path())
    assert (answer.header("location") or "").startswith("/login?transaction=")
    transaction = location(answer)["transaction"]
    assert home.services.authorize.client_name(transaction) == "app"
    browser.cookies["op_session"] = home.sign_in("staff").cookie
    back = browser.send(f"GET /oauth2/authorize?{urlencode({'transaction': transaction})}")
    assert (back.header("location") or "").startswith(f"{CALLBACK}?code=")
    given = location(back)
    assert (given["state"], given["iss"]) == ("st&ate", ISSUER)
    browser.cookies.clear()
    fields = {
        "grant_type": "authorization_code",
        "code": given["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    answer = browser.form("/oauth2/token", basic("app", secret), **fields)
    assert (answer.status, answer.header("cache-control")) == (200, "no-store")
    tokens = body(answer)
    assert sorted(tokens) == [
        "access_token",
        "expires_in",
        "id_token",
        "refresh_token",
        "scope",
        "token_type",
    ]
    info = body(browser.send("GET /oauth2/userinfo", token=tokens["access_token"]))
    assert (info["preferred_username"], info["roles"]) == ("staff", ["staff"])
    refreshed = browser.form(
        "/oauth2/token",
        basic("app", secret),
        grant_type="refresh_token",
        refresh_token=tokens["refresh_token"],
    )
    assert refreshed.status == 200
    login = {"client_id": "app", "client_secret": secret}
    live = body(browser.form("/oauth2/introspect", **login, token=tokens["access_token"]))
    assert (live["active"], live["acr"]) == (True, "urn:secops:aal:2")
    gone = browser.form("/oauth2/revoke", **login, token=body(refreshed)["refresh_token"])
    assert (gone.status, gone.body) == (200, b"{}")
    dead = browser.form("/oauth2/introspect", **login, token=tokens["access_token"])
    assert body(dead) == {"active": False}


def test_applications_get_tokens_of_their_own_and_each_leaves_one_leaf(
    home: IamHome, browser: Browser
) -> None:
    secret = register(home, "svc", scopes=frozenset({"api", "kms"}))
    login = {"client_id": "svc", "client_secret": secret}
    answer = browser.form("/oauth2/token", grant_type="client_credentials", scope="kms", **login)
    token = body(answer)["access_token"]
    assert (answer.status, len(answer.acts)) == (200, 1)
    assert token not in str(answer.acts)
    assert secret not in str(answer.acts)
    actor = home.services.verification.verify_token(token)
    assert (actor.kind, actor.id, actor.scopes) == ("client", "svc", frozenset({"kms"}))
    claims = body(browser.form("/oauth2/introspect", token=token, **login))
    assert (claims["sub"], claims["aud"], claims["scope"]) == ("svc", "secops-api", "kms")


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "a", "password": "b"}, 400, None),
        ({"grant_type": "client_credentials", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": ""}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "scope": "root"}, 400, "invalid_scope"),
        ({"grant_type": "client_credentials", "resource": "other"}, 400, "invalid_target"),
        ({"grant_type": "authorization_code", "code": "x"}, 400, "invalid_request"),
        (
            {
                "grant_type": "authorization_code",
                "code": "x",
                "redirect_uri": CALLBACK,
                "code_verifier": VERIFIER,
            },
            400,
            "invalid_grant",
        ),
        ({"grant_type": "refresh_token", "refresh_token": "rt1.x"}, 400, "invalid_grant"),
    ],
)
def test_refusals_speak_rfc_6749(
    home: IamHome, browser: Browser, fields: dict[str, str], status: int, error: str | None
) -> None:
    login = {"client_id": "app", "client_secret": app(home)}
    answer = browser.form("/oauth2/token", **{**login, **fields})
    assert (answer.status, body(answer)["error"]) == (status, error or "unsupported_grant_type")
    assert ("Basic" in (answer.header("www-authenticate") or "")) == (status == 401)


@pytest.mark.parametrize(
    "raw",
    [
        b"grant_type=a&grant_type=b",
        b"\xff=\xff",
        b"grant_type=%ff",
        b"a=1&" * 2000,
        b"",
        b"{}",
    ],
)
def test_a_malformed_form_is_an_invalid_request(browser: Browser, raw: bytes) -> None:
    answer = browser.send("POST /oauth2/token", raw, headers=FORM)
    assert (answer.status, body(answer)["error"]) == (400, "invalid_request")


def test_two_ways_to_authenticate_at_once_are_refused(home: IamHome, browser: Browser) -> None:
    secret = app(home)
    both = browser.form(
        "/oauth2/token",
        basic("app", secret),
        grant_type="client_credentials",
        client_secret=secret,
    )
    other = browser.form(
        "/oauth2/token", basic("app", secret), grant_type="client_credentials", client_id="b"
    )
    assert (both.status, other.status) == (400, 400)
    for header in ("Basic", "Basic !", "Basic YQ==", "Bearer x", "Basic " + "A" * 2000):
        answer = browser.form(
            "/oauth2/token", {"authorization": header}, grant_type="client_credentials"
        )
        assert (answer.status, body(answer)["error"]) == (401, "invalid_client")


def test_only_the_tokens_audience_and_client_see_it(home: IamHome, browser: Browser) -> None:
    secret, other = app(home), register(home, "other")
    login = {"client_id": "app", "client_secret": secret}
    token = body(browser.form("/oauth2/token", grant_type="client_credentials", **login))[
        "access_token"
    ]
    stranger = {"client_id": "other", "client_secret": other}
    assert body(browser.form("/oauth2/introspect", token=token, **stranger)) == {"active": False}
    assert browser.form("/oauth2/revoke", token=token, **stranger).status == 200
    assert body(browser.form("/oauth2/introspect", token=token, **login))["active"]
    assert browser.form("/oauth2/revoke", token=token, **login).status == 200
    assert body(browser.form("/oauth2/introspect", token=token, **login)) == {"active": False}
    assert browser.form("/oauth2/revoke", token="rubbish", **login).status == 200
    assert browser.form("/oauth2/introspect", token=token).status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?x=1"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": "https://app.example.evil/cb"},
        {"redirect_uri": "https://app.example@evil/cb"},
        {"redirect_uri": "https://app.example/cb#@evil"},
        {"redirect_uri": "//app.example/cb"},
        {"redirect_uri": "http://app.example/cb"},
        {"redirect_uri": "https://app.example:8443/cb"},
        {"redirect_uri": "https://app.example/%63b"},
        {"redirect_uri": "http://127.0.0.1/callback"},
        {"state": "x" * 5000},
    ],
)
def test_a_doubtful_request_sends_the_browser_nowhere(
    home: IamHome, browser: Browser, change: dict[str, str | None]
) -> None:
    app(home)
    browser.cookies["op_session"] = home.sign_in("staff").cookie
    answer = browser.send(authorize_path(**change))
    assert (answer.status, answer.header("location")) == (400, None)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "openid root"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "select_account"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": "x"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://evil"}, "request_uri_not_supported"),
        ({"nonce": "x" * 1100}, "invalid_request"),
    ],
)
def test_other_refusals_go_back_to_the_application(
    home: IamHome, browser: Browser, change: dict[str, str | None], error: str
) -> None:
    app(home)
    answer = location(browser.send(authorize_path(**change)))
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "st&ate", ISSUER)
    assert "code" not in answer


def test_a_repeated_parameter_is_refused(home: IamHome, browser: Browser) -> None:
    app(home)
    answer = browser.send(authorize_path() + f"&redirect_uri={CALLBACK}")
    assert (answer.status, answer.header("location")) == (400, None)


def test_an_application_without_codes_gets_none(home: IamHome, browser: Browser) -> None:
    register(home, "spa", redirect_uris=(CALLBACK,), grants=frozenset({"authorization_code"}))
    stored = home.services.authorize.directory.find("spa")
    assert stored is not None
    from dataclasses import replace  # noqa: PLC0415

    from iam.core.rfc6749.authorize import check_authorization  # noqa: PLC0415
    from iam.errors import UnauthorizedClient  # noqa: PLC0415

    with pytest.raises(UnauthorizedClient):
        check_authorization(
            {"response_type": "code"}, replace(stored, grants=frozenset()), CALLBACK
        )


def test_an_old_sign_in_or_prompt_login_asks_again(home: IamHome, browser: Browser) -> None:
    app(home)
    browser.cookies["op_session"] = home.sign_in("staff").cookie
    assert "code" in location(browser.send(authorize_path(max_age="60")))
    home.clock.advance(61)
    asked = location(browser.send(authorize_path(max_age="60")))
    assert "transaction" in asked
    forced = location(browser.send(authorize_path(prompt="login")))
    resume = f"GET /oauth2/authorize?{urlencode(forced)}"
    assert "transaction" in location(browser.send(resume))
    home.clock.advance(1)
    browser.cookies["op_session"] = home.sign_in("staff").cookie
    assert "code" in location(browser.send(resume))


def test_a_native_applications_loopback_port_is_free(home: IamHome, browser: Browser) -> None:
    register(
        home,
        "native",
        redirect_uris=("http://127.0.0.1/cb",),
        grants=frozenset({"authorization_code"}),
        public=True,
    )
    for uri, fine in {
        "http://127.0.0.1:4711/cb": True,
        "http://127.0.0.1:0/cb": False,
        "http://127.0.0.1:99999/cb": False,
        "http://127.0.0.1:4711/cb2": False,
        "http://127.0.0.1:a/cb": False,
        "http://localhost:4711/cb": False,
    }.items():
        answer = browser.send(authorize_path(client_id="native", redirect_uri=uri, scope="openid"))
        assert answer.status == (303 if fine else 400), uri


def test_both_metadata_addresses_say_the_same(browser: Browser) -> None:
    one = body(browser.send("GET /.well-known/openid-configuration"))
    assert one == body(browser.send("GET /.well-known/oauth-authorization-server"))
    assert one["issuer"] == ISSUER
    assert one["code_challenge_methods_supported"] == ["S256"]
    served = {route.path for route in browser.home.plane.routes}
    for name, value in one.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.removeprefix(ISSUER) in served, name


def test_tokens_verify_with_the_published_keys(home: IamHome, browser: Browser) -> None:
    secret = register(home, "svc")
    login = {"client_id": "svc", "client_secret": secret}
    token = body(browser.form("/oauth2/token", grant_type="client_credentials", **login))
    keys = jwt.PyJWKSet.from_dict(body(browser.send("GET /oauth2/jwks")))
    key = keys[jwt.get_unverified_header(token["access_token"])["kid"]]
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        token["access_token"], key, ["ES256"], audience="secops-api", options=options
    )
    assert claims["sub"] == "svc"
    private = {"d", "p", "q", "k"}
    assert not any(private & set(jwk) for jwk in body(browser.send("GET /oauth2/jwks"))["keys"])


def test_userinfo_is_for_people_with_openid(home: IamHome, browser: Browser) -> None:
    secret = register(home, "svc", scopes=frozenset({"api"}))
    login = {"client_id": "svc", "client_secret": secret}
    own = body(browser.form("/oauth2/token", grant_type="client_credentials", **login))
    for token in (own["access_token"], "", "x.y.z"):
        answer = browser.send("GET /oauth2/userinfo", token=token)
        assert answer.status == 401
        assert "invalid_token" in (answer.header("www-authenticate") or "")


def test_logout_needs_a_hint_or_a_form_of_ours(home: IamHome, browser: Browser) -> None:
    secret = app(home)
    browser.cookies["op_session"] = cookie = home.sign_in("staff").cookie
    code = location(browser.send(authorize_path()))["code"]
    fields = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    tokens = body(
        browser.form(
            "/oauth2/token", basic("app", secret), grant_type="authorization_code", **fields
        )
    )
    assert browser.send("GET /oauth2/logout").header("location") == "/logout?"
    hint = "id_token_hint=x"
    assert browser.send(f"GET /oauth2/logout?{hint}").header("location") == f"/logout?{hint}"
    evil = browser.send(
        "POST /oauth2/logout", b"", headers={**FORM, "origin": "https://evil.example"}
    )
    assert evil.header("location") == "/oauth2/logout?"
    assert home.services.sessions.by_cookie(cookie) is not None
    query = urlencode(
        {
            "id_token_hint": tokens["id_token"],
            "post_logout_redirect_uri": "https://app.example/bye",
            "state": "s",
        }
    )
    answer = browser.send(f"GET /oauth2/logout?{query}")
    assert answer.header("location") == "https://app.example/bye?state=s"
    assert home.services.sessions.by_cookie(cookie) is None
    elsewhere = urlencode({"post_logout_redirect_uri": "https://evil.example", "client_id": "app"})
    assert browser.send(f"GET /oauth2/logout?{elsewhere}").header("location") == "/signed-out"


def test_a_form_of_ours_logs_out(home: IamHome, browser: Browser) -> None:
    browser.cookies["op_session"] = cookie = home.sign_in("staff").cookie
    answer = browser.send("POST /oauth2/logout", b"", headers={**FORM, "origin": ISSUER})
    assert answer.header("location") == "/signed-out"
    assert home.services.sessions.by_cookie(cookie) is None


def test_administration_is_for_those_who_hold_the_permission(
    home: IamHome, browser: Browser
) -> None:
    system, staff = token_for(home, "system-admin"), token_for(home, "staff")
    new = {"name": "li.lei", "document": {"type": "passport", "number": "E12345678"}}
    made = browser.send("POST /api/v1/iam/accounts", new, token=system)
    assert made.status == 201
    assert "E12345678" not in str(home.leaves())
    refused = browser.send("POST /api/v1/iam/accounts", new, token=staff)
    assert (refused.status, body(refused)["code"]) == (403, "kernel.forbidden")
    assert len(refused.acts) == 0 or refused.acts[0].outcome == "refused"
    listed = body(browser.send("GET /api/v1/iam/accounts?limit=3", token=system))
    assert (len(listed["items"]), listed["next"] is not None) == (3, True)
    assert body(browser.send("GET /api/v1/iam/me", token=staff))["roles"] == ["staff"]
    assert browser.send("GET /api/v1/iam/accounts").status == 401
    for bad in ({}, {"name": 1}, {"name": "x", "kind": "king"}, {"name": "x", "document": {}}):
        assert browser.send("POST /api/v1/iam/accounts", bad, token=system).status == 400


def test_roles_and_sessions_over_http(home: IamHome, browser: Browser) -> None:
    security = token_for(home, "security-admin")
    account = "/api/v1/iam/accounts/staff"
    opened = home.sign_in("staff")
    listed = body(browser.send("GET /api/v1/iam/sessions?account=staff", token=security))
    assert [item["id"] for item in listed["items"]] == [opened.session.id]
    ended = browser.send(f"DELETE {account}/sessions?reason=test", token=security)
    assert body(ended)["ended"] == [opened.session.id]
    assert browser.send(f"POST {account}/roles", {"role": "analyst"}, token=security).status == 204
    again = browser.send(f"POST {account}/roles", {"role": "analyst"}, token=security)
    assert (again.status, body(again)["code"]) == (409, "iam.role_conflict")
    assert browser.send(f"DELETE {account}/roles/analyst", token=security).status == 204
    assert browser.send(f"POST {account}/auditor", token=security).status == 403
    assert browser.send(f"POST {account}/lock", {"reason": "x"}, token=security).status == 204
    assert browser.send(f"POST {account}/unlock", {}, token=security).status == 403
    roles = body(browser.send("GET /api/v1/iam/roles", token=security))
    assert all(item["roles"] for item in roles["items"])


def test_resets_over_http(home: IamHome, browser: Browser) -> None:
    system, security = token_for(home, "system-admin"), token_for(home, "security-admin")
    ask = browser.send("POST /api/v1/iam/accounts/staff/resets", {"reason": "x"}, token=system)
    reset = body(ask)["id"]
    waiting = body(browser.send("GET /api/v1/iam/resets", token=security))
    assert [item["id"] for item in waiting["items"]] == [reset]
    assert browser.send(f"POST /api/v1/iam/resets/{reset}/approve", token=security).status == 204
    early = browser.send(f"POST /api/v1/iam/resets/{reset}/complete", token=system)
    assert (early.status, body(early)["code"]) == (409, "iam.reset_too_early")
    home.clock.advance(86_400)
    system, security = token_for(home, "system-admin"), token_for(home, "security-admin")
    done = browser.send(f"POST /api/v1/iam/resets/{reset}/complete", token=system)
    assert (done.status, body(done)["account"]) == (201, "staff")
    assert browser.send(f"POST /api/v1/iam/resets/{reset}/reject", token=security).status == 409


def test_applications_over_http(home: IamHome, browser: Browser) -> None:
    system, security = token_for(home, "system-admin"), token_for(home, "security-admin")
    clients = "/api/v1/iam/clients"
    made = browser.send(f"POST {clients}", {"id": "svc", "scopes": ["api"]}, token=system)
    secret = body(made)["secret"]
    assert made.status == 201
    login = {"grant_type": "client_credentials", "client_id": "svc"}
    assert browser.form("/oauth2/token", client_secret=secret, **login).status == 200
    role = {"role": "integrator"}
    assert browser.send(f"POST {clients}/svc/roles", role, token=security).status == 204
    assert browser.send(f"POST {clients}/svc/roles", role, token=system).status == 403
    assert browser.send(f"DELETE {clients}/svc/roles/integrator", token=security).status == 204
    fresh = body(browser.send(f"POST {clients}/svc/secret", token=system))["secret"]
    assert browser.form("/oauth2/token", client_secret=secret, **login).status == 401
    assert browser.form("/oauth2/token", client_secret=fresh, **login).status == 200
    listed = body(browser.send(f"GET {clients}", token=system))
    assert [item["id"] for item in listed["items"]] == ["svc"]
    assert "secret" not in listed["items"][0]
    assert listed["items"][0]["real_name_level"] == "none"
    assert browser.send(f"DELETE {clients}/svc", token=system).status == 204
    assert browser.form("/oauth2/token", client_secret=fresh, **login).status == 401
    for bad, status in (
        ({"id": "svc"}, 409),
        ({"id": CONSOLE_CLIENT}, 409),
        ({"id": "X"}, 400),
        ({"id": "ok1", "grants": ["password"]}, 400),
        ({"id": "ok2", "grants": ["authorization_code"]}, 400),
        ({"id": "ok3", "public": True}, 400),
        ({"id": "ok4", "scopes": ["a b"]}, 400),
        ({"id": "ok4", "real_name_level": "4"}, 400),
        ({"id": "ok4", "real_name_level": "document"}, 400),  # nobody signs in to it
        (
            {
                "id": "ok5",
                "grants": ["authorization_code"],
                "redirect_uris": ["http://evil.example/cb"],
            },
            400,
        ),
        (
            {
                "id": "ok6",
                "grants": ["authorization_code"],
                "redirect_uris": ["https://*.example/cb"],
            },
            400,
        ),
    ):
        assert browser.send(f"POST {clients}", bad, token=system).status == status, bad


def test_bodies_over_http(home: IamHome, browser: Browser) -> None:
    system = token_for(home, "system-admin")
    know_well(home, "seal-holder")
    legal = {
        "credit_code": "91350100M000100Y43",
        "name": "示例",
        "representative": "seal-holder",
    }
    made = browser.send("POST /api/v1/iam/legal-persons", legal, token=system)
    now = home.clock.now() // 1_000_000
    mandate = {
        "legal_person": body(made)["id"],
        "agent": "staff",
        "scope": "seals",
        "seals": ["seal_1"],
        "starts_at": now,
        "ends_at": now + 60,
    }
    given = browser.send("POST /api/v1/iam/mandates", mandate, token=system)
    assert given.status == 201
    gone = f"DELETE /api/v1/iam/mandates/{body(given)['id']}"
    assert browser.send(gone, token=system).status == 204
    bad = {**mandate, "starts_at": "x"}
    assert browser.send("POST /api/v1/iam/mandates", bad, token=system).status == 400
    organisation = browser.send("POST /api/v1/iam/organisations", {"name": "局"}, token=system)
    assert organisation.status == 201


def test_people_see_and_end_their_own_sessions(home: IamHome, browser: Browser) -> None:
    token = token_for(home, "staff")
    own = body(browser.send("GET /api/v1/iam/me/sessions", token=token))["items"]
    assert len(own) == 1
    assert browser.send(f"DELETE /api/v1/iam/me/sessions/{own[0]['id']}", token=token).status == 204
    assert browser.send("GET /api/v1/iam/me", token=token).status == 401


def test_without_a_ledger_nothing_is_granted_but_revocation_works(
    home: IamHome, browser: Browser
) -> None:
    from secops.kernel.errors import AuditUnavailable  # noqa: PLC0415

    secret = register(home, "svc")
    login = {"client_id": "svc", "client_secret": secret}
    opened = home.sign_in("staff")

    class Full:
        def append(self, acts: Any) -> Any:
            raise AuditUnavailable

    browser._dispatcher = Dispatcher(browser._dispatcher.guard, Full())
    answer = browser.form("/oauth2/token", grant_type="client_credentials", **login)
    assert (answer.status, body(answer)["error"]) == (503, "temporarily_unavailable")
    assert b"eyJ" not in answer.body
    home.services.sessions.sign_out(opened.cookie)
    assert home.services.sessions.by_cookie(opened.cookie) is None


def test_a_locked_pool_signs_nothing_and_says_so(home: IamHome, browser: Browser) -> None:
    secret = register(home, "svc")
    home.signer.locked = True
    login = {"client_id": "svc", "client_secret": secret}
    answer = browser.form("/oauth2/token", grant_type="client_credentials", **login)
    assert answer.status == 503


def test_every_route_is_described_and_named_once(home: IamHome) -> None:
    routes = home.plane.routes
    operations = [route.operation for route in routes]
    assert len(set(operations)) == len(operations)
    assert all(re.fullmatch(r"[a-z0-9_]+", operation) for operation in operations)
    described = describe(routes, version="0", server=ISSUER)
    assert "/oauth2/token" in described["paths"]
