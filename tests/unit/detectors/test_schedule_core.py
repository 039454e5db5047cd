"""Folding alerts, what a batch shows of a rule's sources, and forecasts: pure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.alert_grouping import (
    WINDOW,
    entity_of,
    fold_alerts,
    grown,
    growth_of,
    window_of,
)
from detectors.core.detection import detectors_of
from detectors.core.engine.tables import batch_of
from detectors.core.forecast import volume
from detectors.core.sightings import Watch, kinds_of, missing_fields, needs_of
from detectors.models.alerts import Alert, Reason
from detectors.models.rules import Logsource, RuleFile
from detectors.models.schedule import Feed, RuleReport, Span
from detectors.service.rules.rule_files import compile_rules, logsource_table
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND
from secops.kernel.logs import LogEvent
from tests.fakes.clock import START

ALERT = Alert(
    id="alr_1",
    org_id="org_root",
    kind="rule",
    rule_id="rule",
    rule_version="v1",
    title="title",
    severity="high",
    raised_at=START,
    first_at=START,
    last_at=START,
    group=(),
    subjects={"user.name": "ann", "source.ip": "203.0.113.7"},
    reasons=(Reason("a", "b", "c"),),
    event_ids=("e0",),
    event_count=1,
)


def one(number: int, at: int = START, **other: object) -> Alert:
    changes: dict[str, object] = {"id": f"alr_{number}", "event_ids": (f"e{number}",)}
    return replace(ALERT, first_at=at, last_at=at, **{**changes, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "window"),
    [("30m", 30 * MINUTE), ("0", 0), ("2h", 2 * HOUR), ("1d", DAY), ("9s", 9 * SECOND)],
)
def test_a_rule_may_say_its_grouping_window(text: str, window: int) -> None:
    assert window_of({"grouping_window": text}) == window


@pytest.mark.parametrize("custom", [{}, {"grouping_window": "soon"}])
def test_without_a_readable_window_it_is_an_hour(custom: dict[str, str]) -> None:
    assert window_of(custom) == WINDOW == HOUR


def test_without_grouping_every_event_is_an_alert_of_its_own() -> None:
    alone = [one(n, custom={"grouping_window": "0"}) for n in range(2)]
    assert [fold.id for fold in fold_alerts(alone)] == ["alr_0", "alr_1"]


def test_an_entity_is_named_in_one_order() -> None:
    assert entity_of(ALERT.subjects) == ("user.name=ann", "source.ip=203.0.113.7")
    assert entity_of({}) == ()


@given(st.lists(st.integers(0, 3 * HOUR), min_size=1, max_size=30), st.randoms())
def test_what_is_folded_does_not_depend_on_order_or_portions(
    times: list[int], order: object
) -> None:
    alerts = [one(number, START + at) for number, at in enumerate(times)]
    whole = _stored([alerts])
    order.shuffle(alerts)  # type: ignore[attr-defined]
    middle = len(alerts) // 2
    assert _stored([alerts[:middle], alerts[middle:]]) == whole


def _stored(portions: list[list[Alert]]) -> dict[str, tuple[object, ...]]:
    kept: dict[str, Alert] = {}
    events: dict[str, list[tuple[int, str]]] = {}
    for portion in portions:
        for fold in fold_alerts(portion):
            mine = events.setdefault(fold.id, [])
            mine.extend((alert.first_at, alert.event_ids[0]) for alert in fold.alerts)
            ids = [identifier for _, identifier in sorted(mine)]
            kept[fold.id] = grown(growth_of(fold), kept.get(fold.id), ids)
    return {
        key: (a.first_at, a.last_at, a.event_count, a.event_ids, a.group) for key, a in kept.items()
    }


def test_an_earlier_event_gives_its_reasons_and_a_later_one_opens_again() -> None:
    (late,) = fold_alerts([one(2, START + 2 * MINUTE)])
    closed = replace(
        grown(growth_of(late), None, ["e2"]),
        status="closed",
        closed_at=START + 3 * MINUTE,
        closed_by="acc",
    )
    early = fold_alerts([one(1, START + MINUTE, reasons=(Reason("x", "y", "z"),))])[0]
    older = grown(growth_of(early), closed, ["e1", "e2"])
    assert (older.status, older.reasons) == ("closed", (Reason("x", "y", "z"),))
    again = grown(
        growth_of(fold_alerts([one(3, START + 9 * MINUTE)])[0]), older, ["e1", "e2", "e3"]
    )
    assert (again.status, again.closed_at, again.closed_by) == ("open", None, None)
    assert again.reasons == older.reasons


RULE = """
title: T
id: 00000000-0000-0000-0000-0000000000aa
status: stable
level: low
logsource: {product: linux, service: sshd}
detection:
  selection: {user.name: root, never.seen: x}
  condition: selection
