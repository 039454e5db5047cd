"""Attacks on seals: none is accepted, and the untouched files are."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.reading import read_signature
from kms.core.gbt38540.structures import Extension
from kms.core.gbt38540.verification import verify_seal
from kms.core.trust import RevocationSource, Trust
from kms.core.x690 import read_der
from kms.core.x690 import writing as der
from kms.models.seals import VerificationReport
from secops.crypto.certificates import read_certificate
from secops.crypto.der import encode_sequence, encode_unsigned, raw_to_signature, signature_to_raw
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import ORDER, PrivateKey
from secops.kernel.clock import DAY
from tests.fakes.clock import START
from tests.fakes.sealing import (
    DOCUMENT,
    NOW,
    PNG,
    Recipe,
    issue,
    make_seal,
    make_signature,
    mint,
    new_mint,
)

GOOD = Recipe()
TRUST = Trust(NOW, mint().anchors)


@functools.cache
def make_cached() -> bytes:
    value = make_signature(GOOD)
    assert judged(value).valid
    return value


def judged(content: bytes, trust: Trust = TRUST, document: bytes = DOCUMENT) -> VerificationReport:
    return verify_seal(content, Evidence(sm3(document)), trust)


@pytest.mark.parametrize("version", [1, 4, 5])
def test_untouched_files_are_accepted(version: int) -> None:
    assert judged(make_seal(GOOD.but(version=version))).valid
    assert judged(make_signature(GOOD.but(version=version))).valid


def replaced(old: bytes, new: bytes) -> Callable[[], bytes]:
    def attack() -> bytes:
        value = make_signature(GOOD)
        assert old in value
        return value.replace(old, new)

    return attack


def with_signature(change: Callable[[bytes], bytes], *, of_seal: bool = False) -> bytes:
    """Return the value (or the seal) with its last signature replaced by ``change`` of it."""
    stored = make_seal(GOOD) if of_seal else make_signature(GOOD)
    fields = read_der(stored).children
    signature = fields[3].content[1:]
    return der.sequence(*(field.raw for field in fields[:3]), der.bits(change(signature)))


def other_signer() -> bytes:
    stranger = new_mint()
    signer = issue(
        "signer", stranger.signer_key, mint().root_key, common_name="冒名", issuer=mint().root
    )
    value = Recipe(mint=stranger, signer=signer)
    return make_signature(value, seal=make_seal(GOOD))


def other_root() -> bytes:
    return make_signature(Recipe(mint=new_mint()))


def embedded_root() -> bytes:
    """Everything is signed under a root of the attacker's that the seal itself lists."""
    evil = new_mint()
    return make_signature(Recipe(mint=evil, certificates=(evil.signer, evil.root)))


def maker_not_a_maker() -> bytes:
    """A signer's certificate issues a maker: it is no CA."""
    forged = issue(
        "maker",
        mint().maker_key,
        mint().signer_key,
        common_name="伪制章者",
        issuer=mint().signer,
    )
    return make_signature(GOOD.but(maker=forged))


def indefinite_length() -> bytes:
    value = make_signature(GOOD)
    return b"\x30\x80" + value[4:] + b"\x00\x00"


