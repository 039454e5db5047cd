"""Tokens signed by SM2 for applications that ask: who reads them, and what passes for none."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from iam.core.base64url import decode, encode
from iam.core.rfc7638.thumbprint import jwk_of, key_id_of
from iam.errors import InvalidRequest, TokenRefused
from iam.models.clients import ES256, SM2_SM3
from iam.service.provider.tokens import KeyRing, access_token_hash
from secops.crypto.der import raw_to_signature
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import ORDER
from secops.kernel.errors import Conflict, Unavailable
from tests.fakes.forged_tokens import forged_tokens, switched_tokens
from tests.fakes.iam_home import IamHome, open_iam_home
from tests.fakes.identity_keys import FakeSm2TokenSigner, FakeTokenSigner
from tests.fakes.relying_party import RelyingParty, answer_of, register

SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IamHome]:
    opened = open_iam_home(tmp_path_factory.mktemp("home"), crypto_profile="gm")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def party(house: IamHome) -> RelyingParty:
    return signed_in(house, "sm2-app", token_alg=SM2_SM3)


def signed_in(house: IamHome, client_id: str, **given: Any) -> RelyingParty:
    house.clock.advance(30)  # a code counts once
    found = register(house, client_id, **given)
    found.browser.sign_in("staff")
    return found


@pytest.fixture(scope="module")
def tokens(party: RelyingParty) -> dict[str, str]:
    found: dict[str, str] = answer_of(party.exchange(party.code(scope="openid profile api")))
    return found


def published(house: IamHome) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = house.services.metadata.jwks()["keys"]
    return keys


def openssl_accepts(folder: Path, jwk: dict[str, str], token: str, distid: str) -> bool:
    """Whether OpenSSL verifies ``token`` with nothing of ours but the published JWK."""
    text, _, signature = token.rpartition(".")
    der = SPKI + decode(jwk["x"]) + decode(jwk["y"])
    pem = base64.encodebytes(der).decode()
    (folder / "key.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{pem}-----END PUBLIC KEY-----\n")
    (folder / "text").write_bytes(text.encode())
    (folder / "signature").write_bytes(raw_to_signature(decode(signature), ORDER))
    done = subprocess.run(
        [
            *("openssl", "dgst", "-sm3", "-sigopt", f"distid:{distid}", "-verify", "key.pem"),
            *("-signature", "signature", "text"),
        ],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.stdout.strip() == b"Verified OK"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")
def test_openssl_verifies_both_tokens_by_the_published_key(
    house: IamHome, tokens: dict[str, str], tmp_path: Path
) -> None:
    for name in ("id_token", "access_token"):
        header = jwt.get_unverified_header(tokens[name])
        (jwk,) = [key for key in published(house) if key["kid"] == header["kid"]]
        assert header["alg"] == SM2_SM3
        assert (jwk["kty"], jwk["crv"], jwk["use"], jwk["alg"]) == (
            "EC",
            "SM2-P-256",
            "sig",
            SM2_SM3,
        )
        assert openssl_accepts(tmp_path, jwk, tokens[name], "1234567812345678")
        assert not openssl_accepts(tmp_path, jwk, tokens[name], "another")


def test_our_own_endpoints_read_them(party: RelyingParty, tokens: dict[str, str]) -> None:
    access = {"authorization": f"Bearer {tokens['access_token']}"}
    assert party.browser.send("GET /oauth2/userinfo", headers=access).status == 200
    assert party.browser.send("GET /api/v1/iam/me", headers=access).status == 200
    given = {"token": tokens["access_token"], **party.credentials()}
    seen = party.browser.form("/oauth2/introspect", None, **given)
    assert answer_of(seen)["active"] is True
    assert party.home.services.verification.is_id_token(tokens["id_token"])


def test_the_hash_of_the_access_token_is_sm3s(tokens: dict[str, str]) -> None:
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    half = encode(sm3(tokens["access_token"].encode())[:16])
    assert claims["at_hash"] == half == access_token_hash(tokens["access_token"], SM2_SM3)


def test_others_go_on_with_es256(house: IamHome) -> None:
    other = signed_in(house, "plain-app")
    found = answer_of(other.exchange(other.code(scope="openid")))
    for name in ("id_token", "access_token"):
        assert jwt.get_unverified_header(found[name])["alg"] == ES256
    assert [key["alg"] for key in published(house)] == [ES256, SM2_SM3]
    supported = house.services.metadata.discovery()["id_token_signing_alg_values_supported"]
    assert supported == [ES256, SM2_SM3]


def test_no_endpoint_takes_a_token_whose_algorithm_was_switched(
    house: IamHome, party: RelyingParty, tokens: dict[str, str]
) -> None:
    other = signed_in(house, "switching-app")
    es256 = answer_of(other.exchange(other.code(scope="openid profile api")))["access_token"]
    good = tokens["access_token"]
    kinds = switched_tokens(house, es256, good)
    # everything of the matrix under the SM2 header, signed by the other key
    kinds |= {f"matrix: {name}": token for name, token in forged_tokens(house, good).items()}
    verification, wrong = house.services.verification, []
    for name, token in kinds.items():
        try:
            verification.inspect(token)
        except TokenRefused:
            continue
        wrong.append(name)
    print(f"switched tokens: {len(kinds)} kinds, {len(wrong)} accepted")
    assert (len(kinds) >= 220, wrong) == (True, [])
    for name, token in switched_tokens(house, es256, good).items():
        sent = {"authorization": f"Bearer {token}"}
        answer = party.browser.send("GET /oauth2/userinfo", headers=sent)
        assert answer.status == 401, name
        if "client" not in name or "ES256 header, ES256" in name:
            assert not verification.is_id_token(token), name
    assert verification.inspect(good).claims.algorithm == SM2_SM3


def test_outside_the_profile_nobody_gets_them(tmp_path: Path) -> None:
    home = open_iam_home(tmp_path)
    with pytest.raises(InvalidRequest, match="crypto_profile gm"):
        register(home, "app", token_alg=SM2_SM3)
    with pytest.raises(InvalidRequest, match="one of"):
        register(home, "app", token_alg="none")
    assert [key["alg"] for key in published(home)] == [ES256]
    home.close()


def test_a_ring_without_sm2_signs_nothing_instead(house: IamHome) -> None:
    ring = KeyRing({ES256: FakeTokenSigner()}, house.clock)
    with pytest.raises(Unavailable, match="crypto_profile gm"):
        ring.sign("JWT", {}, SM2_SM3)
    assert ring.algorithms == (ES256,)


def test_both_algorithms_keys_are_renewed_and_old_ones_stay(house: IamHome) -> None:
    signer = FakeSm2TokenSigner()
    ring = KeyRing({ES256: FakeTokenSigner(), SM2_SM3: signer}, house.clock)
    before = ring.sign("JWT", {"a": 1}, SM2_SM3)
    signer.rotate()
    house.clock.advance(6)
    after = ring.sign("JWT", {"a": 1}, SM2_SM3)
    kids = {jwt.get_unverified_header(token)["kid"] for token in (before, after)}
    assert {key["kid"] for key in ring.jwks()["keys"] if key["alg"] == SM2_SM3} == kids
    for token in (before, after):
        assert jwt.get_unverified_header(token)["kid"] in kids
    assert (ring.renew(-1), ring.renew(1)) == (True, False)
    # a key that another process took away is looked up once more, then it is an error
    signer.private = [signer.private[0]]
    signer.private[0] = FakeSm2TokenSigner().private[0]
    assert ring.sign("JWT", {}, SM2_SM3).count(".") == 2
    signer.sign = _never  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        ring.sign("JWT", {}, SM2_SM3)


def _never(name: str, message: bytes) -> bytes:
    raise Conflict


def test_the_registration_asks_and_is_told(house: IamHome) -> None:
    from iam.core.rfc7591.metadata import describe_client, read_metadata  # noqa: PLC0415

    new = read_metadata("a", {"id_token_signed_response_alg": SM2_SM3, "redirect_uris": ["u"]})
    assert new.token_alg == SM2_SM3
    client = house.services.clients.directory.find("sm2-app")
    assert client is not None
    assert describe_client(client)["id_token_signed_response_alg"] == SM2_SM3
    assert read_metadata("a", {"redirect_uris": ["u"]}).token_alg == ES256


def test_a_jwk_of_another_curve_is_not_ours() -> None:
    key = FakeSm2TokenSigner().private[0].public_key.der
    assert jwk_of(key)["crv"] == "SM2-P-256"
    assert json.loads(json.dumps(jwk_of(key)))["kty"] == "EC"
    assert len(key_id_of(key)) == 43
    for bent in (key[:-1], key + b"\x00", b"\x30" + key[1:26] + b"\x02" + key[27:], b""):
        with pytest.raises(ValueError, match="uncompressed"):
            jwk_of(bent)
