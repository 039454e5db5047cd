"""How strong and how fresh a sign-in must be (RFC 9470, OIDC Core §3.1.2), asked and demanded."""

from __future__ import annotations

from urllib.parse import urlencode

import jwt

from tests.fakes.iam_home import IamHome
from tests.fakes.relying_party import RelyingParty, answer_of, location_of, register

AAL = "urn:secops:aal:"


def signed_in(home: IamHome, **given: object) -> RelyingParty:
    party = register(home, **given)
    party.browser.sign_in("staff")
    return party


def transaction(answer: dict[str, str]) -> str:
    assert answer["to"] == "/login", answer
    return answer["transaction"]


def resumed(party: RelyingParty, reference: str) -> dict[str, str]:
    path = urlencode({"transaction": reference})
    return location_of(party.browser.send(f"GET /oauth2/authorize?{path}"))


def test_a_level_that_was_reached_is_said(home: IamHome) -> None:
    party = signed_in(home)
    code = location_of(party.authorize(acr_values=f"{AAL}2 {AAL}3"))["code"]
    token = answer_of(party.exchange(code))["id_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["acr"] == f"{AAL}2"


def test_a_higher_level_sends_to_sign_in_and_an_unreached_one_is_told(home: IamHome) -> None:
    party = signed_in(home)
    reference = transaction(location_of(party.authorize(acr_values=f"{AAL}3")))
    assert home.services.authorize.level(reference) == 3
    home.clock.advance(41)
    party.browser.sign_in("staff")
    answer = resumed(party, reference)
    assert (answer["error"], answer["iss"]) == (
        "unmet_authentication_requirements",
        "http://localhost:8080",
    )


def test_values_we_do_not_know_are_unmet_at_once(home: IamHome) -> None:
    party = signed_in(home)
    answer = location_of(party.authorize(acr_values="phr urn:secops:aal:9"))
    assert answer["error"] == "unmet_authentication_requirements"


def test_nothing_is_asked_where_nobody_may_be_asked(home: IamHome) -> None:
    party = signed_in(home)
    for more in ({"acr_values": f"{AAL}3"}, {"max_age": "0"}):
        home.clock.advance(1)
        answer = location_of(party.authorize(prompt="none", **more))
        assert answer["error"] == "login_required"


def test_an_old_sign_in_is_renewed_once(home: IamHome) -> None:
    party = signed_in(home)
    home.clock.advance(100)
    assert "code" in location_of(party.authorize(max_age="100"))
    reference = transaction(location_of(party.authorize(max_age="99")))
    home.clock.advance(41)
    party.browser.sign_in("staff")
    home.clock.advance(20)
    assert "code" in resumed(party, reference)


def test_a_sign_in_for_the_request_ends_the_asking_even_for_max_age_0(home: IamHome) -> None:
    party = signed_in(home)
    home.clock.advance(41)
    reference = transaction(location_of(party.authorize(max_age="0")))
    party.browser.sign_in("staff")
    home.clock.advance(1)
    assert "code" in resumed(party, reference)
    home.clock.advance(61)
    assert "transaction" in resumed(party, reference)


def test_prompt_login_asks_again(home: IamHome) -> None:
    party = signed_in(home)
    home.clock.advance(1)
    reference = transaction(location_of(party.authorize(prompt="login")))
    assert "transaction" in resumed(party, reference)
    home.clock.advance(41)
    party.browser.sign_in("staff")
    assert "code" in resumed(party, reference)


def test_what_an_application_demands_counts_for_every_request(home: IamHome) -> None:
    party = signed_in(home, level=3)
    assert location_of(party.authorize(acr_values=f"{AAL}1"))["to"] == "/login"
    old = register(home, "old", max_age=60)
    old.browser.cookies = party.browser.cookies
    home.clock.advance(61)
    assert location_of(old.authorize(max_age="600"))["to"] == "/login"
    assert location_of(old.authorize(prompt="none"))["error"] == "login_required"


def test_a_hint_of_another_person_is_no_sign_in(home: IamHome) -> None:
    party = signed_in(home)
    hint = answer_of(party.exchange(party.code()))["id_token"]
    home.clock.advance(600)
    assert "code" in location_of(party.authorize(id_token_hint=hint))
    party.browser.sign_in("zhangwei")
    assert location_of(party.authorize(id_token_hint=hint, prompt="none"))["error"] == (
        "login_required"
    )
    reference = transaction(location_of(party.authorize(id_token_hint=hint)))
    home.clock.advance(41)
    party.browser.sign_in("zhangwei")
    assert resumed(party, reference)["error"] == "login_required"
    other = register(home, "other")
    other.browser.cookies = party.browser.cookies
    for wrong in (hint, "x", f"{hint}="):
        assert location_of(other.authorize(id_token_hint=wrong))["error"] == "invalid_request"


def test_resources_say_what_is_missing(home: IamHome) -> None:
    party = signed_in(home)
    token = answer_of(party.exchange(party.code(scope="openid api")))["access_token"]
    refused = party.browser.send(
        "POST /api/v1/iam/clients",
        b'{"id": "x1", "grants": ["client_credentials"]}',
        {"authorization": f"Bearer {token}"},
    )
    assert refused.status == 403
    introspected = answer_of(
        party.browser.form("/oauth2/introspect", **party.credentials(), token=token)
    )
    assert (introspected["acr"], introspected["auth_time"] > 0) == (f"{AAL}2", True)