ATTACKS: dict[str, Callable[[], bytes]] = {
    "another picture": replaced(PNG, PNG[:-7] + b"PICTURE"),
    "another name on the seal": replaced("测试印章".encode(), "伪造印章".encode()),
    "another seal inside": lambda: make_signature(GOOD).replace(
        make_seal(GOOD)[40:80], make_seal(GOOD.but(es_id="f" * 32))[40:80]
    ),
    "a seal of another maker": lambda: make_signature(
        GOOD, seal=make_seal(Recipe(mint=new_mint()))
    ),
    "TBS of another version": lambda: make_signature(GOOD.but(tbs_version=5)),
    "seal of another version": lambda: make_signature(GOOD.but(header_version=1)),
    "seal that calls itself something else": lambda: make_signature(GOOD.but(identifier="EX")),
    "digest of another document": lambda: make_signature(GOOD.but(data_hash=sm3(b"other"))),
    "digest changed after signing": replaced(sm3(DOCUMENT), sm3(b"other")),
    "digest of the wrong length": lambda: make_signature(GOOD.but(data_hash=b"short")),
    "bytes after the end": lambda: make_signature(GOOD) + b"\x00",
    "cut off": lambda: make_signature(GOOD)[:-1],
    "nothing": lambda: b"\x30\x00",
    "indefinite length": indefinite_length,
    "huge length": lambda: b"\x30\x84\xff\xff\xff\xff" + make_signature(GOOD)[4:],
    "padded length": lambda: b"\x30\x83\x00" + make_signature(GOOD)[2:],
    "nested a thousand deep": lambda: b"\x30\x80" * 1000,
    "nested within the lengths": lambda: functools.reduce(
        lambda inner, _: der.sequence(inner), range(100), b""
    ),
    "seventy thousand elements": lambda: der.sequence(*[b"\x05\x00"] * 70_000),
    "r is zero": lambda: with_signature(
        lambda _: encode_sequence(encode_unsigned(0), encode_unsigned(1))
    ),
    "s is zero": lambda: with_signature(
        lambda _: encode_sequence(encode_unsigned(1), encode_unsigned(0))
    ),
    "r plus n": lambda: with_signature(
        lambda stored: encode_sequence(
            encode_unsigned(int.from_bytes(signature_to_raw(stored, ORDER)[:32], "big") + ORDER),
            encode_unsigned(int.from_bytes(signature_to_raw(stored, ORDER)[32:], "big")),
        )
    ),
    "raw zeros": lambda: with_signature(lambda _: bytes(64)),
    "r and s exchanged": lambda: with_signature(
        lambda stored: raw_to_signature(
            signature_to_raw(stored, ORDER)[32:] + signature_to_raw(stored, ORDER)[:32], ORDER
        )
    ),
    "empty signature": lambda: with_signature(lambda _: b""),
    "seal with a wrong signature": lambda: with_signature(lambda _: bytes(64), of_seal=True),
    "signed with an empty user id": lambda: make_signature(GOOD.but(user_id=b"")),
    "a signer whom the seal does not list": other_signer,
    "the attacker's own root": other_root,
    "the attacker's root inside the seal": embedded_root,
    "a maker under a signer": maker_not_a_maker,
    "a maker's certificate that is none": lambda: make_signature(GOOD.but(maker=b"\x30\x00")),
    "a signer's certificate that is none": lambda: make_signature(GOOD.but(signer=b"junk")),
    "an algorithm that is not SM2": lambda: make_signature(
        GOOD.but(algorithm="1.2.840.10045.4.3.2")
    ),
    "a seal's algorithm that is not SM2": lambda: make_signature(
        GOOD.but(seal_algorithm="1.2.840.113549.1.1.11")
    ),
    "signed before the seal was valid": lambda: make_signature(GOOD.but(signed_at=START)),
    "signed after the seal's end": lambda: make_signature(
        GOOD.but(valid_until=START + DAY, signed_at=START + 2 * DAY)
    ),
    "signed in the future": lambda: make_signature(GOOD.but(signed_at=NOW + DAY)),
    "a seal made when the maker was not yet": lambda: make_signature(
        GOOD.but(created_at=START - DAY)
    ),
    "an unknown critical extension": lambda: make_signature(
        GOOD.but(extensions=(Extension("1.2.3.4", critical=True, value=b"x"),))
    ),
    "an unknown critical extension of the seal": lambda: make_signature(
        GOOD.but(seal_extensions=(Extension("1.2.3.4", critical=True, value=b"x"),))
    ),
    "a time-stamp that is none": lambda: make_signature(
        GOOD.but(version=5, timestamp=b"\x01\x02\x03")
    ),
    "a time-stamp added to a v4 value": lambda: make_signature(GOOD.but(timestamp=b"\x30\x00")),
    "a v1 signing time that is none": lambda: make_signature(
        GOOD.but(version=1, time_info=der.bits(b"yesterday"))
    ),
    "a certificate list without certificates": lambda: make_signature(GOOD.but(certificates=())),
    "a picture without size": lambda: make_signature(GOOD.but(size=(0, 42))),
    "a key that may not sign": lambda: make_signature(
        Recipe(
            maker=issue(
                "root", mint().maker_key, mint().root_key, common_name="m", issuer=mint().root
            )
        )
    ),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_is_not_accepted(name: str) -> None:
    assert not judged(ATTACKS[name]()).valid


def test_attacks_are_counted() -> None:
    accepted = [name for name, attack in ATTACKS.items() if judged(attack()).valid]
    print(f"{len(ATTACKS)} attacks on seals, {len(accepted)} accepted")
    assert len(ATTACKS) >= 47
    assert accepted == []


def test_the_empty_user_id_is_named_in_the_reason() -> None:
    report = judged(make_signature(GOOD.but(user_id=b"")))
    reasons = {step.what: step.why.en for step in report.signatures[0].steps}
    assert "an empty user id would verify" in reasons["signature"]
    assert "an empty user id would verify" in reasons["seal_signature"]


def test_without_anchors_nothing_is_valid() -> None:
    report = judged(make_signature(GOOD), Trust(NOW))
    assert {step.what: step.ok for step in report.signatures[0].steps}["chain"] is None
    assert not report.valid


def test_a_seal_suspended_before_the_signature_is_refused_and_after_it_is_warned_of() -> None:
    digest = sm3(make_seal_of(value := make_signature(GOOD)))
    early = Trust(NOW, mint().anchors, suspended={digest: GOOD.signed_at})
    late = Trust(NOW, mint().anchors, suspended={digest: GOOD.signed_at + 1})
    assert not judged(value, early).valid
    assert judged(value, late).valid
    warnings = [text.en for text in judged(value, late).signatures[0].warnings]
    assert "the seal was suspended after this signature" in warnings


def make_seal_of(value: bytes) -> bytes:
    return read_signature(read_der(value)).seal.raw


@pytest.mark.parametrize("certificate", ["signer", "maker"])
def test_revocation_before_the_signature_refuses_and_after_it_warns(certificate: str) -> None:
    issuers = frozenset({read_certificate(mint().root).subject})
    read = read_certificate(getattr(mint(), certificate))
    revoked = (read.issuer, read.serial)
    value = make_signature(GOOD)
    early = RevocationSource(issuers, {revoked: GOOD.signed_at})
    late = RevocationSource(issuers, {revoked: GOOD.signed_at + 1})
    assert not judged(value, Trust(NOW, mint().anchors, early)).valid
    report = judged(value, Trust(NOW, mint().anchors, late))
    assert report.valid
    assert any("was revoked" in text.en for text in report.signatures[0].warnings)


def test_a_source_of_revocations_speaks_only_for_its_own_issuers() -> None:
    elsewhere = RevocationSource(frozenset({b"\x30\x00"}), {(b"\x30\x00", 1): START})
    report = judged(make_signature(GOOD), Trust(NOW, mint().anchors, elsewhere))
    assert {step.what: step.ok for step in report.signatures[0].steps}["revocation"] is None


def test_news_of_one_certificate_only_is_no_judgement() -> None:
    signer = issue("signer", mint().signer_key, mint().signer_key, common_name="自签", days=300)
    source = RevocationSource(frozenset({read_certificate(mint().root).subject}), {})
    report = judged(make_signature(GOOD.but(signer=signer)), Trust(NOW, mint().anchors, source))
    assert {step.what: step.ok for step in report.signatures[0].steps}["revocation"] is None


def test_the_same_warning_is_given_once() -> None:
    seal = read_der(make_seal(GOOD)).children
    raw_seal = der.sequence(
        *(field.raw for field in seal[:3]), der.bits(signature_to_raw(seal[3].content[1:], ORDER))
    )
    value = read_der(make_signature(GOOD, seal=raw_seal)).children
    value_bytes = der.sequence(
        *(field.raw for field in value[:3]), der.bits(signature_to_raw(value[3].content[1:], ORDER))
    )
    report = judged(value_bytes)
    assert report.valid
    assert [w.en for w in report.signatures[0].warnings].count(
        "a signature value is raw r‖s instead of DER"
    ) == 1


@given(st.data())
def test_no_change_of_one_byte_is_accepted(data: st.DataObject) -> None:
    value = bytearray(make_cached())
    place = data.draw(st.integers(0, len(value) - 1))
    value[place] ^= data.draw(st.integers(1, 255))
    assert not judged(bytes(value)).valid


@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.deep), 7])
def test_no_flipped_bit_anywhere_is_accepted(step: int) -> None:
    value = make_cached()
    accepted = []
    places = range(0, len(value), step)
    for place in places:
        changed = bytearray(value)
        changed[place] ^= 1 << (place % 8)
        if judged(bytes(changed)).valid:
            accepted.append(place)
    print(f"{len(places)} files with one flipped bit, {len(accepted)} accepted")
    assert accepted == []


@given(st.binary(max_size=400))
def test_rubbish_is_judged_without_an_exception(content: bytes) -> None:
    assert not judged(content).valid


@given(st.data())
def test_a_file_cut_and_joined_elsewhere_is_judged_without_an_exception(
    data: st.DataObject,
) -> None:
    value = make_cached()
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    target = data.draw(st.integers(0, len(value)))
    moved = value[:target] + value[start:end] + value[target:]
    assert moved == value or not judged(moved).valid


def test_a_stranger_key_signs_for_nobody() -> None:
    stranger = PrivateKey.generate()
    value = with_signature(lambda _: stranger.sign(b"x"))
    assert {s.what: s.ok for s in judged(value).signatures[0].steps}["signature"] is False
