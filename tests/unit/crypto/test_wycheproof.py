"""Wycheproof's vectors, all of them: what must fail fails, what must pass passes.

There is no deviation. GCM and CCM vectors with nonces other than 96 bits, and CCM's with tags
other than 128, don't apply: none such can be given to our engines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from secops.crypto import ciphers, ecdsa, ed25519, hashes, rsa
from secops.crypto.errors import InvalidKey, InvalidSignature
from secops.crypto.options import DEFAULT, SignatureOptions
from secops.kernel.errors import SecopsError

Check = Callable[[dict[str, Any], dict[str, Any]], None]
_hex = bytes.fromhex


def vectors(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for group in json.loads(path.read_text())["testGroups"]:
        for case in group["tests"]:
            yield group, case


def aead(name: str) -> Check:
    def check(group: dict[str, Any], case: dict[str, Any]) -> None:
        sealed = _hex(case["iv"] + case["ct"] + case["tag"])
        opened = ciphers.unseal(name, _hex(case["key"]), sealed, aad=_hex(case["aad"]))
        assert opened == _hex(case["msg"])

    return check


def check_ecdsa(group: dict[str, Any], case: dict[str, Any]) -> None:
    key = ecdsa.PublicKey("ecdsa-p256", _hex(group["publicKeyDer"]))
    key.verify(_hex(case["sig"]), _hex(case["msg"]), DEFAULT)


def check_ed25519(group: dict[str, Any], case: dict[str, Any]) -> None:
    ed25519.PublicKey(_hex(group["publicKeyDer"])).verify(
        _hex(case["sig"]), _hex(case["msg"]), DEFAULT
    )


def check_pss(group: dict[str, Any], case: dict[str, Any]) -> None:
    options = SignatureOptions(salt_length=group["sLen"])
    key = rsa.PublicKey(_hex(group["publicKeyDer"]))
    key.verify(_hex(case["sig"]), _hex(case["msg"]), options)


def check_pkcs1(group: dict[str, Any], case: dict[str, Any]) -> None:
    options = SignatureOptions(padding="pkcs1v15")
    key = rsa.PublicKey(_hex(group["publicKeyDer"]))
    key.verify(_hex(case["sig"]), _hex(case["msg"]), options)


def check_hmac_sm3(group: dict[str, Any], case: dict[str, Any]) -> None:
    made = hashes.keyed("sm3", _hex(case["key"]), _hex(case["msg"]))
    if made[: group["tagSize"] // 8] != _hex(case["tag"]):
        raise InvalidSignature


def check_hkdf(group: dict[str, Any], case: dict[str, Any]) -> None:
    try:
        made = hashes.derive(
            "sha256",
            _hex(case["ikm"]),
            length=case["size"],
            salt=_hex(case["salt"]),
            info=_hex(case["info"]),
        )
    except ValueError as error:
        raise InvalidKey from error
    assert made == _hex(case["okm"])


def is_gcm_with_our_nonce(name: str) -> Callable[[dict[str, Any]], bool]:
    length = ciphers.KEY_LENGTHS[name] * 8
    return lambda group: group["ivSize"] == 96 and group["keySize"] == length


def is_ccm_with_our_nonce_and_tag(group: dict[str, Any]) -> bool:
    return bool(group["ivSize"] == 96 and group["tagSize"] == 128)


EVERY: Callable[[dict[str, Any]], bool] = lambda _: True  # noqa: E731 - a constant predicate

FILES: list[tuple[str, Check, Callable[[dict[str, Any]], bool]]] = [
    ("aes_gcm_test.json", aead("aes256-gcm"), is_gcm_with_our_nonce("aes256-gcm")),
    ("aes_gcm_test.json", aead("aes128-gcm"), is_gcm_with_our_nonce("aes128-gcm")),
    ("sm4_gcm_test.json", aead("sm4-gcm"), is_gcm_with_our_nonce("sm4-gcm")),
    ("sm4_ccm_test.json", aead("sm4-ccm"), is_ccm_with_our_nonce_and_tag),
    ("ecdsa_secp256r1_sha256_test.json", check_ecdsa, EVERY),
    ("ed25519_test.json", check_ed25519, EVERY),
    ("rsa_pss_2048_sha256_mgf1_32_test.json", check_pss, EVERY),
    ("rsa_signature_2048_sha256_test.json", check_pkcs1, EVERY),
    ("hmac_sm3_test.json", check_hmac_sm3, EVERY),
    ("hkdf_sha256_test.json", check_hkdf, EVERY),
]


@pytest.mark.corpus
@pytest.mark.parametrize(("name", "check", "applies"), FILES)
def test_wycheproof(
    corpus: Path, name: str, check: Check, applies: Callable[[dict[str, Any]], bool]
) -> None:
    wrong = []
    count = 0
    for group, case in vectors(corpus / "wycheproof" / name):
        if not applies(group):
            continue
        count += 1
        try:
            check(group, case)
            accepted = True
        except SecopsError:
            accepted = False
        # "acceptable" is legacy that may go either way; we refuse or accept, never crash
        if case["result"] != "acceptable" and accepted != (case["result"] == "valid"):
            wrong.append((case["tcId"], case["comment"]))
    print(f"{name}: {count} vectors")
    assert wrong == []
    assert count > 20
