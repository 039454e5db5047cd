"""Seals and certificates, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms.models.seal_policies import UsePolicy
from kms.models.seal_registry import (
    HolderName,
    IssuedCertificate,
    SealApplication,
    SealHolder,
    SealRecord,
    SealUse,
)
from kms.store.certificates import SqlCertificateStore
from kms.store.seal_policies import SqlSealPolicyStore
from kms.store.seals import SqlSealStore, SqlSealUseStore
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest
from tests.fakes.clock import START

SEALS = SqlSealStore()
USES = SqlSealUseStore()
POLICIES = SqlSealPolicyStore()
CERTIFICATES = SqlCertificateStore()
APPLICATION = SealApplication(
    id="sap_1",
    org_id="org_a",
    name="临江县数据局",
    shape="round",
    organization="临江县数据局",
    holders=(HolderName("acc_1", "周"), HolderName("acc_2", "吴")),
    reason="公文用印",
    applicant_id="acc_3",
    applied_at=5,
    approval_id="apr_1",
    subject_hash="hash",
)
SEAL = SealRecord(
    id="seal_1",
    org_id="org_a",
    es_id="es_1",
    name="临江县数据局",
    shape="round",
    application_id="sap_1",
    digest="ab" * 32,
    valid_from=1,
    valid_until=9,
    made_at=5,
    made_by="acc_4",
)
HOLDERS = [
    SealHolder("seal_1", "org_a", "acc_1", "周", "cert_1"),
    SealHolder("seal_1", "org_a", "acc_2", "吴", "cert_2"),
]
CERTIFICATE = IssuedCertificate(
    id="cert_1",
    org_id="org_a",
    kind="signer",
    key_name="key-1",
    subject="CN=周",
    serial="7f",
    der=b"\x30\x00",
    not_before=1,
    not_after=9,
    issued_at=1,
)
USE = SealUse("use_1", "org_a", "seal_1", "acc_1", "cd" * 32, "印发", 7, "ef" * 32)


def run(spine: Spine, method: Any, *args: Any, **kwargs: Any) -> Any:
    return spine.parts.transactions.run(lambda tx: method(tx, *args, **kwargs))


@pytest.fixture
def made(spine: Spine) -> Spine:
    run(spine, SEALS.insert_application, APPLICATION)
    assert run(spine, SEALS.insert_seal, SEAL, b"esl", holders=HOLDERS)
    return spine


def test_an_application_comes_back_to_its_own_organisation_only(spine: Spine) -> None:
    run(spine, SEALS.insert_application, APPLICATION)
    assert run(spine, SEALS.application, "org_a", "sap_1") == APPLICATION
    assert run(spine, SEALS.application, "org_b", "sap_1") is None
    assert run(spine, SEALS.applications, "org_b", PageRequest()) == []


def test_a_seal_comes_back_with_its_content_and_holders(made: Spine) -> None:
    assert run(made, SEALS.seal, "org_a", "seal_1") == (SEAL, b"esl")
    assert run(made, SEALS.seal, "org_b", "seal_1") is None
    assert run(made, SEALS.holders, "seal_1") == HOLDERS
    application = run(made, SEALS.application, "org_a", "sap_1")
    assert (application.state, application.seal_id) == ("made", "seal_1")


def test_an_application_makes_one_seal(made: Spine) -> None:
    second = replace(SEAL, id="seal_2", es_id="es_2", digest="00" * 32)
    assert run(made, SEALS.insert_seal, second, b"esl", holders=HOLDERS) is False
    assert run(made, SEALS.seal, "org_a", "seal_2") is None


def test_the_state_changes_only_from_what_was_expected(made: Spine) -> None:
    change = {"before": ("active",), "after": "suspended", "reason": "异常"}
    assert run(made, SEALS.change_state, "seal_1", **change) is True
    assert run(made, SEALS.change_state, "seal_1", **change) is False
    assert run(made, SEALS.stopped, {SEAL.id: 9}) == [(SEAL.digest, START)]
    record, _ = run(made, SEALS.seal, "org_a", "seal_1")
    assert (record.state, record.state_reason, record.state_at) == ("suspended", "异常", START)
    back = {"before": ("suspended",), "after": "active", "reason": "无误"}
    assert run(made, SEALS.change_state, "seal_1", **back) is True
    assert run(made, SEALS.stopped, {}) == []
    assert run(made, SEALS.stopped, {SEAL.id: 9, "seal_gone": 9}) == [(SEAL.digest, 9)]


def test_pages_come_newest_first_without_gap_or_repeat(spine: Spine) -> None:
    for number in range(5):
        application = replace(
            APPLICATION, id=f"sap_{number}", approval_id=f"apr_{number}", applied_at=number // 2
        )
        run(spine, SEALS.insert_application, application)
        seal = replace(
            SEAL,
            id=f"seal_{number}",
            es_id=f"es_{number}",
            digest=f"{number}" * 64,
            application_id=f"sap_{number}",
            made_at=number // 2,
        )
        holders = [replace(holder, seal_id=seal.id) for holder in HOLDERS]
        run(spine, SEALS.insert_seal, seal, b"esl", holders=holders)
        run(spine, USES.insert_use, replace(USE, id=f"use_{number}", used_at=number // 2))
    order = [4, 3, 2, 1, 0]
    for read, time in (
        (lambda request: run(spine, SEALS.seals, "org_a", request), "made_at"),
        (lambda request: run(spine, SEALS.applications, "org_a", request), "applied_at"),
        (lambda request: run(spine, USES.uses, "seal_1", request), "used_at"),
    ):
        seen: list[Any] = []
        after = None
        while rows := read(PageRequest(2, after))[:2]:
            seen += rows
            after = (getattr(rows[-1], time), rows[-1].id)
        assert [int(row.id[-1]) for row in seen] == order


def test_a_use_comes_back(made: Spine) -> None:
    run(made, USES.insert_use, USE)
    assert run(made, USES.uses, "seal_1", PageRequest()) == [USE]


def test_a_key_has_one_certificate(spine: Spine) -> None:
    assert run(spine, CERTIFICATES.insert, CERTIFICATE) is True
    assert run(spine, CERTIFICATES.insert, replace(CERTIFICATE, id="cert_2")) is False
    assert run(spine, CERTIFICATES.find, "signer", "key-1") == CERTIFICATE
    assert run(spine, CERTIFICATES.get, "cert_1") == CERTIFICATE
    assert run(spine, CERTIFICATES.find, "maker", "key-1") is None
    assert run(spine, CERTIFICATES.get, "cert_2") is None


def test_a_certificate_is_revoked_once(spine: Spine) -> None:
    run(spine, CERTIFICATES.insert, CERTIFICATE)
    assert run(spine, CERTIFICATES.revoked) == []
    assert run(spine, CERTIFICATES.revoke, "cert_1") is True
    assert run(spine, CERTIFICATES.revoke, "cert_1") is False
    assert run(spine, CERTIFICATES.revoked) == [replace(CERTIFICATE, revoked_at=START)]


def test_uses_are_counted_from_an_instant_on(made: Spine) -> None:
    for number in range(3):
        run(made, USES.insert_use, replace(USE, id=f"use_c{number}", used_at=10 + number))
    assert run(made, USES.uses_since, "seal_1", 11) == 2
    assert run(made, USES.uses_since, "seal_2", 0) == 0


def test_a_policy_follows_only_the_version_before_it(made: Spine) -> None:
    first = UsePolicy("seal_1", ("acc_1",), ("公文",), (1, 2), 60, 120, None, 40, version=1)
    assert run(made, POLICIES.policy, "seal_1") == UsePolicy("seal_1")
    assert run(made, POLICIES.put_policy, "org_a", first)
    assert run(made, POLICIES.policy, "seal_1") == first
    assert not run(made, POLICIES.put_policy, "org_a", first)
    second = replace(first, daily_cap=5, version=2)
    assert run(made, POLICIES.put_policy, "org_a", second)
    assert not run(made, POLICIES.put_policy, "org_a", replace(second, daily_cap=9))
    assert not run(made, POLICIES.put_policy, "org_a", replace(second, version=7))
    assert run(made, POLICIES.policy, "seal_1") == second
