"""Applications that no two people approved ask: once, in words, and a yes can be taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from iam.core.openid.consent import assured, needed_scopes, words_of
from iam.errors import RequestUriRefused, TokenRefused
from iam.models.clients import DEVICE_GRANT, Client, NewClient
from iam.models.consents import Consent
from iam.service.sign_on.sessions import hang
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY, HOUR
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.pages import page_request
from secops.kernel.permissions import GRANTS
from secops.web.messages import Response
from tests.fakes.iam_home import ISSUER, IamHome, open_iam_home
from tests.fakes.relying_party import (
    CALLBACK,
    RelyingParty,
    answer_of,
    location_of,
    register,
)
from tests.unit.iam.test_identity_commands import printed, refused, run

OURS = {"origin": ISSUER, "sec-fetch-site": "same-origin"}
NATIVE = "http://127.0.0.1/cb"


@pytest.fixture
def party(home: IamHome) -> RelyingParty:
    made = register(home, "shop", consent="ask", scopes=frozenset({"openid", "profile", "api"}))
    made.browser.sign_in("analyst")
    return made


def asked(party: RelyingParty, **more: str | None) -> str:
    """The reference of the question that the browser is sent to."""
    sent = location_of(party.authorize(**more))
    assert sent["to"] == "/consent", sent
    return sent["transaction"]


def decide(
    party: RelyingParty, transaction: str, do: str = "allow", headers: Any = OURS
) -> Response:
    plain = {name: value for name, value in headers.items() if name != "sec-fetch-site"}
    return party.browser.form("/oauth2/consent", plain, transaction=transaction, do=do)


def allowed(party: RelyingParty, **more: str | None) -> str:
    """The code after a yes."""
    return location_of(decide(party, asked(party, **more)))["code"]


def acts(home: IamHome) -> list[tuple[str, str]]:
    found = [(leaf["action"], leaf["outcome"]) for leaf in home.leaves()]
    return [one for one in found if "consent" in one[0]]


def consent_of(home: IamHome, name: str = "analyst") -> Consent:
    (view,) = home.services.consents.own_consents(home.actor(name))
    return view.consent


def test_who_was_never_asked_is_asked_and_then_remembered(
    home: IamHome, party: RelyingParty
) -> None:
    question = home.services.authorize.ask_consent(
        asked(party), party.browser.cookies["op_session"]
    )
    assert (question.client_name, question.goes_to) == ("shop", "app.example")
    assert [one.scope for one in question.scopes] == ["openid", "profile"]
    assert question.until == home.clock.now() + 180 * DAY
    assert (question.lasting, question.hours) == (True, 12)
    tokens = answer_of(party.exchange(allowed(party)))
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert claims["consent"] == consent_of(home).id
    assert location_of(party.authorize())["to"] == CALLBACK
    assert acts(home) == [("iam.grant_consent", "done")]


def test_the_question_names_other_applications_that_its_tokens_open(home: IamHome) -> None:
    register(home, "reports")
    shop = register(home, "mall", consent="ask", audiences=("mall", "reports", "secops-api", "x"))
    shop.browser.sign_in("analyst")
    cookie = shop.browser.cookies["op_session"]
    question = home.services.authorize.ask_consent(asked(shop), cookie)
    assert question.places == ("reports (reports)", "x")


def test_a_consent_moves_with_its_account(home: IamHome, party: RelyingParty) -> None:
    """Else administrators of the place that was left went on reading it."""
    allowed(party)
    stores, whose = home.services.accounts.means.stores, home.actor("analyst").id
    home.spine.transactions.run(lambda tx: stores.accounts.move(tx, whose, "org_county"))
    [moved] = home.spine.transactions.read(lambda tx: stores.consents.of_account(tx, whose))
    assert moved.org_id == "org_county"


def test_a_wider_request_asks_again_and_shows_all_that_will_stand(
    home: IamHome, party: RelyingParty
) -> None:
    allowed(party)
    assert location_of(party.authorize(scope="openid"))["to"] == CALLBACK
    transaction = asked(party, scope="openid api")
    cookie = party.browser.cookies["op_session"]
    question = home.services.authorize.ask_consent(transaction, cookie)
    assert [one.scope for one in question.scopes] == ["openid", "profile", "api"]
    before = consent_of(home)
    decide(party, transaction)
    after = consent_of(home)
    assert (after.id, after.scopes) == (before.id, frozenset({"openid", "profile", "api"}))


def test_who_learns_that_somebody_signed_in_may_do_nothing_of_theirs_here(
    home: IamHome, party: RelyingParty
) -> None:
    """Our own API is every application's audience unless it names another."""

    def sent(scope: str, *verbs: str) -> set[int]:
        tokens = answer_of(party.exchange(allowed(party, scope=scope, prompt="consent")))
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        return {party.browser.send(verb, headers=bearer).status for verb in verbs}

    own = "/api/v1/iam/me"
    parts = ("", "/sessions", "/export", "/consents", "/factors", "/mandates", "/change-requests")
    attacks = (
        *(f"GET {own}{part}" for part in parts),
        f"POST {own}/mandates",
        f"POST {own}/recovery-codes",
        f"DELETE {own}/message-addresses/sms",
        f"DELETE {own}/consents/cns_1",
        "GET /api/v1/iam/change-requests/chg_1",
    )
    assert sent("openid profile", *attacks) == {403}
    assert sent("openid api", f"GET {own}", f"GET {own}/export") == {200}


