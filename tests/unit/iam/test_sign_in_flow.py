from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from iam.errors import InvalidGrant, SignInRefused, TokenRefused
from iam.models.sessions import FactorAttempt
from iam.service.references import write_reference
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden
from secops.kernel.events import Delivery, SubjectRiskChanged
from tests.fakes.iam_home import ADDRESS, IamHome


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
