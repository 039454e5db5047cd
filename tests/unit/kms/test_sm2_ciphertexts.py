"""SM2 ciphertexts in DER and raw, in the order of today and of before 2012, where it is said."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from secops.crypto import sm2
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import USER, open_key_pool
from tests.fakes.vault_service import VaultService

PLAIN = base64.b64encode("公文".encode()).decode()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[VaultService]:
    with open_key_pool(tmp_path, clock=FakeClock()) as pool:
        pool.create("pair", "sm2", USER)
        pool.create("box", "sm4-ccm96", USER)
        yield VaultService(pool)


def encrypt(service: VaultService, **fields: str) -> str:
    answer = service.call("POST", "/v1/transit/encrypt/pair", {"plaintext": PLAIN, **fields})
    return str(answer[2]["data"]["ciphertext"])


def payload(text: str) -> bytes:
    return base64.b64decode(text.split(":")[2])


@pytest.mark.parametrize("order", ["c1c3c2", "c1c2c3"])
def test_raw_ciphertexts_come_and_go_in_the_order_that_is_said(
    service: VaultService, order: sm2.CiphertextOrder
) -> None:
    text = encrypt(service, sm2_ciphertext=order)
    raw = payload(text)
    assert (raw[0], len(raw)) == (4, 65 + 32 + 6)
    fields = {"ciphertext": text, "sm2_ciphertext": order}
    opened = service.call("POST", "/v1/transit/decrypt/pair", fields)
    assert opened[2]["data"]["plaintext"] == PLAIN
    other = {**fields, "sm2_ciphertext": {"c1c3c2": "c1c2c3", "c1c2c3": "c1c3c2"}[order]}
    assert service.call("POST", "/v1/transit/decrypt/pair", other)[0] == 400
    assert service.call("POST", "/v1/transit/decrypt/pair", {"ciphertext": text})[0] == 400


def test_an_old_ciphertext_is_rewrapped_into_der(service: VaultService) -> None:
    old = encrypt(service, sm2_ciphertext="c1c2c3")
    fields = {"ciphertext": old, "sm2_ciphertext": "c1c2c3"}
    made = service.call("POST", "/v1/transit/rewrap/pair", fields)[2]["data"]["ciphertext"]
    assert payload(made)[0] == 0x30
    opened = service.call("POST", "/v1/transit/decrypt/pair", {"ciphertext": made})
    assert opened[2]["data"]["plaintext"] == PLAIN


@pytest.mark.parametrize("name", ["pair", "box"])
def test_other_words_and_other_keys_are_refused(service: VaultService, name: str) -> None:
    word = "raw" if name == "pair" else "c1c3c2"
    fields = {"plaintext": PLAIN, "sm2_ciphertext": word}
    assert service.call("POST", f"/v1/transit/encrypt/{name}", fields)[0] == 400


def test_sm4_ccm_is_a_type_of_key(service: VaultService) -> None:
    fields = {"plaintext": PLAIN, "associated_data": base64.b64encode(b"row 7").decode()}
    made = service.call("POST", "/v1/transit/encrypt/box", fields)[2]["data"]["ciphertext"]
    bound = {"ciphertext": made, "associated_data": fields["associated_data"]}
    assert service.call("POST", "/v1/transit/decrypt/box", bound)[2]["data"]["plaintext"] == PLAIN
    assert service.call("POST", "/v1/transit/decrypt/box", {"ciphertext": made})[0] == 400