def test_prompt_none_says_that_a_person_has_to_be_asked(party: RelyingParty) -> None:
    refused = location_of(party.authorize(prompt="none"))
    assert (refused["to"], refused["error"]) == (CALLBACK, "consent_required")
    allowed(party)
    assert "code" in location_of(party.authorize(prompt="none"))


def test_prompt_consent_asks_whoever_is_remembered_and_every_application(home: IamHome) -> None:
    party = register(home, "shop", consent="ask")
    party.browser.sign_in("analyst")
    allowed(party)
    assert asked(party, prompt="consent")
    assert asked(party, prompt="consent", scope="openid")
    approved = register(home, "oa")
    home.clock.advance(30)
    approved.browser.sign_in("analyst")
    assert "code" in location_of(approved.authorize())
    transaction = asked(approved, prompt="consent")
    cookie = approved.browser.cookies["op_session"]
    assert home.services.authorize.ask_consent(transaction, cookie).until is None
    assert "code" in location_of(decide(approved, transaction))
    whose = [
        one.consent.client_id for one in home.services.consents.own_consents(home.actor("analyst"))
    ]
    assert whose == ["shop"]
    refused = location_of(approved.authorize(prompt="none consent"))
    assert refused["error"] == "invalid_request"


def test_a_no_goes_back_to_the_application_and_is_recorded(
    home: IamHome, party: RelyingParty
) -> None:
    refused = location_of(decide(party, asked(party), "deny"))
    assert (refused["to"], refused["error"], refused["state"]) == (CALLBACK, "access_denied", "s")
    assert refused["iss"] == ISSUER
    assert acts(home) == [("iam.deny_consent", "refused")]
    assert asked(party)
    assert decide(party, asked(party), "perhaps").status == 400


def test_a_public_application_on_loopback_is_asked_about_each_time(home: IamHome) -> None:
    party = register(home, "tool", consent="ask", public=True, redirect_uris=(NATIVE,))
    party.browser.sign_in("analyst")
    where: dict[str, str | None] = {"redirect_uri": "http://127.0.0.1:7777/cb"}
    allowed(party, **where)
    assert asked(party, **where)
    refused = location_of(party.authorize(prompt="none", **where))
    assert refused["error"] == "consent_required"


def test_what_was_pushed_is_what_is_asked(home: IamHome) -> None:
    party = register(home, "bank", consent="ask", par_required=True)
    party.browser.sign_in("analyst")
    reference = answer_of(party.push(scope="openid"))["request_uri"]
    query = urlencode({"client_id": "bank", "request_uri": reference, "scope": "openid api"})
    sent = location_of(party.browser.send(f"GET /oauth2/authorize?{query}"))
    cookie = party.browser.cookies["op_session"]
    question = home.services.authorize.ask_consent(sent["transaction"], cookie)
    assert [one.scope for one in question.scopes] == ["openid"]
    assert "code" in location_of(decide(party, sent["transaction"]))


