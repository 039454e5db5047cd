"""Outside CAs: believed for what two people say, for as long; seals under them lose the mark."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from kms.core.rfc2986.reading import verify_request
from kms.core.rfc5280 import writing
from kms.core.rfc5280.writing import Name
from kms.core.trust import RevocationSource
from kms.core.x690 import read_der
from kms.core.x690 import writing as der
from kms.errors.certificates import (
    AnchorNotFound,
    AnchorRejected,
    AnchorsElsewhere,
    CertificateMismatch,
    CertificateNotFound,
)
from kms.errors.seals import RevocationListRejected, SealRejected, SealStateConflict
from kms.models.certificates import OutsideRequest
from kms.models.seal_registry import SealRequest
from kms.models.seals import MARKING
from secops.crypto.certificates import read_certificate
from secops.crypto.sm2 import PrivateKey
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Conflict, Invalid, TooLarge
from secops.kernel.pages import PageRequest
from tests.fakes.certificate_house import (
    SECOND_SECURITY,
    SYSTEM,
    House,
    OutsideCa,
    open_house,
)
from tests.fakes.clock import START
from tests.fakes.seal_registry import APPLICANT, AUDITOR, DOCUMENT, HOLDER, SECURITY, person
from tests.fakes.sealing import FakePainter, mint

MAKER = OutsideRequest("maker")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as made:
        yield made


def propose(house: House, encoded: bytes, *uses: str) -> Any:
    return house.certificates.anchors.propose_anchor(SYSTEM, encoded, uses or ("seals",), "机构")


def states(house: House) -> list[str]:
    found = house.certificates.anchors.list_anchors(AUDITOR, PageRequest())
    return [entry.anchor.state for entry in found.items]


def test_an_anchor_counts_once_another_person_approved_it(house: House) -> None:
    ca = OutsideCa.new()
    anchor = propose(house, ca.root, "documents", "seals")
    authority = house.world.parts.authority
    assert (states(house), authority.outside_anchors()["seals"]) == (["proposed"], ())
    house.certificates.anchors.decide_anchor(SECURITY, anchor.id, grant=True, reason="核对")
    believed = authority.outside_anchors()
    assert [each.der for each in believed["seals"]] == [ca.root]
    assert (len(believed["documents"]), believed["time_stamps"]) == (1, ())
    assert anchor.uses == ("seals", "documents")


def test_nobody_approves_an_own_anchor_and_a_rejected_one_counts_for_nothing(house: House) -> None:
    decide = house.certificates.anchors.decide_anchor
    both = person("he", "system-admin", "security-admin")
    own = house.certificates.anchors.propose_anchor(both, OutsideCa.new().root, ("seals",), "自己")
    with pytest.raises(SelfApproval):
        decide(both, own.id, grant=True, reason="自己")
    house.world.persons.same.add(frozenset({both.id, SECOND_SECURITY.id}))
    with pytest.raises(SelfApproval):
        decide(SECOND_SECURITY, own.id, grant=True, reason="另一个账户")
    other = propose(house, OutsideCa.new().root)
    decide(SECURITY, other.id, grant=False, reason="不认识")
    with pytest.raises(NotPending):
        decide(SECURITY, other.id, grant=True, reason="再来")
    assert house.world.parts.authority.outside_anchors()["seals"] == ()


def test_an_anchor_whose_row_was_changed_is_not_believed(house: House) -> None:
    anchor = propose(house, OutsideCa.new().root)
    with house.world.spine.engine.begin() as connection:
        connection.execute(
            text("UPDATE kms_trust_anchors SET der = :der"), {"der": OutsideCa.new().root}
        )
    with pytest.raises(NotPending):
        house.certificates.anchors.decide_anchor(SECURITY, anchor.id, grant=True, reason="核对")
    assert states(house) == ["proposed"]


def without_ca() -> bytes:
    """Return a self-signed certificate of a signer."""
    key = PrivateKey.generate()
    name = Name("某单位", "", "自签").to_der()
    content = writing.CertificateContent(
        "signer", 5, name, name, START - DAY, START + DAY, key.public_key.der, key.public_key.der
    )
    tbs = writing.certificate_to_sign(content)
    return writing.certificate(tbs, key.sign(tbs))


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        (without_ca(), "not a CA"),
        (mint().signer, "not a CA"),
        (OutsideCa.new(not_after=START - SECOND).root, "not valid now"),
        (OutsideCa.new(not_before=START + DAY).root, "not valid now"),
        (OutsideCa.new().root[:-3] + b"\x01\x02\x03", "can't be read"),
        (b"\x30\x03\x02\x01\x01", "can't be read"),
    ],
)
def test_what_may_not_issue_is_no_anchor(house: House, encoded: bytes, why: str) -> None:
    with pytest.raises(AnchorRejected, match=why):
        propose(house, encoded)


def test_a_ca_of_the_built_in_ones_name_is_no_anchor(house: House) -> None:
    house.world.make()
    name = house.root().subject
    namesake = OutsideCa(PrivateKey.generate(), b"")
    spki = namesake.key.public_key.der
    with pytest.raises(AnchorRejected, match="bears its name"):
        propose(house, namesake._signed("root", name, spki, issuer=name))


def test_of_two_lists_the_first_instant_counts() -> None:
    one = RevocationSource(frozenset({b"a"}), {(b"a", 1): 5, (b"a", 2): 9})
    other = RevocationSource(frozenset({b"b"}), {(b"a", 1): 8, (b"a", 2): 3, (b"b", 1): 7})
    for joined in (one.joined(other), other.joined(one)):
        assert joined.revoked == {(b"a", 1): 5, (b"a", 2): 3, (b"b", 1): 7}
        assert joined.issuers == {b"a", b"b"}


def test_the_built_in_ca_is_no_outside_ca(house: House) -> None:
    house.world.make()
    with pytest.raises(AnchorRejected, match="own CA"):
        propose(house, house.root().der)


@pytest.mark.parametrize("uses", [(), ("signing",), ("seals", "seals")])
def test_an_anchor_is_believed_for_something(house: House, uses: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        house.certificates.anchors.propose_anchor(SYSTEM, OutsideCa.new().root, uses, "机构")


def test_the_same_certificate_is_an_anchor_once_until_it_is_retired(house: House) -> None:
    ca = OutsideCa.new()
    first = propose(house, ca.root)
    second = propose(house, ca.root, "documents")
    anchors = house.certificates.anchors
    anchors.decide_anchor(SECURITY, first.id, grant=True, reason="核对")
    with pytest.raises(Conflict):
        anchors.decide_anchor(SECURITY, second.id, grant=True, reason="核对")
    with pytest.raises(Conflict):
        propose(house, ca.root)
    anchors.retire_anchor(SECURITY, first.id, "更换用途")
    assert house.world.parts.authority.outside_anchors()["seals"] == ()
    with pytest.raises(Conflict):
        anchors.retire_anchor(SECURITY, first.id, "再次")
    anchors.decide_anchor(SECURITY, second.id, grant=True, reason="核对")
    assert sorted(states(house)) == ["active", "retired"]


def test_only_the_root_organisation_changes_anchors(house: House) -> None:
    town = person("gu", "system-admin", org="org_town")
    with pytest.raises(AnchorsElsewhere):
        house.certificates.anchors.propose_anchor(town, OutsideCa.new().root, ("seals",), "本地")
    with pytest.raises(AnchorNotFound):
        house.certificates.anchors.retire_anchor(SECURITY, "anc_none", "没有")


def pem(encoded: bytes, label: str = "CERTIFICATE") -> bytes:
    block = base64.encodebytes(encoded).decode()
    return f"-----BEGIN {label}-----\n{block}-----END {label}-----\n".encode()


def test_a_certificate_comes_as_der_or_as_one_block_of_pem(house: House) -> None:
    ca = OutsideCa.new()
    assert propose(house, b"comment\n" + pem(ca.root)).der == ca.root
    for wrong in (b"", pem(ca.root) * 2, pem(ca.root, "X509 CRL"), pem(ca.root)[:-20]):
        with pytest.raises(Invalid):
            propose(house, wrong)
    with pytest.raises(Invalid, match="Base64"):
        propose(house, b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----")
    with pytest.raises(TooLarge):
        propose(house, bytes((8 << 20) + 1))


def apply(house: House, *holders: str) -> Any:
    wish = SealRequest("临江县数据局", "round", "临江县数据局", holders or ("zhou",), "公文用印")
    application = house.world.applications.apply_seal(APPLICANT, wish)
    house.world.applications.decide_application(SECURITY, application.id, grant=True, reason="同意")
    return application


def exported(house: House, wanted: OutsideRequest) -> bytes:
    """Return the SPKI out of the PKCS#10 that is exported for ``wanted``."""
    encoded = house.certificates.outside.export_certificate_request(SECURITY, wanted)
    return verify_request(encoded).spki


