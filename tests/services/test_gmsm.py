"""SM2, SM3, SM4 and the certificates of the built-in CA, judged by Go's gmsm, both ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kms.core.gbt35276.enveloped_keys import private_scalar
from kms.service.published_lists import PublishedLists
from secops.crypto import ciphers
from secops.crypto.certificates import read_certificate
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import to_rfc3339
from tests.fakes.certificate_house import OWNER, House, open_house, sm2_csr
from tests.fakes.clock import START
from tests.services import gmsm
from tests.services.go_judges import Unavailable

pytestmark = pytest.mark.service

KEY = PrivateKey.generate()
MESSAGE = "关于印发的通知".encode()
SM4_KEY, NONCE, AAD = bytes(range(16)), bytes(12), b"aad"


def ask(*questions: Mapping[str, str | bytes]) -> list[Any]:
    try:
        return gmsm.answers(questions)
    except Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("gmsm")) as made:
        yield made


def test_digests_and_ciphertexts_are_the_same() -> None:
    sealed = ciphers.seal("sm4-gcm", SM4_KEY, NONCE, MESSAGE, aad=AAD)
    box: dict[str, str | bytes] = {"key": SM4_KEY, "nonce": NONCE, "aad": AAD}
    found = ask(
        {"ask": "sm3", "message": MESSAGE},
        {"ask": "seal", **box, "message": MESSAGE},
        {"ask": "open", **box, "message": sealed[12:]},
        {"ask": "open", **box, "message": sealed[12:-1] + bytes([sealed[-1] ^ 1])},
    )
    assert found[:3] == [sm3(MESSAGE).hex(), sealed[12:].hex(), MESSAGE.hex()]
    assert "error" in found[3]


def test_signatures_verify_both_ways_with_the_default_user_id() -> None:
    scalar, point = private_scalar(KEY.der), KEY.public_key.point
    theirs, good, wrong_id, other = ask(
        {"ask": "sign", "scalar": scalar, "message": MESSAGE},
        {"ask": "verify", "point": point, "message": MESSAGE, "signature": KEY.sign(MESSAGE)},
        {"ask": "verify", "point": point, "message": MESSAGE, "signature": KEY.sign(MESSAGE, b"")},
        {"ask": "verify", "point": point, "message": b"other", "signature": KEY.sign(MESSAGE)},
    )
    KEY.public_key.verify(bytes.fromhex(theirs), MESSAGE)
    assert (good, wrong_id, other) == (True, False, False)


def test_an_sm2_pair_chains_and_its_encryption_key_opens(house: House) -> None:
    key = PrivateKey.generate()
    request = sm2_csr(key)
    issued = house.issue(request, "sm2_signing")
    details = house.certificates.registry.show_certificate(OWNER, issued.id)
    assert details.request is not None
    second = house.certificates.registry.show_certificate(
        OWNER, details.request.encryption_id or ""
    ).certificate
    root, at = house.root().der, to_rfc3339(START)
    found = ask(
        {"ask": "request", "csr": request},
        {"ask": "chain", "root": root, "leaf": issued.der, "at": at},
        {"ask": "chain", "root": root, "leaf": second.der, "at": at},
        {"ask": "chain", "root": root, "leaf": issued.der, "at": "2050-01-01T00:00:00Z"},
        {"ask": "chain", "root": issued.der, "leaf": second.der, "at": at},
        {
            "ask": "enveloped",
            "scalar": private_scalar(key.der),
            "envelope": details.request.enveloped_key,
        },
    )
    pool_key = house.world.keys.keys[f"encryption-{details.request.id}"]
    assert found[:3] == [True, 2, 2]
    assert all("error" in each for each in found[3:5])
    assert found[5] == private_scalar(pool_key.der).hex()
    assert read_certificate(second.der).spki == pool_key.public_key.der


def test_the_revocation_list_is_proved_with_the_default_user_id(house: House) -> None:
    issued = house.issue(sm2_csr(PrivateKey.generate()), "sm2_signing")
    house.certificates.registry.revoke_certificate(OWNER, issued.id, "superseded")
    crl = PublishedLists(house.world.parts.authority).revocation_list()
    good, other = ask(
        {"ask": "list", "root": house.root().der, "crl": crl},
        {"ask": "list", "root": issued.der, "crl": crl},
    )
    assert issued.serial in good
    assert "error" in other