"""


def event(number: int, **fields: str) -> LogEvent:
    raw = f"{number}".encode()
    return LogEvent(f"{number:064x}", "src", START, START, fields, raw)


def test_a_watch_names_feeds_and_fields_of_the_rules_own_events_only() -> None:
    detectors, _ = detectors_of(compile_rules([RuleFile("r.yml", RULE.encode())]))
    table = logsource_table()[0]
    watch = Watch(detectors, table)
    (kind,) = kinds_of(Logsource("linux", None, "sshd"), table)
    sshd = {"event.dataset": "linux.sshd", "process.name": "sshd", "event.module": "sshd"}
    batch = batch_of([event(1, **sshd, **{"user.name": "ann"}), event(2, other="x")])
    sight = watch.look(batch, {})
    assert sight.feeds == (Feed(kind.name, "src", 1, 2),)
    assert sight.fields == {kind.name: frozenset({"user.name"})}
    again = watch.look(batch, {kind.name: frozenset({"user.name"})})
    assert again.fields == {}
    assert watch.look(batch_of([event(3, **{"never.seen": "x"})]), {}).feeds == ()


def test_a_field_is_missing_only_where_there_were_events() -> None:
    rules = compile_rules([RuleFile("r.yml", RULE.encode())])
    needs = needs_of(rules.rules[0], logsource_table()[0])
    name = needs[0].kind.name
    assert missing_fields(needs, {}, {}) == frozenset()
    seen = {name: frozenset({"user.name"})}
    assert missing_fields(needs, {name: 5}, seen) == {"never.seen"}


def test_process_creation_is_looked_for_in_each_kind_of_event() -> None:
    kinds = kinds_of(Logsource("windows", "process_creation"), logsource_table()[0])
    assert len(kinds) > 1
    assert len({kind.name for kind in kinds}) == len(kinds)


def test_a_volume_has_an_interval_even_where_nothing_came() -> None:
    quiet = volume([], START, START + 3 * DAY)
    assert (quiet.mean, quiet.low, quiet.high) == (0.0, 0.0, 1.0)
    steady = volume([START + n * HOUR for n in range(48)], START, START + 2 * DAY - 1)
    assert steady.mean == pytest.approx(24.0)
    assert steady.days == ((START, 24), (START + DAY, 24))
    single = volume([START], START, START)
    assert (single.mean, single.low) == (1.0, 0.0)
    bursts = volume([START] * 40, START, START + 4 * DAY - 1)
    assert bursts.high - bursts.low > 2 * 1.96 * (10 / 4) ** 0.5


def test_a_report_names_its_problems() -> None:
    good = RuleReport(
        rule_id="r",
        version="v",
        title="t",
        enabled=True,
        last_seq=1,
        gaps=(Span(1, 2),),
        last_hit_at=None,
        failure="",
        sources=("s",),
        events=1,
        missing=(),
        quiet=False,
        cost=None,
    )
    assert good.problems == ()
    bad = replace(good, failure="ValueError", missing=("f",), quiet=True)
    assert bad.problems == ("raises", "fields_missing", "sources_quiet")
