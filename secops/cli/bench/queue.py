"""The queue of alerts in a large home: its pages, closing all of it at once, and undoing that."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from secops.adapters.database.engine import make_engine
from secops.bridges.house import House
from secops.cli.bench.figures import Bar, figure
from secops.cli.bench.served import demo_home
from secops.settings import DATABASE_FILE

OPEN: Final = 100_000
CLOSED: Final = 500_000
"""A tenth of the five millions that are promised: they fill in a minute."""
_ROUNDS: Final = 20
_MILLI: Final = 1_000
_PAGE_BAR: Final = Bar("<=", 300)
_BULK_BAR: Final = Bar("<=", 60)
_SCRIPT_BAR: Final = Bar("<=", 60)
_AT_ONCE: Final = 500_000
_BEGIN: Final = 1_790_000_000_000_000
SCRIPTS: Final = ("vendor/htmx.min.js", "vendor/hx-csp.min.js", "console.js", "queue.js")
_BODY: Final = (
    '{"subjects":{"user.name":"u","source.ip":"203.0.113.7"},"reasons":[["count","5","6"]],'
    '"event_ids":["e1","e2","e3","e4","e5"],"tags":["attack.t1110"],"custom":{},"superseded":[]}'
)
_NUMBERS: Final = (
    "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last) "
)
_ID: Final = "printf('alr_%08x%016x', (i * 2654435761) & 4294967295, i * 7919)"
_RISK: Final = (
    "CASE WHEN i % 100 < 3 THEN 90 WHEN i % 100 < 20 THEN 70 WHEN i % 100 < 60 THEN 40 ELSE 20 END"
)
_SEVERITY: Final = (
    "CASE WHEN i % 100 < 3 THEN 'critical' WHEN i % 100 < 20 THEN 'high' "
    "WHEN i % 100 < 60 THEN 'medium' ELSE 'low' END"
)
_INDEXES: Final = """SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    AND tbl_name IN ('detectors_alerts', 'detectors_alert_subjects')"""
_FILL: Final = (
    f"""{_NUMBERS} INSERT INTO detectors_alerts (id, org_id, kind, rule_id, rule_version, title,
    severity, status, raised_at, first_at, last_at, group_key, event_count, body, closed_at,
    closed_by, close_reason, version, revision, entity_kinds)
    SELECT {_ID}, 'org_root', 'rule', printf('bench-rule-%d', (i * i + i) % 97), 'v1',
    'bench ' || (i % 97), {_SEVERITY}, :status, :begin + i * 3000000, :begin + i * 3000000,
    :begin + i * 3000000, '["user.name=u' || (i % 5000) || '"]', 5, :body,
    CASE WHEN :status = 'closed' THEN :begin + i * 3000000 END, NULL, '', 1, i,
    ' account  address ' FROM n""",  # noqa: S608 - our own constants
    f"""{_NUMBERS} INSERT INTO detectors_alert_subjects (alert_id, subject, org_id, risk, open)
    SELECT {_ID}, 'account:u' || (i % 5000), 'org_root', {_RISK}, :status = 'open' FROM n""",  # noqa: S608
    f"""{_NUMBERS} INSERT INTO detectors_alert_subjects (alert_id, subject, org_id, risk, open)
    SELECT {_ID}, 'address:203.0.' || (i * 31 % 200) || '.' || (i % 250), 'org_root', {_RISK},
    :status = 'open' FROM n""",  # noqa: S608
)


def queue_figures() -> list[dict[str, Any]]:
    """Return how long the queue's pages, a bulk close of all of it and its undo take."""
    from secops.app import open_house  # noqa: PLC0415 - heavy

    with demo_home() as home:
        fill(home, OPEN, CLOSED)
        with closing(open_house(home)) as house:
            return [*_pages(house), *_bulk(house), script_figure()]


