"""Signatures of playbooks: SM2 over SM3 over RFC 8785, and every way around them."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.core.cacao20 import check_text
from playbooks.core.cacao20.signing import (
    MAX_SIGNATURES,
    Signee,
    milliseconds,
    new_signature,
    signed_digest,
    verify_signatures,
    with_value,
)
from playbooks.errors.signatures import (
    PlaybookNotInForce,
    PlaybookRevoked,
    PlaybookUnsigned,
    SignatureInvalid,
)
from playbooks.models.signatures import TrustedKey, VerifiedSignature
from secops.crypto import sm2
from secops.crypto.hashes import sm3
from secops.kernel.canonical import canonical
from secops.kernel.clock import from_rfc3339
from tests.fakes.cacao import playbook
from tests.fakes.playbook_signatures import own_key

NOW = from_rfc3339("2026-11-23T08:00:00.000Z")
AT = "2026-11-23T07:00:00.000Z"
OURS = "identity--11111111-1111-4111-8111-111111111111"
JSS = "jss--22222222-2222-4222-8222-222222222222"
OWN, PARTNER = own_key(), own_key("partner")
KEYS = (TrustedKey(OWN.public_key.der), TrustedKey(PARTNER.public_key.der, "foreign"))


def signed(document: dict[str, Any], key: sm2.PrivateKey = OWN, **other: Any) -> dict[str, Any]:
    """Return a signature on ``document``; ``other`` is in it, and signed with it."""
    signee = Signee("临江县数据局", OURS, key.public_key.der)
    bare = {**new_signature(document, signee, identifier=JSS, at=AT), **other}
    return with_value(bare, key.sign(signed_digest(document, bare)))


def verify(document: dict[str, Any], *signatures: dict[str, Any]) -> VerifiedSignature:
    return verify_signatures(document, signatures, KEYS, NOW, own=OURS)


def test_what_is_signed_is_the_sm3_of_the_canonical_playbook_with_the_bare_signature() -> None:
    document = playbook()
    signature = signed(document)
    bare = {key: value for key, value in signature.items() if key != "value"}
    assert sm3(canonical({**document, "signatures": [bare]})) == signed_digest(document, signature)
    raw = base64.urlsafe_b64decode(signature["value"] + "==")
    OWN.public_key.verify(raw, signed_digest(document, bare), b"1234567812345678")
    assert (signature["hash_algorithm"], signature["algorithm"]) == ("sm3", "SM2-SM3")
    assert "=" not in signature["value"]


def test_our_own_vector_of_the_signed_bytes_stays_as_it_is() -> None:
    document = {"id": "playbook--1", "modified": "2026-01-01T00:00:00.000Z", "b": 1.0, "a": "é"}
    signature = {"type": "jss", "value": "gone", "signature": {"gone": 1}, "signee": "x"}
    assert sm3(
        '{"a":"é","b":1,"id":"playbook--1","modified":"2026-01-01T00:00:00.000Z",'
        '"signatures":[{"signee":"x","type":"jss"}]}'.encode()
    ) == signed_digest({**document, "signatures": [{"other": 1}]}, signature)


def test_a_signed_playbook_passes_the_schema_and_keeps_its_hash_and_its_other_signatures() -> None:
    document = playbook()
    plain, _ = check_text(json.dumps(document).encode())
    both = {**document, "signatures": [signed(document), signed(document, PARTNER)]}
    checked, problems = check_text(json.dumps(both, ensure_ascii=False, indent=3).encode())
    assert plain is not None
    assert checked is not None
    assert problems == ()
    assert plain.content_hash == checked.content_hash
    assert verify(dict(checked.document), *both["signatures"]).origin == "own"


def test_times_have_three_digits_after_the_second() -> None:
    assert milliseconds(NOW) == "2026-11-23T08:00:00.000Z"
    assert milliseconds(NOW + 1_234_999) == "2026-11-23T08:00:01.234Z"


def test_a_partners_signature_counts_under_any_identity() -> None:
    document = playbook()
    theirs = signed(document, PARTNER, created_by=OURS.replace("1111", "3333"))
    assert VerifiedSignature(JSS, "临江县数据局", AT, "foreign") == verify(document, theirs)


def test_our_key_signed_for_another_organisation_does_not_count_for_this_one() -> None:
    document = playbook()
    other = signed(document, created_by="identity--44444444-4444-4444-8444-444444444444")
    with pytest.raises(PlaybookUnsigned):
        verify(document, other)


def test_a_stranger_vouches_for_nothing_and_none_is_none() -> None:
    document = playbook()
    with pytest.raises(PlaybookUnsigned):
        verify(document, signed(document, sm2.PrivateKey.generate()))
    with pytest.raises(PlaybookUnsigned):
        verify(document)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_of_the_playbook_passes(place: int, mask: int) -> None:
    document = playbook()
    signature = signed(document)
    text = bytearray(canonical(document))
    text[place % len(text)] ^= mask
    try:
        changed = json.loads(text)
    except ValueError:
        return
    if not isinstance(changed, dict) or not {"id", "modified"} <= changed.keys():
        return
    with pytest.raises(SignatureInvalid):
        verify(changed, signature)


@pytest.mark.parametrize("field", ["signee", "created", "id", "valid_until", "created_by"])
def test_no_field_of_the_signature_is_changed_or_added_afterwards(field: str) -> None:
    document = playbook()
    with pytest.raises(SignatureInvalid):
        verify(document, {**signed(document), field: "2030-01-01T00:00:00.000Z"})


def test_a_signature_is_of_one_version_of_one_playbook() -> None:
    document = playbook()
    signature = signed(document)
    newer = {**document, "modified": "2026-11-22T00:00:00.000Z"}
    other = {**document, "id": "playbook--99999999-9999-4999-8999-999999999999"}
    for moved in (newer, other):
        with pytest.raises(SignatureInvalid):
            verify(moved, signature)
        relabelled = {
            **signature,
            "related_to": moved["id"],
            "related_version": moved["modified"],
        }
        with pytest.raises(SignatureInvalid):
            verify(moved, relabelled)


def test_two_signatures_of_which_one_is_bad_are_refused_whoever_made_them() -> None:
    document = playbook()
    good = signed(document)
    for key in (PARTNER, sm2.PrivateKey.generate()):
        bad = signed({**document, "name": "another"}, key)
        for pair in ((good, bad), (bad, good)):
            with pytest.raises(SignatureInvalid):
                verify(document, *pair)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "ES256"},
        {"algorithm": "sm2-sm3"},
        {"algorithm": "none"},
        {"hash_algorithm": "sha-256"},
        {"hash_algorithm": "md5"},
    ],
)
def test_a_trusted_key_signs_with_no_other_algorithm(change: dict[str, str]) -> None:
    document = playbook()
    with pytest.raises(SignatureInvalid):
        verify(document, signed(document, OWN, **change))


def test_a_strangers_other_algorithm_is_nothing_that_counts() -> None:
    document = playbook()
    theirs = signed(document, sm2.PrivateKey.generate(), algorithm="RS256", hash_algorithm="sha256")
    with pytest.raises(PlaybookUnsigned):
        verify(document, theirs)
    assert verify(document, theirs, signed(document)).origin == "own"


@pytest.mark.parametrize("value", ["", "AAAA", "x" * 200, 7, None, "MEUC!"])
def test_a_value_that_is_no_signature_is_refused(value: Any) -> None:
    document = playbook()
    with pytest.raises(SignatureInvalid):
        verify(document, {**signed(document), "value": value})


def test_a_value_in_another_spelling_is_refused() -> None:
    document = playbook()
    signature = signed(document)
    raw = base64.urlsafe_b64decode(signature["value"] + "=" * (-len(signature["value"]) % 4))
    padded = base64.urlsafe_b64encode(raw).decode() + ("" if len(raw) % 3 else "=")
    for other in (raw.hex(), padded, signature["value"] + "\n"):
        with pytest.raises(SignatureInvalid):
            verify(document, {**signature, "value": other})


def test_the_key_is_named_in_exactly_one_way_and_only_a_key_can_be_compared() -> None:
    document = playbook()
    signature = signed(document)
    with pytest.raises(SignatureInvalid):
        verify(document, {**signature, "thumbprint": "x"})
    keyless = {key: value for key, value in signature.items() if key != "public_key"}
    with pytest.raises(SignatureInvalid):
        verify(document, keyless)
    with pytest.raises(PlaybookUnsigned):
        verify(document, {**keyless, "cert_url": "https://evil.example/key"})
    for broken in ("", "x", "A" * 500, 3):
        with pytest.raises(SignatureInvalid):
            verify(document, {**keyless, "public_key": broken})


def test_a_revoked_or_expired_signature_does_not_count_and_says_why() -> None:
    document = playbook()
    revoked = signed(document, revoked=True)
    expired = signed(document, valid_until="2026-11-23T08:00:00.000Z")
    early = signed(document, valid_from="2026-11-24T00:00:00.000Z")
    for signature, error in (
        (revoked, PlaybookRevoked),
        (expired, PlaybookNotInForce),
        (early, PlaybookNotInForce),
    ):
        with pytest.raises(error):
            verify(document, signature)
        assert verify(document, signature, signed(document, PARTNER)).origin == "foreign"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"revoked": True}, PlaybookRevoked),
        ({"valid_until": "2026-11-23T08:00:00.000Z"}, PlaybookNotInForce),
        ({"valid_from": "2026-11-23T08:00:00.001Z"}, PlaybookNotInForce),
    ],
)
def test_a_signed_playbook_out_of_its_time_is_refused(
    change: dict[str, Any], error: type[Exception]
) -> None:
    document = {**playbook(), **change}
    with pytest.raises(error):
        verify(document, signed(document))


def test_signatures_are_counted() -> None:
    document = playbook()
    with pytest.raises(SignatureInvalid):
        verify(document, *[signed(document)] * (MAX_SIGNATURES + 1))


def test_a_countersignature_leaves_what_it_signs_as_it_was() -> None:
    document = playbook()
    signature = signed(document)
    countersigned = {**copy.deepcopy(signature), "signature": signed(document, PARTNER)}
    assert verify(document, countersigned).origin == "own"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"id": 1, "id": 2}', "duplicate_key"),
        (b'{"signatures": [{"value": "a", "value": "b"}]}', "duplicate_key"),
        (b'{"priority": 1' + b"0" * 5_000 + b"}", "not_json"),
        (b'{"priority": NaN}', "not_json"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "too_deep"),
        (b'"' + b" " * (1 << 20) + b'"', "too_large"),
    ],
)
def test_what_two_readers_could_read_differently_is_no_playbook(text: bytes, code: str) -> None:
    checked, problems = check_text(text)
    assert checked is None
    assert code in {problem.code for problem in problems}


def test_a_number_without_one_form_is_refused_before_anything_is_signed() -> None:
    document = {**playbook(), "priority": 2**60}
    checked, problems = check_text(json.dumps(document).encode())
    assert checked is None
    assert problems
