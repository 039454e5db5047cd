"""Time-stamp tokens, step by step: sound ones of every key, and every way to be wrong."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from kms.core.rfc3161 import read_token
from kms.core.rfc3161.requests import FailureInfo
from kms.core.rfc3161.responses import token_in
from kms.core.rfc3161.verification import verify_time_stamp
from kms.core.rfc3161.writing import TST_INFO, granted, rejected
from kms.core.rfc5652 import schemes
from kms.core.rfc5652.reading import read_signed_data
from kms.core.rfc5652.writing import attribute
from kms.core.trust import RevocationSource, Trust
from kms.core.x690 import DerError, elements, read_der
from kms.core.x690 import writing as der
from kms.models.time_stamps import TokenVerdict
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.der import encode, signature_to_raw
from secops.crypto.hashes import digest
from secops.crypto.sm2 import ORDER
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND, to_rfc3339
from tests.fakes.clock import START
from tests.fakes.sealing import NOW, mint
from tests.fakes.tokens import (
    MESSAGE,
    NULL,
    TokenRecipe,
    Tsa,
    ecdsa_p384_tsa,
    ecdsa_tsa,
    ess_v2,
    make_token,
    pss_parameters,
    pss_tsa,
    rsa_tsa,
    sm2_tsa,
    usage,
    western_key,
    with_context,
)

SHA256 = "2.16.840.1.101.3.4.2.1"
SHA384 = "2.16.840.1.101.3.4.2.2"
SHA1 = "1.3.14.3.2.26"
SM3 = "1.2.156.10197.1.401"
RSA = "1.2.840.113549.1.1.1"


def judged(
    token: bytes, tsa: Tsa, message: bytes | None = MESSAGE, trust: Trust | None = None
) -> TokenVerdict:
    def digest_of(name: str) -> bytes | None:
        return None if message is None else digest(name, message)

    return verify_time_stamp(token, digest_of, trust or Trust(NOW, (tsa.root,)))


def wrong_steps(verdict: TokenVerdict) -> list[str]:
    return [step.what for step in verdict.steps if step.ok is False]


def verdict_on(tsa: Tsa, hash_name: str = "sm3", **changes: Any) -> TokenVerdict:
    return judged(make_token(TokenRecipe(tsa, hash_name=hash_name, **changes)), tsa)


SOUND: dict[str, Callable[[], tuple[Tsa, str]]] = {
    "SM2 with SM3": lambda: (sm2_tsa(), "sm3"),
    "P-256": lambda: (ecdsa_tsa(), "sha256"),
    "P-384, SHA-384": lambda: (ecdsa_p384_tsa("sha384"), "sha384"),
    "P-384, SHA-512": lambda: (ecdsa_p384_tsa("sha512"), "sha512"),
    "RSA by its key's name": lambda: (rsa_tsa("sha256", RSA), "sha256"),
    "RSA with SHA-256": lambda: (rsa_tsa("sha256", "1.2.840.113549.1.1.11"), "sha256"),
    "RSA with SHA-384": lambda: (rsa_tsa("sha384", "1.2.840.113549.1.1.12", b""), "sha512"),
    "RSA with SHA-512": lambda: (rsa_tsa("sha512", "1.2.840.113549.1.1.13"), "sm3"),
    "RSA by PSS": lambda: (pss_tsa(pss_parameters(SHA256)), "sha256"),
    "RSA by PSS, usual salt": lambda: (pss_tsa(pss_parameters(SHA256, salt=None), 20), "sha256"),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_token_proves_its_time(name: str) -> None:
    tsa, hash_name = SOUND[name]()
    verdict = verdict_on(tsa, hash_name)
    assert {step.what: step.ok for step in verdict.steps} == {
        "structure": True,
        "imprint": True,
        "content": True,
        "signature": True,
        "certificate": True,
        "purpose": True,
        "chain": True,
        "validity": True,
        "revocation": None,
    }
    assert [step.n for step in verdict.steps] == list(range(1, 10))
    assert verdict.valid
    assert verdict.stamped is not None
    assert verdict.stamped.made_at == NOW
    assert verdict.stamped.accuracy == SECOND


def test_the_record_says_what_the_verdict_does() -> None:
    record = verdict_on(sm2_tsa()).to_record()
    assert {name: record[name] for name in ("valid", "made_at", "serial", "hash", "policy")} == {
        "valid": True,
        "made_at": to_rfc3339(NOW),
        "serial": "7",
        "hash": "sm3",
        "policy": "1.2.3.4",
    }
    assert record["accuracy_us"] == SECOND
    assert "时间戳" in record["authority"]
    assert record["steps"][0]["why"] == "时间戳令牌 / a token of one authority"
    assert any("without legal effect" in each for each in record["warnings"])
    nothing = judged(b"\x01\x02\x03", sm2_tsa()).to_record()
    assert (nothing["valid"], nothing["made_at"], nothing["authority"]) == (False, None, None)


def test_without_the_content_the_rest_is_judged() -> None:
    verdict = judged(make_token(TokenRecipe()), sm2_tsa(), None)
    assert verdict.steps[1].ok is None
    assert verdict.valid


def test_a_token_over_something_else_is_refused() -> None:
    assert wrong_steps(judged(make_token(TokenRecipe()), sm2_tsa(), b"other")) == ["imprint"]


def info(**changes: bytes) -> bytes:
    """Return a TSTInfo of parts; a part of another name comes where sorting puts it."""
    algorithm = der.sequence(der.oid(SM3))
    parts = {
        "1 version": der.integer(1),
        "2 policy": der.oid("1.2.3.4"),
        "3 imprint": der.sequence(algorithm, der.octets(digest("sm3", MESSAGE))),
        "4 serial": der.integer(7),
        "5 time": der.generalized_time(NOW),
        **changes,
    }
    return der.sequence(*(parts[name] for name in sorted(parts)))


SOUND_INFO = {
    "nothing more": {},
    "all accuracies": {
        "6": der.sequence(der.integer(2), with_context(0, b"\x01"), with_context(1, b"\x00\xff"))
    },
    "ordering": {"6": b"\x01\x01\xff"},
    "ordering written out": {"6": b"\x01\x01\x00"},
    "a nonce": {"6": der.integer(-5)},
    "a name of another kind": {"6": der.explicit(0, encode(0x82, b"tsa.example"))},
    "an extension nobody needs": {
        "6": encode(0xA1, der.sequence(der.oid("1.2.3"), der.octets(b"")))
    },
}
BROKEN_INFO = {
    "version 2": {"1 version": der.integer(2)},
    "too short": {"5 time": b""},
    "local time": {"5 time": encode(0x18, b"20260101000000+0800")},
    "an unknown critical extension": {
        "6": encode(0xA1, der.sequence(der.oid("1.2.3"), der.TRUE, der.octets(b"")))
    },
    "fields out of order": {"6": der.integer(1), "7": b"\x01\x01\xff"},
    "accuracy twice": {"6": der.sequence(der.integer(1)), "7": der.sequence(der.integer(1))},
    "seconds after millis": {"6": der.sequence(with_context(0, b"\x01"), der.integer(1))},
    "a negative accuracy": {"6": der.sequence(der.integer(-1))},
    "a huge accuracy": {"6": der.sequence(der.integer(1 << 40))},
    "an accuracy of text": {"6": der.sequence(der.utf8("1"))},
    "two names": {"6": der.explicit(0, encode(0x82, b"a") + encode(0x82, b"b"))},
    "ordering that is no truth": {"6": b"\x01\x01\x01"},
    "bytes behind": {"8": der.utf8("x")},
}


@pytest.mark.parametrize("name", SOUND_INFO)
def test_a_tst_info_may_say_more(name: str) -> None:
    assert verdict_on(sm2_tsa(), info=info(**SOUND_INFO[name])).valid


def test_accuracy_and_nonce_are_read() -> None:
    said = info(**{"6": SOUND_INFO["all accuracies"]["6"], "7": der.integer(9)})
    token = read_token(make_token(TokenRecipe(info=said)))
    assert (token.accuracy, token.nonce) == (2 * SECOND + 1_255, 9)


@pytest.mark.parametrize("name", BROKEN_INFO)
def test_a_broken_tst_info_is_malformed(name: str) -> None:
    assert wrong_steps(verdict_on(sm2_tsa(), info=info(**BROKEN_INFO[name]))) == ["structure"]


def test_an_imprint_by_a_weak_hash_is_refused() -> None:
    weak = der.sequence(der.sequence(der.oid(SHA1), NULL), der.octets(bytes(20)))
    verdict = verdict_on(sm2_tsa(), info=info(**{"3 imprint": weak}))
    assert wrong_steps(verdict) == ["imprint"]
    assert verdict.stamped is not None
    assert verdict.stamped.hash_name == SHA1


BROKEN_ATTRIBUTES: dict[str, tuple[str, dict[str, bytes | None]]] = {
    "of another type": ("content", {"type": attribute(schemes.CONTENT_TYPE, der.oid("1.2.3"))}),
    "without a type": ("content", {"type": None}),
    "without a digest": ("content", {"digest": None}),
    "over another TSTInfo": (
        "content",
        {"digest": attribute(schemes.MESSAGE_DIGEST, der.octets(bytes(32)))},
    ),
    "with two digests": (
        "content",
        {
            "digest": der.sequence(
                der.oid(schemes.MESSAGE_DIGEST),
                der.set_of(der.octets(bytes(32)), der.octets(digest("sm3", info()))),
            )
        },
    ),
    "that name no certificate": ("certificate", {"certificate": None}),
    "that name another certificate": (
        "certificate",
        {
            "certificate": attribute(
                schemes.SIGNING_CERTIFICATE_V2,
                der.sequence(der.sequence(der.sequence(der.octets(bytes(32))))),
            )
        },
    ),
    "that name it by a weak hash": (
        "certificate",
        {"certificate": ess_v2(sm2_tsa().certificate, algorithm=der.sequence(der.oid(SHA1)))},
    ),
    "that name nothing": (
        "certificate",
        {"certificate": attribute(schemes.SIGNING_CERTIFICATE_V2, der.sequence())},
    ),
    "that name it twice": (
        "certificate",
        {
            "certificate": der.sequence(
                der.oid(schemes.SIGNING_CERTIFICATE_V2), der.set_of(der.sequence(), der.sequence())
            )
        },
    ),
    "of one good and one wrong name": (
        "certificate",
        {
            "v1": attribute(
                schemes.SIGNING_CERTIFICATE,
                der.sequence(der.sequence(der.sequence(der.octets(bytes(20))))),
            )
        },
    ),
}


@pytest.mark.parametrize("name", BROKEN_ATTRIBUTES)
def test_attributes_must_fit(name: str) -> None:
    step, changed = BROKEN_ATTRIBUTES[name]
    assert wrong_steps(verdict_on(sm2_tsa(), attributes=changed)) == [step]


def issuer_serial(certificate: Certificate, *, serial: int, issuer: bytes | None = None) -> bytes:
    name = encode(0xA4, certificate.issuer if issuer is None else issuer)
    return der.sequence(der.sequence(name), der.integer(serial))


def test_the_certificates_issuer_and_number_must_fit_where_they_are_named() -> None:
    certificate = sm2_tsa().certificate
    good = issuer_serial(certificate, serial=certificate.serial)
    wrong = issuer_serial(certificate, serial=certificate.serial + 1)
    other = issuer_serial(certificate, serial=certificate.serial, issuer=certificate.subject)

    def found(*more: bytes) -> list[str]:
        changed = {"certificate": ess_v2(certificate, *more)}
        return wrong_steps(verdict_on(sm2_tsa(), attributes=changed))

    assert found(good) == []
    assert [found(wrong), found(other), found(good, good)] == [["certificate"]] * 3


def test_a_certificate_named_by_sha1_alone_is_said() -> None:
    certificate = sm2_tsa().certificate
    named = hashlib.sha1(certificate.der, usedforsecurity=False).digest()
    old = attribute(
        schemes.SIGNING_CERTIFICATE, der.sequence(der.sequence(der.sequence(der.octets(named))))
    )
    verdict = verdict_on(sm2_tsa(), attributes={"certificate": None, "v1": old})
    assert verdict.valid
    assert "only SHA-1 names its certificate" in [text.en for text in verdict.warnings]


WRONG_KEYS: dict[str, Callable[[], Tsa]] = {
    "an SM2 name over an EC key": lambda: replaced(ecdsa_tsa(), schemes.SM2_SM3),
    "an EC name over an RSA key": lambda: replaced(rsa_tsa("sha256", RSA), schemes.ECDSA_SHA256),
    "an RSA name over an EC key": lambda: replaced(ecdsa_tsa(), rsa_tsa("sha256", RSA).scheme),
    "an unknown algorithm": lambda: rsa_tsa("sha256", "1.2.3"),
    "RSA with SHA-1": lambda: rsa_tsa("sha256", "1.2.840.113549.1.1.5"),
    "parameters where none belong": lambda: rsa_tsa("sha256", RSA, der.integer(1)),
    "PSS without parameters": lambda: pss_tsa(b""),
    "PSS of SHA-1": lambda: pss_tsa(pss_parameters(SHA1)),
    "PSS of two hashes": lambda: pss_tsa(pss_parameters(SHA256, mask=SHA384)),
    "PSS of the defaults": lambda: pss_tsa(der.sequence()),
    "PSS with a trailer": lambda: pss_tsa(
        pss_parameters(SHA256, more=der.explicit(3, der.integer(1)))
    ),
    "PSS with a huge salt": lambda: pss_tsa(pss_parameters(SHA256, salt=10_000)),
    "PSS with a salt that is another": lambda: pss_tsa(pss_parameters(SHA256, salt=31)),
    "PSS of no hash": lambda: pss_tsa(
        der.sequence(der.explicit(0, NULL + NULL), der.explicit(1, NULL))
    ),
    "a signature of others": lambda: Tsa(
        sm2_tsa().root, sm2_tsa().certificate, lambda _: bytes(70), schemes.SM2_SM3
    ),
}


def replaced(tsa: Tsa, scheme: schemes.Scheme) -> Tsa:
    return Tsa(tsa.root, tsa.certificate, tsa.sign, scheme)


@pytest.mark.parametrize("name", WRONG_KEYS)
def test_only_the_named_key_and_algorithm_count(name: str) -> None:
    assert wrong_steps(verdict_on(WRONG_KEYS[name]())) == ["signature"]


def test_a_raw_sm2_signature_is_read_and_said() -> None:
    tsa = sm2_tsa()
    raw = Tsa(
        tsa.root, tsa.certificate, lambda data: signature_to_raw(tsa.sign(data), ORDER), tsa.scheme
    )
    verdict = verdict_on(raw)
    assert verdict.valid
    assert any("raw" in text.en for text in verdict.warnings)


PURPOSES: dict[str, Callable[[], Tsa]] = {
    "none": lambda: ecdsa_tsa(purposes=()),
    "another": lambda: ecdsa_tsa(purposes=(ExtendedKeyUsageOID.CODE_SIGNING,)),
    "two": lambda: ecdsa_tsa(
        purposes=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)
    ),
    "not critical": lambda: ecdsa_tsa(critical=False),
    "a key usage without signatures": lambda: ecdsa_tsa(allowed="key_agreement"),
    "a signer of seals": lambda: sm2_tsa("signer"),
}


@pytest.mark.parametrize("name", PURPOSES)
def test_the_certificate_is_for_time_stamps_alone(name: str) -> None:
    assert wrong_steps(verdict_on(PURPOSES[name]())) == ["purpose"]


@pytest.mark.parametrize("usage", ["content_commitment", None])
def test_a_key_usage_may_be_absent_or_for_commitments(usage: str | None) -> None:
    assert verdict_on(ecdsa_tsa(allowed=usage)).valid


def test_a_malformed_purpose_is_none() -> None:
    tsa = ecdsa_tsa()
    marker = bytes.fromhex("300a06082b06010505070308")
    broken = tsa.certificate.der.replace(marker, b"\x31" + marker[1:])
    bent = Tsa(tsa.root, read_certificate(broken), tsa.sign, tsa.scheme)
    verdict = verdict_on(bent)
    assert wrong_steps(verdict) == ["purpose", "chain"]


def test_without_anchors_the_chain_is_open_and_the_token_not_valid() -> None:
    verdict = judged(make_token(TokenRecipe()), sm2_tsa(), trust=Trust(NOW))
    assert {step.what: step.ok for step in verdict.steps}["chain"] is None
    assert wrong_steps(verdict) == []
    assert not verdict.valid


def test_an_embedded_root_is_no_anchor() -> None:
    tsa = ecdsa_tsa()
    recipe = TokenRecipe(tsa, certificates=(tsa.root.der, tsa.certificate.der))
    trust = Trust(NOW, mint().anchors)
    assert wrong_steps(judged(make_token(recipe), tsa, trust=trust)) == ["chain"]


def test_outside_anchors_for_time_stamps_count_and_others_do_not() -> None:
    tsa = ecdsa_tsa()
    token = make_token(TokenRecipe(tsa))
    believed = Trust(NOW, mint().anchors, outside={"time_stamps": (tsa.root,)})
    assert judged(token, tsa, trust=believed).valid
    other = Trust(NOW, mint().anchors, outside={"documents": (tsa.root,)})
    assert wrong_steps(judged(token, tsa, trust=other)) == ["chain"]


def test_a_certificate_that_is_not_inside_is_found_among_the_anchors() -> None:
    tsa = sm2_tsa()
    token = make_token(TokenRecipe(certificates=()))
    assert wrong_steps(judged(token, tsa)) == ["structure"]
    assert judged(token, tsa, trust=Trust(NOW, (tsa.certificate,))).valid


def test_the_time_is_within_the_certificates_and_not_in_the_future() -> None:
    before = verdict_on(sm2_tsa(), made_at=START - DAY)
    assert wrong_steps(before) == ["chain", "validity"]
    assert wrong_steps(verdict_on(sm2_tsa(), made_at=NOW + 6 * MINUTE)) == ["validity"]
    assert verdict_on(sm2_tsa(), made_at=NOW + 4 * MINUTE).valid


def test_a_certificate_that_expired_since_is_only_said() -> None:
    tsa = sm2_tsa()
    late = Trust(START + 400 * DAY, (tsa.root,))
    verdict = judged(make_token(TokenRecipe()), tsa, trust=late)
    assert verdict.valid
    assert any("expired since" in text.en for text in verdict.warnings)


def test_a_revoked_authoritys_tokens_count_no_more_from_whenever_they_are() -> None:
    tsa = sm2_tsa()
    place = (tsa.certificate.issuer, tsa.certificate.serial)
    known = frozenset({tsa.certificate.issuer})

    def step(source: RevocationSource) -> bool | None:
        trust = Trust(NOW, (tsa.root,), source)
        verdict = judged(make_token(TokenRecipe()), tsa, trust=trust)
        return {each.what: each.ok for each in verdict.steps}["revocation"]

    assert step(RevocationSource(known, {place: NOW + HOUR})) is False
    assert step(RevocationSource(known, {place: NOW - HOUR})) is False
    assert step(RevocationSource(known, {})) is True
    assert step(RevocationSource(known, {}, {tsa.certificate.issuer: NOW})) is None
    assert step(RevocationSource(frozenset(), {})) is None


def certified(name: str, issuer: str, serial: int, *more: x509.ExtensionType) -> Certificate:
    """Return a certificate of one key, by the same key."""
    key = western_key("p256")
    builder = x509.CertificateBuilder(
        *(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (issuer, name)),
        public_key=key.public_key(),
        serial_number=serial,
        not_valid_before=datetime.fromtimestamp(START // SECOND, UTC),
        not_valid_after=datetime.fromtimestamp((START + 300 * DAY) // SECOND, UTC),
    )
    for each in more:
        builder = builder.add_extension(each, critical=True)
    return read_certificate(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def test_the_tokens_of_a_revoked_cas_authority_count_no_more() -> None:
    ca = (x509.BasicConstraints(ca=True, path_length=None), usage("key_cert_sign"))
    root, middle = certified("root", "root", 1, *ca), certified("middle", "root", 2, *ca)
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    leaf = certified("tsa", "middle", 3, purposes)
    tsa = replace(ecdsa_tsa(), root=root, certificate=leaf)
    inside = (leaf.der, middle.der)
    token = make_token(TokenRecipe(tsa=tsa, hash_name="sha256", certificates=inside))

    def step(revoked: dict[tuple[bytes, int], int]) -> bool | None:
        source = RevocationSource(frozenset({root.subject}), revoked)
        verdict = judged(token, tsa, trust=Trust(NOW, (root,), source))
        steps = {each.what: each.ok for each in verdict.steps}
        assert steps["chain"]
        return steps["revocation"]

    assert step({}) is None
    assert step({(root.subject, root.serial): NOW}) is None
    assert step({(root.subject, middle.serial): NOW}) is False


def test_another_name_in_the_token_is_said() -> None:
    verdict = verdict_on(sm2_tsa(), authority=der.sequence())
    assert any("another name" in text.en for text in verdict.warnings)
    assert verdict.valid


def rebuilt(token: bytes, **parts: bytes) -> bytes:
    """Return ``token`` with fields of its SignedData replaced, by name."""
    kind, holder = read_der(token).children
    names = ("version", "digests", "content", "certificates", "signers")
    fields = {name: each.raw for name, each in zip(names, holder.children[0].children, strict=True)}
    whole = {"kind": kind.raw, **fields, **parts}
    signed = der.sequence(*(whole[name] for name in names))
    return der.sequence(whole["kind"], parts.get("holder", der.explicit(0, signed)))


def signer(token: bytes, **parts: bytes) -> bytes:
    """Return ``token`` with fields of its SignerInfo replaced, by name."""
    info = read_der(token).children[1].children[0].children[-1].children[0]
    names = ("version", "name", "digest", "attributes", "algorithm", "signature")
    fields = {name: each.raw for name, each in zip(names, info.children, strict=True)}
    whole = {**fields, "unsigned": b"", **parts}
    member = der.sequence(*(whole[name] for name in (*names, "unsigned")))
    return rebuilt(token, signers=der.set_of(member))


GOOD = make_token(TokenRecipe())
INFO_PARTS = read_der(GOOD).children[1].children[0].children
MALFORMED: dict[str, Callable[[], bytes]] = {
    "no DER": lambda: b"\x01\x02\x03",
    "another type": lambda: rebuilt(GOOD, kind=der.oid("1.2.840.113549.1.7.3")),
    "a version of RFC 5652 under the Chinese name": lambda: rebuilt(GOOD, version=der.integer(3)),
    "version 1 under the international name": lambda: rebuilt(
        GOOD, kind=der.oid(schemes.SIGNED_DATA)
    ),
    "two contents": lambda: rebuilt(GOOD, holder=der.explicit(0, NULL + NULL)),
    "no TSTInfo": lambda: make_token(TokenRecipe(content_type="1.2.3")),
    "TSTInfo left out": lambda: rebuilt(GOOD, content=der.sequence(der.oid(TST_INFO))),
    "no signer": lambda: rebuilt(GOOD, signers=der.set_of()),
    "two signers": lambda: rebuilt(GOOD, signers=encode(elements.SET, INFO_PARTS[-1].content * 2)),
    "no signed attributes": lambda: signer(GOOD, attributes=b""),
    "a signer of another version": lambda: signer(GOOD, version=der.integer(3)),
    "an attribute twice": lambda: make_token(
        TokenRecipe(attributes={"again": attribute(schemes.CONTENT_TYPE, der.oid("1.2.3"))})
    ),
    "a field behind": lambda: signer(GOOD, unsigned=encode(0xA2, b"")),
    "a field missing": lambda: signer(GOOD, signature=b"", attributes=b"", unsigned=b""),
    "signature left out": lambda: signer(GOOD, signature=b""),
    "a hash with parameters": lambda: signer(
        GOOD, digest=der.sequence(der.oid(SM3), der.integer(1))
    ),
    "a hash that is not announced": lambda: rebuilt(
        GOOD, digests=der.set_of(der.sequence(der.oid(SHA256)))
    ),
    "certificates under another tag": lambda: rebuilt(
        GOOD, certificates=encode(0xA2, INFO_PARTS[3].content)
    ),
    "too many certificates": lambda: rebuilt(
        GOOD, certificates=encode(0xA0, INFO_PARTS[3].content * 21)
    ),
    "certificates that are none": lambda: rebuilt(
        GOOD, certificates=encode(0xA0, der.sequence() + encode(0xA1, b""))
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_token_of_one_signer_is_malformed(name: str) -> None:
    verdict = judged(MALFORMED[name](), sm2_tsa())
    assert wrong_steps(verdict) == ["structure"]
    assert not verdict.valid


def test_a_hash_that_is_not_accepted_is_said() -> None:
    weak = der.sequence(der.oid(SHA1))
    token = rebuilt(signer(GOOD, digest=weak), digests=der.set_of(weak))
    assert wrong_steps(judged(token, sm2_tsa())) == ["content"]


def test_unsigned_attributes_and_lists_may_stand_beside() -> None:
    beside = encode(0xA1, attribute("1.2.3", der.integer(1)))
    token = signer(GOOD, unsigned=beside)
    data = read_signed_data(token)
    assert data.signers[0].unsigned == {"1.2.3": (der.integer(1),)}
    lists = encode(0xA1, der.sequence())
    with_lists = rebuilt(token, certificates=INFO_PARTS[3].raw + lists)
    assert judged(with_lists, sm2_tsa()).valid


def test_a_signer_may_be_named_by_its_key() -> None:
    tsa = ecdsa_tsa()
    token = make_token(TokenRecipe(tsa))
    identifier = tsa.certificate.extensions["2.5.29.14"][2:]
    named = signer(token, version=der.integer(3), name=with_context(0, identifier))
    assert judged(named, tsa).valid
    other = signer(token, version=der.integer(3), name=with_context(0, bytes(20)))
    assert wrong_steps(judged(other, tsa)) == ["structure"]


def test_two_certificates_of_one_name_are_nobodys() -> None:
    one, other = ecdsa_tsa(), ecdsa_tsa(allowed="content_commitment")
    token = make_token(TokenRecipe(one, certificates=(one.certificate.der, other.certificate.der)))
    assert wrong_steps(judged(token, one)) == ["structure"]


@functools.cache
def flippable(kind: str) -> tuple[bytes, Tsa]:
    tsa = sm2_tsa() if kind == "sm2" else ecdsa_tsa()
    return make_token(TokenRecipe(tsa, hash_name="sm3" if kind == "sm2" else "sha256")), tsa


@pytest.mark.parametrize("kind", ["sm2", "ecdsa"])
@given(place=st.integers(0, 1 << 20), bit=st.integers(0, 7))
def test_no_flipped_bit_is_accepted(kind: str, place: int, bit: int) -> None:
    token, tsa = flippable(kind)
    position = place % len(token)
    bent = token[:position] + bytes([token[position] ^ 1 << bit]) + token[position + 1 :]
    assert not judged(bent, tsa).valid


@pytest.mark.deep
@pytest.mark.parametrize("kind", ["sm2", "ecdsa"])
def test_no_flipped_bit_at_all_is_accepted(kind: str) -> None:
    token, tsa = flippable(kind)
    accepted = [
        (position, bit)
        for position in range(len(token))
        for bit in range(8)
        if judged(
            token[:position] + bytes([token[position] ^ 1 << bit]) + token[position + 1 :], tsa
        ).valid
    ]
    assert accepted == []


@given(st.binary(max_size=300))
def test_whatever_comes_is_judged(content: bytes) -> None:
    assert not judged(content, sm2_tsa()).valid


def test_bombs_are_refused_by_their_size_alone() -> None:
    deep = b""
    for _ in range(5_000):
        deep = encode(0x30, deep)
    wide = der.sequence(*[NULL] * 70_000)
    certificates = rebuilt(GOOD, certificates=encode(0xA0, INFO_PARTS[3].content * 2_000))
    for bomb in (deep, wide, certificates):
        assert wrong_steps(judged(bomb, sm2_tsa())) == ["structure"]


def test_a_token_stands_in_an_answer_or_alone() -> None:
    assert token_in(GOOD) == GOOD
    assert token_in(granted(GOOD)) == GOOD
    modified = der.sequence(der.sequence(der.integer(1)), GOOD)
    assert token_in(modified) == GOOD


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (rejected(FailureInfo.BAD_ALGORITHM, "no such hash"), "status 2, no such hash"),
        (der.sequence(der.sequence(der.integer(2))), "status 2"),
        (der.sequence(der.sequence(der.integer(3)), GOOD), "status 3"),
        (der.sequence(der.sequence(der.integer(0))), "status 0"),
        (rejected(FailureInfo.SYSTEM_FAILURE, "\x1b[2Jvalid"), "status 2, [2Jvalid"),
    ],
)
def test_an_answer_without_a_token_says_why(answer: bytes, why: str) -> None:
    with pytest.raises(DerError, match="the authority gave no token") as caught:
        token_in(answer)
    assert why in str(caught.value)


def test_the_real_token_is_sound_but_for_its_anchor(corpus: Path) -> None:
    content = (corpus / "seals" / "dss_archive_timestamp.tst").read_bytes()
    verdict = verify_time_stamp(token_in(content), lambda _: None, Trust(NOW))
    assert {step.what: step.ok for step in verdict.steps} == {
        "structure": True,
        "imprint": None,
        "content": True,
        "signature": True,
        "certificate": True,
        "purpose": True,
        "chain": None,
        "validity": True,
        "revocation": None,
    }
    assert verdict.stamped is not None
    assert to_rfc3339(verdict.stamped.made_at) == "2016-11-28T13:16:26.266000Z"
    # its root stands inside: as a configured anchor it would do, as an embedded one it does not
    root = next(
        each for each in certificates_in(content) if each.is_ca and each.issuer == each.subject
    )
    assert verify_time_stamp(content, lambda _: None, Trust(NOW, (root,))).valid


def certificates_in(token: bytes) -> list[Certificate]:
    return [read_certificate(each) for each in read_signed_data(token).certificates]
