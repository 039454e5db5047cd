"""The CAS 3.0 server: judged by python-cas; tickets once, services exactly, logout told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import cas
import orjson
import pytest
from lxml import etree

from iam.core.cas30.answers import failure, success
from iam.core.cas30.services import check_service
from iam.core.cas30.validation import read_answer
from iam.errors import InvalidRequest, NameTaken, RedirectRefused
from iam.models.changes import NewChange
from iam.ports import Negotiate, Stream
from secops.kernel.errors import Forbidden, SecopsError, Unavailable
from secops.kernel.events import Delivery, SessionRevoked
from tests.fakes.iam_home import IamHome, open_iam_home
from tests.fakes.plane_wire import PlaneWire

SERVICE = "https://portal.example/index?lang=zh"
WHOLE: dict[str, Any] = {
    "url": SERVICE,
    "name": "旧门户",
    "attributes": ["roles", "acr", "real_name_level", "credit_code"],
    "pairwise": False,
    "single_logout": True,
    "disabled": False,
    "real_name_level": "none",
}


@dataclass
class FakeOutbound:
    """What services answer when they are told."""

    answer: tuple[int, bytes] = (200, b"")
    error: SecopsError | None = None
    posted: list[tuple[str, bytes]] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        raise Unavailable(f"{url} {len(headers)} {timeout}")

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        assert timeout > 0
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        self.posted.append((url, body))
        if self.error is not None:
            raise self.error
        return self.answer

    def open_tls(
        self, host: str, port: int, timeout: float, negotiate: Negotiate | None = None
    ) -> Stream:
        raise Unavailable(f"{host} {port} {timeout}")


class Wired:
    """What python-cas calls a session: its GETs go straight into the routes."""

    def __init__(self, home: IamHome) -> None:
        self.wire = PlaneWire(home)

    def get(self, url: str, **more: Any) -> Any:
        query = urlencode(more.get("params") or {})
        answer = self.wire.ask("GET", url + ("?" + query if query else ""), {}, b"", 5.0)
        assert answer.status == 200
        page: Any = SimpleNamespace(content=answer.body, text=answer.body.decode())
        page.encoding, page.close = "utf-8", lambda: None
        return page


@pytest.fixture
def outbound() -> FakeOutbound:
    return FakeOutbound()


@pytest.fixture
def home(tmp_path: Path, outbound: FakeOutbound) -> Iterator[IamHome]:
    opened = open_iam_home(tmp_path, outbound=outbound)
    try:
        register(opened, "portal", WHOLE)
        yield opened
    finally:
        opened.close()


def register(home: IamHome, service_id: str, after: dict[str, Any]) -> None:
    changes = home.services.power.changes
    wanted = NewChange("cas.service", f"cas:{service_id}", after, "a test")
    asked = changes.request_change(home.actor("system-admin"), wanted)
    changes.approve_change(home.actor("security-admin"), asked.id)


def judge(home: IamHome, service: str = SERVICE) -> Any:
    return cas.CASClient(
        version=3,
        service_url=service,
        server_url="http://localhost:8080/cas/",
        session=Wired(home),
    )


def log_in(home: IamHome, cookie: str, **parameters: str) -> str:
    """Return where the browser goes."""
    return home.services.cas.log_in({"service": SERVICE, **parameters}, cookie).location


def ticket_of(location: str) -> str:
    assert location.startswith(SERVICE + "&ticket=ST-")
    return parse_qs(urlsplit(location).query)["ticket"][0]


def validate(home: IamHome, **parameters: str) -> str:
    """Return the code of the refusal, or the user."""
    answer = home.services.cas.validate(parameters, attributes=True)
    root = etree.fromstring(answer.body)
    return root[0].get("code") or str(root[0][0].text)


def test_a_foreign_client_is_told_who_it_is_once(home: IamHome) -> None:
    opened = home.sign_in("staff")
    ticket = ticket_of(log_in(home, opened.cookie))
    user, attributes, granting = judge(home).verify_ticket(ticket)
    assert (user, granting) == ("staff", None)
    assert attributes["roles"] == "staff"
    assert attributes["acr"] == "urn:secops:aal:2"
    assert attributes["isFromNewLogin"] == "false"
    assert judge(home).verify_ticket(ticket)[0] is None


def test_a_ticket_is_consumed_even_by_a_question_that_fails(home: IamHome) -> None:
    cookie = home.sign_in("staff").cookie
    for wrong in ({"service": SERVICE + "x"}, {"service": SERVICE, "renew": "true"}):
        ticket = ticket_of(log_in(home, cookie))
        refused = validate(home, ticket=ticket, **wrong)
        assert refused in ("INVALID_SERVICE", "INVALID_TICKET")
        assert validate(home, ticket=ticket, service=SERVICE) == "INVALID_TICKET"


def test_a_ticket_ends_after_half_a_minute_and_with_its_session(home: IamHome) -> None:
    opened = home.sign_in("staff")
    late = ticket_of(log_in(home, opened.cookie))
    home.clock.advance(30)
    assert validate(home, ticket=late, service=SERVICE) == "INVALID_TICKET"
    orphan = ticket_of(log_in(home, opened.cookie))
    home.services.sessions.sign_out(opened.cookie)
    assert validate(home, ticket=orphan, service=SERVICE) == "INVALID_TICKET"


def test_questions_that_are_none_have_their_own_codes(home: IamHome) -> None:
    ticket = ticket_of(log_in(home, home.sign_in("staff").cookie))
    forged = ticket[:-1] + ("0" if ticket[-1] != "0" else "1")
    answers = {
        name: validate(home, **asked)
        for name, asked in {
            "no service": {"ticket": ticket},
            "no ticket": {"service": SERVICE},
            "proxy": {"ticket": ticket, "service": SERVICE, "pgtUrl": "https://x.example"},
            "proxy ticket": {"ticket": "PT-1", "service": SERVICE},
            "forged": {"ticket": forged, "service": SERVICE},
            "text": {"ticket": "ST-1", "service": SERVICE},
        }.items()
    }
    assert answers == {
        "no service": "INVALID_REQUEST",
        "no ticket": "INVALID_REQUEST",
        "proxy": "UNAUTHORIZED_SERVICE_PROXY",
        "proxy ticket": "INVALID_TICKET_SPEC",
        "forged": "INVALID_TICKET",
        "text": "INVALID_TICKET",
    }
    assert validate(home, ticket=ticket, service=SERVICE) == "staff"


def test_only_an_exactly_registered_service_is_gone_to(home: IamHome) -> None:
    cookie = home.sign_in("staff").cookie
    for other in (
        "https://portal.example/",
        SERVICE + "&x=1",
        SERVICE.replace("portal", "evil"),
        SERVICE + "/../..",
        "javascript:alert(1)",
        "x" * 9_000,
    ):
        with pytest.raises(RedirectRefused):
            home.services.cas.log_in({"service": other}, cookie)
    assert home.services.cas.log_in({}, cookie).location == "/"


def test_whoever_is_not_signed_in_signs_in_first(home: IamHome) -> None:
    location = log_in(home, "")
    assert location.startswith("/signin?next=")
    back = dict(parse_qsl(urlsplit(location).query))["next"]
    assert back.startswith("/cas/login?service=https%3A%2F%2Fportal.example")
    assert len(back) <= 1_000
    # coming back after it, the ticket says that the person signed in for it
    cookie = home.sign_in("staff").cookie
    asked = dict(parse_qsl(urlsplit(back).query))
    ticket = ticket_of(home.services.cas.log_in(asked, cookie).location)
    assert validate(home, ticket=ticket, service=SERVICE, renew="true") == "staff"


def test_renew_demands_a_new_sign_in(home: IamHome) -> None:
    cookie = home.sign_in("staff").cookie
    home.clock.advance(60)
    location = log_in(home, cookie, renew="true")
    asked = dict(parse_qsl(urlsplit(location).query))
    assert asked["fresh"] == "1"
    back = dict(parse_qsl(urlsplit(asked["next"]).query))
    # the same old session does not do, nor does a word that is not ours
    assert log_in(home, cookie, renew="true", since=back["since"]).startswith("/signin")
    assert log_in(home, cookie, renew="true", since="A" * 60).startswith("/signin")
    newer = home.sign_in("staff").cookie
    ticket = ticket_of(home.services.cas.log_in(back, newer).location)
    assert validate(home, ticket=ticket, service=SERVICE, renew="true") == "staff"


def test_a_gateway_request_never_asks_the_person(home: IamHome) -> None:
    assert log_in(home, "", gateway="true") == SERVICE
    assert log_in(home, "", gateway="true", renew="true").startswith("/signin")


def test_a_service_may_know_people_by_a_name_of_its_own(home: IamHome) -> None:
    register(home, "portal", {**WHOLE, "pairwise": True, "attributes": []})
    cookie = home.sign_in("staff").cookie
    seen = {
        validate(home, ticket=ticket_of(log_in(home, cookie)), service=SERVICE) for _ in range(2)
    }
    assert len(seen) == 1
    assert "staff" not in seen


def test_the_form_of_cas_2_has_no_attributes(home: IamHome) -> None:
    ticket = ticket_of(log_in(home, home.sign_in("staff").cookie))
    query = urlencode({"ticket": ticket, "service": SERVICE})
    url = f"http://localhost:8080/cas/serviceValidate?{query}"
    answer = Wired(home).wire.ask("GET", url, {}, b"", 5.0)
    assert answer.header("content-type") == "application/xml; charset=utf-8"
    found = read_answer(answer.body)
    assert (found.user, found.attributes) == ("staff", {})


def asked_for_json(home: IamHome, path: str, **parameters: str) -> Any:
    query = urlencode({"service": SERVICE, "format": "json", **parameters})
    answer = Wired(home).wire.ask("GET", f"http://localhost:8080/cas/{path}?{query}", {}, b"", 5.0)
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    return orjson.loads(answer.body)["serviceResponse"]


def test_who_asks_for_json_is_answered_so(home: IamHome) -> None:
    cookie = home.sign_in("staff").cookie
    whole = asked_for_json(home, "p3/serviceValidate", ticket=ticket_of(log_in(home, cookie)))
    told = whole["authenticationSuccess"]
    assert (told["user"], told["attributes"]["roles"]) == ("staff", ["staff"])
    ticket = ticket_of(log_in(home, cookie))
    old = asked_for_json(home, "serviceValidate", ticket=ticket)
    assert old == {"authenticationSuccess": {"user": "staff"}}
    refused = asked_for_json(home, "p3/serviceValidate", ticket=ticket)["authenticationFailure"]
    assert refused["code"] == "INVALID_TICKET"
    proxy = asked_for_json(home, "p3/serviceValidate", ticket=ticket, pgtUrl="https://x.example")
    assert proxy["authenticationFailure"]["code"] == "UNAUTHORIZED_SERVICE_PROXY"


def test_a_service_is_given_its_ticket_by_a_form(home: IamHome) -> None:
    signed_in = {"cookie": f"op_session={home.sign_in('staff').cookie}"}
    query = urlencode({"service": SERVICE, "method": "post"})
    wire, url = Wired(home).wire, f"http://localhost:8080/cas/login?{query}"
    page = wire.ask("GET", url, signed_in, b"", 5.0)
    found = re.search(rb'name="ticket" value="(ST-[^"]+)"', page.body)
    assert found is not None
    assert b'<form method="post" action="https://portal.example/index?lang=zh">' in page.body
    policy = page.header("content-security-policy") or ""
    assert ("form-action https://portal.example;" in policy, page.status) == (True, 200)
    assert "frame-ancestors 'none'" in policy
    assert validate(home, ticket=found[1].decode(), service=SERVICE) == "staff"
    # the wish survives the sign-in
    location = wire.ask("GET", url, {}, b"", 5.0).header("location") or ""
    back = dict(parse_qsl(urlsplit(location).query))["next"]
    assert dict(parse_qsl(urlsplit(back).query))["method"] == "POST"


def test_a_form_goes_to_a_registered_service_alone(home: IamHome) -> None:
    register(home, "odd", {**WHOLE, "url": "https://portal.example/a?x='y'&z=%22%3E"})
    cookie = home.sign_in("staff").cookie
    with pytest.raises(RedirectRefused):
        home.services.cas.log_in({"service": SERVICE + "x", "method": "POST"}, cookie)
    query = urlencode({"service": "https://portal.example/a?x='y'&z=%22%3E", "method": "POST"})
    url = f"http://localhost:8080/cas/login?{query}"
    page = Wired(home).wire.ask("GET", url, {"cookie": f"op_session={cookie}"}, b"", 5.0)
    assert b"x=&#x27;y&#x27;&amp;z=%22%3E" in page.body


def test_a_repeated_parameter_is_refused_in_the_protocols_form(home: IamHome) -> None:
    url = "http://localhost:8080/cas/p3/serviceValidate?ticket=a&ticket=b&service=c"
    answer = Wired(home).wire.ask("GET", url, {}, b"", 5.0)
    assert (answer.status, b"INVALID_REQUEST" in answer.body) == (200, True)


def test_a_disabled_service_gets_nothing(home: IamHome) -> None:
    cookie = home.sign_in("staff").cookie
    ticket = ticket_of(log_in(home, cookie))
    register(home, "portal", {**WHOLE, "disabled": True})
    assert validate(home, ticket=ticket, service=SERVICE) == "INVALID_SERVICE"
    with pytest.raises(RedirectRefused):
        log_in(home, cookie)


def end(home: IamHome, session_id: str, account_id: str) -> None:
    ended = SessionRevoked(
        org_id="org_root", session_id=session_id, account_id=account_id, reason="a test"
    )
    home.services.cas_logouts.receive(Delivery(1, home.clock.now(), ended))


def test_a_service_is_told_that_the_session_ended(home: IamHome, outbound: FakeOutbound) -> None:
    opened = home.sign_in("staff")
    ticket = ticket_of(log_in(home, opened.cookie))
    unused = ticket_of(log_in(home, opened.cookie))
    assert validate(home, ticket=ticket, service=SERVICE) == "staff"
    end(home, opened.session.id, opened.session.account_id)
    end(home, opened.session.id, opened.session.account_id)
    outbound.answer = (503, b"")
    home.services.cas_logouts.deliver()
    outbound.answer = (200, b"")
    assert home.services.cas_logouts.deliver() is False
    home.clock.advance(2)
    home.services.cas_logouts.deliver()
    home.clock.advance(3_600)
    home.services.cas_logouts.deliver()
    assert [url for url, _ in outbound.posted] == [SERVICE, SERVICE]
    body = dict(parse_qsl(outbound.posted[1][1].decode()))["logoutRequest"]
    assert judge(home).get_saml_slos(body)[0].text == ticket
    assert unused not in body


def test_a_service_that_never_hears_is_given_up(home: IamHome, outbound: FakeOutbound) -> None:
    opened = home.sign_in("staff")
    validate(home, ticket=ticket_of(log_in(home, opened.cookie)), service=SERVICE)
    end(home, opened.session.id, opened.session.account_id)
    outbound.error = Unavailable("away")
    for _ in range(12):
        home.services.cas_logouts.deliver()
        home.clock.advance(7 * 3_600)
    assert len(outbound.posted) == 9
    told = [leaf for leaf in home.leaves() if leaf["action"] == "iam.notify_logout"]
    assert [leaf["outcome"] for leaf in told] == ["failed"]


def test_registering_takes_two_persons_and_a_whole_description(home: IamHome) -> None:
    changes, admin = home.services.power.changes, home.actor("system-admin")
    wrong = [
        {**WHOLE, "url": "http://portal.example/"},
        {**WHOLE, "url": "https://portal.example/#x"},
        {**WHOLE, "url": "https://portal.example/" + "x" * 300},
        {**WHOLE, "attributes": ["password"]},
        {**WHOLE, "attributes": [7]},
        {**WHOLE, "name": ""},
        {**WHOLE, "pairwise": "yes"},
        {"url": SERVICE},
    ]
    for after in wrong:
        with pytest.raises(InvalidRequest):
            changes.request_change(admin, NewChange("cas.service", "cas:second", after, "a test"))
    for target in ("client:x", "cas:UPPER"):
        with pytest.raises(InvalidRequest):
            changes.request_change(admin, NewChange("cas.service", target, WHOLE, "a test"))
    with pytest.raises(NameTaken):
        changes.request_change(admin, NewChange("cas.service", "cas:second", WHOLE, "a test"))
    other = NewChange("cas.service", "cas:second", {**WHOLE, "url": SERVICE + "2"}, "a test")
    with pytest.raises(Forbidden):
        changes.request_change(home.actor("auditor"), other)
    assert [one.id for one in home.services.cas.list_services(admin)] == ["portal"]


def test_what_is_written_can_only_be_read_in_one_way() -> None:
    evil = "a</cas:user><cas:user>admin&\x00\x0b<!--"
    found = read_answer(success(evil, {"name": [evil], "bad name": ["x"]}))
    assert found.user == "a</cas:user><cas:user>admin&��<!--"
    assert set(found.attributes) == {"name"}
    assert b"<x>" not in failure("INVALID_TICKET", "<x>")


def test_a_description_is_checked_whole() -> None:
    check_service("portal", WHOLE)
