"""Tokens bound to keys: DPoP (RFC 9449), private_key_jwt (RFC 7523), and their attacks."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from iam.core.base64url import encode
from secops.kernel.errors import Unavailable
from tests.fakes.iam_home import ISSUER, IamHome, open_iam_home
from tests.fakes.outbound import FakeOutbound
from tests.fakes.relying_party import (
    CALLBACK,
    FORM,
    Holder,
    RelyingParty,
    answer_of,
    new_key,
    public_jwk,
    register,
)

TOKEN = "POST /oauth2/token"
USERINFO = "GET /oauth2/userinfo"
REPEATED = b'{"alg":"ES256","alg":"ES256"}'
SVC: dict[str, Any] = {
    "redirect_uris": (),
    "logout_uris": (),
    "grants": frozenset({"client_credentials"}),
}


def error_of(response: Any) -> tuple[int, str]:
    return response.status, answer_of(response).get("error", "")


def signed_in(home: IamHome, **given: Any) -> RelyingParty:
    party = register(home, **given)
    party.browser.sign_in("staff")
    return party


# assertions


def test_an_application_authenticates_by_its_key(home: IamHome) -> None:
    for algorithm in ("ES256", "PS256", "EdDSA"):
        keys = Holder(home, algorithm)
        name, jwks = f"app-{algorithm.lower()}", json.dumps({"keys": [keys.jwk]})
        party = register(home, name, jwks=jwks, assertion_alg=algorithm, **SVC)
        party.keys = keys
        answer = party.token(grant_type="client_credentials")
        assert (answer.status, answer_of(answer)["token_type"]) == (200, "Bearer")
        for path in ("introspect", "revoke"):
            fields = {**party.credentials(), "token": answer_of(answer)["access_token"]}
            assert party.browser.form(f"/oauth2/{path}", **fields).status == 200


ASSERTIONS: list[dict[str, Any]] = [
    {"iss": "other"},
    {"sub": "other"},
    {"iss": None},
    {"aud": "https://evil.example"},
    {"aud": [ISSUER]},
    {"aud": [ISSUER, "https://evil.example"]},
    {"aud": f"{ISSUER}/oauth2/token"},
    {"aud": f"{ISSUER}/"},
    {"aud": None},
    {"exp": None},
    {"exp": 0},
    {"exp": -60},
    {"exp": 361},
    {"exp": 301, "iat": 0},
    {"exp": "60"},
    {"iat": 61},
    {"nbf": 61},
    {"nbf": "x"},
    {"jti": None},
    {"jti": ""},
    {"jti": 1},
    {"jti": "x" * 257},
]


def test_an_assertion_is_for_us_and_now(home: IamHome) -> None:
    party = register(home, keys=True, **SVC)
    assert [change for change in ASSERTIONS if not assertion_refused(party, change)] == []


def assertion_refused(party: RelyingParty, change: dict[str, Any]) -> bool:
    times = {
        n: v + party.keys.now
        for n, v in change.items()
        if n in ("exp", "iat", "nbf") and type(v) is int
    }
    given = party.keys.assertion("app", **{**change, **times})
    answer = party.browser.form("/oauth2/token", grant_type="client_credentials", **given)
    return error_of(answer) == (401, "invalid_client")


def test_an_assertion_is_used_once_on_any_endpoint(home: IamHome) -> None:
    party = register(home, keys=True, **SVC)
    given = party.keys.assertion("app")
    form = party.browser.form
    assert form("/oauth2/token", grant_type="client_credentials", **given).status == 200
    assert error_of(form("/oauth2/token", grant_type="client_credentials", **given))[0] == 401
    assert error_of(form("/oauth2/introspect", token="x", **given))[0] == 401
    assert error_of(form("/oauth2/revoke", token="x", **given))[0] == 401


def forged_assertions(party: RelyingParty) -> dict[str, str]:
    """Assertions of every forged kind, by name."""
    keys, home = party.keys, party.home
    claims = jwt.decode(
        keys.assertion("app")["client_assertion"], options={"verify_signature": False}
    )
    good = keys.assertion("app")["client_assertion"]
    head, body, signature = good.split(".")
    stranger = Holder(home)

    def raw(header: dict[str, Any], tail: str = signature) -> str:
        return f"{encode(json.dumps(header).encode())}.{body}.{tail}"

    public = json.dumps(keys.jwk).encode()
    forged = {
        f"alg {name!r}": raw({"alg": name, "typ": "JWT"}, tail)
        for name in ("none", "None", "", "HS256", "HS512", "RS256", "ES384", "ES512", "A128KW", 1)
        for tail in ("", signature)
    }
    forged |= {
        f"header {name}": keys.sign({name: value}, dict(claims, jti=f"h{name}"))
        for name, value in {
            "jku": "https://evil.example/jwks",
            "x5u": "https://evil.example/x5u",
            "x5c": ["MIIB"],
            "crit": ["exp"],
            "zip": "DEF",
            "cty": "JWT",
            "jwk": stranger.jwk,
        }.items()
    }
    forged |= {
        f"typ {name}": keys.sign({"typ": name}, dict(claims, jti=f"t{name}"))
        for name in ("dpop+jwt", "at+jwt", "logout+jwt", "jwt", "", "secevent+jwt", "JOSE")
    }
    forged |= {
        "own key in the header": stranger.sign({"jwk": stranger.jwk}, dict(claims, jti="own")),
        "stranger": stranger.sign({}, dict(claims, jti="str")),
        "stranger under our key's name": stranger.sign({"kid": keys.jkt}, dict(claims, jti="kid")),
        "unknown key": keys.sign({"kid": "../../etc/passwd"}, dict(claims, jti="path")),
        "public key as a secret": jwt.api_jws.encode(
            json.dumps(claims).encode(), public + b"x" * 32, "HS256"
        ),
        "padded": good + "=",
        "trailing bits": good[:-1] + chr(ord(good[-1]) ^ 1),
        "no signature": f"{head}.{body}.",
        "zero signature": f"{head}.{body}.{encode(bytes(64))}",
        "nested": keys.sign({}, {"jwt": good}),
        "too long": good + "A" * 9_000,
        "two": f"{good},{good}",
        "json": json.dumps({"payload": body, "signature": signature, "protected": head}),
        "empty": "",
        "repeated name": f"{encode(REPEATED)}.{body}.{signature}",
    }
    return forged


def test_no_forged_assertion_authenticates(home: IamHome) -> None:
    party = register(home, keys=True, **SVC)
    kinds = forged_assertions(party)
    accepted = []
    for name, forged in kinds.items():
        given = {"client_assertion_type": party.credentials()["client_assertion_type"]}
        answer = party.browser.form(
            "/oauth2/token",
            grant_type="client_credentials",
            client_id="app",
            client_assertion=forged,
            **given,
        )
        if answer.status not in (400, 401):
            accepted.append(name)
    print(f"forged client assertions: {len(kinds)} kinds, {len(accepted)} accepted")
    assert (len(kinds) >= 39, accepted) == (True, [])


def test_two_ways_to_authenticate_at_once_are_refused(home: IamHome) -> None:
    party = register(home, keys=True, **SVC)
    register(home, "svc", **SVC)
    basic = {"authorization": "Basic " + base64.b64encode(b"app:x").decode()}
    both = party.credentials()
    form = party.browser.form
    grant = {"grant_type": "client_credentials"}
    assert error_of(form("/oauth2/token", basic, **grant, **both)) == (400, "invalid_request")
    assert error_of(form("/oauth2/token", **grant, **both, client_secret="x")) == (
        400,
        "invalid_request",
    )
    wrong_type = {**both, "client_assertion_type": "x"}
    assert error_of(form("/oauth2/token", **grant, **wrong_type)) == (400, "invalid_request")
    assert error_of(form("/oauth2/token", **grant, **both, client_id="svc")) == (
        401,
        "invalid_client",
    )


def test_an_application_with_a_key_has_no_secret(home: IamHome) -> None:
    party = register(home, keys=True, **SVC)
    assert party.secret is None
    for secret in ("", "x", None):
        answer = party.browser.form(
            "/oauth2/token", grant_type="client_credentials", client_id="app", client_secret=secret
        )
        assert error_of(answer) == (401, "invalid_client")
    by_secret = register(home, "svc", **SVC)
    answer = by_secret.browser.form(
        "/oauth2/token", grant_type="client_credentials", **party.keys.assertion("svc")
    )
    assert error_of(answer) == (401, "invalid_client")


class KeyServer(FakeOutbound):
    """Answers with a JWK set and counts how often it was asked."""

    asked = 0

    def get(self, url: str, headers: Any, timeout: float) -> tuple[int, bytes]:
        assert url == "https://app.example/jwks"
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.answer

    def publish(self, *keys: Any) -> None:
        found = [{**public_jwk(key), "kid": f"k{place}"} for place, key in enumerate(keys)]
        self.answer = (200, json.dumps({"keys": found}).encode())


def test_keys_at_an_address_are_fetched_when_needed_and_at_most_once_a_minute(
    tmp_path: Any,
) -> None:
    server = KeyServer()
    home = open_iam_home(tmp_path, outbound=server)
    party = register(home, jwks_uri="https://app.example/jwks", **SVC)
    server.publish(party.keys.private)

    def ask(kid: str) -> int:
        given = party.keys.assertion("app", header={"kid": kid})
        return party.browser.form("/oauth2/token", grant_type="client_credentials", **given).status

    assert [ask("k0"), ask("k0"), server.asked] == [200, 200, 1]
    assert [ask("unknown"), ask("unknown"), server.asked] == [401, 401, 1]
    server.publish(new_key("ES256"), party.keys.private)
    home.clock.advance(61)
    assert [ask("k1"), server.asked] == [200, 2]
    server.error = Unavailable()
    home.clock.advance(3_600)
    assert [ask("k1"), server.asked] == [200, 3]
    server.error, server.answer = None, (200, b'{"keys": []}')
    home.clock.advance(61)
    assert [ask("k1"), server.asked] == [200, 4]
    home.close()


# proofs


def test_a_token_is_bound_to_the_key_that_was_shown(home: IamHome) -> None:
    party = signed_in(home, public=True)
    keys = party.keys
    answer = answer_of(party.exchange(party.code(), keys.proof(TOKEN)))
    token = answer["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (answer["token_type"], claims["cnf"]) == ("DPoP", {"jkt": keys.jkt})
    headers = {"authorization": f"DPoP {token}", "dpop": keys.proof(USERINFO, token=token)}
    assert party.browser.send(USERINFO, headers=headers).status == 200
    replayed = party.browser.send(USERINFO, headers=headers)
    assert error_of(replayed) == (401, "invalid_dpop_proof")
    assert (replayed.header("www-authenticate") or "").startswith('DPoP error="invalid_dpop_proof"')
    introspected = answer_of(
        register(home, "svc").browser.form(
            "/oauth2/introspect", **register(home, "judge").credentials(), token=token
        )
    )
    assert introspected == {"active": False}


def test_a_bound_token_is_refused_as_bearer_and_an_unbound_one_as_dpop(home: IamHome) -> None:
    party = signed_in(home, public=True)
    keys, send = party.keys, party.browser.send
    bound = answer_of(party.exchange(party.code(), keys.proof(TOKEN)))["access_token"]
    plain = answer_of(party.exchange(party.code()))["access_token"]
    for path in ("GET /oauth2/userinfo", "GET /api/v1/iam/me"):
        assert send(path, headers={"authorization": f"Bearer {bound}"}).status == 401
        assert send(path, headers={"x-vault-token": bound}).status == 401
        proof = keys.proof(path, token=plain)
        assert send(path, headers={"authorization": f"DPoP {plain}", "dpop": proof}).status == 401
        assert send(path, headers={"authorization": f"DPoP {bound}"}).status == 401
    headers = {"authorization": f"Bearer {plain}"}
    assert send("GET /oauth2/userinfo", headers=headers).status == 200


def test_our_own_api_wants_the_proof_too(home: IamHome) -> None:
    party = signed_in(home, public=True)
    keys, path = party.keys, "GET /api/v1/iam/me"
    token = answer_of(party.exchange(party.code(scope="openid api"), keys.proof(TOKEN)))[
        "access_token"
    ]
    good = {"authorization": f"DPoP {token}", "dpop": keys.proof(path, token=token)}
    assert party.browser.send(path, headers=good).status == 200
    refusal = party.browser.send(path, headers=good)
    assert refusal.status == 401
    assert 'error="invalid_dpop_proof"' in (refusal.header("www-authenticate") or "")


PROOFS: list[dict[str, Any]] = [
    {"header": {"typ": "JWT"}},
    {"header": {"typ": None}},
    {"header": {"typ": "DPOP+JWT"}},
    {"header": {"typ": "application/dpop+jwt"}},
    {"header": {"jwk": None}},
    {"header": {"jwk": {}}},
    {"header": {"jwk": "x"}},
    {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    {"header": {"kid": 1}},
    {"header": {"crit": ["exp"]}},
    {"header": {"x5c": ["MIIB"]}},
    {"header": {"jku": "https://evil.example"}},
    {"htm": "GET"},
    {"htm": "post"},
    {"htm": None},
    {"htu": f"{ISSUER}/oauth2/revoke"},
    {"htu": "https://evil.example/oauth2/token"},
    {"htu": "http://localhost:8081/oauth2/token"},
    {"htu": "https://localhost:8080/oauth2/token"},
    {"htu": "/oauth2/token"},
    {"htu": "http://user@localhost:8080/oauth2/token"},
    {"htu": "http://localhost:8080/oauth2/token/"},
    {"htu": "http://localhost:99999/oauth2/token"},
    {"htu": None},
    {"htu": 1},
    {"iat": -61},
    {"iat": 61},
    {"iat": None},
    {"iat": "now"},
    {"iat": 1.5},
    {"jti": None},
    {"jti": ""},
    {"jti": 1},
    {"jti": "x" * 257},
    {"nonce": "made up"},
    {"nonce": 1},
]


def test_each_check_of_a_proof_refuses(home: IamHome) -> None:
    party = signed_in(home, public=True)
    assert [change for change in PROOFS if not proof_refused(party, change)] == []


def proof_refused(party: RelyingParty, change: dict[str, Any]) -> bool:
    given = dict(change)
    if type(given.get("iat")) is int:
        given["iat"] += party.keys.now
    answer = party.exchange(party.code(), party.keys.proof(TOKEN, **given))
    expected = "use_dpop_nonce" if given.get("nonce") == "made up" else "invalid_dpop_proof"
    return error_of(answer) == (400, expected)


def test_no_forged_proof_shows_a_key(home: IamHome) -> None:
    party = signed_in(home, public=True)
    keys, stranger = party.keys, Holder(home)
    private = {**keys.jwk, "d": encode(bytes(32))}
    good = keys.proof(TOKEN)
    head, body, signature = good.split(".")
    small = {**keys.jwk, "x": keys.jwk["x"][:-2]}
    off_curve = {**keys.jwk, "x": keys.jwk["y"], "y": keys.jwk["x"]}
    forged = {
        "private member": keys.proof(TOKEN, header={"jwk": private}),
        "another's key": keys.proof(TOKEN, header={"jwk": stranger.jwk}),
        "short coordinate": keys.proof(TOKEN, header={"jwk": small}),
        "off the curve": keys.proof(TOKEN, header={"jwk": off_curve}),
        "key for encryption": keys.proof(TOKEN, header={"jwk": {**keys.jwk, "use": "enc"}}),
        "key to sign": keys.proof(TOKEN, header={"jwk": {**keys.jwk, "key_ops": ["sign"]}}),
        "key of another algorithm": keys.proof(TOKEN, header={"jwk": {**keys.jwk, "alg": "ES384"}}),
        "P-384": keys.proof(TOKEN, header={"jwk": {**keys.jwk, "crv": "P-384"}}),
        "two": f"{good},{keys.proof(TOKEN)}",
        "padded": good + "=",
        "unsigned": f"{head}.{body}.",
        "zero": f"{head}.{body}.{encode(bytes(64))}",
        "foreign signature": f"{head}.{body}.{stranger.proof(TOKEN).split('.')[2]}",
        "assertion": keys.assertion("app")["client_assertion"],
        "too long": good + "A" * 9_000,
        "empty": "",
        "words": "not a proof",
    }
    for algorithm in ("none", "HS256", "RS256", "ES384", "ES512", "PS512", ""):
        header = {"alg": algorithm, "typ": "dpop+jwt", "jwk": keys.jwk}
        forged[f"alg {algorithm!r}"] = f"{encode(json.dumps(header).encode())}.{body}.{signature}"
    accepted = [
        name
        for name, proof in forged.items()
        if error_of(party.exchange(party.code(), proof)) != (400, "invalid_dpop_proof")
    ]
    print(f"forged DPoP proofs: {len(forged) + len(PROOFS)} kinds, {len(accepted)} accepted")
    assert accepted == []


ADDRESSES = [
    "HTTP://LOCALHOST:8080/oauth2/token",
    "http://localhost:8080/oauth2/token?x=1",
    "http://localhost:8080/oauth2/token#f",
    "http://localhost:8080/oauth2/%74oken",
]


def test_an_address_is_compared_as_uris_are(home: IamHome) -> None:
    party = signed_in(home, public=True)
    for htu in ADDRESSES:
        assert party.exchange(party.code(), party.keys.proof(TOKEN, htu=htu)).status == 200


def test_keys_of_each_announced_algorithm_prove(home: IamHome) -> None:
    party = signed_in(home, public=True)
    for algorithm in ("PS256", "EdDSA"):
        answer = party.exchange(party.code(), Holder(home, algorithm).proof(TOKEN))
        assert answer_of(answer)["token_type"] == "DPoP"


def test_a_proof_for_another_token_is_refused(home: IamHome) -> None:
    party = signed_in(home, public=True)
    keys = party.keys
    token = answer_of(party.exchange(party.code(), keys.proof(TOKEN)))["access_token"]
    for proof in (
        keys.proof(USERINFO),
        keys.proof(USERINFO, token="another"),
        keys.proof(TOKEN, token=token),
        Holder(home).proof(USERINFO, token=token),
        keys.proof(USERINFO, token=token, ath=1),
    ):
        headers = {"authorization": f"DPoP {token}", "dpop": proof}
        answer = party.browser.send(USERINFO, headers=headers)
        assert error_of(answer) == (401, "invalid_dpop_proof")


def test_a_code_asked_for_with_a_key_is_redeemed_with_it(home: IamHome) -> None:
    party = signed_in(home, public=True)
    code = party.code(dpop_jkt=party.keys.jkt)
    for proof in (None, Holder(home).proof(TOKEN)):
        assert error_of(party.exchange(code, proof)) == (400, "invalid_grant")
    assert party.exchange(code, party.keys.proof(TOKEN)).status == 200


def test_a_registered_demand_for_proof_holds_on_every_grant(home: IamHome) -> None:
    party = register(home, "svc", dpop_bound=True, **SVC)
    assert error_of(party.token(grant_type="client_credentials")) == (400, "invalid_dpop_proof")
    answer = party.token(party.keys.proof(TOKEN), grant_type="client_credentials")
    assert answer_of(answer)["token_type"] == "DPoP"
    with pytest.raises(Exception, match="possession"):
        home.services.verification.verify_client("svc", party.secret or "")


def test_a_public_applications_refresh_tokens_need_its_key(home: IamHome) -> None:
    party = signed_in(home, public=True)
    first = answer_of(party.exchange(party.code(), party.keys.proof(TOKEN)))["refresh_token"]
    second = answer_of(party.refresh(first, party.keys.proof(TOKEN)))["refresh_token"]
    home.clock.advance(9)
    again = answer_of(party.refresh(first, party.keys.proof(TOKEN)))["refresh_token"]
    assert again == second
    stolen = party.refresh(second, Holder(home).proof(TOKEN))
    assert error_of(stolen) == (400, "invalid_grant")
    assert error_of(party.refresh(second, party.keys.proof(TOKEN))) == (400, "invalid_grant")


@pytest.mark.parametrize("seconds", [11, 60])
def test_a_bound_refresh_token_is_theft_after_ten_seconds(home: IamHome, seconds: int) -> None:
    party = signed_in(home, public=True)
    first = answer_of(party.exchange(party.code(), party.keys.proof(TOKEN)))["refresh_token"]
    assert party.refresh(first, party.keys.proof(TOKEN)).status == 200
    home.clock.advance(seconds)
    assert error_of(party.refresh(first, party.keys.proof(TOKEN))) == (400, "invalid_grant")
    assert home.services.sessions.by_cookie(party.browser.cookies["op_session"]) is None


def test_a_lost_answer_is_forgiven_only_while_its_successor_is_unused(home: IamHome) -> None:
    party = signed_in(home, public=True)
    first = answer_of(party.exchange(party.code(), party.keys.proof(TOKEN)))["refresh_token"]
    second = answer_of(party.refresh(first, party.keys.proof(TOKEN)))["refresh_token"]
    assert party.refresh(second, party.keys.proof(TOKEN)).status == 200
    assert error_of(party.refresh(first, party.keys.proof(TOKEN))) == (400, "invalid_grant")


def test_where_nonces_are_demanded_the_answer_gives_one(tmp_path: Any) -> None:
    home = open_iam_home(tmp_path, dpop_nonces=True)
    party = signed_in(home, public=True)
    keys, code = party.keys, party.code()
    refusal = party.exchange(code, keys.proof(TOKEN))
    assert error_of(refusal) == (400, "use_dpop_nonce")
    nonce = refusal.header("dpop-nonce")
    token = answer_of(party.exchange(code, keys.proof(TOKEN, nonce=nonce)))["access_token"]
    headers = {"authorization": f"DPoP {token}", "dpop": keys.proof(USERINFO, token=token)}
    refusal = party.browser.send(USERINFO, headers=headers)
    assert (error_of(refusal), refusal.header("dpop-nonce")) == ((401, "use_dpop_nonce"), nonce)
    headers["dpop"] = keys.proof(USERINFO, token=token, nonce=nonce)
    assert party.browser.send(USERINFO, headers=headers).status == 200
    home.clock.advance(241)
    headers["dpop"] = keys.proof(USERINFO, token=token, nonce=nonce)
    assert error_of(party.browser.send(USERINFO, headers=headers)) == (401, "use_dpop_nonce")
    api = party.browser.send("GET /api/v1/iam/me", headers=headers)
    assert api.status == 401
    home.close()


# pushed requests


def test_a_pushed_request_is_what_counts(home: IamHome) -> None:
    party = signed_in(home)
    pushed = party.push()
    assert (pushed.status, answer_of(pushed)["expires_in"]) == (201, 60)
    assert pushed.header("cache-control") == "no-store"
    reference = answer_of(pushed)["request_uri"]
    path = f"GET /oauth2/authorize?client_id=app&request_uri={reference}&scope=api&state=evil"
    answer = party.browser.send(path)
    assert (answer.header("location") or "").startswith(f"{CALLBACK}?code=")
    assert "state=s" in (answer.header("location") or "")
    again = party.browser.send(path)
    assert (again.status, again.header("location")) == (400, None)


def test_a_pushed_request_is_its_clients_and_ends_after_a_minute(home: IamHome) -> None:
    party, other = signed_in(home), register(home, "other")
    reference = answer_of(party.push())["request_uri"]
    stolen = f"GET /oauth2/authorize?client_id=other&request_uri={reference}"
    other.browser.cookies = party.browser.cookies
    assert other.browser.send(stolen).status == 400
    path = f"GET /oauth2/authorize?client_id=app&request_uri={reference}"
    home.clock.advance(60)
    assert party.browser.send(path).status == 400


PUSHES: list[tuple[dict[str, str | None], str]] = [
    ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
    ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
    ({"redirect_uri": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"scope": "root"}, "invalid_scope"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"dpop_jkt": "short"}, "invalid_request"),
    ({"request": "x"}, "request_not_supported"),
    ({"acr_values": "urn:elsewhere:9"}, "unmet_authentication_requirements"),
    ({"state": "x" * 1_100}, "invalid_request"),
    ({"nonce": "x" * 5_000}, "invalid_request"),
]


def test_what_is_wrong_is_told_to_whoever_pushes(home: IamHome) -> None:
    party = register(home)
    for change, error in PUSHES:
        assert (change, error_of(party.push(**change))) == (change, (400, error))


def test_pushing_needs_the_client_and_one_key(home: IamHome) -> None:
    party = register(home)
    bad = {**party.parameters(), "client_id": "app", "client_secret": "wrong"}
    assert error_of(party.browser.form("/oauth2/par", **bad)) == (401, "invalid_client")
    proof = party.keys.proof("POST /oauth2/par")
    other = Holder(home).jkt
    assert error_of(party.push(proof, dpop_jkt=other)) == (400, "invalid_request")


def test_the_key_of_a_pushed_request_binds_its_code(home: IamHome) -> None:
    party = signed_in(home)
    code = party.pushed_code(party.keys.proof("POST /oauth2/par"))
    assert error_of(party.exchange(code)) == (400, "invalid_grant")
    assert party.exchange(code, party.keys.proof(TOKEN)).status == 200


def test_a_fapi_application_pushes_proves_and_keeps_its_refresh_token(home: IamHome) -> None:
    party = signed_in(home, keys=True, profile="fapi2")
    refused = party.authorize()
    assert "error=invalid_request" in (refused.header("location") or "")
    assert error_of(party.push()) == (400, "invalid_dpop_proof")
    code = party.pushed_code(party.keys.proof("POST /oauth2/par"))
    assert error_of(party.exchange(code)) == (400, "invalid_dpop_proof")
    tokens = answer_of(party.exchange(code, party.keys.proof(TOKEN)))
    for _ in range(3):
        home.clock.advance(100)
        answer = answer_of(party.refresh(tokens["refresh_token"], party.keys.proof(TOKEN)))
        assert answer["refresh_token"] == tokens["refresh_token"]
        assert answer["access_token"] != tokens["access_token"]
    home.services.sessions.sign_out(party.browser.cookies["op_session"])
    again = party.refresh(tokens["refresh_token"], party.keys.proof(TOKEN))
    assert error_of(again) == (400, "invalid_grant")


def test_a_body_that_is_no_form_is_refused(home: IamHome) -> None:
    party = register(home)
    for path in ("token", "par", "device_authorization", "introspect", "revoke"):
        headers = {**FORM, "content-type": "application/json"}
        answer = party.browser.send(f"POST /oauth2/{path}", b"{}", headers)
        assert (answer.status, answer.header("cache-control")) == (400, "no-store")


def test_an_id_token_is_ended_with_its_session_and_not_revoked(home: IamHome) -> None:
    party = signed_in(home)
    tokens = answer_of(party.exchange(party.code()))
    fields = {**party.credentials(), "token": tokens["id_token"]}
    answer = party.browser.form("/oauth2/revoke", **fields)
    assert error_of(answer) == (400, "unsupported_token_type")
    unknown = party.browser.form("/oauth2/revoke", **{**fields, "token": "unknown"})
    assert unknown.status == 200
