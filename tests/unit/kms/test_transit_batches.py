"""Batches: one question, one leaf with the root over the items, an answer for each in order."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.transit import costs
from kms.core.transit.batch_root import batch_root
from kms.models.keys import KEY_TYPES
from kms.service.batches import read_batch
from secops.kernel.waiting import MustWait, without_waiting
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import USER, KeyPool, open_key_pool
from tests.fakes.vault_service import VaultService

SIGN = ("POST", "/v1/transit/sign/k")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyPool]:
    with open_key_pool(tmp_path_factory.mktemp("batches") / "home", clock=FakeClock()) as opened:
        opened.create("k", "ecdsa-p256", USER)
        opened.create("big", "rsa-2048", USER)
        opened.create("box", "aes256-gcm96", USER)
        yield opened


@pytest.fixture(scope="module")
def service(pool: KeyPool) -> VaultService:
    return VaultService(pool)


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, written as the text has it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    both = tree(leaves[:split]) + tree(leaves[split:])
    return hashlib.sha256(b"\1" + both).digest()


@given(leaves=st.lists(st.binary(min_size=1, max_size=8), max_size=40))
def test_the_root_is_rfc_6962s(leaves: list[bytes]) -> None:
    assert batch_root(leaves) == tree(leaves).hex()


def test_a_batch_leaves_one_leaf_whose_root_covers_what_was_signed(pool: KeyPool) -> None:
    items = [{"input": b64(b"%d" % n)} for n in range(5)] + [{"input": "?"}]
    batch = read_batch("sign", {"batch_input": items})
    assert batch is not None
    used = pool.services.transit.use_batch(USER, "k", batch)
    digests = [hashlib.sha256(b"%d" % n).digest() for n in range(5)]
    assert used.act.details == {
        "batch": 6,
        "done": 5,
        "invalid": 0,
        "versions": [1],
        "type": "ecdsa-p256",
        "root_sha256": tree(digests).hex(),
    }


def test_every_item_is_answered_in_order_with_its_reference_or_its_error(
    service: VaultService,
) -> None:
    items: list[dict[str, Any]] = [
        {"input": b64(b"a"), "reference": "first"},
        {"input": "not base64", "reference": 2},
        {"input": b64(b"b"), "hash_algorithm": "sha2-512"},
        {"input": b64(b"c"), "key_version": 9},
    ]
    status, _, body = service.call(*SIGN, {"batch_input": items})
    one, two, three, four = body["data"]["batch_results"]
    assert (status, one["reference"], two["reference"]) == (200, "first", "2")
    assert "error" in two
    assert "error" in four
    checks = [
        {"input": b64(b"a"), "signature": one["signature"]},
        {"input": b64(b"b"), "signature": three["signature"], "hash_algorithm": "sha2-512"},
        {"input": b64(b"b"), "signature": three["signature"]},
    ]
    body = service.call("POST", "/v1/transit/verify/k", {"batch_input": checks})[2]
    valid = [result["valid"] for result in body["data"]["batch_results"]]
    assert valid == [True, True, False]


def test_what_is_said_for_all_holds_where_an_item_says_nothing(service: VaultService) -> None:
    asked = {
        "hash_algorithm": "sha2-384",
        "marshaling_algorithm": "jws",
        "batch_input": [{"input": b64(b"x")}, {"input": b64(b"x"), "marshaling_algorithm": "asn1"}],
    }
    jws, asn1 = service.call(*SIGN, asked)[2]["data"]["batch_results"]
    for result, marshaling in ((jws, "jws"), (asn1, "asn1")):
        check = {
            "input": b64(b"x"),
            "hash_algorithm": "sha2-384",
            "marshaling_algorithm": marshaling,
            "signature": result["signature"],
        }
        body = service.call("POST", "/v1/transit/verify/k", check)[2]
        assert body["data"] == {"valid": True}


@pytest.mark.parametrize(
    ("verb", "field", "status"), [("encrypt", "plaintext", 400), ("hmac", "input", 200)]
)
def test_other_verbs_take_batches_too(
    service: VaultService, verb: str, field: str, status: int
) -> None:
    items = [{field: b64(b"1")}, {field: 7}, {field: b64(b"2")}]
    path = f"/v1/transit/{verb}/box"
    answered, _, body = service.call("POST", path, {"batch_input": items})
    assert (answered, len(body["data"]["batch_results"])) == (status, 3)
    chosen = {"batch_input": items, "partial_failure_response_code": 207}
    assert service.call("POST", path, chosen)[0] == 207


def test_what_was_encrypted_in_a_batch_is_rewrapped_and_decrypted_in_one(
    service: VaultService,
) -> None:
    def results(verb: str, items: list[dict[str, str]]) -> list[dict[str, Any]]:
        body = service.call("POST", f"/v1/transit/{verb}/box", {"batch_input": items})[2]
        found: list[dict[str, Any]] = body["data"]["batch_results"]
        return found

    texts = [b64(b"%d" % n) for n in range(3)]
    sealed = results("encrypt", [{"plaintext": text} for text in texts])
    fresh = results("rewrap", [{"ciphertext": one["ciphertext"]} for one in sealed])
    opened = results("decrypt", [{"ciphertext": one["ciphertext"]} for one in fresh])
    assert [one["plaintext"] for one in opened] == texts


def test_a_long_batch_is_not_worked_off_where_others_wait(pool: KeyPool) -> None:
    def run(name: str, count: int) -> None:
        batch = read_batch("sign", {"batch_input": [{"input": "eA=="}] * count})
        assert batch is not None
        without_waiting(lambda: pool.services.transit.use_batch(USER, name, batch))

    for name in ("k", "big"):
        batch = read_batch("sign", {"batch_input": [{"input": "eA=="}]})
        assert batch is not None
        pool.services.transit.use_batch(USER, name, batch)
    run("k", 100)
    with pytest.raises(MustWait):
        run("big", 20)
    with pytest.raises(MustWait):
        run("k", 1_000)


def test_every_type_has_a_cost() -> None:
    verbs = ("sign", "verify", "encrypt", "decrypt", "rewrap", "hmac")
    assert all(costs.microseconds(name, verb) > 0 for name in KEY_TYPES for verb in verbs)
    assert costs.microseconds("rsa-4096", "sign") > costs.microseconds("ecdsa-p256", "sign")
