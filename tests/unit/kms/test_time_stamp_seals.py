"""Time-stamps in seals and signatures of version 5, and beside SignedData: written and judged."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest

from kms.core.gbt33190.verification import verify_ofd
from kms.core.gbt38540.evidence import Evidence
from kms.core.gbt38540.reading import read_seal_file
from kms.core.gbt38540.structures import Seal, SealSignature
from kms.core.gbt38540.verification import verify_seal
from kms.core.trust import RevocationSource, Trust
from kms.core.x690 import read_der
from kms.core.x690 import writing as der
from kms.errors.time_stamps import TimeStampUnavailable
from kms.models.seals import Step, VerificationReport
from kms.models.stamps import StampRequest
from kms.service.seals import SealApplications, SealMaking, SealStamping, SealUses, SealUsing
from secops.crypto.certificates import read_certificate
from secops.crypto.hashes import sm3
from secops.kernel.clock import DAY, HOUR, MINUTE
from tests.fakes.clock import START
from tests.fakes.ofd import LIST, SIGNATURE, VALUE, listing, pack, signed_document
from tests.fakes.ofd_pages import paged_document
from tests.fakes.seal_registry import HOLDER, World, build
from tests.fakes.sealing import DOCUMENT, NOW, Recipe, make_seal, make_signature, mint
from tests.fakes.signed_data import Style, make_signed_data, oid, tlv
from tests.fakes.tokens import TokenRecipe, ecdsa_tsa, make_token, sm2_tsa

V5 = Recipe(version=5)
TRUST = Trust(NOW, mint().anchors)
SIGNED_AT = V5.signed_at
TIME_STAMP = "060b2a864886f70d010910020e"


def stamped(value: bytes, **recipe: Any) -> bytes:
    """Return the v5 seal or signature ``value`` with a token over what it signed last."""
    found = read_seal_file(value)
    token = make_token(TokenRecipe(message=found.signature, **recipe))
    return der.sequence(
        *(each.raw for each in read_der(value).children), der.explicit(0, der.bits(token))
    )


def judged(value: bytes, trust: Trust = TRUST) -> VerificationReport:
    return verify_seal(value, Evidence(sm3(DOCUMENT)), trust)


def time_step(value: bytes, trust: Trust = TRUST) -> Step:
    steps = judged(value, trust).signatures[0].steps
    return next(step for step in steps if step.what == "timestamp")


def test_a_token_proves_that_the_signature_was_there() -> None:
    value = stamped(make_signature(V5), made_at=SIGNED_AT + HOUR)
    step = time_step(value)
    assert step.ok is True
    assert "the signature was there by 2026-01-03T01:00:00Z, says CN=时间戳" in step.why.en
    assert judged(value).valid


def test_the_tokens_own_warnings_reach_the_reader() -> None:
    found = judged(stamped(make_signature(V5)), Trust(NOW + 500 * DAY, mint().anchors))
    said = [text.en for text in found.signatures[0].warnings]
    assert any(text.startswith("its certificate has expired since") for text in said)


@pytest.mark.parametrize("hash_name", ["sm3", "sha256"])
def test_an_outside_authority_counts_where_it_is_believed(hash_name: str) -> None:
    tsa = ecdsa_tsa()
    value = stamped(make_signature(V5), tsa=tsa, hash_name=hash_name)
    assert time_step(value).ok is False
    believed = Trust(NOW, mint().anchors, outside={"time_stamps": (tsa.root,)})
    assert time_step(value, believed).ok is True
    assert time_step(value, Trust(NOW)).ok is None


def test_a_token_over_something_else_proves_nothing() -> None:
    other = make_token(TokenRecipe(message=b"another signature"))
    step = time_step(make_signature(V5.but(timestamp=other)))
    assert (step.ok, step.why.en) == (False, "bad timestamp: it stamps something else")


def test_a_token_of_one_who_may_not_stamp_proves_nothing() -> None:
    tsa = ecdsa_tsa(purposes=())
    step = time_step(stamped(make_signature(V5), tsa=tsa))
    assert (step.ok, "extended key usage" in step.why.en) == (False, True)


def test_no_signature_is_later_than_its_token() -> None:
    value = stamped(make_signature(V5), made_at=SIGNED_AT - HOUR)
    step = time_step(value)
    assert step.ok is False
    assert "the signature claims 2026-01-03T00:00:00Z, later than its time-stamp" in step.why.en
    assert time_step(stamped(make_signature(V5), made_at=SIGNED_AT - 4 * MINUTE)).ok is True


def test_no_seal_is_later_than_its_token() -> None:
    seal = stamped(make_seal(V5), made_at=V5.created_at - 6 * MINUTE)
    step = time_step(seal)
    assert (step.ok, "the seal claims" in step.why.en) == (False, True)


def test_a_seal_of_its_own_is_judged_by_its_token() -> None:
    assert time_step(stamped(make_seal(V5))).ok is True
    assert time_step(make_seal(V5)).ok is None


def test_the_seals_token_says_nothing_of_the_signatures_time() -> None:
    value = make_signature(V5, stamped(make_seal(V5)))
    step = time_step(value)
    assert (step.ok, "only the seal has one" in step.why.en) == (None, True)
    assert judged(value).valid


def test_a_wrong_token_of_the_seal_is_wrong_whatever_the_signatures_is() -> None:
    bad = make_seal(V5.but(seal_timestamp=make_token(TokenRecipe(message=b"other"))))
    assert time_step(stamped(make_signature(V5, bad))).ok is False


def test_a_token_made_after_the_certificates_end_leaves_the_word_of_the_signer() -> None:
    late = START + 366 * DAY
    value = stamped(make_signature(V5), made_at=late, tsa=ecdsa_tsa())
    # 300 days: that authority was out of its time itself
    assert time_step(value, Trust(late, mint().anchors)).ok is False
    value = stamped(make_signature(V5), made_at=late, tsa=sm2_tsa(days=800))
    step = time_step(value, Trust(late, (*mint().anchors, sm2_tsa(days=800).certificate)))
    assert (step.ok, "after the certificate had expired" in step.why.en) == (None, True)


def test_a_revocation_between_signature_and_token_leaves_the_word_of_the_signer() -> None:
    signer = read_certificate(mint().signer)
    revoked = SIGNED_AT + HOUR
    source = RevocationSource(frozenset({signer.issuer}), {(signer.issuer, signer.serial): revoked})
    trust = Trust(NOW, mint().anchors, source)
    before = stamped(make_signature(V5), made_at=revoked - 1)
    after = stamped(make_signature(V5), made_at=revoked)
    assert [time_step(value, trust).ok for value in (before, after)] == [True, None]


@functools.cache
def document_signed_once() -> dict[str, bytes]:
    return signed_document(Recipe())


def with_token(style: Style, *tokens: bytes) -> tuple[bool | None, ...]:
    """Return what became of structure and timestamp in an OFD signed by ``style``."""
    unsealed = document_signed_once()
    beside = tlv(0xA1, *(tlv(0x30, oid(TIME_STAMP), tlv(0x31, each)) for each in tokens))
    value = make_signed_data(style.but(after_signature=(beside,)), unsealed[SIGNATURE])
    kind = listing("Doc_0/Signs/Sign_0", attributes=' Type="Sign"')
    report = verify_ofd(pack({**unsealed, VALUE: value, LIST: kind}), TRUST)
    steps = {step.what: step.ok for step in report.signatures[0].steps}
    return steps["structure"], steps.get("timestamp")


class FixedKey:
    """Signs each message once, and says the same again."""

    def __init__(self) -> None:
        self._made: dict[bytes, bytes] = {}

    def sign(self, message: bytes, user_id: bytes) -> bytes:
        return self._made.setdefault(message, mint().signer_key.sign(message, user_id))

    @property
    def last(self) -> bytes:
        return list(self._made.values())[-1]


@pytest.mark.parametrize("signed_at", [SIGNED_AT, None])
def test_a_token_beside_signed_data_is_judged_as_well(signed_at: int | None) -> None:
    key = FixedKey()
    style = Style("A", key=key, signed_at=signed_at)  # type: ignore[arg-type]
    assert with_token(style) == (True, None)
    good = make_token(TokenRecipe(message=key.last))
    assert with_token(style, good) == (True, True)
    assert with_token(style, make_token(TokenRecipe(message=b"other"))) == (True, False)
    assert with_token(style, good, good) == (False, None)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("stamped"))
    yield made
    made.spine.close()


Level = Literal["none", "signatures", "all"]


def made_and_used(world: World, level: Level) -> tuple[Seal | SealSignature, VerificationReport]:
    """Return what a v5 seal of ``level`` put on the document, and the verdict on it."""
    parts = replace(world.parts, stamped=level)
    applications = SealApplications(parts)
    making = SealMaking(parts, applications)
    usual = world.making
    world.making = making
    try:
        seal = world.make(version=5)
    finally:
        world.making = usual
    using = SealUsing(parts, SealUses(parts))
    sealed = using.use_seal(HOLDER, seal.id, document_digest=sm3(DOCUMENT), purpose="印发")
    return (
        read_seal_file(sealed.value),
        world.verification.verify_seal(sealed.value, DOCUMENT),
    )


@pytest.mark.parametrize(
    ("level", "found"),
    [("none", (False, False)), ("signatures", (False, True)), ("all", (True, True))],
)
def test_the_setting_says_what_is_stamped(
    world: World, level: Level, found: tuple[bool, bool]
) -> None:
    value, report = made_and_used(world, level)
    assert isinstance(value, SealSignature)
    assert (value.seal.timestamp is not None, value.timestamp is not None) == found
    steps = {step.what: step.ok for step in report.signatures[0].steps}
    assert steps["timestamp"] is (True if found[1] else None)
    assert report.valid


def test_a_stamped_signature_stands_in_an_ofd(world: World) -> None:
    seal = world.make(version=5)
    wish = StampRequest(pack(paged_document()), purpose="印发")
    sealed = world.stamping.stamp_document(HOLDER, seal.id, wish).document
    report = world.verification.verify_seal(sealed, None)
    steps = {step.what: step.ok for step in report.signatures[0].steps}
    assert (steps["timestamp"], report.version, report.valid) == (True, 5, True)


def test_version_4_has_no_place_for_a_token(world: World) -> None:
    sealed = world.use(world.make(version=4))
    value = read_seal_file(sealed.value)
    assert isinstance(value, SealSignature)
    assert value.timestamp is None


def test_without_its_token_a_signature_is_not_given_out(world: World) -> None:
    class Down:
        def stamp(self, hash_name: str, digest: bytes) -> bytes:
            raise TimeStampUnavailable

    seal = world.make(version=5)
    parts = replace(world.parts, time_stamps=Down())
    before = len(world.acts())
    with pytest.raises(TimeStampUnavailable):
        SealUsing(parts, SealUses(parts)).use_seal(
            HOLDER, seal.id, document_digest=sm3(DOCUMENT), purpose="印发"
        )
    with pytest.raises(TimeStampUnavailable):
        SealStamping(parts, SealUses(parts)).stamp_document(
            HOLDER, seal.id, StampRequest(pack(paged_document()))
        )
    assert [act for act in world.acts()[before:] if act["action"] == "kms.use_seal"] == []
