"""Transit over HTTP: Vault's shapes, who may what, and hvac as a foreign client."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hvac
import pytest

from kms.plane import routes
from secops.crypto import der, signatures, sm2
from secops.crypto.options import DEFAULT
from tests.fakes.clock import FakeClock
from tests.fakes.key_pool import PASSPHRASE, USER, open_key_pool
from tests.fakes.vault_service import TOKENS, VaultService


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


HELLO = b64(b"hello")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(tmp_path: Path, clock: FakeClock) -> Iterator[VaultService]:
    with open_key_pool(tmp_path, clock=clock) as pool:
        yield VaultService(pool)


def test_a_signature_answers_in_vaults_envelope(service: VaultService) -> None:
    service.pool.create("k", "ecdsa-p256", USER)
    status, headers, body = service.call("POST", "/v1/transit/sign/k", {"input": HELLO})
    assert (status, headers["content-type"]) == (200, "application/json")
    assert sorted(body) == [
        "auth",
        "data",
        "lease_duration",
        "lease_id",
        "renewable",
        "request_id",
        "warnings",
        "wrap_info",
    ]
    assert body["data"]["key_version"] == 1
    assert body["request_id"] == headers["x-request-id"]
    text = body["data"]["signature"]
    assert text.startswith("vault:v1:ME")
    checked = {"input": HELLO, "signature": text}
    assert service.call("POST", "/v1/transit/verify/k", checked)[2]["data"] == {"valid": True}
    wrong = {"input": b64(b"jello"), "signature": text}
    assert service.call("POST", "/v1/transit/verify/k", wrong)[2]["data"] == {"valid": False}


@pytest.mark.parametrize(
    ("key_type", "size"), [("ecdsa-p256", 64), ("ecdsa-p384", 96), ("sm2", 64)]
)
def test_jws_marshaling_is_unpadded_base64url_of_r_and_s(
    service: VaultService, key_type: str, size: int
) -> None:
    service.pool.create("k", key_type, USER)
    asked = {"input": HELLO, "marshaling_algorithm": "jws"}
    text = service.call("POST", "/v1/transit/sign/k", asked)[2]["data"]["signature"]
    payload = text.removeprefix("vault:v1:")
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    assert ("=" in payload, len(raw)) == (False, size)
    checked = {**asked, "signature": text}
    assert service.call("POST", "/v1/transit/verify/k", checked)[2]["data"] == {"valid": True}
    as_der = {**checked, "marshaling_algorithm": "asn1"}
    assert service.call("POST", "/v1/transit/verify/k", as_der)[0] in (200, 400)


def test_sm2_signs_with_za_of_the_default_or_the_given_user_id(service: VaultService) -> None:
    service.pool.create("k", "sm2", USER)
    shown = service.call("GET", "/v1/transit/keys/k", token="auditor")[2]["data"]
    lines = shown["keys"]["1"]["public_key"].splitlines()
    public = sm2.PublicKey(base64.b64decode("".join(lines[1:-1])))
    for user_id, extra in ((sm2.DEFAULT_USER_ID, {}), (b"ALICE", {"sm2_user_id": "ALICE"})):
        body = service.call("POST", "/v1/transit/sign/k", {"input": HELLO, **extra})[2]
        signature = base64.b64decode(body["data"]["signature"].split(":")[2])
        public.verify(signature, b"hello", user_id)


def test_sm2_prehashed_input_is_e(service: VaultService) -> None:
    service.pool.create("k", "sm2", USER)
    shown = service.call("GET", "/v1/transit/keys/k", token="auditor")[2]["data"]
    lines = shown["keys"]["1"]["public_key"].splitlines()
    public = sm2.PublicKey(base64.b64decode("".join(lines[1:-1])))
    e = public.message_digest(b"hello")
    body = service.call("POST", "/v1/transit/sign/k", {"input": b64(e), "prehashed": True})[2]
    checked = {"input": HELLO, "signature": body["data"]["signature"]}
    assert service.call("POST", "/v1/transit/verify/k", checked)[2]["data"] == {"valid": True}


@pytest.mark.parametrize(
    ("key_type", "fields"),
    [
        ("sm2", {"hash_algorithm": "sha2-256"}),
        ("sm2", {"prehashed": True}),
        ("sm2", {"prehashed": True, "sm2_user_id": "x", "input": b64(bytes(32))}),
        ("ecdsa-p256", {"hash_algorithm": "sm3"}),
        ("ecdsa-p256", {"hash_algorithm": "sha1"}),
        ("ecdsa-p256", {"sm2_user_id": "x"}),
        ("ecdsa-p256", {"input": "not base64"}),
        ("ecdsa-p256", {"input": "aGVsbG8"}),
        ("ecdsa-p256", {"input": None}),
        ("ecdsa-p256", {"key_version": 2}),
        ("ecdsa-p256", {"key_version": "1"}),
        ("ecdsa-p256", {"key_version": -1}),
        ("ecdsa-p256", {"marshaling_algorithm": "pem"}),
        ("ecdsa-p256", {"prehashed": "yes"}),
        ("ed25519", {"prehashed": True}),
        ("rsa-3072", {"salt_length": 9999}),
        ("rsa-3072", {"signature_algorithm": "raw"}),
        ("aes256-gcm96", {}),
        ("hmac", {}),
    ],
)
def test_what_does_not_fit_the_key_is_refused_with_400(
    service: VaultService, key_type: str, fields: dict[str, Any]
) -> None:
    service.pool.create("k", key_type, USER)
    status, headers, body = service.call("POST", "/v1/transit/sign/k", {"input": HELLO, **fields})
    assert (status, headers["content-type"]) == (400, "application/json")
    assert list(body) == ["errors"]


@pytest.mark.parametrize(
    "signature",
    [
        "",
        None,
        "vault:v1:",
        "vault:v0:AAAA",
        "vault:v01:AAAA",
        "vault:v2:AAAA",
        "vault:v1:AA AA",
        "vault:v999999999999:AAAA",
        "MEUCIQ",
        7,
    ],
)
def test_malformed_signatures_are_refused_and_never_valid(
    service: VaultService, signature: object
) -> None:
    service.pool.create("k", "ecdsa-p256", USER)
    fields = {"input": HELLO, "signature": signature}
    status, _, body = service.call("POST", "/v1/transit/verify/k", fields)
    assert status == 400 or body["data"] == {"valid": False}


def test_the_matrix_of_tokens(service: VaultService) -> None:
    service.pool.create("k", "ecdsa-p256", USER, TOKENS["app"])
    service.pool.services.key_control.grant_key(TOKENS["keeper"], "k", "client:cli_app", ["sign"])
    sign = ("POST", "/v1/transit/sign/k", {"input": HELLO})
    expected = {"user": 200, "app": 200, "other": 403, "keeper": 403, "staff": 403, "": 401}
    assert {token: service.call(*sign, token=token)[0] for token in expected} == expected
    create = ("POST", "/v1/transit/keys/new", {"type": "sm2"})
    expected = {"user": 403, "auditor": 403, "keeper-1": 401, "": 401, "wrong": 401, "keeper": 200}
    assert {token: service.call(*create, token=token)[0] for token in expected} == expected


def test_a_person_signs_opens_and_exports_only_with_two_factors(service: VaultService) -> None:
    service.pool.create("k", "sm2", USER, exportable=True)
    for method, path in (
        ("POST", "/v1/transit/sign/k"),
        ("POST", "/v1/transit/decrypt/k"),
        ("POST", "/v1/transit/datakey/plaintext/k"),
        ("GET", "/v1/transit/export/signing-key/k"),
    ):
        status, headers, _ = service.call(method, path, {"input": HELLO}, token="user-1")
        assert (status, "acr_values" in headers["www-authenticate"]) == (401, True), path
    checked = {"input": HELLO, "signature": "vault:v1:AAAA"}
    assert service.call("POST", "/v1/transit/verify/k", checked, token="user-1")[0] == 200


def test_a_missing_key_is_404_and_its_error_names_the_code(service: VaultService) -> None:
    status, _, body = service.call("POST", "/v1/transit/sign/nothing", {"input": HELLO})
    assert status == 404
    assert body["errors"][0].startswith("kms.key_not_found")


def test_a_suspended_key_is_403_with_the_reason(service: VaultService) -> None:
    service.pool.create("k", "ecdsa-p256", USER)
    path = "/api/v1/kms/keys/k"
    assert service.call("POST", f"{path}/suspend", {"reason": "risk"}, token="keeper")[0] == 200
    status, _, body = service.call("POST", "/v1/transit/sign/k", {"input": HELLO})
    assert (status, body["errors"][0].split(":")[0]) == (403, "kms.key_suspended")
    assert service.call("POST", f"{path}/resume", {}, token="keeper")[0] == 200
    assert service.call("POST", "/v1/transit/sign/k", {"input": HELLO})[0] == 200


def test_a_locked_pool_is_503_until_it_is_unlocked(service: VaultService, clock: FakeClock) -> None:
    service.pool.create("k", "ecdsa-p256", USER)
    assert service.call("GET", "/v1/sys/health", token="")[0] == 200
    assert service.call("PUT", "/v1/sys/seal", {}, token="user")[0] == 403
    assert service.call("PUT", "/v1/sys/seal", {}, token="keeper")[0] == 403
    assert service.call("PUT", "/v1/sys/seal", {}, token="whole")[0] == 204
    assert service.call("GET", "/v1/sys/health", token="")[0] == 503
    assert service.call("GET", "/v1/sys/health?sealedcode=299", token="")[0] == 299
    status, _, body = service.call("POST", "/v1/transit/sign/k", {"input": HELLO})
    assert (status, body["errors"][0].split(":")[0]) == (503, "kms.pool_locked")
    assert service.call("GET", "/v1/sys/seal-status", token="")[2]["sealed"] is True
    assert service.call("POST", "/v1/sys/unseal", {"key": "wrong"}, token="")[0] == 403
    assert service.call("POST", "/v1/sys/unseal", {"key": PASSPHRASE}, token="")[0] == 429
    clock.advance(2_000_000)
    opened = service.call("POST", "/v1/sys/unseal", {"key": PASSPHRASE}, token="")
    assert (opened[0], opened[2]["sealed"]) == (200, False)
    assert service.call("POST", "/v1/transit/sign/k", {"input": HELLO})[0] == 200


def test_a_batch_answers_in_order_and_names_each_failure(service: VaultService) -> None:
    service.pool.create("k", "ecdsa-p256", USER)
    items = [{"input": HELLO, "reference": "a"}, {"input": "?", "reference": "b"}, {"input": HELLO}]
    status, _, body = service.call("POST", "/v1/transit/sign/k", {"batch_input": items})
    results = body["data"]["batch_results"]
    assert status == 200
    assert [sorted(result) for result in results] == [
        ["key_version", "reference", "signature"],
        ["error", "reference"],
        ["key_version", "signature"],
    ]
    checks = [{"input": HELLO, "signature": results[0]["signature"]}, {"input": HELLO}]
    answer = service.call("POST", "/v1/transit/verify/k", {"batch_input": checks})[2]
    assert answer["data"]["batch_results"][0] == {"valid": True}
    assert "error" in answer["data"]["batch_results"][1]


def test_a_failed_item_of_an_encryption_batch_fails_the_request_unless_told(
    service: VaultService,
) -> None:
    service.pool.create("k", "aes256-gcm96", USER)
    items = [{"plaintext": HELLO}, {"plaintext": "?"}]
    asked: dict[str, Any] = {"batch_input": items}
    assert service.call("POST", "/v1/transit/encrypt/k", asked)[0] == 400
    asked["partial_failure_response_code"] = 207
    status, _, body = service.call("POST", "/v1/transit/encrypt/k", asked)
    assert (status, len(body["data"]["batch_results"])) == (207, 2)


@pytest.mark.parametrize("batch", [[], {}, "x", [1], [{}] * 1001])
def test_a_batch_of_another_form_is_refused(service: VaultService, batch: object) -> None:
    service.pool.create("k", "ecdsa-p256", USER)
    assert service.call("POST", "/v1/transit/sign/k", {"batch_input": batch})[0] == 400


def test_rewrap_brings_a_ciphertext_to_the_latest_version(
    service: VaultService, clock: FakeClock
) -> None:
    service.pool.create("k", "sm4-gcm96", USER)
    old = service.call("POST", "/v1/transit/encrypt/k", {"plaintext": HELLO})[2]["data"]
    assert service.call("POST", "/v1/transit/keys/k/rotate", {}, token="keeper")[0] == 200
    clock.advance(2_000_000)
    asked = {"ciphertext": old["ciphertext"]}
    new = service.call("POST", "/v1/transit/rewrap/k", asked)[2]["data"]
    assert new["ciphertext"].startswith("vault:v2:")
    opened = service.call("POST", "/v1/transit/decrypt/k", {"ciphertext": new["ciphertext"]})[2]
    assert opened["data"] == {"plaintext": HELLO}


def test_keys_are_trimmed_only_below_both_minimums(service: VaultService, clock: FakeClock) -> None:
    service.pool.create("k", "aes256-gcm96", USER)
    service.call("POST", "/v1/transit/keys/k/rotate", {}, token="keeper")
    trim = ("POST", "/v1/transit/keys/k/trim", {"min_available_version": 2})
    assert service.call(*trim, token="keeper")[0] == 400
    minimums = {"min_decryption_version": 2, "min_encryption_version": 2}
    assert service.call("POST", "/v1/transit/keys/k/config", minimums, token="keeper")[0] == 200
    assert service.call(*trim, token="keeper")[0] == 204
    shown = service.call("GET", "/v1/transit/keys/k", token="auditor")[2]["data"]
    assert list(shown["keys"]) == ["2"]
    assert service.call("POST", "/v1/transit/encrypt/k", {"plaintext": HELLO})[0] == 200


def test_only_an_exportable_key_is_exported_and_that_leaves_two_leaves(
    service: VaultService,
) -> None:
    service.pool.create("kept", "ecdsa-p256", USER)
    service.pool.create("let-out", "ecdsa-p256", USER, exportable=True)
    assert service.call("GET", "/v1/transit/export/signing-key/kept")[0] == 400
    assert service.call("GET", "/v1/transit/export/encryption-key/let-out")[0] == 400
    assert service.call("GET", "/v1/transit/export/signing-key/let-out", token="app")[0] != 200
    data = service.call("GET", "/v1/transit/export/signing-key/let-out/latest")[2]["data"]
    lines = data["keys"]["1"].splitlines()
    key = signatures.private_key("ecdsa-p256", base64.b64decode("".join(lines[1:-1])))
    made = service.call("POST", "/v1/transit/sign/let-out", {"input": HELLO})[2]["data"]
    signature = base64.b64decode(made["signature"].split(":")[2])
    key.public_key.verify(signature, b"hello", DEFAULT)


def test_a_key_is_listed_by_both_of_vaults_ways_and_an_empty_list_is_404(
    service: VaultService,
) -> None:
    assert service.call("LIST", "/v1/transit/keys", token="keeper")[0] == 404
    service.pool.create("b", "sm2")
    service.pool.create("a", "sm2")
    for method, path in (("LIST", "/v1/transit/keys"), ("GET", "/v1/transit/keys?list=true")):
        assert service.call(method, path, token="keeper")[2]["data"] == {"keys": ["a", "b"]}
    assert service.call("GET", "/v1/transit/keys", token="keeper")[0] == 404


def test_keys_are_listed_in_pages(service: VaultService) -> None:
    for name in "bca":
        service.pool.create(name, "ed25519")
    first = service.call("GET", "/api/v1/kms/keys?limit=2", token="auditor")[2]
    assert [row["name"] for row in first["items"]] == ["a", "b"]
    path = f"/api/v1/kms/keys?limit=2&cursor={first['next']}"
    rest = service.call("GET", path, token="auditor")[2]
    assert ([row["name"] for row in rest["items"]], rest["next"]) == (["c"], None)
    assert service.call("GET", "/api/v1/kms/keys", token="user")[2]["items"] == []
    assert service.call("GET", "/api/v1/kms/keys?limit=x", token="user")[0] == 400


def test_grants_are_given_and_taken_over_http(service: VaultService, clock: FakeClock) -> None:
    service.pool.create("k", "ecdsa-p256")
    grants = "/api/v1/kms/keys/k/grants"
    asked = {"subject": "acc_user", "operations": ["sign"]}
    assert service.call("POST", grants, asked, token="user")[0] == 403
    assert service.call("POST", grants, {**asked, "operations": ["all"]}, token="keeper")[0] == 400
    assert service.call("POST", grants, asked, token="keeper")[0] == 200
    clock.advance(2_000_000)
    assert service.call("POST", "/v1/transit/sign/k", {"input": HELLO})[0] == 200
    assert service.call("DELETE", f"{grants}/acc_user", token="keeper")[0] == 204
    clock.advance(2_000_000)
    assert service.call("POST", "/v1/transit/sign/k", {"input": HELLO})[0] == 403
    assert service.call("DELETE", f"{grants}/acc_user", token="keeper")[0] == 404


def test_routes_that_use_keys_are_fast_and_speak_vaults_errors(service: VaultService) -> None:
    table = routes(service.pool.services)
    transit = [route for route in table if route.path.startswith("/v1/")]
    assert {route.form for route in transit} == {"vault"}
    for word in ("sign", "verify", "encrypt", "decrypt", "hmac"):
        assert all(route.fast for route in transit if route.path.startswith(f"/v1/transit/{word}/"))


# hvac, the client most Vault users have


def test_hvac_signs_and_verifies(service: VaultService) -> None:
    keeper, user = service.hvac_client("keeper"), service.hvac_client("user")
    keeper.secrets.transit.create_key("doc", key_type="ecdsa-p256")
    service.pool.services.key_control.grant_key(
        TOKENS["keeper"], "doc", "acc_user", ["sign", "verify"]
    )
    made = user.secrets.transit.sign_data("doc", HELLO)["data"]["signature"]
    checked = user.secrets.transit.verify_signed_data("doc", HELLO, signature=made)
    assert checked["data"]["valid"] is True
    with pytest.raises(hvac.exceptions.Forbidden):
        user.secrets.transit.create_key("mine")


def test_hvac_encrypts_rotates_and_deletes(service: VaultService, clock: FakeClock) -> None:
    keeper, user = service.hvac_client("keeper"), service.hvac_client("user")
    service.pool.create("box", "aes256-gcm96", USER)
    text = user.secrets.transit.encrypt_data("box", plaintext=HELLO)["data"]["ciphertext"]
    keeper.secrets.transit.rotate_key("box")
    clock.advance(2_000_000)
    assert user.secrets.transit.decrypt_data("box", text)["data"]["plaintext"] == HELLO
    read = keeper.secrets.transit.read_key("box")["data"]
    assert (read["latest_version"], sorted(read["keys"])) == (2, ["1", "2"])
    assert keeper.secrets.transit.list_keys()["data"]["keys"] == ["box"]
    with pytest.raises(hvac.exceptions.InvalidRequest, match="deletion is not allowed"):
        keeper.secrets.transit.delete_key("box")
    keeper.secrets.transit.update_key_configuration("box", deletion_allowed=True)
    keeper.secrets.transit.delete_key("box")
    with pytest.raises(hvac.exceptions.InvalidPath):
        keeper.secrets.transit.list_keys()


def test_hvac_hmacs_hashes_and_draws_random_bytes(service: VaultService) -> None:
    user = service.hvac_client("user")
    service.pool.create("tag", "hmac", USER)
    made = user.secrets.transit.generate_hmac("tag", HELLO)["data"]["hmac"]
    checked = user.secrets.transit.verify_signed_data("tag", HELLO, hmac=made)
    assert checked["data"]["valid"] is True
    hashed = user.secrets.transit.hash_data(HELLO, algorithm="sha2-256", output_format="hex")
    expected = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert hashed["data"]["sum"] == expected
    drawn = user.secrets.transit.generate_random_bytes(n_bytes=16, output_format="base64")
    assert len(base64.b64decode(drawn["data"]["random_bytes"])) == 16
    service.pool.create("wrap", "aes256-gcm96", USER)
    data_key = user.secrets.transit.generate_data_key("wrap", key_type="plaintext")["data"]
    opened = user.secrets.transit.decrypt_data("wrap", data_key["ciphertext"])["data"]
    assert opened["plaintext"] == data_key["plaintext"]


def test_hvac_reads_the_pools_state(service: VaultService) -> None:
    client = service.hvac_client("whole")
    assert client.sys.is_initialized()
    assert not client.sys.is_sealed()
    client.sys.seal()
    assert client.sys.is_sealed()
    assert client.sys.submit_unseal_key(PASSPHRASE)["sealed"] is False


def test_der_signatures_have_one_form_here_too(service: VaultService) -> None:
    service.pool.create("k", "ecdsa-p256", USER)
    made = service.call("POST", "/v1/transit/sign/k", {"input": HELLO})[2]["data"]["signature"]
    signature = base64.b64decode(made.split(":")[2])
    padded = der.encode_sequence(*(b"\x02\x21\x00" + bytes(32),) * 2)
    for bad in (signature + b"\0", padded):
        fields = {"input": HELLO, "signature": f"vault:v1:{b64(bad)}"}
        answer = service.call("POST", "/v1/transit/verify/k", fields)
        assert answer[2].get("data", {"valid": False}) == {"valid": False}


@pytest.mark.parametrize(
    ("method", "path", "body", "token"),
    [
        ("POST", "/v1/transit/keys/new", {"type": "sm2", "derived": True}, "keeper"),
        ("POST", "/v1/transit/keys/new", {"type": 7}, "keeper"),
        ("POST", "/v1/transit/keys/k/config", {"auto_rotate_period": "1x"}, "keeper"),
        ("POST", "/v1/transit/keys/k/trim", {"min_available_version": "2"}, "keeper"),
        ("POST", "/api/v1/kms/keys/k/grants", {"subject": "x", "operations": "sign"}, "keeper"),
        ("POST", "/v1/sys/unseal", {"key": 7}, ""),
        ("POST", "/v1/transit/datakey/both/k", {}, "user"),
        ("POST", "/v1/transit/datakey/wrapped/k", {"bits": 100}, "user"),
        ("POST", "/v1/transit/random", {"bytes": 0}, "user"),
        ("POST", "/v1/transit/random", {"format": "binary"}, "user"),
        ("POST", "/v1/transit/random/1000000", {}, "user"),
        ("POST", "/v1/transit/hash/md5", {"input": HELLO}, "user"),
        ("GET", "/v1/transit/export/encryption-key/out/9", None, "user"),
    ],
)
def test_requests_of_another_form_are_400(
    service: VaultService, method: str, path: str, body: Any, token: str
) -> None:
    service.pool.create("k", "aes256-gcm96", USER)
    service.pool.create("out", "aes256-gcm96", USER, exportable=True)
    assert service.call(method, path, body, token=token)[0] == 400


def test_small_answers_have_vaults_shapes(service: VaultService) -> None:
    service.pool.create("k", "aes256-gcm96", USER)
    wrapped = service.call("POST", "/v1/transit/datakey/wrapped/k", {})[2]["data"]
    assert sorted(wrapped) == ["ciphertext", "key_version"]
    drawn = service.call("POST", "/v1/transit/random/8", {"format": "hex"})[2]["data"]
    assert len(drawn["random_bytes"]) == 16
    hashed = service.call("POST", "/v1/transit/hash/sm3", {"input": b64(b"abc")})[2]["data"]
    assert hashed["sum"].startswith("66c7f0f462eeedd9")
    reset = service.call("POST", "/v1/sys/unseal", {"reset": True}, token="")
    assert (reset[0], reset[2]["progress"]) == (200, 0)
    put = service.call("PUT", "/v1/transit/keys/new", {"type": "ed25519"}, token="keeper")
    assert put[2]["data"]["type"] == "ed25519"


def test_exporting_chosen_versions(service: VaultService) -> None:
    service.pool.create("out", "aes256-gcm96", USER, exportable=True)
    service.pool.create("tag", "hmac", USER, exportable=True)
    one = service.call("GET", "/v1/transit/export/encryption-key/out/1")[2]["data"]
    assert len(base64.b64decode(one["keys"]["1"])) == 32
    every = service.call("GET", "/v1/transit/export/hmac-key/tag")[2]["data"]
    assert list(every["keys"]) == ["1"]


def test_every_signature_is_durable_before_it_is_answered(service: VaultService) -> None:
    service.pool.create("k", "ed25519", USER)
    journal = service.pool.spine.journal
    seen: list[Any] = []
    append = journal.append

    def watched(acts: Any) -> Any:
        seen.extend(acts)
        return append(acts)

    journal.append = watched  # type: ignore[method-assign] - to see what goes through the door
    _, headers, _ = service.call("POST", "/v1/transit/sign/k", {"input": HELLO})
    act = seen[-1]
    assert (act.action, act.outcome) == ("kms.sign", "done")
    assert act.request_id == headers["x-request-id"]
    expected = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert act.details["input_sha256"] == expected
    assert service.call("POST", "/v1/transit/sign/k", {"input": HELLO}, token="other")[0] == 403
    assert (seen[-1].action, seen[-1].outcome) == ("web.sign", "refused")