def certified(house: House, ca: OutsideCa, wanted: OutsideRequest, **content: Any) -> Any:
    certificate = ca.certify(exported(house, wanted), **content)
    return house.certificates.outside.import_certificate(SECURITY, wanted, certificate)


def test_a_seal_whose_maker_and_holder_a_licensed_ca_certified_loses_the_mark(
    house: House,
) -> None:
    ca = OutsideCa.new()
    house.believe(ca.root)
    application = apply(house)
    certified(house, ca, MAKER)
    certified(house, ca, OutsideRequest("holder", application.id))
    made = house.world.making.make_seal(SECURITY, application.id)
    content = house.world.registry.show_seal(SECURITY, made.id).content
    value = house.world.use(made).value
    report = house.world.verification.verify_seal(value, DOCUMENT)
    texts = [text.en for verdict in report.signatures for text in verdict.warnings]
    assert (made.marking, report.valid) == ("", True)
    assert MARKING.encode() not in content
    assert not any("test or internal" in each for each in texts)
    assert report.signatures[0].seal_name == "临江县数据局"


def test_under_the_built_in_ca_a_seal_keeps_the_mark(house: House) -> None:
    ca = OutsideCa.new()
    house.believe(ca.root)
    certified(house, ca, MAKER)
    assert house.world.make().marking == MARKING


