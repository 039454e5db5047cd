"""Destroying a seal: by two people, its keys for good, and every proof stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kms.errors.keys import KeyDestroyed
from kms.errors.seals import SealNotFound, SealNotUsable, SealStateConflict
from kms.models.seal_registry import SealRecord
from kms.models.stamps import StampRequest
from kms.service.document_authority import document_key_name
from kms.service.system_keys import PoolSealingKeys
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.pages import PageRequest
from tests.fakes.key_pool import KEEPER, open_key_pool
from tests.fakes.pdf_files import PdfInProcess
from tests.fakes.pdf_pages import paged_pdf
from tests.fakes.seal_registry import APPLICANT, AUDITOR, HOLDER, SECURITY, World, build, person
from tests.fakes.sealing import DOCUMENT, PixelPainter

OTHER = person("feng", "security-admin")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path, PixelPainter(), pdf=PdfInProcess())
    yield made
    made.spine.close()


def revoked(world: World) -> SealRecord:
    seal = world.make("zhou", "wu")
    world.registry.revoke_seal(SECURITY, seal.id, "单位撤销")
    return seal


def ask(world: World, seal: SealRecord) -> None:
    world.destruction.request_seal_destruction(SECURITY, seal.id, "单位撤销")


def destroy(world: World, seal: SealRecord) -> str:
    approval = world.destruction.decide_seal_destruction(OTHER, seal.id, grant=True, reason="同意")
    return approval.state


def test_a_destroyed_seals_keys_are_gone_and_its_proofs_stay(world: World) -> None:
    seal = world.make("zhou", "wu")
    sealed = world.use(seal)
    pdf = world.stamping.stamp_document(HOLDER, seal.id, StampRequest(paged_pdf(1))).document
    world.clock.advance(1)
    world.registry.revoke_seal(SECURITY, seal.id, "单位撤销")
    holders = world.registry.show_seal(AUDITOR, seal.id).holders
    names = {f"seal-{seal.application_id}-{place}" for place in (0, 1)}
    documents = {document_key_name(each.certificate_id) for each in holders}
    assert names <= set(world.keys.keys)
    assert documents & set(world.keys.p256)
    ask(world, seal)
    assert destroy(world, seal) == "used"
    assert not names & set(world.keys.keys)
    assert not documents & set(world.keys.p256)
    assert world.keys.forgotten == 1
    shown = world.registry.show_seal(AUDITOR, seal.id)
    assert (shown.record.state, shown.content != b"") == ("destroyed", True)
    assert len(world.using.list_uses(AUDITOR, seal.id, PageRequest()).items) == 2
    assert world.verification.verify_seal(sealed.value, DOCUMENT).valid
    assert world.verification.verify_seal(pdf, None).valid
    last = world.acts()[-1]
    assert (last["action"], last["details"]["keys"]) == ("kms.decide_seal_destruction", 3)


def test_it_counts_as_stopped_since_it_was_revoked(world: World) -> None:
    seal = revoked(world)
    before = world.registry.show_seal(AUDITOR, seal.id).record
    world.clock.advance(60)
    ask(world, seal)
    destroy(world, seal)
    after = world.registry.show_seal(AUDITOR, seal.id).record
    assert (after.state_at, after.state_reason) == (before.state_at, before.state_reason)


def test_nobody_destroys_alone_by_whichever_account(world: World) -> None:
    seal = revoked(world)
    ask(world, seal)
    world.persons.same.add(frozenset({"qian", "feng"}))
    for who in (SECURITY, OTHER):
        with pytest.raises(SelfApproval):
            world.destruction.decide_seal_destruction(who, seal.id, grant=True, reason="同意")
    assert world.registry.show_seal(AUDITOR, seal.id).record.state == "revoked"
    assert f"seal-{seal.application_id}-0" in world.keys.keys


@pytest.mark.parametrize("who", [APPLICANT, HOLDER, AUDITOR])
def test_only_security_administrators_ask_and_decide(world: World, who: object) -> None:
    seal = revoked(world)
    with pytest.raises(Forbidden):
        world.destruction.request_seal_destruction(who, seal.id, "x")  # type: ignore[arg-type]
    ask(world, seal)
    with pytest.raises(Forbidden):
        world.destruction.decide_seal_destruction(who, seal.id, grant=True, reason="x")  # type: ignore[arg-type]


def test_only_a_revoked_seal_is_destroyed_and_once(world: World) -> None:
    seal = world.make()
    with pytest.raises(SealStateConflict):
        ask(world, seal)
    world.registry.suspend_seal(SECURITY, seal.id, "异常")
    with pytest.raises(SealStateConflict):
        ask(world, seal)
    with pytest.raises(SealStateConflict):
        destroy(world, seal)
    world.registry.revoke_seal(SECURITY, seal.id, "撤销")
    ask(world, seal)
    with pytest.raises(SealStateConflict):
        ask(world, seal)
    destroy(world, seal)
    with pytest.raises(NotPending):
        destroy(world, seal)
    with pytest.raises(SealStateConflict):
        ask(world, seal)
    for act in (world.registry.resume_seal, world.registry.suspend_seal):
        with pytest.raises(SealStateConflict):
            act(SECURITY, seal.id, "again")
    with pytest.raises(SealNotUsable):
        world.use(seal)


def test_after_a_rejection_or_too_long_a_wait_it_is_asked_for_anew(world: World) -> None:
    seal = revoked(world)
    ask(world, seal)
    rejected = world.destruction.decide_seal_destruction(
        OTHER, seal.id, grant=False, reason="留存备查"
    )
    assert rejected.state == "rejected"
    assert world.registry.show_seal(AUDITOR, seal.id).record.state == "revoked"
    ask(world, seal)
    world.clock.advance(30 * DAY // SECOND)
    with pytest.raises(NotPending):
        destroy(world, seal)
    ask(world, seal)
    assert destroy(world, seal) == "used"


def test_what_was_approved_is_this_seal_with_these_holders(world: World) -> None:
    seal = revoked(world)
    ask(world, seal)
    with world.spine.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kms_seal_holders WHERE account_id = 'wu'")
    with pytest.raises(NotPending):
        destroy(world, seal)
    assert world.registry.show_seal(AUDITOR, seal.id).record.state == "revoked"


def test_whoever_decides_sees_whose_keys_go(world: World) -> None:
    seal = revoked(world)
    assert world.destruction.show_loss(AUDITOR, seal.id).approval is None
    ask(world, seal)
    loss = world.destruction.show_loss(AUDITOR, seal.id)
    assert [holder.name for holder in loss.holders] == ["wu", "zhou"]
    assert loss.approval is not None
    assert (loss.approval.state, loss.approval.reason) == ("pending", "单位撤销")
    stranger = person("chen", "security-admin", org="org_b")
    with pytest.raises(SealNotFound):
        world.destruction.show_loss(stranger, seal.id)


def test_a_reason_is_needed(world: World) -> None:
    seal = revoked(world)
    with pytest.raises(Invalid):
        world.destruction.request_seal_destruction(SECURITY, seal.id, "")
    ask(world, seal)
    with pytest.raises(Invalid):
        world.destruction.decide_seal_destruction(OTHER, seal.id, grant=True, reason=" ")


def test_a_key_of_the_pool_signs_no_more_and_is_not_made_again(tmp_path: Path) -> None:
    with open_key_pool(tmp_path) as pool:
        keys = PoolSealingKeys(pool.services.system_keys)
        keys.ensure_key("seal-a-0")
        keys.sign("seal-a-0", b"x")

        def destroy() -> bool:
            return pool.spine.parts.transactions.run(
                lambda tx: keys.destroy_key(tx, KEEPER, "seal-a-0")
            )

        assert [destroy(), destroy()] == [True, False]
        keys.forget()
        with pytest.raises(KeyDestroyed):
            keys.sign("seal-a-0", b"x")
        with pytest.raises(KeyDestroyed):
            keys.ensure_key("seal-a-0")
        assert not pool.spine.parts.transactions.run(
            lambda tx: keys.destroy_key(tx, KEEPER, "seal-none")
        )
        last = pool.leaves()[-1]
        assert (last["action"], last["actor"]["id"]) == ("kms.destroy_key", KEEPER.id)
