"""Attacks on the provider: forged tokens, replays, races, redirects, downgrades, mix-ups."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from iam.core.rfc7636.pkce import challenge_of
from iam.errors import TokenRefused
from iam.models.clients import DEVICE_GRANT
from tests.fakes.forged_tokens import forged_tokens
from tests.fakes.iam_home import ISSUER, IamHome, open_iam_home
from tests.fakes.identity_keys import FakeTokenSigner
from tests.fakes.relying_party import (
    CALLBACK,
    FORM,
    VERIFIER,
    Browser,
    Holder,
    RelyingParty,
    answer_of,
    location_of,
    register,
)
from tests.unit.iam.test_devices_and_logouts import Partners, person

TOKEN = "POST /oauth2/token"
THREADS = 4


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IamHome]:
    """One home for attacks that change nothing."""
    opened = open_iam_home(tmp_path_factory.mktemp("home"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def party(house: IamHome) -> RelyingParty:
    found = register(house, "app")
    found.browser.sign_in("staff")
    return found


# forged tokens


def sent(party: RelyingParty, verb: str, **headers: str) -> int:
    return party.browser.send(verb, headers=headers).status


def posted(party: RelyingParty, path: str, token: str) -> Any:
    fields = urlencode({**party.credentials(), "token": token}).encode("utf-8", "surrogatepass")
    return party.browser.send(f"POST /oauth2/{path}", fields, FORM)


def hinted(party: RelyingParty, token: str) -> bool:
    """Tell whether a hint is believed: to name a person, or to sign somebody out."""
    asked = party.authorize(prompt="none", id_token_hint=token)
    target = f"GET /oauth2/logout?{urlencode({'id_token_hint': token})}"
    out = party.browser.send(target)
    ended = party.home.services.sessions.by_cookie(party.browser.cookies["op_session"]) is None
    named = "code=" in (asked.header("location") or "")
    return (
        ended
        or named
        or (out.header("location") or "") != f"/logout?{urlencode({'id_token_hint': token})}"
    )


def accepted_at(party: RelyingParty, good: str) -> dict[str, Callable[[str], bool]]:
    """Return, for each endpoint that takes a token, whether it takes this one."""

    def bearer(verb: str) -> Callable[[str], bool]:
        return lambda token: sent(party, verb, authorization=f"Bearer {token}") != 401

    def revokes(token: str) -> bool:
        answer = posted(party, "revoke", token)
        alive = answer_of(posted(party, "introspect", good)) != {"active": False}
        return answer.status not in (200, 400) or not alive

    return {
        "userinfo": bearer("GET /oauth2/userinfo"),
        "userinfo by POST": bearer("POST /oauth2/userinfo"),
        "own API": bearer("GET /api/v1/iam/me"),
        "own API by X-Vault-Token": lambda token: (
            sent(party, "GET /api/v1/iam/me", **{"x-vault-token": token}) != 401
        ),
        "own API by DPoP": lambda token: (
            sent(
                party,
                "GET /api/v1/iam/me",
                authorization=f"DPoP {token}",
                dpop=party.keys.proof("GET /api/v1/iam/me", token=token),
            )
            != 401
        ),
        "introspection": lambda token: (
            answer_of(posted(party, "introspect", token)).get("active") is True
        ),
        "revocation": revokes,
        "refresh": lambda token: party.refresh(token).status == 200,
        "hints": lambda token: hinted(party, token),
    }


def test_no_endpoint_takes_a_forged_token(party: RelyingParty) -> None:
    tokens = answer_of(party.exchange(party.code(scope="openid profile api")))
    good = tokens["access_token"]
    kinds = forged_tokens(party.home, good)
    kinds |= {"ID token": tokens["id_token"], "refresh token": tokens["refresh_token"]}
    ends = accepted_at(party, good)
    assert (ends["userinfo"](good), ends["introspection"](good), ends["own API"](good)) == (
        True,
        True,
        True,
    )
    real = {
        ("introspection", "claims {'cnf': {'jkt': '" + "A" * 43 + "'}}"),
        ("refresh", "refresh token"),
        ("revocation", "refresh token"),
        ("hints", "ID token"),
        # what we signed as an ID token is one, whatever is in it
        ("hints", "our own JWT"),
        ("hints", "header {'typ': 'JWT'}"),
    }
    # white space around a header's value is the header's, not the token's (RFC 9110 §5.5)
    real |= {(end, kind) for end in ends for kind in ("space before", "line after")}
    wrong = []
    for name, takes in ends.items():
        for kind, token in kinds.items():
            if (name, kind) in real:
                continue
            if takes(token):
                wrong.append((name, kind))
    print(f"forged tokens: {len(kinds)} kinds x {len(ends)} endpoints, {len(wrong)} accepted")
    assert (len(kinds) >= 200, wrong) == (True, [])


# what may be used once


def prepare(home: IamHome, kind: str, number: int) -> tuple[str, dict[str, Any]]:
    """Make one more thing of this kind; return the request that uses it."""
    home.clock.advance(41)
    if kind == "device code":
        party = register(
            home, f"d{number}", redirect_uris=(), public=True, grants=frozenset({DEVICE_GRANT})
        )
        begun = answer_of(
            party.browser.form("/oauth2/device_authorization", client_id=f"d{number}")
        )
        home.services.device_grants.decide(person(home), begun["user_code"], grant=True)
        fields = {"grant_type": DEVICE_GRANT, "device_code": begun["device_code"]}
        return "/oauth2/token", {"form": fields | {"client_id": f"d{number}"}}
    party = register(
        home,
        f"a{number}",
        public=kind != "assertion",
        keys=kind == "assertion",
        **({"back_channel_uri": "https://app.example/bc"} if kind == "logout" else {}),
    )
    if kind == "assertion":
        fields = party.credentials() | {"token": "x"}
        return "/oauth2/introspect", {"form": fields}
    party.browser.sign_in("staff")
    if kind == "pushed request":
        reference = answer_of(party.push())["request_uri"]
        asked = urlencode({"client_id": party.client.id, "request_uri": reference})
        return f"/oauth2/authorize?{asked}", {"cookies": party.browser.cookies}
    exchange = {
        "grant_type": "authorization_code",
        "code": party.code(),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": party.client.id,
    }
    if kind == "code":
        return "/oauth2/token", {"form": exchange}
    return prepare_with_tokens(party, kind, exchange)


def prepare_with_tokens(
    party: RelyingParty, kind: str, exchange: dict[str, str]
) -> tuple[str, dict[str, Any]]:
    """Redeem the code; return the request that uses a proof, refresh token or hint."""
    if kind == "proof":
        path = "GET /oauth2/userinfo"
        token = answer_of(party.exchange(exchange["code"], party.keys.proof(TOKEN)))["access_token"]
        headers = {"authorization": f"DPoP {token}", "dpop": party.keys.proof(path, token=token)}
        return "/oauth2/userinfo", {"headers": headers}
    tokens = answer_of(party.exchange(exchange["code"]))
    if kind == "refresh token":
        fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        return "/oauth2/token", {"form": fields | {"client_id": party.client.id}}
    hint = urlencode({"id_token_hint": tokens["id_token"]})
    return f"/oauth2/logout?{hint}", {"cookies": party.browser.cookies}


def one_signer() -> FakeTokenSigner:
    """The same key in each process, as the pool gives it."""
    signer = FakeTokenSigner()
    signer.private = [ec.derive_private_key(20_261_123, ec.SECP256R1())]
    return signer


KINDS = ("code", "pushed request", "assertion", "proof", "device code", "refresh token", "logout")


def use(home: IamHome, path: str, given: dict[str, Any]) -> bool:
    """Use it once more; True if it was taken."""
    browser = Browser(home, dict(given.get("cookies", {})))
    if "form" in given:
        answer = browser.form(path, given.get("headers"), **given["form"])
    else:
        answer = browser.send(f"GET {path}", headers=given.get("headers"))
    if answer.status == 303:
        return "code=" in (answer.header("location") or "")
    return answer.status == 200


def replay(folder: str, instant: int, pipe: Connection) -> None:
    """A process of its own: some threads use what it is sent, again and again."""
    home = open_iam_home(Path(folder), demo=False, outbound=Partners(), signer=one_signer())
    home.clock.instant = instant
    pipe.send("ready")
    while (job := pipe.recv()) is not None:
        path, given, times, instant = job
        home.clock.instant = instant
        taken: list[bool] = []

        def some(
            count: int = times // THREADS, path: str = path, given: Any = given, taken: Any = taken
        ) -> None:
            taken.extend(use(home, path, given) for _ in range(count))

        threads = [threading.Thread(target=some) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pipe.send(sum(taken))
    home.close()


@pytest.mark.parametrize("times", [48, pytest.param(500, marks=pytest.mark.deep)])
def test_each_thing_for_one_use_is_used_once_across_processes(tmp_path: Path, times: int) -> None:
    home = open_iam_home(tmp_path, outbound=Partners(), signer=one_signer())
    context = multiprocessing.get_context("spawn")
    pipes = []
    for _ in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=replay, args=(str(tmp_path), home.clock.instant, theirs), daemon=True
        )
        process.start()
        pipes.append((ours, process))
    assert [pipe.recv() for pipe, _ in pipes] == ["ready", "ready"]
    taken = {}
    for number, kind in enumerate(KINDS):
        path, given = prepare(home, kind, number)
        for pipe, _ in pipes:
            pipe.send((path, given, times // 2, home.clock.instant))
        taken[kind] = sum(pipe.recv() for pipe, _ in pipes)
    for pipe, process in pipes:
        pipe.send(None)
        process.join(30)
        assert process.exitcode == 0
    home.spine.outbox(home.plane.subscriptions).tick()
    home.services.logouts.deliver()
    partners = home.services.logouts.means.outbound
    assert isinstance(partners, Partners)
    taken["logout"] = len(partners.told)
    home.close()
    print(f"{len(KINDS)} things for one use, each {times} times in 2 processes: {taken}")
    assert taken == dict.fromkeys(KINDS, 1)


@pytest.mark.parametrize("races", [25, pytest.param(1_000, marks=pytest.mark.deep)])
def test_refresh_against_revoke_leaves_nothing_alive(tmp_path: Path, races: int) -> None:
    home = open_iam_home(tmp_path)
    party = register(home, public=True)
    alive = 0
    for race in range(races):
        home.clock.advance(41)
        party.browser.sign_in("staff")
        tokens = answer_of(party.exchange(party.code()))
        barrier, made = threading.Barrier(2), []

        def refresh(tokens: Any = tokens, barrier: Any = barrier, made: list[Any] = made) -> None:
            barrier.wait()
            made.append(answer_of(party.refresh(tokens["refresh_token"])))

        def revoke(tokens: Any = tokens, barrier: Any = barrier, race: int = race) -> None:
            barrier.wait()
            if race % 2:
                home.services.sessions.sign_out(party.browser.cookies["op_session"])
            else:
                posted(party, "revoke", tokens["refresh_token"])

        threads = [threading.Thread(target=work) for work in (refresh, revoke)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        alive += survived(home, party, tokens, made[0])
    home.close()
    print(f"refresh against revoke: {races} races, {alive} tokens alive")
    assert alive == 0


def survived(home: IamHome, party: RelyingParty, first: Any, second: Any) -> int:
    """Count what still works of the tokens before and after."""
    found = 0
    for tokens in (first, second):
        if "refresh_token" in tokens:
            found += party.refresh(tokens["refresh_token"]).status == 200
        try:
            home.services.verification.inspect(tokens.get("access_token", ""))
        except TokenRefused:
            continue
        found += 1
    return found


# where a browser may be sent


def open_redirects() -> list[str]:
    """A hundred addresses that look like the registered one and lead elsewhere, or might."""
    evil = "evil.example"
    prefixes = (f"https://{evil}", f"//{evil}", f"https:/{evil}", f"http://{evil}", f"/\\{evil}")
    paths = (
        "",
        "/cb",
        "/cb?x=https://app.example/cb",
        "/https://app.example/cb",
        "/cb#app.example",
    )
    found = [prefix + path for prefix in prefixes for path in paths]
    found += [
        f"https://app.example@{evil}/cb",
        f"https://app.example:443@{evil}/cb",
        f"https://app.example%40{evil}/cb",
        f"https://app.example.{evil}/cb",
        f"https://app.example%2e{evil}/cb",
        f"https://app.example\\@{evil}/cb",
        f"https://{evil}\\@app.example/cb",
        f"https://{evil}#@app.example/cb",
        f"https://{evil}?@app.example/cb",
        f"https://app.example\u3002{evil}/cb",
        "https://app.example\uff0fcb",
        "https://\u0430pp.example/cb",
        "https://app.example./cb",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example:443/cb",
        "https://app.example:8443/cb",
        "http://app.example/cb",
        "https://app.example/CB",
        "https://app.example/cb/",
        "https://app.example//cb",
        "https://app.example/./cb",
        "https://app.example/x/../cb",
        "https://app.example/cb/../../x",
        "https://app.example/cb%2f..%2fx",
        "https://app.example/%63b",
        "https://app.example/cb%00",
        "https://app.example/cb%0d%0aLocation:%20https://evil.example",
        "https://app.example/cb\r\nLocation: https://evil.example",
        "https://app.example/cb\n",
        "https://app.example/cb ",
        " https://app.example/cb",
        "\thttps://app.example/cb",
        "https://app.example/cb?",
        "https://app.example/cb#",
        "https://app.example/cb#f",
        "https://app.example/cb?next=https://evil.example",
        "https://app.example/cb;x",
        "https://app.example/cb&x",
        "https://app.example/cbx",
        "https://app.example/c",
        "https://app.example/",
        "https://app.example",
        "https://sub.app.example/cb",
        "https://app.exampl/cb",
        "https://*.example/cb",
        "https://app.example/*",
        "https:app.example/cb",
        "https:///app.example/cb",
        "app.example/cb",
        "/cb",
        "cb",
        "?x=1",
        "#",
        "*",
        "null",
        "None",
        "javascript:alert(1)//https://app.example/cb",
        "java\nscript:alert(1)",
        "data:text/html,https://app.example/cb",
        "vbscript:x",
        "file:///etc/passwd",
        "about:blank",
        "intent://app.example/cb#Intent;scheme=https;end",
        "urn:ietf:wg:oauth:2.0:oob",
        "com.example.app:/cb",
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "http://[::1]/cb",
        "http://0x7f.1/cb",
        "https://2130706433/cb",
        "https://app.example/cb,https://evil.example/cb",
        "https://app.example/cb https://evil.example/cb",
        "https://app.example/cb|https://evil.example",
        ISSUER,
        f"{ISSUER}/oauth2/authorize",
    ]
    return found


def test_no_browser_is_sent_to_an_unregistered_address(party: RelyingParty) -> None:
    corpus = open_redirects()
    wrong = []
    for target in corpus:
        direct = party.authorize(redirect_uri=target)
        pushed = party.push(redirect_uri=target)
        out = urlencode({"client_id": "app", "post_logout_redirect_uri": target})
        left = party.browser.send(f"GET /oauth2/logout?{out}")
        if direct.status != 400 or direct.header("location") is not None:
            wrong.append(("authorize", target))
        if pushed.status != 400 or answer_of(pushed)["error"] != "invalid_request":
            wrong.append(("par", target))
        if not (left.header("location") or "").startswith(("/logout?", "/signed-out")):
            wrong.append(("logout", target))
    print(f"open redirects: {len(corpus)} addresses x 3 endpoints, {len(wrong)} followed")
    assert (len(corpus) >= 100, wrong) == (True, [])


def test_a_parameter_given_twice_is_no_choice_of_ours(party: RelyingParty) -> None:
    for name in ("redirect_uri", "client_id", "state", "request_uri", "code_challenge"):
        query = urlencode(party.parameters()) + f"&{name}={quote(CALLBACK)}"
        answer = party.browser.send(f"GET /oauth2/authorize?{query}&{name}=x")
        assert (answer.status, answer.header("location")) == (400, None)


# PKCE, code injection, mix-up


@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        {"code_challenge": "a" * 42},
        {"code_challenge": "a" * 44},
        {"code_challenge": "a" * 42 + "="},
        {"code_challenge": None, "code_challenge_method": None},
    ],
)
def test_pkce_is_never_left_out_or_weakened(
    party: RelyingParty, change: dict[str, str | None]
) -> None:
    assert location_of(party.authorize(**change))["error"] == "invalid_request"


def test_a_verifier_is_the_one_of_the_challenge(party: RelyingParty) -> None:
    code = party.code()
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    refusals = [
        answer_of(party.token(**fields, **more))["error"]
        for more in (
            {},
            {"code_verifier": ""},
            {"code_verifier": "w" * 43},
            {"code_verifier": challenge_of(VERIFIER)},
            {"code_verifier": "v" * 42},
            {"code_verifier": "v" * 129},
            {"code_verifier": "v" * 42 + "\u00e4"},
        )
    ]
    assert refusals == ["invalid_request"] * 2 + ["invalid_grant"] * 5
    assert party.exchange(code).status == 200


def test_a_stolen_code_is_worth_nothing_elsewhere(house: IamHome, party: RelyingParty) -> None:
    thief = register(house, "thief")
    thief.browser.sign_in("zhangwei")
    code = party.code()
    assert answer_of(thief.exchange(code))["error"] == "invalid_grant"
    injected = party.token(
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier="another-session-of-the-same-application-000000",
    )
    assert answer_of(injected)["error"] == "invalid_grant"
    assert party.exchange(code).status == 200


def test_each_answer_says_who_answers(party: RelyingParty) -> None:
    """RFC 9207: an answer without ``iss``, or with another's, is some other provider's."""
    for answer in (party.authorize(), party.authorize(scope="root"), party.authorize(prompt="x")):
        assert location_of(answer)["iss"] == ISSUER


def test_sixteen_refreshes_with_one_key_give_one_successor_and_another_key_ends_it(
    home: IamHome,
) -> None:
    party = register(home, "spa", public=True)
    party.browser.sign_in("staff")
    first = answer_of(party.exchange(party.code(), party.keys.proof(TOKEN)))["refresh_token"]
    made, barrier = [], threading.Barrier(16)

    def refresh() -> None:
        proof = Holder(home, private=party.keys.private, count=1_000 * threading.get_ident()).proof(
            TOKEN
        )
        barrier.wait()
        made.append(answer_of(party.refresh(first, proof)).get("refresh_token"))

    threads = [threading.Thread(target=refresh) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(set(made)), None in made) == (16, 1, False)
    assert answer_of(party.refresh(made[0], Holder(home).proof(TOKEN)))["error"] == "invalid_grant"
