"""What could only be revoked the emergency way is refused at once, and from that instant on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kms.core.rfc5280.reading import verify_revocation_list
from kms.models.seals import VerificationReport
from kms.service.published_lists import PublishedLists
from secops.crypto.certificates import read_certificate
from secops.kernel.clock import HOUR, SECOND
from tests.fakes.seal_registry import AUDITOR, World, build
from tests.fakes.sealing import DOCUMENT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = build(tmp_path)
    yield made
    made.spine.close()


def end(world: World, kind: Any, identifier: str) -> int:
    """End it as an imported entry of the emergency journal does: no table of ours is told."""
    parts = world.parts.parts

    def work(transaction: Any) -> int:
        parts.revocations.revoke(transaction, kind, identifier)
        now: int = transaction.now
        return now

    return parts.transactions.run(work)


def failed(report: VerificationReport) -> list[str]:
    return [step.what for step in report.signatures[0].steps if step.ok is False]


def test_a_seal_suspended_so_is_refused_by_the_next_verification(world: World) -> None:
    seal = world.make()
    before = world.use(seal).value
    content = world.registry.show_seal(AUDITOR, seal.id).content
    assert world.verification.verify_seal(content, None).valid
    world.clock.advance(HOUR // SECOND)
    end(world, "seal", seal.id)
    assert failed(world.verification.verify_seal(content, None)) == ["policy"]
    assert world.verification.verify_seal(before, DOCUMENT).valid


def test_a_certificate_revoked_so_is_refused_by_the_next_verification(world: World) -> None:
    seal = world.make()
    before = world.use(seal).value
    content = world.registry.show_seal(AUDITOR, seal.id).content
    world.clock.advance(HOUR // SECOND)
    maker = world.parts.authority.ensure_issuers(AUDITOR).maker
    end(world, "certificate", maker.id)
    assert failed(world.verification.verify_seal(content, None)) == ["revocation"]
    assert world.verification.verify_seal(before, DOCUMENT).valid


def test_a_later_list_says_since_when_and_the_table_learns_it(world: World) -> None:
    world.make()
    authority = world.parts.authority
    issuers = authority.ensure_issuers(AUDITOR)
    world.clock.advance(HOUR // SECOND)
    since = end(world, "certificate", issuers.maker.id)
    world.clock.advance(HOUR // SECOND)
    encoded = PublishedLists(authority).revocation_list()
    found = verify_revocation_list(encoded, [read_certificate(issuers.root.der)])
    assert dict(found.revoked) == {int(issuers.maker.serial, 16): since // SECOND * SECOND}
    (marked,) = world.parts.parts.transactions.read(authority.store.revoked)
    assert (marked.id, marked.revoked_at) == (issuers.maker.id, since)
    assert authority.trust().revocations is not None
