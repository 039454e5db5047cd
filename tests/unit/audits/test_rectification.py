"""A finding ends by its own check or another person; a waiver stands beside, never instead."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audits.adapters.controls import PackagedCatalogues
from audits.core import rectification as core
from audits.core.standards import READERS
from audits.errors import ChangedMeanwhile, TooManyKept
from audits.errors.rectification import (
    MachineDecides,
    NotTheOwner,
    PersonNotFound,
    TaskNotFound,
    TaskStateRefused,
    WaiverNotFound,
    WaiverStateRefused,
)
from audits.models.assessments import ObjectVerdict, Verdict
from audits.models.rectification import TaskFilter
from audits.service.rectification import tasks as task_service
from audits.service.rectification import waivers as waiver_service
from audits.service.rectification.tasks import Assignment, NewTasks, Proof
from audits.service.rectification.waivers import NewWaiver
from audits.store import rectification as store
from secops.kernel.approvals import SelfApproval
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, SECOND
from secops.kernel.errors import Forbidden, Invalid, NotFound, TooLarge
from secops.kernel.pages import PageRequest, every_item
from tests.fakes.rectification_house import (
    ANALYST,
    APPROVER,
    AUDITOR,
    FAILING,
    KEEPER,
    MANUAL,
    STRANGER,
    FindingsHouse,
    open_findings_house,
)

PAGE = PageRequest()
CATALOGUES = PackagedCatalogues(READERS)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[FindingsHouse]:
    with open_findings_house(tmp_path) as opened:
        yield opened


def test_all_findings_of_an_assessment_become_tasks_once(house: FindingsHouse) -> None:
    house.evidence.facts["iam.users"] |= {"stale": 3}
    assessment = house.assess()
    document = house.assessments.show_assessment(AUDITOR, assessment)
    failing = [item["id"] for item in document["items"] if item["status"] == "noncompliant"]
    made = house.services.tasks.make_tasks(ANALYST, assessment, NewTasks("wang"))
    assert sorted(task.subject for task in made.made) == sorted(failing)
    assert len(failing) > 1
    again = house.services.tasks.make_tasks(ANALYST, assessment, NewTasks("wang"))
    assert (again.made, again.reopened, again.standing) == ((), (), len(failing))


def test_a_high_risk_finding_is_due_sooner(house: FindingsHouse) -> None:
    task = house.task()
    assert (task.high_risk, task.due_at - task.made_at) == (True, 7 * DAY)


def test_an_item_that_does_not_fail_becomes_no_task(house: FindingsHouse) -> None:
    with pytest.raises(Invalid, match=MANUAL):
        house.services.tasks.make_tasks(ANALYST, house.fail(), NewTasks("wang", (MANUAL,)))
    with pytest.raises(PersonNotFound):
        house.services.tasks.make_tasks(ANALYST, house.fail(), NewTasks("nobody"))
    past = NewTasks("wang", due_at=house.clock.now())
    with pytest.raises(Invalid, match="deadline"):
        house.services.tasks.make_tasks(ANALYST, house.fail(), past)


def test_a_passing_check_closes_what_has_a_proof(house: FindingsHouse) -> None:
    task = house.task()
    house.mend()
    early = house.services.rechecks.recheck_task(AUDITOR, task.id)
    assert (early.outcome, early.task.state) == ("passed", "open")
    house.proved(early.task)
    done = house.services.rechecks.recheck_task(AUDITOR, task.id)
    assert (done.outcome, done.task.state, done.task.closed_by) == ("passed", "closed", "machine")
    assert set(done.evidence) == {"iam.users"}
    _, history = house.services.tasks.show_task(AUDITOR, task.id)
    deeds = [event.deed for event in history]
    assert deeds == ["make_task", "recheck_task", "give_proof", "recheck_task"]
    digest = str(history[-1].details["evidence"]["iam.users"])
    assert b"default_accounts" in house.spine.parts.blobs.get(digest)


def test_a_failing_check_reopens_whatever_the_proof_says(house: FindingsHouse) -> None:
    task = house.proved(house.task())
    failed = house.services.rechecks.recheck_task(ANALYST, task.id)
    assert (failed.outcome, failed.task.state, failed.task.rounds) == ("failed", "reopened", 1)
    house.mend()
    house.proved(failed.task)
    closed = house.services.rechecks.recheck_task(ANALYST, task.id).task
    house.fail()
    fallen = house.services.rechecks.recheck_task(ANALYST, closed.id)
    assert (fallen.task.state, fallen.task.rounds) == ("reopened", 2)


def test_evidence_from_before_the_proof_decides_nothing(house: FindingsHouse) -> None:
    task = house.proved(house.task())
    house.mend()
    look = house.evidence.__call__
    before = task.proof_at - SECOND
    stale = [replace(one, taken_at=before) for one in look(AUDITOR, None, before)]  # type: ignore[arg-type]
    desk = replace(house.services.rechecks.desk, sources=(lambda *_: stale,))
    recheck = replace(house.services.rechecks, desk=desk)
    seen = recheck.recheck_task(AUDITOR, task.id)
    assert (seen.outcome, seen.task.state) == ("undecided", "proof_given")
    with pytest.raises(MachineDecides):
        recheck.close_task(APPROVER, task.id, seen.task.version, "我看过")


def test_no_person_closes_what_a_check_decides(house: FindingsHouse) -> None:
    task = house.proved(house.task())
    with pytest.raises(MachineDecides):
        house.services.rechecks.close_task(APPROVER, task.id, task.version, "应该好了")
    assert house.refused() == ["audits.close_task"]


def manual_task(house: FindingsHouse) -> Any:
    new = NewTasks("zhao", (MANUAL,))
    (task,) = house.services.tasks.make_tasks(
        ANALYST, house.keep_assessment(MANUAL, "person"), new
    ).made
    return task


def test_what_no_check_decides_another_person_closes(house: FindingsHouse) -> None:
    task = manual_task(house)
    assert task.by_person
    house.clock.advance(1)
    with pytest.raises(TaskStateRefused):
        house.services.rechecks.close_task(AUDITOR, task.id, task.version, "看过现场")
    task = house.proved(task)
    assert house.services.rechecks.recheck_task(ANALYST, task.id).outcome == "person"
    task, _ = house.services.tasks.show_task(ANALYST, task.id)
    with pytest.raises(SelfApproval):
        house.services.rechecks.close_task(APPROVER, task.id, task.version, "我自己看过")
    house.persons.one(AUDITOR.id, APPROVER.id)
    with pytest.raises(SelfApproval):
        house.services.rechecks.close_task(AUDITOR, task.id, task.version, "我的另一个账户")
    house.persons.part(AUDITOR.id, APPROVER.id)
    program = replace(AUDITOR, kind="client")
    with pytest.raises(Forbidden, match="program"):
        house.services.rechecks.close_task(program, task.id, task.version, "程序")
    closed = house.services.rechecks.close_task(AUDITOR, task.id, task.version, "已到现场查看")
    assert (closed.state, closed.closed_by) == ("closed", AUDITOR.id)
    assert house.refused().count("audits.close_task") == 4


def test_a_person_reopens_with_a_reason_and_a_later_assessment_does_too(
    house: FindingsHouse,
) -> None:
    old = house.fail()
    task = house.task()
    with pytest.raises(TaskStateRefused):
        house.services.rechecks.reopen_task(AUDITOR, task.id, task.version, "不认可")
    house.mend()
    task = house.proved(task)
    with pytest.raises(ChangedMeanwhile):
        house.services.rechecks.reopen_task(AUDITOR, task.id, task.version - 1, "不认可")
    back = house.services.rechecks.reopen_task(AUDITOR, task.id, task.version, "证明与条目无关")
    house.proved(back)
    house.services.rechecks.recheck_task(AUDITOR, task.id)
    tasks = house.services.tasks
    assert tasks.make_tasks(ANALYST, old, NewTasks("wang", (FAILING,))).standing == 1
    house.clock.advance(60)
    new = tasks.make_tasks(ANALYST, house.fail(), NewTasks("wang", (FAILING,)))
    assert [(one.id, one.state, one.rounds) for one in new.reopened] == [(task.id, "reopened", 2)]


def test_only_the_owner_gives_the_proof_and_its_file_is_kept(house: FindingsHouse) -> None:
    task = house.task(KEEPER)
    wrong = Proof(task.version, "我来", "x", b"x")
    with pytest.raises(NotTheOwner):
        house.services.tasks.give_proof(ANALYST, task.id, wrong)
    house.proved(task, b"%PDF proof")
    _, history = house.services.tasks.show_task(AUDITOR, task.id)
    digest = str(history[-1].details["sha256"])
    assert house.services.tasks.proof_file(AUDITOR, task.id, digest) == ("证明.txt", b"%PDF proof")
    with pytest.raises(NotFound):
        house.services.tasks.proof_file(AUDITOR, task.id, "0" * 64)
    big = Proof(2, "大", "x", bytes((20 << 20) + 1))
    with pytest.raises(TooLarge):
        house.services.tasks.give_proof(KEEPER, task.id, big)
    assert house.refused() == ["audits.give_proof"]


def test_a_refused_proof_keeps_no_file(house: FindingsHouse) -> None:
    task, content = house.task(), "证明".encode()
    with pytest.raises(NotTheOwner):
        house.services.tasks.give_proof(KEEPER, task.id, Proof(1, "x", "a.txt", content))
    with pytest.raises(NotFound):
        house.spine.parts.blobs.get(hashlib.sha256(content).hexdigest())
    assert house.refused() == ["audits.give_proof"]


def test_findings_are_known_again_among_however_many_tasks(
    house: FindingsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_MOST", 0)
    task = house.task()
    again = house.services.tasks.make_tasks(ANALYST, task.assessment_id, NewTasks("wang"))
    assert (again.made, again.standing) == ((), 1)


def test_no_owner_puts_their_own_deadline_off(house: FindingsHouse) -> None:
    task = house.task()
    later = task.due_at + DAY
    wish = Assignment(task.version, "来不及", due_at=later)
    with pytest.raises(SelfApproval):
        house.services.tasks.assign_task(ANALYST, task.id, wish)
    wish = Assignment(task.version, "设备到货晚", owner="sun", due_at=later)
    moved = house.services.tasks.assign_task(APPROVER, task.id, wish)
    assert (moved.owner_id, moved.due_at, moved.version) == (KEEPER.id, later, task.version + 1)
    with pytest.raises(ChangedMeanwhile):
        house.services.tasks.assign_task(APPROVER, task.id, wish)
    house.mend()
    house.proved(moved)
    closed = house.services.rechecks.recheck_task(AUDITOR, task.id).task
    late = Assignment(closed.version, "再改")
    with pytest.raises(TaskStateRefused):
        house.services.tasks.assign_task(APPROVER, task.id, late)
    with pytest.raises(TaskStateRefused):
        house.services.tasks.give_proof(KEEPER, task.id, Proof(closed.version, "补充"))


def test_lists_keep_to_state_owner_limit_and_cursor(house: FindingsHouse) -> None:
    house.evidence.facts["iam.users"] |= {"stale": 3, "passwords_expired": 1, "without_role": 1}
    tasks = house.services.tasks
    made = tasks.make_tasks(ANALYST, house.assess(), NewTasks("wang")).made

    def listed(limit: int = 200, **wanted: str) -> list[str]:
        page = tasks.list_tasks(AUDITOR, TaskFilter(**wanted), PageRequest(limit))
        return [task.id for task in page.items]

    every = [t.id for t in every_item(lambda p: tasks.list_tasks(AUDITOR, TaskFilter(), p))]
    assert sorted(every) == sorted(task.id for task in made)
    first = tasks.list_tasks(AUDITOR, TaskFilter(), PageRequest(1))
    assert [task.id for task in first.items] == every[:1]
    assert first.next is not None
    assert listed(state="overdue") == []
    house.clock.advance(100 * 24 * 3600)
    assert listed(state="overdue") == listed(state="unclosed") == every
    assert listed(state="closed") == listed(owner_id=KEEPER.id) == listed(system_id="sys_x") == []
    mine = tasks.list_tasks(ANALYST, TaskFilter(owner_id="me"), PAGE)
    assert len(mine.items) == len(every)
    assert listed(subject=FAILING) == [task.id for task in made if task.subject == FAILING]
    with pytest.raises(Invalid, match="states"):
        listed(state="lost")


def test_another_organisation_sees_and_changes_nothing(house: FindingsHouse) -> None:
    task, waiver = house.task(), house.waiver()
    services = house.services
    assert services.tasks.list_tasks(STRANGER, TaskFilter(), PAGE).items == []
    assert services.waivers.list_waivers(STRANGER, PAGE).items == []
    with pytest.raises(TaskNotFound):
        services.rechecks.recheck_task(STRANGER, task.id)
    with pytest.raises(TaskNotFound):
        services.tasks.assign_task(STRANGER, task.id, Assignment(1, "试试"))
    with pytest.raises(WaiverNotFound):
        services.waivers.decide_waiver(STRANGER, waiver.id, waiver.digest, grant=True)
    with pytest.raises(PersonNotFound):
        services.tasks.make_tasks(ANALYST, house.fail(), NewTasks(STRANGER.name))


def test_too_many_tasks_are_refused(house: FindingsHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_service, "MAX_AT_ONCE", 0)
    with pytest.raises(TooLarge):
        house.task()
    monkeypatch.undo()
    monkeypatch.setattr(task_service, "MAX_UNCLOSED", 0)
    with pytest.raises(TooManyKept):
        house.task()


def test_rectification_tells_the_next_assessment_what_is_overdue(house: FindingsHouse) -> None:
    house.task()
    scope = house.services.tasks.desk.scopes.scope(AUDITOR, "this")
    (poam,) = house.rectified(AUDITOR, scope, house.clock.now())
    assert dict(poam.facts) == {
        "total": 1,
        "open": 1,
        "closed": 0,
        "overdue": 0,
        "reopened": 0,
        "proof_given": 0,
    }
    (late,) = house.rectified(AUDITOR, scope, house.clock.now() + 30 * DAY)
    assert late.facts["overdue"] == 1


def test_a_waiver_takes_two_persons_and_ends_within_a_year(house: FindingsHouse) -> None:
    waivers = house.services.waivers
    for days in (0, 367):
        with pytest.raises(Invalid, match="366"):
            house.waiver(days)
    own = NewWaiver(FAILING, "自申自批", house.clock.now() + DAY)
    mine = waivers.request_waiver(APPROVER, own)
    with pytest.raises(SelfApproval):
        waivers.decide_waiver(APPROVER, mine.id, mine.digest, grant=True)
    waiver = house.waiver()
    with pytest.raises(Forbidden):
        waivers.decide_waiver(AUDITOR, waiver.id, waiver.digest, grant=True)
    house.persons.one(ANALYST.id, APPROVER.id)
    with pytest.raises(SelfApproval):
        waivers.decide_waiver(APPROVER, waiver.id, waiver.digest, grant=True)
    house.persons.part(ANALYST.id, APPROVER.id)
    with pytest.raises(ChangedMeanwhile):
        waivers.decide_waiver(APPROVER, waiver.id, "0" * 64, grant=True)
    granted = waivers.decide_waiver(APPROVER, waiver.id, waiver.digest, grant=True, reason="同意")
    assert (granted.state, granted.decided_by) == ("approved", APPROVER.id)
    with pytest.raises(WaiverStateRefused):
        waivers.decide_waiver(APPROVER, waiver.id, waiver.digest, grant=True)
    assert house.refused() == ["audits.decide_waiver"] * 4
    _, history = waivers.show_waiver(AUDITOR, waiver.id)
    assert [event.deed for event in history] == ["request_waiver", "approve_waiver"]


def test_a_waiver_never_changes_a_verdict_and_expired_ones_are_printed(
    house: FindingsHouse,
) -> None:
    waivers = house.services.waivers
    waiver = house.waiver(30)
    document = house.assessments.show_assessment(AUDITOR, house.assess())
    assert [one["waiver"] for one in document["items"] if one["waiver"]] == []
    waivers.decide_waiver(APPROVER, waiver.id, waiver.digest, grant=True)

    def item() -> Any:
        document = house.assessments.show_assessment(AUDITOR, house.assess())
        return next(one for one in document["items"] if one["id"] == FAILING), document

    found, document = item()
    assert (found["status"], found["waiver"]["state"]) == ("noncompliant", "approved")
    assert document["counts"]["noncompliant"] == 1
    house.clock.advance(31 * 24 * 3600)
    found, document = item()
    assert found["status"] == "noncompliant"
    assert [(row["id"], row["state"]) for row in document["waivers"]] == [(waiver.id, "expired")]
    assert found["waiver"]["state"] == "expired"


def test_a_waiver_is_revoked_rejected_or_withdrawn(house: FindingsHouse) -> None:
    waivers = house.services.waivers
    first = house.waiver()
    granted = waivers.decide_waiver(APPROVER, first.id, first.digest, grant=True)
    with pytest.raises(ChangedMeanwhile):
        waivers.revoke_waiver(ANALYST, first.id, 1, "设备已到")
    revoked = waivers.revoke_waiver(ANALYST, first.id, granted.version, "设备已到")
    assert (revoked.state, revoked.decision) == ("revoked", "设备已到")
    with pytest.raises(WaiverStateRefused):
        waivers.revoke_waiver(ANALYST, first.id, revoked.version, "再撤")
    second = house.waiver()
    assert (
        waivers.decide_waiver(APPROVER, second.id, second.digest, grant=False).state == "rejected"
    )
    third = house.waiver()
    assert waivers.revoke_waiver(ANALYST, third.id, 1, "不需要了").state == "revoked"
    listed = waivers.list_waivers(AUDITOR, PAGE).items
    assert [one.id for one in listed] == sorted((first.id, second.id, third.id), reverse=True)
    assert waivers.list_waivers(AUDITOR, PageRequest(1), "this").next is not None


def test_a_waiver_that_nobody_decides_in_time_waits_no_longer(
    house: FindingsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiver_service, "MAX_WAITING", 1)
    waivers, first = house.services.waivers, house.waiver()
    with pytest.raises(TooManyKept):
        house.waiver()
    house.clock.advance(14 * DAY // SECOND)
    assert first.state_at(house.clock.now() - 1) == "pending"
    assert first.state_at(house.clock.now()) == "expired"
    with pytest.raises(WaiverStateRefused):
        waivers.decide_waiver(APPROVER, first.id, first.digest, grant=True)
    with pytest.raises(WaiverStateRefused):
        waivers.revoke_waiver(ANALYST, first.id, first.version, "不需要了")
    assert house.waiver().state == "pending"


def test_a_waiver_names_a_known_item_and_asset(
    house: FindingsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = house.clock.now() + DAY
    for wish, why in (
        (NewWaiver("L3-XXX1-01", "x", until), "no item"),
        (NewWaiver(FAILING, "x", until, object_id="ast_1"), "no asset"),
        (NewWaiver(FAILING, " ", until), "reason"),
        (NewWaiver(FAILING, "x" * 2_001, until), "reason"),
    ):
        with pytest.raises(Invalid, match=why):
            house.services.waivers.request_waiver(ANALYST, wish)
    monkeypatch.setattr(waiver_service, "MAX_WAITING", 0)
    with pytest.raises(TooManyKept):
        house.waiver()


def test_documents_of_the_first_version_are_read_too() -> None:
    item = {
        "id": FAILING,
        "status": "partial",
        "judge": "machine",
        "control_point": {"zh": "访问控制", "en": "access control"},
        "reason": {"zh": "部分", "en": "partly"},
    }
    document = {
        "system": "this",
        "items": [item],
        "high_risks": [{"item": FAILING, "code": "none"}],
    }
    (found,) = core.failing_of(document)
    assert (found.object_id, found.high_risk, found.status) == ("", False, "partial")
    assert core.due_of(found, 0) == 90 * DAY
    assert core.due_of(replace(found, status="noncompliant"), 0) == 30 * DAY
    assert core.system_of(document) == "this"


def verdict_of(*objects: ObjectVerdict) -> Verdict:
    """Return a verdict of the failing item over ``objects``."""
    item = next(one for one in CATALOGUES.read("gbt22239").items if one.id == FAILING)
    return Verdict(item, "compliant", "machine", Text("好", "good"), objects=objects)


def test_a_task_is_judged_by_its_own_object(house: FindingsHouse) -> None:
    task = replace(house.task(), object_id="ast_1")
    fine = ObjectVerdict("ast_1", "web1", "compliant", Text("好", "good"))
    other = ObjectVerdict("ast_2", "web2", "noncompliant", Text("坏", "bad"))
    judged = verdict_of(other, fine)
    assert core.is_checked(task, judged)
    assert core.outcome_of(task, judged, checked=True)[0] == "passed"
    assert core.outcome_of(task, judged, checked=False)[0] == "person"
    found = replace(task, by_person=True)
    assert core.outcome_of(found, judged, checked=True)[0] == "person"
    alone = verdict_of(other)
    assert not core.is_checked(task, alone)
    assert core.outcome_of(task, alone, checked=True)[0] == "undecided"
    whole = replace(task, object_id="")
    assert core.is_checked(whole, alone)
    assert core.outcome_of(whole, verdict_of(), checked=True)[0] == "passed"


def test_a_decision_may_go_without_a_reason_but_not_with_a_novel(house: FindingsHouse) -> None:
    waiver = house.waiver()
    novel = "x" * 2_001
    with pytest.raises(Invalid, match="at most 2000"):
        house.services.waivers.decide_waiver(
            APPROVER, waiver.id, waiver.digest, grant=True, reason=novel
        )