# attacks


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ISSUER, "sec-fetch-site": "cross-site"},
    ],
)
def test_another_sites_form_gives_no_consent(
    home: IamHome, party: RelyingParty, headers: dict[str, str]
) -> None:
    transaction = asked(party)
    sent = party.browser.form("/oauth2/consent", headers, transaction=transaction, do="allow")
    assert (sent.status, acts(home)) == (403, [])


def test_a_question_put_to_another_session_is_answered_by_nobody_else(
    home: IamHome, party: RelyingParty
) -> None:
    transaction = asked(party)
    home.clock.advance(30)
    for cookie in ("", home.sign_in("staff").cookie, home.sign_in("analyst").cookie):
        party.browser.cookies["op_session"] = cookie
        with pytest.raises(RequestUriRefused):
            home.services.authorize.ask_consent(transaction, cookie)
        assert decide(party, transaction).status == 400
    assert acts(home) == []


def test_a_question_is_answered_once(home: IamHome, party: RelyingParty) -> None:
    transaction = asked(party)
    assert "code" in location_of(decide(party, transaction))
    home.services.consents.revoke_own_consent(home.actor("analyst"), consent_of(home).id)
    assert decide(party, transaction).status == 400
    assert home.services.consents.own_consents(home.actor("analyst")) == []


@pytest.mark.parametrize("purpose", ["sign-in", "late", "altered"])
def test_a_reference_that_is_no_living_question_gives_nothing(
    home: IamHome, party: RelyingParty, purpose: str
) -> None:
    transaction = asked(party)
    if purpose == "sign-in":
        home.clock.advance(1)
        transaction = location_of(party.authorize(prompt="login"))["transaction"]
    elif purpose == "late":
        home.clock.advance(601)
    else:
        transaction = transaction[:-4] + "AAAA"
    assert decide(party, transaction).status == 400
    assert acts(home) == []


def test_a_yes_opens_nothing_that_was_closed_meanwhile(home: IamHome, party: RelyingParty) -> None:
    transaction = asked(party)
    home.services.clients.disable_client(home.actor("system-admin"), "shop", "closed")
    assert decide(party, transaction).status == 400


def test_a_code_is_worth_nothing_once_the_consent_is_taken_back(
    home: IamHome, party: RelyingParty
) -> None:
    code = allowed(party)
    home.services.consents.revoke_own_consent(home.actor("analyst"), consent_of(home).id)
    refused = party.exchange(code)
    assert (refused.status, answer_of(refused)["error"]) == (400, "invalid_grant")


# taking back


def test_a_consent_taken_back_ends_refresh_and_access_tokens(
    home: IamHome, party: RelyingParty
) -> None:
    tokens = answer_of(party.exchange(allowed(party)))
    verification = home.services.verification
    assert verification.inspect(tokens["access_token"]).claims.client_id == "shop"
    home.services.consents.revoke_own_consent(home.actor("analyst"), consent_of(home).id)
    with pytest.raises(TokenRefused):
        verification.inspect(tokens["access_token"])
    refused = party.refresh(tokens["refresh_token"])
    assert (refused.status, answer_of(refused)["error"]) == (400, "invalid_grant")
    # a new yes makes nothing of the old one live again
    new = answer_of(party.exchange(allowed(party)))
    assert verification.inspect(new["access_token"]).claims.client_id == "shop"
    with pytest.raises(TokenRefused):
        verification.inspect(tokens["access_token"])
    assert party.refresh(tokens["refresh_token"]).status == 400
    assert party.refresh(new["refresh_token"]).status == 200
    assert acts(home) == [
        ("iam.grant_consent", "done"),
        ("iam.revoke_consent", "done"),
        ("iam.grant_consent", "done"),
    ]


def test_an_expired_consent_asks_again_and_refreshes_nothing(tmp_path: Path) -> None:
    from iam.models.options import Lifetimes  # noqa: PLC0415 - only here

    home = open_iam_home(tmp_path, lifetimes=Lifetimes(consent=HOUR))
    try:
        party = register(home, "shop", consent="ask")
        party.browser.sign_in("analyst")
        tokens = answer_of(party.exchange(allowed(party)))
        first = consent_of(home).id
        for _ in range(4):
            home.clock.advance(900)
            party.browser.sign_in("analyst")
        refused = party.refresh(tokens["refresh_token"])
        assert answer_of(refused)["error"] == "invalid_grant"
        allowed(party)
        assert consent_of(home).id != first
    finally:
        home.close()


