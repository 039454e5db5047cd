"""Certificates are asked for with a PKCS#10, approved by another, issued, renewed, revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from sqlalchemy import text

from kms.core.gbt35276.enveloped_keys import enveloped_key, private_scalar
from kms.core.rfc2986.reading import MAX_REQUEST, RequestRefused, verify_request
from kms.core.rfc5280.names import AlternativeNames
from kms.core.rfc5280.writing import Name
from kms.core.x690 import DerError, read_der, values
from kms.core.x690 import writing as der
from kms.errors.certificates import (
    CertificateNotFound,
    CertificateRefused,
    CertificateRequestRejected,
    CertificateStateConflict,
)
from kms.errors.time_stamps import TimeStampUnavailable
from kms.models.certificates import CertificateFilter, CertificateWish
from kms.service.authority import Order
from kms.service.time_stamps import TimeStampAuthority
from secops.crypto import ciphers
from secops.crypto.certificates import read_certificate, verify_chain, verify_issued_by
from secops.crypto.der import encode
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import PrivateKey
from secops.kernel.actors import ROOT_ORG
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import DAY
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest, decode_cursor
from tests.fakes.certificate_house import (
    OTHER_OWNER,
    OWNER,
    PUBLIC_URL,
    STRANGER,
    House,
    csr,
    open_house,
    rsa_key,
    sm2_csr,
)
from tests.fakes.clock import START
from tests.fakes.seal_registry import AUDITOR, SECURITY, person

HOST = "bsdt.example.gov.cn"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as made:
        yield made


def shown(der_: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der_)


def test_a_server_gets_the_certificate_that_another_person_approved(house: House) -> None:
    issued = house.issue(csr(None, HOST, addresses=("10.1.2.3",)))
    found = shown(issued.der)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.1.2.3"]
    assert found.subject.rfc4514_string() == f"CN={HOST},OU=测试/内部用,O=临江县数据局,C=CN"
    purposes = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each.dotted_string for each in purposes] == ["1.3.6.1.5.5.7.3.1"]
    certificate, root = read_certificate(issued.der), house.root("document")
    assert verify_chain(certificate, (), (root,), at=START) == (certificate, root)
    assert (issued.not_after - issued.not_before) == 397 * DAY


def test_a_certificate_says_where_to_ask_about_it(house: House) -> None:
    found = shown(house.issue(csr(None, HOST)).der).extensions
    points = found.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [point.full_name[0].value for point in points] == [f"{PUBLIC_URL}/ca/document.crl"]
    access = found.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [each.access_location.value for each in access] == [
        f"{PUBLIC_URL}/ca/ocsp",
        f"{PUBLIC_URL}/ca/document.crt",
    ]


def test_an_address_that_only_this_machine_reaches_is_in_no_certificate(tmp_path: Path) -> None:
    with open_house(tmp_path) as house:
        authority = replace(house.world.parts.authority, public_url="http://localhost:8080")
        root = authority.ensure_issuers(SECURITY)
        assert "2.5.29.31" not in read_certificate(root.maker.der).extensions


@pytest.mark.parametrize(
    ("key", "profile"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "tls_client"),
        (ed25519.Ed25519PrivateKey.generate(), "document_signing"),
        (rsa_key(), "document_signing"),
    ],
)
def test_keys_of_every_offered_algorithm_are_certified(
    house: House, key: Any, profile: str
) -> None:
    issued = house.issue(csr(key, common_name="张三"), profile)
    verify_issued_by(read_certificate(issued.der), house.root("document"))
    assert shown(issued.der).public_key() == key.public_key()


def test_an_sm2_pair_hands_the_encryption_key_to_the_signing_key_alone(house: House) -> None:
    key = PrivateKey.generate()
    issued = house.issue(sm2_csr(key), "sm2_signing")
    details = house.certificates.registry.show_certificate(OWNER, issued.id)
    assert details.request is not None
    encryption_id = details.request.encryption_id or ""
    second = house.certificates.registry.show_certificate(OWNER, encryption_id).certificate
    usages = [read_certificate(each.der).key_usage for each in (issued, second)]
    assert usages == [
        {"digitalSignature", "nonRepudiation"},
        {"keyEncipherment", "dataEncipherment", "keyAgreement"},
    ]
    algorithm, wrapped, point, secret = read_der(details.request.enveloped_key).sequence("k", 4)
    assert algorithm.raw == der.sequence(der.oid("1.2.156.10197.1.104.1"))
    once = key.decrypt(wrapped.raw)
    # a block cipher used this way undoes itself by its inverse alone: compare by encrypting
    pool_key = house.world.keys.keys[f"encryption-{details.request.id}"]
    assert ciphers.sm4_blocks(once, private_scalar(pool_key.der)) == values.bits(secret, "s")
    assert values.bits(point, "p") == pool_key.public_key.point
    assert read_certificate(second.der).spki == pool_key.public_key.der


def test_wishes_for_a_ca_are_shown_and_not_fulfilled(house: House) -> None:
    wishes = (x509.BasicConstraints(ca=True, path_length=None),)
    request = house.request(csr(None, HOST, extensions=wishes))
    assert request.ignored == ("2.5.29.19",)
    house.approve(request)
    issued = house.certificates.issuing.issue_certificate(SECURITY, request.id)
    assert read_certificate(issued.der).is_ca is False
    assert read_certificate(issued.der).key_usage == {"digitalSignature"}


def test_a_request_that_another_key_signed_is_refused(house: House) -> None:
    one, other = PrivateKey.generate(), PrivateKey.generate()
    info, algorithm, _ = (each.raw for each in read_der(sm2_csr(one)).children)
    forged = der.sequence(info, algorithm, der.bits(other.sign(info)))
    with pytest.raises(CertificateRequestRejected, match="own key did not sign"):
        house.request(forged, "sm2_signing")


@pytest.mark.parametrize(
    ("user_id", "why"),
    [
        (b"", "an empty user id would verify"),
        (b"ALICE123@YAHOO.COM", "ALICE123@YAHOO.COM would verify"),
        (b"somebody", "1234567812345678$"),
    ],
)
def test_an_sm2_request_with_another_user_id_is_told_which_would_verify(
    house: House, user_id: bytes, why: str
) -> None:
    with pytest.raises(CertificateRequestRejected, match=why) as refused:
        house.request(sm2_csr(PrivateKey.generate(), user_id=user_id), "sm2_signing")
    assert ("可以验证" in str(refused.value.facts["because_zh"])) is ("would" in why)


@pytest.mark.parametrize(
    ("encoded", "profile", "error"),
    [
        (csr(rsa_key(1_024), HOST), "tls_server", CertificateRequestRejected),
        (csr(None, HOST), "sm2_signing", CertificateRequestRejected),
        (
            csr(ec.generate_private_key(ec.SECP521R1()), HOST),
            "tls_server",
            CertificateRequestRejected,
        ),
        (csr(None), "tls_server", CertificateRefused),
        (csr(None, "*.example.gov.cn"), "tls_server", CertificateRefused),
        (csr(None, "other.example.gov.cn"), "tls_server", CertificateRefused),
        (csr(None, HOST), "tls_client", CertificateRefused),
        (csr(None, common_name="   "), "document_signing", CertificateRefused),
        (b"\x30\x00", "tls_server", CertificateRequestRejected),
        (csr(None, HOST), "root", Invalid),
        (csr(None, HOST), "time_stamper", Invalid),
    ],
)
def test_what_no_profile_takes_is_refused(
    house: House, encoded: bytes, profile: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        house.request(encoded, profile)
    listed = house.certificates.requests.list_certificate_requests(OWNER, PageRequest())
    assert listed.items == []


def test_nobody_approves_an_own_request_nor_by_another_account(house: House) -> None:
    both = person("li", "integrator", "security-admin")
    request = house.request(csr(None, HOST))
    decide = house.certificates.requests.decide_certificate_request
    with pytest.raises(SelfApproval):
        decide(both, request.id, grant=True, reason="自己")
    house.world.persons.same.add(frozenset({SECURITY.id, OWNER.id}))
    with pytest.raises(SelfApproval):
        decide(SECURITY, request.id, grant=True, reason="另一个账户")


def test_without_an_approval_nothing_is_issued(house: House) -> None:
    request = house.request(csr(None, HOST))
    with pytest.raises(NotPending):
        house.certificates.issuing.issue_certificate(SECURITY, request.id)
    house.approve(request, grant=False, reason="不符合")
    with pytest.raises(NotPending):
        house.certificates.issuing.issue_certificate(SECURITY, request.id)


def test_an_approval_is_used_once(house: House) -> None:
    request = house.request(csr(None, HOST))
    house.approve(request)
    house.certificates.issuing.issue_certificate(SECURITY, request.id)
    with pytest.raises(CertificateStateConflict):
        house.certificates.issuing.issue_certificate(SECURITY, request.id)


def test_a_row_changed_after_its_approval_is_not_issued(house: House) -> None:
    request = house.request(csr(None, HOST))
    house.approve(request)
    with house.world.spine.engine.begin() as connection:
        connection.execute(text("UPDATE kms_certificate_requests SET organization = '省政府'"))
    with pytest.raises(NotPending):
        house.certificates.issuing.issue_certificate(SECURITY, request.id)
    wanted = CertificateFilter(kind="tls_server")
    found = house.certificates.registry.list_certificates(OWNER, wanted, PageRequest())
    assert found.items == []


def test_a_revoked_certificates_key_is_certified_no_more(house: House) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issued = house.issue(csr(key, HOST))
    waiting = house.request(csr(key, HOST))
    house.approve(waiting)
    house.certificates.registry.revoke_certificate(OWNER, issued.id, "key_compromise")
    with pytest.raises(CertificateRequestRejected, match="revoked"):
        house.request(csr(key, HOST))
    with pytest.raises(CertificateRequestRejected, match="revoked"):
        house.certificates.issuing.issue_certificate(SECURITY, waiting.id)


def test_a_key_of_another_organisation_or_of_the_ca_is_not_certified(house: House) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    house.issue(csr(key, HOST))
    wish = CertificateWish("tls_server", csr(key, HOST), "借用")
    with pytest.raises(CertificateRequestRejected, match="somebody"):
        house.certificates.requests.request_certificate(STRANGER, wish)


def test_a_copied_request_gets_no_certificate_once_the_key_has_its_own(house: House) -> None:
    encoded = csr(None, HOST)
    mine = house.request(encoded)
    wish = CertificateWish("tls_server", encoded, "抄来的", "远方单位")
    copied = house.certificates.requests.request_certificate(STRANGER, wish)
    house.approve(mine)
    far = person("xu", "security-admin", org=STRANGER.org_id)
    house.certificates.requests.decide_certificate_request(
        far, copied.id, grant=True, reason="同意"
    )
    house.certificates.issuing.issue_certificate(SECURITY, mine.id)
    with pytest.raises(CertificateRequestRejected, match="somebody"):
        house.certificates.issuing.issue_certificate(far, copied.id)


def test_a_renewal_says_what_the_certificate_before_it_said(house: House) -> None:
    first = house.issue(csr(None, HOST))
    second = house.issue(csr(None, HOST), renews=first.id)
    assert second.subject == first.subject
    assert second.serial != first.serial
    with pytest.raises(CertificateRefused, match="renewal"):
        house.request(csr(None, HOST, "other.example.gov.cn"), renews=first.id)
    house.certificates.registry.revoke_certificate(SECURITY, first.id, "superseded")
    with pytest.raises(CertificateStateConflict, match="revoked"):
        house.request(csr(None, HOST), renews=first.id)
    root = house.world.parts.authority.find_root("document")
    with pytest.raises(CertificateStateConflict, match="not asked for"):
        house.request(csr(None, HOST), renews=root.id)
    with pytest.raises(CertificateNotFound):
        house.request(csr(None, HOST), renews="cert_nowhere")


def test_revocation_is_for_who_asked_or_the_administrator_once_and_for_good(house: House) -> None:
    issued = house.issue(csr(None, HOST))
    revoke = house.certificates.registry.revoke_certificate
    with pytest.raises(Forbidden):
        revoke(OTHER_OWNER, issued.id, "superseded")
    with pytest.raises(Invalid):
        revoke(OWNER, issued.id, "because")
    revoke(OWNER, issued.id, "superseded")
    with pytest.raises(CertificateStateConflict, match="before"):
        revoke(SECURITY, issued.id, "superseded")
    details = house.certificates.registry.show_certificate(AUDITOR, issued.id)
    assert (details.revoked, details.certificate.revocation_reason) == (True, "superseded")
    assert house.world.spine.parts.revocations.is_revoked("certificate", issued.id)


def test_the_administrator_revokes_the_time_stampers_certificate(house: House) -> None:
    stamps = TimeStampAuthority(house.world.parts.authority)
    stamps.stamp("sm3", sm3(b"x"))
    wanted = CertificateFilter(kind="time_stamper")
    root = person("gu", "security-admin", org=ROOT_ORG)
    registry = house.certificates.registry
    (issued,) = registry.list_certificates(root, wanted, PageRequest()).items
    asker = person("fang", "integrator", org=ROOT_ORG)
    with pytest.raises(Forbidden):
        registry.revoke_certificate(asker, issued.id, "key_compromise")
    registry.revoke_certificate(root, issued.id, "key_compromise")
    with pytest.raises(TimeStampUnavailable):
        stamps.stamp("sm3", sm3(b"x"))


def test_both_certificates_of_a_pair_end_together(house: House) -> None:
    issued = house.issue(sm2_csr(PrivateKey.generate()), "sm2_signing")
    house.certificates.registry.revoke_certificate(OWNER, issued.id, "key_compromise")
    wanted = CertificateFilter(revoked=True)
    found = house.certificates.registry.list_certificates(OWNER, wanted, PageRequest())
    assert {each.kind for each in found.items} == {"sm2_signing", "sm2_encryption"}


def test_a_roots_or_a_seals_certificate_is_not_revoked_here(house: House) -> None:
    house.world.make()
    root = house.world.parts.authority.find_root("root")
    found = house.certificates.registry.list_certificates(
        SECURITY, CertificateFilter(kind="signer"), PageRequest()
    )
    for identifier in (root.id, found.items[0].id):
        with pytest.raises(CertificateStateConflict):
            house.certificates.registry.revoke_certificate(SECURITY, identifier, "superseded")


def test_lists_are_searched_filtered_and_paged(house: House) -> None:
    for number in range(3):
        house.issue(csr(None, f"s{number}.example.gov.cn", common_name=f"s{number}.example.gov.cn"))
    list_ = house.certificates.registry.list_certificates
    first = list_(OWNER, CertificateFilter(kind="tls_server"), PageRequest(2))
    cursor = decode_cursor(first.next or "")
    second = list_(OWNER, CertificateFilter(kind="tls_server"), PageRequest(2, cursor))
    names = [read_certificate(each.der).common_name for each in (*first.items, *second.items)]
    assert sorted(names) == [f"s{number}.example.gov.cn" for number in range(3)]
    found = list_(OWNER, CertificateFilter("s1.EXAMPLE"), PageRequest())
    assert [read_certificate(each.der).common_name for each in found.items] == ["s1.example.gov.cn"]
    serial = found.items[0].serial
    assert list_(OWNER, CertificateFilter(serial[:12]), PageRequest()).items == found.items
    assert list_(OWNER, CertificateFilter("100%_"), PageRequest()).items == []
    assert list_(STRANGER, CertificateFilter(), PageRequest()).items == []
    with pytest.raises(Invalid):
        list_(OWNER, CertificateFilter("x" * 101), PageRequest())


def test_another_organisation_sees_and_touches_nothing(house: House) -> None:
    issued = house.issue(csr(None, HOST))
    request = house.certificates.requests.list_certificate_requests(OWNER, PageRequest()).items[0]
    with pytest.raises(CertificateNotFound):
        house.certificates.registry.show_certificate(STRANGER, issued.id)
    with pytest.raises(CertificateNotFound):
        house.certificates.requests.show_certificate_request(STRANGER, request[0].id)
    with pytest.raises(CertificateNotFound):
        house.certificates.registry.revoke_certificate(STRANGER, issued.id, "superseded")


def test_a_serial_number_that_is_taken_is_not_given_again(house: House) -> None:
    class Same:
        def bytes(self, count: int) -> bytes:
            return bytes([7]) * count

    authority = house.world.parts.authority
    house.issue(csr(None, HOST))
    parts = replace(authority.parts, randomness=Same())
    same = replace(authority, parts=parts)
    root = authority.find_root("root")
    orders = [Order("maker", "org_root", f"k{n}", Name("o", "u", "c")) for n in range(2)]
    made = [same.issue(order, root) for order in orders]
    assert made[0].serial == made[1].serial
    keep = [
        authority.parts.transactions.run(lambda tx, each=each: authority.keep(tx, each, SECURITY))
        for each in made
    ]
    assert keep == [True, False]


def test_each_step_leaves_a_leaf_without_secrets(house: House) -> None:
    issued = house.issue(sm2_csr(PrivateKey.generate()), "sm2_signing")
    house.certificates.registry.revoke_certificate(OWNER, issued.id, "superseded")
    actions = [act["action"] for act in house.world.acts()]
    for action in ("request", "issue", "revoke"):
        assert f"kms.{action}_certificate" in actions
    assert "kms.decide_certificate_request" in actions


def test_a_request_that_is_too_long_or_ill_formed_is_refused() -> None:
    good = csr(None, HOST)
    info, algorithm, signature = read_der(good).children
    fields = [each.raw for each in info.children]
    broken = [
        b"\x30\x82\xff\xff" + bytes(MAX_REQUEST),
        good + b"\x00",
        der.sequence(info.raw, algorithm.raw),
        der.sequence(der.sequence(der.integer(1), *fields[1:]), algorithm.raw, signature.raw),
        der.sequence(info.raw, der.sequence(der.oid("1.2.3")), signature.raw),
    ]
    for encoded in broken:
        with pytest.raises(RequestRefused):
            verify_request(encoded)


def asked_with(attributes: bytes) -> bytes:
    key = PrivateKey.generate()
    fields = [each.raw for each in read_der(sm2_csr(key)).children[0].children]
    info = der.sequence(*fields[:3], encode(0xA0, attributes))
    return der.sequence(
        info, der.sequence(der.oid("1.2.156.10197.1.501")), der.bits(key.sign(info))
    )


EXTENSIONS = der.oid("1.2.840.113549.1.9.14")
HOSTS = der.sequence(der.oid("2.5.29.17"), der.octets(der.sequence(encode(0x82, b"a.cn"))))


def test_names_asked_for_are_read_and_the_rest_is_listed() -> None:
    other = der.sequence(der.oid("1.2.840.113549.1.9.7"), encode(0x31, der.utf8("secret")))
    wanted = der.sequence(EXTENSIONS, encode(0x31, der.sequence(HOSTS)))
    found = verify_request(asked_with(other + wanted))
    assert (found.names, found.ignored) == (
        AlternativeNames(hosts=("a.cn",)),
        ("1.2.840.113549.1.9.7",),
    )


@pytest.mark.parametrize(
    "attributes",
    [
        der.sequence(EXTENSIONS, encode(0x31, der.sequence(HOSTS, HOSTS))),
        der.sequence(EXTENSIONS, encode(0x31, der.sequence(HOSTS) * 2)),
        der.sequence(EXTENSIONS, der.sequence(HOSTS)),
        der.sequence(
            EXTENSIONS,
            encode(
                0x31,
                der.sequence(
                    der.sequence(
                        der.oid("2.5.29.17"),
                        der.octets(der.sequence(encode(0x86, b"http://a.cn"))),
                    )
                ),
            ),
        ),
    ],
)
def test_names_asked_for_in_other_ways_are_refused(attributes: bytes) -> None:
    with pytest.raises(RequestRefused):
        verify_request(asked_with(attributes))


def test_an_enveloped_key_is_of_256_bits() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        enveloped_key(b"", b"", bytes(31))
    short = der.sequence(der.integer(1), der.octets(bytes(31)))
    with pytest.raises(DerError):
        private_scalar(der.sequence(der.integer(0), der.sequence(), der.octets(short)))
