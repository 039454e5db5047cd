"""Batches: checked whole, worked through a few rows at a time, each row at most once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from kms.errors.ecertificates import (
    ECertificateNotFound,
    ECertificateRejected,
    ECertificateStateConflict,
)
from kms.errors.keys import PoolLocked
from kms.models.ecertificates import Batch, IssueRequest
from kms.models.seal_policies import UsePolicy
from kms.service.ecertificates import running
from kms.service.ecertificates.batches import PART_FILES
from kms.service.ecertificates.issuing import ECertificateIssuing
from kms.service.ecertificates.running import BatchRunner
from secops.kernel.errors import Forbidden, Invalid
from secops.kernel.orders import actor_of, order_of
from secops.kernel.pages import PageRequest
from tests.fakes.ecertificate_office import VALUES, Office, open_office
from tests.fakes.seal_registry import APPLICANT, AUDITOR, HOLDER, SECURITY
from tests.fakes.sealing import FakeSubjects

HEADER = "holder,id_number,scope,number\n"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = open_office(tmp_path)
    yield made
    made.world.spine.close()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PART", 2)


def counts(office: Office, batch: Batch) -> tuple[str, int, dict[Any, int]]:
    found = office.services.batches.show_ecertificate_batch(AUDITOR, batch.id)
    return found.task.state, found.task.done, dict(found.counts)


def why(office: Office, batch: Batch) -> str:
    found = office.services.batches.show_ecertificate_batch(AUDITOR, batch.id)
    return str(orjson.loads(found.task.result)["code"])


def run(office: Office) -> None:
    while office.services.runner.tick():
        pass


def check(office: Office, template_id: str, content: str) -> list[tuple[int, str]]:
    found = office.services.batches.check_ecertificate_batch(HOLDER, template_id, content.encode())
    return [(problem.row, problem.field) for problem in found.problems]


def test_a_dry_run_names_every_row_and_stores_nothing(office: Office) -> None:
    template = office.template()
    office.services.issuing.issue_ecertificate(
        HOLDER, IssueRequest(template.id, VALUES, number="TAKEN")
    )
    content = HEADER + (
        "甲,1,食品经营,\n"
        ",2,食品经营,\n"
        "丙,3,卖药,\n"
        "丁,4,食品经营,TAKEN\n"
        "戊,5,食品经营,N1\n"
        "己,6,食品经营,N1\n"
        "甲,1,食品经营,\n"
    )
    problems = [(2, "holder"), (3, "scope"), (4, "number"), (6, "number"), (7, "")]
    assert check(office, template.id, content) == problems
    with pytest.raises(ECertificateRejected):
        office.services.batches.order_ecertificate_batch(
            HOLDER, template.id, content.encode(), name="x"
        )
    assert office.services.batches.list_ecertificate_batches(HOLDER, PageRequest()).items == []


def test_a_file_that_is_no_table_is_refused(office: Office) -> None:
    template = office.template()
    with pytest.raises(ECertificateRejected):
        check(office, template.id, "holder\n")


def test_a_batch_is_issued_row_by_row_and_handed_out_as_zip(
    office: Office, small_parts: None
) -> None:
    template = office.template()
    batch = office.order(template, 3)
    assert counts(office, batch) == ("queued", 0, {"waiting": 3, "issued": 0, "failed": 0})
    assert office.services.runner.tick() is True
    assert counts(office, batch) == ("running", 2, {"waiting": 1, "issued": 2, "failed": 0})
    assert office.services.runner.tick() is False
    assert counts(office, batch) == ("done", 3, {"waiting": 0, "issued": 3, "failed": 0})
    assert office.services.runner.tick() is False
    rows = office.services.batches.list_ecertificate_rows(AUDITOR, batch.id, PageRequest(2))
    assert [(row.n, row.number, row.holder_masked) for row in rows.items] == [
        (1, "JY2026000001", "经***"),
        (2, "JY2026000002", "经***"),
    ]
    assert rows.next is not None
    zipped = office.services.batches.zip_ecertificate_batch(HOLDER, batch.id, 1)
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        names = archive.namelist()
        verify = office.services.verification.verify_ecertificate
        assert [verify(archive.read(name), caller="a").report.valid for name in names] == [True] * 3
    issued = office.services.registry.list_ecertificates(
        AUDITOR, PageRequest(), {"batch_id": batch.id}
    )
    assert sorted(names) == sorted(f"{each.identifier}.ofd" for each in issued.items)
    for part in (0, 2, PART_FILES):
        with pytest.raises(ECertificateNotFound):
            office.services.batches.zip_ecertificate_batch(HOLDER, batch.id, part)
    with pytest.raises(Forbidden):
        office.services.batches.zip_ecertificate_batch(AUDITOR, batch.id, 1)
    assert office.uses() == 3


class Killed(BaseException):
    """What a process ends with."""


@dataclass
class DyingBox:
    """A box that kills the process when it has sealed ``lives`` files."""

    box: Any
    lives: int

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        if aad.startswith(b"file:"):
            self.lives -= 1
            if self.lives < 0:
                raise Killed
        return bytes(self.box.seal(plaintext, aad))

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        return bytes(self.box.open(sealed, aad))


def runner(office: Office, **changes: Any) -> BatchRunner:
    """Return a runner like the office's but for ``changes`` of its parts."""
    here = replace(office.services.runner._here, **changes)
    return BatchRunner(here, ECertificateIssuing(here))


