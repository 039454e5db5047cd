"""The stores of incidents and runs, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playbooks.errors import (
    AlertLinked,
    ChangedMeanwhile,
    IncidentNotFound,
    PlaybookNotFound,
    RunNotFound,
)
from playbooks.models import (
    AlertLink,
    Incident,
    JournalEntry,
    Notification,
    Plan,
    PlannedStep,
    Run,
    StoredPlaybook,
    TargetState,
    TimelineEntry,
)
from playbooks.ports import IncidentFilter
from playbooks.store import make_stores
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest, decode_cursor

STORES = make_stores()
INCIDENT = Incident(
    id="inc_1",
    org_id="org_a",
    title="暴力破解",
    state="triage",
    severity="high",
    opened_by="acc_1",
    opened_at=1,
    discovered_at=1,
    subjects={"account": "张三"},
)
STEP = PlannedStep(
    path="action--1",
    name="锁定",
    kind="action",
    action="account.lock",
    args={"account": "a"},
    targets=(TargetState("account:a", "a", "active", "active", "locked"),),
    timeout_ms=1,
    on_success="end:done",
    on_failure="end:failed",
)
PLAN = Plan(
    playbook_id="p",
    playbook_modified="m",
    content_hash="c",
    incident_id="inc_1",
    requester_id="acc_1",
    given={},
    variables={"__a__": "b"},
    first="action--1",
    steps=(STEP,),
    needs_approval=True,
    expires_s=60,
)
RUN = Run("run_1", "org_a", "inc_1", PLAN, "running", "acc_1", 1, 100, fence=3)
ENTRY = JournalEntry("run_1", 1, "org_a", 1, "action--1", 0, "account:a", "k", 1, "intent")
LINK = AlertLink("inc_1", "alr_1", "org_a", "t", "r", "high", 1, 1, 2, "00")


def run(spine: Spine, work: object) -> object:
    return spine.parts.transactions.run(work)  # type: ignore[arg-type]


def test_incidents_come_back_as_they_were_and_only_to_their_organisation(spine: Spine) -> None:
    store = STORES.incidents
    run(spine, lambda tx: store.add(tx, INCIDENT))
    assert run(spine, lambda tx: store.get(tx, "org_a", "inc_1")) == INCIDENT
    with pytest.raises(IncidentNotFound):
        run(spine, lambda tx: store.get(tx, "org_b", "inc_1"))
    changed = replace(INCIDENT, state="confirmed", version=2)
    run(spine, lambda tx: store.change(tx, changed))
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.change(tx, changed))
    assert run(spine, lambda tx: store.clocked(tx, 0)) == [changed]


def test_incidents_page_by_time_and_id(spine: Spine) -> None:
    store = STORES.incidents
    made = [replace(INCIDENT, id=f"inc_{n}", opened_at=n // 2) for n in range(6)]
    for incident in made:
        run(spine, lambda tx, one=incident: store.add(tx, one))
    page = PageRequest(2)
    seen: list[str] = []
    while True:
        found = run(spine, lambda tx, p=page: store.list(tx, IncidentFilter("org_a"), p))
        seen += [one.id for one in found.items]  # type: ignore[attr-defined]
        if found.next is None:  # type: ignore[attr-defined]
            break
        page = PageRequest(2, decode_cursor(found.next))  # type: ignore[attr-defined]
    assert seen == [one.id for one in reversed(made)]
    wanted = IncidentFilter("org_a", "closed")
    assert run(spine, lambda tx: store.list(tx, wanted, page)).items == []  # type: ignore[attr-defined]


def test_an_alert_is_tied_once_and_the_timeline_counts_up(spine: Spine) -> None:
    store = STORES.incidents
    run(spine, lambda tx: store.link(tx, LINK))
    with pytest.raises(AlertLinked):
        run(spine, lambda tx: store.link(tx, replace(LINK, incident_id="inc_2")))
    run(spine, lambda tx: store.link(tx, replace(LINK, org_id="org_b")))
    assert run(spine, lambda tx: store.links(tx, "org_a", "inc_1")) == [LINK]
    assert run(spine, lambda tx: store.incident_of(tx, "org_a", "alr_2")) is None
    entry = TimelineEntry("inc_1", 0, "org_a", 5, "acc_1", "note", "行", {"a": 1})
    for _ in range(2):
        run(spine, lambda tx: STORES.timelines.append(tx, entry))
    lines = run(spine, lambda tx: STORES.timelines.of(tx, "org_a", "inc_1"))
    assert lines == [replace(entry, seq=1), replace(entry, seq=2)]


def test_a_race_for_an_alert_is_lost_by_the_key(spine: Spine) -> None:
    store = STORES.incidents
    run(spine, lambda tx: store.link(tx, LINK))
    blind = type(store)()
    blind.incident_of = lambda tx, org_id, alert_id: None  # type: ignore[attr-defined, method-assign]
    with pytest.raises(AlertLinked):
        run(spine, lambda tx: blind.link(tx, replace(LINK, incident_id="inc_2")))


def test_runs_keep_plan_and_journal_and_a_late_runner_writes_nothing(spine: Spine) -> None:
    store = STORES.runs
    run(spine, lambda tx: store.add(tx, RUN))
    assert run(spine, lambda tx: store.get(tx, "org_a", "run_1")) == RUN
    assert run(spine, lambda tx: store.get(tx, None, "run_1")) == RUN
    with pytest.raises(RunNotFound):
        run(spine, lambda tx: store.get(tx, "org_b", "run_1"))
    run(spine, lambda tx: store.append(tx, ENTRY, fence=3))
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.append(tx, ENTRY, fence=3))
    second = replace(ENTRY, seq=2, kind="outcome", state="done", details={"revoked": 2})
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.append(tx, second, fence=2))
    run(spine, lambda tx: store.append(tx, second, fence=3))
    assert run(spine, lambda tx: store.journal(tx, "run_1")) == [ENTRY, second]


def test_a_run_that_is_not_running_begins_nothing_but_tells_what_was_in_flight(
    spine: Spine,
) -> None:
    store = STORES.runs
    run(spine, lambda tx: store.add(tx, RUN))
    cancelled = replace(RUN, state="cancelled")
    run(spine, lambda tx: store.change(tx, cancelled, was=RUN))
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.change(tx, cancelled, was=RUN))
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.append(tx, ENTRY, fence=3))
    outcome = replace(ENTRY, kind="outcome", state="done")
    run(spine, lambda tx: store.append(tx, outcome, fence=3))
    assert run(spine, lambda tx: store.due(tx, 10**18, 10)) == []
    found = run(spine, lambda tx: store.list(tx, "org_a", "inc_1", PageRequest(5)))
    assert [one.state for one in found.items] == ["cancelled"]  # type: ignore[attr-defined]


def test_a_notification_is_kept_once_by_its_key(spine: Spine) -> None:
    store = STORES.runs
    sent = Notification("ntf_1", "org_a", "inc_1", "inbox", "inbox", "t", "x", "key", 1)
    assert run(spine, lambda tx: store.notify(tx, sent)) is True
    assert run(spine, lambda tx: store.notify(tx, replace(sent, id="ntf_2"))) is False
    found = run(spine, lambda tx: store.notifications(tx, "org_a", PageRequest(5)))
    assert found.items == [sent]  # type: ignore[attr-defined]


def test_playbooks_are_listed_approved_once_and_found_by_id(spine: Spine) -> None:
    store = STORES.playbooks
    made = [
        StoredPlaybook(
            str(n),
            "org_a",
            "playbook--1",
            f"2026-0{n}",
            f"n{n}",
            "{}",
            "draft",
            "unsigned",
            "acc_1",
            n,
        )
        for n in (1, 2, 3)
    ]
    for playbook in made:
        run(spine, lambda tx, one=playbook: store.add(tx, one))
    assert run(spine, lambda tx: store.newest(tx, "org_a", "playbook--1")) is None
    for draft in made[:2]:
        signed = replace(draft, state="approved", signatures=({"id": "jss--1", "n": 1},))
        run(spine, lambda tx, one=draft, now=signed: store.change(tx, now, was=one))
        with pytest.raises(ChangedMeanwhile):
            run(spine, lambda tx, one=draft, now=signed: store.change(tx, now, was=one))
        assert run(spine, lambda tx, k=draft: store.get(tx, "org_a", k.content_hash)) == signed
    newest = run(spine, lambda tx: store.newest(tx, "org_a", "playbook--1"))
    assert newest.content_hash == "2"  # type: ignore[attr-defined]
    assert run(spine, lambda tx: store.count(tx, "org_a")) == 3
    page = run(spine, lambda tx: store.list(tx, "org_a", PageRequest(2)))
    rest = PageRequest(2, decode_cursor(page.next))  # type: ignore[attr-defined]
    left = run(spine, lambda tx: store.list(tx, "org_a", rest))
    assert [one.name for one in left.items] == ["n3"]  # type: ignore[attr-defined]
    with pytest.raises(PlaybookNotFound):
        run(spine, lambda tx: store.get(tx, "org_b", "1"))
