"""Devices that wait for their person (RFC 8628), and applications told that a session ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
import pytest

from iam.core.openid_logout.patience import PAUSES
from iam.core.openid_logout.token import EVENT
from iam.core.rfc8628.codes import plain_code
from iam.errors import DeviceCodeRefused, TokenRefused
from iam.jobs import jobs
from iam.models.clients import DEVICE_GRANT
from iam.models.grants import LogoutNotice
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, NotFound, StepUpRequired, Unavailable
from secops.kernel.pages import page_request
from tests.fakes.iam_home import ISSUER, IamHome, open_iam_home
from tests.fakes.relying_party import (
    BYE,
    Browser,
    RelyingParty,
    answer_of,
    location_of,
    register,
)

TV: dict[str, Any] = {
    "redirect_uris": (),
    "grants": frozenset({DEVICE_GRANT, "refresh_token"}),
    "public": True,
}


def person(home: IamHome, role: str = "staff") -> Actor:
    """The actor of a console session."""
    session = home.sign_in(role).session
    account = home.actor(role)
    return Actor(
        kind="account",
        id=account.id,
        org_id=account.org_id,
        name=role,
        roles=account.roles,
        session_id=session.id,
        level=session.level,
        auth_time=session.auth_time,
    )


def start(party: RelyingParty, **more: str) -> dict[str, Any]:
    answer = party.browser.form("/oauth2/device_authorization", **party.credentials(), **more)
    assert (answer.status, answer.header("cache-control")) == (200, "no-store")
    found: dict[str, Any] = answer_of(answer)
    return found


def poll(party: RelyingParty, code: str) -> tuple[int, Any]:
    answer = party.token(grant_type=DEVICE_GRANT, device_code=code)
    found = answer_of(answer)
    return answer.status, found.get("error", found)


def test_a_device_is_let_in_by_its_person(home: IamHome) -> None:
    party = register(home, "tv", **TV)
    begun = start(party, scope="openid")
    assert (begun["interval"], begun["expires_in"]) == (5, 600)
    assert begun["verification_uri_complete"] == f"{ISSUER}/device?user_code={begun['user_code']}"
    assert poll(party, begun["device_code"]) == (400, "authorization_pending")
    actor = person(home)
    seen = home.services.device_grants.look(actor, begun["user_code"].lower().replace("-", " "))
    assert (seen.client_name, seen.place, seen.scopes) == ("tv", "192.0.2.7", ("openid",))
    assert home.services.device_grants.decide(actor, begun["user_code"], grant=True) == "tv"
    home.clock.advance(5)
    status, tokens = poll(party, begun["device_code"])
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (status, claims["sid"] != actor.session_id, claims["acr"]) == (
        200,
        True,
        "urn:secops:aal:2",
    )
    assert tokens["id_token"]
    assert party.refresh(tokens["refresh_token"]).status == 200
    assert poll(party, begun["device_code"]) == (400, "invalid_grant")
    assert actor.session_id is not None
    home.services.sessions.end_own(actor, actor.session_id)
    refused = home.services.verification.inspect(tokens["access_token"])
    assert refused.claims.session_id == claims["sid"]


def test_a_device_that_hurries_is_slowed_down(home: IamHome) -> None:
    party = register(home, "tv", **TV)
    code = start(party)["device_code"]
    assert poll(party, code) == (400, "authorization_pending")
    home.clock.advance(4)
    assert poll(party, code) == (400, "slow_down")
    home.clock.advance(6)
    assert poll(party, code) == (400, "slow_down")
    home.clock.advance(15)
    assert poll(party, code) == (400, "authorization_pending")


def test_a_device_is_denied_or_forgotten(home: IamHome) -> None:
    party = register(home, "tv", **TV)
    denied, late = start(party), start(party)
    actor = person(home)
    home.services.device_grants.decide(actor, denied["user_code"], grant=False)
    assert poll(party, denied["device_code"]) == (400, "access_denied")
    with pytest.raises(DeviceCodeRefused):
        home.services.device_grants.decide(actor, denied["user_code"], grant=True)
    home.clock.advance(600)
    assert poll(party, late["device_code"]) == (400, "expired_token")
    with pytest.raises(DeviceCodeRefused):
        home.services.device_grants.look(actor, late["user_code"])


def test_a_device_code_is_its_clients(home: IamHome) -> None:
    party, other = register(home, "tv", **TV), register(home, "tv2", **TV)
    begun = start(party)
    home.services.device_grants.decide(person(home), begun["user_code"], grant=True)
    assert poll(other, begun["device_code"]) == (400, "invalid_grant")
    assert poll(party, begun["device_code"] + "x") == (400, "invalid_grant")
    assert poll(party, begun["device_code"])[0] == 200
    web = register(home, "web")
    assert poll(web, "x") == (400, "unauthorized_client")
    answer = web.browser.form("/oauth2/device_authorization", **web.credentials())
    assert answer_of(answer)["error"] == "unauthorized_client"


def test_codes_are_guessed_five_times_and_no_more(home: IamHome) -> None:
    party = register(home, "tv", **TV)
    begun = start(party)
    actor, other = person(home), person(home, "zhangwei")
    look = home.services.device_grants.look
    for guess in ("BBBB-BBBB", "", "12345678", "BBBBBBBBB", "AAAA-AAAA"):
        with pytest.raises(DeviceCodeRefused):
            look(actor, guess)
    with pytest.raises(DeviceCodeRefused):
        look(actor, begun["user_code"])
    assert look(other, begun["user_code"]).client_name == "tv"
    home.clock.advance(599)
    begun = start(party)
    home.clock.advance(1)
    assert look(actor, begun["user_code"]).client_name == "tv"


def test_an_application_may_demand_a_stronger_or_fresher_person(home: IamHome) -> None:
    strict = start(register(home, "tv", level=3, **TV))
    actor = person(home)
    decide = home.services.device_grants.decide
    with pytest.raises(StepUpRequired):
        decide(actor, strict["user_code"], grant=True)
    fresh = start(register(home, "tv2", max_age=60, **TV))
    home.clock.advance(61)
    with pytest.raises(StepUpRequired):
        decide(actor, fresh["user_code"], grant=True)
    assert decide(actor, fresh["user_code"], grant=False) == "tv2"


def test_a_session_that_ended_lets_no_device_in(home: IamHome) -> None:
    party = register(home, "tv", **TV)
    begun = start(party)
    actor = person(home)
    home.services.device_grants.decide(actor, begun["user_code"], grant=True)
    home.services.sessions.end_own(actor, actor.session_id or "")
    assert poll(party, begun["device_code"]) == (400, "invalid_grant")


def test_typed_codes_are_read_as_people_type_them() -> None:
    assert plain_code(" wdjb-mjht ") == "WDJBMJHT"
    assert plain_code("wdjb mjht") == "WDJBMJHT"
    for wrong in ("WDJB-MJH", "WDJB-MJHTX", "WDJB-MJHA", "X" * 33, ""):
        assert plain_code(wrong) is None


# logouts


def test_ending_all_sessions_ends_those_that_only_refresh(home: IamHome) -> None:
    party = register(home)
    party.browser.sign_in("staff")
    tokens = answer_of(party.exchange(party.code()))
    home.clock.advance(3_600)
    assert home.services.sessions.by_cookie(party.browser.cookies["op_session"]) is None
    admin = home.actor("system-admin")
    assert len(home.services.sessions.revoke_sessions(admin, "staff", "left")) == 1
    assert answer_of(party.refresh(tokens["refresh_token"]))["error"] == "invalid_grant"


@dataclass
class Partners:
    """Applications' back channels: ``answers`` by address, 200 unless said otherwise."""

    answers: dict[str, int | Exception] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        raise AssertionError(url)

    def open_tls(self, host: str, port: int, timeout: float, negotiate: Any = None) -> Any:
        raise AssertionError(host)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> tuple[int, bytes]:
        assert (timeout, headers["content-type"]) == (5.0, "application/x-www-form-urlencoded")
        self.told.append((url, parse_qs(body.decode())["logout_token"][0]))
        answer = self.answers.get(url, 200)
        if isinstance(answer, Exception):
            raise answer
        return answer, b""


