"""Channels, messages, drills and calls: the same over SQLite and PostgreSQL, also in a race."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from playbooks.errors import ChangedMeanwhile, ChannelUnknown
from playbooks.errors.drills import DrillUnknown
from playbooks.errors.notifications import ChannelNameTaken, MessageUnknown
from playbooks.models.drills import Drill, DrillAlert, DrillNote, DrillPlan
from playbooks.models.duty import Escalation, Shift
from playbooks.models.notifications import Outgoing, StoredChannel
from playbooks.store import make_stores
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest, decode_cursor

STORES = make_stores()
CHANNEL = StoredChannel(
    id="chn_1",
    org_id="org_a",
    name="soc",
    kind="generic",
    sealed=b"\x00\xffsealed",
    hint="hook.example",
    language="zh",
    enabled=True,
    changed_by="acc_1",
    changed_at=5,
)
MESSAGE = Outgoing(
    id="out_1",
    org_id="org_a",
    channel_id="chn_1",
    key="k1",
    event="alert",
    subject="alert:1",
    title="t",
    text="x",
    link="",
    urgent=False,
    drill=False,
    state="queued",
    tries=0,
    next_at=10,
    created_at=10,
)
PLAN = DrillPlan("t", "s", (DrillAlert("a", "high"),))
DRILL = Drill("drl_1", "org_a", PLAN, "00", "planned", "acc_1", 5, approval_id="apr_1")


def run(spine: Spine, work: Callable[[Any], Any]) -> Any:
    return spine.parts.transactions.run(work)


def test_a_channel_comes_back_with_its_sealed_bytes_and_changes_once(spine: Spine) -> None:
    store = STORES.notifications.channels
    run(spine, lambda tx: store.add(tx, CHANNEL))
    assert run(spine, lambda tx: store.get(tx, "org_a", "chn_1")) == CHANNEL
    with pytest.raises(ChannelNameTaken):
        run(spine, lambda tx: store.add(tx, replace(CHANNEL, id="chn_2")))
    with pytest.raises(ChannelUnknown):
        run(spine, lambda tx: store.get(tx, "org_b", "chn_1"))
    changed = replace(CHANNEL, name="other", enabled=False, version=CHANNEL.version + 1)
    run(spine, lambda tx: store.change(tx, changed, CHANNEL.version))
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.change(tx, changed, CHANNEL.version))
    run(spine, lambda tx: store.note_sent(tx, "org_a", "chn_1", [1, 2]))
    run(spine, lambda tx: store.note_sent(tx, "org_a", "chn_1", [2, 3]))
    assert run(spine, lambda tx: store.sent(tx, "chn_1")) == [2, 3]


def test_a_message_is_stored_once_for_its_key_and_claimed_by_one(spine: Spine) -> None:
    store = STORES.notifications.outgoing
    assert run(spine, lambda tx: store.add(tx, MESSAGE))
    assert not run(spine, lambda tx: store.add(tx, replace(MESSAGE, id="out_2")))
    urgent = replace(MESSAGE, id="out_3", key="k3", urgent=True, created_at=11)
    run(spine, lambda tx: store.add(tx, urgent))
    assert run(spine, lambda tx: store.due(tx, 10, 9)) == [urgent, MESSAGE]
    begun = replace(MESSAGE, state="sending", tries=1, next_at=50)

    def claim(number: int) -> bool:
        del number
        return bool(run(spine, lambda tx: store.move(tx, begun, "queued", 0)))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, range(8))) == 1
    assert run(spine, lambda tx: store.lost(tx, 49, 9)) == []
    assert run(spine, lambda tx: store.lost(tx, 50, 9)) == [begun]
    assert run(spine, lambda tx: store.waiting(tx, "org_a")) == 2
    with pytest.raises(MessageUnknown):
        run(spine, lambda tx: store.get(tx, "org_b", "out_1"))
    page = run(spine, lambda tx: store.list(tx, "org_a", (), PageRequest(1)))
    rest = PageRequest(1, decode_cursor(page.next))
    left = run(spine, lambda tx: store.list(tx, "org_a", (), rest))
    assert [one.id for one in (*page.items, *left.items)] == ["out_3", "out_1"]


def test_a_channel_that_rests_holds_what_is_queued_for_it_alone(spine: Spine) -> None:
    store = STORES.notifications.outgoing
    other = replace(MESSAGE, id="out_2", key="k2", channel_id="chn_2")
    later = replace(MESSAGE, id="out_3", key="k3", next_at=90)
    tried = replace(MESSAGE, id="out_4", key="k4", state="sending")
    for one in (MESSAGE, other, later, tried):
        run(spine, lambda tx, one=one: store.add(tx, one))
    run(spine, lambda tx: store.hold(tx, "chn_1", 40))
    assert run(spine, lambda tx: store.due(tx, 39, 9)) == [other]
    assert [one.id for one in run(spine, lambda tx: store.due(tx, 40, 9))] == ["out_2", "out_1"]
    assert run(spine, lambda tx: store.get(tx, "org_a", "out_3")) == later
    assert run(spine, lambda tx: store.get(tx, "org_a", "out_4")) == tried


def test_a_drill_changes_once_and_its_record_keeps_its_order(spine: Spine) -> None:
    store = STORES.drills
    run(spine, lambda tx: store.add(tx, DRILL))
    assert run(spine, lambda tx: store.get(tx, "org_a", "drl_1")) == DRILL
    with pytest.raises(DrillUnknown):
        run(spine, lambda tx: store.get(tx, "org_b", "drl_1"))
    approved = replace(DRILL, state="approved", version=DRILL.version + 1)
    run(spine, lambda tx: store.change(tx, approved))
    with pytest.raises(ChangedMeanwhile):
        run(spine, lambda tx: store.change(tx, approved))
    for text in ("one", "two"):
        note = DrillNote("drl_1", 0, "org_a", 6, "acc_1", "note", text, "")
        run(spine, lambda tx, note=note: store.note(tx, note))
    kept = run(spine, lambda tx: store.notes(tx, "drl_1"))
    assert [(one.seq, one.text) for one in kept] == [(1, "one"), (2, "two")]


def test_a_call_is_opened_once_and_taken_by_one(spine: Spine) -> None:
    store, shifts = STORES.duty.escalations, STORES.duty.shifts
    call = Escalation(
        id="esc_1",
        org_id="org_a",
        roster_id="ros_1",
        key="k",
        event="alert",
        subject="alert:1",
        title="t",
        severity="high",
        link="",
        drill=False,
        step=0,
        next_at=10,
        state="open",
        created_at=10,
    )
    assert run(spine, lambda tx: store.open(tx, call))
    assert not run(spine, lambda tx: store.open(tx, replace(call, id="esc_2")))
    assert run(spine, lambda tx: store.due(tx, 10, 9)) == [call]
    further = replace(call, step=1, next_at=20)
    assert run(spine, lambda tx: store.advance(tx, further, 0))
    assert not run(spine, lambda tx: store.advance(tx, further, 0))
    assert not run(spine, lambda tx: store.acknowledge(tx, "org_b", "esc_1", "acc_9"))
    assert run(spine, lambda tx: store.acknowledge(tx, "org_a", "esc_1", "acc_1"))
    assert not run(spine, lambda tx: store.acknowledge(tx, "org_a", "esc_1", "acc_2"))
    assert not run(spine, lambda tx: store.advance(tx, replace(further, step=2), 1))
    shift = Shift("sft_1", "org_a", "ros_1", 10, 20, "acc_1", "", "acc_1", 5)
    run(spine, lambda tx: shifts.add(tx, shift))
    assert run(spine, lambda tx: shifts.between(tx, "ros_1", (20, 30))) == []
    assert run(spine, lambda tx: shifts.between(tx, "ros_1", (19, 30))) == [shift]
