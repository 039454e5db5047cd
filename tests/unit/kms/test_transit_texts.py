"""Transit's texts and options, and the rules of a key's versions and states."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.keys import lifecycle
from kms.core.keys.binding import grant_record, key_record, version_record, wrapping_context
from kms.core.transit import requests, texts
from kms.core.transit.description import describe_key
from kms.errors.keys import (
    KeyDestroyed,
    KeyNotGranted,
    KeySuspended,
    OperationUnsupported,
    VersionUnavailable,
)
from kms.models.keys import KEY_TYPES, Key, KeyGrant, KeyVersion, LoadedKey
from secops.crypto import der, sm2
from secops.crypto.options import AUTO_SALT
from secops.kernel.errors import Invalid

KEY = Key("key_1", "org_1", "transit", "k", "sm2", 1_000_000, latest_version=3)
scalars = st.integers(1, sm2.ORDER - 1)


def key(key_type: str, **changes: Any) -> Key:
    return replace(KEY, type=key_type, **changes)


@given(st.binary(max_size=200))
def test_base64_comes_back_and_has_one_form(data: bytes) -> None:
    text = texts.encode_base64(data)
    assert texts.decode_base64(text, "input") == data
    assert base64.b64decode(text) == data


@given(st.text(max_size=40))
def test_text_that_decodes_is_the_canonical_form(text: str) -> None:
    try:
        data = texts.decode_base64(text, "input")
    except Invalid:
        return
    assert base64.b64encode(data)[:-3].decode() == text[: len(base64.b64encode(data)) - 3]
    assert len(base64.b64encode(data)) == len(text)


@pytest.mark.parametrize("bad", [None, 7, b"aGk=", "aGk", "aGk==", "aG k=", "aGk=\n", "é", "-_-_"])
def test_other_base64_is_refused(bad: object) -> None:
    with pytest.raises(Invalid):
        texts.decode_base64(bad, "input")


@given(st.integers(1, 999_999_999), st.sampled_from(["", "AA==", "a-b_"]))
def test_marked_texts_come_back(version: int, payload: str) -> None:
    assert texts.read_text(texts.write_text(version, payload), "x") == (version, payload)


@given(scalars, scalars, st.sampled_from(["asn1", "jws", "raw"]))
def test_signatures_come_back_from_every_marshaling(r: int, s: int, marshaling: Any) -> None:
    signature = der.encode_sequence(der.encode_unsigned(r), der.encode_unsigned(s))
    text = texts.marshal_signature("sm2", signature, marshaling)
    assert texts.unmarshal_signature("sm2", text, marshaling) == signature


@pytest.mark.parametrize("bad", ["AA==", "A+A", "A/A", "AAAA", "A"])
def test_a_jws_signature_has_one_form(bad: str) -> None:
    with pytest.raises(Invalid):
        texts.unmarshal_signature("sm2", bad, "jws")


@pytest.mark.parametrize(
    ("key_type", "body", "expected"),
    [
        ("sm2", {}, "sm3"),
        ("ecdsa-p384", {}, "sha256"),
        ("ecdsa-p256", {"hash_algorithm": "sha2-512"}, "sha512"),
        ("rsa-3072", {"algorithm": "sha2-384"}, "sha384"),
        ("ed25519", {"hash_algorithm": "sm3"}, "sm3"),
    ],
)
def test_the_hash_follows_the_key(key_type: str, body: Any, expected: str) -> None:
    assert requests.signature_request(key(key_type), body).options.hash_name == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, AUTO_SALT) for value in (None, "auto", 0, "0")),
        *((value, None) for value in ("hash", -1, "-1")),
        ("20", 20),
        (1, 1),
    ],
)
def test_salt_lengths_are_words_or_numbers(value: Any, expected: int | None) -> None:
    found = requests.signature_request(key("rsa-3072"), {"salt_length": value})
    assert found.options.salt_length == expected


@pytest.mark.parametrize("value", ["-2", -2, True, 1.5, "max", 513])
def test_other_salt_lengths_are_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        requests.signature_request(key("rsa-3072"), {"salt_length": value})


@pytest.mark.parametrize("value", [7, "x" * 8_192, b"id"])
def test_a_user_id_is_text_of_bounded_length(value: Any) -> None:
    with pytest.raises(Invalid):
        requests.signature_request(key("sm2"), {"sm2_user_id": value})


def test_context_is_for_derived_keys_and_nonces_are_never_given() -> None:
    assert requests.derivation_context(KEY, {"context": "", "nonce": ""}) is None
    for body in ({"context": "eA=="}, {"nonce": "eA=="}):
        with pytest.raises(Invalid):
            requests.derivation_context(KEY, body)
    derived = key("aes256-gcm96", derived=True)
    assert requests.derivation_context(derived, {"context": "eA=="}) == b"x"
    assert requests.derivation_context(derived, {}) == b""


def test_associated_data_is_decoded() -> None:
    assert requests.associated_data({}) == b""
    assert requests.associated_data({"associated_data": "aGk="}) == b"hi"


WORDS = (
    "hash_algorithm",
    "algorithm",
    "prehashed",
    "signature_algorithm",
    "marshaling_algorithm",
    "salt_length",
    "sm2_user_id",
    "key_version",
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 9),
    st.text(max_size=5),
    st.sampled_from(["sm3", "sha2-256", "pss", "pkcs1v15", "jws", "asn1", "auto"]),
    st.lists(st.integers(), max_size=2),
)


@given(st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=6))
def test_any_request_is_read_or_refused(body: dict[str, Any]) -> None:
    for key_type in KEY_TYPES:
        try:
            requests.signature_request(key(key_type), body)
        except Invalid:
            continue


def test_versions_are_bounded_by_minimums() -> None:
    bounded = replace(KEY, min_decryption_version=2)
    assert lifecycle.producing_version(bounded, 0) == 3
    assert lifecycle.producing_version(bounded, 2) == 2
    assert lifecycle.consuming_version(bounded, 2) == 2
    for wanted in (1, 4):
        with pytest.raises(VersionUnavailable):
            lifecycle.producing_version(bounded, wanted)
        with pytest.raises(VersionUnavailable):
            lifecycle.consuming_version(bounded, wanted)
    with pytest.raises(VersionUnavailable):
        lifecycle.consuming_version(bounded, 0)


def test_minimums_can_not_contradict_each_other() -> None:
    done = lifecycle.configured(KEY, {"min_decryption_version": 0, "min_encryption_version": 2}, 7)
    assert (done.min_decryption_version, done.min_encryption_version) == (1, 2)
    with pytest.raises(Invalid):
        lifecycle.configured(KEY, {"min_decryption_version": 3, "min_encryption_version": 2}, 7)
    trimmed = lifecycle.trimmed(replace(KEY, min_decryption_version=2, min_encryption_version=2), 2)
    with pytest.raises(Invalid):
        lifecycle.configured(trimmed, {"min_decryption_version": 1}, 7)
    for minimum in (1, 3):
        with pytest.raises(Invalid):
            lifecycle.trimmed(trimmed, minimum)
    with pytest.raises(Invalid):
        lifecycle.trimmed(KEY, 1)


def test_exportable_never_goes_back() -> None:
    exportable = lifecycle.configured(KEY, {"exportable": True}, 7)
    assert lifecycle.configured(exportable, {"exportable": False}, 7).exportable


def test_a_state_decides_what_may_be_done() -> None:
    loaded = LoadedKey(KEY, {}, {"account:a": frozenset({"sign", "encrypt", "verify"})})
    lifecycle.demand_operation(loaded, "sign", "account:a")
    with pytest.raises(KeyNotGranted):
        lifecycle.demand_operation(loaded, "decrypt", "account:a")
    with pytest.raises(KeyNotGranted):
        lifecycle.demand_operation(loaded, "sign", "client:a")
    with pytest.raises(KeySuspended):
        lifecycle.demand_active(replace(KEY, state="suspended"))
    with pytest.raises(KeyDestroyed):
        lifecycle.rotated(replace(KEY, state="destroyed"), 7)
    with pytest.raises(KeyDestroyed):
        lifecycle.configured(replace(KEY, state="destroyed"), {}, 7)
    with pytest.raises(OperationUnsupported):
        lifecycle.demand_operation(replace(loaded, key=key("ed25519")), "encrypt", "account:a")


def test_what_rows_are_bound_to_differs_in_every_part() -> None:
    contexts = {
        wrapping_context(changed, number)
        for changed in (KEY, replace(KEY, id="key_2"), replace(KEY, org_id="o"), key("ed25519"))
        for number in (1, 2)
    }
    assert len(contexts) == 8
    version = KeyVersion("key_1", 1, 0, b"p", b"w")
    grant = KeyGrant("key_1", "account:a", frozenset({"sign"}), 0)
    records = {
        key_record(KEY),
        key_record(replace(KEY, state="suspended")),
        version_record(version),
        version_record(replace(version, public_key=b"q")),
        version_record(replace(version, wrapped=b"x")),
        grant_record(grant),
        grant_record(replace(grant, operations=frozenset({"sign", "export"}))),
        grant_record(replace(grant, subject="client:a")),
    }
    assert len(records) == 8


def test_a_symmetric_keys_description_gives_seconds_and_ed25519s_raw_bytes() -> None:
    symmetric = LoadedKey(
        key("aes256-gcm96", min_decryption_version=2),
        {n: KeyVersion("key_1", n, n * 1_000_000, b"", b"w") for n in (1, 2, 3)},
        {},
    )
    assert describe_key(symmetric)["keys"] == {"2": 2, "3": 3}
    spki = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
    edwards = LoadedKey(key("ed25519"), {1: KeyVersion("key_1", 1, 0, spki, b"w")}, {})
    shown = describe_key(edwards)["keys"]["1"]
    assert base64.b64decode(shown["public_key"]) == bytes(range(32))