@pytest.fixture
def partners() -> Partners:
    return Partners()


@pytest.fixture
def told(tmp_path: Path, partners: Partners) -> Any:
    opened = open_iam_home(tmp_path, outbound=partners)
    yield opened
    opened.close()


def known(home: IamHome, name: str = "app") -> tuple[RelyingParty, dict[str, Any]]:
    party = register(home, name, back_channel_uri=f"https://{name}.example/bc")
    party.browser.sign_in("staff")
    return party, answer_of(party.exchange(party.code()))


def announce(home: IamHome) -> None:
    """Bring the announcements to their subscribers and send what is due."""
    home.spine.outbox(home.plane.subscriptions).tick()
    home.services.logouts.deliver()


def silent(home: IamHome) -> list[LogoutNotice]:
    page = home.services.logouts.list_silent_partners(
        home.actor("security-admin"), page_request("100", None)
    )
    return list(page.items)


def test_every_way_to_end_a_session_tells_its_applications(
    told: IamHome, partners: Partners
) -> None:
    services, admin = told.services, told.actor("system-admin")

    def sign_out(party: RelyingParty) -> None:
        services.sessions.sign_out(party.browser.cookies["op_session"])

    def contain(_: RelyingParty) -> None:
        services.containment.revoke_sessions(told.actor("staff").id, "incident")

    ways = (
        sign_out,
        lambda _: services.sessions.revoke_sessions(admin, "staff", "left"),
        contain,
        lambda _: services.accounts.lock_account(admin, "staff", "left"),
    )
    for number, end in enumerate(ways):
        told.clock.advance(41)
        party, tokens = known(told, f"app{number}")
        sid = jwt.decode(tokens["id_token"], options={"verify_signature": False})["sid"]
        end(party)
        announce(told)
        url, token = partners.told[-1]
        assert url == f"https://app{number}.example/bc"
        claims = jwt.decode(token, options={"verify_signature": False})
        assert jwt.get_unverified_header(token)["typ"] == "logout+jwt"
        assert (claims["aud"], claims["sid"], claims["events"]) == (
            f"app{number}",
            sid,
            {EVENT: {}},
        )
        assert "nonce" not in claims
        assert claims["exp"] - claims["iat"] == 120
        identity = jwt.decode(tokens["id_token"], options={"verify_signature": False})
        assert claims["sub"] == identity["sub"]
        with pytest.raises(TokenRefused):
            services.verification.inspect(token)
    assert len(partners.told) == len(ways)


