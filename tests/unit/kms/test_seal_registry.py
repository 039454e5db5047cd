"""The life of a seal over a real database: applied for, approved, made, used, stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from kms.adapters.anchor_files import HomeAnchorFile
from kms.adapters.pdf import PyHankoFiles
from kms.core.gbt38540.reading import read_seal_file
from kms.core.gbt38540.structures import SealSignature
from kms.errors.seals import NotSealHolder, SealNotFound, SealNotUsable, SealStateConflict
from kms.models.seal_registry import SealRequest
from kms.models.seals import MARKING
from kms.service.seals import (
    SealFiles,
)
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest
from tests.fakes.seal_registry import (
    APPLICANT,
    AUDITOR,
    HOLDER,
    OTHER_HOLDER,
    SECURITY,
    World,
    build,
    person,
)
from tests.fakes.sealing import DOCUMENT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path)
    yield made
    made.spine.close()


def test_a_seal_is_made_used_and_verified(world: World) -> None:
    seal = world.make()
    sealed = world.use(seal)
    report = world.verification.verify_seal(sealed.value, DOCUMENT)
    assert {step.what: step.ok for step in report.signatures[0].steps} == {
        "structure": True,
        "digest": True,
        "range": True,
        "signature": True,
        "signer_listed": True,
        "seal_signature": True,
        "seal_maker": True,
        "chain": True,
        "validity": True,
        "revocation": True,
        "timestamp": None,
        "policy": True,
    }
    assert report.valid
    assert (report.kind, report.version) == ("signature", 4)


def test_a_changed_document_is_found_out(world: World) -> None:
    sealed = world.use(world.make())
    report = world.verification.verify_seal(sealed.value, DOCUMENT + b"!")
    assert not report.valid
    assert {step.what: step.ok for step in report.signatures[0].steps}["digest"] is False


def test_everything_under_the_built_in_authority_is_marked(world: World) -> None:
    seal = world.make()
    sealed = world.use(seal)
    value = read_seal_file(sealed.value)
    assert isinstance(value, SealSignature)
    report = world.verification.verify_seal(sealed.value, DOCUMENT)
    assert seal.marking == MARKING
    assert MARKING in value.seal.property.name
    assert MARKING in str(report.signatures[0].signer)
    assert any(MARKING in warning.zh for warning in report.signatures[0].warnings)


def test_the_root_lies_in_the_home_so_that_files_verify_alone(world: World, tmp_path: Path) -> None:
    sealed = world.use(world.make())
    files = SealFiles(world.clock, HomeAnchorFile(tmp_path), PyHankoFiles())
    assert files.verify_seal(sealed.value, DOCUMENT, []).valid


def test_nobody_approves_their_own_application(world: World) -> None:
    both = person("both", "seal-applicant", "security-admin")
    request = SealRequest("临江县", "round", "临江县", ("zhou",), "用印")
    application = world.applications.apply_seal(both, request)
    with pytest.raises(SelfApproval):
        world.applications.decide_application(both, application.id, grant=True, reason="自批")
    target = f"seal_application:{application.id}"
    assert world.refused() == [("kms.decide_application", target, SelfApproval.code)]


def test_without_approval_no_seal_is_made(world: World) -> None:
    request = SealRequest("临江县", "round", "临江县", ("zhou",), "用印")
    application = world.applications.apply_seal(APPLICANT, request)
    with pytest.raises(NotPending):
        world.making.make_seal(SECURITY, application.id)
    world.applications.decide_application(SECURITY, application.id, grant=False, reason="不同意")
    with pytest.raises(NotPending):
        world.making.make_seal(SECURITY, application.id)


def test_one_approval_makes_one_seal(world: World) -> None:
    seal = world.make()
    with pytest.raises(SealStateConflict):
        world.making.make_seal(SECURITY, seal.application_id)


@pytest.mark.parametrize(
    ("actor", "what"),
    [(SECURITY, "apply"), (HOLDER, "apply"), (APPLICANT, "make"), (AUDITOR, "use")],
)
def test_each_role_is_refused_the_others_work(world: World, actor: Actor, what: str) -> None:
    seal = world.make()
    request = SealRequest("临江县", "round", "临江县", ("zhou",), "用印")
    work = {
        "apply": lambda: world.applications.apply_seal(actor, request),
        "make": lambda: world.making.make_seal(actor, seal.application_id),
        "use": lambda: world.use(seal, actor),
    }[what]
    with pytest.raises(Forbidden):
        work()


def test_only_a_named_holder_uses_the_seal_and_refusals_are_recorded(world: World) -> None:
    seal = world.make()
    with pytest.raises(NotSealHolder):
        world.use(seal, OTHER_HOLDER)
    assert world.refused() == [("kms.use_seal", f"seal:{seal.id}", "kms.not_seal_holder")]


def test_each_holder_signs_with_a_certificate_of_their_own(world: World) -> None:
    seal = world.make("zhou", "wu")
    one, two = world.use(seal), world.use(seal, OTHER_HOLDER)
    signers = {
        world.verification.verify_seal(sealed.value, DOCUMENT).signatures[0].signer
        for sealed in (one, two)
    }
    assert len(signers) == 2


def test_a_suspended_seal_is_refused_with_the_reason_and_works_again_when_resumed(
    world: World,
) -> None:
    seal = world.make()
    world.registry.suspend_seal(SECURITY, seal.id, "用印异常")
    with pytest.raises(SealNotUsable, match="用印异常"):
        world.use(seal)
    assert SealNotUsable.status == 403
    world.registry.resume_seal(SECURITY, seal.id, "核实无误")
    assert world.use(seal).use.seal_id == seal.id


def test_what_was_sealed_before_a_suspension_stays_valid_with_a_warning(world: World) -> None:
    seal = world.make()
    sealed = world.use(seal)
    world.clock.advance(60)
    world.registry.suspend_seal(SECURITY, seal.id, "用印异常")
    report = world.verification.verify_seal(sealed.value, DOCUMENT)
    assert report.valid
    warnings = [warning.en for warning in report.signatures[0].warnings]
    assert "the seal was suspended after this signature" in warnings


def test_a_revoked_seal_never_works_again(world: World) -> None:
    seal = world.make()
    world.clock.advance(60)
    world.registry.revoke_seal(SECURITY, seal.id, "单位撤销")
    with pytest.raises(SealNotUsable):
        world.use(seal)
    with pytest.raises(SealStateConflict):
        world.registry.resume_seal(SECURITY, seal.id, "再用")
    assert not world.verification.verify_seal(
        world.registry.show_seal(SECURITY, seal.id).content, None
    ).valid


def test_a_seal_past_its_time_is_not_used(world: World) -> None:
    seal = world.make()
    world.clock.advance(4 * 365 * 86_400)
    with pytest.raises(SealNotUsable):
        world.use(seal)


def test_another_organisation_sees_nothing(world: World) -> None:
    seal = world.make()
    stranger = person("li", "seal-holder", "security-admin", org="org_other")
    assert world.registry.list_seals(stranger, PageRequest()).items == []
    for work in (
        lambda: world.registry.show_seal(stranger, seal.id),
        lambda: world.use(seal, stranger),
        lambda: world.registry.suspend_seal(stranger, seal.id, "x"),
        lambda: world.using.list_uses(stranger, seal.id, PageRequest()),
        lambda: world.applications.decide_application(
            stranger, seal.application_id, grant=True, reason="x"
        ),
    ):
        with pytest.raises(SealNotFound):
            work()


def test_every_act_is_in_the_ledger_and_every_use_in_the_usage_ledger(world: World) -> None:
    seal = world.make()
    sealed = world.use(seal)
    world.registry.suspend_seal(SECURITY, seal.id, "停用")
    acts = world.acts()
    assert [act["action"] for act in acts] == [
        "kms.apply_seal",
        "kms.decide_application",
        "kms.issue_certificate",
        "kms.issue_certificate",
        "kms.issue_certificate",
        "kms.make_seal",
        "kms.use_seal",
        "kms.suspend_seal",
    ]
    used = acts[6]
    assert used["target"] == f"seal:{seal.id}"
    assert used["details"]["document_sm3"] == sm3(DOCUMENT).hex()
    assert used["details"]["value_sm3"] == sm3(sealed.value).hex()
    uses = world.using.list_uses(AUDITOR, seal.id, PageRequest()).items
    assert [use.digest for use in uses] == [sm3(DOCUMENT).hex()]
    with world.spine.engine.connect() as connection:
        events = connection.execute(text("SELECT name, payload FROM outbox_events")).all()
    assert [event.name for event in events] == ["seal_used"]


def test_lists_come_newest_first_in_pages(world: World) -> None:
    for number in range(3):
        world.clock.advance(1)
        world.make(name=f"第{number}局")
    page = world.registry.list_seals(AUDITOR, PageRequest(limit=2))
    assert [seal.name for seal in page.items] == ["第2局", "第1局"]
    assert page.next is not None
    applied = world.applications.list_applications(SECURITY, PageRequest(limit=2))
    assert [(row.state, approval.state) for row, approval in applied.items] == [
        ("made", "used")
    ] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"name": "独"},
        {"name": "长" * 31},
        {"name": "县\n局"},
        {"shape": "star"},
        {"holders": ()},
        {"holders": ("zhou", "zhou")},
        {"holders": ("svc-robot",)},
        {"reason": " "},
    ],
)
def test_an_application_that_makes_no_sense_is_refused(
    world: World, change: dict[str, Any]
) -> None:
    fields: dict[str, Any] = {
        "name": "临江县",
        "shape": "round",
        "organization": "临江县",
        "holders": ("zhou",),
        "reason": "用印",
    }
    with pytest.raises(Invalid):
        world.applications.apply_seal(APPLICANT, SealRequest(**{**fields, **change}))
