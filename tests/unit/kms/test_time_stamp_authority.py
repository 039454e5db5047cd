"""The authority itself: what it gives, refuses and records; foreign judges of its tokens."""

from __future__ import annotations

import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asn1tools
import pytest
import rfc3161_client
from cryptography import x509

from kms.core.rfc3161.responses import token_in
from kms.core.rfc3161.tokens import read_token
from kms.core.rfc3161.verification import verify_time_stamp
from kms.core.rfc5652.reading import read_signed_data
from kms.core.trust import Trust
from kms.core.x690 import read_der, values
from kms.core.x690 import writing as der
from kms.errors.keys import PoolLocked
from kms.errors.time_stamps import TimeStampUnavailable
from kms.models.seals import MARKING
from kms.ports.time_stamps import TimeStamps
from kms.service.time_stamps import PER_MINUTE, POLICY, TimeStampAuthority, time_stamp_query
from secops.crypto import ecdsa
from secops.crypto.certificates import Certificate, read_certificate
from secops.crypto.hashes import digest
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import AuditUnavailable, Forbidden, Invalid, TooMany
from tests.fakes.clock import START
from tests.fakes.seal_registry import SECURITY, person
from tests.fakes.time_stamping import StampingSite

MESSAGE = b"message"
SHA256 = digest("sha256", MESSAGE)


@pytest.fixture
def site() -> StampingSite:
    return StampingSite()


def anchors(site: StampingSite) -> tuple[Certificate, ...]:
    return tuple(map(read_certificate, site.anchor_file.roots))


def trust(site: StampingSite) -> Trust:
    source = site.authority.revocation_source()
    return Trust(site.fakes.clock.now(), anchors(site), source)


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512", "sm3"])
def test_a_token_of_the_port_is_valid(site: StampingSite, hash_name: str) -> None:
    stamps: TimeStamps = site.stamps
    token = stamps.stamp(hash_name, digest(hash_name, MESSAGE))
    verdict = verify_time_stamp(token, lambda name: digest(name, MESSAGE), trust(site))
    assert verdict.valid
    assert verdict.stamped is not None
    assert verdict.stamped.made_at == START
    assert verdict.stamped.accuracy == SECOND
    assert verdict.stamped.policy == POLICY
    assert MARKING in verdict.stamped.authority
    assert any("without legal effect" in text.en for text in verdict.warnings)


def test_the_imprint_chooses_who_signs(site: StampingSite) -> None:
    for hash_name, algorithm, outer in (
        ("sha256", "1.2.840.10045.4.3.2", "1.2.840.113549.1.7.2"),
        ("sha512", "1.2.840.10045.4.3.2", "1.2.840.113549.1.7.2"),
        ("sm3", "1.2.156.10197.1.301.1", "1.2.156.10197.6.1.4.2.2"),
    ):
        token = site.stamps.stamp(hash_name, digest(hash_name, MESSAGE))
        assert read_signed_data(token).signers[0].signature_algorithm == algorithm
        assert values.oid(read_der(token).children[0], "type") == outer


def test_its_certificates_are_for_time_stamps_alone(site: StampingSite) -> None:
    for hash_name, kind in (("sm3", "time_stamper"), ("sha256", "document_time_stamper")):
        site.stamps.stamp(hash_name, digest(hash_name, MESSAGE))
        certificate = x509.load_der_x509_certificate(site.stamper(kind).der)
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert (list(purposes.value), purposes.critical) == (
            [x509.oid.ExtendedKeyUsageOID.TIME_STAMPING],
            True,
        )


def test_a_digest_of_another_length_is_refused(site: StampingSite) -> None:
    with pytest.raises(Invalid):
        site.stamps.stamp("sha256", bytes(31))


def test_nonce_and_wish_for_certificates_are_met(site: StampingSite) -> None:
    algorithm = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
    imprint = der.sequence(algorithm, der.octets(SHA256))
    asked = der.sequence(der.integer(1), imprint, der.oid(POLICY), der.integer(-77))
    token = token_in(site.stamps.create_time_stamp(asked).content)
    assert read_token(token).nonce == -77
    assert read_signed_data(token).certificates == ()
    whole = token_in(site.stamps.create_time_stamp(time_stamp_query("sha256", SHA256)).content)
    assert read_signed_data(whole).certificates == (site.stamper().der,)