def test_people_take_back_their_own_consents_and_no_others(
    home: IamHome, party: RelyingParty
) -> None:
    allowed(party)
    consent = consent_of(home)
    with pytest.raises(NotFound):
        home.services.consents.revoke_own_consent(home.actor("staff"), consent.id)
    home.services.consents.revoke_own_consent(home.actor("analyst"), consent.id)
    with pytest.raises(NotFound):
        home.services.consents.revoke_own_consent(home.actor("analyst"), consent.id)
    client = Actor(kind="client", id="shop", org_id="org_root", name="shop")
    with pytest.raises(Forbidden):
        home.services.consents.own_consents(client)


def test_administrators_see_and_take_back_consents_within_reach(
    home: IamHome, party: RelyingParty
) -> None:
    allowed(party)
    review, consent = home.services.consents, consent_of(home)
    security = home.actor("security-admin")
    everything = page_request("10", None)
    (view,) = review.list_consents(security, everything).items
    assert (view.consent.id, view.account_name, view.client_name) == (
        consent.id,
        "analyst",
        "shop",
    )
    assert [one.consent.id for one in review.list_consents(security, everything, "analyst").items]
    assert list(review.list_consents(security, everything, "staff").items) == []
    with pytest.raises(Forbidden):
        review.list_consents(home.actor("staff"), everything)
    with pytest.raises(Forbidden):
        review.revoke_consent(home.actor("audit-admin"), consent.id, "")
    with pytest.raises(NotFound):
        review.revoke_consent(security, "cns_nobody", "")
    review.revoke_consent(security, consent.id, "contract over")
    with pytest.raises(NotFound):
        review.revoke_consent(security, consent.id, "again")
    assert home.leaves()[-1]["details"]["reason"] == "contract over"


def test_what_one_administrator_registers_asks_whatever_they_say(home: IamHome) -> None:
    new = NewClient(
        "quiet",
        "quiet",
        redirect_uris=(CALLBACK,),
        grants=frozenset({"authorization_code"}),
        consent="none",
    )
    made = home.services.clients.create_client(home.actor("system-admin"), new)
    assert made.client.consent == "ask"


@pytest.mark.parametrize(("wanted", "expected"), [(None, "none"), ("ask", "ask"), ("none", "none")])
def test_what_two_people_registered_asks_where_they_want_it(
    home: IamHome, wanted: str | None, expected: str
) -> None:
    metadata: dict[str, Any] = {"redirect_uris": [CALLBACK], "client_name": "OA"}
    if wanted is not None:
        metadata["consent"] = wanted
    registration = home.services.registration
    request = registration.request_client(home.actor("staff"), metadata).request
    registration.approve_client(home.actor("security-admin"), request.id, grant=True)
    answer = registration.complete_client(home.actor("staff"), request.id)
    assert answer["consent"] == expected


# devices


def test_a_devices_yes_is_a_consent_too(home: IamHome) -> None:
    party = register(
        home,
        "tv",
        consent="ask",
        public=True,
        redirect_uris=(),
        grants=frozenset({DEVICE_GRANT, "refresh_token"}),
    )
    begun = answer_of(
        party.browser.form("/oauth2/device_authorization", client_id="tv", scope="openid profile")
    )
    opened = home.sign_in("analyst")
    actor = replace(home.actor("analyst"), session_id=opened.session.id)
    waiting = home.services.device_grants.look(actor, begun["user_code"])
    assert [one.scope for one in waiting.question.scopes] == ["openid", "profile"]
    assert waiting.question.goes_to == ""
    home.services.device_grants.decide(actor, begun["user_code"], grant=True)
    consent = consent_of(home)
    home.clock.advance(5)
    answer = party.token(grant_type=DEVICE_GRANT, device_code=begun["device_code"])
    tokens = answer_of(answer)
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert claims["consent"] == consent.id
    home.services.consents.revoke_own_consent(actor, consent.id)
    with pytest.raises(TokenRefused):
        home.services.verification.inspect(tokens["access_token"])
    assert party.refresh(tokens["refresh_token"]).status == 400