@pytest.mark.parametrize("lives", [0, 1, 2])
def test_a_killed_batch_goes_on_and_seals_no_row_twice(office: Office, lives: int) -> None:
    batch = office.order(office.template(), 3)
    with pytest.raises(Killed):
        runner(office, box=DyingBox(office.box, lives)).tick()
    run(office)
    assert counts(office, batch) == ("done", 3, {"waiting": 0, "issued": 3, "failed": 0})
    assert office.uses() == 3
    issued = office.services.registry.list_ecertificates(AUDITOR, PageRequest()).items
    assert len({each.number for each in issued}) == len(issued) == 3


def test_a_batch_that_another_process_works_on_is_left_to_it(office: Office) -> None:
    batch = office.order(office.template(), 1)
    leases = office.world.spine.parts.leases
    lease = leases.acquire(f"ecertificates:{batch.id}", "another", running.LEASE_SECONDS)
    assert lease is not None
    assert office.services.runner.tick() is False
    assert counts(office, batch)[1] == 0
    leases.release(lease)
    run(office)
    assert counts(office, batch)[0] == "done"


def test_a_slow_part_ends_before_its_lease_does(office: Office) -> None:
    batch = office.order(office.template(), 2)

    class Slow(DyingBox):
        def seal(self, plaintext: bytes, aad: bytes) -> bytes:
            office.world.clock.advance(running.LEASE_SECONDS / 2)
            return bytes(self.box.seal(plaintext, aad))

    assert runner(office, box=Slow(office.box, 9)).tick() is True
    assert counts(office, batch)[1] == 1


def test_a_row_given_to_two_processes_is_issued_once(office: Office) -> None:
    """Both read the row as waiting; the second unit of work finds it taken and keeps nothing."""
    batch = office.order(office.template(), 1)
    first, second = runner(office), runner(office)

    class Both(DyingBox):
        def seal(self, plaintext: bytes, aad: bytes) -> bytes:
            if aad.startswith(b"file:") and self.lives:
                self.lives = 0
                first._part(batch)
            return bytes(self.box.seal(plaintext, aad))

    runner(office, box=Both(office.box, 1))._part(batch)
    assert second.tick() is False
    assert counts(office, batch) == ("done", 1, {"waiting": 0, "issued": 1, "failed": 0})
    assert office.uses() == 1


def test_a_seal_suspended_in_mid_batch_stops_it_by_name(office: Office, small_parts: None) -> None:
    batch = office.order(office.template(), 5)
    office.services.runner.tick()
    office.world.registry.suspend_seal(SECURITY, office.seal.id, "印章异常")
    run(office)
    assert counts(office, batch) == ("failed", 2, {"waiting": 3, "issued": 2, "failed": 0})
    assert why(office, batch) == "kms.seal_not_usable"
    office.world.registry.resume_seal(SECURITY, office.seal.id, "恢复")
    run(office)
    assert counts(office, batch)[1] == 2
    office.services.batches.resume_ecertificate_batch(HOLDER, batch.id)
    run(office)
    assert counts(office, batch) == ("done", 5, {"waiting": 0, "issued": 5, "failed": 0})


def test_a_daily_cap_reached_in_mid_batch_stops_it(office: Office) -> None:
    batch = office.order(office.template(), 3)
    policy = UsePolicy(office.seal.id, daily_cap=2)
    office.world.policies.set_use_policy(SECURITY, policy)
    run(office)
    assert counts(office, batch) == ("failed", 2, {"waiting": 1, "issued": 2, "failed": 0})
    assert why(office, batch) == "kms.seal_use_refused"
    assert office.uses() == 2


def test_a_template_retired_in_mid_batch_stops_it(office: Office) -> None:
    template = office.template()
    batch = office.order(template, 1)
    office.services.templates.retire_ecertificate_template(SECURITY, template.id, "停办")
    run(office)
    assert why(office, batch) == "kms.ecertificate_state"


class Standing(FakeSubjects):
    """The account behind a batch as a test wants it."""

    def __init__(self, roles: frozenset[str] | None) -> None:
        self.roles = roles

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        return self.roles


