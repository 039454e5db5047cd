"""One refresh token, many users at once: one step, then the family and the session are dead."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import sqlalchemy as sa

from iam.core.rfc6749.refresh import read_refresh_token, write_refresh_token
from iam.core.rfc7636.pkce import challenge_of
from iam.errors import InvalidGrant, TokenRefused, UnauthorizedClient
from iam.models.clients import ClientCredentials, NewClient
from iam.models.grants import TokenSet
from iam.service.provider.grants import CodeExchange
from secops.kernel.actors import ROOT_ORG, os_actor
from secops.kernel.errors import SecopsError
from tests.fakes.iam_home import IamHome, open_iam_home

VERIFIER = "v" * 43
CALLBACK = "https://app.example/cb"
PROCESSES, THREADS = 2, 8


def register(home: IamHome, client_id: str, *, public: bool) -> ClientCredentials:
    new = NewClient(
        id=client_id,
        name=client_id,
        redirect_uris=(CALLBACK,),
        grants=frozenset({"authorization_code", "refresh_token"}),
        scopes=frozenset({"openid", "profile"}),
        public=public,
    )
    issued = home.services.clients.make(os_actor("root"), new, ROOT_ORG)
    return ClientCredentials(client_id, issued.secret)


def authorize(home: IamHome, client_id: str, cookie: str, **more: str) -> dict[str, str]:
    answer = home.services.authorize.authorize(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "s",
            "nonce": "n",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **more,
        },
        cookie,
    )
    assert answer.location.startswith(f"{CALLBACK}?"), answer
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def exchange(home: IamHome, credentials: ClientCredentials, code: str) -> TokenSet:
    return home.services.grants.exchange_code(credentials, CodeExchange(code, CALLBACK, VERIFIER))


def tokens_for(home: IamHome, credentials: ClientCredentials, cookie: str) -> TokenSet:
    code = authorize(home, credentials.client_id, cookie)["code"]
    return exchange(home, credentials, code)


def refresh(home: IamHome, credentials: ClientCredentials, token: str | None) -> TokenSet:
    assert token is not None
    return home.services.grants.refresh(credentials, token, None)


def alive(home: IamHome, token: str) -> bool:
    try:
        home.services.verification.verify_token(token)
    except TokenRefused:
        return False
    return True


def family_states(home: IamHome) -> list[str]:
    query = sa.text("SELECT state FROM iam_refresh_families ORDER BY id")
    with home.spine.read_engine.begin() as connection:
        return list(connection.execute(query).scalars())


def use_tokens(folder: str, url: str | None, pipe: Connection) -> None:
    """A process of its own: eight threads use each token it is sent, all at once."""
    home = open_iam_home(Path(folder), url=url, demo=False)
    credentials = ClientCredentials("spa", None)
    pipe.send("ready")
    while (token := pipe.recv()) is not None:
        barrier, won = threading.Barrier(THREADS), []

        def use(token: str = token, barrier: Any = barrier, won: list[str] = won) -> None:
            barrier.wait()
            try:
                won.append(refresh(home, credentials, token).refresh_token or "")
            except InvalidGrant:
                return
            except SecopsError as error:
                won.append(f"unexpected {error.code}")

        threads = [threading.Thread(target=use) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pipe.send(won)
    home.close()


def race(folder: Path, url: str | None, rounds: int) -> tuple[list[int], int, IamHome]:
    home = open_iam_home(folder, url=url)
    credentials = register(home, "spa", public=True)
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(PROCESSES):
        ours, theirs = context.Pipe()
        process = context.Process(target=use_tokens, args=(str(folder), url, theirs), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    assert [pipe.recv() for pipe in pipes] == ["ready"] * PROCESSES
    successes, revived = [], 0
    for _ in range(rounds):
        home.clock.advance(41)  # a hundred passwords an hour are the limit
        opened = home.sign_in("staff")
        tokens = tokens_for(home, credentials, opened.cookie)
        for pipe in pipes:
            pipe.send(tokens.refresh_token)
        won = [successor for pipe in pipes for successor in pipe.recv()]
        successes.append(len(won))
        revived += alive(home, tokens.access_token)
        for successor in won:
            with pytest.raises(InvalidGrant):
                refresh(home, credentials, successor)
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(None)
        process.join(30)
        assert process.exitcode == 0
    return successes, revived, home


def check_race(folder: Path, url: str | None, rounds: int, label: str) -> None:
    successes, revived, home = race(folder, url, rounds)
    states = family_states(home)
    home.close()
    print(
        f"one refresh token, {PROCESSES} x {THREADS} users, {label}: {rounds} rounds, "
        f"{sum(count == 1 for count in successes)} with exactly 1 success, "
        f"{states.count('reused')} families revoked, {revived} sessions alive"
    )
    assert successes == [1] * rounds
    assert states == ["reused"] * rounds
    assert revived == 0


@pytest.mark.service
@pytest.mark.parametrize("rounds", [150, pytest.param(5_000, marks=pytest.mark.deep)])
def test_one_refresh_token_by_sixteen_users_wins_once(tmp_path: Path, rounds: int) -> None:
    check_race(tmp_path, None, rounds, "SQLite")


@pytest.mark.service
@pytest.mark.postgresql
@pytest.mark.parametrize("rounds", [40, pytest.param(1_000, marks=pytest.mark.deep)])
def test_on_postgresql_it_wins_once_too(tmp_path: Path, postgresql_url: str, rounds: int) -> None:
    check_race(tmp_path, postgresql_url, rounds, "PostgreSQL")


@pytest.fixture
def home(tmp_path: Path) -> Any:
    opened = open_iam_home(tmp_path)
    yield opened
    opened.close()


def test_a_refresh_token_rotates(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    tokens = tokens_for(home, spa, home.sign_in("staff").cookie)
    for _ in range(3):
        home.clock.advance(200)
        tokens = refresh(home, spa, tokens.refresh_token)
        assert alive(home, tokens.access_token)


def test_reuse_ends_family_session_and_access_tokens(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    opened = home.sign_in("staff")
    first = tokens_for(home, spa, opened.cookie)
    second = refresh(home, spa, first.refresh_token)
    with pytest.raises(InvalidGrant):
        refresh(home, spa, first.refresh_token)
    with pytest.raises(InvalidGrant):
        refresh(home, spa, second.refresh_token)
    assert not alive(home, first.access_token)
    assert not alive(home, second.access_token)
    assert home.services.sessions.by_cookie(opened.cookie) is None
    refusals = [leaf["details"] for leaf in home.leaves() if leaf["outcome"] == "refused"]
    assert [details["reason"] for details in refusals] == ["reused", "refused"]


def test_a_bad_mac_leaves_the_family_alone(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    tokens = tokens_for(home, spa, home.sign_in("staff").cookie)
    token = tokens.refresh_token or ""
    with pytest.raises(InvalidGrant):
        refresh(home, spa, token[:-2] + ("AA" if token[-2:] != "AA" else "BB"))
    assert refresh(home, spa, token).refresh_token


def test_a_confidential_client_may_retry_a_lost_answer_for_ten_seconds(home: IamHome) -> None:
    app = register(home, "app", public=False)
    tokens = tokens_for(home, app, home.sign_in("staff").cookie)
    first = refresh(home, app, tokens.refresh_token)
    home.clock.advance(9)
    again = refresh(home, app, tokens.refresh_token)
    assert again.refresh_token == first.refresh_token
    home.clock.advance(2)
    with pytest.raises(InvalidGrant):
        refresh(home, app, tokens.refresh_token)
    with pytest.raises(InvalidGrant):
        refresh(home, app, first.refresh_token)


def test_another_clients_refresh_token_is_theft(home: IamHome) -> None:
    spa, other = register(home, "spa", public=True), register(home, "other", public=True)
    tokens = tokens_for(home, spa, home.sign_in("staff").cookie)
    with pytest.raises(InvalidGrant):
        refresh(home, other, tokens.refresh_token)
    with pytest.raises(InvalidGrant):
        refresh(home, spa, tokens.refresh_token)


def test_an_expired_refresh_token_raises_no_alarm(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    opened = home.sign_in("staff")
    tokens = tokens_for(home, spa, opened.cookie)
    home.clock.advance(8 * 3600 + 1)
    with pytest.raises(InvalidGrant):
        refresh(home, spa, tokens.refresh_token)
    assert family_states(home) == ["active"]


def test_a_generation_that_never_was_tells_of_a_rolled_back_database(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    tokens = tokens_for(home, spa, home.sign_in("staff").cookie)
    key = home.services.grants._refresh_key
    family, generation = read_refresh_token(key, tokens.refresh_token or "")
    with pytest.raises(InvalidGrant):
        refresh(home, spa, write_refresh_token(key, family, generation + 5))
    assert home.leaves()[-1]["details"]["reason"] == "ahead"
    assert refresh(home, spa, tokens.refresh_token).refresh_token


def test_nothing_refreshes_after_logout(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    opened = home.sign_in("staff")
    tokens = tokens_for(home, spa, opened.cookie)
    home.services.sessions.sign_out(opened.cookie)
    with pytest.raises(InvalidGrant):
        refresh(home, spa, tokens.refresh_token)
    assert not alive(home, tokens.access_token)


def test_a_code_used_twice_ends_what_it_gave(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    code = authorize(home, "spa", home.sign_in("staff").cookie)["code"]
    tokens = exchange(home, spa, code)
    assert alive(home, tokens.access_token)
    with pytest.raises(InvalidGrant):
        exchange(home, spa, code)
    assert not alive(home, tokens.access_token)
    with pytest.raises(InvalidGrant):
        refresh(home, spa, tokens.refresh_token)


def test_a_code_is_for_its_client_address_and_verifier_alone(home: IamHome) -> None:
    spa, other = register(home, "spa", public=True), register(home, "other", public=True)
    code = authorize(home, "spa", home.sign_in("staff").cookie)["code"]
    grants = home.services.grants
    for credentials, given in (
        (other, CodeExchange(code, CALLBACK, VERIFIER)),
        (spa, CodeExchange(code, CALLBACK + "/", VERIFIER)),
        (spa, CodeExchange(code, CALLBACK, "w" * 43)),
        (spa, CodeExchange(code + "A", CALLBACK, VERIFIER)),
    ):
        with pytest.raises(InvalidGrant):
            grants.exchange_code(credentials, given)
    assert exchange(home, spa, code).id_token


def test_a_code_ends_after_a_minute(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    code = authorize(home, "spa", home.sign_in("staff").cookie)["code"]
    home.clock.advance(60)
    with pytest.raises(InvalidGrant):
        exchange(home, spa, code)


def test_tokens_say_how_somebody_signed_in(home: IamHome) -> None:
    spa = register(home, "spa", public=True)
    opened = home.sign_in("staff")
    tokens = tokens_for(home, spa, opened.cookie)
    key = home.signer.private[0].public_key()
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    identity = jwt.decode(tokens.id_token or "", key, ["ES256"], options=options)
    access = jwt.decode(tokens.access_token, key, ["ES256"], options=options)
    assert (identity["aud"], identity["nonce"], identity["sid"]) == ("spa", "n", opened.session.id)
    assert identity["sub"] == access["sub"] != opened.session.account_id
    assert (access["acr"], access["amr"]) == ("urn:secops:aal:2", ["pwd", "otp", "mfa"])
    assert access["exp"] - access["iat"] == 300
    assert jwt.get_unverified_header(tokens.access_token)["typ"] == "at+jwt"


def test_grants_are_for_whom_they_are_registered(home: IamHome) -> None:
    new = NewClient("svc", "svc")
    issued = home.services.clients.make(os_actor("root"), new, ROOT_ORG)
    svc = ClientCredentials("svc", issued.secret)
    with pytest.raises(UnauthorizedClient):
        exchange(home, svc, "x")
    with pytest.raises(UnauthorizedClient):
        refresh(home, svc, "x")
    spa = register(home, "spa", public=False)
    with pytest.raises(UnauthorizedClient):
        home.services.grants.client_credentials(spa, None, None)
