"""What reads others' keys and signatures refuses everything it was not made for."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from iam.core.base64url import encode
from iam.core.openid_logout.patience import PAUSES, next_pause
from iam.core.rfc7515.jws import JwsRefused, json_object, read_jws, verified_payload
from iam.core.rfc7517.keys import JwkRefused, read_jwk, read_jwks
from iam.core.rfc7523.assertion import Expected, check_assertion
from iam.core.rfc7591.rules import check_client
from iam.core.rfc8628.codes import ALPHABET, plain_code, user_code
from iam.core.rfc9126.reference import digest_of_reference, write_reference
from iam.core.rfc9449.nonce import nonce_at, nonce_fits
from iam.errors import InvalidRequest
from iam.models.clients import NewClient
from tests.fakes.relying_party import new_key, public_jwk

EC = public_jwk(new_key("ES256"))
OKP = public_jwk(new_key("EdDSA"))
RSA = public_jwk(new_key("PS256"))


def small_rsa() -> dict[str, Any]:
    return public_jwk(rsa.generate_private_key(65_537, 1_024))  # noqa: S505 - refused below


def without(jwk: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in jwk.items() if key != name}


@pytest.mark.parametrize("jwk", [EC, OKP, RSA, EC | {"use": "sig", "key_ops": ["verify"]}])
def test_public_keys_for_signatures_are_read(jwk: dict[str, Any]) -> None:
    key = read_jwk(jwk)
    assert len(key.thumbprint) == 43
    assert read_jwks({"keys": [jwk]}, strict=True) == (key,)


WRONG: list[Any] = [
    "x",
    None,
    [],
    {},
    EC | {"d": "AAAA"},
    RSA | {"p": "AAAA"},
    {"kty": "oct", "k": "AAAA"},
    EC | {"use": "enc"},
    EC | {"key_ops": ["sign"]},
    EC | {"key_ops": "verify"},
    EC | {"alg": "ES384"},
    EC | {"alg": "PS256"},
    EC | {"alg": 1},
    EC | {"kid": 1},
    EC | {"kid": "x" * 129},
    EC | {"crv": "P-384"},
    EC | {"x": 1},
    EC | {"x": EC["x"][:-4]},
    EC | {"x": EC["y"], "y": EC["x"]},
    EC | {"x": EC["x"] + "="},
    without(EC, "crv"),
    without(EC, "y"),
    OKP | {"crv": "Ed448"},
    OKP | {"crv": "X25519"},
    OKP | {"x": "AAAA"},
    without(OKP, "x"),
    RSA | {"e": "Aw"},
    RSA | {"n": "AQAB"},
    without(RSA, "n"),
    {"kty": "AKP", "alg": "ML-DSA-44"},
]


@pytest.mark.parametrize("jwk", [*WRONG, small_rsa()])
def test_everything_else_is_no_key(jwk: Any) -> None:
    with pytest.raises(JwkRefused):
        read_jwk(jwk)


def test_a_set_may_hold_keys_for_others_but_never_private_ones() -> None:
    mixed = {"keys": [EC | {"use": "enc"}, "x", EC, {"kty": "AKP"}]}
    assert len(read_jwks(mixed, strict=False)) == 1
    for wrong, strict in (
        (mixed, True),
        ({"keys": [EC, EC | {"d": "AAAA"}]}, False),
        ({"keys": []}, False),
        ({"keys": "x"}, False),
        ({"keys": [EC] * 21}, False),
        ([], False),
    ):
        with pytest.raises(JwkRefused):
            read_jwks(wrong, strict=strict)


@given(st.text(max_size=200))
def test_no_text_gets_further_than_a_refusal(text: str) -> None:
    with pytest.raises(JwsRefused):
        read_jws(text)


@pytest.mark.parametrize("segments", ["A.AA.AA", "AA.A.AA", "AA.AA.A", "AB.AA.AA"])
def test_segments_that_are_not_canonical_base64url_are_refused(segments: str) -> None:
    with pytest.raises(JwsRefused, match="canonical"):
        read_jws(segments)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b"\xff",
        b'"x"',
        b'{"a":' + b"[" * 20_000,
    ],
)
def test_json_is_an_object_whose_names_stand_once(content: bytes) -> None:
    with pytest.raises(JwsRefused):
        json_object(content)


def jws(header: bytes, payload: bytes = b"{}", signature: bytes = bytes(64)) -> str:
    return f"{encode(header)}.{encode(payload)}.{encode(signature)}"


@pytest.mark.parametrize(
    "header",
    [
        b"{}",
        b'{"alg":"none"}',
        b'{"alg":"ES256","crit":["exp"]}',
        b'{"alg":"ES256","kid":1}',
        b'{"alg":"ES256","typ":1}',
        b'{"alg":["ES256"]}',
        b'{"alg":"ES256","kid":"' + b"x" * 5_000 + b'"}',
        b"[]",
    ],
)
def test_headers_say_what_we_read_or_nothing(header: bytes) -> None:
    with pytest.raises(JwsRefused):
        read_jws(jws(header))


@pytest.mark.parametrize("signature", [bytes(64), bytes(63), b"\x30\x06", b"\xff" * 64])
def test_a_signature_of_another_shape_is_refused(signature: bytes) -> None:
    for jwk, algorithm in ((EC, "ES256"), (OKP, "EdDSA"), (RSA, "PS256")):
        header = b'{"alg":"' + algorithm.encode() + b'"}'
        with pytest.raises(JwsRefused):
            verified_payload(read_jws(jws(header, signature=signature)), read_jwk(jwk))
    with pytest.raises(JwsRefused):
        verified_payload(read_jws(jws(b'{"alg":"PS256"}')), read_jwk(EC))


def test_an_assertion_of_another_algorithm_or_type_is_refused() -> None:
    expected = Expected("app", "https://issuer.example", "ES256", 0)
    key = read_jwk(EC)
    for header in (
        b'{"alg":"PS256"}',
        b'{"alg":"ES256","typ":"at+jwt"}',
        b'{"alg":"ES256","jwk":{}}',
        b'{"alg":"ES256","kid":"other"}',
    ):
        with pytest.raises(JwsRefused):
            check_assertion(read_jws(jws(header)), [key], expected)


@given(st.binary(min_size=16, max_size=16))
def test_user_codes_are_read_as_they_are_shown(random: bytes) -> None:
    shown = user_code(random)
    assert set(shown.replace("-", "")) <= set(ALPHABET)
    assert plain_code(shown) == shown.replace("-", "")


@given(st.text(max_size=60))
def test_references_are_ours_or_nothing(text: str) -> None:
    assert digest_of_reference(text) is None


def test_a_reference_names_one_secret() -> None:
    assert len(digest_of_reference(write_reference("a" * 43)) or b"") == 32
    assert digest_of_reference(write_reference("a" * 42)) is None


def test_nonces_live_for_two_steps() -> None:
    nonce = nonce_at(b"k", 1_000)
    assert [nonce_fits(b"k", nonce, 1_000 + age) for age in (0, 79, 199, 200, -120)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert not nonce_fits(b"other", nonce, 1_000)
    assert not nonce_fits(b"k", "é", 1_000)


def test_patience_ends() -> None:
    assert [next_pause(tries) for tries in (1, len(PAUSES), len(PAUSES) + 1)] == [
        PAUSES[0],
        PAUSES[-1],
        None,
    ]


def test_an_application_authenticates_in_one_way() -> None:
    methods = [
        NewClient("a", "a").auth_method,
        NewClient("a", "a", public=True).auth_method,
        NewClient("a", "a", jwks="{}").auth_method,
        NewClient("a", "a", jwks_uri="https://a.example").auth_method,
    ]
    assert methods == ["client_secret", "none", "private_key_jwt", "private_key_jwt"]


def test_grants_and_levels_are_among_ours() -> None:
    with pytest.raises(InvalidRequest):
        check_client(NewClient("app", "app", grants=frozenset({"password"})))