def test_only_applications_that_know_the_session_are_told_and_once(
    told: IamHome, partners: Partners
) -> None:
    party, _ = known(told)
    register(told, "stranger", back_channel_uri="https://stranger.example/bc")
    mute = register(told, "mute")
    mute.browser.cookies = party.browser.cookies
    mute.exchange(mute.code())
    told.services.sessions.sign_out(party.browser.cookies["op_session"])
    for _ in range(3):
        announce(told)
    assert [url for url, _ in partners.told] == ["https://app.example/bc"]


def test_a_silent_partner_is_told_again_and_then_listed(told: IamHome, partners: Partners) -> None:
    party, _ = known(told)
    partners.answers["https://app.example/bc"] = Unavailable()
    told.services.sessions.sign_out(party.browser.cookies["op_session"])
    announce(told)
    for pause in PAUSES:
        told.clock.advance(pause / 1_000_000 - 0.5)
        told.services.logouts.deliver()
        before = len(partners.told)
        told.clock.advance(0.5)
        told.services.logouts.deliver()
        assert len(partners.told) == before + 1
    (notice,) = silent(told)
    assert (notice.state, notice.tries, notice.trouble) == (
        "silent",
        len(PAUSES) + 1,
        "kernel.unavailable",
    )
    told.clock.advance(100_000)
    told.services.logouts.deliver()
    assert len(partners.told) == len(PAUSES) + 1
    with pytest.raises(Forbidden):
        told.services.logouts.retry_logout(told.actor("staff"), notice.id)
    admin = told.actor("security-admin")
    told.services.logouts.retry_logout(admin, notice.id)
    with pytest.raises(NotFound):
        told.services.logouts.retry_logout(admin, notice.id)
    partners.answers["https://app.example/bc"] = 204
    told.services.logouts.deliver()
    assert silent(told) == []
    outcomes = [leaf["outcome"] for leaf in told.leaves() if leaf["action"] == "iam.notify_logout"]
    assert outcomes == ["failed", "done"]


@pytest.mark.parametrize("status", [302, 400, 500, 201])
def test_anything_but_200_and_204_is_no_confirmation(
    told: IamHome, partners: Partners, status: int
) -> None:
    party, _ = known(told)
    partners.answers["https://app.example/bc"] = status
    told.services.sessions.sign_out(party.browser.cookies["op_session"])
    announce(told)
    assert [(n.state, n.trouble) for n in silent(told)] == [("waiting", f"status {status}")]


def test_a_notice_survives_a_process_that_dies_with_it(told: IamHome, partners: Partners) -> None:
    party, _ = known(told)
    told.services.sessions.sign_out(party.browser.cookies["op_session"])
    told.spine.outbox(told.plane.subscriptions).tick()
    now = told.clock.now()
    claim = told.spine.parts.transactions.run
    store = told.services.logouts.means.stores.logouts
    assert len(claim(lambda tx: store.claim(tx, 16, now + 60_000_000))) == 1
    told.services.logouts.deliver()
    assert partners.told == []
    told.clock.advance(60)
    told.services.logouts.deliver()
    assert len(partners.told) == 1