def test_a_seal_is_of_one_world(house: House) -> None:
    ca = OutsideCa.new()
    house.believe(ca.root)
    application = apply(house, "zhou", "wu")
    certified(house, ca, OutsideRequest("holder", application.id, 1))
    certified(house, ca, MAKER)
    with pytest.raises(CertificateMismatch, match="do not all"):
        house.world.making.make_seal(SECURITY, application.id)
    certified(house, ca, OutsideRequest("holder", application.id, 0))
    assert house.world.making.make_seal(SECURITY, application.id).marking == ""


def test_a_retired_anchors_seal_verifies_no_more_and_none_is_made(house: House) -> None:
    ca = OutsideCa.new()
    anchor = house.believe(ca.root)
    first, second = apply(house), apply(house)
    certified(house, ca, MAKER)
    for application in (first, second):
        certified(house, ca, OutsideRequest("holder", application.id))
    made = house.world.making.make_seal(SECURITY, first.id)
    value = house.world.use(made).value
    house.certificates.anchors.retire_anchor(SECURITY, anchor.id, "吊销牌照")
    assert house.world.verification.verify_seal(value, DOCUMENT).valid is False
    with pytest.raises(SealRejected):
        house.world.making.make_seal(SECURITY, second.id)
    with pytest.raises(SealRejected):
        house.world.use(made)


def test_an_anchor_for_documents_does_not_vouch_for_seals(house: House) -> None:
    ca = OutsideCa.new()
    house.believe(ca.root, "documents", "time_stamps")
    with pytest.raises(CertificateMismatch, match="no anchor that is believed for seals"):
        certified(house, ca, MAKER)


def test_a_certificate_for_another_key_is_not_imported(house: House) -> None:
    ca = OutsideCa.new()
    house.believe(ca.root)
    exported(house, MAKER)
    other = ca.certify(PrivateKey.generate().public_key.der)
    with pytest.raises(CertificateMismatch, match="another key"):
        house.certificates.outside.import_certificate(SECURITY, MAKER, other)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"profile": "sm2_encryption"}, "digitalSignature"),
        ({"profile": "root"}, "it is a CA's"),
        ({"profile": "tls_client"}, "not the signing of documents"),
        ({"not_after": START - SECOND}, "no anchor"),
        ({"not_before": START + DAY}, "no anchor"),
    ],
)
def test_a_certificate_that_is_not_fit_for_seals_is_not_imported(
    house: House, content: dict[str, Any], why: str
) -> None:
    ca = OutsideCa.new()
    house.believe(ca.root)
    with pytest.raises(CertificateMismatch, match=why):
        certified(house, ca, MAKER, **content)


def test_a_strangers_and_a_revoked_certificate_are_not_imported(house: House) -> None:
    ca, stranger = OutsideCa.new(), OutsideCa.new("野 CA")
    anchor = house.believe(ca.root)
    with pytest.raises(CertificateMismatch, match="no anchor"):
        certified(house, stranger, MAKER)
    certificate = ca.certify(exported(house, MAKER))
    serial = read_certificate(certificate).serial
    house.certificates.anchors.import_revocation_list(
        SECURITY, anchor.id, ca.revocation_list(serial)
    )
    with pytest.raises(CertificateMismatch, match="revoked"):
        house.certificates.outside.import_certificate(SECURITY, MAKER, certificate)
    with pytest.raises(CertificateMismatch, match="can't be read"):
        house.certificates.outside.import_certificate(SECURITY, MAKER, b"\x30\x00")


