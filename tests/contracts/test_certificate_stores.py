"""Requests, trust anchors and outside lists, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms.models.certificates import (
    CertificateFilter,
    CertificateRequest,
    OutsideList,
    TrustAnchor,
)
from kms.models.seal_registry import IssuedCertificate
from kms.store.certificates import (
    SqlCertificateRequestStore,
    SqlCertificateStore,
    SqlTrustStore,
)
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest
from tests.fakes.clock import START

CERTIFICATES = SqlCertificateStore()
REQUESTS = SqlCertificateRequestStore()
TRUST = SqlTrustStore()
CERTIFICATE = IssuedCertificate(
    id="cert_1",
    org_id="org_a",
    kind="tls_server",
    key_name="crq_1",
    subject="CN=a.cn,O=临江县",
    serial="7f00",
    der=b"\x30\x00",
    not_before=1,
    not_after=START + 9,
    issued_at=1,
    issuer_id="cert_root",
    key_digest="ab" * 32,
    requester_id="acc_1",
)
REQUEST = CertificateRequest(
    id="crq_1",
    org_id="org_a",
    profile="tls_server",
    organization="临江县",
    common_name="a.cn",
    names=("dns:a.cn", "ip:10.0.0.1"),
    ignored=("2.5.29.19",),
    key_algorithm="ecdsa-p256",
    key_digest="ab" * 32,
    csr=b"\x30\x00",
    reason="办事大厅",
    requester_id="acc_1",
    requested_at=5,
    approval_id="apr_1",
    subject_hash="hash",
)
ANCHOR = TrustAnchor(
    id="anc_1",
    org_id="org_root",
    der=b"\x30\x00",
    subject="CN=省电子认证",
    fingerprint="cd" * 32,
    uses=("seals", "documents"),
    not_before=1,
    not_after=9,
    reason="持牌机构",
    requester_id="acc_1",
    requested_at=5,
    approval_id="apr_2",
    subject_hash="hash",
)
LIST = OutsideList("anc_1", "org_root", 2**150, b"\x30\x00", 1, 9, 5, "acc_1")


def run(spine: Spine, method: Any, *args: Any, **kwargs: Any) -> Any:
    return spine.parts.transactions.run(lambda tx: method(tx, *args, **kwargs))


def test_a_certificate_is_found_by_serial_and_key_and_listed_in_its_organisation(
    spine: Spine,
) -> None:
    assert run(spine, CERTIFICATES.insert, CERTIFICATE) is True
    assert run(spine, CERTIFICATES.by_serial, "cert_root", 0x7F00) == CERTIFICATE
    assert run(spine, CERTIFICATES.by_serial, "cert_other", 0x7F00) is None
    assert run(spine, CERTIFICATES.of_key, "ab" * 32) == [CERTIFICATE]
    assert run(spine, CERTIFICATES.of_key, "00" * 32) == []
    page = PageRequest()
    for wanted, found in (
        (CertificateFilter(), 1),
        (CertificateFilter("A.CN", "tls_server", revoked=False), 1),
        (CertificateFilter("7F"), 1),
        (CertificateFilter("f00"), 0),
        (CertificateFilter("%"), 0),
        (CertificateFilter(kind="root"), 0),
        (CertificateFilter(revoked=True), 0),
    ):
        assert len(run(spine, CERTIFICATES.certificates, "org_a", wanted, page)) == found
    assert run(spine, CERTIFICATES.certificates, "org_b", CertificateFilter(), page) == []


def test_a_serial_is_given_once_by_an_issuer(spine: Spine) -> None:
    run(spine, CERTIFICATES.insert, CERTIFICATE)
    same = replace(CERTIFICATE, id="cert_2", key_name="crq_2")
    assert run(spine, CERTIFICATES.insert, same) is False
    assert run(spine, CERTIFICATES.insert, replace(same, issuer_id="cert_other")) is True


def test_what_was_revoked_stays_so_with_its_instant(spine: Spine) -> None:
    run(spine, CERTIFICATES.insert, CERTIFICATE)
    for number in (2, 3):
        other = replace(CERTIFICATE, id=f"cert_{number}", key_name=f"crq_{number}")
        run(spine, CERTIFICATES.insert, replace(other, serial=f"{number}"))
    assert run(spine, CERTIFICATES.revoke, "cert_2", "superseded") is True
    assert run(spine, CERTIFICATES.revoke, "cert_2", "key_compromise") is False
    assert run(spine, CERTIFICATES.revoke, "cert_3", at=START - 9) is True
    found = {each.id: each for each in run(spine, CERTIFICATES.revoked)}
    said = {name: (each.revoked_at, each.revocation_reason) for name, each in found.items()}
    assert said == {"cert_2": (START, "superseded"), "cert_3": (START - 9, "")}


def test_a_request_comes_back_and_is_answered_once(spine: Spine) -> None:
    run(spine, REQUESTS.insert_request, REQUEST)
    assert run(spine, REQUESTS.request, "org_a", "crq_1") == REQUEST
    assert run(spine, REQUESTS.request, "org_b", "crq_1") is None
    assert run(spine, REQUESTS.requests, "org_a", PageRequest()) == [REQUEST]
    assert run(spine, REQUESTS.request_of, "cert_1") is None
    answer = {"encryption_id": "cert_2", "enveloped_key": b"key"}
    assert run(spine, REQUESTS.mark_issued, "crq_1", "cert_1", **answer) is True
    assert run(spine, REQUESTS.mark_issued, "crq_1", "cert_3", **answer) is False
    for identifier in ("cert_1", "cert_2"):
        found = run(spine, REQUESTS.request_of, identifier)
        assert (found.state, found.certificate_id) == ("issued", "cert_1")


def test_an_anchor_changes_only_from_what_was_expected(spine: Spine) -> None:
    run(spine, TRUST.insert_anchor, ANCHOR)
    assert run(spine, TRUST.anchor, "org_root", "anc_1") == ANCHOR
    assert run(spine, TRUST.anchor, "org_a", "anc_1") is None
    assert run(spine, TRUST.anchors, "org_root", PageRequest()) == [ANCHOR]
    assert run(spine, TRUST.active_anchors) == []
    change = {"before": "proposed", "after": "active", "reason": "核对"}
    assert run(spine, TRUST.change_anchor, "anc_1", **change) is True
    assert run(spine, TRUST.change_anchor, "anc_1", **change) is False
    (active,) = run(spine, TRUST.active_anchors)
    assert (active.state, active.state_reason, active.state_at) == ("active", "核对", START)


@pytest.mark.parametrize("number", [2**150, 2**150 - 1, 0])
def test_a_list_gives_way_to_a_greater_number_alone(spine: Spine, number: int) -> None:
    assert run(spine, TRUST.put_list, LIST) is True
    assert run(spine, TRUST.put_list, replace(LIST, number=number, der=b"old")) is False
    assert run(spine, TRUST.revocation_list, "anc_1") == LIST
    newer = replace(LIST, number=2**159)
    assert run(spine, TRUST.put_list, newer) is True
    assert run(spine, TRUST.revocation_lists) == [newer]
    assert run(spine, TRUST.revocation_list, "anc_2") is None
