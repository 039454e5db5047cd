"""The OCSP responder, judged by the openssl command line and by ``cryptography``."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from kms.api.authority import routes
from kms.core.rfc5280.reading import verify_revocation_list
from kms.core.rfc5280.writing import revocation_list
from kms.core.rfc6960.requests import MAX_CERTIFICATES, read_request
from kms.core.x690 import DerError, read_der
from kms.core.x690 import writing as der
from kms.errors.keys import PoolLocked
from kms.models.certificates import MAX_OCSP_REQUEST
from kms.service.authority import ROOT_KEY
from kms.service.certificates.responder import LIFETIME, OcspResponder
from kms.service.published_lists import PublishedLists
from secops.crypto.certificates import read_certificate, verify_chain, verify_signature_of
from secops.crypto.der import encode
from secops.crypto.sm2 import PrivateKey
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import TooMany
from secops.web.messages import Request
from tests.fakes.certificate_house import OWNER, House, csr, open_house, sm2_csr
from tests.fakes.clock import START

HOST = "bsdt.example.gov.cn"
SHA_1 = SHA1()  # noqa: S303 - what RFC 5019 has every client ask with
DISTID = ("-vfyopt", "distid:1234567812345678")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("ocsp")) as made:
        yield made


@pytest.fixture(scope="module")
def good(house: House) -> Any:
    return house.issue(csr(None, HOST))


@pytest.fixture(scope="module")
def ended(house: House) -> Any:
    issued = house.issue(csr(None, HOST))
    house.certificates.registry.revoke_certificate(OWNER, issued.id, "key_compromise")
    return issued


def question(house: House, *certificates: bytes, nonce: bytes | None = None) -> bytes:
    builder = ocsp.OCSPRequestBuilder()
    issuer = x509.load_der_x509_certificate(house.root("document").der)
    (certificate,) = map(x509.load_der_x509_certificate, certificates)
    builder = builder.add_certificate(certificate, issuer, SHA256())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def ask(house: House, request: bytes) -> ocsp.OCSPResponse:
    return ocsp.load_der_ocsp_response(house.certificates.responder.answer_ocsp(request).content)


def test_a_good_certificate_is_good_for_ten_minutes(house: House, good: Any) -> None:
    answer = ask(house, question(house, good.der))
    assert answer.certificate_status == ocsp.OCSPCertStatus.GOOD
    assert answer.next_update_utc is not None
    assert answer.next_update_utc - answer.this_update_utc == timedelta(minutes=10)
    assert answer.responder_name is None


def test_the_answer_is_signed_by_a_delegated_responder(house: House, good: Any) -> None:
    answer = ask(house, question(house, good.der))
    (responder,) = answer.certificates
    certificate = read_certificate(responder.public_bytes(Encoding.DER))
    verify_chain(certificate, (), (house.root("document"),), at=START)
    verify_signature_of(
        certificate, "1.2.840.10045.4.3.2", answer.signature, answer.tbs_response_bytes
    )
    purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING]
    assert responder.extensions.get_extension_for_class(x509.OCSPNoCheck)


def test_a_revoked_certificate_is_revoked_in_the_next_answer(house: House, ended: Any) -> None:
    answer = ask(house, question(house, ended.der))
    assert answer.certificate_status == ocsp.OCSPCertStatus.REVOKED
    assert answer.revocation_reason == x509.ReasonFlags.key_compromise
    assert answer.revocation_time_utc is not None
    assert int(answer.revocation_time_utc.timestamp()) == START // SECOND


def test_what_the_table_could_not_be_told_is_revoked_all_the_same(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        issued = house.issue(csr(None, HOST))
        revocations = house.world.spine.parts.revocations
        house.world.spine.parts.transactions.run(
            lambda tx: revocations.revoke(tx, "certificate", issued.id)
        )
        answer = ask(house, question(house, issued.der))
        assert answer.certificate_status == ocsp.OCSPCertStatus.REVOKED
        lists = PublishedLists(house.world.parts.authority)
        crl = x509.load_der_x509_crl(lists.revocation_list("document"))
        assert [each.serial_number for each in crl] == [int(issued.serial, 16)]


def test_a_serial_number_that_was_never_given_is_unknown(house: House, good: Any) -> None:
    issuer = x509.load_der_x509_certificate(house.root("document").der)
    request = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*hashes_of(issuer), 4_711, SHA_1)
    answer = ask(house, request.build().public_bytes(Encoding.DER))
    assert answer.certificate_status == ocsp.OCSPCertStatus.UNKNOWN


def hashes_of(issuer: x509.Certificate) -> tuple[bytes, bytes]:
    built = ocsp.OCSPRequestBuilder().add_certificate(issuer, issuer, SHA_1).build()
    return built.issuer_name_hash, built.issuer_key_hash


def test_another_issuers_certificates_are_not_spoken_for(house: House) -> None:
    request = ocsp.OCSPRequestBuilder().add_certificate_by_hash(bytes(20), bytes(20), 5, SHA_1)
    answer = ask(house, request.build().public_bytes(Encoding.DER))
    assert answer.response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_a_hash_that_is_not_offered_names_nobody(house: House, good: Any) -> None:
    wanted = certificate_id(house, int(good.serial, 16), hash_oid="2.16.840.1.101.3.4.2.3")
    answer = ask(house, request_of(der.sequence(wanted)))
    assert answer.response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_a_nonce_comes_back_and_such_an_answer_is_not_kept(house: House, good: Any) -> None:
    found = house.certificates.responder.answer_ocsp(question(house, good.der, nonce=b"n" * 32))
    answer = ocsp.load_der_ocsp_response(found.content)
    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32
    assert found.expires_at is None
    plain = house.certificates.responder.answer_ocsp(question(house, good.der))
    assert plain.expires_at == plain.produced_at + LIFETIME


def certificate_id(house: House, serial: int, *, hash_oid: str = "1.3.14.3.2.26") -> bytes:
    issuer = x509.load_der_x509_certificate(house.root("document").der)
    name, key = hashes_of(issuer)
    algorithm = der.sequence(der.oid(hash_oid), b"\x05\x00")
    return der.sequence(algorithm, der.octets(name), der.octets(key), der.integer(serial))


def test_several_certificates_are_answered_for_in_their_order(
    house: House, good: Any, ended: Any
) -> None:
    wanted = [int(ended.serial, 16), int(good.serial, 16), 4_711]
    request = der.sequence(
        der.sequence(der.sequence(*(der.sequence(certificate_id(house, each)) for each in wanted)))
    )
    answer = ask(house, request)
    found = [(each.serial_number, each.certificate_status.name) for each in answer.responses]
    assert found == list(zip(wanted, ("REVOKED", "GOOD", "UNKNOWN"), strict=True))


def nonce_of(content: bytes) -> bytes:
    return der.sequence(der.oid("1.3.6.1.5.5.7.48.1.2"), der.octets(content))


UNKNOWN = der.sequence(der.oid("1.2.3"), der.TRUE, der.octets(b""))


def extensions(*each: bytes) -> bytes:
    return encode(0xA2, der.sequence(*each))


def request_of(*single: bytes, rest: bytes = b"", before: bytes = b"") -> bytes:
    return der.sequence(der.sequence(*([before] if before else []), der.sequence(*single), rest))


SINGLE = der.sequence(
    der.sequence(
        der.sequence(der.oid("1.3.14.3.2.26")), der.octets(b"n"), der.octets(b"k"), der.integer(1)
    )
)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x30\x00",
        bytes(MAX_OCSP_REQUEST + 1),
        request_of(),
        der.sequence(der.sequence()),
        request_of(*[SINGLE] * (MAX_CERTIFICATES + 1)),
        request_of(SINGLE) + b"\x00",
        request_of(SINGLE, before=encode(0xA0, der.integer(0))),
        request_of(SINGLE, before=encode(0xA0, der.integer(1))),
        request_of(der.sequence(der.sequence(der.integer(1)))),
        request_of(SINGLE, rest=extensions(nonce_of(der.octets(b"")))),
        request_of(SINGLE, rest=extensions(nonce_of(der.octets(bytes(129))))),
        request_of(SINGLE, rest=extensions(*[nonce_of(der.octets(b"x"))] * 2)),
        request_of(SINGLE, rest=extensions(UNKNOWN)),
        request_of(SINGLE, rest=encode(0xA2, b"")),
        request_of(SINGLE, rest=encode(0xA1, b"")),
        request_of(
            der.sequence(
                *[each.raw for each in read_der(SINGLE).children],
                encode(0xA0, der.sequence(UNKNOWN)),
            )
        ),
        der.sequence(der.sequence(der.sequence(SINGLE)), der.sequence()),
    ],
)
def test_malformed_and_greedy_requests_are_told_so(house: House, encoded: bytes) -> None:
    answer = ask(house, encoded)
    assert answer.response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_what_a_request_may_say_beside_is_passed_over() -> None:
    name = encode(0xA1, encode(0x82, b"a.cn"))
    other = der.sequence(der.oid("1.2.3"), der.octets(b""))
    signed = der.sequence(
        der.sequence(name, der.sequence(SINGLE), extensions(other)), encode(0xA0, der.sequence())
    )
    found = read_request(signed)
    assert (len(found.certificates), found.nonce) == (1, None)
    assert found.certificates[0].serial == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        read_request(content)
    except DerError:
        return


def test_a_locked_pool_says_try_later(house: House, good: Any) -> None:
    class Locked:
        def ensure_key(self, name: str, algorithm: str = "sm2") -> bytes:
            raise PoolLocked

        sign = ensure_key

    locked = OcspResponder(replace(house.world.parts.authority, keys=Locked()))
    answer = ocsp.load_der_ocsp_response(locked.answer_ocsp(question(house, good.der)).content)
    assert answer.response_status == ocsp.OCSPResponseStatus.TRY_LATER


def test_before_anything_was_issued_nobody_is_spoken_for(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        answer = ask(house, request_of(SINGLE))
        assert answer.response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_an_address_gets_six_hundred_answers_a_minute(house: House) -> None:
    responder = OcspResponder(house.world.parts.authority)
    for _ in range(600):
        responder.answer_ocsp(b"", caller="10.0.0.1")
    with pytest.raises(TooMany):
        responder.answer_ocsp(b"", caller="10.0.0.1")


def handlers(house: House) -> dict[str, Any]:
    lists = PublishedLists(house.world.parts.authority)
    services = SimpleNamespace(published_lists=lists, certificates=house.certificates)
    return {route.operation: route for route in routes(services)}  # type: ignore[arg-type]


def test_over_http_an_answer_without_nonce_may_be_kept_for_a_minute(
    house: House, good: Any
) -> None:
    route = handlers(house)["answer_ocsp_in_path"]
    sent = quote(base64.b64encode(question(house, good.der)).decode(), safe="")
    response = route.handler(Request("GET", "/", target=f"/ca/ocsp/{sent}"))
    answer = ocsp.load_der_ocsp_response(response.body)
    assert answer.certificate_status == ocsp.OCSPCertStatus.GOOD
    assert response.header("content-type") == "application/ocsp-response"
    assert "max-age=60" in str(response.header("cache-control"))
    assert all(response.header(name) for name in ("etag", "last-modified", "expires"))
    nonced = quote(base64.b64encode(question(house, good.der, nonce=b"1" * 16)).decode(), safe="")
    response = route.handler(Request("GET", "/", target=f"/ca/ocsp/{nonced}"))
    assert response.header("cache-control") == "no-store"
    broken = route.handler(Request("GET", "/", target="/ca/ocsp/%%%"))
    status = ocsp.load_der_ocsp_response(broken.body).response_status
    assert status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def files(house: House, folder: Path, leaf: bytes, root: str) -> tuple[Path, Path]:
    paths = folder / "leaf.pem", folder / "root.pem"
    for path, encoded in zip(paths, (leaf, house.root(root).der), strict=True):
        block = base64.encodebytes(encoded).decode()
        path.write_text(f"-----BEGIN CERTIFICATE-----\n{block}-----END CERTIFICATE-----\n")
    return paths


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize("asked", [("-sha1", "-nonce"), ("-sha256", "-no_nonce")])
def test_openssl_verifies_our_answers(
    house: House, good: Any, ended: Any, tmp_path: Path, asked: tuple[str, str]
) -> None:
    for issued, word in ((good, "good"), (ended, "revoked")):
        leaf, root = files(house, tmp_path, issued.der, "document")
        request = tmp_path / "q.der"
        common = ("-issuer", root, asked[0], "-cert", leaf)
        openssl("ocsp", *common, asked[1], "-reqout", request)
        found = house.certificates.responder.answer_ocsp(request.read_bytes())
        answer = answer_file(tmp_path, found.content)
        # openssl's own clock must lie within the answer's time
        time = ("-validity_period", str(50 * 365 * 86_400), "-attime", str(START // SECOND))
        rest = ("-respin", answer, "-resp_text", "-CAfile", root, *time)
        seen = openssl("ocsp", "-reqin", request, *rest)
        assert "Response verify OK" in seen.stderr, seen.stderr
        assert f"Cert Status: {word}" in seen.stdout
        if asked[1] == "-no_nonce":
            seen = openssl("ocsp", *common, "-no_nonce", *rest)
            assert f"{leaf}: {word}" in seen.stdout


def test_an_sm2_certificates_answer_is_signed_with_sm2(house: House, tmp_path: Path) -> None:
    issued = house.issue(sm2_csr(PrivateKey.generate()), "sm2_signing")
    leaf, root = files(house, tmp_path, issued.der, "root")
    request = tmp_path / "q.der"
    openssl("ocsp", "-issuer", root, "-sm3", "-cert", leaf, "-no_nonce", "-reqout", request)
    answer = house.certificates.responder.answer_ocsp(request.read_bytes()).content
    basic = read_der(read_der(answer).children[1].children[0].children[1].content)
    tbs, algorithm, signature, wrapped = basic.sequence("basic", 4)
    assert algorithm.raw == der.sequence(der.oid("1.2.156.10197.1.501"))
    responder = read_certificate(wrapped.children[0].children[0].raw)
    verify_chain(responder, (), (house.root(),), at=START)
    verify_signature_of(responder, "1.2.156.10197.1.501", signature.content[1:], tbs.raw)
    text = openssl("ocsp", "-respin", answer_file(tmp_path, answer), "-noverify", "-resp_text")
    assert "Cert Status: good" in text.stdout


def answer_file(folder: Path, content: bytes) -> Path:
    path = folder / "a.der"
    path.write_bytes(content)
    return path


def test_openssl_follows_our_sm2_chain_and_list_also_where_it_is_revoked(
    house: House, tmp_path: Path
) -> None:
    kept = house.issue(sm2_csr(PrivateKey.generate()), "sm2_signing")
    gone = house.issue(sm2_csr(PrivateKey.generate()), "sm2_signing")
    house.certificates.registry.revoke_certificate(OWNER, gone.id, "superseded")
    ours = PublishedLists(house.world.parts.authority).revocation_list()
    verify_revocation_list(ours, (house.root(),))
    tbs = read_der(ours).children[0].raw
    # openssl gives -vfyopt to certificates alone and checks lists with an empty user id, which
    # no standard has: the same list, signed so for it, shows that its reader agrees with ours
    crl = tmp_path / "root.crl"
    for_openssl = revocation_list(tbs, house.world.keys.keys[ROOT_KEY].sign(tbs, b""))
    block = base64.encodebytes(for_openssl).decode()
    crl.write_text(f"-----BEGIN X509 CRL-----\n{block}-----END X509 CRL-----\n")
    at = ("-attime", str(START // SECOND))
    plain, listed = [], []
    for issued in (kept, gone):
        leaf, root = files(house, tmp_path, issued.der, "root")
        chain = ("verify", *DISTID, *at, "-CAfile", root)
        plain.append(openssl(*chain, leaf).returncode)
        listed.append(openssl(*chain, "-crl_check", "-CRLfile", crl, leaf))
    assert plain == [0, 0]
    assert [each.returncode for each in listed] == [0, 2]
    assert "certificate revoked" in listed[1].stderr


def test_each_root_has_a_list_with_reasons_that_follows_a_revocation_at_once(
    tmp_path: Path,
) -> None:
    with open_house(tmp_path) as house:
        issued = house.issue(csr(ec.generate_private_key(ec.SECP256R1()), HOST))
        lists = PublishedLists(house.world.parts.authority)
        before = x509.load_der_x509_crl(lists.revocation_list("document"))
        house.certificates.registry.revoke_certificate(OWNER, issued.id, "superseded")
        after = x509.load_der_x509_crl(lists.revocation_list("document"))
        assert list(before) == []
        (entry,) = after
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        assert (entry.serial_number, reason) == (
            int(issued.serial, 16),
            x509.ReasonFlags.superseded,
        )
        issuer = x509.load_der_x509_certificate(house.root("document").der)
        assert after.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        house.world.clock.advance(DAY / SECOND)
        later = x509.load_der_x509_crl(lists.revocation_list("document"))
        numbers = [
            each.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            for each in (before, after, later)
        ]
        assert numbers == sorted(numbers)
        assert later.next_update_utc is not None
        assert int(later.next_update_utc.timestamp()) > house.world.clock.now() // SECOND
