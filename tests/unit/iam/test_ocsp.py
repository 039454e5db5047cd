"""Asking OCSP responders (RFC 6960), and every answer that must not be believed."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core, ocsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as western_ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from iam.core.certificate_sign_in.challenge import signed_text
from iam.core.rfc6960.answer import AnswerRefused, read_answer
from iam.core.rfc6960.question import OcspQuestion, ask_about, encoded_question, responder_of
from iam.core.rfc6960.verify import verify_answer
from iam.errors import CertificateRefused, CertificateUnchecked, SignInRefused
from iam.models.factors import CertificateAttempt, RevocationPolicy
from iam.models.sessions import Opened
from iam.ports import CertificateTrust
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND
from secops.kernel.errors import Unavailable
from tests.fakes.certificate_office import Office, Token, WesternOffice, header
from tests.fakes.certificate_office import bind_certificate as bind
from tests.fakes.clock import START
from tests.fakes.iam_home import ADDRESS, IamHome, open_iam_home
from tests.fakes.ocsp_responder import Responder

URL = "http://ocsp.example.gov.cn/"
TERMINATOR = b"shared with the terminator......"
NONCE = b"n" * 32
Judge = Callable[..., str]


@pytest.fixture(scope="module")
def office() -> Office:
    return Office(START, without_list=True)


@pytest.fixture(scope="module")
def western() -> WesternOffice:
    return WesternOffice(START)


def responder(office: Office, **bent: Any) -> Responder:
    return Responder(lambda: START, office.root, office.key, **bent)


def judged(
    answering: Responder, subject: bytes, issuer: bytes, *, at: int = START, clears: bool = False
) -> tuple[str, int]:
    """What is believed of ``subject`` and until when."""
    asked = ask_about(read_certificate(subject), read_certificate(issuer), NONCE)
    headers = {"content-type": "application/ocsp-request"}
    _, body = answering.post(URL, encoded_question(asked), headers, timeout=5.0)
    found = verify_answer(read_answer(body), asked, at=at, unrevoked=lambda _: clears)
    return found.status.state, found.until


@pytest.mark.parametrize("state", ["good", "revoked", "unknown"])
@pytest.mark.parametrize("by_key", [False, True], ids=["by name", "by key"])
def test_the_issuers_own_answer_is_believed(office: Office, state: str, *, by_key: bool) -> None:
    subject = Token(office).certificate
    answering = responder(office, usual=state, by_key=by_key)
    assert judged(answering, subject, office.root) == (state, START + HOUR)


@pytest.mark.parametrize("bits", [0, 2048])
def test_a_western_issuers_answer_is_believed(bits: int) -> None:
    western = WesternOffice(START, rsa.generate_private_key(65_537, bits) if bits else None)
    subject = western.issue(ec.generate_private_key(ec.SECP256R1()))
    root = western.root.public_bytes(Encoding.DER)
    answering = Responder(lambda: START, root, western.key)
    assert judged(answering, subject, root) == ("good", START + HOUR)


def test_another_librarys_answer_is_believed_and_it_reads_our_question(
    western: WesternOffice,
) -> None:
    subject = western.issue(ec.generate_private_key(ec.SECP256R1()))
    root = western.root.public_bytes(Encoding.DER)
    asked = ask_about(read_certificate(subject), read_certificate(root), NONCE)
    read = western_ocsp.load_der_ocsp_request(encoded_question(asked))
    assert read.serial_number == x509.load_der_x509_certificate(subject).serial_number
    assert read.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce.endswith(NONCE)
    built = (
        western_ocsp.OCSPResponseBuilder()
        .add_response(
            cert=x509.load_der_x509_certificate(subject),
            issuer=western.root,
            algorithm=read.hash_algorithm,
            cert_status=western_ocsp.OCSPCertStatus.GOOD,
            this_update=western._since,
            next_update=datetime(2049, 1, 1, tzinfo=UTC),
            revocation_time=None,
            revocation_reason=None,
        )
        .responder_id(western_ocsp.OCSPResponderEncoding.HASH, western.root)
        .add_extension(x509.OCSPNonce(NONCE), critical=False)
        .sign(western.key, SHA256())
        .public_bytes(Encoding.DER)
    )
    answer = read_answer(built)
    found = verify_answer(answer, asked, at=answer.produced_at, unrevoked=lambda _: False)
    assert found.status.state == "good"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command")
def test_openssl_answers_our_question_and_is_believed(
    tmp_path: Path, western: WesternOffice
) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - one use

    subject = western.issue(ec.generate_private_key(ec.SECP256R1()))
    root = western.root.public_bytes(Encoding.DER)
    asked = ask_about(read_certificate(subject), read_certificate(root), NONCE)
    (tmp_path / "req.der").write_bytes(encoded_question(asked))
    (tmp_path / "ca.pem").write_bytes(western.root.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        western.key.private_bytes(
            Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    serial = f"{asked.wanted.serial:X}"
    serial = "0" * (len(serial) % 2) + serial
    (tmp_path / "index.txt").write_text(f"V\t351231235959Z\t\t{serial}\tunknown\t/CN=Person\n")
    done = subprocess.run(
        [
            *("openssl", "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem"),
            *("-rkey", "key.pem", "-reqin", "req.der", "-respout", "out.der", "-nmin", "60"),
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = read_answer((tmp_path / "out.der").read_bytes())
    found = verify_answer(answer, asked, at=answer.produced_at, unrevoked=lambda _: False)
    assert (found.status.state, answer.nonce) == ("good", NONCE)


def test_a_delegated_responder_is_believed(office: Office, western: WesternOffice) -> None:
    key = PrivateKey.generate()
    signer = office.responder(key)
    answering = Responder(lambda: START, signer, key, certificates=(signer,))
    subject = Token(office).certificate
    assert judged(answering, subject, office.root)[0] == "good"
    other = ec.generate_private_key(ec.SECP256R1())
    signer = western.responder(other)
    answering = Responder(lambda: START, signer, other, certificates=(signer,))
    root = western.root.public_bytes(Encoding.DER)
    assert judged(answering, western.issue(other), root)[0] == "good"


def test_a_delegate_that_may_itself_be_revoked_needs_a_list_that_clears_it(
    office: Office,
) -> None:
    key = PrivateKey.generate()
    signer = office.responder(key, nocheck=False)
    answering = Responder(lambda: START, signer, key, certificates=(signer,))
    subject = Token(office).certificate
    assert judged(answering, subject, office.root, clears=True)[0] == "good"
    with pytest.raises(AnswerRefused, match="own certificate"):
        judged(answering, subject, office.root)


def strangers(office: Office) -> Iterator[tuple[str, Responder]]:
    key, theirs = PrivateKey.generate(), Office(START, without_list=True)
    # a person's certificate of the same issuer says nothing about anybody
    person = office.issue(key.public_key.der)
    yield "a person", Responder(lambda: START, person, key, certificates=(person,))
    for usage in ("client_auth", "any_extended_key_usage"):
        signer = office.responder(key, usage=usage)
        yield usage, Responder(lambda: START, signer, key, certificates=(signer,))
    signer = theirs.responder(key)
    yield "another CA's", Responder(lambda: START, signer, key, certificates=(signer,))
    yield "another CA", Responder(lambda: START, theirs.root, theirs.key)
    yield (
        "another CA brought along",
        Responder(lambda: START, theirs.root, theirs.key, certificates=(theirs.root,), by_key=True),
    )
    yield "another's key under the CA's name", Responder(lambda: START, office.root, key)
    for days in ((-9, -1), (1, 9)):
        signer = office.responder(key, days=days)
        yield f"valid {days}", Responder(lambda: START, signer, key, certificates=(signer,))
    signer = office.responder(key, use="encryption")
    yield "for encryption", Responder(lambda: START, signer, key, certificates=(signer,))
    signer = office.responder(key)
    yield "nobody brought along", Responder(lambda: START, signer, key)


def test_what_a_stranger_says_is_not_believed(office: Office) -> None:
    subject = Token(office).certificate
    for name, answering in strangers(office):
        with pytest.raises(AnswerRefused, match=r"issuer's|does not fit"):
            pytest.fail(f"{name}: {judged(answering, subject, office.root)}")


def without_version(data: ocsp.ResponseData) -> None:
    data["responses"][0]["cert_id"]["serial_number"] = 4_711


def twice(data: ocsp.ResponseData) -> None:
    data["responses"].append(data["responses"][0])


def other_issuer(data: ocsp.ResponseData) -> None:
    data["responses"][0]["cert_id"]["issuer_key_hash"] = b"k" * 32


def critical(data: ocsp.ResponseData) -> None:
    extension = {
        "extn_id": "1.2.3.4",
        "critical": True,
        "extn_value": core.ParsableOctetString(b"\x05\x00"),
    }
    data["responses"][0]["single_extensions"] = [ocsp.SingleResponseExtension(extension)]


def other_nonce(data: ocsp.ResponseData) -> None:
    extension = {"extn_id": "nonce", "critical": False, "extn_value": b"m" * 32}
    data["response_extensions"] = [ocsp.ResponseDataExtension(extension)]


BENT: dict[str, dict[str, Any]] = {
    "of another certificate": {"bend": without_version},
    "twice of the same": {"bend": twice},
    "of another issuer's": {"bend": other_issuer},
    "with an unknown critical extension": {"bend": critical},
    "to another question": {"bend": other_nonce},
    "out of date": {"since": timedelta(hours=-3), "until": timedelta(seconds=-1)},
    "of tomorrow": {"since": timedelta(minutes=6)},
    "made tomorrow": {"produced": timedelta(minutes=6)},
    "ending before it begins": {"since": timedelta(minutes=4), "until": timedelta(minutes=3)},
    "old and to nobody": {"with_nonce": False, "since": timedelta(days=-8)},
    "without nonce and end": {"with_nonce": False, "until": None},
    "torn": {"bend_bytes": lambda encoded: encoded[:-1]},
    "longer": {"bend_bytes": lambda encoded: encoded + b"\x00"},
    "another byte": {
        "bend_bytes": lambda encoded: encoded[:-9] + bytes([encoded[-9] ^ 1]) + encoded[-8:]
    },
    "empty": {"bend_bytes": lambda _: b""},
    "html": {"bend_bytes": lambda _: b"<html>"},
    "endless": {"bend_bytes": lambda _: b"\x30" * 70_000},
    "success without an answer": {"bend_bytes": lambda _: bytes.fromhex("30030a0100")},
    "another kind": {
        "bend_bytes": lambda encoded: encoded.replace(
            bytes.fromhex("2b0601050507300101"), bytes.fromhex("2b0601050507300109")
        )
    },
    "a state of two bytes": {"bend_bytes": lambda _: bytes.fromhex("30040a020000")},
    "try later": {"trouble": "try_later"},
    "unauthorized": {"trouble": "unauthorized"},
    "malformed": {"trouble": "malformed_request"},
    "internal": {"trouble": "internal_error"},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=BENT)
def test_an_answer_that_is_not_of_now_and_to_us_is_not_believed(
    office: Office, bent: dict[str, Any]
) -> None:
    subject = Token(office).certificate
    with pytest.raises(AnswerRefused):
        judged(responder(office, **bent), subject, office.root)


def test_how_long_an_answer_holds(office: Office) -> None:
    subject = Token(office).certificate

    def until(**bent: Any) -> int:
        return judged(responder(office, **bent), subject, office.root)[1] - START

    assert until(until=None) == 0
    assert until(with_nonce=False) == HOUR
    assert until(with_nonce=False, since=timedelta(days=-6), until=timedelta(days=90)) == DAY
    assert until(until=timedelta(days=90)) == 7 * DAY
    assert until(since=timedelta(days=-8), until=timedelta(days=1)) == 0
    assert until(since=timedelta(minutes=4)) == HOUR
    assert until(produced=timedelta(minutes=4)) + MINUTE == HOUR + MINUTE


@given(st.binary(max_size=200), st.integers(0, 400))
def test_strangers_bytes_are_no_answer(content: bytes, cut: int) -> None:
    office = Office(START)
    whole = responder(office, certificates=(office.root,))
    asked = ask_about(read_certificate(office.root), read_certificate(office.root), NONCE)
    request = ocsp.OCSPRequest.load(encoded_question(asked))
    sound = whole.answer(request)
    for text in (content, sound[:cut] + content + sound[cut + len(content) :]):
        try:
            found = verify_answer(read_answer(text), asked, at=START, unrevoked=lambda _: False)
        except AnswerRefused:
            continue
        # a changed byte may only be one outside of what was signed
        assert found.status.state == "good"
        assert text[:4] == sound[:4]


# whole sign-ins


def open_home(
    tmp_path: Path, trust: CertificateTrust, answering: Responder, **policy: Any
) -> IamHome:
    chosen = RevocationPolicy(**({"responder": URL} | policy))
    home = open_iam_home(
        tmp_path, trust=trust, outbound=answering, terminator_key=TERMINATOR, revocation=chosen
    )
    answering.now = home.clock.now
    return home


def sign_in(home: IamHome, token: Token) -> Opened:
    challenge = home.services.certificates.ask()
    answer = token.answer(challenge, now=home.clock.now())
    return home.services.certificates.sign_in(
        CertificateAttempt(ADDRESS, challenge.reference, answer)
    )


def test_the_responder_decides_and_is_asked_again_when_its_answer_ends(
    tmp_path: Path, office: Office
) -> None:
    answering, token = responder(office), Token(office)
    home = open_home(tmp_path, office, answering)
    bind(home, token.certificate)
    for _ in range(3):
        assert sign_in(home, token).session.amr == ("hwk", "sm2")
    assert answering.asked == [(URL, token.serial)]
    answering.states[token.serial] = "revoked"
    sign_in(home, token)
    home.clock.advance(3_601)
    with pytest.raises(CertificateRefused, match="revoked"):
        sign_in(home, token)
    assert len(answering.asked) == 2
    home.close()


def test_who_the_issuer_does_not_know_is_refused(tmp_path: Path, office: Office) -> None:
    answering, token = responder(office, usual="unknown"), Token(office)
    home = open_home(tmp_path, office, answering)
    with pytest.raises(CertificateRefused, match="nobody issued"):
        bind(home, token.certificate)
    home.close()


FAILURES: dict[str, dict[str, Any]] = {
    "silent": {"error": Unavailable("ocsp.example.gov.cn: TimeoutError")},
    "in trouble": {"trouble": "try_later"},
    "lying": {"bend": other_nonce},
    "elsewhere": {"status": 404},
}


@pytest.mark.parametrize("bent", FAILURES.values(), ids=FAILURES)
def test_where_nobody_can_tell_nobody_signs_in(
    tmp_path: Path, office: Office, bent: dict[str, Any]
) -> None:
    answering, token = responder(office, until=None), Token(office)
    home = open_home(tmp_path, office, answering)
    bind(home, token.certificate)
    for name, value in bent.items():
        setattr(answering, name, value)
    challenge = home.services.certificates.ask()
    answer = token.answer(challenge, now=home.clock.now())
    attempt = CertificateAttempt(ADDRESS, challenge.reference, answer)
    with pytest.raises(CertificateUnchecked) as caught:
        home.services.certificates.sign_in(attempt)
    assert caught.value.status == 503
    last = home.leaves()[-1]
    assert (last["action"], last["outcome"]) == ("iam.sign_in", "refused")
    # nobody guessed wrong: the address may go on, and the challenge was not used up
    for name in bent:
        setattr(answering, name, getattr(responder(office), name))
    home.services.certificates.sign_in(attempt)
    home.close()


def test_a_list_answers_for_a_silent_responder_only_where_that_is_wanted(tmp_path: Path) -> None:
    office = Office(START)
    answering, token = responder(office, error=Unavailable("silent")), Token(office)
    home = open_home(tmp_path, office, answering, lists_instead=True)
    bind(home, token.certificate)
    assert sign_in(home, token).account_name == "analyst"
    office.without_list = True
    with pytest.raises(CertificateUnchecked):
        sign_in(home, token)
    # and a list that says "revoked" is believed beside a responder that says "good"
    office.without_list, answering.error = False, None
    office.revoked.append(token.serial)
    with pytest.raises(CertificateRefused, match="revoked"):
        sign_in(home, token)
    home.close()


def test_the_responder_that_a_certificate_names_is_asked(tmp_path: Path) -> None:
    western = WesternOffice(START)
    root = western.root.public_bytes(Encoding.DER)
    answering = Responder(lambda: START, root, western.key)
    home = open_home(tmp_path, western, answering, responder="", named=True)
    key = ec.generate_private_key(ec.SECP256R1())
    named, plain = western.issue(key, responder="http://a.example/ocsp"), western.issue(key)
    bind(home, named)
    assert {url for url, _ in answering.asked} == {"http://a.example/ocsp"}
    before = len(answering.asked)
    home.services.certificates.presenting.judge.require_trusted(read_certificate(plain))
    assert len(answering.asked) == before
    home.close()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://a.example/", "http://a.example/"),
        ("https://a.example/x", "https://a.example/x"),
        ("ldap://a.example/", ""),
        ("file:///etc/passwd", ""),
        ("http://" + "a" * 1_100, ""),
    ],
    ids=lambda value: value[:12],
)
def test_only_an_address_by_http_is_read_from_a_certificate(
    western: WesternOffice, value: str, expected: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert responder_of(read_certificate(western.issue(key, responder=value))) == expected


@pytest.mark.parametrize(
    "content", [b"", b"\x30\x02\x30\x00", b"\x31\x00", b"\x30\x03\x02\x01\x01"]
)
def test_a_malformed_access_names_nobody(western: WesternOffice, content: bytes) -> None:
    from dataclasses import replace  # noqa: PLC0415 - one use

    certificate = read_certificate(western.root.public_bytes(Encoding.DER))
    bent = replace(certificate, extensions={"1.3.6.1.5.5.7.1.1": content})
    assert responder_of(bent) == ""
    assert responder_of(certificate) == ""


# RSA


def rsa_attempt(
    home: IamHome, key: rsa.RSAPrivateKey, encoded: bytes, pad: Any = None
) -> CertificateAttempt:
    challenge = home.services.certificates.ask()
    iat = home.clock.now() // SECOND
    text = signed_text(challenge.origin, challenge.nonce, encoded, iat)
    signature = key.sign(text, pad or padding.PKCS1v15(), SHA256())
    answer = {
        "certificate": base64.b64encode(encoded).decode(),
        "iat": iat,
        "signature": base64.b64encode(signature).decode(),
    }
    return CertificateAttempt(ADDRESS, challenge.reference, json.dumps(answer))


def test_an_rsa_certificate_signs_in_with_pkcs1_padding_alone(tmp_path: Path) -> None:
    western = WesternOffice(START, rsa.generate_private_key(65_537, 2_048))
    key = rsa.generate_private_key(65_537, 2_048)
    root = western.root.public_bytes(Encoding.DER)
    home = open_home(tmp_path, western, Responder(lambda: START, root, western.key))
    encoded = western.issue(key)
    bind(home, encoded)
    sign = home.services.certificates.sign_in
    assert sign(rsa_attempt(home, key, encoded)).session.amr == ("hwk", "pop")
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    with pytest.raises(CertificateRefused, match="does not fit"):
        sign(rsa_attempt(home, key, encoded, pss))
    home.close()


def weak_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - what must be refused


def test_an_rsa_key_below_2048_bits_signs_nobody_in(tmp_path: Path) -> None:
    western, key = WesternOffice(START), weak_key()
    root = western.root.public_bytes(Encoding.DER)
    home = open_home(tmp_path, western, Responder(lambda: START, root, western.key))
    encoded = western.issue(key)
    with pytest.raises(CertificateRefused, match="key"):
        bind(home, encoded)
    with pytest.raises(CertificateRefused, match="does not fit"):
        home.services.certificates.sign_in(rsa_attempt(home, key, encoded))
    # nor by a terminator, which checked nothing of this
    said = header(encoded, TERMINATOR, home.clock.now())
    with pytest.raises((CertificateRefused, SignInRefused)):
        home.services.certificates.sign_in(CertificateAttempt(ADDRESS, terminator=said))
    home.close()


def test_a_ca_with_a_weak_key_is_no_issuer() -> None:
    from iam.core.certificate_sign_in.trust import trusted_chain  # noqa: PLC0415 - one use

    western = WesternOffice(START, weak_key())
    subject: Certificate = read_certificate(western.issue(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(CertificateRefused, match="no trusted issuer"):
        trusted_chain(subject, western.roots(), (), at=START)


def test_server_usage_is_no_responders(western: WesternOffice) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    root = western.root.public_bytes(Encoding.DER)
    for usages in ((ExtendedKeyUsageOID.SERVER_AUTH,), ()):
        signer = western.responder(key, usages=usages)
        answering = Responder(lambda: START, signer, key, certificates=(signer,))
        with pytest.raises(AnswerRefused, match="issuer's"):
            judged(answering, western.issue(key), root)


def small(certificates: int = 0, state: str = "8000", version: str = "") -> bytes:
    """An answer written by hand, as small as can be: what an encoder would not write."""

    def tlv(tag: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        length = len(content)
        size = bytes([length]) if length < 128 else bytes([0x81, length])
        return bytes([tag]) + size + content

    oid, when = bytes.fromhex("06022a03"), tlv(0x18, b"20260101000000Z")
    named = tlv(0x30, tlv(0x30, oid), tlv(4, b"n"), tlv(4, b"k"), tlv(2, b"\x01"))
    nonce = bytes.fromhex("06092b0601050507300102")
    extension = tlv(0x30, nonce, b"\x01\x01\xff", tlv(4, tlv(4, b"x")))
    data = tlv(
        0x30,
        bytes.fromhex(version),
        tlv(0xA2, tlv(4, b"h" * 20)),
        when,
        tlv(0x30, tlv(0x30, named, bytes.fromhex(state), when)),
        tlv(0xA1, tlv(0x30, extension)),
    )
    brought = tlv(0xA0, tlv(0x30, *[tlv(0x30, b"\x05\x00")] * certificates))
    basic = tlv(0x30, data, tlv(0x30, oid), tlv(3, b"\x00s"), *([brought] * bool(certificates)))
    kind = bytes.fromhex("06092b0601050507300101")
    return tlv(0x30, bytes.fromhex("0a0100"), tlv(0xA0, tlv(0x30, kind, tlv(4, basic))))


def test_what_no_encoder_writes_is_read_or_refused() -> None:
    read = read_answer(small(certificates=4))
    assert (read.key_hash, read.nonce, len(read.certificates)) == (b"h" * 20, b"x", 4)
    assert read.statuses[0].next_update is None
    assert read_answer(small(version="a003020100")).statuses == read.statuses
    bent = (
        small(certificates=5),
        small(version="a003020101"),
        small().replace(b"\xa2\x16", b"\xa3\x16"),
        small(state="8300"),
        small().replace(bytes.fromhex("06022a03"), bytes.fromhex("04022a03")),
        small().replace(b"\x18\x0f2026", b"\x17\x0f2026"),
        small().replace(b"\x04\x01n", b"\x02\x01n"),
    )
    for encoded in bent:
        with pytest.raises(AnswerRefused, match="no OCSP"):
            read_answer(encoded)
    # a responder that brings bytes that are no certificate is nobody
    western = WesternOffice(START)
    root = read_certificate(western.root.public_bytes(Encoding.DER))
    asked = OcspQuestion(read.statuses[0].subject, root, NONCE)
    with pytest.raises(AnswerRefused, match="can't be read"):
        verify_answer(read, asked, at=START, unrevoked=lambda _: True)


def test_a_delegate_of_another_name_or_with_more_to_understand_is_nobody() -> None:
    western = WesternOffice(START)
    key = ec.generate_private_key(ec.SECP256R1())
    root = western.root.public_bytes(Encoding.DER)
    other = WesternOffice(START, western.key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "OCSP")]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(other._since)
        .not_valid_after(other._until)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=True)
    )
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    elsewhere = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Elsewhere")])
    for made in (
        builder.issuer_name(elsewhere),
        builder.issuer_name(western.root.subject).add_extension(unknown, critical=True),
    ):
        signer = made.sign(western.key, SHA256()).public_bytes(Encoding.DER)
        answering = Responder(lambda: START, signer, key, certificates=(signer,))
        with pytest.raises(AnswerRefused, match="issuer's"):
            judged(answering, western.issue(key), root)
    # without any key usage the extended one alone makes a responder
    plain = builder.issuer_name(western.root.subject).sign(western.key, SHA256())
    encoded = plain.public_bytes(Encoding.DER)
    answering = Responder(lambda: START, encoded, key, certificates=(encoded,))
    assert judged(answering, western.issue(key), root, clears=True)[0] == "good"
