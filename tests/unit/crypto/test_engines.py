"""Engines: known answers at start, refusal of a broken one, every algorithm's edges."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from secops.crypto import ciphers, ecdsa, engines, hashes, known_answers, self_test, signatures, sm2
from secops.crypto.asymmetric import write_public
from secops.crypto.engines import power_on_self_test, require_engine
from secops.crypto.errors import (
    DecryptionFailed,
    EngineUnavailable,
    InvalidKey,
    InvalidSignature,
    MalformedEncoding,
    WrongAnswer,
)
from secops.crypto.options import AUTO_SALT, DEFAULT, SignatureOptions
from secops.crypto.self_test import KNOWN_ANSWER_TESTS
from secops.kernel.errors import Invalid


@pytest.fixture(autouse=True)
def _own_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_defects", {})


def test_all_engines_give_their_known_answers_within_two_seconds() -> None:
    started = time.monotonic()
    report = power_on_self_test()
    assert report.passed
    report.require_sound()
    assert set(report.defects) == set(KNOWN_ANSWER_TESTS)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("engine", "constant", "value"),
    [
        ("hash", "HASHES", {"sm3": bytes(32)}),
        ("hmac", "HMAC_SM3_TAG", bytes(32)),
        ("hmac", "HMAC_SHA256_TAG", bytes(32)),
        ("hmac", "HKDF_OUTPUT", bytes(42)),
        ("aes-gcm", "AES_GCM_PLAINTEXT", b"another"),
        ("sm4-gcm", "SM4_GCM_CIPHERTEXT", bytes(80)),
        ("sm4-modes", "SM4_BLOCK", bytes(16)),
        ("sm4-modes", "SM4_CBC_CIPHERTEXT", bytes(32)),
        ("sm4-modes", "SM4_CTR_CIPHERTEXT", bytes(64)),
        ("sm4-modes", "SM4_CCM_CIPHERTEXT", bytes(80)),
        ("chacha20-poly1305", "CHACHA_PLAINTEXT", b"another"),
        ("sm2", "SM2_MESSAGE_DIGEST", bytes(32)),
        ("sm2", "SM2_MESSAGE", b"another"),
        ("sm2", "SM2_PLAINTEXT", b"another"),
        ("ecdsa", "ECDSA_MESSAGE", b"another"),
        ("ed25519", "ED25519_SIGNATURE", bytes(64)),
        ("rsa", "RSA_MESSAGE", b"another"),
        ("ml-dsa", "ML_DSA_SEED", bytes(32)),
    ],
)
def test_an_engine_with_a_wrong_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch, engine: str, constant: str, value: object
) -> None:
    monkeypatch.setattr(known_answers, constant, value)
    report = power_on_self_test()
    assert [name for name, defect in report.defects.items() if defect] == [engine]
    with pytest.raises(EngineUnavailable):
        require_engine(engine)
    with pytest.raises(WrongAnswer, match=engine):
        report.require_sound()


def test_an_engine_that_accepts_anything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ciphers, "unseal", lambda *_, **__: known_answers.AES_GCM_PLAINTEXT)
    assert "accepts a changed input" in str(power_on_self_test().defects["aes-gcm"])


def test_an_engine_that_raises_something_strange_is_refused() -> None:
    def broken() -> None:
        msg = "unexpected"
        raise RuntimeError(msg)

    report = power_on_self_test({"sm2": broken})
    assert report.defects == {"sm2": "RuntimeError"}
    with pytest.raises(EngineUnavailable):
        signatures.generate("sm2")


def test_an_absent_engine_is_refused_and_stops_nothing_else() -> None:
    def absent() -> None:
        msg = "libcrypto.so.3 was not found"
        raise EngineUnavailable(msg)

    report = power_on_self_test({"sm2": absent, "hash": self_test.check_hashes})
    report.require_sound()
    assert (report.passed, report.absent) == (False, {"sm2"})
    with pytest.raises(EngineUnavailable):
        require_engine("sm2")


def test_an_engine_is_tested_when_it_is_first_required(monkeypatch: pytest.MonkeyPatch) -> None:
    tested: list[str] = []
    monkeypatch.setitem(
        self_test.KNOWN_ANSWER_TESTS,  # type: ignore[arg-type] - a dict behind the Mapping
        "sm2",
        lambda: tested.append("sm2"),
    )
    require_engine("sm2")
    require_engine("sm2")
    assert tested == ["sm2"]


@pytest.mark.parametrize("algorithm", signatures.ALGORITHMS)
def test_every_algorithm_signs_and_refuses_a_change(algorithm: str) -> None:
    key = signatures.private_key(algorithm, signatures.generate(algorithm))
    signature = key.sign(b"message", DEFAULT)
    public = signatures.public_key(algorithm, key.public_key.der)
    public.verify(signature, b"message", DEFAULT)
    for bad, message in (
        (signature, b"massage"),
        (signature[:-1], b"message"),
        (b"", b"message"),
        (signature + b"\0", b"message"),
    ):
        with pytest.raises(InvalidSignature):
            public.verify(bad, message, DEFAULT)


@pytest.mark.parametrize("algorithm", ["sm2", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"])
def test_signatures_of_two_numbers_have_a_raw_form(algorithm: str) -> None:
    key = signatures.private_key(algorithm, signatures.generate(algorithm))
    signature = key.sign(b"message", DEFAULT)
    raw = signatures.to_raw(algorithm, signature)
    assert len(raw) == {"ecdsa-p384": 96, "ecdsa-p521": 132}.get(algorithm, 64)
    assert signatures.from_raw(algorithm, raw) == signature


@pytest.mark.parametrize("algorithm", list(ecdsa.CURVES))
def test_the_order_of_a_curve_is_the_first_number_that_is_no_key(algorithm: str) -> None:
    curve, order = ecdsa.CURVES[algorithm], ecdsa.ORDERS[algorithm]
    assert ec.derive_private_key(order - 1, curve).private_numbers().private_value == order - 1
    with pytest.raises(ValueError, match="out of range"):
        ec.derive_private_key(order, curve)


def test_other_signatures_stay_as_they_are() -> None:
    assert signatures.to_raw("ed25519", b"x" * 64) == signatures.from_raw("ed25519", b"x" * 64)


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "rsa-3072", "sm2"])
def test_a_digest_can_be_signed_instead_of_a_message(algorithm: str) -> None:
    key = signatures.private_key(algorithm, signatures.generate(algorithm))
    prehashed = SignatureOptions(prehashed=True)
    digest = hashes.sha256(b"message")
    if algorithm == "sm2":
        digest = sm2.PublicKey(key.public_key.der).message_digest(b"message")
    key.public_key.verify(key.sign(digest, prehashed), b"message", DEFAULT)
    key.public_key.verify(key.sign(b"message", DEFAULT), digest, prehashed)
    with pytest.raises((Invalid, MalformedEncoding)):
        key.sign(b"too short", prehashed)


def test_rsa_pads_as_it_is_told() -> None:
    key = signatures.private_key("rsa-3072", signatures.generate("rsa-3072"))
    old = SignatureOptions("sha512", padding="pkcs1v15")
    key.public_key.verify(key.sign(b"m", old), b"m", old)
    short = SignatureOptions(salt_length=8)
    key.public_key.verify(key.sign(b"m", short), b"m", short)
    with pytest.raises(InvalidSignature):
        key.public_key.verify(key.sign(b"m", short), b"m", DEFAULT)
    with pytest.raises(InvalidKey):
        key.sign(b"m", SignatureOptions(salt_length=500))
    longest = SignatureOptions(salt_length=AUTO_SALT)
    for options in (longest, short, DEFAULT):
        key.public_key.verify(key.sign(b"m", options), b"m", longest)
    with pytest.raises(InvalidSignature):
        key.public_key.verify(key.sign(b"m", longest), b"m", DEFAULT)


def test_a_key_of_another_algorithm_is_refused() -> None:
    made = {name: signatures.generate(name) for name in ("ecdsa-p256", "ecdsa-p384", "ed25519")}
    for algorithm in ("ecdsa-p256", "ed25519", "rsa-3072", "ml-dsa-65", "sm2"):
        for other, pkcs8 in made.items():
            if other != algorithm:
                with pytest.raises(InvalidKey):
                    signatures.private_key(algorithm, pkcs8)
    with pytest.raises(InvalidKey):
        signatures.public_key("ed25519", known_answers.ECDSA_SPKI)
    with pytest.raises(InvalidKey):
        signatures.public_key("ecdsa-p256", b"rubbish")
    with pytest.raises(InvalidKey):
        signatures.generate("dsa")


def test_short_rsa_keys_are_refused() -> None:
    weak = rsa.generate_private_key(65_537, 1024)  # noqa: S505 - must be refused
    with pytest.raises(InvalidKey):
        signatures.public_key("rsa-3072", write_public(weak.public_key()))


@pytest.mark.parametrize("name", ["aes128-gcm", "aes256-gcm", "sm4-gcm"])
def test_sealed_bytes_open_only_unchanged_and_with_their_associated_data(name: str) -> None:
    key = bytes(range(ciphers.KEY_LENGTHS[name]))
    sealed = ciphers.seal(name, key, bytes(12), b"secret", aad=b"row 7")
    assert ciphers.unseal(name, key, sealed, aad=b"row 7") == b"secret"
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes((sealed[place] ^ 1,)) + sealed[place + 1 :]
        with pytest.raises(DecryptionFailed):
            ciphers.unseal(name, key, changed, aad=b"row 7")
    for bad, aad in ((sealed, b"row 8"), (sealed[:-1], b"row 7"), (b"", b"row 7")):
        with pytest.raises(DecryptionFailed):
            ciphers.unseal(name, key, bad, aad=aad)


def test_keys_and_nonces_have_their_lengths() -> None:
    for key, nonce in ((bytes(31), bytes(12)), (bytes(32), bytes(11))):
        with pytest.raises(InvalidKey):
            ciphers.seal("aes256-gcm", key, nonce, b"")
    with pytest.raises(InvalidKey):
        ciphers.seal("des", bytes(8), bytes(12), b"")


@pytest.mark.parametrize("name", sorted(hashes.NAMES))
def test_keyed_hashes_refuse_a_wrong_or_shortened_tag(name: str) -> None:
    tag = hashes.keyed(name, b"key", b"data")
    hashes.verify_keyed(name, b"key", b"data", tag=tag)
    for bad in (tag[:-1], tag[:16], b"", hashes.keyed(name, b"kez", b"data")):
        with pytest.raises(InvalidSignature):
            hashes.verify_keyed(name, b"key", b"data", tag=bad)


def test_a_running_hash_equals_the_one_shot() -> None:
    running = hashes.stream("sm3")
    running.update(b"a")
    running.update(b"bc")
    assert running.finalize() == hashes.sm3(b"abc")


@pytest.mark.parametrize("name", ["md5", "sha1", ""])
def test_weak_and_unknown_hashes_are_refused(name: str) -> None:
    for attempt in (
        lambda: hashes.digest(name, b""),
        lambda: hashes.keyed(name, b"", b""),
        lambda: hashes.algorithm(name),
    ):
        with pytest.raises(Invalid):
            attempt()


@pytest.mark.parametrize("algorithm", ["sm2", "ecdsa-p256", "ed25519"])
def test_a_new_pair_that_does_not_fit_together_refuses_its_engine(
    monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    signatures.generate(algorithm)
    wrong = signatures.public_key(
        algorithm, signatures.private_key(algorithm, signatures.generate(algorithm)).public_key.der
    )
    monkeypatch.setattr(signatures, "public_key", lambda *_: wrong)
    with pytest.raises(WrongAnswer, match="does not fit together"):
        signatures.generate(algorithm)
    with pytest.raises(EngineUnavailable):
        signatures.generate(algorithm)


def test_an_engine_that_fails_later_is_refused_until_the_process_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert engines.repeat_self_test().passed
    with monkeypatch.context() as broken:
        broken.setattr(known_answers, "AES_GCM_PLAINTEXT", b"another")
        report = engines.repeat_self_test()
    assert [name for name, defect in report.defects.items() if defect] == ["aes-gcm"]
    again = engines.repeat_self_test()
    assert not again.passed
    with pytest.raises(EngineUnavailable):
        require_engine("aes-gcm")
    require_engine("sm4-gcm")


def test_an_engine_that_is_absent_is_told_apart_every_hour_too() -> None:
    def absent() -> None:
        msg = "libcrypto.so.3 was not found"
        raise EngineUnavailable(msg)

    report = engines.repeat_self_test({"sm2": absent})
    assert (report.passed, report.absent) == (False, {"sm2"})
    report.require_sound()


@pytest.mark.parametrize("name", sorted(ciphers.KEY_LENGTHS))
def test_a_key_made_ready_seals_and_opens_as_the_plain_calls_do(name: str) -> None:
    key, nonce = bytes(range(ciphers.KEY_LENGTHS[name])), bytes(range(12))
    ready = ciphers.Sealer(name, key)
    sealed = ready.seal(nonce, b"text", b"aad")
    assert sealed == ciphers.seal(name, key, nonce, b"text", aad=b"aad")
    assert ready.unseal(sealed, b"aad") == ciphers.unseal(name, key, sealed, aad=b"aad") == b"text"
    for bad in (sealed[:-1], sealed[:27], b"", sealed[:-1] + bytes((sealed[-1] ^ 1,))):
        with pytest.raises(DecryptionFailed):
            ready.unseal(bad, b"aad")
    with pytest.raises(DecryptionFailed):
        ready.unseal(sealed, b"other")
    with pytest.raises(InvalidKey):
        ready.seal(nonce[:-1], b"text", b"")
    with pytest.raises(InvalidKey):
        ciphers.Sealer(name, key + b"x")