# words


def test_every_scope_has_words_in_both_languages() -> None:
    scopes = ["records", "kms", "api", *(str(grant.permission) for grant in GRANTS), "openid"]
    words = words_of(scopes)
    assert [one.scope for one in words][:2] == ["openid", "api"]
    assert {one.scope for one in words} == set(scopes)
    assert [one for one in words if not one.title.zh or not one.title.en] == []
    (own,) = words_of(["records"])
    assert "records" in own.title.zh


def test_claims_by_registration_are_asked_for_with_the_id_token() -> None:
    client = Client("a", "o", "a", scopes=frozenset({"openid", "real_name", "legal_person"}))
    assert needed_scopes(client, frozenset({"openid"})) == {"openid", "real_name", "legal_person"}
    assert needed_scopes(client, frozenset({"api"})) == {"api"}
    public, confidential = client, Client("b", "o", "b", auth_method="client_secret")
    assert assured(confidential, NATIVE)
    assert (assured(public, NATIVE), assured(public, CALLBACK)) == (False, True)


def test_the_command_line_lists_and_takes_back(home: IamHome, party: RelyingParty) -> None:
    allowed(party)
    consent = consent_of(home)
    listed = printed(run(home, "security-admin", "list-consents", "--json"))
    assert [(one["id"], one["scopes"]) for one in listed["items"]] == [
        (consent.id, ["openid", "profile"])
    ]
    own = printed(run(home, "analyst", "list-consents", "--own", "--json"))
    assert own["items"] == listed["items"]
    assert "shop" in run(home, "security-admin", "list-consents").stdout
    assert "taken back" in run(home, "analyst", "revoke-consent", consent.id, "--own").output
    gone = run(home, "security-admin", "revoke-consent", consent.id)
    assert isinstance(refused(gone), NotFound)


def test_a_site_behind_a_proxy_ends_with_its_consent(home: IamHome) -> None:
    site = "https://reports.example/_secops/callback"
    grants = frozenset({"authorization_code"})
    register(home, "reports", consent="ask", redirect_uris=(site,), grants=grants)
    stored = home.services.consents.means.stores
    opened = home.sign_in("analyst")
    actor = home.actor("analyst")
    client = home.services.clients.directory.find("reports")
    assert client is not None
    book = home.services.authorize.consents
    run_unit = home.spine.parts.transactions.run
    given = run_unit(lambda tx: book.give(tx, actor, client, frozenset({"openid"})))
    assert given is not None
    cookie = hang(home.services.consents.means, opened.session.id, "reports", given.id)
    verification = home.services.verification
    assert verification.verify_site(cookie, "reports").id == actor.id
    home.services.consents.revoke_own_consent(actor, given.id)
    with pytest.raises(TokenRefused):
        verification.verify_site(cookie, "reports")
    assert run_unit(lambda tx: stored.consents.purge(tx, tx.now + DAY, 10)) == 1


def test_standing_consents_are_paged_by_id(home: IamHome) -> None:
    book, transactions = home.services.authorize.consents, home.spine.parts.transactions
    names = ("analyst", "auditor", "staff")
    register(home, "shop", consent="ask")
    client = home.services.clients.directory.find("shop")
    assert client is not None
    for name in names:
        actor = home.actor(name)
        transactions.run(lambda tx, who=actor: book.give(tx, who, client, frozenset({"openid"})))
    review, admin = home.services.consents, home.actor("system-admin")
    first = review.list_consents(admin, page_request("2", None))
    rest = review.list_consents(admin, page_request("2", first.next))
    seen = [one.account_name for one in (*first.items, *rest.items)]
    assert (len(first.items), sorted(seen), rest.next) == (2, list(names), None)
    register(home, "other", consent="ask")
    other, analyst = home.services.clients.directory.find("other"), home.actor("analyst")
    assert other is not None
    transactions.run(lambda tx: book.give(tx, analyst, other, frozenset({"openid"})))
    first = review.list_consents(admin, page_request("1", None), "analyst")
    rest = review.list_consents(admin, page_request("1", first.next), "analyst")
    seen = [one.consent.client_id for one in (*first.items, *rest.items)]
    assert (sorted(seen), rest.next) == (["other", "shop"], None)