def test_each_token_is_a_leaf_before_it_is_given_out(site: StampingSite) -> None:
    site.stamps.stamp("sm3", digest("sm3", MESSAGE))
    reply = site.stamps.create_time_stamp(time_stamp_query("sha256", SHA256))
    acts = [act for act in site.fakes.trail.acts if act.action == "kms.create_time_stamp"]
    token = token_in(reply.content)
    assert [act.actor.id for act in acts] == ["kms", "time-stamps"]
    assert acts[1].target == f"time_stamp:{read_token(token).serial:x}"
    assert acts[1].details == {
        "hash": "sha256",
        "imprint": SHA256.hex(),
        "certificate": site.stamper().id,
        "token_sm3": digest("sm3", token).hex(),
    }
    site.fakes.trail.down = True
    with pytest.raises(AuditUnavailable):
        site.stamps.stamp("sha256", SHA256)


def test_a_refusal_is_recorded_too(site: StampingSite) -> None:
    reply = site.stamps.create_time_stamp(b"nothing")
    assert not reply.granted
    (act,) = site.fakes.trail.acts
    assert (act.outcome, act.details) == ("refused", {"failure": "bad_data_format"})
    site.fakes.trail.down = True
    with pytest.raises(AuditUnavailable):
        site.stamps.create_time_stamp(b"nothing")


def test_a_locked_pool_gives_none(site: StampingSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: Any) -> bytes:
        raise PoolLocked

    monkeypatch.setattr(site.keys, "sign", locked)
    monkeypatch.setattr(site.keys, "ensure_key", locked)
    with pytest.raises(PoolLocked):
        site.stamps.create_time_stamp(time_stamp_query("sha256", SHA256))
    assert site.fakes.trail.acts == []


def test_a_revoked_or_expired_certificate_stamps_nothing(site: StampingSite) -> None:
    site.stamps.stamp("sha256", SHA256)
    site.stamps.stamp("sm3", digest("sm3", MESSAGE))
    site.fakes.clock.advance(5 * 365 * DAY / SECOND + 1)
    with pytest.raises(TimeStampUnavailable):
        site.stamps.stamp("sha256", SHA256)
    site.fakes.clock.instant = START
    site.revoke()
    with pytest.raises(TimeStampUnavailable):
        site.stamps.stamp("sha256", SHA256)
    assert site.stamps.stamp("sm3", digest("sm3", MESSAGE))


@pytest.mark.parametrize(
    ("algorithm", "hash_name", "kind"),
    [("sm2", "sm3", "time_stamper"), ("ecdsa-p256", "sha256", "document_time_stamper")],
)
def test_after_a_rotation_every_process_stamps_with_the_new_key(
    site: StampingSite, algorithm: Any, hash_name: str, kind: str
) -> None:
    other = TimeStampAuthority(site.authority)
    old = other.stamp(hash_name, digest(hash_name, MESSAGE))
    first = site.stamper(kind)
    site.revoke(kind)
    second = site.stamps.rotate_time_stamper(SECURITY, algorithm)
    third = site.stamps.rotate_time_stamper(SECURITY, algorithm)
    assert len({first.key_name, second.key_name, third.key_name}) == 3
    for stamps in (site.stamps, other, TimeStampAuthority(site.authority)):
        token = stamps.stamp(hash_name, digest(hash_name, MESSAGE))
        assert read_signed_data(token).certificates == (third.der,)
        assert verify_time_stamp(token, lambda name: digest(name, MESSAGE), trust(site)).valid
    verdict = verify_time_stamp(old, lambda name: digest(name, MESSAGE), trust(site))
    assert [step.what for step in verdict.steps if step.ok is False] == ["revocation"]
    issued = [act for act in site.fakes.transactions.acts if act.actor == SECURITY]
    assert [act.action for act in issued] == ["kms.issue_certificate"] * 2


def test_only_who_rotates_keys_gives_the_authority_another(site: StampingSite) -> None:
    with pytest.raises(Forbidden):
        site.stamps.rotate_time_stamper(person("staff", "staff"), "sm2")


def test_a_key_that_is_not_its_certificates_stamps_nothing(site: StampingSite) -> None:
    site.stamps.stamp("sha256", SHA256)
    site.keys.p256["time-stamp-ecdsa"] = ecdsa.generate("ecdsa-p256")
    before = len(site.fakes.trail.acts)
    with pytest.raises(TimeStampUnavailable):
        site.stamps.stamp("sha256", SHA256)
    assert len(site.fakes.trail.acts) == before