def fill(home: Path, waiting: int, closed: int) -> None:
    """Put alerts into the database of ``home``: ``closed`` ones, then ``waiting`` open ones."""
    engine = make_engine(f"sqlite:///{home / DATABASE_FILE}")
    with engine.connect() as connection:
        run = connection.exec_driver_sql
        with connection.begin():
            run("PRAGMA cache_size = -1000000")
            # an index over millions of rows is made faster than it grows
            indexes = run(_INDEXES).all()
            for name, _ in indexes:
                run(f'DROP INDEX "{name}"')
        first = 1
        for status, count in (("closed", closed), ("open", waiting)):
            for start in range(0, count, _AT_ONCE):
                last = first + min(_AT_ONCE, count - start) - 1
                said: dict[str, int | str] = {"first": first, "last": last, "begin": _BEGIN}
                said |= {"status": status, "body": _BODY}
                with connection.begin():
                    for statement in _FILL:
                        run(statement, said)
                first = last + 1
        with connection.begin():
            for _, statement in indexes:
                run(statement)
    engine.dispose()


def _pages(house: House) -> list[dict[str, Any]]:
    """Return how long a page takes with all its counts, in each order, and the groups."""
    from detectors.models.alerts import AlertFilter  # noqa: PLC0415 - heavy
    from secops.kernel.pages import PageRequest  # noqa: PLC0415

    analyst, wanted, page = house.act_as("analyst"), AlertFilter(status="open"), PageRequest(50)
    alerts, queue = house.detectors.alerts, house.detectors.queue

    def listed(order: Any) -> Callable[[], object]:
        return lambda: (
            queue.count_alerts(analyst, wanted),
            alerts.list_alerts(analyst, wanted, page, order=order),
        )

    def grouped(by: Any) -> Callable[[], object]:
        return lambda: queue.group_alerts(analyst, wanted, by, page)

    asked = {
        "newest first": listed("newest"),
        "by severity": listed("severity"),
        "due first": listed("due"),
        "grouped by rule": grouped("rule"),
        "grouped by entity": grouped("entity"),
    }
    return [_page(name, ask) for name, ask in asked.items()]


def _page(name: str, ask: Callable[[], object]) -> dict[str, Any]:
    taken, spent = [], []
    for _ in range(_ROUNDS):
        begun, cpu = time.perf_counter(), time.process_time()
        ask()
        taken.append((time.perf_counter() - begun) * _MILLI)
        spent.append((time.process_time() - cpu) * _MILLI)
    return figure(
        f"alert queue {name}, p95",
        statistics.quantiles(taken, n=20)[-1],
        "ms",
        f"{_ROUNDS} pages of 50 with facets among {OPEN:,} open and {CLOSED:,} closed alerts,"
        f" median {statistics.median(taken):.0f} ms, {statistics.median(spent):.0f} ms of CPU",
        bar=_PAGE_BAR,
    )


def _bulk(house: House) -> list[dict[str, Any]]:
    """Return how long closing every open alert takes, and giving all of it back."""
    from detectors.models.alerts import AlertFilter  # noqa: PLC0415 - heavy
    from detectors.service.triage.bulk_actions import token_of  # noqa: PLC0415

    bulk, analyst = house.detectors.bulk_actions, house.act_as("analyst")
    preview = bulk.preview_bulk_close(analyst, AlertFilter(status="open"), "bench")
    closed = _carry_out(
        house, lambda: bulk.order_bulk_action(analyst, preview.id, token_of(preview))
    )
    undone = _carry_out(house, lambda: bulk.undo_bulk_action(analyst, preview.id))
    about = f"chunks of 1,000, risks of every subject told, {CLOSED:,} other closed alerts"
    return [
        figure(
            f"{name} {preview.count:,} alerts",
            wall,
            "s",
            f"{about}; {cpu:.1f} s of CPU",
            bar=_BULK_BAR,
        )
        for name, (wall, cpu) in (("bulk close of", closed), ("undo of the close of", undone))
    ]


def _carry_out(house: House, order: Callable[[], object]) -> tuple[float, float]:
    begun, cpu = time.perf_counter(), time.process_time()
    order()
    while house.detectors.bulk_runner.tick():
        pass
    return time.perf_counter() - begun, time.process_time() - cpu


def script_figure() -> dict[str, Any]:
    """Return how much JavaScript the queue's page loads, packed."""
    place = files("secops.console") / "static"
    sizes = [len(gzip.compress((place / name).read_bytes(), 9)) for name in SCRIPTS]
    return figure(
        "JavaScript of the queue's page",
        sum(sizes) / 1_000,
        "KB gz",
        ", ".join(SCRIPTS),
        bar=_SCRIPT_BAR,
    )
