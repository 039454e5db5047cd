"""Our reading of ES256 and base64url against PyJWT's and Python's."""

from __future__ import annotations

import base64
import binascii

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from iam.core.base64url import decode, encode
from iam.core.rfc9068.header import TokenKey, encoded_header
from iam.core.rfc9068.verify import signed_claims
from iam.errors import TokenRefused
from iam.models.clients import ES256

KEY = generate_private_key(SECP256R1())
HEADER = encoded_header("k", "at+jwt", ES256)
KEYS = {HEADER: TokenKey(ES256, KEY.public_key())}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def signed(payload: bytes) -> str:
    """A token of ours, signed by PyJWT with the very header we write."""
    content = f"{HEADER}.{encode(payload)}"
    signature = jwt.get_algorithm_by_name(ES256).sign(content.encode(), KEY)
    return f"{content}.{encode(signature)}"


def ours(token: str) -> bool:
    try:
        signed_claims(token, KEYS)
    except TokenRefused:
        return False
    return True


def theirs(token: str) -> bool:
    try:
        jwt.PyJWS(algorithms=[ES256]).decode(token, KEY.public_key(), algorithms=[ES256])
    except (jwt.PyJWTError, ValueError):
        return False
    return True


@given(st.binary(max_size=80))
def test_what_pyjwt_signed_is_read(content: bytes) -> None:
    payload = b'{"x":"' + content.hex().encode() + b'"}'
    assert signed_claims(signed(payload), KEYS) == {"x": content.hex()}


@given(data=st.data())
def test_no_changed_token_is_taken(data: st.DataObject) -> None:
    token = signed(b'{"iss":"us"}')
    at = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.sampled_from("ABab01-_.=+/"))
    changed = token[:at] + char + token[at + 1 :]
    if changed != token:
        assert not ours(changed)


EDGES = [0, 1, ORDER - 1, ORDER, ORDER + 1, (1 << 256) - 1]


@pytest.mark.parametrize("r", EDGES)
@pytest.mark.parametrize("s", EDGES)
def test_numbers_at_the_edges_sign_nothing(r: int, s: int) -> None:
    token = f"{HEADER}.{encode(b'{}')}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    assert (ours(token), theirs(token)) == (False, False)


@pytest.mark.parametrize("size", [0, 1, 63, 65, 66, 72, 128])
def test_a_signature_has_64_bytes(size: int) -> None:
    assert not ours(f"{HEADER}.{encode(b'{}')}.{encode(b'x' * size)}")


def test_the_negative_of_s_is_refused_by_what_caches_know_a_token_by() -> None:
    content, _, signature = signed(b"{}").rpartition(".")
    raw = decode(signature)
    other = raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    twin = f"{content}.{encode(other)}"
    assert ours(twin) == theirs(twin)  # ECDSA's own; revocation goes by jti, not by text


@given(st.one_of(st.binary(max_size=40).map(encode), st.text("AQgw-_+/= \n\u00e9", max_size=12)))
def test_base64url_is_read_in_its_one_form_alone(text: str) -> None:
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        canonical = base64.urlsafe_b64encode(content).rstrip(b"=").decode() == text
    except (binascii.Error, ValueError):
        canonical = False
    if canonical:
        assert decode(text) == content
    else:
        with pytest.raises(ValueError):  # noqa: PT011 - the text itself is the message
            decode(text)