def test_numbers_are_unique_over_threads_processes_and_restarts(site: StampingSite) -> None:
    # the same clock and certificate, and nothing else in common: as other processes have it
    others = [TimeStampAuthority(site.authority) for _ in range(4)]
    site.stamps.stamp("sha256", SHA256)
    with ThreadPoolExecutor(4) as pool:
        made = [
            pool.submit(others[n % 4].stamp, "sha256", digest("sha256", b"%d" % n))
            for n in range(60)
        ]
        numbers = {read_token(each.result()).serial for each in made}
    assert len(numbers) == 60
    assert max(number.bit_length() for number in numbers) <= 159


def test_an_address_gets_so_many_a_minute(site: StampingSite) -> None:
    asked = b"not even a request"
    for _ in range(PER_MINUTE):
        site.stamps.create_time_stamp(asked, caller="192.0.2.1")
    with pytest.raises(TooMany):
        site.stamps.create_time_stamp(asked, caller="192.0.2.1")
    assert not site.stamps.create_time_stamp(asked, caller="192.0.2.2").granted
    site.fakes.clock.advance(61)
    assert not site.stamps.create_time_stamp(asked, caller="192.0.2.1").granted


def test_the_foreign_client_verifies_our_answers(site: StampingSite) -> None:
    for chosen in (
        rfc3161_client.base.HashAlgorithm.SHA256,
        rfc3161_client.base.HashAlgorithm.SHA512,
    ):
        asked = (
            rfc3161_client.TimestampRequestBuilder()
            .data(MESSAGE)
            .hash_algorithm(chosen)
            .nonce(nonce=True)
            .cert_request(cert_request=True)
            .build()
        )
        reply = site.stamps.create_time_stamp(asked.as_bytes())
        answer = rfc3161_client.decode_timestamp_response(reply.content)
        builder = rfc3161_client.VerifierBuilder.from_request(asked)
        builder = builder.tsa_certificate(x509.load_der_x509_certificate(site.stamper().der))
        for root in site.anchor_file.roots[1:]:
            builder = builder.add_root_certificate(x509.load_der_x509_certificate(root))
        verifier = builder.build()
        assert verifier.verify_message(answer, MESSAGE)
        with pytest.raises(rfc3161_client.VerificationError):
            verifier.verify_message(answer, b"another message")
        assert answer.tst_info.gen_time == datetime.fromtimestamp(START // SECOND, UTC)


def openssl(command: str, *arguments: str, cwd: Path) -> str:
    run = subprocess.run([command, *arguments], cwd=cwd, capture_output=True, check=False)
    return (run.stdout + run.stderr).decode()


@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_openssl_asks_and_verifies(
    site: StampingSite, openssl_command: str, tmp_path: Path, hash_name: str
) -> None:
    site.stamps.stamp("sha256", SHA256)
    (tmp_path / "data").write_bytes(MESSAGE)
    pem = "".join(map(ssl.DER_cert_to_PEM_cert, site.anchor_file.roots))
    (tmp_path / "roots.pem").write_text(pem)
    asking = ("ts", "-query", "-data", "data", f"-{hash_name}", "-cert", "-out", "q")
    openssl(openssl_command, *asking, cwd=tmp_path)
    reply = site.stamps.create_time_stamp((tmp_path / "q").read_bytes())
    (tmp_path / "r").write_bytes(reply.content)
    judging = ("ts", "-verify", "-in", "r", "-CAfile", "roots.pem")
    at = ("-attime", str(START // SECOND + 60))
    asked = openssl(openssl_command, *judging, "-queryfile", "q", *at, cwd=tmp_path)
    assert "Verification: OK" in asked
    (tmp_path / "other").write_bytes(b"another message")
    other = openssl(openssl_command, *judging, "-data", "other", *at, cwd=tmp_path)
    assert "Verification: FAILED" in other


def test_openssl_reads_our_refusals(
    site: StampingSite, openssl_command: str, tmp_path: Path
) -> None:
    (tmp_path / "data").write_bytes(MESSAGE)
    asking = ("ts", "-query", "-data", "data", "-sha1", "-out", "q")
    openssl(openssl_command, *asking, cwd=tmp_path)
    reply = site.stamps.create_time_stamp((tmp_path / "q").read_bytes())
    (tmp_path / "r").write_bytes(reply.content)
    shown = openssl(openssl_command, "ts", "-reply", "-in", "r", "-text", cwd=tmp_path)
    assert "Status: Rejected." in shown
    assert "unrecognized or unsupported algorithm identifier" in shown


TOKEN_ASN1 = """
Tokens DEFINITIONS EXPLICIT TAGS ::= BEGIN
ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] SignedData }
SignedData ::= SEQUENCE {
  version INTEGER, digestAlgorithms SET OF Algorithm, encap Encap,
  certificates [0] IMPLICIT SET OF ANY OPTIONAL, signerInfos SET OF SignerInfo }
Encap ::= SEQUENCE { eContentType OBJECT IDENTIFIER, eContent [0] OCTET STRING }
Algorithm ::= SEQUENCE { algorithm OBJECT IDENTIFIER }
SignerInfo ::= SEQUENCE {
  version INTEGER, sid SEQUENCE { issuer ANY, serial INTEGER }, digest Algorithm,
  attributes [0] IMPLICIT SET OF Attribute, algorithm Algorithm, signature OCTET STRING }
Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
TSTInfo ::= SEQUENCE {
  version INTEGER, policy OBJECT IDENTIFIER,
  imprint SEQUENCE { algorithm Algorithm, digest OCTET STRING },
  serial INTEGER, genTime GeneralizedTime,
  accuracy SEQUENCE { seconds INTEGER } OPTIONAL, tsa [0] ANY OPTIONAL }
SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF SEQUENCE {
  algorithm Algorithm, hash OCTET STRING } }
END
"""


def test_an_independent_reader_and_openssl_agree_on_the_sm2_token(
    site: StampingSite, openssl_command: str, tmp_path: Path
) -> None:
    """No ``openssl cms`` or ``ts`` reads SM2, so its parts are judged one by one."""
    spec = asn1tools.compile_string(TOKEN_ASN1, "der", any_defined_by_choices=None)
    token = site.stamps.stamp("sm3", digest("sm3", MESSAGE))
    outer = spec.decode("ContentInfo", token)
    signed = outer["content"]
    info = spec.decode("TSTInfo", signed["encap"]["eContent"])
    (tmp_path / "message").write_bytes(MESSAGE)

    def sm3(name: str) -> bytes:
        shown = openssl(openssl_command, "dgst", "-sm3", "-r", name, cwd=tmp_path)
        return bytes.fromhex(shown.split()[0])

    assert (outer["contentType"], signed["version"]) == ("1.2.156.10197.6.1.4.2.2", 1)
    assert signed["encap"]["eContentType"] == "1.2.840.113549.1.9.16.1.4"
    assert info["imprint"]["digest"] == sm3("message")
    assert info["genTime"].replace(tzinfo=UTC) == datetime.fromtimestamp(START // SECOND, UTC)
    (signer,) = signed["signerInfos"]
    held = {each["type"]: each["values"][0] for each in signer["attributes"]}
    (tmp_path / "info").write_bytes(signed["encap"]["eContent"])
    assert held["1.2.840.113549.1.9.4"][2:] == sm3("info")
    (certificate,) = signed["certificates"]
    (tmp_path / "certificate").write_bytes(certificate)
    named = spec.decode("SigningCertificateV2", held["1.2.840.113549.1.9.16.2.47"])
    assert named["certs"][0] == {
        "algorithm": {"algorithm": "1.2.156.10197.1.401"},
        "hash": sm3("certificate"),
    }
    attributes = b"".join(spec.encode("Attribute", each) for each in signer["attributes"])
    (tmp_path / "attributes").write_bytes(der.set_of(attributes))
    (tmp_path / "signature").write_bytes(signer["signature"])
    public = ("x509", "-inform", "DER", "-in", "certificate", "-pubkey", "-noout", "-out", "key")
    openssl(openssl_command, *public, cwd=tmp_path)
    judging = ("dgst", "-sm3", "-verify", "key", "-signature", "signature", "-sigopt")
    user = "distid:1234567812345678"
    assert "Verified OK" in openssl(openssl_command, *judging, user, "attributes", cwd=tmp_path)
    (tmp_path / "root.pem").write_text(ssl.DER_cert_to_PEM_cert(site.anchor_file.roots[0]))
    (tmp_path / "tsa.pem").write_text(ssl.DER_cert_to_PEM_cert(certificate))
    chain = ("verify", "-vfyopt", user, "-attime", str(START // SECOND + 60))
    purpose = ("-purpose", "timestampsign", "-CAfile", "root.pem", "tsa.pem")
    assert "tsa.pem: OK" in openssl(openssl_command, *chain, *purpose, cwd=tmp_path)


def test_the_manual_is_the_policy_that_tokens_name() -> None:
    page = Path(__file__).parents[3] / "docs" / "manual" / "time_stamps.md"
    assert POLICY in page.read_text()
    assert f"{PER_MINUTE} a minute" in page.read_text()