def test_a_key_has_one_certificate_and_the_next_makers_has_a_key_of_its_own(house: House) -> None:
    ca = OutsideCa.new()
    house.believe(ca.root)
    application = apply(house)
    holder = OutsideRequest("holder", application.id)
    certified(house, ca, holder)
    with pytest.raises(CertificateMismatch, match="already"):
        certified(house, ca, holder)
    first = exported(house, MAKER)
    certified(house, ca, MAKER)
    assert exported(house, MAKER) != first


def test_only_a_place_of_an_application_without_seal_is_certified(house: House) -> None:
    application = apply(house)
    for wrong in (OutsideRequest("holder", application.id, 1), OutsideRequest("holder", "sap_x")):
        with pytest.raises(CertificateNotFound):
            exported(house, wrong)
    house.world.making.make_seal(SECURITY, application.id)
    with pytest.raises(SealStateConflict):
        exported(house, OutsideRequest("holder", application.id))


def sealed_under(house: House, ca: OutsideCa) -> tuple[Any, bytes]:
    application = apply(house)
    certified(house, ca, MAKER)
    holder = certified(house, ca, OutsideRequest("holder", application.id))
    made = house.world.making.make_seal(SECURITY, application.id)
    return holder, house.world.use(made, HOLDER).value


def revocation(house: House, value: bytes) -> tuple[bool | None, str]:
    report = house.world.verification.verify_seal(value, DOCUMENT)
    (step,) = [step for step in report.signatures[0].steps if step.what == "revocation"]
    return step.ok, step.why.en


def test_an_outside_list_is_asked_in_step_ten_and_a_stale_one_is_said(house: House) -> None:
    ca = OutsideCa.new()
    anchor = house.believe(ca.root)
    holder, value = sealed_under(house, ca)
    assert revocation(house, value)[0] is None
    take = house.certificates.anchors.import_revocation_list
    take(SECURITY, anchor.id, ca.revocation_list())
    assert revocation(house, value) == (True, "not revoked at the time of the signature")
    house.world.clock.advance(8 * DAY / SECOND)
    assert revocation(house, value) == (
        None,
        "the list should have been renewed 2026-01-08T00:00:00Z",
    )
    newer = ca.revocation_list(int(holder.serial, 16), number=2, at=START - DAY, days=30)
    take(SECURITY, anchor.id, pem(newer, "X509 CRL"))
    assert revocation(house, value)[0] is False


def without_number(ca: OutsideCa) -> bytes:
    fields = [each.raw for each in read_der(ca.revocation_list()).children[0].children]
    tbs = der.sequence(*fields[:-1])
    return writing.revocation_list(tbs, ca.key.sign(tbs))


def test_a_list_is_believed_if_its_anchor_signed_it_and_it_is_newer(house: House) -> None:
    ca, other = OutsideCa.new(), OutsideCa.new()
    anchor = house.believe(ca.root)
    take = house.certificates.anchors.import_revocation_list
    take(SECURITY, anchor.id, ca.revocation_list(number=2**150))
    for wrong, why in (
        (ca.revocation_list(number=2**150), "already"),
        (ca.revocation_list(number=5), "already"),
        (other.revocation_list(number=2**159), "signed the list"),
        (ca.revocation_list(number=2**151, at=START - 9 * DAY), "renewed"),
        (ca.revocation_list(number=2**151, at=START + DAY), "renewed"),
        (ca.revocation_list(number=2**160), "too long"),
        (without_number(ca), "no number"),
    ):
        with pytest.raises(RevocationListRejected, match=why):
            take(SECURITY, anchor.id, wrong)
    entry = house.certificates.anchors.list_anchors(AUDITOR, PageRequest()).items[0]
    assert entry.revocation_list is not None
    assert entry.revocation_list.number == 2**150


def test_each_step_leaves_a_leaf(house: House) -> None:
    ca = OutsideCa.new()
    anchor = house.believe(ca.root)
    certified(house, ca, MAKER)
    house.certificates.anchors.import_revocation_list(SECURITY, anchor.id, ca.revocation_list())
    house.certificates.anchors.retire_anchor(SECURITY, anchor.id, "期满")
    actions = [act["action"] for act in house.world.acts()]
    assert [action for action in actions if action != "kms.issue_certificate"] == [
        "kms.propose_anchor",
        "kms.decide_anchor",
        "kms.export_certificate_request",
        "kms.import_certificate",
        "kms.import_revocation_list",
        "kms.retire_anchor",
    ]


def test_a_picture_without_mark_is_painted(tmp_path: Path) -> None:
    seen: list[str] = []

    class Noting(FakePainter):
        def paint(self, request: Any) -> bytes:
            seen.append(request.marking)
            return super().paint(request)

    with open_house(tmp_path, painter=Noting()) as house:
        ca = OutsideCa.new()
        house.believe(ca.root)
        sealed_under(house, ca)
    assert seen == [""]
