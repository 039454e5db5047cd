"""The playbooks plane over a real SQLite home and faked neighbours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playbooks.adapters.calendars import HomeCalendars
from playbooks.adapters.packaged import PackagedLibrary
from playbooks.adapters.printing import DocxReports, TypstReports
from playbooks.models import PlaybooksOptions
from playbooks.ports import PlaybooksPorts
from playbooks.service import PlaybooksServices, Surroundings, make_services
from playbooks.store import make_notice_tools, make_stores
from secops.adapters.journal.reader import JournalReader
from secops.adapters.spine import Spine, journal_folder
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.parts import Parts
from tests.fakes.access import FakeAccess
from tests.fakes.alert_summaries import FakeAlerts, alert
from tests.fakes.clock import FakeClock
from tests.fakes.containment import FakeContainment
from tests.fakes.custody_signer import FakeCustodySigner
from tests.fakes.drills import FakeDrillDoor
from tests.fakes.found_logs import FakeLogs
from tests.fakes.identity_keys import FakeSecretBox
from tests.fakes.mailer import FakeMailer
from tests.fakes.notice_office import FakeNoticeOffice
from tests.fakes.outbound import FakeOutbound
from tests.fakes.parts import database_spine
from tests.fakes.persons import FakePersons
from tests.fakes.playbook_signatures import FakePlaybookSignatures


def person(name: str, role: str, org_id: str = ROOT_ORG) -> Actor:
    """Return somebody with one role."""
    return Actor(
        kind="account", id=f"acc_{name}", org_id=org_id, name=name, roles=frozenset({role})
    )


ANALYST = person("wang", "analyst")
APPROVER = person("zhao", "security-admin")
AUDITOR = person("qian", "auditor")
ACTORS = {"analyst": ANALYST, "security-admin": APPROVER, "auditor": AUDITOR}
"""By the names that commands act as."""


@dataclass
class House:
    """One opened home."""

    services: PlaybooksServices
    surroundings: Surroundings
    spine: Spine
    clock: FakeClock
    access: FakeAccess
    containment: FakeContainment
    outbound: FakeOutbound
    alerts: FakeAlerts
    persons: FakePersons
    signatures: FakePlaybookSignatures
    mailer: FakeMailer

    def acts(self, *, outcome: str | None = None) -> list[str]:
        """Return the actions of the ledger's leaves, in order."""
        return [leaf["action"] for leaf in self.leaves() if outcome in (None, leaf["outcome"])]

    def refused(self) -> list[str]:
        """Return the actions of refusals, in order: they stand in the journal at once."""
        reader = JournalReader(journal_folder(self.spine.parts.home))
        found = [reader.read(process, 0).records for process in reader.processes()]
        records = [json.loads(record) for part in found for record in part]
        return [record["action"] for record in records if record["outcome"] == "refused"]

    def leaves(self) -> list[dict[str, Any]]:
        """Return what waits for the sequencer, decoded."""
        import orjson  # noqa: PLC0415 - only here
        from sqlalchemy import select  # noqa: PLC0415

        from secops.adapters.database.tables import ledger_door  # noqa: PLC0415

        rows = self.spine.parts.transactions.read(
            lambda tx: tx.execute(select(ledger_door.c.record).order_by(ledger_door.c.id)).all()
        )
        return [orjson.loads(row.record) for row in rows]


@dataclass
class OpenedHouse:
    """A home as the command line opens it; accounts are called as ``actors`` says."""

    home: House
    actors: Mapping[str, Actor] = field(default_factory=lambda: ACTORS)

    @property
    def parts(self) -> Parts:
        """The spine's."""
        return self.home.spine.parts

    @property
    def services(self) -> Sequence[object]:
        """The plane's."""
        return (self.home.services,)

    def act_as(self, account: str | None) -> Actor:
        """Return the actor called ``account``, the analyst for none."""
        return self.actors[account or "analyst"]

    def close(self) -> None:
        """Leave the home to whoever opened it."""


@contextmanager
def house(
    home: Path,
    *,
    options: PlaybooksOptions | None = None,
    clock: FakeClock | None = None,
    owner: str = "runner-1",
    file: Path | None = None,
    signatures: FakePlaybookSignatures | None = None,
    signed_only: bool = False,
) -> Iterator[House]:
    """Open the plane in ``home``; ``file`` keeps the faked accounts across processes.

    Unless ``signed_only``, drafts run once their plan is approved: tests of runs write their own.
    """
    options = options or PlaybooksOptions()
    if not signed_only:
        options = replace(options, unsigned_playbooks="with_approval")
    clock, access = clock or FakeClock(), FakeAccess()
    containment = FakeContainment(file)
    outbound = FakeOutbound(file=file.with_suffix(".posts") if file else None)
    alerts = FakeAlerts(alert(), alert("alr_2", title="第二条"))
    signatures = signatures or FakePlaybookSignatures()
    persons = FakePersons()
    mailer = FakeMailer()
    spine = database_spine(home, clock=clock, access=access, persons=persons)
    library, office = PackagedLibrary(), FakeNoticeOffice()
    surroundings = Surroundings(
        parts=spine.parts,
        ports=PlaybooksPorts(
            alerts,
            containment,
            FakeLogs(),
            outbound,
            signatures=signatures,
            custody=FakeCustodySigner(),
            notices=office.ports,
            mailer=mailer,
            drills=FakeDrillDoor(clock, alerts),
            secret_box=FakeSecretBox(),
        ),
        stores=make_stores(),
        library=library,
        options=options,
        printers={"docx": DocxReports(), "pdf": TypstReports()},
        notices=make_notice_tools(office, HomeCalendars(library, home)),
    )
    services = make_services(surroundings, owner)
    try:
        yield House(
            services,
            surroundings,
            spine,
            clock,
            access,
            containment,
            outbound,
            alerts,
            persons,
            signatures,
            mailer,
        )
    finally:
        spine.close()
