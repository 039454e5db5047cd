"""One use, one document, two people, once: approvals of single uses and their attacks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kms.errors.seals import (
    NotSealHolder,
    RequestedDocumentGone,
    SealNotUsable,
    SealStateConflict,
    SealUseRefused,
    UseRequestNotFound,
)
from kms.models.seal_registry import SealedDocument, SealedValue, SealRecord, SealRequest, UseForm
from kms.models.seal_requests import SealUseRequest, SealUseWish
from kms.models.stamps import Stamping, StampPlace, StampRequest
from kms.service.seals.use_requests import subject_hash
from secops.crypto.hashes import sm3
from secops.kernel.actors import Actor
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import DAY, HOUR, SECOND
from secops.kernel.errors import Conflict, Forbidden, Invalid
from secops.kernel.pages import PageRequest
from tests.fakes.ofd import pack
from tests.fakes.ofd_pages import paged_document
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import paged_pdf
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
from tests.fakes.sealing import DOCUMENT, PixelPainter

SECOND_KEEPER = person("feng", "security-admin")
PLACE = Stamping((StampPlace(1, 100, 150),))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path, PixelPainter(), pdf=PdfInProcess())
    yield made
    made.spine.close()


def guarded(world: World, *holders: str) -> SealRecord:
    """A seal of which each use needs an approval."""
    seal = world.make(*(holders or ("zhou",)))
    policy = world.policies.show_use_policy(SECURITY, seal.id)
    world.policies.set_use_policy(SECURITY, replace(policy, approval="each_use"))
    return seal


def wish(seal: SealRecord, document: bytes = DOCUMENT, **changes: Any) -> SealUseWish:
    form: UseForm = changes.pop("form", "detached")
    kept = changes.pop("kept", True)
    return replace(
        SealUseWish(seal.id, sm3(document), "通知.ofd", form, "印发通知"),
        document=document if kept else None,
        **changes,
    )


def ask(world: World, seal: SealRecord, actor: Actor = HOLDER, **changes: Any) -> SealUseRequest:
    return world.requests.request_seal_use(actor, wish(seal, **changes))


def approve(world: World, request: SealUseRequest, who: Actor = SECURITY) -> None:
    world.requests.decide_seal_use(who, request.id, grant=True, reason="已核对")


def test_without_an_approval_nothing_is_sealed_and_the_refusal_is_recorded(world: World) -> None:
    seal = guarded(world)
    with pytest.raises(SealUseRefused) as caught:
        world.use(seal)
    assert "another person's approval" in caught.value.detail
    document = StampRequest(pack(paged_document(1)))
    with pytest.raises(SealUseRefused):
        world.stamping.stamp_document(HOLDER, seal.id, document)
    assert world.acts() == [act for act in world.acts() if act["action"] != "kms.use_seal"]
    assert world.refused() == 2 * [("kms.use_seal", f"seal:{seal.id}", SealUseRefused.code)]


def test_an_approved_document_is_sealed_once(world: World) -> None:
    seal = guarded(world)
    request = ask(world, seal)
    approve(world, request)
    sealed = world.requests.use_approved_seal(HOLDER, request.id)
    assert isinstance(sealed, SealedValue)
    assert (sealed.use.digest, sealed.use.request_id) == (sm3(DOCUMENT).hex(), request.id)
    assert world.verification.verify_seal(sealed.value, DOCUMENT).valid
    with pytest.raises(SealUseRefused) as caught:
        world.requests.use_approved_seal(HOLDER, request.id)
    assert "used" in caught.value.detail
    shown = world.requests.show_seal_use_request(SECURITY, request.id)
    assert (shown.approval.state, shown.request.use_id) == ("used", sealed.use.id)
    last = next(act for act in reversed(world.acts()) if act["action"] == "kms.use_seal")
    assert last["details"]["request"] == request.id


@pytest.mark.parametrize(
    ("form", "document"),
    [("ofd", pack(paged_document(2))), ("pdf", paged_pdf(2)), ("pdf_sm2", paged_pdf(2))],
)
def test_the_kept_document_is_sealed_at_the_place_that_was_approved(
    world: World, form: UseForm, document: bytes
) -> None:
    seal = guarded(world)
    request = ask(world, seal, document=document, form=form, stamping=PLACE)
    approve(world, request)
    sealed = world.requests.use_approved_seal(HOLDER, request.id)
    assert isinstance(sealed, SealedDocument)
    assert (sealed.use.form, sealed.use.purpose) == (form, "印发通知")
    assert world.verification.verify_seal(sealed.document, None).valid


def test_another_document_is_refused_and_the_approval_still_stands(world: World) -> None:
    seal = guarded(world)
    request = ask(world, seal, kept=False)
    approve(world, request)
    with pytest.raises(SealUseRefused) as caught:
        world.requests.use_approved_seal(HOLDER, request.id, b"another document")
    assert "another document" in caught.value.detail
    with pytest.raises(SealUseRefused):
        world.requests.use_approved_seal(HOLDER, request.id, digest=bytes(32))
    other = pack(paged_document(1))
    stamped = ask(world, seal, document=pack(paged_document(2)), form="ofd")
    approve(world, stamped)
    with pytest.raises(SealUseRefused):
        world.requests.use_approved_seal(HOLDER, stamped.id, other)
    assert world.requests.use_approved_seal(HOLDER, request.id, DOCUMENT).use.digest


def test_only_who_asked_may_use_it(world: World) -> None:
    seal = guarded(world, "zhou", "wu")
    request = ask(world, seal)
    approve(world, request)
    with pytest.raises(SealUseRefused):
        world.requests.use_approved_seal(OTHER_HOLDER, request.id)
    stamped = ask(world, seal, document=pack(paged_document(1)), form="ofd")
    approve(world, stamped)
    with pytest.raises(SealUseRefused):
        world.requests.use_approved_seal(OTHER_HOLDER, stamped.id)
    assert world.refused() == 2 * [("kms.use_seal", f"seal:{seal.id}", SealUseRefused.code)]
    stranger = person("chen", "seal-holder", org="org_b")
    with pytest.raises(UseRequestNotFound):
        world.requests.use_approved_seal(stranger, request.id)


def test_an_approval_of_one_seal_is_none_of_another(world: World) -> None:
    request = ask(world, guarded(world))
    approve(world, request)
    other = guarded(world)
    with world.spine.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE kms_seal_use_requests SET seal_id = ?", (other.id,))
    with pytest.raises(NotPending):
        world.parts.parts.transactions.run(
            lambda tx: world.parts.parts.approvals.use(
                tx, request.approval_id, subject_hash(replace(request, seal_id=other.id))
            )
        )


@pytest.mark.parametrize("state", ["pending", "rejected", "expired"])
def test_what_is_not_approved_is_not_used(world: World, state: str) -> None:
    seal = guarded(world)
    request = ask(world, seal)
    if state == "rejected":
        world.requests.decide_seal_use(SECURITY, request.id, grant=False, reason="不符")
    elif state == "expired":
        approve(world, request)
        world.clock.advance(DAY // SECOND)
    with pytest.raises(SealUseRefused) as caught:
        world.requests.use_approved_seal(HOLDER, request.id)
    assert state in caught.value.detail


def test_nobody_approves_their_own_use_by_whichever_account(world: World) -> None:
    both = person("both", "seal-holder", "security-admin")
    world.parts.subjects.resolve_subject("org_root", "both")
    seal = guarded(world, "both", "zhou")
    own = ask(world, seal, both)
    with pytest.raises(SelfApproval):
        approve(world, own, both)
    world.persons.same.add(frozenset({"zhou", "feng"}))
    request = ask(world, seal)
    with pytest.raises(SelfApproval):
        approve(world, request, SECOND_KEEPER)
    assert world.requests.show_seal_use_request(SECURITY, request.id).approval.state == "pending"
    approve(world, request)


def test_the_applicants_other_account_does_not_approve_the_seal_either(world: World) -> None:
    wanted = SealRequest("临江县", "round", "临江县", ("zhou",), "用印")
    application = world.applications.apply_seal(APPLICANT, wanted)
    world.persons.same.add(frozenset({"sun", "feng"}))
    with pytest.raises(SelfApproval):
        world.applications.decide_application(
            SECOND_KEEPER, application.id, grant=True, reason="同意"
        )


def test_who_may_ask_and_who_may_decide(world: World) -> None:
    seal = guarded(world)
    with pytest.raises(NotSealHolder):
        ask(world, seal, OTHER_HOLDER)
    with pytest.raises(Forbidden):
        ask(world, seal, APPLICANT)
    request = ask(world, seal)
    for who in (HOLDER, APPLICANT, AUDITOR, OTHER_HOLDER):
        with pytest.raises(Forbidden):
            approve(world, request, who)
    with pytest.raises(UseRequestNotFound):
        approve(world, request, person("chen", "security-admin", org="org_b"))


def test_a_suspended_seal_is_not_asked_for_and_an_approval_does_not_wake_it(world: World) -> None:
    seal = guarded(world)
    request = ask(world, seal)
    approve(world, request)
    world.registry.suspend_seal(SECURITY, seal.id, "异常")
    with pytest.raises(SealNotUsable):
        world.requests.use_approved_seal(HOLDER, request.id)
    with pytest.raises(SealNotUsable):
        ask(world, seal)
    world.registry.resume_seal(SECURITY, seal.id, "无误")
    assert world.requests.use_approved_seal(HOLDER, request.id).use.request_id == request.id


def test_an_approval_does_not_lift_the_policys_other_limits(world: World) -> None:
    seal = guarded(world)
    request = ask(world, seal)
    approve(world, request)
    policy = world.policies.show_use_policy(SECURITY, seal.id)
    world.policies.set_use_policy(SECURITY, replace(policy, daily_cap=0))
    with pytest.raises(SealUseRefused):
        world.requests.use_approved_seal(HOLDER, request.id)


def test_the_approver_sees_the_very_file_and_reading_it_is_recorded(world: World) -> None:
    seal = guarded(world)
    request = ask(world, seal)
    found = world.requests.read_requested_document(SECURITY, request.id)
    assert (found.content, sm3(found.content).hex()) == (DOCUMENT, request.digest)
    assert found.safe_name == f"{request.id}.bin"
    assert world.requests.read_requested_document(HOLDER, request.id).content == DOCUMENT
    for who in (AUDITOR, OTHER_HOLDER):
        with pytest.raises(Forbidden):
            world.requests.read_requested_document(who, request.id)
    kept = world.parts.parts.blobs.get(request.document)
    assert DOCUMENT not in kept


def test_of_a_digest_alone_no_file_is_kept(world: World) -> None:
    request = ask(world, guarded(world), kept=False)
    assert (request.document, request.size) == ("", 0)
    with pytest.raises(RequestedDocumentGone):
        world.requests.read_requested_document(SECURITY, request.id)
    stamped = ask(world, guarded(world), document=pack(paged_document(1)), form="ofd", kept=False)
    approve(world, stamped)
    with pytest.raises(RequestedDocumentGone):
        world.requests.use_approved_seal(HOLDER, stamped.id)


@pytest.mark.parametrize("end", ["used", "rejected", "expired"])
def test_the_file_is_deleted_when_it_is_over_and_not_before(world: World, end: str) -> None:
    seal = guarded(world)
    request, waiting = ask(world, seal), ask(world, seal)
    assert world.requests.drop_kept_documents() is False
    assert world.requests.read_requested_document(SECURITY, request.id).content == DOCUMENT
    if end == "rejected":
        world.requests.decide_seal_use(SECURITY, request.id, grant=False, reason="不符")
    else:
        approve(world, request)
        if end == "used":
            world.requests.use_approved_seal(HOLDER, request.id)
        else:
            world.clock.advance(DAY // SECOND)
    world.requests.drop_kept_documents()
    with pytest.raises(RequestedDocumentGone):
        world.requests.read_requested_document(SECURITY, request.id)
    if end != "expired":  # the same bytes of another request are another file
        assert world.requests.read_requested_document(SECURITY, waiting.id).content == DOCUMENT
    assert world.requests.drop_kept_documents() is False


def test_two_uses_at_the_same_moment_are_one(world: World) -> None:
    seal = guarded(world)
    request = ask(world, seal, kept=False)
    approve(world, request)
    done: list[SealedValue | SealedDocument] = []
    refused: list[Exception] = []
    start = threading.Barrier(4)

    def use() -> None:
        start.wait()
        try:
            done.append(world.requests.use_approved_seal(HOLDER, request.id))
        except (SealUseRefused, Conflict) as error:
            refused.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused)) == (1, 3)
    page = world.using.list_uses(AUDITOR, seal.id, PageRequest())
    assert [use.request_id for use in page.items] == [request.id]


@pytest.mark.parametrize(
    "wrong",
    [
        {"file_name": ""},
        {"file_name": "a\nb"},
        {"file_name": "长" * 201},
        {"stamping": PLACE},
        {"digest": bytes(32)},
        {"digest": b"short", "document": None},
        {"purpose": "x" * 201},
        {"document_class": "a b"},
    ],
)
def test_a_malformed_request_is_refused_before_anything_is_kept(
    world: World, wrong: dict[str, Any]
) -> None:
    seal = guarded(world)
    with pytest.raises(Invalid):
        world.requests.request_seal_use(HOLDER, replace(wish(seal), **wrong))
    assert world.requests.list_seal_use_requests(AUDITOR, PageRequest()).items == []


def test_a_decision_needs_a_reason(world: World) -> None:
    request = ask(world, guarded(world))
    for reason in ("", "  ", "长" * 501):
        with pytest.raises(Invalid):
            world.requests.decide_seal_use(SECURITY, request.id, grant=True, reason=reason)


def test_requests_that_wait_are_limited(world: World) -> None:
    seal = guarded(world)
    for _ in range(50):
        ask(world, seal, kept=False)
    with pytest.raises(SealStateConflict):
        ask(world, seal, kept=False)
    world.clock.advance(24 * HOUR // SECOND)
    assert ask(world, seal, kept=False).seal_id == seal.id


def test_requests_are_listed_newest_first_for_their_own_organisation(world: World) -> None:
    seal = guarded(world)
    made = []
    for _ in range(3):
        made.append(ask(world, seal, kept=False).id)
        world.clock.advance(1)
    page = world.requests.list_seal_use_requests(AUDITOR, PageRequest(2))
    assert [request.id for request, _ in page.items] == [made[2], made[1]]
    assert page.next is not None
    elsewhere = person("chen", "auditor", org="org_b")
    assert world.requests.list_seal_use_requests(elsewhere, PageRequest()).items == []


def test_what_is_approved_is_bound_to_each_part_of_the_request(world: World) -> None:
    request = ask(world, guarded(world))
    changes: list[dict[str, Any]] = [
        {"digest": "00" * 32},
        {"file_name": "other"},
        {"form": "ofd"},
        {"stamping": PLACE},
        {"purpose": "other"},
        {"document_class": "合同"},
        {"requester_id": "wu"},
        {"seal_id": "seal_other"},
        {"org_id": "org_b"},
        {"id": "sur_other"},
    ]
    hashes = {subject_hash(replace(request, **change)) for change in changes}
    assert len(hashes | {request.subject_hash}) == len(changes) + 1
