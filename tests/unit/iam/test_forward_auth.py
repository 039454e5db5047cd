"""A proxy asks before each request: who gets through, with what, and who never does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from iam.models.clients import ClientCredentials, NewClient
from iam.models.options import API_AUDIENCE
from iam.service.provider.sites import IDENTITY_SECONDS, SITES_SECONDS
from iam.service.provider.verification import SEEN_SECONDS
from secops.kernel.actors import ROOT_ORG, os_actor
from secops.kernel.events import Delivery, SubjectRiskChanged
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import RouteTable
from secops.web.messages import Request, Response
from tests.fakes.iam_home import ISSUER, IamHome

HOST = "app.example"
CALLBACK = f"https://{HOST}/reports/_secops/callback"
COOKIES = ("__Host-site_start_", "__Host-site_session_")


@dataclass
class Visitor:
    """A browser in front of a proxy, and the proxy that asks for it."""

    home: IamHome
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, path: str, *, method: str = "GET", **headers: str) -> Response:
        parts = urlsplit(path)
        found = RouteTable(self.home.plane.routes).find(method, parts.path)
        assert found is not None, path
        given = {"host": "localhost:8080", **headers}
        if self.cookies:
            given["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        spine = self.home.spine.parts
        guard = Guard(self.home.services.verification, spine.access, spine.clock)
        request = Request(
            method=method,
            path=parts.path,
            query_string=parts.query,
            target=parts.path,
            headers=given,
            args=found[1],
            remote="192.0.2.7",
            origin=ISSUER,
            request_id="r",
        )
        answer = Dispatcher(guard, spine.trail).answer(request, found[0])
        for name, value in answer.headers:
            if name == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self.cookies[cookie] = content
        return answer

    def ask(self, uri: str = "/reports/q1?year=2026", *, host: str = HOST, **more: str) -> Response:
        headers = {"x-original-uri": uri, "x-original-host": host, "x-original-method": "GET"}
        return self.send("/forward-auth", **{**headers, **more})

    def at_site(self, path: str) -> Response:
        """What the browser opens under ``/_secops/`` of the site: the proxy passes it on."""
        target = urlsplit(path)
        headers = {"x-original-uri": target.path, "x-original-host": HOST}
        return self.send(f"/sites/{target.path.rpartition('/')[2]}?{target.query}", **headers)

    def sign_in(self, role: str = "analyst", *, op_cookie: str | None = None) -> Response:
        """Go through the whole flow, and return the answer that opens the session."""
        begun = self.at_site(place(self.ask(), "x-auth-redirect"))
        query = parameters(place(begun, "location"))
        cookie = self.home.sign_in(role).cookie if op_cookie is None else op_cookie
        answer = self.home.services.authorize.authorize(query, cookie)
        return self.at_site(answer.location)


def place(answer: Response, name: str) -> str:
    value = answer.header(name)
    assert value is not None, (answer.status, answer.body)
    return value


def parameters(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def register(home: IamHome, client_id: str = "reports", **given: Any) -> str:
    given = {
        "redirect_uris": (CALLBACK,),
        "grants": frozenset({"authorization_code"}),
        **given,
    }
    new = NewClient(client_id, client_id, **given)
    return home.services.clients.make(os_actor("root"), new, ROOT_ORG).secret or ""


@pytest.fixture
def visitor(home: IamHome) -> Visitor:
    register(home)
    return Visitor(home)


def test_nobody_is_sent_to_sign_in_and_comes_back_to_the_same_page(visitor: Visitor) -> None:
    refused = visitor.ask()
    assert refused.status == 401
    start = place(refused, "x-auth-redirect")
    expected = urlencode({"to": "/reports/q1?year=2026"})
    assert start == f"https://{HOST}/reports/_secops/start?{expected}"
    opened = visitor.sign_in()
    assert (opened.status, place(opened, "location")) == (303, "/reports/q1?year=2026")
    assert visitor.ask().status == 200


def test_the_cookies_are_for_one_host_and_out_of_reach_of_scripts(visitor: Visitor) -> None:
    begun = visitor.at_site(place(visitor.ask(), "x-auth-redirect"))
    opened = visitor.sign_in()
    for answer, prefix in zip((begun, opened), COOKIES, strict=True):
        cookie = place(answer, "set-cookie")
        assert cookie.startswith(prefix)
        assert {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"} <= set(cookie.split("; "))


def test_the_application_is_told_who_it_is_by_a_token_for_it_alone(
    visitor: Visitor, home: IamHome
) -> None:
    visitor.sign_in()
    passed = visitor.ask()
    token = place(passed, "x-secops-identity")
    keys = jwt.PyJWKSet.from_dict(home.services.metadata.jwks())
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(
        token,
        keys[header["kid"]].key,
        algorithms=["ES256"],
        audience="reports",
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (header["typ"], claims["name"], claims["acr"]) == (
        "identity+jwt",
        "analyst",
        "urn:secops:aal:2",
    )
    assert claims["exp"] - claims["iat"] == IDENTITY_SECONDS
    assert claims["sub"] == place(passed, "x-auth-subject")
    assert claims["sub"] != home.actor("analyst").id
    assert place(passed, "x-auth-user") == "analyst"
    assert claims["aud"] == "reports"


def test_an_identity_is_no_access_token(visitor: Visitor) -> None:
    visitor.sign_in()
    token = place(visitor.ask(), "x-secops-identity")
    visitor.cookies.clear()
    assert visitor.ask(authorization=f"Bearer {token}").status == 401


def test_each_request_leaves_an_act(visitor: Visitor, home: IamHome) -> None:
    visitor.sign_in()
    found = RouteTable(home.plane.routes).find("GET", "/forward-auth")
    assert found is not None
    cookie = "; ".join(f"{k}={v}" for k, v in visitor.cookies.items())
    headers = {"x-original-uri": "/reports/", "x-original-host": HOST, "cookie": cookie}
    answer = found[0].handler(Request("GET", "/forward-auth", headers=headers, request_id="r7"))
    (act,) = answer.acts
    assert (act.action, act.target, act.outcome, act.request_id) == (
        "iam.check_site",
        "site:reports",
        "done",
        "r7",
    )


def test_the_cookie_of_a_site_opens_neither_the_console_nor_another_site(
    visitor: Visitor, home: IamHome
) -> None:
    register(home, "portal", redirect_uris=("https://portal.example/_secops/callback",))
    visitor.sign_in()
    secret = next(v for k, v in visitor.cookies.items() if k.startswith(COOKIES[1]) and v)
    with pytest.raises(Exception, match="unknown or over"):
        home.services.verification.verify_session(secret)
    other = place(visitor.ask("/", host="portal.example"), "x-auth-redirect")
    assert other.startswith("https://portal.example/_secops/start")
    with pytest.raises(Exception, match="unknown or over"):
        home.services.verification.verify_site(secret, "portal")


def test_the_console_cookie_opens_no_site(visitor: Visitor, home: IamHome) -> None:
    opened = home.sign_in("analyst")
    console = home.services.console
    start = console.start("/")
    asked = home.services.authorize.authorize(parameters(start.location), opened.cookie)
    session = console.complete(start.cookie, parameters(asked.location))
    with pytest.raises(Exception, match="unknown or over"):
        home.services.verification.verify_site(session.cookie, "reports")


def test_an_ended_session_is_refused_at_the_next_request(visitor: Visitor, home: IamHome) -> None:
    visitor.sign_in()
    assert visitor.ask().status == 200
    run = home.spine.parts.transactions.run
    account = home.actor("analyst").id
    run(lambda tx: home.spine.parts.revocations.revoke(tx, "account", account))
    assert visitor.ask().status == 401


def test_who_asks_from_a_locked_address_gets_through_no_proxy(
    visitor: Visitor, home: IamHome
) -> None:
    visitor.sign_in()
    from_there = {"x-forwarded-for": "192.0.2.7"}
    assert visitor.ask(**from_there).status == 200
    run = home.spine.parts.transactions.run
    run(lambda tx: home.spine.parts.revocations.revoke(tx, "address", "192.0.2.7"))
    assert visitor.ask(**from_there).status == 403
    # a proxy that does not say for whom it asks puts nobody at its own address
    assert visitor.ask().status == 200


def test_risk_that_rose_since_asks_for_a_newer_sign_in_at_a_site_too(
    visitor: Visitor, home: IamHome
) -> None:
    visitor.sign_in()
    assert visitor.ask().status == 200
    decisions = home.services.decisions
    home.clock.advance(60)
    risen = SubjectRiskChanged(
        ROOT_ORG,
        f"account:{home.actor('analyst').id}",
        decisions.book.current().data.risk.step_up,
        "test",
    )
    decisions.risks.receive(Delivery(1, home.clock.now(), risen))
    asked = visitor.ask()
    assert asked.status == 401
    assert "/_secops/start" in place(asked, "x-auth-redirect")
    home.clock.advance(60)
    visitor.sign_in()
    assert visitor.ask().status == 200


def test_an_application_that_is_disabled_is_closed(visitor: Visitor, home: IamHome) -> None:
    visitor.sign_in()
    home.services.clients.end(os_actor("root"), "reports", "test")
    assert visitor.ask().status == 403


def test_a_session_ends_by_its_idle_time_although_it_is_remembered(
    visitor: Visitor, home: IamHome
) -> None:
    visitor.sign_in()
    assert visitor.ask().status == 200
    home.clock.advance(20 * 60)
    assert visitor.ask().status == 200
    home.clock.advance(20 * 60)
    assert visitor.ask().status == 200
    home.clock.advance(31 * 60)
    assert visitor.ask().status == 401


def test_a_token_must_address_the_application(visitor: Visitor, home: IamHome) -> None:
    secret = register(
        home,
        "robot",
        redirect_uris=(),
        grants=frozenset({"client_credentials"}),
        audiences=("reports", API_AUDIENCE),
    )
    issue = home.services.grants.client_credentials
    credentials = ClientCredentials("robot", secret)
    good, _ = issue(credentials, None, "reports")
    wrong, _ = issue(credentials, None, API_AUDIENCE)
    passed = visitor.ask(authorization=f"Bearer {good.access_token}")
    assert (passed.status, place(passed, "x-auth-subject")) == (200, "robot")
    assert visitor.ask(authorization=f"Bearer {wrong.access_token}").status == 401
    assert visitor.ask(authorization="Bearer nonsense").status == 401
    assert visitor.ask(authorization=f"DPoP {good.access_token}", dpop="x.y.z").status == 403


def test_a_demanding_application_asks_for_a_fresher_sign_in(home: IamHome) -> None:
    register(home, max_age=60)
    visitor = Visitor(home)
    visitor.sign_in()
    assert visitor.ask().status == 200
    home.clock.advance(61)
    assert visitor.ask().status == 401


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("/reports/../admin", HOST),
        ("/reports/%2e%2e/admin", HOST),
        ("/reports/..;/admin", HOST),
        ("/reports//x", HOST),
        ("/admin", HOST),
        ("/reportsX", HOST),
        ("/reports/", "evil.example"),
        ("/reports/", f"{HOST}.evil.example"),
        ("/reports/", f"{HOST}:8443"),
        ("/reports/", f"evil@{HOST}"),
        ("/reports/", ""),
    ],
)
def test_what_no_application_covers_is_refused_whoever_asks(
    visitor: Visitor, uri: str, host: str
) -> None:
    visitor.sign_in()
    assert visitor.ask(uri, host=host).status == 403


def test_the_longest_prefix_decides(visitor: Visitor, home: IamHome) -> None:
    visitor.sign_in()
    nested = f"https://{HOST}/reports/secret/_secops/callback"
    register(home, "secret", redirect_uris=(nested,))
    home.clock.advance(SITES_SECONDS + 1)
    assert visitor.ask("/reports/open").status == 200
    refused = visitor.ask("/reports/secret/x")
    assert refused.status == 401
    assert "/reports/secret/_secops/start" in place(refused, "x-auth-redirect")


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/admin",
        "/reports/../admin",
        "javascript:alert(1)",
        "",
        "/reports/\r\nset-cookie: x=1",
    ],
)
def test_a_sign_in_leads_back_to_nowhere_but_the_site(visitor: Visitor, to: str) -> None:
    begun = visitor.at_site(f"/reports/_secops/start?{urlencode({'to': to})}")
    query = parameters(place(begun, "location"))
    assert query["redirect_uri"] == CALLBACK
    cookie = visitor.home.sign_in("analyst").cookie
    answer = visitor.home.services.authorize.authorize(query, cookie)
    assert place(visitor.at_site(answer.location), "location") == "/reports/"


def test_an_answer_without_the_browser_that_asked_opens_nothing(visitor: Visitor) -> None:
    begun = visitor.at_site(place(visitor.ask(), "x-auth-redirect"))
    cookie = visitor.home.sign_in("analyst").cookie
    query = parameters(place(begun, "location"))
    answer = visitor.home.services.authorize.authorize(query, cookie)
    victim = Visitor(visitor.home)
    assert victim.at_site(answer.location).status == 401
    assert not any(name.startswith(COOKIES[1]) for name in victim.cookies)


@pytest.mark.parametrize(
    ("name", "value"), [("state", "x"), ("iss", "https://evil.example"), ("code", "x")]
)
def test_an_altered_answer_opens_nothing(visitor: Visitor, name: str, value: str) -> None:
    begun = visitor.at_site(place(visitor.ask(), "x-auth-redirect"))
    cookie = visitor.home.sign_in("analyst").cookie
    query = parameters(place(begun, "location"))
    answer = visitor.home.services.authorize.authorize(query, cookie)
    altered = {**parameters(answer.location), name: value}
    refused = visitor.at_site(f"/reports/_secops/callback?{urlencode(altered)}")
    assert refused.status in (400, 401)
    assert visitor.ask().status == 401


def test_a_callback_works_once(visitor: Visitor) -> None:
    begun = visitor.at_site(place(visitor.ask(), "x-auth-redirect"))
    query = parameters(place(begun, "location"))
    answer = visitor.home.services.authorize.authorize(
        query, visitor.home.sign_in("analyst").cookie
    )
    kept = dict(visitor.cookies)
    assert visitor.at_site(answer.location).status == 303
    visitor.cookies = kept
    assert visitor.at_site(answer.location).status == 400


def test_a_proxy_that_says_nothing_gets_no(visitor: Visitor) -> None:
    assert visitor.send("/forward-auth").status == 403
    assert visitor.send("/forward-auth", **{"x-original-uri": "/reports/"}).status == 403


def test_envoy_asks_with_the_request_itself_and_headers_of_the_client_count_for_nothing(
    visitor: Visitor,
) -> None:
    page = {"host": HOST, "accept": "text/html"}
    sent = visitor.send("/forward-auth/reports/x", **page)
    assert (sent.status, place(sent, "location").partition("?")[0]) == (
        303,
        f"https://{HOST}/reports/_secops/start",
    )
    asked = visitor.send("/forward-auth/reports/x?part=1&b=2", **page)
    assert parameters(place(asked, "location"))["to"] == "/reports/x?part=1&b=2"
    visitor.sign_in()
    for method in ("GET", "POST", "DELETE"):
        passed = visitor.send("/forward-auth/reports/x", method=method, **page)
        assert passed.status == 200
    spoofed = {"x-original-uri": "/reports/x", "x-original-host": HOST}
    assert visitor.send("/forward-auth/admin", **page, **spoofed).status == 403


def test_what_is_remembered_of_a_session_is_read_again(visitor: Visitor, home: IamHome) -> None:
    visitor.sign_in()
    assert visitor.ask().status == 200
    home.clock.advance(SEEN_SECONDS + 1)
    secret = next(v for k, v in visitor.cookies.items() if k.startswith(COOKIES[1]) and v)
    before = home.services.verification.verify_site(secret, "reports")
    assert before.name == "analyst"
    with pytest.raises(Exception, match="no session"):
        home.services.verification.verify_site("", "reports")