def test_a_disabled_application_is_told_nothing(told: IamHome, partners: Partners) -> None:
    party, _ = known(told)
    told.services.sessions.sign_out(party.browser.cookies["op_session"])
    told.spine.outbox(told.plane.subscriptions).tick()
    told.services.clients.disable_client(told.actor("system-admin"), "app", "gone")
    told.services.logouts.deliver()
    assert partners.told == []
    assert [notice.trouble for notice in silent(told)] == ["unregistered"]


def test_the_jobs_deliver_and_clear_away(told: IamHome, partners: Partners) -> None:
    party, _ = known(told)
    register(told, "tv", **TV)
    start(RelyingParty(told, register(told, "tv2", **TV).client, None, party.keys, Browser(told)))
    party.push()
    told.services.sessions.sign_out(party.browser.cookies["op_session"])
    told.spine.outbox(told.plane.subscriptions).tick()
    table = {job.name: job for job in jobs(told.services.logouts.means, told.services)}
    table["iam.logouts"].tick()
    assert len(partners.told) == 1
    told.clock.advance(8 * 86_400)
    table["iam.purge"].tick()
    import sqlalchemy as sa  # noqa: PLC0415 - for this count alone

    tables = ("iam_pushed_requests", "iam_device_grants", "iam_session_clients")
    with told.spine.read_engine.begin() as connection:
        left = [
            connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608
            for name in (*tables, "iam_logout_notices")
        ]
    assert left == [0, 0, 0, 0]


# logout that an application asks for


def log_out(party: RelyingParty, **more: str) -> dict[str, str]:
    return location_of(party.browser.send(f"GET /oauth2/logout?{urlencode(more)}"))


def test_an_expired_hint_of_the_session_signs_out_and_returns_exactly(home: IamHome) -> None:
    party = register(home)
    party.browser.sign_in("staff")
    hint = answer_of(party.exchange(party.code()))["id_token"]
    home.clock.advance(1_200)
    answer = log_out(party, id_token_hint=hint, post_logout_redirect_uri=BYE, state="a b")
    assert answer == {"to": BYE, "state": "a b"}
    assert home.services.sessions.by_cookie(party.browser.cookies["op_session"]) is None


def test_without_a_proof_the_person_is_asked(home: IamHome) -> None:
    party, other = register(home), register(home, "other")
    party.browser.sign_in("staff")
    other.browser.sign_in("zhangwei")
    foreign = answer_of(other.exchange(other.code()))["id_token"]
    for hint in ("", foreign, "x", foreign + "="):
        answer = log_out(party, id_token_hint=hint, post_logout_redirect_uri=BYE)
        assert answer["to"] == "/logout"
    cookie = party.browser.cookies["op_session"]
    assert home.services.sessions.by_cookie(cookie) is not None
    answer = party.browser.form(
        "/oauth2/logout", {"origin": "https://evil.example"}, client_id="app"
    )
    assert (answer.header("location") or "").startswith("/oauth2/logout?client_id=app")
    assert home.services.sessions.by_cookie(cookie) is not None
    fields = {"client_id": "app", "post_logout_redirect_uri": BYE}
    done = party.browser.form("/oauth2/logout", {"origin": ISSUER}, **fields)
    assert location_of(done)["to"] == BYE
    assert home.services.sessions.by_cookie(cookie) is None


def test_a_browser_that_sent_our_form_gets_a_page_before_it_leaves(home: IamHome) -> None:
    party = register(home)
    party.browser.sign_in("staff")
    headers = {"origin": ISSUER, "sec-fetch-site": "same-origin"}
    fields = {"client_id": "app", "post_logout_redirect_uri": BYE, "state": '"><script>'}
    page = party.browser.form("/oauth2/logout", headers, **fields)
    assert page.status == 200
    assert b"<script>" not in page.body
    assert f"url={BYE}?state=".encode() in page.body


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        f"{BYE}/",
        f"{BYE}?x=1",
        "https://app.example/BYE",
        "//evil.example",
        "javascript:alert(1)",
        "",
    ],
)
def test_logout_returns_nowhere_but_to_registered_addresses(home: IamHome, target: str) -> None:
    party = register(home)
    answer = log_out(party, client_id="app", post_logout_redirect_uri=target)
    assert answer == {"to": "/signed-out"}


def test_a_hint_and_another_client_id_lead_nowhere(home: IamHome) -> None:
    party = register(home)
    register(home, "other", logout_uris=("https://other.example/bye",))
    party.browser.sign_in("staff")
    hint = answer_of(party.exchange(party.code()))["id_token"]
    answer = log_out(
        party,
        id_token_hint=hint,
        client_id="other",
        post_logout_redirect_uri="https://other.example/bye",
    )
    assert answer == {"to": "/signed-out"}
