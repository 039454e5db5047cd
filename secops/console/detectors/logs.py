"""Log search: a query, when it happened, what it is made of, and the events themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast
from urllib.parse import urlencode

from detectors.models.alerts import Alert, AlertFilter
from detectors.models.privacy import DATA_CLASSES
from detectors.models.search import ExportForm, ExportOptions, Histogram, LogSurvey
from detectors.service.logs.log_presentation import (
    EXPORT_TYPES,
    MAX_BYTES,
    MAX_EVENTS,
    event_json,
    export_headers,
)
from detectors.service.logs.log_search import narrowed
from secops.console.detectors.alerts import alert_title
from secops.console.detectors.log_picture import picture_of
from secops.console.parts import Desk, get_page
from secops.console.render import utc_time
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.logs import StoredEvent
from secops.kernel.pages import PageRequest, encode_cursor, page_request
from secops.kernel.permissions.detectors import ALERT_READ, LOG_EXPORT, LOG_REVEAL, LOG_SEARCH
from secops.web.messages import Request, Response, file_response
from secops.web.routes import Route

_SHOWN: Final = 50
_ALERTS: Final = 200
_EXPORTED: Final = 10_000
FACETS: Final = {
    "log.source": N_("来源"),
    "event.action": N_("动作"),
    "event.outcome": N_("结果"),
    "user.name": N_("用户"),
    "source.ip": N_("来源地址"),
    "http.response.status_code": N_("状态码"),
    "EventID": N_("Windows 事件号"),
}
EXAMPLES: Final = (
    ("failed", N_("原文中含有该词,不分大小写")),
    ('"Failed password for"', N_("原文中含有该短语")),
    ("user.name:root", N_("字段等于该值")),
    ("user.name:adm*", N_("通配符:* 任意多个字符,? 一个字符")),
    ("source.ip:10.0.0.0/8", N_("地址在网段内,IPv6 亦可")),
    ("http.response.status_code:[400 TO 499]", N_("数值范围,也可写 >=400")),
    ("@timestamp:>=now-1h", N_("最近一小时;也可写日期")),
    ("event.outcome:failure AND NOT user.name:root", N_("与、或、非:AND、OR、NOT 和括号")),
    ("user.name:(root OR admin)", N_("同一字段的几个值")),
    ("_exists_:url.path", N_("有该字段")),
)
RANGES: Final = (
    ("now-15m", N_("最近 15 分钟")),
    ("now-1h", N_("最近 1 小时")),
    ("now-24h", N_("最近 24 小时")),
    ("now-7d", N_("最近 7 天")),
    ("", N_("全部时间")),
)
_NOTHING: Final = LogSurvey(Histogram(1, (), 0), ())


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address bar asks for."""

    query: str
    since: str
    until: str

    def link(self, **changes: str) -> str:
        """Return the address of the same search with ``changes``."""
        wanted = {"q": self.query, "since": self.since, "until": self.until, **changes}
        return "/logs?" + urlencode({name: text for name, text in wanted.items() if text})

    def export(self, form: str) -> str:
        """Return where it can be taken away from as a file."""
        return f"/logs/export?{self.link(format=form).partition('?')[2]}"

    @property
    def window(self) -> tuple[str | None, str | None]:
        """The time asked for."""
        return self.since or None, self.until or None


