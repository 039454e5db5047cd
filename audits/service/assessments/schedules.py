"""Assessments that are made again by themselves, with the rights of who ordered them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from audits.errors import TooManyKept
from audits.models.assessments import Schedule
from audits.models.systems import THIS_INSTANCE
from audits.ports.assessments import RolesNow, Schedules
from audits.service.assessments.assessments import AssessmentService
from secops.kernel.actors import Actor, os_actor, system_actor
from secops.kernel.clock import HOUR
from secops.kernel.errors import Invalid, SecopsError
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import ASSESS, READ_ASSESSMENTS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MOST: Final = 200
MOST_HOURS: Final = 366 * 24
_FAILED: Final = 200
_OS: Final = "os:"
_MULTI_FACTOR: Final = 2
"""The level of sign-in that ordering a schedule takes; who ordered it had it then."""


@dataclass(frozen=True, slots=True)
class ScheduleService:
    """Keeps schedules and makes what is due."""

    parts: Parts
    schedules: Schedules
    assessments: AssessmentService
    roles: RolesNow

    def schedule_assessment(
        self, actor: Actor, standard: str, level: int, hours: int, system_id: str = THIS_INSTANCE
    ) -> Schedule:
        """Have an assessment made every ``hours`` from now on.

        Raises ``ChangedMeanwhile`` where the same is scheduled, ``TooManyKept``.
        """
        self.parts.access.require(actor, ASSESS, f"assessment:{standard}")
        if not 1 <= hours <= MOST_HOURS:
            raise Invalid(f"a schedule repeats every 1 to {MOST_HOURS} hours")
        if actor.kind not in ("account", "os"):
            raise Invalid("a schedule is ordered by a person's account")
        self.assessments.means.inquiry.catalogue(standard, level)
        self.assessments.means.scopes.scope(actor, system_id)
        schedule = Schedule(
            id=self.parts.ids.new("sch"),
            org_id=actor.org_id,
            system_id=system_id,
            standard=standard,
            level=level,
            hours=hours,
            account_id=actor.id,
            person=actor.name,
            next_at=self.parts.clock.now() + hours * HOUR,
        )

        def work(tx: Transaction) -> None:
            if self.schedules.count(tx, actor.org_id) >= MOST:
                raise TooManyKept(f"an organisation has at most {MOST} schedules")
            self.schedules.add(tx, schedule)
            tx.record(_act("schedule_assessment", actor, schedule))

        self.parts.transactions.run(work)
        return schedule

    def list_schedules(self, actor: Actor, page: PageRequest) -> Page[Schedule]:
        """Return the organisation's schedules, newest first."""
        self.parts.access.require(actor, READ_ASSESSMENTS, "assessment:*")
        return self.parts.transactions.read(lambda tx: self.schedules.page(tx, actor.org_id, page))

    def cancel_schedule(self, actor: Actor, schedule_id: str) -> None:
        """End a schedule; raise ``NotFound``."""
        self.parts.access.require(actor, ASSESS, f"schedule:{schedule_id}")

        def work(tx: Transaction) -> None:
            schedule = self.schedules.get(tx, actor.org_id, schedule_id)
            self.schedules.remove(tx, schedule)
            tx.record(_act("cancel_schedule", actor, schedule))

        self.parts.transactions.run(work)

    def tick(self) -> bool:
        """Make the assessment that is due for longest; True if there was one.

        It is put off to its next time first, so that one that can't be made keeps nobody.
        """
        now = self.parts.clock.now()
        due = self.parts.transactions.read(lambda tx: self.schedules.due(tx, now))
        if due is None:
            return False
        put_off = replace(due, next_at=now + due.hours * HOUR)
        claimed = self.parts.transactions.run(lambda tx: self.schedules.change(tx, put_off))
        try:
            actor = self._actor(claimed)
            made = self.assessments.assess(
                actor, claimed.standard, claimed.level, claimed.system_id
            )
            after = replace(claimed, last_id=made.id, failed="")
        except SecopsError as error:
            after = replace(claimed, failed=f"{error.code}: {error.detail}"[:_FAILED])
        self.parts.transactions.run(lambda tx: self._settle(tx, after))
        return True

    def _settle(self, tx: Transaction, after: Schedule) -> None:
        self.schedules.change(tx, after)
        if after.failed:
            actor = system_actor("audits", after.org_id)
            act = Act("audits.assess", actor, f"schedule:{after.id}", "failed")
            tx.record(replace(act, details={"why": after.failed, "ordered_by": after.account_id}))

    def _actor(self, schedule: Schedule) -> Actor:
        """Return who ordered it, with the rights they have now; raise ``Invalid`` if none."""
        if schedule.account_id.startswith(_OS):
            return os_actor(schedule.account_id.removeprefix(_OS))
        roles = self.roles.roles_now(schedule.account_id)
        if roles is None:
            raise Invalid("the account that ordered it may not act any more")
        return Actor(
            "account",
            schedule.account_id,
            schedule.org_id,
            schedule.person,
            roles,
            level=_MULTI_FACTOR,
        )


def _act(name: str, actor: Actor, schedule: Schedule) -> Act:
    details = {
        "system": schedule.system_id,
        "standard": schedule.standard,
        "level": schedule.level,
        "hours": schedule.hours,
    }
    return Act(f"audits.{name}", actor, f"schedule:{schedule.id}", details=details)
