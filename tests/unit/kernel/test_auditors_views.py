"""What an auditor sees is recorded, and an auditor changes nothing that is judged."""

from __future__ import annotations

import pytest

from secops.bridges.auditors import ViewsRecorded
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import AuditUnavailable, Forbidden
from secops.kernel.permissions import GRANTS
from secops.kernel.permissions.audits import ASSESS, READ_ASSESSMENTS, READ_RECORDS, WRITE_RECORDS
from secops.kernel.permissions.roles import AUDITOR
from tests.fakes.access import FakeAccess
from tests.fakes.clock import FakeClock
from tests.fakes.trail import FakeTrail


def who(name: str, *roles: str) -> Actor:
    return Actor("account", name, ROOT_ORG, name, frozenset(roles), level=2)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def trail(clock: FakeClock) -> FakeTrail:
    return FakeTrail(clock)


@pytest.fixture
def access(clock: FakeClock, trail: FakeTrail) -> ViewsRecorded:
    return ViewsRecorded(FakeAccess(), trail, clock)


def views(trail: FakeTrail) -> list[tuple[str, str]]:
    return [(act.actor.id, act.target) for act in trail.acts if act.action == "audits.view"]


def test_each_object_that_an_auditor_opens_is_recorded_once_a_minute(
    access: ViewsRecorded, trail: FakeTrail, clock: FakeClock
) -> None:
    one = who("one", AUDITOR)
    for _ in range(3):
        access.require(one, READ_ASSESSMENTS, "assessment:a")
    access.require(one, READ_RECORDS, "record:b")
    access.require(who("two", AUDITOR), READ_ASSESSMENTS, "assessment:a")
    assert views(trail) == [("one", "assessment:a"), ("one", "record:b"), ("two", "assessment:a")]
    clock.advance(60)
    access.require(one, READ_ASSESSMENTS, "assessment:a")
    assert views(trail)[3:] == [("one", "assessment:a")]


def test_others_and_what_is_no_view_are_not_recorded_here(
    access: ViewsRecorded, trail: FakeTrail
) -> None:
    access.require(who("admin", "audit-admin"), READ_ASSESSMENTS, "assessment:a")
    access.require(who("one", AUDITOR), ASSESS, "assessment:a")
    with pytest.raises(Forbidden):
        access.require(who("one", AUDITOR), WRITE_RECORDS, "record:b")
    assert trail.acts == []


def test_what_can_t_be_recorded_is_not_shown(access: ViewsRecorded, trail: FakeTrail) -> None:
    trail.down = True
    for _ in range(2):
        with pytest.raises(AuditUnavailable):
            access.require(who("one", AUDITOR), READ_ASSESSMENTS, "assessment:a")
    trail.down = False
    access.require(who("one", AUDITOR), READ_ASSESSMENTS, "assessment:a")
    assert views(trail) == [("one", "assessment:a")]


DOES = {
    "audits.assessment.make": "assesses",
    "audits.assessment.enter": "judges, by name",
    "audits.report.export": "exports what was assessed",
    "audits.ledger.verify": "reads and computes",
    "audits.rectification.recheck": "runs the same check again",
    "audits.rectification.close": "judges what no check decides",
    "detectors.log.search": "reads",
    "detectors.log.trace": "reads",
    "detectors.log.export": "takes evidence out, recorded",
    "iam.own.use": "own factors and sessions",
    "iam.privilege.request": "asks; another person decides",
    "kms.seal.report": "reads and prints",
    "kms.openpgp.use": "encrypts what is exported",
    "playbooks.incident.report": "reads and prints",
    "playbooks.custody.hold": "takes evidence into custody, by both persons' word",
    "playbooks.notice.verify": "judges what was put right",
}
"""All that an auditor may do beside reading; none of it changes the state that is judged."""


def test_an_auditor_may_do_only_what_is_written_here() -> None:
    held = {each.permission for each in GRANTS if AUDITOR in each.roles}
    assert {name for name in held if not name.endswith((".read", ".read_all"))} == set(DOES)


@pytest.mark.parametrize(
    "word",
    ["create", "rotate", "destroy", "assign", "approve", "enable", "write", "manage", "import"],
)
def test_no_right_of_an_auditor_is_called_like_a_change(word: str) -> None:
    held = {each.permission for each in GRANTS if AUDITOR in each.roles}
    assert [name for name in held if name.rpartition(".")[2].startswith(word)] == []
