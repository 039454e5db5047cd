"""Delivery: at least once, in order, nothing skipped, one subscription's trouble its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from secops.adapters.database.outbox import BATCH, KEEP, Outbox, Trouble
from secops.adapters.database.tables import outbox_events
from secops.adapters.spine import Spine
from secops.kernel.clock import SECOND
from secops.kernel.events import AlertRaised, Announcement, Delivery, SealUsed, Subscription
from tests.fakes.clock import FakeClock


def announce(spine: Spine, *announcements: Announcement) -> None:
    def work(tx: object) -> None:
        for announcement in announcements:
            tx.announce(announcement)  # type: ignore[attr-defined]

    spine.transactions.run(work)


def stored(spine: Spine) -> int:
    count = select(func.count()).select_from(outbox_events)
    return int(spine.transactions.read(lambda tx: tx.execute(count).scalar_one()))


def seal(number: int) -> SealUsed:
    return SealUsed("org_1", f"seal_{number}", "00")


def subscription(
    heard: list[Announcement], name: str = "test", kind: type[Announcement] = SealUsed
) -> Subscription:
    return Subscription(name, kind, lambda delivery: heard.append(delivery.announcement))


def failing(heard: list[int], fails: Callable[[Delivery], bool]) -> Subscription:
    def handle(delivery: Delivery) -> None:
        if fails(delivery):
            raise ZeroDivisionError
        heard.append(delivery.id)

    return Subscription("failing", SealUsed, handle)


def test_each_event_arrives_once_in_order(spine: Spine) -> None:
    heard: list[Announcement] = []
    outbox = spine.outbox([subscription(heard)])
    announce(spine, seal(1), AlertRaised("org_1", "a", "r", "high", {"account": "x"}), seal(2))
    assert outbox.tick() is False
    assert outbox.tick() is False
    assert heard == [seal(1), seal(2)]


def test_an_alert_arrives_as_it_was_announced(spine: Spine) -> None:
    heard: list[Announcement] = []
    outbox = spine.outbox([subscription(heard, kind=AlertRaised)])
    alert = AlertRaised("org_1", "alert_1", "rule_1", "high", {"account": "acc_1"})
    announce(spine, alert)
    outbox.tick()
    assert heard == [alert]


def test_what_is_rolled_back_is_never_told(spine: Spine) -> None:
    heard: list[Announcement] = []

    def work(tx: object) -> None:
        tx.announce(seal(1))  # type: ignore[attr-defined]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spine.transactions.run(work)
    spine.outbox([subscription(heard)]).tick()
    assert heard == []


def test_more_than_a_batch_is_told_in_further_ticks(spine: Spine) -> None:
    heard: list[Announcement] = []
    outbox = spine.outbox([subscription(heard)])
    announce(spine, *(seal(number) for number in range(BATCH + 5)))
    assert outbox.tick() is True
    assert outbox.tick() is False
    assert heard == [seal(number) for number in range(BATCH + 5)]


def test_a_restart_goes_on_where_it_was(spine: Spine) -> None:
    first: list[Announcement] = []
    second: list[Announcement] = []
    announce(spine, seal(1))
    spine.outbox([subscription(first)]).tick()
    announce(spine, seal(2))
    spine.outbox([subscription(second)]).tick()
    assert (first, second) == ([seal(1)], [seal(2)])


def test_a_failing_handler_is_tried_again_later_and_holds_up_nobody_else(
    spine: Spine, clock: FakeClock
) -> None:
    heard_failing: list[int] = []
    heard: list[Announcement] = []
    tries: list[int] = []

    def fails(delivery: Delivery) -> bool:
        tries.append(delivery.id)
        return len(tries) < 4

    outbox = spine.outbox([failing(heard_failing, fails), subscription(heard)])
    announce(spine, seal(1), seal(2))
    outbox.tick()
    assert heard == [seal(1), seal(2)]
    assert outbox.troubles() == [Trouble("failing", 1, "ZeroDivisionError")]
    outbox.tick()
    assert tries == [1]
    for pause in (2, 4, 8):
        clock.advance(pause)
        outbox.tick()
    assert (tries, heard_failing) == ([1, 1, 1, 1, 2], [1, 2])
    assert outbox.troubles() == []


def test_what_came_before_a_failing_event_is_not_told_again(spine: Spine, clock: FakeClock) -> None:
    heard: list[int] = []
    outbox = spine.outbox([failing(heard, lambda delivery: delivery.id == 2 and len(heard) < 2)])
    announce(spine, seal(1), seal(2))
    outbox.tick()
    clock.advance(400)
    outbox.tick()
    assert heard == [1]
    assert outbox.troubles() == [Trouble("failing", 2, "ZeroDivisionError")]


def test_the_longest_pause_is_five_minutes(spine: Spine, clock: FakeClock) -> None:
    tries: list[int] = []
    outbox = spine.outbox([failing([], lambda delivery: tries.append(delivery.id) is None)])
    announce(spine, seal(1))
    for _ in range(30):
        outbox.tick()
        clock.advance(300)
    assert len(tries) == 30


def test_old_events_go_when_everybody_has_had_them(spine: Spine, clock: FakeClock) -> None:
    heard: list[Announcement] = []
    outbox = spine.outbox([subscription(heard)])
    announce(spine, seal(1), AlertRaised("org_1", "a", "r", "low", {}))
    clock.advance(KEEP / SECOND + 1)
    announce(spine, seal(2))
    assert stored(spine) == 3
    assert outbox.prune() == 1  # the alert, to which nobody listens
    outbox.tick()  # tells both seals, then drops the old one
    assert outbox.prune() == 0
    announce(spine, seal(3))
    outbox.tick()
    assert heard == [seal(1), seal(2), seal(3)]
    assert stored(spine) == 2


def test_the_tick_prunes_by_itself_once_an_hour(spine: Spine, clock: FakeClock) -> None:
    outbox = spine.outbox([])
    announce(spine, seal(1))
    clock.advance(KEEP / SECOND + 1)
    outbox.tick()
    assert outbox.prune() == 0


def test_two_subscriptions_of_one_name_are_refused(spine: Spine) -> None:
    with pytest.raises(ValueError, match="one name"):
        Outbox(spine.transactions, FakeClock(), [subscription([]), subscription([])])


def test_the_job_is_the_schedulers(spine: Spine) -> None:
    job = spine.outbox([]).job
    assert (job.name, job.tick()) == ("outbox", False)
