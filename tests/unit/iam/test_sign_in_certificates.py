"""Signing in with a UKey's certificate, and what must not sign anybody in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from iam.adapters.trust_files import TrustFolder
from iam.core.certificate_sign_in.challenge import read_answer, signed_text
from iam.core.certificate_sign_in.terminator import read_header
from iam.core.certificate_sign_in.trust import listed_state, read_given, trusted_chain
from iam.errors import (
    BreakGlassKept,
    CertificateKnown,
    CertificateRefused,
    LastFactor,
    SignInRefused,
)
from iam.models.factors import (
    CertificateAttempt,
    CertificateChallenge,
    NewBinding,
)
from iam.models.messages import NewAddress
from iam.models.sessions import Opened
from iam.ports import CertificateTrust
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Conflict, Forbidden, NotFound, StepUpRequired
from tests.fakes.carrier import FakeCarrier
from tests.fakes.certificate_office import (
    Office,
    Token,
    WesternOffice,
    header,
)
from tests.fakes.certificate_office import bind_certificate as bind
from tests.fakes.clock import START
from tests.fakes.iam_home import ADDRESS, IamHome, open_iam_home

TERMINATOR = b"shared with the terminator......"


def open_home(tmp_path: Path, trust: CertificateTrust) -> IamHome:
    return open_iam_home(tmp_path, trust=trust, terminator_key=TERMINATOR)


@pytest.fixture
def office() -> Office:
    return Office(START)


@pytest.fixture
def house(tmp_path: Path, office: Office) -> Iterator[IamHome]:
    opened = open_home(tmp_path, office)
    yield opened
    opened.close()


def attempt(home: IamHome, token: Token, *, second: str = "", **bent: Any) -> CertificateAttempt:
    challenge = home.services.certificates.ask()
    answer = token.answer(challenge, now=home.clock.now(), **bent)
    return CertificateAttempt(ADDRESS, challenge.reference, answer, second=second)


def sign_in(home: IamHome, token: Token, second: str = "", **bent: Any) -> Opened:
    return home.services.certificates.sign_in(attempt(home, token, second=second, **bent))


def test_a_ukey_signs_in_alone(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate)
    for raw in (False, True):
        opened = sign_in(house, token, raw=raw)
        assert (opened.account_name, opened.session.amr, opened.session.level) == (
            "analyst",
            ("hwk", "sm2"),
            2,
        )
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(token.certificate) + b"\n"
    assert read_given(pem + b"-----END CERTIFICATE-----\n").der == token.certificate


def test_a_key_without_a_token_needs_a_password_before(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate, token_held=False)
    with pytest.raises(Forbidden):
        sign_in(house, token)
    session = sign_in(house, token, house.begin("analyst")).session
    assert (session.amr, session.level) == (("pwd", "swk", "sm2", "mfa"), 2)
    with pytest.raises(CertificateRefused):
        sign_in(house, token, house.begin("staff"))


def test_password_and_ukey_reach_the_third_level(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate)
    assert sign_in(house, token, house.begin("analyst")).session.acr == "urn:secops:aal:3"


def test_a_challenge_counts_once_and_for_two_minutes(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate)
    given_ = attempt(house, token)
    house.services.certificates.sign_in(given_)
    with pytest.raises(SignInRefused):
        house.services.certificates.sign_in(given_)
    late = attempt(house, token)
    house.clock.advance(121)
    with pytest.raises(CertificateRefused):
        house.services.certificates.sign_in(late)


@pytest.mark.parametrize("seconds", [-181, 61])
def test_a_signature_of_another_time_is_refused(
    house: IamHome, office: Office, seconds: int
) -> None:
    token = Token(office)
    bind(house, token.certificate)
    challenge = house.services.certificates.ask()
    answer = token.answer(challenge, now=house.clock.now() + seconds * SECOND)
    with pytest.raises(CertificateRefused):
        house.services.certificates.sign_in(
            CertificateAttempt(ADDRESS, challenge.reference, answer)
        )


def test_a_signature_for_another_site_is_refused(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate)
    with pytest.raises(CertificateRefused):
        sign_in(house, token, origin="https://evil.example")


def test_another_certificate_beside_the_signature_is_refused(
    house: IamHome, office: Office
) -> None:
    token = Token(office)
    bind(house, token.certificate)
    renewed = office.issue(token.key.public_key.der)
    with pytest.raises(CertificateRefused):
        sign_in(house, token, certificate=renewed)
    # a renewed certificate of the same key stays bound
    assert sign_in(house, replace(token, certificate=renewed)).account_name == "analyst"


def test_a_stranger_with_a_trusted_certificate_is_nobody(house: IamHome, office: Office) -> None:
    with pytest.raises(CertificateRefused):
        sign_in(house, Token(office))


def test_the_encryption_twin_signs_nobody_in(house: IamHome, office: Office) -> None:
    token = Token(office)
    twin = office.issue(token.key.public_key.der, use="encryption")
    bind(house, token.certificate)
    with pytest.raises(CertificateRefused, match="digitalSignature"):
        sign_in(house, replace(token, certificate=twin))


@pytest.mark.parametrize("days", [(-400, -1), (1, 300)])
def test_out_of_its_time_it_is_refused(
    house: IamHome, office: Office, days: tuple[int, int]
) -> None:
    token = Token(office)
    bind(house, token.certificate)
    other = office.issue(token.key.public_key.der, days=days)
    with pytest.raises(CertificateRefused, match="not valid"):
        sign_in(house, replace(token, certificate=other))


def test_a_revoked_one_is_refused_from_the_next_list_on(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate)
    office.revoked.append(token.serial)
    with pytest.raises(CertificateRefused, match="revoked"):
        sign_in(house, token)


def test_without_a_current_list_nobody_is_trusted(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate)
    office.list_days = (-9, -1)
    with pytest.raises(CertificateRefused, match="no current list"):
        sign_in(house, token)
    office.list_days, office.without_list = (-1, 7), True
    with pytest.raises(CertificateRefused, match="no current list"):
        sign_in(house, token)


def test_a_list_signed_by_another_or_torn_says_nothing(office: Office) -> None:
    token, other = Token(office), Office(START)
    certificate = read_given(token.certificate)
    sound = office.list_of(office.key)
    issuer = read_given(office.root)
    for encoded in (office.list_of(other.key), sound[:-5], b"", b"x" * 50):
        assert listed_state(certificate, issuer, [encoded], at=START) == "unknown"
    assert listed_state(certificate, issuer, [b"x", sound], at=START) == "good"


def test_an_issuer_that_may_not_sign_lists_says_nothing(office: Office) -> None:
    certificate = read_given(Token(office).certificate)
    # keyCertSign alone: 05 bits unused, bit 5 set
    crippled = office.root.replace(b"\x03\x02\x01\x06", b"\x03\x02\x02\x04")
    lists = office.revocation_lists()
    assert listed_state(certificate, read_given(crippled), lists, at=START) == "unknown"


def test_another_root_is_not_trusted_even_if_it_comes_along(house: IamHome, office: Office) -> None:
    theirs = Office(START)
    token = Token(theirs)
    with pytest.raises(CertificateRefused, match="no trusted issuer"):
        bind(house, token.certificate)
    with pytest.raises(CertificateRefused, match="signs nobody in"):
        trusted_chain(read_given(office.root), [office.root], (), at=START)


def test_a_ca_below_the_root_signs_nobody_in() -> None:
    west = WesternOffice(START)
    key = ec.generate_private_key(ec.SECP256R1())
    below = west._sign("CA", key, ca=True)
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    with pytest.raises(CertificateRefused, match="signs nobody in"):
        trusted_chain(read_given(below.public_bytes(Encoding.DER)), west.roots(), (), at=START)


def test_a_western_client_certificate_signs_in_too(tmp_path: Path) -> None:
    west = WesternOffice(START)
    home = open_home(tmp_path, west)
    key = ec.generate_private_key(ec.SECP256R1())
    encoded = west.issue(key)
    bind(home, encoded)
    challenge = home.services.certificates.ask()
    iat = home.clock.now() // SECOND
    text = signed_text(challenge.origin, challenge.nonce, encoded, iat)
    answer = json.dumps(
        {
            "certificate": base64.b64encode(encoded).decode(),
            "iat": iat,
            "signature": base64.b64encode(key.sign(text, ec.ECDSA(SHA256()))).decode(),
        }
    )
    opened = home.services.certificates.sign_in(
        CertificateAttempt(ADDRESS, challenge.reference, answer)
    )
    assert opened.session.amr == ("hwk", "pop")
    home.close()


def test_an_algorithm_that_is_not_offered_signs_nobody_in(office: Office) -> None:
    from iam.core.certificate_sign_in.challenge import SignedAnswer, verify_answer  # noqa: PLC0415

    certificate = replace(read_given(Token(office).certificate), key_algorithm="ed25519")
    with pytest.raises(CertificateRefused, match="algorithm"):
        verify_answer(SignedAnswer(certificate, 0, b""), "o", "n", 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"certificate": 1, "signature": "", "iat": 1}',
        '{"certificate": "", "signature": "*", "iat": 1}',
        '{"certificate": "", "signature": "", "iat": true}',
        '{"certificate": "", "signature": "", "iat": 1}',
        "x" * 70_000,
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(CertificateRefused):
        read_answer(text)


@given(st.binary(max_size=300))
def test_strangers_bytes_are_no_certificate(content: bytes) -> None:
    for encoded in (content, b"-----BEGIN CERTIFICATE-----\n" + content, b"x" * 40_000):
        with pytest.raises(CertificateRefused):
            read_given(encoded)


def test_a_terminators_word_counts_when_it_is_signed(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate)
    service, now = house.services.certificates, house.clock.now()
    said = header(token.certificate, TERMINATOR, now)
    opened = service.sign_in(CertificateAttempt(ADDRESS, terminator=said))
    assert opened.session.amr == ("hwk", "sm2")
    with pytest.raises(SignInRefused):
        service.sign_in(CertificateAttempt(ADDRESS, terminator=said))


@pytest.mark.parametrize(
    "bent",
    [
        {"host": "evil.example"},
        {"v": 2},
        {"iat": "now"},
        {"iat": START // SECOND - 31},
        {"iat": START // SECOND + 31},
        {"nonce": "c2hvcnQ"},
        {"nonce": 5},
        {"cert": "*"},
    ],
    ids=str,
)
def test_a_terminators_word_for_another_place_or_time_is_refused(
    office: Office, bent: dict[str, Any]
) -> None:
    certificate = office.issue(Token(office).key.public_key.der)
    said = header(certificate, TERMINATOR, START, **bent)
    with pytest.raises(CertificateRefused):
        read_header(said, TERMINATOR, "localhost:8080", START // SECOND)


def test_an_unsigned_word_is_nobodys(office: Office) -> None:
    certificate = Token(office).certificate
    said = header(certificate, TERMINATOR, START)
    body, _, mac = said.partition(".")
    for value, key in (
        (said, b""),
        (said, b"another key"),
        (body, TERMINATOR),
        (f"{body}x.{mac}", TERMINATOR),
        (f"{body}.{mac}=", TERMINATOR),
        (base64.b64encode(certificate).decode(), TERMINATOR),
        ("x" * 70_000, TERMINATOR),
    ):
        with pytest.raises(CertificateRefused):
            read_header(value, key, "localhost:8080", START // SECOND)


def test_binding_takes_two_administrators_and_exactly_what_was_approved(
    house: IamHome, office: Office
) -> None:
    service, token, other = house.services.certificates, Token(office), Token(office)
    asking, judging = house.actor("system-admin"), house.actor("security-admin")
    new = NewBinding("analyst", token.certificate, "UKey", token_held=True)
    approval = service.request_binding(asking, new, "r")
    seen = house.services.power.changes.view_change(judging, approval)
    shown = {each.field: (each.before, each.after) for each in seen.differences if each.changed}
    assert shown["certificate.token_held"] == (None, True)
    assert shown["keys"] == ([], [shown["certificate.key"][1]])
    assert (seen.stale, seen.may_decide) == (False, True)
    with pytest.raises(Forbidden):
        service.approve_binding(asking, approval, grant=True)
    with pytest.raises(Forbidden):
        service.request_binding(judging, new, "r")
    with pytest.raises(Forbidden):
        service.request_binding(asking, replace(new, account="system-admin"), "r")
    with pytest.raises(Conflict):
        service.bind_certificate(asking, new, approval)
    service.approve_binding(judging, approval, grant=True)
    for bent in (
        replace(new, encoded=other.certificate),
        replace(new, token_held=False),
    ):
        with pytest.raises(Conflict):
            service.bind_certificate(asking, bent, approval)
    service.bind_certificate(asking, new, approval)
    with pytest.raises(Conflict):
        service.bind_certificate(asking, new, approval)
    with pytest.raises(CertificateKnown):
        service.request_binding(asking, replace(new, account="staff"), "r")
    rejected = service.request_binding(asking, replace(new, encoded=other.certificate), "r")
    service.approve_binding(judging, rejected, grant=False)
    reset = house.services.resets.request_reset(asking, "staff", "r")
    with pytest.raises(Conflict):
        service.approve_binding(judging, reset, grant=True)


def test_no_certificate_opens_an_emergency_account(house: IamHome, office: Office) -> None:
    asking, judging = house.actor("system-admin"), house.actor("security-admin")
    sealing = house.services.break_glass
    asked = sealing.request_break_glass(asking, "audit-admin", "new home")
    sealing.approve_break_glass(judging, asked, grant=True)
    account = sealing.create_break_glass(asking, asked).account
    new = NewBinding(account, Token(office).certificate, "UKey", token_held=True)
    with pytest.raises(BreakGlassKept):
        house.services.certificates.request_binding(asking, new, "r")


def test_the_owner_is_told_when_somebody_asks(tmp_path: Path, office: Office) -> None:
    """Two administrators who were talked into it: the owner hears of it before it signs in."""
    sms = FakeCarrier("sms")
    house = open_iam_home(tmp_path, trust=office, carriers=(sms,))
    addresses, owner = house.services.message_addresses, house.actor("analyst")
    asked = addresses.ask_address(owner, NewAddress("sms", "13812345678", ADDRESS))
    addresses.confirm_address(owner, asked.reference, sms.code, ADDRESS)
    new = NewBinding("analyst", Token(office).certificate, "UKey", token_held=True)
    house.services.certificates.request_binding(house.actor("system-admin"), new, "r")
    house.services.notices.deliver()
    assert [each.template for each in sms.sent] == ["confirm", "certificate_asked"]
    house.close()


def test_a_key_is_bound_once(house: IamHome, office: Office) -> None:
    token, service = Token(office), house.services.certificates
    asking, judging = house.actor("system-admin"), house.actor("security-admin")
    news = [
        NewBinding(account, token.certificate, "UKey", token_held=True)
        for account in ("analyst", "staff")
    ]
    approvals = [service.request_binding(asking, new, "r") for new in news]
    for approval in approvals:
        service.approve_binding(judging, approval, grant=True)
    service.bind_certificate(asking, news[0], approvals[0])
    with pytest.raises(CertificateKnown):
        service.bind_certificate(asking, news[1], approvals[1])


def test_owners_see_and_end_their_own_bindings(house: IamHome, office: Office) -> None:
    token, service = Token(office), house.services.certificates
    binding = bind(house, token.certificate)
    actor = house.actor("analyst")
    assert [each.id for each in service.list_own(actor)] == [binding.id]
    held = {each.kind: each.note for each in house.services.factors.list_factors(actor)}
    assert held["certificate"] == "hardware"
    with pytest.raises(StepUpRequired):
        service.unbind_own(replace(actor, auth_time=actor.auth_time - DAY), binding.id)
    with pytest.raises(NotFound):
        service.unbind_own(house.actor("staff"), binding.id)
    house.services.factors.remove_totp(actor)
    with pytest.raises(LastFactor):
        service.unbind_own(actor, binding.id)
    house.services.resets  # noqa: B018 - a reset would end it too
    assert sign_in(house, token).account_name == "analyst"


def test_an_address_that_only_fails_is_refused(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind(house, token.certificate)
    for _ in range(50):
        with pytest.raises(CertificateRefused):
            house.services.certificates.sign_in(CertificateAttempt(ADDRESS, "x", "{}"))
    with pytest.raises(SignInRefused):
        sign_in(house, token)


def test_the_operators_folder_is_read_again_when_it_changes(tmp_path: Path, office: Office) -> None:
    folder = tmp_path / "trust"
    trust = TrustFolder(folder)
    assert (trust.roots(), trust.intermediates(), trust.revocation_lists()) == ((), (), ())
    (folder / "roots").mkdir(parents=True)
    (folder / "roots" / "a.der").write_bytes(office.root)
    body = base64.encodebytes(office.root)
    pem = b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"
    (folder / "roots" / "b.pem").write_bytes(b"# a comment\n" + pem + pem)
    (folder / "roots" / "c.pem").write_bytes(pem.replace(b"MII", b"MI", 1).replace(b"=", b""))
    assert list(trust.roots())[:3] == [office.root] * 3
    assert trust.roots() is trust.roots()
    (folder / "roots" / "a.der").unlink()
    assert len(trust.roots()) >= 2


def test_the_challenge_says_what_is_signed(house: IamHome) -> None:
    challenge = house.services.certificates.ask()
    assert isinstance(challenge, CertificateChallenge)
    assert signed_text("o", "n", b"", 5) == (
        b'{"cert":"1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",'
        b'"iat":5,"nonce":"n","origin":"o","purpose":"secops-sm2-login/v1"}'
    )
    assert (challenge.origin, challenge.expires_in, len(challenge.nonce)) == (
        "http://localhost:8080",
        120,
        43,
    )


def test_a_list_that_says_more_than_is_understood_says_nothing(tmp_path: Path) -> None:
    from cryptography import x509  # noqa: PLC0415 - one use
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    west = WesternOffice(START)
    certificate = read_given(west.issue(ec.generate_private_key(ec.SECP256R1())))
    only = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=True,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    partial = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(west.root.subject)
        .last_update(west._since)
        .next_update(west._until)
        .add_extension(only, critical=True)
        .sign(west.key, SHA256())
        .public_bytes(Encoding.DER)
    )
    issuer = read_given(west.root.public_bytes(Encoding.DER))
    assert listed_state(certificate, issuer, [partial], at=START) == "unknown"


def test_our_own_tls_vouches_as_a_terminator_does(tmp_path: Path, office: Office) -> None:
    # without a terminator's key the word is signed by a key of the pool: nobody else has it
    home = open_iam_home(tmp_path, trust=office)
    token, service = Token(office), home.services.certificates
    bind(home, token.certificate)
    said = service.vouch(token.certificate)
    assert said != service.vouch(token.certificate)
    opened = service.sign_in(CertificateAttempt(ADDRESS, terminator=said))
    assert opened.session.amr == ("hwk", "sm2")
    with pytest.raises(SignInRefused):
        service.sign_in(CertificateAttempt(ADDRESS, terminator=said))
    for key in (b"", bytes(32)):
        forged = header(token.certificate, key, home.clock.now())
        with pytest.raises(CertificateRefused):
            service.sign_in(CertificateAttempt(ADDRESS, terminator=forged))
    home.close()
