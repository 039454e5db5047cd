"""Both lanes, one dispatcher: what is refused, what is recorded, what headers protect."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from secops.kernel.access import LateAccessControl
from secops.kernel.actors import Actor
from secops.kernel.errors import AuditUnavailable, Forbidden, TooLarge, Unauthenticated
from secops.kernel.permissions import Permission
from secops.kernel.trail import Act, Receipt
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import Lane, build_wsgi
from secops.web.messages import Request, Response, html_response, json_response
from secops.web.openapi import describe
from secops.web.routes import Public, Route, Schema, SignedIn
from secops.web.wsgi import Origins, RequestReader

SIGN = Permission("kms.keys.sign")
NOW = 1_000_000_000


class FixedClock:
    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Zeros:
    def bytes(self, count: int) -> bytes:
        return bytes(count)


class Tokens:
    """``weak`` has level 1, ``old`` signed in long ago, ``other`` lacks the permission."""

    def verify_token(self, token: str) -> Actor:
        if token not in ("good", "weak", "old", "other"):
            raise Unauthenticated
        return Actor(
            "account",
            token,
            "org",
            token,
            level=1 if token == "weak" else 2,
            auth_time=0 if token == "old" else NOW,
        )

    def verify_session(self, cookie: str) -> Actor:
        return self.verify_token(cookie)


class OnlyGood:
    def require(self, actor: Actor, permission: str, *_: Any) -> None:
        if actor.id == "other":
            raise Forbidden("only good may", permission=permission)


class Journal:
    def __init__(self, *, broken: bool = False) -> None:
        self.acts: list[Act] = []
        self.broken = broken

    def append(self, acts: Sequence[Act]) -> Sequence[Receipt]:
        if self.broken:
            raise AuditUnavailable
        self.acts.extend(acts)
        return [Receipt("j", 0, b"") for _ in acts]


def sign(request: Request) -> Response:
    act = Act("kms.sign", request.caller, f"key:{request.args['name']}")
    return json_response({"signed": request.args["name"]}, acts=[act])


def crash(_request: Request) -> Response:
    secret = "a secret"
    raise RuntimeError(secret)


ROUTES = (
    Route(method="POST", path="/v1/transit/sign/<name>", operation="sign", access=SIGN,
          handler=sign, fast=True, form="vault", max_body=64, level=2, fresh_seconds=300),
    Route(method="POST", path="/slow/sign/<name>", operation="sign_slowly", access=SIGN,
          handler=sign, max_body=64, level=2, fresh_seconds=300),
    Route(method="GET", path="/healthz", operation="healthz", access=Public("probes"),
          handler=lambda _: json_response({"ok": True})),
    Route(method="GET", path="/crash", operation="crash", access=Public("test"), handler=crash),
    Route(method="GET", path="/page", operation="page", access=SignedIn("own page"), page=True,
          credential="session", handler=lambda r: html_response(f"<p>{r.caller.id}</p>")),
    Route(method="POST", path="/page", operation="change", access=SignedIn("own page"), page=True,
          credential="session", handler=lambda _: html_response("changed")),
    Route(method="GET", path="/maybe", operation="maybe", access=Public("greets"),
          credential="session", handler=lambda r: json_response(r.actor and r.actor.id)),
    Route(method="POST", path="/oauth2/token", operation="token", access=Public("rfc6749"),
          form="oauth", handler=crash),
    Route(method="GET", path="/api/items", operation="list_items", access=SIGN, listing=True,
          credential="either", request=Schema("Wish", {"type": "object"}),
          response=Schema("Items", {"type": "object"}),
          handler=lambda _: json_response({"items": [], "next": None})),
)  # fmt: skip


class House:
    def __init__(self, *, broken: bool = False, origins: Origins | None = None) -> None:
        self.journal = Journal(broken=broken)
        guard = Guard(Tokens(), OnlyGood(), FixedClock())
        reader = RequestReader(
            origins or Origins("http://localhost:8080", frozenset({"localhost:8080"})), Zeros()
        )
        self.app = build_wsgi(Lane(reader, Dispatcher(guard, self.journal)), ROUTES)

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "8080",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost:8080",
            "SECOPS_UNLOCK_PASSPHRASE": "a secret of the environment",
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
        }
        if body:
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in headers.items():
            key = name.upper()
            environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
        environ = {name: value for name, value in environ.items() if value is not None}
        seen: dict[str, Any] = {}

        def start(status: str, given: list[tuple[str, str]]) -> None:
            seen["status"] = int(status[:3])
            seen["headers"] = {key.lower(): value for key, value in given}

        content = b"".join(self.app(environ, start))
        return seen["status"], seen["headers"], content


BOTH = ("/v1/transit/sign/k", "/slow/sign/k")


@pytest.mark.parametrize("path", BOTH)
def test_both_lanes_answer_record_and_refuse_alike(path: str) -> None:
    house = House()
    status, headers, body = house.ask("POST", path, b"{}", authorization="Bearer good")
    assert (status, orjson.loads(body)) == (200, {"signed": "k"})
    assert [act.action for act in house.journal.acts] == ["kms.sign"]
    assert headers["x-content-type-options"] == "nosniff"
    for token, expected in (("", 401), ("bad", 401), ("weak", 401), ("old", 401), ("other", 403)):
        given = {"authorization": f"Bearer {token}"} if token else {}
        assert house.ask("POST", path, b"{}", **given)[0] == expected, token
    assert house.ask("POST", path, b"x" * 65, authorization="Bearer good")[0] == 413


@pytest.mark.parametrize("path", BOTH)
def test_a_refusal_of_somebody_known_is_recorded(path: str) -> None:
    house = House()
    house.ask("POST", path, b"{}", authorization="Bearer other")
    house.ask("POST", path, b"{}", authorization="Bearer bad")
    assert [(act.outcome, act.actor.id) for act in house.journal.acts] == [("refused", "other")]


@pytest.mark.parametrize("path", BOTH)
def test_what_cannot_be_recorded_is_not_granted(path: str) -> None:
    house = House(broken=True)
    status, _, body = house.ask("POST", path, b"{}", authorization="Bearer good")
    assert status == 503
    assert b"audit_unavailable" in body
    assert b"signed" not in body
    assert house.ask("POST", path, b"{}", authorization="Bearer other")[0] == 403


@pytest.mark.parametrize("path", BOTH)
def test_an_act_too_large_to_be_recorded_is_answered_so(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()

    def refuse(acts: object) -> None:
        raise TooLarge

    monkeypatch.setattr(house.journal, "append", refuse)
    assert house.ask("POST", path, b"{}", authorization="Bearer good")[0] == 413


def test_errors_speak_the_form_of_their_surface() -> None:
    house = House()
    vault = house.ask("POST", BOTH[0], b"{}")[2]
    assert list(orjson.loads(vault)) == ["errors"]
    status, headers, body = house.ask("POST", BOTH[1], b"{}", accept_language="en")
    problem = orjson.loads(body)
    assert headers["content-type"] == "application/problem+json"
    assert (status, problem["code"], problem["title"]) == (
        401,
        "kernel.unauthenticated",
        "Not signed in",
    )
    assert headers["www-authenticate"] == "Bearer"
    oauth = orjson.loads(house.ask("POST", "/oauth2/token", b"x")[2])
    assert oauth["error"] == "server_error"


def test_step_up_says_which_level_or_age_is_needed() -> None:
    house = House()
    weak = house.ask("POST", BOTH[1], b"{}", authorization="Bearer weak")[1]["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in weak
    assert 'acr_values="urn:secops:aal:2"' in weak
    old = house.ask("POST", BOTH[1], b"{}", authorization="Bearer old")[1]["www-authenticate"]
    assert 'max_age="300"' in old


def test_a_crash_tells_the_caller_nothing(caplog: pytest.LogCaptureFixture) -> None:
    status, _, body = House().ask("GET", "/crash")
    assert status == 500
    assert b"secret" not in body
    assert "a secret" in caplog.text


def test_unknown_addresses_and_methods_are_problems() -> None:
    house = House()
    assert house.ask("GET", "/nowhere")[0] == 404
    assert house.ask("DELETE", "/healthz")[0] == 405
    assert house.ask("OPTIONS", "/healthz")[0] == 405


def test_smuggled_and_malformed_requests_are_refused() -> None:
    house = House()
    good = {"authorization": "Bearer good"}
    for extra in (
        {"transfer_encoding": "chunked"},
        {"content_length": "x"},
        {"content_length": "99"},
        {"content_length": "9" * 13},
        {"host": ""},
        {"host": "evil.example"},
    ):
        status = house.ask("POST", BOTH[0], b"{}", **{**good, **extra})[0]
        assert status in (400, 413), extra
    assert house.ask("POST", BOTH[0], b"", transfer_encoding="chunked", **good)[0] == 411
    many = {f"x_{number}": "1" for number in range(101)}
    assert house.ask("GET", "/healthz", **many)[0] == 400


def test_a_page_is_guarded_by_its_cookie_and_a_strict_policy() -> None:
    house = House()
    status, headers, body = house.ask("GET", "/page", cookie="rp_session=good")
    assert (status, body) == (200, b"<p>good</p>")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert house.ask("GET", "/page")[0] == 401
    assert house.ask("GET", "/page", authorization="Bearer good")[0] == 401


def test_another_sites_form_changes_nothing() -> None:
    house = House()
    cookie = {"cookie": "rp_session=good"}
    assert house.ask("POST", "/page", b"x", origin="http://localhost:8080", **cookie)[0] == 200
    assert house.ask("POST", "/page", b"x", sec_fetch_site="same-origin", **cookie)[0] == 200
    for headers in (
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"origin": "http://localhost:8080", "sec_fetch_site": "cross-site"},
    ):
        assert house.ask("POST", "/page", b"x", **cookie, **headers)[0] == 403, headers


def test_a_public_page_knows_its_reader_if_it_can() -> None:
    house = House()
    assert house.ask("GET", "/maybe", cookie="rp_session=good")[2] == b'"good"'
    assert house.ask("GET", "/maybe", cookie="rp_session=bad")[2] == b"null"
    assert house.ask("GET", "/maybe")[2] == b"null"


def test_forwarding_headers_count_from_trusted_proxies_only() -> None:
    import ipaddress  # noqa: PLC0415

    proxies = (ipaddress.ip_network("127.0.0.0/8"),)
    origins = Origins("https://sso.example.gov.cn", frozenset(), proxies)
    reader = RequestReader(origins, Zeros())
    environ = {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "sso.example.gov.cn",
        "HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7, 127.0.0.2",
        "HTTP_X_FORWARDED_PROTO": "https",
        "wsgi.input": io.BytesIO(),
    }
    request = reader.read(environ, {}, 10)
    assert (request.remote, request.origin) == ("198.51.100.7", "https://sso.example.gov.cn")
    direct = RequestReader(Origins("http://sso.example.gov.cn", frozenset()), Zeros())
    assert direct.read(environ, {}, 10).remote == "127.0.0.1"
    assert not origins.trusts("not an address")


def test_the_description_covers_every_route_that_is_no_page() -> None:
    description = describe(ROUTES, version="1", server="http://localhost:8080")
    operations = {
        entry["operationId"] for path in description["paths"].values() for entry in path.values()
    }
    assert operations == {route.operation for route in ROUTES if not route.page}
    listing = description["paths"]["/api/items"]["get"]
    assert [entry["name"] for entry in listing["parameters"]] == ["limit", "cursor"]
    assert listing["security"] == [{"token": []}, {"session": []}]
    assert description["paths"]["/healthz"]["get"]["x-access"] == "public: probes"


def test_nothing_is_allowed_before_a_decision_point_is_bound() -> None:
    with pytest.raises(Forbidden):
        LateAccessControl().require(Actor("system", "s", "o", "s"), SIGN)
