"""Mutated and forged access tokens: nothing is accepted, nothing but a refusal comes out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Iterator
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from iam.core.base64url import encode
from iam.core.rfc9068.verify import MAX_TOKEN
from iam.errors import TokenRefused
from iam.models.clients import ES256, ClientCredentials, NewClient
from iam.service.provider.tokens import KeyRing
from secops.kernel.actors import ROOT_ORG, os_actor
from tests.fakes.iam_home import ISSUER, IamHome, open_iam_home

EDITS = "ABCabc019-_.=+/ \n\0é"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IamHome]:
    """One home for all: these tests only read."""
    opened = open_iam_home(tmp_path_factory.mktemp("home"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def secret(home: IamHome) -> str:
    return register(home, "svc-a")


@pytest.fixture
def token(home: IamHome, secret: str) -> str:
    return token_of(home, "svc-a", secret)


def register(home: IamHome, client_id: str) -> str:
    new = NewClient(client_id, client_id)
    made = home.services.clients.make(os_actor("root"), new, ROOT_ORG)
    assert made.secret is not None
    return made.secret


def token_of(home: IamHome, client_id: str, secret: str) -> str:
    credentials = ClientCredentials(client_id, secret)
    return home.services.grants.client_credentials(credentials, None, None)[0].access_token


def refused(home: IamHome, token: str) -> bool:
    try:
        home.services.verification.verify_token(token)
    except TokenRefused:
        return True
    return False


def edit(chance: random.Random, token: str) -> str:
    text = list(token)
    for _ in range(chance.choice((1, 1, 2, 5))):
        place = chance.randrange(len(text))
        kind = chance.randrange(3)
        if kind == 0:
            text[place] = chance.choice(EDITS)
        elif kind == 1:
            del text[place]
        else:
            text.insert(place, chance.choice(EDITS))
    return "".join(text)


def flip_bit(chance: random.Random, token: str) -> str:
    parts = token.split(".")
    number = chance.randrange(3)
    raw = bytearray(base64.urlsafe_b64decode(parts[number] + "=="))
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    parts[number] = encode(bytes(raw))
    return ".".join(parts)


def respell(chance: random.Random, token: str) -> str:
    parts = token.split(".")
    number = chance.randrange(3)
    part = parts[number]
    spellings = (
        part + "=",
        part + "==",
        part.swapcase(),
        part.replace("-", "+").replace("_", "/"),
        part[:-1] + chr(ord(part[-1]) ^ 1),
        part + "A",
        " " + part,
        part + "\n",
    )
    parts[number] = chance.choice(spellings)
    return ".".join(parts)


def reshape(chance: random.Random, token: str) -> str:
    return chance.choice(
        (
            token * 2,
            token + "." + token,
            token.rsplit(".", 1)[0],
            token.rsplit(".", 1)[0] + ".",
            "." + token,
            token.upper(),
            token[::-1],
            "Bearer " + token,
            token + "A" * (MAX_TOKEN - len(token)),
            token + "A" * MAX_TOKEN,
        )
    )


@pytest.mark.parametrize("count", [10_000, pytest.param(1_000_000, marks=pytest.mark.deep)])
def test_mutated_tokens_are_refused(home: IamHome, token: str, count: int) -> None:
    assert not refused(home, token)
    chance = random.Random(20261122)  # noqa: S311 - repeatable mutations
    accepted = checked = 0
    while checked < count:
        mutate = chance.choices((edit, flip_bit, respell, reshape), (70, 15, 10, 5))[0]
        mutated = mutate(chance, token)
        if mutated == token:
            continue
        checked += 1
        accepted += not refused(home, mutated)
    print(f"mutated JWTs: {checked} tried, {accepted} accepted, 0 unexpected errors")
    assert accepted == 0


def claims(home: IamHome, **changes: Any) -> dict[str, Any]:
    now = home.clock.now() // 1_000_000
    made = {
        "iss": ISSUER,
        "sub": "svc-a",
        "aud": "secops-api",
        "client_id": "svc-a",
        "org": ROOT_ORG,
        "jti": "forged",
        "iat": now,
        "exp": now + 300,
        "scope": "openid",
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def signed(home: IamHome, header: bytes, payload: bytes) -> str:
    """Sign anything with the real key: what is wrong is elsewhere."""
    message = f"{encode(header)}.{encode(payload)}".encode()
    r, s = decode_dss_signature(home.signer.private[0].sign(message, ec.ECDSA(hashes.SHA256())))
    return f"{message.decode()}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def real_header(token: str) -> dict[str, Any]:
    return jwt.get_unverified_header(token)


@pytest.mark.parametrize(
    "spelling",
    [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        " none",
        "",
        "null",
        "none\0",
        "NonE",
        "noNe",
        "n",
    ],
)
def test_no_spelling_of_none_is_an_algorithm(home: IamHome, token: str, spelling: str) -> None:
    header = orjson.dumps({**real_header(token), "alg": spelling})
    body = encode(orjson.dumps(claims(home)))
    assert refused(home, f"{encode(header)}.{body}.")
    assert refused(home, f"{encode(header)}.{body}.{encode(bytes(64))}")
    assert refused(home, signed(home, header, orjson.dumps(claims(home))))


def test_the_public_key_is_no_hmac_secret(home: IamHome, token: str) -> None:
    public = home.signer.private[0].public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, spki),
        public.public_bytes(serialization.Encoding.DER, spki),
        orjson.dumps(home.services.metadata.jwks()["keys"][0]),
        b"",
    ]
    for algorithm, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
        for header in (
            {**real_header(token), "alg": algorithm},
            {"alg": algorithm, "typ": "at+jwt"},
            real_header(token),
        ):
            for secret in secrets:
                text = f"{encode(orjson.dumps(header))}.{encode(orjson.dumps(claims(home)))}"
                mac = hmac.digest(secret, text.encode(), digest)
                assert refused(home, f"{text}.{encode(mac)}")


@pytest.mark.parametrize(
    "change",
    [
        {"jwk": {"kty": "EC"}},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/x5u"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"kid": "../../etc/passwd"},
        {"kid": "' OR 1=1 --"},
        {"kid": ""},
        {"kid": 1},
        {"kid": None},
        {"typ": "JWT"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": "application/at+jwt"},
        {"typ": "AT+JWT"},
        {"typ": None},
        {"alg": "ES384"},
        {"alg": "ES512"},
        {"alg": "RS256"},
        {"alg": "PS256"},
        {"alg": "EdDSA"},
        {"alg": "es256"},
        {"alg": ["ES256"]},
    ],
)
def test_no_header_but_ours_is_read(home: IamHome, token: str, change: dict[str, Any]) -> None:
    header = {k: v for k, v in {**real_header(token), **change}.items() if v is not None}
    assert refused(home, signed(home, orjson.dumps(header), orjson.dumps(claims(home))))


def test_a_header_in_another_order_is_not_ours(home: IamHome, token: str) -> None:
    header = dict(reversed(real_header(token).items()))
    assert refused(home, signed(home, orjson.dumps(header), orjson.dumps(claims(home))))
    ours = orjson.dumps(real_header(token))
    assert not refused(home, signed(home, ours, orjson.dumps(claims(home))))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": ISSUER + "/"},
        {"iss": "https://evil.example"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": 1},
        {"aud": ["secops-api", 1]},
        {"aud": {"secops-api": 1}},
        {"sub": None},
        {"sub": 1},
        {"sub": "somebody-else"},
        {"client_id": None},
        {"client_id": "unknown"},
        {"client_id": "secops-console"},
        {"org": None},
        {"jti": None},
        {"jti": 1},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": 1.5e10},
        {"exp": True},
        {"exp": -1},
        {"exp": 0},
        {"iat": None},
        {"iat": "0"},
        {"iat": 0},
        {"iat": 99_999_999_999, "exp": 99_999_999_999},
        {"sid": "ses_unknown"},
    ],
)
def test_no_claim_may_be_wrong(home: IamHome, token: str, change: dict[str, Any]) -> None:
    header = orjson.dumps(real_header(token))
    assert refused(home, signed(home, header, orjson.dumps(claims(home, **change))))


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b"[" * 2000, b'{"exp":1e999}', b"{}"],
)
def test_no_payload_but_an_object_is_read(home: IamHome, token: str, payload: bytes) -> None:
    assert refused(home, signed(home, orjson.dumps(real_header(token)), payload))


def test_tokens_of_other_types_are_no_access_tokens(home: IamHome, secret: str) -> None:
    ring = KeyRing({ES256: home.signer}, home.clock)
    for kind in ("JWT", "logout+jwt"):
        assert refused(home, ring.sign(kind, claims(home)))  # type: ignore[arg-type]
    assert not refused(home, ring.sign("at+jwt", claims(home)))


def test_signatures_of_zeros_and_in_der_are_refused(home: IamHome, token: str) -> None:
    text = token.rsplit(".", 1)[0]
    order = ORDER.to_bytes(32, "big")
    der = home.signer.private[0].sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    for signature in (bytes(64), order + order, bytes(32) + order, der, bytes(63), bytes(65)):
        assert refused(home, f"{text}.{encode(signature)}")


def test_other_keys_do_not_sign_for_us(home: IamHome, token: str) -> None:
    header = real_header(token)
    others = [
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("ES384", ec.generate_private_key(ec.SECP384R1())),
        ("RS256", rsa.generate_private_key(65537, 2048)),
    ]
    for algorithm, key in others:
        forged = jwt.encode(claims(home), key, algorithm, headers={**header, "alg": algorithm})
        assert refused(home, forged)


def test_a_token_ends_with_its_time(home: IamHome, token: str) -> None:
    home.clock.advance(299)
    assert not refused(home, token)
    home.clock.advance(1)
    assert refused(home, token)


def test_a_retired_key_verifies_until_it_is_gone(home: IamHome, token: str) -> None:
    home.signer.rotate()
    home.clock.advance(6)
    assert not refused(home, token)
    kids = [key["kid"] for key in home.services.metadata.jwks()["keys"]]
    assert len(kids) == 2
    assert kids[1] == real_header(token)["kid"]


def test_a_disabled_applications_token_ends_at_once(home: IamHome) -> None:
    token = token_of(home, "svc-b", register(home, "svc-b"))
    assert not refused(home, token)
    home.services.clients.disable_client(home.actor("system-admin"), "svc-b", "test")
    assert refused(home, token)


def test_an_applications_roles_count_as_they_are_now(home: IamHome) -> None:
    token = token_of(home, "svc-c", register(home, "svc-c"))
    verify, security = home.services.verification.verify_token, home.actor("security-admin")
    assert verify(token).roles == frozenset()
    home.services.roles.assign_client_role(security, "svc-c", "integrator")
    assert verify(token).roles == {"integrator"}
    home.services.roles.revoke_client_role(security, "svc-c", "integrator")
    assert verify(token).roles == frozenset()


def test_tokens_are_known_by_more_than_their_text(home: IamHome, token: str) -> None:
    assert not refused(home, token)
    assert hashlib.sha256(token.encode()).digest() in home.services.verification._known
    assert refused(home, token + "=")
