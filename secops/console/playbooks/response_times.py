"""MTTD, MTTA and MTTR: figures, a picture, and the incidents behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playbooks.models.response_times import MEASURES, IncidentTimes, ResponseTimes, Spread
from secops.console.parts import Desk, get_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import INCIDENT_READ
from secops.web.messages import Request, Response
from secops.web.routes import Route

PERIODS: Final = {
    "7": N_("近 7 天"),
    "30": N_("近 30 天"),
    "90": N_("近 90 天"),
    "365": N_("近一年"),
}
_USUAL: Final = "30"
_MOST_ROWS: Final = 200
_COLUMNS: Final = (
    Column("incident", N_("事件编号")),
    Column("closed", N_("关闭时间")),
    Column("detect", N_("检测用时")),
    Column("acknowledge", N_("确认用时")),
    Column("contain", N_("遏制用时")),
    Column("resolve", N_("恢复用时")),
)
_UNITS: Final = (
    (DAY, Text("天", "d")),
    (HOUR, Text("小时", "h")),
    (MINUTE, Text("分", "min")),
    (SECOND, Text("秒", "s")),
)
BAR: Final = 600
ROW: Final = 34


@dataclass(frozen=True, slots=True)
class Bar:
    """A measure in the picture: p50 within p90, in units of ``BAR``."""

    name: Text
    spread: Spread
    y: int
    p50: float
    p90: float


def span_text(span: int | None) -> Text:
    """Return a span in its two greatest units; a dash where it isn't known."""
    if span is None:
        return Text("—", "—")
    units = [unit for unit in _UNITS if span >= unit[0]] or [_UNITS[-1]]
    zh: list[str] = []
    en: list[str] = []
    rest = span
    for size, name in units[:2]:
        count, rest = divmod(rest, size)
        if count or not zh:
            zh.append(f"{count} {name.zh}")
            en.append(f"{count} {name.en}")
    return Text(" ".join(zh), " ".join(en))


def bars_of(times: ResponseTimes) -> list[Bar]:
    """Return the bars of the measures, the longest p90 as long as the picture."""
    most = max((spread.p90 or 0 for spread in times.spans.values()), default=0) or 1
    return [
        Bar(
            MEASURES[name],
            spread,
            place * ROW,
            round((spread.p50 or 0) * BAR / most, 1),
            round((spread.p90 or 0) * BAR / most, 1),
        )
        for place, (name, spread) in enumerate(times.spans.items())
    ]


@dataclass(frozen=True, slots=True)
class _Times:
    desk: Desk

    def show_times(self, request: Request) -> Response:
        """Show the figures of a period, by the time of closing."""
        days = request.query.get("days", _USUAL)
        if days not in PERIODS:
            raise Invalid(f"days is one of {', '.join(PERIODS)}")
        until = self.desk.parts.clock.now() + 1
        since = until - int(days) * DAY
        service = self.desk.parts.playbooks.times
        times = service.measure_response(request.caller, since, until)
        rows = [_row(request, one) for one in times.incidents[:_MOST_ROWS]]
        table = Table(N_("所含事件"), _COLUMNS, rows, None, N_("此期间没有关闭的事件"))
        return self.desk.list_page(
            request,
            "playbooks/response_times.html",
            table,
            times=times,
            bars=bars_of(times),
            span=span_text,
            periods=PERIODS,
            days=days,
            bar=BAR,
            height=ROW * len(times.spans),
        )


def _row(request: Request, one: IncidentTimes) -> tuple[Cell, ...]:
    pairs = (
        (one.first_event_at, one.first_alert_at),
        (one.first_alert_at, one.acknowledged_at),
        (one.first_alert_at, one.contained_at),
        (one.first_alert_at, one.closed_at),
    )
    spans = [None if a is None or b is None else max(b - a, 0) for a, b in pairs]
    return (
        Cell(one.incident_id, href=f"/incidents/{one.incident_id}"),
        Cell("", instant=one.closed_at),
        *(Cell(span_text(s).into(request.language), sort=-1 if s is None else s) for s in spans),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the route of the page."""
    here = _Times(desk)
    return (get_page("/response-times", "show_response_times", INCIDENT_READ, here.show_times),)
