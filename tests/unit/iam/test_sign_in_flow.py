from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from iam.errors import InvalidGrant, SignInRefused, TokenRefused
from iam.models.clients import ClientCredentials
from iam.models.sessions import FactorAttempt
from iam.service.sign_on.references import write_reference
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden
from secops.kernel.events import Delivery, SubjectRiskChanged
from tests.fakes.iam_home import ADDRESS, OWNER, IamHome, open_iam_home


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def sign_into_console(home: IamHome, role: str) -> Actor:
    console, authorize = home.services.console, home.services.authorize
    start = console.start("/alerts")
    asked = authorize.authorize(query_of(start.location), "")
    assert asked.kind == "sign_in"
    opened = home.sign_in(role)
    answer = authorize.resume(asked.transaction, opened.cookie)
    assert answer.kind == "application"
    session = console.complete(start.cookie, query_of(answer.location))
    assert session.return_to == "/alerts"
    return home.services.verification.verify_session(session.cookie)


def test_password_and_totp_open_the_console_as_a_relying_party(home: IamHome) -> None:
    actor = sign_into_console(home, "security-admin")
    assert (actor.kind, actor.name, actor.roles, actor.level) == (
        "account",
        "security-admin",
        frozenset({"security-admin"}),
        2,
    )


def test_a_code_works_once(home: IamHome) -> None:
    code = home.code("analyst")
    home.services.sign_in.finish(FactorAttempt(home.begin("analyst"), code, ADDRESS))
    with pytest.raises(SignInRefused):
        home.services.sign_in.finish(FactorAttempt(home.begin("analyst"), code, ADDRESS))


def test_an_ended_session_is_refused_at_once(home: IamHome) -> None:
    console, authorize = home.services.console, home.services.authorize
    start = console.start()
    opened = home.sign_in("analyst")
    answer = authorize.authorize(query_of(start.location), opened.cookie)
    session = console.complete(start.cookie, query_of(answer.location))
    home.services.sessions.revoke_sessions(home.actor("security-admin"), "analyst", "test")
    with pytest.raises(TokenRefused):
        home.services.verification.verify_session(session.cookie)
    assert home.services.sessions.by_cookie(opened.cookie) is None


def test_the_callback_belongs_to_the_browser_that_asked(home: IamHome) -> None:
    console, authorize = home.services.console, home.services.authorize
    mine, theirs = console.start(), console.start()
    opened = home.sign_in("analyst")
    answer = authorize.authorize(query_of(theirs.location), opened.cookie)
    with pytest.raises(TokenRefused):
        console.complete(mine.cookie, query_of(answer.location))


def test_the_consoles_code_is_redeemed_once(home: IamHome) -> None:
    console, authorize = home.services.console, home.services.authorize
    start = console.start()
    opened = home.sign_in("analyst")
    answer = authorize.authorize(query_of(start.location), opened.cookie)
    console.complete(start.cookie, query_of(answer.location))
    with pytest.raises(InvalidGrant):
        console.complete(start.cookie, query_of(answer.location))


@pytest.mark.parametrize(
    "path", ["//evil", "https://evil", "/\\evil", "evil", "/a\nb", "/a\tb", "", "/" + "a" * 2000]
)
def test_the_console_returns_to_its_own_pages_only(home: IamHome, path: str) -> None:
    start = home.services.console.start(path)
    opened = home.sign_in("analyst")
    answer = home.services.authorize.authorize(query_of(start.location), opened.cookie)
    assert home.services.console.complete(start.cookie, query_of(answer.location)).return_to == "/"


def test_a_high_risk_account_opens_no_session(home: IamHome) -> None:
    analyst = home.actor("analyst")
    change = SubjectRiskChanged("org_root", f"account:{analyst.id}", 95, "test")
    home.plane.subscriptions[0].handle(Delivery(1, home.clock.now(), change))
    with pytest.raises(Forbidden):
        home.sign_in("analyst")


def test_a_reference_for_one_purpose_is_none_for_another(home: IamHome) -> None:
    means = home.services.sign_in.means
    foreign = write_reference(means, "authorize", {"account": "x", "name": "x"}, 10**9)
    with pytest.raises(SignInRefused):
        home.services.sign_in.finish(FactorAttempt(foreign, "000000", ADDRESS))


def test_the_consoles_callback_says_what_went_wrong(home: IamHome) -> None:
    console = home.services.console
    start = console.start()
    state, issuer = query_of(start.location)["state"], home.services.console.means.options.issuer
    with pytest.raises(TokenRefused):
        console.complete(start.cookie, {"state": state, "code": "x"})
    with pytest.raises(InvalidGrant):
        console.complete(start.cookie, {"state": state, "iss": issuer, "error": "access_denied"})
    with pytest.raises(InvalidGrant):
        console.complete(start.cookie, {"state": state, "iss": issuer, "code": "x"})
    with pytest.raises(TokenRefused):
        console.complete("rubbish", {})
    with pytest.raises(InvalidGrant):
        console.console_session("x", "v" * 43)


def test_cookies_are_for_us_alone(tmp_path: Path) -> None:
    home = open_iam_home(tmp_path, demo=False)
    plain = home.services.console
    assert plain.cookie_header("op_session", "v") == "op_session=v; Path=/; HttpOnly; SameSite=Lax"
    options = replace(plain.means.options, issuer="https://sso.example")
    strict = replace(plain, means=replace(plain.means, options=options))
    assert strict.cookie_header("op_session", "v", max_age=5) == (
        "__Host-op_session=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=5"
    )
    assert strict.cookie_header("op_session", "").endswith("Secure; Max-Age=0")
    home.close()


def test_an_idle_session_is_over(home: IamHome) -> None:
    console, authorize = home.services.console, home.services.authorize
    start = console.start()
    opened = home.sign_in("staff")
    answer = authorize.authorize(query_of(start.location), opened.cookie)
    session = console.complete(start.cookie, query_of(answer.location))
    verify = home.services.verification.verify_session
    for _ in range(3):
        home.clock.advance(25 * 60)
        assert verify(session.cookie).name == "staff"
    home.clock.advance(31 * 60)
    for cookie in (session.cookie, "", "x" * 500, "\u00e9"):
        with pytest.raises(TokenRefused):
            verify(cookie)


def test_administrators_idle_for_half_as_long(home: IamHome) -> None:
    opened = home.sign_in("security-admin")
    home.clock.advance(14 * 60)
    assert home.services.sessions.by_cookie(opened.cookie) is not None
    home.clock.advance(2 * 60)
    assert home.services.sessions.by_cookie(opened.cookie) is None


def test_expired_things_are_purged_by_a_job(home: IamHome) -> None:
    home.sign_in("staff")
    home.clock.advance(7200)
    assert {job.tick() for job in home.plane.jobs} == {False}


def test_demo_homes_get_an_application_once(home: IamHome) -> None:
    made = home.services.beginnings.create_demo_client(OWNER)
    assert made is not None
    assert home.services.beginnings.create_demo_client(OWNER) is None
    credentials = ClientCredentials("demo-app", made.secret)
    tokens, _ = home.services.grants.client_credentials(credentials, "api", None)
    assert home.services.verification.verify_token(tokens.access_token).roles == {"integrator"}
    for nobody in (home.actor("system-admin"),):
        with pytest.raises(Forbidden):
            home.services.beginnings.create_demo_accounts(nobody)
