"""The stores of an incident's work, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from playbooks.errors import ChangedMeanwhile
from playbooks.models import AlertLink, Incident, TimelineEntry
from playbooks.models.incident_work import Member, Observable
from playbooks.models.response_times import IncidentTimes
from playbooks.store import make_stores
from playbooks.store.rows import insert_once
from playbooks.store.tables import incident_members
from secops.adapters.spine import Spine
from secops.kernel.transactions import Transaction

STORES = make_stores()
INCIDENT = Incident("inc_1", "org_a", "x", "closed", "high", "acc_1", 10, 10, closed_at=900)
LINK = AlertLink("inc_1", "alr_1", "org_a", "t", "r", "high", 100, 110, 2, "00", 40, 300)
SEEN = Observable("inc_1", "ip", "192.0.2.1", "org_a", 5, 5, "", "acc_1", 5)


def test_times_are_the_earliest_of_an_incident_and_of_what_doubles_it(spine: Spine) -> None:
    double = replace(INCIDENT, id="inc_2", ending="duplicate", duplicate_of="inc_1")
    still = replace(INCIDENT, id="inc_3", state="triage", closed_at=None)
    earlier = replace(
        LINK, incident_id="inc_2", alert_id="alr_2", created_at=90, acknowledged_at=None
    )

    def work(tx: Transaction) -> tuple[object, object, object]:
        for incident in (INCIDENT, double, still, replace(INCIDENT, id="inc_4", drill=True)):
            STORES.incidents.add(tx, incident)
        for link in (LINK, earlier):
            STORES.incidents.link(tx, link)
        return (
            STORES.times.closed(tx, "org_a", 0, 901),
            STORES.times.closed(tx, "org_a", 0, 900),
            STORES.times.open(tx, "org_a"),
        )

    closed, none, opened = spine.parts.transactions.run(work)
    assert closed == [IncidentTimes("inc_1", 900, 10, 90, 40, 300, None)]
    assert none == []
    assert opened == [IncidentTimes("inc_3", None, 10, None, None, None, None)]


def test_an_observable_is_widened_and_leads_to_other_incidents(spine: Spine) -> None:
    def work(tx: Transaction) -> tuple[object, ...]:
        for key in ("inc_1", "inc_2"):
            STORES.incidents.add(tx, replace(INCIDENT, id=key))
        store = STORES.observables
        first = store.see(tx, SEEN)
        again = store.see(tx, replace(SEEN, first_seen=3, last_seen=4))
        store.see(tx, replace(SEEN, incident_id="inc_2"))
        (kept,) = store.of(tx, "org_a", "inc_1")
        (other,) = store.sightings(tx, "org_a", "inc_1")
        both = store.find(tx, "org_a", "ip", "192.0.2.1")
        strange = store.find(tx, "org_b", "ip", "192.0.2.1")
        return (
            first,
            again,
            (kept.first_seen, kept.last_seen),
            other.incident_id,
            len(both),
            strange,
        )

    assert spine.parts.transactions.run(work) == (True, False, (3, 5), "inc_2", 2, [])


def test_a_member_is_one_row_and_the_first_human_deed_stays(spine: Spine) -> None:
    member = Member("inc_1", "acc_1", "org_a", "wang", "lead", "acc_1", 1)

    def work(tx: Transaction) -> tuple[object, object]:
        STORES.incidents.add(tx, INCIDENT)
        for role in ("lead", "observer"):
            STORES.work.set_member(tx, replace(member, role=role))
        for who in ("acc_1", "acc_2"):
            STORES.timelines.acknowledge(tx, ("org_a", "inc_1"), who)
        changed = replace(INCIDENT, version=2)
        STORES.incidents.change(tx, changed)
        entry = TimelineEntry("inc_1", 0, "org_a", 5, "acc_1", "note", "行")
        STORES.timelines.append(tx, entry)
        (kept,) = STORES.work.members(tx, "org_a", "inc_1")
        return kept.role, STORES.incidents.get(tx, "org_a", "inc_1").acknowledged_by

    assert spine.parts.transactions.run(work) == ("observer", "acc_1")
    with pytest.raises(ChangedMeanwhile):
        spine.parts.transactions.run(lambda tx: insert_once(tx, incident_members, asdict(member)))