@dataclass(frozen=True, slots=True)
class _Logs:
    desk: Desk

    def search_logs(self, request: Request) -> Response:
        """Show what a Lucene-style query finds, newest first."""
        query = request.query
        asked = Asked(query.get("q", "*"), query.get("since", ""), query.get("until", ""))
        error, found, survey = None, [], _NOTHING
        try:
            page = _page(request)
            found = self._found(request, asked, page)
            survey = self._survey(request, asked)
        except Invalid as refused:
            error = refused
        rows = found[:_SHOWN]
        following = ""
        if len(found) > _SHOWN:
            cursor = encode_cursor((rows[-1].event.at, rows[-1].seq))
            following = asked.link(cursor=cursor)
        return self.desk.page(
            request,
            "detectors/logs.html",
            asked=asked,
            error=error,
            picture=picture_of(
                survey.histogram, lambda since, until: _between(asked, since, until)
            ),
            facets=_facets(survey, asked),
            rows=[_row(stored) for stored in rows],
            alerts=self._alerts(request, rows),
            following=following,
            examples=EXAMPLES,
            ranges=[(asked.link(since=since, until=""), title) for since, title in RANGES],
            may_reveal=request.caller.may(LOG_REVEAL),
            may_export=request.caller.may(LOG_EXPORT),
        )

    def export_logs(self, request: Request) -> Response:
        """Send the search as a file."""
        query = request.query
        asked = Asked(query.get("q", "*"), query.get("since", ""), query.get("until", ""))
        form = query.get("format", "csv")
        found = self.desk.parts.detectors.search.gather_export(
            request.caller,
            (asked.query, asked.window),
            ExportOptions(cast("ExportForm", form), _EXPORTED),
            max_events=MAX_EVENTS,
            max_bytes=MAX_BYTES,
        )
        return file_response(
            found.content, EXPORT_TYPES[form], f"logs.{form}", headers=export_headers(found)
        )

    def _found(self, request: Request, asked: Asked, page: PageRequest) -> list[StoredEvent]:
        logs = self.desk.parts.detectors.logs
        found = logs.search_logs(
            request.caller,
            asked.query,
            window=asked.window,
            limit=_SHOWN + 1,
            before=page.key(int, int),
        )
        return list(found)

    def _survey(self, request: Request, asked: Asked) -> LogSurvey:
        search = self.desk.parts.detectors.search
        return search.survey_logs(request.caller, asked.query, tuple(FACETS), window=asked.window)

    def _alerts(
        self, request: Request, rows: Sequence[StoredEvent]
    ) -> Mapping[str, list[tuple[str, str]]]:
        """Return the alerts that name one of the events as evidence, by event id."""
        if not rows or not request.caller.may(ALERT_READ):
            return {}
        since = min(stored.event.at for stored in rows)
        listed = self.desk.parts.detectors.alerts.list_alerts(
            request.caller, AlertFilter(since=since), PageRequest(_ALERTS)
        )
        shown = {stored.event.id for stored in rows}
        found: dict[str, list[tuple[str, str]]] = {}
        for alert in listed.items:
            for event_id in shown.intersection(alert.event_ids):
                found.setdefault(event_id, []).append(_alert_link(request, alert))
        return found


def _page(request: Request) -> PageRequest:
    return replace(page_request(None, request.query.get("cursor")), limit=_SHOWN)


def _alert_link(request: Request, alert: Alert) -> tuple[str, str]:
    return f"/alerts/{alert.id}", alert_title(request, alert)


def _between(asked: Asked, since: int, until: int) -> str:
    return asked.link(since=utc_time(since), until=utc_time(until))


def _facets(survey: LogSurvey, asked: Asked) -> list[dict[str, Any]]:
    """Return the fields that have values here, each value with a link to it and one past it."""
    return [
        {
            "field": facet.field,
            "title": FACETS[facet.field],
            "terms": [
                {
                    "value": term.key[0],
                    "count": term.count,
                    "only": asked.link(q=narrowed(asked.query, facet.field, term.key[0])),
                    "without": asked.link(
                        q=narrowed(asked.query, facet.field, term.key[0], without=True)
                    ),
                }
                for term in facet.terms
            ],
        }
        for facet in survey.facets
        if facet.terms
    ]


def _row(stored: StoredEvent) -> dict[str, Any]:
    shown = event_json(stored)
    fields = stored.event.fields
    return {
        "id": stored.event.id,
        "seq": stored.seq,
        "at": stored.event.at,
        "ingested": stored.event.ingested,
        "source": stored.event.source,
        "action": _text(fields.get("event.action", "")),
        "outcome": _text(fields.get("event.outcome", "")),
        "raw": shown["raw"],
        "masked": DATA_CLASSES in fields and "*" in shown["raw"],
        "fields": [(name, _text(value)) for name, value in shown["fields"].items()],
    }


def _text(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the search page."""
    here = _Logs(desk)
    return (
        get_page("/logs", "show_logs", LOG_SEARCH, here.search_logs),
        get_page("/logs/export", "export_logs_file", LOG_EXPORT, here.export_logs),
    )