@pytest.mark.parametrize("roles", [None, frozenset[str](), frozenset({"auditor"})])
def test_who_lost_the_right_meanwhile_issues_nothing_more(
    office: Office, roles: frozenset[str] | None
) -> None:
    batch = office.order(office.template(), 1)
    assert runner(office, subjects=Standing(roles)).tick() is False
    assert counts(office, batch)[0] == "failed"
    assert office.uses() == 0


def test_a_risky_caller_is_stopped_too(office: Office) -> None:
    batch = office.order(office.template(), 1)
    office.world.policies.set_use_policy(SECURITY, UsePolicy(office.seal.id, max_risk=50))
    office.world.risks.risk = 80
    run(office)
    assert why(office, batch) == "kms.seal_use_refused"


def test_a_row_that_fails_by_itself_is_named_and_the_rest_goes_on(office: Office) -> None:
    template = office.template()
    content = HEADER + "甲,1,食品经营,N1\n乙,2,食品经营,\n"
    batch = office.services.batches.order_ecertificate_batch(
        HOLDER, template.id, content.encode(), name="二"
    )
    own = IssueRequest(template.id, VALUES, number="N1")
    office.services.issuing.issue_ecertificate(HOLDER, own)
    run(office)
    assert counts(office, batch) == ("done", 2, {"waiting": 0, "issued": 1, "failed": 1})
    failed = office.services.batches.list_ecertificate_rows(AUDITOR, batch.id, PageRequest()).items[
        0
    ]
    assert orjson.loads(failed.error)["code"] == "kms.ecertificate_number_taken"


class LockedBox(DyingBox):
    def open(self, sealed: bytes, aad: bytes) -> bytes:
        raise PoolLocked


def test_a_locked_pool_lets_the_batch_wait(office: Office) -> None:
    batch = office.order(office.template(), 1)
    assert runner(office, box=LockedBox(office.box, 9)).tick() is False
    assert counts(office, batch) == ("queued", 0, {"waiting": 1, "issued": 0, "failed": 0})
    run(office)
    assert counts(office, batch)[0] == "done"


def test_a_cancelled_batch_issues_no_further_row(office: Office, small_parts: None) -> None:
    batches = office.services.batches
    batch = office.order(office.template(), 3)
    office.services.runner.tick()
    batches.cancel_ecertificate_batch(HOLDER, batch.id)
    run(office)
    assert counts(office, batch) == ("cancelled", 2, {"waiting": 1, "issued": 2, "failed": 0})
    for act in (batches.cancel_ecertificate_batch, batches.resume_ecertificate_batch):
        with pytest.raises(ECertificateStateConflict):
            act(HOLDER, batch.id)


def test_only_who_ordered_a_batch_goes_on_with_it(office: Office) -> None:
    batches = office.services.batches
    batch = office.order(office.template(), 1)
    other = replace(HOLDER, id="wu", name="wu")
    with pytest.raises(ECertificateStateConflict):
        batches.cancel_ecertificate_batch(other, batch.id)
    with pytest.raises(Forbidden):
        batches.cancel_ecertificate_batch(APPLICANT, batch.id)
    with pytest.raises(Invalid):
        batches.order_ecertificate_batch(HOLDER, batch.template_id, b"{}", name="")


def test_an_order_keeps_who_gave_it_without_session_or_roles_of_then() -> None:
    actor = replace(HOLDER, session_id="s", address="192.0.2.1", scopes=frozenset({"kms"}))
    roles = frozenset({"auditor"})
    expected = replace(actor, session_id=None, address="", roles=roles)
    assert actor_of(order_of(actor), roles) == expected
    assert actor_of(order_of(HOLDER), HOLDER.roles) == HOLDER


def test_batches_are_listed_newest_first(office: Office) -> None:
    template = office.template()
    first, second = office.order(template, 1), office.order(template, 2)
    page = office.services.batches.list_ecertificate_batches(AUDITOR, PageRequest(1))
    assert [batch.id for batch, _ in page.items] in ([first.id], [second.id])
    assert page.next is not None


class LockedFor(DyingBox):
    """Opens nothing of one batch."""

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        if self.batch_id.encode() in aad:
            raise PoolLocked
        return super().open(sealed, aad)

    batch_id = ""


def test_a_batch_that_can_not_go_on_holds_up_no_other(office: Office) -> None:
    template = office.template()
    stuck, free = office.order(template, 1), office.order(template, 1)
    box = LockedFor(office.box, 9)
    box.batch_id = stuck.id
    worker = runner(office, box=box)
    while worker.tick():
        pass
    assert [counts(office, each)[0] for each in (stuck, free)] == ["queued", "done"]
